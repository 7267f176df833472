"""Money that goes on: a payment out that follows one in of nearly its amount, compiled.

A link leads from a move to a later one by the account that it paid. Its nats say how seldom a
payment out would find one in that fits by chance: so many came in lately, and so common is the
amount among all payments. A standing order is no link: who pays the same to the same at other
times too would have paid it anyway.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cordon.kernel.compiled import compiled
from cordon.money.detectors.moves import Moves

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
BACK = 256
"""Of an account's payments in, so many before each payment out are compared, the last ones."""


@dataclass(frozen=True, slots=True)
class Links:
    """Links between moves, by the later one, in time.

    Attributes:
        first, then: moves. nats: of each.
    """

    first: Ints
    then: Ints
    nats: Floats


def links(m: Moves, within: int, fee: float) -> Links:
    """Links of all moves.

    Args:
        within: µs between the two, at most. fee: share that the later one may be less.
    """
    common = m.commonness(1.0, 1.0 / (1.0 - fee))
    order = np.lexsort((m.at, m.pair))
    habit = np.zeros(len(m), np.bool_)
    habit[order] = _habits(m.pair[order], m.at[order], m.units[order], within, fee)
    first, then, nats = _links(
        m.a, m.b, m.at, m.units, m.currency, common, habit, m.size, within, fee
    )
    return Links(first, then, nats)


@compiled
def _habits(pair: Ints, at: Ints, units: Ints, within: int, fee: float) -> Bools:
    """Payments that stand alike between the same two at other times, further off than `within`."""
    found = np.zeros(len(pair), np.bool_)
    for k in range(len(pair)):
        for way in (-1, 1):
            j, seen = k + way, 0
            while 0 <= j < len(pair) and pair[j] == pair[k] and seen < 256 and not found[k]:
                less, more = min(units[j], units[k]), max(units[j], units[k])
                found[k] = abs(at[j] - at[k]) > within and less >= more * (1.0 - fee)
                j += way
                seen += 1
    return found


@compiled
def _links(
    a: Ints,
    b: Ints,
    at: Ints,
    units: Ints,
    currency: Ints,
    common: Floats,
    habit: Bools,
    size: int,
    within: int,
    fee: float,
) -> tuple[Ints, Ints, Floats]:
    last, before = np.full(size, -1), np.full(len(a), -1)
    first, then = np.empty(1024, np.int64), np.empty(1024, np.int64)
    nats, used = np.empty(1024), 0
    for l in range(len(a)):  # noqa: E741 - the later one, as in the words above
        k, came, begin = last[a[l]], 0, used
        while k >= 0 and at[l] - at[k] <= within and came < 256 and not habit[l]:
            came += 1
            fits = units[l] <= units[k] and units[l] >= units[k] * (1.0 - fee)
            if fits and currency[k] == currency[l]:
                if used == len(first):
                    first = np.concatenate((first, np.empty_like(first)))
                    then = np.concatenate((then, np.empty_like(then)))
                    nats = np.concatenate((nats, np.empty_like(nats)))
                first[used], then[used] = k, l
                used += 1
            k = before[k]
        worth = -np.log(1.0 - np.exp(-max(came * common[l], 1e-4)))
        if worth < 0.5:  # so many come in that any amount finds one: it says nothing
            used = begin
        nats[begin:used] = worth
        before[l] = last[b[l]]
        last[b[l]] = l
    return first[:used], then[:used], nats[:used]


@compiled
def longest(first: Ints, then: Ints, nats: Floats, count: int) -> tuple[Floats, Ints, Ints]:
    """Of each move, the weightiest chain of links that ends in it.

    Returns:
        Its nats, how many moves it has, and the move before (-1 where it begins).
    """
    best, moves, back = np.zeros(count), np.ones(count, np.int64), np.full(count, -1)
    for i in range(len(first)):
        k, l = first[i], then[i]  # noqa: E741
        if best[k] + nats[i] > best[l]:
            best[l], moves[l], back[l] = best[k] + nats[i], moves[k] + 1, k
    return best, moves, back


@compiled
def rounds(
    a: Ints,
    b: Ints,
    at: Ints,
    first: Ints,
    then: Ints,
    nats: Floats,
    hops: int,
    within: int,
    most: int,
) -> tuple[Ints, Floats, int]:
    """Chains of links that come back to who began them, the weightiest of each beginning.

    Args:
        first, then, nats: links by their first move. hops: moves of a round, at most.
        within: µs from its first to its last. most: steps of the search from one beginning.

    Returns:
        Moves of each (rounds × hops, -1 past the end), the nats, and how many searches were cut.
    """
    count = len(a)
    begin = np.searchsorted(first, np.arange(count + 1))
    found, weight = np.full((64, hops), -1), np.zeros(64)
    used, cut = 0, 0
    path, edge, sums = np.empty(hops, np.int64), np.empty(hops, np.int64), np.zeros(hops)
    for start in range(count):
        depth, steps, best = 0, 0, 0.0
        path[0], edge[0], sums[0] = start, begin[start], 0.0
        while depth >= 0:
            move = path[depth]
            if edge[depth] >= begin[move + 1] or depth + 1 >= hops:
                depth -= 1
                continue
            i = edge[depth]
            edge[depth] += 1
            l = then[i]  # noqa: E741
            steps += 1
            if steps > most:
                cut += 1
                break
            if at[l] - at[start] > within:
                continue
            total = sums[depth] + nats[i]
            if b[l] == a[start]:
                if depth >= 1 and total > best:  # three moves at least
                    if used == len(found):
                        found = np.concatenate((found, np.full_like(found, -1)))
                        weight = np.concatenate((weight, np.zeros_like(weight)))
                    if best > 0:
                        used -= 1  # a weightier one from the same beginning
                    found[used, :] = -1
                    found[used, : depth + 1] = path[: depth + 1]
                    found[used, depth + 1] = l
                    weight[used], best = total, total
                    used += 1
                continue
            again = False
            for d in range(depth + 1):
                again = again or b[path[d]] == b[l]
            if not again:
                depth += 1
                path[depth], edge[depth], sums[depth] = l, begin[l], total
    return found[:used], weight[:used], cut


@compiled
def gathered(
    a: Ints,
    b: Ints,
    at: Ints,
    units: Ints,
    currency: Ints,
    strange: Bools,
    size: int,
    within: int,
    differ: float,
) -> tuple[Ints, Ints]:
    """The most payers of alike sums within a span, of each account.

    Args:
        a, b, …: moves by (b, time). strange: moves that count.

    Returns:
        Of each account, where the span begins (-1 for none) and how many payers it has. The next
        512 payments after each are compared.
    """
    begin, people = np.full(size, -1), np.zeros(size, np.int64)
    seen = np.full(size, -1)
    for i in range(len(a)):
        if not strange[i]:
            continue
        count, j = 0, i
        while j < len(a) and b[j] == b[i] and at[j] - at[i] <= within and j - i < 512:
            alike = units[j] >= units[i] * (1.0 - differ) and (
                units[j] * (1.0 - differ) <= units[i]
            )
            if alike and strange[j] and currency[j] == currency[i] and seen[a[j]] != i:
                seen[a[j]] = i
                count += 1
            j += 1
        if count > people[b[i]]:
            people[b[i]], begin[b[i]] = count, i
    return begin, people
