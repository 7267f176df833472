"""One MMSI that falls silent where and when another one begins, and whose way that one goes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cordon.kernel.units import MS_PER_KNOT
from cordon.picture.model import Static
from cordon.picture.shared.names import Difference, agree, difference, is_ship_number, slips
from cordon.picture.shared.nearness import near_between, plane_m
from cordon.picture.shared.numbering import different_pairs
from cordon.picture.shared.stretches import Stretches, stretches_of
from cordon.picture.tracks import Floats, Ints, Tracks
from cordon.picture.zones import METRES_PER_DEGREE

_LEAST_FIXES = 3
_OVERLAP_S = 90.0  # the new set may be on before the old one is off
_NEAR_M = 300.0  # so near lie two fixes of one hull at rest, antennas and errors included
_MOST_TURN_DEG = 60.0
_ROUND_M = 3_704.0  # how many begin within two miles tells how common that is


@dataclass(frozen=True, slots=True)
class Succession:
    """One identity that takes another's place.

    Attributes:
        before, after: indices into the tracks' subjects. a, b: entries of the hulls: the last of
            the one and the first of the other; a0, b1: where the one's stretch begins and the
            other's ends. t0, t1: their times (s).
        off_m: how far the other begins from where the one's way would have led, both ways
            round; reach_m: how far it may. chance: how many would begin so near by chance.
        speed_kn: of the slower of the two. apart_min: how long, at least, only one was heard.
        said: how what they say of themselves differs.
    """

    before: int
    after: int
    a: int
    b: int
    a0: int
    b1: int
    t0: float
    t1: float
    off_m: float
    reach_m: float
    chance: float
    speed_kn: float
    apart_min: float
    said: Difference


_VALUES = ("silence_min", "longest_min", "least_kn", "off_share", "most_chance", "alone_min")


def successions_of(tracks: Tracks, values: Mapping[str, float]) -> list[Succession]:
    """Successions, by time; each end and each begin is used once, the likeliest first.

    Args:
        values: `silence_min` (a stretch ends with such a silence), `longest_min` (between the
            two), `least_kn` (slower ones lie still and must say the same of themselves),
            `off_share` (of the way between, which the other may be off), `most_chance`.
    """
    key = ("succession", *(values[name] for name in _VALUES))
    return tracks.once(key, lambda: _successions(tracks, values))


def _successions(tracks: Tracks, values: Mapping[str, float]) -> list[Succession]:
    s = stretches_of(tracks, values["silence_min"] * 60)
    ships = np.array([n.startswith("mmsi:") for n in tracks.subjects], dtype=np.bool_)
    long = (s.count >= _LEAST_FIXES) & ships[s.subject]
    ends = np.flatnonzero(long & s.alone1)
    begins = np.flatnonzero(long & s.alone0)
    if not len(ends) or not len(begins):
        return []
    begins = begins[np.argsort(s.lat0[begins], kind="stable")]
    one, two = _candidates(s, ends, begins, values)
    span = float(s.t1.max() - s.t0.min())
    off, reach, speed = _fits(s, one, two, values)
    found = []
    for n in np.flatnonzero(off <= reach).tolist():
        near = float(off[n]), float(reach[n]), float(speed[n])
        known = _judged(tracks, s, int(one[n]), int(two[n]), begins, span, near, values)
        if known is not None:
            found.append(known)
    used: set[tuple[str, int]] = set()
    kept = []
    for known in sorted(found, key=lambda k: (k.chance, k.off_m, k.t0, k.before, k.after)):
        ends_of = ("end", known.a), ("begin", known.b)
        if not used & set(ends_of):
            used.update(ends_of)
            kept.append(known)
    return sorted(kept, key=lambda k: (k.t0, k.before, k.after))


def _candidates(
    s: Stretches, ends: Ints, begins: Ints, values: Mapping[str, float]
) -> tuple[Ints, Ints]:
    """Ends and begins of different subjects near one another in time and place."""
    longest = values["longest_min"] * 60
    slot = longest + _OVERLAP_S
    found = []
    # an end and a begin lie in the same slot of time or in neighbouring ones
    for step in (-1, 0, 1):
        when = np.floor(s.t1[ends] / slot).astype(np.int64) + step
        then = np.floor(s.t0[begins] / slot).astype(np.int64)
        reach = (
            _NEAR_M + float(np.nanmax(np.append(s.kn1[ends], 0.0)).clip(0, 60)) * MS_PER_KNOT * slot
        )
        a, b, _ = near_between(
            when, s.lat1[ends], s.lon1[ends], then, s.lat0[begins], s.lon0[begins], min(reach, 2e4)
        )
        found.append((ends[a], begins[b]))
    one, two = (np.concatenate([f[i] for f in found]) for i in (0, 1))
    dt = s.t0[two] - s.t1[one]
    good = (s.subject[one] != s.subject[two]) & (dt >= -_OVERLAP_S) & (dt <= longest)
    pairs = different_pairs(one[good], two[good])
    return pairs[:, 0], pairs[:, 1]


def _fits(
    s: Stretches, one: Ints, two: Ints, values: Mapping[str, float]
) -> tuple[Floats, Floats, Floats]:
    """How far (m) each begin lies from where the end's way leads, how far it may; and the speed.

    Followed on from the one and back from the other, and the mean of both taken, as
    gpsdio-segment's discrepancy. At rest they are to lie at one place. Infinite where it turns.
    """
    dt = np.maximum(s.t0[two] - s.t1[one], 0.0)
    speed = np.fmin(s.kn1[one], s.kn0[two])
    moves = speed >= values["least_kn"]
    gaps = []
    for lat, lon, kn, course, lat2, lon2, sign in (
        (s.lat1[one], s.lon1[one], s.kn1[one], s.course1[one], s.lat0[two], s.lon0[two], 1.0),
        (s.lat0[two], s.lon0[two], s.kn0[two], s.course0[two], s.lat1[one], s.lon1[one], -1.0),
    ):
        way = sign * kn * MS_PER_KNOT * dt / METRES_PER_DEGREE
        north, east = way * np.cos(np.radians(course)), way * np.sin(np.radians(course))
        gaps.append(plane_m(lat + north, lon + east / np.cos(np.radians(lat)), lat2, lon2))
    turn = np.abs((s.course0[two] - s.course1[one] + 180.0) % 360.0 - 180.0)
    still = plane_m(s.lat1[one], s.lon1[one], s.lat0[two], s.lon0[two])
    ahead = np.where(turn <= _MOST_TURN_DEG, (gaps[0] + gaps[1]) / 2, np.inf)
    off = np.where(moves, ahead, still)
    reach = _NEAR_M + np.where(moves, values["off_share"] * speed * MS_PER_KNOT * dt, 0.0)
    return np.nan_to_num(off, nan=np.inf), reach, np.nan_to_num(speed, nan=0.0)


def _judged(
    tracks: Tracks,
    s: Stretches,
    e: int,
    b: int,
    begins: Ints,
    span: float,
    near: tuple[float, float, float],
    values: Mapping[str, float],
) -> Succession | None:
    """What is known of one that begins where another's way leads, or None where that is chance.

    Args:
        near: how far off it begins, how far it may (m), and its speed (kn).
    """
    one, two = int(s.subject[e]), int(s.subject[b])
    off, reach, speed = near
    said = _last(tracks, one, float(s.t1[e])), _first(tracks, two, float(s.t0[b]))
    same = agree(*said)
    # at rest many sets are near one another, and are switched on and off
    if speed < values["least_kn"] and not same:
        return None
    dt = max(float(s.t0[b] - s.t1[e]), 0.0)
    chance = _chance(s, b, begins, span, dt, off)
    if chance > values["most_chance"] and not same:
        return None
    apart = _only_one(s, e, b)
    if apart < values["alone_min"] * 60:
        return None  # both are heard: two hulls
    names = tracks.subjects[one], tracks.subjects[two]
    if not all(map(is_ship_number, names)) or slips(*names) <= 1:
        return None  # a set that is being set up, or a slip of typing corrected
    return Succession(
        one, two, int(s.b[e]), int(s.a[b]), int(s.a[e]), int(s.b[b]), float(s.t1[e]),
        float(s.t0[b]), off, reach, chance, speed, apart / 60, difference(*said),
    )  # fmt: skip


def _only_one(s: Stretches, e: int, b: int) -> float:
    """How long (s), at least, the other was silent while each of the two was heard; -1 for never.

    Before the change and after it. Two that were ever heard at once are two hulls.
    """
    one, two = np.flatnonzero(s.subject == s.subject[e]), np.flatnonzero(s.subject == s.subject[b])
    together = np.minimum(s.t1[one][:, None], s.t1[two]) - np.maximum(s.t0[one][:, None], s.t0[two])
    if together.max() > _OVERLAP_S:
        return -1.0
    earlier, later = s.t1[two][s.t1[two] < s.t0[b]], s.t0[one][s.t0[one] > s.t1[e]]
    begin = max([float(s.t0[one].min()), *earlier.tolist()])
    end = min([float(s.t1[two].max()), *later.tolist()])
    return float(min(s.t1[e] - begin, end - s.t0[b]))


def _chance(s: Stretches, b: int, begins: Ints, span: float, dt: float, off: float) -> float:
    """How many others would begin as near in that time, by how many begin thereabouts.

    Args:
        begins: stretches that begin in the midst of the data, by latitude.
    """
    near, wide = max(off, _NEAR_M), max(_ROUND_M, 2.0 * off)
    lat = s.lat0[begins]
    high = wide / METRES_PER_DEGREE
    some = begins[np.searchsorted(lat, s.lat0[b] - high) : np.searchsorted(lat, s.lat0[b] + high)]
    some = some[s.subject[some] != s.subject[b]]
    far = plane_m(
        np.full(len(some), s.lat0[b]), np.full(len(some), s.lon0[b]), s.lat0[some], s.lon0[some]
    )
    count = int((far <= wide).sum()) + 0.5
    share = near * near / (wide * wide)
    return float(count * share * (dt + 2 * _OVERLAP_S) / max(span, 1.0))


def _last(tracks: Tracks, subject: int, t: float) -> Static:
    """What a subject said of itself by then."""
    told = [s for s in tracks.said.get(subject, ()) if s.t <= t]
    return told[-1].static if told else tracks.static[subject]


def _first(tracks: Tracks, subject: int, t: float) -> Static:
    """What a subject said of itself from then on, first."""
    told = [s for s in tracks.said.get(subject, ()) if s.t > t]
    return told[0].static if told else tracks.static[subject]
