"""Payments that give money back: marked where they say so, and set against what they give back.

A refund is no flow through the account that gives it: it and what it gives back are as if they had
never been, by as much as was given back. Saying so is not enough, for whoever passes money on can
write the word: it is one where a payment of the same sum, or a little more, went the other way
between the same two accounts not long before.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cordon.money.model import CHANNELS, Channel
from cordon.money.payments import Payments

Ints = NDArray[np.int64]
SAYS = (
    r"(?i)\b(refund(s|ed|ing)?|reversal|reversed|charge[ -]?back|returned payment"
    r"|payment returned)\b|واپسی"
)
"""Purposes that tell of money given back, for RE2 (Arrow and DuckDB read it alike)."""
WAYS = (Channel.TRANSFER.value, Channel.WALLET.value, Channel.CARD.value)
"""What may be a refund by its purpose, beside a payment of no channel: cash, coins and money abroad
stay what they are."""
REFUND = CHANNELS.index(Channel.REFUND)
WITHIN = 60 * 86_400_000_000
"""How long before a refund what it gives back was paid, at most (µs): 60 days. Shops and banks give
back within weeks; a word in the purpose of a payment months later is no sign of it."""
LEAST = 0.9
"""Least share of a payment that a refund gives back: what is kept of it is a fee. With less than
that, a fee or a part of a debt whose purpose holds the word would cancel a payment of its own."""
_BEFORE = 256  # payments the other way that one refund is held against, the last ones first


def marked(table: pa.Table) -> pa.Table:
    """Rows of the format `payments`, of the channel `refund` where their note says so."""
    names = table.schema.names
    if "note" not in names or "channel" not in names:
        return table
    channel = table["channel"].cast(pa.string())
    gives = pc.fill_null(pc.match_substring_regex(table["note"], SAYS), False)
    may = pc.is_in(channel, value_set=pa.array([*WAYS, None], pa.string()))
    told = pc.if_else(pc.and_(gives, may), Channel.REFUND.value, channel)
    return table.set_column(names.index("channel"), "channel", told)


def settled(p: Payments) -> Payments:
    """The payments, with refunds and what they give back less by so much; and a sentence on it.

    A refund is set against the last payment within `WITHIN` before it, of the same sum or else of a
    little more (`LEAST`), that went the other way between its accounts in its currency; where there
    is none it is a payment like others. What is nothing then moves nothing, and keeps its row. The
    pairs are told in `given_back`.
    """
    refunds = np.flatnonzero((p.channel == REFUND) & (p.amount > 0) & (p.sender != p.receiver))
    if not len(refunds):
        return p
    size, many = np.int64(len(p.accounts)), len(p.currencies)
    sender, receiver = p.sender.astype(np.int64), p.receiver.astype(np.int64)
    key = (sender * size + receiver) * many + p.currency
    other = (receiver[refunds] * size + sender[refunds]) * many + p.currency[refunds]
    may = np.isin(key, np.unique(other)) & (p.channel != REFUND) & (p.amount > 0)
    may[refunds] = True
    amount = p.amount.copy()
    refund_of = dict(zip(refunds.tolist(), other.tolist(), strict=True))
    before: dict[int, list[int]] = defaultdict(list)
    pairs: list[tuple[int, int, int]] = []
    alone = 0
    for k in np.flatnonzero(may).tolist():
        if k not in refund_of:
            before[int(key[k])].append(k)
            continue
        sum_, given = int(amount[k]), before[refund_of[k]]
        since = int(p.at[k]) - WITHIN
        last = [
            i
            for i in range(len(given) - 1, max(len(given) - _BEFORE, 0) - 1, -1)
            if p.at[given[i]] >= since
        ]
        at = next((i for i in last if amount[given[i]] == sum_), None)
        if at is None:
            at = next(
                (i for i in last if LEAST * amount[given[i]] <= sum_ < amount[given[i]]), None
            )
        if at is None:
            alone += 1
            continue
        pairs.append((given[at], k, sum_))
        amount[given[at]] -= sum_
        amount[k] = 0
        del given[at]  # a payment is given back once
    said = []
    if len(refunds) > alone:
        said.append(
            f"{len(refunds) - alone:,} refunds and reversals were set against the payments that "
            "they give back: neither counts as money that went through."
        )
    if alone:
        said.append(
            f"{alone:,} refunds and reversals give back no payment of about their sum within "
            f"{WITHIN // 86_400_000_000} days before them; they were taken as payments like others."
        )
    return replace(
        p,
        amount=amount,
        left_out=(*p.left_out, *said),
        given_back=np.array(pairs, np.int64).reshape(-1, 3),
    )
