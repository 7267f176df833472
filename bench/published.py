"""Published rules, as their pages state them and no more, to measure our behaviours beside.

They are written here plainly, over the same tracks and zones, and their findings are scored in
the same way. Each takes what a reader of the rule would: no allowance for our worlds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

import numpy as np

from cordon.kernel.findings import Finding, Reason
from cordon.kernel.geo import distance_m, point
from cordon.kernel.units import METRES_PER_NAUTICAL_MILE
from cordon.picture.model import Zone
from cordon.picture.shared.crafts import crafts_of
from cordon.picture.shared.nearness import near_pairs
from cordon.picture.shared.samples import samples_of
from cordon.picture.shared.silences import carriers_of
from cordon.picture.tracks import Tracks
from cordon.picture.zones import distance_to, inside, is_line

Rule = Callable[[Tracks, Sequence[Zone]], Iterator[Finding]]
ENCOUNTER_M, ENCOUNTER_KN, ENCOUNTER_S, ANCHORAGE_M = 500.0, 2.0, 2 * 3600.0, 10_000.0
SILENT_AT_SEA_S, SILENT_IN_PORT_S = 4 * 3600.0, 60 * 3600.0
LOITER_KN, LOITER_S, LOITER_SHORE_NM = 2.0, 3600.0, 20.0
FASTEST_KN = 25.0
HAVENS = ("port", "anchorage")


def _finding(
    kind: str, subjects: Sequence[str], begin: float, end: float, lat: float, lon: float
) -> Finding:
    return Finding.make(
        kind=kind,
        subjects=sorted(set(subjects)),
        start=datetime.fromtimestamp(begin, UTC),
        end=datetime.fromtimestamp(max(end, begin), UTC),
        place=point(lat, lon),
        radius_m=None,
        confidence=0.5,
        reasons=(Reason("rule", 1, "1", 1, "A published rule."),),
        records=(),
        detector=kind,
        version="published",
    )


def _runs(key: np.ndarray, slot: np.ndarray, most: int) -> Iterator[tuple[int, int]]:
    """Begin and end (exclusive) of each run of one key whose slots are at most `most` apart."""
    if not len(key):
        return
    new = np.append(True, (np.diff(key) != 0) | (np.diff(slot) > most))
    begin = np.flatnonzero(new)
    yield from zip(begin.tolist(), np.append(begin[1:], len(key)).tolist(), strict=True)


def encounter(tracks: Tracks, zones: Sequence[Zone]) -> Iterator[Finding]:
    """Global Fishing Watch: under 500 m for 2 h under 2 kn, 10 km from an anchorage."""
    s = samples_of(tracks)
    sea = crafts_of(tracks).sea
    speed = s.speed_kn()
    some = np.flatnonzero(sea[s.subject] & (speed <= ENCOUNTER_KN))
    a, b, _ = near_pairs(s.slot[some], s.lat[some], s.lon[some], ENCOUNTER_M)
    a, b = some[a], some[b]
    one, two = np.minimum(s.subject[a], s.subject[b]), np.maximum(s.subject[a], s.subject[b])
    slot, lat, lon = s.slot[a], s.lat[a], s.lon[a]
    order = np.lexsort((slot, two, one))
    one, two, slot, lat, lon = (v[order] for v in (one, two, slot, lat, lon))
    far = np.full(len(lat), np.inf)
    for zone in zones:
        if zone.kind in HAVENS:
            far = np.minimum(far, distance_to(zone, lat, lon))
    for low, high in _runs(one * len(tracks.subjects) + two, slot, 1):
        lasts = (slot[high - 1] - slot[low]) * 600.0
        if lasts >= ENCOUNTER_S and far[low:high].mean() >= ANCHORAGE_M:
            who = (tracks.subjects[int(one[low])], tracks.subjects[int(two[low])])
            t0 = float(slot[low]) * 600.0
            yield _finding("picture.encounter", who, t0, t0 + lasts, lat[low], lon[low])


def gap(tracks: Tracks, zones: Sequence[Zone]) -> Iterator[Finding]:
    """monitorfish: nothing received for 4 h at sea, for 60 h in port."""
    ports = [z for z in zones if z.kind == "port"]
    last = float(tracks.t.max()) if len(tracks) else 0.0
    for subject in np.flatnonzero(carriers_of(tracks)).tolist():
        here = tracks.of(subject)
        t, lat, lon = tracks.t[here], tracks.lat[here], tracks.lon[here]
        end = np.append(t[1:], last)
        for k in np.flatnonzero(end - t >= SILENT_AT_SEA_S).tolist():
            at = (lat[k : k + 1], lon[k : k + 1])
            in_port = any(bool(inside(z, *at)[0]) for z in ports)
            if end[k] - t[k] >= (SILENT_IN_PORT_S if in_port else SILENT_AT_SEA_S):
                who = (tracks.subjects[subject],)
                yield _finding("picture.gap", who, float(t[k]), float(end[k]), lat[k], lon[k])


def loitering(tracks: Tracks, zones: Sequence[Zone]) -> Iterator[Finding]:
    """Global Fishing Watch: mean under 2 kn in consecutive hours, 20 nm and more from shore."""
    s = samples_of(tracks)
    land = [z for z in zones if z.kind == "land"]
    speed = s.speed_kn()
    some = np.flatnonzero(crafts_of(tracks).sea[s.subject] & (speed <= LOITER_KN))
    far = np.full(len(some), np.inf)
    for zone in land:
        far = np.minimum(far, distance_to(zone, s.lat[some], s.lon[some]))
    some = some[far >= LOITER_SHORE_NM * METRES_PER_NAUTICAL_MILE]
    for low, high in _runs(s.subject[some], s.slot[some], 1):
        begin, end = (float(s.slot[some[n]]) * 600.0 for n in (low, high - 1))
        if end - begin >= LOITER_S:
            k = some[low]
            who = (tracks.subjects[int(s.subject[k])],)
            yield _finding("picture.loitering", who, begin, end, s.lat[k], s.lon[k])


def zone_entry(tracks: Tracks, zones: Sequence[Zone]) -> Iterator[Finding]:
    """A report within a restricted zone after one outside it; points alone."""
    for zone in zones:
        if zone.kind != "restricted" or is_line(zone):
            continue
        met = inside(zone, tracks.lat, tracks.lon)
        first = np.append(True, np.diff(tracks.subject) != 0)
        came = np.flatnonzero(met & (first | ~np.append(False, met[:-1])))
        for k in came.tolist():
            who = (tracks.subjects[int(tracks.subject[k])], f"zone:{zone.id}")
            t = float(tracks.t[k])
            yield _finding("picture.zone_entry", who, t, t, tracks.lat[k], tracks.lon[k])


def impossible_move(tracks: Tracks, _zones: Sequence[Zone]) -> Iterator[Finding]:
    """gpsdio-segment: faster than 25 kn from one report to the next."""
    dt = np.diff(tracks.t)
    way = distance_m(tracks.lat[:-1], tracks.lon[:-1], tracks.lat[1:], tracks.lon[1:])
    with np.errstate(divide="ignore", invalid="ignore"):
        knots = way / METRES_PER_NAUTICAL_MILE / (dt / 3600.0)
    same = (np.diff(tracks.subject) == 0) & crafts_of(tracks).sea[tracks.subject[:-1]]
    for k in np.flatnonzero(same & (dt > 0) & (knots > FASTEST_KN)).tolist():
        who = (tracks.subjects[int(tracks.subject[k])],)
        t0, t1 = float(tracks.t[k]), float(tracks.t[k + 1])
        yield _finding("picture.impossible_move", who, t0, t1, tracks.lat[k], tracks.lon[k])


RULES: dict[str, tuple[str, Rule]] = {
    "picture.encounter": ("Global Fishing Watch: 500 m, 2 h, 2 kn, 10 km", encounter),
    "picture.gap": ("monitorfish: 4 h at sea, 60 h in port", gap),
    "picture.impossible_move": ("gpsdio-segment: 25 kn", impossible_move),
    "picture.loitering": ("Global Fishing Watch: 2 kn, 1 h, 20 nm", loitering),
    "picture.zone_entry": ("a point within after one outside", zone_entry),
}
"""By kind: what the rule says, and the rule."""
