"""Which illegal call centres there are: types, places, hours, people, raids and returns."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from cordon.exercise.worlds.calling.cards import Cards, Hourly, Rotation, Slots
from cordon.exercise.worlds.calling.drawing import DAY, Data, Ints, Rng, drawn
from cordon.exercise.worlds.calling.land import Land
from cordon.exercise.worlds.calling.lines import Handsets, Lines
from cordon.exercise.worlds.calling.people import People
from cordon.kernel.geo import distance_m

NO_DAY = 7


@dataclass(slots=True)
class Centre:
    """One place of an illegal call centre, from its opening to its end.

    Attributes:
        index: its number from 0. own: its parameters. kind: its type. spot: of its floor.
        begin, end: seconds between which it works. seats: workers at full strength.
        closed: weekday without work, NO_DAY for none. team: persons who work in it.
        earlier: index of the place that was raided before, or None.
        rotation: of its first line. closers: of those who call back who bit, or None.
        handles, urls, wallets: what victims are told; mules: accounts, set by the money.
        cards, sets: every SIM card and handset it may come to use.
    """

    index: int
    own: Data
    kind: str
    spot: int
    begin: float
    end: float
    seats: int
    closed: int
    team: Ints
    earlier: int | None = None
    rotation: Rotation | None = None
    closers: Rotation | None = None
    cards: Ints = field(default_factory=lambda: np.empty(0, np.int32))
    sets: Ints = field(default_factory=lambda: np.empty(0, np.int32))
    handles: list[str] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)
    wallets: list[str] = field(default_factory=list)
    mules: Ints = field(default_factory=lambda: np.empty(0, np.int32))


def plan_centres(
    data: Data, people: People, land: Land, inside: Ints, scale: float, span: float, rng: Rng
) -> list[Centre]:
    """Plan the centres and their people; cards are bought later (`equip`).

    Args:
        data: the part `centres` of the YAML, not drawn: each centre draws its own.
        inside: spots of real businesses that have many lines.
        span: seconds from the first local midnight to the end.
    """
    count = max(2, round(drawn(data["count"], rng) * scale))
    kinds = _kinds(list(data["types"]), count, rng)
    centres: list[Centre] = []
    for kind in kinds:
        centres.append(_centre(data, kind, len(centres), people, land, inside, scale, span, rng))
        if len(centres) > 1 and centres[-2].kind == "floor":
            # two on one floor: the next one in the list sits beside it, whatever its type
            centres[-1].spot = centres[-2].spot
    if centres[-1].kind == "floor":
        centres[-1].spot = centres[0].spot
    days = span / DAY
    raids = min(int(drawn(data["raids"], rng)), count - 1) if days >= data["raid_from_days"] else 0
    for raided in rng.permutation(count)[:raids]:
        centres.append(_again(data, centres[raided], len(centres), land, span, rng))
    for centre in centres:
        _settle(centre, people)
    return centres


def _kinds(all_kinds: list[str], count: int, rng: Rng) -> list[str]:
    """Without replacement while that goes, then with."""
    kinds = [str(k) for k in rng.permutation(all_kinds)[:count]]
    kinds += [str(k) for k in rng.choice(all_kinds, max(0, count - len(kinds)))]
    return kinds


def _centre(
    data: Data, kind: str, index: int, people: People, land: Land, inside: Ints, scale: float,
    span: float, rng: Rng,
) -> Centre:  # fmt: skip
    own = drawn(data["each"] | data["types"][kind], rng)
    shrink = float(np.clip(scale**0.25, 0.3, 1.5))
    seats = max(5, round(np.exp(rng.uniform(*np.log(data["seats"]))) * shrink))
    region = int(rng.choice(len(land.share), p=land.share))
    if rng.random() < 0.75:
        region = land.urban[int(rng.integers(len(land.urban)))]
    spot = int(rng.integers(land.first[region], land.last[region]))
    if kind == "inside" and len(inside):
        spot = int(rng.choice(inside))
    before = rng.random() < data["before_first_day"]
    begin = -1.0 if before else float(rng.uniform(0.0, 0.35) * span // DAY * DAY)
    if before:
        begin -= float(rng.integers(3, 25)) * DAY
    closed = int(rng.choice([4, 5, 6])) if rng.random() < data["closed_day"] else NO_DAY
    team = _team(people, int(land.region[spot]), round(seats * own["team"]), rng)
    return Centre(index, own, kind, spot, begin, span, seats, closed, team)


def _team(people: People, region: int, n: int, rng: Rng) -> Ints:
    """Workers: persons of the region, none of them twice in two centres (by chance at most)."""
    live = np.flatnonzero(people.region[: people.persons] == region)
    if len(live) < 4 * n:
        live = np.arange(people.persons)
    return np.sort(rng.choice(live, min(n, len(live) // 4), replace=False)).astype(np.int32)


def _again(data: Data, old: Centre, index: int, land: Land, span: float, rng: Rng) -> Centre:
    """The same people elsewhere, some days after a raid that ends their earlier place."""
    opened = max(old.begin, 0.0)
    # not before it was seen at work, and early enough that its next place is seen too
    last = max(opened + 3 * DAY, span - 10 * DAY)
    when = rng.uniform(min(opened + 4 * DAY, last), last)
    old.end = float(when // DAY * DAY + rng.uniform(11, 16) * 3600.0)
    own = old.own | {"old_sets": drawn(data["old_sets"], rng)}
    for name in ("out_an_hour", "answered", "talk_s"):
        own[name] = own[name] * float(rng.uniform(0.85, 1.15))
    away = float(drawn(data["away_days"], rng))
    begin = float((old.end + away * DAY) // DAY * DAY)
    region = int(land.region[old.spot])
    if rng.random() < 0.35:
        region = land.urban[int(rng.integers(len(land.urban)))]
    spot = _elsewhere(land, old.spot, region, rng)
    seats = max(3, round(old.seats * rng.uniform(0.6, 1.0)))
    return Centre(index, own, old.kind, spot, begin, span, seats, old.closed, old.team, old.index)


def _elsewhere(land: Land, spot: int, region: int, rng: Rng) -> int:
    """Another spot, not round the corner: one of the farther half of some."""
    some = rng.integers(land.first[region], land.last[region], 8)
    far = distance_m(land.lat[some], land.lon[some], land.lat[spot], land.lon[spot])
    return int(rng.choice(some[np.argsort(far)[4:]]))


def _settle(centre: Centre, people: People) -> None:
    """Workers' own phones are where they work while they work; they stay innocent."""
    own, team = centre.own, centre.team
    if centre.earlier is not None:
        people.later_from[team] = centre.begin
        people.later_work[team] = centre.spot
        return
    people.work[team] = centre.spot
    people.work_from[team] = own["opens"] - 0.2
    people.work_to[team] = own["opens"] + own["hours"] + 0.3
    days = 0b1111111 & ~(1 << centre.closed) if centre.closed != NO_DAY else 0b1111111
    people.work_days[team] = days


def equip(data: Data, centres: list[Centre], lines: Lines, sets: Handsets, rng: Rng) -> None:
    """Buy cards and handsets, and make up what victims are told."""
    for centre, own_rng in zip(centres, rng.spawn(len(centres)), strict=True):
        old = centres[centre.earlier] if centre.earlier is not None else None
        own = centre.own | ({} if old else {"old_sets": 0.0})
        brought = old.sets if old else np.empty(0, np.int32)
        cards = Cards(own, lines, sets, 1 + centre.index, brought, own_rng)
        begin, end = max(centre.begin, 0.0), max(centre.end, centre.begin + DAY)
        how = Hourly if own["rotation"] == "hourly" else Slots
        centre.rotation = how(own, centre.seats, begin, end, cards, own_rng)
        parts = [centre.rotation]
        if own["closers"] > 0:
            second = own | {"handsets": 1, "cards": 1, "run": 1000, "life_days": own["closer_days"]}
            n = max(1, round(centre.seats * own["closers"]))
            centre.closers = Slots(second, n, begin, end, cards, own_rng)
            parts.append(centre.closers)
        centre.cards = np.unique(np.concatenate([p.lines for p in parts]))
        centre.sets = np.unique(np.concatenate([p.sets for p in parts]))
        _names(data, centre, old, own_rng)


def _names(data: Data, centre: Centre, old: Centre | None, rng: Rng) -> None:
    """Handles, addresses and wallets; some outlive a raid."""
    words = data["words"]
    for kind, keep in (("handles", 0.7), ("urls", 0.4), ("wallets", 0.8)):
        made: list[str] = []
        for _ in range(int(rng.integers(1, 6))):
            word = "".join(str(w) for w in rng.choice(words, 2, replace=False))
            tail = int(rng.integers(10, 9999))
            if kind == "handles":
                made.append(f"@{word}{tail}")
            elif kind == "urls":
                # names under .example belong to nobody (RFC 2606)
                made.append(f"https://{word}{tail % 100}.example/claim")
            else:
                made.append(
                    "T" + "".join(rng.choice(list("ABCDEFGHJKLMNPQRSTUVWXYZ123456789"), 33))
                )
        if old is not None:
            made = [n for n in getattr(old, kind) if rng.random() < keep] + made[:2]
        setattr(centre, kind, made)
