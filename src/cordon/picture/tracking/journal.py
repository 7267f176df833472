"""Tracks as they were before each moment, so that a late report can take moments back."""

# mypy: disable-error-code="no-any-return"
# Records of arrays have no types of their own.
from __future__ import annotations

from cordon.kernel.compiled import compiled, inner
from cordon.picture.tracking import due, grid, labels
from cordon.picture.tracking.layout import COASTING, EVIDENCE, FREE, NONE, TENTATIVE, Book


@inner
def lives(book: Book, s: int) -> bool:
    """Whether a row holds a track that reports may reach."""
    return TENTATIVE <= book.tracks[s].life <= COASTING


@inner
def take_up(book: Book, s: int, cell: int) -> None:
    """Let reports reach a track: by its cell (unless NONE), its labels and its due second."""
    if cell != NONE:
        grid.put_in(book, s, cell, book.tracks[s].level)
    for j in range(EVIDENCE):
        labels.link(book, s, j)
    due.remind(book, s)
    book.c[0].live += 1


@inner
def put_away(book: Book, s: int) -> None:
    """Let no report reach a track any more."""
    grid.take_out(book, s)
    for j in range(EVIDENCE):
        labels.unlink(book, s, j)
    due.forget(book, s)
    book.c[0].live -= 1


@inner
def begin(book: Book, frame: int) -> None:
    """Begin a moment."""
    c = book.c[0]
    c.serial += 1
    if c.journal:
        note = book.frames[c.frames]
        note.frame, note.before, note.old, note.events = frame, c.frame, c.old, c.events
        note.due, note.doubled, note.crowded = c.due, c.doubled, c.crowded
        c.frames += 1
    c.frame = frame


@inner
def save(book: Book, s: int) -> None:
    """Keep a track as it is before this moment changes it."""
    c, track = book.c[0], book.tracks[s]
    if track.saved == c.serial:
        return
    if c.journal:
        book.old[c.old] = track
        book.old_row[c.old] = s
        c.old += 1
    track.saved = c.serial


@compiled
def roll_back(book: Book, frame: int) -> None:
    """Undo the moments from `frame` on, the last first."""
    c = book.c[0]
    while c.frames > 0 and book.frames[c.frames - 1].frame >= frame:
        note = book.frames[c.frames - 1]
        # the ring of due tracks first: what is put back must find its place in it
        c.due = note.due
        for k in range(c.old - 1, note.old - 1, -1):
            _put_back(book, book.old_row[k], k)
        c.old, c.events = note.old, note.events
        c.doubled, c.crowded = note.doubled, note.crowded
        c.frame = note.before
        c.frames -= 1


@inner
def _put_back(book: Book, s: int, k: int) -> None:
    c = book.c[0]
    if lives(book, s):
        put_away(book, s)
    book.tracks[s] = book.old[k]
    track = book.tracks[s]
    if lives(book, s):
        # its old neighbours in cell and ring may be gone: it is put in anew
        cell = track.cell
        track.cell = book.links[s].due_cell = NONE
        take_up(book, s, cell)
    elif track.life == FREE:
        book.free[c.free] = s
        c.free += 1
