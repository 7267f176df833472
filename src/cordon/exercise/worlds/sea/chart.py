"""The chart: shore, ports, anchorages, grounds and lanes, and ways over the water between them."""

# mypy: disable-error-code="no-untyped-call"
# Shapely has no types of its own.
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from scipy.sparse.csgraph import dijkstra
from shapely.geometry import LineString, Point, Polygon

from cordon.exercise.worlds import paths
from cordon.exercise.worlds.paths import near
from cordon.exercise.worlds.seeing.motion import METRES_PER_DEGREE
from cordon.exercise.worlds.seeing.streams import Rng, Streams
from cordon.kernel.units import METRES_PER_NAUTICAL_MILE

Data = dict[str, Any]
_NM_DEG = METRES_PER_NAUTICAL_MILE / METRES_PER_DEGREE
_KEEP_OFF_DEG = 0.012  # how far routes stay from land, and from restricted zones
_FINEST_KM = 1.2


@dataclass(frozen=True, slots=True)
class Place:
    """A place of the chart.

    Attributes:
        id, name, kind: as its zone. lat, lon: degrees. radius_nm: how far it reaches.
        shape: its polygon, longitude first.
    """

    id: str
    name: str
    kind: str
    lat: float
    lon: float
    radius_nm: float
    shape: Polygon

    @property
    def at(self) -> tuple[float, float]:
        return self.lat, self.lon


class Chart:
    """The chart of one world: fixed places, and shapes that its seed draws.

    Attributes:
        land: polygon. places: by id. lanes: [lat, lon] by id. out: of a port, its outer point.
    """

    def __init__(self, data: Data, streams: Streams) -> None:
        self.data = data
        rng = streams.of("chart")
        self.land = _land(data, rng)
        self.places: dict[str, Place] = {}
        self.out: dict[str, tuple[float, float]] = {}
        self.lanes: dict[str, list[list[float]]] = {z["id"]: z["line"] for z in data["lanes"]}
        for port in data["ports"]:
            self._round(port, "port", port["radius_m"])
            self.out[port["id"]] = (port["out"][0], port["out"][1])
        for one in data["anchorages"]:
            self._round(one, "anchorage", one["radius_m"])
        for one in data["pilotages"]:
            self._round(one, "pilotage", one["radius_m"])
        for one in data["grounds"]:
            self._oval(one, "fishing_ground", rng, shift_nm=2.5)
        for one in data["restricted"]:
            self._oval(one, "restricted", rng, shift_nm=0.8)
        shapely.prepare(self.land)
        closed = [z.shape.buffer(0.005) for z in self.of_kind("restricted")]
        self._closed = shapely.union_all(closed)
        shapely.prepare(self._closed)
        self._router = _Router(self.land, [z.shape for z in self.of_kind("restricted")], data)

    def of_kind(self, kind: str) -> list[Place]:
        """The places of a kind."""
        return [p for p in self.places.values() if p.kind == kind]

    def _round(self, one: Data, kind: str, radius_m: float) -> None:
        shape = oval(one["lat"], one["lon"], radius_m, radius_m)
        nm = radius_m / METRES_PER_NAUTICAL_MILE
        self.places[one["id"]] = Place(
            one["id"], one["name"], kind, one["lat"], one["lon"], nm, shape
        )

    def _oval(self, one: Data, kind: str, rng: Rng, *, shift_nm: float) -> None:
        lat, lon = near(rng, (one["lat"], one["lon"]), shift_nm)
        wide, high = (
            one[k] * METRES_PER_NAUTICAL_MILE * float(rng.uniform(0.9, 1.1))
            for k in ("half_wide_nm", "half_high_nm")
        )
        shape = oval(lat, lon, wide, high, rough=rng.uniform(0.85, 1.1, 18))
        nm = min(wide, high) / METRES_PER_NAUTICAL_MILE
        self.places[one["id"]] = Place(one["id"], one["name"], kind, lat, lon, nm, shape)

    def on_land(self, place: tuple[float, float], *, deep_deg: float) -> bool:
        """Whether a place (lat, lon) lies on land, so far from the water at least (degrees)."""
        point = Point(place[1], place[0])
        return bool(self.land.contains(point) and self.land.exterior.distance(point) >= deep_deg)

    def at_sea(self, place: paths.Point, *, off_deg: float = 0.0) -> bool:
        """Whether a place lies on the water, and so far from land."""
        spot = Point(place[1], place[0])
        if off_deg:
            return bool(shapely.distance(self.land, spot) > off_deg)
        return not bool(shapely.intersects(self.land, spot))

    def within(self, place: Place, rng: Rng) -> tuple[float, float]:
        """A place on the water within another, evenly spread."""
        west, south, east, north = place.shape.bounds
        shapely.prepare(place.shape)
        for _ in range(200):
            lat, lon = float(rng.uniform(south, north)), float(rng.uniform(west, east))
            if shapely.intersects_xy(place.shape, lon, lat) and self.at_sea(
                (lat, lon), off_deg=0.01
            ):
                return lat, lon
        return place.at

    def known(self, lat: float, lon: float, *, margin_nm: float = 0.0) -> bool:
        """Whether a place lies in a port, anchorage, pilotage, ground or restricted zone."""
        spot = Point(lon, lat)
        off = margin_nm * _NM_DEG
        return any(shapely.distance(p.shape, spot) <= off for p in self.places.values())

    def route(self, a: paths.Point, b: paths.Point) -> list[tuple[float, float]]:
        """The points after `a` on a way over the water to `b`, clear of restricted zones."""
        return self._router.way(a, b)

    def clear(self, lat: Any, lon: Any) -> bool:
        """Whether a way keeps well out of every restricted zone."""
        line = LineString(np.column_stack((lon, lat)))
        return not bool(shapely.intersects(self._closed, line))

    def shore_near(self, place: paths.Point) -> tuple[float, float]:
        """The point of the shore that is nearest to a place."""
        _, end = shapely.shortest_line(Point(place[1], place[0]), self.land.exterior).coords
        return float(end[1]), float(end[0])

    def lane_shape(self, one: Data) -> Polygon:
        """A lane as an area."""
        line = LineString([(p[1], p[0]) for p in one["line"]])
        made = line.buffer(one["width_nm"] / 2 * _NM_DEG, quad_segs=2)
        assert isinstance(made, Polygon)
        return made

    def sector_shape(self, one: Data) -> Polygon:
        """A sector: the water between two meridians, from the shore out."""
        box = shapely.box(one["west"], self.data["sector_south"], one["east"], 25.6)
        whole = box.difference(self.land.buffer(0.004))
        parts = [p for p in getattr(whole, "geoms", [whole]) if isinstance(p, Polygon)]
        made = max(parts, key=lambda p: p.area).simplify(0.001)
        assert isinstance(made, Polygon)
        return made


def oval(lat: float, lon: float, wide_m: float, high_m: float, rough: Any = None) -> Polygon:
    """An oval with half-axes in metres, or an uneven one by factors round it."""
    factor = np.ones(48) if rough is None else np.asarray(rough)
    turn = np.linspace(0, 2 * np.pi, len(factor), endpoint=False)
    y = lat + np.sin(turn) * high_m * factor / METRES_PER_DEGREE
    x = lon + np.cos(turn) * wide_m * factor / METRES_PER_DEGREE / np.cos(np.radians(lat))
    return Polygon(np.column_stack((np.round(x, 5), np.round(y, 5))))


def _land(data: Data, rng: Rng) -> Polygon:
    """The land north of the shore, with capes and coves by midpoint displacement."""
    shore = np.array(data["shore"], float)
    rough = data["rough_km"] / 111.0
    size = 1.0
    while True:
        steps = np.hypot(*np.diff(shore, axis=0).T)
        if steps.max() * 111.0 < _FINEST_KM:
            break
        middle = (shore[1:] + shore[:-1]) / 2
        across = np.diff(shore, axis=0)[:, ::-1] * [1, -1] / np.maximum(steps, 1e-9)[:, None]
        shift = rng.normal(0, 1, len(middle)) * np.minimum(steps * 0.18, rough * size)
        middle += across * np.clip(shift, -2 * rough * size, 2 * rough * size)[:, None]
        whole = np.empty((len(shore) + len(middle), 2))
        whole[0::2], whole[1::2] = shore, middle
        shore, size = whole, size * 0.7
    ring = [(x, y) for y, x in np.round(shore, 5)]
    north, west, east = data["box"]["north"], data["box"]["west"], data["box"]["east"]
    land = Polygon([*ring, (east, north), (west, north)])
    if not land.is_valid:
        # where the shore touches itself this is one polygon, where it crosses several pieces
        parts = shapely.get_parts(shapely.make_valid(land))
        areas = [p for part in parts for p in shapely.get_parts(part) if isinstance(p, Polygon)]
        land = max(areas, key=lambda p: p.area)
    return land


class _Router:
    """Ways over the water by the points that one would steer round: a visibility graph."""

    def __init__(self, land: Polygon, closed: list[Polygon], data: Data) -> None:
        self._blocked = shapely.union_all(
            [land.simplify(0.004).buffer(0.006), *(z.buffer(_KEEP_OFF_DEG) for z in closed)]
        )
        shapely.prepare(self._blocked)
        points = []
        for zone in closed:
            west, south, east, north = zone.buffer(_KEEP_OFF_DEG * 2.2).bounds
            points += [(y, x) for x in (west, east) for y in (south, north)]
        box = data["box"]
        for lon in np.arange(box["west"] + 0.1, box["east"], 0.16):
            down = LineString([(lon, box["south"]), (lon, box["north"])]).intersection(land)
            if not down.is_empty:
                points += [(down.bounds[1] - 0.05, float(lon)), (down.bounds[1] - 0.22, float(lon))]
        self._points = [p for p in points if not shapely.intersects_xy(self._blocked, p[1], p[0])]
        n = len(self._points)
        self._far = np.full((n + 2, n + 2), np.inf)
        for i in range(n):
            self._see(i, [*range(i)], self._points[i])

    def _see(self, i: int, others: list[int], place: paths.Point) -> None:
        if not others:
            return
        ends = np.array([self._points[j] for j in others])
        lines = shapely.linestrings([[(place[1], place[0]), (x, y)] for y, x in ends])
        free = ~shapely.intersects(self._blocked, lines)
        away = np.hypot(ends[:, 0] - place[0], (ends[:, 1] - place[1]) * 0.91)
        self._far[i, others] = self._far[others, i] = np.where(free, away, np.inf)

    def way(self, a: paths.Point, b: paths.Point) -> list[tuple[float, float]]:
        """The points after `a`, the last of them `b`."""
        end = (float(b[0]), float(b[1]))
        direct = LineString([(a[1], a[0]), (b[1], b[0])])
        if not shapely.intersects(self._blocked, direct):
            return [end]
        n = len(self._points)
        self._far[n:, :] = self._far[:, n:] = np.inf
        self._see(n, [*range(n)], a)
        self._see(n + 1, [*range(n)], b)
        _, before = dijkstra(
            np.where(np.isfinite(self._far), self._far, 0.0), indices=n, return_predecessors=True
        )
        found, at = [end], int(before[n + 1])
        while at >= 0 and at != n:
            found.append(self._points[at])
            at = int(before[at])
        # where no way is free the straight one is taken: a berth lies behind its mole
        return found[::-1]
