"""`zones.geojson` of the world `coast`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cordon.exercise.worlds.sea.scene import Scene
from cordon.exercise.worlds.seeing.shapes import SensorRow, feature, put, put_sensors

Data = dict[str, Any]


def write(path: Path, scene: Scene) -> int:
    """Write the zones; return how many there are.

    Among them are parameters that zones set for themselves: who may enter (`allowed`), how long
    one may stay (`dwell_min`), how long a sector may lie uncovered (`max_uncovered_min`).
    """
    chart, data = scene.chart, scene.data["chart"]
    units = sorted(f"unit:{u['id']}" for u in scene.data["traffic"]["units"])
    own = sorted(
        f"mmsi:{c.set.identities[0].mmsi}" for c in scene.afloat.crafts if c.unit and c.set
    )
    made = [feature("LAND", "Land", "land", chart.land)]
    more = {z["id"]: z for z in data["restricted"]}
    for place in chart.places.values():
        extra: Data = {}
        if place.kind == "restricted":
            known = more[place.id]
            extra = {"allowed": [*own, *units]}
            extra |= {k: known[k] for k in ("watch", "dwell_min") if k in known}
        made.append(feature(place.id, place.name, place.kind, place.shape, **extra))
    for lane in data["lanes"]:
        made.append(feature(lane["id"], lane["name"], "lane", chart.lane_shape(lane)))
    for sector in data["sectors"]:
        shape = chart.sector_shape(sector)
        made.append(
            feature(
                sector["id"],
                sector["name"],
                "patrol_sector",
                shape,
                max_uncovered_min=data["max_uncovered_min"],
            )
        )
    put(path, made)
    return len(made)


def write_sensors(path: Path, scene: Scene) -> int:
    """Write `sensors.csv`, what the coast guard knows of its own sensors; return its rows."""
    rows: list[SensorRow] = [
        (s.id, "ais_receiver", s.id, s.lat, s.lon, s.height_m, None, "vessel vessel_class_b")
        for s in scene.ears.stations
    ]
    for scope in scene.radars.scopes:
        radar, reach = scope.radar, min(scope.reach_m["dhow"], scope.horizon_m["dhow"])
        place = radar.lat, radar.lon, radar.height_m
        rows.append((radar.id, "radar", radar.id, *place, reach, "vessel_without_ais"))
    return put_sensors(path, rows)
