"""Distances and bearings on the sphere, for floats and NumPy arrays alike.

Angles are degrees, distances metres. The mean radius of WGS 84 gives errors under 0.6%
against the ellipsoid, less than a vessel's own position error over the ranges used here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

EARTH_RADIUS_M = 6_371_008.8  # mean radius R1 of WGS 84, Moritz 2000


def distance_m(
    lat1: ArrayLike, lon1: ArrayLike, lat2: ArrayLike, lon2: ArrayLike
) -> NDArray[np.float64]:
    """Great-circle distance (m) by the haversine formula; shapes broadcast."""
    p1, l1, p2, l2 = (np.radians(np.asarray(v, dtype=np.float64)) for v in (lat1, lon1, lat2, lon2))
    half = np.sin((p2 - p1) / 2) ** 2 + np.cos(p1) * np.cos(p2) * np.sin((l2 - l1) / 2) ** 2
    return np.asarray(2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.clip(half, 0.0, 1.0))))


def bearing_deg(
    lat1: ArrayLike, lon1: ArrayLike, lat2: ArrayLike, lon2: ArrayLike
) -> NDArray[np.float64]:
    """Initial bearing (degrees clockwise from true north, 0 ≤ b < 360); shapes broadcast."""
    p1, l1, p2, l2 = (np.radians(np.asarray(v, dtype=np.float64)) for v in (lat1, lon1, lat2, lon2))
    y = np.sin(l2 - l1) * np.cos(p2)
    x = np.cos(p1) * np.sin(p2) - np.sin(p1) * np.cos(p2) * np.cos(l2 - l1)
    return np.asarray(np.degrees(np.arctan2(y, x)) % 360.0)


def destination(lat: float, lon: float, course_deg: float, way_m: float) -> tuple[float, float]:
    """Where one comes to (lat, lon in degrees) from a point on a course (deg) over a way (m)."""
    angle = way_m / EARTH_RADIUS_M
    p, course = np.radians(lat), np.radians(course_deg)
    p2 = np.arcsin(np.sin(p) * np.cos(angle) + np.cos(p) * np.sin(angle) * np.cos(course))
    l2 = np.radians(lon) + np.arctan2(
        np.sin(course) * np.sin(angle) * np.cos(p), np.cos(angle) - np.sin(p) * np.sin(p2)
    )
    return float(np.degrees(p2)), float((np.degrees(l2) + 540.0) % 360.0 - 180.0)


def point(lat: float, lon: float) -> dict[str, Any]:
    """A GeoJSON Point (longitude first, RFC 7946 §3.1.1), rounded to a decimetre."""
    return {"type": "Point", "coordinates": [round(lon, 6), round(lat, 6)]}
