"""Sending units and following how far they have come."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_, select

from cordon.kernel.access.model import Actor, Mark
from cordon.kernel.clock import format_time
from cordon.kernel.errors import Conflict
from cordon.kernel.ids import new_id
from cordon.kernel.work import View, Work
from cordon.operations.alerts import answer, open_again, seen_by_sending, taken_on, unanswer
from cordon.operations.base import (
    SHORTEST_NOTE,
    RoomBase,
    alert_row,
    as_taskings,
    tasking_row,
    unit_row,
    written,
)
from cordon.operations.model import (
    ENDED,
    TAKEN_ON,
    TASKING_MOVES,
    AlertState,
    Position,
    Tasking,
    TaskingState,
    UnitState,
    check_alert_move,
    check_tasking_move,
)
from cordon.operations.people import TakenFirst
from cordon.operations.tables import AlertRow, TaskingRow, TaskingStepRow, UnitRow

VIEW, SEND = "operations.tasking.view", "operations.tasking.send"
REPORT, CANCEL = "operations.tasking.report", "operations.tasking.cancel"
NEEDS_WORDS = (TaskingState.DONE, TaskingState.DECLINED, TaskingState.CANCELLED)


class Taskings(RoomBase):
    """Taskings: one unit, one order, one alert. Rows are locked in one order, so that two officers
    never wait for each other: alert (with its group, see `alert_row`), tasking, unit."""

    def send(self, actor: Actor, alert: str, unit: str, order: str) -> Tasking:
        """Draft an order and send it. Of two who send one unit at once, one gets it.

        Args:
            unit: the unit's id. order: what it is to do.

        Raises:
            Conflict: the unit is not ready (who sent it, and when), or the alert is closed.
        """
        order = written(order, "The order", least=SHORTEST_NOTE)
        with self.kernel.work(actor) as work:
            row = alert_row(work.session, alert, lock=True)
            work.permit("operations.tasking.send", row.thing())
            if row.state != AlertState.ANSWERED:
                check_alert_move(AlertState(row.state), AlertState.ANSWERED)
            held = unit_row(work.session, unit, lock=True)
            work.permit("operations.unit.view", held.thing())
            _check_ready(work, held)
            tasking = TaskingRow(
                id=new_id(),
                agency=row.agency,
                mark=row.mark,
                created_at=work.now,
                alert=row.id,
                unit=held.id,
                unit_code=held.code,
                order=order,
                state=TaskingState.SENT,
                sent_by=actor.id,
                report="",
            )
            work.session.add(tasking)
            work.session.flush()
            for number, state in enumerate((TaskingState.DRAFTED, TaskingState.SENT)):
                work.session.add(
                    TaskingStepRow(
                        tasking=tasking.id, number=number, state=state, at=work.now, by=actor.id
                    )
                )
            held.state, held.tasking = UnitState.TASKED, tasking.id
            work.act("operations.tasking.send", row.thing(), unit=held.code, tasking=tasking.id)
            row.unit = held.code
            seen_by_sending(work, row)
            work.emit(
                "operations.tasking.sent",
                {"tasking": tasking.id, "alert": row.id, "unit": held.code},
                Mark(row.mark),
            )
            work.session.flush()
            return as_taskings(work.session, [tasking])[0]

    def report(
        self,
        actor: Actor,
        id_: str,
        to: TaskingState,
        *,
        note: str = "",
        position: Position | None = None,
    ) -> Tasking:
        """Say how far the unit has come; a report sent twice by one officer counts once.

        Args:
            note: what the unit found (done), or why (declined, cancelled): required there.
            position: where the unit is now, which becomes the unit's own.

        Raises:
            Conflict: the tasking cannot go there now; the message says where it can.
        """
        with self.kernel.work(actor) as work:
            return self.report_in(work, id_, to, note=note, position=position)

    def report_in(
        self,
        work: Work,
        id_: str,
        to: TaskingState,
        *,
        note: str = "",
        position: Position | None = None,
        at: datetime | None = None,
    ) -> Tasking:
        """The same within a transaction of the caller.

        Args:
            at: when it was so, where that is told later than it happened; it is taken as not
                before the state that it follows, and not after now.
        """
        least = SHORTEST_NOTE if to in NEEDS_WORDS else 0
        note = written(note, "The report" if to is TaskingState.DONE else "The note", least=least)
        alert_id = tasking_row(work.session, id_).alert
        alert = alert_row(work.session, alert_id, lock=True)
        row = tasking_row(work.session, id_, lock=True)
        unit = unit_row(work.session, row.unit, lock=True)
        act = _act(to)
        work.permit(act, row.thing())
        steps = work.session.scalars(
            select(TaskingStepRow)
            .where(TaskingStepRow.tasking == id_)
            .order_by(TaskingStepRow.number)
        ).all()
        if row.state == to and steps[-1].by == work.actor.id:
            return as_taskings(work.session, [row])[0]
        check_tasking_move(TaskingState(row.state), to)
        if to is TaskingState.SENT:  # one that a package asked for: the watch sends it
            if alert.state != AlertState.ANSWERED:
                check_alert_move(AlertState(alert.state), AlertState.ANSWERED)
            _check_ready(work, unit)
            unit.state, unit.tasking, alert.unit = UnitState.TASKED, id_, unit.code
            seen_by_sending(work, alert)
        was_sent = row.state != TaskingState.DRAFTED
        work.act(act, row.thing(), to=to.value, alert=alert.id)
        row.state = to
        when = max(steps[-1].at, min(at or work.now, work.now))
        work.session.add(
            TaskingStepRow(
                tasking=id_,
                number=len(steps),
                state=to,
                at=when,
                by=work.actor.id,
                note=note,
                lat=position.lat if position else None,
                lon=position.lon if position else None,
            )
        )
        if to is TaskingState.DONE:
            row.report = note
        _place(unit, position, when)
        if to in ENDED and unit.tasking == id_:
            unit.state, unit.tasking = UnitState.READY, None
        work.session.flush()
        if was_sent:
            self._tell_alert(work, alert, row)
        work.emit(f"operations.tasking.{to.value}", {"tasking": id_, "alert": alert.id},
                  Mark(row.mark))  # fmt: skip
        work.session.flush()
        return as_taskings(work.session, [row])[0]

    def _tell_alert(self, work: Work, alert: AlertRow, tasking: TaskingRow) -> None:
        """A unit that takes an order on answers the alert; an order that nobody took does not."""
        if tasking.state in TAKEN_ON:
            answer(work, alert, unit=tasking.unit_code)
        elif alert.state == AlertState.ANSWERED and not taken_on(work.session, alert.id):
            unanswer(work, alert, self.triage, unit=tasking.unit_code)
        elif tasking.state in ENDED:
            open_again(work, alert, self.triage, unit=tasking.unit_code)

    def report_position(self, actor: Actor, id_: str, position: Position) -> None:
        """Where the unit on a tasking is now, between two states of it."""
        with self.kernel.work(actor) as work:
            row = tasking_row(work.session, id_, lock=True)
            unit = unit_row(work.session, row.unit, lock=True)
            if row.state in ENDED:
                raise Conflict("The tasking has ended; it takes no more positions.")
            work.act(REPORT, row.thing(), position=True)
            _place(unit, position, work.now)

    def tasking(self, actor: Actor, id_: str) -> Tasking:
        """One tasking with its steps."""
        with self.kernel.view(actor) as view:
            row = tasking_row(view.session, id_)
            view.permit(VIEW, row.thing())
            return as_taskings(view.session, [row])[0]

    def moves(self, actor: Actor, tasking: Tasking) -> tuple[TaskingState, ...]:
        """The states that a tasking can come to now and that the actor may say."""
        return tuple(
            to for to in TASKING_MOVES[tasking.state] if self.may(actor, _act(to), tasking.thing())
        )

    def taskings(
        self,
        actor: Actor,
        *,
        states: Iterable[TaskingState] = (),
        unit: str = "",
        before: str = "",
        at_most: int = 50,
    ) -> list[Tasking]:
        """Taskings that the actor may see, the newest first.

        Args:
            unit: a unit's code. before: id of the last one of the page before this one.
        """
        with self.kernel.view(actor) as view:
            query = select(TaskingRow).where(self._visible(view)).order_by(TaskingRow.id.desc())
            wanted = list(states)
            if wanted:
                query = query.where(TaskingRow.state.in_(wanted))
            if unit:
                query = query.where(TaskingRow.unit_code == unit)
            if before:
                query = query.where(TaskingRow.id < before)
            rows = view.session.scalars(query.limit(max(1, min(at_most, 200)))).all()
            return as_taskings(view.session, rows)

    def _visible(self, view: View) -> ColumnElement[bool]:
        mine = and_(
            func.lower(TaskingRow.unit_code) == (view.actor.unit or ""),
            TaskingRow.mark.in_(self.marks_of_unit(view, VIEW, "tasking")),
        )
        return and_(
            TaskingRow.agency == self.kernel.agency,
            or_(TaskingRow.mark.in_(self.marks(view, VIEW, "tasking")), mine),
        )


def _check_ready(work: Work, unit: UnitRow) -> None:
    if unit.state == UnitState.READY:
        return
    if unit.tasking is None:
        raise Conflict(f"{unit.code} is {unit.state}.", advice="Choose another unit.")
    other = tasking_row(work.session, unit.tasking)
    who = "you" if other.sent_by == work.actor.id else "another officer"
    raise TakenFirst(
        f"{unit.code} is away: {who} sent it at {format_time(other.created_at)}.",
        other.sent_by,
        advice="Choose another unit.",
    )


def _act(to: TaskingState) -> str:
    return {TaskingState.CANCELLED: CANCEL, TaskingState.SENT: SEND}.get(to, REPORT)


def _place(unit: UnitRow, position: Position | None, at: datetime) -> None:
    """A position becomes the unit's own, unless a later one is known."""
    if position is not None and (unit.position_at is None or at >= unit.position_at):
        unit.lat, unit.lon, unit.position_at = position.lat, position.lon, at
