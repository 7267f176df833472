"""Whether whoever a freeze request goes to keeps the accounts that it names."""

from __future__ import annotations

import re

from cordon.kernel.errors import BadInput
from cordon.money.disruption.model import Item, Kind, Package
from cordon.money.disruption.steps import SHORTEST, remark

_NAMED = 5  # items that a refusal tells one by one; of more it tells how many


def keeps(addressee: str, item: Item) -> bool:
    """Whether the item's bank, where one is known, is named by the addressee in whole words."""
    bank, whole = _words(item.bank), _words(addressee)
    return bool(bank) and f" {bank} " in f" {whole} "


def elsewhere(package: Package) -> tuple[int, ...]:
    """Places (from 1) of what a freeze request names that its addressee is not known to keep."""
    if package.kind is not Kind.FREEZE:
        return ()
    return tuple(
        place for place, i in enumerate(package.items, 1) if not keeps(package.addressee, i)
    )


def check(package: Package, note: str) -> None:
    """BadInput where a request names what others keep and no officer said why.

    The drafter says it in the note of the draft, the second officer in that of the approval.
    """
    apart = elsewhere(package)
    said = (package.steps[0].note if package.steps else "", remark(note))
    if not apart or any(len(one) >= SHORTEST for one in said):
        return
    told = [f"place {place} ({_bank(package.items[place - 1])})" for place in apart[:_NAMED]]
    more = [f"{len(apart) - _NAMED:,} more"] if len(apart) > _NAMED else []
    raise BadInput(
        f"The addressee is not known to keep {len(apart):,} of what {package.name} names: "
        f"{', '.join([*told, *more])}.",
        advice="Write why they are asked of this addressee, in ten characters or more; or "
        "withdraw it, and draft one for each bank.",
    )


def _bank(item: Item) -> str:
    if item.type == "wallet":
        return item.bank or "a wallet of a coin"
    return item.bank or "no bank is known"


def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))
