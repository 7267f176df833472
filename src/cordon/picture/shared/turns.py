"""Jumps of one identity between places too far apart for one hull, put into episodes.

**The rule that keeps two behaviours apart.** An identity that goes to and fro between two hulls'
tracks, each of which could be one hull's, at least `least_turns` times with no more than some
hours between, is used by two hulls at once: picture.shared_identity. Any other jump is
picture.impossible_move: a jump from which it goes on elsewhere, or an excursion and a return.
An episode is told by one of them alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from cordon.kernel.geo import distance_m
from cordon.kernel.units import METRES_PER_NAUTICAL_MILE, MS_PER_KNOT
from cordon.picture.model import KINDS
from cordon.picture.plausible import speed_limits, taken_apart, too_far
from cordon.picture.shared.clocks import clock_errors
from cordon.picture.shared.nearness import plane_m
from cordon.picture.shared.numbering import different
from cordon.picture.tracks import Bools, Floats, Ints, Tracks

_CLOCK_S = 900.0  # so wrong may a receiver's clock be, or so old a report that is passed on
_BESIDE_M = 150.0  # so near to a straight way between two fixes lies one of the same hull
_ABOUT_S = 300.0  # what a craft reports within so long tells how fast it may be
_ALONG = 0.6  # of the fixes from which it jumps
_OWN_SHARE = 0.2  # of a hull's fixes may come from receivers that hear the other hull too
_SMOOTH = 4.0  # two hulls lie so many times farther apart than each one's fixes scatter
_METRES = 111_195.0  # a degree of latitude
_FAST = (KINDS.index("vehicle"), KINDS.index("aircraft"))


@dataclass(frozen=True, slots=True)
class Turns:
    """An episode in which one identity is at two places by turns.

    Attributes:
        subject: index into the tracks' subjects. start, end: of the episode (s).
        a, b: fixes before and after each jump. hulls: fixes of either hull within the episode.
        overlap_s: so long both were heard.
        apart_m: the median distance of a jump. limit_kn: the speed that the craft is taken to
            reach at most.
    """

    subject: int
    start: float
    end: float
    a: Ints
    b: Ints
    hulls: tuple[Ints, Ints]
    overlap_s: float
    apart_m: float
    limit_kn: float


def episodes(t: Floats, a: Ints, b: Ints, longest_s: float) -> Iterator[tuple[Ints, Ints]]:
    """Jumps a[n] → b[n] (fixes) parted where more than `longest_s` lies between them."""
    near = t[b] - t[a] <= longest_s
    a, b = a[near], b[near]
    if len(a):
        new = np.flatnonzero(t[a[1:]] - t[b[:-1]] > longest_s) + 1
        yield from zip(np.split(a, new), np.split(b, new), strict=True)


def turns_of(tracks: Tracks, values: Mapping[str, float]) -> tuple[Turns, ...]:
    """Episodes of identities that two hulls use by turns; `values` are shared_identity's."""
    key = ("turns", *sorted(values.items()))
    return tracks.once(key, lambda: tuple(_turns(tracks, values)))


def _turns(tracks: Tracks, values: Mapping[str, float]) -> Iterator[Turns]:
    classes = speed_limits(tracks, values)
    longest = values["longest_h"] * 3600
    slow = np.minimum(classes, values["usual_kn"])
    jumps = np.bincount(
        tracks.subject[too_far(tracks, slow, values)], minlength=len(tracks.subjects)
    )
    some = np.flatnonzero(jumps >= values["least_turns"])
    if not len(some):
        return
    limits = _limits(tracks, some, classes, values)
    # set right, a receiver with a wrong clock makes no second hull
    t = tracks.t - clock_errors(tracks, some)[tracks.source]
    for i in some:
        here = np.arange(*tracks.of(int(i)).indices(len(tracks)))
        here = here[np.argsort(t[here], kind="stable")]
        label, real = taken_apart(
            t[here], tracks.lat[here], tracks.lon[here], float(limits[i]), values
        )
        if real < 2:
            continue
        here, label = here[label >= 0], label[label >= 0]
        turn = np.flatnonzero(np.diff(label))
        for a, b in episodes(t, here[turn], here[turn + 1], longest):
            found = _episode(tracks, t, int(i), here, label, a, b, float(limits[i]), values)
            if found is not None:
                yield found


def _limits(tracks: Tracks, some: Ints, classes: Floats, values: Mapping[str, float]) -> Floats:
    """The speed (kn) that each subject's craft is taken to reach at most.

    gpsdio-segment takes one for all. A craft that reports to be faster is taken at its word.
    """
    limits = classes.copy()
    for i in some.tolist():
        here = tracks.of(i)
        told = tracks.speed[here]
        told = told[np.isfinite(told)]
        if len(told) >= 3 and int(tracks.kind[here].max()) not in _FAST:
            usual = 1.25 * float(np.quantile(told, 0.95))
            limits[i] = min(max(usual, values["usual_kn"]), classes[i])
    return limits


def _episode(
    tracks: Tracks,
    t: Floats,
    i: int,
    here: Ints,
    label: Ints,
    a: Ints,
    b: Ints,
    limit_kn: float,
    values: Mapping[str, float],
) -> Turns | None:
    """The episode of the two hulls that take turns most, or None where none do often enough.

    Args:
        t: times of all fixes, set right. here: this subject's fixes by those times; label: the
            hull of each.
    """
    hull_of = dict(zip(here.tolist(), label.tolist(), strict=True))
    pair = np.sort([[hull_of[k], hull_of[m]] for k, m in zip(a.tolist(), b.tolist(), strict=True)])
    pairs, which, often = np.unique(pair, axis=0, return_inverse=True, return_counts=True)
    best = int(np.argmax(often))
    mine = (which.ravel() == best) & _beyond(tracks, t, a, b, limit_kn, values)
    a, b = a[mine], b[mine]
    if len(a) < values["least_turns"]:
        return None
    start, end = float(t[a[0]]), float(t[b[-1]])
    hulls = []
    for one in pairs[best]:
        own = here[label == one]
        hulls.append(own[(t[own] >= start) & (t[own] <= end)])
    way = distance_m(tracks.lat[a], tracks.lon[a], tracks.lat[b], tracks.lon[b])
    jumped = different(np.concatenate((a, b)))
    overlap = min(float(t[h[-1]]) for h in hulls) - max(float(t[h[0]]) for h in hulls)
    enough = min(len(h) for h in hulls) >= values["least_fixes"]
    enough &= overlap >= values["least_overlap_min"] * 60
    # two hulls' ways are smooth, each; one hull's scattered positions are not
    if not enough or np.median(way) < _SMOOTH * max(_roughness(tracks, t, h) for h in hulls):
        return None
    if not _by_turns_somewhere(tracks, hulls[0], hulls[1], values["least_turns"]):
        return None
    if same_way(tracks, np.intersect1d(hulls[0], jumped), hulls[1]):
        return None
    return Turns(
        i,
        float(min(tracks.t[a[0]], tracks.t[b[0]])),
        float(tracks.t[jumped].max()),
        a,
        b,
        (hulls[0], hulls[1]),
        overlap,
        float(np.median(way)),
        limit_kn,
    )


def _beyond(
    tracks: Tracks, t: Floats, a: Ints, b: Ints, limit_kn: float, values: Mapping[str, float]
) -> Bools:
    """Which jumps are too far also for a craft as fast as it reports to be about then."""
    way = distance_m(tracks.lat[a], tracks.lon[a], tracks.lat[b], tracks.lon[b])
    here = tracks.of(int(tracks.subject[a[0]])) if len(a) else slice(0, 0)
    raw, speed = tracks.t[here], tracks.speed[here]
    low = np.searchsorted(raw, np.minimum(tracks.t[a], tracks.t[b]) - _ABOUT_S)
    high = np.searchsorted(raw, np.maximum(tracks.t[a], tracks.t[b]) + _ABOUT_S, side="right")
    told = np.array(
        [np.fmax.reduce(speed[i:j]) for i, j in zip(low, high, strict=True)], dtype=np.float64
    )
    fastest = np.fmax(1.25 * told, limit_kn) * MS_PER_KNOT
    reach = fastest * (t[b] - t[a] + values["time_error_s"])
    return np.asarray(way > reach + values["slack_nm"] * METRES_PER_NAUTICAL_MILE)


def _roughness(tracks: Tracks, times: Floats, hull: Ints) -> float:
    """How far (m) a hull's fixes lie beside the straight way between their neighbours, median."""
    if len(hull) < 3:
        return 0.0
    t, lat, lon = times[hull], tracks.lat[hull], tracks.lon[hull]
    share = (t[1:-1] - t[:-2]) / np.maximum(t[2:] - t[:-2], 1e-3)
    east = (lon - lon[0] + 540.0) % 360.0
    beside = plane_m(
        lat[1:-1],
        east[1:-1],
        lat[:-2] + share * (lat[2:] - lat[:-2]),
        east[:-2] + share * (east[2:] - east[:-2]),
    )
    return float(np.median(beside))


def _by_turns_somewhere(tracks: Tracks, one: Ints, two: Ints, least: float) -> bool:
    """Whether some receiver alone hears both by turns, or each is heard by receivers of its own.

    Where receivers' clocks differ, an excursion and a return look like turns for as long as they
    differ: the one still hears the old place when the other hears the new one.
    """
    fixes = np.concatenate((one, two))
    which = np.repeat([0, 1], [len(one), len(two)])
    order = np.lexsort((tracks.t[fixes], tracks.source[fixes]))
    source, which = tracks.source[fixes][order], which[order]
    turn = (np.diff(source) == 0) & (np.diff(which) != 0)
    turns = np.bincount(source[1:][turn], minlength=1)
    if turns.max() >= least:
        return True
    both = np.intersect1d(tracks.source[one], tracks.source[two])
    fewer = one if len(one) <= len(two) else two
    return bool(np.isin(tracks.source[fewer], both).mean() <= _OWN_SHARE)


def same_way(tracks: Tracks, one: Ints, two: Ints) -> bool:
    """Whether fixes of one track lie along the other: one hull that two clocks time.

    A receiver whose clock is wrong, or that passes on old reports, makes a hull seem to follow
    itself. Where nearly all the fixes from which it jumps lie on the other's way, within some
    minutes, there is no other hull.
    """
    some = one[different(np.linspace(0, len(one) - 1, min(len(one), 64)).astype(np.int64))]
    t = tracks.t[two]
    beside = 0
    for k in some.tolist():
        low = max(int(np.searchsorted(t, tracks.t[k] - _CLOCK_S)) - 1, 0)
        high = int(np.searchsorted(t, tracks.t[k] + _CLOCK_S, side="right")) + 1
        near = two[low:high]
        if len(near) < 2:
            continue
        wide = np.cos(np.radians(tracks.lat[k]))
        x = ((tracks.lon[near] - tracks.lon[k] + 540.0) % 360.0 - 180.0) * wide * _METRES
        y = (tracks.lat[near] - tracks.lat[k]) * _METRES
        dx, dy = np.diff(x), np.diff(y)
        length = np.maximum(dx * dx + dy * dy, 1e-9)
        share = np.clip(-(x[:-1] * dx + y[:-1] * dy) / length, 0.0, 1.0)
        beside += bool(np.hypot(x[:-1] + share * dx, y[:-1] + share * dy).min() <= _BESIDE_M)
    return beside >= _ALONG * len(some)
