"""Truths of sensors that were tripped with no patrol near, and of sectors left uncovered."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta

import numpy as np

from cordon.exercise.model import Truth
from cordon.exercise.worlds.line.scene import Scene
from cordon.exercise.worlds.seeing.rows import Rows
from cordon.exercise.worlds.seeing.telling import Heard, Record
from cordon.kernel.geo import distance_m, point

NEAR_M, NEAR_S = 2000.0, 900.0  # a patrol within so far and so long explains a trip
_LEAST_SENSORS = 2  # one alone cannot be told from a dog


def uncovered(scene: Scene, begins: datetime) -> list[Truth]:
    """One truth for each time that a sector lay bare: no unit was in it, and everything that
    stands there or looks into it was cut off."""
    ground = scene.ground
    made = []
    for n, start, end in scene.bare:
        x = sum(scene.sectors[n]) / 2
        depth = scene.data["ground"]["sector_depth_km"] * 1000.0
        made.append(
            Truth(
                "picture.uncovered",
                (f"zone:SEC-{n + 1}",),
                begins + timedelta(seconds=round(start)),
                begins + timedelta(seconds=round(end)),
                point(*ground.degrees((x, float(ground.line_at(x)) - depth / 2))),
                "No patrol was there, and no sensor heard.",
            )
        )
    return made


def trips(
    scene: Scene, parties: list[int], record: Record, own: Record, begins: datetime
) -> list[Truth]:
    """One truth for each sensor that a party tripped, where it tripped two or more.

    Args:
        parties: serials. record: what was reported of them. own: of own units.
    """
    heard, units = record.heard(), own.heard()
    made: list[Truth] = []
    names = scene.subjects.texts
    for party in sorted(parties):
        rows = heard.within(-np.inf, np.inf, party)
        by: dict[int, list[float]] = defaultdict(list)
        for code, t in zip(rows.subject.tolist(), rows.t.tolist(), strict=True):
            if names[code].startswith("sensor:"):
                by[code].append(t)
        if len(by) < _LEAST_SENSORS:
            continue
        sensors = {f"sensor:{s.id}": s for s in scene.sensors.all}
        for code, at in sorted(by.items()):
            sensor = sensors[names[code]]
            if _patrol_near(units, sensor.lat, sensor.lon, min(at), max(at)):
                continue
            made.append(
                Truth(
                    "picture.sensor_trip",
                    (names[code],),
                    begins + timedelta(seconds=round(min(at))),
                    begins + timedelta(seconds=max(round(min(at)) + 1, round(max(at)))),
                    point(sensor.lat, sensor.lon),
                    "A party that crossed the line tripped it.",
                )
            )
    return made


def _patrol_near(units: Heard, lat: float, lon: float, start: float, end: float) -> bool:
    rows: Rows = units.within(start - NEAR_S, end + NEAR_S)
    return bool(len(rows)) and bool((distance_m(rows.lat, rows.lon, lat, lon) < NEAR_M).any())
