"""From the node's rows to responses: when each moment of each alert came."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from cordon.kernel.errors import BadInput
from cordon.kernel.leads.tables import FindingRow, LeadRow
from cordon.kernel.ledger.tables import LedgerEntry
from cordon.operations.measures.model import WATCHES, Moment, Response
from cordon.operations.model import UNDER_WAY, AlertState, TaskingState
from cordon.operations.tables import AlertRow, AlertSubjectRow, TaskingRow, TaskingStepRow, UnitRow

MOST = 50_000  # alerts of one report
SEEN = ("operations.alert.acknowledge", "operations.alert.assign")


def responses(
    session: Session,
    asked: Sequence[Any],
    since: datetime,
    sectors: Mapping[str, str],
    zone: ZoneInfo,
) -> list[tuple[datetime, Response]]:
    """Each alert that stands for itself, with when it was raised, in that order.

    Args:
        asked: conditions on `AlertRow`. since: when the first of them may have been raised.
        sectors: names of patrol sectors by the id of their zone. zone: the country's own time.

    Raises:
        BadInput: more than 50,000.
    """
    conditions = (*asked, AlertRow.stands_with == AlertRow.id)
    ids = select(AlertRow.id).where(*conditions)
    query = (
        select(AlertRow, LeadRow.answered_at, FindingRow.body["detector"].as_string())
        .join(FindingRow, FindingRow.id == AlertRow.finding)
        .outerjoin(LeadRow, LeadRow.id == AlertRow.id)
        .where(*conditions)
        .order_by(AlertRow.created_at, AlertRow.id)
        .limit(MOST + 1)
    )
    rows = session.execute(query).all()
    if len(rows) > MOST:
        raise BadInput(f"There are more than {MOST:,} alerts.", advice="Ask for a shorter span.")
    steps = _steps(session, ids)
    taken = _seen(session, since)
    units = served(session, ids)
    zoned = in_zones(session, ids, sectors)
    under_way = set(
        session.scalars(
            select(TaskingRow.alert).where(
                TaskingRow.alert.in_(ids), TaskingRow.state.in_(UNDER_WAY)
            )
        )
    )
    made = []
    for alert, answered_at, detector in rows:
        sent = steps.get((alert.id, TaskingState.SENT))
        seen = [alert.acknowledged_at, taken.get(f"alert:{alert.id}"), sent]
        if alert.case is not None:
            seen.append(answered_at)
        moments = {
            Moment.SIGN: alert.starts,
            Moment.RAISED: alert.created_at,
            Moment.ACKNOWLEDGED: min((at for at in seen if at is not None), default=None),
            Moment.SENT: sent,
            Moment.ON_SCENE: steps.get((alert.id, TaskingState.ON_SCENE)),
        }
        local = alert.created_at.astimezone(zone)
        watch = WATCHES[local.hour // 8]
        over = alert.state == AlertState.CLOSED or alert.withdrawn_at is not None
        one = Response(
            at={moment: at for moment, at in moments.items() if at is not None},
            over=over or (alert.case is not None and alert.id not in under_way),
            sector=zoned.get(alert.id) or units.get(alert.id, ""),
            watch=watch,
            detector=detector or alert.kind,
            block=f"{local:%Y-%m-%d} {watch}",
        )
        made.append((alert.created_at, one))
    return made


def _steps(session: Session, ids: Select[Any]) -> dict[tuple[str, str], datetime]:
    """When the first tasking of an alert came to a state."""
    query = (
        select(TaskingRow.alert, TaskingStepRow.state, func.min(TaskingStepRow.at))
        .join(TaskingStepRow, TaskingStepRow.tasking == TaskingRow.id)
        .where(
            TaskingRow.alert.in_(ids),
            TaskingStepRow.state.in_((TaskingState.SENT, TaskingState.ON_SCENE)),
        )
        .group_by(TaskingRow.alert, TaskingStepRow.state)
    )
    return {(alert, state): at for alert, state, at in session.execute(query)}


def _seen(session: Session, since: datetime) -> dict[str, datetime]:
    """When an alert was first acknowledged or assigned, by the thing's name.

    Only the ledger has it: an alert that is open again is acknowledged anew.
    """
    query = (
        select(LedgerEntry.thing, func.min(LedgerEntry.at))
        .where(LedgerEntry.act.in_(SEEN), LedgerEntry.at >= since)
        .where(LedgerEntry.outcome == "done")
        .group_by(LedgerEntry.thing)
    )
    return {row[0]: row[1] for row in session.execute(query)}


def served(session: Session, ids: Select[Any]) -> dict[str, str]:
    """Sector in which the unit serves that was sent first, by alert."""
    query = (
        select(TaskingRow.alert, UnitRow.sector)
        .join(UnitRow, UnitRow.id == TaskingRow.unit)
        .where(TaskingRow.alert.in_(ids), TaskingRow.state != TaskingState.DRAFTED)
        .order_by(TaskingRow.id.desc())
    )
    return {row[0]: row[1] for row in session.execute(query)}


def in_zones(session: Session, ids: Select[Any], sectors: Mapping[str, str]) -> dict[str, str]:
    """Patrol sector that an alert's finding names, the first by name where there are several."""
    if not sectors:
        return {}
    query = select(AlertSubjectRow.alert, AlertSubjectRow.subject).where(
        AlertSubjectRow.alert.in_(ids), AlertSubjectRow.subject.startswith("zone:")
    )
    found: Iterable[tuple[str, str]] = (
        (sectors[subject[5:]], alert)
        for alert, subject in session.execute(query)
        if subject[5:] in sectors
    )
    return {alert: name for name, alert in sorted(found, reverse=True)}
