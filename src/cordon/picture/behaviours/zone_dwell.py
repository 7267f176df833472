"""Long stays in watched zones, open ones too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from cordon.kernel.cards import load_card
from cordon.kernel.findings import Finding, Reason
from cordon.kernel.geo import point
from cordon.picture.model import Zone
from cordon.picture.shared.visits import (
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
    """A finding for each visit of each subject to each watched zone that lasts too long."""
    watched = [z for z in zones if is_watched(z, "watch_dwell") or "dwell_min" in z.parameters]
    own = {z.id: CARD.values({**values, **z.parameters}) for z in watched}
    may = {z.id: may_be_in(tracks, z) for z in watched}
    told = []
    for visit in visits(tracks, watched, list(own.values())):
        ask = own[visit.zone.id]
        if visit.reports < 2 or visit.minutes < ask["dwell_min"]:
            continue
        if visit.silence_s > ask["silence_longest_min"] * 60:
            continue
        name = tracks.subjects[visit.subject]
        if may[visit.zone.id][visit.subject] or is_thing(name, visit):
            continue
        depth = visit.depth_m
        if depth >= ask["least_depth_m"]:
            told.append((visit, _finding(tracks, visit, depth, ask)))
    yield from told_once(tracks, told)


def _finding(tracks: Tracks, visit: Visit, depth: float, values: Mapping[str, float]) -> Finding:
    zone = visit.zone
    state = "was" if visit.out is not None else "has been"
    known = "at least " if visit.unseen else ""
    reasons = [
        Reason(
            "dwell_min",
            round(visit.minutes, 1),
            "min",
            values["dwell_min"],
            f"It {state} in {zone.name} ({zone.kind.replace('_', ' ')}) for {known}"
            f"{visit.minutes:.0f} min.",
        ),
        Reason(
            "silence_longest_min",
            round(visit.silence_s / 60, 1),
            "min",
            values["silence_longest_min"],
            "So long was the longest time between two of its reports within the stay.",
        ),
        Reason(
            "reports_inside", visit.reports, "1", None, "So many of its reports came from inside."
        ),
    ]
    if np.isfinite(depth):
        reasons.append(
            Reason(
                "least_depth_m",
                round(depth),
                "m",
                values["least_depth_m"],
                "So far inside the zone's edge lies the deepest point known of it.",
            )
        )
    share = visit.silence_s / 60 / max(visit.minutes, 1.0)
    return Finding.make(
        kind=CARD.kind,
        subjects=[tracks.subjects[visit.subject], f"zone:{zone.id}"],
        start=moment(visit.enter[0]),
        end=moment(visit.leave[0]),
        place=point(*visit.enter[1:]),
        radius_m=values["exit_margin_m"],
        confidence=float(np.clip(0.95 - 0.4 * share, 0.4, 0.95)),
        reasons=reasons,
        records=tracks.records(visit.records()),
        detector=CARD.name,
        version=CARD.version,
    )
