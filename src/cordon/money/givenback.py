"""Payments that give money back: marked where they say so, and set against what they give back.

A refund is no flow through the account that gives it: it and what it gives back are as if they had
never been, by as much as was given back. Saying so is not enough: a payment must have gone the
other way between the same two accounts before it. An institution's own mark (`RD` of a statement, a
return of ISO 20022, a channel) may give back any part of one, and where it names the payment by a
reference, it is that one; whoever passes money on can write the
word into a purpose, so that by it alone it must be the same sum, or a little less, soon after.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
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
UNNAMED = "unnamed:"  # how the account begins that a statement does not name
REFUND, NOTED = CHANNELS.index(Channel.REFUND), CHANNELS.index(Channel.REFUND_NOTED)
WITHIN = 60 * 86_400_000_000
"""How long before a refund by its purpose what it gives back was paid, at most (µs): 60 days. Shops
give back within weeks; a word in the purpose of a payment months later is no sign of it."""
MARKED_WITHIN = 396 * 86_400_000_000
"""The same for an institution's mark (µs): 13 months, for which a payer may have a payment that was
not authorised put right (directive (EU) 2015/2366, article 71)."""
LEAST = 0.9
"""Least share of a payment that a refund by its purpose gives back: what is kept of it is a fee.
With less, a fee or a part of a debt whose purpose holds the word would cancel a payment."""
_DAY_US = 86_400_000_000
Named = Mapping[int, Mapping[int, int]]
"""Of each return that names a payment, by position: payments that carry one of its references, and
how many of them."""
_BEFORE = 256  # payments the other way that one refund is held against, the last ones first


def marked(table: pa.Table) -> pa.Table:
    """Rows of the format `payments`, of the channel `refund_noted` where their note says so."""
    names = table.schema.names
    if "note" not in names or "channel" not in names:
        return table
    channel = table["channel"].cast(pa.string())
    gives = pc.fill_null(pc.match_substring_regex(table["note"], SAYS), False)
    may = pc.is_in(channel, value_set=pa.array([*WAYS, None], pa.string()))
    told = pc.if_else(pc.and_(gives, may), Channel.REFUND_NOTED.value, channel)
    return table.set_column(names.index("channel"), "channel", told)


def settled(p: Payments, named: Named | None = None) -> Payments:
    """The payments, with refunds and what they give back less by so much; and a sentence on it.

    A refund is set against the last payment before it that went the other way between its accounts
    in its currency: within `WITHIN` and of the same sum or else of a little more (`LEAST`) where
    its purpose alone says what it is, within `MARKED_WITHIN` and else of any more where the
    institution does. One that names a payment by a reference is set against that one, whichever
    else there is. Where there is none it is a payment like others. What is nothing then moves
    nothing, and keeps its row. The pairs are told in `given_back`.

    Args:
        named: of returns by position the payments that their references name.
    """
    gives = np.isin(p.channel, [REFUND, NOTED])
    refunds = np.flatnonzero(gives & (p.amount > 0) & (p.sender != p.receiver))
    if not len(refunds):
        return p
    size, many = np.int64(len(p.accounts)), len(p.currencies)
    sender, receiver = p.sender.astype(np.int64), p.receiver.astype(np.int64)
    key = (sender * size + receiver) * many + p.currency
    other = (receiver[refunds] * size + sender[refunds]) * many + p.currency[refunds]
    may = np.isin(key, np.unique(other)) & ~gives & (p.amount > 0)
    may[refunds] = True
    amount = p.amount.copy()
    pairs, done, said = _by_reference(p, amount, refunds, named or {})
    refund_of = dict(zip(refunds.tolist(), other.tolist(), strict=True))
    before: dict[int, list[int]] = defaultdict(list)
    alone = 0
    for k in np.flatnonzero(may).tolist():
        if k in done:
            continue
        if k not in refund_of:
            before[int(key[k])].append(k)
            continue
        sum_, given, by_mark = int(amount[k]), before[refund_of[k]], p.channel[k] == REFUND
        at = _given(p.at, amount, given, k, by_mark)
        if at is None:
            alone += 1
            continue
        pairs.append((given[at], k, sum_))
        amount[given[at]] -= sum_
        amount[k] = 0
        if not by_mark or not amount[given[at]]:
            del given[at]  # a word gives back once; an institution may in parts
    answered = len(pairs)
    if answered:
        said.insert(
            0,
            f"{answered:,} refunds and reversals were set against the payments that "
            "they give back: neither counts as money that went through.",
        )
    if alone:
        said.append(
            f"{alone:,} refunds and reversals give back no payment that went the other way before "
            f"them (by their purpose alone: of about their sum, within {WITHIN // 86_400_000_000} "
            "days); they were taken as payments like others."
        )
    return replace(
        p,
        amount=amount,
        left_out=(*p.left_out, *said),
        given_back=np.array(sorted(pairs, key=lambda pair: pair[1]), np.int64).reshape(-1, 3),
    )


def _by_reference(
    p: Payments, amount: Ints, refunds: Ints, named: Named
) -> tuple[list[tuple[int, int, int]], set[int], list[str]]:
    """Set returns against the payments that they name, as far as their money goes.

    Returns:
        The pairs; the returns that are answered so; sentences on them.
    """
    pairs, done, gone = list[tuple[int, int, int]](), set[int](), 0
    for k in [k for k in refunds.tolist() if k in named]:
        fitting = [o for o in named[k] if _fits(p, k, o)]
        left = [o for o in fitting if amount[o] > 0]
        if not fitting:
            continue
        done.add(k)
        if not left:
            gone += 1
            continue
        # a payer's own word stands on many payments: the one that more agrees with, then the last
        sum_, many = int(amount[k]), named[k]
        paid = max(left, key=lambda o: (many[o], amount[o] == sum_, amount[o] > sum_, o))
        units = min(sum_, int(amount[paid]))
        pairs.append((paid, k, units))
        amount[paid] -= units
        amount[k] -= units
    said = []
    if pairs:
        said.append(f"{len(pairs):,} of them name the payment that they give back, by reference.")
    if gone:
        said.append(
            f"{gone:,} returns name a payment that was given back already; they were taken as "
            "payments like others."
        )
    lost = len(named) - len(done)
    if lost:
        said.append(
            f"{lost:,} returns name a payment that is not among these, or is of other accounts or "
            "another currency; what they give back was looked for by accounts, sum and time."
        )
    return pairs, done, said


def _fits(p: Payments, back: int, paid: int) -> bool:
    """Whether a payment that a return names went the other way between its accounts.

    A statement may name one of them alone. A return that tells a day begins with its first moment,
    before what was paid on that day.
    """
    if p.currency[paid] != p.currency[back] or p.at[paid] >= p.at[back] + _DAY_US:
        return False
    ends = ((p.sender[paid], p.receiver[back]), (p.receiver[paid], p.sender[back]))
    if all(one == other for one, other in ends):
        return True
    return any(one == other for one, other in ends) and all(
        one == other or any(p.accounts[end].startswith(UNNAMED) for end in (one, other))
        for one, other in ends
    )


def _given(at: Ints, amount: Ints, given: list[int], refund: int, by_mark: bool) -> int | None:
    """Place in `given`, payments by time, of the one that a refund gives back; None for none."""
    since = int(at[refund]) - (MARKED_WITHIN if by_mark else WITHIN)
    sum_ = int(amount[refund])
    about = part = None
    for i in range(len(given) - 1, max(len(given) - _BEFORE, 0) - 1, -1):
        paid = int(amount[given[i]])
        if at[given[i]] < since:
            break
        if paid == sum_:
            return i
        if about is None and LEAST * paid <= sum_ < paid:
            about = i
        if part is None and by_mark and sum_ < paid:
            part = i
    return part if about is None else about
