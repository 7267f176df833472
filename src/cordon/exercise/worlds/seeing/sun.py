"""Day and night: the sun's height, good to half a degree (NOAA's low-precision formulas)."""

from __future__ import annotations

from datetime import datetime

import numpy as np
from numpy.typing import ArrayLike, NDArray

DARK_DEG = -6.0
"""Below this the sun gives no light to work by: the end of civil twilight."""


def sun_height_deg(begins: datetime, t: ArrayLike, lat: float, lon: float) -> NDArray[np.float64]:
    """Height of the sun (degrees) at seconds `t` after a moment, at a place (degrees)."""
    day = begins.timetuple().tm_yday - 1
    utc = begins.hour * 3600.0 + begins.minute * 60.0 + begins.second + np.asarray(t, np.float64)
    year = 2 * np.pi / 365.0 * (day + (utc / 3600.0 - 12) / 24.0)
    equation_min = 229.18 * (
        0.000075
        + 0.001868 * np.cos(year)
        - 0.032077 * np.sin(year)
        - 0.014615 * np.cos(2 * year)
        - 0.040849 * np.sin(2 * year)
    )
    tilt = (
        0.006918
        - 0.399912 * np.cos(year)
        + 0.070257 * np.sin(year)
        - 0.006758 * np.cos(2 * year)
        + 0.000907 * np.sin(2 * year)
    )
    hour_angle = np.radians((utc / 60.0 + equation_min + 4 * lon) / 4.0 - 180.0)
    p = np.radians(lat)
    height = np.sin(p) * np.sin(tilt) + np.cos(p) * np.cos(tilt) * np.cos(hour_angle)
    return np.asarray(np.degrees(np.arcsin(np.clip(height, -1.0, 1.0))))


def nights(begins: datetime, span: float, lat: float, lon: float) -> list[tuple[float, float]]:
    """The dark spans (s after `begins`) of a span, to a minute."""
    t = np.arange(0.0, span + 60.0, 60.0)
    dark = sun_height_deg(begins, t, lat, lon) < DARK_DEG
    edges = np.flatnonzero(np.diff(np.concatenate([[False], dark, [False]]).astype(np.int8)))
    return [
        (float(t[a]), float(min(t[b - 1], span)))
        for a, b in edges.reshape(-1, 2)
        if min(t[b - 1], span) > t[a]
    ]
