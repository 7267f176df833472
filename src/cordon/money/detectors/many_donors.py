"""Finds accounts for which many give little, and whose money leaves: see the card beside this file.

A shop takes cards and is come back to; who gives to a cause sends or pays in cash, once or twice.
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
    looked = (c.givers >= values["donors"]) & ~data.by_trade
    if not looked.any():
        return
    small, once = rarity(-c.middle, looked, MOST), rarity(c.once, looked, MOST)
    out = rarity(c.out, looked, MOST)
    evidence = small + once + out - float(np.log(looked.sum()))
    told = looked & (evidence >= values["evidence"]) & (c.out >= values["out"])
    told &= (c.uncarded >= values["sent"]) & (c.middle <= values["small"])
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
                    float(small[account]),
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
            ],
        )  # fmt: skip
