"""Which report is of which track: the assignment of least cost over all at once.

Reports and tracks that share no gate have nothing to do with one another, so each report is
put in by the shortest augmenting path over its own cluster (Jonker and Volgenant 1987, on the
few pairs there are instead of a full matrix). What it costs grows with the clusters and not with
the number of tracks. Each report may also stay alone, at a price of its own. In a crowd where
more than MOST others would have to give place, a report stays alone: no scan may take for ever.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cordon.kernel.compiled import compiled, inner
from cordon.picture.tracking.layout import CHOICES, NONE, Array

MOST = 256


class Table(NamedTuple):
    """The reports of a moment and the tracks that each may be of, and room to work in.

    Attributes:
        count: (n,) how many tracks each report may be of. who, cost: (n, CHOICES) which, at what
            cost. alone: (n,) the cost of being of none. answer: (n,) the track, or NONE.
        dual: (n,) of each report. price, seat, spot: (rows,) of each track its dual (at rest 0),
            its report (NONE) and its place among those reached (0; else that and 1).
        seen, way, by, done: of the tracks reached: which, how far, from which report, whether
            the shortest way is known. inner, inner_way: the reports reached, and how far.
    """

    count: Array
    who: Array
    cost: Array
    alone: Array
    answer: Array
    dual: Array
    price: Array
    seat: Array
    spot: Array
    seen: Array
    way: Array
    by: Array
    done: Array
    inner: Array
    inner_way: Array


def table(rows: int, reports: int) -> Table:
    """A table for a book of so many rows and moments of so many reports."""
    reached = (MOST + 1) * CHOICES
    return Table(
        count=np.zeros(reports, np.int64),
        who=np.zeros((reports, CHOICES), np.int64),
        cost=np.zeros((reports, CHOICES)),
        alone=np.zeros(reports),
        answer=np.zeros(reports, np.int64),
        dual=np.zeros(reports),
        price=np.zeros(rows),
        seat=np.full(rows, NONE, np.int64),
        spot=np.zeros(rows, np.int64),
        seen=np.zeros(reached, np.int64),
        way=np.zeros(reached),
        by=np.zeros(reached, np.int64),
        done=np.zeros(reached, np.bool_),
        inner=np.zeros(MOST + 1, np.int64),
        inner_way=np.zeros(MOST + 1),
    )


@compiled
def assign(b: Table, first: int, last: int) -> None:
    """Give the reports first ≤ r < last to tracks so that the sum of costs is least."""
    for r in range(first, last):
        b.dual[r] = b.alone[r]
        for m in range(b.count[r]):
            b.dual[r] = min(b.dual[r], b.cost[r, m])
        b.answer[r] = NONE
        # the usual case: its cheapest track is free
        for m in range(b.count[r]):
            s = b.who[r, m]
            if b.cost[r, m] == b.dual[r] and b.cost[r, m] < b.alone[r] and b.seat[s] == NONE:
                b.seat[s], b.answer[r] = r, s
                break
    for r in range(first, last):
        if b.answer[r] == NONE and b.dual[r] < b.alone[r]:
            _augment(b, r)
    for r in range(first, last):
        for m in range(b.count[r]):
            s = b.who[r, m]
            b.seat[s], b.price[s] = NONE, 0.0


@inner
def _augment(b: Table, start: int) -> None:
    """Put one more report in by the shortest way (Dijkstra's) of others giving place to it."""
    reached = inner = 0
    best, end, last = 1e300, NONE, NONE  # the nearest report that may stay alone; free track
    r, far = start, 0.0
    while inner <= MOST:
        b.inner[inner], b.inner_way[inner] = r, far
        inner += 1
        if far + b.alone[r] - b.dual[r] < best:
            best, end = far + b.alone[r] - b.dual[r], r
        reached = _reach(b, r, far, reached)
        at = _nearest(b, reached)
        if at == NONE or b.way[at] >= best:
            break
        b.done[at] = True
        far = b.way[at]
        if b.seat[b.seen[at]] == NONE:
            best, last = far, at
            break
        r = b.seat[b.seen[at]]
    else:
        last = end = NONE  # a crowd: it stays alone, and nothing changes
    if end != NONE or last != NONE:
        for k in range(inner):
            b.dual[b.inner[k]] += max(best - b.inner_way[k], 0.0)
        for k in range(reached):
            if b.done[k]:
                b.price[b.seen[k]] -= max(best - b.way[k], 0.0)
        _give_place(
            b, start, b.by[last] if last != NONE else end, b.seen[last] if last != NONE else NONE
        )
    for k in range(reached):
        b.spot[b.seen[k]] = 0


@inner
def _reach(b: Table, r: int, far: float, reached: int) -> int:
    """Reach the tracks that a report may be of; how many are reached now."""
    for m in range(b.count[r]):
        s = b.who[r, m]
        if b.answer[r] == s:
            continue
        d = far + b.cost[r, m] - b.dual[r] - b.price[s]
        at = b.spot[s] - 1
        if at < 0:
            b.spot[s] = reached + 1
            b.seen[reached], b.way[reached], b.by[reached], b.done[reached] = s, d, r, False
            reached += 1
        elif not b.done[at] and d < b.way[at]:
            b.way[at], b.by[at] = d, r
    return reached


@inner
def _nearest(b: Table, reached: int) -> int:
    """The nearest track whose shortest way is not known yet, or NONE."""
    nearest = NONE
    for at in range(reached):
        if not b.done[at] and (nearest == NONE or b.way[at] < b.way[nearest]):
            nearest = at
    return nearest


@inner
def _give_place(b: Table, start: int, r: int, s: int) -> None:
    """Walk back: each report of the way takes the place found and leaves its own to the next."""
    while True:
        left = b.answer[r]
        b.answer[r] = s
        if s != NONE:
            b.seat[s] = r
        if r == start:
            return
        s = left
        r = b.by[b.spot[s] - 1]
