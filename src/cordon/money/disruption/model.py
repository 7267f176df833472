"""Words of disruption: a package that asks somebody to act, what stands in it, and its life."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from cordon.kernel.access.model import Mark, Thing
from cordon.kernel.errors import BadInput, Conflict


class Kind(StrEnum):
    """What a package asks for."""

    BLOCK_LIST = "block_list"  # the telecom regulator blocks numbers and handsets
    PRESERVATION = "preservation"  # an operator or platform keeps what it has
    DISCLOSURE = "disclosure"  # and hands it over
    FREEZE = "freeze"  # a bank holds sums on accounts
    SITE = "site"  # a raid: it becomes a tasking


class State(StrEnum):
    """Where a package stands."""

    DRAFTED = "drafted"
    APPROVED = "approved"  # by a second officer
    SENT = "sent"  # from here on it cannot be changed
    ANSWERED = "answered"
    DONE = "done"
    SUPERSEDED = "superseded"  # by a later one that names it
    WITHDRAWN = "withdrawn"


K, S = Kind, State

MOVES: Mapping[State, tuple[State, ...]] = MappingProxyType(
    {
        S.DRAFTED: (S.APPROVED, S.WITHDRAWN),
        S.APPROVED: (S.SENT, S.WITHDRAWN),
        S.SENT: (S.ANSWERED, S.SUPERSEDED),
        S.ANSWERED: (S.DONE, S.SUPERSEDED),
        S.DONE: (S.SUPERSEDED,),
        S.SUPERSEDED: (),
        S.WITHDRAWN: (),
    }
)

TYPES: Mapping[Kind, tuple[str, ...]] = MappingProxyType(
    {
        K.BLOCK_LIST: ("number", "imei"),
        K.PRESERVATION: ("number", "imei", "imsi", "handle", "url", "wallet", "account"),
        K.DISCLOSURE: ("number", "imei", "imsi", "handle", "url", "wallet", "account"),
        K.FREEZE: ("account", "wallet"),
        K.SITE: (),
    }
)
"""Types of subject that each kind may name."""

SENT_STATES = (S.SENT, S.ANSWERED, S.DONE, S.SUPERSEDED)

del K, S

DATA: Mapping[str, str] = MappingProxyType(
    {
        "number": "calls",
        "imei": "calls",
        "imsi": "calls",
        "handle": "calls",
        "url": "calls",
        "account": "payments",
        "wallet": "payments",
    }
)
"""The kind of personal data (as authorities name it) that an item of each type is."""

MOST_ITEMS = 5000
MOST_DIGITS = 18


@dataclass(frozen=True, slots=True)
class Item:
    """One number, handset or account that a package names.

    Attributes:
        subject: `type:id`, in clear. bank: who keeps the account, or empty.
        amount: what is asked to be frozen, above 0, or None; currency: ISO 4217, or empty.
        finding: id of the finding that it stands on.
    """

    subject: str
    finding: str
    bank: str = ""
    amount: Decimal | None = None
    currency: str = ""

    @property
    def type(self) -> str:
        """`number`, `imei`, `account`, …"""
        return self.subject.partition(":")[0]

    @property
    def value(self) -> str:
        """The subject without its type."""
        return self.subject.partition(":")[2]

    @property
    def data(self) -> str:
        """The kind of personal data that it is."""
        return DATA.get(self.type, "persons")


@dataclass(frozen=True, slots=True)
class Ground:
    """A finding that a package stands on: its kind, and the records that it came from."""

    finding: str
    kind: str
    confidence: float
    reasons: tuple[str, ...]
    records: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Site:
    """Where a raid is to go.

    Attributes:
        lat, lon: WGS 84 (°). radius_m: its uncertainty (m), or None. region: GeoJSON, or None.
        opens, closes: hours of local time, or None. closed: weekdays, Monday 0.
        seats: least and most, or None. unit: code of the unit that is to go.
    """

    lat: float
    lon: float
    radius_m: float | None
    region: Mapping[str, Any] | None
    opens: float | None
    closes: float | None
    closed: tuple[int, ...]
    seats: tuple[int, int] | None
    unit: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What the addressee answered.

    Attributes:
        reference: its own number for it. says: in words. frozen: sums that were frozen, by the
            place of the item in the package (from 1).
    """

    reference: str
    says: str
    frozen: Mapping[int, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Step:
    """One state that a package came to: when, by whom, and what they wrote."""

    state: State
    at: datetime
    by: str
    unit: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Package:
    """A package with its evidence and life.

    Attributes:
        name: `P-2026-0007`. ring: id of the ring that it was made from, or None; ring_name.
        authority: id of the authority that what it names was read under. reference, law, issuer:
            of the legal authority that it stands on, which may be another: the
            issuer's number, and the law.
        basis, valid_from, valid_until: of the authority named by `reference`: the id of its legal
            basis, and from when to when it is valid; empty and None where nobody knows.
        people, units: names of officers by id, and of units by code, as far as they are known.
        addressee: to whom. why: what is asked for and why, in words. days: for how long.
        supersedes, superseded_by: ids and names of other packages, or None.
        sha256: of the JSON that was sent, and of its PDF and CSV, by their ending; empty before.
    """

    id: str
    agency: str
    mark: Mark
    name: str
    kind: Kind
    state: State
    ring: str | None
    ring_name: str
    authority: str
    reference: str
    law: str
    issuer: str
    addressee: str
    why: str
    days: int | None
    items: tuple[Item, ...]
    grounds: tuple[Ground, ...]
    site: Site | None
    drafted_by: str
    drafted_unit: str
    drafted_at: datetime
    steps: tuple[Step, ...]
    supersedes: tuple[str, str] | None = None
    superseded_by: tuple[str, str] | None = None
    sha256: Mapping[str, str] = field(default_factory=dict)
    answer: Answer | None = None
    basis: str = ""
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    people: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)

    def thing(self) -> Thing:
        """The package as policies see it; whoever drafted it is named on it."""
        return package_thing(self.id, self.agency, self.mark, self.drafted_unit, self.drafted_by)

    def step(self, state: State) -> Step | None:
        """When it came to a state; None where it did not."""
        return next((s for s in self.steps if s.state is state), None)


def package_thing(id_: str, agency: str, mark: Mark, unit: str, drafted_by: str) -> Thing:
    """A package as policies see it."""
    return Thing("package", id_, agency, mark, unit=unit or None, members=frozenset({drafted_by}))


def check_move(name: str, now: State, to: State) -> None:
    """Conflict where a package cannot go there from where it is; the message says where it can."""
    if to in MOVES[now]:
        return
    if now in SENT_STATES and to in (State.APPROVED, State.SENT, State.WITHDRAWN):
        raise Conflict(
            f"{name} was sent and cannot be changed.",
            advice="Draft a new one that supersedes it.",
        )
    can = ", ".join(MOVES[now]) or "nowhere: it has ended"
    raise Conflict(f"{name} is {now}.", advice=f"From there it can become: {can}.")


def amount_of(text: str) -> Decimal:
    """An exact amount as it was typed: above 0, at most two decimals."""
    try:
        amount = Decimal(text.strip().replace(",", ""))
    except InvalidOperation:
        raise BadInput("That is no amount.", advice="Write it like 12500.50.") from None
    exponent = amount.as_tuple().exponent
    if not amount.is_finite() or amount <= 0 or not isinstance(exponent, int):
        raise BadInput("An amount lies above 0.", advice="Write it like 12500.50.")
    if exponent < -2 or exponent > 0 or len(amount.as_tuple().digits) > MOST_DIGITS:
        raise BadInput("An amount has two decimals at most.", advice="Write it like 12500.50.")
    return amount
