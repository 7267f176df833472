"""Spells in which a mover's positions cannot be where it is: on a ring, frozen, or a default.

What is on land is told by `false_position` itself, which knows the zones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from cordon.kernel.geo import distance_m
from cordon.kernel.units import KNOTS_PER_MS
from cordon.picture.shared.hulls import Hulls, hulls_of, movers_of
from cordon.picture.shared.parted import parted_of
from cordon.picture.tracks import Bools, Floats, Ints, Tracks

_WINDOW = 24  # fixes to which a circle is fitted
_STEPS_S = (60.0, 180.0, 600.0)  # rings of some minutes, of half an hour, and of hours
_LONGEST_S = 8 * 3600.0  # as impossible_move: further apart are two spells
_COMMON = 0.02  # of the subjects: where more are at whole degrees, the data are rounded


@dataclass(frozen=True, slots=True)
class Ring:
    """A spell on a circle.

    Attributes:
        subject: index into the tracks' subjects. fixes: of the spell, in order of time.
        lat, lon, radius_m: the circle. turns: times round it, 0 where fixes are too far apart
            to count. speed_kn: made good from fix to fix, median.
        jumped: it came there, or went away, faster than any craft. told_kn: the speed that it
            reported, median, or NaN.
        stray_m: how far fixes lie off the circle, root mean square.
    """

    subject: int
    fixes: Ints
    lat: float
    lon: float
    radius_m: float
    turns: float
    speed_kn: float
    jumped: bool
    told_kn: float
    stray_m: float


def rings_of(tracks: Tracks, values: Mapping[str, float]) -> tuple[Ring, ...]:
    """Spells on circles; `values` are those of false_position's card."""
    names = ("ring_least_m", "ring_most_m", "ring_stray", "ring_least_kn")
    key = ("spells.rings", *(values[n] for n in names))
    return tracks.once(key, lambda: tuple(_rings(tracks, values)))


def _rings(tracks: Tracks, values: Mapping[str, float]) -> Iterator[Ring]:
    from cordon.picture import trackkernel as kernel

    h = hulls_of(tracks)
    if not len(h):
        return
    movers = movers_of(tracks)
    found = []
    for step in _STEPS_S:
        found += list(
            zip(
                *kernel.rings(
                    h.t,
                    h.lat,
                    h.lon,
                    h.starts,
                    step,
                    _WINDOW,
                    values["ring_least_m"],
                    values["ring_most_m"],
                    values["ring_stray"],
                    10.0,
                ),
                strict=True,
            )
        )
    found = [w for w in found if movers[h.subject[w[0]]]]
    for first, last in _merged(h, sorted(found)):
        ring = _ring(tracks, h, first, last, values)
        if ring is not None:
            yield ring


def _merged(h: Hulls, windows: list[tuple[int, int, float, float, float]]) -> list[tuple[int, int]]:
    """Spans of windows that overlap and lie on about the same circle."""
    spans: list[list[float]] = []
    for first, last, lat, lon, radius in windows:
        if spans:
            begin, end, y, x, r = spans[-1]
            same = h.hull[int(begin)] == h.hull[first] and first <= end
            if same and float(distance_m(y, x, lat, lon)) <= 0.5 * max(r, radius):
                spans[-1][1] = max(end, last)
                continue
        spans.append([first, last, lat, lon, radius])
    return [(int(s[0]), int(s[1])) for s in spans]


def _ring(
    tracks: Tracks, h: Hulls, first: int, last: int, values: Mapping[str, float]
) -> Ring | None:
    """The spell from entry `first` to `last` with its circle fitted to all of it."""
    some = np.arange(first, last + 1)
    lat, lon, t = h.lat[some], h.lon[some], h.t[some]
    east = 111_195.0 * np.cos(np.radians(lat[0]))
    x = ((lon - lon[0] + 540.0) % 360.0 - 180.0) * east
    y = (lat - lat[0]) * 111_195.0
    cx, cy, r = _circle(x, y)
    stray = float(np.sqrt(np.mean((np.hypot(x - cx, y - cy) - r) ** 2)))
    if not values["ring_least_m"] <= r <= values["ring_most_m"]:
        return None
    if stray > max(values["ring_stray"] * r, 10.0):
        return None
    angle = np.arctan2(y - cy, x - cx)
    step = (np.diff(angle) + np.pi) % (2 * np.pi) - np.pi
    net = float(np.abs(step.sum()) / (2 * np.pi))
    # where it goes to and fro, or by half turns, times round cannot be counted
    counted = net > 0.8 * float(np.abs(step).sum() / (2 * np.pi))
    counted &= float(np.quantile(np.abs(step), 0.9)) < np.radians(150)
    way = np.hypot(np.diff(x), np.diff(y))
    speed = float(np.median(way / np.maximum(np.diff(t), 1.0)) * KNOTS_PER_MS)
    if speed < values["ring_least_kn"]:
        return None
    told = tracks.speed[h.fix[some]]
    hull = int(h.hull[first])
    ends = {int(h.starts[hull]), int(h.starts[hull + 1]) - 1}
    parted = int(h.subject[first]) in parted_of(tracks).broken
    return Ring(
        int(h.subject[first]),
        h.fix[some],
        float(lat[0] + cy / 111_195.0),
        float((lon[0] + cx / east + 540.0) % 360.0 - 180.0),
        r,
        net if counted else 0.0,
        speed,
        parted and any(abs(k - e) <= _WINDOW for k in (first, last) for e in ends),
        float(np.nanmedian(told)) if np.isfinite(told).any() else float("nan"),
        stray,
    )


def _circle(x: Floats, y: Floats) -> tuple[float, float, float]:
    """Kåsa's circle through points: centre and radius."""
    u, v = x - x.mean(), y - y.mean()
    z = u * u + v * v
    a = np.array([[(u * u).sum(), (u * v).sum()], [(u * v).sum(), (v * v).sum()]])
    cx, cy = np.linalg.lstsq(a, np.array([(u * z).sum(), (v * z).sum()]) / 2, rcond=None)[0]
    r = float(np.sqrt(cx * cx + cy * cy + z.mean()))
    return float(cx + x.mean()), float(cy + y.mean()), r


@dataclass(frozen=True, slots=True)
class Stuck:
    """A spell at one place to the last digit.

    Attributes:
        subject: index into the tracks' subjects. fixes: of the spell, in order of time.
        told_kn: the speed that it reported, median, or NaN. default: the place is one that sets
            tell when they know none.
    """

    subject: int
    fixes: Ints
    told_kn: float
    default: bool


def frozen_of(tracks: Tracks, values: Mapping[str, float]) -> Iterator[Stuck]:
    """Spells in which the position stays to the last digit while the speed tells of a way."""
    from cordon.picture.shared import pathkernel as kernel

    begins, ends = kernel.stuck(
        tracks.t, tracks.lat, tracks.lon, tracks.starts, values["frozen_fixes"],
        values["frozen_min"] * 60,
    )  # fmt: skip
    movers = movers_of(tracks)
    for a, b in zip(begins.tolist(), ends.tolist(), strict=True):
        if movers[tracks.subject[a]]:
            told = tracks.speed[a:b]
            known = int(np.isfinite(told).sum())
            # most lie in port all day: a median is great only where half of them are
            if 2 * int((told >= values["frozen_least_kn"]).sum()) < max(known, 1):
                continue
            speed = float(np.nanmedian(told))
            if speed >= values["frozen_least_kn"]:
                yield Stuck(int(tracks.subject[a]), np.arange(a, b), speed, default=False)


def defaults_of(tracks: Tracks, values: Mapping[str, float]) -> tuple[Stuck, ...]:
    """Spells at 0/0 or at whole degrees, where sets are that know no position."""
    key = ("spells.defaults", values["default_fixes"])
    return tracks.once(key, lambda: tuple(_defaults(tracks, int(values["default_fixes"]))))


def _defaults(tracks: Tracks, least: int) -> Iterator[Stuck]:
    from cordon.picture.shared import pathkernel as kernel

    at = kernel.at_defaults(tracks.lat, tracks.lon)
    at &= movers_of(tracks)[tracks.subject]
    if not at.any() or _rounded(tracks, at):
        return
    k = np.flatnonzero(at)
    new = (np.diff(tracks.subject[k]) != 0) | (np.diff(tracks.t[k]) > _LONGEST_S)
    for some in np.split(k, np.flatnonzero(new) + 1):
        if len(some) >= least:
            told = tracks.speed[some]
            speed = float(np.nanmedian(told)) if np.isfinite(told).any() else float("nan")
            yield Stuck(int(tracks.subject[some[0]]), some, speed, default=True)


def _rounded(tracks: Tracks, at: Bools) -> bool:
    """Whether the data themselves are rounded to whole degrees."""
    places = np.unique(np.column_stack((tracks.lat[at], tracks.lon[at])), axis=0)
    who = len(np.unique(tracks.subject[at]))
    return len(places) > 3 and who > max(3.0, _COMMON * len(tracks.subjects))
