"""Movers that go the same way together for long, and how likely chance brings them together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cordon.picture.shared.hulls import fliers_of, hulls_of, movers_of
from cordon.picture.shared.numbering import numbered
from cordon.picture.tracks import Floats, Ints, Tracks

STEP_S = 120.0
_CELL_DEG = 0.1  # a stretch of road or lane of some 10 km
_LEAST_SPREAD_M = 60.0  # below it lie the errors of positions
_LEAST_OTHERS = 5  # movers that tell how speeds differ there


@dataclass(frozen=True, slots=True)
class Moving:
    """Where movers under way were at common moments, by moment, then latitude.

    Attributes:
        subject: index into the tracks' subjects. slot: in steps of STEP_S since the epoch.
            lat, lon: degrees. north, east: speed made good (m/s).
    """

    subject: Ints
    slot: Ints
    lat: Floats
    lon: Floats
    north: Floats
    east: Floats

    def __len__(self) -> int:
        return len(self.slot)


@dataclass(frozen=True, slots=True)
class Runs:
    """Times over which two movers kept company; columns, by begin.

    Attributes:
        one, two: indices into the tracks' subjects, one < two. t0, t1: s. way_m: how far they
            went. spread_m: by how much the distance between them along their way varied.
            apart_m: that distance, median. chance: how likely two others that go there stay
            together for so long.
    """

    one: Ints
    two: Ints
    t0: Floats
    t1: Floats
    way_m: Floats
    spread_m: Floats
    apart_m: Floats
    chance: Floats
    partners: Ints


def moving_of(tracks: Tracks, slowest_ms: float, silence_s: float) -> Moving:
    """Samples of all who move by themselves on land or sea, between reports not too far apart."""
    return tracks.once(
        ("cotravel", slowest_ms, silence_s), lambda: _moving(tracks, slowest_ms, silence_s)
    )


def _moving(tracks: Tracks, slowest_ms: float, silence_s: float) -> Moving:
    from cordon.picture.shared import cotravelkernel as kernel

    h = hulls_of(tracks)
    counted = movers_of(tracks) & ~fliers_of(tracks)
    columns = kernel.under_way(
        h.t, h.lat, h.lon, h.starts, h.subject, counted, STEP_S, silence_s, slowest_ms
    )
    slot, lat = columns[1:3]
    order = kernel.by_slot(slot, lat)
    if len(order) < len(slot):
        order = np.lexsort((lat, slot))
    return Moving(*(c[order] for c in columns))


def runs_of(tracks: Tracks, values: Mapping[str, float]) -> Runs:
    """Times over which two movers kept company, of some length.

    Args:
        values: `slowest_kn`, `silence_min`, `near_m`, `lag_s`, `run_min`, `pause_min` and
            `speeds_differ` of the card of convoy.
    """
    from cordon.picture.shared import cotravelkernel as kernel

    moving = moving_of(tracks, values["slowest_kn"] * 1852.0 / 3600.0, values["silence_min"] * 60)
    one, two, slot, ahead, off, pace = kernel.company(
        moving.slot,
        moving.subject,
        moving.lat,
        moving.lon,
        moving.north,
        moving.east,
        values["near_m"],
        values["lag_s"],
        values["most_m"],
    )
    order = np.lexsort((slot, two, one))
    one, two, slot, ahead, off, pace = (v[order] for v in (one, two, slot, ahead, off, pace))
    partners = _partners(len(tracks.subjects), one, two)
    new = np.ones(len(one), dtype=np.bool_)
    new[1:] = (
        (np.diff(one) != 0)
        | (np.diff(two) != 0)
        | (np.diff(slot) * STEP_S > values["pause_min"] * 60)
    )
    begin = np.flatnonzero(new)
    end = np.append(begin[1:], len(one))[: len(begin)]
    lasts = (slot[end - 1] - slot[begin]) * STEP_S if len(begin) else np.zeros(0)
    full = (end - begin) * STEP_S >= 0.6 * (lasts + STEP_S)
    good = (lasts >= values["run_min"] * 60) & full
    begin, end, lasts = begin[good], end[good], lasts[good]
    spread, apart, mean = kernel.told_of_runs(ahead, off, pace, begin, end, 0.1)
    one, two = one[begin].astype(np.int64), two[begin].astype(np.int64)
    t0 = slot[begin] * STEP_S
    sigma = _speeds_differ(moving, one, slot[begin], slot[end - 1], values["speeds_differ"]) * mean
    chance = _chance(np.maximum(spread, _LEAST_SPREAD_M), sigma, lasts)
    order = np.lexsort((two, one, t0))
    return Runs(
        one[order],
        two[order],
        t0[order],
        (t0 + lasts)[order],
        (mean * lasts)[order],
        spread[order],
        apart[order],
        chance[order],
        np.minimum(partners[one], partners[two])[order],
    )


def _partners(count: int, one: Ints, two: Ints) -> Ints:
    """With how many others each subject ever was near on the same way; pairs by one, then two."""
    new = np.ones(len(one), dtype=np.bool_)
    new[1:] = (np.diff(one) != 0) | (np.diff(two) != 0)
    return np.bincount(one[new], minlength=count) + np.bincount(two[new], minlength=count)


def _chance(spread: Floats, sigma: Floats, lasts: Floats) -> Floats:
    """How likely the speeds of two, drawn at random, are so near that they stay so together.

    Speeds are normal about what is usual there, with sigma (m/s) each: their difference, times
    the time, is to be at most the spread seen.
    """
    from scipy.special import erf

    wide = np.maximum(2.0 * sigma * lasts, 1e-9)  # √2 σ T, times √2
    return np.asarray(np.clip(erf(spread / wide), 1e-6, 1.0))


def _speeds_differ(moving: Moving, subject: Ints, first: Ints, last: Ints, usual: float) -> Floats:
    """By what part of its mean the speed of movers differs where a run goes, in its direction.

    Learned from the other movers of the same cells and directions; `usual` where there are few.
    """
    from cordon.picture.shared import cotravelkernel as kernel

    if not len(subject):
        return np.zeros(0)
    cells, at = numbered(
        kernel.directed_cells(moving.lat, moving.lon, moving.north, moving.east, _CELL_DEG)
    )
    order, starts = kernel.by_subject(moving.subject, int(moving.subject.max()) + 1)
    count, total, square = kernel.mean_speeds(
        order, starts, at, len(cells), moving.north, moving.east
    )
    mean = total / count
    share = np.sqrt(np.maximum(square / count - mean * mean, 0.0)) / np.maximum(mean, 0.1)
    share[count < _LEAST_OTHERS] = np.nan
    # of the cells that the first of the two passes
    low, high = kernel.spans(moving.slot[order], starts, subject, first, last)
    differ: Floats = kernel.middle_share(share, at[order], low, high, usual)
    return np.clip(differ, 0.5 * usual, 3 * usual)
