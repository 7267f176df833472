"""Finds money that goes round and comes back: see the card beside this file."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cordon.kernel.cards import Card, load_card
from cordon.kernel.findings import Finding
from cordon.money.detectors.data import MoneyData
from cordon.money.detectors.links import links, rounds
from cordon.money.detectors.telling import HOUR, Sign, amounts, pattern, spent

CARD = load_card(__file__)
_STEPS = 2_000  # of the search from one payment


def find(data: MoneyData, card: Card = CARD) -> Iterator[Finding]:
    """Findings over the payments, one a round; of rounds that share a payment the weightiest.

    Args:
        data: the payments and what is known beside them. card: the parameters' defaults.
    """
    values = card.values(data.given)
    m = data.moves
    within = int(values["within_h"] * HOUR)
    those = links(m, within, values["fee"])
    order = np.argsort(those.first, kind="stable")
    found, nats, cut = rounds(
        m.a, m.b, m.at, those.first[order], those.then[order], those.nats[order],
        int(values["hops"]), within, _STEPS,
    )  # fmt: skip
    if cut:
        data.left_out.append(
            f"{card.title}: from {cut:,} payments so many roads led on that the search was ended "
            f"after {_STEPS:,} steps."
        )
    # that it comes back to its beginning, of all accounts that are paid
    popular = np.bincount(m.b, minlength=m.size) / max(len(m), 1)
    used: set[int] = set()
    for i in np.argsort(-nats, kind="stable").tolist():
        mine = found[i][found[i] >= 0]
        home = float(-np.log(popular[m.a[mine[0]]]))
        evidence = float(nats[i]) + home - float(np.log(len(m)))
        accounts = np.unique(m.a[mine])
        if (
            evidence < values["evidence"]
            or used & set(mine.tolist())
            or data.by_trade[accounts].any()
        ):
            continue
        used |= set(mine.tolist())
        yield pattern(
            data, card, accounts.tolist(), mine, evidence, values["evidence"],
            [
                Sign(
                    "hops", float(len(mine)), "1", None,
                    f"{len(mine)} payments of {amounts(m, mine)} lead through {len(accounts)} "
                    f"accounts within {spent(m, mine)}, each out of the one before",
                    float(nats[i]),
                ),
                Sign(
                    "home", float(popular[m.a[mine[0]]]), "1", None,
                    "the last comes back to the account that paid the first, which is paid "
                    f"{popular[m.a[mine[0]]]:.2%} of all payments", home,
                ),
            ],
        )  # fmt: skip
