"""What is planted along the line: each plan is drawn until what is received can tell it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cordon.exercise.worlds.line import plans_crossing, plans_near
from cordon.exercise.worlds.line.plan import Plan, Planner
from cordon.exercise.worlds.line.scene import Scene
from cordon.exercise.worlds.seeing.streams import Rng, times
from cordon.exercise.worlds.seeing.telling import Event, Heard

Data = dict[str, Any]
_DAY = 86400.0
_MOST_TRIES = 60
MAKE: dict[str, Callable[[Planner, Rng], Plan | None]] = {
    "walkers": plans_crossing.walkers,
    "trains": plans_crossing.train,
    "vehicles": plans_crossing.vehicle,
    "repeats": plans_crossing.repeat,
    "drones": plans_crossing.drone,
    "convoys": plans_near.convoy,
    "loiterers": plans_near.loiterer,
    "entries": plans_near.entry,
}


@dataclass(frozen=True, slots=True)
class Laid:
    """Everything planted: events, and of crossing parties their serials, for the sensors that
    they trip."""

    events: list[Event]
    parties: list[int]


def build(scene: Scene) -> Laid:
    """Lay all plans and put their movers among the others; one of each kind at least, where the
    span has room for it."""
    planner = Planner(scene)
    laid = Laid([], [])
    for name, make in MAKE.items():
        at_one = scene.data["planted"][name]
        rng = scene.streams.of("planted", *name.encode())
        for i in range(times(at_one * scene.span / _DAY, scene.scale, rng, least=1)):
            for attempt in range(_MOST_TRIES):
                plan = make(planner, scene.streams.of("plan", attempt, i, *name.encode()))
                if plan is None:
                    continue
                rows, names = scene.seen_alone(plan.movers)
                if plan.told(Heard.of(rows), names):
                    laid.events.extend(plan.events)
                    laid.parties.extend(plan.parties)
                    if plan.again is not None:
                        planner.again.append(plan.again)
                    for mover in plan.movers:
                        scene.crowd.add(mover)
                    break
    return laid
