"""Coastal radars: what they see without AIS, what they join with it, and what is nothing."""

# mypy: disable-error-code="no-untyped-call"
# Shapely has no types of its own.
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from cordon.exercise.worlds.paths import Floats, near
from cordon.exercise.worlds.sea.chart import Chart
from cordon.exercise.worlds.sea.craft import Craft
from cordon.exercise.worlds.sea.ears import spans
from cordon.exercise.worlds.sea.weather import Weather
from cordon.exercise.worlds.seeing.echoes import Bools, Radar, Tracker, plotted, renamed
from cordon.exercise.worlds.seeing.motion import METRES_PER_DEGREE, Motion
from cordon.exercise.worlds.seeing.rows import Names, Rows
from cordon.exercise.worlds.seeing.streams import Rng, Streams, between
from cordon.kernel.units import METRES_PER_NAUTICAL_MILE, MS_PER_KNOT

Data = dict[str, Any]
_HORIZON = 2.23 * METRES_PER_NAUTICAL_MILE  # m for the root of each height (m): IALA G1111
_EDGE = 0.06  # of the reach, over which hits become rare
_FRESH_S = 400.0  # so long a radar's track stays with the AIS that was heard last
_VESSEL = 1


@dataclass(frozen=True, slots=True)
class Scope:
    """One radar with its reach (m) and horizon (m) by size of target."""

    radar: Radar
    reach_m: dict[str, float]
    horizon_m: dict[str, float]


class Radars:
    """The radars of a world.

    Args:
        data: the part `radar` of its YAML. span: s of the exercise.
    """

    def __init__(
        self,
        data: Data,
        streams: Streams,
        span: float,
        chart: Chart,
        weather: Weather,
        sources: Names,
    ) -> None:
        rng = streams.of("radars")
        self._chart, self._weather, self._sources = chart, weather, sources
        self._hit = between(rng, data["hit"])
        self._latency = float(data["latency_s"][0]), float(data["latency_s"][1])
        self._clutter = between(rng, data["clutter_a_hour"])
        self._streams = streams
        outages = spans(between(rng, data["outage"]["a_day"]), data["outage"]["hours"], rng, span)
        broken = rng.integers(0, len(data["stations"]), len(outages))
        self.scopes = [
            _scope(one, data, rng, tuple(s for s, b in zip(outages, broken, strict=True) if b == i))
            for i, one in enumerate(data["stations"])
        ]
        self._buoys = [
            (i, near(rng, (s.radar.lat, s.radar.lon), 9.0))
            for i, s in enumerate(self.scopes)
            for _ in range(int(rng.integers(data["buoys"][0], data["buoys"][1] + 1)))
        ]
        self._ports = np.array([(p.lat, p.lon, p.radius_nm) for p in chart.of_kind("port")])

    def trackers(self, streams: Streams | None = None) -> list[Tracker]:
        """A tracker for each radar, with tracks numbered from somewhere on."""
        made = []
        for i, scope in enumerate(self.scopes):
            first = int((streams or self._streams).of("track numbers", i).integers(1, 9000))
            made.append(Tracker(scope.radar, first))
        return made

    def see(
        self,
        craft: Craft,
        motion: Motion,
        start: float,
        end: float,
        heard: Floats,
        trackers: list[Tracker],
        rng: Rng,
    ) -> list[Rows]:
        """What each radar reports of a craft; subjects may be those of tracks not yet numbered.

        Args:
            heard: true times (s, rising) at which its AIS or its own tracker was received.
        """
        made = []
        for i in range(len(self.scopes)):
            rows = self._seen_by(i, craft, motion, (start, end), heard, trackers[i], rng)
            made.append(rows if rows is not None else _NONE)
        return made

    def _seen_by(
        self,
        i: int,
        craft: Craft,
        motion: Motion,
        span: tuple[float, float],
        heard: Floats,
        tracker: Tracker,
        rng: Rng,
    ) -> Rows | None:
        scope = self.scopes[i]
        far = min(scope.reach_m[craft.size] * 1.25, scope.horizon_m[craft.size] * 1.4)
        away, _ = scope.radar.away(motion.lat[::6], motion.lon[::6])
        if away.min() > far + 2000.0:
            return None
        number, t = scope.radar.updates(
            max(span[0], motion.t[0]), min(span[1], float(motion.t[-1]))
        )
        if not len(t):
            return None
        lat, lon, speed, course = motion.at(t)
        hit = rng.random(len(t)) < self._chance(scope, craft, t, lat, lon)
        at = np.flatnonzero(hit)
        if not len(at):
            return None
        told, code = tracker.follow(
            craft.serial, number[at], t[at], rng, reports=self._unpaired(craft, t[at], heard)
        )
        if not len(told):
            return None
        lat2, lon2, speed2, course2 = plotted(
            scope.radar, (lat[at], lon[at], speed[at], course[at]), rng
        )
        return Rows.of(
            np.rint(t[at][told]),
            arrive=t[at][told] + rng.uniform(*self._latency, len(told)),
            source=self._sources.code(scope.radar.id),
            subject=code,
            lat=lat2[told],
            lon=lon2[told],
            speed=speed2[told],
            course=course2[told],
            accuracy=round(scope.radar.sigma_m * 3),
            kind=_VESSEL,
            who=craft.serial,
        )

    def _chance(self, scope: Scope, craft: Craft, t: Floats, lat: Floats, lon: Floats) -> Floats:
        away, _ = scope.radar.away(lat, lon)
        wind = self._weather.wind_kn(t)
        small = craft.size in ("boat", "skiff")
        sea = 1 - (0.02 if small else 0.005) * np.maximum(0.0, wind - 8.0)
        over = scope.horizon_m[craft.size] * (1 + 0.5 * (self._weather.reach(t) - 1))
        reach = np.minimum(scope.reach_m[craft.size] * sea, over)
        chance = self._hit / (1 + np.exp(np.clip((away / reach - 1) / _EDGE, -40, 40)))
        close = np.exp(-away / (1.6 * METRES_PER_NAUTICAL_MILE)) * np.clip(wind / 25.0, 0, 0.6)
        chance = chance * (1 - close * (1.0 if small else 0.3))
        for start, end, factor in craft.dim:
            chance = np.where((t >= start) & (t < end), chance * factor, chance)
        # harbours and the land behind the shore are masked in the radar itself
        chance[shapely.contains_xy(self._chart.land, lon, lat)] = 0.0
        for plat, plon, nm in self._ports:
            north = (lat - plat) * METRES_PER_DEGREE
            east = (lon - plon) * METRES_PER_DEGREE * 0.91
            chance[np.hypot(north, east) < nm * METRES_PER_NAUTICAL_MILE] = 0.0
        return np.asarray(chance)

    @staticmethod
    def _unpaired(craft: Craft, t: Floats, heard: Floats) -> Bools | None:
        """Hits that are passed on: those that are not put together with what was heard of it."""
        if craft.leak or not len(heard):
            return None
        last = np.searchsorted(heard, t, side="right") - 1
        recent = (last >= 0) & (t - heard[np.maximum(last, 0)] < _FRESH_S)
        for lie in craft.set.lies if craft.set else ():
            recent &= ~((t >= lie.start) & (t < lie.end))  # what is told is elsewhere
        return ~recent

    def nothing(self, start: float, end: float, slice_: int, trackers: list[Tracker]) -> list[Rows]:
        """Tracks of what is no craft: sea clutter and birds, and buoys that lie there for years."""
        made = []
        for i, scope in enumerate(self.scopes):
            rng = self._streams.of("clutter", i, slice_)
            parts = self._clutter_of(i, scope, start, end, slice_, trackers[i], rng)
            for n, (owner, place) in enumerate(self._buoys):
                if owner == i and self._chart.at_sea(place):
                    number, t = scope.radar.updates(start, end)
                    hit = rng.random(len(t)) < 0.8
                    lat, lon = np.full(len(t), place[0]), np.full(len(t), place[1])
                    rows = self._still(scope, trackers[i], -2 - n, number, t, hit, lat, lon, rng)
                    parts.append(rows)
            made.append(Rows.joined(parts))
        return made

    def _clutter_of(
        self,
        i: int,
        scope: Scope,
        start: float,
        end: float,
        slice_: int,
        tracker: Tracker,
        rng: Rng,
    ) -> list[Rows]:
        hours = (end - start) / 3600.0
        wind = float(self._weather.wind_kn((start + end) / 2))
        number, t = scope.radar.updates(start, end)
        parts: list[Rows] = []
        if not len(t):
            return parts
        for n in range(int(rng.poisson(self._clutter * hours * (wind / 10.0) ** 1.5))):
            lat0, lon0 = near(rng, (scope.radar.lat, scope.radar.lon), 9.0)
            if not self._chart.at_sea((lat0, lon0)):
                continue
            first = int(rng.integers(len(t)))
            last = min(len(t), first + int(rng.integers(3, 14)))
            some = slice(first, last)
            bird = rng.random() < 0.3
            speed = between(rng, [14, 26]) if bird else between(rng, [0.5, 9.0])
            course = np.radians(between(rng, [0, 360]) + np.cumsum(rng.normal(0, 15, last - first)))
            dt = t[some] - t[first]
            lat = lat0 + speed * MS_PER_KNOT * np.cos(course) * dt / METRES_PER_DEGREE
            lon = lon0 + speed * MS_PER_KNOT * np.sin(course) * dt / METRES_PER_DEGREE / 0.91
            hit = rng.random(last - first) < 0.75
            who = -1000 - 10_000 * slice_ - n
            parts.append(
                self._still(scope, tracker, who, number[some], t[some], hit, lat, lon, rng, speed)
            )
        return parts

    def _still(
        self,
        scope: Scope,
        tracker: Tracker,
        who: int,
        number: Any,
        t: Floats,
        hit: Bools,
        lat: Floats,
        lon: Floats,
        rng: Rng,
        speed: float = 0.0,
    ) -> Rows:
        at = np.flatnonzero(hit)
        told, code = tracker.follow(who, number[at], t[at], rng)
        flat = np.full(len(at), speed)
        course = rng.uniform(0, 360, len(at))
        lat2, lon2, speed2, course2 = plotted(scope.radar, (lat[at], lon[at], flat, course), rng)
        return Rows.of(
            np.rint(t[at][told]),
            arrive=t[at][told] + rng.uniform(*self._latency, len(told)),
            source=self._sources.code(scope.radar.id),
            subject=code,
            lat=lat2[told],
            lon=lon2[told],
            speed=speed2[told],
            course=course2[told],
            accuracy=round(scope.radar.sigma_m * 3),
            kind=_VESSEL,
        )


_NONE = Rows.joined([])


def numbered(parts: list[list[Rows]], trackers: list[Tracker], subjects: Names) -> Rows:
    """Everything that the radars report in a slice, its new tracks numbered.

    Args:
        parts: of each radar, its rows.
    """
    made = []
    for rows, tracker in zip(parts, trackers, strict=True):
        codes = tracker.numbered(subjects)
        made.append(renamed(Rows.joined(rows), codes))
    return Rows.joined(made)


def _scope(one: Data, data: Data, rng: Rng, off: tuple[tuple[float, float], ...]) -> Scope:
    height = between(rng, one["height_m"])
    reach = {
        size: between(rng, nm) * METRES_PER_NAUTICAL_MILE for size, nm in data["reach_nm"].items()
    }
    horizon = {
        size: _HORIZON * (np.sqrt(height) + np.sqrt(top)) for size, top in data["top_m"].items()
    }
    period = between(rng, data["period_s"])
    radar = Radar(
        one["id"],
        one["lat"],
        one["lon"],
        height,
        max(reach.values()),
        period,
        between(rng, [0, period]),
        between(rng, data["sigma_m"]),
        between(rng, data["sigma_deg"]),
        int(rng.integers(data["confirm"][0], data["confirm"][1] + 1)),
        int(rng.integers(data["drop"][0], data["drop"][1] + 1)),
        between(rng, data["break_s"]),
        off,
    )
    return Scope(radar, reach, horizon)
