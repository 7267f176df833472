"""The findings that a node keeps, whatever room they came from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from cordon.kernel.access.model import Mark, Thing
from cordon.kernel.cards import SERIOUSNESS, Card, card_for
from cordon.kernel.clock import format_time, parse_time
from cordon.kernel.errors import NotFound
from cordon.kernel.findings import Finding
from cordon.kernel.leads.open import open_lead
from cordon.kernel.leads.tables import FindingRow, FindingSubjectRow
from cordon.kernel.work import View, Work, personal_data

ANSWER_WITHIN = {
    "grave": timedelta(minutes=15),
    "serious": timedelta(hours=1),
    "notice": timedelta(hours=8),
}
"""How long a finding may wait unanswered before the overseer sees it: a watch is 8 hours."""

WITHDRAWN = "withdrawn"
"""What a finding that its detector took back holds beside the rest: when (`at`), and `why`."""


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """When a detector took a finding back, and why in one sentence."""

    at: datetime
    why: str


@dataclass(frozen=True, slots=True)
class KeptFinding:
    """A finding with what the node keeps beside it."""

    finding: Finding
    title: str
    seriousness: str
    state: str
    agency: str
    mark: Mark
    kept_at: datetime

    @property
    def withdrawn(self) -> Withdrawn | None:
        """When and why its detector took it back; None where it holds."""
        said = self.finding.extra.get(WITHDRAWN)
        return Withdrawn(parse_time(said["at"]), str(said["why"])) if said else None

    def thing(self) -> Thing:
        """The finding as policies see it."""
        return Thing("finding", self.finding.id, self.agency, self.mark)


def keep(
    work: Work,
    findings: Iterable[Finding],
    cards: Mapping[str, Card],
    *,
    mark: Mark = Mark.AMBER,
    graver: Callable[[Finding], bool] = lambda _finding: False,
) -> tuple[list[str], list[str]]:
    """Keep findings; return ids of those that are new and of those that say more than before.

    The same finding found again is the same row. One whose evidence has grown (another end,
    confidence, reasons or subjects) is updated and announced as such; a closed one stays closed.

    Args:
        graver: whether a new one is kept one step graver than its card says.
    """
    work.kernel.rows.alone(work.session, "findings.keep")  # it looks, then makes what is not there
    made: list[str] = []
    grown: list[str] = []
    for said in findings:
        finding = said
        if any(personal_data(s) for s in said.subjects):
            finding = replace(said, id=work.kernel.masker.opaque_id(said.id))
        row = work.session.get(FindingRow, finding.id)
        if row is None:
            card = card_for(cards, finding.detector, finding.kind)
            if card is None:
                raise LookupError(f"no card tells what {finding.detector} looks for")
            seriousness = _graver(card.seriousness) if graver(said) else card.seriousness
            row = FindingRow(
                id=finding.id,
                agency=work.kernel.agency,
                mark=mark,
                created_at=work.now,
                kind=finding.kind,
                title=card.title,
                seriousness=seriousness,
                starts=finding.start,
                ends=finding.end,
                confidence=finding.confidence,
                body=finding.without_records().to_dict(),
                records=finding.to_dict()["records"],
            )
            work.session.add(row)
            work.session.flush()
            work.session.add_all(
                FindingSubjectRow(subject=s, finding=finding.id) for s in finding.subjects
            )
            open_lead(
                work,
                row.thing(),
                title=card.title,
                seriousness=seriousness,
                due=work.now + ANSWER_WITHIN[seriousness],
            )
            # in the ledger too: a row that is deleted was still made
            work.act(
                "findings.finding.make",
                row.thing(),
                kind=finding.kind,
                seriousness=seriousness,
            )
            made.append(finding.id)
        elif row.whole() != finding.to_dict():
            row.starts, row.ends = finding.start, finding.end
            row.confidence = finding.confidence
            row.body = finding.without_records().to_dict()
            row.records = finding.to_dict()["records"]
            _subjects(work, finding)
            grown.append(finding.id)
    for id_ in made:
        work.emit("findings.finding.made", {"finding": id_}, mark)
    for id_ in grown:
        work.emit("findings.finding.grown", {"finding": id_}, mark)
    return made, grown


def _graver(seriousness: str) -> str:
    """The next graver seriousness; the gravest stays."""
    return SERIOUSNESS[min(SERIOUSNESS.index(seriousness) + 1, len(SERIOUSNESS) - 1)]


def withdraw(work: Work, said: Finding, why: str) -> bool:
    """Note that its detector no longer says this; return False where that is known, or it is not.

    A withdrawal is told, never a deletion: the finding stays with its reasons and records, and a
    lead stays one until somebody ends it. Found again, it holds again (`keep`).

    Args:
        why: one sentence for the officer.
    """
    id_ = said.id
    if any(personal_data(s) for s in said.subjects):
        id_ = work.kernel.masker.opaque_id(id_)
    row = work.session.get(FindingRow, id_, with_for_update=True)
    if row is None or WITHDRAWN in row.body:
        return False
    row.body = {**row.body, WITHDRAWN: {"at": format_time(work.now), "why": why}}
    work.act("findings.finding.make", row.thing(), withdrawn=True, why=why)
    work.emit("findings.finding.withdrawn", {"finding": id_}, Mark(row.mark))
    return True


def _subjects(work: Work, finding: Finding) -> None:
    """Let a finding be found by the subjects that it names now, and by no others."""
    rows = work.session.scalars(
        select(FindingSubjectRow).where(FindingSubjectRow.finding == finding.id)
    )
    named = {row.subject: row for row in rows}
    for subject in named.keys() - set(finding.subjects):
        work.session.delete(named[subject])
    work.session.add_all(
        FindingSubjectRow(subject=s, finding=finding.id) for s in finding.subjects if s not in named
    )


def get_finding(view: View, id_: str) -> KeptFinding:
    """One finding, after the gate; raises NotFound."""
    row = view.session.get(FindingRow, id_)
    if row is None:
        raise NotFound("There is no such finding.")
    view.permit("findings.finding.view", row.thing())
    return _kept(row, row.whole())


def list_findings(
    view: View,
    *,
    kind: str | None = None,
    state: str | None = None,
    subject: str | None = None,
    before: str | None = None,
    at_most: int = 50,
) -> list[KeptFinding]:
    """Findings without their records, newest first, those that the actor may see.

    Args:
        kind: a kind or its room's prefix (`picture.`). before: id of the last one of the page
            before this one.
    """
    agency = view.kernel.agency
    # asked of the gate once a mark, so that the database can leave the others out
    marks = [m for m in Mark if view.may("findings.finding.view", Thing("finding", "-", agency, m))]
    query = (
        select(FindingRow)
        .where(FindingRow.agency == agency, FindingRow.mark.in_(marks))
        .order_by(FindingRow.starts.desc(), FindingRow.id.desc())
    )
    if kind:
        query = query.where(FindingRow.kind.startswith(kind, autoescape=True))
    if state:
        query = query.where(FindingRow.state == state)
    if subject:
        query = query.join(FindingSubjectRow, FindingSubjectRow.finding == FindingRow.id).where(
            FindingSubjectRow.subject == subject
        )
    if before and (last := view.session.get(FindingRow, before)) is not None:
        query = query.where(
            (FindingRow.starts < last.starts)
            | ((FindingRow.starts == last.starts) & (FindingRow.id < last.id))
        )
    return [_kept(row, row.body) for row in view.session.scalars(query.limit(at_most))]


def findings_naming(view: View, subjects: Iterable[str], kinds: Iterable[str]) -> list[Finding]:
    """Findings of these kinds that name one of these subjects and hold, without their records.

    Those that the actor may see; one query whatever the number of subjects.
    """
    query = (
        select(FindingRow)
        .join(FindingSubjectRow, FindingSubjectRow.finding == FindingRow.id)
        .where(
            FindingRow.agency == view.kernel.agency,
            FindingRow.kind.in_([*kinds]),
            FindingSubjectRow.subject.in_([*subjects]),
        )
        .order_by(FindingRow.id)
    )
    kept = [_kept(row, row.body) for row in view.session.scalars(query).unique()]
    may: dict[Mark, bool] = {}
    for one in kept:
        if one.mark not in may:
            may[one.mark] = view.may("findings.finding.view", one.thing())
    return [k.finding for k in kept if may[k.mark] and k.withdrawn is None]


def _kept(row: FindingRow, said: dict[str, Any]) -> KeptFinding:
    return KeptFinding(
        Finding.from_dict(said),
        row.title,
        row.seriousness,
        row.state,
        row.agency,
        Mark(row.mark),
        row.created_at,
    )
