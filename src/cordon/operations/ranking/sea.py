"""Sea routes around land: a grid of sea about a place, and one search from the place over it.

The grid reaches `HALF` degrees from a whole degree near the place, in steps of `STEP`. Points
are joined to 16 neighbours where the line between them crosses no land, which makes a route at
most 2.8 % longer than the shortest over open water, and by about a step at a cape; where the
straight line is clear it is taken instead. The grid of a place is built once and kept.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from shapely.geometry.base import BaseGeometry

from cordon.kernel import geo
from cordon.operations.ranking.land import Land

HALF = 5.0  # degrees: about 300 nautical miles, 15 h at 20 kn
STEP = 0.04  # degrees: 2.4 nautical miles
KEPT = 8  # grids of one node
REACH = 2  # steps from a place to the points that it is joined to
_MOVES = ((0, 1), (1, 0), (1, 1), (1, -1), (1, 2), (2, 1), (2, -1), (1, -2))

_shapes: Any = shapely  # these functions of it have no types
Floats = NDArray[np.float64]


class Sea:
    """The sea about a place.

    Args:
        land: of the earth. lat, lon: middle (degrees). half, step: reach and step (degrees).
    """

    def __init__(
        self, land: Land, lat: float, lon: float, *, half: float = HALF, step: float = STEP
    ) -> None:
        self.middle, self.step = (lat, lon), step
        rows = np.arange(max(-89.9, lat - half), min(89.9, lat + half) + step / 2, step)
        # a degree of longitude is shorter away from the equator: as many, but wider, steps
        wide = min(step / max(np.cos(np.radians(lat)), 0.1), 0.5)
        half_lon = half * wide / step
        columns = np.arange(lon - half_lon, lon + half_lon + wide / 2, wide)
        self.rows, self.columns, self._wide = rows, columns, wide
        self.land = land.within(
            columns[0] - wide, rows[0] - step, columns[-1] + wide, rows[-1] + step
        )
        _shapes.prepare(self.land)
        lons, lats = np.meshgrid(columns, rows)
        self._lats, self._lons = lats.ravel(), lons.ravel()
        self._wet = ~_shapes.contains_xy(self.land, self._lons, self._lats)
        self._graph = self._joined()

    def covers(self, lat: float, lon: float) -> bool:
        """True where a place lies in the grid."""
        near = float(self._near(lon))
        return bool(
            self.rows[0] <= lat <= self.rows[-1] and self.columns[0] <= near <= self.columns[-1]
        )

    def sample(self, rng: np.random.Generator, count: int, within: float = HALF) -> Floats:
        """Points of the sea drawn at random, within degrees of latitude and longitude of the
        middle, as rows of (lat, lon)."""
        lat, lon = self.middle
        near = (abs(self._lats - lat) <= within) & (abs(self._lons - lon) <= within)
        some = rng.choice(np.flatnonzero(self._wet & near), count)
        return np.stack([self._lats[some], self._lons[some]], axis=1)

    def off_m(self, lat: float, lon: float) -> float:
        """Metres from a place to the coast drawn: above zero at sea, below zero on land.

        Infinite at sea where no land lies in the grid.
        """
        place = _shapes.Point(float(self._near(lon)), lat)
        coast = _shapes.boundary(self.land)
        if coast.is_empty:
            return float("inf")
        # degrees of longitude shrink away from the equator: measured in equal ones
        shrink = max(float(np.cos(np.radians(lat))), 0.01)
        near = place.buffer(1.0 / shrink)
        part = shapely.intersection(coast, shapely.box(*near.bounds))
        line = _shapes.shortest_line(
            *(_shrunk(g, shrink) for g in (place, part if not part.is_empty else coast))
        )
        ends = shapely.get_coordinates(line)
        metres = float(
            geo.distance_m(ends[0, 1], ends[0, 0] / shrink, ends[1, 1], ends[1, 0] / shrink)
        )
        return -metres if _shapes.contains(self.land, place) else metres

    def clear(self, start: Floats, ends: Floats) -> NDArray[np.bool_]:
        """Whether lines cross no land. Both: rows of (lat, lon), broadcast to one another."""
        start, ends = np.broadcast_arrays(start, ends)
        ways = np.stack([start[:, ::-1], ends[:, ::-1]], axis=1)
        for each in (0, 1):
            ways[:, each, 0] = self._near(ways[:, each, 0])
        return np.asarray(~_shapes.intersects(self.land, shapely.linestrings(ways)))

    def distances(self, lat: float, lon: float, boats: Floats) -> Floats:
        """Sea route (m) from each boat (rows of lat, lon) to a place; infinite where none is.

        A boat or place on the drawn land (a harbour finer than the map) is joined straight to
        the sea points around it, two steps away at most.
        """
        place = np.array([[lat, lon]])
        found = np.asarray(geo.distance_m(boats[:, 0], boats[:, 1], lat, lon))
        inside = np.array([self.covers(*b) for b in boats], dtype=bool)
        open_ = np.zeros(len(boats), dtype=bool)
        open_[inside] = self.clear(place, boats[inside]) if inside.any() else False
        around = np.flatnonzero(~open_)
        found[around] = np.inf
        around = around[inside[around]]
        if not len(around):
            return found
        graph = self._joined_to(place)
        if graph is None:
            return found
        reached = dijkstra(graph, directed=True, indices=len(self._lats))
        boat, points, metres = self._links(boats[around])
        best = np.full(len(around), np.inf)
        np.minimum.at(best, boat, metres + reached[points])
        found[around] = best
        return found

    def paths(self, lat: float, lon: float, boats: Floats) -> list[tuple[Floats, float] | None]:
        """The route of each boat (rows of lat, lon) to a place, as rows of (lat, lon) from the
        boat on, and its length (m); None where there is none, or the boat is past the grid.

        The straight line where it is clear; else as long as `distances` tells.
        """
        place = np.array([[lat, lon]])
        straight = np.asarray(geo.distance_m(boats[:, 0], boats[:, 1], lat, lon))
        found: list[tuple[Floats, float] | None] = [None] * len(boats)
        graph = self._joined_to(place)
        search: tuple[Floats, NDArray[np.int32]] | None = None
        for i, boat in enumerate(boats):
            if not self.covers(*boat):
                continue
            if bool(self.clear(place, boat[None])[0]):
                found[i] = np.stack([boat, place[0]]), float(straight[i])
                continue
            if graph is None:
                continue
            if search is None:
                search = dijkstra(
                    graph, directed=True, indices=len(self._lats), return_predecessors=True
                )
            _, points, metres = self._links(boat[None])
            whole = metres + search[0][points]
            if len(points) and np.isfinite(whole).any():
                best = int(whole.argmin())
                way = [boat, *self._walked(search[1], int(points[best])), place[0]]
                found[i] = np.stack(way), float(whole[best])
        return found

    def _walked(self, before: NDArray[np.int32], point: int) -> list[Floats]:
        """Points of the grid from one on, each with the one before it in a search."""
        way = []
        while 0 <= point < len(self._lats):
            way.append(np.array([self._lats[point], self._lons[point]]))
            point = int(before[point])
        return way

    def _joined_to(self, place: Floats) -> csr_array | None:
        """The grid with a place as its last point, joined to those about it; None where none is."""
        _, points, metres = self._links(place)
        if not len(points):
            return None
        n = len(self._lats)
        return csr_array(
            (
                np.concatenate([self._graph.data, metres]),
                np.concatenate([self._graph.indices, points.astype(np.int32)]),
                np.append(self._graph.indptr, self._graph.nnz + len(points)).astype(np.int32),
            ),
            shape=(n + 1, n + 1),
        )

    def _near(self, lon: Floats | float) -> Floats | float:
        """A longitude turned to within 180° of the middle."""
        middle = self.middle[1]
        return (lon - middle + 180.0) % 360.0 - 180.0 + middle

    def _links(self, places: Floats) -> tuple[NDArray[np.intp], NDArray[np.intp], Floats]:
        """Sea points that places are joined to: number of the place, point, metres."""
        lat, lon = places[:, 0], np.asarray(self._near(places[:, 1]))
        row = np.rint((lat - self.rows[0]) / self.step).astype(int)
        column = np.rint((lon - self.columns[0]) / self._wide).astype(int)
        span = np.arange(-REACH, REACH + 1)
        shape = (len(places), len(span), len(span))
        rows = np.broadcast_to(row[:, None, None] + span[:, None], shape).ravel()
        columns = np.broadcast_to(column[:, None, None] + span, shape).ravel()
        number = np.repeat(np.arange(len(places)), len(span) ** 2)
        good = (
            (rows >= 0) & (rows < len(self.rows)) & (columns >= 0) & (columns < len(self.columns))
        )
        number, point = number[good], (rows * len(self.columns) + columns)[good]
        good = self._wet[point]
        number, point = number[good], point[good]
        ends = np.stack([self._lats[point], self._lons[point]], axis=1)
        # on the drawn land no line is clear: there any point of the sea close by will do
        dry = _shapes.contains_xy(self.land, lon, lat)
        good = dry[number] | self.clear(places[number], ends) if len(number) else dry[:0]
        number, point, ends = number[good], point[good], ends[good]
        metres = geo.distance_m(lat[number], lon[number], ends[:, 0], ends[:, 1])
        return number, point, np.asarray(metres)

    def _joined(self) -> csr_array:
        """Sea points joined to their neighbours, both ways, in metres."""
        height, width = len(self.rows), len(self.columns)
        number = np.arange(height * width).reshape(height, width)
        wet = self._wet.reshape(height, width)
        near = self._coast(height, width)
        starts, ends = [], []
        for down, right in _MOVES:
            left = max(0, -right)
            a = number[: height - down, left : width - max(0, right)].ravel()
            b = number[down:, left + right : width - max(0, right) + right].ravel()
            good = wet.ravel()[a] & wet.ravel()[b]
            a, b = a[good], b[good]
            close = near.ravel()[a] | near.ravel()[b]
            good = ~close
            lines = np.stack(
                [
                    self._lons[a[close]],
                    self._lats[a[close]],
                    self._lons[b[close]],
                    self._lats[b[close]],
                ],
                axis=1,
            ).reshape(-1, 2, 2)
            if len(lines):
                good[close] = ~_shapes.intersects(self.land, shapely.linestrings(lines))
            starts.append(a[good])
            ends.append(b[good])
        a, b = np.concatenate(starts), np.concatenate(ends)
        metres = geo.distance_m(self._lats[a], self._lons[a], self._lats[b], self._lons[b])
        n = height * width
        graph = csr_array(
            (np.tile(metres, 2), (np.concatenate([a, b]), np.concatenate([b, a]))), shape=(n, n)
        )
        graph.sort_indices()
        return graph

    def _coast(self, height: int, width: int) -> NDArray[np.bool_]:
        """Points within two steps of a coast: only their lines are held against the land."""
        near = np.zeros((height, width), dtype=bool)
        coast = _shapes.segmentize(_shapes.boundary(self.land), self.step / 2)
        xy = shapely.get_coordinates(coast)
        row = np.rint((xy[:, 1] - self.rows[0]) / self.step).astype(int)
        column = np.rint((xy[:, 0] - self.columns[0]) / self._wide).astype(int)
        for down in range(-3, 4):
            for right in range(-3, 4):
                r, c = row + down, column + right
                good = (r >= 0) & (r < height) & (c >= 0) & (c < width)
                near[r[good], c[good]] = True
        return near


def _shrunk(shape: BaseGeometry, by: float) -> BaseGeometry:
    turned: BaseGeometry = shapely.transform(shape, lambda xy: xy * (by, 1.0))
    return turned


class Seas:
    """Seas by whole degrees, the last ones kept; safe in threads.

    Args:
        half, step: as of `Sea`. kept: how many.
    """

    def __init__(
        self, land: Land, *, half: float = HALF, step: float = STEP, kept: int = KEPT
    ) -> None:
        self._land, self._lock = land, Lock()
        self._half, self._step, self._most = half, step, kept
        self._kept: OrderedDict[tuple[int, int], Sea] = OrderedDict()

    def about(self, lat: float, lon: float) -> Sea:
        """The sea about a place; built where it is asked for first."""
        key = (round(lat), round(lon))
        with self._lock:
            if key not in self._kept:
                self._kept[key] = Sea(self._land, *key, half=self._half, step=self._step)
                while len(self._kept) > self._most:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(key)
            return self._kept[key]
