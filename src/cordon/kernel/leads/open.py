"""Opening leads, answering them, and what is left unanswered past its time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session

from cordon.kernel.access.model import Actor, Thing
from cordon.kernel.cards import SERIOUSNESS
from cordon.kernel.leads.tables import LeadRow, LookRow
from cordon.kernel.work import Kernel, Work


@dataclass(frozen=True, slots=True)
class Look:
    """Who looked at a lead: officer id, unit, first and last time, how often."""

    officer: str
    unit: str | None
    first_at: datetime
    last_at: datetime
    times: int


@dataclass(frozen=True, slots=True)
class Overdue:
    """A lead that nobody has answered in its time, with who looked at it."""

    lead: LeadRow
    looks: tuple[Look, ...]


def open_lead(work: Work, thing: Thing, *, title: str, seriousness: str, due: datetime) -> None:
    """Register a thing that must be answered by `due`. Opening one twice changes nothing."""
    if work.session.get(LeadRow, thing.id) is not None:
        return
    work.session.add(
        LeadRow(
            id=thing.id,
            agency=thing.agency,
            mark=thing.mark,
            created_at=work.now,
            type=thing.type,
            title=title,
            seriousness=seriousness,
            due_at=due,
        )
    )
    work.session.flush()


def answered(work: Work, thing: Thing) -> None:
    """Somebody has taken it on; it no longer counts as unanswered."""
    row = work.session.get(LeadRow, thing.id)
    if row is not None and row.state == "open":
        row.state, row.answered_at = "answered", work.now


def looked(kernel: Kernel, actor: Actor, lead: str) -> None:
    """Note that an officer opened a lead's page."""
    now = kernel.clock.now()
    with kernel.rows.write() as session:
        # the lead's row is held: two pages of one officer that open at once are two looks
        if session.get(LeadRow, lead, with_for_update=True) is None:
            return
        row = session.get(LookRow, (lead, actor.id))
        if row is None:
            session.add(
                LookRow(
                    lead=lead, officer=actor.id, unit=actor.unit, first_at=now, last_at=now, times=1
                )
            )
        else:
            row.last_at, row.times, row.unit = now, row.times + 1, actor.unit


def gravest() -> ColumnElement[int]:
    """The place of a lead's seriousness in `SERIOUSNESS`, to sort by."""
    places = {level: place for place, level in enumerate(SERIOUSNESS)}
    return case(places, value=LeadRow.seriousness, else_=len(places))


def overdue(
    session: Session, now: datetime, *, offset: int = 0, at_most: int = 200
) -> list[Overdue]:
    """Open leads past their time, the gravest first, then the longest overdue.

    Each with who looked at it. The gravest first, so that a heap of small ones hides none.

    Args:
        offset: how many to leave out before the first; `count_overdue` says how many there are.
    """
    leads = list(
        session.scalars(
            select(LeadRow)
            .where(LeadRow.state == "open", LeadRow.due_at < now)
            .order_by(gravest().desc(), LeadRow.due_at, LeadRow.id)
            .offset(offset)
            .limit(at_most)
        )
    )
    looks = looks_at(session, [lead.id for lead in leads])
    return [Overdue(lead, tuple(looks.get(lead.id, ()))) for lead in leads]


def count_overdue(session: Session, now: datetime) -> int:
    """How many open leads are past their time."""
    query = select(func.count()).select_from(LeadRow)
    return session.scalar(query.where(LeadRow.state == "open", LeadRow.due_at < now)) or 0


def looks_at(session: Session, leads: Sequence[str]) -> dict[str, list[Look]]:
    """Who looked at each of these leads, first looker first."""
    found: dict[str, list[Look]] = {}
    rows = session.scalars(
        select(LookRow).where(LookRow.lead.in_(leads)).order_by(LookRow.first_at)
    )
    for row in rows:
        found.setdefault(row.lead, []).append(
            Look(row.officer, row.unit, row.first_at, row.last_at, row.times)
        )
    return found
