"""Finds two accounts that settle with one another: see the card beside this file."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cordon.kernel.cards import Card, load_card
from cordon.kernel.findings import Finding
from cordon.money.detectors.data import MoneyData
from cordon.money.detectors.moves import rarity
from cordon.money.detectors.passing import passed_singly
from cordon.money.detectors.telling import HOUR, MOST, Sign, amounts, pattern, spent

CARD = load_card(__file__)


def find(data: MoneyData, card: Card = CARD) -> Iterator[Finding]:
    """Findings over the payments, one for each two accounts and currency.

    Args:
        data: the payments and what is known beside them. card: the parameters' defaults.
    """
    values = card.values(data.given)
    m = data.moves
    if not len(m):
        return
    low, high = np.minimum(m.a, m.b), np.maximum(m.a, m.b)
    many = len(m.payments.currencies)
    two, which = np.unique((low * m.size + high) * many + m.currency, return_inverse=True)
    up = m.a == low
    ways = np.stack([np.bincount(which, up, len(two)), np.bincount(which, ~up, len(two))])
    sums = np.stack(
        [np.bincount(which, m.worth * up, len(two)), np.bincount(which, m.worth * ~up, len(two))]
    )
    squares = np.bincount(which, m.worth**2, len(two))
    both = ways.min(axis=0) >= 1
    one, other = two // many // m.size, two // many % m.size
    customers = np.minimum(m.ends(m.b, m.a)[one], m.ends(m.b, m.a)[other]) - 1
    apart = np.abs(sums[0] - sums[1])
    with np.errstate(divide="ignore", invalid="ignore"):
        share = apart / sums.sum(axis=0)
        # were each payment's way a coin's throw: the chance of a sum so near to nothing, by its
        # spread (Gauss); two sums never fit better than to one payment's hundredth
        near = np.maximum(apart, 0.01 * sums.sum(axis=0)) / np.sqrt(squares)
    balance = -np.log(np.clip(near * np.sqrt(2 / np.pi), 1e-3, 1.0))
    volume = rarity(sums.min(axis=0), both, MOST)
    trade = rarity(customers.astype(float), both, MOST)
    often = rarity(ways.min(axis=0), both, MOST)
    evidence = balance + volume + trade + often - float(np.log(max(both.sum(), 1)))
    told = both & (evidence >= values["evidence"]) & (share <= values["balance"])
    told &= (ways.min(axis=0) >= values["payments"]) & (customers >= values["customers"])
    # a customer's payment that goes on as it came is passed on: who settles pays sums of its own
    singly = passed_singly(m.payments, int(values["within_h"] * HOUR), values["fee"])[m.k]
    passed = np.bincount(which, singly, len(two)) / ways.sum(axis=0)
    told &= passed <= values["passed"]
    for i in np.flatnonzero(told).tolist():
        mine = np.flatnonzero(which == i)
        yield pattern(
            data, card, [int(one[i]), int(other[i])], mine, float(evidence[i]), values["evidence"],
            [
                Sign(
                    "balance", float(share[i]), "1", values["balance"],
                    f"within {spent(m, mine)} what went each way differs by {share[i]:.1%} of all",
                    float(balance[i]),
                ),
                Sign(
                    "payments", float(ways[:, i].min()), "1", values["payments"],
                    f"{ways[0, i]:.0f} payments went one way and {ways[1, i]:.0f} the other",
                    float(often[i]),
                ),
                Sign(
                    "passed", float(passed[i]), "1", values["passed"],
                    f"{passed[i]:.0%} of them passed on a payment that had come in; the rest are "
                    "sums of their own", 0.0,
                ),
                Sign(
                    "volume", float(sums[:, i].min()), "1", None,
                    f"of {amounts(m, mine)}; few who pay one another move so much",
                    float(volume[i]),
                ),
                Sign(
                    "customers", float(customers[i]), "1", values["customers"],
                    f"each is paid by {customers[i]} others at least", float(trade[i]),
                ),
            ],
        )  # fmt: skip
