"""One play of crews: what they do as the node's clock goes on.

What they say goes the way of a phone: the same acts, at the time they were said, with numbers and
ids of their own, so that a message that is sent twice counts once.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import NAMESPACE_OID, uuid5

from cordon.exercise.crews.going import Going, Said
from cordon.exercise.crews.model import Crew, Rule, Trip
from cordon.exercise.crews.nature import Nature
from cordon.exercise.crews.ruling import chosen
from cordon.exercise.crews.values import Values
from cordon.kernel import geo
from cordon.kernel.access.model import Actor, Mark, Role
from cordon.kernel.clock import Clock, beside, format_time, unplayed
from cordon.kernel.errors import Conflict, CordonError
from cordon.operations import (
    AlertState,
    Passage,
    Position,
    QueuePage,
    Ranking,
    Tasking,
    TaskingState,
    Unit,
    UnitKind,
    UnitState,
    passages,
)

log = logging.getLogger(__name__)
UNDER_WAY = (
    TaskingState.SENT, TaskingState.ACKNOWLEDGED, TaskingState.MOVING, TaskingState.ON_SCENE,
)  # fmt: skip
WAIT = (AlertState.OPEN, AlertState.ACKNOWLEDGED, AlertState.ASSIGNED)
ORDER = "Exercise: go to the place of the alert and report what is there."
ACCURACY_M = 20.0
MOST_FIXES = 100  # of one message
MOST = 200  # taskings under way, and alerts of the queue, that are looked at


class Sends(Protocol):
    """What a play needs of operations: its face."""

    def taskings(
        self, actor: Actor, *, states: Collection[TaskingState], at_most: int
    ) -> list[Tasking]: ...
    def ranking_of(self, actor: Actor, alert: str, *, also: Collection[str] = ()) -> Ranking: ...
    def queue(self, actor: Actor, *, at_most: int) -> QueuePage: ...
    def send(self, actor: Actor, alert: str, unit: str, order: str) -> Tasking: ...
    def set_unit_state(
        self, actor: Actor, id_: str, state: UnitState, *, position: Position | None = None
    ) -> Unit: ...


class Hears(Protocol):
    """What a play needs of the desk of phones."""

    def take(self, actor: Actor, message: Mapping[str, Any]) -> Any: ...


@dataclass(frozen=True, slots=True)
class Hindsight:
    """What the first sending to an alert is held against; seconds are infinite where a unit would
    have declined or never arrived. `first_s` is None where the first choice is not in the play."""

    alert: str
    kind: str
    mark: Mark
    opened_at: datetime
    sent_at: datetime
    sent: str
    best: str | None
    best_s: float
    first: str | None
    first_s: float | None


@dataclass(slots=True)
class Ticked:
    """What a tick came to: first sendings, and who was on scene (alert, code, when)."""

    sendings: list[Hindsight] = field(default_factory=list)
    reached: list[tuple[str, str, datetime]] = field(default_factory=list)


class Play:
    """Crews of one play, in memory.

    Args:
        id_: of the play. begins: what its seconds are counted from (UTC).
        crews: by code. alerts: numbers of those that were answered, by id.
    """

    def __init__(
        self, id_: str, seed: int, begins: datetime, rule: Rule, crews: Sequence[Crew],
        alerts: dict[str, int], *, agency: str, clock: Clock, values: Values,
        operations: Sends, field_: Hears,
    ) -> None:  # fmt: skip
        self.id, self.seed, self.begins, self.rule = id_, seed, begins, rule
        self.crews = {crew.code: crew for crew in crews}
        self.alerts = alerts
        self._agency, self._clock, self._values = agency, clock, values
        self._operations, self._field = operations, field_
        self._going: dict[str, Going] = {}
        self._natures = {
            c.code: Nature(seed, c.code, UnitKind(c.kind), c.speed_kn, values) for c in crews
        }
        self.watch = watch_actor(agency)

    def tick(self) -> Ticked:
        """Let the crews do what is due by now."""
        now, done = self._clock.now(), Ticked()
        at = self._since(now)
        orders = {
            t.id: t
            for t in self._operations.taskings(self.watch, states=UNDER_WAY, at_most=MOST)
            if t.unit_code in self.crews
        }
        for tasking in sorted(orders.values(), key=lambda t: (_sent(t), t.id)):
            crew = self.crews[tasking.unit_code]
            if crew.trip is None and tasking.state is TaskingState.SENT:
                self._begin(crew, tasking, done)
        for code in sorted(self.crews):
            self._crew(self.crews[code], at, orders, done)
        if self.rule is not Rule.PEOPLE:
            self._send({t.alert for t in orders.values()})
        return done

    def where(self, code: str, at: datetime) -> tuple[float, float]:
        """Where a unit truly is (lat, lon)."""
        crew = self.crews[code]
        going = self._of(crew)
        found = None if going is None else going.where(self._since(at))
        return found or (crew.lat, crew.lon)

    def busy(self, alert: str) -> bool:
        """Whether a crew is on its way to an alert."""
        return any(c.trip is not None and c.trip.alert == alert for c in self.crews.values())

    # orders

    def _begin(self, crew: Crew, tasking: Tasking, done: Ticked) -> None:
        """A crew gets an order: see by which way it goes, and what others would have made."""
        sent_at = _sent(tasking)
        sent, first = self._since(sent_at), tasking.alert not in self.alerts
        number = self.alerts.setdefault(tasking.alert, len(self.alerts) + 1)
        try:
            ranking = self._operations.ranking_of(
                self.watch, tasking.alert, also=[crew.unit] if first else ()
            )
        except CordonError:  # an alert that even the watch may not see says no place
            log.info("the order %s of an exercise has no place that may be seen", tasking.id)
            crew.trip = Trip(tasking.id, tasking.alert, number, sent, None)
            return
        ready = {c.unit.id for c in ranking.choices}
        others = [
            c for c in self.crews.values()
            if first and c is not crew and c.trip is None and c.unit in ready
        ]  # fmt: skip
        some = [crew, *others]
        ways = self._ways(some, ranking, sent)
        crew.trip = Trip(tasking.id, tasking.alert, number, sent, ways[0])
        if not first:
            return
        made = {
            c.unit: (c.code, Going(self._natures[c.code], way, sent, number).takes)
            for c, way in zip(some, ways, strict=True)
        }
        best = min(made.values(), key=lambda m: (m[1], m[0]))
        top = next((c.unit.id for c in ranking.choices if not c.cannot and not c.declined), None)
        first_code, first_s = made.get(top or "", (None, None))
        done.sendings.append(
            Hindsight(
                tasking.alert, ranking.alert.kind, ranking.alert.mark, ranking.alert.opened_at,
                sent_at, crew.code, best[0] if math.isfinite(best[1]) else None, best[1],
                first_code, first_s,
            )
        )  # fmt: skip

    def _ways(self, crews: Sequence[Crew], ranking: Ranking, sent: float) -> list[Passage | None]:
        place = ranking.alert.place
        if place is None:
            return [None] * len(crews)
        starts = [(UnitKind(c.kind), Position(c.lat, c.lon)) for c in crews]
        return passages(place, starts, radius_m=ranking.alert.radius_m or 0.0)

    def _send(self, under_way: Collection[str]) -> None:
        """Send a unit by the rule to each alert that waits and has none on its way."""
        for alert in self._operations.queue(self.watch, at_most=MOST).alerts:
            if (
                alert.state not in WAIT or alert.id in under_way or self.busy(alert.id)
                or alert.place is None or alert.opened_at < self.begins
            ):  # fmt: skip
                continue
            ranking = self._operations.ranking_of(self.watch, alert.id)
            unit = chosen(self.rule, ranking, {c.unit for c in self.crews.values()})
            if unit is None:
                continue
            try:
                self._operations.send(self.watch, alert.id, unit, ORDER)
            except Conflict as taken:  # an officer was quicker
                log.info("a rule of an exercise sent nobody: %s", taken)

    # crews

    def _crew(self, crew: Crew, at: float, orders: Mapping[str, Tasking], done: Ticked) -> None:
        nature, trip, going = self._natures[crew.code], crew.trip, self._of(crew)
        try:
            if trip is None or going is None:
                self._rest(crew, nature, at)
                return
            if trip.tasking not in orders:
                if nature.heard(at) <= at:  # called off, and it hears of it now
                    self._end(crew, going, at)
                return
            said = going.says()
            due = [s for s in said[trip.told :] if s.heard <= at]
            fixes = list(going.fixes(trip.fixed, at))[:MOST_FIXES] if nature.heard(at) <= at else []
            if due or fixes:
                self._speak(crew, trip, due, fixes)
                trip.told += len(due)
                if fixes:
                    trip.fixed = fixes[-1][0]
            if not going.declines and going.arrives <= at:
                done.reached.append((trip.alert, crew.code, self._moment(going.arrives)))
            if trip.told == len(said):
                self._end(crew, going, at)
        except CordonError as wrong:  # it tries again with the next tick, as a phone does
            log.warning("%s of the exercise was not heard: %s", crew.code, wrong)

    def _end(self, crew: Crew, going: Going, at: float) -> None:
        where = going.where(at)
        if where is not None:
            crew.lat, crew.lon = where
        self._going.pop(crew.trip.tasking if crew.trip else "", None)
        crew.trip = None

    def _rest(self, crew: Crew, nature: Nature, at: float) -> None:
        """Tell, where there is signal, that a unit at rest cannot be sent, or can be again."""
        broken = nature.mended(at) > at
        if broken == crew.down or nature.heard(at) > at:
            return
        to = UnitState.UNAVAILABLE if broken else UnitState.READY
        place = Position(crew.lat, crew.lon)
        try:
            self._operations.set_unit_state(self._actor(crew), crew.unit, to, position=place)
        except Conflict:  # it was sent meanwhile: the order is answered first
            return
        crew.down = broken

    def _speak(
        self, crew: Crew, trip: Trip, due: Sequence[Said],
        fixes: Sequence[tuple[float, tuple[float, float]]],
    ) -> None:  # fmt: skip
        """Send what is due in one message of its phone."""
        actor = self._actor(crew)
        acts = [
            {
                "id": str(uuid5(NAMESPACE_OID, f"{self.id}|{crew.code}|{crew.acts + n}")),
                "number": crew.acts + n, "kind": "step", "tasking": trip.tasking,
                "at": self._shown(said.at), "offset_ms": 0,
                "to": said.to.value, "note": said.note,
                "position": None if said.where is None
                else {"lat": said.where[0], "lon": said.where[1]},
            }
            for n, said in enumerate(due, 1)
        ]  # fmt: skip
        told = [
            {
                "number": crew.fixes + n, "at": self._shown(at), "offset_ms": 0,
                "lat": lat, "lon": lon, "accuracy_m": ACCURACY_M,
            }
            for n, (at, (lat, lon)) in enumerate(fixes, 1)
        ]  # fmt: skip
        self._field.take(
            actor,
            {
                "phone": str(uuid5(NAMESPACE_OID, f"{self.id}|{crew.code}")), "officer": actor.id,
                "sent_at": format_time(beside(self._clock)), "acts": acts, "fixes": told,
            },
        )  # fmt: skip
        crew.acts += len(acts)
        crew.fixes += len(told)

    def _of(self, crew: Crew) -> Going | None:
        trip = crew.trip
        if trip is None:
            return None
        if trip.tasking not in self._going:
            nature = self._natures[crew.code]
            self._going[trip.tasking] = Going(nature, trip.way, trip.sent, trip.number)
        return self._going[trip.tasking]

    def _actor(self, crew: Crew) -> Actor:
        """Who a crew acts as: a field officer of that unit, whose id says that it is played."""
        return Actor(
            f"exercise:{crew.code.lower()}", f"Exercise crew {crew.code}", self._agency,
            crew.code.lower(), frozenset({Role.FIELD_OFFICER}), Mark.AMBER_STRICT,
        )  # fmt: skip

    def _shown(self, at: float) -> str:
        """What the clock of a crew's phone shows then: it is right, and not played."""
        return format_time(unplayed(self._clock, self._moment(at)))

    def _since(self, moment: datetime) -> float:
        return (moment - self.begins).total_seconds()

    def _moment(self, at: float) -> datetime:
        return self.begins + timedelta(seconds=at)


def watch_actor(agency: str) -> Actor:
    """Who the rule of a play acts as, and by whom its crews are told of their orders."""
    return Actor(
        "exercise:watch", "Exercise watch", agency, "exercise",
        frozenset({Role.WATCH_OFFICER}), Mark.AMBER_STRICT,
    )  # fmt: skip


def crew_of_unit(unit: Unit, nature: Nature) -> Crew:
    """The crew of a unit as a play begins: near where it was last reported, and still at sea or
    on land as its kind is, as far as the node's map tells."""
    assert unit.position is not None
    here = (unit.position.lat, unit.position.lon)
    metres, course = nature.strayed()
    there = geo.destination(*here, course, metres)
    if metres > 0 and passages(Position(*there), [(unit.kind, unit.position)])[0] is None:
        there = here
    return Crew(unit.id, unit.code, unit.kind.value, unit.speed_kn, *there)


def _sent(tasking: Tasking) -> datetime:
    """When an order went out."""
    sent = [s.at for s in tasking.steps if s.state is TaskingState.SENT]
    return sent[-1] if sent else tasking.sent_at
