"""Steps that changing a case is made of; each in the caller's transaction."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select

from cordon.cases.custody import would_break
from cordon.cases.model import (
    CaseState,
    CustodyAct,
    CustodyEvent,
    Exhibit,
    ExhibitKind,
    LinkKind,
    check_holder,
)
from cordon.cases.reading import exhibit_of, find_case, part_of, thing_of
from cordon.cases.tables import CaseLinkRow, CaseMemberRow, CaseRow, CustodyRow, ExhibitRow
from cordon.kernel import leads
from cordon.kernel.access.model import Thing
from cordon.kernel.cards import SERIOUSNESS
from cordon.kernel.errors import BadInput, Conflict
from cordon.kernel.ids import new_id
from cordon.kernel.leads import KeptFinding
from cordon.kernel.leads.tables import LeadRow
from cordon.kernel.masking import redact
from cordon.kernel.work import Work

LONGEST_TITLE = 180
TAKE_WITHIN = {
    "grave": timedelta(hours=24),
    "serious": timedelta(days=3),
    "notice": timedelta(days=7),
}
"""How long a case may wait for the first work on it before the overseer sees it."""


def line(text: str, what: str, most: int = 200) -> str:
    """One line of text, stripped; raises BadInput where it is longer or holds line breaks."""
    text = text.strip()
    if len(text) > most or (text and not text.isprintable()):
        raise BadInput(
            f"The {what} is not one line of at most {most} characters.",
            advice="Shorten it, and leave out line breaks.",
        )
    return text


def checked_title(text: str) -> str:
    """A case's title: one line that holds no number of a person.

    Titles stand in lists and before people who may not see personal data.
    """
    text = line(text, "title", LONGEST_TITLE)
    if not text:
        raise BadInput("The case has no title.", advice="Say in one line what it is about.")
    if redact(text) != text:
        raise BadInput(
            "The title holds a number that looks like a person's.",
            advice="Leave it out: titles are read by people who may not see it.",
        )
    return text


def open_row(work: Work, case: str) -> tuple[CaseRow, Thing]:
    """The locked row of a case that is open, and the case as policies see it."""
    row = find_case(work.session, case, lock=True)
    thing = thing_of(work.session, row)
    if row.state == CaseState.CLOSED:
        work.permit("cases.case.view", thing)
        raise Conflict(f"{row.number} is closed.", advice="Open a new case and link what is new.")
    return row, thing


def graver(one: str, other: str) -> str:
    """The graver of two of `SERIOUSNESS`."""
    return max(one, other, key=SERIOUSNESS.index)


def at_least(work: Work, row: CaseRow, thing: Thing, finding: KeptFinding, act: str) -> Thing:
    """Make the case as strict and as grave as a finding that comes into it, and its lead too.

    What was raised stands in the ledger under `act`, by which the finding came in. The time to
    answer it is only ever shortened.
    """
    mark = max(thing.mark, finding.mark, key=lambda m: m.rank)
    seriousness = graver(row.seriousness, finding.seriousness)
    if (mark, seriousness) == (thing.mark, row.seriousness):
        return thing
    graver_now = seriousness != row.seriousness
    row.mark, row.seriousness = mark, seriousness
    lead = work.session.get(LeadRow, row.id, with_for_update=True)
    if lead is not None:  # lists and reports show its title by the lead's own mark
        lead.mark, lead.seriousness = mark, seriousness
        if graver_now:
            lead.due_at = min(lead.due_at, work.now + TAKE_WITHIN[seriousness])
    work.session.flush()
    thing = thing_of(work.session, row)
    work.act(act, thing, raised_by=finding.finding.id, mark=str(mark), seriousness=seriousness)
    return thing


def name_officer(work: Work, case: str, officer: str) -> None:
    """Name an officer on a case; twice changes nothing."""
    if work.session.get(CaseMemberRow, (case, officer)) is None:
        work.session.add(CaseMemberRow(case=case, officer=officer, at=work.now, by=work.actor.id))
        work.session.flush()


def link(work: Work, thing: Thing, kind: LinkKind, target: str) -> None:
    """Link a finding or an alert to a case; twice is refused."""
    work.act("cases.case.link", thing, kind=str(kind), target=target)
    there = select(CaseLinkRow.id).where(
        CaseLinkRow.case == thing.id, CaseLinkRow.kind == kind, CaseLinkRow.target == target
    )
    if work.session.scalar(there) is not None:
        raise Conflict(f"This {kind} is linked to the case already.")
    work.session.add(
        CaseLinkRow(
            id=new_id(),
            agency=thing.agency,
            mark=thing.mark,
            created_at=work.now,
            case=thing.id,
            kind=kind,
            target=target,
            by=work.actor.id,
        )
    )
    work.session.flush()


def add_exhibit(
    work: Work,
    row: CaseRow,
    case: Thing,
    *,
    title: str,
    kind: ExhibitKind,
    sha256: str,
    size: int,
    media_type: str,
    source: str,
    received_from: str,
    place: str | None = None,
    seal_number: str | None = None,
    note: str = "",
    finding: str | None = None,
) -> Exhibit:
    """Enter an exhibit whose bytes are kept, with its receipt by the actor."""
    check_holder(received_from)
    same = select(ExhibitRow.place).where(
        ExhibitRow.case == row.id, ExhibitRow.sha256 == sha256, ExhibitRow.title == title
    )
    if (already := work.session.scalar(same)) is not None:
        raise Conflict(f"It is in the case already: E-{already} has the same name and bytes.")
    last = select(func.max(ExhibitRow.place)).where(ExhibitRow.case == row.id)
    kept = ExhibitRow(
        id=new_id(),
        agency=row.agency,
        mark=row.mark,
        created_at=work.now,
        case=row.id,
        place=(work.session.scalar(last) or 0) + 1,
        kind=kind,
        title=title,
        sha256=sha256,
        size=size,
        media_type=media_type,
        source=source,
        received_at=work.now,
        received_from=received_from,
        finding=finding,
    )
    exhibit = exhibit_of(kept)  # refuses what cannot be said of an exhibit
    thing = part_of(case, "exhibit", kept.id)
    work.act("cases.exhibit.add", thing, case=row.id, label=exhibit.label, sha256=sha256, size=size)
    work.session.add(kept)
    work.session.flush()
    receipt = CustodyEvent(
        id=new_id(),
        exhibit=kept.id,
        at=work.now,
        act=CustodyAct.RECEIVED,
        by=work.actor.id,
        from_holder=received_from,
        to_holder=f"officer:{work.actor.id}",
        place=place,
        seal_number=seal_number,
        note=note,
    )
    if breaks := would_break((), receipt):
        raise BadInput("Its receipt cannot be written: " + ", ".join(b.rule for b in breaks))
    write_custody(work, case, receipt, 1)
    leads.answered(work, case)
    work.emit("cases.exhibit.added", {"case": row.id, "exhibit": kept.id}, case.mark)
    return exhibit


def write_custody(work: Work, case: Thing, event: CustodyEvent, place: int) -> None:
    """Keep an entry as the given one of its chain."""
    work.session.add(
        CustodyRow(
            id=event.id,
            agency=case.agency,
            mark=case.mark,
            created_at=work.now,
            exhibit=event.exhibit,
            place=place,
            at=event.at,
            act=event.act,
            by=event.by,
            from_holder=event.from_holder,
            to_holder=event.to_holder,
            where=event.place,
            seal_number=event.seal_number,
            note=event.note,
        )
    )
    work.session.flush()


def close(work: Work, row: CaseRow, reason: str) -> None:
    """Set a case closed, with its lead in the same transaction."""
    row.state, row.closed_at, row.closed_reason = CaseState.CLOSED, work.now, reason
