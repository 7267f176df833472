"""On which legal authority a package stands: what may be read is not what may be done.

The authority that data were read under decides who sees a package; the one that it is drafted on
decides whether it may be asked for at all. Which bases allow which kind is data of the country.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select

from cordon.countries import Country
from cordon.kernel.access.model import Authority
from cordon.kernel.access.tables import AuthorityRow
from cordon.kernel.errors import AuthorityRefused, BadInput, Conflict
from cordon.kernel.work import View
from cordon.money.disruption.model import Item, Kind
from cordon.money.disruption.tables import PackageRow

CHOOSE = "access.authority.choose"
_NAMES = {
    Kind.BLOCK_LIST: "A block list",
    Kind.PRESERVATION: "A preservation request",
    Kind.DISCLOSURE: "A disclosure request",
    Kind.FREEZE: "A freeze request",
    Kind.SITE: "A site package",
}
_NAMED = 5  # authorities that a refusal tells


def allowed(view: View, country: Country, kind: Kind) -> list[Authority]:
    """Authorities in force that a package of this kind may stand on, the first to end before."""
    rows = view.session.scalars(
        select(AuthorityRow)
        .where(
            AuthorityRow.agency == view.kernel.agency,
            AuthorityRow.basis.in_([b.id for b in country.bases_of(kind)]),
            AuthorityRow.valid_from <= view.now,
            AuthorityRow.valid_until > view.now,
        )
        .order_by(AuthorityRow.valid_until, AuthorityRow.id)
    )
    return [
        known
        for row in rows
        if view.may(CHOOSE, row.thing()) and (known := row.to_authority()).usable(view.now)
    ]


def usual(view: View, some: Iterable[Authority]) -> str:
    """Id of the authority that is meant where none is named: the one chosen, or the only one."""
    ids = [a.id for a in some]
    chosen = view.actor.authority
    if chosen is not None and chosen.id in ids:
        return chosen.id
    return ids[0] if len(ids) == 1 else ""


def stands_on(
    view: View, country: Country, kind: Kind, wanted: str, items: Iterable[Item]
) -> Authority:
    """The authority that a package is to stand on.

    Args:
        wanted: its id or reference; of none the one chosen, or the only one there is.

    Raises:
        AuthorityRefused: its basis does not allow this kind, it is not in force, or it does not
            cover what is named; the message says what would do.
        BadInput: there are several, and none is named.
    """
    may = allowed(view, country, kind)
    wanted = wanted.strip() or usual(view, may)
    if not wanted:
        if not may:
            raise AuthorityRefused(f"{_NAMES[kind]} stands on no authority that is chosen or in "
                                   "force.", advice=would_do(country, kind, may))  # fmt: skip
        raise BadInput("It was not said on which legal authority it stands.",
                       advice=would_do(country, kind, may))  # fmt: skip
    found = next((a for a in may if wanted in (a.id, a.reference)), None)
    if found is None:
        row = view.session.scalar(
            select(AuthorityRow).where(
                AuthorityRow.agency == view.kernel.agency,
                (AuthorityRow.id == wanted) | (AuthorityRow.reference == wanted),
            )
        )
        said = (
            f"{_NAMES[kind]} cannot stand on {row.reference}, which rests on {row.legal_basis}, or "
            "it is not in force."
            if row is not None and view.may(CHOOSE, row.thing())
            else "There is no authority of that reference."
        )
        raise AuthorityRefused(said, advice=would_do(country, kind, may))
    beyond = [i for i in items if not found.scope.covers(i.data, i.subject)]
    if beyond:
        raise AuthorityRefused(
            f"{found.reference} does not cover {len(beyond):,} of what is named.",
            advice="Leave them out, or name an authority that covers them.",
        )
    return found


def would_do(country: Country, kind: Kind, may: Iterable[Authority]) -> str:
    """What a package of this kind may stand on, as a sentence."""
    references = [a.reference for a in may]
    if references:
        more = f" and {len(references) - _NAMED} more" if len(references) > _NAMED else ""
        return f"Name one of: {', '.join(references[:_NAMED])}{more}."
    bases = country.bases_of(kind)
    if not bases:
        return "The facts of the country name no legal basis for it; counsel adds one there."
    return "Record one of these first: " + "; ".join(f"{b.title} ({b.law})" for b in bases) + "."


def check_to_send(view: View, country: Country, row: PackageRow) -> None:
    """Conflict where what a package stands on is no longer in force, or never allowed it."""
    again = "Withdraw the package, and draft it anew under one that is."
    legal = named(view, row)
    for id_ in {row.authority, legal.id if legal else ""}:
        known = view.session.get(AuthorityRow, id_)
        if known is None or not known.to_authority().usable(view.now):
            reference = known.reference if known else row.reference
            raise Conflict(f"The authority {reference} is no longer in force.", advice=again)
    if legal is not None and legal.basis not in [b.id for b in country.bases_of(row.kind)]:
        raise Conflict(
            f"{_NAMES[Kind(row.kind)]} cannot stand on {row.reference}.",
            advice="Withdraw the package, and draft it on one of another basis. "
            + would_do(country, Kind(row.kind), allowed(view, country, Kind(row.kind))),
        )


def named(view: View, row: PackageRow) -> AuthorityRow | None:
    """The authority that a package stands on: an agency has one of each reference."""
    return view.session.scalar(
        select(AuthorityRow).where(
            AuthorityRow.agency == row.agency, AuthorityRow.reference == row.reference
        )
    )
