"""What stands at the change of watch: alerts, what was done, units out, feeds that are down."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from cordon.kernel.access.model import Mark
from cordon.kernel.clock import format_time
from cordon.kernel.leads.tables import LeadRow
from cordon.kernel.work import View
from cordon.operations.model import ENDED, UNANSWERED, UNDER_WAY, AlertState
from cordon.operations.queue import VIEW as ALERT_VIEW
from cordon.operations.service import Operations
from cordon.operations.tables import AlertRow, TaskingRow, TaskingStepRow
from cordon.operations.triage.score import MOST


@dataclass(frozen=True, slots=True)
class Line:
    """An alert as a hand-over names it: no subject stands in it."""

    id: str
    mark: Mark
    title: str
    seriousness: str
    state: str
    score: float
    due_at: datetime
    assignee: str | None
    level: int

    def as_json(self) -> dict[str, Any]:
        """As it is kept."""
        return {
            "id": self.id, "title": self.title, "seriousness": self.seriousness,
            "state": self.state, "score": self.score, "due_at": format_time(self.due_at),
            "assignee": self.assignee, "level": self.level,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Told:
    """What stands at a moment.

    Attributes:
        open: every alert that nobody has answered, those under another among them, the one with
            most points first. closing: those that wait for a second officer.
        done: counts of the watch so far: `raised`, `acknowledged`, `answered`, `closed`,
            `escalated`. ended: taskings that ended in it: unit, state, report.
        out: taskings under way: unit, state, since when, alert's title.
        down: feeds that do not deliver: name, state.
    """

    open: tuple[Line, ...]
    closing: tuple[Line, ...]
    done: dict[str, int]
    ended: tuple[dict[str, str], ...]
    out: tuple[dict[str, str], ...]
    down: tuple[dict[str, str], ...]

    def only(self, ids: Collection[str]) -> Told:
        """The same with these alerts alone."""
        return replace(
            self,
            open=tuple(a for a in self.open if a.id in ids),
            closing=tuple(a for a in self.closing if a.id in ids),
        )

    def as_json(self) -> dict[str, Any]:
        """As it is kept."""
        return {
            "open": [a.as_json() for a in self.open],
            "closing": [a.as_json() for a in self.closing],
            "done": self.done,
            "ended": list(self.ended),
            "out": list(self.out),
            "down": list(self.down),
        }


def told_of(room: Operations, view: View, since: datetime, down: Sequence[tuple[str, str]]) -> Told:
    """What stands now, of what the reader may see; `since` is when the watch began.

    Nothing is cut off: an alert that is not on the list would fall between two watches.
    """
    marks = room.marks(view, ALERT_VIEW, "alert")
    mine = (AlertRow.agency == room.kernel.agency, AlertRow.mark.in_(marks))
    rows = view.session.scalars(
        select(AlertRow)
        .where(*mine, AlertRow.state.in_((*UNANSWERED, AlertState.CLOSING)))
        .order_by(AlertRow.behind, AlertRow.due_at, AlertRow.id)
    ).all()
    counts = {
        "raised": AlertRow.created_at >= since,
        "acknowledged": AlertRow.acknowledged_at >= since,
        "escalated": (AlertRow.level > 0) & (AlertRow.created_at >= since),
    }
    done = {
        name: view.session.scalar(select(func.count()).select_from(AlertRow).where(*mine, one)) or 0
        for name, one in counts.items()
    }
    ended_leads = (
        select(func.count())
        .select_from(AlertRow)
        .join(LeadRow, LeadRow.id == AlertRow.id)
        .where(*mine)
    )
    for name, moment in (("answered", LeadRow.answered_at), ("closed", LeadRow.closed_at)):
        done[name] = view.session.scalar(ended_leads.where(moment >= since)) or 0
    return Told(
        open=tuple(_line(r) for r in rows if r.state in UNANSWERED),
        closing=tuple(_line(r) for r in rows if r.state == AlertState.CLOSING),
        done=done,
        ended=_ended(room, view, since),
        out=_out(room, view),
        down=tuple({"name": name, "state": state} for name, state in down),
    )


def _line(row: AlertRow) -> Line:
    return Line(
        id=row.id,
        mark=Mark(row.mark),
        title=row.title,
        seriousness=row.seriousness,
        state=row.state,
        score=round(MOST - row.behind, 1),
        due_at=row.due_at,
        assignee=row.assignee,
        level=row.level,
    )


def _out(room: Operations, view: View) -> tuple[dict[str, str], ...]:
    query = (
        select(TaskingRow, AlertRow.title)
        .join(AlertRow, AlertRow.id == TaskingRow.alert)
        .where(TaskingRow.state.in_(UNDER_WAY), TaskingRow.agency == room.kernel.agency)
        .order_by(TaskingRow.unit_code)
    )
    return tuple(
        {
            "id": t.id, "unit": t.unit_code, "state": t.state, "since": format_time(t.created_at),
            "alert": title,
        }
        for t, title in view.session.execute(query)
        if view.may("operations.tasking.view", t.thing())
    )  # fmt: skip


def _ended(room: Operations, view: View, since: datetime) -> tuple[dict[str, str], ...]:
    query = (
        select(TaskingRow, TaskingStepRow.note)
        .join(TaskingStepRow, TaskingStepRow.tasking == TaskingRow.id)
        .where(
            TaskingRow.agency == room.kernel.agency,
            TaskingStepRow.at >= since,
            TaskingStepRow.state.in_(ENDED),
        )
        .order_by(TaskingStepRow.at)
    )
    return tuple(
        {"id": t.id, "unit": t.unit_code, "state": t.state, "note": note}
        for t, note in view.session.execute(query)
        if view.may("operations.tasking.view", t.thing())
    )
