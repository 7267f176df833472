"""Entries into watched zones, by points and by the ways between them, with hysteresis."""

# mypy: disable-error-code="no-untyped-call"
# Shapely has no types of its own.
from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from cordon.kernel.cards import load_card
from cordon.kernel.findings import Finding, Reason
from cordon.kernel.geo import point
from cordon.picture import zones as geometry
from cordon.picture.behaviours import impossible_move
from cordon.picture.model import KINDS, Zone
from cordon.picture.plausible import segments
from cordon.picture.tracks import Floats, Ints, Tracks, moment

CARD = load_card(__file__)
_MOST_RECORDS = 100
_AIRCRAFT = KINDS.index("aircraft")


@dataclass(frozen=True, slots=True)
class _Hulls:
    """Fixes that are believed, hull after hull; `fix` points into the tracks."""

    fix: Ints
    hull: Ints
    starts: Ints
    t: Floats
    lat: Floats
    lon: Floats


def find(tracks: Tracks, zones: Sequence[Zone], values: Mapping[str, float]) -> Iterator[Finding]:
    """A finding for each visit of each subject to each watched zone."""
    watched = [z for z in zones if is_watched(z)]
    if not watched or not len(tracks):
        return
    hulls = _hulls(tracks)
    if not len(hulls.t):
        return
    own = [_values_of(z, values) for z in watched]
    margin = max(v["exit_margin_m"] for v in own)
    for z, some in geometry.near(watched, hulls.lat, hulls.lon, hulls.starts, margin):
        yield from _visits(tracks, hulls, watched[z], some, own[z])


def is_watched(zone: Zone) -> bool:
    """Whether entries into the zone are told: its own `watch`, else whether it is restricted."""
    said = zone.parameters.get("watch")
    if said is None:
        return zone.kind == "restricted"
    return said is True or str(said).lower() in ("1", "true", "yes")


def _values_of(zone: Zone, values: Mapping[str, float]) -> dict[str, float]:
    """The behaviour's values with those the zone sets for itself; BadInput where one is wrong."""
    return CARD.values({**values, **zone.parameters})


def _hulls(tracks: Tracks) -> _Hulls:
    # A fix that is noise, or the way between two hulls under one identity, enters nothing
    apart = segments(tracks, impossible_move.CARD.values())
    flies = np.zeros(len(tracks.subjects), dtype=bool)
    np.logical_or.at(flies, tracks.subject, tracks.kind == _AIRCRAFT)
    keep = np.flatnonzero((apart.label >= 0) & ~flies[tracks.subject])
    order = keep[np.lexsort((keep, apart.label[keep], tracks.subject[keep]))]
    key = tracks.subject[order].astype(np.int64) << 32 | apart.label[order]
    hull = np.concatenate(([0], np.cumsum(np.diff(key) != 0))) if len(key) else key
    count = int(hull[-1]) + 1 if len(hull) else 0
    return _Hulls(
        order,
        hull,
        np.searchsorted(hull, np.arange(count + 1)),
        tracks.t[order],
        tracks.lat[order],
        tracks.lon[order],
    )


def _visits(
    tracks: Tracks, h: _Hulls, zone: Zone, some: Ints, values: Mapping[str, float]
) -> Iterator[Finding]:
    """Visits among the candidate fixes `some` (indices into the hulls, sorted)."""
    lat, lon, t = h.lat[some], h.lon[some], h.t[some]
    inside = geometry.inside(zone, lat, lon)
    # ways: from candidate p to p + 1 where they follow one another in one hull
    linked = (np.diff(some) == 1) & (np.diff(h.hull[some]) == 0)
    brief = np.diff(t) <= values["crossing_longest_min"] * 60
    across = np.flatnonzero(linked & brief & ~inside[:-1] & ~inside[1:])
    crossing = across[_crosses(zone, lat, lon, across)]
    if not inside.any() and not len(crossing):
        return
    # Distances only for the hulls that touch the zone at all
    touched = np.unique(h.hull[some][np.concatenate((np.flatnonzero(inside), crossing))])
    mine = np.isin(h.hull[some], touched)
    far = np.ones(len(some), dtype=bool)
    outside = np.flatnonzero(mine & ~inside)
    far[outside] = geometry.distance_to(zone, lat[outside], lon[outside]) > values["exit_margin_m"]
    far[inside] = False
    # A visit is a run of touches with no far fix and no break of the track between them
    first = np.concatenate((np.flatnonzero(inside), crossing))
    last = np.concatenate((np.flatnonzero(inside), crossing + 1))
    order = np.lexsort((last, first))
    first, last = first[order], last[order]
    apart = np.cumsum(far.astype(np.int64))
    breaks = np.concatenate(([0], np.cumsum(~linked)))
    fars = apart[first[1:]] - apart[last[:-1]] + far[last[:-1]]
    new = (fars > 0) | (breaks[first[1:]] != breaks[last[:-1]])
    # two ways that share a fix inside the margin overlap by it; a far one parts them
    for run in np.split(np.arange(len(first)), np.flatnonzero(new) + 1):
        found = _finding(
            tracks,
            h,
            zone,
            some,
            inside,
            linked & brief,
            int(first[run[0]]),
            int(last[run[-1]]),
            values,
        )
        if found is not None:
            yield found


def _crosses(zone: Zone, lat: Floats, lon: Floats, a: Ints) -> Ints:
    """Which of the ways from a to a + 1 meet the zone (positions in `a`)."""
    if not len(a):
        return np.empty(0, dtype=np.int64)
    lines, owner = geometry.ways(lat, lon, a, a + 1)
    shapely.prepare(zone.geometry)
    return np.unique(owner[shapely.intersects(zone.geometry, lines)])


def _rows(h: _Hulls, some: Ints, p: int, q: int) -> list[int]:
    """Candidates p to q, with the fix before and the fix after where those are candidates too."""
    first = p > 0 and some[p - 1] == some[p] - 1 and h.hull[some[p - 1]] == h.hull[some[p]]
    last = q + 1 < len(some) and some[q + 1] == some[q] + 1
    last = last and h.hull[some[q + 1]] == h.hull[some[q]]
    return list(range(p - int(first), q + 1 + int(last)))


def _finding(
    tracks: Tracks,
    h: _Hulls,
    zone: Zone,
    some: Ints,
    inside: np.ndarray,
    believed: np.ndarray,
    p: int,
    q: int,
    values: Mapping[str, float],
) -> Finding | None:
    """The visit from candidate p to candidate q, or None where it only touches the edge."""
    subject = int(tracks.subject[h.fix[some[p]]])
    if tracks.subjects[subject] in _allowed(zone):
        return None
    within = np.arange(p, q + 1)[inside[p : q + 1]]
    unseen = bool(inside[p]) and not (p > 0 and believed[p - 1])
    if unseen:  # no way led in: it may be the only fix there is
        enter = (float(h.t[some[p]]), float(h.lat[some[p]]), float(h.lon[some[p]]))
    else:
        enter = _edge(zone, h, some, p - 1 if inside[p] else p, leaving=False)
    leave = float(h.t[some[q]]) if inside[q] else _edge(zone, h, some, q - 1, leaving=True)[0]
    leave = max(leave, enter[0])
    spots = [(float(h.lat[some[k]]), float(h.lon[some[k]])) for k in within]
    if not spots:
        out = _edge(zone, h, some, q - 1, leaving=True)
        spots = [((enter[1] + out[1]) / 2, (enter[2] + out[2]) / 2)]
    depth = _depth(zone, spots)
    if depth < values["least_depth_m"]:
        return None
    minutes = (leave - enter[0]) / 60
    count = len(within)
    rows = _rows(h, some, p, q)
    if len(rows) > _MOST_RECORDS:
        rows = rows[: _MOST_RECORDS // 2] + rows[-_MOST_RECORDS // 2 :]
    if unseen:
        how = f"It was already inside {zone.name} when it was first heard, or heard again."
    elif count:
        how = f"It came into {zone.name} ({zone.kind.replace('_', ' ')})."
    else:
        how = f"The way between two of its reports crosses {zone.name}; none came from inside."
    silence = float(np.max(np.diff(h.t[some[p : q + 1]]))) / 60 if q > p else 0.0
    reasons = [
        Reason("reports_inside", count, "1", None, how),
        Reason(
            "minutes_inside",
            round(minutes, 1),
            "min",
            None,
            "From the entry to the last moment that it is known inside.",
        ),
    ]
    if np.isfinite(depth):
        reasons.insert(
            1,
            Reason(
                "least_depth_m",
                round(depth),
                "m",
                values["least_depth_m"],
                "So far inside the zone's edge lies the deepest point known of it.",
            ),
        )
    if not count:
        reasons.append(
            Reason(
                "crossing_longest_min",
                round(silence, 1),
                "min",
                values["crossing_longest_min"],
                "So long was the silence over which the straight way is believed.",
            )
        )
    confidence = _confidence(count, depth, silence / max(values["crossing_longest_min"], 1e-9))
    return Finding.make(
        kind=CARD.kind,
        subjects=[tracks.subjects[subject], f"zone:{zone.id}"],
        start=moment(enter[0]),
        end=moment(leave),
        place=point(enter[1], enter[2]),
        radius_m=values["least_depth_m"],
        confidence=max(0.1, confidence - (0.2 if unseen else 0.0)),
        reasons=reasons,
        records=[tracks.record(int(h.fix[some[k]])) for k in rows],
        detector=CARD.name,
        version=CARD.version,
    )


def _confidence(count: int, depth: float, silence: float) -> float:
    """By the reports from inside and their depth (m), or by the silence a way was drawn over.

    Args:
        silence: as a part of the longest over which a straight way is believed.
    """
    if not count:
        return 0.75 - 0.35 * silence
    return min(0.95, 0.75 + 0.05 * min(count, 3) + 0.05 * min(1.0, depth / 1000))


def _allowed(zone: Zone) -> frozenset[str]:
    said = zone.parameters.get("allowed")
    return frozenset(map(str, said)) if isinstance(said, list) else frozenset()


def _edge(
    zone: Zone, h: _Hulls, some: Ints, k: int, *, leaving: bool
) -> tuple[float, float, float]:
    """Where and when (s, lat, lon) the way from candidate k to the next meets the zone's edge."""
    a, b = int(some[k]), int(some[k + 1])
    t, lat, lon = (np.array([v[a], v[b]], dtype=float) for v in (h.t, h.lat, h.lon))
    pair = np.array([0]), np.array([1])
    lines, _ = geometry.ways(lat, lon, *pair)
    best: tuple[float, float, float] | None = None
    length = float(np.hypot((lon[1] - lon[0] + 540) % 360 - 180, lat[1] - lat[0]))
    for line in lines:
        met = shapely.intersection(line, zone.geometry)
        for x, y in shapely.get_coordinates(met):
            along = np.hypot((x - lon[0] + 540) % 360 - 180, y - lat[0])
            share = min(1.0, float(along) / length) if length else 0.0
            if best is None or (share > best[0]) == leaving:
                best = (share, float(y), float(x))
    share, y, x = best if best is not None else (0.0, float(lat[0]), float(lon[0]))
    return float(t[0] + share * (t[1] - t[0])), y, x


def _depth(zone: Zone, spots: list[tuple[float, float]]) -> float:
    """How far (m) the deepest of the points lies within the zone's edge; infinite for a line."""
    if zone.geometry.geom_type.endswith("LineString"):
        return float("inf")
    lat = np.array([y for y, _ in spots])
    lon = np.array([x for _, x in spots])
    edge = Zone(zone.id, zone.name, zone.kind, zone.geometry.boundary)
    return float(np.max(geometry.distance_to(edge, lat, lon)))
