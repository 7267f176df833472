"""Which tracks could be near a place: a grid of cells on the globe, three sizes of them.

A track stands in the cell of where it will be half-way through the time for which that holds,
at the size of cell that its gate and its way cover no more of than one cell. So a plot looks
into the cells around it at each size, whatever the number of tracks; and a track that nobody
hears of is put anew after twice the time as before, until its gate is too wide to be of use.
A tree would have to be built anew at each moment from all tracks; this changes with what is heard.
"""

from __future__ import annotations

import math

from cordon.kernel.compiled import compiled, inner
from cordon.picture.tracking.filters import foresee
from cordon.picture.tracking.layout import LEVELS, NONE, Array, Book
from cordon.picture.tracking.plane import RADIAN, moved

MOST_CELLS = 1_500
"""Cells that a plot looks into at most: more than a gate of the widest covers of the smallest."""
HALVES = 8
"""Times that a span is tried at, each half as long, before a track stands nowhere."""
DEGREE_M = 110_500.0
"""Metres of a degree of latitude, rather too few: then a cell holds rather more."""
_SMALLEST_M = 256.0
_TIMES = 4.0


@compiled
def side(level: int) -> float:
    """The side (m) of a level's cells."""
    s = _SMALLEST_M
    for _ in range(level):
        s *= _TIMES
    return s


@compiled
def columns(row: int, size: float) -> int:
    """Cells of a row around the globe; each is at least `size` wide, also at its narrow edge."""
    south = abs(row * size / DEGREE_M - 90.0)
    north = abs((row + 1) * size / DEGREE_M - 90.0)
    c = math.cos(min(max(south, north), 90.0) * RADIAN)
    return max(1, int(360.0 * DEGREE_M * c / size))


@compiled
def cell_of(level: int, lat: float, lon: float) -> int:
    """The number of the cell in which a place lies."""
    size = side(level)
    row = int((lat + 90.0) * DEGREE_M / size)
    n = columns(row, size)
    column = min(int((lon + 180.0) / 360.0 * n), n - 1)
    return (level << 42) | (row << 21) | column


@inner
def bucket(cell: int, buckets: int) -> int:
    """Where a cell's chain begins; `buckets` is a power of two (Fibonacci hashing, Knuth 6.4)."""
    x = cell * 0x9E3779B97F4A7C1
    return (x ^ (x >> 29)) & (buckets - 1)


@inner
def take_out(book: Book, s: int) -> None:
    """Take a track out of the grid, if it stands there."""
    links, track = book.links, book.tracks[s]
    if track.cell == NONE:
        return
    before, after = links[s].prev, links[s].next
    if before >= 0:
        links[before].next = after
    else:
        book.grid[bucket(track.cell, len(book.grid))] = after
    if after >= 0:
        links[after].prev = before
    track.cell = links[s].cell = NONE
    book.c[0].level[track.level] -= 1


@inner
def put_in(book: Book, s: int, cell: int, level: int) -> None:
    """Put a track into a cell."""
    track, link = book.tracks[s], book.links[s]
    b = bucket(cell, len(book.grid))
    first = book.grid[b]
    link.prev, link.next = NONE, first
    if first >= 0:
        book.links[first].prev = s
    book.grid[b] = s
    track.cell, track.level = cell, level
    link.cell = cell
    book.c[0].level[level] += 1


@inner
def spread(ee: float, en: float, nn: float) -> float:
    """The greatest standard deviation (m) of a covariance, whichever way it lies."""
    return math.sqrt(0.5 * (ee + nn) + math.hypot(0.5 * (ee - nn), en))


@inner
def place(book: Book, s: int, t: float, span: float) -> None:
    """Put a track where plots from t to t + span may find it, or nowhere if its gate is too wide.

    Where the gate is too wide for the whole span, it is for half of it, or a quarter, and so on.
    """
    track, p = book.tracks[s], book.p[0]
    take_out(book, s)
    track.valid = 1e300
    for _ in range(HALVES):
        e, n, ee, en, nn = foresee(track, t + span - track.t, p, book.craft[track.kind])
        half = 0.5 * span
        reach = math.hypot(track.ve, track.vn) * half + p.gate * spread(ee, en, nn)
        if reach <= p.widest_gate_m:
            track.valid = t + span
            level = 0
            while side(level) < reach and level < LEVELS - 1:
                level += 1
            lat, lon, _ = moved(track.lat, track.lon, e - track.ve * half, n - track.vn * half)
            put_in(book, s, cell_of(level, lat, lon), level)
            return
        span = half


@compiled
def around(level: int, lat: float, lon: float, radius: float, cells: Array) -> int:
    """The cells in which a track may stand whose gate holds a plot; how many they are.

    Args:
        radius: of the plot's own gate (m). cells: to write in; what finds no room is left out.
    """
    size = side(level)
    reach = (size + radius) / DEGREE_M
    first = int(max(lat - reach + 90.0, 0.0) * DEGREE_M / size)
    last = int(min(lat + reach + 90.0, 180.0) * DEGREE_M / size)
    found = 0
    for row in range(first, last + 1):
        n = columns(row, size)
        width = 360.0 / n
        high = max(abs(row * size / DEGREE_M - 90.0), abs((row + 1) * size / DEGREE_M - 90.0))
        c = math.cos(min(high, 90.0) * RADIAN)
        wide = min(reach / max(c, 1e-6), 180.0)
        low = math.floor((lon + 180.0 - wide) / width)
        high_column = math.floor((lon + 180.0 + wide) / width)
        if high_column - low >= n:
            low, high_column = 0, n - 1
        for column in range(low, high_column + 1):
            if found == len(cells):
                return found
            cells[found] = (level << 42) | (row << 21) | (column % n)
            found += 1
    return found
