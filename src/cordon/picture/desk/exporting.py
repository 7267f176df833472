"""Ways as files that other programs read: GeoJSON (RFC 7946) and GPX 1.1."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from xml.sax.saxutils import escape

import orjson

from cordon.kernel.clock import format_time
from cordon.kernel.errors import BadInput

Crumb = tuple[datetime, float, float]
"""When and where: aware UTC, latitude, longitude (degrees)."""

FORMATS = {"geojson": "application/geo+json", "gpx": "application/gpx+xml"}


@dataclass(frozen=True, slots=True)
class Trail:
    """One subject's places, oldest first."""

    subject: str
    name: str
    crumbs: Sequence[Crumb]


def written(trails: Iterable[Trail], form: str) -> bytes:
    """Trails in a format of FORMATS; BadInput for another one."""
    if form == "geojson":
        told = {"type": "FeatureCollection", "features": [feature(t) for t in trails]}
        return orjson.dumps(told)
    if form == "gpx":
        return "".join(_gpx(trails)).encode()
    raise BadInput(f"{form[:20]!r} is no format of trails.", advice="Take geojson or gpx.")


def feature(trail: Trail) -> dict[str, object]:
    """A trail as a GeoJSON feature: a line, or a point where only one place is known."""
    way = [[round(lon, 6), round(lat, 6)] for _, lat, lon in trail.crumbs]
    geometry: dict[str, object] | None = None
    if len(way) > 1:
        geometry = {"type": "LineString", "coordinates": way}
    elif way:
        geometry = {"type": "Point", "coordinates": way[0]}
    return {
        "type": "Feature",
        "properties": {
            "subject": trail.subject,
            "name": trail.name,
            "times": [format_time(at) for at, _, _ in trail.crumbs],
        },
        "geometry": geometry,
    }


def _gpx(trails: Iterable[Trail]) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield '<gpx version="1.1" creator="Cordon" xmlns="http://www.topografix.com/GPX/1/1">\n'
    for trail in trails:
        name = _text(trail.name or trail.subject)
        yield f"<trk><name>{name}</name><desc>{_text(trail.subject)}</desc><trkseg>\n"
        for at, lat, lon in trail.crumbs:
            time = format_time(at)
            yield f'<trkpt lat="{lat:.6f}" lon="{lon:.6f}"><time>{time}</time></trkpt>\n'
        yield "</trkseg></trk>\n"
    yield "</gpx>\n"


def _text(words: str) -> str:
    """Text that XML 1.0 may hold, escaped."""
    return escape("".join(c for c in words if c in "\t\n\r" or (c >= " " and c.isprintable())))
