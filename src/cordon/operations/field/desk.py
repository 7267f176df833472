"""The desk of phones: what a phone is told, and what people at both ends read and settle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from cordon.kernel.access.model import Actor, Mark, Thing
from cordon.kernel.errors import Conflict, NotFound
from cordon.operations.base import SHORTEST_NOTE, tasking_row, written
from cordon.operations.field.base import READ, SETTLE, SETTLED, seen_values
from cordon.operations.field.forms import forms
from cordon.operations.field.model import CLOCK_LIMIT, Outcome
from cordon.operations.field.panic import Panics
from cordon.operations.field.photos import TASKING, Photos
from cordon.operations.field.tables import FieldActRow, FieldFixRow, FieldPhoneRow
from cordon.operations.field.taking import Taking
from cordon.operations.model import UNDER_WAY, Position, Tasking, crew_of
from cordon.operations.tables import AlertRow

OPEN = (Outcome.CONFLICT, Outcome.REFUSED)
SETTLED_FOR = timedelta(days=7)  # so long a phone still shows what the watch wrote
MOST_SHOWN = 200


@dataclass(frozen=True, slots=True)
class ActView:
    """An act as people read it. Attributes as in the table; `values` of a form with its labels."""

    id: str
    mark: Mark
    phone: str
    officer: str
    unit: str
    number: int
    missing: int
    kind: str
    tasking: str | None
    said_at: datetime
    at: datetime
    came_at: datetime
    offset: timedelta
    clock_wrong: bool
    place: Position | None
    body: Mapping[str, Any]
    outcome: str
    why: str
    settled_at: datetime | None
    settled_by: str | None
    settled_note: str | None

    def values(self, lang: str) -> list[tuple[str, str, Any]]:
        """Label, type and value of each field of a form, in a language; numbers of persons out."""
        form = forms().get(str(self.body.get("form", "")))
        given = self.body.get("values")
        if form is None or not isinstance(given, Mapping):
            return []
        told = []
        for field in form.fields:
            if field.name not in given:
                continue
            value = given[field.name]
            if field.type == "choice" and value in field.choices:
                value = field.choices[value].get(lang, value)
            told.append((field.label.get(lang, field.name), field.type, seen_values(value)))
        return told

    def title(self, lang: str) -> str:
        """What a form is called; nothing for another act."""
        form = forms().get(str(self.body.get("form", "")))
        return form.title.get(lang, form.name) if form else ""


@dataclass(frozen=True, slots=True)
class PhoneView:
    """A phone as the desk sees it; `offset` is how far its clock is behind the node's."""

    id: str
    officer: str
    unit: str
    seen_at: datetime
    offset: timedelta
    clock_wrong: bool
    place: Position | None
    accuracy_m: float | None
    fix_at: datetime | None


class FieldDesk(Taking, Photos, Panics):
    """Everything of the phones, in one class made of its parts."""

    def own_taskings(self, actor: Actor) -> list[tuple[Tasking, str, Position | None]]:
        """Taskings under way of the officer's own unit, with how grave and where.

        Where a unit is sent belongs to its order: the place of the alert, not what it says of
        anybody.
        """
        if not actor.unit:
            return []
        found = [
            t
            for t in self.room.taskings(actor, states=UNDER_WAY, at_most=MOST_SHOWN)
            if crew_of(t.unit_code) == actor.unit
        ]
        with self.kernel.view(actor) as view:
            return [(t, *_of_alert(view.session, t.alert)) for t in found]

    def own_open(self, actor: Actor) -> list[ActView]:
        """The officer's acts that could not be done: not settled yet, or settled of late."""
        with self.kernel.view(actor) as view:
            rows = view.session.scalars(
                select(FieldActRow)
                .where(FieldActRow.officer == actor.id, FieldActRow.outcome.in_(OPEN))
                .where(
                    FieldActRow.settled_at.is_(None)
                    | (FieldActRow.settled_at > view.now - SETTLED_FOR)
                )
                .order_by(FieldActRow.created_at.desc(), FieldActRow.number.desc())
                .limit(MOST_SHOWN)
            )
            return [_act(row) for row in rows]

    def waiting(self, actor: Actor) -> list[ActView]:
        """Acts that nobody has settled yet, the oldest first."""
        with self.kernel.view(actor) as view:
            rows = view.session.scalars(
                select(FieldActRow)
                .where(FieldActRow.outcome.in_(OPEN), FieldActRow.settled_at.is_(None))
                .where(FieldActRow.mark.in_(self._marks(actor)))
                .order_by(FieldActRow.created_at, FieldActRow.number)
                .limit(MOST_SHOWN)
            )
            return [_act(row) for row in rows]

    def acts(self, actor: Actor, tasking: str) -> list[ActView]:
        """What phones said of one tasking, as it came."""
        with self.kernel.view(actor) as view:
            view.permit(TASKING, tasking_row(view.session, tasking).thing())
            rows = view.session.scalars(
                select(FieldActRow)
                .where(FieldActRow.tasking == tasking)
                .order_by(FieldActRow.created_at, FieldActRow.number)
                .limit(MOST_SHOWN)
            )
            return [_act(row) for row in rows]

    def phones(self, actor: Actor) -> list[PhoneView]:
        """Phones, those heard last first."""
        with self.kernel.view(actor) as view:
            rows = view.session.scalars(
                select(FieldPhoneRow).order_by(FieldPhoneRow.seen_at.desc()).limit(MOST_SHOWN)
            )
            return [_phone(row) for row in rows if view.may(READ, row.thing())]

    def track(self, actor: Actor, phone: str, *, at_most: int = 500) -> list[FieldFixRow]:
        """The newest positions of a phone, the oldest of them first; times by the node's clock."""
        with self.kernel.view(actor) as view:
            row = view.session.get(FieldPhoneRow, phone)
            if row is None:
                raise NotFound("There is no such phone.", advice="Go back to the list.")
            view.permit(READ, row.thing())
            newest = view.session.scalars(
                select(FieldFixRow)
                .where(FieldFixRow.phone == phone)
                .order_by(FieldFixRow.number.desc())
                .limit(at_most)
            ).all()
            return list(reversed(newest))

    def settle(self, actor: Actor, act: str, note: str) -> None:
        """Say what became of an act that could not be done; the phone is told.

        Raises:
            BadInput: the note says too little. Conflict: somebody settled it first.
        """
        note = written(note, "The note", least=SHORTEST_NOTE, most=1000)
        with self.kernel.work(actor) as work:
            row = work.session.get(FieldActRow, act, with_for_update=True)
            if row is None or row.outcome not in OPEN:
                raise NotFound("There is no such act.", advice="Go back to the list.")
            work.act(SETTLE, row.thing(), outcome=row.outcome, tasking=row.tasking)
            if row.settled_at is not None:
                raise Conflict("Somebody settled it already.", advice="Load the page anew.")
            row.settled_at, row.settled_by, row.settled_note = work.now, actor.id, note
            work.emit(SETTLED, {"act": act, "officer": row.officer}, Mark(row.mark))

    def _marks(self, actor: Actor) -> Sequence[str]:
        agency = self.kernel.agency
        return [m.value for m in Mark if self.may(actor, READ, Thing("act", "-", agency, m))]


def _of_alert(session: Session, alert: str) -> tuple[str, Position | None]:
    row = session.get_one(AlertRow, alert)
    place = None if row.lat is None or row.lon is None else Position(row.lat, row.lon)
    return row.seriousness, place


def _act(row: FieldActRow) -> ActView:
    place = None if row.lat is None or row.lon is None else Position(row.lat, row.lon)
    return ActView(
        row.id, Mark(row.mark), row.phone, row.officer, row.unit, row.number, row.missing,
        row.kind, row.tasking, row.said_at, row.at, row.created_at,
        timedelta(milliseconds=row.offset_ms), row.clock_wrong, place, row.body, row.outcome,
        row.why, row.settled_at, row.settled_by, row.settled_note,
    )  # fmt: skip


def _phone(row: FieldPhoneRow) -> PhoneView:
    offset = timedelta(milliseconds=row.offset_ms)
    place = None if row.lat is None or row.lon is None else Position(row.lat, row.lon)
    return PhoneView(
        row.id, row.officer, row.unit, row.seen_at, offset, abs(offset) > CLOCK_LIMIT, place,
        row.accuracy_m, row.fix_at,
    )  # fmt: skip
