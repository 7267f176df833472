"""Zones as GeoJSON (RFC 7946), and a list of sensors as CSV."""

# mypy: disable-error-code="no-untyped-call"
# Shapely has no types of its own.
from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from shapely.geometry import LineString, Polygon, mapping

from cordon.kernel.store.files import written_whole

Feature = dict[str, Any]
SensorRow = tuple[str, str, str, float, float, float, float | None, str]
"""id, kind, source, latitude, longitude (degrees), height (m), range (m) or None, what it sees."""


def feature(id_: str, name: str, kind: str, shape: Polygon | LineString, **more: Any) -> Feature:
    """A zone with the parameters that it sets for itself; places to a metre."""
    return {
        "type": "Feature",
        "id": id_,
        "properties": {"id": id_, "name": name, "kind": kind, **more},
        "geometry": _rounded(mapping(shape)),
    }


def _rounded(geometry: Any) -> dict[str, Any]:
    if geometry["type"] == "LineString":
        return {"type": "LineString", "coordinates": _points(geometry["coordinates"])}
    return {"type": "Polygon", "coordinates": [_points(ring) for ring in geometry["coordinates"]]}


def _points(points: Any) -> list[list[float]]:
    made: list[list[float]] = np.round(np.asarray(points, float), 5).tolist()
    return made


def put(path: Path, features: Sequence[Feature]) -> None:
    """Write a FeatureCollection."""
    # a line for each: who reads the file by eye looks for a zone, not for its vertices
    lines = b",\n".join(orjson.dumps(f) for f in features)
    with written_whole(path) as partial:
        partial.write_bytes(b'{"type":"FeatureCollection","features":[\n' + lines + b"\n]}\n")


def put_sensors(path: Path, rows: Sequence[SensorRow]) -> int:
    """Write a list of sensors; return how many there are."""
    with written_whole(path) as partial, partial.open("w", newline="", encoding="utf-8") as out:
        table = csv.writer(out, lineterminator="\n")
        table.writerow(("id", "kind", "source", "lat", "lon", "height_m", "range_m", "sees"))
        for id_, kind, source, lat, lon, height, reach, sees in rows:
            told = "" if reach is None else round(reach, -2 if reach > 1000 else 0)
            table.writerow(
                (id_, kind, source, f"{lat:.5f}", f"{lon:.5f}", round(height), told, sees)
            )
    return len(rows)
