"""Aircraft over a border line, where they fly as drones do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from cordon.kernel.cards import load_card
from cordon.kernel.findings import Finding, Reason
from cordon.kernel.geo import distance_m, point
from cordon.kernel.units import KNOTS_PER_MS
from cordon.picture.model import Zone
from cordon.picture.shared.crossings import Passage, is_border, passages, sides
from cordon.picture.shared.hulls import hulls_of
from cordon.picture.shared.visits import allowed_in
from cordon.picture.tracks import Tracks, moment

CARD = load_card(__file__)
_MOST_RECORDS = 30


def find(tracks: Tracks, zones: Sequence[Zone], values: Mapping[str, float]) -> Iterator[Finding]:
    """A finding for each flight of a drone, or of an aircraft as slow, over each border."""
    borders = [z for z in zones if is_border(z)]
    own = {z.id: CARD.values({**values, **z.parameters}) for z in borders}
    flights: dict[tuple[int, str], list[Passage]] = {}
    for p in passages(tracks, borders, list(own.values()), flying=True):
        if tracks.subjects[p.subject] in allowed_in(p.zone):
            continue
        flight = flights.setdefault((p.subject, p.zone.id), [])
        if flight and p.t - flight[-1].clear > own[p.zone.id]["flight_min"] * 60:
            yield from _told(tracks, flight, own[p.zone.id])
            flight.clear()
        flight.append(p)
    for (_, zone), flight in flights.items():
        yield from _told(tracks, flight, own[zone])


def _told(
    tracks: Tracks, flight: Sequence[Passage], values: Mapping[str, float]
) -> Iterator[Finding]:
    speed = _speed_kn(tracks, flight[0])
    named = tracks.subjects[flight[0].subject].startswith("drone:")
    if named or speed <= values["fastest_kn"]:
        yield _finding(tracks, flight, speed, values, named=named)


def _speed_kn(tracks: Tracks, p: Passage) -> float:
    """Its speed (kn) around the passage: as it reports it, else as it made good."""
    h = hulls_of(tracks)
    some = np.arange(p.before, p.after + 1)
    told = tracks.speed[h.fix[some]]
    if np.isfinite(told).any():
        return float(np.nanmedian(told))
    way = distance_m(h.lat[some[:-1]], h.lon[some[:-1]], h.lat[some[1:]], h.lon[some[1:]])
    return float(way.sum() / max(h.t[p.after] - h.t[p.before], 1.0) * KNOTS_PER_MS)


def _finding(
    tracks: Tracks,
    flight: Sequence[Passage],
    speed: float,
    values: Mapping[str, float],
    *,
    named: bool,
) -> Finding:
    h = hulls_of(tracks)
    p, last = flight[0], flight[-1]
    again = len(flight) - 1
    more = f", and {again} {'time' if again == 1 else 'times'} more" if again else ""
    what = "A drone" if named else "An aircraft as slow as a drone"
    reasons = (
        Reason(
            "fastest_kn",
            round(speed, 1),
            "kn",
            values["fastest_kn"],
            f"{what} flew over {p.zone.name} {sides(p.zone, p.sign)} at {speed:.0f} kn{more}.",
        ),
        Reason(
            "least_swing_m",
            round(p.swing_m),
            "m",
            values["least_swing_m"],
            "It was heard farther than this from the line on both sides.",
        ),
        Reason(
            "longest_min",
            round(p.silence_s / 60, 1),
            "min",
            values["longest_min"],
            "Between two reports so far apart in time it went over.",
        ),
    )
    silence = min(1.0, p.silence_s / 60 / values["longest_min"])
    confidence = (0.92 if named else 0.75) - 0.3 * silence
    rows = [k for q in flight for k in range(q.before, q.after + 1)][:_MOST_RECORDS]
    return Finding.make(
        kind=CARD.kind,
        subjects=[tracks.subjects[p.subject], f"zone:{p.zone.id}"],
        start=moment(p.t),
        end=moment(last.clear),
        place=point(p.lat, p.lon),
        radius_m=round(max(p.swing_m, p.way_m / 2)),
        confidence=confidence,
        reasons=reasons,
        records=tracks.records(h.fix[rows]),
        detector=CARD.name,
        version=CARD.version,
    )
