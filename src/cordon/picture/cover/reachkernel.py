"""The loop over bearings from a receiver, compiled by Numba; imported where it is needed."""

from __future__ import annotations

from typing import Any

import numpy as np

from cordon.kernel.compiled import compiled
from cordon.picture.trackkernel import between

Array = Any


@compiled
def by_bearing(
    away: Array, subject: Array, lost: Array, at: Array, least_fixes: int, least_subjects: int,
    least_lost: int, far_share: float,
) -> Array:  # fmt: skip
    """How far a receiver reached in each bearing, as `learned.reach_by_bearing` tells it.

    A bearing takes in what lies within its own width on either side, so that neighbours overlap.

    Args:
        away: m, subject: index, lost: whether it was heard no more; of each fix, by half bearings.
        at: where each half bearing begins, and where the last ends (2 n + 1, of n ≥ 2 bearings).
        far_share: who was lost nearer than that part of what is heard went into port.
    """
    halves = len(at) - 1
    reach = np.full(halves // 2, np.nan)
    met = np.full(subject.max() + 1, -1, np.int64)
    some, ends = np.empty(len(away)), np.empty(len(away))
    for b in range(halves // 2):
        n = subjects = 0
        for step in range(-1, 3):
            h = (2 * b + step) % halves
            for k in range(at[h], at[h + 1]):
                some[n] = away[k]
                n += 1
                if met[subject[k]] != 2 * b:
                    met[subject[k]] = 2 * b
                    subjects += 1
        if n < least_fixes or subjects < least_subjects:
            continue
        heard = between(np.sort(some[:n]), 0.95)
        n = subjects = 0
        for step in range(-1, 3):
            h = (2 * b + step) % halves
            for k in range(at[h], at[h + 1]):
                if lost[k] and away[k] >= far_share * heard:
                    ends[n] = away[k]
                    n += 1
                    if met[subject[k]] != 2 * b + 1:
                        met[subject[k]] = 2 * b + 1
                        subjects += 1
        reach[b] = between(np.sort(ends[:n]), 0.5) if subjects >= least_lost else -heard
    return reach
