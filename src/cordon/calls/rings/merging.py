"""Calls made and calls taken as one list a number, compiled."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cordon.kernel.compiled import compiled

Ints = NDArray[np.int64]
Codes = NDArray[np.int32]


@compiled
def both_ways(
    at: Ints, made: Ints, made_starts: Ints, taken: Ints, taken_starts: Ints
) -> tuple[Ints, Ints, NDArray[np.bool_]]:
    """Calls of some numbers, by number and time.

    Args:
        at: the numbers. made, taken: calls by caller and by callee, each by time; *_starts: where
            each number's begin, and one more.

    Returns:
        Of each entry its number's place in `at`, its call, and whether it was made: a call to
        oneself is made first.
    """
    count = 0
    for n in at:
        count += made_starts[n + 1] - made_starts[n] + taken_starts[n + 1] - taken_starts[n]
    of, call = np.empty(count, np.int64), np.empty(count, np.int64)
    is_made = np.empty(count, np.bool_)
    k = 0
    for place in range(len(at)):
        p, p_end = made_starts[at[place]], made_starts[at[place] + 1]
        q, q_end = taken_starts[at[place]], taken_starts[at[place] + 1]
        while p < p_end or q < q_end:
            first = q == q_end or (p < p_end and made[p] <= taken[q])
            of[k], is_made[k] = place, first
            if first:
                call[k] = made[p]
                p += 1
            else:
                call[k] = taken[q]
                q += 1
            k += 1
    return of, call, is_made


@compiled
def of_either(call: Ints, made: NDArray[np.bool_], one: Codes, two: Codes) -> Ints:
    """What calls say of one side: `one` where they were made by it, `two` where they were taken.

    Args:
        call: positions in both. made: for each of `call`.
    """
    told = np.empty(len(call), np.int64)
    for k in range(len(call)):
        told[k] = one[call[k]] if made[k] else two[call[k]]
    return told
