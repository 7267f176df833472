"""A radar's tracks put together again where it lost a hull and gave it another number.

A radar that loses an echo for a moment, as when two boats lie side by side, begins a new track.
Where one track ends and, within minutes and where its way led, another one of that radar begins,
and no other end or begin is as near, they are one hull.
"""

from __future__ import annotations

import numpy as np

from cordon.picture.shared.crafts import crafts_of
from cordon.picture.shared.nearness import near_between, plane_m
from cordon.picture.tracks import Floats, Ints, Tracks

LOST_S = 300.0
"""So long an echo may be lost: some ten turns of the antenna, and those in which a new track is
confirmed."""
_BACK_S = 180.0  # the way of the last minutes tells where it went on to
_NEAR_M = 300.0  # error of two places at some miles (IALA guideline 1111), and a turn
_SHARE = 0.4  # of the way it made meanwhile
_FASTEST = 25.0  # m/s
_ALONE = 2.0  # the next best is so many times farther


def chains_of(tracks: Tracks) -> Ints:
    """For each subject, the first one of its hull's tracks: itself but for a radar's later ones."""
    return tracks.once(("chains",), lambda: _chains(tracks))


def _chains(tracks: Tracks) -> Ints:
    chain = np.arange(len(tracks.subjects))
    radars = np.array([s.startswith("radar:") for s in tracks.subjects], dtype=np.bool_)
    some = np.flatnonzero(radars & (np.diff(tracks.starts) > 0))
    if len(some) < 2:
        return chain
    first, last = tracks.starts[:-1][some], tracks.starts[1:][some] - 1
    family = crafts_of(tracks).family[some].astype(np.int64)
    a, b, off, allowed = _candidates(tracks, first, last, family)
    good = off <= allowed
    a, b, off = a[good], b[good], off[good]
    # each end and each begin is used once, and only where nothing else is about as near
    best_end, best_begin = _two_best(a, off, len(some)), _two_best(b, off, len(some))
    sure = (off <= best_end[0][a]) & (off <= best_begin[0][b])
    sure &= np.minimum(best_end[1][a], best_begin[1][b]) >= _ALONE * np.maximum(off, _NEAR_M / 4)
    # earlier joins first, so that a chain is followed to its head
    for n in np.flatnonzero(sure)[np.argsort(tracks.t[first[b[sure]]], kind="stable")]:
        chain[some[b[n]]] = chain[some[a[n]]]
    return chain


def _candidates(
    tracks: Tracks, first: Ints, last: Ints, family: Ints
) -> tuple[Ints, Ints, Floats, Floats]:
    """Ends a and begins b of one radar, soon after one another; how far (m) the begin is off the
    end's way, and how far it may be."""
    lat, lon = tracks.lat, tracks.lon
    end, begin = tracks.t[last], tracks.t[first]
    slots = np.floor(end / LOST_S).astype(np.int64), np.floor(begin / LOST_S).astype(np.int64)
    wide = int(max(slots[0].max(), slots[1].max())) + 2
    found = []
    for step in (0, 1):
        found.append(
            near_between(
                family * wide + slots[0] + step, lat[last], lon[last],
                family * wide + slots[1], lat[first], lon[first], _FASTEST * LOST_S + _NEAR_M,
            )[:2]
        )  # fmt: skip
    a, b = (np.concatenate([f[i] for f in found]) for i in (0, 1))
    dt = begin[b] - end[a]
    good = (a != b) & (dt > 0) & (dt <= LOST_S)
    a, b, dt = a[good], b[good], dt[good]
    # where it was some minutes before its end, to see where it went
    k = last[a]
    j = _earlier(tracks, k)
    back = np.maximum(tracks.t[k] - tracks.t[j], 1.0)
    ahead = dt / back
    y = lat[k] + (lat[k] - lat[j]) * ahead
    x = lon[k] + ((lon[k] - lon[j] + 540.0) % 360.0 - 180.0) * ahead
    off = plane_m(y, x, lat[first[b]], lon[first[b]])
    # or it has stopped where it was
    stopped = plane_m(lat[k], lon[k], lat[first[b]], lon[first[b]])
    gone = plane_m(lat[j], lon[j], lat[k], lon[k]) * ahead
    return a, b, np.minimum(off, stopped), _NEAR_M + _SHARE * gone


def _earlier(tracks: Tracks, fixes: Ints) -> Ints:
    """The fix of the same subject some minutes before each."""
    low = tracks.starts[tracks.subject[fixes]]
    found = fixes.copy()
    for n, (k, start) in enumerate(zip(fixes.tolist(), low.tolist(), strict=True)):
        found[n] = start + np.searchsorted(tracks.t[start : k + 1], tracks.t[k] - _BACK_S)
    return np.minimum(found, fixes)


def _two_best(which: Ints, off: Floats, count: int) -> tuple[Floats, Floats]:
    """The least and the second least value of each."""
    least, second = np.full(count, np.inf), np.full(count, np.inf)
    order = np.lexsort((off, which))
    which, off = which[order], off[order]
    new = np.append(True, np.diff(which) != 0)[: len(which)]
    head = np.flatnonzero(new)
    least[which[head]] = off[head]
    next_ = head + 1
    next_ = next_[(next_ < len(which)) & ~np.append(new, True)[next_]]
    second[which[next_]] = off[next_]
    return least, second
