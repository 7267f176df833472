"""Many zones as arrays over uniform grids: which of them points lie in and ways meet.

A cell of a grid lies wholly inside a zone, wholly outside it, or is passed by some of its edges.
Only in the last case is a point held against edges, and then against those at its own height.
Zones of one size share a grid whose cells suit that size, so that a harbour and a country may
stand side by side.

**Boundary rule**: a zone is closed. A point on its outline lies in it, and a way that touches it
meets it. Signs of orientation are exact, so that the answers are those of the drawn polygon to
the last bit, as Shapely's `intersects` gives them.
"""

# mypy: disable-error-code="no-untyped-call"
# Shapely has no types of its own.
from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from cordon.picture.model import Zone
from cordon.picture.tracks import Bools, Floats, Ints
from cordon.picture.ways import Ways, ways_between

_LEAST_CELLS, _MOST_CELLS = 8, 256  # along the longer side of a zone
_BUDGET = 4 << 20  # cells of all zones together
_GRID = 2 << 20  # cells of one grid
_MOST_BINS = 1024
_KEPT = 64  # sets of zones of which the grids are kept


Hits = tuple[Ints, Ints, Ints, Ints]


class Shapes(NamedTuple):
    """Edges of zones as arrays; what Numba's loops read (`zonekernel.py`).

    `edges` holds x0, y0, x1, y1 (degrees); zone z has the rows edge_at[z] to edge_at[z + 1].
    `bins` holds the same edges again, in bins by v: v is y, or x where `bin_turned`;
    `bin_reach` is the least and greatest u of each bin.
    """

    edges: Floats
    edge_at: Ints
    edge_zone: NDArray[np.int32]
    area: Bools
    west: Floats
    south: Floats
    east: Floats
    north: Floats
    bin_turned: Bools
    bin_low: Floats
    bin_high: Floats
    bin_inv: Floats
    bin_count: Ints
    bin_first: Ints
    bin_at: Ints
    bins: Floats
    bin_reach: Floats


class Grid(NamedTuple):
    """One grid: its origin and cells a degree, and what each cell holds, row after row.

    `held` is 2 × zone, and 1 more where the whole cell lies inside; `edge` are rows of edges.
    """

    x0: float
    y0: float
    inv: float
    nx: int
    ny: int
    held_at: Ints
    held: NDArray[np.int32]
    edge_at: Ints
    edge: NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class ZoneGrid:
    """Zones made ready for many questions. Make one by `grid_of`, which keeps it.

    Attributes:
        geometries: what it was made of, in order; zones are told by their place in it.
    """

    geometries: tuple[BaseGeometry, ...]
    shapes: Shapes
    grids: tuple[Grid, ...]

    def points(self, lat: Floats, lon: Floats) -> tuple[Ints, Ints]:
        """Zone and point of each case of a point that lies in a zone, by zone, then point."""
        from cordon.picture import zonekernel as kernel

        lat, lon = _floats(lat), _floats(lon)
        found = [kernel.point_hits(self.shapes, g, lat, lon) for g in self.grids]
        return _sorted(found, len(self.geometries))

    def meets(self, lat: Floats, lon: Floats, a: Ints, b: Ints) -> tuple[Ints, Ints]:
        """Zone and n of each way from fix a[n] to b[n] that touches a zone's outline.

        By zone, then way; each pair once.
        """
        found, pieces = self._ways(lat, lon, a, b, signed=False)
        found += [(z, pieces.owner[w], e, sign) for z, w, e, sign in self._of(pieces, signed=False)]
        zones, owners, _, _ = _joined(found)
        order = np.lexsort((owners, zones))
        zones, owners = zones[order], owners[order]
        new = np.ones(len(zones), dtype=np.bool_)  # two pieces of one way may meet one zone
        new[1:] = (np.diff(zones) != 0) | (np.diff(owners) != 0)
        return zones[new], owners[new]

    def crossings(self, lat: Floats, lon: Floats, a: Ints, b: Ints) -> Crossings:
        """Each passing of a way from fix a[n] to b[n] over an edge, by zone, way, and along it.

        What lies inside an area is left of its edges.
        """
        found, pieces = self._ways(lat, lon, a, b, signed=True)
        zones, ways, edges, signs = _joined(found)
        ends = np.column_stack((lon[a[ways]], lat[a[ways]], lon[b[ways]], lat[b[ways]]))
        zones2, ways2, edges2, signs2 = _joined(self._of(pieces, signed=True))
        share, y, x = self._spots(np.concatenate((ends, pieces.line[ways2])), edges, edges2)
        begin = np.concatenate((np.zeros(len(ways)), pieces.begin[ways2]))
        end = np.concatenate((np.ones(len(ways)), pieces.end[ways2]))
        along = begin + share * (end - begin)
        zones, ways = np.append(zones, zones2), np.append(ways, pieces.owner[ways2])
        signs = np.append(signs, signs2)
        order = np.lexsort((along, ways, zones))
        return Crossings(zones[order], ways[order], signs[order], along[order], y[order], x[order])

    def _spots(self, line: Floats, edges: Ints, edges2: Ints) -> tuple[Floats, Floats, Floats]:
        """Where lines (rows x0, y0, x1, y1) meet edges: the part gone, latitude, longitude."""
        edge = self.shapes.edges[np.append(edges, edges2)]
        p, r, e = line[:, :2], line[:, 2:] - line[:, :2], edge[:, 2:] - edge[:, :2]
        with np.errstate(divide="ignore", invalid="ignore"):
            share = _cross(edge[:, :2] - p, e) / _cross(r, e)
        share = np.clip(np.nan_to_num(share, nan=0.5), 0.0, 1.0)
        spot = p + share[:, None] * r
        return share, spot[:, 1], (spot[:, 0] + 540.0) % 360.0 - 180.0

    def _ways(
        self, lat: Floats, lon: Floats, a: Ints, b: Ints, *, signed: bool
    ) -> tuple[list[Hits], Ways]:
        """What short ways meet, and the long ones in pieces that are still to be asked for."""
        from cordon.picture import zonekernel as kernel

        lat, lon = _floats(lat), _floats(lon)
        a, b = np.asarray(a, dtype=np.int64), np.asarray(b, dtype=np.int64)
        long = kernel.long_ways(lat, lon, a, b)
        found = [kernel.way_hits(self.shapes, g, lat, lon, a, b, long, signed) for g in self.grids]
        some = np.flatnonzero(long)
        pieces = ways_between(lat, lon, a[some], b[some])
        return found, replace(pieces, owner=some[pieces.owner])

    def _of(self, ways: Ways, *, signed: bool) -> list[Hits]:
        """Zone, piece, edge and sign of what pieces meet."""
        from cordon.picture import zonekernel as kernel

        n = len(ways.line)
        y = np.concatenate((ways.line[:, 1], ways.line[:, 3]))
        x = np.concatenate((ways.line[:, 0], ways.line[:, 2]))
        a, none = np.arange(n), np.zeros(n, dtype=np.bool_)
        return [kernel.way_hits(self.shapes, g, y, x, a, a + n, none, signed) for g in self.grids]

    def tangles(self, most: int) -> int:
        """How many pairs of edges meet elsewhere than at their ends; no more than `most`."""
        from cordon.picture import zonekernel as kernel

        return sum(kernel.self_crossings(self.shapes, g, most) for g in self.grids)

    def distance(self, zone: int, lat: Floats, lon: Floats, enough: float = 0.0) -> Floats:
        """Distance (m) from points to the outline of one zone.

        On the plane that touches the sphere at each point: good to a percent within some 50 km.

        Args:
            enough: where the outline lies at most so near (m), any such distance will do, and
                where it lies farther, infinity; 0 for the true distance.
        """
        from cordon.picture import zonekernel as kernel

        found: Floats = kernel.edge_distance(
            self.shapes, zone, _floats(lat), _floats(lon), float(enough)
        )
        return found


@dataclass(frozen=True, slots=True)
class Crossings:
    """Passings of ways over edges. `sign` is 1 from left to right of the edge, else -1.

    Attributes:
        zone: place among the grid's zones. way: owner of the piece. along: how much of the way
            was gone, 0 to 1. lat, lon: where (degrees).
    """

    zone: Ints
    way: Ints
    sign: Ints
    along: Floats
    lat: Floats
    lon: Floats


def _joined(found: Sequence[Hits]) -> Hits:
    if not found:
        nothing = np.empty(0, dtype=np.int64)
        return nothing, nothing, nothing, nothing
    zones, ways, edges, signs = (np.concatenate([f[i] for f in found]) for i in range(4))
    return zones, ways, edges, signs


def _cross(a: Floats, b: Floats) -> Floats:
    return np.asarray(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])


def _floats(values: Any) -> Floats:
    return np.ascontiguousarray(values, dtype=np.float64)


def _sorted(found: Sequence[tuple[Ints, Ints]], count: int) -> tuple[Ints, Ints]:
    zones = np.concatenate([z for z, _ in found]) if found else np.empty(0, np.int32)
    points = np.concatenate([p for _, p in found]) if found else np.empty(0, np.int64)
    if len(found) > 1:
        order = np.argsort(points, kind="stable")
        zones, points = zones[order], points[order]
    # few zones: their numbers fit the radix sort that NumPy has for short integers
    order = np.argsort(zones.astype(np.uint16) if count < 1 << 16 else zones, kind="stable")
    return zones[order].astype(np.int64), points[order]


_made: OrderedDict[tuple[int, ...], ZoneGrid] = OrderedDict()


def grid_of(zones: Sequence[Zone]) -> ZoneGrid:
    """The zones made ready; kept for the next call with the same geometries."""
    key = tuple(id(z.geometry) for z in zones)
    grid = _made.get(key)
    if grid is None:
        grid = _grid(tuple(z.geometry for z in zones))
        _made[key] = grid  # it holds the geometries, so that their ids stay theirs
        while len(_made) > _KEPT:
            _made.popitem(last=False)
    return grid


def tangles(geometry: BaseGeometry, most: int) -> int:
    """How often an outline meets itself, counted up to `most`; it need not be valid."""
    return _grid((geometry,)).tangles(most)


def _grid(geometries: tuple[BaseGeometry, ...]) -> ZoneGrid:
    from cordon.picture import zonekernel as kernel

    shapes, sizes, counts = _shapes(geometries)
    cells = np.clip(2.0 * np.sqrt(counts), _LEAST_CELLS, _MOST_CELLS)
    cells *= min(1.0, math.sqrt(_BUDGET / max(1.0, float(np.sum(cells**2)))))
    level = np.round(np.log2(np.maximum(sizes, 1e-9) / cells) / 2).astype(np.int64)
    grids = []
    for one in np.unique(level):
        some = np.flatnonzero(level == one)
        west, south = float(shapes.west[some].min()), float(shapes.south[some].min())
        wide = max(float(shapes.east[some].max()) - west, 1e-9)
        high = max(float(shapes.north[some].max()) - south, 1e-9)
        cell = max(4.0 ** float(one), math.sqrt(wide * high / _GRID), wide / _GRID, high / _GRID)
        # half a cell to spare on each side, so that an outline never lies on the grid's own
        nx, ny = int(wide / cell) + 2, int(high / cell) + 2
        bare = Grid(
            west - cell / 2,
            south - cell / 2,
            1.0 / cell,
            nx,
            ny,
            np.zeros(1, np.int64),
            np.zeros(0, np.int32),
            np.zeros(1, np.int64),
            np.zeros(0, np.int32),
        )
        at, held, cells_of_edges, edge = kernel.rasterise(shapes, bare, some)
        held_at, held = _by_cell(at, held, nx * ny)
        edge_at, edge = _by_cell(cells_of_edges, edge, nx * ny)
        grids.append(bare._replace(held_at=held_at, held=held, edge_at=edge_at, edge=edge))
    return ZoneGrid(geometries, shapes, tuple(grids))


def _by_cell(
    cell: NDArray[np.int32], held: NDArray[np.int32], count: int
) -> tuple[Ints, NDArray[np.int32]]:
    at = np.zeros(count + 1, dtype=np.int64)
    np.cumsum(np.bincount(cell, minlength=count), out=at[1:])
    return at, np.ascontiguousarray(held[np.argsort(cell, kind="stable")])


def _shapes(geometries: tuple[BaseGeometry, ...]) -> tuple[Shapes, Floats, Ints]:
    """The arrays, the longer side (degrees) of each zone, and how many edges it has."""
    from cordon.picture import zonekernel as kernel

    edges: list[Floats] = []
    area = []
    for g in geometries:
        area.append(int(shapely.get_dimensions(g)) == 2)
        # outlines run counter-clockwise, so that what lies inside is left of them
        lines = shapely.get_parts(shapely.orient_polygons(g).boundary if area[-1] else g)
        own = [np.empty((0, 4))]
        for line in lines:
            xy = shapely.get_coordinates(line)
            own.append(np.column_stack((xy[:-1], xy[1:])))
        edges.append(np.concatenate(own))
    counts = np.array([len(e) for e in edges], dtype=np.int64)
    edge_at = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
    whole = np.concatenate([*edges, np.empty((0, 4))])
    west, south, east, north = shapely.bounds(np.array(geometries, dtype=object)).T.copy()
    turned = np.zeros(len(edges), dtype=bool)
    low, high, inv = (np.zeros(len(edges)) for _ in range(3))
    bins = np.zeros(len(edges), dtype=np.int64)
    flat = whole.copy()
    for z, e in enumerate(edges):
        span = east[z] - west[z], north[z] - south[z]
        # the way in which edges overlap less: along a coast from east to west that is x
        reach = np.abs(e[:, 2] - e[:, 0]).sum(), np.abs(e[:, 3] - e[:, 1]).sum()
        turned[z] = reach[0] * span[1] < reach[1] * span[0]
        if turned[z]:
            flat[edge_at[z] : edge_at[z + 1]] = e[:, [1, 0, 3, 2]]
        low[z], high[z] = (west[z], east[z]) if turned[z] else (south[z], north[z])
        bins[z] = min(_MOST_BINS, max(1, len(e)))
        inv[z] = bins[z] / max(high[z] - low[z], 1e-12)
    first = np.concatenate(([0], np.cumsum(bins))).astype(np.int64)
    at = np.zeros(int(first[-1]) + 1, dtype=np.int64)
    nothing = np.empty((0, 4))

    def fill(into: Floats, marks: Ints) -> None:
        for z in range(len(edges)):
            a, b, f = int(edge_at[z]), int(edge_at[z + 1]), int(first[z])
            kernel.fill_bins(flat, a, b, low[z], inv[z], int(bins[z]), marks[f:], into)

    fill(nothing, at[1:])
    np.cumsum(at, out=at)
    held = np.empty((int(at[-1]), 4))
    fill(held, at[:-1].copy())
    shapes = Shapes(
        whole,
        edge_at,
        np.repeat(np.arange(len(edges), dtype=np.int32), counts),
        np.array(area, dtype=np.bool_),
        west,
        south,
        east,
        north,
        turned,
        low,
        high,
        inv,
        bins,
        first[:-1].copy(),
        at,
        held,
        kernel.bounds_of_bins(held, at),
    )
    return shapes, np.maximum(east - west, north - south), counts
