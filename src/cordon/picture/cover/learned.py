"""How far a receiver has lately reached, learned from whom it heard and where it lost them.

A height says how far it could hear. A wet cable, a new building or a duct says otherwise, and
shows in the reports: vessels under way cease to be heard where its reach ends.
"""

# mypy: disable-error-code="no-untyped-call"
# Shapely has no types of its own.
from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from cordon.kernel.geo import bearing_deg, distance_m
from cordon.kernel.units import METRES_PER_NAUTICAL_MILE
from cordon.picture.cover.signs import THIN_S, Fixes, Signs
from cordon.picture.cover.silence import Down
from cordon.picture.tracks import Bools, Floats

BEARINGS = 36
LATELY_S = 86_400.0
_LOST_S = 3 * THIN_S  # a vessel of which so long nothing came was lost
_UNDER_WAY_MS = 2.0 * METRES_PER_NAUTICAL_MILE / 3600
_LEAST_FIXES, _LEAST_SUBJECTS, _LEAST_LOST = 20, 3, 3
_FAR_SHARE = 0.5  # a vessel lost nearer than that part of what is heard went into port, not out
_CELL_DEG = 0.1


def lately(signs: Signs, sign: int, until: float) -> Fixes:
    """The places that a sign told in the day before a moment."""
    fixes = signs.fixes
    lo, hi = np.searchsorted(fixes.sign, (sign, sign + 1))
    kept = np.arange(lo, hi)
    t = fixes.t[kept]
    kept = kept[(t > until - LATELY_S) & (t <= until)]
    return Fixes._make(column[kept] for column in fixes)


def reach_by_bearing(
    fixes: Fixes, lat: float, lon: float, until: float, downs: Sequence[Down]
) -> Floats:
    """How far (m) a receiver at a place reached, shape (BEARINGS,); NaN where nobody can tell.

    The median of the distances at which vessels under way were lost, where three or more were;
    else as far as 95 of 100 reports came from, made negative: so far at least, perhaps farther.
    A loss is none while the receiver was down, or as the data end.
    """
    if not len(fixes.t):
        return np.full(BEARINGS, np.nan)
    # loads what is compiled
    from cordon.picture.cover import reachkernel as kernel

    away = distance_m(lat, lon, fixes.lat, fixes.lon)
    halves = 2 * BEARINGS
    half = (bearing_deg(lat, lon, fixes.lat, fixes.lon) / (360.0 / halves)).astype(np.int64)
    order = np.argsort((half % halves).astype(np.int16), kind="stable")
    at = np.searchsorted(half[order] % halves, np.arange(halves + 1))
    reach: Floats = kernel.by_bearing(
        away[order], fixes.subject[order], _lost(fixes, until, downs)[order], at,
        _LEAST_FIXES, _LEAST_SUBJECTS, _LEAST_LOST, _FAR_SHARE,
    )  # fmt: skip
    return reach


def _lost(fixes: Fixes, until: float, downs: Sequence[Down]) -> Bools:
    """After which fixes a vessel under way was heard no more, or not for long."""
    n = len(fixes.t)
    same = np.zeros(n + 1, dtype=np.bool_)
    same[1:n] = fixes.subject[1:] == fixes.subject[:-1]
    after = np.full(n, until)
    after[:-1] = np.where(same[1:n], fixes.t[1:], until)
    silent = after - fixes.t > _LOST_S
    moving = np.zeros(n, dtype=np.bool_)
    before = np.flatnonzero(same[:n])
    way = distance_m(
        fixes.lat[before - 1], fixes.lon[before - 1], fixes.lat[before], fixes.lon[before]
    )
    time = np.maximum(fixes.t[before] - fixes.t[before - 1], 1.0)
    moving[before] = way / time > _UNDER_WAY_MS
    for down in downs:
        silent &= ~((fixes.t > down.start - 2 * THIN_S) & (fixes.t < down.end))
    return silent & moving


def outline(fixes: Fixes) -> BaseGeometry | None:
    """An area around where a source of unknown place heard others, or None for too few.

    Strays are left out: a place counts where others were heard near it too. It is the convex
    hull, so that the waters between two lanes count as reached.
    """
    if len(fixes.t) < _LEAST_FIXES:
        return None
    cell = np.floor(fixes.lat / _CELL_DEG).astype(np.int64) * 10_000
    cell += np.floor(fixes.lon / _CELL_DEG).astype(np.int64)
    _, where, count = np.unique(cell, return_inverse=True, return_counts=True)
    kept = count[where] >= 2
    if int(kept.sum()) < 3:
        return None
    spots = shapely.multipoints(np.column_stack((fixes.lon[kept], fixes.lat[kept])))
    hull: BaseGeometry = shapely.buffer(shapely.convex_hull(spots), 0.005)
    return hull
