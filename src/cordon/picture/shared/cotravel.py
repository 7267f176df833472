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
_EIGHTHS = 8  # directions in which movers of one cell are compared
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
    from cordon.picture import trackkernel as kernel

    h = hulls_of(tracks)
    counted = movers_of(tracks) & ~fliers_of(tracks)
    some = np.flatnonzero(h.linked & counted[h.subject])
    entry, slot, lat, lon = kernel.sampled(h.t, h.lat, h.lon, h.hull, some, STEP_S, silence_s)
    north, east = _speeds(h.hull[entry], slot, lat, lon)
    # nor where it is not known
    keep = np.flatnonzero(north * north + east * east >= slowest_ms * slowest_ms)
    order = kernel.by_slot(slot[keep], lat[keep])
    if len(order) < len(keep):
        order = np.lexsort((lat[keep], slot[keep]))
    keep = keep[order]
    return Moving(h.subject[entry[keep]], slot[keep], lat[keep], lon[keep], north[keep], east[keep])


def _speeds(hull: Ints, slot: Ints, lat: Floats, lon: Floats) -> tuple[Floats, Floats]:
    """Speed made good (m/s north and east) from the moment before each to the moment after it.

    So long a way is longer than a radar's error. Where only one of the two is known it is from
    or to that one; NaN where none is.
    """
    n = len(slot)
    linked = np.zeros(n + 1, dtype=np.bool_)  # linked[i]: sample i - 1 and i follow one another
    linked[1:n] = (np.diff(hull) == 0) & (np.diff(slot) == 1)
    low = np.arange(n) - linked[:n]
    high = np.arange(n) + linked[1:]
    dt = (high - low) * STEP_S
    with np.errstate(divide="ignore", invalid="ignore"):
        north = (lat[high] - lat[low]) * 111_195.0 / dt
        east = ((lon[high] - lon[low] + 540.0) % 360.0 - 180.0) * 111_195.0 / dt
    return north, east * np.cos(np.radians(lat))


def runs_of(tracks: Tracks, values: Mapping[str, float]) -> Runs:
    """Times over which two movers kept company, of some length.

    Args:
        values: `slowest_kn`, `silence_min`, `near_m`, `lag_s`, `run_min`, `pause_min` and
            `speeds_differ` of the card of convoy.
    """
    from cordon.picture import trackkernel as kernel

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
    from cordon.picture import trackkernel as kernel

    if not len(subject):
        return np.zeros(0)
    speed = np.hypot(moving.north, moving.east)
    turn = np.floor((np.arctan2(moving.east, moving.north) / (2 * np.pi) + 1.0) * _EIGHTHS)
    y = np.floor((moving.lat + 90.0) / _CELL_DEG).astype(np.int64)
    x = np.floor((moving.lon + 180.0) / _CELL_DEG).astype(np.int64)
    cell = (y * 3600 + x) * _EIGHTHS + turn.astype(np.int64) % _EIGHTHS
    # the mean speed of each mover in each cell
    cells, at = numbered(cell)
    many = int(moving.subject.max()) + 1
    key = at * many + moving.subject
    by_key = np.argsort(key)
    begin = np.flatnonzero(np.append(True, np.diff(key[by_key]) != 0))
    own = np.add.reduceat(speed[by_key], begin) / np.diff(np.append(begin, len(key)))
    where = key[by_key[begin]] // many
    count = np.bincount(where, minlength=len(cells))
    mean = np.bincount(where, own, minlength=len(cells)) / count
    var = np.bincount(where, own * own, minlength=len(cells)) / count - mean * mean
    share = np.sqrt(np.maximum(var, 0.0)) / np.maximum(mean, 0.1)
    share[count < _LEAST_OTHERS] = np.nan
    # of the cells that the first of the two passes
    order = np.lexsort((moving.slot, moving.subject))
    wide = int(moving.slot.max()) - int(moving.slot.min()) + 2
    place = moving.subject[order] * wide + (moving.slot[order] - int(moving.slot.min()))
    low = np.searchsorted(place, subject * wide + (first - int(moving.slot.min())))
    high = np.searchsorted(place, subject * wide + (last - int(moving.slot.min())), side="right")
    differ: Floats = kernel.middle_share(share, at[order], low, high, usual)
    return np.clip(differ, 0.5 * usual, 3 * usual)
