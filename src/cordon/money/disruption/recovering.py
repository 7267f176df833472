"""What each victim lost, where it is now, and what may be returned: pure functions.

The rule: what a bank froze on an account is returned to those whose money the trace finds there
still, in proportion to how much of it is theirs, and to nobody more than that. Money is traced
first in, first out. What is frozen beyond all claims stays frozen.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from cordon.money.model import Method
from cordon.money.payments import Payments
from cordon.money.tracing.forward import HOPS, forward
from cordon.money.tracing.kernels import AGAIN, HOP, OF, SOURCE, UNITS

_LEAST_DIGITS = 2  # a bank may freeze paisas where all payments were whole rupees


@dataclass(frozen=True, slots=True)
class Victim:
    """Somebody who paid into the accounts of a ring from outside, in one currency.

    Attributes:
        account: they paid from. lost: all that they paid in. stays: of it, what is on accounts
            still; left: what left by cash, exchange, hawala, abroad or a shop's card.
        returned: what may be returned, by the account that it is frozen on.
    """

    account: str
    currency: str
    lost: Decimal
    stays: Decimal
    left: Decimal
    returned: Mapping[str, Decimal]

    @property
    def share(self) -> Decimal:
        """All that may be returned."""
        return sum(self.returned.values(), Decimal(0))


def shared(frozen: int, claims: Sequence[int]) -> list[int]:
    """A frozen sum among claims, in whole units: in proportion, to the last unit.

    Nobody gets more than their claim. Where the sum is enough, each gets their claim; else all of
    it goes out: what is over after rounding down goes to the largest remainders, of equal ones to
    the first.

    Raises:
        ValueError: the sum or a claim lies below 0.
    """
    if frozen < 0 or any(c < 0 for c in claims):
        raise ValueError("a sum lies below 0")
    total = sum(claims)
    if total <= frozen:
        return list(claims)
    parts = [divmod(claim * frozen, total) for claim in claims]
    units = [whole for whole, _ in parts]
    order = sorted(range(len(claims)), key=lambda i: (-parts[i][1], i))
    for i in order[: frozen - sum(units)]:
        units[i] += 1
    return units


def victims(
    payments: Payments,
    ring: Collection[str],
    frozen: Mapping[tuple[str, str], Decimal],
    *,
    hops: int = HOPS,
) -> list[Victim]:
    """Who paid into the accounts of a ring from outside, and what of it may be returned.

    Args:
        ring: its accounts, as the payments write them; who pays from one of these is no victim.
        frozen: what was frozen, by account and currency.
        hops: payments that are followed, at most.
    """
    named = frozenset(ring)
    inside = {i for i, a in enumerate(payments.accounts) if a in named}
    many = len(payments.currencies)
    lost: dict[tuple[int, int], int] = {}
    stays: dict[tuple[int, int], int] = {}
    left: dict[tuple[int, int], int] = {}
    claims: dict[int, dict[tuple[int, int], int]] = {}  # by pot, then by victim
    for index in sorted(inside):
        into = (payments.receiver == index) & (payments.sender != index)
        if not into.any():
            continue
        trace = forward(payments, payments.accounts[index], hops=hops, methods=(Method.FIFO,))
        (told,) = trace.methods
        who = [
            (int(payments.sender[k]), int(payments.currency[k]))
            if int(payments.sender[k]) not in inside
            else None
            for k in trace.sources
        ]
        for k, victim in zip(trace.sources, who, strict=True):
            if victim is not None:
                lost[victim] = lost.get(victim, 0) + int(payments.amount[k])
        for pot, source, units, _hop in told.stays.tolist():
            victim = who[source - 1] if source else None
            if victim is not None:
                stays[victim] = stays.get(victim, 0) + units
                of = claims.setdefault(pot, {})
                of[victim] = of.get(victim, 0) + units
        gone = payments.leaving(told.parts[:, OF]) & (told.parts[:, HOP] > 0)
        gone &= told.parts[:, HOP] != AGAIN
        for source, units in told.parts[gone][:, [SOURCE, UNITS]].tolist():
            victim = who[source - 1] if source else None
            if victim is not None:
                left[victim] = left.get(victim, 0) + units
    returned = _returned(payments, frozen, claims, many)
    return [
        Victim(
            payments.accounts[account],
            payments.currencies[currency],
            payments.money(units, currency),
            payments.money(stays.get((account, currency), 0), currency),
            payments.money(left.get((account, currency), 0), currency),
            returned.get((account, currency), {}),
        )
        for (account, currency), units in sorted(
            lost.items(), key=lambda v: (-v[1], payments.accounts[v[0][0]])
        )
    ]


def _returned(
    payments: Payments,
    frozen: Mapping[tuple[str, str], Decimal],
    claims: Mapping[int, Mapping[tuple[int, int], int]],
    many: int,
) -> dict[tuple[int, int], dict[str, Decimal]]:
    found: dict[tuple[int, int], dict[str, Decimal]] = {}
    for (account, code), amount in sorted(frozen.items()):
        at = int(np.searchsorted(np.asarray(payments.accounts, object), account))
        if (
            code not in payments.currencies
            or at >= len(payments.accounts)
            or payments.accounts[at] != account
        ):
            continue
        currency = payments.currencies.index(code)
        of = claims.get(at * many + currency, {})
        digits = max(payments.digits[currency], _LEAST_DIGITS)
        finer = 10 ** (digits - payments.digits[currency])
        units = shared(int(amount.scaleb(digits)), [c * finer for c in of.values()])
        for victim, share in zip(of, units, strict=True):
            if share:
                found.setdefault(victim, {})[account] = Decimal(share).scaleb(-digits)
    return found
