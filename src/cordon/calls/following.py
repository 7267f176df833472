"""Which found ring is which kept one: by their numbers alone, so that a ring keeps its name.

Nothing here knows a database; `ringbook` keeps what these functions say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cordon.kernel import geo

SHARE = 0.5  # of the smaller one's numbers: fewer in common are another ring
HANDSETS = 2  # handsets in common that say that people moved: one alone may have been sold
STILL_BOTH = timedelta(days=2)  # for so long both may work while people move


@dataclass(frozen=True, slots=True)
class Ring:
    """What is known of a ring, kept or just found.

    Attributes:
        id: of the kept one, or any name for a found one. kind: of its finding.
        numbers: E.164. handsets: IMEI, 14 digits. named: accounts, handles, wallets and URLs that
            complaints name beside its numbers. start, end: first and last call (aware UTC).
        lat, lon, radius_m: where, where that is known.
    """

    id: str
    kind: str
    numbers: frozenset[str]
    start: datetime
    end: datetime
    handsets: frozenset[str] = frozenset()
    named: frozenset[str] = frozenset()
    lat: float | None = None
    lon: float | None = None
    radius_m: float = 0.0


@dataclass(frozen=True, slots=True)
class Matching:
    """What became of kept rings, and where found ones come from; all by id.

    Attributes:
        goes_on: found → the kept ring that it is. split: found, new → kept that it was part of.
        merged: kept → found that took it in. gone: kept ones of which nothing was found.
    """

    goes_on: Mapping[str, str]
    split: Mapping[str, str]
    merged: Mapping[str, str]
    gone: frozenset[str]


@dataclass(frozen=True, slots=True)
class Follow:
    """A new ring that goes on from a silent one.

    Attributes:
        earlier: id of the silent one. handsets, named: how many the two share.
        metres: between the two places, None where one is not known.
        moved: True where the places are apart beyond what is uncertain of them.
    """

    earlier: str
    handsets: int
    named: int
    metres: float | None
    moved: bool


def matched(kept: Sequence[Ring], found: Sequence[Ring]) -> Matching:
    """Match found rings with kept ones, the best overlap first.

    Two may be one where they share at least half of the smaller one's numbers. Of several such
    pairs the one with the greatest Jaccard overlap counts, then the one of the same kind, then
    the one with more numbers in common, then the ring kept first. The order of `found` plays no
    part. What kind a ring is of may change: the people are the same.
    """
    pairs = _pairs(kept, found)
    goes_on: dict[str, str] = {}
    taken: set[str] = set()
    for old, new in pairs:
        if new.id not in goes_on and old.id not in taken:
            goes_on[new.id] = old.id
            taken.add(old.id)
    split: dict[str, str] = {}
    merged: dict[str, str] = {}
    for old, new in pairs:
        if new.id not in goes_on:
            split.setdefault(new.id, old.id)
        if old.id not in taken:
            merged.setdefault(old.id, new.id)
    gone = frozenset(k.id for k in kept if k.id not in taken and k.id not in merged)
    return Matching(goes_on, split, merged, gone)


def _pairs(kept: Sequence[Ring], found: Sequence[Ring]) -> list[tuple[Ring, Ring]]:
    by_number: dict[str, list[Ring]] = {}
    for new in found:
        for number in new.numbers:
            by_number.setdefault(number, []).append(new)
    ranked = []
    for place, old in enumerate(kept):
        shared: dict[str, int] = {}
        for number in old.numbers:
            for new in by_number.get(number, ()):
                shared[new.id] = shared.get(new.id, 0) + 1
        for new in found:
            common = shared.get(new.id, 0)
            if common and common >= SHARE * min(len(old.numbers), len(new.numbers)):
                both = len(old.numbers) + len(new.numbers) - common
                order = (-common / both, old.kind != new.kind, -common, place, sorted(new.numbers))
                ranked.append((order, old, new))
    ranked.sort(key=lambda r: r[0])
    return [(old, new) for _, old, new in ranked]


def followed(new: Sequence[Ring], others: Sequence[Ring]) -> dict[str, Follow]:
    """For each new ring the silent one that it goes on from, where there is one.

    Args:
        new: rings that share no half of their numbers with any before. others: every ring,
            kept or found; a ring does not follow itself.

    The two share handsets, or what complaints name; the earlier one fell silent before the new
    one had worked for long. Each earlier ring is followed once, by whom it shares most with.
    """
    claims = []
    for ring in new:
        for old in others:
            if old.id == ring.id or old.start >= ring.start:
                continue
            handsets, named = len(old.handsets & ring.handsets), len(old.named & ring.named)
            if handsets < HANDSETS and not named:
                continue
            if old.end > ring.start + STILL_BOTH:
                continue
            claims.append((-(handsets + named), ring.start - old.end, old.id, ring, old))
    claims.sort(key=lambda c: (c[0], c[1], c[2], c[3].id))
    told: dict[str, Follow] = {}
    used: set[str] = set()
    for _, _, _, ring, old in claims:
        if ring.id in told or old.id in used:
            continue
        used.add(old.id)
        metres = _between(old, ring)
        moved = metres is not None and metres > old.radius_m + ring.radius_m
        told[ring.id] = Follow(
            old.id, len(old.handsets & ring.handsets), len(old.named & ring.named), metres, moved
        )
    return told


def _between(one: Ring, other: Ring) -> float | None:
    if one.lat is None or one.lon is None or other.lat is None or other.lon is None:
        return None
    return float(geo.distance_m(one.lat, one.lon, other.lat, other.lon))
