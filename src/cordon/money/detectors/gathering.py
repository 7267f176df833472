"""Finds accounts in which alike sums of many are gathered: see the card beside this file."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cordon.kernel.cards import Card, load_card
from cordon.kernel.findings import Finding
from cordon.money.detectors.data import MoneyData
from cordon.money.detectors.moves import Bools, Ints, Moves, surprise
from cordon.money.detectors.telling import HOUR, Sign, amounts, pattern, spent

CARD = load_card(__file__)
FOLLOWING = 512  # payments after one that are compared with it, as `gathered` does


def find(data: MoneyData, card: Card = CARD) -> Iterator[Finding]:
    """Findings over the payments, one an account.

    Args:
        data: the payments and what is known beside them. card: the parameters' defaults.
    """
    from cordon.money.detectors.links import gathered

    values = card.values(data.given)
    m = data.moves
    if not len(m):
        return
    within, differ = int(values["within_h"] * HOUR), values["differ"]
    strange = _strangers(m, within)
    order = np.lexsort((m.at, m.b))
    begin, people = gathered(
        m.a[order], m.b[order], m.at[order], m.units[order], m.currency[order], strange[order],
        m.size, within, differ,
    )  # fmt: skip
    there = np.flatnonzero(people >= values["payers"])
    taken = np.bincount(m.b, minlength=m.size)
    common = m.commonness(1.0 - differ, 1.0 / (1.0 - differ))[order]
    expected = (
        (taken[there] - people[there])
        * min(within / m.span, 1.0)
        * common[np.maximum(begin[there], 0)]
    )
    # of all spans the best is taken
    looked = float(np.log(max((m.ends(m.b, m.a) >= values["payers"]).sum(), 1)))
    looked += float(np.log(max(m.span / within, 1.0)))
    paid = np.argsort(m.a, kind="stable")  # by payer, in time
    first_paid = np.searchsorted(m.a[paid], np.arange(m.size + 1))
    first_taken = np.searchsorted(m.b[order], np.arange(m.size + 1))
    for hub, at_large in zip(there.tolist(), expected.tolist(), strict=True):
        own = order[first_taken[hub] : first_taken[hub + 1]]
        chance = max(at_large, _usually(m, own, order[begin[hub]], within, differ))
        nats = float(surprise(people[hub], chance))
        evidence = nats - looked
        if evidence < values["evidence"] or data.by_trade[hub]:
            continue
        mine = _of(m, order, int(begin[hub]), within, differ, strange)
        on, share = _on(m, paid[first_paid[hub] : first_paid[hub + 1]], own, mine, within)
        if share < values["passed"] or (len(on) and np.isin(m.b[on], m.a[mine]).all()):
            continue  # a pot that goes to one of those who paid in is a committee's
        payers = np.unique(m.a[mine])
        yield pattern(
            data, card, [hub, *payers.tolist()], np.concatenate([mine, on]), evidence,
            values["evidence"],
            [
                Sign(
                    "payers", float(len(payers)), "1", values["payers"],
                    f"{len(payers)} accounts that have nothing else to do with it paid "
                    f"{amounts(m, mine)} each within {spent(m, mine)}; {chance:.2f} would by what "
                    "is usual for it", nats,
                ),
                Sign(
                    "passed", share, "1", values["passed"],
                    f"{share:.0%} of all that it took in meanwhile went on to one account soon",
                ),
            ],
        )  # fmt: skip


def _strangers(m: Moves, within: int) -> Bools:
    """Moves of two that pay one another neither at other times nor the other way."""
    _, at, inverse = np.unique(m.pair, return_index=True, return_inverse=True)
    last = np.full(len(at), np.iinfo(np.int64).min)
    np.maximum.at(last, inverse, m.at)
    back = np.isin(m.a * m.size + m.b, m.b * m.size + m.a)
    # moves are by time: the first of each pair is its index
    return np.asarray((last[inverse] - m.at[at][inverse] <= within) & ~back)


def _usually(m: Moves, taken: Ints, first: int, within: int, differ: float) -> float:
    """Alike sums that an account takes in at other times, in a span so long."""
    alike = (m.units[taken] >= m.units[first] * (1.0 - differ)) & (
        m.units[taken] * (1.0 - differ) <= m.units[first]
    )
    other = (m.at[taken] < m.at[first]) | (m.at[taken] > m.at[first] + within)
    return float((alike & other).sum() * within / max(m.span - within, within))


def _of(m: Moves, order: Ints, begin: int, within: int, differ: float, strange: Bools) -> Ints:
    """The moves that were gathered, from the one at which the span begins."""
    first = order[begin]
    those = order[begin : begin + FOLLOWING]
    those = those[(m.b[those] == m.b[first]) & (m.at[those] - m.at[first] <= within)]
    alike = (m.units[those] >= m.units[first] * (1.0 - differ)) & (
        m.units[those] * (1.0 - differ) <= m.units[first]
    )
    return np.asarray(those[alike & strange[those] & (m.currency[those] == m.currency[first])])


def _on(m: Moves, paid: Ints, taken: Ints, mine: Ints, within: int) -> tuple[Ints, float]:
    """What the hub paid on to the one whom it paid most, and its share of all it took meanwhile."""
    soon = paid[
        (m.at[paid] >= m.at[mine].min())
        & (m.at[paid] <= m.at[mine].max() + within)
        & (m.currency[paid] == m.currency[mine[0]])
    ]
    if not len(soon):
        return soon, 0.0
    to, which = np.unique(m.b[soon], return_inverse=True)
    sums = np.bincount(which, m.units[soon].astype(float), minlength=len(to))
    meanwhile = (m.at[taken] >= m.at[mine].min()) & (m.at[taken] <= m.at[mine].max())
    meanwhile &= m.currency[taken] == m.currency[mine[0]]
    share = sums.max() / m.units[taken[meanwhile]].sum()
    return soon[m.b[soon] == to[sums.argmax()]], float(min(share, 1.0))
