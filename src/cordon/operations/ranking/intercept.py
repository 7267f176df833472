"""Where and when a unit meets a target that keeps its course and speed."""

from __future__ import annotations

import math
from dataclasses import dataclass

from cordon.kernel import geo


@dataclass(frozen=True, slots=True)
class Intercept:
    """Steer `course_deg` (true) for `seconds` to meet the target at lat, lon (degrees)."""

    course_deg: float
    seconds: float
    lat: float
    lon: float


def intercept(
    unit: tuple[float, float],
    unit_ms: float,
    target: tuple[float, float],
    target_course_deg: float,
    target_ms: float,
) -> Intercept | None:
    """The first meeting of a unit (lat, lon; speed m/s) and a target; None where there is none.

    Solved on the plane through the unit: |d + v t| = s t, the smallest t ≥ 0. The answer is
    then made good on the sphere three times over, which holds to metres within 500 km.
    """
    seconds = _on_the_plane(unit, unit_ms, target, target_course_deg, target_ms)
    if seconds is None:
        return None
    for _ in range(3):
        at = geo.destination(*target, target_course_deg, target_ms * seconds)
        gap = float(geo.distance_m(*unit, *at)) - unit_ms * seconds
        # how fast the gap closes: the unit's speed less the target's along the line to it
        away = math.radians(target_course_deg - float(geo.bearing_deg(*unit, *at)))
        closing = unit_ms - target_ms * math.cos(away)
        if closing <= 1e-6:
            break
        seconds = max(0.0, seconds + gap / closing)
    at = geo.destination(*target, target_course_deg, target_ms * seconds)
    return Intercept(float(geo.bearing_deg(*unit, *at)), seconds, *at)


def _on_the_plane(
    unit: tuple[float, float],
    unit_ms: float,
    target: tuple[float, float],
    course_deg: float,
    target_ms: float,
) -> float | None:
    away = float(geo.distance_m(*unit, *target))
    if away == 0.0:
        return 0.0
    bearing = math.radians(float(geo.bearing_deg(*unit, *target)))
    course = math.radians(course_deg)
    along = away * target_ms * math.cos(course - bearing)  # d · v
    a, b, c = target_ms**2 - unit_ms**2, 2 * along, away**2
    if abs(a) < 1e-9:  # the same speed: they meet only where the target comes nearer
        return -c / b if b < 0 else None
    root = b * b - 4 * a * c
    if root < 0:
        return None
    times = [t for t in ((-b + s * math.sqrt(root)) / (2 * a) for s in (1, -1)) if t >= 0]
    return min(times, default=None)
