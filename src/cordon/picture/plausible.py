"""Which fixes of one identity belong to one hull: a track taken apart where it cannot be one.

After gpsdio-segment (Global Fishing Watch, Apache-2.0, `core.py`): each fix joins the open
segment that it could have come from; one that fits none begins a new segment. So two hulls
under one identity become two long segments, a jump ends one and begins another, and a single
wrong fix stays alone and is noise.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cordon.kernel.geo import distance_m
from cordon.kernel.units import METRES_PER_NAUTICAL_MILE, MS_PER_KNOT
from cordon.picture.model import KINDS
from cordon.picture.tracks import Bools, Floats, Ints, Tracks

_MOST_OPEN = 10  # gpsdio-segment: MAX_OPEN_SEGMENTS


@dataclass(frozen=True, slots=True)
class Segments:
    """Which segment each fix belongs to.

    Attributes:
        label: number of the segment within its subject, from 0; -1 for noise.
        limit_kn: for each subject, the speed that its craft is taken to reach at most.
        broken: the subjects (indices) that have more than one real segment.
    """

    label: NDArray[np.int32]
    limit_kn: Floats
    broken: tuple[int, ...]


def speed_limits(tracks: Tracks, values: Mapping[str, float]) -> Floats:
    """The greatest believable speed (kn) of each subject's class of craft."""
    limits = np.full(len(tracks.subjects), values["limit_kn"])
    for i in range(len(tracks.subjects)):
        here = tracks.of(i)
        kind = KINDS[int(tracks.kind[here].max())] if here.stop > here.start else "unknown"
        static = tracks.static[i].ship_type.strip()
        if kind == "aircraft":
            limits[i] = values["limit_aircraft_kn"]
        elif kind == "vehicle":
            limits[i] = values["limit_vehicle_kn"]
        elif len(static) == 2 and static[0] in "78":
            limits[i] = values["limit_cargo_kn"]
    return limits


def too_far(tracks: Tracks, limits: Floats, values: Mapping[str, float]) -> Bools:
    """For each fix, whether it cannot follow the fix before it in its track."""
    jump = np.zeros(len(tracks), dtype=bool)
    if len(tracks) < 2:
        return jump
    way = distance_m(tracks.lat[:-1], tracks.lon[:-1], tracks.lat[1:], tracks.lon[1:])
    dt = np.diff(tracks.t)
    same = np.diff(tracks.subject) == 0
    limit = limits[tracks.subject[1:]] * MS_PER_KNOT
    slack = values["slack_nm"] * METRES_PER_NAUTICAL_MILE
    jump[1:] = (
        same
        & (way > limit * (dt + values["time_error_s"]) + slack)
        & (dt <= values["longest_h"] * 3600)
    )
    return jump


def segments(tracks: Tracks, values: Mapping[str, float]) -> Segments:
    """Take every track apart; `values` are those of the card of impossible_move.

    Cost: one vectorised pass, and a loop over the fixes of those subjects only that have a
    step no craft of their class could make.
    """
    limits = speed_limits(tracks, values)
    label = np.zeros(len(tracks), dtype=np.int32)
    broken = []
    jumps = too_far(tracks, limits, values)
    for i in np.unique(tracks.subject[jumps]):
        here = tracks.of(int(i))
        raw = _greedy(tracks.t[here], tracks.lat[here], tracks.lon[here], float(limits[i]), values)
        count = np.bincount(raw)
        real = np.flatnonzero(_are_real(raw, tracks.t[here], values))
        if not len(real):
            real = np.array([int(np.argmax(count))])
        renumbered = np.full(len(count), -1, dtype=np.int32)
        renumbered[real] = np.arange(len(real))
        label[here] = renumbered[raw]
        if len(real) > 1:
            broken.append(int(i))
    return Segments(label, limits, tuple(broken))


def _are_real(raw: Ints, t: Floats, values: Mapping[str, float]) -> Bools:
    """Which segments of one track are more than noise.

    Wrong fixes come singly, or as copies within seconds. So a segment is real that has some
    fixes in a row over some time; or one that speaks by turns with another, often enough.
    """
    begins = np.flatnonzero(np.concatenate(([True], np.diff(raw) != 0)))
    ends = np.append(begins[1:], len(raw))
    lasting = (ends - begins >= values["least_fixes"]) & (
        t[ends - 1] - t[begins] >= values["least_span_s"]
    )
    real = np.bincount(raw) >= values["least_by_turns"]
    real[raw[begins[lasting]]] = True
    return np.asarray(real, dtype=np.bool_)


def _greedy(
    t: Floats, lat: Floats, lon: Floats, limit_kn: float, values: Mapping[str, float]
) -> Ints:
    """The segment of each fix of one track, in order of time."""
    limit = limit_kn * MS_PER_KNOT
    slack = values["slack_nm"] * METRES_PER_NAUTICAL_MILE
    error, longest = values["time_error_s"], values["longest_h"] * 3600
    label = np.zeros(len(t), dtype=np.int64)
    open_: list[tuple[int, int]] = []  # (segment, its last fix), the latest joined last
    new = 0
    times, lats, lons = t.tolist(), lat.tolist(), lon.tolist()
    for k in range(len(times)):
        best, best_excess = -1, math.inf
        open_ = [(s, j) for s, j in open_ if times[k] - times[j] <= longest]
        for n, (_, j) in enumerate(open_):
            way = _metres(lats[j], lons[j], lats[k], lons[k])
            reach = limit * (times[k] - times[j] + error) + slack
            if way <= reach and way / reach < best_excess:
                best, best_excess = n, way / reach
        if best < 0:
            if len(open_) >= _MOST_OPEN:
                open_.pop(0)
            segment = new
            new += 1
        else:
            segment = open_.pop(best)[0]
        open_.append((segment, k))
        label[k] = segment
    return label


def _metres(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    # as kernel.geo.distance_m, on plain floats: NumPy's overhead on single values is tenfold
    p1, p2 = math.radians(lat1), math.radians(lat2)
    half = (
        math.sin((p2 - p1) / 2) ** 2
        + math.cos(p1) * math.cos(p2) * math.sin(math.radians(lon2 - lon1) / 2) ** 2
    )
    return 2 * 6_371_008.8 * math.asin(math.sqrt(min(1.0, half)))
