"""Finds sums that are paid in alike parts soon after one another: see the card beside this file."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cordon.kernel.cards import Card, load_card
from cordon.kernel.findings import Finding
from cordon.money.detectors.data import MoneyData
from cordon.money.detectors.telling import HOUR, Sign, amounts, pattern, spent

CARD = load_card(__file__)
_LIKE = 20.0  # payments of an account after which its own habit counts more than everybody's


def find(data: MoneyData, card: Card = CARD) -> Iterator[Finding]:
    """Findings over the payments, one for each two accounts.

    Args:
        data: the payments and what is known beside them. card: the parameters' defaults.
    """
    values = card.values(data.given)
    m = data.moves
    if len(m) < 2:
        return
    order = np.lexsort((m.at, m.pair))
    pair, at, units = m.pair[order], m.at[order], m.units[order]
    again = np.zeros(len(m), bool)
    less, more = np.minimum(units[1:], units[:-1]), np.maximum(units[1:], units[:-1])
    again[1:] = (
        (pair[1:] == pair[:-1])
        & (at[1:] - at[:-1] <= values["within_h"] * HOUR)
        & (less >= more * (1.0 - values["differ"]))
    )
    a, b = m.a[order], m.b[order]
    usual = again.mean()
    # how often the payer does so with others, and others with the payee: a fare is paid twice a day
    repeats = np.bincount(pair_of := np.unique(pair, return_inverse=True)[1], again)
    paid = np.bincount(pair_of)

    def rate(end: np.ndarray) -> np.ndarray:
        often = np.bincount(end, again, minlength=m.size)[end] - repeats[pair_of]
        count = np.bincount(end, minlength=m.size)[end] - paid[pair_of]
        return np.asarray((often + _LIKE * usual) / (count + _LIKE))

    chance = np.maximum(np.maximum(rate(a), rate(b)), 1.0 / len(m))
    run = np.cumsum(~again) - 1
    size = np.bincount(run)
    first = np.flatnonzero(~again)
    # one run of a pair is told; who does so on other days too has it as a habit
    runs = np.bincount(pair_of[first], size >= 2)[pair_of[first]]
    nats = (size - 1) * -np.log(np.minimum(chance[first], 1.0)) / np.maximum(runs, 1)
    evidence = nats - np.log(len(np.unique(pair)))
    told = np.flatnonzero((size >= values["payments"]) & (evidence >= values["evidence"]))
    for i in told[~data.by_trade[a[first[told]]] & ~data.by_trade[b[first[told]]]].tolist():
        mine = order[first[i] : first[i] + size[i]]
        yield pattern(
            data, card, (int(a[first[i]]), int(b[first[i]])), mine, float(evidence[i]),
            values["evidence"],
            [
                Sign(
                    "payments", float(size[i]), "1", values["payments"],
                    f"{size[i]} payments of {amounts(m, mine)} within {spent(m, mine)}, where one "
                    f"in {1 / chance[first[i]]:,.0f} of these accounts' and everybody's is "
                    "followed by one like it", float(nats[i]),
                )
            ],
        )  # fmt: skip
