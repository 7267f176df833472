"""How a craft really moves between the knots of its way: corners rounded, course not quite kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import uniform_filter1d

from cordon.exercise.worlds.paths import Floats, Way
from cordon.kernel.units import MS_PER_KNOT

METRES_PER_DEGREE = 111_195.0  # of latitude, on the sphere of kernel/geo.py
_PERIODS_S = (170.0, 410.0, 1130.0, 3500.0)  # of what wind, waves and helmsmen do to a course


@dataclass(frozen=True, slots=True)
class Motion:
    """A craft's motion on an even grid.

    Attributes:
        t: s from the start. lat, lon: degrees. north, east: m/s over ground.
    """

    t: Floats
    lat: Floats
    lon: Floats
    north: Floats
    east: Floats

    @property
    def speed(self) -> Floats:
        """Speed over ground (kn)."""
        return np.hypot(self.north, self.east) / MS_PER_KNOT

    @property
    def course(self) -> Floats:
        """Course over ground (degrees)."""
        return np.degrees(np.arctan2(self.east, self.north)) % 360.0

    def turning(self) -> Floats:
        """How fast the course changes (degrees a second), over a minute."""
        step = max(1, round(60.0 / self.step))
        course = np.arctan2(self.east, self.north)
        ahead, behind = np.roll(course, -step), course
        turn = np.abs((ahead - behind + np.pi) % (2 * np.pi) - np.pi)
        turn[-step:] = 0.0
        return np.degrees(turn) / (step * self.step)

    @property
    def step(self) -> float:
        """Seconds between two points of the grid."""
        return float(self.t[1] - self.t[0])

    def at(self, t: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """Latitude, longitude (degrees), speed (kn), course (degrees) at times within the grid."""
        lat, lon = np.interp(t, self.t, self.lat), np.interp(t, self.t, self.lon)
        north, east = np.interp(t, self.t, self.north), np.interp(t, self.t, self.east)
        return (
            lat,
            lon,
            np.hypot(north, east) / MS_PER_KNOT,
            np.degrees(np.arctan2(east, north)) % 360,
        )


@dataclass(frozen=True, slots=True)
class Handling:
    """How a craft handles.

    Attributes:
        round_s: over how long it turns or changes speed. wander_m: how far it strays from its
            course under way. swing_m: radius of its swing where it lies. phase: its own (0 to 1).
        step_s: seconds between two points of its grid.
    """

    round_s: float = 60.0
    wander_m: float = 20.0
    swing_m: float = 0.0
    phase: float = 0.0
    step_s: float = 10.0


def motion(
    way: Way,
    handling: Handling,
    start: float,
    end: float,
    tied: Sequence[tuple[float, float]] = (),
) -> Motion | None:
    """The motion from `start` to `end` (s), as far as the way goes; None where it does not.

    The same moment gives the same place whatever the span, to a few metres.

    Args:
        tied: spans (s) in which it is made fast and does not swing.
    """
    first, last = max(start, float(way.t[0])), min(end, float(way.t[-1]))
    if last - first < handling.step_s:
        return None
    step = handling.step_s
    pad = 3 * max(handling.round_s, step)
    # on multiples of the step, so that two spans that meet agree where they do
    low, high = np.floor((first - pad) / step), np.ceil((last + pad) / step)
    t = np.arange(low, high + 1) * step
    lat, lon = way.at(t)
    width = max(1, round(handling.round_s / step))
    for _ in range(2):
        if width > 1:
            lat, lon = (uniform_filter1d(v, width, mode="nearest") for v in (lat, lon))
    shrink = np.cos(np.radians(lat))
    north = np.gradient(lat, step) * METRES_PER_DEGREE
    east = np.gradient(lon, step) * METRES_PER_DEGREE * shrink
    speed = np.hypot(north, east)
    moving = np.clip(speed / 2.0, 0.0, 1.0)  # all of it from 4 kn up
    if handling.wander_m:
        aside = _waves(t, handling.phase) * handling.wander_m * moving
        along = np.where(speed > 0.05, speed, 1.0)
        lat = lat - aside * east / along / METRES_PER_DEGREE
        lon = lon + aside * north / along / METRES_PER_DEGREE / shrink
    if handling.swing_m:
        angle = 2 * np.pi * handling.phase + _swing(t)
        free = (speed < 0.05).astype(float)
        for begins, ends in tied:
            free[(t > begins) & (t < ends)] = 0.0
        lies = uniform_filter1d(free, max(3, width), mode="nearest")
        lat = lat + handling.swing_m * np.cos(angle) * lies / METRES_PER_DEGREE
        lon = lon + handling.swing_m * np.sin(angle) * lies / METRES_PER_DEGREE / shrink
    if handling.wander_m or handling.swing_m:
        north = np.gradient(lat, step) * METRES_PER_DEGREE
        east = np.gradient(lon, step) * METRES_PER_DEGREE * shrink
    return Motion(t, lat, lon, north, east)


def _waves(t: Floats, phase: float) -> Floats:
    """A slow wandering between about -1 and 1, the same at the same moment."""
    total = np.zeros(len(t))
    for i, period in enumerate(_PERIODS_S):
        total += np.sin(2 * np.pi * (t / (period * (0.8 + 0.4 * phase)) + phase * (i + 3.7)))
    return total / 2.0


def _swing(t: Floats) -> Floats:
    """Where wind and tide lay all ships at anchor (radians): to and fro twice a day."""
    tide = 2 * np.pi * t / 44_714.0  # M2, the principal lunar constituent: 12.42 h
    return np.asarray(
        1.4 * np.sin(tide) + 0.5 * np.sin(2.9 * tide + 1.0) + 0.15 * np.sin(31 * tide)
    )
