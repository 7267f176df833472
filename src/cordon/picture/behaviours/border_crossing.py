"""Passages over a border line away from official crossings, seen by ways and not by points."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from cordon.kernel.cards import load_card
from cordon.kernel.findings import Finding, Reason
from cordon.kernel.geo import point
from cordon.picture.model import Zone
from cordon.picture.shared.crossings import (
    Passage,
    hours_a_day,
    is_border,
    official_of,
    parties_of,
    passages,
    sides,
)
from cordon.picture.shared.doubles import same_hull_of, seen_together
from cordon.picture.shared.hulls import hulls_of
from cordon.picture.shared.visits import allowed_in, may_be_in
from cordon.picture.tracks import Tracks, moment

CARD = load_card(__file__)
_MOST_RECORDS = 30


def find(tracks: Tracks, zones: Sequence[Zone], values: Mapping[str, float]) -> Iterator[Finding]:
    """A finding for each passage of each mover over each border, official ones left out."""
    borders = [z for z in zones if is_border(z)]
    own = {z.id: CARD.values({**values, **z.parameters}) for z in borders}
    every = passages(tracks, borders, list(own.values()), flying=False)
    for border in borders:
        allowed, ask = allowed_in(border), own[border.id]
        may = may_be_in(tracks, border)
        some = [p for p in every if p.zone is border and not may[p.subject]]
        ways = official_of(tracks, some, zones, ask)
        common = hours_a_day(tracks, some, ask["common_m"])
        told = np.flatnonzero(~ways.may & (common <= ask["most_common"]))
        for rows, who in _by_hull(tracks, [some[n] for n in told]):
            n = int(told[rows[0]])
            found = _finding(tracks, some[n], float(ways.nearest_m[n]), float(common[n]), ask)
            # its id is that of who was seen first, and stays when another eye sees it too
            names = {tracks.subjects[k] for k in who} - allowed
            yield replace(found, subjects=tuple(sorted({*found.subjects, *names})))


def _by_hull(tracks: Tracks, told: Sequence[Passage]) -> list[tuple[list[int], list[int]]]:
    """Passages of one party, or of one hull that names itself and that a radar sees as well."""
    parties = parties_of(tracks, told)
    first = [told[rows[0]] for rows, _ in parties]
    hull = same_hull_of(tracks)
    # of a party's tracks one that is known to be somebody who names himself
    known = [next((k for k in who if hull[k] != k), who[0]) for _, who in parties]
    groups = seen_together(
        tracks,
        np.array(known, np.int64),
        np.array([p.t for p in first]),
        np.array([p.clear for p in first]),
        [p.sign for p in first],
    )
    return [
        (_joined(parties[n][0] for n in those), _joined(parties[n][1] for n in those))
        for those in groups
    ]


def _joined(lists: Iterable[list[int]]) -> list[int]:
    return list(dict.fromkeys(n for those in lists for n in those))


def _finding(
    tracks: Tracks, p: Passage, nearest: float, common: float, values: Mapping[str, float]
) -> Finding:
    h = hulls_of(tracks)
    known = np.isfinite(nearest)
    reasons = [
        Reason(
            "official_near_m",
            round(nearest) if known else 0,
            "m",
            values["official_near_m"],
            f"It passed {p.zone.name} {sides(p.zone, p.sign)}; "
            + (
                f"the nearest official crossing is {nearest / 1000:.1f} km away."
                if known
                else "no official crossing is drawn."
            ),
        ),
        Reason(
            "least_swing_m",
            round(p.swing_m),
            "m",
            values["least_swing_m"],
            "It was heard farther than this from the line on both sides, so that it is no jitter"
            + (f"; its way met the line {p.touches} times." if p.touches > 1 else "."),
        ),
        Reason(
            "longest_min",
            round(p.silence_s / 60, 1),
            "min",
            values["longest_min"],
            f"Between two reports so far apart in time it went over, {p.way_m:.0f} m from one to "
            "the other.",
        ),
    ]
    if common > 0:
        reasons.append(
            Reason(
                "most_common",
                round(common, 1),
                "h/d",
                values["most_common"],
                "In so many hours of a day others pass by daylight within "
                f"{values['common_m']:.0f} m of the place.",
            )
        )
    confidence = 0.92 - 0.4 * min(1.0, p.silence_s / 60 / values["longest_min"])
    confidence -= 0.04 * min(common, 5.0)
    first = max(p.before, p.after - _MOST_RECORDS + 1)
    return Finding.make(
        kind=CARD.kind,
        subjects=[tracks.subjects[p.subject], f"zone:{p.zone.id}"],
        start=moment(p.t),
        end=moment(p.clear),
        place=point(p.lat, p.lon),
        radius_m=round(max(p.swing_m, p.way_m / 2)),
        confidence=max(0.2, confidence),
        reasons=reasons,
        records=tracks.records(h.fix[first : p.after + 1]),
        detector=CARD.name,
        version=CARD.version,
    )
