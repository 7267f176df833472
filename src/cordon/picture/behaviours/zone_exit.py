"""Exits from watched zones, told once the mover is clearly outside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from cordon.kernel.cards import load_card
from cordon.kernel.findings import Finding, Reason
from cordon.kernel.geo import point
from cordon.picture.model import Zone
from cordon.picture.shared.visits import (
    Visit,
    gone_on,
    is_watched,
    may_be_in,
    told_once,
    visits,
)
from cordon.picture.tracks import Tracks, moment

CARD = load_card(__file__)


def find(tracks: Tracks, zones: Sequence[Zone], values: Mapping[str, float]) -> Iterator[Finding]:
    """A finding for each visit that is seen to end."""
    watched = [z for z in zones if is_watched(z, "watch_exit")]
    own = {z.id: CARD.values({**values, **z.parameters}) for z in watched}
    may = {z.id: may_be_in(tracks, z) for z in watched}
    told = []
    for seen in visits(tracks, watched, list(own.values())):
        gone = gone_on(tracks, seen, own[seen.zone.id]["exit_margin_m"])
        visit, also = (seen, ()) if gone is None else (gone[0], (tracks.subjects[gone[1]],))
        if visit.out is None or not (visit.seen_out or not visit.reports):
            continue
        if may[visit.zone.id][visit.subject]:
            continue
        depth = visit.depth_m
        if depth >= own[visit.zone.id]["least_depth_m"]:
            found = _finding(tracks, visit, depth, own[visit.zone.id])
            # its id is that of who was inside
            found = replace(found, subjects=tuple(sorted({*found.subjects, *also})))
            told.append((visit, found))
    yield from told_once(tracks, told)


def _finding(tracks: Tracks, visit: Visit, depth: float, values: Mapping[str, float]) -> Finding:
    zone = visit.zone
    left, clear = visit.passed_out, visit.out or visit.passed_out[0]
    reasons = [
        Reason(
            "exit_margin_m",
            values["exit_margin_m"],
            "m",
            values["exit_margin_m"],
            f"It left {zone.name} ({zone.kind.replace('_', ' ')}); "
            f"{(clear - left[0]) / 60:.0f} min later it was this far outside, or had stayed "
            "outside, or was gone.",
        ),
        Reason(
            "minutes_inside",
            round(visit.minutes, 1),
            "min",
            None,
            "So long was it known inside before" + _known(visit),
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
                "So far inside the zone's edge lay the deepest point known of it.",
            )
        )
    sure = 0.75 + 0.05 * min(visit.reports, 3) + 0.05 * min(1.0, depth / 1000)
    return Finding.make(
        kind=CARD.kind,
        subjects=[tracks.subjects[visit.subject], f"zone:{zone.id}"],
        start=moment(left[0]),
        end=moment(clear),
        place=point(*left[1:]),
        radius_m=values["least_depth_m"],
        confidence=min(0.95, sure) if visit.reports else 0.5,
        reasons=reasons,
        records=tracks.records(visit.records()),
        detector=CARD.name,
        version=CARD.version,
    )


def _known(visit: Visit) -> str:
    if not visit.reports:
        return ": the way between two of its reports passes through."
    return ", and it was there when it was first heard." if visit.unseen else "."
