"""When a track must be looked at although nobody hears of it: a ring of seconds."""

from __future__ import annotations

import math

from cordon.kernel.compiled import inner
from cordon.picture.tracking.layout import DUE_CELLS, NONE, Book


@inner
def forget(book: Book, s: int) -> None:
    """Take a track out of the ring, if it stands there."""
    tracks, track = book.tracks, book.tracks[s]
    if track.due_cell == NONE:
        return
    before, after = track.due_prev, track.due_next
    if before >= 0:
        tracks[before].due_next = after
    else:
        book.due[track.due_cell] = after
    if after >= 0:
        tracks[after].due_prev = before
    track.due_cell = NONE


@inner
def remind(book: Book, s: int) -> None:
    """Put a track into the ring at its due second; what is farther off is looked at each round."""
    forget(book, s)
    track, now = book.tracks[s], book.c[0].due
    second = math.floor(track.due) + 1 if track.due < now + DUE_CELLS else now + DUE_CELLS
    cell = min(max(second, now + 1), now + DUE_CELLS - 1) % DUE_CELLS
    first = book.due[cell]
    track.due_prev, track.due_next, track.due_cell = NONE, first, cell
    if first >= 0:
        book.tracks[first].due_prev = s
    book.due[cell] = s
