"""Alerts whose finding was taken back: who acted on one is told, until they looked at it."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import ColumnElement, bindparam, func, or_, select

from cordon.kernel.access.model import Actor
from cordon.kernel.leads.tables import LookRow
from cordon.operations.base import RoomBase, as_alerts
from cordon.operations.model import Alert, AlertState
from cordon.operations.queue import VIEW
from cordon.operations.tables import AlertRow, TaskingRow

_TOLD_FOR = timedelta(days=7)
_MOST = 20
_ANY = select(AlertRow.id).where(AlertRow.withdrawn_at >= bindparam("since")).limit(1)


class Withdrawing(RoomBase):
    """What is no longer borne out."""

    def taken_back(self, actor: Actor) -> list[Alert]:
        """Alerts that this officer acted on, whose finding was taken back since they last looked.

        To act is to acknowledge, to have it, to send a unit, or to go as one.
        """
        with self.kernel.view(actor) as view:
            since = view.now - _TOLD_FOR
            if view.session.scalar(_ANY, {"since": since}) is None:
                return []  # as nearly always: each page of the queue asks
            looked = (
                select(LookRow.last_at)
                .where(LookRow.lead == AlertRow.id, LookRow.officer == actor.id)
                .scalar_subquery()
            )
            query = (
                select(AlertRow)
                .where(
                    AlertRow.agency == self.kernel.agency,
                    AlertRow.withdrawn_at >= since,
                    AlertRow.state != AlertState.CLOSED,
                    or_(looked.is_(None), looked < AlertRow.withdrawn_at),
                    _acted(actor),
                )
                .order_by(AlertRow.withdrawn_at.desc())
                .limit(_MOST)
            )
            rows = [r for r in view.session.scalars(query) if view.may(VIEW, r.thing())]
            return as_alerts(view.session, rows)


def _acted(actor: Actor) -> ColumnElement[bool]:
    sent = select(TaskingRow.alert).where(TaskingRow.sent_by == actor.id)
    ways = [
        AlertRow.acknowledged_by == actor.id,
        AlertRow.assignee == actor.id,
        AlertRow.id.in_(sent),
    ]
    if actor.unit is not None:
        own = select(TaskingRow.alert).where(func.lower(TaskingRow.unit_code) == actor.unit)
        ways.append(AlertRow.id.in_(own))
    return or_(*ways)
