"""Who moves along a frontier, and how ways on foot and by road are written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from cordon.exercise.worlds.line.ground import Ground, Spot
from cordon.exercise.worlds.paths import Floats, Way
from cordon.exercise.worlds.seeing.motion import Handling
from cordon.exercise.worlds.seeing.streams import Rng, between

HOUR = 3600.0
KMH = 1 / 3.6
Size = Literal["person", "party", "flock", "animal", "train", "vehicle", "truck", "drone"]
_ROUND_S = {"vehicle": 25.0, "truck": 40.0, "drone": 12.0}


@dataclass(slots=True)
class Mover:
    """One that moves, or a group that moves as one.

    Attributes:
        serial: its number in the world. what: its trade. size: as sensors notice it. way: where
            it is. unit: subject of an own unit (`unit:…`), of a vehicle with a tracker
            (`vehicle:…`), or empty. leak: its echo is passed on although its tracker is heard.
            height_m: above the ground. planted: it belongs to something planted.
    """

    serial: int
    what: str
    size: Size
    way: Way
    handling: Handling
    unit: str = ""
    leak: bool = False
    height_m: float = 1.5
    planted: bool = False


class Walk:
    """A way over land being written, in metres."""

    def __init__(self, start_s: float, at: Spot, rng: Rng) -> None:
        self._t, self._x, self._y = [start_s], [at[0]], [at[1]]
        self.rng = rng

    @property
    def now(self) -> float:
        return self._t[-1]

    @property
    def here(self) -> Spot:
        return self._x[-1], self._y[-1]

    def go(self, to: Spot, speed_ms: float) -> None:
        """Straight to a spot."""
        far = float(np.hypot(to[0] - self._x[-1], to[1] - self._y[-1]))
        self.put(self.now + max(0.5, far / max(0.05, speed_ms)), to)

    def follow(self, way: Sequence[Spot], speed_ms: float, *, uneven: float = 0.12) -> None:
        """From spot to spot, now faster and now slower."""
        for spot in way:
            self.go(spot, speed_ms * float(self.rng.uniform(1 - uneven, 1 + uneven)))

    def hike(self, to: Spot, speed_ms: float, *, bend: float = 0.14) -> None:
        """Over open ground to a spot, as one walks: never straight for long."""
        a, b = np.array(self.here), np.array(to, float)
        far = float(np.hypot(*(b - a)))
        parts = max(1, int(far / 220.0))
        share = np.linspace(0, 1, parts + 1)[1:]
        wave = np.sin(np.pi * share) * self.rng.normal(0, bend)
        wave += np.sin(3 * np.pi * share) * self.rng.normal(0, bend / 3)
        across = (b - a)[::-1] * [1, -1]
        jitter = self.rng.normal(0, min(20.0, far / 10), (parts, 2))
        jitter[-1] = 0
        spots = a + (b - a) * share[:, None] + across * wave[:, None] + jitter
        self.follow([(float(x), float(y)) for x, y in spots], speed_ms)

    def stay(self, seconds: float) -> None:
        """Stand still."""
        if seconds > 0:
            self.put(self.now + seconds, self.here)

    def roam(self, centre: Spot, radius_m: float, until: float, speed_ms: float) -> None:
        """About a spot until a time (s), with rests."""
        while self.now < until:
            angle, far = self.rng.uniform(0, 2 * np.pi), radius_m * np.sqrt(self.rng.random())
            spot = (centre[0] + far * np.cos(angle), centre[1] + far * np.sin(angle))
            self.go(spot, speed_ms * float(self.rng.uniform(0.5, 1.2)))
            if self.rng.random() < 0.3:
                self.stay(min(between(self.rng, [60.0, 700.0]), max(1.0, until - self.now)))

    def put(self, t: float, spot: Spot) -> None:
        """Be at a spot at a moment (s)."""
        self._t.append(t)
        self._x.append(spot[0])
        self._y.append(spot[1])

    def end(self, t: float) -> None:
        """Do nothing of it after a moment (s)."""
        times, x, y = self.metres()
        if t < times[-1]:
            kept = int(np.searchsorted(times, t))
            at = float(np.interp(t, times, x)), float(np.interp(t, times, y))
            self._t, self._x, self._y = self._t[:kept], self._x[:kept], self._y[:kept]
            self.put(t, at)

    def shift(self, seconds: float) -> None:
        """Do all of it so much later."""
        self._t = [t + seconds for t in self._t]

    def copy(self, behind_s: float = 0.0) -> Walk:
        """The same way so much later."""
        made = Walk(0.0, (0.0, 0.0), self.rng)
        made._t = [t + behind_s for t in self._t]
        made._x, made._y = self._x[:], self._y[:]
        return made

    def metres(self) -> tuple[Floats, Floats, Floats]:
        """Times (s), metres east and north."""
        return np.array(self._t), np.array(self._x), np.array(self._y)

    def way(self, ground: Ground) -> Way:
        """The way on the globe."""
        t, x, y = self.metres()
        lat, lon = ground.to_degrees(x, y)
        return Way(t, lat, lon)


def handling(size: Size, rng: Rng) -> Handling:
    """How one of a size moves."""
    return Handling(
        round_s=_ROUND_S.get(size, 15.0),
        wander_m=between(rng, [1.0, 4.0]),
        phase=float(rng.random()),
        step_s=5.0 if size in ("vehicle", "truck", "drone") else 10.0,
    )
