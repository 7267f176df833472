"""Places of planned acts: a circle, or an area with a margin; whether two of them meet.

All is on the sphere, so that the date line and the poles are places like any other. Two areas are
compared on a plane that touches the sphere between them (azimuthal equidistant): at 50 km from its
middle that is wrong by 1 part in 100,000, far less than any radius that is set.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from shapely.geometry import Point, Polygon

from cordon.kernel import geo
from cordon.kernel.errors import BadInput

MOST_REACH_M = 50_000
"""How far from its middle a place may go (m), margin and all."""
MOST_CORNERS = 60
SMALL_M = 5_000.0
"""Places up to here are found by the cell of their middle; larger ones are looked at always."""
LARGE = "large"
_BAND_DEG = 0.25
_SLACK = 1e-9  # radians, a centimetre: more than rounding can lose
_PART = re.compile(
    r"\s*([+-]?\d{1,3}(?:\.\d{1,12})?)\s*(?:°|d|\s)?\s*"
    r"(?:(\d{1,2}(?:\.\d{1,9})?)\s*(?:['′m])?)?\s*([NSEWnsew])?\s*"
)


@dataclass(frozen=True, slots=True)
class Place:
    """A circle, or an area with a margin.

    Attributes:
        lat, lon: the middle (degrees, WGS 84). radius_m: of the circle, or the margin around
            the area (m).
        area: corners (lat, lon) in order, three at least; empty for a circle.
        reach_m: how far from the middle it goes (m).
    """

    lat: float
    lon: float
    radius_m: float
    area: tuple[tuple[float, float], ...] = ()
    reach_m: float = 0.0

    @classmethod
    def circle(cls, lat: float, lon: float, radius_m: float) -> Place:
        """A circle; BadInput where it is none on the earth or too large."""
        _check(lat, lon)
        _check_radius(radius_m)
        return cls(lat, lon, radius_m, (), radius_m)

    @classmethod
    def of_area(cls, corners: list[tuple[float, float]], margin_m: float) -> Place:
        """An area; BadInput where its corners make none, it crosses itself, or is too large."""
        if len(corners) > 1 and corners[0] == corners[-1]:
            corners = corners[:-1]
        if not 3 <= len(corners) <= MOST_CORNERS:
            raise BadInput(f"An area has 3 to {MOST_CORNERS} corners.")
        for lat, lon in corners:
            _check(lat, lon)
        _check_radius(margin_m)
        lat, lon = _middle(corners)
        lats, lons = zip(*corners, strict=True)
        reach = float(geo.distance_m(lat, lon, lats, lons).max()) + margin_m
        if reach > MOST_REACH_M:
            raise BadInput(
                f"The area goes {reach / 1000:.0f} km from its middle; "
                f"{MOST_REACH_M // 1000} km is the most.",
                advice="Enter it as several planned acts.",
            )
        made = cls(lat, lon, margin_m, tuple(corners), reach)
        if not _polygon(made, lat, lon).is_valid:
            raise BadInput(
                "The area's outline crosses itself.", advice="Name its corners in order."
            )
        return made

    def meets(self, other: Place) -> bool:
        """Whether some point is of both; the same whichever of the two is asked."""
        apart = float(geo.distance_m(self.lat, self.lon, other.lat, other.lon))
        if apart > self.reach_m + other.reach_m:
            return False
        if not self.area and not other.area:
            return True
        first = min(self, other, key=lambda p: (p.lat, p.lon, p.area))
        shapes = (_shape(p, first.lat, first.lon) for p in (self, other))
        one, two = shapes
        return bool(one.distance(two) <= self.radius_m + other.radius_m)

    @property
    def cell(self) -> str:
        """Where the index keeps it."""
        if self.reach_m > SMALL_M:
            return LARGE
        band = _band(self.lat)
        return f"{band}.{_column(band, self.lon) % _columns(band)}"

    def around(self) -> list[str]:
        """Where the index keeps all that could meet it."""
        far = (self.reach_m + SMALL_M) / geo.EARTH_RADIUS_M + _SLACK
        high = math.degrees(far)
        cosine = math.cos(math.radians(self.lat))
        # where the circle holds a pole, it crosses every meridian
        polar = abs(self.lat) + high >= 90 or math.sin(far) >= cosine
        wide = 180.0 if polar else math.degrees(math.asin(math.sin(far) / cosine))
        cells = [LARGE]
        for band in range(_band(self.lat - high), _band(self.lat + high) + 1):
            first, last = _column(band, self.lon - wide), _column(band, self.lon + wide)
            count = _columns(band)
            wanted = range(count) if last - first >= count - 1 else range(first, last + 1)
            cells += [f"{band}.{column % count}" for column in wanted]
        return cells

    def geojson(self) -> dict[str, Any]:
        """The point or area (RFC 7946), without its radius."""
        if not self.area:
            return geo.point(self.lat, self.lon)
        ring = [[round(lon, 6), round(lat, 6)] for lat, lon in (*self.area, self.area[0])]
        return {"type": "Polygon", "coordinates": [ring]}


def parse_degrees(text: str, axis: str) -> float:
    """Degrees (`25.104`, `-25.104`, `25.104 N`) or degrees and minutes (`25°06.24′N`).

    Args:
        axis: `lat` or `lon`.
    """
    says = {"lat": ("latitude", "NS", 90), "lon": ("longitude", "EW", 180)}[axis]
    found = _PART.fullmatch(text.replace("º", "°"))
    letter = (found[3] or "").upper() if found else ""
    minutes = float(found[2]) if found and found[2] else 0.0
    if found is None or (letter and letter not in says[1]) or minutes >= 60:
        raise BadInput(
            f"“{text[:30]}” is no {says[0]}.",
            advice="Write degrees, like 25.104, or degrees and minutes, like 25°06.24′N.",
        )
    whole = float(found[1])
    if letter and (whole < 0 or found[1].startswith("+")):
        raise BadInput(f"“{text[:30]}” has both a sign and a letter.", advice="Take one of them.")
    size = abs(whole) + minutes / 60
    value = -size if letter in ("S", "W") or found[1].startswith("-") else size
    if abs(value) > says[2]:
        raise BadInput(f"A {says[0]} is from -{says[2]} to {says[2]} degrees.")
    return value


def _band(lat: float) -> int:
    """The band of latitude, from 0 at the south pole."""
    return min(max(int((lat + 90) / _BAND_DEG), 0), int(180 / _BAND_DEG) - 1)


def _columns(band: int) -> int:
    """Cells of a band, each about as wide as it is high."""
    lat = (band + 0.5) * _BAND_DEG - 90
    return max(1, int(360 / _BAND_DEG * math.cos(math.radians(lat))))


def _column(band: int, lon: float) -> int:
    """Cell of a longitude, counted on past the date line."""
    return math.floor((lon + 180) / 360 * _columns(band))


def _check(lat: float, lon: float) -> None:
    if not (math.isfinite(lat) and math.isfinite(lon) and abs(lat) <= 90 and abs(lon) <= 180):
        raise BadInput("A position is a latitude from -90 to 90 and a longitude from -180 to 180.")


def _check_radius(radius_m: float) -> None:
    if not (math.isfinite(radius_m) and 0 < radius_m <= MOST_REACH_M):
        raise BadInput(f"A radius is above 0 and at most {MOST_REACH_M} m.")


def _middle(corners: list[tuple[float, float]]) -> tuple[float, float]:
    """The mean direction of the corners, so that the date line makes no difference."""
    lats, lons = np.radians(np.asarray(corners, dtype=np.float64)).T
    x, y, z = (
        float(part.mean())
        for part in (np.cos(lats) * np.cos(lons), np.cos(lats) * np.sin(lons), np.sin(lats))
    )
    if math.hypot(x, y, z) < 0.1:
        raise BadInput("The corners lie around the whole earth.", advice="Name a smaller area.")
    return math.degrees(math.atan2(z, math.hypot(x, y))), math.degrees(math.atan2(y, x))


def _plane(points: tuple[tuple[float, float], ...], lat: float, lon: float) -> Any:
    """Points on the plane that touches the earth at (lat, lon), metres east and north."""
    lats, lons = zip(*points, strict=True)
    away = geo.distance_m(lat, lon, lats, lons)
    course = np.radians(geo.bearing_deg(lat, lon, lats, lons))
    return np.column_stack((away * np.sin(course), away * np.cos(course)))


def _polygon(place: Place, lat: float, lon: float) -> Polygon:
    return Polygon(_plane(place.area, lat, lon))  # type: ignore[no-untyped-call]


def _shape(place: Place, lat: float, lon: float) -> Any:
    if place.area:
        return _polygon(place, lat, lon)
    middle = _plane(((place.lat, place.lon),), lat, lon)[0]
    return Point(*middle)  # type: ignore[no-untyped-call]
