"""Overlays from GeoJSON, KML and GPX: read safely, and told as plain GeoJSON features.

Of a feature its outline, its name and its description are kept, as text; nothing that a file
points at is fetched, no style and no script of it is kept. What cannot be drawn is left out and
counted with its reason; a hostile or broken file is refused as a whole.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import orjson

from cordon.kernel.errors import BadInput
from cordon.picture.desk.markup import read_markup

MOST_BYTES = 16 << 20
MOST_FEATURES = 20_000
MOST_VERTICES = 200_000  # of the whole overlay: the map draws as many without a pause
_LONGEST_NAME, _LONGEST_WORDS = 120, 1000
_LEAST = {"Point": 1, "LineString": 2, "Polygon": 4}
_DEPTH = {"Point": 0, "MultiPoint": 1, "LineString": 1, "MultiLineString": 2, "Polygon": 2,
          "MultiPolygon": 3}  # fmt: skip
_TAGS = re.compile(r"<[^>]{0,500}>")


@dataclass(slots=True)
class Drawn:
    """What is drawn of a file.

    Attributes:
        format: `geojson`, `kml` or `gpx`. features: GeoJSON features with `name` and `says`.
        vertices: of all of them. left_out: how many features were not taken, by reason.
    """

    format: str
    features: list[dict[str, Any]] = field(default_factory=list)
    vertices: int = 0
    left_out: Counter[str] = field(default_factory=Counter)

    def collection(self) -> dict[str, Any]:
        """The features as a FeatureCollection."""
        return {"type": "FeatureCollection", "features": self.features}


def read_overlay(data: bytes) -> Drawn:
    """Read a file; its format is told by its content.

    Raises:
        BadInput: it is too large, is neither GeoJSON nor KML nor GPX, is broken or holds a
            document type or entities, or nothing of it can be drawn.
    """
    if len(data) > MOST_BYTES:
        raise BadInput(f"The file has more than {MOST_BYTES >> 20} MB.", advice="Simplify it.")
    start = data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if start == b"{":
        drawn = Drawn("geojson")
        _take(drawn, _of_geojson(data))
    elif start == b"<" or data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        form, features, passed = read_markup(data)
        drawn = Drawn(form)
        drawn.left_out.update(passed)
        _take(drawn, features)
    else:
        raise BadInput(
            "The file is neither GeoJSON nor KML nor GPX.",
            advice="Unpack a .kmz first: the .kml in it is what is drawn.",
        )
    if not drawn.features:
        why = "; ".join(drawn.left_out) or "it holds no feature"
        raise BadInput(f"Nothing of the file can be drawn: {why}.")
    return drawn


def _of_geojson(data: bytes) -> Iterable[tuple[str, str, Any]]:
    try:
        told = orjson.loads(data.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as wrong:
        raise BadInput(f"The file is not JSON: {wrong}.") from None
    kind = told.get("type")
    if kind == "FeatureCollection":
        some = told.get("features")
        if not isinstance(some, list):
            raise BadInput("The FeatureCollection has no list of features.")
    elif kind == "Feature":
        some = [told]
    elif kind in _DEPTH or kind == "GeometryCollection":
        some = [{"type": "Feature", "geometry": told}]
    else:
        raise BadInput("The file is JSON, but no GeoJSON: it has no type of GeoJSON.")
    for feature in some:
        if not isinstance(feature, dict):
            yield "", "", None
            continue
        said = feature.get("properties")
        said = said if isinstance(said, dict) else {}
        name = said.get("name") or said.get("title") or said.get("id") or feature.get("id")
        yield (
            _text(name),
            _text(said.get("description") or said.get("desc")),
            feature.get("geometry"),
        )


def _text(value: Any) -> str:
    return str(value) if isinstance(value, str | int | float) else ""


def _take(drawn: Drawn, features: Iterable[tuple[str, str, Any]]) -> None:
    for name, says, geometry in features:
        if len(drawn.features) >= MOST_FEATURES:
            raise BadInput(f"The file has more than {MOST_FEATURES:,} features.")
        try:
            shape, count = _shape(geometry, drawn.left_out)
        except _Undrawable as why:
            drawn.left_out[str(why)] += 1
            continue
        drawn.vertices += count
        if drawn.vertices > MOST_VERTICES:
            raise BadInput(
                f"The file has more than {MOST_VERTICES:,} vertices.", advice="Simplify it."
            )
        told = {"name": _plain(name, _LONGEST_NAME), "says": _plain(says, _LONGEST_WORDS)}
        drawn.features.append({"type": "Feature", "properties": told, "geometry": shape})


def _plain(text: str, longest: int) -> str:
    """Text without markup or control characters, cut to a length."""
    words = " ".join(_TAGS.sub(" ", text[: 8 * longest]).split())
    words = "".join(c for c in words if c.isprintable())
    return words if len(words) <= longest else words[: longest - 1] + "…"


class _Undrawable(Exception):
    """A feature that is left out; its words are the reason."""


def _shape(geometry: Any, left_out: Counter[str]) -> tuple[dict[str, Any], int]:
    """A geometry without heights, and its vertices.

    Of one of several parts those that cannot be drawn are left out and counted in `left_out`.
    """
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if kind == "GeometryCollection":
        parts = geometry.get("geometries")
        if not isinstance(parts, list) or not parts:
            raise _Undrawable("it has no geometry")
        if any(isinstance(p, dict) and p.get("type") == "GeometryCollection" for p in parts):
            raise _Undrawable("collections stand in one another")
        made = _drawable(parts, lambda part: _shape(part, left_out), left_out)
        return {"type": kind, "geometries": [m for m, _ in made]}, sum(n for _, n in made)
    if kind not in _DEPTH:
        raise _Undrawable("it has no geometry")
    least = _LEAST[kind.removeprefix("Multi")]
    raw, depth = geometry.get("coordinates"), _DEPTH[kind]
    if kind.startswith("Multi") and isinstance(raw, list | tuple) and raw:
        made = _drawable(raw, lambda part: _held(part, depth - 1, least), left_out)
        held, count = [m for m, _ in made], sum(n for _, n in made)
    else:
        held, count = _held(raw, depth, least)
    if kind.endswith("LineString"):
        lines = [held] if kind == "LineString" else held
        cut = [piece for line in lines for piece in _cut(line)]
        if cut != lines:
            return {"type": "MultiLineString", "coordinates": cut}, sum(map(len, cut))
    return {"type": kind, "coordinates": held}, count


def _drawable(
    parts: Sequence[Any], draw: Callable[[Any], tuple[Any, int]], left_out: Counter[str]
) -> list[tuple[Any, int]]:
    """Those parts that can be drawn, the others counted; where none can be, the first's reason."""
    made, wrong = [], []
    for part in parts:
        try:
            made.append(draw(part))
        except _Undrawable as why:
            wrong.append(str(why))
    if not made:
        raise _Undrawable(wrong[0])
    left_out.update(wrong)
    return made


def _cut(line: list[list[float]]) -> list[list[list[float]]]:
    """A line in pieces, cut where it goes the short way across the antimeridian."""
    pieces = [[line[0]]]
    for (lon, lat), (to, at) in pairwise(line):
        if abs(to - lon) > 180:
            edge = math.copysign(180.0, lon)
            short = 360 - abs(to - lon)  # 0 where both ends lie on the edge
            share = abs(edge - lon) / short if short else 1.0
            middle = round(lat + share * (at - lat), 6)
            if lon != edge or not short:
                pieces[-1].append([edge, middle])
            pieces.append([[-edge, middle]] if to != -edge else [])
        pieces[-1].append([to, at])
    return [piece for piece in pieces if len(piece) > 1]


def _held(raw: Any, depth: int, least: int) -> tuple[Any, int]:
    if not isinstance(raw, list | tuple) or not raw:
        raise _Undrawable("it has no vertices")
    if depth == 0:
        return _vertex(raw), 1
    made = [_held(part, depth - 1, least) for part in raw]
    if depth == 1 and least > 1 and len(made) < least:
        raise _Undrawable("it has too few vertices")
    return [m for m, _ in made], sum(n for _, n in made)


def _vertex(raw: Sequence[Any]) -> list[float]:
    if len(raw) < 2 or not all(
        isinstance(v, int | float) and not isinstance(v, bool) for v in raw[:2]
    ):
        raise _Undrawable("a vertex is no pair of numbers")
    lon, lat = float(raw[0]), float(raw[1])
    if not (math.isfinite(lon) and math.isfinite(lat) and abs(lon) <= 180 and abs(lat) <= 90):
        raise _Undrawable("a vertex lies outside ±180 and ±90")
    return [round(lon, 6), round(lat, 6)]
