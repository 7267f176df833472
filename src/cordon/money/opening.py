"""What accounts held before their first payment, where a bank's statement says it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import numpy as np

from cordon.money.accounts import written
from cordon.money.payments import Payments


def opened_with(p: Payments, told: Sequence[tuple[datetime, str, Decimal, str]]) -> Payments:
    """The payments, with the opening balances of statements (moment, account, amount, currency).

    The earliest of each account and currency is used. Where payments of the account are known from
    before that day, it is no opening: it is passed over, and a sentence says so.
    """
    opening: dict[int, int] = {}
    early = 0
    at = {name: i for i, name in enumerate(p.accounts)} if told else {}
    for moment, account, amount, currency in sorted(told):
        where = at.get(written(account))
        if where is None or currency not in p.currencies:
            continue  # nothing was paid: there is nothing to follow
        code = p.currencies.index(currency)
        pot = where * len(p.currencies) + code
        us = int(moment.timestamp() * 1_000_000)
        mine = ((p.sender == where) | (p.receiver == where)) & (p.currency == code)
        if pot in opening:
            continue
        if bool(np.any(mine & (p.at < us))):
            early += 1
            continue
        # rounded down to the smallest place that a payment of the currency uses
        opening[pot] = int(amount.scaleb(p.digits[code]))
    said = p.left_out
    if early:
        said += (
            f"{early:,} opening balances of statements were passed over: payments of these "
            "accounts are known from before.",
        )
    return replace(p, opening=opening, left_out=said)
