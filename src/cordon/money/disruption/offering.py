"""What the form of a package offers: each item with its bank, its signs, and what may be frozen."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_DOWN, Decimal

from cordon.kernel.findings import Finding
from cordon.kernel.leads import findings_naming
from cordon.kernel.work import View
from cordon.money.accounts import written
from cordon.money.disruption.drafting import Source, covered
from cordon.money.disruption.known import banks_known
from cordon.money.disruption.model import Item
from cordon.money.disruption.seeing import key, under
from cordon.money.model import Method
from cordon.money.tables import TraceRow
from cordon.money.tracebook import traces_of

METHOD = Method.FIFO.value
"""How what is still in an account is reckoned: as recovery shares out what was frozen."""

MEMBER, HANDSET, FOUND = "member", "handset", "found"
COMPLAINT, ALONE, BOUND, PAYMENT = "complaint", "alone", "bound", "payment"
CALLED, MULE = "called", "mule"
FINDINGS: Mapping[str, str] = {"money.call_then_pay": CALLED, "money.mule": MULE}
"""Kinds of finding that are a sign that an account belongs to a ring."""

ENOUGH = 2  # signs that an item is ticked by
_WEAK = {ALONE: COMPLAINT}  # of one kind with another: both are one sign


@dataclass(frozen=True, slots=True)
class Held:
    """What is still in an account by its latest trace. `trace`: id of that; `at`: made when."""

    amount: Decimal
    currency: str
    trace: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Choice:
    """An item as a form offers it.

    Attributes:
        key: what stands for it in the form. shown: as it may be shown. signs: why it is tied to
            the ring or finding. ticked: two signs support it, or it is a number or handset that
            the ring's own finding names.
        held: what may be frozen, empty where no trace tells or the item is masked.
    """

    key: str
    type: str
    shown: str
    bank: str
    masked: bool
    signs: tuple[str, ...]
    ticked: bool
    held: tuple[Held, ...] = ()

    def amount(self, currency: str) -> str:
        """What may be frozen in a currency as a form takes it, or empty."""
        found = sum((h.amount for h in self.held if h.currency == currency), Decimal(0))
        whole = found.quantize(Decimal("0.01"), ROUND_DOWN)
        return f"{whole:f}" if whole > 0 else ""


def choices(view: View, act: str, of: Source, items: Iterable[Item]) -> list[Choice]:
    """The items as a form shows them; those in clear are recorded as read."""
    clear = covered(view, act, of, items := list(items))
    masker = view.kernel.masker
    told = signs(view, of, items)
    covers = [i for i in items if i.subject in clear]
    held = still_there(view, of, covers)
    kept_by = {i.subject: i.bank for i in (*items, *with_banks(view, of, covers))}
    return [
        Choice(
            key(view, i), i.type,
            i.value if i.subject in clear else masker.mask(i.type, i.value),
            kept_by[i.subject], i.subject not in clear,
            told[i.subject], supported(told[i.subject]), held.get(i.subject, ()),
        )
        for i in items
    ]  # fmt: skip


def by_bank(some: Iterable[Choice]) -> tuple[tuple[str, int], ...]:
    """Who keeps the items offered, with how many; whose bank nobody knows stands last."""
    found = Counter(c.bank for c in some)
    return tuple(sorted(found.items(), key=lambda b: (not b[0], -b[1], b[0])))


def currency_of(some: Iterable[Choice]) -> str:
    """The currency in which most accounts hold what may be frozen; empty where none does."""
    found = Counter(h.currency for c in some for h in c.held)
    return max(sorted(found), key=lambda code: found[code], default="")


def with_banks(view: View, of: Source, items: Iterable[Item]) -> tuple[Item, ...]:
    """The items, each account with who keeps it as far as that is known under the authority."""
    items = tuple(items)
    chosen = view.actor.authority
    unknown = [i.value for i in items if i.type == "account" and not i.bank]
    if chosen is None or not unknown or not _reads(view, of):
        return items
    found = banks_known(view, chosen, unknown)
    return tuple(replace(i, bank=i.bank or found.get(i.value, "")) if i.type == "account" else i
                 for i in items)  # fmt: skip


def signs(view: View, of: Source, items: Iterable[Item]) -> dict[str, tuple[str, ...]]:
    """Why each item is tied to the ring or finding, by subject, in a fixed order."""
    found: dict[str, set[str]] = defaultdict(set)
    own = set(of.finding.subjects)
    named = of.ring.detail.get("named", ()) if of.ring else ()
    for one in named:
        found[f"{one['type']}:{one['value']}"] |= set(one.get("signs") or _before(one))
    told = _told(view, of, items := list(items))
    used = Counter(i for i, _ in {(x["imei"], x["number"]) for x in _links(of)})
    for item in items:
        said = found[item.subject]
        if of.ring is None:
            said.add(FINDINGS.get(of.finding.kind, FOUND))
        elif item.type in ("number", "imei", "imsi") and item.subject in own:
            said.add(MEMBER)
        elif item.type == "imei":
            said.add(MEMBER if used[item.value] >= ENOUGH else HANDSET)
        said |= told.get(item.subject, set())
    order = (MEMBER, HANDSET, FOUND, COMPLAINT, ALONE, CALLED, MULE, BOUND, PAYMENT)
    return {s: tuple(x for x in order if x in said) for s, said in found.items()}


def supported(some: Iterable[str]) -> bool:
    """Whether an item may be ticked before anybody looked: two signs of it, or the ring's own."""
    kinds = {_WEAK.get(s, s) for s in some}
    return MEMBER in kinds or len(kinds) >= ENOUGH


def still_there(view: View, of: Source, items: Iterable[Item]) -> dict[str, tuple[Held, ...]]:
    """What can still be frozen in accounts, by subject: of the ring's latest trace.

    Of a finding, of the latest trace forward of each account itself. Only traces that were made
    under the authority chosen are read.
    """
    found: dict[str, list[Held]] = defaultdict(list)
    some = [i for i in items if i.type in ("account", "wallet")]
    by_name = {written(i.value): i.subject for i in some}
    if of.ring is not None:
        rows = [(_latest(view, of.ring.id), by_name)] if some else []
    else:
        rows = [
            (_latest(view, f"account:{name}"), {name: subject}) for name, subject in by_name.items()
        ]
    for row, names in rows:
        if row is None or not _reads(view, of):
            continue
        for one in row.detail.get("methods", {}).get(METHOD, {}).get("stays", ()):
            amount = Decimal(one["amount"])
            if one["account"] in names and amount > 0:
                held = Held(amount, one["currency"], row.id, row.created_at)
                found[names[one["account"]]].append(held)
    return {subject: tuple(those) for subject, those in found.items()}


def _latest(view: View, subject: str) -> TraceRow | None:
    chosen = view.actor.authority
    return next(
        (
            row
            for row in traces_of(view, subject)
            if row.state == "done"
            and row.way == "forward"
            and chosen is not None
            and row.authority == chosen.id
        ),
        None,
    )


def _reads(view: View, of: Source) -> bool:
    """Whether payments may be read: of a ring under its own authority alone (0004)."""
    chosen = view.actor.authority
    if chosen is None or not chosen.usable(view.now) or "payments" not in chosen.scope.data:
        return False
    return of.authority is None or under(view, of.authority)


def _before(one: Mapping[str, object]) -> tuple[str, ...]:
    """Signs of what was kept before each was kept with it."""
    by = str(one.get("by", ""))
    return (ALONE if by == COMPLAINT and not one.get("numbers") else by,)


def _links(of: Source) -> Iterable[Mapping[str, str]]:
    return of.ring.detail.get("links", ()) if of.ring else ()


def _told(view: View, of: Source, items: Iterable[Item]) -> dict[str, set[str]]:
    """Signs that findings over payments are, of those that hold, by subject."""
    named = {f"account:{i.value}": i.subject for i in items if i.type in ("account", "wallet")}
    found: dict[str, set[str]] = defaultdict(set)
    for kept in findings_naming(view, named, FINDINGS):
        sign = FINDINGS[kept.kind]
        if sign == CALLED and not _called(of, kept):
            continue
        for subject in named.keys() & set(kept.subjects):
            found[named[subject]].add(sign)
    return found


def _called(of: Source, finding: Finding) -> bool:
    """Whether who paid was called by a number of the ring; of no ring, by any."""
    if of.ring is None:
        return True
    numbers = {s for s in of.finding.subjects if s.startswith("number:")}
    return not numbers.isdisjoint(finding.subjects)


__all__ = [
    "METHOD",
    "Choice",
    "Held",
    "by_bank",
    "choices",
    "currency_of",
    "signs",
    "still_there",
    "supported",
    "with_banks",
]
