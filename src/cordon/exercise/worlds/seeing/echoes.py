"""A radar's own tracks: hits and misses, tracks that begin, break and come again under new numbers.

The tracker of a surveillance radar as its users see it: it begins a track after some hits in a
row, drops it after some misses in a row, and gives the next one another number. What it reports
is smoothed over its last hits, so that errors of position last for several reports.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from cordon.exercise.worlds.paths import Floats
from cordon.exercise.worlds.seeing.motion import METRES_PER_DEGREE
from cordon.exercise.worlds.seeing.rows import Names, Rows
from cordon.exercise.worlds.seeing.streams import Rng

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
_KEPT = 0.6  # of a report's error that the next one still has: alpha of a usual alpha-beta filter


@dataclass(frozen=True, slots=True)
class Radar:
    """One radar and its tracker.

    Attributes:
        id: as its reports name it. lat, lon: degrees. height_m: of its antenna above the sea, or
            above the ground that it stands on. range_m: beyond it nothing is reported.
        period_s, phase_s: when it reports each track. sigma_m, sigma_deg: errors of a plot in
            range and bearing (1 sigma). confirm: hits in a row that begin a track. drop: misses
            in a row that end one. break_s: seconds after which a good track breaks by chance, on
            average. off: spans (s) in which it is out of order.
    """

    id: str
    lat: float
    lon: float
    height_m: float
    range_m: float
    period_s: float
    phase_s: float
    sigma_m: float
    sigma_deg: float
    confirm: int
    drop: int
    break_s: float
    off: tuple[tuple[float, float], ...] = ()

    def updates(self, start: float, end: float) -> tuple[Ints, Floats]:
        """Numbers and times (s) of its reports in a span."""
        first = int(np.ceil((start - self.phase_s) / self.period_s))
        last = int(np.ceil((end - self.phase_s) / self.period_s))
        number = np.arange(first, last, dtype=np.int64)
        t: Floats = np.asarray(self.phase_s + number * self.period_s, np.float64)
        on = np.ones(len(t), bool)
        for a, b in self.off:
            on &= (t < a) | (t > b)
        return number[on], t[on]

    def away(self, lat: Floats, lon: Floats) -> tuple[Floats, Floats]:
        """Range (m) and bearing (radians) of places from it."""
        north = (lat - self.lat) * METRES_PER_DEGREE
        east = (lon - self.lon) * METRES_PER_DEGREE * np.cos(np.radians((lat + self.lat) / 2))
        return np.hypot(north, east), np.arctan2(east, north)


@dataclass(slots=True)
class Tracker:
    """The tracks of one radar across slices.

    Attributes:
        next: the number of its next track. most: after it the numbers begin again at 1.
        open: of each target that is tracked: code of its subject, number of its last hit. word:
            type of its subjects.
    """

    radar: Radar
    next: int
    most: int = 9999
    word: str = "radar"
    open: dict[int, tuple[int, int]] = field(default_factory=dict)
    _new: list[tuple[float, int]] = field(default_factory=list)

    def follow(
        self, target: int, number: Ints, t: Floats, rng: Rng, *, reports: Bools | None = None
    ) -> tuple[Ints, Ints]:
        """Take the hits on a target within a slice.

        Args:
            target: who it is. number, t: of the updates at which it was hit, rising.
            reports: of these hits, those that are passed on; all where None.

        Returns:
            Indices of the hits that are reported, and the track of each: the code of its subject,
            or a negative one that `numbered` replaces.
        """
        if not len(number):
            return np.empty(0, np.int64), np.empty(0, np.int64)
        radar = self.radar
        gap = np.diff(number, prepend=number[0])
        torn = rng.random(len(number)) < radar.period_s / radar.break_s
        cut = (gap > radar.drop + 1) | torn
        known = self.open.get(target)
        goes_on = known is not None and number[0] - known[1] <= radar.drop + 1 and not bool(torn[0])
        cut[0] = not goes_on
        part = np.cumsum(cut) - (0 if goes_on else 1)
        size = np.bincount(part)
        rank = np.arange(len(part)) - (np.cumsum(size) - size)[part]
        first = 0
        code = np.full(len(size), -1, np.int64)
        if goes_on and known is not None:
            code[0], first = known[0], 1
        told = np.ones(len(part), bool)
        fresh = part >= first
        told[fresh] = (size[part[fresh]] >= radar.confirm) & (rank[fresh] >= radar.confirm - 1)
        if reports is not None:
            told &= reports
        begins = np.cumsum(size) - size
        for p in range(first, len(size)):
            if size[p] >= radar.confirm:
                code[p] = -2 - len(self._new)
                self._new.append((float(t[begins[p]]), target))
        last = int(part[-1])
        if code[last] != -1:
            self.open[target] = (int(code[last]), int(number[-1]))
        else:
            self.open.pop(target, None)
        at = np.flatnonzero(told)
        return at, code[part[at]]

    def numbered(self, names: Names) -> Ints:
        """Number the tracks that began since the last call, in order of time.

        Returns:
            The code of each: what stands as -2 - i is the i-th.
        """
        codes = np.zeros(len(self._new), np.int64)
        for i in sorted(range(len(self._new)), key=lambda i: self._new[i]):
            codes[i] = names.code(f"{self.word}:{self.radar.id}/{self.next}")
            self.next = self.next % self.most + 1
        for target, (code, hit) in self.open.items():
            if code < -1:
                self.open[target] = (int(codes[-2 - code]), hit)
        self._new.clear()
        return codes


def plotted(
    radar: Radar, where: tuple[Floats, Floats, Floats, Floats], rng: Rng
) -> tuple[Floats, Floats, Floats, Floats]:
    """Where and how a radar says that hits on one target are.

    Args:
        where: latitude, longitude (degrees), speed (kn), course (degrees) at the hits, by time:
            the truth.

    Returns:
        Latitude, longitude, speed, course as told.
    """
    lat, lon, speed, course = where
    away, bearing = radar.away(lat, lon)
    fresh = np.sqrt(1 - _KEPT**2)
    noise = rng.standard_normal((4, len(lat)))
    err = lfilter([fresh], [1.0, -_KEPT], noise, axis=1) if len(lat) else noise
    away = away + err[0] * radar.sigma_m
    bearing = bearing + err[1] * np.radians(radar.sigma_deg)
    north, east = away * np.cos(bearing), away * np.sin(bearing)
    lat2 = radar.lat + north / METRES_PER_DEGREE
    lon2 = radar.lon + east / METRES_PER_DEGREE / np.cos(np.radians((lat2 + radar.lat) / 2))
    # an error of position that lasts some updates is an error of speed too
    off = (radar.sigma_m + away * np.radians(radar.sigma_deg)) / (3.0 * radar.period_s) / 0.514
    off = np.minimum(off, 0.8)
    vn = speed * np.cos(np.radians(course)) + err[2] * off
    ve = speed * np.sin(np.radians(course)) + err[3] * off
    return lat2, lon2, np.hypot(vn, ve), np.degrees(np.arctan2(ve, vn)) % 360.0


def renamed(rows: Rows, codes: Ints) -> Rows:
    """Rows with the subjects that `Tracker.numbered` has given."""
    subject = np.asarray(rows.subject, np.int64)
    fresh = subject < -1
    if not fresh.any():
        return rows
    made = subject.copy()
    made[fresh] = codes[-2 - subject[fresh]]
    return rows.with_(subject=made)
