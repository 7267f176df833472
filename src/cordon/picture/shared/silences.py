"""Times in which a craft that carries a transponder was not heard, and what is usual for it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cordon.kernel.geo import bearing_deg, distance_m
from cordon.kernel.units import knots
from cordon.picture.shared.crafts import crafts_of
from cordon.picture.shared.samples import Paths, paths_of
from cordon.picture.tracks import Bools, Floats, Ints, Tracks

_LATE_S = (600.0, 1200.0)  # the last minutes before a silence, whichever are the better …
_EARLY_S = 3600.0  # … against the hour before them
_BESIDE = 10  # intervals on either side that tell what is usual there
_BACK = 64  # fixes that are looked back over for a craft's motion
_MEASURED = ("radar", "track", "camera", "sensor", "drone", "unit")


def carriers_of(tracks: Tracks) -> Bools:
    """Subjects that tell their place themselves, by a transponder, and that are at sea.

    What a radar follows may be lost without falling silent; our own units are known.
    """

    def carriers() -> Bools:
        measured = np.array(
            [s.partition(":")[0] in _MEASURED for s in tracks.subjects], dtype=np.bool_
        )
        return np.asarray(crafts_of(tracks).sea & ~measured)

    return tracks.once(("silences", "carriers"), carriers)


@dataclass(frozen=True, slots=True)
class Silences:
    """Silences of carriers, arrays of one length (but `every_…`, see there).

    Attributes:
        subject: index. last: the fix before, as a place in the paths. begin, end: s. open: it
            still lasts as the data end. lat, lon, lat1, lon1: where it was before and after; the
            same place where open. reports: how many of the subject there are. median, usual: of
            its other intervals (s), and how long these may get, their 95th percentile. rate:
            reports a second in the hour and twenty minutes before. late_rate, early_rate: in the
            last ten or twenty minutes, whichever is more, and in the hour before them.
        every_subject, every_begin, every_end: all of anybody, at least half as long.
    """

    paths: Paths
    subject: Ints
    last: Ints
    begin: Floats
    end: Floats
    open: Bools
    lat: Floats
    lon: Floats
    lat1: Floats
    lon1: Floats
    reports: Ints
    median: Floats
    usual: Floats
    rate: Floats
    late_rate: Floats
    early_rate: Floats
    every_subject: Ints
    every_begin: Floats
    every_end: Floats

    def __len__(self) -> int:
        return len(self.subject)

    @property
    def length(self) -> Floats:
        """How long each lasts (s)."""
        return self.end - self.begin

    def fixes(self, n: int, count: int) -> tuple[Ints, Ints]:
        """The last fixes before silence n and the first after it, as indices in the tracks."""
        i, k = int(self.subject[n]), int(self.last[n])
        low, high = int(self.paths.starts[i]), int(self.paths.starts[i + 1])
        before = self.paths.fix[max(low, k - count + 1) : k + 1]
        after = self.paths.fix[k + 1 : min(high, k + 1 + count)]
        return before, after

    def motion(self, tracks: Tracks, n: int) -> tuple[float, float]:
        """Speed (kn) and course (deg) as it fell silent: as reported, else derived."""
        before, _ = self.fixes(n, _BACK)
        return motion(tracks, before)

    def beside(self, n: int) -> float:
        """The third quarter (s) of the intervals on either side of a silence: towards the edge of
        a receiver's reach they grow; 0 where there are none."""
        i, k = int(self.subject[n]), int(self.last[n])
        low, high = int(self.paths.starts[i]), int(self.paths.starts[i + 1])
        before = np.diff(self.paths.t[max(low, k - _BESIDE) : k + 1])
        after = np.diff(self.paths.t[k + 1 : min(high, k + 1 + _BESIDE)])
        around = np.sort(np.concatenate((before, after)))
        return float(around[(3 * len(around)) // 4]) if len(around) else 0.0


def motion(tracks: Tracks, fixes: Ints) -> tuple[float, float]:
    """Speed (kn) and course (deg) at the last of some fixes: as reported, else derived.

    The fixes may run back in time, for the motion with which a craft came.
    """
    k = int(fixes[-1])
    speed, course = float(tracks.speed[k]), float(tracks.course[k])
    if np.isfinite(speed) and (np.isfinite(course) or speed < 0.5):
        return speed, course
    # over at least five minutes, so that the position error does not make the speed
    dt = np.abs(tracks.t[fixes] - tracks.t[k])
    far = np.flatnonzero(dt >= 300)
    j = int(fixes[far[-1]]) if len(far) else int(fixes[0])
    if j == k:
        return (speed if np.isfinite(speed) else 0.0), course
    way = float(distance_m(tracks.lat[j], tracks.lon[j], tracks.lat[k], tracks.lon[k]))
    first, last = (j, k) if tracks.t[j] <= tracks.t[k] else (k, j)
    made = float(
        bearing_deg(tracks.lat[first], tracks.lon[first], tracks.lat[last], tracks.lon[last])
    )
    derived = knots(way, abs(float(tracks.t[k] - tracks.t[j])))
    return (speed if np.isfinite(speed) else derived), (course if np.isfinite(course) else made)


def silences_of(tracks: Tracks, until: float, least_s: float) -> Silences:
    """Silences of at least `least_s`; those that still last count up to `until` (s)."""
    paths, who = paths_of(tracks), carriers_of(tracks)
    mine = who[paths.subject]
    step = np.append(np.diff(paths.t), 0.0)
    inner = np.append(np.diff(paths.subject) == 0, False) & mine
    ends = np.zeros(len(paths.t), dtype=np.bool_)
    final = paths.starts[1:][np.diff(paths.starts) > 0] - 1
    ends[final] = mine[final]
    step[ends] = until - paths.t[ends]
    every = np.flatnonzero((inner | ends) & (step >= least_s / 2))
    some = every[step[every] >= least_s]
    subject, still = paths.subject[some], ends[some]
    after = np.where(still, some, np.minimum(some + 1, len(paths.t) - 1))
    median, usual = _usual(paths, inner, step, some, still)
    begin = paths.t[some]
    low = paths.starts[subject]
    late, early = (
        np.maximum(paths.after(subject, begin - ago), low)
        for ago in (_LATE_S[1], _LATE_S[1] + _EARLY_S)
    )
    last = np.maximum(paths.after(subject, begin - _LATE_S[0]), low)
    # a craft that came into hearing less than an hour ago was heard for so long
    heard = np.maximum(begin - paths.t[early], _LATE_S[1])
    before = np.maximum(heard - _LATE_S[1], _LATE_S[1])
    return Silences(
        paths,
        subject,
        some,
        begin,
        begin + step[some],
        still,
        paths.lat[some],
        paths.lon[some],
        paths.lat[after],
        paths.lon[after],
        np.diff(paths.starts)[subject],
        median,
        usual,
        (some - early + 1) / heard,
        np.maximum((some - last + 1) / _LATE_S[0], (some - late + 1) / _LATE_S[1]),
        (late - early) / before,
        paths.subject[every],
        paths.t[every],
        paths.t[every] + step[every],
    )


def _usual(
    paths: Paths, inner: Bools, step: Floats, some: Ints, still: Bools
) -> tuple[Floats, Floats]:
    """What is usual (s) of the other intervals of each silence's craft; see Silences.usual."""
    from cordon.picture.shared import pathkernel as kernel

    half, most = kernel.usual_steps(
        step, inner, paths.starts, some, paths.subject[some], still, 0.5, 0.95
    )
    return half, most
