"""Passages of movers over border lines, from clearly one side to clearly the other.

A mover beside the line jitters over it by the error of its positions. So a passage is told only
between two fixes that lie farther from the line than that error: what happens between them adds
up to one passage, or to none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cordon.kernel.geo import distance_m
from cordon.kernel.units import MS_PER_KNOT
from cordon.picture import zones as geometry
from cordon.picture.model import KINDS, Zone
from cordon.picture.shared.crafts import crafts_of
from cordon.picture.shared.doubles import same_hull_of
from cordon.picture.shared.hulls import Hulls, fliers_of, hulls_of, movers_of
from cordon.picture.shared.sameparty import parties
from cordon.picture.shared.sun import is_night
from cordon.picture.tracks import Bools, Floats, Ints, Tracks
from cordon.picture.zonegrid import Crossings, ZoneGrid, grid_of

_VESSEL = KINDS.index("vessel")
_SEARCH = 64  # fixes looked at together for one that is clear of the line
_AROUND = 6  # fixes on either side that tell how far positions scatter
_DAY_S = 86_400.0
_SPEED_STEPS = 40  # steps on either side that tell how fast a mover goes


@dataclass(frozen=True, slots=True)
class Passage:
    """One mover's passage over one line.

    Attributes:
        zone: the border. subject: index into the tracks' subjects.
        sign: 1 from the line's left to its right as it is drawn, -1 the other way; of an area,
            1 out of it.
        t, lat, lon: when (s) and where its way first met the line.
        clear: when it was first heard clearly beyond.
        before, after: entries of the hulls: the clear fixes on either side.
        step: the entry from which the way over the line leads to the next one; of several, the
            longest in time. silence_s: that time; way_m: that way's length.
        swing_m: so far from the line a fix must lie to be clear of it.
        touches: how often its way met the line.
    """

    zone: Zone
    subject: int
    sign: int
    t: float
    lat: float
    lon: float
    clear: float
    before: int
    after: int
    step: int
    silence_s: float
    way_m: float
    swing_m: float
    touches: int


def is_border(zone: Zone) -> bool:
    """Whether movers over the zone's line, or outline, are looked at."""
    return zone.kind == "border"


def passages(
    tracks: Tracks, borders: Sequence[Zone], values: Sequence[Mapping[str, float]], *, flying: bool
) -> tuple[Passage, ...]:
    """Passages over lines, by time; computed once for the same tracks, lines and values.

    Args:
        values: of each line `least_swing_m`, `most_swing_m` (how far from the line is clearly
            beside it, at least and at most) and `longest_min` (over a longer silence no way is
            believed).
        flying: of who flies; else of who does not. Own units and sensors have no passages.
    """
    groups: dict[tuple[float, ...], list[Zone]] = {}
    for border, own in zip(borders, values, strict=True):
        asked = tuple(own[k] for k in ("least_swing_m", "most_swing_m", "longest_min"))
        groups.setdefault(asked, []).append(border)
    found: list[Passage] = []
    for asked, some in groups.items() if len(tracks) else ():
        grid = grid_of(some)

        def make(
            grid: ZoneGrid = grid, some: list[Zone] = some, asked: tuple[float, ...] = asked
        ) -> tuple[Passage, ...]:
            return tuple(_passages(tracks, grid, some, asked, flying=flying))

        found += tracks.once(("crossings", grid, flying, *asked), make)
    return tuple(sorted(found, key=lambda p: (p.t, p.subject, p.zone.id)))


def _passages(
    tracks: Tracks,
    grid: ZoneGrid,
    borders: Sequence[Zone],
    asked: tuple[float, ...],
    *,
    flying: bool,
) -> Iterator[Passage]:
    least, most, longest = asked
    h = hulls_of(tracks)
    counted = movers_of(tracks) & (fliers_of(tracks) == flying)
    way = h.linked & counted[h.subject]
    way[:-1] &= np.diff(h.t) <= longest * 60
    way_at = np.flatnonzero(way)
    met = grid.crossings(h.lat, h.lon, way_at, way_at + 1)
    if not len(met.way):
        return
    entry = way_at[met.way]
    # one group for each line and hull, in order of the way
    new = np.flatnonzero((np.diff(met.zone) != 0) | (np.diff(h.hull[entry]) != 0)) + 1
    for some in np.split(np.arange(len(entry)), new):
        line = int(met.zone[some[0]])
        swing = _swing(tracks, h, entry[some], least, most)
        yield from _of_hull(grid, borders[line], line, h, entry[some], met, some, swing)


def _swing(tracks: Tracks, h: Hulls, entry: Ints, least: float, most: float) -> float:
    """How far (m) from a line a hull's fix must lie to be clearly on one side of it.

    Twice the accuracy that it tells, and three times by how much its fixes there lie beside the
    straight way between their neighbours, which no mover's true way does as a rule.
    """
    hull = h.hull[entry[0]]
    low = max(int(h.starts[hull]), int(entry[0]) - _AROUND)
    high = min(int(h.starts[hull + 1]), int(entry[-1]) + 2 + _AROUND)
    some = np.arange(low, high)
    told = tracks.accuracy[h.fix[some]]
    if np.isfinite(told).any():
        return float(np.clip(2.0 * np.nanmedian(told), least, most))
    if len(some) < 5:
        return least
    t, lat, lon = h.t[some], h.lat[some], h.lon[some]
    span = np.maximum(t[2:] - t[:-2], 1e-3)
    share = (t[1:-1] - t[:-2]) / span
    east = np.mod(lon - lon[0] + 540.0, 360.0)
    beside = distance_m(
        lat[1:-1],
        east[1:-1],
        lat[:-2] + share * (lat[2:] - lat[:-2]),
        east[:-2] + share * (east[2:] - east[:-2]),
    )
    return float(np.clip(3.0 * np.median(beside), least, most))


def _of_hull(
    grid: ZoneGrid,
    zone: Zone,
    line: int,
    h: Hulls,
    entry: Ints,
    met: Crossings,
    some: Ints,
    swing: float,
) -> Iterator[Passage]:
    """Passages of one hull over one line, from the ways (by entry) that meet it.

    Args:
        some: places of these in `met`, in order of the way.
    """
    hull = int(h.hull[entry[0]])
    first, last = int(h.starts[hull]), int(h.starts[hull + 1])

    def clear(low: int, high: int, step: int) -> int:
        """The first entry clear of the line, from low to high in steps of 1 or -1; or -1."""
        for begin in range(low, high, step * _SEARCH):
            end = min(begin + _SEARCH, high) if step > 0 else max(begin - _SEARCH, high)
            block = np.arange(begin, end, step)
            far = grid.distance(line, h.lat[block], h.lon[block], swing) > swing
            if far.any():
                return int(block[np.argmax(far)])
        return -1

    begin = 0
    before = clear(int(entry[0]), first - 1, -1)
    for n in range(len(entry)):
        until = int(entry[n + 1]) + 1 if n + 1 < len(entry) else last
        after = clear(int(entry[n]) + 1, until, 1)
        if after < 0:
            continue
        run = slice(begin, n + 1)
        net = int(met.sign[some[run]].sum())
        if net and before >= 0:
            k, m = int(entry[begin]), int(some[begin])
            worst = entry[run][np.argmax(h.t[entry[run] + 1] - h.t[entry[run]])]
            yield Passage(
                zone,
                int(h.subject[k]),
                1 if net > 0 else -1,
                float(h.t[k] + met.along[m] * (h.t[k + 1] - h.t[k])),
                float(met.lat[m]),
                float(met.lon[m]),
                float(h.t[after]),
                before,
                after,
                int(worst),
                float(h.t[worst + 1] - h.t[worst]),
                float(distance_m(h.lat[worst], h.lon[worst], h.lat[worst + 1], h.lon[worst + 1])),
                swing,
                n + 1 - begin,
            )
        # the last clear fix before the next touch
        begin = n + 1
        if begin < len(entry):
            before = clear(int(entry[begin]), int(entry[n]), -1)


@dataclass(frozen=True, slots=True)
class Official:
    """For each of some passages: whether it may have gone an official way; how far that lies.

    It may where the place lies by a crossing, or, at sea, within a lane; or where the two reports
    around the passage leave time to have gone round by a crossing, at the speed that it goes.
    """

    may: Bools
    nearest_m: Floats


def official_of(
    tracks: Tracks, some: Sequence[Passage], zones: Sequence[Zone], values: Mapping[str, float]
) -> Official:
    """How passages stand to zones of kind official_crossing and lane.

    Args:
        values: `official_near_m`, `lane_near_m`: so near to one a passage goes by it.
    """
    h = hulls_of(tracks)
    lat, lon = np.array([p.lat for p in some]), np.array([p.lon for p in some])
    step = np.array([p.step for p in some], dtype=np.int64)
    reach = np.array([_speed(h, p) * max(p.silence_s, 1.0) for p in some])
    # on land a lane is a road, which may lead over the line far from any gate; a radar does not
    # say what it sees
    subject = np.array([p.subject for p in some], dtype=np.int64)
    sails = crafts_of(tracks).kind[subject] == _VESSEL
    may = np.zeros(len(some), dtype=np.bool_)
    nearest = np.full(len(some), np.inf)
    for zone in zones if some else ():
        if zone.kind == "lane":
            may |= sails & (geometry.distance_to(zone, lat, lon) <= values["lane_near_m"])
        elif zone.kind == "official_crossing":
            nearest = np.minimum(nearest, geometry.distance_to(zone, lat, lon))
            round_by = geometry.distance_to(zone, h.lat[step], h.lon[step])
            round_by += geometry.distance_to(zone, h.lat[step + 1], h.lon[step + 1])
            may |= round_by <= reach
    return Official(may | (nearest <= values["official_near_m"]), nearest)


def _speed(h: Hulls, passage: Passage) -> float:
    """The fastest (m/s) that the mover goes around a passage, with a tenth to spare."""
    hull = int(h.hull[passage.step])
    low = max(int(h.starts[hull]), passage.step - _SPEED_STEPS)
    high = min(int(h.starts[hull + 1]), passage.step + _SPEED_STEPS)
    some = np.arange(low, high)
    way = distance_m(h.lat[some[:-1]], h.lon[some[:-1]], h.lat[some[1:]], h.lon[some[1:]])
    dt = np.maximum(np.diff(h.t[some]), 1.0)
    # the quickest step, of two reports in a second, is an error and no speed
    speed = float(np.quantile(way / dt, 0.9)) if len(way) else 0.0
    return 1.1 * max(speed, passage.way_m / max(passage.silence_s, 1.0), MS_PER_KNOT)


def hours_a_day(tracks: Tracks, some: Sequence[Passage], reach_m: float) -> Floats:
    """For each passage, in how many hours of a day others pass so near to its place by day.

    Who passes by night does not make a path a common one: whoever hides comes by night, and by
    the path that the others took. Counted over a day before and after, as far as the data reach;
    of less than a day of data no more is made than they hold. A road is passed in most hours; a
    party of many in one.
    """
    if not some:
        return np.zeros(0)
    t, lat, lon = (np.array([getattr(p, c) for p in some]) for c in ("t", "lat", "lon"))
    hull = same_hull_of(tracks)[[p.subject for p in some]]
    light = ~is_night(t, lat, lon)
    lines = {p.zone.id: n for n, p in enumerate(some)}
    line = np.array([lines[p.zone.id] for p in some])
    begin, end = float(tracks.t.min()), float(tracks.t.max())
    found = np.zeros(len(some))
    for n in range(len(some)):
        near = np.flatnonzero((line == line[n]) & (hull != hull[n]) & light)
        near = near[np.abs(t[near] - t[n]) <= _DAY_S]
        far = distance_m(lat[n], lon[n], lat[near], lon[near])
        span = min(end, t[n] + _DAY_S) - max(begin, t[n] - _DAY_S)
        hours = len(np.unique(t[near[far <= reach_m]] // 3600.0))
        found[n] = hours / max(span / _DAY_S, 1.0)
    return found


def parties_of(tracks: Tracks, some: Sequence[Passage]) -> list[tuple[list[int], list[int]]]:
    """Passages of one party that several eyes see, as places in `some`, and all its subjects."""
    h = hulls_of(tracks)
    return parties(
        tracks,
        np.array([p.subject for p in some], dtype=np.int64),
        np.array([h.t[p.before] for p in some]),
        np.array([p.clear for p in some]),
        np.array([p.sign for p in some], dtype=np.int64),
    )


def sides(zone: Zone, sign: int) -> str:
    """From which side to which a passage went, in words.

    A border may name its sides by `left` and `right`, as seen along the line as it is drawn.
    """
    if not geometry.is_line(zone):
        return "out of it" if sign > 0 else "into it"
    names = [str(zone.parameters.get(side) or f"its {side}")[:60] for side in ("left", "right")]
    if sign < 0:
        names.reverse()
    return f"from {names[0]} to {names[1]} (as the line is drawn)"
