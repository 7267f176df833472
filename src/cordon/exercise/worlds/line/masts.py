"""Where radars, cameras and drone detectors stand, and what they can see from there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from cordon.exercise.worlds.line.ground import Ground, Spot
from cordon.exercise.worlds.paths import Way
from cordon.exercise.worlds.seeing.echoes import Bools, Radar
from cordon.exercise.worlds.seeing.streams import Rng, Streams, between

Data = dict[str, Any]
Off = list[tuple[float, float, float, float]]
"""Where and when everything that stands there is cut off: west, east (m), start, end (s)."""
AROUND, STEP_M = 480, 60.0  # of the map of what an eye sees: directions, and metres outward
_HEIGHTS = (1.5, 2.5, 100.0)  # m above ground: walkers, vehicles, drones


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


class Masts:
    """Puts up the eyes of a world.

    Attributes:
        all: those that stand so far.
    """

    def __init__(self, streams: Streams, ground: Ground) -> None:
        self._streams, self.ground = streams, ground
        self.all: list[Eye] = []

    def stand(
        self,
        kind: str,
        word: str,
        prefix: str,
        data: Data,
        span: float,
        off: Off,
    ) -> None:
        """Radars or cameras, each at a height of its own."""
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

    def listen(self, data: Data, off: Off) -> None:
        """Detectors of drones, evenly along the line."""
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

    def fly(self, name: str, way: Way, data: Data) -> None:
        """An own drone, which looks down while it flies."""
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
        turn = np.linspace(0, 2 * np.pi, AROUND, endpoint=False)
        away = np.arange(1, int(range_m * 1.3 / STEP_M) + 1) * STEP_M
        x = spot[0] + np.sin(turn)[:, None] * away
        y = spot[1] + np.cos(turn)[:, None] * away
        eye = float(ground.height(np.array([spot[0]]), np.array([spot[1]]))[0]) + height
        # 4/3 of the earth's radius: how far the ground has sunk away there
        sunk = away**2 / (2 * 4 / 3 * 6_371_000.0)
        rise = ground.height(x.ravel(), y.ravel()).reshape(x.shape) - sunk
        slope = (rise - eye) / away
        before = np.maximum.accumulate(slope, axis=1)
        before = np.concatenate([np.full((AROUND, 1), -np.inf), before[:, :-1]], axis=1)
        return np.asarray((rise + over - eye) / away > before)


def outages(data: Data, rng: Rng, span: float, among: int) -> list[tuple[float, float]]:
    """One thing's share of the outages of all of its kind."""
    made = []
    for _ in range(int(rng.poisson(between(rng, data["a_day"]) * span / 86400.0 / among))):
        start = float(rng.uniform(0, span))
        made.append((start, start + between(rng, data["hours"]) * 3600.0))
    return made
