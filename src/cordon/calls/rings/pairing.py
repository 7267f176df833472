"""Two sets of numbers beside each other: which pairs have something in common, and how much.

A table here is a sparse matrix in rows (`indptr`, `indices` ascending within a row, `data`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cordon.kernel.compiled import compiled

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@compiled
def in_common(
    row_starts: NDArray[np.int32],
    values: NDArray[np.int32],
    value_starts: NDArray[np.int32],
    holders: NDArray[np.int32],
    counted: NDArray[np.bool_],
    last: Ints,
    first: Ints,
    earliest: int,
    latest: int,
) -> tuple[Ints, Ints]:
    """Pairs (i, j) with a value in common, of which j begins in a window after i's end.

    Args:
        row_starts, values: what each i has. value_starts, holders: which j has each value.
        counted: the values that count. last: when each i ends. first: when each j begins.
        earliest, latest: bounds of `first[j] - last[i]`, both included.
    """
    size = len(row_starts) - 1
    mark = np.full(len(first), -1)
    one, two = np.empty(1024, np.int64), np.empty(1024, np.int64)
    found = 0
    for i in range(size):
        for p in range(row_starts[i], row_starts[i + 1]):
            v = values[p]
            if not counted[v]:
                continue
            for q in range(value_starts[v], value_starts[v + 1]):
                j = holders[q]
                if mark[j] == i:
                    continue
                gap = first[j] - last[i]
                if gap < earliest or gap > latest:
                    continue
                mark[j] = i
                if found == len(one):
                    one = np.concatenate((one, np.empty(found, np.int64)))
                    two = np.concatenate((two, np.empty(found, np.int64)))
                one[found], two[found] = i, j
                found += 1
    return one[:found], two[:found]


@compiled
def products(
    a_starts: NDArray[np.int32],
    a: NDArray[np.int32],
    a_data: Floats,
    b_starts: NDArray[np.int32],
    b: NDArray[np.int32],
    b_data: Floats,
    weight: Floats,
    i: Ints,
    j: Ints,
) -> Floats:
    """For each pair, the sum over what both have of weight × one × other."""
    out = np.zeros(len(i))
    for k in range(len(i)):
        p, p_end = a_starts[i[k]], a_starts[i[k] + 1]
        q, q_end = b_starts[j[k]], b_starts[j[k] + 1]
        total = 0.0
        while p < p_end and q < q_end:
            if a[p] < b[q]:
                p += 1
            elif a[p] > b[q]:
                q += 1
            else:
                total += weight[a[p]] * a_data[p] * b_data[q]
                p += 1
                q += 1
        out[k] = total
    return out


@compiled
def holds(
    starts: NDArray[np.int32], values: NDArray[np.int32], i: Ints, value: Ints
) -> NDArray[np.bool_]:
    """For each pair, whether row i has the value."""
    out = np.zeros(len(i), np.bool_)
    for k in range(len(i)):
        low, high = starts[i[k]], starts[i[k] + 1]
        at = low + np.searchsorted(values[low:high], value[k])
        out[k] = at < high and values[at] == value[k]
    return out


@compiled
def missed(
    a_starts: NDArray[np.int32],
    a: NDArray[np.int32],
    a_data: Floats,
    b_starts: NDArray[np.int32],
    b: NDArray[np.int32],
    calls: Floats,
    counted: NDArray[np.bool_],
    often: float,
    kept: float,
    least: float,
    i: Ints,
    j: Ints,
) -> Floats:
    """For each pair, nats against one person: contacts of every day never met again.

    Args:
        a_data: calls of each i with each contact. calls: calls of each j. counted: contacts that
            count. often: calls from which on a contact is one of every day. kept: share of
            contacts that one keeps. least: what one contact may say, at least.
    """
    out = np.zeros(len(i))
    for k in range(len(i)):
        low, high = a_starts[i[k]], a_starts[i[k] + 1]
        q, q_end = b_starts[j[k]], b_starts[j[k] + 1]
        spoken = a_data[low:high].sum()
        total = 0.0
        for p in range(low, high):
            if not counted[a[p]] or a_data[p] < often:
                continue
            while q < q_end and b[q] < a[p]:
                q += 1
            if q < q_end and b[q] == a[p]:
                continue
            each = np.log((1 - kept) + kept * np.exp(-a_data[p] / spoken * calls[j[k]]))
            total += max(each, least)
        out[k] = total
    return out
