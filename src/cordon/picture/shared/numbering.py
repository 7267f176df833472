"""Values numbered by rank, as `numpy.unique` does, without a sort where they lie close."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from cordon.picture.tracks import Ints

Number = TypeVar("Number", bound=np.generic)

_MOST_TIMES = 8  # a table of so many entries a value is still cheaper than sorting them


def numbered(values: Ints) -> tuple[Ints, Ints]:
    """The different values, ascending, and for each value which of them it is.

    The same as `numpy.unique(values, return_inverse=True)` on whole numbers of one dimension.
    Cells of a grid and moments of a day lie close, so that a table takes the place of the sort.
    """
    if not len(values):
        return values.astype(np.int64), np.empty(0, np.int64)
    low = int(values.min())
    wide = int(values.max()) - low + 1
    if wide > _MOST_TIMES * len(values) + 4096:
        kept, where = np.unique(values, return_inverse=True)
        return kept, np.asarray(where.reshape(-1))
    met = np.zeros(wide, dtype=np.bool_)
    met[values - low] = True
    rank = np.cumsum(met) - 1
    return np.flatnonzero(met) + low, rank[values - low]


def different(values: NDArray[Number]) -> NDArray[Number]:
    """The different values, ascending: as `numpy.unique`, which hashes many at thrice the cost of
    a sort, and takes five times as long for few."""
    if not len(values):
        return values
    ordered = np.sort(values)
    new = np.ones(len(ordered), dtype=np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=new[1:])
    kept: NDArray[Number] = ordered[new]
    return kept


def different_pairs(one: Ints, two: Ints) -> Ints:
    """The different pairs of whole numbers, (n, 2), by the first, then the second.

    The same as `numpy.unique` of the rows, which compares them byte by byte.

    Args:
        one, two: of which the span of one times that of the other is less than 2 to the 63rd.
    """
    if not len(one):
        return np.empty((0, 2), np.int64)
    low = int(two.min())
    wide = int(two.max()) - low + 1
    key = np.sort(one.astype(np.int64) * wide + (two - low))
    key = key[np.append(True, np.diff(key) != 0)]
    first = key // wide
    return np.column_stack((first, key - first * wide + low))
