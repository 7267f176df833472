"""What is planted: so many of each a day, each drawn until what is received can tell it."""

from __future__ import annotations

from collections.abc import Callable

from cordon.exercise.worlds.sea import plans_lying, plans_meeting, plans_zones
from cordon.exercise.worlds.sea.planner import Plan, Planner
from cordon.exercise.worlds.sea.scene import Scene
from cordon.exercise.worlds.seeing.streams import Rng, times
from cordon.exercise.worlds.seeing.telling import Event, Heard

_DAY = 86400.0
_MOST_TRIES = 40
MAKE: dict[str, Callable[[Planner, Rng], Plan | None]] = {
    "gaps": plans_lying.gap,
    "encounters": plans_meeting.encounter,
    "handovers": plans_meeting.handover,
    "loiterers": plans_meeting.loiterer,
    "entries": plans_zones.entry,
    "crossings": plans_zones.crossing,
    "dwellers": plans_zones.dweller,
    "shared": plans_lying.shared,
    "renamed": plans_lying.renamed,
    "changed": plans_lying.changed,
    "jumps": plans_lying.jump,
    "circles": plans_lying.circle,
    "on_land": plans_lying.on_land,
    "frozen": plans_lying.frozen,
    "convoys": plans_meeting.convoy,
    "transfers": plans_meeting.transfer,
    "landings": plans_meeting.landing,
}
INTO_ZONES = ("entries", "crossings", "dwellers")


def build(scene: Scene) -> list[Event]:
    """Lay all plans, put their craft among the others, and return what is true of them.

    One of each kind at least, where the span has room for it.
    """
    planner = Planner(scene)
    events: list[Event] = []
    for name, at_one in scene.data["planted"].items():
        rng = scene.streams.of("planted", *name.encode())
        for i in range(times(at_one * scene.span / _DAY, scene.scale, rng, least=1)):
            plan = _told(scene, planner, name, i)
            if plan is not None:
                events += plan.events
                for craft in plan.crafts:
                    scene.afloat.add(craft)
    return events


def _told(scene: Scene, planner: Planner, name: str, i: int) -> Plan | None:
    """A plan that what is received can tell, or None where none was found."""
    for attempt in range(_MOST_TRIES):
        plan = MAKE[name](planner, scene.streams.of("plan", attempt, i, *name.encode()))
        if plan is None:
            continue
        strays = any(not scene.chart.clear(c.way.lat, c.way.lon) for c in plan.crafts)
        if strays and name not in INTO_ZONES:
            continue
        if plan.told(Heard.of(scene.seen_alone(plan.crafts))):
            return plan
    return None
