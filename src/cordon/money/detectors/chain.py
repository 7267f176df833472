"""Finds money that is passed on from account to account at once: see the card beside this file."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cordon.kernel.cards import Card, load_card
from cordon.kernel.findings import Finding
from cordon.money.detectors.data import MoneyData
from cordon.money.detectors.links import links, longest
from cordon.money.detectors.telling import HOUR, Sign, amounts, pattern, spent

CARD = load_card(__file__)


def find(data: MoneyData, card: Card = CARD) -> Iterator[Finding]:
    """Findings over the payments, one a chain; of chains that share a payment the weightiest.

    Args:
        data: the payments and what is known beside them. card: the parameters' defaults.
    """
    values = card.values(data.given)
    m = data.moves
    those = links(m, int(values["within_h"] * HOUR), values["fee"])
    nats, moves, back = longest(those.first, those.then, those.nats, len(m))
    evidence = nats - float(np.log(max(len(m), 1)))
    used = np.zeros(len(m), bool)
    ends = np.flatnonzero((moves >= values["payments"]) & (evidence >= values["evidence"]))
    for end in ends[np.argsort(-evidence[ends], kind="stable")].tolist():
        path, k = [], end
        while k >= 0 and not used[k]:
            path.append(k)
            k = int(back[k])
        mine = np.array(path[::-1], np.int64)
        accounts = np.unique(np.concatenate([m.a[mine], m.b[mine]]))
        if (
            k >= 0  # its beginning stands in a weightier one
            or len(accounts) <= values["payments"]
            or data.by_trade[m.a[mine[1:]]].any()
        ):
            continue
        used[mine] = True
        pause = float(np.median(np.diff(m.at[mine]))) / HOUR
        yield pattern(
            data, card, accounts.tolist(), mine, float(evidence[end]), values["evidence"],
            [
                Sign(
                    "payments", float(len(mine)), "1", values["payments"],
                    f"{len(mine)} payments of {amounts(m, mine)} lead through {len(accounts)} "
                    f"accounts within {spent(m, mine)}, each out of the one before",
                    float(nats[end]),
                ),
                Sign(
                    "within_h", pause, "h", values["within_h"],
                    f"it lay in an account for {pause:.1f} h in the median",
                ),
            ],
        )  # fmt: skip
