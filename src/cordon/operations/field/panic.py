"""Calls for help from the field: an alert of their own, at once, until a person ends it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import select

from cordon.kernel import geo, leads
from cordon.kernel.access.model import Actor, Mark
from cordon.kernel.cards import load_card
from cordon.kernel.clock import Clock, beside
from cordon.kernel.errors import BadInput, NotFound
from cordon.kernel.events import Dispatcher, Event
from cordon.kernel.findings import Finding, Reason, RecordRef
from cordon.kernel.work import View, Work
from cordon.operations.field.base import PANIC, READ, FieldBase, NotYours
from cordon.operations.field.model import (
    Fix,
    Told,
    read_fix,
    read_id,
    read_offset,
    read_time,
    told_here,
)
from cordon.operations.field.tables import FieldPhoneRow, PanicRow
from cordon.operations.model import AlertState, Position
from cordon.operations.tables import AlertFindingRow, AlertRow

CARD = load_card(__file__)
PARAMETERS = CARD.values()


@dataclass(frozen=True, slots=True)
class Panic:
    """A call for help as pages see it.

    Attributes:
        state: `called` until somebody on watch has taken its alert up, then `answered`, then
            `ended` once its alert is closed.
        alert: id, None in the moment before the node has raised it.
        answered_at: when somebody said that they have seen it, or None where not known.
        others as in the table.
    """

    id: str
    officer: str
    unit: str
    pressed_at: datetime
    heard_at: datetime
    clock_wrong: bool
    place: Position | None
    accuracy_m: float | None
    position_at: datetime | None
    presses: int
    safe_at: datetime | None
    state: str
    alert: str | None
    answered_at: datetime | None


class Panics(FieldBase):
    """Takes calls for help; the node raises their alerts."""

    def subscribe(self, dispatcher: Dispatcher) -> None:
        """Be told of calls, so that the node itself raises the alert: after a crash too."""
        dispatcher.subscribe("operations.panics", {"operations.panic.heard"}, self.on_panic)

    def call(self, actor: Actor, message: Mapping[str, Any]) -> Panic:
        """Hear a call, the first time or again; the answer says whether it was taken up.

        Args:
            message: `id` and `phone` (UUIDs), `at` (when the button was held) and `sent_at`, both
                by the phone's clock, `offset_ms`, `fix` (as in a message of positions) or None,
                `safe`: the officer says that they are safe.

        Raises:
            NotYours: the call is another officer's. BadInput: it has no id, phone or time. A
            position that cannot be read holds up no call.
        """
        id_, phone = read_id(message.get("id")), read_id(message.get("phone"), "phone")
        now = self.kernel.clock.now()
        offset = beside(self.kernel.clock) - read_time(message.get("sent_at"), "sent_at")
        known = read_offset(message.get("offset_ms"))
        when = told_here(self.kernel.clock, read_time(message.get("at"), "at"), known, offset, now)
        fix, safe = _fix(message.get("fix")), message.get("safe") is True
        packed = orjson.dumps(
            {"panic": id_, "phone": phone, "officer": actor.id, "heard": now,
             "said": {k: message.get(k) for k in ("at", "sent_at", "offset_ms", "safe")},
             "fix": message.get("fix") if fix else None}, option=orjson.OPT_SORT_KEYS,
        )  # fmt: skip
        record = self.kernel.files.put(iter([packed])).sha256
        with self.kernel.work(actor) as work:
            held = self.phone_row(work, phone, make=True)
            row = work.session.get(PanicRow, id_, with_for_update=True)
            if row is None:
                row = self._new(work, held, id_, when, record)
                _place(self.kernel.clock, row, fix, offset, now)
                work.emit("operations.panic.heard", {"panic": id_}, Mark(row.mark))
            else:
                if row.officer != actor.id:
                    raise NotYours("The call is another officer's.", advice="Make one of your own.")
                work.permit(PANIC, row.thing())
                row.presses += 1
                row.records = [row.records[0], record]
                if _place(self.kernel.clock, row, fix, offset, now):
                    work.emit("operations.panic.heard", {"panic": id_}, Mark(row.mark))
            if safe and row.safe_at is None:
                row.safe_at = work.now
                work.act(PANIC, row.thing(), safe=True)
            work.session.flush()
            return _as_panic(work, row)

    def _new(self, work: Work, held: FieldPhoneRow, id_: str, when: Told, record: str) -> PanicRow:
        row = PanicRow(
            id=id_, agency=self.kernel.agency, mark=held.mark, created_at=work.now,
            phone=held.id, officer=work.actor.id, unit=work.actor.unit or "",
            pressed_at=when.at, clock_wrong=when.wrong, presses=1, records=[record],
        )  # fmt: skip
        work.act(PANIC, row.thing())
        work.session.add(row)
        work.session.flush()
        return row

    def on_panic(self, work: Work, event: Event) -> None:
        """Keep the finding of a call, or let it say where the phone is now."""
        row = work.session.get(PanicRow, str(event.payload["panic"]), with_for_update=True)
        if row is None:
            raise NotFound("A call for help was announced that nobody kept.")
        finding = _finding(row)
        leads.keep(work, [finding], {CARD.kind: CARD}, mark=Mark(row.mark))
        row.finding = finding.id

    def panics(self, actor: Actor) -> list[Panic]:
        """Calls whose alert is not closed, the oldest first, for the desk."""
        with self.kernel.view(actor) as view:
            rows = _open(view)
            return [_as_panic(view, row) for row in rows if view.may(READ, row.thing())]

    def mine(self, actor: Actor) -> Panic | None:
        """The officer's own newest call that is not ended, for the phone."""
        with self.kernel.view(actor) as view:
            own = [row for row in _open(view) if row.officer == actor.id]
            return _as_panic(view, own[-1]) if own else None


def _open(view: View) -> list[PanicRow]:
    speaks = (
        select(AlertFindingRow.finding)
        .join(AlertRow, AlertRow.id == AlertFindingRow.alert)
        .where(AlertRow.kind == CARD.kind, AlertRow.state == AlertState.CLOSED)
    )
    query = (
        select(PanicRow)
        .where(PanicRow.finding.is_(None) | PanicRow.finding.not_in(speaks))
        .order_by(PanicRow.created_at, PanicRow.id)
    )
    return list(view.session.scalars(query))


def _as_panic(view: View, row: PanicRow) -> Panic:
    alert = view.session.scalar(
        select(AlertRow)
        .join(AlertFindingRow, AlertFindingRow.alert == AlertRow.id)
        .where(AlertFindingRow.finding == row.finding)
    )
    state = "called"
    if alert is not None and alert.state != AlertState.OPEN:
        state = "ended" if alert.state == AlertState.CLOSED else "answered"
    place = None if row.lat is None or row.lon is None else Position(row.lat, row.lon)
    return Panic(
        row.id, row.officer, row.unit, row.pressed_at, row.created_at, row.clock_wrong, place,
        row.accuracy_m, row.position_at, row.presses, row.safe_at, state,
        alert.id if alert is not None else None,
        alert.acknowledged_at if alert is not None else None,
    )  # fmt: skip


def _fix(raw: object) -> Fix | None:
    try:
        return read_fix(raw) if raw is not None else None
    except BadInput:
        return None


def _place(clock: Clock, row: PanicRow, fix: Fix | None, offset: Any, now: datetime) -> bool:
    """Take a newer position; whether there was one."""
    if fix is None:
        return False
    at = told_here(clock, fix.said_at, fix.offset, offset, now).at
    if row.position_at is not None and at <= row.position_at:
        return False
    row.lat, row.lon, row.accuracy_m = fix.position.lat, fix.position.lon, fix.accuracy_m
    row.position_at = at
    return True


def _finding(row: PanicRow) -> Finding:
    late_s = max(0.0, (row.created_at - row.pressed_at).total_seconds())
    says = f"{row.unit.upper() or 'An officer'} held the panic button."
    if row.position_at is not None:
        old = max(0.0, (row.position_at - row.pressed_at).total_seconds())
        says += f" The position was taken {old:.0f} s after it was held."
    else:
        says += " The phone gave no position."
    reasons = [Reason("hold_s", PARAMETERS["hold_s"], "s", PARAMETERS["hold_s"], says)]
    if late_s >= PARAMETERS["repeat_s"]:
        reasons.append(
            Reason("late", round(late_s), "s", None, "The phone had no way to the node so long.")
        )
    if row.clock_wrong:
        reasons.append(Reason("clock", 1.0, "1", None, "The phone's clock was wrong."))
    subjects = [f"panic:{row.id}", *([f"unit:{row.unit}"] if row.unit else [])]
    return Finding.make(
        kind=CARD.kind, subjects=subjects, start=row.pressed_at,
        end=max(row.pressed_at, row.position_at or row.pressed_at), confidence=1.0,
        reasons=reasons, records=[RecordRef(sha256, 1) for sha256 in row.records],
        detector=CARD.name, version=CARD.version,
        place=geo.point(row.lat, row.lon)
        if row.lat is not None and row.lon is not None
        else None,
        radius_m=row.accuracy_m,
    )  # fmt: skip
