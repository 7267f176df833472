"""What the overseer's report is made of; each part is one or two queries, whatever their size."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from cordon.kernel import leads
from cordon.kernel.access.model import Actor, Authority, AuthorityKind, AuthorityState, Mark
from cordon.kernel.access.tables import AuthorityRow, OfficerRow
from cordon.kernel.leads.tables import ClosureRow, LeadRow
from cordon.kernel.ledger.model import Entry
from cordon.kernel.ledger.tables import LedgerEntry
from cordon.oversight.model import AuthorityUse, Closing, Lead, Looked, OfficerUse

AUTHORITIES = 50
CLOSINGS = 100
REFUSALS = 50

NO_MEANS = "no_means"


class Counted:
    """Counts how authorities are used, and notes refused acts.

    An entry never changes, so each is read once here, and a report reads only what came since
    the one before it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counted = -1
        self._of: dict[str, dict[str, OfficerUse]] = {}
        self._refused: list[int] = []

    def refused(self, session: Session) -> list[Entry]:
        """The newest refused acts, newest first."""
        with self._lock:
            self._count(session)
            newest = list(self._refused)
        query = select(LedgerEntry.leaf).where(LedgerEntry.index.in_(newest))
        return [
            Entry.from_leaf(leaf)
            for leaf in session.scalars(query.order_by(LedgerEntry.index.desc()))
        ]

    def uses(self, session: Session, now: datetime) -> list[AuthorityUse]:
        """The latest authorities, each with who used it and how."""
        with self._lock:
            self._count(session)
            rows = session.scalars(
                select(AuthorityRow).order_by(AuthorityRow.id.desc()).limit(AUTHORITIES)
            )
            return [
                AuthorityUse(
                    known, known.state(now), _officers(self._of.get(known.id, {}).values())
                )
                for known in (row.to_authority() for row in rows)
            ]

    def _count(self, session: Session) -> None:
        last = session.scalar(select(func.max(LedgerEntry.index)))
        if last is None or last <= self._counted:
            return
        outcome = LedgerEntry.outcome
        query = (
            select(
                LedgerEntry.authority,
                LedgerEntry.actor,
                *(
                    func.sum(case((outcome == one, 1), else_=0))
                    for one in ("read", "refused", "done")
                ),
                func.min(LedgerEntry.at),
                func.max(LedgerEntry.at),
            )
            .where(LedgerEntry.index > self._counted, LedgerEntry.index <= last)
            .where(LedgerEntry.authority.is_not(None))
            .group_by(LedgerEntry.authority, LedgerEntry.actor)
        )
        found = session.execute(query).all()
        for authority, officer, reads, refused, done, first, latest in found:
            of = self._of.setdefault(authority, {})
            before = of.get(officer)
            more = OfficerUse(officer, int(reads), int(refused), int(done), first, latest)
            of[officer] = more if before is None else before.with_more(more)
        refused = session.scalars(
            select(LedgerEntry.index)
            .where(LedgerEntry.index > self._counted, LedgerEntry.index <= last)
            .where(LedgerEntry.outcome == "refused")
            .order_by(LedgerEntry.index.desc())
            .limit(REFUSALS)
        )
        self._refused = [*refused, *self._refused][:REFUSALS]
        self._counted = last


def _officers(found: Iterable[OfficerUse]) -> tuple[OfficerUse, ...]:
    return tuple(sorted(found, key=lambda use: (-use.reads, -use.refused, use.officer)))


def emergencies(session: Session, now: datetime) -> list[tuple[Authority, AuthorityState]]:
    """Emergency authorities that no second officer confirmed, the latest first."""
    query = (
        select(AuthorityRow)
        .where(
            AuthorityRow.kind == AuthorityKind.EMERGENCY.value,
            AuthorityRow.confirmed_by.is_(None),
        )
        .order_by(AuthorityRow.id.desc())
        .limit(AUTHORITIES)
    )
    known = (row.to_authority() for row in session.scalars(query))
    return [(authority, authority.state(now)) for authority in known]


def overdue(session: Session, actor: Actor, now: datetime) -> list[Lead]:
    """Leads that nobody answered in their time, longest overdue first."""
    return [
        lead_of(
            actor,
            one.lead,
            [Looked(look.officer, look.unit, look.last_at, look.times) for look in one.looks],
        )
        for one in leads.overdue(session, now)
    ]


def closings(
    session: Session,
    actor: Actor,
    state: str,
    *,
    unit: str | None = None,
    no_means: bool | None = None,
) -> list[Closing]:
    """Wishes to close in a state, newest first; waiting ones oldest first.

    Args:
        state: waiting or closed. unit: of whoever asked.
        no_means: only those for want of means, or only the others; all where it is None.
    """
    query = (
        select(ClosureRow, LeadRow)
        .join(LeadRow, LeadRow.id == ClosureRow.lead)
        .where(ClosureRow.state == state)
        .limit(CLOSINGS)
    )
    query = query.order_by(ClosureRow.id if state == "waiting" else ClosureRow.id.desc())
    if unit:
        query = query.where(ClosureRow.asked_unit == unit)
    if no_means is not None:
        same = ClosureRow.reason == NO_MEANS
        query = query.where(same if no_means else ~same)
    return [_closing(actor, closure, lead) for closure, lead in session.execute(query)]


def units(session: Session) -> list[str]:
    """Units that ever asked to close a lead."""
    found = session.scalars(select(ClosureRow.asked_unit).distinct())
    return sorted(unit for unit in found if unit)


def lead_of(actor: Actor, row: LeadRow, looks: Sequence[Looked] = ()) -> Lead:
    """A lead as this reader may see it."""
    return Lead(
        id=row.id,
        type=row.type,
        title=row.title if _readable(actor, Mark(row.mark)) else None,
        seriousness=row.seriousness,
        mark=Mark(row.mark),
        due_at=row.due_at,
        looks=tuple(looks),
    )


def _closing(actor: Actor, row: ClosureRow, lead: LeadRow) -> Closing:
    return Closing(
        id=row.id,
        lead=lead_of(actor, lead),
        reason=row.reason,
        note=row.note if _readable(actor, Mark(lead.mark)) else None,
        asked_by=row.asked_by,
        asked_unit=row.asked_unit,
        asked_at=row.created_at,
        second_by=row.second_by,
        second_unit=row.second_unit,
        second_at=row.second_at,
    )


def _readable(actor: Actor, mark: Mark) -> bool:
    # TLP:RED is for those named alone, and an overseer is named on nothing
    return mark is not Mark.RED and mark.rank <= actor.cleared.rank


def names(session: Session, officers: Iterable[str | None]) -> dict[str, str]:
    """Officers' names by id; programs and commands have none."""
    ids = {officer for officer in officers if officer}
    query = select(OfficerRow.id, OfficerRow.name).where(OfficerRow.id.in_(ids))
    return {row.id: row.name for row in session.execute(query)}


def references(session: Session, authorities: Iterable[str | None]) -> dict[str, str]:
    """References of authorities by id."""
    ids = {authority for authority in authorities if authority}
    query = select(AuthorityRow.id, AuthorityRow.reference).where(AuthorityRow.id.in_(ids))
    return {row.id: row.reference for row in session.execute(query)}
