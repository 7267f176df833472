"""Meetings of craft at sea by distance, time and speed alone, whatever their reason.

Who was near whom is seen on the common grid first (`samples.py`); only those pairs are then
followed from half minute to half minute between their reports.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cordon.kernel.units import KNOTS_PER_MS
from cordon.picture.shared.doubles import same_hull_of
from cordon.picture.shared.nearness import near_pairs, plane_m
from cordon.picture.shared.samples import STEP_S, followed_of, samples_of
from cordon.picture.tracks import Bools, Floats, Ints, Tracks
from cordon.picture.zones import METRES_PER_DEGREE

FINE_S = 30.0
_SMOOTH = 7  # moments that a distance is a mean of: a minute and a half on either side
_LAG = 12  # a craft's speed is its way over six minutes: shorter ways are mostly a radar's error
_RINGS = 5  # distances that are tried between two published points


@dataclass(frozen=True, slots=True)
class Meetings:
    """Meetings, arrays of one length.

    Attributes:
        one, two: subjects, one < two. begin, end: s since the epoch. lat, lon: the middle of
            both, in the median. far_m: their distance in the median. speed_kn: the faster
            one's speed in the median. long, quick: by which of the two rules, or both.
    """

    one: Ints
    two: Ints
    begin: Floats
    end: Floats
    lat: Floats
    lon: Floats
    far_m: Floats
    speed_kn: Floats
    long: Bools
    quick: Bools

    def __len__(self) -> int:
        return len(self.one)

    def take(self, where: Bools | Ints) -> Meetings:
        """Some of them."""
        return Meetings(*(getattr(self, name)[where] for name in self.__slots__))

    @classmethod
    def none(cls) -> Meetings:
        """No meetings."""
        whole, real, no = np.empty(0, np.int64), np.empty(0), np.empty(0, np.bool_)
        return cls(whole, whole, real, real, real, real, real, real, no, no)

    @property
    def minutes(self) -> Floats:
        """How long each lasts."""
        return (self.end - self.begin) / 60


def needed_minutes(far_m: Floats, values: Mapping[str, float]) -> Floats:
    """How long (min) two must stay so near: the published points, and straight lines between."""
    far = np.array([values["close_m"], values["quick_m"], values["encounter_m"]])
    minutes = np.array([values["close_min"], values["quick_min"], values["encounter_min"]])
    order = np.argsort(far, kind="stable")
    return np.asarray(np.interp(far_m, far[order], minutes[order]))


def meetings_of(tracks: Tracks, free: Bools, values: Mapping[str, float]) -> Meetings:
    """Every meeting among free samples, once for each two identities.

    Args:
        free: over `samples_of(tracks)`: whose company is looked at.
        values: `encounter_m`, `encounter_min`, `encounter_kn`, `quick_m`, `quick_min`,
            `close_m`, `close_min`, `quick_kn`, `bridge_min` of the card of encounter.
    """
    samples = samples_of(tracks)
    some = np.flatnonzero(free)
    a, b, _ = near_pairs(
        samples.slot[some], samples.lat[some], samples.lon[some], values["encounter_m"]
    )
    a, b = some[a], some[b]
    one, two = samples.subject[a], samples.subject[b]
    hull = same_hull_of(tracks)
    apart = hull[one] != hull[two]
    one, two, slot = one[apart], two[apart], samples.slot[a[apart]]
    one, two = np.minimum(one, two), np.maximum(one, two)
    order = np.lexsort((slot, two, one))
    one, two, slot = one[order], two[order], slot[order]
    if not len(one):
        return Meetings.none()
    new = np.append(True, (np.diff(one) != 0) | (np.diff(two) != 0) | (np.diff(slot) > 2))
    first = np.flatnonzero(new)
    last = np.append(first[1:], len(one)) - 1
    return _followed(tracks, one[first], two[first], slot[first], slot[last], values)


@dataclass(frozen=True, slots=True)
class _Followed:
    """Pairs from half minute to half minute, run after run.

    Attributes:
        run: which run a moment belongs to. t: s. far_m: their distance, NaN where unknown, as a
            mean of what is around. bare_m: the same at the moment itself. lat, lon: their
            middle. speed: of each, kn, NaN where unknown.
    """

    run: Ints
    t: Floats
    far_m: Floats
    bare_m: Floats
    lat: Floats
    lon: Floats
    speed: tuple[Floats, Floats]


def _followed(
    tracks: Tracks, one: Ints, two: Ints, low: Ints, high: Ints, values: Mapping[str, float]
) -> Meetings:
    """Meetings in runs of company; `low`, `high`: the first and last slot of each run."""
    count = ((high - low + 2) * (STEP_S / FINE_S)).astype(np.int64) + 1
    run = np.repeat(np.arange(len(one)), count)
    step = np.arange(len(run)) - np.repeat(np.cumsum(count) - count, count)
    t = (low[run] - 1) * STEP_S + step * FINE_S
    paths = followed_of(tracks)
    lat0, lon0 = paths.at(one[run], t)
    lat1, lon1 = paths.at(two[run], t)
    east = (lon1 - lon0 + 540.0) % 360.0 - 180.0
    scale = np.cos(np.radians((lat0 + lat1) / 2))
    followed = _Followed(
        run,
        t,
        METRES_PER_DEGREE * np.hypot(_smooth(run, east * scale), _smooth(run, lat1 - lat0)),
        METRES_PER_DEGREE * np.hypot(east * scale, lat1 - lat0),
        (lat0 + lat1) / 2,
        lon0 + east / 2,
        (_speed(run, lat0, lon0), _speed(run, lat1, lon1)),
    )
    found = []
    for near, wide, speed, bridge in (
        (values["quick_m"], values["encounter_m"], values["encounter_kn"], STEP_S),
        (values["close_m"], values["quick_m"], values["quick_kn"], values["bridge_min"] * 60),
    ):
        rings = np.linspace(near, max(near, wide), _RINGS + 1)
        spans = [
            _lasting(followed, float(ring), float(minutes), speed, bridge)
            for ring, minutes in zip(rings, needed_minutes(rings, values), strict=True)
        ]
        found.append(np.concatenate(spans))
    return _joined(followed, one, two, found)


def _smooth(run: Ints, values: Floats) -> Floats:
    """The mean of what is known within a minute and a half around each moment of a run.

    Two that lie side by side seem apart by the error of a radar; its mean is much smaller.
    """
    half = _SMOOTH // 2
    known = np.isfinite(values)
    total = np.concatenate(([0.0], np.cumsum(np.where(known, values, 0.0))))
    count = np.concatenate(([0], np.cumsum(known)))
    n = np.arange(len(values))
    first = np.searchsorted(run, run)
    last = np.searchsorted(run, run, side="right")
    low, high = np.maximum(n - half, first), np.minimum(n + half + 1, last)
    many = count[high] - count[low]
    mean = (total[high] - total[low]) / np.maximum(many, 1)
    return np.where(known & (many > 0), mean, np.nan)


def _speed(run: Ints, lat: Floats, lon: Floats) -> Floats:
    """Speed (kn) at each moment, by the way of the six minutes around it."""
    speed = np.full(len(run), np.nan)
    if len(run) > _LAG:
        way = plane_m(lat[:-_LAG], lon[:-_LAG], lat[_LAG:], lon[_LAG:])
        way[run[:-_LAG] != run[_LAG:]] = np.nan
        speed[_LAG // 2 : -_LAG // 2] = way / (_LAG * FINE_S) * KNOTS_PER_MS
    return speed


def _lasting(
    f: _Followed, reach_m: float, minutes: float, speed_kn: float, bridge_s: float
) -> Ints:
    """Rows (first moment, last moment) of the spans in which a pair stays within reach so long.

    Within them both make less than twice `speed_kn`, and less than it in the median. Breaks up
    to `bridge_s` do not end a span; its ends lie within reach.
    """
    faster = np.fmax(np.nan_to_num(f.speed[0]), np.nan_to_num(f.speed[1]))
    # two that sail in company have not met yet; a moment's error of position is no speed
    k = np.flatnonzero((f.far_m <= reach_m) & (faster < 2 * speed_kn))
    if not len(k):
        return np.empty((0, 2), np.int64)
    new = np.append(True, (np.diff(f.run[k]) != 0) | (np.diff(f.t[k]) > bridge_s + FINE_S))
    first = k[np.flatnonzero(new)]
    last = k[np.append(np.flatnonzero(new)[1:], len(k)) - 1]
    first, last = _outwards(f, first, reach_m, -1), _outwards(f, last, reach_m, 1)
    # a span is known to half a minute at either end
    lasts = f.t[last] - f.t[first] + FINE_S >= minutes * 60
    first, last = first[lasts], last[lasts]
    slow = [
        max(_median(s[a : b + 1]) for s in f.speed) < speed_kn
        for a, b in zip(first, last, strict=True)
    ]
    spans: Ints = np.column_stack((first, last))[np.array(slow, dtype=bool)]
    return spans


def _outwards(f: _Followed, at: Ints, reach_m: float, step: int) -> Ints:
    """The ends of spans where the two are within reach a little longer.

    A mean begins to be small when half of it is: who comes up fast to lie alongside would be
    told to come a minute late, and to leave as much too soon.
    """
    for _ in range(_SMOOTH // 2):
        on = np.clip(at + step, 0, len(f.run) - 1)
        at = np.where((f.run[on] == f.run[at]) & (f.bare_m[on] <= reach_m), on, at)
    return at


def _median(values: Floats) -> float:
    """The upper median of what is known; 0 where nothing is. NumPy's own costs ten times as much
    on so few."""
    known = values[np.isfinite(values)]
    known.sort()
    return float(known[len(known) // 2]) if len(known) else 0.0


def _joined(f: _Followed, one: Ints, two: Ints, found: list[Ints]) -> Meetings:
    """Spans that overlap are one meeting; those of the long rule come first, then the quick's."""
    spans = np.concatenate(found)
    long = np.zeros(len(spans), dtype=np.bool_)
    long[: len(found[0])] = True
    if not len(spans):
        return Meetings.none()
    order = np.argsort(spans[:, 0], kind="stable")
    spans, long = spans[order], long[order]
    reached = np.maximum.accumulate(spans[:, 1])
    # runs follow one another in the moments, so that spans of two runs never overlap
    new = np.append(True, spans[1:, 0] > reached[:-1])
    group = np.cumsum(new) - 1
    first = spans[new, 0]
    last = np.maximum.reduceat(spans[:, 1], np.flatnonzero(new))
    by_rule = np.zeros((2, len(first)), dtype=np.bool_)
    by_rule[0, group[long]] = True
    by_rule[1, group[~long]] = True
    rows = [
        (
            _median(f.lat[a : b + 1]),
            _median(f.lon[a : b + 1]),
            _median(f.far_m[a : b + 1]),
            max(_median(s[a : b + 1]) for s in f.speed),
        )
        for a, b in zip(first, last, strict=True)
    ]
    lat, lon, far, speed = np.array(rows).T
    run = f.run[first]
    return Meetings(
        one[run],
        two[run],
        f.t[first],
        f.t[last],
        lat,
        (lon + 540.0) % 360.0 - 180.0,
        far,
        speed,
        by_rule[0],
        by_rule[1],
    )
