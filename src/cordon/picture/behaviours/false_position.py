"""Positions that cannot be where a mover is: in circles, on land, frozen, or a default."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cordon.kernel.cards import load_card
from cordon.kernel.findings import Finding, Reason
from cordon.kernel.geo import distance_m, point
from cordon.picture.model import Zone
from cordon.picture.shared.ashore import Ashore, ashore_of
from cordon.picture.shared.sameparty import unnamed_of
from cordon.picture.shared.spells import Ring, Stuck, defaults_of, frozen_of, rings_of
from cordon.picture.shared.untrue import Untrue
from cordon.picture.tracks import Ints, Tracks, moment

CARD = load_card(__file__)
_MOST_RECORDS = 60


@dataclass(frozen=True, slots=True)
class _Spells:
    """What is told of some tracks among some zones.

    Attributes:
        rings: each with how many others were on it. zones: those that this was made of.
    """

    rings: tuple[tuple[Ring, int], ...]
    stuck: tuple[Stuck, ...]
    ashore: tuple[Ashore, ...]
    zones: tuple[Zone, ...]

    def each(self) -> Iterator[tuple[int, Ints]]:
        """Subject and fixes of every spell."""
        yield from ((ring.subject, ring.fixes) for ring, _ in self.rings)
        yield from ((stuck.subject, stuck.fixes) for stuck in self.stuck)
        yield from ((spell.subject, spell.fixes) for spell in self.ashore)


def find(tracks: Tracks, zones: Sequence[Zone], values: Mapping[str, float]) -> Iterator[Finding]:
    """A finding for each spell of each mover, of each of the four kinds."""
    told = _spells(tracks, zones, values)
    for ring, others in told.rings:
        yield _ring(tracks, ring, others, values)
    for stuck in told.stuck:
        yield _stuck(tracks, stuck, values)
    for spell in told.ashore:
        yield _ashore(tracks, spell, values)


def untrue_of(tracks: Tracks, zones: Sequence[Zone]) -> Untrue:
    """When movers' own reports are told to be false, so that others tell no meeting by them.

    Not what an eye sees: a radar's track on a circle is a boat that goes round.
    """
    told = _spells(tracks, zones, CARD.values())
    unnamed = unnamed_of(tracks)
    some = [(i, k) for i, k in told.each() if not unnamed[i]]
    return Untrue(
        np.array([i for i, _ in some], dtype=np.int64),
        np.array([tracks.t[k[0]] for _, k in some], dtype=np.float64),
        np.array([tracks.t[k[-1]] for _, k in some], dtype=np.float64),
    )


def _spells(tracks: Tracks, zones: Sequence[Zone], values: Mapping[str, float]) -> _Spells:
    def make() -> _Spells:
        rings = rings_of(tracks, values)
        beside = [(ring, _beside(ring, rings, tracks)) for ring in rings]
        return _Spells(
            tuple((ring, others) for ring, others in beside if _tells(ring, others, values)),
            (*defaults_of(tracks, values), *frozen_of(tracks, values)),
            tuple(ashore_of(tracks, zones, values)),
            tuple(zones),
        )

    # the value holds the zones, so that their ids stay theirs
    return tracks.once(("false_position", *sorted(values.items()), *map(id, zones)), make)


def _beside(ring: Ring, rings: Sequence[Ring], tracks: Tracks) -> int:
    """How many others were on the same circle within a day."""
    others = {
        r.subject
        for r in rings
        if r.subject != ring.subject
        and float(distance_m(r.lat, r.lon, ring.lat, ring.lon)) <= 0.5 * ring.radius_m
        and abs(tracks.t[r.fixes[0]] - tracks.t[ring.fixes[0]]) <= 86_400.0
    }
    return len(others)


def _disagrees(ring: Ring) -> bool:
    """Whether the speed that it reports is another than the one along the circle."""
    if not np.isfinite(ring.told_kn):
        return False
    return abs(ring.told_kn - ring.speed_kn) > max(2.0, 0.3 * ring.speed_kn)


def _tells(ring: Ring, others: int, values: Mapping[str, float]) -> bool:
    backed = others > 0 or ring.jumped or _disagrees(ring)
    if not ring.turns:  # fixes too far apart to count turns by
        return backed and len(ring.fixes) >= 2 * values["ring_least_fixes"]
    enough = values["ring_turns"] if backed else values["ring_turns_alone"]
    if ring.jumped:  # no craft came there: once round, over its own track, is enough
        enough = values["ring_turns_jumped"]
    return ring.turns >= enough and len(ring.fixes) >= values["ring_least_fixes"]


def _ring(tracks: Tracks, ring: Ring, others: int, values: Mapping[str, float]) -> Finding:
    turned = f"{ring.turns:.1f} times round" if ring.turns else "all over"
    reasons = [
        Reason(
            "ring_turns",
            round(ring.turns, 1),
            "1",
            values["ring_turns_jumped" if ring.jumped else "ring_turns"],
            f"Its positions lie {turned} a circle of {ring.radius_m:.0f} m radius, at "
            f"{ring.speed_kn:.1f} kn.",
        ),
        Reason(
            "ring_stray",
            round(ring.stray_m / ring.radius_m, 4),
            "1",
            values["ring_stray"],
            f"They lie off the circle by {ring.stray_m:.0f} m: a helmsman does not steer so.",
        ),
    ]
    if others:
        reasons.append(
            Reason("others", others, "1", None, "So many others were on the same circle.")
        )
    if ring.jumped:
        reasons.append(
            Reason(
                "jumped", 1, "1", None, "It came there, or went away, faster than any craft goes."
            )
        )
    if _disagrees(ring):
        reasons.append(
            Reason(
                "told_kn",
                round(ring.told_kn, 1),
                "kn",
                None,
                "This speed it reported, which is not the one along the circle.",
            )
        )
    sure = 0.5 + 0.05 * min(ring.turns, 4) + 0.12 * min(others, 2)
    sure += 0.1 * ring.jumped + 0.1 * _disagrees(ring)
    return _made(tracks, ring.subject, ring.fixes, ring.lat, ring.lon, ring.radius_m, sure, reasons)


def _stuck(tracks: Tracks, stuck: Stuck, values: Mapping[str, float]) -> Finding:
    k = stuck.fixes
    lat, lon = float(tracks.lat[k[0]]), float(tracks.lon[k[0]])
    minutes = float(tracks.t[k[-1]] - tracks.t[k[0]]) / 60
    if stuck.default:
        reasons = [
            Reason(
                "default_fixes",
                len(k),
                "1",
                values["default_fixes"],
                f"So many of its positions stand at {lat:g}, {lon:g}, as sets tell that know none.",
            )
        ]
        return _made(tracks, stuck.subject, k, lat, lon, 0.0, 0.85, reasons)
    reasons = [
        Reason(
            "frozen_min",
            round(minutes, 1),
            "min",
            values["frozen_min"],
            f"Its position stood still to the last digit for {minutes:.0f} min.",
        ),
        Reason(
            "frozen_least_kn",
            round(stuck.told_kn, 1),
            "kn",
            values["frozen_least_kn"],
            "Meanwhile it reported this speed.",
        ),
        Reason(
            "frozen_fixes",
            len(k),
            "1",
            values["frozen_fixes"],
            "So many of its reports told the same position.",
        ),
    ]
    sure = 0.6 + 0.1 * min(2.0, minutes / 60) + 0.1 * min(1.0, stuck.told_kn / 10)
    return _made(tracks, stuck.subject, k, lat, lon, 0.0, sure, reasons)


def _ashore(tracks: Tracks, spell: Ashore, values: Mapping[str, float]) -> Finding:
    k = spell.fixes
    deepest = int(k[int(np.argmax(spell.inland_m))])
    far = float(spell.inland_m.max())
    minutes = float(tracks.t[k[-1]] - tracks.t[k[0]]) / 60
    reasons = [
        Reason(
            "inland_m",
            round(far),
            "m",
            values["inland_m"],
            f"It reported from land, up to {far / 1000:.1f} km from the water, for "
            f"{minutes:.0f} min.",
        ),
        Reason(
            "inland_fixes",
            len(k),
            "1",
            values["inland_fixes"],
            "So many of its positions lie on land.",
        ),
        Reason(
            "inland_others",
            spell.others,
            "1",
            values["inland_others"],
            "So many others came there by water: it is no river or canal that the map lacks.",
        ),
    ]
    if spell.jumped:
        reasons.append(
            Reason("jumped", 1, "1", None, "It came there, or went away, faster than craft go.")
        )
    sure = 0.5 + 0.15 * spell.jumped + 0.2 * min(1.0, far / 5000) + 0.02 * min(len(k), 5)
    return _made(
        tracks,
        spell.subject,
        k,
        float(tracks.lat[deepest]),
        float(tracks.lon[deepest]),
        values["inland_m"],
        sure,
        reasons,
    )


def _made(
    tracks: Tracks,
    subject: int,
    fixes: Ints,
    lat: float,
    lon: float,
    radius_m: float,
    sure: float,
    reasons: Sequence[Reason],
) -> Finding:
    half = _MOST_RECORDS // 2
    rows = fixes if len(fixes) <= 2 * half else np.concatenate((fixes[:half], fixes[-half:]))
    left_out = Reason(
        "left_out",
        len(fixes),
        "1",
        None,
        "By so many positions no meeting, company, transfer or landing is told.",
    )
    return Finding.make(
        kind=CARD.kind,
        subjects=[tracks.subjects[subject]],
        start=moment(tracks.t[fixes[0]]),
        end=moment(tracks.t[fixes[-1]]),
        place=point(lat, lon),
        radius_m=round(radius_m) or None,
        confidence=float(min(0.95, sure)),
        reasons=[*reasons, left_out],
        records=tracks.records(rows),
        detector=CARD.name,
        version=CARD.version,
    )
