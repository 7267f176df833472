"""The loops over payments, compiled. Amounts are whole units, and none is lost on the way.

A pot is an account in one currency. Its balance is what was seen to come in less what was seen
to go out; a payment beyond it was made from funds that nobody told of, which count as clean.
Payments are in the order of time. `source[k]` is 0 for a payment like others, or the number (from
1) of a source: money that is traced from there on, whatever the pot that paid it held.

A part is so much of a payment that is traced: its payment, source, units and hop. The hop counts
payments after the source; a part beyond the last hop is told and not followed. AGAIN is the hop
of traced money that went into a source, where it begins anew.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cordon.kernel.compiled import compiled

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
AGAIN = -1
OF, SOURCE, UNITS, HOP = range(4)
_NEXT = 0  # a lot's columns: next lot of its pot, then SOURCE, UNITS, HOP


@compiled
def _room(table: Ints, used: int) -> Ints:
    """The table with room for one more row."""
    if used < len(table):
        return table
    return np.concatenate((table, np.empty_like(table)))


@compiled
def fifo(  # noqa: PLR0912, PLR0915 - one loop over arrays that grow: compiled, not parted
    sender: Ints,
    receiver: Ints,
    amount: Ints,
    leaves: Bools,
    source: Ints,
    opening: Ints,
    hops: int,
) -> tuple[Ints, Ints]:
    """What comes in first goes out first.

    Args:
        sender, receiver: pots. leaves: payments by which money leaves what is followed.
        opening: clean units in each pot before the first payment. hops: followed, at most.

    Returns:
        Parts (payment, source, units, hop), in the order of payments; and what stays
        (pot, source, units, hop).
    """
    pots = len(opening)
    balance = opening.copy()
    head, tail = np.full(pots, -1), np.full(pots, -1)
    queued = np.zeros(pots, np.bool_)  # from its first traced money on a pot is kept as lots
    lots, used_lots = np.empty((1024, 4), np.int64), 0
    parts, used = np.empty((1024, 4), np.int64), 0
    for k in range(len(amount)):
        u, v, left = sender[k], receiver[k], amount[k]
        if u == v:
            continue
        first, clean = used, left
        if source[k] > 0:
            parts = _room(parts, used)
            parts[used, OF], parts[used, SOURCE] = k, source[k]
            parts[used, UNITS], parts[used, HOP] = left, 0
            used += 1
            clean = 0
        balance[u] = max(balance[u] - left, 0)
        take = left if queued[u] else 0
        while take > 0 and head[u] >= 0:
            h = head[u]
            part = min(take, lots[h, UNITS])
            if lots[h, SOURCE] > 0:
                hop = AGAIN if source[k] > 0 else lots[h, HOP] + 1
                last = used - 1
                if (
                    used > first
                    and parts[last, SOURCE] == lots[h, SOURCE]
                    and (parts[last, HOP] == hop)
                ):
                    parts[last, UNITS] += part
                else:
                    parts = _room(parts, used)
                    parts[used, OF], parts[used, SOURCE] = k, lots[h, SOURCE]
                    parts[used, UNITS], parts[used, HOP] = part, hop
                    used += 1
                if source[k] == 0:
                    clean -= part
            lots[h, UNITS] -= part
            take -= part
            if lots[h, UNITS] == 0:
                head[u] = lots[h, _NEXT]
        if leaves[k]:
            continue
        followed = False
        for p in range(first, used):
            followed = followed or 0 <= parts[p, HOP] <= hops
        if followed and not queued[v]:
            queued[v] = True
            if balance[v] > 0:  # all that it held before is older than what now comes
                lots = _room(lots, used_lots)
                lots[used_lots] = -1, 0, balance[v], 0
                head[v] = tail[v] = used_lots
                used_lots += 1
        balance[v] += left
        if not queued[v]:
            continue
        # what the payment is made of, in the order in which it left; the clean rest is last
        for p in range(first, used + 1):
            of, units, hop = 0, clean, 0
            if p < used:
                if parts[p, HOP] == AGAIN:
                    continue
                units = parts[p, UNITS]
                if parts[p, HOP] <= hops:
                    of, hop = parts[p, SOURCE], parts[p, HOP]
            if units == 0:
                continue
            lots = _room(lots, used_lots)
            lots[used_lots] = -1, of, units, hop
            if head[v] < 0:
                head[v] = used_lots
            else:
                lots[tail[v], _NEXT] = used_lots
            tail[v] = used_lots
            used_lots += 1
    stays, kept = np.empty((1024, 4), np.int64), 0
    for pot in range(pots):
        h = head[pot]
        while h >= 0:
            if lots[h, SOURCE] > 0:
                stays = _room(stays, kept)
                stays[kept] = pot, lots[h, SOURCE], lots[h, UNITS], lots[h, HOP]
                kept += 1
            h = lots[h, _NEXT]
    return parts[:used], stays[:kept]


@compiled
def mixed(
    sender: Ints,
    receiver: Ints,
    amount: Ints,
    leaves: Bools,
    source: Ints,
    opening: Ints,
    hops: int,
    poison: bool,
) -> tuple[Ints, Ints, Ints, Ints]:
    """Haircut, where a payment takes its share of what is traced; or poison, where it takes all.

    Args: as of `fifo`. poison: whatever touches traced money is traced.

    Returns:
        Parts (payment, 0, units, hop), in the order of payments: the source is not told apart;
        traced units that stay in each pot; the hop of each pot; and clean units that poison
        made traced in each pot.
    """
    pots = len(opening)
    balance, traced = opening.copy(), np.zeros(pots, np.int64)
    hop_of, tainted = np.full(pots, 1 << 30), np.zeros(pots, np.int64)
    parts, used = np.empty((1024, 4), np.int64), 0
    for k in range(len(amount)):
        u, v, all_of_it = sender[k], receiver[k], amount[k]
        if u == v:
            continue
        share = min(all_of_it, traced[u])
        if not poison and all_of_it < balance[u]:
            # to the nearest unit; what is rounded here stays in the pot and is not lost
            share = min(share, np.int64(round(traced[u] * (all_of_it / balance[u]))))
        traced[u] -= share
        balance[u] = max(balance[u] - all_of_it, 0)
        moved, hop = share, hop_of[u] + 1
        if source[k] > 0:
            if share > 0:
                parts = _room(parts, used)
                parts[used] = k, 0, share, AGAIN
                used += 1
            moved, hop = all_of_it, 0
        if moved > 0:
            parts = _room(parts, used)
            parts[used] = k, 0, moved, hop
            used += 1
        if leaves[k]:
            continue
        balance[v] += all_of_it
        if moved > 0 and hop <= hops:
            traced[v] += moved
            hop_of[v] = min(hop_of[v], hop)
        if poison and traced[v] > 0:
            tainted[v] += balance[v] - traced[v]
            traced[v] = balance[v]
    return parts[:used], traced, hop_of, tainted


@compiled
def by_source(
    parts: Ints,
    sender: Ints,
    receiver: Ints,
    leaves: Bools,
    source: Ints,
    place: Ints,
    pots: int,
    sources: int,
    hops: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of haircut's parts, whose money each is: a source keeps its share of every pot.

    Args:
        parts: of `mixed`, in its order. place: of each pot among those reached, -1 elsewhere.
        pots: how many were reached. sources: how many there are.

    Returns:
        Units of each part by source (parts × sources), and of each pot that stay.
    """
    held = np.zeros((pots, sources))
    out = np.zeros((len(parts), sources))
    for p in range(len(parts)):
        k, units, hop = parts[p, OF], parts[p, UNITS], parts[p, HOP]
        if hop == 0:
            out[p, source[k] - 1] = units
        else:
            row = held[place[sender[k]]]
            total = row.sum()
            if total > 0:
                out[p] = row * min(units / total, 1.0)
                held[place[sender[k]]] = row - out[p]
        if not leaves[k] and 0 <= hop <= hops:
            held[place[receiver[k]]] += out[p]
    return out, held


@compiled
def balances(
    sender: Ints, receiver: Ints, amount: Ints, leaves: Bools, pots: int
) -> tuple[Ints, Ints, Ints]:
    """What each payer held before each payment, what it lacked for it, and what stays in the end.

    What is lacking was there and nobody told of it: it is counted as held.
    """
    balance = np.zeros(pots, np.int64)
    before, lacking = np.zeros(len(amount), np.int64), np.zeros(len(amount), np.int64)
    for k in range(len(amount)):
        u, v = sender[k], receiver[k]
        if u == v:
            continue
        lacking[k] = max(amount[k] - balance[u], 0)
        before[k] = balance[u] + lacking[k]
        balance[u] = before[k] - amount[k]
        if not leaves[k]:
            balance[v] += amount[k]
    return before, lacking, balance


@compiled
def weighed(
    sender: Ints,
    receiver: Ints,
    amount: Ints,
    leaves: Bools,
    asked: Bools,
    enters: Bools,
    before: Ints,
    lacking: Ints,
    pots: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Haircut, back: how much of each payment is in the asked ones in the end.

    Args:
        asked: payments asked of. enters: payments before which nothing is followed.
        before, lacking: of `balances`.

    Returns:
        Units of each payment, and of each pot's money that nobody told of.
    """
    weight = np.zeros(pots)  # of a unit in the pot, the share that the asked payments hold
    units, unknown = np.zeros(len(amount)), np.zeros(pots)
    for k in range(len(amount) - 1, -1, -1):
        u, v = sender[k], receiver[k]
        if u == v or amount[k] == 0:
            continue
        goes = 1.0 if asked[k] else (0.0 if leaves[k] else weight[v])
        units[k] = goes * amount[k]
        if enters[k] and not asked[k]:
            continue  # before it there was none: what its payer held says nothing of this money
        share = amount[k] / before[k]
        weight[u] = (1.0 - share) * weight[u] + share * goes
        unknown[u] += weight[u] * lacking[k]
    return units, unknown
