"""How high the sun stands: whether it is night at a place and time."""

from __future__ import annotations

import numpy as np

from cordon.picture.tracks import Bools, Floats

NIGHT_DEG = -6.0
"""Below this it is dark: the end of civil twilight (The Astronomical Almanac, glossary)."""


def height_deg(t: Floats, lat: Floats, lon: Floats) -> Floats:
    """The sun's height (degrees above the horizon, without refraction), shapes broadcast.

    By the low-precision formulas of The Astronomical Almanac (section C), good to 0.01° between
    1950 and 2050; t: s since the epoch, lat, lon: degrees.
    """
    days = np.asarray(t, dtype=np.float64) / 86_400.0 - 10_957.5  # since J2000.0
    anomaly = np.radians((357.528 + 0.9856003 * days) % 360.0)
    mean = (280.460 + 0.9856474 * days) % 360.0
    ecliptic = np.radians(mean + 1.915 * np.sin(anomaly) + 0.020 * np.sin(2 * anomaly))
    tilt = np.radians(23.439 - 0.0000004 * days)
    right = np.arctan2(np.cos(tilt) * np.sin(ecliptic), np.cos(ecliptic))
    declination = np.arcsin(np.sin(tilt) * np.sin(ecliptic))
    # Greenwich mean sidereal time, degrees
    sidereal = (280.46061837 + 360.98564736629 * days) % 360.0
    hour = np.radians(sidereal + np.asarray(lon, dtype=np.float64)) - right
    p = np.radians(np.asarray(lat, dtype=np.float64))
    high = np.sin(p) * np.sin(declination) + np.cos(p) * np.cos(declination) * np.cos(hour)
    return np.asarray(np.degrees(np.arcsin(np.clip(high, -1.0, 1.0))))


def is_night(t: Floats, lat: Floats, lon: Floats) -> Bools:
    """Whether it is dark, shapes broadcast."""
    return np.asarray(height_deg(t, lat, lon) < NIGHT_DEG, dtype=np.bool_)
