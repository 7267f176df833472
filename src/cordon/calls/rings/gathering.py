"""Gathering lines: by handset first, then by place, hours, and whom they call.

Average linkage on log-likelihood ratios: two groups at one place are one unless what they do
says otherwise, so that two centres on one floor stay two.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from cordon.calls.rings.addresses import Beside, Joining
from cordon.calls.rings.ground import METRES, Ground
from cordon.calls.rings.linkage import average_linkage
from cordon.calls.rings.oneroom import Openings, Traits, evidence, openings, traits
from cordon.calls.rings.placing import Placing
from cordon.calls.rings.sites import Sites, network, sites, together
from cordon.calls.rings.tried import LINE, used, works_from
from cordon.calls.rings.uses import Uses, regrouped

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
_LOCATED = 3  # calls with a cell that say where a line is
_ALL_PAIRS = 40  # lines of a handset that are compared each with each
_CHANGED = 36 * 3_600_000_000  # µs that a handset lies between two SIMs: a night and a free day
_HANDSET_OVERLAP, _HANDSET_REACH = 0.25, 0.7  # asked of two that share a handset
_FEW_USES = 0.05  # of a line's calls from a handset: fewer are a SIM tried out in it

_HUB = 0.2  # share of groups that call a hub
_ROWS = 500  # groups whose people are compared at a time


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
    order = np.argsort(of, kind="stable")
    some = regrouped(uses, order, of, blocks)
    own = sites(some, blocks, ground)
    near, served = together(own, ground), network(own, ground)
    root = own.cells.sqrt()
    unplaced = own.located < _LOCATED
    does = traits(some, blocks, abroad[order], duration[order], offset_s)
    called = _called(uses, of, blocks)
    group = np.arange(blocks)
    _, part = connected_components(near, directed=False)
    for members in grouped(part):
        if len(members) > 1 and not unplaced[members[0]]:
            ties = None if reached is None else reached.of(block, blocks, members)
            quarters = does.quarters[members]
            opened = openings(some, members, quarters, offset_s)
            own_does = does.of(members)
            beside = near[members][:, members].tocsr()
            beside.sort_indices()  # as those of what is compared with it
            alike = _in_common(root[members], beside)
            placing = Placing(beside, own.of(members), served[members], alike)
            of_it = _merged(beside, placing, own_does, opened, called[members], ties)
            group[members] = members[of_it]
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
    pair, calls = used(uses)
    line, imei = pair // LINE, pair % LINE
    total = np.bincount(uses.of, minlength=count)
    kept = calls >= np.maximum(1, _FEW_USES * total[line])
    kept &= works_from(uses, pair, calls)
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


def grouped(part: Ints) -> list[Ints]:
    """Places of each group, groups and places ascending."""
    if not len(part):
        return []
    order = np.argsort(part, kind="stable")
    return list(np.split(order, np.flatnonzero(np.diff(part[order])) + 1))


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
    beside: sparse.csr_matrix,
    placing: Placing,
    own: Traits,
    opened: Openings,
    called: sparse.csr_matrix,
    ties: Beside | None,
) -> Ints:
    """For blocks at one place: the first of the group that each belongs to."""
    met = np.asarray(called.sum(axis=1)).ravel()
    a, b = np.repeat(np.arange(len(met)), np.diff(beside.indptr)), beside.indices
    by_chance = met[a] * met[b] / max(float(called.shape[1]), 1.0)
    values = np.column_stack([placing.columns, _in_common(called, beside), by_chance])

    def alike(a: int, others: Ints, sums: Floats) -> Floats:
        place = placing.share(a, others, sums[:, :2])
        return evidence(a, others, own, opened, place, sums[:, 2], sums[:, 3], ties)

    def merge(a: int, b: int) -> None:
        own.merge(a, b)
        opened.merge(a, b)
        placing.merge(a, b)
        if ties is not None:
            ties.merge(a, b)

    return average_linkage(beside, values, alike, merge)


def _in_common(rows: sparse.csr_matrix, beside: sparse.csr_matrix) -> Floats:
    """Product of two rows, for each entry of the other table: of ones, how many they share.

    Some rows at a time: of a town the whole product would not go into memory.
    """
    told = []
    for start in range(0, beside.shape[0], _ROWS):
        some = beside[start : start + _ROWS]
        there = sparse.csr_matrix(
            (np.ones(len(some.data)), some.indices, some.indptr), shape=some.shape
        )
        common = (rows[start : start + _ROWS] @ rows.T).multiply(there)
        both = (common + there).tocsr()  # entries of nothing in common stay
        both.sort_indices()
        told.append(both.data - 1.0)
    return np.concatenate(told)
