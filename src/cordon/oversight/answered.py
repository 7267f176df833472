"""Leads that count as answered and that nobody has closed: who sent, and who reported.

An answer ends the waiting, and one officer can bring it about: send a unit, and report for it.
So what was answered comes back before the overseer after a while, with who said so. All of it is
read from the leads and the ledger, which nobody can mend afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cordon.kernel.access.model import Actor
from cordon.kernel.leads.open import gravest
from cordon.kernel.leads.tables import LeadRow
from cordon.kernel.ledger.model import Entry
from cordon.kernel.ledger.tables import LedgerEntry
from cordon.oversight.model import AnsweredLead, Sent
from cordon.oversight.report import A_PAGE, lead_of

ANSWERED_FOR = timedelta(days=7)
"""How long an answered alert may stay unclosed before the overseer sees it."""

SEND, ANSWER = "operations.tasking.send", "operations.alert.answer"
OPEN_CASE = "operations.alert.open_case"
REPORT = "operations.tasking.report"


def answered(
    session: Session, actor: Actor, now: datetime, offset: int = 0
) -> tuple[list[AnsweredLead], int]:
    """A page of alerts answered for longer than `ANSWERED_FOR` and not closed; and how many.

    The gravest first, then the longest answered.
    """
    old = (
        LeadRow.type == "alert",
        LeadRow.state == "answered",
        LeadRow.answered_at < now - ANSWERED_FOR,
    )
    total = session.scalar(select(func.count()).select_from(LeadRow).where(*old)) or 0
    rows = session.scalars(
        select(LeadRow)
        .where(*old)
        .order_by(gravest().desc(), LeadRow.answered_at, LeadRow.id)
        .offset(offset)
        .limit(A_PAGE["answered"])
    ).all()
    said = _Said(session, [row.id for row in rows])
    return [said.of(actor, row) for row in rows], total


class _Said:
    """What the ledger says of some alerts: how each was answered."""

    def __init__(self, session: Session, alerts: list[str]) -> None:
        self._with: dict[str, str] = {}
        self._sent: dict[str, list[Entry]] = {}
        self._case: dict[str, Entry] = {}
        self._read(session, alerts)
        self._read(session, set(self._with.values()) - set(alerts))
        taskings = [str(e.detail["tasking"]) for of in self._sent.values() for e in of]
        self._reported: dict[str, list[str]] = {}
        for entry in _entries(session, "tasking", taskings, (REPORT,)):
            by = self._reported.setdefault(entry.thing.partition(":")[2], [])
            if "to" in entry.detail and entry.actor not in by:  # a position is no report
                by.append(entry.actor)
        cases = {str(entry.detail["case"]) for entry in self._case.values()}
        query = select(LeadRow.id).where(LeadRow.id.in_(cases), LeadRow.state == "open")
        self._idle = set(session.scalars(query))  # a case is answered by the first work on it

    def _read(self, session: Session, alerts: Iterable[str]) -> None:
        for entry in _entries(session, "alert", alerts, (SEND, ANSWER, OPEN_CASE)):
            alert = entry.thing.partition(":")[2]
            if entry.act == SEND:
                self._sent.setdefault(alert, []).append(entry)
            elif entry.act == OPEN_CASE:
                self._case[alert] = entry
            elif "with" in entry.detail:
                self._with[alert] = str(entry.detail["with"])
            else:
                self._with.pop(alert, None)  # answered later by itself, or no longer

    def of(self, actor: Actor, row: LeadRow) -> AnsweredLead:
        """One alert, with what was done for it and for the one that it was answered with."""
        other = self._with.get(row.id)
        sent = [*self._sent.get(row.id, ()), *self._sent.get(other or "", ())]
        case = self._case.get(row.id) or self._case.get(other or "")
        case_id = None if case is None else str(case.detail["case"])
        return AnsweredLead(
            lead=lead_of(actor, row),
            answered_at=row.answered_at or row.due_at,
            with_alert=other,
            sent=tuple(self._one(e) for e in sorted(sent, key=lambda e: e.index)),
            case=case_id,
            case_opened_by=None if case is None else case.actor,
            case_idle=case_id in self._idle,
        )

    def _one(self, entry: Entry) -> Sent:
        tasking = str(entry.detail["tasking"])
        return Sent(
            tasking=tasking,
            unit=str(entry.detail["unit"]),
            sent_by=entry.actor,
            reported_by=tuple(self._reported.get(tasking, ())),
        )


def _entries(
    session: Session, type_: str, ids: Iterable[str], acts: Iterable[str]
) -> Iterator[Entry]:
    """What was done to these things by these acts, the first first."""
    query = (
        select(LedgerEntry.leaf)
        .where(LedgerEntry.thing.in_([f"{type_}:{id_}" for id_ in ids]))
        .where(LedgerEntry.act.in_(acts), LedgerEntry.outcome == "done")
        .order_by(LedgerEntry.index)
    )
    return (Entry.from_leaf(leaf) for leaf in session.scalars(query))
