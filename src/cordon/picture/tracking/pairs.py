"""Two tracks of one craft become one: a radar's track under an AIS one, or one under a new MMSI.

Reports go to the track whose gate holds them, so one craft seldom has two. Where it has (its
transponder was switched on, its name changed, two sensors began at once), a track without a
name, or with a young one, is held against its neighbours from time to time. Alike in place and
velocity several times in a row, and told apart by no sensor, they are merged; the older
track's id stays. A track under a new name waits until its partner of the old name has been
silent for so long that it would have spoken.
"""

# mypy: disable-error-code="no-any-return"
# Records of arrays have no types of their own.
from __future__ import annotations

from cordon.kernel.compiled import inner
from cordon.picture.tracking import filters, grid, journal, labels, life
from cordon.picture.tracking.layout import (
    COASTING,
    CONFIRMED,
    EVIDENCE,
    JOINED,
    LEVELS,
    MERGED,
    MODELS,
    NAMED,
    NONE,
    SIZE,
    Array,
    Book,
)
from cordon.picture.tracking.plane import offset


@inner
def seeks(book: Book, s: int, t: float) -> bool:
    """Whether a track is to be held against its neighbours, or waits for a partner, now."""
    track, p = book.tracks[s], book.p[0]
    if track.life != CONFIRMED or track.pair_at > t:
        return False
    if track.partner_times >= p.pair_times:
        return True
    for j in range(EVIDENCE):
        label = track.label[j]
        if label != NONE and label == track.best:
            return t - track.first[j] <= p.pair_young_s
    return True


@inner
def state_at(book: Book, s: int, t: float, out: Array) -> None:
    """A track's state at a moment, both models in one."""
    track = book.tracks[s]
    filters.blend(track, out)
    filters.predict(out, max(t - track.t, 0.0), book.craft[track.kind].straight)


@inner
def unlike(one: Array, two: Array, east: float, north: float, x: Array) -> float:
    """Squared distance of two states in the covariance of both (4 degrees of freedom).

    Args:
        east, north: from the first's place to the second's (m). x: to write in.
    """
    for k in range(4):
        x[k] = one[k] - two[k]
    x[0] -= east
    x[1] -= north
    for k in range(4, SIZE):
        x[k] = one[k] + two[k]
    # the place first, then the velocity given the place: their sum is the distance in all four
    det = x[4] * x[8] - x[5] * x[5]
    i00, i01, i11 = x[8] / det, -x[5] / det, x[4] / det
    w0, w1 = i00 * x[0] + i01 * x[1], i01 * x[0] + i11 * x[1]
    u = x[2] - x[6] * w0 - x[9] * w1
    v = x[3] - x[7] * w0 - x[10] * w1
    uu = x[11] - i00 * x[6] * x[6] - 2.0 * i01 * x[6] * x[9] - i11 * x[9] * x[9]
    vv = x[13] - i00 * x[7] * x[7] - 2.0 * i01 * x[7] * x[10] - i11 * x[10] * x[10]
    uv = x[12] - i00 * x[6] * x[7] - i01 * (x[6] * x[10] + x[7] * x[9]) - i11 * x[9] * x[10]
    rest = max(uu * vv - uv * uv, 1e-12)
    return x[0] * w0 + x[1] * w1 + (vv * u * u - 2.0 * uv * u * v + uu * v * v) / rest


@inner
def seek(book: Book, s: int, t: float, work: Array, cells: Array) -> None:
    """Hold a track against its neighbours, and merge it with the one that it was long alike to."""
    p, track = book.p[0], book.tracks[s]
    journal.save(book, s)
    track.pair_at = t + max(p.pair_every_s, track.usual)
    if track.partner_times < p.pair_times:
        best = nearest(book, s, t, work, cells)
        if best == NONE:
            track.partner = track.partner_times = 0
            return
        if track.partner != book.tracks[best].id:
            track.partner, track.partner_row, track.partner_times = book.tracks[best].id, best, 0
        track.partner_times += 1
        if track.partner_times < p.pair_times:
            return
    other = book.tracks[track.partner_row]
    answer = 2
    if journal.lives(book, track.partner_row) and other.id == track.partner:
        answer = labels.apart(book, s, track.partner_row, t)
    if answer == 0:
        merge(book, s, track.partner_row, t)
    elif answer == 2:
        track.partner = track.partner_times = 0


@inner
def nearest(book: Book, s: int, t: float, work: Array, cells: Array) -> int:
    """The neighbour that is most alike to a track, alike enough to be it, or NONE."""
    p, track, one = book.p[0], book.tracks[s], work[0]
    state_at(book, s, t, one)
    spread = grid.spread(one[4], one[5], one[8])
    if spread > p.pair_error_m:
        return NONE
    best, least = NONE, p.pair_gate
    for level in range(LEVELS):
        if book.c[0].level[level] == 0:
            continue
        some = grid.around(level, track.lat, track.lon, p.gate * spread, cells)
        for q in range(some):
            n = book.grid[grid.bucket(cells[q], len(book.grid))]
            while n >= 0:
                if book.links[n].cell == cells[q] and n != s:
                    d2 = alike(book, s, n, t, one, work)
                    if d2 < least:
                        best, least = n, d2
                n = book.links[n].next
    return best


@inner
def alike(book: Book, s: int, n: int, t: float, one: Array, work: Array) -> float:
    """How far apart two tracks' states are; 1e300 where they cannot be one craft."""
    track, other, two = book.tracks[s], book.tracks[n], work[1]
    if not CONFIRMED <= other.life <= COASTING:
        return 1e300
    if track.kind * other.kind != 0 and track.kind != other.kind:
        return 1e300
    state_at(book, n, t, two)
    if two[4] + two[8] > book.p[0].pair_error_m ** 2:
        return 1e300
    east, north = offset(track.lat, track.lon, other.lat, other.lon)
    d2 = unlike(one, two, east, north, work[2])
    if d2 >= book.p[0].pair_gate or labels.apart(book, s, n, t) == 2:
        return 1e300
    return d2


@inner
def merge(book: Book, a: int, b: int, t: float) -> None:
    """Make one track of two: the older's id, the newer state, the evidence of both."""
    keep, gone = a, b
    one, two = book.tracks[a], book.tracks[b]
    if two.born < one.born or (two.born == one.born and two.id < one.id):
        keep, gone = b, a
    journal.save(book, keep)
    journal.save(book, gone)
    track, other = book.tracks[keep], book.tracks[gone]
    if other.t > track.t:
        track.lat, track.lon, track.t = other.lat, other.lon, other.t
        track.ve, track.vn = other.ve, other.vn
        for m in range(MODELS):
            track.mode[m] = other.mode[m]
            for k in range(SIZE):
                track.state[m, k] = other.state[m, k]
    if track.kind == 0:
        track.kind = other.kind
    track.hits += other.hits
    track.sources[0] |= other.sources[0]
    track.sources[1] |= other.sources[1]
    for j in range(EVIDENCE):
        if other.label[j] != NONE:
            inherit(book, keep, gone, j)
    track.seen = max(track.seen, other.seen)
    track.partner = track.partner_times = 0
    track.life = CONFIRMED
    life.tell(book, JOINED, gone, track.id, t)
    life.end(book, gone, MERGED)
    before = track.best
    if labels.tell(book, keep):
        life.tell(book, NAMED, keep, before, t)
    track.usual = life.rhythm(track)
    life.settle(book, keep)


@inner
def inherit(book: Book, keep: int, gone: int, j: int) -> None:
    """Take the evidence of one label over."""
    track, other, p = book.tracks[keep], book.tracks[gone], book.p[0]
    label = other.label[j]
    k = labels.entry_of(track, label)
    if k != NONE:
        track.first[k] = min(track.first[k], other.first[j])
        if other.last[j] > track.last[k]:
            track.last[k], track.every[k] = other.last[j], other.every[j]
        track.odds[k] = min(track.odds[k] + other.odds[j], p.label_odds_most)
        return
    space = book.labels[label].space
    for m in range(EVIDENCE):
        known = track.label[m]
        # what was heard later of one space outweighs what was heard before
        if known != NONE and book.labels[known].space == space and track.last[m] < other.last[j]:
            track.odds[m] = max(track.odds[m] - other.odds[j], 0.0)
    k = labels.room_for(book, keep)
    track.label[k] = label
    track.first[k], track.last[k] = other.first[j], other.last[j]
    track.every[k], track.odds[k] = other.every[j], other.odds[j]
    labels.link(book, keep, k)
