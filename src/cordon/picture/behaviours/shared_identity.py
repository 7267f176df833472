"""One identity that two hulls use at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from cordon.kernel.cards import load_card
from cordon.kernel.findings import Finding, Reason
from cordon.kernel.geo import distance_m, point
from cordon.kernel.units import METRES_PER_NAUTICAL_MILE, knots
from cordon.picture.model import Zone
from cordon.picture.shared.numbering import different
from cordon.picture.shared.turns import Turns, turns_of
from cordon.picture.tracks import Tracks, moment

CARD = load_card(__file__)
_MOST_RECORDS = 60


def find(tracks: Tracks, zones: Sequence[Zone], values: Mapping[str, float]) -> Iterator[Finding]:
    """A finding for each episode in which an identity is at two places by turns."""
    for turns in turns_of(tracks, values):
        yield _finding(tracks, turns, values)


def _finding(tracks: Tracks, turns: Turns, values: Mapping[str, float]) -> Finding:
    a, b = turns.a, turns.b
    way = distance_m(tracks.lat[a], tracks.lon[a], tracks.lat[b], tracks.lon[b])
    dt = tracks.t[b] - tracks.t[a]
    speeds = [
        knots(float(w), float(s) + values["time_error_s"]) for w, s in zip(way, dt, strict=True)
    ]
    fastest = max(speeds)
    miles = turns.apart_m / METRES_PER_NAUTICAL_MILE
    fewer = min(turns.hulls, key=len)
    minutes = turns.overlap_s / 60
    reasons = (
        Reason(
            "least_turns",
            len(a),
            "1",
            values["least_turns"],
            f"It was at two places by turns, {len(a)} times, {miles:.1f} nm apart in the middle.",
        ),
        Reason(
            "usual_kn",
            round(fastest, 1),
            "kn",
            round(turns.limit_kn, 1),
            f"To be one hull it would have had to make {fastest:.0f} kn; it is taken to make at "
            f"most {turns.limit_kn:.0f} kn. Each of the two tracks alone could be one hull's.",
        ),
        Reason(
            "least_overlap_min",
            round(minutes, 1),
            "min",
            values["least_overlap_min"],
            "So long were both heard.",
        ),
        Reason(
            "least_fixes",
            len(fewer),
            "1",
            values["least_fixes"],
            "So many positions has the hull of which fewer were heard.",
        ),
    )
    k = int(max(turns.hulls, key=lambda h: tracks.t[h[0]])[0])  # where the other turned up
    sure = 0.6 + 0.05 * min(len(a), 4) + 0.05 * min(3.0, np.log2(max(minutes / 10, 1.0)))
    rows = different(np.concatenate((a, b)))[:_MOST_RECORDS]
    return Finding.make(
        kind=CARD.kind,
        subjects=[tracks.subjects[turns.subject]],
        start=moment(turns.start),
        end=moment(turns.end),
        place=point(float(tracks.lat[k]), float(tracks.lon[k])),
        radius_m=round(turns.apart_m),
        confidence=float(min(0.97, sure)),
        reasons=reasons,
        records=tracks.records(rows),
        detector=CARD.name,
        version=CARD.version,
    )
