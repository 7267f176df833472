"""Closing a lead: a reason from the list, a note, and above a set seriousness a second officer.

Agencies of this kind have been bought off; closing is where it shows. So the one who asks and
the one who countersigns are two people from two units, and both stand in the ledger.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml
from sqlalchemy import select

from cordon.kernel.access.model import Thing
from cordon.kernel.cards import SERIOUSNESS
from cordon.kernel.errors import BadInput, Conflict, NotFound
from cordon.kernel.ids import new_id
from cordon.kernel.leads.tables import ClosureRow, FindingRow, LeadRow
from cordon.kernel.work import SecondRefused, Work

SHORTEST_NOTE = 10  # characters: "ok" explains nothing to the one who reads it in a year


@dataclass(frozen=True, slots=True)
class CloseReason:
    """One entry of the list: its id, its title, and when it fits."""

    id: str
    title: str
    says: str


@dataclass(frozen=True, slots=True)
class LeadRules:
    """What the node's settings say of closing.

    Attributes:
        alone_up_to: the gravest seriousness that one officer may close alone.
    """

    alone_up_to: str = "notice"

    def needs_second(self, seriousness: str) -> bool:
        """True where a second officer from another unit must countersign."""
        return SERIOUSNESS.index(seriousness) > SERIOUSNESS.index(self.alone_up_to)


@dataclass(frozen=True, slots=True)
class Closure:
    """Where a wish to close stands: `closed`, or `waiting` for a second officer."""

    id: str
    state: str


@cache
def close_reasons() -> Mapping[str, Sequence[CloseReason]]:
    """The list of reasons for each type of lead."""
    data = yaml.safe_load(Path(__file__).with_name("reasons.yaml").read_text("utf-8"))
    return {type_: tuple(CloseReason(**r) for r in reasons) for type_, reasons in data.items()}


def ask_to_close(
    work: Work, act: str, thing: Thing, rules: LeadRules, *, reason: str, note: str
) -> Closure:
    """Close a lead, or ask for the second officer whom its seriousness needs.

    Args:
        act: the room's own act of closing, which passes the gate.
        thing: the finding, alert or case as policies see it.

    Raises:
        BadInput: no reason of the list, or a note that says nothing. Conflict: closed already,
        or a wish to close it is waiting.
    """
    lead = _lead(work, thing)
    if lead.state in ("closing", "closed"):
        raise Conflict(
            "It is closed already."
            if lead.state == "closed"
            else "It waits for a second officer already."
        )
    if reason not in {r.id for r in close_reasons()[thing.type]}:
        raise BadInput("Closing needs a reason from the list.", advice="Choose one.")
    note = note.strip()
    if len(note) < SHORTEST_NOTE:
        raise BadInput(
            f"The note has {len(note)} characters.",
            advice=f"Write at least {SHORTEST_NOTE}: what was found, so that another can judge it.",
        )
    second = rules.needs_second(lead.seriousness)
    closure = ClosureRow(
        id=new_id(),
        agency=thing.agency,
        mark=thing.mark,
        created_at=work.now,
        lead=thing.id,
        state="waiting" if second else "closed",
        reason=reason,
        note=note,
        asked_by=work.actor.id,
        asked_unit=work.actor.unit,
    )
    work.act(act, thing, reason=reason, closure=closure.id, second_needed=second)
    work.session.add(closure)
    _set(work, lead, "closing" if second else "closed")
    work.emit(f"leads.{thing.type}.{lead.state}", {thing.type: thing.id, "reason": reason})
    return Closure(closure.id, closure.state)


def countersign(work: Work, act: str, thing: Thing) -> Closure:
    """Close a lead as the second officer: another person, from another unit."""
    lead, closure = _waiting(work, thing)
    work.permit(act, thing)  # who may not sign at all learns nothing of who asked
    if work.actor.id == closure.asked_by:
        raise SecondRefused("Who asked to close it cannot countersign.", act, thing)
    if work.actor.unit is None or work.actor.unit == closure.asked_unit:
        raise SecondRefused("The second officer must come from another unit.", act, thing)
    work.act(act, thing, closure=closure.id, reason=closure.reason, asked_by=closure.asked_by)
    closure.state, closure.second_by = "closed", work.actor.id
    closure.second_unit, closure.second_at = work.actor.unit, work.now
    _set(work, lead, "closed")
    work.emit(f"leads.{thing.type}.closed", {thing.type: thing.id, "reason": closure.reason})
    return Closure(closure.id, "closed")


def decline(work: Work, act: str, thing: Thing, *, note: str) -> Closure:
    """Say no to a wish to close; the lead is open again, and answered no longer."""
    lead, closure = _waiting(work, thing)
    if len(note.strip()) < SHORTEST_NOTE:
        raise BadInput("Declining needs a note.", advice="Write why it should stay open.")
    work.act(act, thing, closure=closure.id, declined=True)
    closure.state, closure.second_by, closure.second_note = "declined", work.actor.id, note.strip()
    closure.second_unit, closure.second_at = work.actor.unit, work.now
    _set(work, lead, "open")
    work.emit(f"leads.{thing.type}.reopened", {thing.type: thing.id})
    return Closure(closure.id, "declined")


def _set(work: Work, lead: LeadRow, state: str) -> None:
    lead.state = state
    lead.closed_at = work.now if state == "closed" else None
    if lead.type == "finding":
        finding = work.session.get(FindingRow, lead.id)
        if finding is not None:
            finding.state = state


def _lead(work: Work, thing: Thing) -> LeadRow:
    lead = work.session.get(LeadRow, thing.id, with_for_update=True)
    if lead is None:
        raise NotFound("There is no such lead.")
    return lead


def _waiting(work: Work, thing: Thing) -> tuple[LeadRow, ClosureRow]:
    lead = _lead(work, thing)
    closure = work.session.scalars(
        select(ClosureRow).where(ClosureRow.lead == thing.id, ClosureRow.state == "waiting")
    ).first()
    if closure is None:
        raise Conflict("Nobody has asked to close it.")
    return lead, closure
