"""Everybody on the ground so far, and how one more is put there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cordon.exercise.worlds.line.ground import Ground, Place, Spot
from cordon.exercise.worlds.line.mover import Mover, Size, Walk, handling
from cordon.exercise.worlds.seeing.streams import Rng, Streams

Data = dict[str, Any]
_MOST_TRIES = 8


@dataclass(slots=True)
class Crowd:
    """Who moves in a world, and the ground it is on.

    Attributes:
        span: s. local_h: local hour at the exercise's start.
    """

    data: Data
    ground: Ground
    streams: Streams
    span: float
    scale: float
    local_h: float
    movers: list[Mover] = field(default_factory=list)
    serial: int = 0

    def mover(self, what: str, size: Size, walk: Walk, rng: Rng, **more: Any) -> Mover:
        """One that is not yet among the others."""
        self.serial += 1
        height = {"vehicle": 2.5, "truck": 3.0, "drone": 100.0}.get(size, 1.5)
        way = walk.way(self.ground)
        return Mover(self.serial, what, size, way, handling(size, rng), height_m=height, **more)

    def add(self, mover: Mover) -> Mover:
        """Put one among the others, where it is there within the span at all."""
        if mover.way.t[-1] > 0 and mover.way.t[0] < self.span:
            self.movers.append(mover)
        return mover

    def innocent(self, make: Callable[[], Walk], *, crosses: bool = False) -> Walk | None:
        """A way that keeps out of restricted zones, and on one side of the line unless it may
        cross; None where none is found."""
        for _ in range(_MOST_TRIES):
            walk = make()
            _, x, y = walk.metres()
            if not self.ground.clear(x, y):
                continue
            if crosses:
                return walk
            off = self.ground.beyond(x, y)
            if (off < -60.0).all() or (off > 60.0).all():
                return walk
        return None

    def times_of_day(self, hours: list[float], count: int, rng: Rng) -> list[float]:
        """Moments (s from the start) at which something of a day begins, by weights of its 24
        local hours; over the whole span and half a day before it."""
        weights = np.array(hours, float)
        days = int(np.ceil((self.span / 86400.0) + 0.5)) + 1
        made = []
        for day in range(-1, days):
            hour = rng.choice(24, count, p=weights / weights.sum()) + rng.random(count)
            made += ((day * 24 + hour - self.local_h) * 3600.0).tolist()
        return [t for t in made if -43_200.0 < t < self.span]

    def village(self, rng: Rng, *, own: bool = True, near: Spot | None = None) -> Place:
        """A village, by chance or among the nearest to a spot."""
        some = self.ground.own_villages if own else self.ground.other_villages
        if near is None:
            return some[int(rng.integers(len(some)))]
        ranked = sorted(some, key=lambda v: float(np.hypot(v.x - near[0], v.y - near[1])))
        return ranked[int(rng.integers(min(3, len(ranked))))]


def around(place: Place, rng: Rng, low: float = 0.0, high: float | None = None) -> Spot:
    """A spot about a place: within its radius, or between two distances (m) from it."""
    far = place.radius_m if high is None else high
    angle = rng.uniform(0, 2 * np.pi)
    off = np.sqrt(rng.uniform(low**2, far**2))
    return place.x + off * float(np.cos(angle)), place.y + off * float(np.sin(angle))
