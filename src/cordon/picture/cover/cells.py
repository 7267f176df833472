"""A sector as cells of one size, over which its cover is counted."""

# mypy: disable-error-code="no-untyped-call"
# Shapely has no types of its own.
from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from cordon.picture.model import Zone
from cordon.picture.tracks import Bools, Floats
from cordon.picture.zones import METRES_PER_DEGREE, inside

CELLS = 900
"""So many cells a sector has, more or less: a share is then good to half a percent."""
_LEAST_M = 10.0


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells of a sector.

    Attributes:
        lat, lon: their middles (degrees, WGS 84). size_m: length of a side; of a cell along a
            line, the length of line that it stands for.
        x, y: their middles in metres east and north of `origin` (lat, lon), for distances
            within and around the sector. on_line: whether they stand along the border's line.
    """

    lat: Floats
    lon: Floats
    size_m: float
    origin: tuple[float, float]
    x: Floats
    y: Floats
    on_line: bool

    def __len__(self) -> int:
        return len(self.lat)

    def plane(self, lat: Any, lon: Any) -> tuple[Floats, Floats]:
        """Places in the same metres; good to a percent within some 200 km."""
        east = (np.asarray(lon, dtype=np.float64) - self.origin[1] + 540.0) % 360.0 - 180.0
        shrink = math.cos(math.radians(self.origin[0]))
        north = np.asarray(lat, dtype=np.float64) - self.origin[0]
        return east * METRES_PER_DEGREE * shrink, north * METRES_PER_DEGREE

    def shape(self, chosen: Bools) -> BaseGeometry:
        """The chosen cells as one area (degrees, longitude first), for the map."""
        high = self.size_m / 2 / METRES_PER_DEGREE
        wide = high / math.cos(math.radians(self.origin[0]))
        lat, lon = self.lat[chosen], self.lon[chosen]
        grow = 1.0005  # so that neighbours meet and no slit stays between them
        boxes = shapely.box(
            np.maximum(lon - wide * grow, -180.0),
            np.maximum(lat - high * grow, -90.0),
            np.minimum(lon + wide * grow, 180.0),
            np.minimum(lat + high * grow, 90.0),
        )
        whole: BaseGeometry = shapely.union_all(boxes)
        return whole


def cells_of(zone: Zone, lines: Sequence[Zone] = (), *, count: int = CELLS) -> Cells:
    """The cells of a sector.

    Args:
        lines: borders; where given and one of them passes through the sector, cells stand along
            it and not over the area.
    """
    if lines:
        passing = shapely.union_all([z.geometry.intersection(zone.geometry) for z in lines])
        if shapely.length(passing) > 0:
            return _along(zone, passing, count)
    return _over(zone, count)


def _over(zone: Zone, count: int) -> Cells:
    geometry = _unwrapped(zone.geometry)
    west, south, east, north = geometry.bounds
    origin = (south + north) / 2, (west + east) / 2
    shrink = max(0.01, math.cos(math.radians(origin[0])))
    area = geometry.area * METRES_PER_DEGREE**2 * shrink
    size = max(_LEAST_M, math.sqrt(area / count))
    high = size / METRES_PER_DEGREE
    wide = high / shrink
    rows = max(1, math.ceil((north - south) / high))
    columns = max(1, math.ceil((east - west) / wide))
    # a long thin slanting sector would make a grid that is nearly all outside
    while rows * columns > 400 * count:
        size, high, wide = size * 2, high * 2, wide * 2
        rows, columns = max(1, math.ceil(rows / 2)), max(1, math.ceil(columns / 2))
    lat, lon = np.meshgrid(
        south + (np.arange(rows) + 0.5) * (north - south) / rows,
        west + (np.arange(columns) + 0.5) * (east - west) / columns,
        indexing="ij",
    )
    at = lat.ravel(), (lon.ravel() + 540.0) % 360.0 - 180.0
    kept = inside(zone, *at)
    if not kept.any():  # thinner than a cell
        spot = geometry.representative_point()
        at, kept = (np.array([spot.y]), np.array([spot.x])), np.ones(1, dtype=np.bool_)
    return _cells(at[0][kept], at[1][kept], size, origin, on_line=False)


def _along(zone: Zone, line: BaseGeometry, count: int) -> Cells:
    parts = [p for p in getattr(line, "geoms", [line]) if p.geom_type.endswith("LineString")]
    west, south, east, north = _unwrapped(zone.geometry).bounds
    origin = (south + north) / 2, (west + east) / 2
    shrink = max(0.01, math.cos(math.radians(origin[0])))
    # in a plane where a degree of longitude is as long as one of latitude
    flat = [shapely.transform(p, lambda c: c * [shrink, 1.0]) for p in parts]
    total = sum(p.length for p in flat)
    step = max(_LEAST_M / METRES_PER_DEGREE, total / count)
    spots = []
    for part in flat:
        n = max(1, round(part.length / step))
        at = (np.arange(n) + 0.5) / n
        spots.append(
            shapely.get_coordinates(shapely.line_interpolate_point(part, at, normalized=True))
        )
    x, y = np.concatenate(spots).T
    return _cells(y, x / shrink, step * METRES_PER_DEGREE, origin, on_line=True)


def _cells(
    lat: Floats, lon: Floats, size: float, origin: tuple[float, float], *, on_line: bool
) -> Cells:
    made = Cells(lat, lon, size, origin, lat, lon, on_line)
    x, y = made.plane(lat, lon)
    return Cells(lat, lon, size, origin, x, y, on_line)


def _unwrapped(geometry: BaseGeometry) -> BaseGeometry:
    """An area on both sides of the antimeridian as one, its west beyond 180."""
    west, _, east, _ = geometry.bounds
    if east - west <= 180:
        return geometry
    moved: BaseGeometry = shapely.transform(
        geometry,
        lambda c: np.column_stack((np.where(c[:, 0] < 0, c[:, 0] + 360, c[:, 0]), c[:, 1])),
    )
    return moved
