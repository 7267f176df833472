"""What the overseer's report is made of; each part is one or two queries, whatever their size."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, not_, select
from sqlalchemy.orm import Session

from cordon.kernel import leads
from cordon.kernel.access.model import Actor, Authority, AuthorityKind, AuthorityState, Mark
from cordon.kernel.access.tables import AuthorityRow, OfficerRow
from cordon.kernel.leads.open import gravest
from cordon.kernel.leads.tables import ClosureRow, LeadRow
from cordon.kernel.ledger.model import Entry
from cordon.kernel.ledger.tables import LedgerEntry
from cordon.oversight.model import AuthorityUse, Closing, Lead, Looked, Notice, OfficerUse

A_PAGE = MappingProxyType(
    {
        "overdue": 200,
        "answered": 100,
        "emergencies": 50,
        "lapsed": 50,
        "waiting": 100,
        "closed": 100,
        "no_means": 100,
        "uses": 50,
        "refused": 50,
    }
)
"""Rows a page of each part of the report that can be paged through."""

LAPSED_FOR = timedelta(days=30)
"""How long an emergency authority that ended without a second officer stays in sight."""

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
        self._refused = 0

    def refused(self, session: Session, offset: int = 0) -> tuple[list[Entry], int]:
        """A page of refused acts, newest first, and how many there are."""
        with self._lock:
            self._count(session)
            last, total = self._counted, self._refused
        query = (
            select(LedgerEntry.leaf)
            .where(LedgerEntry.outcome == "refused", LedgerEntry.index <= last)
            .order_by(LedgerEntry.index.desc())
            .offset(offset)
            .limit(A_PAGE["refused"])
        )
        return [Entry.from_leaf(leaf) for leaf in session.scalars(query)], total

    def uses(
        self, session: Session, now: datetime, offset: int = 0
    ) -> tuple[list[AuthorityUse], int]:
        """A page of authorities, the latest first, each with who used it; and how many."""
        query = select(AuthorityRow).order_by(AuthorityRow.id.desc())
        rows = session.scalars(query.offset(offset).limit(A_PAGE["uses"])).all()
        with self._lock:
            self._count(session)
            found = [
                AuthorityUse(
                    known, known.state(now), _officers(self._of.get(known.id, {}).values())
                )
                for known in (row.to_authority() for row in rows)
            ]
        return found, _counted(session, query)

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
        refused = session.scalar(
            select(func.count())
            .select_from(LedgerEntry)
            .where(LedgerEntry.index > self._counted, LedgerEntry.index <= last)
            .where(outcome == "refused")
        )
        self._refused += refused or 0
        self._counted = last


def _officers(found: Iterable[OfficerUse]) -> tuple[OfficerUse, ...]:
    return tuple(sorted(found, key=lambda use: (-use.reads, -use.refused, use.officer)))


def _counted(session: Session, query: Select[*tuple[Any, ...]]) -> int:
    counted = query.order_by(None).with_only_columns(func.count(), maintain_column_froms=True)
    return session.scalar(counted) or 0


def _unconfirmed(now: datetime, *, lapsed: bool) -> Select[AuthorityRow]:
    """Emergency authorities without a second officer: those that wait, or those that ended.

    Which is which, the columns say as `Authority.state` does. A withdrawn one is neither: that
    it was withdrawn, and how it was used before, stands with the use of authorities.
    """
    row = AuthorityRow
    waits: ColumnElement[bool] = and_(row.confirm_by > now, row.valid_until > now)
    query = select(row).where(
        row.kind == AuthorityKind.EMERGENCY.value,
        row.confirmed_by.is_(None),
        row.withdrawn_at.is_(None),
    )
    if not lapsed:
        return query.where(waits).order_by(row.confirm_by, row.id)
    since = now - LAPSED_FOR
    return query.where(
        # without a time to confirm it by, it never was in force
        not_(func.coalesce(waits, False)),
        func.coalesce(row.confirm_by, row.created_at) > since,
        row.valid_until > since,
    ).order_by(row.id.desc())


def emergencies(
    session: Session, now: datetime, offset: int = 0, *, lapsed: bool = False
) -> tuple[list[tuple[Authority, AuthorityState]], int]:
    """A page of emergency authorities that no second officer confirmed, and how many.

    Args:
        lapsed: those that ended within `LAPSED_FOR`, the latest recorded first; else those that
            still wait, the next to end first.
    """
    query = _unconfirmed(now, lapsed=lapsed)
    page = query.offset(offset).limit(A_PAGE["lapsed" if lapsed else "emergencies"])
    known = (row.to_authority() for row in session.scalars(page))
    return [(authority, authority.state(now)) for authority in known], _counted(session, query)


def notice(session: Session, now: datetime) -> Notice:
    """How many emergency authorities wait for a second officer, and how many got none."""
    return Notice(
        _counted(session, _unconfirmed(now, lapsed=False)),
        _counted(session, _unconfirmed(now, lapsed=True)),
    )


def overdue(
    session: Session, actor: Actor, now: datetime, offset: int = 0
) -> tuple[list[Lead], int]:
    """A page of leads that nobody answered in their time, the gravest first; and how many."""
    found = leads.overdue(session, now, offset=offset, at_most=A_PAGE["overdue"])
    return [
        lead_of(
            actor,
            one.lead,
            [Looked(look.officer, look.unit, look.last_at, look.times) for look in one.looks],
        )
        for one in found
    ], leads.count_overdue(session, now)


def waiting(session: Session, actor: Actor, offset: int = 0) -> tuple[list[Closing], int]:
    """A page of wishes to close that wait, the gravest and then the oldest first; how many."""
    query = _closures("waiting")
    page = query.order_by(gravest().desc(), ClosureRow.id).offset(offset)
    return _closings(session, actor, page.limit(A_PAGE["waiting"])), _counted(session, query)


def closed(
    session: Session, actor: Actor, offset: int = 0, *, unit: str | None, no_means: bool
) -> tuple[list[Closing], int]:
    """A page of leads that were closed, newest first; and how many.

    Args:
        unit: of whoever asked. no_means: only those for want of means, or only the others.
    """
    query = _closures("closed")
    if unit:
        query = query.where(ClosureRow.asked_unit == unit)
    same = ClosureRow.reason == NO_MEANS
    query = query.where(same if no_means else ~same)
    size = A_PAGE["no_means" if no_means else "closed"]
    page = query.order_by(ClosureRow.id.desc()).offset(offset).limit(size)
    return _closings(session, actor, page), _counted(session, query)


def _closures(state: str) -> Select[ClosureRow, LeadRow]:
    return (
        select(ClosureRow, LeadRow)
        .join(LeadRow, LeadRow.id == ClosureRow.lead)
        .where(ClosureRow.state == state)
    )


def _closings(session: Session, actor: Actor, query: Select[ClosureRow, LeadRow]) -> list[Closing]:
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
