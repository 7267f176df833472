"""Entries into watched zones, by points and by the ways between them, with hysteresis."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from cordon.kernel.cards import load_card
from cordon.kernel.findings import Finding, Reason
from cordon.kernel.geo import point
from cordon.picture.model import Zone
from cordon.picture.shared.visits import (
    UNNAMED,
    Visit,
    is_thing,
    is_watched,
    may_be_in,
    told_once,
    visits,
)
from cordon.picture.tracks import Tracks, moment

CARD = load_card(__file__)


def find(tracks: Tracks, zones: Sequence[Zone], values: Mapping[str, float]) -> Iterator[Finding]:
    """A finding for each visit of each subject to each watched zone."""
    watched = [z for z in zones if is_watched(z)]
    # BadInput where a zone sets a value that is wrong
    own = {z.id: CARD.values({**values, **z.parameters}) for z in watched}
    may = {z.id: may_be_in(tracks, z) for z in watched}
    told = []
    for visit in visits(tracks, watched, list(own.values())):
        name, ask = tracks.subjects[visit.subject], own[visit.zone.id]
        if may[visit.zone.id][visit.subject] or visit.depth_m < ask["least_depth_m"]:
            continue
        # a bush, a bird or dust begins as a track anywhere, and soon ends
        brief = visit.minutes < ask["unnamed_min"]
        if is_thing(name, visit) or (visit.unseen and name.startswith(UNNAMED) and brief):
            continue
        told.append((visit, _finding(tracks, visit, visit.depth_m, ask)))
    yield from told_once(tracks, told)


def _finding(tracks: Tracks, visit: Visit, depth: float, values: Mapping[str, float]) -> Finding:
    zone, count = visit.zone, visit.reports
    if visit.unseen:
        how = f"It was already inside {zone.name} when it was first heard, or heard again."
    elif count:
        how = f"It came into {zone.name} ({zone.kind.replace('_', ' ')})."
    else:
        how = f"The way between two of its reports crosses {zone.name}; none came from inside."
    silence = visit.silence_s / 60
    reasons = [
        Reason("reports_inside", count, "1", None, how),
        Reason(
            "minutes_inside",
            round(visit.minutes, 1),
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
        subjects=[tracks.subjects[visit.subject], f"zone:{zone.id}"],
        start=moment(visit.enter[0]),
        end=moment(visit.leave[0]),
        place=point(*visit.enter[1:]),
        radius_m=values["least_depth_m"],
        confidence=max(0.1, confidence - (0.2 if visit.unseen else 0.0)),
        reasons=reasons,
        records=tracks.records(visit.records()),
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
