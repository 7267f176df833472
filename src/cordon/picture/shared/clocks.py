"""How wrong the clocks of receivers are, by the reports that two of them hear alike.

A report heard by two receivers tells the same place to the last digit, and should come at the
same moment. Most clocks are taken to be right.
"""

from __future__ import annotations

import numpy as np

from cordon.picture.tracks import Floats, Ints, Tracks

_MOST_S = 900.0  # a clock that is more wrong is not set right here
_LEAST_S = 5.0  # a smaller error is none: AIS tells no more than the second, and takes some to send
_LEAST_PAIRS = 8
_MOST_FIXES = 400_000
_UNDER_WAY_KN = 3.0
_ODD = np.int64(-7046029254386353131)  # Knuth's multiplier: places far apart whatever their digits


def clock_errors(tracks: Tracks, some: Ints) -> Floats:
    """For each source, how many seconds its clock is ahead (late reports are ahead too).

    Args:
        some: subjects whose fixes are held against one another; those under way tell.
    """
    wrong = np.zeros(len(tracks.sources))
    if len(tracks.sources) < 2 or not len(some):
        return wrong
    fixes = np.concatenate([np.arange(*tracks.of(int(i)).indices(len(tracks))) for i in some])
    moving = ~(tracks.speed[fixes] < _UNDER_WAY_KN)
    fixes = fixes[moving][:_MOST_FIXES]
    # by time within each place of a subject, whatever the order of the places
    place = (tracks.lat[fixes].view(np.int64) * _ODD) ^ tracks.lon[fixes].view(np.int64)
    place = (place * _ODD) ^ tracks.subject[fixes]
    k = fixes[np.argsort(place, kind="stable")]
    same = (
        (np.diff(tracks.subject[k]) == 0)
        & (np.diff(tracks.lat[k]) == 0)
        & (np.diff(tracks.lon[k]) == 0)
        & (np.diff(tracks.source[k]) != 0)
        & (np.diff(tracks.t[k]) <= _MOST_S)
    )
    a, b = k[:-1][same], k[1:][same]
    one, two = tracks.source[a].astype(np.int64), tracks.source[b].astype(np.int64)
    late = tracks.t[b] - tracks.t[a]
    turned = one > two
    one, two = np.where(turned, two, one), np.where(turned, one, two)
    late = np.where(turned, -late, late)  # of `two` behind `one`
    return _solved(tracks, one, two, late)


def _solved(tracks: Tracks, one: Ints, two: Ints, late: Floats) -> Floats:
    """Errors of clocks from how far each pair of receivers differs, most of them right."""
    count = len(tracks.sources)
    pairs, which = np.unique(one * count + two, return_inverse=True)
    steps: dict[int, list[tuple[int, float]]] = {}
    for n, pair in enumerate(pairs.tolist()):
        own = late[which.ravel() == n]
        middle = float(np.median(own))
        # a clock is wrong by the same all day; what scatters is something else
        if len(own) < _LEAST_PAIRS or np.median(np.abs(own - middle)) > _LEAST_S:
            continue
        i, j = divmod(pair, count)
        steps.setdefault(i, []).append((j, middle))
        steps.setdefault(j, []).append((i, -middle))
    errors = np.zeros(count)
    weight = np.bincount(tracks.source, minlength=count)
    seen: set[int] = set()
    for begin in sorted(steps, key=lambda s: -int(weight[s])):
        if begin in seen:
            continue
        known = {begin: 0.0}
        queue = [begin]
        while queue:
            i = queue.pop()
            for j, middle in steps[i]:
                if j not in known:
                    known[j] = known[i] + middle
                    queue.append(j)
        seen.update(known)
        members = np.array(sorted(known))
        errors[members] = _about_most(np.array([known[int(m)] for m in members]), weight[members])
    return np.where(np.abs(errors) >= _LEAST_S, errors, 0.0)


def _about_most(errors: Floats, weight: Ints) -> Floats:
    """Errors counted from the clocks that agree with one another and are heard most."""
    near = np.abs(errors[:, None] - errors) <= 2 * _LEAST_S
    best = int(np.argmax(near @ weight))
    return errors - float(np.median(errors[near[best]]))
