"""When a track must be looked at although nobody hears of it: a ring of seconds."""

from __future__ import annotations

import math

from cordon.kernel.compiled import inner
from cordon.picture.tracking.layout import DUE_CELLS, NONE, Book


@inner
def forget(book: Book, s: int) -> None:
    """Take a track out of the ring, if it stands there."""
    links, link = book.links, book.links[s]
    if link.due_cell == NONE:
        return
    before, after = link.due_prev, link.due_next
    if before >= 0:
        links[before].due_next = after
    else:
        book.due[link.due_cell] = after
    if after >= 0:
        links[after].due_prev = before
    link.due_cell = NONE


@inner
def remind(book: Book, s: int) -> None:
    """Put a track into the ring at its due second; what is farther off is looked at each round."""
    forget(book, s)
    due, link, now = book.tracks[s].due, book.links[s], book.c[0].due
    second = math.floor(due) + 1 if due < now + DUE_CELLS else now + DUE_CELLS
    cell = min(max(second, now + 1), now + DUE_CELLS - 1) % DUE_CELLS
    first = book.due[cell]
    link.due_prev, link.due_next, link.due_cell = NONE, first, cell
    if first >= 0:
        book.links[first].due_prev = s
    book.due[cell] = s
