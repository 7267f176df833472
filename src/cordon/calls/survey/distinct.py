"""Different values of a large array."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Scalar = TypeVar("Scalar", bound=np.generic)


def distinct(values: NDArray[Scalar]) -> NDArray[Scalar]:
    """The different values, ascending, as `np.unique` gives them.

    `np.unique` without counts goes by a hash table since NumPy 2.3: 3.5 s for four million whole
    numbers that a sort does in 0.1 s.
    """
    ordered = np.sort(values, axis=None)
    if not len(ordered):
        return ordered
    first = np.concatenate([[True], ordered[1:] != ordered[:-1]])
    return np.asarray(ordered[first], ordered.dtype)
