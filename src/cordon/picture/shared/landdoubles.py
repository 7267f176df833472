"""One mover on land under two identities: what it says of itself, and an eye's track of it.

A vehicle with a tracker, or an own patrol, is seen by radars and cameras as well. Their tracks
break off and begin anew, so that a track is held against who names himself over its own life,
and by how both move: who passes by somebody who stands is not he.
"""

from __future__ import annotations

import numpy as np

from cordon.picture.model import KINDS
from cordon.picture.shared.crafts import crafts_of
from cordon.picture.shared.nearness import near_between, plane_m
from cordon.picture.shared.numbering import different_pairs
from cordon.picture.shared.sameparty import unnamed_of
from cordon.picture.shared.samples import Paths, followed_of
from cordon.picture.tracks import Floats, Ints, Tracks

REACH_M = 150.0
"""How far apart they may be told: half a degree of a ground radar's beam at 12 km is 100 m, and
the straight way between two reports of a tracker cuts corners. Own choice."""
BOTH_S = 120.0
"""For less one eye may hold two tracks of one mover, as when one breaks and begins anew."""
_SHARE = 0.8
_LEAST_S = 60.0
_GRID_S = 60.0
_UNHEARD_S = 900.0  # over a longer silence of a tracker nobody knows which road was taken
_LOOKS = 32
_TRIES = np.array([1 / 6, 1 / 2, 5 / 6])
_NOT_ON_LAND = (KINDS.index("vessel"), KINDS.index("aircraft"))
_METRES = 111_195.0  # a degree of latitude


def doubles_on_land(tracks: Tracks) -> tuple[Ints, Ints, Floats]:
    """Unnamed tracks on land, for each the one who names himself and is it, and how far apart
    they are told in the median (m). Of several the nearest."""
    crafts, unnamed = crafts_of(tracks), unnamed_of(tracks)
    named = ~unnamed & (crafts.land | (crafts.own & ~np.isin(crafts.kind, _NOT_ON_LAND)))
    paths = followed_of(tracks)
    count = np.diff(paths.starts)
    those = np.flatnonzero(named & (count > 1))
    life = np.zeros(len(count))
    held = np.flatnonzero(count > 1)
    life[held] = paths.t[paths.starts[held + 1] - 1] - paths.t[paths.starts[held]]
    some = np.flatnonzero(unnamed & crafts.land & (life >= _LEAST_S))
    none = np.empty(0, np.int64)
    if not len(those) or not len(some):
        return none, none, np.empty(0)
    pairs = _near(paths, some, those)
    pairs, off = _move_alike(paths, pairs)
    order = np.lexsort((pairs[:, 1], off, pairs[:, 0]))
    pairs, off = pairs[order], off[order]
    first = np.append(True, np.diff(pairs[:, 0]) != 0)[: len(pairs)]
    return pairs[first, 0], pairs[first, 1], off[first]


def _near(paths: Paths, some: Ints, those: Ints) -> Ints:
    """Rows of one of `some` and one of `those` that are near at one of a few moments."""
    from cordon.picture.shared import pathkernel as kernel

    spans = [slice(int(paths.starts[i]), int(paths.starts[i + 1])) for i in those]
    t, lat, lon = (np.concatenate([v[s] for s in spans]) for v in (paths.t, paths.lat, paths.lon))
    starts = np.concatenate(([0], np.cumsum([s.stop - s.start for s in spans])))
    whose, slot, y, x, _, _ = kernel.on_the_grid(t, lat, lon, starts, _GRID_S, _UNHEARD_S)
    begin, end = paths.t[paths.starts[some]], paths.t[paths.starts[some + 1] - 1]
    look = np.round((begin[:, None] + _TRIES * (end - begin)[:, None]) / _GRID_S)
    look = np.clip(look, np.ceil(begin / _GRID_S)[:, None], np.floor(end / _GRID_S)[:, None])
    who = np.repeat(some, len(_TRIES))
    at = look.ravel().astype(np.int64)
    here, there = paths.at(who, np.asarray(at * _GRID_S, dtype=np.float64))
    known = np.isfinite(here)
    a, b, _ = near_between(at[known], here[known], there[known], slot, y, x, REACH_M)
    return different_pairs(who[known][a], those[whose[b]])


def _move_alike(paths: Paths, pairs: Ints) -> tuple[Ints, Floats]:
    """Pairs that stay near and move alike while both are known, for most of the first one's life;
    and how far apart they are in the median (m)."""
    first, last = paths.starts[:-1], paths.starts[1:] - 1
    one, two = pairs[:, 0], pairs[:, 1]
    begin = np.maximum(paths.t[first[one]], paths.t[first[two]])
    end = np.minimum(paths.t[last[one]], paths.t[last[two]])
    whole = paths.t[last[one]] - paths.t[first[one]]
    long = (end - begin >= _LEAST_S) & (end - begin >= 0.5 * whole)
    pairs, begin, end = pairs[long], begin[long], end[long]
    share = (np.arange(_LOOKS) + 0.5) / _LOOKS
    t = (begin[:, None] + share * (end - begin)[:, None]).ravel()
    lat0, lon0 = paths.at(np.repeat(pairs[:, 0], _LOOKS), t)
    lat1, lon1 = paths.at(np.repeat(pairs[:, 1], _LOOKS), t)
    far = plane_m(lat0, lon0, lat1, lon1).reshape(-1, _LOOKS)
    east = ((lon1 - lon0 + 540.0) % 360.0 - 180.0) * np.cos(np.radians(lat0)) * _METRES
    north = (lat1 - lat0) * _METRES
    known, third = np.isfinite(far), _LOOKS // 3
    count = known.sum(axis=1)
    keep = ((far <= REACH_M) & known).sum(axis=1) >= _SHARE * count
    keep &= 2 * count >= _LOOKS
    # where the one lies of the other, in the first and the last third of the time
    moved = [
        _mean(v.reshape(-1, _LOOKS)[:, -third:]) - _mean(v.reshape(-1, _LOOKS)[:, :third])
        for v in (east, north)
    ]
    keep &= np.hypot(moved[0], moved[1]) <= REACH_M / 2  # NaN is no
    middle = np.median(np.where(known, far, np.inf), axis=1)
    return pairs[keep], middle[keep]


def _mean(values: Floats) -> Floats:
    """The mean of what is known in each row; NaN where nothing is."""
    known = np.isfinite(values)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(known, values, 0.0).sum(axis=1) / known.sum(axis=1))
