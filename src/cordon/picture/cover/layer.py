"""Cover as a GeoJSON layer: what of each sector is seen, may be seen and is not; sensors; units."""

from __future__ import annotations

from typing import Any

import numpy as np
from shapely.geometry.base import BaseGeometry

from cordon.kernel.clock import format_time
from cordon.kernel.geo import destination
from cordon.picture.cover import horizon
from cordon.picture.cover.cover import Cover, SectorCover
from cordon.picture.cover.drawing import rounded, shape_of
from cordon.picture.cover.eye import Eye
from cordon.picture.cover.learned import BEARINGS
from cordon.picture.cover.model import Sees
from cordon.picture.cover.view import proven_at, sector_now, sensor_now
from cordon.picture.tracks import moment

LAYERS = ("seen", "unproven", "uncovered", "sensor", "reach")
"""What a feature's `layer` may be: of a sector the part that is seen, that is seen if what nobody
knows to work does work, and that is not seen; a sensor; how far a sensor reaches."""

_HALF = 0.5  # of a cell, from which on it counts as seen in a drawing
_TURN = 72  # corners of a reach that is drawn


def layer_of(cover: Cover) -> dict[str, Any]:
    """The cover at the end of its span as a FeatureCollection; see LAYERS."""
    features: list[dict[str, Any]] = []
    for sector in cover.sectors:
        features += _sector(cover, sector)
    for eye in cover.eyes:
        features += _sensor(cover, eye)
    at = format_time(moment(cover.signs.end))
    return {"type": "FeatureCollection", "at": at, "features": features}


def _sector(cover: Cover, sector: SectorCover) -> list[dict[str, Any]]:
    told = {**sector_now(cover, sector).to_dict(), "zone": sector.sector.zone.id}
    last = len(sector.times) - 1
    seen = np.zeros(len(sector.cells))
    proven = np.zeros(len(sector.cells))
    if sector.parts:
        seen = np.minimum.reduce([sector.seen_at(part, last) for part in sector.parts])
        proven = np.minimum.reduce([proven_at(sector, part) for part in sector.parts])
    sure, may = proven >= _HALF, seen >= _HALF
    found = []
    for layer, chosen in (("seen", sure), ("unproven", may & ~sure), ("uncovered", ~may)):
        shape = shape_of(sector, chosen)
        if shape is not None:
            found.append(_feature(layer, _told(shape, sector), told))
    return found


def _told(shape: BaseGeometry, sector: SectorCover) -> dict[str, Any]:
    return rounded(shape, sector.cells.size_m)


def _sensor(cover: Cover, eye: Eye) -> list[dict[str, Any]]:
    now = sensor_now(cover, eye)
    told = {
        "id": now.id,
        "name": now.name,
        "kind": now.kind,
        "state": now.state,
        "why": now.why,
        "since": format_time(now.since) if now.since else None,
        "learned": now.learned,
        "notes": list(now.notes),
    }
    found = []
    if now.lat is not None and now.lon is not None:
        spot = {"type": "Point", "coordinates": [round(now.lon, 5), round(now.lat, 5)]}
        found.append(_feature("sensor", spot, told))
    outline = _reach(eye)
    if outline is not None:
        found.append(_feature("reach", outline, told))
    return found


def _reach(eye: Eye) -> dict[str, Any] | None:
    """How far a sensor reaches what it sees farthest, as an outline; None where nobody knows."""
    if eye.area is not None:
        return rounded(eye.area)
    sensor = eye.sensor
    if sensor.lat is None or sensor.lon is None:
        return None
    far = max((horizon.range_m(sensor, s) or 0.0 for s in Sees if s & sensor.sees), default=0.0)
    corners = []
    for bearing in np.arange(_TURN) * 360.0 / _TURN:
        away = far
        if len(eye.reach):
            told = eye.reach[int(bearing / (360.0 / BEARINGS)) % BEARINGS]
            if np.isfinite(told):
                away = max(far, -told) if told < 0 else float(told)
        corners.append((float(bearing), away))
    if sensor.azimuth_deg is not None and sensor.beamwidth_deg is not None:
        half = sensor.beamwidth_deg / 2
        turns = np.linspace(sensor.azimuth_deg - half, sensor.azimuth_deg + half, 24)
        corners = [(float(b), far) for b in turns] if sensor.beamwidth_deg < 360 else corners
        corners = [*corners, (0.0, 0.0)]
    if max(away for _, away in corners) <= 0:
        return None
    ring = [destination(sensor.lat, sensor.lon, b, away)[::-1] for b, away in corners]
    ring.append(ring[0])
    return {"type": "Polygon", "coordinates": [[[round(x, 5), round(y, 5)] for x, y in ring]]}


def _feature(layer: str, geometry: dict[str, Any], told: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "geometry": geometry, "properties": {"layer": layer, **told}}
