"""The clock of the queue: points that change as time passes, and alerts that nobody saw."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from cordon.kernel.access.model import Mark
from cordon.kernel.work import Work
from cordon.operations.base import RoomBase, alert_row
from cordon.operations.model import AlertState
from cordon.operations.tables import AlertEscalationRow, AlertRow
from cordon.operations.triage.rules import TriageRules
from cordon.operations.triage.score import rescore, taken_back

ESCALATE = "operations.alert.escalate"
A_TURN = 500  # alerts whose points are written anew in one transaction
MOST_TURNS = 40  # of one tick; the rest follow with the next


@dataclass(frozen=True, slots=True)
class Ticked:
    """What a tick did: ids of alerts that were escalated, and how many got other points."""

    escalated: tuple[str, ...]
    turned: int


class Watching(RoomBase):
    """Runs as the node itself, every half minute; what is due stands in the rows, so that a node
    that was down goes on where it stopped."""

    def tick(self) -> Ticked:
        """Escalate what nobody saw in its time, then count points anew that have changed."""
        now = self.kernel.clock.now()
        escalated = tuple(id_ for id_ in self._unseen(now) if self.escalate(id_))
        return Ticked(escalated, self._turn())

    def _unseen(self, now: datetime) -> list[str]:
        with self.kernel.rows.read() as session:
            query = (
                select(AlertRow.id)
                .where(AlertRow.escalate_at <= now, AlertRow.state == AlertState.OPEN)
                .where(AlertRow.queued, AlertRow.agency == self.kernel.agency)
                .order_by(AlertRow.escalate_at, AlertRow.id)
                .limit(A_TURN)
            )
            return list(session.scalars(query))

    def escalate(self, id_: str) -> bool:
        """Tell the next level that nobody has seen an alert; False where there is no cause now.

        Whether there is one is asked again under the alert's lock: an officer who acknowledges it
        in the same moment either comes first, and nothing happens, or finds it escalated.
        """
        with self.kernel.work(self.kernel.node) as work:
            row = alert_row(work.session, id_, lock=True)
            due = row.escalate_at
            if not row.queued or row.state != AlertState.OPEN or due is None or due > work.now:
                return False
            if row.level >= len(self.triage.levels):
                row.escalate_at = None
                return False
            self._escalated(work, row, due)
        return True

    def _escalated(self, work: Work, row: AlertRow, due: datetime) -> None:
        level = self.triage.levels[row.level]
        row.level += 1
        work.act(ESCALATE, row.thing(), level=row.level, role=level.role.value)
        work.session.add(
            AlertEscalationRow(
                alert=row.id, level=row.level, role=level.role.value, due_at=due, at=work.now
            )
        )
        start_clock(row, self.triage, work.now)
        rescore(row, self.triage, work.now)
        work.emit(
            "operations.alert.escalated",
            {"alert": row.id, "level": row.level, "role": level.role.value},
            Mark(row.mark),
        )

    def _turn(self) -> int:
        """Count points anew where their time has come; no entry, as nobody did anything."""
        turned = 0
        for _ in range(MOST_TURNS):
            with self.kernel.work(self.kernel.node) as work:
                # what somebody acts on now is passed over, and taken with the next tick
                query = (
                    select(AlertRow)
                    .where(AlertRow.turns_at <= work.now, AlertRow.agency == self.kernel.agency)
                    .order_by(AlertRow.turns_at, AlertRow.id)
                    .limit(A_TURN)
                    .with_for_update(skip_locked=True)
                )
                rows = work.session.scalars(query).all()
                for row in rows:
                    rescore(row, self.triage, work.now)
            turned += len(rows)
            if len(rows) < A_TURN:
                break
        return turned


def start_clock(row: AlertRow, rules: TriageRules, now: datetime) -> None:
    """Say until when an alert of the queue must be seen, before the next level is told.

    Nothing is due where it stands under another, was seen or taken back, or the last level was
    told.
    """
    waits = row.queued and row.state == AlertState.OPEN and row.level < len(rules.levels)
    waits = waits and not taken_back(row)
    row.escalate_at = now + rules.seen_within(row.kind, row.seriousness) if waits else None
