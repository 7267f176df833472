"""KML 2.2 and GPX 1.1, read by expat: no document type, no entity, nothing fetched.

Elements are told by their local names, whatever prefix a program gave them. Of KML: Placemarks
with Point, LineString, LinearRing, Polygon, MultiGeometry and gx:Track. Of GPX: waypoints, routes
and tracks. Links, pictures and models are passed over and counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any
from xml.parsers import expat

from cordon.kernel.errors import BadInput

Feature = tuple[str, str, Any]

_DEEPEST = 64
_LONGEST_TEXT = 1 << 24  # characters of one element: a file's whole size at most
_PASSED = {
    "NetworkLink": "it is a link to another file",
    "GroundOverlay": "it is a picture",
    "ScreenOverlay": "it is a picture",
    "PhotoOverlay": "it is a picture",
    "Model": "it is a model",
}


def read_markup(data: bytes) -> tuple[str, list[Feature], Counter[str]]:
    """Read KML or GPX; returns the format, its features, and what was passed over by reason.

    Raises:
        BadInput: it is broken, too deep, holds a document type or entities, or is another
            kind of XML.
    """
    reader = _Reader()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    parser.StartElementHandler = reader.begin
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = _no_types
    parser.EntityDeclHandler = _no_types
    parser.ExternalEntityRefHandler = _no_types
    try:
        parser.Parse(data, True)
    except expat.ExpatError as wrong:
        raise BadInput(f"The file is not well-formed XML (line {wrong.lineno}).") from None
    return reader.format, reader.features, reader.passed


def _no_types(*_: Any) -> int:
    raise BadInput("The file holds a document type or entities, which are not taken.")


class _Reader:
    """Builds features while elements begin and end."""

    def __init__(self) -> None:
        self.format = ""
        self.features: list[Feature] = []
        self.passed: Counter[str] = Counter()
        self._path: list[str] = []
        self._words: list[str] = []
        self._length = 0
        self._place: _Kml | _Gpx | None = None

    def begin(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        if not self._path:
            if name not in ("kml", "gpx"):
                raise BadInput("The file is XML, but neither KML nor GPX.")
            self.format = name
        if len(self._path) >= _DEEPEST:
            raise BadInput("The file's elements stand too deep in one another.")
        self._path.append(name)
        self._words.clear()
        self._length = 0
        if name in _PASSED:
            self.passed[_PASSED[name]] += 1
        if self._place is None:
            if self.format == "kml" and name == "Placemark":
                self._place = _Kml()
            elif self.format == "gpx" and name in ("wpt", "rte", "trk"):
                self._place = _Gpx(name)
        if self._place is not None:
            self._place.begin(name, attributes)

    def text(self, words: str) -> None:
        self._length += len(words)
        if self._length > _LONGEST_TEXT:
            raise BadInput("An element of the file is too long.")
        self._words.append(words)

    def end(self, tag: str) -> None:
        name = tag.rpartition(":")[2]
        place = self._place
        if place is not None:
            place.end(name, "".join(self._words).strip(), self._path[-2] if self._path[1:] else "")
            if name == place.whole:
                self.features.append((place.name, place.says, place.geometry()))
                self._place = None
        self._path.pop()
        self._words.clear()


class _Kml:
    """One Placemark."""

    whole = "Placemark"

    def __init__(self) -> None:
        self.name = self.says = ""
        self._shapes: list[dict[str, Any]] = []
        self._rings: list[list[list[float]]] = []
        self._line: list[list[float]] = []
        self._track: list[list[float]] = []
        self._in_polygon = False

    def begin(self, name: str, _attributes: dict[str, str]) -> None:
        if name in ("Point", "LineString", "LinearRing"):
            self._line = []
        elif name == "Polygon":
            self._rings, self._in_polygon = [], True
        elif name == "Track":
            self._track = []

    def end(self, name: str, words: str, above: str) -> None:
        if name == "name" and above == self.whole:
            self.name = words
        elif name == "description" and above == self.whole:
            self.says = words
        elif name == "coordinates":
            self._line = _tuples(words)
        elif name == "coord":
            self._track.append(_numbers(words.split()))
        elif (close := self._closes().get(name)) is not None:
            close()

    def _closes(self) -> dict[str, Callable[[], None]]:
        return {
            "Point": lambda: self._add("Point", self._line[0] if self._line else []),
            "LineString": lambda: self._add("LineString", self._line),
            "LinearRing": self._ring,
            "Polygon": self._polygon,
            "Track": lambda: self._add("LineString", self._track),
        }

    def _ring(self) -> None:
        if self._in_polygon:
            self._rings.append(self._line)
        else:
            self._add("LineString", self._line)

    def _polygon(self) -> None:
        self._in_polygon = False
        self._add("Polygon", self._rings)

    def _add(self, kind: str, held: Any) -> None:
        self._shapes.append({"type": kind, "coordinates": held})

    def geometry(self) -> dict[str, Any] | None:
        if len(self._shapes) > 1:
            return {"type": "GeometryCollection", "geometries": self._shapes}
        return self._shapes[0] if self._shapes else None


class _Gpx:
    """One waypoint, route or track."""

    def __init__(self, whole: str) -> None:
        self.whole = whole
        self.name = self.says = ""
        self._lines: list[list[list[float]]] = [[]]

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        if name in ("wpt", "rtept", "trkpt"):
            self._lines[-1].append(_numbers([attributes.get("lon", ""), attributes.get("lat", "")]))
        elif name == "trkseg" and self._lines[-1]:
            self._lines.append([])

    def end(self, name: str, words: str, above: str) -> None:
        if above != self.whole:
            return
        if name == "name":
            self.name = words
        elif name in ("desc", "cmt") and not self.says:
            self.says = words

    def geometry(self) -> dict[str, Any] | None:
        if self.whole == "wpt":
            return {"type": "Point", "coordinates": self._lines[0][0]}
        lines = [line for line in self._lines if line]
        if not lines:
            return None
        if len(lines) == 1:
            return {"type": "LineString", "coordinates": lines[0]}
        return {"type": "MultiLineString", "coordinates": lines}


def _tuples(words: str) -> list[list[float]]:
    """`lon,lat[,height]` with spaces between; some programs put spaces after the commas too."""
    together = ",".join(p.strip() for p in words.split(",")) if ", " in words else words
    return [_numbers(part.split(",")[:2]) for part in together.split()]


def _numbers(parts: list[str]) -> list[float]:
    """Two numbers; NaN for what is none, so that the vertex is refused by its own reason."""
    found = []
    for part in parts[:2]:
        try:
            found.append(float(part))
        except ValueError:
            found.append(float("nan"))
    return found
