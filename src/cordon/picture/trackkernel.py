"""Loops over the fixes of tracks, compiled by Numba; imported where they are needed."""

# ruff: noqa: PLR0912, PLR0915, RUF046
# Loops say in one place what NumPy would say in many; Numba's ceiling is no whole number; a number
# that is not itself is no number.
from __future__ import annotations

import math
from typing import Any

import numpy as np

from cordon.kernel.compiled import compiled

Array = Any
_EARTH_M = 6_371_008.8  # as kernel/geo.py
_RADIAN = math.pi / 180.0
_MOST_OF_A_MIDDLE = 64  # fixes


@compiled
def metres(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Great-circle distance (m), as kernel.geo.distance_m."""
    p1, p2 = lat1 * _RADIAN, lat2 * _RADIAN
    south = math.sin((p2 - p1) / 2.0)
    west = math.sin((lon2 - lon1) * _RADIAN / 2.0)
    half = south * south + math.cos(p1) * math.cos(p2) * west * west
    return 2.0 * _EARTH_M * math.asin(math.sqrt(min(1.0, half)))


@compiled
def between(values: Array, share: float) -> float:
    """The value below which a share of sorted values lies, interpolated as by `numpy.quantile`."""
    at = share * (len(values) - 1)
    low = int(at)
    high = min(low + 1, len(values) - 1)
    return float(values[low] + (at - low) * (values[high] - values[low]))


@compiled
def middles(lat: Array, lon: Array, first: Array, last: Array) -> tuple[Array, Array]:
    """The middle (the median of each coordinate, degrees) of the fixes first[n] to last[n].

    Of very many some are looked at, evenly spread.
    """
    y, x = np.empty(len(first)), np.empty(len(first))
    for n in range(len(first)):
        step = 1 + (last[n] - first[n]) // _MOST_OF_A_MIDDLE
        here = lon[first[n]]
        east = (lon[first[n] : last[n] + 1 : step] - here + 540.0) % 360.0 - 180.0
        y[n] = between(np.sort(lat[first[n] : last[n] + 1 : step]), 0.5)
        x[n] = (here + between(np.sort(east), 0.5) + 540.0) % 360.0 - 180.0
    return y, x


@compiled
def firsts(
    t: Array, subject: Array, source: Array, fix: Array, who: Array, step: float
) -> tuple[Array, Array]:
    """The first and the last of each run of believed fixes of one subject in one step of time.

    Args:
        t, subject: of each, by subject, then time. source: of each fix of the tracks. fix: which
            of these each is, where a run is of one source; of no length where it is of any.
        who: of each subject, whether it is looked at. step: s.

    Returns:
        Two arrays of positions.
    """
    first, last = np.empty(len(t), np.int64), np.empty(len(t), np.int64)
    n = 0
    before, own, slot = -1, -1, 0
    for k in range(len(t)):
        if not who[subject[k]]:
            continue
        here = int(math.floor(t[k] / step))
        by = int(source[fix[k]]) if len(fix) else 0
        if n == 0 or subject[k] != own or here != slot or by != before:
            first[n] = k
            n += 1
            own, slot, before = subject[k], here, by
        last[n - 1] = k
    return first[:n], last[:n]


@compiled
def jumps(
    t: Array, lat: Array, lon: Array, subject: Array, limit: Array, slack: float, error: float,
    longest: float,
) -> Array:  # fmt: skip
    """For each fix, whether it lies farther from its subject's fix before it than it can.

    Args:
        limit: of each subject, m/s. slack: m. error, longest: s.
    """
    out = np.zeros(len(t), np.bool_)
    for k in range(1, len(t)):
        if subject[k] != subject[k - 1]:
            continue
        dt = t[k] - t[k - 1]
        reach = limit[subject[k]] * (dt + error) + slack
        south = abs(lat[k] - lat[k - 1]) * 112_000.0
        west = abs(lon[k] - lon[k - 1]) * 112_000.0
        # more than the true distance, unless the antimeridian lies between
        if south + west <= reach or dt > longest:
            continue
        out[k] = metres(lat[k - 1], lon[k - 1], lat[k], lon[k]) > reach
    return out


@compiled
def taken_apart(
    t: Array, lat: Array, lon: Array, limit: float, slack: float, error: float, longest: float,
    most_open: int,
) -> Array:  # fmt: skip
    """The segment of each fix of one track, in order of time.

    A fix joins an open segment that it could have come from; one that could come from none
    begins a new one. Of several the one counts that it reaches with the least effort and that
    was heard of lately: as gpsdio-segment weighs them, exp(−(5 w)²) / (dt + error), where w is
    the way as a part of the farthest that it may be. By effort alone a segment of long ago would
    be the nearest of all. Of too many open ones that which was joined longest ago is closed.

    Args:
        limit: m/s. slack: m. error, longest: s.
    """
    label = np.zeros(len(t), np.int64)
    counts = np.zeros(len(t), np.int64)  # of each segment's fixes
    opened = np.zeros(most_open, np.int64)  # segments, the latest joined last
    ends = np.zeros(most_open, np.int64)  # and the last fix of each
    n = 0
    new = 0
    for k in range(len(t)):
        kept = 0
        best, least = -1, np.inf
        for i in range(n):
            j = ends[i]
            if t[k] - t[j] > longest:
                continue
            opened[kept], ends[kept] = opened[i], j
            reach = limit * (t[k] - t[j] + error) + slack
            way = metres(lat[j], lon[j], lat[k], lon[k])
            if way <= reach:
                effort = 5.0 * way / reach
                tens = counts[opened[kept]] / 10.0
                cost = effort * effort + math.log(t[k] - t[j] + error + 1.0)
                cost -= math.log(tens / math.sqrt(1.0 + tens * tens))
                if cost < least:
                    best, least = kept, cost
            kept += 1
        n = kept
        if best < 0:
            segment = new
            new += 1
            gone = 0 if n == most_open else n
        else:
            segment = opened[best]
            gone = best
        if gone < n:
            for i in range(gone, n - 1):
                opened[i], ends[i] = opened[i + 1], ends[i + 1]
            n -= 1
        opened[n], ends[n] = segment, k
        n += 1
        counts[segment] += 1
        label[k] = segment
    return label


@compiled
def rings(
    t: Array, lat: Array, lon: Array, starts: Array, step_s: float, size: int, least_m: float,
    most_m: float, stray: float, stray_m: float,
) -> tuple[Array, Array, Array, Array, Array]:  # fmt: skip
    """Windows of a hull's fixes that lie on a circle and go most of the way round it.

    Fixes are thinned to one each `step_s`; each window holds `size` of them, and begins half a
    window after the one before. The circle is Kåsa's (1976): the least squares of the squared
    radii, in the plane that touches the sphere at the first fix.

    Args:
        starts: where each hull begins, and the end of all. least_m, most_m: of the radius.
        stray: fixes lie off the circle by this part of its radius at most, or `stray_m`; root
            mean square.

    Returns:
        first fix, last fix, latitude and longitude of the centre (degrees), radius (m).
    """
    room = 256
    first = np.empty(room, np.int64)
    last = np.empty(room, np.int64)
    centre_lat = np.empty(room)
    centre_lon = np.empty(room)
    radius = np.empty(room)
    n = 0
    chosen = np.empty(size, np.int64)
    x = np.empty(size)
    y = np.empty(size)
    met = np.empty(12, np.bool_)
    for h in range(len(starts) - 1):
        held = 0
        k = starts[h]
        while True:
            if k < starts[h + 1]:
                if held and t[k] - t[chosen[held - 1]] < step_s:
                    k += 1
                    continue
                if held and t[k] - t[chosen[held - 1]] > 5.0 * step_s + 600.0:
                    held = 0  # a silence: nobody knows where it went
                chosen[held] = k
                held += 1
                k += 1
                if held < size:
                    continue
            elif 3 * held < 2 * size:
                break
            # what is left at a hull's end is a window too, where it is most of one
            m = held
            a = chosen[0]
            east = 111_195.0 * math.cos(lat[a] * _RADIAN)
            sx, sy, sxx, syy, sxy, sxz, syz = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
            way = 0.0
            end = chosen[m - 1]
            for i in range(m):
                step = lon[chosen[i]] - lon[a]
                if step > 180.0:
                    step -= 360.0
                elif step < -180.0:
                    step += 360.0
                x[i] = step * east
                y[i] = (lat[chosen[i]] - lat[a]) * 111_195.0
                sx += x[i]
                sy += y[i]
                if i > 0:
                    way += abs(x[i] - x[i - 1]) + abs(y[i] - y[i - 1])
            held = size - size // 2 if m == size else 0
            for i in range(held):
                chosen[i] = chosen[i + size // 2]
            # who lies still, or gets on, goes round nothing: a way of three quarters of a circle
            # is thrice as long as from its begin to its end
            if way < 4.0 * least_m or abs(x[m - 1]) + abs(y[m - 1]) > 0.6 * way:
                continue
            sx /= m
            sy /= m
            for i in range(m):
                u, v = x[i] - sx, y[i] - sy
                z = u * u + v * v
                sxx += u * u
                syy += v * v
                sxy += u * v
                sxz += u * z
                syz += v * z
            det = sxx * syy - sxy * sxy
            # on a line or a point no circle stands out
            if det > 1e-3 * sxx * syy and det > 0.0:
                cx = (sxz * syy - syz * sxy) / (2.0 * det)
                cy = (syz * sxx - sxz * sxy) / (2.0 * det)
                r = math.sqrt(cx * cx + cy * cy + (sxx + syy) / m)
                if least_m <= r <= most_m:
                    off = 0.0
                    met[:] = False
                    for i in range(m):
                        u, v = x[i] - sx - cx, y[i] - sy - cy
                        gap = math.sqrt(u * u + v * v) - r
                        off += gap * gap
                        met[int((math.atan2(v, u) / math.pi + 1.0) * 5.999999)] = True
                    round_it = 0
                    for i in range(12):
                        round_it += 1 if met[i] else 0
                    if math.sqrt(off / m) <= max(stray * r, stray_m) and round_it >= 9:
                        if n == room:
                            first, last, radius = longer(first), longer(last), longer(radius)
                            centre_lat, centre_lon = longer(centre_lat), longer(centre_lon)
                            room *= 2
                        first[n], last[n], radius[n] = a, end, r
                        centre_lat[n] = lat[a] + (sy + cy) / 111_195.0
                        centre_lon[n] = lon[a] + (sx + cx) / east
                        n += 1
    return first[:n], last[:n], centre_lat[:n], centre_lon[:n], radius[:n]


@compiled
def longer(column: Array) -> Array:
    """A column with twice the room; np.concatenate would take a second to compile."""
    out = np.empty(2 * len(column), column.dtype)
    for i in range(len(column)):
        out[i] = column[i]
    return out
