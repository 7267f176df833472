"""What stood around a finding: its place, the ways of its subjects, and of others near it."""

# mypy: disable-error-code="no-untyped-call"
# Shapely has no types of its own.
from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

import numpy as np
from shapely.errors import ShapelyError  # type: ignore[attr-defined]
from shapely.geometry import shape

from cordon.kernel.access.model import Actor
from cordon.kernel.clock import format_time
from cordon.kernel.findings import Finding
from cordon.kernel.leads import KeptFinding
from cordon.picture.desk.histories import way_of
from cordon.picture.desk.replaying import Replay, replay
from cordon.picture.desk.stored import Box, Span, Stored
from cordon.picture.model import KINDS, Position
from cordon.picture.tracks import moment

BEFORE = AFTER = timedelta(hours=1)
NEAR_M = 10 * 1852.0
MOST_OTHERS = 40
MOST_A_WAY = 400
_METRES = 111_195.0  # in a degree of latitude
_LONGEST = timedelta(days=3)


def around(
    stored: Stored, actor: Actor, finding: Finding, live: Mapping[str, list[Position]]
) -> dict[str, Any]:
    """Ways about a finding as a FeatureCollection.

    Each line has `subject`, `name`, `kind` and `role`: `subject` for those that the finding
    speaks of, whose whole way from an hour before to an hour after is drawn, and `other` for at
    most 40 others that were within 10 nm of its place then, those nearest in time first.

    Args:
        live: what the live window holds of the finding's subjects.
    """
    span = _span(finding)
    features = []
    for subject in finding.subjects:
        if subject.partition(":")[0] in ("zone", "cell", "sensor"):
            continue
        way = way_of(stored, actor, subject, span, live.get(subject, ()), most=MOST_A_WAY)
        if way.fixes:
            features.append(_line(way.fixes, "subject"))
    box = box_of(finding.place, finding.radius_m or 0.0)
    if box is not None:
        told = replay(stored, actor, span, box, most=MOST_OTHERS * MOST_A_WAY)
        features += _others(told, set(finding.subjects))
    return {"type": "FeatureCollection", "features": features}


def _span(finding: Finding) -> Span:
    """From an hour before to an hour after, of a long one its last three days."""
    until = finding.end + AFTER
    return Span(max(finding.start - BEFORE, until - _LONGEST), until)


def _line(fixes: Iterable[Position], role: str) -> dict[str, Any]:
    some = list(fixes)
    last = some[-1]
    way = [[round(p.lon, 6), round(p.lat, 6)] for p in some]
    told = {
        "subject": last.subject,
        "name": last.name,
        "kind": last.kind,
        "role": role,
        "times": [format_time(p.at) for p in some],
        "speeds": [p.speed_kn for p in some],
    }
    return _feature(way, told)


def _others(told: Replay, but: set[str]) -> list[dict[str, Any]]:
    found = []
    sizes = np.diff(told.starts.astype(np.int64))
    for i in np.argsort(-sizes, kind="stable").tolist():
        if told.subjects[i] in but or told.subjects[i].startswith("sensor:"):
            continue
        rows = slice(int(told.starts[i]), int(told.starts[i + 1]))
        some = np.arange(rows.start, rows.stop)[-MOST_A_WAY:]
        way = [[round(float(told.lon[k]), 6), round(float(told.lat[k]), 6)] for k in some]
        said = {
            "subject": told.subjects[i],
            "name": told.names[i],
            "kind": KINDS[told.kinds[i]],
            "role": "other",
            "times": [format_time(moment(told.t[k])) for k in some],
        }
        found.append(_feature(way, said))
        if len(found) == MOST_OTHERS:
            break
    return found


def _feature(way: list[list[float]], told: Mapping[str, Any]) -> dict[str, Any]:
    geometry: dict[str, Any] = (
        {"type": "LineString", "coordinates": way}
        if len(way) > 1
        else {"type": "Point", "coordinates": way[0]}
    )
    return {"type": "Feature", "properties": dict(told), "geometry": geometry}


def box_of(place: Mapping[str, Any] | None, radius_m: float) -> Box | None:
    """The box about a place within which others count as near; None where no place is told."""
    if place is None:
        return None
    try:
        west, south, east, north = shape(place).bounds
    except (ShapelyError, ValueError, TypeError, KeyError, AttributeError, IndexError):
        return None
    high = (NEAR_M + radius_m) / _METRES
    wide = high / max(0.05, math.cos(math.radians(min(89.0, max(abs(south), abs(north))))))
    south, north = max(-90.0, south - high), min(90.0, north + high)
    return (west - wide + 540) % 360 - 180, south, (east + wide + 540) % 360 - 180, north


def layer_of(findings: Iterable[KeptFinding]) -> dict[str, Any]:
    """Findings as a layer of the map: a point each, where one is known."""
    features = []
    for kept in findings:
        finding = kept.finding
        at = _point(finding.place)
        if at is None:
            continue
        features.append(
            {
                "type": "Feature",
                "properties": {
                    "id": finding.id,
                    "kind": finding.kind,
                    "title": kept.title,
                    "seriousness": kept.seriousness,
                    "state": kept.state,
                    "start": finding.start.timestamp(),
                    "end": finding.end.timestamp(),
                },
                "geometry": {"type": "Point", "coordinates": at},
            }
        )
    return {"type": "FeatureCollection", "features": features}


def _point(place: Mapping[str, Any] | None) -> list[float] | None:
    if place is None:
        return None
    try:
        point = shape(place).representative_point()
    except (ShapelyError, ValueError, TypeError, KeyError, AttributeError, IndexError):
        return None
    return None if point.is_empty else [round(point.x, 6), round(point.y, 6)]
