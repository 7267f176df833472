"""What the room's services share: its kernel and rules, rows by id, and rows as values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from cordon.kernel.access.model import Actor, Mark, Thing
from cordon.kernel.cards import Card
from cordon.kernel.errors import BadInput, NotFound
from cordon.kernel.leads import LeadRules
from cordon.kernel.work import Kernel, View, Work
from cordon.operations.model import (
    Alert,
    AlertState,
    Position,
    Step,
    Tasking,
    TaskingState,
    Unit,
    UnitKind,
    UnitState,
)
from cordon.operations.people import names
from cordon.operations.tables import (
    AlertRow,
    AlertSubjectRow,
    TaskingRow,
    TaskingStepRow,
    UnitRow,
)
from cordon.operations.triage.rules import TriageRules, builtin
from cordon.operations.triage.score import MOST, Blind, Seen

SHORTEST_NOTE = 10  # characters, as for closing: a word explains nothing in a year
LONGEST_TEXT = 4000


class CaseOpener(Protocol):
    """What this room needs of the cases: that one can be opened in the same transaction."""

    def open_case(
        self,
        work: Work,
        *,
        title: str,
        finding_ids: Sequence[str],
        alert_ids: Sequence[str],
        seriousness: str,
        lead_officer: str,
        mark: Mark,
    ) -> str:
        """Open a case with these findings and alerts linked to it; return its id."""
        ...


class RoomBase:
    """What every part of the room stands on.

    Args:
        rules: what may be closed alone. cases: where a case is opened.
        cards: detectors' cards by kind of finding, for the alert's page.
        triage: rules of the queue; the built-in ones where None. seen: the node's picture.
        roads: file in which the node keeps the roads it was given, or None.
    """

    def __init__(
        self,
        kernel: Kernel,
        rules: LeadRules,
        cases: CaseOpener,
        cards: Mapping[str, Card] = MappingProxyType({}),
        *,
        triage: TriageRules | None = None,
        seen: Seen | None = None,
        roads: Path | None = None,
    ) -> None:
        self.kernel = kernel
        self.rules = rules
        self.cases = cases
        self.cards = cards
        self.triage = triage or builtin()
        self.seen: Seen = seen or Blind()
        self.roads = roads

    def may(self, actor: Actor, act: str, thing: Thing | None = None) -> bool:
        """Whether the gate would let an act pass; nothing is recorded. For what a page offers."""
        asked = thing or Thing.room("operations", self.kernel.agency)
        return self.kernel.gate.decide(actor, act, asked).allowed

    def names(self, ids: Iterable[str | None]) -> dict[str, str]:
        """Names of officers by id, for pages."""
        with self.kernel.rows.read() as session:
            return names(session, ids)

    def marks(self, view: View, act: str, type_: str) -> list[str]:
        """Handling marks of this agency's things of a type that the actor may act on.

        Asked of the gate once a mark, so that the database can leave the others out.
        """
        agency = self.kernel.agency
        return [m.value for m in Mark if view.may(act, Thing(type_, "-", agency, m))]

    def marks_of_unit(self, view: View, act: str, type_: str) -> list[str]:
        """The same for things that the actor's own unit holds."""
        agency, unit = self.kernel.agency, view.actor.unit
        return [m.value for m in Mark if view.may(act, Thing(type_, "-", agency, m, unit=unit))]


def alert_row(session: Session, id_: str, *, lock: bool = False) -> AlertRow:
    """An alert's row; NotFound.

    Args:
        lock: hold it and all that stands with it until the transaction ends, as they are now.
    """
    row = session.get(AlertRow, id_)
    if row is None:
        raise NotFound("There is no such alert.", advice="Go back to the queue.")
    if lock:
        _lock_group(session, row)
    return row


def _lock_group(session: Session, row: AlertRow) -> None:
    """Lock the one in front first, then the rest by id: the same order in every act.

    So two officers who act on one group at once wait one for the other, never each for both.
    """
    front = ""
    while front != row.stands_with:  # who was in front may have been closed while this waited
        front = row.stands_with
        session.get(AlertRow, front, with_for_update=True, populate_existing=True)
        session.refresh(row)
    rest = (
        select(AlertRow)
        .where(AlertRow.stands_with == front, AlertRow.id != front)
        .where((AlertRow.state != AlertState.CLOSED) | (AlertRow.id == row.id))
        .order_by(AlertRow.id)
        .with_for_update()
    )
    session.scalars(rest.execution_options(populate_existing=True)).all()


def tasking_row(session: Session, id_: str, *, lock: bool = False) -> TaskingRow:
    """A tasking's row, locked and as it is now where asked; NotFound."""
    row = session.get(
        TaskingRow, id_, with_for_update=True if lock else None, populate_existing=lock
    )
    if row is None:
        raise NotFound("There is no such tasking.", advice="Go back to the list.")
    return row


def unit_row(session: Session, id_: str, *, lock: bool = False) -> UnitRow:
    """A unit's row, locked and as it is now where asked; NotFound."""
    row = session.get(UnitRow, id_, with_for_update=True if lock else None, populate_existing=lock)
    if row is None:
        raise NotFound("There is no such unit.", advice="Choose one of the list.")
    return row


def as_alerts(session: Session, rows: Sequence[AlertRow]) -> list[Alert]:
    """Alerts with their subjects, in the order given; one query for all subjects."""
    subjects: dict[str, list[str]] = {row.id: [] for row in rows}
    if rows:
        for name, alert in session.execute(
            select(AlertSubjectRow.subject, AlertSubjectRow.alert).where(
                AlertSubjectRow.alert.in_(subjects)
            )
        ):
            subjects[alert].append(name)
    return [_as_alert(row, tuple(sorted(subjects[row.id]))) for row in rows]


def as_alert(session: Session, row: AlertRow) -> Alert:
    """One alert with its subjects."""
    return as_alerts(session, [row])[0]


def _as_alert(row: AlertRow, subjects: tuple[str, ...]) -> Alert:
    return Alert(
        id=row.id,
        agency=row.agency,
        mark=Mark(row.mark),
        finding=row.finding,
        kind=row.kind,
        title=row.title,
        seriousness=row.seriousness,
        place=_position(row.lat, row.lon),
        radius_m=row.radius_m,
        subjects=subjects,
        starts=row.starts,
        ends=row.ends,
        opened_at=row.created_at,
        due_at=row.due_at,
        state=AlertState(row.state),
        assignee=row.assignee,
        unit=row.unit,
        case=row.case,
        stands_with=row.stands_with,
        alike=row.alike,
        acknowledged_by=row.acknowledged_by,
        acknowledged_at=row.acknowledged_at,
        withdrawn_at=row.withdrawn_at,
        score=round(MOST - row.behind, 1),
        parts=row.parts or {},
        act_by=row.act_by,
        level=row.level,
        escalate_at=row.escalate_at,
    )


def as_unit(row: UnitRow) -> Unit:
    """A unit's row as a value."""
    return Unit(
        id=row.id,
        agency=row.agency,
        mark=Mark(row.mark),
        code=row.code,
        name=row.name,
        kind=UnitKind(row.kind),
        sector=row.sector,
        state=UnitState(row.state),
        speed_kn=row.speed_kn,
        contact=row.contact,
        position=_position(row.lat, row.lon),
        position_at=row.position_at,
        tasking=row.tasking,
    )


def as_taskings(session: Session, rows: Sequence[TaskingRow]) -> list[Tasking]:
    """Taskings with their steps and their alerts' titles, in the order given."""
    steps: dict[str, list[Step]] = {row.id: [] for row in rows}
    of: dict[str, AlertRow] = {}
    if rows:
        for step in session.scalars(
            select(TaskingStepRow)
            .where(TaskingStepRow.tasking.in_(steps))
            .order_by(TaskingStepRow.tasking, TaskingStepRow.number)
        ):
            steps[step.tasking].append(_as_step(step))
        alerts = session.scalars(select(AlertRow).where(AlertRow.id.in_({r.alert for r in rows})))
        of = {alert.id: alert for alert in alerts}
    return [
        Tasking(
            id=row.id,
            agency=row.agency,
            mark=Mark(row.mark),
            alert=row.alert,
            alert_title=of[row.alert].title,
            withdrawn_at=of[row.alert].withdrawn_at,
            unit=row.unit,
            unit_code=row.unit_code,
            order=row.order,
            state=TaskingState(row.state),
            sent_at=row.created_at,
            sent_by=row.sent_by,
            steps=tuple(steps[row.id]),
            report=row.report,
        )
        for row in rows
    ]


def _as_step(row: TaskingStepRow) -> Step:
    return Step(TaskingState(row.state), row.at, row.by, row.note, _position(row.lat, row.lon))


def _position(lat: float | None, lon: float | None) -> Position | None:
    return None if lat is None or lon is None else Position(lat, lon)


def position_of(lat: str, lon: str) -> Position | None:
    """A position as it was typed, in degrees; None where both fields are empty."""
    if not lat.strip() and not lon.strip():
        return None
    try:
        return Position(float(lat), float(lon))
    except ValueError:
        raise BadInput(
            "That is no position.", advice="Give both in degrees, like 25.05 and 63.45."
        ) from None


def tell(work: Work, row: AlertRow, what: str, **more: str) -> None:
    """Tell others that something was done to an alert; the kind says whom it concerns.

    Args:
        what: end of the topic (`acknowledged`).
    """
    payload = {"alert": row.id, "kind": row.kind, **more}
    work.emit(f"operations.alert.{what}", payload, Mark(row.mark))


def one_of(values: Iterable[str], text: str, what: str) -> str:
    """The text where it is one of the values; BadInput that lists them otherwise."""
    known = list(values)
    if text not in known:
        raise BadInput(f"“{text[:40]}” is no {what}.", advice=f"Use one of {', '.join(known)}.")
    return text


def written(text: str, what: str, *, least: int = 1, most: int = LONGEST_TEXT) -> str:
    """Text that somebody typed, without the spaces around it; BadInput where it says nothing.

    Args:
        what: how the field is called in the message (`The order`).
        least, most: characters.
    """
    clean = text.strip()
    if len(clean) < least:
        raise BadInput(f"{what} has {len(clean)} characters.", advice=f"Write at least {least}.")
    if len(clean) > most:
        raise BadInput(f"{what} has {len(clean)} characters.", advice=f"Keep it under {most}.")
    return clean
