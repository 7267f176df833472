"""Where each line calls from: its cells, their middle, and how much of its calls lie there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from cordon.calls.rings.ground import METRES, Ground
from cordon.calls.rings.uses import Uses

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
_NEAR_M = 1_500.0  # phones at one place are served from masts this far apart, in a city
_ACROSS = 0.6  # how sure it is that two in different networks are at one place
_DAY = 86_400_000_000
_STAYED = 0.75  # share of calls from one place, below which days are looked at one by one
_A_DAY = 4  # calls of a day that say whether it had one place
_TOP = 3  # cells that count as one place where it is not known where cells are


@dataclass(frozen=True, slots=True)
class Sites:
    """One entry a line.

    Attributes:
        cells: share of each line's calls by cell (lines × cells, sparse, rows sum to 1 or are
            empty). located: calls whose cell is recorded.
        lat, lon: middle of its calls, NaN where it is not known. reach: metres within which it
            may be off: how wide its own cells are.
        still: share of its located calls from that place, or from the one place of their day where
            that is more: a room that moves on stays where it is meanwhile.
    """

    cells: sparse.csr_matrix
    located: Ints
    lat: Floats
    lon: Floats
    reach: Floats
    still: Floats

    def of(self, lines: Ints) -> Sites:
        """The sites of some of the lines."""
        return Sites(
            self.cells[lines],
            self.located[lines],
            self.lat[lines],
            self.lon[lines],
            self.reach[lines],
            self.still[lines],
        )


def sites(uses: Uses, count: int, ground: Ground) -> Sites:
    """Sites of `count` lines from their uses."""
    held = uses.cell >= 0
    table = sparse.coo_matrix(
        (np.ones(int(held.sum())), (uses.of[held], uses.cell[held])),
        shape=(count, max(len(ground.lat), 1)),
    ).tocsr()
    table.sum_duplicates()
    located = np.asarray(table.sum(axis=1)).ravel().astype(np.int64)
    lat, lon, reach, still = (np.full(count, np.nan) for _ in range(4))
    mid_lat, mid_lon = ground.middle
    known = ground.known
    for line in np.flatnonzero(located):
        row = slice(table.indptr[line], table.indptr[line + 1])
        cell, calls = table.indices[row], table.data[row]
        placed = known[cell]
        if calls[placed].sum() < 0.5 * calls.sum():
            still[line] = np.sort(calls)[::-1][:_TOP].sum() / calls.sum()
            continue
        cell, calls = cell[placed], calls[placed]
        a, b = weighted_median(mid_lat[cell], calls), weighted_median(mid_lon[cell], calls)
        away = np.hypot(
            (mid_lat[cell] - a) * METRES, (mid_lon[cell] - b) * METRES * np.cos(np.radians(a))
        )
        width = max(_NEAR_M, float(weighted_median(ground.reach[cell], calls)))
        inside = away <= width
        lat[line] = np.average(mid_lat[cell][inside], weights=calls[inside]) if inside.any() else a
        lon[line] = np.average(mid_lon[cell][inside], weights=calls[inside]) if inside.any() else b
        reach[line] = width
        still[line] = calls[inside].sum() / calls.sum()
    moved = np.flatnonzero(still < _STAYED)
    still[moved] = np.maximum(still[moved], _by_day(uses, moved, reach, ground))
    scale = sparse.diags(1.0 / np.maximum(located, 1))
    return Sites((scale @ table).tocsr(), located, lat, lon, reach, still)


def _by_day(uses: Uses, lines: Ints, reach: Floats, ground: Ground) -> Floats:
    """Share of each line's located calls from the one place of their day (UTC).

    Of days with few calls nothing is said: one or two lie at one place wherever they lie.

    Args:
        reach: metres that count as one place, for each of all lines; NaN where it is not known
            where its cells are, of which nothing is said (0).
    """
    lines_of = np.full(len(reach), -1)
    lines_of[lines] = np.where(np.isnan(reach[lines]), -1, np.arange(len(lines)))
    kept = np.flatnonzero((lines_of[uses.of] >= 0) & (uses.cell >= 0))
    kept = kept[ground.known[uses.cell[kept]]]
    of, day = lines_of[uses.of[kept]], uses.us[kept] // _DAY
    mid_lat, mid_lon = (m[uses.cell[kept]] for m in ground.middle)
    _, first, group, size = np.unique(
        of * (1 << 24) + day, return_index=True, return_inverse=True, return_counts=True
    )
    half = np.cumsum(size) - size + (size + 1) // 2 - 1
    lat, lon = (m[np.lexsort((m, group))][half][group] for m in (mid_lat, mid_lon))
    away = np.hypot((mid_lat - lat) * METRES, (mid_lon - lon) * METRES * np.cos(np.radians(lat)))
    there = np.bincount(group, away <= reach[lines][of], minlength=len(size))
    told = size >= _A_DAY
    # without the call that is the place itself
    inside = np.bincount(of[first][told], (there - 1).clip(0)[told], minlength=len(lines))
    total = np.bincount(of[first][told], (size - 1)[told], minlength=len(lines))
    return np.asarray(inside / np.maximum(total, 1))


def weighted_median(values: Floats, weights: Floats) -> float:
    """The value with half of the weight on either side."""
    order = np.argsort(values, kind="stable")
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, total[-1] / 2)])


def together(
    sites: Sites, ground: Ground, overlap: float = 0.5, reach: float = 0.5
) -> sparse.csr_matrix:
    """Lines × lines: 1 where the two call from one place, 0.6 where that is less sure.

    In one network by cells: who stands at one spot is served by the same ones. Across networks
    by position, within so much of how wide the cells are, which is less sure.

    Args:
        overlap: Bhattacharyya overlap of shares by cell, at least. reach: of the wider cells'
            range, at most.
    """
    count = len(sites.lat)
    root = sites.cells.copy()
    root.data = np.sqrt(root.data)
    both = (root @ root.T).tocoo()
    # what two samples of one pattern lose by being few
    few = 0.6 * (1 / np.maximum(sites.located, 1))
    same = both.data + few[both.row] + few[both.col] >= overlap
    pairs = [(both.row[same], both.col[same], np.ones(int(same.sum())))]
    served = network(sites, ground)
    placed = np.flatnonzero(~np.isnan(sites.lat))
    order = placed[np.argsort(sites.lat[placed], kind="stable")]
    lat = sites.lat[order]
    widest = float(sites.reach[order].max()) * reach if len(order) else 0.0
    for i, line in enumerate(order):
        stop = np.searchsorted(lat, lat[i] + widest / METRES, side="right")
        others = order[i + 1 : stop]
        others = others[served[others] != served[line]]
        away = np.hypot(
            (sites.lat[others] - sites.lat[line]) * METRES,
            (sites.lon[others] - sites.lon[line]) * METRES * np.cos(np.radians(lat[i])),
        )
        close = others[away <= reach * np.maximum(sites.reach[others], sites.reach[line])]
        own, sure = np.full(len(close), line), np.full(len(close), _ACROSS)
        pairs += [(own, close, sure), (close, own, sure)]
    row, col, sure = (np.concatenate(p) for p in zip(*pairs, strict=True))
    made = sparse.coo_matrix((sure, (row, col)), shape=(count, count)).tocsr()
    made.data = np.minimum(made.data, 1.0)  # close by both
    return made


def network(sites: Sites, ground: Ground) -> Ints:
    """The network that serves most of each line's calls, -1 where no cell is recorded."""
    count = len(sites.lat)
    if not len(ground.network):
        return np.full(count, -1)
    size = int(ground.network.max()) + 1
    of = sparse.coo_matrix(
        (np.ones(len(ground.network)), (np.arange(len(ground.network)), ground.network)),
        shape=(sites.cells.shape[1], size),
    ).tocsr()
    shares = (sites.cells @ of).toarray()
    return np.where(shares.sum(axis=1) > 0, shares.argmax(axis=1), -1)
