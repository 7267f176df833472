"""Ground radars, cameras, drones and their detectors: what they see, and what hills hide."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from cordon.exercise.worlds.line.ground import Ground, Spot
from cordon.exercise.worlds.line.mover import Mover
from cordon.exercise.worlds.paths import Floats, Way
from cordon.exercise.worlds.seeing.echoes import Bools, Radar, Tracker, plotted
from cordon.exercise.worlds.seeing.motion import Motion
from cordon.exercise.worlds.seeing.rows import KINDS, Names, Rows
from cordon.exercise.worlds.seeing.streams import Rng, Streams, between
from cordon.kernel.units import MS_PER_KNOT

Data = dict[str, Any]
_AROUND, _STEP_M = 480, 60.0  # of the map of what an eye sees: directions, and metres outward
_EDGE = 0.07
_FRESH_S = 240.0
_HEIGHTS = (1.5, 2.5, 100.0)  # m above ground: walkers, vehicles, drones
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


@dataclass(frozen=True, slots=True)
class Eye:
    """One radar, camera or detector of drones.

    Attributes:
        kind: `radar`, `camera`, `drones` or `uav`; type of its subjects: `word`. spot: m. reach_m:
            by size of target. slowest_ms: radial speed below which it sees nothing, 0 where
            none. hit: chance of a hit well within reach. seen: for each of _HEIGHTS, what it
            sees by direction and distance. way: of a flying one. active: spans in which it looks.
    """

    radar: Radar
    kind: str
    word: str
    spot: Spot
    reach_m: dict[str, float]
    slowest_ms: float
    hit: float
    seen: tuple[Bools, ...]
    way: Way | None = None


class Eyes:
    """Everything of a world that looks.

    Args:
        data: the part `eyes` of its YAML. span: s. off: spans (s) in which all in a sector are
            cut off: (west, east, start, end) in metres and seconds.
        flights: ways of own drones and their spans.
    """

    def __init__(
        self,
        data: Data,
        streams: Streams,
        span: float,
        ground: Ground,
        sources: Names,
        off: list[tuple[float, float, float, float]],
        flights: list[tuple[str, Way]],
    ) -> None:
        self.ground, self._sources, self._streams = ground, sources, streams
        self._latency = float(data["latency_s"][0]), float(data["latency_s"][1])
        self._nothing = between(streams.of("eyes nothing"), data["radars"]["nothing_a_hour"])
        self.all: list[Eye] = []
        self._stand("radar", "radar", "GR", data["radars"], span, off)
        self._stand("camera", "track", "CAM", data["cameras"], span, off)
        self._listen(data["drone_ears"], off)
        for name, way in flights:
            self._fly(name, way, data["uav"])

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

    # where they stand

    def _stand(
        self,
        kind: str,
        word: str,
        prefix: str,
        data: Data,
        span: float,
        off: list[tuple[float, float, float, float]],
    ) -> None:
        rng = self._streams.of(f"eyes {kind}")
        count = int(data["count"])
        for i in range(count):
            spot = self._height_for(kind, i, count, rng)
            cut = [(s, e) for west, east, s, e in off if west <= spot[0] < east]
            cut += outages(data["outage"], rng, span, count)
            self.all.append(self._eye(kind, word, f"{prefix}-{i + 1}", spot, data, rng, cut))

    def _height_for(self, kind: str, i: int, count: int, rng: Rng) -> Spot:
        """High ground near the line, in this one's part of it, from where most can be seen;
        cameras look at gates, closed places and trails."""
        ground = self.ground
        if kind == "camera":
            spots = [(p.x, p.y) for p in ground.of_kind("official_crossing")[:3]]
            spots += [(p.x, p.y) for p in ground.of_kind("restricted")]
            trails = [path[len(path) // 2] for path in ground.paths]
            spots += [trails[t] for t in rng.permutation(len(trails)).tolist()]
            near = spots[i % len(spots)]
            about = 350.0 if i < 3 else 900.0
            tries = [(near[0] + dx, near[1] + dy) for dx, dy in rng.uniform(-about, about, (40, 2))]
            tries = [(x, min(y, float(ground.line_at(x)) - 80.0)) for x, y in tries]
            reach = 2_500.0
        else:
            low, high = ground.length * i / count, ground.length * (i + 1) / count
            x = rng.uniform(low + 4000.0, high - 4000.0, 60)
            y = ground.line_at(x) - rng.uniform(400.0, 4500.0, 60)
            tries = list(zip(x.tolist(), y.tolist(), strict=True))
            reach = 8_000.0
        heights = ground.height(np.array([t[0] for t in tries]), np.array([t[1] for t in tries]))
        best = [tries[k] for k in np.argsort(-heights)[:5].tolist()]
        seen = [float(self._view(spot, 18.0, reach / 1.3, 1.5).mean()) for spot in best]
        x_, y_ = best[int(np.argmax(seen))]
        return float(x_), float(y_)

    def _eye(
        self,
        kind: str,
        word: str,
        id_: str,
        spot: Spot,
        data: Data,
        rng: Rng,
        cut: list[tuple[float, float]],
    ) -> Eye:
        lat, lon = self.ground.degrees(spot)
        height = between(rng, data["height_m"])
        reach = {size: between(rng, r) for size, r in data["reach_m"].items()}
        period = between(rng, data["period_s"])
        radar = Radar(
            id_,
            lat,
            lon,
            height,
            max(reach.values()),
            period,
            between(rng, [0, period]),
            between(rng, data["sigma_m"]),
            between(rng, data["sigma_deg"]),
            int(rng.integers(data["confirm"][0], data["confirm"][1] + 1)),
            int(rng.integers(data["drop"][0], data["drop"][1] + 1)),
            between(rng, data["break_s"]),
            tuple(cut),
        )
        seen = tuple(self._view(spot, height, radar.range_m, h) for h in _HEIGHTS)
        slowest = between(rng, data["slowest_ms"]) if "slowest_ms" in data else 0.0
        return Eye(radar, kind, word, spot, reach, slowest, between(rng, data["hit"]), seen)

    def _listen(self, data: Data, off: list[tuple[float, float, float, float]]) -> None:
        rng = self._streams.of("drone ears")
        count = int(data["count"])
        for i in range(count):
            x = self.ground.length * (i + float(rng.uniform(0.2, 0.8))) / count
            spot = (x, float(self.ground.line_at(x)) - between(rng, [300.0, 2500.0]))
            lat, lon = self.ground.degrees(spot)
            reach = between(rng, data["reach_m"])
            period = between(rng, data["period_s"])
            cut = [(s, e) for west, east, s, e in off if west <= x < east]
            radar = Radar(
                f"RF-{i + 1}", lat, lon, 8.0, reach, period, between(rng, [0, period]),
                between(rng, data["sigma_m"]), 0.4, 3, 6, 40_000.0, tuple(cut),
            )  # fmt: skip
            self.all.append(Eye(radar, "drones", "drone", spot, {"drone": reach}, 0.0, 0.9, ()))

    def _fly(self, name: str, way: Way, data: Data) -> None:
        rng = self._streams.of("uav", *name.encode())
        reach = between(rng, data["swath_m"])
        radar = Radar(
            name, 0.0, 0.0, data["height_m"], reach, 8.0, between(rng, [0, 8.0]), 12.0, 0.3, 2, 4,
            9_000.0, ((-1e12, float(way.t[0])), (float(way.t[-1]), 1e12)),
        )  # fmt: skip
        sizes = dict.fromkeys(
            ("person", "party", "flock", "animal", "train", "vehicle", "truck"), reach
        )
        spot = (float("nan"), float("nan"))
        self.all.append(Eye(radar, "uav", "track", spot, sizes, 0.0, 0.8, (), way))

    def _view(self, spot: Spot, height: float, range_m: float, over: float) -> Bools:
        """What can be seen from a mast, by direction and distance: the hills cut it off."""
        ground = self.ground
        turn = np.linspace(0, 2 * np.pi, _AROUND, endpoint=False)
        away = np.arange(1, int(range_m * 1.3 / _STEP_M) + 1) * _STEP_M
        x = spot[0] + np.sin(turn)[:, None] * away
        y = spot[1] + np.cos(turn)[:, None] * away
        eye = float(ground.height(np.array([spot[0]]), np.array([spot[1]]))[0]) + height
        # 4/3 of the earth's radius: how far the ground has sunk away there
        sunk = away**2 / (2 * 4 / 3 * 6_371_000.0)
        rise = ground.height(x.ravel(), y.ravel()).reshape(x.shape) - sunk
        slope = (rise - eye) / away
        before = np.maximum.accumulate(slope, axis=1)
        before = np.concatenate([np.full((_AROUND, 1), -np.inf), before[:, :-1]], axis=1)
        return np.asarray((rise + over - eye) / away > before)

    # what they see

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
                ray = round(np.arctan2(east, north) / (2 * np.pi) * _AROUND) % _AROUND
                step = int(away / _STEP_M)
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
            eye, mover.size, mover.serial, t[hit], (lat[hit], lon[hit], speed[hit], course[hit]),
            told, code, rng,
        )  # fmt: skip

    def _rows(
        self,
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
        return Rows.of(
            np.rint(t[told]),
            arrive=t[told] + rng.uniform(*self._latency, len(told)),
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
            ray = np.rint(bearing / (2 * np.pi) * _AROUND).astype(int) % _AROUND
            step = np.clip((away / _STEP_M).astype(int), 0, view.shape[1] - 1)
            chance = chance * view[ray, step]
        if eye.slowest_ms:
            # moving-target indication: what neither comes nor goes is lost in the ground
            radial = np.abs(speed * MS_PER_KNOT * np.cos(np.radians(course) - bearing))
            if mover.size == "flock":
                radial = radial + 0.3  # in a flock some always run
            chance = chance * np.clip((radial / eye.slowest_ms - 0.6) / 0.8, 0.0, 1.0)
        elif eye.kind in ("camera", "uav") and mover.size in ("vehicle", "truck"):
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
                    made.append((i, self._rows(eye, "none", -1, t[some], where, at, code, rng)))
        return made


def outages(data: Data, rng: Rng, span: float, among: int) -> list[tuple[float, float]]:
    """One thing's share of the outages of all of its kind."""
    made = []
    for _ in range(int(rng.poisson(between(rng, data["a_day"]) * span / 86400.0 / among))):
        start = float(rng.uniform(0, span))
        made.append((start, start + between(rng, data["hours"]) * 3600.0))
    return made
