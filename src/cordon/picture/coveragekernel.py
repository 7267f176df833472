"""Loops over who was heard during a silence, compiled by Numba; imported where they are needed.

A silence is cut into slices of one length, and `met` says of each whether others were heard.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from cordon.kernel.compiled import compiled
from cordon.picture.trackkernel import metres

Array = Any


@compiled
def heard_by(t: Array, subject: Array, own: int, t0: float, t1: float, met: Array) -> None:
    """Mark the slices from t0 to t1 in which a receiver heard anybody but `own`.

    Args:
        t: s, subject: index; of what it heard from t0 to t1.
    """
    slices, left = len(met), len(met) - met.sum()
    for n in range(len(t)):
        if left == 0:
            return
        part = min(max(int((t[n] - t0) / (t1 - t0) * slices), 0), slices - 1)
        if not met[part] and subject[n] != own:
            met[part] = True
            left -= 1


@compiled
def heard_near(
    t: Array, lat: Array, lon: Array, starts: Array, some: Array, places: Array, reach_m: float,
    t0: float, t1: float, met: Array,
) -> None:  # fmt: skip
    """Mark the slices after t0 up to t1 in which any of some subjects was within reach of a place.

    Args:
        t, lat, lon: of the tracks' fixes (s, degrees); starts: where each subject's begin.
        places: latitude and longitude (k, 2); without any, everywhere.
    """
    slices, left = len(met), len(met) - met.sum()
    for i in some:
        low, high = starts[i], starts[i + 1]
        k = low + np.searchsorted(t[low:high], t0, side="right")
        while k < high and t[k] <= t1 and left > 0:
            part = min(max(int((t[k] - t0) / (t1 - t0) * slices), 0), slices - 1)
            if not met[part]:
                near = len(places) == 0
                for place in places:
                    near |= metres(place[0], place[1], lat[k], lon[k]) <= reach_m
                if near:
                    met[part] = True
                    left -= 1
            k += 1
