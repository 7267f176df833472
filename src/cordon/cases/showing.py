"""What a case's page shows: everything of it, with what this reader may not see masked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from cordon.cases.custody import check, custody_of
from cordon.cases.gathering import things_of
from cordon.cases.model import CaseLink, LinkKind
from cordon.cases.persons import personal_subjects, sights
from cordon.cases.reading import (
    CaseView,
    HeldExhibit,
    ShownFinding,
    ShownReason,
    ShownSubject,
    bundles_of,
    case_of,
    chain_of,
    exhibit_of,
    exhibits_of,
    find_case,
    findings_of,
    links_of,
    members_of,
    thing_of,
    wish_of,
)
from cordon.kernel.access.model import Authority, Thing
from cordon.kernel.access.tables import AuthorityRow, OfficerRow
from cordon.kernel.findings import Finding
from cordon.kernel.leads.tables import FindingRow, LeadRow
from cordon.kernel.ledger.tables import LedgerEntry
from cordon.kernel.work import View

VIEW = "cases.case.view"
OFFERED = (
    "cases.case.take",
    "cases.case.link",
    "cases.case.name",
    "cases.case.close",
    "cases.case.countersign",
    "cases.exhibit.add",
    "cases.exhibit.custody",
    "cases.bundle.seal",
    "cases.bundle.take_out",
)


def show_case(view: View, reference: str) -> CaseView:
    """A case by its number or id, as this reader may see it."""
    session = view.session
    row = find_case(session, reference)
    thing = thing_of(session, row)
    view.permit(VIEW, thing)
    lead = session.get(LeadRow, row.id)
    links = links_of(session, row.id)
    findings = list(_findings(view, thing, findings_of(session, row.id), _labels(session, row.id)))
    exhibits = tuple(_exhibits(session, row.id))
    bundles = tuple(bundles_of(session, row.id))
    wish = wish_of(session, row.id)
    members = members_of(session, row.id)
    people = {row.lead_officer, *members, *(e.by for h in exhibits for e in h.chain)}
    people |= {b.sealed_by for b in bundles} | {link.by for link in links}
    if wish is not None:
        people |= {wish.asked_by, wish.second_by or wish.asked_by}
    authorities = authorities_used(session, things_of(session, row.id))
    alerts = tuple(link for link in links if link.kind is LinkKind.ALERT)
    return CaseView(
        case=case_of(row),
        lead_state=row.state if lead is None else lead.state,
        members=tuple(sorted(members)),
        alerts=alerts,
        findings=tuple(findings),
        exhibits=exhibits,
        bundles=bundles,
        authorities=tuple(authorities),
        wish=wish,
        names=names_of(session, people),
        acts=frozenset(act for act in OFFERED if view.may(act, thing)),
        opens=frozenset(_opens(view, authorities, alerts)),
        masked=sum(s.masked for f in findings for s in f.subjects),
    )


def _opens(
    view: View, authorities: Sequence[Authority], alerts: Sequence[CaseLink]
) -> Iterator[str]:
    """Pages of other rooms that this reader may open: a link to another is a refusal to count."""
    agency = view.kernel.agency
    if view.may("oversight.ledger.view", Thing.room("oversight", agency)):
        yield "ledger"
    if view.may("access.authority.view", Thing.room("access", agency)):
        for one in authorities:
            named = frozenset({one.recorded_by})
            thing = Thing("authority", one.id, one.agency, one.mark, members=named)
            if view.may("access.authority.view", thing):
                yield thing.name
    if view.may("operations.alert.view", Thing.room("operations", agency)):
        for link in alerts:
            lead = view.session.get(LeadRow, link.target)
            if lead is not None and view.may("operations.alert.view", lead.thing()):
                yield f"alert:{link.target}"


def authorities_used(session: Session, things: Sequence[str]) -> list[Authority]:
    """Authorities under which anything was done to these things, by the ledger."""
    used = session.scalars(
        select(LedgerEntry.authority)
        .where(LedgerEntry.thing.in_(things), LedgerEntry.authority.is_not(None))
        .distinct()
    )
    rows = session.scalars(
        select(AuthorityRow).where(AuthorityRow.id.in_(list(used))).order_by(AuthorityRow.id)
    )
    return [row.to_authority() for row in rows]


def names_of(session: Session, officers: Iterable[str]) -> dict[str, str]:
    """Names of officers by id; programs and commands have none and keep their id."""
    rows = session.execute(
        select(OfficerRow.id, OfficerRow.name).where(OfficerRow.id.in_(set(officers)))
    )
    return {row.id: row.name for row in rows}


def _labels(session: Session, case: str) -> dict[str, str]:
    return {row.finding: f"E-{row.place}" for row in exhibits_of(session, case) if row.finding}


def _exhibits(session: Session, case: str) -> Iterator[HeldExhibit]:
    exhibits = [exhibit_of(row) for row in exhibits_of(session, case)]
    events = chain_of(session, [e.id for e in exhibits])
    for exhibit in exhibits:
        chain = tuple(e for e in events if e.exhibit == exhibit.id)
        breaks = tuple(check(chain, exhibits=[exhibit.id]))
        yield HeldExhibit(exhibit, chain, custody_of(chain), breaks)


def _findings(
    view: View, thing: Thing, rows: Sequence[FindingRow], labels: dict[str, str]
) -> Iterator[ShownFinding]:
    allowed = {
        row.id: Finding.from_dict(row.body)
        for row in rows
        if view.may("findings.finding.view", row.thing())
    }
    seen = sights(view, VIEW, thing, {s for f in allowed.values() for s in f.subjects})
    for row in rows:
        finding = allowed.get(row.id)
        if finding is None:
            yield ShownFinding(row.id, False, exhibit=labels.get(row.id))
            continue
        data_of = {subject: data for data, subject in personal_subjects(finding.subjects)}
        clear = {
            s for s in finding.subjects
            if s not in data_of or seen[data_of[s]].shows(s, finding.start)
        }  # fmt: skip
        masked = view.kernel.masker.mask_finding(finding, lambda s, clear=clear: s in clear)  # type: ignore[misc]
        yield ShownFinding(
            id=row.id,
            visible=True,
            kind=finding.kind,
            title=row.title,
            start=finding.start,
            end=finding.end,
            confidence=finding.confidence,
            subjects=tuple(ShownSubject(s, s not in clear) for s in masked.subjects),
            reasons=tuple(
                ShownReason(r.says, r.value, r.unit, r.threshold) for r in masked.reasons
            ),
            records=len(row.records),
            exhibit=labels.get(row.id),
        )
