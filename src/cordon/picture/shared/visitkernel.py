"""Loops over single visits, compiled by Numba; imported where they are needed."""

from __future__ import annotations

from typing import Any

import numpy as np

from cordon.kernel.compiled import compiled
from cordon.picture.trackkernel import between, metres
from cordon.picture.zonekernel import meet

Array = Any


@compiled
def touches(s: Array, z: int, x0: float, y0: float, x1: float, y1: float) -> tuple[float, float]:
    """Where a straight way first and last touches a zone's outline, as parts of the way.

    Args:
        s: `Shapes` of the zones. z: place of the zone. x0, y0, x1, y1: from where to where
            (degrees).

    Returns:
        From 0 to 1; no numbers where it does not touch it.
    """
    first, last = np.nan, np.nan
    rx, ry = x1 - x0, y1 - y0
    length = rx * rx + ry * ry
    for k in range(s.edge_at[z], s.edge_at[z + 1]):
        ax, ay, bx, by = s.edges[k, 0], s.edges[k, 1], s.edges[k, 2], s.edges[k, 3]
        if not meet(ax, ay, bx, by, x0, y0, x1, y1):
            continue
        turn = rx * (by - ay) - ry * (bx - ax)
        if turn != 0.0:
            one = ((ax - x0) * (by - ay) - (ay - y0) * (bx - ax)) / turn
            two = one
        elif length > 0.0:  # the edge lies along the way
            one = ((ax - x0) * rx + (ay - y0) * ry) / length
            two = ((bx - x0) * rx + (by - y0) * ry) / length
        else:
            one, two = 0.0, 0.0
        one, two = min(1.0, max(0.0, one)), min(1.0, max(0.0, two))
        low, high = min(one, two), max(one, two)
        first = low if not first <= low else first
        last = high if not last >= high else last
    return first, last


@compiled
def spread_m(lat: Array, lon: Array, share: float) -> float:
    """How far (m) from the middle of points all but so many of them lie.

    The middle is the median of each coordinate; between two points it is interpolated, as by
    `numpy.quantile`.

    Args:
        lat, lon: degrees, (n,) with n ≥ 1. share: of the points, 0 to 1.
    """
    east = np.empty(len(lon))
    for i in range(len(lon)):
        east[i] = (lon[i] - lon[0] + 540.0) % 360.0 - 180.0
    y, x = between(np.sort(lat), 0.5), between(np.sort(east), 0.5)
    far = np.empty(len(lat))
    for i in range(len(lat)):
        far[i] = metres(y, x, lat[i], east[i])
    return between(np.sort(far), share)
