"""Handsets of a group that several of its SIMs use: by shifts, in two slots, or used up."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
_DAY = 86_400_000_000
_SHIFTS = 3  # of a working day, at most
_DAYS = 3  # days that a handset was at work, from which on its shifts can be told
_PRESENT = 0.6  # of those days, on which each of its SIMs was at work
_ONCE_MORE = 0.5  # changes of SIM a day beyond one a shift: somebody stands in


def staying(of: Ints, imei: Ints, us: Ints, used: Ints, shared: Ints) -> tuple[int, int]:
    """How many of the shared handsets have SIMs that stay.

    Two shifts on one handset are two SIMs that are both at work day after day, and the handset
    changes hands once a day. A telephone with two slots under one identity has two SIMs that are
    at work day after day, to and fro, and go into no other. Where SIMs are used up each is there
    for some days only; where they go round to hide how much each calls, there are more of them.

    Args:
        of, imei, us: line, handset and local moment (µs) of each call.
        used: line * 2**32 + handset, of those lines that really use it. shared: the handsets.

    Returns:
        Handsets at which shifts take turns, and telephones with two slots.
    """
    if not len(shared):
        return 0, 0
    lines, often = np.unique(used >> 32, return_counts=True)
    wander = lines[often > 1]
    kept = np.flatnonzero(np.isin(imei, shared) & np.isin(of * (1 << 32) + imei, used))
    kept = kept[np.lexsort((of[kept], us[kept], imei[kept]))]
    each = np.split(kept, np.flatnonzero(np.diff(imei[kept])) + 1)
    turns = slots = 0
    for k in each:
        if _by_turns(of[k], us[k] // _DAY):
            turns += 1
        elif _in_slots(of[k], us[k] // _DAY) and not np.isin(of[k], wander).any():
            slots += 1
    return turns, slots


def _by_turns(of: Ints, day: Ints) -> bool:
    """Whether one handset's SIMs take turns, from its calls by time."""
    sims, at = np.unique(of, return_inverse=True)
    days = len(np.unique(day))
    if len(sims) > _SHIFTS or not _day_after_day(at, day):
        return False
    changes = np.count_nonzero((np.diff(at) != 0) & (np.diff(day) == 0))
    return bool(changes <= (len(sims) - 1 + _ONCE_MORE) * days)


def _in_slots(of: Ints, day: Ints) -> bool:
    """Whether one handset's SIMs are two that stay, from its calls."""
    sims, at = np.unique(of, return_inverse=True)
    return len(sims) == 2 and _day_after_day(at, day)


def _day_after_day(sim: Ints, day: Ints) -> bool:
    """Whether each SIM was at work on most days of the handset, numbered from 0."""
    days = len(np.unique(day))
    present = np.unique(sim * (1 << 32) + day) >> 32
    return bool(days >= _DAYS and np.bincount(present).min() >= _PRESENT * days)
