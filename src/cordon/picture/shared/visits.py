"""Visits of movers to watched zones, by reports from inside and by ways that pass through.

After Global Fishing Watch's pipe-anchorages, a visit begins at one edge and ends beyond another
one, farther out, so that movement along the edge is one visit and not many.
"""

# mypy: disable-error-code="no-untyped-call"
# Shapely has no types of its own.
from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import shapely

from cordon.kernel.findings import Finding
from cordon.picture import zones as geometry
from cordon.picture.model import Zone
from cordon.picture.shared.crafts import crafts_of
from cordon.picture.shared.doubles import same_hull_of, seen_together
from cordon.picture.shared.hulls import Hulls, fliers_of, hulls_of, movers_of
from cordon.picture.shared.sameparty import goes_on_as
from cordon.picture.tracks import Bools, Floats, Ints, Tracks
from cordon.picture.ways import is_short, ways_between
from cordon.picture.zonegrid import ZoneGrid, grid_of

_MOST_RECORDS = 100
_SEARCH = 512  # entries looked at for one that is clearly outside
_OUTSIDE_S = 600.0  # so long outside, without a touch, it has left
UNNAMED = ("radar:", "track:")
_MOST_OF_THEM = 0.9  # of the places inside: the others may be errors
_STILL_M = 150.0  # errors of a radar move an echo about by less, as a rule
_CLEAR_M = 100.0  # so far outside, where it was heard last, it has left
Spot = tuple[float, float, float]
"""A moment and a place: s since the epoch, latitude, longitude (degrees)."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One mover in one zone, from where it came in to where it was last known to be inside.

    Attributes:
        zone: the zone. subject: index into the tracks' subjects.
        enter, leave: when and where it passed the edge; where it was first or last heard inside
            when it was not heard to pass it.
        unseen: no way led in; it was first heard inside.
        reports: so many fixes lie inside; 0 where only a way between two others passes through.
        silence_s: the longest time between two reports within the visit.
        depth_m: how far the deepest known point lies within the edge; infinite for a line.
        moved_m: how far from the middle of its places inside it was, but for a tenth of them.
        rows: fixes that tell of it, with one before and after.
        out: when it was known to have left, or None where it is not (yet).
        passed_out: when and where the way after `leave` passed the edge, where `seen_out`: a
            report inside was followed soon by one outside.
    """

    zone: Zone
    subject: int
    enter: Spot
    leave: Spot
    unseen: bool
    reports: int
    silence_s: float
    depth_m: float
    moved_m: float
    rows: Ints
    out: float | None
    seen_out: bool
    passed_out: Spot

    @property
    def minutes(self) -> float:
        """From the entry to the last moment that it is known inside."""
        return (self.leave[0] - self.enter[0]) / 60

    def records(self) -> Ints:
        """Fixes that tell of it, the first and last of them where there are very many."""
        half = _MOST_RECORDS // 2
        rows = self.rows
        return rows if len(rows) <= 2 * half else np.concatenate((rows[:half], rows[-half:]))


def is_watched(zone: Zone, also: str = "") -> bool:
    """Whether visits to a zone are told: its own `watch`, else whether it is restricted.

    Args:
        also: a property that says so for one behaviour alone, such as `watch_exit`.
    """
    said = zone.parameters.get(also) if also else None
    if said is None:
        said = zone.parameters.get("watch")
    if said is None:
        return zone.kind == "restricted"
    return said is True or str(said).lower() in ("1", "true", "yes")


def gone_on(tracks: Tracks, visit: Visit, margin_m: float) -> tuple[Visit, int] | None:
    """A visit whose mover was lost and seen again clearly outside under another number, with
    its exit; and the subject of that number. None where nothing tells of it.

    Only a track that names nobody is taken for another (`sameparty.py`). One that begins again
    inside has a visit of its own.
    """
    heir = goes_on_as(tracks, visit.subject, _OUTSIDE_S) if visit.out is None else None
    if heir is None:
        return None
    here = tracks.of(heir)
    first = here.start
    t, lat, lon = (v[here][:_SEARCH] for v in (tracks.t, tracks.lat, tracks.lon))
    far = geometry.distance_to(visit.zone, lat, lon)
    clear = (far > margin_m) | ((far >= _CLEAR_M) & (t - t[0] >= _OUTSIDE_S))
    clear[-1] |= far[-1] >= _CLEAR_M
    if far[0] <= 0 or not clear.any():
        return None
    known = int(np.argmax(clear))
    end = tracks.of(visit.subject).stop - 1
    between = [(float(v[end]) + float(v[first])) / 2 for v in (tracks.t, tracks.lat, tracks.lon)]
    passed = visit.passed_out if visit.seen_out else (between[0], between[1], between[2])
    rows = np.append(visit.rows, list(dict.fromkeys((first, first + known))))
    out = float(t[known])
    return replace(visit, out=out, seen_out=True, passed_out=passed, rows=rows), heir


def is_thing(name: str, visit: Visit) -> bool:
    """Whether an unnamed track begins inside and stays at its place: a buoy, a rock, a bush."""
    return visit.unseen and name.startswith(UNNAMED) and visit.moved_m < _STILL_M


def may_be_in(tracks: Tracks, zone: Zone) -> Bools:
    """For each subject, whether its hull is an own unit, or is allowed in the zone, under whatever
    name an eye has for it."""
    hull, own = same_hull_of(tracks), crafts_of(tracks).own
    allowed = allowed_in(zone)
    named = [n for n, name in enumerate(tracks.subjects) if name in allowed] if allowed else []
    may = own.copy()
    may[hull[np.flatnonzero(own)]] = True
    may[hull[named]] = True
    return np.asarray(may[hull] | may)


def told_once(tracks: Tracks, told: Sequence[tuple[Visit, Finding]]) -> Iterator[Finding]:
    """Findings of visits, one of each that several eyes saw of one hull at a time.

    Its id is that of who was seen first, and stays when another eye sees it too.
    """
    if not told:
        return
    visits_ = [v for v, _ in told]
    groups = seen_together(
        tracks,
        np.array([v.subject for v in visits_], np.int64),
        np.array([v.enter[0] for v in visits_]),
        np.array([v.leave[0] for v in visits_]),
        [v.zone.id for v in visits_],
    )
    for those in groups:
        found = told[those[0]][1]
        names = {name for n in those for name in told[n][1].subjects}
        yield found if len(those) == 1 else replace(found, subjects=tuple(sorted(names)))


def allowed_in(zone: Zone) -> frozenset[str]:
    """Subjects that the zone's own `allowed` names."""
    said = zone.parameters.get("allowed")
    return frozenset(map(str, said)) if isinstance(said, list) else frozenset()


def visits(
    tracks: Tracks, zones: Sequence[Zone], values: Sequence[Mapping[str, float]]
) -> Iterator[Visit]:
    """Visits of whoever walks, drives or sails to zones, zone after zone.

    Who flies passes over a zone and is not in it; own units and sensors are nobody's visits.

    Args:
        values: for each zone, `exit_margin_m` (a visit ends beyond) and `crossing_longest_min`
            (over a longer silence the straight way between two reports is not believed).
    """
    h = hulls_of(tracks)
    if not zones or not len(h):
        return
    longest = [v["crossing_longest_min"] * 60 for v in values]
    margin = [v["exit_margin_m"] for v in values]
    grid = grid_of(zones)
    # entries, exits and stays ask for the same visits
    found = tracks.once(
        ("visits", grid, tuple(longest), tuple(margin)),
        lambda: list(_visits(tracks, h, grid, zones, np.array(longest), margin)),
    )
    for z, visit in found:
        yield visit if visit.zone is zones[z] else replace(visit, zone=zones[z])


def _visits(
    tracks: Tracks,
    h: Hulls,
    grid: ZoneGrid,
    zones: Sequence[Zone],
    longest: Floats,
    margin: Sequence[float],
) -> Iterator[tuple[int, Visit]]:
    """Visits, each with the place of its zone.

    Args:
        longest: of each zone, s over which a way is believed. margin: of each, m.
    """
    most = float(longest.max())
    zone_of, point, met_zone, met = tracks.once(
        ("visits", grid, most), lambda: _touches(tracks, h, grid, most)
    )
    good = h.t[met + 1] - h.t[met] <= longest[met_zone]
    met_zone, met = met_zone[good], met[good]
    edges = np.arange(len(zones) + 1)
    points_at, ways_at = np.searchsorted(zone_of, edges), np.searchsorted(met_zone, edges)
    within = np.zeros(len(h), dtype=np.bool_)
    end = float(h.t.max())
    for z, zone in enumerate(zones):
        inside = point[points_at[z] : points_at[z + 1]]
        passed = met[ways_at[z] : ways_at[z + 1]]
        if len(inside) or len(passed):
            within[inside] = True
            at = _Touched(h, grid, z, zone, within, float(longest[z]), margin[z], end)
            for p, q in at.runs(inside, passed):
                yield z, at.visit(p, q)
            within[inside] = False


def _touches(
    tracks: Tracks, h: Hulls, grid: ZoneGrid, longest_s: float
) -> tuple[Ints, Ints, Ints, Ints]:
    """Zone and entry of each one that lies inside; zone and entry of each way that meets an edge.

    Both by zone, then entry; a way is told by the entry that it sets out from.
    """
    counted = movers_of(tracks) & ~fliers_of(tracks)
    zone_of, point = grid.points(h.lat, h.lon)
    good = counted[h.subject[point]]
    brief = h.linked & counted[h.subject]
    brief[:-1] &= np.diff(h.t) <= longest_s
    way = np.flatnonzero(brief)
    met_zone, met = grid.meets(h.lat, h.lon, way, way + 1)
    return zone_of[good], point[good], met_zone, way[met]


@dataclass(frozen=True, slots=True)
class _Touched:
    """One zone, and which of the hulls' entries lie within it."""

    h: Hulls
    grid: ZoneGrid
    place: int  # of the zone in the grid
    zone: Zone
    within: Bools
    longest_s: float
    margin_m: float
    end: float  # of the data, s

    def runs(self, inside: Ints, passed: Ints) -> Iterator[tuple[int, int]]:
        """First and last entry of each visit: a run of touches with no far entry between them.

        Args:
            inside: entries within, sorted. passed: entries from which a way meets the edge.
        """
        h = self.h
        across = passed[~self.within[passed] & ~self.within[passed + 1]]
        first = np.concatenate((inside, across))
        last = np.concatenate((inside, across + 1))
        order = np.lexsort((last, first))
        first, last = first[order], last[order]
        if not len(first):
            return
        new = np.diff(h.hull[first]) != 0
        # what lies between two touches, both included: a far entry parts them
        beside = self.within[last[:-1]] & self.within[first[1:]] & (first[1:] - last[:-1] == 1)
        apart = np.flatnonzero(~new & ~beside)
        begin, count = last[apart], first[apart + 1] - last[apart] + 1
        count = np.maximum(count, 0)
        entry = np.repeat(begin - np.cumsum(count) + count, count) + np.arange(count.sum())
        owner = np.repeat(apart, count)
        outside = ~self.within[entry]
        entry, owner = entry[outside], owner[outside]
        new[owner[self._far(entry)]] = True
        begins = np.append(0, np.flatnonzero(new) + 1)
        ends = np.append(begins[1:], len(first)) - 1
        yield from zip(first[begins].tolist(), last[ends].tolist(), strict=True)

    def _far(self, entry: Ints) -> Bools:
        """Which entries outside lie beyond the margin."""
        lat, lon = self.h.lat[entry], self.h.lon[entry]
        far = self.grid.distance(self.place, lat, lon, max(self.margin_m, 1e-3))
        return np.asarray(far > self.margin_m)

    def _depth(self, lat: Floats, lon: Floats) -> float:
        if not self.grid.shapes.area[self.place]:
            return float("inf")
        return float(self.grid.distance(self.place, lat, lon).max())

    def _soon(self, k: int) -> bool:
        """Whether the way from entry k to the next is known: one hull, and no long silence."""
        h = self.h
        return bool(0 <= k < len(h) and h.linked[k] and h.t[k + 1] - h.t[k] <= self.longest_s)

    def visit(self, p: int, q: int) -> Visit:
        """The visit from entry p to entry q."""
        # loads what is compiled
        from cordon.picture.shared.visitkernel import spread_m

        h, within = self.h, self.within
        some = p + np.flatnonzero(within[p : q + 1])
        unseen = bool(within[p]) and not self._soon(p - 1)
        first_heard = float(h.t[p]), float(h.lat[p]), float(h.lon[p])
        last_heard = float(h.t[q]), float(h.lat[q]), float(h.lon[q])
        # no way led in where it is the only fix there is
        enter = first_heard if unseen else self._edge(p - 1 if within[p] else p, leaving=False)
        out = self._edge(q - 1, leaving=True) if not within[q] else None
        leave = last_heard if out is None else out
        if leave[0] < enter[0]:
            leave = enter[0], *leave[1:]
        seen_out = bool(within[q]) and self._soon(q)
        spots = h.lat[some], h.lon[some]
        if out is not None and not len(some):
            spots = np.array([(enter[1] + out[1]) / 2]), np.array([(enter[2] + out[2]) / 2])
        before = p > 0 and h.linked[p - 1]
        rows = h.fix[p - int(before) : q + 1 + int(h.linked[q])]
        return Visit(
            self.zone,
            int(h.subject[p]),
            enter,
            leave,
            unseen,
            len(some),
            float(np.max(np.diff(h.t[p : q + 1]))) if q > p else 0.0,
            self._depth(*spots),
            spread_m(*spots, _MOST_OF_THEM),
            rows,
            self._heard_out(q),
            seen_out,
            self._edge(q, leaving=True) if seen_out else leave,
        )

    def _heard_out(self, q: int) -> float | None:
        """When it was known that the hull left after entry q, or None.

        Beyond the margin; or outside for a while; or outside where it was heard last, clearly.
        """
        h = self.h
        last = int(h.starts[h.hull[q] + 1]) - 1
        entry = np.arange(q, min(q + _SEARCH, last) + 1)
        entry = entry[~self.within[entry]]
        if not len(entry):
            return None
        known = self._far(entry) | (h.t[entry] - h.t[q] >= _OUTSIDE_S)
        if known.any():
            return float(h.t[entry[np.argmax(known)]])
        if h.t[last] - h.t[q] >= _OUTSIDE_S:
            return float(h.t[q]) + _OUTSIDE_S  # very many reports within the time
        lat, lon = h.lat[[last]], h.lon[[last]]
        clear = float(self.grid.distance(self.place, lat, lon)[0]) >= _CLEAR_M
        return float(h.t[last]) if clear and self.end - h.t[last] >= _OUTSIDE_S else None

    def _edge(self, k: int, *, leaving: bool) -> Spot:
        """Where and when the way from entry k to the next meets the zone's edge."""
        from cordon.picture.shared.visitkernel import touches

        h = self.h
        lat, lon = h.lat[k : k + 2].tolist(), h.lon[k : k + 2].tolist()
        share, y, x = 0.0, lat[0], lon[0]
        if is_short(lat, lon):
            first, last = touches(self.grid.shapes, self.place, lon[0], lat[0], lon[1], lat[1])
            if not math.isnan(first):
                share = last if leaving else first
                y, x = lat[0] + share * (lat[1] - lat[0]), lon[0] + share * (lon[1] - lon[0])
        else:
            share, y, x = self._far_edge(k, leaving=leaving)
        t0, t1 = float(h.t[k]), float(h.t[k + 1])
        return t0 + share * (t1 - t0), y, (x + 540.0) % 360.0 - 180.0

    def _far_edge(self, k: int, *, leaving: bool) -> Spot:
        """The part of a long way from entry k that is gone at the zone's edge, and where."""
        lat, lon = self.h.lat[k : k + 2], self.h.lon[k : k + 2]
        ways = ways_between(lat, lon, np.array([0]), np.array([1]))
        best: Spot | None = None
        for line, begin, end in zip(ways.line, ways.begin, ways.end, strict=True):
            met = shapely.intersection(shapely.linestrings(line.reshape(2, 2)), self.zone.geometry)
            length = float(np.hypot(line[2] - line[0], line[3] - line[1]))
            for x, y in shapely.get_coordinates(met):
                along = float(np.hypot(x - line[0], y - line[1]))
                share = min(1.0, along / length) if length else 0.0
                share = begin + share * (end - begin)
                if best is None or (share > best[0]) == leaving:
                    best = (float(share), float(y), float(x))
        return best if best is not None else (0.0, float(lat[0]), float(lon[0]))
