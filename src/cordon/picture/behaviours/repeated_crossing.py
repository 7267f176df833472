"""Passages over a border by night, again and again at one place where few pass otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from cordon.kernel.cards import load_card
from cordon.kernel.findings import Finding, Reason
from cordon.kernel.geo import distance_m, point
from cordon.picture.model import Zone
from cordon.picture.shared.crossings import (
    Passage,
    hours_a_day,
    is_border,
    official_of,
    parties_of,
    passages,
)
from cordon.picture.shared.hulls import hulls_of
from cordon.picture.shared.sun import is_night
from cordon.picture.shared.visits import may_be_in
from cordon.picture.tracks import Bools, Floats, Ints, Tracks, moment
from cordon.picture.zonegrid import grid_of

CARD = load_card(__file__)
_DAY_S = 86_400.0
_PRIOR_NIGHT, _PRIOR_DAY = 0.5, 5.0
_MOST_RECORDS = 100


@dataclass(frozen=True, slots=True)
class _Place:
    """A place of one border, and who passed there by night.

    Attributes:
        rows: their places in the list of passages, by time. times: how many, those of one party
            once. by_day: how many by day. expected: so many were to be expected by chance.
        chance: of so many, at any place of the border.
    """

    rows: Ints
    times: int
    by_day: int
    expected: float
    chance: float


def find(tracks: Tracks, zones: Sequence[Zone], values: Mapping[str, float]) -> Iterator[Finding]:
    """A finding for each place of each border that is passed by night again and again."""
    borders = [z for z in zones if is_border(z)]
    own = {z.id: CARD.values({**values, **z.parameters}) for z in borders}
    every = passages(tracks, borders, list(own.values()), flying=False)
    for border in borders:
        may_pass, ask = may_be_in(tracks, border), own[border.id]
        some = [p for p in every if p.zone is border and not may_pass[p.subject]]
        may = official_of(tracks, some, zones, ask).may
        some = [p for p, by_crossing in zip(some, may, strict=True) if not by_crossing]
        roads = hours_a_day(tracks, some, ask["common_m"]) > ask["most_common"]
        for place in _places(border, some, roads, ask):
            yield _finding(tracks, border, [some[n] for n in place.rows], place, ask)


def _places(
    border: Zone, some: Sequence[Passage], roads: Bools, values: Mapping[str, float]
) -> Iterator[_Place]:
    """Places that are passed more often by night than chance explains, the most unlikely first."""
    if not some:
        return
    t, lat, lon = (np.array([getattr(p, c) for p in some]) for c in ("t", "lat", "lon"))
    dark = is_night(t, lat, lon)
    free = dark.copy()
    tries = max(1.0, _length_m(border) / (2 * values["near_m"]))
    while free.any():
        best: _Place | None = None
        for seed in np.flatnonzero(free):
            near = distance_m(lat[seed], lon[seed], lat, lon) <= values["near_m"]
            near &= np.abs(t - t[seed]) <= values["within_days"] * _DAY_S
            place = _judged(t, near, dark, free, roads, tries, values["apart_min"] * 60)
            if best is None or (place.chance, -place.times) < (best.chance, -best.times):
                best = place
        if best is None or best.chance > values["most_chance"]:
            return
        if best.times < values["least_times"]:
            return
        free[best.rows] = False
        yield best


def _judged(
    t: Floats, near: Bools, dark: Bools, free: Bools, roads: Bools, tries: float, apart_s: float
) -> _Place:
    """How likely so many passages at a place are, given what passes elsewhere and here by day."""
    from scipy.special import pdtrc

    rows = np.flatnonzero(near & free)

    def times(which: Bools) -> int:
        """Passages, those of one party (or of one mover that two eyes see) once."""
        moments = t[which]  # by time
        return int((np.diff(moments) > apart_s).sum()) + 1 if len(moments) else 0

    # elsewhere parties pass at many places at once, and each counts
    elsewhere = int((dark & ~near & ~roads).sum())
    by_night = (elsewhere + _PRIOR_NIGHT) / max(tries - 1.0, 1.0)
    # and the passages by night that so much passing by day brings with it
    by_day = times(near & ~dark)
    share = (elsewhere + _PRIOR_NIGHT) / (int((~near & ~dark & ~roads).sum()) + _PRIOR_DAY)
    expected = by_night + by_day * min(share, 1.0)
    here = times(near & free)
    # pdtrc(k, m): a Poisson count of mean m is more than k
    chance = tries * float(pdtrc(here - 1, by_night))
    if by_day:
        # only where somebody passes by day are more to be expected: so many places are tried
        passed = min(tries, float((~dark & ~roads).sum()))
        chance += passed * float(pdtrc(here - 1, expected))
    chance = min(1.0, chance)
    return _Place(rows, here, by_day, expected, chance)


def _length_m(border: Zone) -> float:
    edges: Floats = grid_of([border]).shapes.edges
    return float(distance_m(edges[:, 1], edges[:, 0], edges[:, 3], edges[:, 2]).sum())


def _finding(
    tracks: Tracks,
    border: Zone,
    some: Sequence[Passage],
    place: _Place,
    values: Mapping[str, float],
) -> Finding:
    h = hulls_of(tracks)
    seen = parties_of(tracks, some)
    who = sorted({tracks.subjects[k] for _, members in seen for k in members})
    lat, lon = (float(np.median([getattr(p, c) for p in some])) for c in ("lat", "lon"))
    reach = max(float(distance_m(lat, lon, p.lat, p.lon)) for p in some)
    nights = len({np.floor((p.t + p.lon * 240.0) / _DAY_S - 0.5) for p in some})  # noon to noon
    reasons = (
        Reason(
            "least_times",
            place.times,
            "1",
            values["least_times"],
            f"{place.times} times within {nights} {'night' if nights == 1 else 'nights'} somebody "
            f"passed {border.name} within {reach:.0f} m of one place, away from crossings: "
            f"{len(seen)} {'passage' if len(seen) == 1 else 'passages'}.",
        ),
        Reason(
            "expected_times",
            round(place.expected, 3),
            "1",
            None,
            "So often was it to be expected here, by what passes elsewhere by night and here by "
            "day.",
        ),
        Reason(
            "most_chance",
            float(f"{place.chance:.2g}"),
            "1",
            values["most_chance"],
            "So likely would chance bring so many together at any place of the border.",
        ),
        Reason("by_day", place.by_day, "1", None, "So many passed here by day."),
    )
    rows = sorted({int(h.fix[k]) for p in some for k in (p.before, p.step, p.step + 1, p.after)})
    found = Finding.make(
        kind=CARD.kind,
        # its id is that of the first passage, and stays when others come
        subjects=[tracks.subjects[some[0].subject], f"zone:{border.id}"],
        start=moment(some[0].t),
        end=moment(some[-1].clear),
        place=point(lat, lon),
        radius_m=round(max(reach, values["near_m"] / 4)),
        confidence=float(np.clip(0.55 - 0.06 * np.log10(max(place.chance, 1e-6)), 0.3, 0.92)),
        reasons=reasons,
        records=tracks.records(rows[:_MOST_RECORDS]),
        detector=CARD.name,
        version=CARD.version,
    )
    return replace(found, subjects=tuple(sorted([*who, f"zone:{border.id}"])))
