"""Words of the room: an alert that must be answered, a unit that can go, a tasking that sends it.

What may follow what stands here as data (`ALERT_MOVES`, `TASKING_MOVES`); the services only
read it, so that a reader sees the whole of it in one place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from cordon.kernel.access.model import Mark, Thing
from cordon.kernel.errors import BadInput, Conflict
from cordon.kernel.findings import Reason

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{1,31}")
FASTEST_KN = 1000.0  # a jet; a speed above it is a slip of the pen


class AlertState(StrEnum):
    """Where an alert stands."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"  # somebody on watch has said: I have seen it
    ASSIGNED = "assigned"  # one officer has it
    ANSWERED = "answered"  # a unit took the order, or a case was opened from it
    CLOSING = "closing"  # it waits for the second officer
    CLOSED = "closed"


class UnitKind(StrEnum):
    """How a unit moves."""

    BOAT = "boat"
    VEHICLE = "vehicle"
    FOOT = "foot"
    AIRCRAFT = "aircraft"


class UnitState(StrEnum):
    """Whether a unit can be sent."""

    READY = "ready"
    TASKED = "tasked"
    UNAVAILABLE = "unavailable"


class TaskingState(StrEnum):
    """Where a tasking stands."""

    DRAFTED = "drafted"
    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"  # the unit has the order and goes
    MOVING = "moving"
    ON_SCENE = "on_scene"
    DONE = "done"
    DECLINED = "declined"  # by the unit
    CANCELLED = "cancelled"  # by the watch


A, T = AlertState, TaskingState

ALERT_MOVES: Mapping[AlertState, tuple[AlertState, ...]] = MappingProxyType(
    {
        A.OPEN: (A.ACKNOWLEDGED, A.ASSIGNED, A.ANSWERED, A.CLOSING, A.CLOSED),
        # open again where every unit that was sent declined or was called off
        A.ACKNOWLEDGED: (A.OPEN, A.ASSIGNED, A.ANSWERED, A.CLOSING, A.CLOSED),
        # open again where whoever comes on watch may not see it
        A.ASSIGNED: (A.ASSIGNED, A.OPEN, A.ACKNOWLEDGED, A.ANSWERED, A.CLOSING, A.CLOSED),
        # back again for the same cause: with its officer, or with a unit that has not said yet
        A.ANSWERED: (A.OPEN, A.ASSIGNED, A.ACKNOWLEDGED, A.CLOSING, A.CLOSED),
        # back again where the second officer declined
        A.CLOSING: (A.OPEN, A.ASSIGNED, A.CLOSED),
        A.CLOSED: (),
    }
)

TASKING_MOVES: Mapping[TaskingState, tuple[TaskingState, ...]] = MappingProxyType(
    {
        T.DRAFTED: (T.SENT, T.CANCELLED),
        T.SENT: (T.ACKNOWLEDGED, T.DECLINED, T.CANCELLED),
        # a unit that lies alongside already is on scene without moving
        T.ACKNOWLEDGED: (T.MOVING, T.ON_SCENE, T.DECLINED, T.CANCELLED),
        T.MOVING: (T.ON_SCENE, T.CANCELLED),
        T.ON_SCENE: (T.DONE, T.CANCELLED),
        T.DONE: (),
        T.DECLINED: (),
        T.CANCELLED: (),
    }
)

UNANSWERED = (A.OPEN, A.ACKNOWLEDGED, A.ASSIGNED)
UNDER_WAY = (T.SENT, T.ACKNOWLEDGED, T.MOVING, T.ON_SCENE)
ENDED = (T.DONE, T.DECLINED, T.CANCELLED)
TAKEN_ON = (T.ACKNOWLEDGED, T.MOVING, T.ON_SCENE, T.DONE)

del A, T


def crew_of(code: str) -> str:
    """Code of the agency's unit whose officers man a unit that can be sent.

    It is the same code as the agency writes its units, in lower case: PB-07 is manned by pb-07.
    """
    return code.lower()


@dataclass(frozen=True, slots=True)
class Position:
    """A place on the earth: degrees, WGS 84."""

    lat: float
    lon: float

    def __post_init__(self) -> None:
        if not (-90.0 <= self.lat <= 90.0 and -180.0 <= self.lon <= 180.0):
            raise BadInput(
                "That is no position.", advice="Latitude is -90 to 90, longitude -180 to 180."
            )


@dataclass(frozen=True, slots=True)
class Alert:
    """A finding that somebody must answer now.

    Attributes:
        id, agency, mark: UUIDv7, the agency's code, the finding's handling mark.
        finding: id of the finding. kind, title, seriousness: as the detector's card has them.
        place: a point in the finding's place, or None; radius_m: its uncertainty, or None.
        subjects: sorted `type:id`; personal ones are masked before they are shown.
        starts, ends: span of the behaviour itself (UTC).
        opened_at, due_at: when it was raised, and until when it must be answered.
        assignee: id of the officer who has it. unit: code of the unit sent last.
        case: id of the case opened from it. stands_with: id of the alert under which it stands
            in the queue, its own where it stands for itself.
        alike: how many others stand with it that are not closed.
        acknowledged_by, acknowledged_at: who said first that it was seen, and when.
        withdrawn_at: when its detector took its finding back; None where it holds.
        score: points by which it stands in the queue. parts: how they come about: `points` by
            part, `because` (of what its time ends), `weight` and `where` of its place.
        act_by: until when one can act on it, as far as that can be told.
        level: how often it was escalated. escalate_at: when it is next, unless it is seen.
    """

    id: str
    agency: str
    mark: Mark
    finding: str
    kind: str
    title: str
    seriousness: str
    place: Position | None
    radius_m: float | None
    subjects: tuple[str, ...]
    starts: datetime
    ends: datetime
    opened_at: datetime
    due_at: datetime
    state: AlertState
    assignee: str | None
    unit: str | None
    case: str | None
    stands_with: str
    alike: int
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = None
    withdrawn_at: datetime | None = None
    score: float = 0.0
    parts: Mapping[str, Any] = field(default_factory=dict)
    act_by: datetime | None = None
    level: int = 0
    escalate_at: datetime | None = None

    def thing(self) -> Thing:
        """The alert as policies see it."""
        return Thing("alert", self.id, self.agency, self.mark)

    @property
    def taken_back(self) -> bool:
        """True where its detector took it back and nothing stands under it: nothing is due."""
        return self.withdrawn_at is not None and not self.alike

    def overdue(self, now: datetime) -> bool:
        """True where nobody has answered it in its time."""
        return self.state in UNANSWERED and not self.taken_back and now > self.due_at


@dataclass(frozen=True, slots=True)
class Unit:
    """A boat, vehicle, foot patrol or aircraft that can be sent.

    Attributes:
        code: `PB-07`, unique in the agency; field officers serve under it.
        speed_kn: its usual speed on the way to a call. position_at: when it reported `position`.
        contact: how it is reached (a radio channel, a duty telephone).
        tasking: id of the tasking it is on, where its state is `tasked`.
    """

    id: str
    agency: str
    mark: Mark
    code: str
    name: str
    kind: UnitKind
    sector: str
    state: UnitState
    speed_kn: float
    contact: str
    position: Position | None = None
    position_at: datetime | None = None
    tasking: str | None = None

    def thing(self) -> Thing:
        """The unit as policies see it."""
        return Thing("unit", self.id, self.agency, self.mark, unit=crew_of(self.code))


@dataclass(frozen=True, slots=True)
class Step:
    """One state of a tasking: when it came to it, who said so, and what they wrote."""

    state: TaskingState
    at: datetime
    by: str
    note: str = ""
    position: Position | None = None


@dataclass(frozen=True, slots=True)
class Tasking:
    """An order to a unit to answer an alert.

    Attributes:
        alert, unit: ids. unit_code: `PB-07`. order: what the unit is to do, in words.
        steps: every state it has been in, the first first. report: what the unit found.
        withdrawn_at: when the detector took back what it was sent for; None where that holds.
    """

    id: str
    agency: str
    mark: Mark
    alert: str
    alert_title: str
    unit: str
    unit_code: str
    order: str
    state: TaskingState
    sent_at: datetime
    sent_by: str
    steps: tuple[Step, ...] = ()
    report: str = ""
    withdrawn_at: datetime | None = None

    def thing(self) -> Thing:
        """The tasking as policies see it: held by the unit that it is for."""
        return Thing("tasking", self.id, self.agency, self.mark, unit=crew_of(self.unit_code))


@dataclass(frozen=True, slots=True)
class Statement:
    """What a unit can do, as somebody said at a moment.

    Attributes:
        said_at, said_by: when (UTC), and the officer's id.
        crew: people aboard. range_nm: how far it can still go with its fuel (nautical miles).
        equipment, acts: ids of `ranking/means.yaml`. Each of these may be left out: None, empty.
    """

    unit: str
    said_at: datetime
    said_by: str
    crew: int | None = None
    range_nm: float | None = None
    equipment: tuple[str, ...] = ()
    acts: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Meeting:
    """Where a unit meets a target that keeps its course and speed.

    Attributes:
        course_deg: to steer (true). takes: from now. place: where they meet.
        clear: True where neither straight leg crosses land of the map, None where that was not
            looked at (the map does not reach, or an aircraft flies).
    """

    course_deg: float
    takes: timedelta
    place: Position
    clear: bool | None


class Way(StrEnum):
    """How the way of a unit to a place was measured."""

    SEA = "sea route"
    ROAD = "road"
    LINE = "straight line"
    CIRCLE = "great circle"


@dataclass(frozen=True, slots=True)
class Choice:
    """A ready unit as one may send it to a place.

    Attributes:
        distance_m: way from the unit's last position to the place; None where either is not
            known, or there is none. bearing_deg: of the straight line, or None.
        takes: that way at the unit's usual speed, or None.
        declined: True where it has declined this alert already.
        way: how it was measured. reasons: the numbers behind its rank.
        added: what marks it down, as time. cannot: True where it cannot reach the place, or
            cannot come back from it with its fuel. said: what the unit said of itself last.
        meets: where it would meet the alert's subject, where that moves.
    """

    unit: Unit
    distance_m: float | None
    bearing_deg: float | None
    takes: timedelta | None
    declined: bool = False
    way: Way = Way.LINE
    reasons: tuple[Reason, ...] = ()
    added: timedelta = timedelta(0)
    cannot: bool = False
    said: Statement | None = None
    meets: Meeting | None = None


def check_alert_move(at: AlertState, to: AlertState) -> None:
    """Raise Conflict, saying what is allowed, where an alert cannot come to a state."""
    if to not in ALERT_MOVES[at]:
        raise Conflict(f"The alert is {words(at)}; it cannot become {words(to)}. {_allowed(at)}")


def check_tasking_move(at: TaskingState, to: TaskingState) -> None:
    """Raise Conflict, saying what is allowed, where a tasking cannot come to a state."""
    if to not in TASKING_MOVES[at]:
        raise Conflict(f"The tasking is {words(at)}; it cannot become {words(to)}. {_allowed(at)}")


def _allowed(at: AlertState | TaskingState) -> str:
    moves = ALERT_MOVES[at] if isinstance(at, AlertState) else TASKING_MOVES[at]
    if not moves:
        return "It has ended: nothing follows."
    return "Allowed now: " + ", ".join(words(m) for m in moves) + "."


def words(state: StrEnum) -> str:
    """A state as one says it (`on scene`)."""
    return state.value.replace("_", " ")


def check_code(text: str) -> str:
    """A unit's code, or BadInput."""
    code = text.strip()
    if not _CODE.fullmatch(code):
        raise BadInput(
            f"“{text[:40]}” is no code of a unit.",
            advice="Write 2 to 32 letters, digits and hyphens, like PB-07.",
        )
    return code


def check_speed(value: float) -> float:
    """A unit's speed (kn), or BadInput."""
    if not 0 < value <= FASTEST_KN:
        raise BadInput(
            "That is no speed of a unit.", advice=f"Give knots, above 0 and up to {FASTEST_KN:g}."
        )
    return value
