"""Handsets of a group that several of its SIMs use: by turns, as shifts do, or used up."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
_DAY = 86_400_000_000
_SHIFTS = 3  # of a working day, at most
_DAYS = 3  # days that a handset was at work, from which on its shifts can be told
_PRESENT = 0.6  # of those days, on which each of its SIMs was at work
_ONCE_MORE = 0.5  # changes of SIM a day beyond one a shift: somebody stands in


def taking_turns(of: Ints, imei: Ints, us: Ints, used: Ints, shared: Ints) -> int:
    """How many of the shared handsets have SIMs that stay and take turns within the day.

    Two shifts on one handset are two SIMs that are both at work day after day, and the handset
    changes hands once a day. Where SIMs are used up each is there for some days only; where they
    go round to hide how much each calls, they change all day long.

    Args:
        of, imei, us: line, handset and local moment (µs) of each call.
        used: line * 2**32 + handset, of those lines that really use it. shared: the handsets.
    """
    if not len(shared):
        return 0
    kept = np.flatnonzero(np.isin(imei, shared) & np.isin(of * (1 << 32) + imei, used))
    kept = kept[np.lexsort((of[kept], us[kept], imei[kept]))]
    each = np.split(kept, np.flatnonzero(np.diff(imei[kept])) + 1)
    return sum(_by_turns(of[k], us[k] // _DAY) for k in each)


def _by_turns(of: Ints, day: Ints) -> bool:
    """Whether one handset's SIMs take turns, from its calls by time."""
    sims, at = np.unique(of, return_inverse=True)
    days = len(np.unique(day))
    if len(sims) > _SHIFTS or days < _DAYS:
        return False
    present = np.unique(at * (1 << 32) + day) >> 32
    if np.bincount(present).min() < _PRESENT * days:
        return False
    changes = np.count_nonzero((np.diff(at) != 0) & (np.diff(day) == 0))
    return bool(changes <= (len(sims) - 1 + _ONCE_MORE) * days)
