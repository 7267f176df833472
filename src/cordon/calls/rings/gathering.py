"""Gathering lines: by handset first, then by place, hours, and whom they call.

Average linkage on log-likelihood ratios: two groups at one place are one unless what they do
says otherwise, so that two centres on one floor stay two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from cordon.calls.rings.addresses import Beside, Joining
from cordon.calls.rings.ground import METRES, Ground
from cordon.calls.rings.sites import Sites, network, sites, together
from cordon.calls.rings.uses import Uses, regrouped

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
_DAY, _QUARTER = 86_400_000_000, 900_000_000
_LOCATED = 3  # calls with a cell that say where a line is
_ALL_PAIRS = 40  # lines of a handset that are compared each with each
_CHANGED = 36 * 3_600_000_000  # µs that a handset lies between two SIMs: a night and a free day
_HANDSET_OVERLAP, _HANDSET_REACH = 0.25, 0.7  # asked of two that share a handset
_FEW_USES = 0.05  # of a line's calls from a handset: fewer are a SIM tried out in it

# nats for and against two groups at one place being one
_PLACE = ((0.0, 0.5, 0.6, 1.0), (-4.0, 0.0, 0.5, 2.0))  # by the share of pairs at one place
_AT_ONE = 0.5  # that share, below which no address speaks for it
_HOURS = (30.0, 0.94, -8.0, 1.0)  # slope, overlap at which it says nothing, least, most
_WEEK = (30.0, 0.94, -4.0, 0.5)
_WEEKS = 13 * 86_400_000_000
_BY_CHANCE = 1.2  # overlap that two samples of one pattern lose, times one by their calls
_SURE = 30.0  # calls at which a pattern of hours is half believed
_QUARTERS = 300.0  # calls of both, from which on hours are compared by the quarter
_CALLEES_MOST, _HUB = 1.0, 0.2  # share of groups that call a hub
_LOCAL = 3.0  # two who call the people of one town share so many times more than by chance
_APART = (0.5, 4.0)  # a difference of shares (abroad, made) that speaks against, and how much
_TALK = (0.5, 4.0)  # the same for the logarithm of how long they talk


@dataclass(slots=True)
class _Traits:
    """What groups do, one entry a group.

    Attributes:
        calls: how many. quarters, hours, week: calls by local quarter of an hour, hour, and day of
            the week.
        abroad: of the calls, with other countries. made: of the calls, by it.
        talk: summed logarithm of answered seconds. talks: answered calls.
        begin, end: µs of the first and the last call.
    """

    calls: Floats
    quarters: Floats
    hours: Floats
    week: Floats
    abroad: Floats
    made: Floats
    talk: Floats
    talks: Floats
    begin: Floats
    end: Floats

    def merge(self, a: int, b: int) -> None:
        """Add group b to group a."""
        self.begin[a] = min(self.begin[a], self.begin[b])
        self.end[a] = max(self.end[a], self.end[b])
        for name in ("calls", "quarters", "hours", "week", "abroad", "made", "talk", "talks"):
            column = getattr(self, name)
            column[a] += column[b]


def gather(
    uses: Uses,
    each: Sites,
    ground: Ground,
    abroad: NDArray[np.bool_],
    duration: NDArray[np.floating],
    offset_s: int,
    linked: Sequence[tuple[int, int]] = (),
    reached: Joining | None = None,
    twins: NDArray[np.bool_] | None = None,
) -> Ints:
    """The group of each line, numbered from 0 in the order of their first lines.

    Args:
        uses, each: uses and sites of the lines.
        abroad: for each use, whether the other lives in another country.
        duration: for each use, seconds (NaN where not recorded).
        offset_s: seconds that local time is ahead of UTC.
        linked: pairs of lines that a complaint names with one account, address or handle.
        reached: internet addresses that hardly anybody but lines reaches, where sessions tell.
        twins: for each handset, whether the next one's identity follows on its own (`uses.twins`).
    """
    count = len(each.lat)
    if not count:
        return np.zeros(0, np.int64)
    block = _blocks(uses, each, ground, linked, twins)
    of = block[uses.of]
    blocks = int(block.max()) + 1
    own = sites(_as(uses, of, blocks), blocks, ground)
    near = together(own, ground)
    unplaced = own.located < _LOCATED
    traits = _traits(uses, of, blocks, abroad, duration, offset_s)
    called = _called(uses, of, blocks)
    group = np.arange(blocks)
    _, part = connected_components(near, directed=False)
    for members in grouped(part):
        if len(members) > 1 and not unplaced[members[0]]:
            ties = None if reached is None else reached.of(block, blocks, members)
            group[members] = members[_merged(members, near, traits, called, ties)]
    _, numbered = np.unique(group[block], return_inverse=True)
    first = np.full(numbered.max() + 1, count)
    np.minimum.at(first, numbered, np.arange(count))
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[numbered]


class _Places:
    """Whether two lines call from one place, by all that is known of it."""

    def __init__(self, uses: Uses, own: Sites, ground: Ground) -> None:
        count = len(own.lat)
        self._own, self._network = own, network(own, ground)
        self._near = together(own, ground, _HANDSET_OVERLAP, _HANDSET_REACH)
        self._loose = own.located < _LOCATED
        self._begin, self._end = np.full(count, np.inf), np.full(count, -np.inf)
        np.minimum.at(self._begin, uses.of, uses.us.astype(float))
        np.maximum.at(self._end, uses.of, uses.us.astype(float))

    def one(self, a: int, b: int) -> bool:
        """True where they do, or of one of them nothing says where."""
        return bool(self._loose[a] or self._loose[b] or self._near[a, b])

    def nowhere(self, a: int) -> bool:
        """True where nothing says where it is."""
        return bool(self._loose[a])

    def may_be_one(self, a: int, b: int) -> bool:
        """True for lines of two networks that nothing says are apart: cells of the one tell
        nothing of those of the other without positions, and little with them.

        One handset at two lines within a day and a half is that, and after a raid it is not.
        """
        own = self._own
        lives = max(self._begin[a], self._begin[b]) - min(self._end[a], self._end[b])
        if self._network[a] == self._network[b] or lives > _CHANGED:
            return False
        east = (own.lon[a] - own.lon[b]) * METRES * np.cos(np.radians(own.lat[a]))
        away = np.hypot((own.lat[a] - own.lat[b]) * METRES, east)
        return bool(np.isnan(away) or away <= own.reach[a] + own.reach[b])


def _blocks(
    uses: Uses,
    own: Sites,
    ground: Ground,
    linked: Sequence[tuple[int, int]],
    twins: NDArray[np.bool_] | None,
) -> Ints:
    """Lines that share handsets at one place, or an account or handle that was complained of.

    A telephone with two slots has two identities, as a rule one after the other.
    """
    count = len(own.lat)
    places = _Places(uses, own, ground)
    held = uses.imei >= 0
    pair, calls = np.unique(uses.of[held] * (2**32) + uses.imei[held], return_counts=True)
    line, imei = pair >> 32, pair & (2**32 - 1)
    total = np.bincount(uses.of, minlength=count)
    kept = calls >= np.maximum(1, _FEW_USES * total[line])
    line, imei = line[kept], imei[kept]
    order = np.lexsort((line, imei))
    line, imei = line[order], imei[order]
    pairs = _at_one_place(linked, places)
    rows, cols = [i for i, _ in pairs], [j for _, j in pairs]
    for start, stop in _runs(imei):
        sharing = line[start:stop]
        if len(sharing) <= _ALL_PAIRS:
            a, b = (sharing[i] for i in np.triu_indices(len(sharing), 1))
        else:
            a, b = sharing[:-1], sharing[1:]
        for one, two in zip(a.tolist(), b.tolist(), strict=True):
            if places.one(one, two) or places.may_be_one(one, two):
                rows.append(one)
                cols.append(two)
    for one, two in () if twins is None else _side_by_side(line, imei, twins):
        if places.one(one, two):
            rows.append(one)
            cols.append(two)
    graph = sparse.coo_matrix((np.ones(len(rows)), (rows, cols)), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1], np.int64)


def _at_one_place(linked: Sequence[tuple[int, int]], places: _Places) -> list[tuple[int, int]]:
    """The pairs that may be one room's: at one place, and never through a line that is nowhere.

    A bank's number that fraudsters show as theirs is named with the accounts of many rings. Where
    nothing says where it is, it belongs to one place at most.
    """
    beside: dict[int, list[int]] = {}
    for a, b in linked:
        for one, other in ((a, b), (b, a)):
            if places.nowhere(one):
                beside.setdefault(one, []).append(other)
    known = any(not places.nowhere(line) for pair in linked for line in pair)
    hubs = set()
    for line, others in beside.items():
        placed = [o for o in others if not places.nowhere(o)]
        # two that are nowhere would pass on what each of them is named with
        chained = known and len(placed) < len(others)
        if chained or any(not places.one(placed[0], o) for o in placed[1:]):
            hubs.add(line)
    return [(a, b) for a, b in linked if not {a, b} & hubs and places.one(a, b)]


def _side_by_side(line: Ints, imei: Ints, twins: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Pairs of lines of which one uses a handset identity, and the other the one that follows it.

    Args:
        line, imei: who uses what, by identity.
    """
    begin = np.searchsorted(imei, np.arange(len(twins) + 1))
    pairs = []
    for first in np.flatnonzero(twins[:-1] & (np.diff(begin)[:-1] > 0)).tolist():
        own = line[begin[first] : begin[first + 1]].tolist()
        next_one = line[begin[first + 1] : begin[first + 2]].tolist()
        pairs += [(a, b) for a in own[:_ALL_PAIRS] for b in next_one[:_ALL_PAIRS] if a != b]
    return pairs


def _runs(values: Ints) -> list[tuple[int, int]]:
    """Start and stop of each run of equal values of which there are at least two."""
    if not len(values):
        return []
    edges = np.flatnonzero(np.diff(values)) + 1
    starts, stops = np.concatenate([[0], edges]), np.concatenate([edges, [len(values)]])
    return [(int(a), int(b)) for a, b in zip(starts, stops, strict=True) if b - a > 1]


def _as(uses: Uses, of: Ints, count: int) -> Uses:
    """The same uses, each as its group's."""
    return regrouped(uses, np.argsort(of, kind="stable"), of, count)


def grouped(part: Ints) -> list[Ints]:
    """Places of each group, groups and places ascending."""
    if not len(part):
        return []
    order = np.argsort(part, kind="stable")
    return list(np.split(order, np.flatnonzero(np.diff(part[order])) + 1))


def _traits(
    uses: Uses,
    of: Ints,
    count: int,
    abroad: NDArray[np.bool_],
    duration: NDArray[np.floating],
    offset_s: int,
) -> _Traits:
    local = uses.us + offset_s * 1_000_000
    quarter, week = (local // _QUARTER) % 96, (local // _DAY) % 7
    talked = np.nan_to_num(duration) > 0
    logs = np.log(np.where(talked, np.nan_to_num(duration), 1.0))
    size = count
    begin, end = np.full(size, np.inf), np.full(size, -np.inf)
    np.minimum.at(begin, of, uses.us.astype(float))
    np.maximum.at(end, of, uses.us.astype(float))
    quarters = np.bincount(of * 96 + quarter, minlength=size * 96).reshape(size, 96).astype(float)
    return _Traits(
        np.bincount(of, minlength=size).astype(float),
        quarters,
        quarters.reshape(size, 24, 4).sum(axis=2),
        np.bincount(of * 7 + week, minlength=size * 7).reshape(size, 7).astype(float),
        np.bincount(of, abroad, minlength=size).astype(float),
        np.bincount(of, uses.made, minlength=size).astype(float),
        np.bincount(of, logs, minlength=size).astype(float),
        np.bincount(of, talked, minlength=size).astype(float),
        begin,
        end,
    )


def _called(uses: Uses, of: Ints, count: int) -> sparse.csr_matrix:
    """Groups × people dealt with, 1 where they dealt, without hubs that many groups deal with."""
    people, column = np.unique(uses.other, return_inverse=True)
    made = sparse.coo_matrix(
        (np.ones(len(of)), (of, column)), shape=(count, max(len(people), 1))
    ).tocsr()
    made.data[:] = 1.0
    made.sum_duplicates()
    made.data[:] = 1.0
    often = np.asarray(made.sum(axis=0)).ravel()
    return made[:, often <= max(3.0, _HUB * count)].tocsr()


def _merged(
    members: Ints,
    near: sparse.csr_matrix,
    traits: _Traits,
    called: sparse.csr_matrix,
    ties: Beside | None,
) -> Ints:
    """For blocks at one place: the first of the group that each belongs to."""
    size = len(members)
    own = _Traits(*(getattr(traits, n)[members].copy() for n in _Traits.__slots__))
    beside = near[members][:, members].toarray().astype(float)
    rows = called[members]
    shared = (rows @ rows.T).toarray()
    met = np.asarray(rows.sum(axis=1)).ravel()
    reach = float(called.shape[1])
    weight = np.ones(size)
    alive = np.ones(size, bool)
    score = np.full((size, size), -np.inf)
    for i in range(size):
        score[i] = _evidence(i, own, beside, shared, met, reach, weight, ties)
        score[i, i] = -np.inf
    group = np.arange(size)
    while True:
        at = int(np.argmax(score))
        a, b = sorted(divmod(at, size))
        if not score[a, b] > 0:
            return group
        own.merge(a, b)
        if ties is not None:
            ties.merge(a, b)
        for table in (beside, shared):  # sums over pairs, so that means stay means
            table[a] += table[b]
            table[:, a] += table[:, b]
        met[a] += met[b]
        weight[a] += weight[b]
        group[group == b] = a
        alive[b] = False
        row = _evidence(a, own, beside, shared, met, reach, weight, ties)
        row[~alive] = -np.inf
        row[a] = -np.inf
        score[a], score[:, a] = row, row
        score[b], score[:, b] = -np.inf, -np.inf


def _evidence(
    a: int,
    t: _Traits,
    beside: Floats,
    shared: Floats,
    met: Floats,
    reach: float,
    weight: Floats,
    ties: Beside | None,
) -> Floats:
    """Nats for group `a` and each other group being one."""
    place = beside[a] / (weight[a] * weight)  # share of pairs of blocks that are at one place
    sure = np.minimum(t.calls[a], t.calls)
    sure = sure / (sure + _SURE)
    few = _BY_CHANCE * (1 / t.calls[a] + 1 / t.calls)
    hours = np.where(
        np.minimum(t.calls[a], t.calls) >= _QUARTERS,
        _overlap(t.quarters, a, _HOURS, 4 * few),  # four times as many bins lose as much more
        _overlap(t.hours, a, _HOURS, few),
    )
    hours = hours * sure
    weeks = np.minimum(t.end - t.begin, t.end[a] - t.begin[a]) >= _WEEKS  # to know a closed day
    week = np.where(weeks, _overlap(t.week, a, _WEEK, few) * sure, 0.0)
    k, expected = shared[a], np.maximum(_LOCAL * met[a] * met / max(reach, 1.0), 1e-9)
    with np.errstate(divide="ignore", invalid="ignore"):
        surprise = np.where(
            k > np.maximum(expected, 1.0), k * np.log(k / expected) - k + expected, 0
        )
    callees = np.clip(surprise, 0, _CALLEES_MOST)
    far = (np.abs(t.abroad / t.calls - t.abroad[a] / t.calls[a]) > _APART[0]).astype(float)
    far += np.abs(t.made / t.calls - t.made[a] / t.calls[a]) > _APART[0]
    talk = t.talk / np.maximum(t.talks, 1)
    apart = np.maximum(np.abs(talk - talk[a]) - _TALK[0], 0.0)
    both = np.minimum(t.talks, t.talks[a])
    longer = np.minimum((apart / _TALK[0]) ** 2, 1.0) * _TALK[1] * both / (both + _SURE)
    said = np.interp(place, *_PLACE) + hours + week + callees - far * _APART[1] * sure - longer
    if ties is None:
        return np.asarray(said)
    told = ties.evidence(a)
    # what is not at one place is no group, whatever it reaches
    return np.asarray(said + np.where(place >= _AT_ONE, told, np.minimum(told, 0.0)))


def _overlap(
    table: Floats, a: int, shape: tuple[float, float, float, float], few: Floats
) -> Floats:
    """Bhattacharyya overlap of one group's pattern with each other's, as nats."""
    slope, nothing, least, most = shape
    smooth = table + 0.25
    roots = np.sqrt(smooth / smooth.sum(axis=1, keepdims=True))
    return np.asarray(np.clip(slope * (roots @ roots[a] + few - nothing), least, most))
