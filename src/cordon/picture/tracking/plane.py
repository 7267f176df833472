"""Metres about a point of the ellipsoid, for paths of a track between two reports.

Each track has a plane of its own, which touches WGS 84 at its last place: east and north in
metres along the geodesic. Gauss's mid-latitude formulas give them to the third order of the
distance: within 1 mm at 1 km, 1 m at 50 km and 40 m at 200 km below 60° (the tests compare with
Vincenty's series); a craft's own reports are hardly ever so far apart.
"""

from __future__ import annotations

import math

from cordon.kernel.compiled import compiled, inner

RADIAN = math.pi / 180.0
AXIS_M = 6_378_137.0  # WGS 84, a
E2 = 6.694379990141317e-3  # WGS 84, e²
FARTHEST_LAT = 89.5
"""Degrees north or south beyond which no position is taken: east and north turn too fast there."""


@inner
def east_of(lon0: float, lon1: float) -> float:
    """How far lon1 lies east of lon0: degrees, -180 to 180, the shorter way round."""
    d = lon1 - lon0
    if d > 180.0:
        d -= 360.0
    elif d < -180.0:
        d += 360.0
    return d


@compiled
def offset(lat0: float, lon0: float, lat1: float, lon1: float) -> tuple[float, float]:
    """Metres east and north of place 1 in the plane of place 0 (degrees)."""
    mid = 0.5 * (lat0 + lat1) * RADIAN
    s, c = math.sin(mid), math.cos(mid)
    w = 1.0 - E2 * s * s
    n = AXIS_M / math.sqrt(w)
    east = east_of(lon0, lon1) * RADIAN
    e_mid = n * c * east
    n_mid = n * (1.0 - E2) / w * (lat1 - lat0) * RADIAN
    half = 0.5 * east * s  # half of how far the meridians turn on the way
    cos, sin = math.cos(half), math.sin(half)
    return e_mid * cos - n_mid * sin, n_mid * cos + e_mid * sin


@compiled
def moved(lat: float, lon: float, east: float, north: float) -> tuple[float, float, float]:
    """The place (degrees) so many metres east and north, and how far (rad) north has turned.

    A course that goes straight on stands so much farther clockwise at the new place.
    """
    d_lat = north / (AXIS_M * RADIAN)
    turn = d_lon = 0.0
    for _ in range(4):
        mid = (lat + 0.5 * d_lat) * RADIAN
        s, c = math.sin(mid), math.cos(mid)
        w = 1.0 - E2 * s * s
        n = AXIS_M / math.sqrt(w)
        cos, sin = math.cos(0.5 * turn), math.sin(0.5 * turn)
        d_lat = (north * cos - east * sin) * w / (n * (1.0 - E2)) / RADIAN
        d_lon = (east * cos + north * sin) / (n * max(c, 1e-3)) / RADIAN
        turn = d_lon * RADIAN * s
    lat1 = min(max(lat + d_lat, -89.9), 89.9)
    lon1 = lon + d_lon
    if lon1 > 180.0 or lon1 < -180.0:
        lon1 = (lon1 + 540.0) % 360.0 - 180.0
    return lat1, lon1, turn
