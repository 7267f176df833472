"""Who was near whom: pairs of points within a distance, by a hash of cells."""

from __future__ import annotations

import numpy as np

from cordon.picture.shared.numbering import numbered
from cordon.picture.tracks import Floats, Ints

_METRES_PER_DEGREE = 111_195.0


def near_pairs(group: Ints, lat: Floats, lon: Floats, reach_m: float) -> tuple[Ints, Ints, Floats]:
    """Pairs a < b of points of one group (a moment, say) that lie within reach of each other.

    Cells are as wide as the reach, so that only nine of them are looked at for each point: the
    cost is one sort, ten binary searches a point, and the pairs. Distances (m) are on the plane
    that touches the sphere there, good to a part in ten thousand within some 20 km.

    Args:
        group: whole numbers ≥ 0; no two points of different groups are ever near.
        reach_m: up to some 20 km.
    """
    a, b = _pairs(group, lat, lon, reach_m)
    seam = np.flatnonzero(np.abs(lon) > 179.0)
    if len(seam) > 1:  # points on both sides of the antimeridian
        p, q = _pairs(group[seam], lat[seam], lon[seam] % 360.0, reach_m)
        across = np.abs(lon[seam[p]] - lon[seam[q]]) > 180.0
        a = np.concatenate((a, seam[p[across]]))
        b = np.concatenate((b, seam[q[across]]))
    far = plane_m(lat[a], lon[a], lat[b], lon[b])
    within = far <= reach_m
    a, b, far = a[within], b[within], far[within]
    a, b = np.minimum(a, b), np.maximum(a, b)
    order = np.lexsort((b, a))
    return a[order], b[order], far[order]


def near_between(
    group: Ints, lat: Floats, lon: Floats, group2: Ints, lat2: Floats, lon2: Floats, reach_m: float
) -> tuple[Ints, Ints, Floats]:
    """Pairs of a point of the first set and one of the second, as `near_pairs` has them.

    Only the second set is sorted; so a few points may be held against many.
    """
    found = []
    for turn in (0.0, 360.0):
        one, two = np.arange(len(lat)), np.arange(len(lat2))
        x, x2 = lon, lon2
        if turn:  # points on both sides of the antimeridian
            one, two = np.flatnonzero(np.abs(lon) > 179.0), np.flatnonzero(np.abs(lon2) > 179.0)
            x, x2 = lon % 360.0, lon2 % 360.0
        if len(one) and len(two):
            a, b = _between(group[one], lat[one], x[one], group2[two], lat2[two], x2[two], reach_m)
            a, b = one[a], two[b]
            across = np.abs(lon[a] - lon2[b]) > 180.0
            found.append((a[across == bool(turn)], b[across == bool(turn)]))
    if not found:
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)
    a, b = (np.concatenate([f[i] for f in found]) for i in (0, 1))
    far = plane_m(lat[a], lon[a], lat2[b], lon2[b])
    within = far <= reach_m
    a, b, far = a[within], b[within], far[within]
    order = np.lexsort((b, a))
    return a[order], b[order], far[order]


def _between(
    group: Ints, lat: Floats, lon: Floats, group2: Ints, lat2: Floats, lon2: Floats, reach_m: float
) -> tuple[Ints, Ints]:
    high = reach_m / _METRES_PER_DEGREE * 1.001
    top = min(89.0, max(float(np.abs(lat).max()), float(np.abs(lat2).max())) + high)
    wide = high / float(np.cos(np.radians(top)))
    south, west = min(lat.min(), lat2.min()), min(lon.min(), lon2.min())
    y, y2 = (((v - south) / high).astype(np.int64) + 1 for v in (lat, lat2))
    x, x2 = (((v - west) / wide).astype(np.int64) + 1 for v in (lon, lon2))
    columns = max(int(x.max()), int(x2.max())) + 2
    rows = max(int(y.max()), int(y2.max())) + 2
    named = np.unique(group2)
    g = np.searchsorted(named, group)
    there = (g < len(named)) & (named[np.minimum(g, len(named) - 1)] == group)
    key = (g * rows + y) * columns + x
    key2 = (np.searchsorted(named, group2) * rows + y2) * columns + x2
    order = np.argsort(key2, kind="stable")
    key2 = key2[order]
    some = np.flatnonzero(there)
    one, two = [], []
    for step in (-columns, 0, columns):
        low = np.searchsorted(key2, key[some] + step - 1, side="left")
        many = np.searchsorted(key2, key[some] + step + 1, side="right") - low
        p = np.repeat(np.arange(len(some)), many)
        q = np.arange(len(p)) - np.repeat(np.cumsum(many) - many, many) + np.repeat(low, many)
        one.append(some[p])
        two.append(order[q])
    return np.concatenate(one), np.concatenate(two)


def plane_m(lat0: Floats, lon0: Floats, lat1: Floats, lon1: Floats) -> Floats:
    """Distance (m) over short ways, on the plane at their middle: quicker than on the sphere."""
    east = np.abs(lon1 - lon0)
    east = np.minimum(east, 360.0 - east) * np.cos(np.radians((lat0 + lat1) / 2))
    north = lat1 - lat0
    return np.asarray(_METRES_PER_DEGREE * np.sqrt(east * east + north * north))


def _pairs(group: Ints, lat: Floats, lon: Floats, reach_m: float) -> tuple[Ints, Ints]:
    """Pairs in the same or in neighbouring cells, each once, in either order."""
    if len(lat) < 2:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    high = reach_m / _METRES_PER_DEGREE * 1.001
    top = min(89.0, float(np.abs(lat).max()) + high)
    wide = high / float(np.cos(np.radians(top)))
    y = ((lat - lat.min()) / high).astype(np.int64) + 1
    x = ((lon - lon.min()) / wide).astype(np.int64) + 1
    columns, rows = int(x.max()) + 2, int(y.max()) + 2
    _, group = numbered(group)
    key = (group.astype(np.int64) * rows + y) * columns + x
    order = np.argsort(key, kind="stable")
    key = key[order]
    one, two = [], []
    for step in (0, 1, columns - 1, columns, columns + 1):
        low = (
            np.arange(1, len(key) + 1)
            if step == 0
            else np.searchsorted(key, key + step, side="left")
        )
        many = np.maximum(np.searchsorted(key, key + step, side="right") - low, 0)
        p = np.repeat(np.arange(len(key)), many)
        q = np.arange(len(p)) - np.repeat(np.cumsum(many) - many, many) + np.repeat(low, many)
        one.append(order[p])
        two.append(order[q])
    return np.concatenate(one), np.concatenate(two)


def crowd(group: Ints, lat: Floats, lon: Floats, owner: Ints, reach_m: float) -> Ints:
    """For each point, how many other owners have a point of its group within reach.

    Args:
        owner: whose a point is; several points of one owner count once.
    """
    a, b, _ = near_pairs(group, lat, lon, reach_m)
    apart = owner[a] != owner[b]
    a, b = a[apart], b[apart]
    point = np.concatenate((a, b)).astype(np.int64)
    other = np.concatenate((owner[b], owner[a])).astype(np.int64)
    if not len(point):
        return np.zeros(len(lat), dtype=np.int64)
    pairs = np.unique(point * (int(owner.max()) + 1) + other)
    return np.bincount(pairs // (int(owner.max()) + 1), minlength=len(lat)).astype(np.int64)
