"""Loops over points, ways and the edges of zones, compiled by Numba.

Imported where it is needed (`zonegrid.py`), because Numba takes half a second to load.
Coordinates are degrees, x east and y north, in the plane of RFC 7946 (edges are straight there).
Signs of orientation are exact, so that no answer hangs on rounding.
"""

# ruff: noqa: PLR0124, PLR0912, PLR1714, RUF046
# Numba knows no sets, its floor is no whole number, and a number that is not itself is no number.
from __future__ import annotations

import math
from typing import Any

import numpy as np

from cordon.kernel.compiled import compiled
from cordon.picture.orientation import side
from cordon.picture.trackkernel import longer
from cordon.picture.ways import SHORT_DEG

Array = Any
_WIDE = 1e-6  # cells that a line is taken to be wider: more than all rounding, less than matters
_RADIAN = math.pi / 180.0
METRES_PER_DEGREE = 111_195.0


@compiled
def _in_rings(bins: Array, first: int, last: int, u: float, v: float) -> bool:
    """Whether (u, v) lies within or on rings, of whose edges `bins` holds those at v.

    A ray towards greater u meets an edge where one end lies above v and the other does not.
    """
    odd = False
    for k in range(first, last):
        u0, v0, u1, v1 = bins[k, 0], bins[k, 1], bins[k, 2], bins[k, 3]
        if (v0 > v) != (v1 > v):
            if u < u0 and u < u1:
                odd = not odd
            elif u <= u0 or u <= u1:
                turn = side(u0, v0, u1, v1, u, v)
                if turn == 0:
                    return True
                if (turn > 0) == (v1 > v0):
                    odd = not odd
        elif v0 == v or v1 == v:
            if (v0 == v and u0 == u) or (v1 == v and u1 == u):
                return True
            if v0 == v1 and (u0 <= u) != (u1 <= u):
                return True
    return odd


@compiled
def _in_zone(s: Array, z: int, x: float, y: float) -> bool:
    lo, inv, count = s.bin_low[z], s.bin_inv[z], s.bin_count[z]
    u, v = (y, x) if s.bin_turned[z] else (x, y)
    if not (v >= lo and v <= s.bin_high[z]):
        return False
    b = s.bin_first[z] + min(int((v - lo) * inv), count - 1)
    return _in_rings(s.bins, s.bin_at[b], s.bin_at[b + 1], u, v)


@compiled
def fill_bins(
    edges: Array, first: int, last: int, lo: float, inv: float, count: int, at: Array, bins: Array
) -> None:
    """Put edges into bins by v: with `bins` empty only count them into `at`, else write them.

    Args:
        edges: rows u0, v0, u1, v1. at: where each bin begins; moved on as it is filled.
    """
    for k in range(first, last):
        v0, v1 = edges[k, 1], edges[k, 3]
        if v0 > v1:
            v0, v1 = v1, v0
        for b in range(
            min(int((v0 - lo) * inv), count - 1), min(int((v1 - lo) * inv), count - 1) + 1
        ):
            if len(bins):
                for c in range(4):
                    bins[at[b], c] = edges[k, c]
            at[b] += 1


@compiled
def _columns(g: Array, iy: int, x0: float, y0: float, x1: float, y1: float) -> tuple[int, int]:
    """First and last column of a line's cells in row iy, rather one too many; y0 ≤ y1."""
    a, b = (x0, x1) if x0 <= x1 else (x1, x0)
    if y1 > y0:
        low = g.y0 + (iy - _WIDE) / g.inv
        high = g.y0 + (iy + 1 + _WIDE) / g.inv
        slope = (x1 - x0) / (y1 - y0)
        at_low = x0 + slope * (max(low, y0) - y0)
        at_high = x0 + slope * (min(high, y1) - y0)
        if at_low > at_high:
            at_low, at_high = at_high, at_low
        a, b = max(a, at_low), min(b, at_high)
    one = int(math.floor((a - g.x0) * g.inv - _WIDE))
    two = int(math.floor((b - g.x0) * g.inv + _WIDE))
    return max(one, 0), min(two, g.nx - 1)


@compiled
def _rows(g: Array, y0: float, y1: float) -> tuple[int, int]:
    one = int(math.floor((y0 - g.y0) * g.inv - _WIDE))
    two = int(math.floor((y1 - g.y0) * g.inv + _WIDE))
    return max(one, 0), min(two, g.ny - 1)


@compiled
def rasterise(s: Array, g: Array, zones: Array) -> tuple[Array, Array, Array, Array]:
    """Which cells of a grid a level's zones hold, and which of them their edges pass.

    Returns:
        cell and 2 × zone + (1 where the whole cell lies inside), for each such pair; cell and
        edge, for each such pair.
    """
    cells = np.empty(1024, np.int32)
    held = np.empty(1024, np.int32)
    n = 0
    edge_cells = np.empty(1024, np.int32)
    edges = np.empty(1024, np.int32)
    m = 0
    for z in zones:
        ix0, ix1 = _rows_of(s.west[z], s.east[z], g.x0, g.inv, g.nx)
        iy0, iy1 = _rows_of(s.south[z], s.north[z], g.y0, g.inv, g.ny)
        wide = ix1 - ix0 + 1
        mark = np.zeros((iy1 - iy0 + 1) * wide, np.int8)
        for k in range(s.edge_at[z], s.edge_at[z + 1]):
            x0, y0, x1, y1 = s.edges[k, 0], s.edges[k, 1], s.edges[k, 2], s.edges[k, 3]
            if y0 > y1:
                x0, y0, x1, y1 = x1, y1, x0, y0
            row0, row1 = _rows(g, y0, y1)
            for iy in range(row0, row1 + 1):
                col0, col1 = _columns(g, iy, x0, y0, x1, y1)
                for ix in range(col0, col1 + 1):
                    if ix >= ix0 and ix <= ix1 and iy >= iy0 and iy <= iy1:
                        mark[(iy - iy0) * wide + ix - ix0] = 1
                    if m == len(edges):
                        edge_cells = longer(edge_cells)
                        edges = longer(edges)
                    edge_cells[m] = iy * g.nx + ix
                    edges[m] = k
                    m += 1
        if not s.area[z]:
            continue
        for iy in range(iy0, iy1 + 1):
            known = -1  # of the cells since the last one that an edge passes
            for ix in range(ix0, ix1 + 1):
                if mark[(iy - iy0) * wide + ix - ix0]:
                    known = -1
                    word = 2 * z
                else:
                    if known < 0:
                        x = g.x0 + (ix + 0.5) / g.inv
                        y = g.y0 + (iy + 0.5) / g.inv
                        known = 1 if _in_zone(s, z, x, y) else 0
                    if known == 0:
                        continue
                    word = 2 * z + 1
                if n == len(cells):
                    cells = longer(cells)
                    held = longer(held)
                cells[n] = iy * g.nx + ix
                held[n] = word
                n += 1
    return cells[:n], held[:n], edge_cells[:m], edges[:m]


@compiled
def _rows_of(low: float, high: float, origin: float, inv: float, count: int) -> tuple[int, int]:
    one = int(math.floor((low - origin) * inv - _WIDE))
    two = int(math.floor((high - origin) * inv + _WIDE))
    return max(one, 0), min(two, count - 1)


@compiled
def point_hits(s: Array, g: Array, lat: Array, lon: Array) -> tuple[Array, Array]:
    """Zones of a level that points lie in: zone and point of each hit, in order of the points."""
    room = len(lat) + 1024
    zones = np.empty(room, np.int32)
    points = np.empty(room, np.int64)
    n = 0
    wide, high = float(g.nx), float(g.ny)
    for i in range(len(lat)):
        x, y = lon[i], lat[i]
        fx, fy = (x - g.x0) * g.inv, (y - g.y0) * g.inv
        if not (fx >= 0.0 and fy >= 0.0 and fx < wide and fy < high):  # nor where one is NaN
            continue
        cell = int(fy) * g.nx + int(fx)
        for k in range(g.held_at[cell], g.held_at[cell + 1]):
            word = g.held[k]
            z = word >> 1
            if word & 1 or _in_zone(s, z, x, y):
                if n == room:
                    zones, points = longer(zones), longer(points)
                    room *= 2
                zones[n] = z
                points[n] = i
                n += 1
    return zones[:n], points[:n]


@compiled
def meet(
    ax: float, ay: float, bx: float, by: float, px: float, py: float, qx: float, qy: float
) -> bool:
    """Whether the closed lines ab and pq have a point in common; exact."""
    if max(ax, bx) < min(px, qx) or max(px, qx) < min(ax, bx):
        return False
    if max(ay, by) < min(py, qy) or max(py, qy) < min(ay, by):
        return False
    one, two = side(px, py, qx, qy, ax, ay), side(px, py, qx, qy, bx, by)
    if one * two > 0:
        return False
    # where all four lie on one line their boxes meet, which has been seen
    return side(ax, ay, bx, by, px, py) * side(ax, ay, bx, by, qx, qy) <= 0


@compiled
def _side_of_point(ax: float, ay: float, bx: float, by: float, px: float, py: float) -> int:
    """As `side`, with p moved by a hair to the east, and by less than that to the north."""
    turn = side(ax, ay, bx, by, px, py)
    if turn == 0 and by != ay:
        return -1 if by > ay else 1
    if turn == 0 and bx != ax:
        return 1 if bx > ax else -1
    return turn


@compiled
def _side_of_end(px: float, py: float, qx: float, qy: float, ax: float, ay: float) -> int:
    """As `side(p, q, a)`, with p and q moved so."""
    turn = side(px, py, qx, qy, ax, ay)
    if turn == 0 and qy != py:
        return 1 if qy > py else -1
    if turn == 0 and qx != px:
        return -1 if qx > px else 1
    return turn


@compiled
def _cross(
    ax: float, ay: float, bx: float, by: float, px: float, py: float, qx: float, qy: float
) -> int:
    """1 where pq passes the edge ab from its left to its right, -1 the other way, else 0.

    A way is taken to lie a hair east of where it is drawn, so that one through a vertex, along
    an edge, or with an end on the line is never counted twice, and its sides add up.
    """
    if max(ax, bx) < min(px, qx) or max(px, qx) < min(ax, bx):
        return 0
    if max(ay, by) < min(py, qy) or max(py, qy) < min(ay, by):
        return 0
    if _side_of_end(px, py, qx, qy, ax, ay) == _side_of_end(px, py, qx, qy, bx, by):
        return 0
    before = _side_of_point(ax, ay, bx, by, px, py)
    return 0 if before == _side_of_point(ax, ay, bx, by, qx, qy) else before


@compiled
def long_ways(lat: Array, lon: Array, a: Array, b: Array) -> Array:
    """Ways that are not surely short and straight: they are cut into pieces first (`ways.py`)."""
    out = np.zeros(len(a), np.bool_)
    for w in range(len(a)):
        # nor where one is no number
        short = abs(lat[b[w]] - lat[a[w]]) < SHORT_DEG and abs(lon[b[w]] - lon[a[w]]) < SHORT_DEG
        out[w] = not short
    return out


@compiled
def way_hits(
    s: Array, g: Array, lat: Array, lon: Array, a: Array, b: Array, skip: Array, signed: bool
) -> tuple[Array, Array, Array, Array]:
    """Edges of a level's zones that straight ways from point a[w] to b[w] meet.

    Args:
        skip: ways that are left out. signed: tell each edge that is crossed and its sign; else
            each zone met once.

    Returns:
        zone, way, edge and sign of each, in order of the ways; edge and sign are 0 unless signed.
    """
    room = 1024
    zones = np.empty(room, np.int64)
    met = np.empty(room, np.int64)
    edges = np.empty(room, np.int64)
    signs = np.empty(room, np.int64)
    n = 0
    seen = np.full(len(s.edges) if signed else len(s.area), -1, np.int64)
    for w in range(len(a)):
        if skip[w]:
            continue
        x0, y0, x1, y1 = lon[a[w]], lat[a[w]], lon[b[w]], lat[b[w]]
        if not (x0 == x0 and y0 == y0 and x1 == x1 and y1 == y1):
            continue
        qx0, qy0, qx1, qy1 = x0, y0, x1, y1
        if y0 > y1:
            qx0, qy0, qx1, qy1 = x1, y1, x0, y0
        row0, row1 = _rows(g, qy0, qy1)
        for iy in range(row0, row1 + 1):
            col0, col1 = _columns(g, iy, qx0, qy0, qx1, qy1)
            for cell in range(iy * g.nx + col0, iy * g.nx + col1 + 1):
                for k in range(g.edge_at[cell], g.edge_at[cell + 1]):
                    e = g.edge[k]
                    z = s.edge_zone[e]
                    mark = e if signed else z
                    if seen[mark] == w:
                        continue
                    ax, ay, bx, by = s.edges[e, 0], s.edges[e, 1], s.edges[e, 2], s.edges[e, 3]
                    sign = 0
                    if signed:
                        seen[mark] = w
                        sign = _cross(ax, ay, bx, by, x0, y0, x1, y1)
                        if sign == 0:
                            continue
                    elif meet(ax, ay, bx, by, x0, y0, x1, y1):
                        seen[mark] = w
                    else:
                        continue
                    if n == room:
                        zones, met = longer(zones), longer(met)
                        edges, signs = longer(edges), longer(signs)
                        room *= 2
                    zones[n] = z
                    met[n] = w
                    edges[n] = e if signed else 0
                    signs[n] = sign
                    n += 1
    return zones[:n], met[:n], edges[:n], signs[:n]


@compiled
def _gap(
    u0: float, v0: float, u1: float, v1: float, u: float, v: float, wide_u: float, wide_v: float
) -> float:
    """Square of the distance (m²) from (u, v) to an edge; wide_u, wide_v: metres a degree."""
    au, av = (u0 - u) * wide_u, (v0 - v) * wide_v
    du, dv = (u1 - u0) * wide_u, (v1 - v0) * wide_v
    length = du * du + dv * dv
    t = 0.0
    if length > 0.0:
        t = min(1.0, max(0.0, -(au * du + av * dv) / length))
    au += t * du
    av += t * dv
    return au * au + av * av


@compiled
def bounds_of_bins(bins: Array, at: Array) -> Array:
    """Least and greatest u of each bin's edges; rows low, high."""
    out = np.empty((len(at) - 1, 2))
    for b in range(len(at) - 1):
        low, high = np.inf, -np.inf
        for k in range(at[b], at[b + 1]):
            low = min(low, bins[k, 0], bins[k, 2])
            high = max(high, bins[k, 0], bins[k, 2])
        out[b, 0], out[b, 1] = low, high
    return out


@compiled
def _nearest(s: Array, z: int, x: float, y: float, enough: float) -> float:
    """Square of the distance (m²) to the edges of a zone; infinite where beyond `enough`, if any.

    Bins are looked at from the nearest by v outwards, until v alone is farther than the best.
    """
    east = METRES_PER_DEGREE * max(math.cos(y * _RADIAN), 0.0175)
    wide_u, wide_v = east, METRES_PER_DEGREE
    if s.bin_turned[z]:
        wide_u, wide_v = METRES_PER_DEGREE, east
    best = np.inf if enough <= 0.0 else enough * enough * 1.000001
    met = False
    tall = 1.0 / s.bin_inv[z]
    first, count = s.bin_first[z], s.bin_count[z]
    for turn in range(-1, 2):  # the zone may be near on the other side of the antimeridian
        shifted = x + 360.0 * turn
        if turn != 0 and abs(shifted) > 270.0:
            continue
        u, v = shifted, y
        if s.bin_turned[z]:
            u, v = y, shifted
        middle = min(float(count - 1), max(0.0, (v - s.bin_low[z]) * s.bin_inv[z]))
        for step in range(count):
            searched = False
            for sign in range(-1, 2, 2):
                b = int(middle) + sign * step
                if b < 0 or b >= count or (step == 0 and sign > 0):
                    continue
                low = s.bin_low[z] + b * tall
                dv = max(0.0, low - v, v - low - tall) * wide_v * 0.999999
                if dv * dv >= best:
                    continue
                searched = True
                du = max(0.0, s.bin_reach[first + b, 0] - u, u - s.bin_reach[first + b, 1])
                du *= wide_u
                if dv * dv + du * du >= best:
                    continue
                for k in range(s.bin_at[first + b], s.bin_at[first + b + 1]):
                    u0, v0, u1, v1 = s.bins[k, 0], s.bins[k, 1], s.bins[k, 2], s.bins[k, 3]
                    gap = _gap(u0, v0, u1, v1, u, v, wide_u, wide_v)
                    if gap < best:
                        best = gap
                        met = True
                        if gap <= enough * enough:
                            return gap
            if not searched:
                break
    return best if met else np.inf


@compiled
def edge_distance(s: Array, z: int, lat: Array, lon: Array, enough: float) -> Array:
    """Distance (m) from points to the edges of a zone, on the plane that touches each point.

    Args:
        enough: the first edge at most so near (m) ends the search, and one farther away is
            infinitely far; 0 for the true distance.
    """
    out = np.full(len(lat), np.inf)
    for i in range(len(lat)):
        if lat[i] == lat[i] and lon[i] == lon[i]:
            out[i] = math.sqrt(_nearest(s, z, lon[i], lat[i], enough))
    return out


@compiled
def self_crossings(s: Array, g: Array, most: int) -> int:
    """How many pairs of edges meet elsewhere than at an end they share; ends at `most`."""
    seen = np.full(len(s.edges), -1, np.int64)
    n = 0
    for e in range(len(s.edges)):
        x0, y0, x1, y1 = s.edges[e, 0], s.edges[e, 1], s.edges[e, 2], s.edges[e, 3]
        qx0, qy0, qx1, qy1 = x0, y0, x1, y1
        if y0 > y1:
            qx0, qy0, qx1, qy1 = x1, y1, x0, y0
        row0, row1 = _rows(g, qy0, qy1)
        for iy in range(row0, row1 + 1):
            col0, col1 = _columns(g, iy, qx0, qy0, qx1, qy1)
            for cell in range(iy * g.nx + col0, iy * g.nx + col1 + 1):
                for k in range(g.edge_at[cell], g.edge_at[cell + 1]):
                    f = g.edge[k]
                    if f <= e or seen[f] == e:
                        continue
                    seen[f] = e
                    ax, ay, bx, by = s.edges[f, 0], s.edges[f, 1], s.edges[f, 2], s.edges[f, 3]
                    if (ax == x0 and ay == y0) or (bx == x0 and by == y0):
                        continue
                    if (ax == x1 and ay == y1) or (bx == x1 and by == y1):
                        continue
                    if meet(ax, ay, bx, by, x0, y0, x1, y1):
                        n += 1
                        if n == most:
                            return n
    return n
