"""Ways of vessels: knots in time between which they go straight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cordon.kernel.geo import bearing_deg, destination, distance_m
from cordon.kernel.units import METRES_PER_NAUTICAL_MILE, MS_PER_KNOT

Floats = NDArray[np.float64]
Point = Sequence[float]
"""[lat, lon] in degrees."""


@dataclass(frozen=True, slots=True)
class Way:
    """Where a vessel is at any time between its first and last knot.

    Attributes:
        t: seconds from the exercise's start, rising. lat, lon: degrees at those times.
    """

    t: Floats
    lat: Floats
    lon: Floats

    def at(self, t: Floats) -> tuple[Floats, Floats]:
        """Positions (degrees) at times (s)."""
        return np.interp(t, self.t, self.lat), np.interp(t, self.t, self.lon)

    def until(self, t: float) -> Way:
        """The part of it up to a time (s), which lies after its first knot."""
        cut = self.t < t
        if cut.all():
            return self
        lat, lon = self.at(np.array([t]))
        return Way(
            np.append(self.t[cut], t), np.append(self.lat[cut], lat), np.append(self.lon[cut], lon)
        )

    def motion(self, t: Floats) -> tuple[Floats, Floats]:
        """Speed (kn) and course (degrees) at times (s), over 20 s around each."""
        before = np.clip(t - 10, self.t[0], self.t[-1])
        after = np.clip(t + 10, self.t[0], self.t[-1])
        (lat1, lon1), (lat2, lon2) = self.at(before), self.at(after)
        seconds = np.maximum(after - before, 1e-6)
        speed = distance_m(lat1, lon1, lat2, lon2) / seconds / MS_PER_KNOT
        return speed, bearing_deg(lat1, lon1, lat2, lon2)

    def time_at_lon(self, lon: float) -> float:
        """First time (s) at which it passes a meridian (degrees)."""
        side = self.lon > lon
        cross = np.flatnonzero(side[1:] != side[:-1])
        if not len(cross):
            return float(self.t[-1])
        i = int(cross[0])
        share = (lon - self.lon[i]) / (self.lon[i + 1] - self.lon[i])
        return float(self.t[i] + share * (self.t[i + 1] - self.t[i]))


class Log:
    """A way being written: go here at this speed, stay there that long."""

    def __init__(self, start_s: float, at: Point) -> None:
        self._t = [start_s]
        self._lat, self._lon = [at[0]], [at[1]]

    @property
    def now(self) -> float:
        return self._t[-1]

    def go(self, to: Point, speed_kn: float) -> None:
        """Sail to a point; long legs get knots of their own, so that straight is a great circle."""
        way = float(distance_m(self._lat[-1], self._lon[-1], to[0], to[1]))
        parts = max(1, int(way / (5 * METRES_PER_NAUTICAL_MILE)))
        lat0, lon0, t0 = self._lat[-1], self._lon[-1], self._t[-1]
        seconds = max(1.0, way / (speed_kn * MS_PER_KNOT))
        for part in range(1, parts + 1):
            share = part / parts
            self._t.append(t0 + seconds * share)
            self._lat.append(lat0 + (to[0] - lat0) * share)
            self._lon.append(lon0 + (to[1] - lon0) * share)

    def stay(self, seconds: float) -> None:
        """Lie still."""
        if seconds > 0:
            self._t.append(self._t[-1] + seconds)
            self._lat.append(self._lat[-1])
            self._lon.append(self._lon[-1])

    def way(self) -> Way:
        return Way(np.array(self._t), np.array(self._lat), np.array(self._lon))


def beside(line: Sequence[Point], offset_nm: float) -> list[tuple[float, float]]:
    """A line moved sideways (positive to the right of its direction), corners kept simply."""
    moved = []
    for i, point in enumerate(line):
        a, b = line[max(0, i - 1)], line[min(len(line) - 1, i + 1)]
        course = float(bearing_deg(a[0], a[1], b[0], b[1]))
        way = abs(offset_nm) * METRES_PER_NAUTICAL_MILE
        side = course + (90 if offset_nm >= 0 else -90)
        moved.append(destination(point[0], point[1], side, way))
    return moved


def near(rng: np.random.Generator, centre: Point, radius_nm: float) -> tuple[float, float]:
    """A point evenly spread over a circle."""
    way = radius_nm * METRES_PER_NAUTICAL_MILE * float(np.sqrt(rng.random()))
    return destination(centre[0], centre[1], float(rng.uniform(0, 360)), way)
