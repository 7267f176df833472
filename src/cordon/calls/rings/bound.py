"""Accounts that are bound to a ring's numbers, as an accounts file says.

A mule's account is bound to the mule's own telephone as a rule, and each honest number has accounts
too: that one is bound to a line is told, and weighs nothing. Where complaints name the account, it
is one of the ring's subjects, and leads from the money to the room.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow.compute as pc

from cordon.calls.rings.identifiers import Link, rarity
from cordon.kernel.findings import Reason

if TYPE_CHECKING:
    from cordon.calls.detectors.data import CallData
    from cordon.calls.rings.search import Group


@dataclass(frozen=True, slots=True)
class Bound:
    """What is bound to a ring: `bound` links from number to account, a reason in words, and as
    `account:…` those that complaints name."""

    links: tuple[Link, ...] = ()
    reasons: tuple[Reason, ...] = ()
    subjects: tuple[str, ...] = ()


def bound(data: CallData, group: Group) -> Bound:
    """The accounts that are bound to a group's numbers; empty where none is told."""
    numbers = [data.near.numbers[i] for i in group.members]
    pairs = sorted({(phone, account) for account, phone in data.bound(numbers)})
    if not pairs:
        return Bound()
    named = _named(data)
    accounts = {account for _, account in pairs}
    accused = sorted(accounts & named)
    # an account has one number: nobody else shares it
    weight = rarity(0, len(data.census.number))
    links = (Link(f"number:{n}", f"account:{a}", "bound", 1, weight) for n, a in pairs)
    says = f"{len(accounts):,} accounts are bound to {len({n for n, _ in pairs}):,} of its numbers"
    if accused:
        says += f"; complaints name {len(accused):,} of these accounts"
    reason = Reason("accounts_bound", float(len(accounts)), "1", None, says)
    return Bound(tuple(links), (reason,), tuple(f"account:{a}" for a in accused))


def _named(data: CallData) -> set[str]:
    if data.complaints is None:
        return set()
    return set(pc.drop_null(data.complaints["suspect_account"]).to_pylist())
