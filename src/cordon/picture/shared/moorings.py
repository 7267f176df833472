"""Whether a craft lies where it belongs: fast to something, or at a berth that it comes back to."""

from __future__ import annotations

import numpy as np

from cordon.picture.shared.crafts import crafts_of
from cordon.picture.shared.nearness import plane_m
from cordon.picture.shared.numbering import different
from cordon.picture.shared.samples import STEP_S, followed_of, samples_of
from cordon.picture.shared.states import States
from cordon.picture.tracks import Floats, Ints, Tracks
from cordon.picture.zones import METRES_PER_DEGREE

FAST_M = 50.0
"""Nine in ten of its fixes lie nearer than this to their middle: no drift and no swinging at
anchor, but the error of positions (10 m, ITU-R M.1371-5, position accuracy) and a ship's length."""
SEEN_FAST_M = 200.0
"""The same for what a radar sees, whose error is so large at some miles (IALA guideline 1111)."""
AWAY_M = 1000.0
MOSTLY = 0.7
BERTH_M = 300.0
_VISIT_SLOTS = 6  # an hour still is a visit
_VISITS = 2


def lies_fast(tracks: Tracks, states: States, subject: int, begin: float, end: float) -> bool:
    """Whether it does not even drift from begin to end (s), and was not seen anywhere else.

    What a radar sees lying still may have come before the radar made it out; it lies fast where
    that radar sees something lie most of the time, under whatever numbers.
    """
    paths = followed_of(tracks)
    own = slice(int(paths.starts[subject]), int(paths.starts[subject + 1]))
    t, lat, lon = paths.t[own], paths.lat[own], paths.lon[own]
    there = (t >= begin - STEP_S) & (t <= end + STEP_S)
    if not there.any():
        return True
    middle = float(np.median(lat[there])), float(np.median(lon[there]))
    way = _from(middle, lat, lon)
    seen = tracks.subjects[subject].startswith("radar:")
    if np.quantile(way[there], 0.9) > (SEEN_FAST_M if seen else FAST_M) or way.max() > AWAY_M:
        return False
    # and it does not creep: its first and its last fixes lie about the same place
    third = max(1, int(there.sum()) // 3)
    y, x = lat[there], lon[there]
    ends = [(np.median(v[:third]), np.median(v[-third:])) for v in (y, x)]
    crept = plane_m(*(np.array([v]) for v in (ends[0][0], ends[1][0], ends[0][1], ends[1][1])))
    if crept[0] > FAST_M:
        return False
    return not seen or _always_there(tracks, states, subject, middle)


def _always_there(tracks: Tracks, states: States, subject: int, place: tuple[float, float]) -> bool:
    """Whether a radar sees something lie at a place most of the time that it sees anything."""
    samples, family = samples_of(tracks), int(crafts_of(tracks).family[subject])
    mine, slots = tracks.once(("moorings", family), lambda: _seen_by(tracks, family))
    high = SEEN_FAST_M / METRES_PER_DEGREE
    box = mine[states.still[mine] & (np.abs(samples.lat[mine] - place[0]) <= high)]
    near = _from(place, samples.lat[box], samples.lon[box]) <= SEEN_FAST_M
    return len(np.unique(samples.slot[box[near]])) >= MOSTLY * slots


def _seen_by(tracks: Tracks, family: int) -> tuple[Ints, int]:
    """The samples of what one radar or feed sees, and of how many moments they are."""
    samples = samples_of(tracks)
    mine = np.flatnonzero(crafts_of(tracks).family[samples.subject] == family)
    return mine, len(different(samples.slot[mine]))


def at_berth(
    tracks: Tracks, states: States, subject: int, place: tuple[float, float], spans: Floats
) -> bool:
    """Whether it lies at this place again and again, also without company.

    Args:
        place: latitude, longitude. spans: rows (begin, end) in which it has company there.
    """
    samples = samples_of(tracks)
    own = slice(int(samples.starts[subject]), int(samples.starts[subject + 1]))
    way = _from(place, samples.lat[own], samples.lon[own])
    t = samples.t(own)
    alone = states.still[own] & (way <= BERTH_M)
    for begin, end in spans:
        alone &= (t < begin - 2 * STEP_S) | (t > end + 2 * STEP_S)
    # each time that it has been away begins another visit
    visit = np.cumsum(way > AWAY_M)
    _, many = np.unique(visit[alone], return_counts=True)
    return int((many >= _VISIT_SLOTS).sum()) >= _VISITS


def _from(place: tuple[float, float], lat: Floats, lon: Floats) -> Floats:
    return plane_m(np.full(len(lat), place[0]), np.full(len(lat), place[1]), lat, lon)
