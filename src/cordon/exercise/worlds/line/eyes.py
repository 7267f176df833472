"""What ground radars, cameras, own drones and drone detectors see of who moves."""

from __future__ import annotations

from typing import Any

import numpy as np

from cordon.exercise.worlds.line.ground import Ground, Spot
from cordon.exercise.worlds.line.masts import AROUND, STEP_M, Eye, Masts, Off
from cordon.exercise.worlds.line.mover import Mover
from cordon.exercise.worlds.paths import Floats, Way
from cordon.exercise.worlds.seeing.echoes import Tracker, plotted
from cordon.exercise.worlds.seeing.motion import Motion
from cordon.exercise.worlds.seeing.rows import KINDS, Names, Rows
from cordon.exercise.worlds.seeing.streams import Rng, Streams, between
from cordon.kernel.units import MS_PER_KNOT

Data = dict[str, Any]
_EDGE = 0.07
_FRESH_S = 240.0
_KIND_OF = {
    "person": "person",
    "party": "person",
    "flock": "unknown",
    "animal": "unknown",
    "train": "unknown",
    "vehicle": "vehicle",
    "truck": "vehicle",
    "drone": "aircraft",
}


class Eyes:
    """Everything of a world that looks.

    Args:
        data: the whole YAML. span: s. off: where and when all is cut off. flights: names and
            ways of own drones.
    """

    def __init__(
        self,
        data: Data,
        streams: Streams,
        span: float,
        ground: Ground,
        sources: Names,
        off: Off,
        flights: list[tuple[str, Way]],
    ) -> None:
        weather, faults, data = data["weather"], data["faults"], data["eyes"]
        self.ground, self._sources, self._streams = ground, sources, streams
        self._latency = float(data["latency_s"][0]), float(data["latency_s"][1])
        self._nothing = between(streams.of("eyes nothing"), data["radars"]["nothing_a_hour"])
        masts = Masts(streams, ground)
        masts.stand("radar", "radar", "GR", data["radars"], span, off)
        masts.stand("camera", "track", "CAM", data["cameras"], span, off)
        masts.listen(data["drone_ears"], off)
        for name, way in flights:
            masts.fly(name, way, data["uav"])
        self.all = masts.all
        rng = streams.of("dust")
        self._dust = _spells(weather["dust_a_day"], weather["dust_hours"], rng, span)
        self._dust_left = between(rng, weather["left"])
        # links that fail for a time: what was seen comes in afterwards
        rng = streams.of("links")
        late = _spells(between(rng, faults["late_a_day"]), faults["late_hours"], rng, span)
        self._late = [(int(rng.integers(len(self.all))), start, end) for start, end in late]

    def trackers(self) -> list[Tracker]:
        """A tracker for each, with tracks numbered from somewhere on."""
        return [
            Tracker(
                eye.radar,
                int(self._streams.of("track numbers", i).integers(1, 900)),
                most=9999,
                word=eye.word,
            )
            for i, eye in enumerate(self.all)
        ]

    def in_sight(self, spot: Spot, kinds: tuple[str, ...], size: str) -> bool:
        """Whether one of some kinds can see a spot, well within its reach."""
        for eye in self.all:
            if eye.kind in kinds and eye.way is None and size in eye.reach_m:
                east, north = spot[0] - eye.spot[0], spot[1] - eye.spot[1]
                away = float(np.hypot(east, north))
                if away > 0.85 * eye.reach_m[size]:
                    continue
                if not eye.seen:
                    return True
                ray = round(np.arctan2(east, north) / (2 * np.pi) * AROUND) % AROUND
                step = int(away / STEP_M)
                view = eye.seen[1 if size in ("vehicle", "truck") else 0]
                if step < view.shape[1] and view[ray, step]:
                    return True
        return False

    def see(
        self,
        mover: Mover,
        moves: Motion,
        span: tuple[float, float],
        heard: Floats,
        trackers: list[Tracker],
        rng: Rng,
    ) -> list[tuple[int, Rows]]:
        """What each reports of a mover in a slice; subjects may be of tracks not yet numbered.

        Args:
            heard: times (s, rising) at which its own tracker was received.
        """
        made = []
        for i, eye in enumerate(self.all):
            rows = self._seen_by(i, eye, mover, moves, span, heard, trackers[i], rng)
            if rows is not None and len(rows):
                made.append((i, rows))
        return made

    def _seen_by(
        self,
        i: int,
        eye: Eye,
        mover: Mover,
        moves: Motion,
        span: tuple[float, float],
        heard: Floats,
        tracker: Tracker,
        rng: Rng,
    ) -> Rows | None:
        reach = eye.reach_m.get(mover.size)
        if reach is None:
            return None
        far = reach * 1.25
        if eye.way is None:
            off = eye.radar.away(moves.lat[::4], moves.lon[::4])[0]
            if off.min() > far + 500.0:
                return None
        number, t = eye.radar.updates(
            max(span[0], float(moves.t[0])), min(span[1], float(moves.t[-1]))
        )
        if not len(t):
            return None
        lat, lon, speed, course = moves.at(t)
        chance = self._chance(eye, mover, reach, t, lat, lon, speed, course)
        hit = np.flatnonzero(rng.random(len(t)) < chance)
        if not len(hit):
            return None
        recent = None
        if len(heard) and not mover.leak:
            last = np.searchsorted(heard, t[hit], side="right") - 1
            recent = ~((last >= 0) & (t[hit] - heard[np.maximum(last, 0)] < _FRESH_S))
        told, code = tracker.follow(mover.serial, number[hit], t[hit], rng, reports=recent)
        if not len(told):
            return None
        return self._rows(
            i, eye, mover.size, mover.serial, t[hit], (lat[hit], lon[hit], speed[hit], course[hit]),
            told, code, rng,
        )  # fmt: skip

    def _rows(
        self,
        i: int,
        eye: Eye,
        size: str,
        who: int,
        t: Floats,
        where: tuple[Floats, Floats, Floats, Floats],
        told: Any,
        code: Any,
        rng: Rng,
    ) -> Rows:
        radar = eye.radar
        if eye.way is not None:  # it flies: errors are those of its camera, about the target
            lat, lon, speed, course = where
            lat = lat + rng.normal(0, 8e-5, len(t))
            lon = lon + rng.normal(0, 8e-5, len(t))
        else:
            lat, lon, speed, course = plotted(radar, where, rng)
        kind = np.full(len(t), KINDS.index(_KIND_OF.get(size, "unknown")))
        unsure = rng.random(len(t)) < (0.25 if eye.kind == "radar" else 0.08)
        kind = np.where(unsure & (eye.kind != "drones"), 0, kind)
        arrive = t[told] + rng.uniform(*self._latency, len(told))
        for which, start, end in self._late:
            if which == i:
                share = (t[told] - start) / max(1.0, end - start)
                cut = (share >= 0) & (share < 1)
                arrive = np.where(cut, end + 45.0 * share, arrive)
        return Rows.of(
            np.rint(t[told]),
            arrive=arrive,
            source=self._sources.code(radar.id),
            subject=code,
            lat=lat[told],
            lon=lon[told],
            speed=speed[told],
            course=course[told],
            accuracy=round(radar.sigma_m * 3),
            kind=kind[told],
            who=who,
        )

    def _chance(
        self,
        eye: Eye,
        mover: Mover,
        reach: float,
        t: Floats,
        lat: Floats,
        lon: Floats,
        speed: Floats,
        course: Floats,
    ) -> Floats:
        if eye.way is not None:
            plat, plon = eye.way.at(t)
            north = (lat - plat) * 111_195.0
            east = (lon - plon) * 111_195.0 * np.cos(np.radians(lat))
            away, bearing = np.hypot(north, east), np.arctan2(east, north)
        else:
            away, bearing = eye.radar.away(lat, lon)
        chance = eye.hit / (1 + np.exp(np.clip((away / reach - 1) / _EDGE, -40, 40)))
        if eye.seen:
            level = 2 if mover.height_m > 20 else 1 if mover.height_m > 2 else 0
            view = eye.seen[level]
            ray = np.rint(bearing / (2 * np.pi) * AROUND).astype(int) % AROUND
            step = np.clip((away / STEP_M).astype(int), 0, view.shape[1] - 1)
            chance = chance * view[ray, step]
        if eye.slowest_ms:
            # moving-target indication: what neither comes nor goes is lost in the ground
            radial = np.abs(speed * MS_PER_KNOT * np.cos(np.radians(course) - bearing))
            if mover.size == "flock":
                radial = radial + 0.3  # in a flock some always run
            chance = chance * np.clip((radial / eye.slowest_ms - 0.6) / 0.8, 0.0, 1.0)
        if eye.kind in ("camera", "uav"):
            for start, end in self._dust:
                chance = np.where((t > start) & (t < end), chance * self._dust_left, chance)
        if eye.kind in ("camera", "uav") and mover.size in ("vehicle", "truck"):
            chance = chance * np.clip(speed - 0.4, 0.0, 1.0)  # nobody follows what is parked
        return np.asarray(chance)

    def nothing(
        self, span: tuple[float, float], slice_: int, trackers: list[Tracker]
    ) -> list[tuple[int, Rows]]:
        """Short tracks of nobody: bushes in the wind, dust, birds."""
        made = []
        hours = (span[1] - span[0]) / 3600.0
        for i, eye in enumerate(self.all):
            if eye.kind != "radar":
                continue
            rng = self._streams.of("nothing", i, slice_)
            number, t = eye.radar.updates(*span)
            for n in range(int(rng.poisson(self._nothing * hours))):
                if len(t) < 20:
                    break
                first = int(rng.integers(len(t) - 12))
                some = slice(first, first + int(rng.integers(4, 12)))
                angle, far = rng.uniform(0, 2 * np.pi), between(rng, [400.0, 5000.0])
                spot = (eye.spot[0] + far * np.sin(angle), eye.spot[1] + far * np.cos(angle))
                speed = np.full(some.stop - some.start, between(rng, [0.5, 4.0]))
                dt = (t[some] - t[first]) * speed * MS_PER_KNOT
                turn = rng.uniform(0, 2 * np.pi)
                x, y = spot[0] + dt * np.sin(turn), spot[1] + dt * np.cos(turn)
                lat, lon = self.ground.to_degrees(x, y)
                course = np.full(len(dt), np.degrees(turn) % 360.0)
                at, code = trackers[i].follow(-10 - 1000 * slice_ - n, number[some], t[some], rng)
                if len(at):
                    where = (lat, lon, speed, course)
                    made.append((i, self._rows(i, eye, "none", -1, t[some], where, at, code, rng)))
        return made


def _spells(a_day: float, hours: Any, rng: Rng, span: float) -> list[tuple[float, float]]:
    """Spans (s) at random: so many a day, each so long."""
    made = []
    for _ in range(int(rng.poisson(a_day * span / 86400.0))):
        start = float(rng.uniform(0, span))
        made.append((start, start + between(rng, hours) * 3600.0))
    return made
