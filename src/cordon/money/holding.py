"""How long each account keeps what comes in: first in, first out, by account, compiled."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cordon.kernel.compiled import compiled

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@compiled
def holding(
    sender: Ints, receiver: Ints, amount: Ints, at: Ints, pots: int, within: int
) -> tuple[Ints, Ints, Ints, Ints, Floats]:
    """What each pot took in, how much of that left again soon, and of how many pieces.

    Args:
        sender, receiver: pots, payments by time. at: µs. within: µs after which it is not soon.

    Returns:
        For each pot: units that came in; of them, that left within the time; that left later;
        units paid out beyond what was seen to come in; and of how many payments in a payment out
        was made up, weighed by its units (0 where none was).
    """
    came, soon, later, beyond = (
        np.zeros(pots, np.int64), np.zeros(pots, np.int64), np.zeros(pots, np.int64),
        np.zeros(pots, np.int64),
    )  # fmt: skip
    pieces = np.zeros(pots)
    head, tail = np.full(pots, -1), np.full(pots, -1)
    units, next_ = np.empty(len(amount), np.int64), np.full(len(amount), -1)
    for k in range(len(amount)):
        u, v, left = sender[k], receiver[k], amount[k]
        if u == v:
            continue
        lots = 0
        while left > 0 and head[u] >= 0:
            lot = head[u]
            used = min(left, units[lot])
            if at[k] - at[lot] <= within:
                soon[u] += used
            else:
                later[u] += used
            units[lot] -= used
            left -= used
            lots += 1
            if units[lot] == 0:
                head[u] = next_[lot]
        beyond[u] += left
        pieces[u] += float(lots) * (amount[k] - left)
        came[v] += amount[k]
        units[k] = amount[k]
        if head[v] < 0:
            head[v] = k
        else:
            next_[tail[v]] = k
        tail[v] = k
    for u in range(pots):
        went = soon[u] + later[u]
        pieces[u] = pieces[u] / went if went > 0 else 0.0
    return came, soon, later, beyond, pieces
