"""Stretches over which a mover is heard without a long silence, and how it moves at their ends."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cordon.kernel.geo import bearing_deg
from cordon.kernel.units import KNOTS_PER_MS, METRES_PER_NAUTICAL_MILE
from cordon.picture.shared.hulls import Hulls, hulls_of
from cordon.picture.shared.nearness import plane_m
from cordon.picture.tracks import Bools, Floats, Ints, Tracks

_OVER_S = 180.0  # a speed is derived over so long, so that errors of position do not make it


@dataclass(frozen=True, slots=True)
class Stretches:
    """Stretches of all hulls, by subject, then time; columns of equal length.

    Attributes:
        subject: index into the tracks' subjects. a, b: entries of the hulls at its ends.
        t0, lat0, lon0, kn0, course0: its begin; t1 …: its end (s, degrees, kn, degrees).
        count: fixes. alone0, alone1: its begin or end lies in the midst of the data, not where
            these begin or end.
    """

    subject: Ints
    a: Ints
    b: Ints
    t0: Floats
    lat0: Floats
    lon0: Floats
    kn0: Floats
    course0: Floats
    t1: Floats
    lat1: Floats
    lon1: Floats
    kn1: Floats
    course1: Floats
    count: Ints
    alone0: Bools
    alone1: Bools


def stretches_of(tracks: Tracks, silence_s: float) -> Stretches:
    """Stretches with no silence of `silence_s` or longer."""
    return tracks.once(("stretches", silence_s), lambda: _stretches(tracks, silence_s))


def _stretches(tracks: Tracks, silence_s: float) -> Stretches:
    h = hulls_of(tracks)
    goes_on = h.linked.copy()
    goes_on[:-1] &= np.diff(h.t) < silence_s
    a = np.flatnonzero(~np.append(False, goes_on[:-1]))[: len(h)]
    b = np.append(a[1:], len(h))[: len(a)] - 1
    begin, end = (float(h.t.min()), float(h.t.max())) if len(h) else (0.0, 0.0)
    kn0, course0 = _motion(tracks, h, a, b, 1)
    kn1, course1 = _motion(tracks, h, b, a, -1)
    return Stretches(
        h.subject[a],
        a,
        b,
        h.t[a],
        h.lat[a],
        h.lon[a],
        kn0,
        course0,
        h.t[b],
        h.lat[b],
        h.lon[b],
        kn1,
        course1,
        b - a + 1,
        h.t[a] > begin + silence_s,
        h.t[b] < end - silence_s,
    )


def _motion(tracks: Tracks, h: Hulls, at: Ints, limit: Ints, step: int) -> tuple[Floats, Floats]:
    """Speed (kn) and course (degrees) at entries: as told, else from there towards `limit`.

    Args:
        step: 1 where `at` begins the stretch, -1 where it ends it.
    """
    far = at.copy()
    for _ in range(12):  # enough for reports every quarter of a minute
        short = (np.abs(h.t[far] - h.t[at]) < _OVER_S) & (far != limit)
        if not short.any():
            break
        far = far + step * short
    first, last = (at, far) if step > 0 else (far, at)
    way = plane_m(h.lat[first], h.lon[first], h.lat[last], h.lon[last])
    dt = np.abs(h.t[far] - h.t[at])
    made = np.where(dt > 0, way / np.maximum(dt, 1.0) * KNOTS_PER_MS, np.nan)
    led = bearing_deg(h.lat[first], h.lon[first], h.lat[last], h.lon[last])
    speed = tracks.speed[h.fix[at]].astype(np.float64)
    course = tracks.course[h.fix[at]].astype(np.float64)
    moved = way > 0.05 * METRES_PER_NAUTICAL_MILE
    return (
        np.where(np.isfinite(speed), speed, made),
        np.where(np.isfinite(course), course, np.where(moved, led, np.nan)),
    )
