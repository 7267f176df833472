"""Cases as they are read: rows made into values, and what a page shows of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from cordon.cases.custody import Break, Custody
from cordon.cases.model import (
    Case,
    CaseLink,
    CaseState,
    CustodyAct,
    CustodyEvent,
    Exhibit,
    ExhibitKind,
    LinkKind,
)
from cordon.cases.tables import (
    BundleRow,
    CaseLinkRow,
    CaseMemberRow,
    CaseRow,
    CustodyRow,
    ExhibitRow,
)
from cordon.kernel.access.model import Authority, Mark, Thing
from cordon.kernel.errors import NotFound
from cordon.kernel.leads.tables import ClosureRow, FindingRow, LeadRow


@dataclass(frozen=True, slots=True)
class CaseLine:
    """A case in a list: where its lead stands (open, answered, closing, closed), and counts."""

    case: Case
    lead_state: str
    exhibits: int
    findings: int
    bundles: int


@dataclass(frozen=True, slots=True)
class Bundle:
    """A sealed bundle that this node keeps.

    Attributes:
        place: its number among the case's. root: SHA-256 (hex) that stands for every byte.
        files, size: of its payload (count; bytes). withheld: raw files that it does not carry.
        holds: personal data in it, as (kind of data, `type:id` or None for everyone).
    """

    id: str
    case: str
    place: int
    folder: str
    root: str
    files: int
    size: int
    sealed_at: datetime
    sealed_by: str
    ledger_size: int
    withheld: int
    holds: tuple[tuple[str, str | None], ...]


@dataclass(frozen=True, slots=True)
class ShownSubject:
    """A finding's subject as this reader may see it."""

    text: str
    masked: bool


@dataclass(frozen=True, slots=True)
class ShownReason:
    """A finding's reason as this reader may see it; units as in `Reason`."""

    says: str
    value: float
    unit: str
    threshold: float | None


@dataclass(frozen=True, slots=True)
class ShownFinding:
    """A finding of the case: what it says, with what may not be seen masked.

    Attributes:
        visible: False where the reader may not know of it; only its id is given then.
        exhibit: label of the exhibit that it is, or None.
    """

    id: str
    visible: bool
    kind: str = ""
    title: str = ""
    start: datetime | None = None
    end: datetime | None = None
    confidence: float = 0.0
    subjects: tuple[ShownSubject, ...] = ()
    reasons: tuple[ShownReason, ...] = ()
    records: int = 0
    exhibit: str | None = None


@dataclass(frozen=True, slots=True)
class HeldExhibit:
    """An exhibit with its chain of custody, where it is now, and what breaks in the chain."""

    exhibit: Exhibit
    chain: tuple[CustodyEvent, ...]
    now: Custody
    breaks: tuple[Break, ...]


@dataclass(frozen=True, slots=True)
class Wish:
    """The latest wish to close a case: its state (waiting, closed, declined) and who asked."""

    id: str
    state: str
    reason: str
    note: str
    asked_by: str
    asked_unit: str | None
    asked_at: datetime
    second_by: str | None
    second_note: str | None


@dataclass(frozen=True, slots=True)
class CaseView:
    """Everything that a case's page shows.

    Attributes:
        acts: acts that this reader may do on it. authorities: those used in its work.
        opens: what of other rooms this reader may open from it: `ledger`, `authority:…`, `alert:…`.
        names: officers' names by id, as far as this node knows them.
        masked: how many values on the page are masked.
    """

    case: Case
    lead_state: str
    members: tuple[str, ...]
    alerts: tuple[CaseLink, ...]
    findings: tuple[ShownFinding, ...]
    exhibits: tuple[HeldExhibit, ...]
    bundles: tuple[Bundle, ...]
    authorities: tuple[Authority, ...]
    wish: Wish | None
    names: Mapping[str, str]
    acts: frozenset[str]
    opens: frozenset[str]
    masked: int

    @property
    def broken(self) -> dict[str, list[str]]:
        """What breaks in the chains, by what whoever seals declares it as (`E-1:gap`)."""
        found: dict[str, list[str]] = {}
        for held in self.exhibits:
            for one in held.breaks:
                found.setdefault(f"{held.exhibit.label}:{one.rule}", []).append(one.says)
        return found


def find_case(session: Session, reference: str, *, lock: bool = False) -> CaseRow:
    """The row of a case by its number or id; raises NotFound."""
    by = CaseRow.number if reference.upper().startswith("C-") else CaseRow.id
    wanted = reference.upper() if by is CaseRow.number else reference
    query = select(CaseRow).where(by == wanted).limit(1)
    row = session.scalars(query.with_for_update() if lock else query).first()
    if row is None:
        raise NotFound("There is no such case.", advice="Give its number (C-2026-0001) or its id.")
    return row


def members_of(session: Session, case: str) -> frozenset[str]:
    """Ids of the officers named on a case."""
    return frozenset(
        session.scalars(select(CaseMemberRow.officer).where(CaseMemberRow.case == case))
    )


def things_of_rows(session: Session, rows: Sequence[CaseRow]) -> list[Thing]:
    """Cases as policies see them, their members read at once."""
    named: dict[str, set[str]] = {}
    members = session.execute(
        select(CaseMemberRow.case, CaseMemberRow.officer).where(
            CaseMemberRow.case.in_([row.id for row in rows])
        )
    )
    for case, officer in members:
        named.setdefault(case, set()).add(officer)
    return [
        Thing("case", r.id, r.agency, Mark(r.mark), r.unit, frozenset(named.get(r.id, ())))
        for r in rows
    ]


def thing_of(session: Session, row: CaseRow) -> Thing:
    """The case as policies see it."""
    return Thing("case", row.id, row.agency, Mark(row.mark), row.unit, members_of(session, row.id))


def part_of(case: Thing, type_: str, id_: str) -> Thing:
    """An exhibit or bundle as policies see it: under its case's mark and for its members."""
    return Thing(type_, id_, case.agency, case.mark, case.unit, case.members)


def case_of(row: CaseRow) -> Case:
    """A row as a value."""
    return Case(
        id=row.id,
        agency=row.agency,
        mark=Mark(row.mark),
        number=row.number,
        title=row.title,
        state=CaseState(row.state),
        opened_at=row.created_at,
        unit=row.unit,
        lead_officer=row.lead_officer,
        seriousness=row.seriousness,
        closed_at=row.closed_at,
        closed_reason=row.closed_reason,
    )


def exhibit_of(row: ExhibitRow) -> Exhibit:
    """A row as a value."""
    return Exhibit(
        id=row.id,
        case=row.case,
        label=f"E-{row.place}",
        kind=ExhibitKind(row.kind),
        title=row.title,
        sha256=row.sha256,
        size=row.size,
        media_type=row.media_type,
        source=row.source,
        received_at=row.received_at,
        received_from=row.received_from,
    )


def event_of(row: CustodyRow) -> CustodyEvent:
    """A row as a value."""
    return CustodyEvent(
        id=row.id,
        exhibit=row.exhibit,
        at=row.at,
        act=CustodyAct(row.act),
        by=row.by,
        from_holder=row.from_holder,
        to_holder=row.to_holder,
        place=row.where,
        seal_number=row.seal_number,
        note=row.note,
    )


def bundle_of(row: BundleRow) -> Bundle:
    """A row as a value."""
    return Bundle(
        id=row.id,
        case=row.case,
        place=row.place,
        folder=row.folder,
        root=row.root,
        files=row.files,
        size=row.size,
        sealed_at=row.sealed_at,
        sealed_by=row.sealed_by,
        ledger_size=row.ledger_size,
        withheld=row.withheld,
        holds=tuple((data, subject) for data, subject in row.holds),
    )


def exhibits_of(session: Session, case: str) -> list[ExhibitRow]:
    """A case's exhibits, in their order."""
    query = select(ExhibitRow).where(ExhibitRow.case == case).order_by(ExhibitRow.place)
    return list(session.scalars(query))


def chain_of(session: Session, exhibits: Iterable[str]) -> list[CustodyEvent]:
    """Entries of custody of exhibits, each chain in the order in which it was written."""
    query = (
        select(CustodyRow)
        .where(CustodyRow.exhibit.in_(list(exhibits)))
        .order_by(CustodyRow.exhibit, CustodyRow.place)
    )
    return [event_of(row) for row in session.scalars(query)]


def links_of(session: Session, case: str) -> list[CaseLink]:
    """What a case is linked to, in the order of linking."""
    query = (
        select(CaseLinkRow)
        .where(CaseLinkRow.case == case)
        .order_by(CaseLinkRow.created_at, CaseLinkRow.id)
    )
    return [
        CaseLink(row.case, LinkKind(row.kind), row.target, row.created_at, row.by)
        for row in session.scalars(query)
    ]


def findings_of(session: Session, case: str) -> list[FindingRow]:
    """Findings of a case, linked or exhibits, oldest first."""
    linked = select(CaseLinkRow.target).where(
        CaseLinkRow.case == case, CaseLinkRow.kind == LinkKind.FINDING
    )
    shown = select(ExhibitRow.finding).where(
        ExhibitRow.case == case, ExhibitRow.finding.is_not(None)
    )
    query = select(FindingRow).where(FindingRow.id.in_(linked) | FindingRow.id.in_(shown))
    return list(session.scalars(query.order_by(FindingRow.starts, FindingRow.id)))


def bundles_of(session: Session, case: str) -> list[Bundle]:
    """A case's bundles, newest first."""
    query = select(BundleRow).where(BundleRow.case == case).order_by(BundleRow.place.desc())
    return [bundle_of(row) for row in session.scalars(query)]


def wish_of(session: Session, case: str) -> Wish | None:
    """The latest wish to close a case."""
    row = session.scalars(
        select(ClosureRow).where(ClosureRow.lead == case).order_by(ClosureRow.id.desc()).limit(1)
    ).first()
    if row is None:
        return None
    return Wish(
        id=row.id,
        state=row.state,
        reason=row.reason,
        note=row.note,
        asked_by=row.asked_by,
        asked_unit=row.asked_unit,
        asked_at=row.created_at,
        second_by=row.second_by,
        second_note=row.second_note,
    )


def lines_of(session: Session, rows: Sequence[CaseRow]) -> list[CaseLine]:
    """Cases as lines of a list, with their counts read in four queries whatever their number."""
    ids = [row.id for row in rows]

    def counts(column: InstrumentedAttribute[str], *where: ColumnElement[bool]) -> dict[str, int]:
        query = select(column, func.count()).where(column.in_(ids), *where).group_by(column)
        return {case: int(count) for case, count in session.execute(query)}

    exhibits = counts(ExhibitRow.case)
    findings = counts(CaseLinkRow.case, CaseLinkRow.kind == LinkKind.FINDING)
    bundles = counts(BundleRow.case)
    leads = session.execute(select(LeadRow.id, LeadRow.state).where(LeadRow.id.in_(ids)))
    states = {lead.id: lead.state for lead in leads}
    return [
        CaseLine(
            case_of(row),
            states.get(row.id, row.state),
            exhibits.get(row.id, 0),
            findings.get(row.id, 0),
            bundles.get(row.id, 0),
        )
        for row in rows
    ]
