"""What accounts that collect take in, and how it leaves them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cordon.money.detectors.moves import Bools, Floats, Ints, Moves
from cordon.money.model import Channel


@dataclass(frozen=True, slots=True)
class Collected:
    """One entry an account; amounts in middle payments of their currency.

    Attributes:
        card: moves by card. givers: accounts that paid it otherwise than by card.
        uncarded: share of what it took in that did not come by card. middle: its middle payment in.
        once: share of its givers who gave once. out: share of what it paid out that went by cash,
            hawala, coins or abroad. unseen: of that, the share that was not drawn in cash.
            through: share that went to accounts that themselves pay out so, weighed by how much of
            theirs goes so. few: share that went to its three best paid.
    """

    card: Bools
    givers: Ints
    uncarded: Floats
    middle: Floats
    once: Floats
    out: Floats
    unseen: Floats
    through: Floats
    few: Floats


def collected(m: Moves) -> Collected:
    """What each account collects."""
    card = m.by(Channel.CARD)
    sent = ~card
    with np.errstate(divide="ignore", invalid="ignore"):
        key, often = np.unique((m.b * m.size + m.a)[sent], return_counts=True)
        givers = np.bincount(key // m.size, minlength=m.size)
        once = np.nan_to_num(np.bincount(key // m.size, often == 1, minlength=m.size) / givers)
        paid = m.total(m.a)
        left = m.total(m.a, m.leaves)
        out = np.nan_to_num(left / paid)
        drawn = m.total(m.a, m.by(Channel.CASH_OUT))
        unseen = np.nan_to_num((left - drawn) / left)
        through = np.nan_to_num(
            np.bincount(m.a, m.worth * ~m.leaves * out[m.b], minlength=m.size) / paid
        )
        uncarded = np.nan_to_num(m.total(m.b, sent) / m.total(m.b))
        few = np.nan_to_num(_best(m, 3) / paid)
    middle = _middle(m, sent)
    return Collected(card, givers, uncarded, middle, once, out, unseen, through, few)


def _middle(m: Moves, of: Bools) -> Floats:
    """The median of each account's payments in, of these moves."""
    k = np.flatnonzero(of)
    k = k[np.lexsort((m.worth[k], m.b[k]))]
    count = np.bincount(m.b[k], minlength=m.size)
    begin = np.cumsum(count) - count
    found: NDArray[np.float64] = np.full(m.size, np.inf)
    there = np.flatnonzero(count)
    found[there] = m.worth[k[begin[there] + count[there] // 2]]
    return found


def _best(m: Moves, many: int) -> Floats:
    """What each account paid to those few whom it paid most."""
    pair, which = np.unique(m.a * m.size + m.b, return_inverse=True)
    sums = np.bincount(which, m.worth)
    payer = pair // m.size
    order = np.lexsort((-sums, payer))
    count = np.bincount(payer, minlength=m.size)
    rank = np.arange(len(pair)) - np.repeat(np.cumsum(count) - count, count)
    kept = sums[order] * (rank < many)
    return np.bincount(payer[order], kept, minlength=m.size).astype(float)
