"""Average linkage on a sparse graph: the two that are most alike become one, again and again.

Only things that stand beside one another in the graph can be alike, so that a town of thousands
costs what its neighbours cost and not their square. SciPy's takes a whole table of distances that
are known beforehand; here how far a group is one with another is asked anew once it has grown.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def average_linkage(
    beside: sparse.csr_matrix,
    values: Floats,
    alike: Callable[[int, Ints, Floats], Floats],
    merge: Callable[[int, int], None],
) -> Ints:
    """For each thing: the first of the group that it belongs to.

    Args:
        beside: symmetric; what has no entry there is never one. values: what each entry says
            (entries × any number). Of two groups it is the sum over all entries between them.
        alike: for a group, others beside it, and those sums with each: how far they are one, and
            above 0 where they are.
        merge: is told that the second group is now part of the first.
    """
    count = beside.shape[0]
    rows = [
        (beside.indices[start:stop].astype(np.int64), values[start:stop])
        for start, stop in zip(beside.indptr[:-1], beside.indptr[1:], strict=True)
    ]
    group = np.arange(count)
    version = np.zeros(count, np.int64)
    best: list[tuple[float, int, int, int, int, int, int]] = []

    def ask(a: int) -> None:
        """Who is most like this group now, on the heap where anybody is."""
        others, said = rows[a]
        # groups that have become one since stand there by the names of their parts
        others, place = np.unique(group[others], return_inverse=True)
        by_column = [np.bincount(place, v, minlength=len(others)) for v in said.T]
        sums: Floats = np.stack(by_column, axis=1).astype(np.float64)
        rows[a] = others, sums
        there = others != a
        others = others[there]
        if not len(others):
            return
        score = alike(a, others, sums[there])
        at = int(np.argmax(score))
        if score[at] > 0:
            b = int(others[at])
            low, high = min(a, b), max(a, b)
            mine, its = int(version[a]), int(version[b])
            heapq.heappush(best, (-float(score[at]), low, high, a, b, mine, its))

    for a in range(count):
        ask(a)
    while best:
        _, low, high, a, b, mine, its = heapq.heappop(best)
        if group[a] != a or version[a] != mine:
            continue  # asked anew since, or gone
        if group[b] != b or version[b] != its:
            ask(a)
            continue
        merge(low, high)
        (mine_of, mine_by), (its_of, its_by) = rows[low], rows[high]
        rows[low] = np.concatenate([mine_of, its_of]), np.concatenate([mine_by, its_by])
        rows[high] = its_of[:0], its_by[:0]
        group[group == high] = low
        version[low] += 1
        ask(low)
    return group
