"""Ground on which plans are laid along the line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cordon.exercise.worlds.line.ground import Spot
from cordon.exercise.worlds.line.mover import Mover, Size, Walk
from cordon.exercise.worlds.line.scene import Scene
from cordon.exercise.worlds.line.zones import BORDER
from cordon.exercise.worlds.seeing.rows import Names, Rows
from cordon.exercise.worlds.seeing.streams import Rng, between
from cordon.exercise.worlds.seeing.telling import Event, Heard

Data = dict[str, Any]
EYES = ("radar", "track")
CLEAR_M = 120.0  # so far on either side of the line a report is surely on that side


@dataclass(frozen=True, slots=True)
class Plan:
    """What some movers do on purpose.

    Attributes:
        movers: those who do it. events: what is true of it. told: whether the reports of these
            movers can tell it. parties: serials of those whose trips of sensors are planted too.
    """

    movers: list[Mover]
    events: list[Event]
    told: Callable[[Heard, Names], bool]
    parties: list[int] = field(default_factory=list)
    again: float | None = None


class Planner:
    """Helps to lay plans in one scene.

    Attributes:
        again: where along the line (m) parties cross again and again; two such plans at one
            place would be one.
    """

    def __init__(self, scene: Scene) -> None:
        self.scene, self.crowd, self.ground = scene, scene.crowd, scene.ground
        self.span = scene.span
        self.again: list[float] = []

    def moment(self, rng: Rng, needs_s: float, *, dark: bool) -> float | None:
        """A start (s) from which so long a time lies in the exercise, and in one night if dark."""
        spans = self.scene.dark if dark else [(0.0, self.span)]
        free = [(a, b - needs_s) for a, b in spans if b - needs_s > a]
        if not free:
            return None
        sizes = np.array([b - a for a, b in free])
        return between(rng, list(free[int(rng.choice(len(free), p=sizes / sizes.sum()))]))

    def spot(
        self, rng: Rng, kinds: tuple[str, ...], within_m: float, *, off_m: float, deep_m: float,
        size: Size,
    ) -> Spot:  # fmt: skip
        """A place so deep behind the line, in sight of an eye and away from crossings; the last
        one tried where none is."""
        eyes = [e for e in self.scene.eyes.all if e.kind in kinds and e.way is None]
        spot = (0.0, 0.0)
        for _ in range(60):
            eye = eyes[int(rng.integers(len(eyes)))]
            x = eye.spot[0] + between(rng, [-within_m, within_m])
            spot = (x, float(self.ground.line_at(x)) - deep_m)
            fits = 3_000.0 < x < self.ground.length - 3_000.0
            if (
                fits
                and not self.ground.at_crossing(x, off_m)
                and self.scene.eyes.in_sight(spot, kinds, size)
            ):
                return spot
        return spot

    def free(self, start: float, end: float, x: float) -> bool:
        """Whether a place is in no sector that lies bare meanwhile."""
        for n, s, e in self.scene.bare:
            west, east = self.scene.sectors[n]
            if west - 9_000.0 < x < east + 9_000.0 and s < end and e > start:
                return False
        return True

    def clear(self, walk: Walk) -> bool:
        """Whether a way keeps out of restricted zones."""
        _, x, y = walk.metres()
        return self.ground.clear(x, y)

    def mover(self, what: str, size: Size, walk: Walk, rng: Rng, **more: Any) -> Mover:
        """A mover of a plan."""
        return self.crowd.mover(what, size, walk, rng, planted=True, **more)

    def over(self, walk: Walk) -> list[float]:
        """When a way crosses the line (s)."""
        t, x, y = walk.metres()
        fine = np.arange(t[0], t[-1], 2.0)
        off = self.ground.beyond(np.interp(fine, t, x), np.interp(fine, t, y))
        return fine[1:][np.sign(off[1:]) != np.sign(off[:-1])].tolist()  # type: ignore[no-any-return]


def eyes_only(rows: Rows, names: Names) -> Rows:
    """Reports that name a mover: those of ground sensors do not."""
    some = [i for i, text in enumerate(names.texts) if text.partition(":")[0] in EYES]
    return rows.take(np.isin(rows.subject, some))


def crossing_event(mover: Mover, at: float, note: str) -> Event:
    """The event of a crossing at a moment (s)."""
    return Event(
        "picture.border_crossing",
        (mover.serial,),
        at - 420.0,
        at + 420.0,
        zone=BORDER,
        note=note,
        only=EYES,
    )


def crossed(p: Planner, heard: Heard, names: Names, mover: Mover, at: float) -> bool:
    """Whether one subject's reports lie clearly on both sides about a moment (s), and a finding
    that names it alone would name most of those that there are."""
    rows = eyes_only(heard.within(at - 420.0, at + 420.0, mover.serial), names)
    codes, count = np.unique(rows.subject, return_counts=True)
    sure = 0
    for code in codes.tolist():
        own = rows.take(rows.subject == code)
        off = p.ground.beyond(*p.ground.to_metres(own.lat, own.lon))
        north, south = own.t[off > CLEAR_M], own.t[off < -CLEAR_M]
        if len(north) >= 3 and len(south) >= 3:
            sure += 1
    return sure == 1 and int((count >= 3).sum()) <= 2
