"""Finds collecting accounts whose gifts end with a few who draw them: see the card beside."""

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
    """Findings over the payments, one an account that collects.

    Args:
        data: the payments and what is known beside them. card: the parameters' defaults.
    """
    values = card.values(data.given)
    m = data.moves
    c: Collected = collected(m)
    looked = (c.givers >= values["donors"]) & (c.uncarded >= values["sent"]) & ~data.by_trade
    everybody = (m.ends(m.b, m.a) >= values["donors"]) & ~data.by_trade
    if not looked.any():
        return
    # beside all that many pay, shops too: of causes alone there may be two
    through, few = rarity(c.through, everybody, MOST), rarity(c.few, everybody, MOST)
    sent = rarity(c.uncarded, everybody, MOST)
    evidence = through + few + sent - float(np.log(everybody.sum()))
    told = looked & (evidence >= values["evidence"])
    told &= c.middle <= values["small"]
    told &= (c.through >= values["through"]) & (c.few >= values["few"])
    for account in np.flatnonzero(told).tolist():
        mine, on = np.flatnonzero((m.b == account) & ~c.card), np.flatnonzero(m.a == account)
        to, which = np.unique(m.b[on], return_inverse=True)
        trustees = to[np.argsort(-np.bincount(which, m.worth[on]), kind="stable")[:3]]
        trustees = trustees[~data.by_trade[trustees]]
        drawn = np.flatnonzero(np.isin(m.a, trustees) & m.leaves)
        yield pattern(
            data, card, [account, *trustees.tolist()], np.concatenate([mine, on, drawn]),
            float(evidence[account]), values["evidence"],
            [
                Sign(
                    "donors", float(c.givers[account]), "1", values["donors"],
                    f"{c.givers[account]} accounts gave {amounts(m, mine)} within "
                    f"{spent(m, mine)}, {c.uncarded[account]:.0%} of it not by card",
                    float(sent[account]),
                ),
                Sign(
                    "few", float(c.few[account]), "1", values["few"],
                    f"{c.few[account]:.0%} of what it paid went to three accounts at most",
                    float(few[account]),
                ),
                Sign(
                    "through", float(c.through[account]), "1", values["through"],
                    f"{c.through[account]:.0%} of what it paid went to accounts that draw it, or "
                    "send it by hawala, coins or abroad", float(through[account]),
                ),
            ],
        )  # fmt: skip
