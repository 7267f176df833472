"""Rows of packages as values, and values as rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from cordon.kernel.access.model import Authority, Mark
from cordon.kernel.access.tables import AuthorityRow, OfficerRow, UnitRow
from cordon.kernel.errors import NotFound
from cordon.money.disruption.model import (
    Answer,
    Ground,
    Item,
    Kind,
    Package,
    Site,
    State,
    Step,
)
from cordon.money.disruption.tables import PackageItemRow, PackageRow, PackageStepRow


def find(session: Session, package: str, *, lock: bool = False) -> PackageRow:
    """A package's row, locked and as it is now where asked; NotFound."""
    row = session.get(
        PackageRow, package, with_for_update=True if lock else None, populate_existing=lock
    )
    if row is None:
        raise NotFound("There is no such package.", advice="Choose one of the list.")
    return row


def packages(session: Session, rows: Sequence[PackageRow]) -> list[Package]:
    """Packages with their items, steps, authority and names, in the order given; as many queries
    whatever their number."""
    ids = [row.id for row in rows]
    items: dict[str, list[Item]] = {id_: [] for id_ in ids}
    steps: dict[str, list[Step]] = {id_: [] for id_ in ids}
    for one in session.scalars(
        select(PackageItemRow)
        .where(PackageItemRow.package.in_(ids))
        .order_by(PackageItemRow.package, PackageItemRow.place)
    ):
        amount = Decimal(one.amount) if one.amount is not None else None
        items[one.package].append(Item(one.subject, one.finding, one.bank, amount, one.currency))
    for step in session.scalars(
        select(PackageStepRow)
        .where(PackageStepRow.package.in_(ids))
        .order_by(PackageStepRow.package, PackageStepRow.number)
    ):
        steps[step.package].append(Step(State(step.state), step.at, step.by, step.unit, step.note))
    others = {o for row in rows for o in (row.supersedes, row.superseded_by) if o}
    named = {
        row.id: row.name
        for row in session.scalars(select(PackageRow).where(PackageRow.id.in_(others)))
    }
    legal = {
        known.reference: known
        for known in session.scalars(
            select(AuthorityRow).where(
                AuthorityRow.reference.in_({row.reference for row in rows}),
                AuthorityRow.agency.in_({row.agency for row in rows}),
            )
        )
    }
    every = [s for those in steps.values() for s in those]
    people = names(session, [*(row.drafted_by for row in rows), *(s.by for s in every)])
    codes = {row.drafted_unit for row in rows} | {s.unit for s in every}
    coded = session.execute(
        select(UnitRow.code, UnitRow.name).where(UnitRow.code.in_(codes - {""}))
    )
    units = {row.code: row.name for row in coded}
    return [
        replace(
            _package(row, items[row.id], steps[row.id], named, legal.get(row.reference)),
            people=people,
            units=units,
        )
        for row in rows
    ]


def package(session: Session, row: PackageRow) -> Package:
    """One package."""
    return packages(session, [row])[0]


def authority_of(session: Session, id_: str) -> Authority | None:
    """The authority of an id as it stands now."""
    row = session.get(AuthorityRow, id_)
    return row.to_authority() if row is not None else None


def unit_name(session: Session, code: str | None) -> str:
    """Name of a unit, or its code where nobody named it; empty of none."""
    found = session.scalar(select(UnitRow.name).where(UnitRow.code == code)) if code else None
    return found or code or ""


def read_under(session: Session, row: PackageRow) -> str:
    """Reference of the authority that what a package names was read under."""
    known = authority_of(session, row.authority)
    return known.reference if known is not None else row.authority


def names(session: Session, ids: Iterable[str]) -> dict[str, str]:
    """Names of officers by id; whoever is no officer of this node keeps their id."""
    wanted = {id_ for id_ in ids if id_}
    found = {id_: id_ for id_ in wanted}
    rows = session.execute(select(OfficerRow.id, OfficerRow.name).where(OfficerRow.id.in_(wanted)))
    found.update((id_, name) for id_, name in rows)
    return found


def ground_values(grounds: Iterable[Ground]) -> list[dict[str, Any]]:
    """Grounds as JSON values."""
    return [
        {**asdict(g), "reasons": list(g.reasons), "records": [list(r) for r in g.records]}
        for g in grounds
    ]


def site_values(site: Site | None) -> dict[str, Any] | None:
    """A site as JSON values."""
    if site is None:
        return None
    told = asdict(site)
    return {**told, "closed": list(site.closed), "seats": list(site.seats) if site.seats else None}


def answer_values(answer: Answer) -> dict[str, Any]:
    """An answer as JSON values; amounts as text."""
    frozen = {str(place): str(amount) for place, amount in answer.frozen.items()}
    return {"reference": answer.reference, "says": answer.says, "frozen": frozen}


def _package(
    row: PackageRow,
    items: list[Item],
    steps: list[Step],
    named: dict[str, str],
    legal: AuthorityRow | None,
) -> Package:
    def other(id_: str | None) -> tuple[str, str] | None:
        return (id_, named[id_]) if id_ in named and id_ else None

    return Package(
        id=row.id,
        agency=row.agency,
        mark=Mark(row.mark),
        name=row.name,
        kind=Kind(row.kind),
        state=State(row.state),
        ring=row.ring,
        ring_name=row.ring_name,
        authority=row.authority,
        reference=row.reference,
        law=row.law,
        issuer=row.issuer,
        addressee=row.addressee,
        why=row.why,
        days=row.days,
        items=tuple(items),
        grounds=tuple(
            Ground(
                g["finding"], g["kind"], g["confidence"], tuple(g["reasons"]),
                tuple((sha256, int(at)) for sha256, at in g["records"]),
            )
            for g in row.grounds
        ),
        site=_site(row.site),
        drafted_by=row.drafted_by,
        drafted_unit=row.drafted_unit,
        drafted_at=row.created_at,
        steps=tuple(steps),
        supersedes=other(row.supersedes),
        superseded_by=other(row.superseded_by),
        sha256=dict(row.files),
        answer=_answer(row.answer),
        basis=legal.basis if legal else "",
        valid_from=legal.valid_from if legal else None,
        valid_until=legal.valid_until if legal else None,
    )  # fmt: skip


def _site(told: dict[str, Any] | None) -> Site | None:
    if told is None:
        return None
    seats = told["seats"]
    return Site(
        **{
            **told,
            "closed": tuple(told["closed"]),
            "seats": (seats[0], seats[1]) if seats else None,
        }
    )


def _answer(told: dict[str, Any] | None) -> Answer | None:
    if told is None:
        return None
    frozen = {int(place): Decimal(amount) for place, amount in told["frozen"].items()}
    return Answer(told["reference"], told["says"], frozen)
