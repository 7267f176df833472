"""Which fixes of one identity belong to one hull: a track taken apart where it cannot be one.

After gpsdio-segment (Global Fishing Watch, Apache-2.0, `core.py`): each fix joins the open
segment that it could have come from; one that fits none begins a new segment. So two hulls
under one identity become two long segments, a jump ends one and begins another, and a single
wrong fix stays alone and is noise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cordon.kernel.units import METRES_PER_NAUTICAL_MILE, MS_PER_KNOT
from cordon.picture.model import KINDS
from cordon.picture.shared.clocks import clock_errors
from cordon.picture.tracks import Bools, Floats, Ints, Tracks, used_codes

_MOST_OPEN = 10  # gpsdio-segment: MAX_OPEN_SEGMENTS
_COPY_S = 600.0  # copies of one report come within so long


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
    if not len(tracks):
        return limits
    kinds = np.maximum.reduceat(tracks.kind, tracks.starts[:-1])
    types = [s.ship_type.strip() for s in tracks.static]
    cargo = np.array([len(t) == 2 and t[0] in "78" for t in types])
    limits[cargo] = values["limit_cargo_kn"]
    limits[kinds == KINDS.index("vehicle")] = values["limit_vehicle_kn"]
    limits[kinds == KINDS.index("aircraft")] = values["limit_aircraft_kn"]
    return limits


def too_far(tracks: Tracks, limits: Floats, values: Mapping[str, float]) -> Bools:
    """For each fix, whether it cannot follow the fix before it in its track."""
    from cordon.picture import trackkernel as kernel

    found: Bools = kernel.jumps(
        tracks.t,
        tracks.lat,
        tracks.lon,
        tracks.subject,
        limits * MS_PER_KNOT,
        values["slack_nm"] * METRES_PER_NAUTICAL_MILE,
        values["time_error_s"],
        values["longest_h"] * 3600,
    )
    return found


def segments(tracks: Tracks, values: Mapping[str, float]) -> Segments:
    """Take every track apart; `values` are those of the card of impossible_move.

    Computed once for the same tracks and values. Cost: one vectorised pass, and a loop over the
    fixes of those subjects only that have a step no craft of their class could make.
    """
    key = ("plausible.segments", *sorted(values.items()))
    return tracks.once(key, lambda: _segments(tracks, values))


def _segments(tracks: Tracks, values: Mapping[str, float]) -> Segments:
    limits = speed_limits(tracks, values)
    label = np.zeros(len(tracks), dtype=np.int32)
    broken = []
    jumps = too_far(tracks, limits, values)
    some = used_codes(tracks.subject[jumps])
    if not len(some):
        return Segments(label, limits, ())
    # set right, a receiver with a wrong clock makes no second hull
    t: Floats = tracks.t - clock_errors(tracks, some)[tracks.source]
    for i in some:
        here = np.arange(*tracks.of(int(i)).indices(len(tracks)))
        here = here[np.argsort(t[here], kind="stable")]
        label[here], count = taken_apart(
            t[here], tracks.lat[here], tracks.lon[here], float(limits[i]), values
        )
        if count > 1:
            broken.append(int(i))
    return Segments(label, limits, tuple(broken))


def taken_apart(
    t: Floats, lat: Floats, lon: Floats, limit_kn: float, values: Mapping[str, float]
) -> tuple[Ints, int]:
    """The segment of each fix of one track, -1 for noise, and how many segments are real."""
    from cordon.picture import trackkernel as kernel

    raw = kernel.taken_apart(
        t,
        lat,
        lon,
        limit_kn * MS_PER_KNOT,
        values["slack_nm"] * METRES_PER_NAUTICAL_MILE,
        values["time_error_s"],
        values["longest_h"] * 3600,
        _MOST_OPEN,
    )
    count = np.bincount(raw)
    real = np.flatnonzero(_are_real(raw, t, lat, lon, values))
    if not len(real):
        real = np.array([int(np.argmax(count))])
    renumbered = np.full(len(count), -1, dtype=np.int64)
    renumbered[real] = np.arange(len(real))
    return renumbered[raw], len(real)


def _are_real(raw: Ints, t: Floats, lat: Floats, lon: Floats, values: Mapping[str, float]) -> Bools:
    """Which segments of one track are more than noise.

    Wrong fixes come singly, or as copies: within seconds, or by a receiver whose clock is wrong
    within minutes, and then the same to the last digit. So a segment is real that has some fixes
    in a row over some time; or one that speaks by turns with another, often enough.
    """
    begins = np.flatnonzero(np.concatenate(([True], np.diff(raw) != 0)))
    ends = np.append(begins[1:], len(raw))
    moved = np.zeros(len(raw), dtype=np.int64)
    moved[1:] = (np.diff(lat) != 0) | (np.diff(lon) != 0)
    moves = np.cumsum(moved)
    span = t[ends - 1] - t[begins]
    lasting = (ends - begins >= values["least_fixes"]) & (span >= values["least_span_s"])
    lasting &= (moves[ends - 1] > moves[begins]) | (span >= _COPY_S)
    real = np.bincount(raw) >= values["least_by_turns"]
    real[raw[begins[lasting]]] = True
    return np.asarray(real, dtype=np.bool_)
