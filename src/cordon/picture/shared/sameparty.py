"""Tracks of the same mover by several eyes: a radar's and a camera's, or one that broke.

Only tracks that name nobody (`radar:…`, `track:…`) are taken for one another: a vehicle's own
number beside another vehicle's is two vehicles.
"""

from __future__ import annotations

import numpy as np

from cordon.picture.shared.nearness import plane_m
from cordon.picture.shared.samples import paths_of
from cordon.picture.tracks import Bools, Floats, Ints, Tracks

_UNNAMED = ("radar:", "track:")
_REACH_M = 120.0
"""So near to one another lie two eyes' positions of one walker: twice the errors of a ground
radar and a camera at some km, and how far a party stretches. Own choice."""
_LOOKS = 9
_BROKEN_S = 300.0  # a track that is lost is begun again within so long, or not known again
_PACE_S = 120.0  # over so long a pace is told
_METRES = 111_195.0  # a degree of latitude


def unnamed_of(tracks: Tracks) -> Bools:
    """For each subject, whether it is a track that names nobody."""
    return tracks.once(
        ("sameparty.unnamed",),
        lambda: np.array([s.startswith(_UNNAMED) for s in tracks.subjects], dtype=np.bool_),
    )


def also_seen(tracks: Tracks, subject: int, begin: float, end: float) -> list[int]:
    """Other unnamed tracks of the same mover from begin to end (s), as indices of subjects.

    They are near it at nearly all moments that both are known; or one begins where and when the
    other broke off.
    """
    unnamed = unnamed_of(tracks)
    if not unnamed[subject]:
        return []
    paths = paths_of(tracks)
    first, last = _life(tracks)
    others = np.flatnonzero(
        unnamed & (first <= end + _BROKEN_S) & (last >= begin - _BROKEN_S) & (first < last)
    )
    others = others[others != subject]
    if not len(others):
        return []
    t = np.linspace(begin, end, _LOOKS)
    lat, lon = paths.at(np.full(_LOOKS, subject), t)
    near = []
    for one in others.tolist():
        y, x = paths.at(np.full(_LOOKS, one), t)
        far = plane_m(lat, lon, y, x)
        known = np.isfinite(far)
        if known.sum() >= 2:
            if (far[known] <= _REACH_M).mean() >= 0.8:
                near.append(one)
        elif _follows(tracks, subject, one, first, last):
            near.append(one)
    return near


def _life(tracks: Tracks) -> tuple[Floats, Floats]:
    def make() -> tuple[Floats, Floats]:
        return tracks.t[tracks.starts[:-1]], tracks.t[tracks.starts[1:] - 1]

    return tracks.once(("sameparty.life",), make)


def _follows(tracks: Tracks, one: int, two: int, first: Floats, last: Floats) -> bool:
    """Whether one track begins where and when the other, going on as it went, would be."""
    for a, b in ((one, two), (two, one)):
        wait = float(first[b] - last[a])
        if 0 <= wait <= _BROKEN_S:
            off, allowed = _off(tracks, a, b, wait)
            return off <= allowed
    return False


def goes_on_as(tracks: Tracks, subject: int, within_s: float) -> int | None:
    """The unnamed track that begins soon after an unnamed one ended, where it would be.

    Of several the one that begins nearest to there; None where none does.
    """
    unnamed = unnamed_of(tracks)
    if not unnamed[subject]:
        return None
    first, last = _life(tracks)
    wait = first - last[subject]
    found: list[tuple[float, int]] = []
    for other in np.flatnonzero(unnamed & (wait > 0) & (wait <= within_s)).tolist():
        off, allowed = _off(tracks, subject, other, float(wait[other]))
        if off <= allowed:
            found.append((off, other))
    return min(found)[1] if found else None


def _off(tracks: Tracks, a: int, b: int, wait: float) -> tuple[float, float]:
    """How far (m) from where track a would be after `wait` (s) track b begins; and how far it
    may, as a party rests, and turns with its path."""
    y0, x0, north0, east0 = _end(tracks, a, -1)
    y1, x1, north1, east1 = _end(tracks, b, 1)
    wide = float(np.cos(np.radians(y0)))
    north, east = (y1 - y0) * _METRES, (x1 - x0) * _METRES * wide
    # the mean of both paces
    off = np.hypot(north - wait * (north0 + north1) / 2, east - wait * (east0 + east1) / 2)
    pace = max(float(np.hypot(north0, east0)), float(np.hypot(north1, east1)))
    return float(off), _REACH_M + 0.5 * pace * wait


def _end(tracks: Tracks, subject: int, step: int) -> tuple[float, float, float, float]:
    """Place (degrees) and pace (m/s north and east) at a track's begin (1) or end (-1)."""
    here = tracks.of(subject)
    t, lat, lon = tracks.t[here][::step], tracks.lat[here][::step], tracks.lon[here][::step]
    k = min(int(np.searchsorted(np.abs(t - t[0]), _PACE_S)), len(t) - 1)
    dt = float(t[k] - t[0])
    if dt == 0:
        return float(lat[0]), float(lon[0]), 0.0, 0.0
    wide = float(np.cos(np.radians(lat[0])))
    north, east = (lat[k] - lat[0]) / dt * _METRES, (lon[k] - lon[0]) / dt * _METRES * wide
    return float(lat[0]), float(lon[0]), float(north), float(east)


def parties(
    tracks: Tracks, subject: Ints, begin: Floats, end: Floats, key: Ints
) -> list[tuple[list[int], list[int]]]:
    """Sightings that are of one party put together.

    Args:
        subject, begin, end: of each sighting, by begin. key: sightings of different keys are
            never one (which line was passed, and which way).

    Returns:
        for each party the places of its sightings, and all subjects that are its tracks.
    """
    found: list[tuple[list[int], list[int]]] = []
    taken: dict[int, int] = {}
    for n in range(len(subject)):
        who = also_seen(tracks, int(subject[n]), float(begin[n]), float(end[n]))
        same = [
            m
            for m in range(n)
            if m in taken
            and key[m] == key[n]
            and begin[n] <= end[m] + _BROKEN_S
            and int(subject[m]) in who
        ]
        if same:
            taken[n] = taken[same[0]]
            rows, members = found[taken[n]]
            rows.append(n)
            members += [s for s in (int(subject[n]), *who) if s not in members]
        else:
            taken[n] = len(found)
            found.append(([n], [int(subject[n]), *who]))
    return found
