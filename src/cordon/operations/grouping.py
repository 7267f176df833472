"""Putting alerts together by hand, and taking one out again."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from cordon.kernel.access.model import Actor
from cordon.kernel.errors import BadInput, Conflict
from cordon.kernel.work import Work
from cordon.operations.base import RoomBase, alert_row, as_alert
from cordon.operations.model import UNANSWERED, Alert
from cordon.operations.raising import members, recount
from cordon.operations.tables import AlertRow
from cordon.operations.triage.watching import start_clock

MERGE = "operations.alert.merge"
MOST = 200  # alerts put together in one act: a page of the queue


class Grouping(RoomBase):
    """Many alerts as one row of the queue; each keeps its page, its lead and its history."""

    def merge(self, actor: Actor, ids: Sequence[str]) -> Alert:
        """Put alerts together with all that stands with them; the one with most points leads.

        Raises:
            BadInput: fewer than two, or more than 200. Conflict: one is answered or closed, or
                their handling marks differ: who may see the first could not see the rest.
        """
        wanted = sorted(set(ids))
        if not 2 <= len(wanted) <= MOST:
            raise BadInput(
                f"{len(wanted)} alerts cannot be put together.",
                advice=f"Choose from two to {MOST}.",
            )
        with self.kernel.work(actor) as work:
            rows = self._fronts(work, wanted)
            for row in rows:
                work.permit(MERGE, row.thing())
                if row.state not in UNANSWERED:
                    raise Conflict(
                        f"One of them is {row.state}.", advice="Choose alerts that wait."
                    )
            if len({row.mark for row in rows}) > 1:
                raise Conflict(
                    "Their handling marks differ.", advice="Put together those of one mark."
                )
            front = min(rows, key=lambda r: (r.behind, r.id))
            for row in rows:
                if row is not front:
                    self._under(work, row, front)
            work.session.flush()
            recount(work.session, front)
            return as_alert(work.session, front)

    def _fronts(self, work: Work, ids: Sequence[str]) -> list[AlertRow]:
        """The alerts that lead the groups of these, each group locked, in the order of their ids:
        two officers who merge at once wait one for the other."""
        leaders = {alert_row(work.session, id_).stands_with for id_ in ids}
        rows = [alert_row(work.session, id_, lock=True) for id_ in sorted(leaders)]
        if any(row.stands_with != row.id for row in rows):
            raise Conflict(
                "Somebody else has put one of them under another alert.",
                advice="Look at the queue again.",
            )
        if len(rows) < 2:
            raise Conflict("They stand together already.", advice="Open the one in front.")
        return rows

    def _under(self, work: Work, row: AlertRow, front: AlertRow) -> None:
        for each in (row, *members(work.session, row)):
            work.act(MERGE, each.thing(), under=front.id)
            each.stands_with, each.queued, each.escalate_at = front.id, False, None
        row.alike = 0

    def apart(self, actor: Actor, id_: str) -> Alert:
        """Take an alert out of its group: it stands for itself again, and its clock begins."""
        with self.kernel.work(actor) as work:
            row = alert_row(work.session, id_, lock=True)
            work.permit(MERGE, row.thing())
            if row.stands_with == row.id:
                raise Conflict("It stands for itself already.")
            if row.state not in UNANSWERED:
                raise Conflict(f"It is {row.state}.", advice="What is answered stays together.")
            front = work.session.scalars(
                select(AlertRow).where(AlertRow.id == row.stands_with)
            ).one()
            work.act(MERGE, row.thing(), apart=True, under=front.id)
            row.stands_with, row.queued, row.alike = row.id, True, 0
            start_clock(row, self.triage, work.now)
            work.session.flush()
            recount(work.session, front)
            return as_alert(work.session, row)
