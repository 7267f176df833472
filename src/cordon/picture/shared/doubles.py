"""One hull under two identities: its AIS set and a radar's track of it, or two radars' tracks.

Two identities of different families (see `crafts.Crafts.family`) that stay together for nearly
all the time that both are heard are one hull. Whoever meets somebody comes from elsewhere. On
land a vehicle or unit that names itself and an eye's track of it are one (`landdoubles.py`).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from cordon.picture.shared.chains import chains_of
from cordon.picture.shared.crafts import crafts_of
from cordon.picture.shared.landdoubles import BOTH_S, doubles_on_land
from cordon.picture.shared.nearness import near_between, plane_m
from cordon.picture.shared.numbering import different_pairs
from cordon.picture.shared.samples import STEP_S, followed_of, samples_of
from cordon.picture.tracks import Floats, Ints, Tracks

REACH_M = 500.0
"""How far apart one hull's identities may be told: a coastal radar's error at range (IALA
guideline 1111: some 100 m with 1° of azimuth at 3 nm and more beyond), and the seconds between
reports."""
SHARE = 0.8
_SOME_WAY_M = 5 * 1852.0
_LOOKS = 32  # moments at which two identities are held against each other
_TRIES = np.array([1 / 6, 1 / 2, 5 / 6])
_BOTH_S = 900.0  # for less a radar may hold two tracks of one hull, as when it turns
_ALIKE_M = 100.0  # differences below it may be a radar's error, and tell nothing of whose it is
_AT_ONE_TIME_S = 600.0  # two eyes' looks at one thing are no farther apart
_RANK = {"unit": 3, "mmsi": 2}


def doubles_of(tracks: Tracks) -> Ints:
    """For each subject, the subject whose hull it also is, else -1.

    Of two, the one that names itself stays: our own unit, then AIS, then the one heard longer. In
    close company it is another's of the nearest.
    """
    return tracks.once(("doubles",), lambda: _doubles(tracks))


def same_hull_of(tracks: Tracks) -> Ints:
    """For each subject, the subject that stands for its hull: of all under which it is told, the
    one that names itself, by `chains_of` and `doubles_of`."""

    def make() -> Ints:
        stands = chains_of(tracks).copy()
        same = doubles_of(tracks)
        for _ in range(8):  # a radar's track is another's double, and that an AIS set's
            stands = np.where(same[stands] >= 0, same[stands], stands)
        return stands

    return tracks.once(("doubles", "hulls"), make)


def seen_together(
    tracks: Tracks, subject: Ints, begin: Floats, end: Floats, what: Sequence[Hashable]
) -> list[list[int]]:
    """What one hull did at a time, put together from all the identities that were seen to do it.

    Args:
        subject: index. begin, end: s. what: the same thing alone is put together: a zone, a way.

    Returns:
        Places in the arrays, those of one hull and moment in a list, the earliest first.
    """
    hull = same_hull_of(tracks)[subject]
    groups: list[list[int]] = []
    last: dict[tuple[int, Hashable], tuple[list[int], float]] = {}
    for n in np.argsort(begin, kind="stable").tolist():
        key = int(hull[n]), what[n]
        group, reach = last.get(key, ([], -np.inf))
        # what one identity does again is another thing, however soon
        again = any(subject[n] == subject[m] for m in group)
        if not group or again or begin[n] > reach + _AT_ONE_TIME_S:
            group = []
            groups.append(group)
        group.append(n)
        last[key] = group, max(reach if len(group) > 1 else -np.inf, float(end[n]))
    return sorted(groups)


def _doubles(tracks: Tracks) -> Ints:
    same = _at_sea(tracks)
    some, named, far = doubles_on_land(tracks)
    if len(some):
        ashore = np.full(len(same), -1, dtype=np.int64)
        ashore[some] = named
        off = dict(zip(some.tolist(), far.tolist(), strict=True))
        ashore = _one_at_a_time(tracks, ashore, off, BOTH_S)
        same = np.where(same >= 0, same, ashore)
    return np.where(same >= 0, same, same[chains_of(tracks)])


def _at_sea(tracks: Tracks) -> Ints:
    crafts, samples = crafts_of(tracks), samples_of(tracks)
    same = np.full(len(tracks.subjects), -1, dtype=np.int64)
    sea = np.flatnonzero(crafts.sea)
    if not len(samples) or len(np.unique(crafts.family[sea])) < 2:
        return same
    length = np.diff(followed_of(tracks).starts)
    rank = np.array([_RANK.get(s.partition(":")[0], 0) for s in tracks.subjects])
    # the few looks at each that may be another's double, against all
    lesser = sea[rank[sea] < 2]
    begin, count = samples.starts[lesser], np.diff(samples.starts)[lesser]
    lesser, begin, count = (v[count > 0] for v in (lesser, begin, count))
    look = np.unique((begin[:, None] + (count[:, None] * _TRIES).astype(np.int64)).ravel())
    those = np.flatnonzero(crafts.sea[samples.subject] & np.isin(samples.slot, samples.slot[look]))
    a, b, _ = near_between(
        samples.slot[look], samples.lat[look], samples.lon[look],
        samples.slot[those], samples.lat[those], samples.lon[those], REACH_M,
    )  # fmt: skip
    one, two = samples.subject[look[a]], samples.subject[those[b]]
    apart = crafts.family[one] != crafts.family[two]
    pairs = different_pairs(one[apart], two[apart])
    if not len(pairs):
        return same
    together, moments, apart_m = _together(tracks, pairs)
    keep = (together >= SHARE) & (moments >= 2)
    pairs, apart_m = pairs[keep], apart_m[keep]
    keep = ~_came_up(tracks, pairs)
    best: dict[int, tuple[int, int, int, int]] = {}
    off: dict[int, float] = {}
    for (i, j), far in zip(pairs[keep].tolist(), apart_m[keep].tolist(), strict=True):
        # i gives way where j ranks higher, or alike and is heard longer
        if (rank[j], length[j], -j) > (rank[i], length[i], -i):
            order = (int(rank[j]), -round(far / _ALIKE_M), int(length[j]), -j)
            if i not in best or order > best[i]:
                best[i] = order
                same[i], off[i] = j, far
    return _one_at_a_time(tracks, same, off, _BOTH_S)


def _one_at_a_time(tracks: Tracks, same: Ints, off: dict[int, float], both_s: float) -> Ints:
    """Doubles without those that a radar has beside another of its own of the same hull.

    One radar gives one hull one number at a time. Of two of its tracks that last beside one
    hull, the nearer is the hull's, and the other is somebody else, who has no set or is silent.
    """
    paths, family = followed_of(tracks), crafts_of(tracks).family
    root = np.where(same >= 0, same, np.arange(len(same)))
    for _ in range(8):
        root = root[root]
    taken: dict[tuple[int, int], list[tuple[float, float]]] = {}
    found = same.copy()
    for i in sorted(off, key=lambda i: (off[i], i)):
        low, high = int(paths.starts[i]), int(paths.starts[i + 1]) - 1
        begin, end = float(paths.t[low]), float(paths.t[high])
        spans = taken.setdefault((int(root[i]), int(family[i])), [])
        if any(min(end, b) - max(begin, a) > both_s for a, b in spans):
            found[i] = -1
        else:
            spans.append((begin, end))
    return found


def _together(tracks: Tracks, pairs: Ints) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of the moments spread over their common life, the part at which pairs are near, how many
    they are, and how far apart they are in the middle of them (m; 0 where none is known)."""
    paths = followed_of(tracks)
    first, last = paths.starts[:-1], np.maximum(paths.starts[1:] - 1, 0)
    t0 = paths.t[np.minimum(first, len(paths.t) - 1)]
    t1 = paths.t[last]
    begin = np.maximum(t0[pairs[:, 0]], t0[pairs[:, 1]])
    end = np.minimum(t1[pairs[:, 0]], t1[pairs[:, 1]])
    share = (np.arange(_LOOKS) + 0.5) / _LOOKS
    t = (begin[:, None] + share * np.maximum(end - begin, 0)[:, None]).ravel()
    lat0, lon0 = paths.at(np.repeat(pairs[:, 0], _LOOKS), t)
    lat1, lon1 = paths.at(np.repeat(pairs[:, 1], _LOOKS), t)
    far = plane_m(lat0, lon0, lat1, lon1).reshape(len(pairs), _LOOKS)
    known = np.isfinite(far)
    met = (far <= REACH_M) & known
    count = known.sum(axis=1)
    order = np.sort(np.where(known, far, np.inf), axis=1)
    middle = order[np.arange(len(pairs)), np.maximum(count - 1, 0) // 2]
    return met.sum(axis=1) / np.maximum(count, 1), count, np.where(count > 0, middle, 0.0)


def _came_up(tracks: Tracks, pairs: Ints) -> np.ndarray:
    """Whether the first of a pair is seen only where the other one stops: it came up beside it.

    Ten minutes before the first was seen and after it was seen last, the other one was some way
    off, within reach of the same radar, and nothing of that family was there.
    """
    paths, samples = followed_of(tracks), samples_of(tracks)
    family = crafts_of(tracks).family
    first, last = paths.starts[pairs[:, 0]], paths.starts[pairs[:, 0] + 1] - 1
    alone = np.ones(len(pairs), dtype=np.bool_)
    for k, sign in ((first, -1), (last, 1)):
        t = paths.t[k] + sign * STEP_S
        lat, lon = paths.at(pairs[:, 1], t)
        way = plane_m(lat, lon, paths.lat[k], paths.lon[k])
        with np.errstate(invalid="ignore"):
            alone &= (way > 2 * REACH_M) & (way < _SOME_WAY_M)
        some = np.flatnonzero(alone)
        slot = np.round(t[some] / STEP_S).astype(np.int64)
        y, x = paths.at(pairs[some, 1], np.asarray(slot * STEP_S, dtype=np.float64))
        known = np.isfinite(y)
        a, b, _ = near_between(
            slot[known], y[known], x[known], samples.slot, samples.lat, samples.lon, REACH_M
        )
        seen = family[samples.subject[b]] == family[pairs[some[known][a], 0]]
        alone[some[known][a[seen]]] = False
    return alone
