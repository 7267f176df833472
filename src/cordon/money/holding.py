"""How long each account keeps what comes in, and whether it goes on one by one; compiled."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cordon.kernel.compiled import compiled

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
_OPEN = 256  # payments in, the last ones, that one payment out is held against


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


@compiled
def one_by_one(
    sender: Ints, receiver: Ints, amount: Ints, at: Ints, pots: int, within: int, fee: float
) -> Bools:
    """Whether each payment is one payment into its sender's pot that goes on, and no other.

    A payment out is that of the smallest payment in which is not less, of those before it within
    the time that none went on for yet, where it is less by the fee at most.

    Args:
        sender, receiver: pots, payments by time. at, within: µs. fee: share of what came in.
    """
    found = np.zeros(len(at), np.bool_)
    # of each pot, its payments in that none went on for yet: a list, the last one first
    last, before, after = np.full(pots, -1), np.full(len(at), -1), np.full(len(at), -1)
    for k in range(len(at)):
        u, v, units = sender[k], receiver[k], amount[k]
        if u == v or units <= 0:
            continue
        best, lot, seen = -1, last[u], 0
        while lot >= 0 and seen < _OPEN and at[k] - at[lot] <= within:
            fits = units <= amount[lot] and units >= (1.0 - fee) * amount[lot]
            if fits and (best < 0 or amount[lot] < amount[best]):
                best = lot
            lot, seen = before[lot], seen + 1
        if best >= 0:
            found[k] = True
            if after[best] >= 0:
                before[after[best]] = before[best]
            else:
                last[u] = before[best]
            if before[best] >= 0:
                after[before[best]] = after[best]
        before[k] = last[v]
        if last[v] >= 0:
            after[last[v]] = k
        last[v] = k
    return found


@compiled
def moves_of(
    sender: NDArray[np.integer[Any]], receiver: NDArray[np.integer[Any]], amount: Ints, some: Bools
) -> Ints:
    """Places of the payments of something, to or from some accounts, and not to oneself.

    Args:
        sender, receiver: accounts. some: of each account, whether it is one of them.
    """
    found, n = np.empty(len(amount), np.int64), 0
    for k in range(len(amount)):
        u, v = sender[k], receiver[k]
        if (some[u] or some[v]) and u != v and amount[k] > 0:
            found[n] = k
            n += 1
    return found[:n].copy()
