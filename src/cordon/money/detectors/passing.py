"""Which payments are others passed on, and which of very many accounts pass on most."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cordon.money.payments import Payments

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
_SAMPLE = 20_000  # accounts by which a share is told: to within a twentieth where it is 2 in 100
_LEAST = 3  # payments taken in; fewer make no habit


def passing(p: Payments, accounts: Ints, within: int, share: float) -> Bools:
    """Whether each of these accounts passes on so much, by first in first out.

    Args:
        accounts: positions, each once. within: µs. share: of what it took in, in the currency in
            which that was most.
    """
    from cordon.money.holding import holding, moves_of

    many = len(p.currencies)
    some = np.zeros(len(p.accounts), np.bool_)
    some[accounts] = True
    place = np.zeros(len(p.accounts), np.int64)  # 0 stands for all others
    place[accounts] = np.arange(1, len(accounts) + 1)
    k = moves_of(p.sender, p.receiver, p.amount, some)
    sender, receiver, currency = place[p.sender[k]], place[p.receiver[k]], p.currency[k]
    pots = (len(accounts) + 1) * many
    came, soon, _, _ = holding(
        sender * many + currency, receiver * many + currency, p.amount[k], p.at[k], pots, within
    )
    came, soon = came.reshape(-1, many), soon.reshape(-1, many)
    main = came.argmax(axis=1)[:, np.newaxis]
    incomes = np.bincount(receiver, minlength=len(accounts) + 1)
    taken, left = (np.take_along_axis(c, main, 1)[1:, 0] for c in (came, soon))
    return np.asarray((incomes[1:] >= _LEAST) & (left >= share * taken))


def passed_singly(p: Payments, within: int, fee: float) -> Bools:
    """Whether each payment is one that its sender took in and passes on, and no other.

    Args:
        within: µs since it came in, at most. fee: share of it that stays, at most.
    """
    from cordon.money.holding import one_by_one

    pots = len(p.accounts) * len(p.currencies)
    return one_by_one(p.pot(p.sender), p.pot(p.receiver), p.amount, p.at, pots, within, fee)


def how_many_pass(p: Payments, accounts: Ints, within: int, share: float) -> float:
    """How many of very many accounts pass on so much, 1 at least; told from every n-th of them."""
    step = max(len(accounts) // _SAMPLE, 1)
    sample = accounts[::step]
    if not len(sample):
        return 1.0
    return max(float(passing(p, sample, within, share).mean()) * len(accounts), 1.0)
