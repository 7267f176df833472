"""Voyages: a log that knows the chart, the current, and how boats fish."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cordon.exercise.worlds.paths import Log, Point, Way, near
from cordon.exercise.worlds.sea.chart import Chart, Place
from cordon.exercise.worlds.sea.weather import Weather
from cordon.exercise.worlds.seeing.motion import METRES_PER_DEGREE
from cordon.exercise.worlds.seeing.streams import Rng
from cordon.kernel.geo import bearing_deg, destination, distance_m
from cordon.kernel.units import METRES_PER_NAUTICAL_MILE

HOUR = 3600.0
_SWELL_S = 900.0  # between two knots of a drifting craft


class Voyage(Log):
    """A way being written over the water; it keeps its states for the set to tell.

    Attributes:
        states: (start, end, navigational status) as the crew should set them.
    """

    def __init__(self, start_s: float, at: Point, chart: Chart, weather: Weather, rng: Rng) -> None:
        super().__init__(start_s, at)
        self.chart, self.weather, self.rng = chart, weather, rng
        self.states: list[tuple[float, float, int]] = []

    @property
    def here(self) -> tuple[float, float]:
        return self._lat[-1], self._lon[-1]

    def sail(self, to: Point, speed_kn: float, *, uneven: float = 0.05) -> None:
        """Go over the water to a place, round what lies between."""
        for place in self.chart.route(self.here, to):
            self.go(place, speed_kn * float(self.rng.uniform(1 - uneven, 1 + uneven)))

    def follow(self, line: Sequence[Point], speed_kn: float, *, uneven: float = 0.05) -> None:
        """Go straight from point to point."""
        for place in line:
            self.go(place, speed_kn * float(self.rng.uniform(1 - uneven, 1 + uneven)))

    def lie(self, seconds: float, status: int) -> None:
        """Stay, at anchor (1) or moored (5)."""
        if seconds > 0:
            self.states.append((self.now, self.now + seconds, status))
            self.stay(seconds)

    def drift(self, seconds: float, *, status: int = 0, windage: float = 1.0) -> None:
        """Go where current and wind take it; ashore it cannot."""
        end = self.now + seconds
        if status:
            self.states.append((self.now, end, status))
        while self.now < end - 1:
            dt = min(_SWELL_S, end - self.now)
            north, east = self.weather.drift(self.now, windage)
            north += float(self.rng.normal(0, 0.04))
            east += float(self.rng.normal(0, 0.04))
            lat = self._lat[-1] + north * dt / METRES_PER_DEGREE
            lon = self._lon[-1] + east * dt / METRES_PER_DEGREE / float(
                np.cos(np.radians(self._lat[-1]))
            )
            if not self.chart.at_sea((lat, lon), off_deg=0.01):
                lat, lon = self.here
            self.put(dt, lat, lon)

    def trawl(self, ground: Place, until: float) -> None:
        """Tow a net to and fro over a ground, haul it, and tow again."""
        start = self.now
        heading = float(self.rng.uniform(0, 360))
        while self.now < until:
            speed = float(self.rng.uniform(2.4, 3.8))
            tow_end = min(until, self.now + float(self.rng.uniform(1.8, 4.2)) * HOUR)
            while self.now < tow_end:
                # a tow goes on for miles and turns at the edge of the ground
                leg = float(self.rng.uniform(0.8, 2.5)) * METRES_PER_NAUTICAL_MILE
                to = destination(*self.here, heading, leg)
                if not self._inside(ground, to):
                    heading = float(bearing_deg(*self.here, *ground.at)) + float(
                        self.rng.normal(0, 40)
                    )
                    to = destination(*self.here, heading, leg)
                self.go(to, speed)
                heading += float(self.rng.normal(0, 14))
            # haul: nearly still for a quarter of an hour and more
            self.drift(float(self.rng.uniform(0.2, 0.6)) * HOUR, windage=1.2)
        self.states.append((start, self.now, 7))

    def set_net(self, ground: Place, until: float) -> None:
        """Shoot a drift net, lie beside it for hours, haul it at a crawl, and move on."""
        start = self.now
        while self.now < until:
            heading = float(self.rng.uniform(0, 360))
            self.go(destination(*self.here, heading, float(self.rng.uniform(1500, 4500))), 4.5)
            self.drift(float(self.rng.uniform(3.0, 8.0)) * HOUR, windage=0.8)
            back = destination(*self.here, heading + 180, float(self.rng.uniform(1200, 4000)))
            if self._inside(ground, back):
                self.go(back, float(self.rng.uniform(0.8, 1.7)))
            self.go(self.chart.within(ground, self.rng), float(self.rng.uniform(6, 8)))
        self.states.append((start, self.now, 7))

    def beside(self, other: Way, until: float, metres: float, *, side_deg: float = 90.0) -> None:
        """Keep station on another craft from now on, some metres from it."""
        t = np.arange(self.now + 30.0, until, 60.0)
        if not len(t):
            return
        lat, lon = other.at(t)
        ahead = other.at(t + 60.0)
        course = bearing_deg(lat, lon, *ahead)
        still = distance_m(lat, lon, *ahead) < 3.0
        course = np.where(still, 0.0, course)
        for at, la, lo, co in zip(t.tolist(), lat, lon, course, strict=True):
            # two hulls beside one another are never quite still
            off = metres * float(self.rng.uniform(0.85, 1.15))
            place = destination(float(la), float(lo), float(co) + side_deg, off)
            self.put(at - self.now, *place)

    def _inside(self, ground: Place, place: Point) -> bool:
        far = float(distance_m(*ground.at, *place)) / METRES_PER_NAUTICAL_MILE
        return far < ground.radius_nm * 1.1 and self.chart.at_sea(place, off_deg=0.01)

    def put(self, seconds: float, lat: float, lon: float) -> None:
        """Be at a place after so many seconds."""
        self._t.append(self._t[-1] + max(seconds, 0.5))
        self._lat.append(lat)
        self._lon.append(lon)


def berth(port: Place, chart: Chart, rng: Rng) -> tuple[float, float]:
    """A place to lie in a port: at its quays, which may lie within the land of a coarse chart."""
    return near(rng, port.at, port.radius_nm * 0.55)
