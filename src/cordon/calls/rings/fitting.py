"""Who of a group is really of it, and who else is: a second look once the group is known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from cordon.calls.rings.lines import Lines
from cordon.calls.rings.tried import LINE, used, works_from
from cordon.calls.rings.uses import Uses
from cordon.calls.survey.distinct import ordered
from cordon.calls.survey.profiles import Profiles

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
_DAY = 86_400_000_000
_FAR = 9.0  # mean squared deviations from the group's way of working that are too many
_MOSTLY, _ALIKE = 0.7, (2.0, 5.0)  # share of lines; mean and greatest squared deviation
_LEAST_SPREAD = (0.6, 0.5, 0.6, 0.12)  # of each trait: no group is narrower than that
_FEWEST = 3  # lines of which one can say how they work
_USED = 2  # calls from a handset that are more than trying a SIM in it
_MAINLY = 0.5  # of the calls of a group's lines from a handset, by lines that work from it
_PAUSE = 36 * 3_600_000_000  # without a call (µs): longer than a night and a closed day
_PAUSED_CALLS = 30  # with a cell, on either side, that say where it was
_MOVED = 0.7  # overlap of the cells before and after, below which it is another place
_OWN = 0.5  # share of a number's calls from the group's handsets that makes it the group's
_TIES = 0.2  # share of its people that it speaks to again and again: somebody's own phone


def fitting(members: Ints, lines: Lines, uses: Uses, profiles: Profiles) -> Ints:
    """The members without those that share no handset with most others and work another way.

    Lines that share handsets are one cluster. How long lines lived, how much they call, how long
    they talk and how one-way they are is measured in the largest cluster (in all lines, where
    no cluster has three), and clusters far from it are left out.
    """
    if len(members) < _FEWEST:
        return members
    cluster = clusters(members, uses)
    sizes = np.bincount(cluster)
    largest = cluster == sizes.argmax()
    traits = _traits(members, lines, profiles)
    beside = largest if largest.sum() >= _FEWEST else np.ones(len(members), bool)
    middle = np.median(traits[beside], axis=0)
    spread = 1.4826 * np.median(np.abs(traits[beside] - middle), axis=0)
    own = np.stack(
        [np.bincount(cluster, traits[:, i]) / sizes for i in range(traits.shape[1])], axis=1
    )
    away = ((own - middle) / np.maximum(spread, _LEAST_SPREAD)) ** 2
    kept = away.mean(axis=1) <= _FAR
    if sizes[sizes > 1].sum() >= _MOSTLY * len(members):
        # where nearly all share handsets, one that shares none must work just as they do
        kept &= (sizes > 1) | ((away.mean(axis=1) <= _ALIKE[0]) & (away.max(axis=1) <= _ALIKE[1]))
    kept[cluster[largest]] = True
    fit: Ints = members[kept[cluster]]
    return fit


def moved(members: Ints, uses: Uses, cells: int) -> list[Ints]:
    """The members before and after each move: a pause, and other cells after it.

    People of a place that was raided come back at another one, which may be so near that some
    cells are the same. A line that called on both sides goes where most of its calls are.
    """
    if len(members) == 1:  # which goes with most of its own calls
        return [members]
    entries = uses.entries(members)
    entries = entries[ordered(uses.us[entries])]
    us, cell = uses.us[entries], uses.cell[entries]
    located = np.cumsum(cell >= 0)
    best, least = -1, _MOVED
    for gap in np.flatnonzero(np.diff(us) >= _PAUSE).tolist():
        if min(located[gap], located[-1] - located[gap]) < _PAUSED_CALLS:
            continue
        sides = [c[c >= 0] for c in (cell[: gap + 1], cell[gap + 1 :])]
        before, after = (np.sqrt(np.bincount(c, minlength=cells) / len(c)) for c in sides)
        if before @ after < least:
            best, least = gap, float(before @ after)
    if best < 0:
        return [members]
    late = np.bincount(uses.of[entries], us > us[best], minlength=len(uses.starts))[members]
    is_late = late > (uses.starts[members + 1] - uses.starts[members]) / 2
    if is_late.all() or not is_late.any():
        return [members]
    return [*moved(members[~is_late], uses, cells), *moved(members[is_late], uses, cells)]


def clusters(members: Ints, uses: Uses) -> Ints:
    """Which of the members share handsets, one way or another: a number for each."""
    pairs = []
    for place, line in enumerate(members.tolist()):
        held, often = np.unique(uses.imei[uses.span(line)], return_counts=True)
        held = held[(held >= 0) & (often >= np.minimum(_USED, often.max(initial=1)))]
        pairs += [(place, h) for h in held.tolist()]
    if not pairs:
        return np.arange(len(members))
    place, handset = np.array(pairs).T
    _, handset = np.unique(handset, return_inverse=True)
    size = len(members) + int(handset.max()) + 1
    graph = sparse.coo_matrix(
        (np.ones(len(place)), (place, len(members) + handset)), shape=(size, size)
    )
    part = connected_components(graph, directed=False)[1][: len(members)]
    return np.asarray(np.unique(part, return_inverse=True)[1], np.int64)


def _traits(members: Ints, lines: Lines, profiles: Profiles) -> Floats:
    p, at = profiles, lines.at[members]
    calling = lines.calling[members]
    life = np.log((p.last[at] - p.first[at]) / _DAY + 0.5)
    days = np.maximum(np.where(calling, p.days[at], p.taken_days[at]), 1)
    rate = np.log(np.maximum(np.where(calling, p.out[at], p.inn[at]) / days, 0.5))
    talk = np.where(calling, p.talk[at], p.taken_talk[at])
    talk = np.log(np.where(talk > 0, talk, np.nan))
    talk = np.where(np.isnan(talk), np.nanmedian(talk) if (~np.isnan(talk)).any() else 0.0, talk)
    total = p.out[at] + p.inn[at]
    return np.stack([life, rate, talk, p.out[at] / np.maximum(total, 1)], axis=1)


class Further:
    """Numbers that are in no group, and from which handsets they work.

    Args:
        rest: positions in `Profiles` of these numbers. each: their uses.
    """

    def __init__(self, profiles: Profiles, rest: Ints, each: Uses) -> None:
        self._uses = each
        met = profiles.people[rest] + profiles.callers[rest]
        self._free = profiles.ties[rest] / np.maximum(met, 1) <= _TIES
        total = np.bincount(each.of, minlength=len(rest))
        self._least = np.maximum(_USED, _OWN * total)
        known = np.flatnonzero(each.imei >= 0)
        self._by_handset = known[ordered(each.imei[known])]
        self._handsets = each.imei[self._by_handset]

    def of(self, group: Uses, members: Ints) -> Ints:
        """Those that work from a group's handsets, as positions in the list.

        Args:
            group: uses of all lines. members: places in it.
        """
        entries = group.entries(members)
        pair, times = used(group, entries)
        handsets, at = np.unique(pair % LINE, return_inverse=True)
        calls = np.bincount(at, times, minlength=len(handsets))
        at_work = np.bincount(at, times * works_from(group, pair, times), minlength=len(handsets))
        handsets = handsets[(calls >= _USED) & (at_work >= _MAINLY * calls)]
        ends = zip(
            np.searchsorted(self._handsets, handsets).tolist(),
            np.searchsorted(self._handsets, handsets, "right").tolist(),
            strict=True,
        )
        none = np.zeros(0, np.int64)
        calls_from = np.concatenate([none, *(self._by_handset[begin:end] for begin, end in ends)])
        begin, end = group.us[entries].min() - _DAY, group.us[entries].max() + _DAY
        calls_from = calls_from[
            (self._uses.us[calls_from] >= begin) & (self._uses.us[calls_from] <= end)
        ]
        theirs = np.bincount(self._uses.of[calls_from], minlength=len(self._least))
        return np.flatnonzero((theirs >= self._least) & self._free)
