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
) -> tuple[Ints, Ints, Ints, Ints]:
    """What each pot took in and how much of that left again soon.

    Args:
        sender, receiver: pots, payments by time. at: µs. within: µs after which it is not soon.

    Returns:
        For each pot: units that came in; of them, that left within the time; that left later;
        and units paid out beyond what was seen to come in.
    """
    came, soon, later, beyond = (
        np.zeros(pots, np.int64), np.zeros(pots, np.int64), np.zeros(pots, np.int64),
        np.zeros(pots, np.int64),
    )  # fmt: skip
    head, tail = np.full(pots, -1), np.full(pots, -1)
    units, next_ = np.empty(len(amount), np.int64), np.full(len(amount), -1)
    for k in range(len(amount)):
        u, v, left = sender[k], receiver[k], amount[k]
        if u == v:
            continue
        while left > 0 and head[u] >= 0:
            lot = head[u]
            used = min(left, units[lot])
            if at[k] - at[lot] <= within:
                soon[u] += used
            else:
                later[u] += used
            units[lot] -= used
            left -= used
            if units[lot] == 0:
                head[u] = next_[lot]
        beyond[u] += left
        came[v] += amount[k]
        units[k] = amount[k]
        if head[v] < 0:
            head[v] = k
        else:
            next_[tail[v]] = k
        tail[v] = k
    return came, soon, later, beyond
