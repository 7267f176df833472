"""Room for tracks: a book is made, grows by doubling, and forgets what is settled."""

from __future__ import annotations

from bisect import bisect_left
from typing import Any

import numpy as np

from cordon.kernel.compiled import compiled
from cordon.picture.tracking import grid, life
from cordon.picture.tracking.journal import lives
from cordon.picture.tracking.layout import (
    COUNTS,
    DIED,
    DUE_CELLS,
    EVENT,
    FRAME,
    FREE,
    JOINED,
    LABEL,
    LINK,
    NAMED,
    NONE,
    TRACK,
    Array,
    Book,
)
from cordon.picture.tracking.tuning import Tuning

NEVER = -(1 << 62)


def empty_book(tuning: Tuning, *, rows: int = 64, journal: bool = True) -> Book:
    """A book that holds no track and has room for some.

    Args:
        journal: whether moments may be taken back.
    """
    c = np.zeros(1, COUNTS)
    c["free"], c["journal"] = rows, journal
    c["frame"] = c["due"] = NEVER
    old = 256 if journal else 0
    return Book(
        tracks=np.zeros(rows, TRACK),
        links=np.zeros(rows, LINK),
        free=np.arange(rows)[::-1].copy(),
        grid=np.full(1024, NONE),
        due=np.full(DUE_CELLS, NONE),
        labels=np.zeros(0, LABEL),
        p=tuning.p,
        c=c,
        craft=tuning.craft,
        sensors=tuning.sensors,
        events=np.zeros(256, EVENT),
        old=np.zeros(old, TRACK),
        old_row=np.zeros(old, np.int64),
        frames=np.zeros(64, FRAME),
    )


def counts(book: Book) -> Any:
    """The counters of a book as one record, by name."""
    return book.c[0]


def with_labels(book: Book, space: list[int], sort: list[int]) -> Book:
    """The book with all labels and what is known of each."""
    have, known = len(book.labels), int(counts(book)["labels"])
    if len(space) > have:
        labels = _longer(book.labels, max(len(space), 2 * have, 64))
        labels["head"][have:] = NONE
        book = book._replace(labels=labels)
    book.labels["space"][known : len(space)] = space[known:]
    book.labels["sort"][known : len(space)] = sort[known:]
    book.c["labels"] = len(space)
    return book


def labels_in(book: Book) -> Array:
    """The labels that tracks, what they were before, and events speak of."""
    c = counts(book)
    old, events = book.old[: c["old"]], book.events[c["settled_events"] : c["events"]]
    living = book.tracks[book.tracks["life"] != FREE]
    found = [t[name].ravel() for t in (living, old) for name in ("label", "best")]
    found.append(events["other"][events["what"] == NAMED])
    used = np.unique(np.concatenate(found))
    return used[used != NONE]


def relabelled(book: Book, new: Array, space: list[int], sort: list[int]) -> Book:
    """The book with the new code of each old label (NONE for what is forgotten)."""
    c = counts(book)
    labels = np.zeros(max(2 * len(space), 64), LABEL)
    labels["head"] = NONE
    kept = np.flatnonzero(new != NONE)
    labels["head"][new[kept]] = book.labels["head"][kept]
    new = np.append(new, NONE)  # its last place, so that NONE stays none
    for tracks in (book.tracks, book.old[: c["old"]]):
        tracks["label"] = new[tracks["label"]]
        tracks["best"] = new[tracks["best"]]
    events = book.events[c["settled_events"] : c["events"]]
    named = events["what"] == NAMED
    events["other"][named] = new[events["other"][named]]
    book.c["labels"] = 0
    return with_labels(book._replace(labels=labels), space, sort)


def with_room(book: Book, reports: int, most: int) -> Book:
    """The book with room for a moment of so many reports; see `scanning.room`.

    Args:
        most: rows that it may have.
    """
    c = counts(book)
    if not c["full"] and c["free"] < reports:
        book = _more_rows(book, reports, most)
    touched = int(c["live"]) + reports
    events = int(c["events"]) + 2 * touched + 3 * reports
    if events > len(book.events):
        book = book._replace(events=_longer(book.events, max(events, 2 * len(book.events))))
    if c["journal"]:
        rows = int(c["old"]) + touched
        if rows > len(book.old):
            rows = max(rows, 2 * len(book.old))
            book = book._replace(old=_longer(book.old, rows), old_row=_longer(book.old_row, rows))
        if c["frames"] >= len(book.frames):
            book = book._replace(frames=_longer(book.frames, 2 * len(book.frames)))
    return book


def _more_rows(book: Book, reports: int, most: int) -> Book:
    c, have = counts(book), len(book.tracks)
    rows = min(max(2 * have, have + reports), most)
    if rows <= have:
        book.c["full"] = 1
        return book
    # the new rows lie below those that were free: which row a track stands in changes nothing
    free = np.zeros(rows, np.int64)
    new, were = rows - have, int(c["free"])
    free[:new] = np.arange(have, rows)[::-1]
    free[new : new + were] = book.free[:were]
    book.c["free"] += new
    book.c["full"] = rows == most
    buckets = len(book.grid)
    while buckets < 2 * rows:
        buckets *= 2
    tracks, links = _longer(book.tracks, rows), _longer(book.links, rows)
    book = book._replace(tracks=tracks, links=links, free=free, grid=np.full(buckets, NONE))
    book.c["level"] = 0
    _regrid(book)
    return book


@compiled
def _regrid(book: Book) -> None:
    for s in range(len(book.tracks)):
        track = book.tracks[s]
        if lives(book, s) and track.cell != NONE:
            grid.put_in(book, s, track.cell, track.level)


def _longer(array: Array, rows: int) -> Array:
    longer = np.zeros(rows, array.dtype)
    longer[: len(array)] = array
    return longer


def settle(book: Book, frame: int) -> Array:
    """Never again undo the moments before `frame`; their events, as EVENT."""
    c = counts(book)
    n = bisect_left(book.frames["frame"], frame, int(c["settled_frames"]), int(c["frames"]))
    last = n == c["frames"]
    old = int(c["old"] if last else book.frames["old"][n])
    events_n = int(c["events"] if last else book.frames["events"][n])
    events = book.events[int(c["settled_events"]) : events_n].copy()
    book.c["settled_frames"], book.c["settled_events"] = n, events_n
    for row in events["row"][(events["what"] == DIED) | (events["what"] == JOINED)]:
        life.free(book, row)
    # what is settled is let go when it is the greater part, so that each is moved once or so
    if n > 64 and 2 * n > c["frames"]:
        _drop(book.events, events_n, int(c["events"]))
        _drop(book.old, old, int(c["old"]))
        _drop(book.old_row, old, int(c["old"]))
        _drop(book.frames, n, int(c["frames"]))
        book.frames["old"] -= old
        book.frames["events"] -= events_n
        for name, gone in (("events", events_n), ("old", old), ("frames", n)):
            book.c[name] -= gone
        book.c["settled_frames"] = book.c["settled_events"] = 0
    return events


def drained(book: Book) -> Array:
    """All events so far, taken out; where no moment is ever undone."""
    events = book.events[: counts(book)["events"]].copy()
    book.c["events"] = 0
    return events


def _drop(array: Array, n: int, used: int) -> None:
    array[: used - n] = array[n:used].copy()
