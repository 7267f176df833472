"""Finds accounts for which many give little, and whose money leaves: see the card beside this file.

A shop takes cards and is come back to; who gives to a cause sends or pays in cash, once or twice.
Others who collect small sums spend them in sight, or draw cash.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cordon.kernel.cards import Card, load_card
from cordon.kernel.findings import Finding
from cordon.money.detectors.collecting import Collected, collected
from cordon.money.detectors.data import MoneyData
from cordon.money.detectors.moves import rarity
from cordon.money.detectors.telling import MOST, Sign, amounts, pattern, spent

CARD = load_card(__file__)


def find(data: MoneyData, card: Card = CARD) -> Iterator[Finding]:
    """Findings over the payments, one an account.

    Args:
        data: the payments and what is known beside them. card: the parameters' defaults.
    """
    values = card.values(data.given)
    m = data.moves
    c: Collected = collected(m)
    many = (c.givers >= values["donors"]) & ~data.by_trade
    small = many & (c.uncarded >= values["sent"]) & (c.middle <= values["small"])
    if not small.any():
        return
    # a landlord draws his rents and a mule what victims lost: neither says what is usual of gifts,
    # but where hardly anybody takes gifts, they are whom there is to compare with
    looked = small if small.sum() >= values["alike"] else many
    once, out = rarity(c.once, looked, MOST), rarity(c.out, looked, MOST)
    unseen = rarity(c.unseen, looked, MOST)
    evidence = once + out + unseen - float(np.log(looked.sum()))
    told = small & (evidence >= values["evidence"]) & (c.out >= values["out"])
    for account in np.flatnonzero(told).tolist():
        mine = np.flatnonzero((m.b == account) & ~c.card)
        gone = np.flatnonzero((m.a == account) & m.leaves)
        yield pattern(
            data, card, [account], np.concatenate([mine, gone]), float(evidence[account]),
            values["evidence"],
            [
                Sign(
                    "small", float(c.middle[account]), "1", values["small"],
                    f"{c.givers[account]} accounts gave {amounts(m, mine)} within "
                    f"{spent(m, mine)}, in the middle {c.middle[account]:.2f} of a middle payment",
                ),
                Sign(
                    "once", float(c.once[account]), "1", None,
                    f"{c.once[account]:.0%} of them gave once", float(once[account]),
                ),
                Sign(
                    "out", float(c.out[account]), "1", values["out"],
                    f"{c.out[account]:.0%} of what it paid left by cash, hawala, coins or abroad",
                    float(out[account]),
                ),
                Sign(
                    "unseen", float(c.unseen[account]), "1", None,
                    f"{c.unseen[account]:.0%} of that by hawala, coins or abroad, and not in cash",
                    float(unseen[account]),
                ),
            ],
        )  # fmt: skip
