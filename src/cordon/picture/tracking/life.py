"""The life of a track: tentative, confirmed, coasting, ended.

A track begins tentative with one report. It is confirmed when the M-th report comes within the
time of N looks of its sensor (M and N by kind of sensor; a craft that tells its own name needs two,
whenever they come), coasts when it was silent for some of its usual intervals, and ends after
more of them, or, where it is known by name, after hours, so that it is still itself when it
speaks again.
"""

# mypy: disable-error-code="no-any-return"
# Records of arrays have no types of their own.
from __future__ import annotations

import math

from cordon.kernel.compiled import compiled, inner
from cordon.picture.tracking import choosing, due, filters, grid, journal, labels
from cordon.picture.tracking.layout import (
    ANONYMOUS,
    BORN,
    COASTED,
    COASTING,
    CONFIRMED,
    DIED,
    DUE_CELLS,
    ENDED,
    EVIDENCE,
    FREE,
    GREW,
    NAME,
    NAMED,
    NONE,
    TENTATIVE,
    Array,
    Book,
    Record,
)

MOST_OF_A_NAME = 10
"""Living tracks under one name: with more, the one longest unheard gives way (gpsdio-segment)."""


@inner
def tell(book: Book, what: int, s: int, other: int, t: float) -> None:
    """Note an event."""
    c = book.c[0]
    event = book.events[c.events]
    event.t, event.what, event.other = t, what, other
    event.track, event.row = book.tracks[s].id, s
    c.events += 1


@inner
def end(book: Book, s: int, life: int) -> None:
    """End a track; its row is free once no late report can matter."""
    journal.save(book, s)
    journal.put_away(book, s)
    book.tracks[s].life = life
    if not book.c[0].journal:
        free(book, s)


@compiled
def free(book: Book, s: int) -> None:
    """Let a row be used again."""
    c = book.c[0]
    book.tracks[s].life = FREE
    book.free[c.free] = s
    c.free += 1


@inner
def rhythm(track: Record) -> float:
    """The longest usual interval (s) among those that still speak of a track."""
    longest, shortest = 0.0, 1e300
    for j in range(EVIDENCE):
        if track.label[j] != NONE:
            shortest = min(shortest, track.every[j])
            if track.seen - track.last[j] <= 3.0 * track.every[j]:
                longest = max(longest, track.every[j])
    return longest if longest > 0.0 else shortest


@inner
def lasts(book: Book, s: int) -> float:
    """The moment at which a track ends if nothing more is heard of it."""
    track, p = book.tracks[s], book.p[0]
    for j in range(EVIDENCE):
        label = track.label[j]
        if label != NONE and book.labels[label].sort == NAME:
            return track.seen + max(p.keep_named_s, p.misses_to_end * track.usual)
    if track.life == TENTATIVE:
        # as many misses in a row as leave M of N out of reach, and N looks in all
        sensor = book.sensors[track.sensor]
        misses = (sensor.of - sensor.hits + 1.5) * track.usual
        return min(track.seen + misses, track.born + (sensor.of - 0.5) * track.usual)
    return track.seen + p.misses_to_end * track.usual


@inner
def remind(book: Book, s: int) -> None:
    """Set when a track must next be looked at."""
    track = book.tracks[s]
    track.due = min(track.valid, lasts(book, s))
    if track.life == CONFIRMED:
        track.due = min(track.due, track.seen + book.p[0].misses_to_coast * track.usual)
    due.remind(book, s)


@inner
def look(book: Book, s: int, t: float) -> None:
    """See to a track whose time has come by the moment t."""
    track = book.tracks[s]
    over = lasts(book, s)
    if over <= t:
        tell(book, DIED, s, 0, over)
        end(book, s, ENDED)
        return
    journal.save(book, s)
    quiet = track.seen + book.p[0].misses_to_coast * track.usual
    if track.life == CONFIRMED and quiet <= t:
        track.life = COASTING
        tell(book, COASTED, s, 0, quiet)
    if track.valid <= t:
        grid.place(book, s, t, 2.0 * max(track.valid - track.t, 1.0))
    remind(book, s)


@inner
def advance(book: Book, t: float) -> None:
    """See to all tracks whose time comes up to the moment t."""
    c = book.c[0]
    now, since = math.floor(t), c.due
    if now <= since:
        return
    since = max(since, now - DUE_CELLS)
    c.due = now
    for second in range(since + 1, now + 1):
        s = book.due[second % DUE_CELLS]
        while s >= 0:
            after = book.links[s].due_next
            if book.tracks[s].due <= t:
                look(book, s, t)
            else:
                due.remind(book, s)
            s = after


@inner
def hit(book: Book, s: int, report: Record, work: Array, again: bool) -> None:
    """Take a report into a track.

    Args:
        again: the report repeats what another said: it counts as heard and moves nothing.
    """
    journal.save(book, s)
    track, p = book.tracks[s], book.p[0]
    if not again:
        if track.kind == 0:
            track.kind = report.kind
        craft = book.craft[track.kind]
        d2, way, _, _ = choosing.distance(track, report, p, craft)
        if d2 > p.gate * p.gate and report.t - track.t >= p.frame_s:
            # known by its name beyond its gate: its filters, which did not foresee it, begin anew
            speed = max(way / max(report.t - track.t, 1.0), 1.0)
            filters.begin(track, report, p, min(speed, craft.birth_speed))
        else:
            filters.update(track, report, p, craft, work)
        track.hits += 1
        track.heard_lat, track.heard_lon = report.lat, report.lon
    note(book, s, report)


@inner
def note(book: Book, s: int, report: Record) -> None:
    """Note who heard a track, when and as what, and what that makes of it."""
    track = book.tracks[s]
    sensor = book.sensors[report.sensor]
    track.seen = max(track.seen, report.t)
    bit = min(report.source, 127)
    track.sources[bit // 64] |= 1 << (bit % 64)
    before = track.best
    if labels.hear(book, s, report.label, report.t, sensor):
        tell(book, NAMED, s, before, report.t)
    track.usual = rhythm(track)
    if track.life == COASTING:
        track.life = CONFIRMED
    elif track.life == TENTATIVE and track.hits >= sensor.hits:
        track.life = CONFIRMED
        track.pair_at = report.t
        tell(book, GREW, s, 0, report.t)
    settle(book, s)


@inner
def settle(book: Book, s: int) -> None:
    """Put a track where the next reports will look for it."""
    track = book.tracks[s]
    grid.place(book, s, track.t, max(2.0 * track.usual, 4.0))
    remind(book, s)


@inner
def crowd(book: Book, label: int, t: float) -> None:
    """Make room under a name that too many tracks bear."""
    tracks = book.tracks
    node, n, oldest = book.labels[label].head, 0, NONE
    while node >= 0:
        s = node // EVIDENCE
        n += 1
        if (
            oldest == NONE
            or tracks[s].seen < tracks[oldest].seen
            or (tracks[s].seen == tracks[oldest].seen and tracks[s].id < tracks[oldest].id)
        ):
            oldest = s
        node = tracks[s].label_next[node % EVIDENCE]
    if n >= MOST_OF_A_NAME:
        tell(book, DIED, oldest, 0, t)
        end(book, oldest, ENDED)


@inner
def bear(book: Book, report: Record) -> int:
    """Begin a track with a report; its row, or NONE where there is no room."""
    c = book.c[0]
    if book.labels[report.label].sort != ANONYMOUS:
        crowd(book, report.label, report.t)
    if c.free == 0:
        c.crowded += 1
        return NONE
    c.free -= 1
    s = book.free[c.free]
    journal.save(book, s)
    track = book.tracks[s]
    track.id, track.life, track.hits = report.key, TENTATIVE, 1
    track.kind, track.sensor = report.kind, report.sensor
    track.born_frame, track.born_source = report.frame, report.source
    track.born = track.seen = report.t
    track.heard_lat, track.heard_lon = report.lat, report.lon
    track.partner = track.partner_times = 0
    track.pair_at = 0.0
    track.sources[0] = track.sources[1] = 0
    track.cell = track.best = NONE
    book.links[s].cell = book.links[s].due_cell = NONE
    for j in range(EVIDENCE):
        track.label[j] = NONE
    filters.begin(track, report, book.p[0], book.craft[track.kind].birth_speed)
    c.live += 1
    tell(book, BORN, s, 0, report.t)
    note(book, s, report)
    return s
