"""The loop over what was heard in which minute, compiled by Numba; imported where it is needed."""

from __future__ import annotations

from typing import Any

import numpy as np

from cordon.kernel.compiled import compiled

Array = Any


@compiled
def by_slot(slot: Array, first: Array, last: Array, size: int) -> Any:
    """For each of `size` slots the latest row that fell into it (-1 for none), and its ends.

    Args:
        slot: of each row. first, last: s; the least and the greatest of each slot are told.
    """
    row = np.full(size, -1, np.int64)
    begin, end = np.empty(size), np.empty(size)
    for n in range(len(slot)):
        s = slot[n]
        if row[s] < 0 or first[n] < begin[s]:
            begin[s] = first[n]
        if row[s] < 0 or last[n] > end[s]:
            end[s] = last[n]
        row[s] = n
    return row, begin, end
