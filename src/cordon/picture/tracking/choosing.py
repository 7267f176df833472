"""Which tracks a report may be of, and what each would cost.

Costs are minus twice the logarithm of a likelihood ratio, so that a track within its gate stands
against a new craft or clutter on one scale (Blackman and Popoli 1999, 6.11): the distance in
its covariance, how wide that is, whether the sensor sees what is there, and what name was told.
"""

# mypy: disable-error-code="no-any-return"
# Records of arrays have no types of their own.
from __future__ import annotations

import math

from cordon.kernel.compiled import inner
from cordon.picture.tracking import filters, grid, labels
from cordon.picture.tracking.layout import (
    ANONYMOUS,
    CHOICES,
    EVIDENCE,
    LEVELS,
    NONE,
    TENTATIVE,
    Array,
    Book,
    Record,
)
from cordon.picture.tracking.plane import offset

_OWN_NAME = 41.0
"""How much cheaper a track is that already bears the name: 2 ln of a thousand million."""
_TENTATIVE = 2.0 * math.log(4.0)
"""How much dearer a tentative track is: three in four of them are clutter."""
_FARTHEST_DEG = 0.2
_NEVER = 1e300
_MOST_ASKED = 2_000
"""Tracks that one report is weighed against: a crowd at one place must not hold up all others."""


@inner
def distance(
    track: Record, report: Record, p: Record, craft: Record
) -> tuple[float, float, float, float]:
    """How far a report lies from a track.

    Returns:
        Mahalanobis distance squared from where it should be; metres from where it was; and of
        those metres, east and north.
    """
    dt = max(report.t - track.t, 0.0)
    e, n, ee, en, nn = filters.foresee(track, dt, p, craft)
    east, north = offset(track.lat, track.lon, report.lat, report.lon)
    ee += report.ee
    en += report.en
    nn += report.nn
    det = ee * nn - en * en
    x, y = east - e, north - n
    d2 = (nn * x * x - 2.0 * en * x * y + ee * y * y) / det
    return d2, math.hypot(east, north), east, north


@inner
def likeness(
    track: Record, report: Record, p: Record, craft: Record, east: float, north: float
) -> float:
    """What a report costs a track by its place and velocity, against a stranger at that place."""
    dt = max(report.t - track.t, 0.0)
    price = filters.surprise(track, dt, p, craft, east, north, report)
    return price + velocity_cost(track, report, p, craft)


@inner
def velocity_cost(track: Record, report: Record, p: Record, craft: Record) -> float:
    """What a told velocity adds to a track's cost: less than nothing where it is the track's own.

    A stranger's may be any that its craft reaches, all alike likely.
    """
    if report.vv <= 0.0:
        return 0.0
    s = filters.swiftness(track, max(report.t - track.t, 0.0), p, craft) + report.vv
    away = (report.ve - track.ve) ** 2 + (report.vn - track.vn) ** 2
    return away / s + 2.0 * math.log(2.0 * s / (craft.reach * craft.reach))


@inner
def reachable(track: Record, report: Record, p: Record, craft: Record, way: float) -> float:
    """How far (m) the craft could have come, if it could have come to the report, else -1.

    Args:
        way: from its last place to the report (m).
    """
    slack = 4.0 * math.sqrt(report.ee + report.nn)
    reach = craft.reach * (abs(report.t - track.t) + p.resolution_s) + slack
    return reach if way <= reach else -1.0


@inner
def offer(book: Book, who: Array, cost: Array, count: int, s: int, price: float) -> int:
    """Put a track among the choices, the cheapest CHOICES of them; how many they are now."""
    if count < CHOICES:
        who[count], cost[count] = s, price
        return count + 1
    dearest = 0
    for m in range(1, CHOICES):
        if dearer(book, who[m], cost[m], who[dearest], cost[dearest]):
            dearest = m
    if dearer(book, who[dearest], cost[dearest], s, price):
        who[dearest], cost[dearest] = s, price
    return count


@inner
def dearer(book: Book, a: int, cost_a: float, b: int, cost_b: float) -> bool:
    """Whether track a costs more than b; at one cost the id tells, which no order changes."""
    if cost_a != cost_b:
        return cost_a > cost_b
    return book.tracks[a].id > book.tracks[b].id


@inner
def by_name(book: Book, report: Record, who: Array, cost: Array) -> tuple[int, bool]:
    """The tracks that bear the report's name and could be there; whether one's gate holds it."""
    p, sensor = book.p[0], book.sensors[report.sensor]
    node, count, within = book.labels[report.label].head, 0, False
    gate = p.gate * p.gate
    while node >= 0:
        s = node // EVIDENCE
        track = book.tracks[s]
        node = track.label_next[node % EVIDENCE]
        craft = book.craft[track.kind]
        d2, way, east, north = distance(track, report, p, craft)
        if d2 <= gate:
            within = True
            price = likeness(track, report, p, craft, east, north)
        else:
            reach = reachable(track, report, p, craft, way)
            if reach < 0.0:
                continue
            # anywhere within its reach, all alike likely
            price = gate + 2.0 * math.log(math.pi * reach * reach)
        price += sensor.hit_cost - _OWN_NAME
        count = offer(book, who, cost, count, s, min(price, sensor.new_cost - 0.01))
    return count, within


@inner
def price_of(book: Book, s: int, report: Record, told: bool) -> float:
    """What it costs that a report is of a track that does not bear its name; _NEVER if too much."""
    track, p = book.tracks[s], book.p[0]
    if track.kind * report.kind != 0 and track.kind != report.kind:
        return _NEVER
    if abs(track.lat - report.lat) > _FARTHEST_DEG:
        return _NEVER
    craft = book.craft[track.kind]
    d2, _, east, north = distance(track, report, p, craft)
    if not d2 <= p.gate * p.gate:
        return _NEVER
    price = likeness(track, report, p, craft, east, north)
    price += book.sensors[report.sensor].hit_cost
    if told:
        if labels.entry_of(track, report.label) != NONE:
            return _NEVER
        answer = labels.forbids(book, s, report.label, report.t)
        if answer == 2:
            return _NEVER
        price += p.renamed_odds if answer == 1 else p.named_odds
    else:
        j = labels.entry_of(track, report.label)
        if j != NONE and report.t - track.last[j] < 0.5 * track.every[j]:
            price += p.early_odds
    if track.life == TENTATIVE:
        price += _TENTATIVE
    return price


@inner
def by_place(
    book: Book,
    report: Record,
    who: Array,
    cost: Array,
    count: int,
    newborn: bool,
    cells: Array,
) -> int:
    """The tracks whose gate holds the report, beside those already chosen; how many they are.

    Args:
        newborn: ask only tracks that another source began at this very moment.
    """
    p = book.p[0]
    most = book.sensors[report.sensor].new_cost
    told = book.labels[report.label].sort != ANONYMOUS
    radius = p.gate * grid.spread(report.ee, report.en, report.nn)
    if radius > p.widest_gate_m:
        return count
    asked = 0
    for level in range(LEVELS):
        if book.c[0].level[level] == 0:
            continue
        some = grid.around(level, report.lat, report.lon, radius, cells)
        for q in range(some):
            s = book.grid[grid.bucket(cells[q], len(book.grid))]
            while s >= 0:
                ask = book.links[s].cell == cells[q]
                if newborn and ask:
                    track = book.tracks[s]
                    ask = track.born_frame == report.frame and track.born_source != report.source
                if ask and asked < _MOST_ASKED:
                    asked += 1
                    price = price_of(book, s, report, told)
                    if price < most:
                        count = offer(book, who, cost, count, s, price)
                s = book.links[s].next
    return count


@inner
def repeated(book: Book, report: Record) -> int:
    """The track of which another report of the same name and moment was taken already, or NONE."""
    p = book.p[0]
    node = book.labels[report.label].head
    found, nearest = NONE, 1e300
    while node >= 0:
        s = node // EVIDENCE
        track = book.tracks[s]
        node = track.label_next[node % EVIDENCE]
        if track.t < report.t - p.frame_s - p.resolution_s:
            continue
        craft = book.craft[track.kind]
        _, way, _, _ = distance(track, report, p, craft)
        if way < nearest and reachable(track, report, p, craft, way) >= 0.0:
            found, nearest = s, way
    return found
