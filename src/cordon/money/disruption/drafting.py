"""From a ring or a finding to what a package may name, each item with what it stands on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from cordon.calls import RingTold, ring_told
from cordon.kernel.access.model import Mark, Thing
from cordon.kernel.errors import AuthorityRefused, BadInput
from cordon.kernel.findings import Finding
from cordon.kernel.leads import get_finding
from cordon.kernel.work import View
from cordon.money.disruption.model import (
    DATA,
    MOST_ITEMS,
    TYPES,
    Ground,
    Item,
    Kind,
    Site,
    amount_of,
)
from cordon.money.disruption.seeing import key, under

VIEW_RING, VIEW_FINDING = "calls.ring.view", "findings.finding.view"


@dataclass(frozen=True, slots=True)
class Source:
    """What a package may be made from.

    Attributes:
        finding: whole, in clear. ring: it is of this one, or None. items: all that it names.
        authority: id of the authority that the ring was found under, or None.
    """

    finding: Finding
    mark: Mark
    items: tuple[Item, ...]
    ring: RingTold | None

    @property
    def authority(self) -> str | None:
        """Id of the authority that it was found under, where that is known."""
        return self.ring.authority if self.ring else None


def source(view: View, *, ring: str = "", finding: str = "") -> Source:
    """What a ring or a finding names; NotFound, Refused."""
    if ring:
        told = ring_told(view, ring)
        view.permit(VIEW_RING, told.thing)
        return Source(told.finding, told.thing.mark, _of_ring(told), told)
    if not finding:
        raise BadInput("A package is made from something.", advice="Choose a ring or a finding.")
    kept = get_finding(view, finding)
    view.permit(VIEW_FINDING, kept.thing())
    items = tuple(Item(s, kept.finding.id) for s in kept.finding.subjects if _type(s) in DATA)
    return Source(kept.finding, kept.mark, items, None)


def offered(view: View, of: Source, kind: Kind) -> tuple[Item, ...]:
    """Items that a package of this kind may name, in the order of a form."""
    types = TYPES[kind]
    some = [i for i in of.items if i.type in types]
    return tuple(sorted(some, key=lambda i: (types.index(i.type), i.subject))[:MOST_ITEMS])


def covered(view: View, act: str, of: Source, items: Iterable[Item]) -> set[str]:
    """Subjects that the actor's authority covers; of a ring only under its own (0004)."""
    if of.authority is not None and not under(view, of.authority):
        return set()
    by_data: dict[str, list[str]] = {}
    for item in items:
        by_data.setdefault(item.data, []).append(item.subject)
    found: set[str] = set()
    for data, subjects in by_data.items():
        thing = Thing("package", "-", view.kernel.agency, of.mark)
        sight = view.sight(act, thing, data, subjects)
        found |= {s for s in subjects if sight.shows(s, of.finding.start)}
    return found


def chosen(
    view: View,
    act: str,
    of: Source,
    kind: Kind,
    keys: Iterable[str],
    amounts: Mapping[str, str],
    currency: str,
) -> tuple[Item, ...]:
    """The items that were chosen, each covered by the actor's authority, with its amount.

    Raises:
        BadInput: none was chosen, a key is none of them, or an account to freeze has no amount.
        AuthorityRefused: the authority does not cover one of them.
    """
    by_key = {key(view, i): i for i in offered(view, of, kind)}
    wanted = list(dict.fromkeys(keys))
    if unknown := [k for k in wanted if k not in by_key]:
        raise BadInput(
            f"{len(unknown)} of what was chosen stands in no record of this ring or finding.",
            advice="Open the form again, and choose of its list.",
        )
    items = [by_key[k] for k in wanted]
    if not items and TYPES[kind]:
        raise BadInput("Nothing was chosen.", advice="Choose what the package is to name.")
    clear = covered(view, act, of, items)
    if beyond := [i for i in items if i.subject not in clear]:
        raise AuthorityRefused(
            f"The authority chosen does not cover {len(beyond)} of the {len(items)} things chosen.",
            advice="Leave them out, or choose the authority that they came in under.",
        )
    if kind is not Kind.FREEZE:
        return tuple(items)
    code = currency.strip().upper()
    if not (3 <= len(code) <= 10 and code.isascii() and code.isalpha()):
        raise BadInput("A currency is a code of three letters.", advice="Write it like PKR.")
    told = dict(zip(wanted, items, strict=True))
    return tuple(
        replace(i, amount=_amount(amounts.get(k, ""), place), currency=code)
        for place, (k, i) in enumerate(told.items(), 1)
    )


def ground(view: View, finding: Finding) -> Ground:
    """A finding as a package tells it: in its reasons nobody is named, whoever reads them."""
    told = view.kernel.masker.mask_finding(finding, lambda _subject: False)
    return Ground(
        finding.id,
        finding.kind,
        finding.confidence,
        tuple(r.says for r in told.reasons),
        tuple((r.sha256, r.row) for r in finding.records),
    )


def site_of(of: Source, unit: str) -> Site:
    """Where a ring sits, as its finding tells; BadInput where it tells no place."""
    finding = of.finding
    place = finding.place
    if place is None or place.get("type") != "Point":
        raise BadInput(
            "It is not known where this ring sits.",
            advice="Bring in the operators' files of cells, and search again.",
        )
    lon, lat = (float(v) for v in place["coordinates"][:2])
    hours, seats = finding.extra.get("hours") or {}, finding.extra.get("seats") or {}
    regions = finding.extra.get("regions") or {}
    both = (seats["least"], seats["most"]) if {"least", "most"} <= seats.keys() else None
    return Site(
        lat, lon, finding.radius_m, regions.get("90") or regions.get("50"),
        hours.get("opens"), hours.get("closes"), tuple(hours.get("closed", ())), both, unit,
    )  # fmt: skip


def _amount(text: str, place: int) -> Decimal:
    try:
        return amount_of(text)
    except BadInput as wrong:
        raise BadInput(f"Account {place} of those chosen: {wrong.message}",
                       advice=wrong.advice) from None  # fmt: skip


def _of_ring(told: RingTold) -> tuple[Item, ...]:
    finding = told.finding.id
    items = {s: Item(s, finding) for s in told.finding.subjects if _type(s) in DATA}
    for link in told.detail.get("links", ()):
        full = {s for s in items if s.startswith(f"imei:{link['imei']}")}
        if not full:
            subject = f"imei:{link['imei']}"
            items.setdefault(subject, Item(subject, finding))
    for named in told.detail.get("named", ()):
        subject = f"{named['type']}:{named['value']}"
        items[subject] = Item(subject, finding, bank=str(named.get("bank") or "")[:120])
    return tuple(items.values())


def _type(subject: str) -> str:
    return subject.partition(":")[0]
