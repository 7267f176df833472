"""The loop over reports: moment by moment, each source's reports assigned together.

A moment (`frame_s`, the same grid of time for everybody, so that the order in which reports
come changes nothing) is short enough that no sensor reports a craft twice in it. Each source's
reports of a moment are assigned to the tracks as they stood when it began; then all are taken
in, in order of time; what was given to none begins tracks; and young tracks look for their twins.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cordon.kernel.compiled import compiled, inner
from cordon.picture.tracking import assignment, choosing, grid, journal, labels, life, pairs
from cordon.picture.tracking.assignment import Table
from cordon.picture.tracking.layout import ANONYMOUS, NONE, SIZE, Array, Book, Record


class Desk(NamedTuple):
    """What the loop writes on; kept between calls, because it is as long as the book.

    Attributes:
        table: of the assignment. order: (n,) the moment's reports in order of time.
        cells: of the grid, to look into. work: (4, SIZE) for the filters.
    """

    table: Table
    order: Array
    cells: Array
    work: Array


def desk(rows: int, reports: int) -> Desk:
    """A desk for a book of so many rows and moments of so many reports."""
    return Desk(
        table=assignment.table(rows, reports),
        order=np.zeros(reports, np.int64),
        cells=np.zeros(grid.MOST_CELLS, np.int64),
        work=np.zeros((4, SIZE)),
    )


@compiled
def scan(book: Book, desk: Desk, reports: Array, first: int, last: int) -> int:
    """Take reports into tracks, moment by moment, as long as there is room; set their `track`.

    Args:
        reports: sorted by moment, order of their source, time, key.

    Returns:
        the first report not taken: `last`, or where a moment began that finds no room.
    """
    k = first
    while k < last:
        n = k
        while n < last and reports[n].frame == reports[k].frame:
            n += 1
        if n - k > len(desk.order) or not room(book, n - k):
            break
        frame = reports[k].frame
        journal.begin(book, frame)
        life.advance(book, (frame - 0.5) * book.p[0].frame_s)
        a = k
        while a < n:
            b = a
            while b < n and reports[b].order == reports[a].order:
                choose(book, desk, b - k, reports[b])
                b += 1
            assignment.assign(desk.table, a - k, b - k)
            a = b
        by_time(reports, k, n, desk.order)
        take_in(book, desk, reports, k, n)
        k = n
    return k


@compiled
def advance_to(book: Book, frame: int) -> None:
    """Let time go on to a moment without reports."""
    journal.begin(book, frame)
    life.advance(book, (frame - 0.5) * book.p[0].frame_s)


@inner
def room(book: Book, reports: int) -> bool:
    """Whether the book has room for whatever a moment of so many reports can do."""
    c = book.c[0]
    touched = c.live + reports
    if not c.full and c.free < reports:
        return False
    if c.events + 2 * touched + 3 * reports > len(book.events):
        return False
    return not c.journal or (c.old + touched <= len(book.old) and c.frames < len(book.frames))


@inner
def by_time(reports: Array, first: int, last: int, order: Array) -> None:
    """Number the reports of a moment in order of time, those of one time as they stand (Shell)."""
    n = last - first
    for k in range(n):
        order[k] = k
    gap = n // 2
    while gap > 0:
        for k in range(gap, n):
            one, t, at = order[k], reports[first + order[k]].t, k
            while at >= gap:
                other = order[at - gap]
                if reports[first + other].t < t or (reports[first + other].t == t and other < one):
                    break
                order[at] = other
                at -= gap
            order[at] = one
        gap //= 2


@inner
def choose(book: Book, desk: Desk, q: int, report: Record) -> None:
    """Set the tracks that a report may be of: those of its name alone, if one's gate holds it."""
    b = desk.table
    who, cost = b.who[q], b.cost[q]
    count, within = 0, False
    if book.labels[report.label].sort != ANONYMOUS:
        count, within = choosing.by_name(book, report, who, cost)
    if not within:
        count = choosing.by_place(book, report, who, cost, count, False, desk.cells)
    b.count[q], b.alone[q] = count, book.sensors[report.sensor].new_cost


@inner
def take_in(book: Book, desk: Desk, reports: Array, first: int, last: int) -> None:
    """Take a moment's reports in, in order of time: first those with a track, then the rest."""
    answer, work = desk.table.answer, desk.work
    for q in desk.order[: last - first]:
        if answer[q] != NONE:
            report, s = reports[first + q], answer[q]
            life.hit(book, s, report, work, echoes(book, s, report))
            report.track = book.tracks[s].id
    for q in desk.order[: last - first]:
        if answer[q] != NONE:
            continue
        report = reports[first + q]
        s, again = NONE, False
        if book.labels[report.label].sort != ANONYMOUS:
            s = choosing.repeated(book, report)
            again = s != NONE
        if again:
            book.c[0].doubled += 1
        else:
            s = twin(book, desk, report)
        if s != NONE:
            life.hit(book, s, report, work, again)
        else:
            s = life.bear(book, report)
        answer[q] = s
        report.track = book.tracks[s].id if s != NONE else 0
    for q in desk.order[: last - first]:
        s, report = answer[q], reports[first + q]
        if s != NONE and book.tracks[s].id == report.track and pairs.seeks(book, s, report.t):
            pairs.seek(book, s, report.t, work, desk.cells)


@inner
def twin(book: Book, desk: Desk, report: Record) -> int:
    """A track that another source began at this moment and that the report may be of, or NONE."""
    who, cost = desk.table.who[0], desk.table.cost[0]
    count = choosing.by_place(book, report, who, cost, 0, True, desk.cells)
    best = 0
    for m in range(1, count):
        if choosing.dearer(book, who[best], cost[best], who[m], cost[m]):
            best = m
    return who[best] if count > 0 else NONE


@inner
def echoes(book: Book, s: int, report: Record) -> bool:
    """Whether a report says to the last digit what was just heard under its name."""
    track = book.tracks[s]
    if book.labels[report.label].sort == ANONYMOUS:
        return False
    if report.lat != track.heard_lat or report.lon != track.heard_lon:
        return False
    j = labels.entry_of(track, report.label)
    if j == NONE or report.t - track.last[j] > book.p[0].echo_s:
        return False
    book.c[0].doubled += 1
    return True
