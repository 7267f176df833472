"""Zones from GeoJSON (RFC 7946), and which fixes and ways between fixes touch them.

What can be mended in one way only is mended and said so in `Zone.mended`: an open ring is
closed, an outline across the antimeridian is cut there, an outline that crosses itself is
taken apart where its area stays what it was drawn as. Everything else is refused with the
feature and the vertex named.
"""

# mypy: disable-error-code="no-untyped-call"
# Shapely has no types of its own.
from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import shapely
from shapely.geometry import LineString, MultiLineString, MultiPolygon, Point, Polygon, box
from shapely.geometry.base import BaseGeometry
from shapely.validation import explain_validity

from cordon.kernel.errors import BadInput
from cordon.picture.model import ZONE_KINDS, Zone
from cordon.picture.tracks import Bools, Floats
from cordon.picture.zonegrid import grid_of, tangles

METRES_PER_DEGREE = 111_195.0  # of latitude, on the sphere of kernel/geo.py
_LINES = ("border", "lane")
_BYTES = 64 << 20
_MOST_VERTICES = 50_000  # of one ring: to prove a comb of more valid takes minutes
_MOST_TOLD = 5  # mendings of one zone that are named
_MOST_TANGLES = 200  # a pen slips a few times; to mend a scribble takes GEOS hours


def read_zones(path: Path) -> list[Zone]:
    """Zones of a GeoJSON file; raises BadInput that names the feature and the vertex."""
    path = Path(path)
    try:
        if path.stat().st_size > _BYTES:
            raise BadInput(f"{path.name} is over 64 MB.", advice="Simplify its outlines.")
        data = orjson.loads(path.read_bytes().removeprefix(b"\xef\xbb\xbf"))
    except OSError as wrong:
        raise BadInput(f"{path.name} cannot be read: {wrong.strerror}.") from None
    except orjson.JSONDecodeError as wrong:
        raise BadInput(f"{path.name} is not JSON: {wrong}.") from None
    return zones_of(data, path.name)


def zones_of(data: Any, where: str = "The zones") -> list[Zone]:
    """Zones of a GeoJSON FeatureCollection already parsed; errors as `read_zones`."""
    if not isinstance(data, dict) or data.get("type") != "FeatureCollection":
        raise BadInput(f"{where}: expected a GeoJSON FeatureCollection.")
    features = data.get("features")
    if not isinstance(features, list):
        raise BadInput(f"{where}: the FeatureCollection has no list of features.")
    zones: list[Zone] = []
    ids: set[str] = set()
    for number, feature in enumerate(features, 1):
        zone = _zone(feature, number, where)
        if zone.id in ids:
            raise BadInput(f"{where}, feature {number}: id “{zone.id[:60]}” stands there twice.")
        ids.add(zone.id)
        zones.append(zone)
    return zones


def _zone(feature: Any, number: int, where: str) -> Zone:
    at = f"{where}, feature {number}"
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        raise BadInput(f"{at}: expected a GeoJSON Feature.")
    properties = feature.get("properties") or {}
    if not isinstance(properties, Mapping):
        raise BadInput(f"{at}: its properties are not an object.")
    id_ = properties.get("id", feature.get("id"))
    if id_ is None or id_ == "":
        raise BadInput(f"{at}: it has no id.", advice="Give each zone an id of its own.")
    at += f" (“{str(id_)[:60]}”)"
    kind = properties.get("kind")
    if kind not in ZONE_KINDS:
        raise BadInput(
            f"{at}: kind {str(kind)[:40]!r} is not known.",
            advice=f"Give one of {', '.join(ZONE_KINDS)}.",
        )
    geometry, mended = _geometry(feature.get("geometry"), str(kind), properties, at)
    rest = {k: v for k, v in properties.items() if k not in ("id", "name", "kind")}
    return Zone(
        str(id_), str(properties.get("name") or id_), str(kind), geometry, rest, _told(mended)
    )


def _told(mended: list[str]) -> str:
    rest = len(mended) - _MOST_TOLD
    return "; ".join(mended[:_MOST_TOLD] + ([f"and {rest:,} more"] if rest > 0 else []))


def _geometry(
    raw: Any, kind: str, properties: Mapping[str, Any], at: str
) -> tuple[BaseGeometry, list[str]]:
    type_ = raw.get("type") if isinstance(raw, dict) else None
    held = raw.get("coordinates") if isinstance(raw, dict) else None
    mended: list[str] = []
    if type_ == "Polygon":
        return _polygons([held], at, mended), mended
    if type_ == "MultiPolygon" and isinstance(held, list):
        return _polygons(held, at, mended), mended
    if type_ in ("LineString", "MultiLineString") and kind in _LINES:
        some = [held] if type_ == "LineString" else held
        if not isinstance(some, list) or not some:
            raise BadInput(f"{at}: it holds no line.")
        lines = [_vertices(line, f"{at}, line {i}", 2) for i, line in enumerate(some, 1)]
        for i, line in enumerate(lines, 1):
            if len(set(line)) < 2:
                raise BadInput(f"{at}, line {i}: all its vertices are the same place.")
            jump = _jump(line)
            if jump:
                raise BadInput(
                    f"{at}, line {i}, vertex {jump + 1}: it crosses the antimeridian.",
                    advice="Cut it there into two lines (RFC 7946 §3.1.9).",
                )
        made = [LineString(line) for line in lines]
        return (made[0] if len(made) == 1 else MultiLineString(made)), mended
    if type_ == "Point":
        return _circle(held, properties, at), mended
    raise BadInput(
        f"{at}: geometry {str(type_)[:40]!r} is no area.",
        advice="Give a Polygon or MultiPolygon; a Point with radius_m; for a border or lane "
        "also a LineString.",
    )


def _circle(held: Any, properties: Mapping[str, Any], at: str) -> BaseGeometry:
    (lon, lat) = _vertices([held], at, 1)[0]
    radius = properties.get("radius_m")
    if isinstance(radius, bool) or not isinstance(radius, int | float) or not 1 <= radius <= 2e5:
        raise BadInput(f"{at}: a Point needs radius_m, a number from 1 to 200000 (m).")
    high = radius / METRES_PER_DEGREE
    wide = high / math.cos(math.radians(lat)) if abs(lat) < 89 else 360.0
    if abs(lon) + wide > 180 or abs(lat) + high > 90:
        raise BadInput(f"{at}: its circle crosses the antimeridian or a pole.")
    turns = np.linspace(0, 2 * np.pi, 65)[:-1]
    return Polygon(np.column_stack((lon + wide * np.cos(turns), lat + high * np.sin(turns))))


def _polygons(held: Sequence[Any], at: str, mended: list[str]) -> BaseGeometry:
    parts: list[BaseGeometry] = []
    for i, rings in enumerate(held, 1):
        where = at if len(held) == 1 else f"{at}, polygon {i}"
        if not isinstance(rings, list) or not rings:
            raise BadInput(f"{where}: it has no ring.")
        outlines = [_ring(r, f"{where}, ring {n}", mended) for n, r in enumerate(rings, 1)]
        parts.append(_polygon(outlines, where, mended))
    if not parts:
        raise BadInput(f"{at}: it has no polygon.")
    whole = parts[0] if len(parts) == 1 else shapely.union_all(parts)
    if whole.is_empty or not isinstance(whole, Polygon | MultiPolygon):
        raise BadInput(f"{at}: it encloses no area.")
    return whole


def _ring(raw: Any, at: str, mended: list[str]) -> list[tuple[float, float]]:
    points = _vertices(raw, at, 3)
    if points[0] != points[-1]:
        points = [*points, points[0]]
        mended.append(f"{at.rpartition(', ')[2]} was closed")
    if len(set(points)) < 3:
        raise BadInput(f"{at}: it has fewer than three different vertices.")
    return points


def _vertices(raw: Any, at: str, least: int) -> list[tuple[float, float]]:
    if not isinstance(raw, list) or len(raw) < least:
        raise BadInput(f"{at}: expected a list of at least {least} vertices.")
    if len(raw) > _MOST_VERTICES:
        raise BadInput(
            f"{at}: it has {len(raw):,} vertices, more than {_MOST_VERTICES:,}.",
            advice="Simplify it: a vertex every 100 m draws 5,000 km of coast with as many.",
        )
    points = []
    for n, vertex in enumerate(raw, 1):
        ok = isinstance(vertex, list) and len(vertex) >= 2
        ok = ok and all(isinstance(v, int | float) and not isinstance(v, bool) for v in vertex[:2])
        if not ok:
            raise BadInput(f"{at}, vertex {n}: expected [longitude, latitude].")
        lon, lat = vertex[:2]
        if not (-180 <= lon <= 180 and -90 <= lat <= 90):
            raise BadInput(
                f"{at}, vertex {n}: {str(lon)[:20]}, {str(lat)[:20]} lies outside ±180 and ±90.",
                advice="GeoJSON writes the longitude first.",
            )
        points.append((float(lon), float(lat)))
    return points


def _jump(points: Sequence[tuple[float, float]]) -> int:
    """The index of the first vertex reached by a step over half the globe; 0 for none."""
    for n in range(1, len(points)):
        if abs(points[n][0] - points[n - 1][0]) > 180:
            return n
    return 0


def _polygon(rings: list[list[tuple[float, float]]], at: str, mended: list[str]) -> BaseGeometry:
    cut = next((_jump(ring) for ring in rings if _jump(ring)), 0)
    if cut:
        rings = [_unwrapped(ring, at, cut) for ring in rings]
        # Rings are unwrapped each from its own first vertex: a hole may lie a turn away
        middle = np.mean([x for x, _ in rings[0]])
        for i, ring in enumerate(rings[1:], 1):
            turn = 360.0 * round((middle - float(np.mean([x for x, _ in ring]))) / 360.0)
            rings[i] = [(x + turn, y) for x, y in ring]
        mended.append("its outline was cut at the antimeridian")
    polygon: BaseGeometry = Polygon(rings[0], rings[1:])
    if not polygon.is_valid:
        polygon = _valid(polygon, rings, at, mended)
    if not cut:
        return polygon
    pieces = []
    for turn in (-360.0, 0.0, 360.0):
        part = polygon.intersection(box(-180 + turn, -90, 180 + turn, 90))
        if not part.is_empty and part.area > 0:
            pieces.append(shapely.transform(part, lambda c, turn=turn: c - [turn, 0.0]))
    whole: BaseGeometry = shapely.union_all(pieces)
    return whole


def _unwrapped(ring: list[tuple[float, float]], at: str, vertex: int) -> list[tuple[float, float]]:
    longitudes = np.unwrap([x for x, _ in ring], period=360.0)
    if abs(longitudes[-1] - longitudes[0]) > 1e-9:
        raise BadInput(f"{at}, vertex {vertex + 1}: its outline runs round a pole.")
    return [(float(x), y) for x, (_, y) in zip(longitudes, ring, strict=True)]


def _valid(
    polygon: BaseGeometry, rings: list[list[tuple[float, float]]], at: str, mended: list[str]
) -> BaseGeometry:
    """Mend an invalid outline where one reading of it is far likelier than another."""
    _holes_inside(rings, at)
    why = explain_validity(polygon)
    place = why[why.find("[") + 1 : why.find("]")].split() if "[" in why else []
    spot = f" at {float(place[0]):.5g}, {float(place[1]):.5g}" if len(place) >= 2 else ""
    vertex = _nearest(rings, place)
    if tangles(polygon, _MOST_TANGLES) == _MOST_TANGLES:
        raise BadInput(
            f"{at}, vertex {vertex}: its outline crosses itself{spot} and in many other places.",
            advice="Draw it again in order.",
        )
    made = shapely.make_valid(polygon, method="linework")
    areas = [g for g in getattr(made, "geoms", [made]) if isinstance(g, Polygon | MultiPolygon)]
    filled = shapely.make_valid(polygon, method="structure", keep_collapsed=False)
    total = sum(a.area for a in areas)
    # The two readings (even–odd and “filled”) of a slip of the pen differ by next to nothing;
    # of a figure-of-eight whose lobes are alike they agree too, but its drawer meant one area
    lobes = sorted((p.area for a in areas for p in getattr(a, "geoms", [a])), reverse=True)
    one = bool(lobes) and lobes[0] >= 0.95 * sum(lobes)
    if total > 0 and one and abs(filled.area - total) <= 0.05 * total:
        mended.append(f"its outline crossed itself{spot}")
        mended_area: BaseGeometry = shapely.union_all(areas)
        return mended_area
    raise BadInput(
        f"{at}, vertex {vertex}: its outline crosses itself{spot} "
        f"({why.partition('[')[0].strip().lower()}), and which area is meant cannot be told.",
        advice="Draw it again in order, or as two polygons.",
    )


def _holes_inside(rings: list[list[tuple[float, float]]], at: str) -> None:
    """Refuse a hole that lies outside the outline, or within another hole: whether an area of its
    own was meant cannot be told."""
    shell, *holes = (Polygon(ring) for ring in rings)
    if not shell.is_valid or not all(hole.is_valid for hole in holes):
        return  # a ring that crosses itself is told as that
    for n, hole in enumerate(holes):
        where = f"{at}, ring {n + 2}, vertex 1"
        if shell.intersection(hole).area == 0:
            raise BadInput(
                f"{where}: this hole lies outside the zone's outline.",
                advice="Give it as a polygon of its own (MultiPolygon), or take it out.",
            )
        around = next((m for m, other in enumerate(holes) if m != n and other.covers(hole)), None)
        if around is not None:
            raise BadInput(
                f"{where}: this hole lies within the hole of ring {around + 2}.",
                advice="Give an island as a polygon of its own (MultiPolygon), or take it out.",
            )


def _nearest(rings: list[list[tuple[float, float]]], place: list[str]) -> int:
    if len(place) < 2:
        return 1
    spot = Point(float(place[0]), float(place[1]))
    steps = [
        LineString([a, b]).distance(spot) if a != b else Point(a).distance(spot)
        for a, b in zip(rings[0], rings[0][1:], strict=False)
    ]
    return int(np.argmin(steps)) + 1


def is_line(zone: Zone) -> bool:
    """Whether a zone is a line, which has no inside."""
    return bool(zone.geometry.geom_type.endswith("LineString"))


def inside(zone: Zone, lat: Floats, lon: Floats) -> Bools:
    """True where a point lies in the zone or on its outline; a line has no inside."""
    found = np.zeros(len(lat), dtype=np.bool_)
    found[grid_of([zone]).points(lat, lon)[1]] = True
    return found


def distance_to(zone: Zone, lat: Floats, lon: Floats) -> Floats:
    """Distance (m) from points to the zone, 0 inside; good to a percent within some 50 km."""
    return np.where(inside(zone, lat, lon), 0.0, distance_to_edge(zone, lat, lon))


def distance_to_edge(zone: Zone, lat: Floats, lon: Floats, *, enough_m: float = 0.0) -> Floats:
    """Distance (m) from points to the zone's outline, from within and from without.

    Args:
        enough_m: where the outline lies at most so near, any such distance will do, and where
            it lies farther, infinity: faster.
    """
    return grid_of([zone]).distance(0, lat, lon, enough_m)
