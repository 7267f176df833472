"""Different values of a large array, and its order."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

_BITS = 63  # of a whole number without its sign
Scalar = TypeVar("Scalar", bound=np.generic)


def distinct(values: NDArray[Scalar]) -> NDArray[Scalar]:
    """The different values, ascending, as `np.unique` gives them.

    `np.unique` without counts goes by a hash table since NumPy 2.3: 3.5 s for four million whole
    numbers that a sort does in 0.1 s.
    """
    by_size = np.sort(values, axis=None)
    if not len(by_size):
        return by_size
    first = np.concatenate([[True], by_size[1:] != by_size[:-1]])
    return np.asarray(by_size[first], by_size.dtype)


def ordered(values: NDArray[np.integer]) -> NDArray[np.int64]:
    """The stable order of whole numbers from 0: as `np.argsort(values, kind="stable")`.

    Value and position are sorted as one number, of 63 bits: the sort of NumPy that gives values is
    ten times as fast as the one that gives positions. Values too great for that are put in order by
    their last bits first, and then by those before.
    """
    bits = max(len(values) - 1, 0).bit_length()
    if int(values.max(initial=0)).bit_length() + bits > _BITS:
        last = _BITS - bits
        order = ordered(values.astype(np.int64) & ((1 << last) - 1))
        return order[ordered(values[order] >> last)]
    both = values.astype(np.int64) << bits
    both |= np.arange(len(values))
    both.sort()
    return both & ((1 << bits) - 1)
