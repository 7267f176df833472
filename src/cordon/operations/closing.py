"""Closing alerts: with a reason, a note and, where it is grave, a second officer."""

from __future__ import annotations

from sqlalchemy import select

from cordon.kernel import leads
from cordon.kernel.access.model import Actor
from cordon.kernel.errors import Conflict
from cordon.kernel.leads.tables import ClosureRow, FindingRow
from cordon.kernel.work import Work
from cordon.operations.base import RoomBase, alert_row, as_alert, tell
from cordon.operations.model import UNDER_WAY, Alert, AlertState, check_alert_move
from cordon.operations.raising import left_queue, members
from cordon.operations.tables import AlertRow, TaskingRow
from cordon.operations.triage.score import rescore
from cordon.operations.triage.watching import start_clock

CLOSE, COUNTERSIGN = "operations.alert.close", "operations.alert.countersign"


class Closing(RoomBase):
    """Closing, countersigning and declining to close."""

    def close(
        self, actor: Actor, id_: str, reason: str, note: str, *, alike: bool = False
    ) -> Alert:
        """Close it, or ask for the second officer whom its seriousness needs.

        Args:
            reason: an id of `close_reasons()["alert"]`. note: at least ten characters.
            alike: close what stands with it too, each with the same reason and note.

        Raises:
            Conflict: a unit is under way for it, or it is closed or waits already.
        """
        with self.kernel.work(actor) as work:
            row = alert_row(work.session, id_, lock=True)
            work.permit(CLOSE, row.thing())
            check_alert_move(AlertState(row.state), AlertState.CLOSING)
            rest = members(work.session, row) if alike else []
            # the others first: closing the one in front moves them up in the queue
            for each in (*(r for r in rest if r.state != AlertState.CLOSING), row):
                self._close(work, each, reason, note)
            return as_alert(work.session, row)

    def _close(self, work: Work, row: AlertRow, reason: str, note: str) -> None:
        away = work.session.scalars(
            select(TaskingRow).where(TaskingRow.alert == row.id, TaskingRow.state.in_(UNDER_WAY))
        ).first()
        if away is not None:
            raise Conflict(
                f"{away.unit_code} is still on its tasking for it.",
                advice="Wait for its report, or call it off first.",
            )
        closure = leads.ask_to_close(work, CLOSE, row.thing(), self.rules, reason=reason, note=note)
        if closure.state == "closed":
            self._closed(work, row)
        else:
            row.state, row.escalate_at = AlertState.CLOSING, None
            rescore(row, self.triage, work.now)
            tell(work, row, "closing")

    def countersign(self, actor: Actor, id_: str, *, alike: bool = False) -> Alert:
        """Close it as the second officer, from another unit.

        Args:
            alike: countersign too what stands with it and the same officer asked to close.
        """
        with self.kernel.work(actor) as work:
            row = alert_row(work.session, id_, lock=True)
            work.permit(COUNTERSIGN, row.thing())
            asked = _asked_by(work, row)
            rest = members(work.session, row) if alike else []
            for each in (*(r for r in rest if asked and _asked_by(work, r) == asked), row):
                leads.countersign(work, COUNTERSIGN, each.thing())
                self._closed(work, each)
            return as_alert(work.session, row)

    def decline(self, actor: Actor, id_: str, note: str) -> Alert:
        """Say no to a wish to close it; it must be answered again."""
        with self.kernel.work(actor) as work:
            row = alert_row(work.session, id_, lock=True)
            work.permit(COUNTERSIGN, row.thing())
            leads.decline(work, COUNTERSIGN, row.thing(), note=note)
            row.state = AlertState.ASSIGNED if row.assignee else AlertState.OPEN
            start_clock(row, self.triage, work.now)
            rescore(row, self.triage, work.now)
            tell(work, row, "declined")
            return as_alert(work.session, row)

    def _closed(self, work: Work, row: AlertRow) -> None:
        """It is closed; its finding counts as answered, and stays to be read and built on."""
        row.state = AlertState.CLOSED
        tell(work, row, "closed")
        leads.answered(work, work.session.get_one(FindingRow, row.finding).thing())
        left_queue(work.session, row, self.triage, work.now)


def _asked_by(work: Work, row: AlertRow) -> str | None:
    return work.session.scalar(
        select(ClosureRow.asked_by).where(ClosureRow.lead == row.id, ClosureRow.state == "waiting")
    )
