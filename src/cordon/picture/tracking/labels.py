"""Under which names a track was heard, and which tracks were heard under a name.

A name is evidence and never the key. Each report under a name multiplies its odds for the track
and divides those of every other name of its space (all MMSIs are one space, the numbers of one
radar another), up to a bound, so that a change of name shows after a few reports.
"""

# mypy: disable-error-code="no-any-return"
# Records of arrays have no types of their own.
from __future__ import annotations

import math

from cordon.kernel.compiled import inner
from cordon.picture.tracking.layout import ANONYMOUS, EVIDENCE, NAME, NONE, Book, Record


@inner
def unlink(book: Book, s: int, j: int) -> None:
    """Take one of a track's labels out of the label's chain."""
    tracks, track = book.tracks, book.tracks[s]
    label = track.label[j]
    if label == NONE or book.labels[label].sort == ANONYMOUS:
        return
    before, after = track.label_prev[j], track.label_next[j]
    if before >= 0:
        tracks[before // EVIDENCE].label_next[before % EVIDENCE] = after
    else:
        book.labels[label].head = after
    if after >= 0:
        tracks[after // EVIDENCE].label_prev[after % EVIDENCE] = before


@inner
def link(book: Book, s: int, j: int) -> None:
    """Put one of a track's labels into the label's chain."""
    track = book.tracks[s]
    label = track.label[j]
    if label == NONE or book.labels[label].sort == ANONYMOUS:
        return
    first = book.labels[label].head
    track.label_prev[j], track.label_next[j] = NONE, first
    if first >= 0:
        book.tracks[first // EVIDENCE].label_prev[first % EVIDENCE] = s * EVIDENCE + j
    book.labels[label].head = s * EVIDENCE + j


@inner
def entry_of(track: Record, label: int) -> int:
    """Which of a track's labels this is, or NONE."""
    for j in range(EVIDENCE):
        if track.label[j] == label:
            return j
    return NONE


@inner
def room_for(book: Book, s: int) -> int:
    """An empty place for a label, or that of the one unheard for longest, taken out; names last."""
    track = book.tracks[s]
    found, oldest = 0, 1e300
    for j in range(EVIDENCE):
        if track.label[j] == NONE:
            return j
        # a name weighs as much as an hour of silence of the rest
        age = track.last[j] + (3600.0 if book.labels[track.label[j]].sort == NAME else 0.0)
        if age < oldest:
            found, oldest = j, age
    unlink(book, s, found)
    track.label[found] = NONE
    return found


@inner
def hear(book: Book, s: int, label: int, t: float, sensor: Record) -> bool:
    """Note that a track was heard under a label by a sensor of some kind.

    Returns:
        whether the likeliest name of the track is another now.
    """
    track, p, labels = book.tracks[s], book.p[0], book.labels
    nameless = labels[label].sort == ANONYMOUS
    j = entry_of(track, label)
    if j == NONE:
        j = room_for(book, s)
        track.label[j] = label
        track.first[j] = track.last[j] = t
        track.every[j], track.odds[j] = sensor.revisit, 0.0
        link(book, s, j)
    elif t > track.last[j]:
        gap = max(t - track.last[j], p.least_span_s)
        if nameless and sensor.told > 0.0:
            gap = sensor.revisit  # what a radar misses does not make it turn more slowly
        track.every[j] += 0.25 * (gap - track.every[j])
        track.last[j] = t
    if nameless:
        return False
    track.odds[j] = min(track.odds[j] + p.label_odds, p.label_odds_most)
    for k in range(EVIDENCE):
        other = track.label[k]
        if k != j and other != NONE and labels[other].space == labels[label].space:
            track.odds[k] = max(track.odds[k] - p.label_odds, 0.0)
    return tell(book, s)


@inner
def tell(book: Book, s: int) -> bool:
    """Note the likeliest name of a track; whether it is another now."""
    track = book.tracks[s]
    best, most = NONE, 0.0
    for k in range(EVIDENCE):
        label = track.label[k]
        if label != NONE and book.labels[label].sort == NAME and track.odds[k] > most:
            best, most = label, track.odds[k]
    if best == NONE:
        return False
    changed: bool = best != track.best
    track.best = best
    return changed


@inner
def rests(book: Book, track: Record) -> bool:
    """Whether a track lies still, so that it may speak seldom and has neighbours at its berth."""
    return math.hypot(track.ve, track.vn) < book.p[0].rest_speed_ms


@inner
def speaks(book: Book, track: Record, j: int, t: float) -> bool:
    """Whether a track may still speak under one of its labels: not after three usual intervals."""
    usual = track.every[j]
    if book.labels[track.label[j]].sort == NAME and rests(book, track):
        usual = max(usual, book.p[0].rest_s)
    return t - track.last[j] < 3.0 * usual


@inner
def forbids(book: Book, s: int, label: int, t: float) -> int:
    """Whether a report under a label may be of a track: 0 yes, 1 only as its new label, 2 no.

    Not where the track still speaks under another label of the same space, and not under
    another name where it lies still: craft beside it at the pier come and go.
    """
    track, labels = book.tracks[s], book.labels
    answer = 0
    for j in range(EVIDENCE):
        other = track.label[j]
        if other == NONE:
            continue
        if other == label or labels[other].space != labels[label].space:
            continue
        if speaks(book, track, j, t) or (labels[label].sort == NAME and rests(book, track)):
            return 2
        answer = 1
    return answer


@inner
def apart(book: Book, a: int, b: int, t: float) -> int:
    """Whether two tracks must be taken for two craft at the moment t: 0 no, 1 not yet, 2 yes.

    They are two, where what tells craft apart (a name's space, a radar) heard both in times that
    overlap. It cannot be told yet, where the one that it heard first may still speak again under
    another label.
    """
    one, two, labels = book.tracks[a], book.tracks[b], book.labels
    answer = 0
    for j in range(EVIDENCE):
        if one.label[j] == NONE:
            continue
        for k in range(EVIDENCE):
            if two.label[k] == NONE:
                continue
            if labels[one.label[j]].space != labels[two.label[k]].space:
                continue
            if one.first[j] <= two.last[k] and two.first[k] <= one.last[j]:
                return 2
            if one.label[j] != two.label[k]:
                first_spoke = one.last[j] < two.first[k]
                if speaks(book, one, j, t) if first_spoke else speaks(book, two, k, t):
                    answer = 1
    return answer
