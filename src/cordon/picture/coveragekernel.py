"""Loops over who was heard during a silence, compiled by Numba; imported where they are needed.

A silence is cut into slices of one length, and `met` says of each whether others were heard.
"""

# ruff: noqa: RUF046
# The floor of Numba is no whole number.
from __future__ import annotations

import math
from typing import Any

import numpy as np

from cordon.kernel.compiled import compiled
from cordon.picture.trackkernel import metres

Array = Any


@compiled
def heard_by(
    t: Array, subject: Array, own: int, t0: float, t1: float, leeway: float, met: Array
) -> None:
    """Mark the slices from t0 to t1 in which a receiver heard anybody but `own`.

    Args:
        t: s, subject: index; of what it heard, by time but for `leeway` (s).
    """
    slices, left = len(met), len(met) - met.sum()
    low, high = 0, len(t)
    while low < high:
        middle = (low + high) // 2
        if t[middle] < t0 - leeway:
            low = middle + 1
        else:
            high = middle
    for n in range(low, len(t)):
        if left == 0 or t[n] >= t1 + leeway:
            return
        if t0 <= t[n] < t1:
            part = min(max(int((t[n] - t0) / (t1 - t0) * slices), 0), slices - 1)
            if not met[part] and subject[n] != own:
                met[part] = True
                left -= 1


@compiled
def by_source(source: Array, rank: Array, sources: int, ranks: int) -> tuple[Array, Array]:
    """The order by source, then rank; and where each source's begin, and the end.

    Args:
        source, rank: of each, less than `sources` and `ranks`.
    """
    first = _counted(rank, ranks)
    by_rank = np.empty(len(rank), np.int64)
    for n in range(len(rank)):
        by_rank[first[rank[n]]] = n
        first[rank[n]] += 1
    starts = _counted(source, sources)
    free, order = starts.copy(), np.empty(len(rank), np.int64)
    for n in range(len(by_rank)):
        k = by_rank[n]
        order[free[source[k]]] = k
        free[source[k]] += 1
    return order, starts


@compiled
def _counted(code: Array, codes: int) -> Array:
    """Where each code's would begin in order, and the end."""
    out = np.zeros(codes + 1, np.int64)
    for k in range(len(code)):
        out[code[k] + 1] += 1
    for c in range(codes):
        out[c + 1] += out[c]
    return out


@compiled
def ends(t: Array, starts: Array) -> tuple[Array, Array]:
    """The least and the greatest time (s) of each group starts[i] ≤ k < starts[i + 1]."""
    first, last = np.full(len(starts) - 1, np.inf), np.full(len(starts) - 1, -np.inf)
    for i in range(len(starts) - 1):
        for k in range(starts[i], starts[i + 1]):
            first[i], last[i] = min(first[i], t[k]), max(last[i], t[k])
    return first, last


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


@compiled
def keys(lat: Array, lon: Array, subject: Array, rank: Array, cell_deg: float) -> Array:
    """Cell, rank of time and subject of fixes, as one number each, in bits of their own.

    A cell is y * 1440 + x. Repeats of one on end are left out.
    """
    out = np.empty(len(lat), np.int64)
    inv = 1.0 / cell_deg
    n = 0
    for k in range(len(lat)):
        y, x = int((lat[k] + 90.0) * inv), int((lon[k] + 180.0) * inv)
        if x == 1440:  # 180° is -180°
            x = 0
        late = min(rank[k], (1 << 20) - 1)
        key = (y * 1440 + x) << 42 | late << 22 | min(subject[k], (1 << 22) - 1)
        if n == 0 or out[n - 1] != key:
            out[n] = key
            n += 1
    return out[:n].copy()


@compiled
def _cell(lat: float, lon: float, deg: float, row: int) -> int:
    return int(math.floor((lat + 90.0) / deg)) * row + int(math.floor((lon + 180.0) / deg))


@compiled
def pairs(lat: Array, lon: Array, subject: Array, deg: float, row: int) -> Array:
    """Cell and subject of fixes, as one number each: the subject in the last 22 bits.

    Repeats of one on end are left out.
    """
    out = np.empty(len(lat), np.int64)
    n = 0
    for k in range(len(lat)):
        key = _cell(lat[k], lon[k], deg, row) << 22 | min(subject[k], (1 << 22) - 1)
        if n == 0 or out[n - 1] != key:
            out[n] = key
            n += 1
    return out[:n].copy()


@compiled
def reaches(lat: Array, lon: Array, deg: float, row: int, cells: Array) -> Array:
    """The westernmost, southernmost, easternmost and northernmost place in each cell, (4, cells).

    Args:
        cells: those of all the fixes, ascending.
    """
    out = np.empty((4, len(cells)))
    out[:2], out[2:] = np.inf, -np.inf
    before, at = -1, 0
    for k in range(len(lat)):
        cell = _cell(lat[k], lon[k], deg, row)
        if cell != before:
            before, at = cell, int(np.searchsorted(cells, cell))
        out[0, at] = min(out[0, at], lon[k])
        out[1, at] = min(out[1, at], lat[k])
        out[2, at] = max(out[2, at], lon[k])
        out[3, at] = max(out[3, at], lat[k])
    return out
