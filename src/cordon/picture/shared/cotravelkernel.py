"""Loops that find who goes the same way as who, compiled by Numba; see `cotravel.py`."""

# ruff: noqa: RUF046
# The ceiling of Numba is no whole number.
from __future__ import annotations

import math
from typing import Any

import numpy as np

from cordon.kernel.compiled import compiled
from cordon.picture.trackkernel import between, longer

Array = Any
_RADIAN = math.pi / 180.0
_METRES = 111_195.0  # a degree of latitude


@compiled
def under_way(
    t: Array, lat: Array, lon: Array, starts: Array, subject: Array, counted: Array,
    step_s: float, silence_s: float, slowest_ms: float,
) -> tuple[Array, Array, Array, Array, Array, Array]:  # fmt: skip
    """Where movers are at common moments, straight between two fixes of one hull.

    Args:
        t, lat, lon, subject: of fixes; hull i has those starts[i] ≤ k < starts[i + 1].
        counted: of each subject, whether it is looked at. silence_s: over a longer way nobody
            knows where it was. slowest_ms: who is slower lies still.

    Returns:
        subject, moment (in steps since the epoch), lat, lon, speed to the north and to the east
        (m/s), by hull, then time. A speed is from the moment before to the moment after, so that
        its way is longer than a radar's error; where one of the two is unknown, from or to this
        one.
    """
    room = 1024
    slot, who = np.empty(room, np.int64), np.empty(room, np.int64)
    y, x = np.empty(room), np.empty(room)
    north, east = np.empty(room), np.empty(room)
    n = 0
    for h in range(len(starts) - 1):
        if starts[h] == starts[h + 1] or not counted[subject[starts[h]]]:
            continue
        first = n
        for k in range(starts[h], starts[h + 1] - 1):
            dt = t[k + 1] - t[k]
            if dt > silence_s or dt <= 0.0:
                continue
            s = int(math.ceil(t[k] / step_s))
            wide = _turned(lon[k + 1] - lon[k])
            while s * step_s < t[k + 1]:
                if n == room:
                    slot, who, y, x = longer(slot), longer(who), longer(y), longer(x)
                    north, east = longer(north), longer(east)
                    room *= 2
                mix = (s * step_s - t[k]) / dt
                slot[n], who[n] = s, subject[k]
                y[n] = lat[k] + mix * (lat[k + 1] - lat[k])
                x[n] = _turned(lon[k] + mix * wide)
                n += 1
                s += 1
        _speeds(slot[first:n], y[first:n], x[first:n], step_s, north[first:n], east[first:n])
        # who lies still is left out again
        kept = first
        for i in range(first, n):
            if north[i] * north[i] + east[i] * east[i] >= slowest_ms * slowest_ms:
                slot[kept], who[kept], y[kept], x[kept] = slot[i], who[i], y[i], x[i]
                north[kept], east[kept] = north[i], east[i]
                kept += 1
        n = kept
    return who[:n], slot[:n], y[:n], x[:n], north[:n], east[:n]


@compiled
def _turned(lon: float) -> float:
    if lon > 180.0:
        return lon - 360.0
    return lon + 360.0 if lon < -180.0 else lon


@compiled
def _speeds(slot: Array, lat: Array, lon: Array, step_s: float, north: Array, east: Array) -> None:
    """Speeds (m/s) of one hull's samples; NaN where neither moment beside is known."""
    for i in range(len(slot)):
        low = i - 1 if i > 0 and slot[i - 1] + 1 == slot[i] else i
        high = i + 1 if i + 1 < len(slot) and slot[i] + 1 == slot[i + 1] else i
        north[i], east[i] = np.nan, np.nan
        if high > low:
            dt = (high - low) * step_s
            way = (lon[high] - lon[low] + 540.0) % 360.0 - 180.0
            north[i] = (lat[high] - lat[low]) * _METRES / dt
            east[i] = way * _METRES / dt * math.cos(lat[i] * _RADIAN)


@compiled
def by_slot(slot: Array, lat: Array) -> Array:
    """The order of samples by moment, then latitude; none where moments lie too far apart."""
    n = len(slot)
    out = np.empty(n, np.int64)
    if n == 0:
        return out
    low, high = slot[0], slot[0]
    for i in range(n):
        low, high = min(low, slot[i]), max(high, slot[i])
    if high - low > 64 * n + 1_000_000:  # a wrong clock years away: no room for a table
        return out[:0]
    at = np.zeros(high - low + 2, np.int64)
    for i in range(n):
        at[slot[i] - low + 1] += 1
    for i in range(len(at) - 1):
        at[i + 1] += at[i]
    free = at.copy()
    for i in range(n):
        out[free[slot[i] - low]] = i
        free[slot[i] - low] += 1
    for i in range(len(at) - 1):
        if at[i + 1] - at[i] > 1:
            some = out[at[i] : at[i + 1]].copy()
            out[at[i] : at[i + 1]] = some[np.argsort(lat[some])]
    return out


@compiled
def company(
    slot: Array, subject: Array, lat: Array, lon: Array, north: Array, east: Array,
    base_m: float, lag_s: float, most_m: float,
) -> tuple[Array, Array, Array, Array, Array, Array]:  # fmt: skip
    """Pairs of movers at the same moments that go the same way near one another.

    Near is `base_m`, and so far as they go in `lag_s`, and at most `most_m`; the same way is
    within 45° and with speeds that differ by half at most.

    Args:
        slot: the moment of each sample, ascending, and lat ascending within it. north, east: m/s.

    Returns:
        the lesser subject, the greater, the slot, how far (m) the second is ahead of the first
        along their way, how far (m) they are from one another, and their mean speed (m/s).
    """
    room = 1024
    one = np.empty(room, np.int32)
    two = np.empty(room, np.int32)
    when = np.empty(room, np.int64)
    ahead = np.empty(room)
    apart = np.empty(room)
    pace = np.empty(room)
    n = 0
    for i in range(len(slot)):
        vi = math.sqrt(north[i] * north[i] + east[i] * east[i])
        wide = 111_195.0 * math.cos(lat[i] * _RADIAN)
        j = i + 1
        while j < len(slot) and slot[j] == slot[i] and (lat[j] - lat[i]) * 111_195.0 <= most_m:
            k = j
            j += 1
            x = lon[k] - lon[i]
            if x > 180.0:
                x -= 360.0
            elif x < -180.0:
                x += 360.0
            x *= wide
            if x > most_m or x < -most_m or subject[k] == subject[i]:
                continue
            y = (lat[k] - lat[i]) * 111_195.0
            vk = math.sqrt(north[k] * north[k] + east[k] * east[k])
            reach = min(most_m, base_m + lag_s * 0.5 * (vi + vk))
            if x * x + y * y > reach * reach or vi > 1.5 * vk or vk > 1.5 * vi:
                continue
            if north[i] * north[k] + east[i] * east[k] < 0.7071 * vi * vk:
                continue
            vn, ve = north[i] + north[k], east[i] + east[k]
            length = math.sqrt(vn * vn + ve * ve)
            along = (y * vn + x * ve) / length
            if n == room:
                one, two, when = longer(one), longer(two), longer(when)
                ahead, apart, pace = longer(ahead), longer(apart), longer(pace)
                room *= 2
            if subject[i] < subject[k]:
                one[n], two[n], ahead[n] = subject[i], subject[k], along
            else:
                one[n], two[n], ahead[n] = subject[k], subject[i], -along
            when[n] = slot[i]
            apart[n] = math.sqrt(x * x + y * y)
            pace[n] = 0.5 * (vi + vk)
            n += 1
    return one[:n], two[:n], when[:n], ahead[:n], apart[:n], pace[:n]


@compiled
def told_of_runs(
    ahead: Array, off: Array, pace: Array, begin: Array, end: Array, tail: float
) -> tuple[Array, Array, Array]:
    """Of each run of rows: by how much `ahead` varies, the median of `off`, the mean of `pace`.

    Args:
        tail: the part of the values that is left out on either side of what varies.
    """
    n = len(begin)
    spread, apart, mean = np.empty(n), np.empty(n), np.empty(n)
    for i in range(n):
        ordered = np.sort(ahead[begin[i] : end[i]])
        spread[i] = between(ordered, 1.0 - tail) - between(ordered, tail)
        apart[i] = between(np.sort(off[begin[i] : end[i]]), 0.5)
        mean[i] = pace[begin[i] : end[i]].mean()
    return spread, apart, mean


@compiled
def directed_cells(lat: Array, lon: Array, north: Array, east: Array, cell_deg: float) -> Array:
    """The cell of each sample, with which eighth of the compass it goes to: (y * 3600 + x) * 8."""
    out = np.empty(len(lat), np.int64)
    for k in range(len(lat)):
        y = int(math.floor((lat[k] + 90.0) / cell_deg))
        x = int(math.floor((lon[k] + 180.0) / cell_deg))
        out[k] = (y * 3600 + x) * 8 + _eighth(north[k], east[k])
    return out


@compiled
def _eighth(north: float, east: float) -> int:
    """Which eighth of the compass, clockwise from the north."""
    if north > 0.0 and east >= 0.0:
        quarter, a, b = 0, east, north
    elif east > 0.0:
        quarter, a, b = 1, -north, east
    elif north < 0.0:
        quarter, a, b = 2, -east, -north
    else:
        quarter, a, b = 3, north, -east
    return 2 * quarter + (1 if a >= b else 0)


@compiled
def by_subject(subject: Array, subjects: int) -> tuple[Array, Array]:
    """The order of samples by subject, else as they lie; where each one's begin, and the end."""
    starts = np.zeros(subjects + 1, np.int64)
    for k in range(len(subject)):
        starts[subject[k] + 1] += 1
    for i in range(subjects):
        starts[i + 1] += starts[i]
    free, order = starts.copy(), np.empty(len(subject), np.int64)
    for k in range(len(subject)):
        order[free[subject[k]]] = k
        free[subject[k]] += 1
    return order, starts


@compiled
def mean_speeds(
    order: Array, starts: Array, cell: Array, cells: int, north: Array, east: Array
) -> tuple[Array, Array, Array]:
    """Of each cell how many subjects passed, the sum of their mean speeds (m/s), and of squares.

    Args:
        order, starts: as of `by_subject`. cell: of each sample, less than `cells`.
    """
    count, total, square = np.zeros(cells), np.zeros(cells), np.zeros(cells)
    speed, many = np.zeros(cells), np.zeros(cells, np.int64)
    for i in range(len(starts) - 1):
        for k in order[starts[i] : starts[i + 1]]:
            speed[cell[k]] += math.sqrt(north[k] * north[k] + east[k] * east[k])
            many[cell[k]] += 1
        for k in order[starts[i] : starts[i + 1]]:
            c = cell[k]
            if many[c]:
                mean = speed[c] / many[c]
                count[c] += 1.0
                total[c] += mean
                square[c] += mean * mean
                speed[c], many[c] = 0.0, 0
    return count, total, square


@compiled
def middle_share(share: Array, cell: Array, low: Array, high: Array, usual: float) -> Array:
    """The median of what is known of the different cells that each run passes.

    Args:
        share: of each cell, NaN where it is not known. cell: of each sample. low, high: the samples
            low[n] ≤ k < high[n] of each run. usual: what is told where nothing is known.
    """
    found = np.full(len(low), usual)
    met = np.full(len(share), -1, np.int64)
    some = np.empty(len(share))
    for n in range(len(low)):
        count = 0
        for k in range(low[n], high[n]):
            c = cell[k]
            if met[c] != n:
                met[c] = n
                if share[c] == share[c]:
                    some[count] = share[c]
                    count += 1
        if count:
            found[n] = between(np.sort(some[:count]), 0.5)
    return found


@compiled
def spans(
    slot: Array, starts: Array, subject: Array, first: Array, last: Array
) -> tuple[Array, Array]:
    """The samples low[n] ≤ k < high[n] of each subject from one moment to another.

    Args:
        slot: of samples by subject, then moment. starts: as of `by_subject`.
    """
    low, high = np.empty(len(subject), np.int64), np.empty(len(subject), np.int64)
    for n in range(len(subject)):
        begin = starts[subject[n]]
        own = slot[begin : starts[subject[n] + 1]]
        low[n] = begin + np.searchsorted(own, first[n])
        high[n] = begin + np.searchsorted(own, last[n], side="right")
    return low, high
