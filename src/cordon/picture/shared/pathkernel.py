"""Loops that lay out believed fixes as paths, hulls and samples, compiled by Numba."""

# ruff: noqa: RUF046
# The ceiling of Numba is no whole number.
from __future__ import annotations

import math
from typing import Any

import numpy as np

from cordon.kernel.compiled import compiled
from cordon.picture.trackkernel import between, metres

Array = Any


@compiled
def gathered(
    label: Array, begins: Array, order: Array, chain: Array, t: Array, lat: Array, lon: Array
) -> tuple[Array, Array, Array, Array, Array, Array]:
    """The believed fixes of paths, one path after another.

    Args:
        label: of each fix, less than 0 for noise. begins: subject i has the fixes
            begins[i] ≤ k < begins[i + 1]. order: subjects as they are to lie. chain: of each
            subject, whose path its fixes are of; ascending in that order.

    Returns:
        fix, path, t, lat, lon of each; and of each subject where its path starts, and the end.
    """
    count = 0
    for k in range(len(label)):
        count += label[k] >= 0
    fix, path = np.empty(count, np.int64), np.empty(count, np.int64)
    times, y, x = np.empty(count), np.empty(count), np.empty(count)
    starts = np.zeros(len(begins), np.int64)
    n = 0
    for i in range(len(order)):
        own = order[i]
        before = n
        for k in range(begins[own], begins[own + 1]):
            if label[k] >= 0:
                fix[n] = k
                path[n] = chain[own]
                times[n], y[n], x[n] = t[k], lat[k], lon[k]
                n += 1
        starts[chain[own] + 1] += n - before
    for i in range(len(begins) - 1):
        starts[i + 1] += starts[i]
    return fix, path, times, y, x, starts


@compiled
def _first_at(times: Array, low: int, high: int, t: float) -> int:
    """The first of low ≤ n < high with times[n] ≥ t; high where there is none."""
    while low < high:
        middle = (low + high) // 2
        if times[middle] < t:
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def after(times: Array, starts: Array, path: Array, t: Array) -> Array:
    """Place of the first fix of each path at or after a moment; the path's end where none is."""
    out = np.empty(len(t), np.int64)
    for i in range(len(t)):
        out[i] = _first_at(times, starts[path[i]], starts[path[i] + 1], t[i])
    return out


@compiled
def places(
    times: Array, lat: Array, lon: Array, starts: Array, path: Array, t: Array, longest: float
) -> tuple[Array, Array]:
    """Latitude and longitude of each path at each moment, NaN where not known; see Paths.at."""
    y, x = np.full(len(t), np.nan), np.full(len(t), np.nan)
    for i in range(len(t)):
        low, high = starts[path[i]], starts[path[i] + 1]
        b = _first_at(times, low, high, t[i])
        if b == high:
            continue
        if times[b] == t[i]:
            y[i], x[i] = lat[b], lon[b]
        elif b > low and times[b] - times[b - 1] <= longest:
            a = b - 1
            mix = (t[i] - times[a]) / (times[b] - times[a])
            y[i] = lat[a] + mix * (lat[b] - lat[a])
            x[i] = along(lon[a], lon[b], mix)
    return y, x


@compiled
def along(lon0: float, lon1: float, mix: float) -> float:
    """A longitude on the shorter way from one to another, the part `mix` along."""
    lon = lon0 + mix * ((lon1 - lon0 + 540.0) % 360.0 - 180.0)
    return (lon + 540.0) % 360.0 - 180.0 if abs(lon) > 180.0 else lon


@compiled
def on_the_grid(
    times: Array, lat: Array, lon: Array, starts: Array, step: float, longest: float
) -> tuple[Array, Array, Array, Array, Array, Array]:
    """Where each path is at the moments of a grid.

    A fix gives the moments up to the next one, which it is not farther from than `longest` (s); a
    fix before an unknown way its own moment alone. Of two at one moment the later row stands.

    Returns:
        path, slot, lat, lon, way (m) to the next slot's sample or NaN; starts, as of the fixes.
    """
    count = 0
    for i in range(len(starts) - 1):
        for a in range(starts[i], starts[i + 1]):
            count += _moments(times, a, starts[i + 1], step, longest)
    path, slot = np.empty(count, np.int64), np.empty(count, np.int64)
    y, x, way = np.empty(count), np.empty(count), np.full(count, np.nan)
    begins = np.zeros(len(starts), np.int64)
    n = 0
    for i in range(len(starts) - 1):
        for a in range(starts[i], starts[i + 1]):
            many = _moments(times, a, starts[i + 1], step, longest)
            first = int(math.ceil(times[a] / step))
            for s in range(first, first + many):
                mix = 0.0
                if a + 1 < starts[i + 1] and times[a + 1] > times[a]:
                    mix = (s * step - times[a]) / (times[a + 1] - times[a])
                path[n], slot[n] = i, s
                y[n], x[n] = lat[a], lon[a]
                if 0.0 < mix <= 1.0:
                    y[n] = lat[a] + mix * (lat[a + 1] - lat[a])
                    x[n] = along(lon[a], lon[a + 1], mix)
                if n > begins[i] and slot[n - 1] + 1 == s:
                    way[n - 1] = metres(y[n - 1], x[n - 1], y[n], x[n])
                n += 1
        begins[i + 1] = n
    return path, slot, y, x, way, begins


@compiled
def _moments(times: Array, a: int, end: int, step: float, longest: float) -> int:
    """How many moments of the grid fix a stands for, of a path that ends before `end`."""
    first = int(math.ceil(times[a] / step))
    if a + 1 < end:
        gone = times[a + 1] - times[a]
        if gone == 0.0:
            return 0
        if 0.0 < gone <= longest:
            return int(math.ceil(times[a + 1] / step)) - first
    return int(first * step == times[a])


@compiled
def as_hulls(
    label: Array, begins: Array, t: Array, lat: Array, lon: Array
) -> tuple[Array, Array, Array, Array, Array, Array, Array, Array]:
    """The believed fixes by subject, hull and time; arguments as of `gathered`.

    Returns:
        fix, hull, subject, t, lat, lon, whether the next is of the same hull; starts of hulls.
    """
    count = 0
    for k in range(len(label)):
        count += label[k] >= 0
    fix, hull = np.empty(count, np.int64), np.empty(count, np.int64)
    subject = np.empty(count, np.int64)
    times, y, x = np.empty(count), np.empty(count), np.empty(count)
    linked = np.zeros(count, np.bool_)
    starts = np.empty(count + 1, np.int64)
    n, hulls = 0, 0
    for i in range(len(begins) - 1):
        greatest = -1
        for k in range(begins[i], begins[i + 1]):
            greatest = max(greatest, label[k])
        for one in range(greatest + 1):
            before = n
            for k in range(begins[i], begins[i + 1]):
                if label[k] == one:
                    fix[n], hull[n], subject[n] = k, hulls, i
                    times[n], y[n], x[n] = t[k], lat[k], lon[k]
                    linked[n] = True
                    n += 1
            if n > before:
                linked[n - 1] = False
                starts[hulls] = before
                hulls += 1
    starts[hulls] = n
    return fix, hull, subject, times, y, x, linked, starts[: hulls + 1].copy()


@compiled
def usual_steps(
    step: Array, inner: Array, starts: Array, some: Array, path: Array, still: Array,
    one: float, two: float,
) -> tuple[Array, Array]:  # fmt: skip
    """Two quantiles of the other intervals of each silence's path; infinite where there is none.

    Args:
        step: from each fix to the next (s). inner: whether it is of one path. some: fixes at which
            silences begin, ascending; path: of each. still: whether it lasts on, and is no
            interval. one, two: shares.
    """
    first, second = np.full(len(some), np.inf), np.full(len(some), np.inf)
    n = 0
    while n < len(some):
        own = path[n]
        steps = np.empty(starts[own + 1] - starts[own])
        count = 0
        for k in range(starts[own], starts[own + 1]):
            if inner[k]:
                steps[count] = step[k]
                count += 1
        steps = np.sort(steps[:count])
        while n < len(some) and path[n] == own:
            # this one left out, which is among the longest
            many = count if still[n] else count - 1
            if many > 0:
                first[n] = between(steps[:many], one)
                second[n] = between(steps[:many], two)
            n += 1
    return first, second


@compiled
def stuck(
    t: Array, lat: Array, lon: Array, starts: Array, least: float, least_s: float
) -> tuple[Array, Array]:
    """Runs of at least so many fixes and so long (s) of one subject at one place to the last digit.

    Returns:
        begin and end (one beyond) of each.
    """
    begins, ends = np.empty(len(t), np.int64), np.empty(len(t), np.int64)
    n = 0
    for i in range(len(starts) - 1):
        a = starts[i]
        for k in range(starts[i], starts[i + 1]):
            last = k + 1 == starts[i + 1]
            if last or lat[k + 1] != lat[k] or lon[k + 1] != lon[k]:
                if k + 1 - a >= least and t[k] - t[a] >= least_s:
                    begins[n], ends[n] = a, k + 1
                    n += 1
                a = k + 1
    return begins[:n].copy(), ends[:n].copy()


@compiled
def at_defaults(lat: Array, lon: Array) -> Array:
    """Whether fixes lie at 0/0, or at whole degrees."""
    out = np.zeros(len(lat), np.bool_)
    for k in range(len(lat)):
        out[k] = (abs(lat[k]) < 1e-3 and abs(lon[k]) < 1e-3) or (
            np.rint(lat[k]) == lat[k] and np.rint(lon[k]) == lon[k]
        )
    return out


@compiled
def boxed(
    lat: Array, lon: Array, found: Array, west: float, south: float, east: float, north: float
) -> Array:
    """Which places lie in a box (degrees), of those that are not found yet."""
    out = np.empty(len(lat), np.int64)
    n = 0
    for k in range(len(lat)):
        if south <= lat[k] <= north and west <= lon[k] <= east and not found[k]:
            out[n] = k
            n += 1
    return out[:n].copy()


@compiled
def heard_and_missed(
    subject: Array, slot: Array, lat: Array, lon: Array, followed: int, opened: int, stays_m: float
) -> tuple[Array, Array, Array, Array, Array]:
    """Steps of craft: those in which each was heard, and those missed between two of them.

    Args:
        subject, slot, lat, lon: of steps in which it was heard, by subject, then slot.
        followed: over more missed steps nobody knows where it was. opened: as many at most are
            missed after the last. stays_m: who is heard again so near may have lain still.

    Returns:
        subject, slot, lat, lon of each, straight between two; and how many steps it was not heard
        before and with this one, 0 where it was heard.
    """
    n, latest = len(subject), 0
    for k in range(n):
        latest = slot[k] if k == 0 else max(latest, slot[k])
    missed = np.zeros(n, np.int64)
    for k in range(n):
        if k + 1 < n and subject[k + 1] == subject[k]:
            gone = slot[k + 1] - slot[k] - 1
            if 0 < gone <= followed and _way(lat[k], lon[k], lat[k + 1], lon[k + 1]) > stays_m:
                missed[k] = gone
        else:  # who is heard no more at the end may have been missed
            missed[k] = min(max(latest - slot[k] - 1, 0), opened)
    count = n + missed.sum()
    who, when, row = np.empty(count, np.int64), np.empty(count, np.int64), np.empty(count, np.int64)
    y, x = np.empty(count), np.empty(count)
    i = 0
    for k in range(n):
        goes_on = k + 1 < n and subject[k + 1] == subject[k]
        for step in range(missed[k] + 1):
            who[i], when[i], row[i] = subject[k], slot[k] + step, step
            y[i], x[i] = lat[k], lon[k]
            if step and goes_on:
                mix = step / (missed[k] + 1)
                y[i] = lat[k] + mix * (lat[k + 1] - lat[k])
                x[i] = along(lon[k], lon[k + 1], mix)
            i += 1
    return who, when, y, x, row


@compiled
def _way(lat0: float, lon0: float, lat1: float, lon1: float) -> float:
    """As nearness.plane_m, of one way."""
    east = abs(lon1 - lon0)
    east = min(east, 360.0 - east) * math.cos(math.radians((lat0 + lat1) / 2.0))
    return 111_195.0 * math.sqrt(east * east + (lat1 - lat0) * (lat1 - lat0))
