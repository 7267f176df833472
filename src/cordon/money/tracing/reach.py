"""Which payments a trace has to look at: those of pots that the traced money can come to.

What other pots pay one another moves none of it, and changes no balance that it is mixed with. The
rest is found with one byte a pot, so that a walk over all payments stays in the processor's cache,
and the loops over parts and lots run over what is left, in the same order and to the same unit.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from cordon.kernel.compiled import compiled
from cordon.money.model import CHANNELS, EXITS
from cordon.money.payments import Payments

Ints = NDArray[np.int64]
_FAR = 255  # of a pot that is not reached
_MOST = 254  # hops that are told apart; where more are followed, all of them are


def reached(payments: Payments, sources: Ints, hops: int) -> Ints:
    """Positions of the payments from and to pots that money of the sources comes to, ascending.

    Args:
        sources: positions, ascending. hops: followed, at most.
    """
    p = payments
    leaves = np.array([c in EXITS for c in CHANNELS] + [False])
    near = np.full(len(p.accounts) * len(p.currencies), _FAR, np.uint8)
    many = len(p.currencies)
    _spread(p.sender, p.receiver, p.currency, p.channel, p.amount, leaves, sources, many, hops,
            near)  # fmt: skip
    return _touched(p, sources, near)


def reached_back(payments: Payments, sinks: Ints, enters: NDArray[np.bool_]) -> Ints:
    """Positions of the payments from and to pots that money of the sinks can come from, ascending.

    Args:
        sinks: positions, ascending. enters: by channel's code, the last for none: payments before
            which nothing is followed.
    """
    p = payments
    leaves = np.array([c in EXITS for c in CHANNELS] + [False])
    near = np.full(len(p.accounts) * len(p.currencies), _FAR, np.uint8)
    many = len(p.currencies)
    _spread_back(p.sender, p.receiver, p.currency, p.channel, leaves, enters, sinks, many, near)
    return _touched(p, sinks, near)


@compiled
def _spread(
    sender: NDArray[np.int32],
    receiver: NDArray[np.int32],
    currency: NDArray[np.int16],
    channel: NDArray[np.int8],
    amount: Ints,
    leaves: NDArray[np.bool_],
    sources: Ints,
    many: int,
    hops: int,
    near: NDArray[np.uint8],
) -> None:
    """The fewest hops after which money of the sources can be in each pot."""
    limit, following = min(hops, _MOST), 0
    if not len(sources):
        return
    for k in range(sources[0], len(sender)):
        source = following < len(sources) and sources[following] == k
        if source:
            following += 1
        u = np.int64(sender[k]) * many + currency[k]
        hop = 0 if source else np.int64(near[u]) + 1
        if hop > _FAR or amount[k] == 0 or sender[k] == receiver[k]:
            continue
        if leaves[channel[k]] and not source:
            continue
        hop = min(hop, _MOST)
        v = np.int64(receiver[k]) * many + currency[k]
        if hop <= limit and hop < near[v]:
            near[v] = hop


@compiled
def _spread_back(
    sender: NDArray[np.int32],
    receiver: NDArray[np.int32],
    currency: NDArray[np.int16],
    channel: NDArray[np.int8],
    leaves: NDArray[np.bool_],
    enters: NDArray[np.bool_],
    sinks: Ints,
    many: int,
    near: NDArray[np.uint8],
) -> None:
    """Mark pots that held what the sinks paid, however many payments before."""
    following = len(sinks) - 1
    if following < 0:
        return
    for k in range(sinks[following], -1, -1):
        sink = following >= 0 and sinks[following] == k
        if sink:
            following -= 1
        elif (
            leaves[channel[k]]
            or enters[channel[k]]
            or near[np.int64(receiver[k]) * many + currency[k]] == _FAR
        ):
            continue
        if sender[k] != receiver[k]:
            near[np.int64(sender[k]) * many + currency[k]] = 0


def _touched(p: Payments, always: Ints, near: NDArray[np.uint8]) -> Ints:
    """Payments from and to pots that are reached, and those that are there always; on two threads.

    Args:
        near: of each pot. always: positions, ascending.
    """

    def found(begin: int, end: int) -> Ints:
        some = always[np.searchsorted(always, begin) : np.searchsorted(always, end)] - begin
        part = slice(begin, end)
        ends = p.sender[part], p.receiver[part], p.currency[part]
        return _touching(*ends, some, len(p.currencies), near) + begin

    half = len(p) // 2
    with ThreadPoolExecutor(2) as threads:
        return np.concatenate(list(threads.map(found, (0, half), (half, len(p)))))


@compiled
def _touching(
    sender: NDArray[np.int32],
    receiver: NDArray[np.int32],
    currency: NDArray[np.int16],
    always: Ints,
    many: int,
    near: NDArray[np.uint8],
) -> Ints:
    found, used, following = np.empty(1024, np.int64), 0, 0
    for k in range(len(sender)):
        kept = following < len(always) and always[following] == k
        if kept:
            following += 1
        elif sender[k] != receiver[k]:
            kept = (
                near[np.int64(sender[k]) * many + currency[k]] != _FAR
                or near[np.int64(receiver[k]) * many + currency[k]] != _FAR
            )
        if kept:
            if used == len(found):
                found = np.concatenate((found, np.empty_like(found)))
            found[used] = k
            used += 1
    return found[:used]
