"""`zones.geojson` of the world `frontier`."""

# mypy: disable-error-code="no-untyped-call"
# Shapely has no types of its own.
from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from shapely.geometry import LineString, Polygon

from cordon.exercise.worlds.line.ground import Ground
from cordon.exercise.worlds.line.scene import Scene
from cordon.exercise.worlds.seeing.shapes import SensorRow, feature, put, put_sensors

Data = dict[str, Any]
BORDER = "B-LINE"


def write(path: Path, scene: Scene) -> int:
    """Write the zones; return how many there are."""
    ground, data = scene.ground, scene.data["ground"]
    line = _line(ground, ground.line_x, ground.line_y)
    made = [feature(BORDER, "The line", "border", line)]
    units = sorted({m.unit for m in scene.crowd.movers if m.unit.startswith("unit:")})
    units += sorted(f"unit:{name}" for name, _ in scene.flights)
    for place in ground.places.values():
        extra: Data = {k: place.more[k] for k in ("seasonal", "dwell_min") if k in place.more}
        if place.kind == "restricted":
            extra["allowed"] = units
        made.append(feature(place.id, place.name, place.kind, _area(ground, place), **extra))
    for name, road in ground.roads.items():
        points = np.array(road)
        made.append(feature(name, _named(name), "lane", _line(ground, points[:, 0], points[:, 1])))
    for n, (west, east) in enumerate(scene.sectors):
        made.append(
            feature(
                f"SEC-{n + 1}",
                f"Sector {n + 1}",
                "patrol_sector",
                _strip(ground, west, east, data["sector_depth_km"] * 1000.0),
                max_uncovered_min=data["max_uncovered_min"],
            )
        )
    put(path, made)
    return len(made)


def write_sensors(path: Path, scene: Scene) -> int:
    """Write `sensors.csv`, what the guards know of their own sensors; return its rows."""
    rows: list[SensorRow] = []
    for eye in scene.eyes.all:
        if eye.way is None:
            sees = "aircraft" if eye.kind == "drones" else "person vehicle"
            kind = "camera" if eye.kind == "camera" else "radar"
            reach = eye.reach_m.get("person", eye.radar.range_m)
            radar = eye.radar
            rows.append(
                (radar.id, kind, radar.id, radar.lat, radar.lon, radar.height_m, reach, sees)
            )
    for one in scene.sensors.all:
        source = f"UGS-{one.string + 1}"
        rows.append(
            (one.id, "ground_sensor", source, one.lat, one.lon, 0.0, 40.0, "person vehicle")
        )
    return put_sensors(path, rows)


def _named(road: str) -> str:
    return {
        "RD-SOUTH": "Road of the villages",
        "RD-NORTH": "Road beyond the line",
        "RD-PATROL": "Patrol road",
    }.get(road, f"Road through crossing {road[3:].capitalize()}")


def _line(ground: Ground, x: Any, y: Any) -> LineString:
    lat, lon = ground.to_degrees(np.asarray(x), np.asarray(y))
    return LineString(np.column_stack((lon, lat)))


def _area(ground: Ground, place: Any) -> Polygon:
    x, y = np.array(ground.area(place).exterior.coords).T
    lat, lon = ground.to_degrees(x, y)
    return Polygon(np.column_stack((lon, lat)))


def _strip(ground: Ground, west: float, east: float, depth: float) -> Polygon:
    x = np.arange(west, east + 1.0, 400.0)
    x[-1] = min(x[-1], east)
    x = np.append(x, east) if x[-1] < east else x
    y = ground.line_at(x)
    ring_x = np.concatenate([x, x[::-1]])
    ring_y = np.concatenate([y, y[::-1] - depth])
    lat, lon = ground.to_degrees(ring_x, ring_y)
    return Polygon(np.column_stack((lon, lat)))
