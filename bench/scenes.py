"""Scenes for the tracker with known truth, and GOSPA, by which its tracks are held against it.

Craft go straight and turn now and then, some in pairs whose ways cross; a radar sees them with
errors and misses, among clutter. All is in metres on a plane; `lat_lon` lays it on the globe.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.spatial import cKDTree

from cordon.picture.tracking.plane import moved, offset

Floats = NDArray[np.float64]
CENTRE = (24.0, 66.0)
BEGINS = 1_767_225_600.0  # 2026-01-01


@dataclass(frozen=True)
class Scene:
    """What a radar saw, scan by scan.

    Attributes:
        times: s. truth: of each scan, (k, 2) metres of the craft that are there; who: their
            numbers. plots: (n, 2) metres; of: whose each is, -1 for clutter. error: m.
    """

    times: list[float]
    truth: list[Floats]
    who: list[NDArray[np.int64]]
    plots: list[Floats]
    of: list[NDArray[np.int64]]
    error: float
    side: float
    scan_s: float

    @property
    def count(self) -> int:
        """Plots in all."""
        return sum(len(p) for p in self.plots)


def scene(
    craft: int,
    scans: int,
    *,
    seed: int,
    side: float,
    clutter: float,
    scan_s: float = 2.0,
    seen: float = 0.9,
    error: float = 20.0,
    turning: bool = True,
) -> Scene:
    """Make a scene.

    Args:
        craft: how many; a fifth of them come late or go early, a fifth are pairs that cross.
        side: of the square in which they begin (m). clutter: plots a scan, on the mean.
        seen: odds that a craft gives a plot. error: standard deviation east and north (m).
        turning: whether they turn: every two minutes or so, for 10 to 30 s, at 1 to 6 degrees/s.
    """
    rng = np.random.default_rng(seed)
    place = rng.uniform(0.0, side, (craft, 2))
    speed, course = rng.uniform(2.0, 12.0, craft), rng.uniform(0.0, 2 * np.pi, craft)
    middle = 0.5 * scans * scan_s
    for k in range(0, craft // 5 - 1, 2):
        # the second of a pair is where the first is at half time, on a course of its own
        meet = place[k] + middle * speed[k] * _way(course[k])
        place[k + 1] = meet - middle * speed[k + 1] * _way(course[k + 1])
    straight = np.arange(craft) < craft // 5
    begins, ends = np.zeros(craft, int), np.full(craft, scans)
    some = np.arange(craft) >= craft - craft // 5
    begins[some] = rng.integers(0, scans // 2 + 1, some.sum())
    ends[some] = begins[some] + rng.integers(scans // 3, scans, some.sum())
    rate, until = np.zeros(craft), rng.exponential(120.0, craft)
    out = Scene([], [], [], [], [], error, side, scan_s)
    for scan in range(scans):
        t = scan * scan_s
        change = (t >= until) & turning & ~straight
        turns = change & (rate == 0.0)
        ended = change & (rate != 0.0)
        rate[ended] = 0.0
        until[ended] = t + rng.exponential(120.0, ended.sum())
        sign = rng.choice([-1.0, 1.0], turns.sum())
        rate[turns] = np.radians(rng.uniform(1.0, 6.0, turns.sum())) * sign
        until[turns] = t + rng.uniform(10.0, 30.0, turns.sum())
        if scan:
            for _ in range(10):  # ten steps a scan follow a turn to centimetres
                course += rate * scan_s / 10
                place += (speed * scan_s / 10)[:, None] * _way(course)
        there = np.flatnonzero((scan >= begins) & (scan < ends))
        saw = there[rng.random(len(there)) < seen]
        plots = place[saw] + rng.normal(0.0, error, (len(saw), 2))
        noise = rng.uniform(0.0, side, (rng.poisson(clutter), 2))
        mixed = rng.permutation(len(plots) + len(noise))
        out.times.append(BEGINS + t)
        out.truth.append(place[there].copy())
        out.who.append(there)
        out.plots.append(np.concatenate((plots, noise))[mixed])
        out.of.append(np.concatenate((saw, np.full(len(noise), -1)))[mixed])
    return out


def _way(course: Floats) -> Floats:
    return np.stack((np.sin(course), np.cos(course)), axis=-1)


def lat_lon(places: Floats) -> tuple[Floats, Floats]:
    """Metres on the plane as degrees."""
    there = [moved(*CENTRE, east, north)[:2] for east, north in places]
    lat, lon = np.array(there).reshape(-1, 2).T
    return lat, lon


def metres(lat: Floats, lon: Floats) -> Floats:
    """Degrees as metres on the plane."""
    there = [offset(*CENTRE, a, b) for a, b in zip(lat, lon, strict=True)]
    return np.array(there).reshape(-1, 2)


@dataclass(frozen=True)
class Gospa:
    """GOSPA of two sets of places, and what it is made of; all to the power of two (m²)."""

    distance: float
    localisation: float
    missed: float
    false: float


def gospa(tracks: Floats, truth: Floats, cutoff: float = 100.0) -> Gospa:
    """Generalized optimal sub-pattern assignment (Rahmathullah, García-Fernández and Svensson
    2017), p = 2, alpha = 2.

    Args:
        tracks, truth: (n, 2), metres. cutoff: m; one farther off is missed and false.
    """
    pairs = np.empty((0, 2), np.int64)
    gaps = np.empty(0)
    if len(tracks) and len(truth):
        near = cKDTree(tracks).sparse_distance_matrix(cKDTree(truth), cutoff)
        rows, columns = (np.unique(k) for k in near.nonzero())
        # what a pair within the cutoff spares against one missed and one false
        spared = np.zeros((len(rows), len(columns)))
        for (a, b), d in near.items():
            spared[np.searchsorted(rows, a), np.searchsorted(columns, b)] = cutoff**2 - d**2
        a, b = linear_sum_assignment(spared, maximize=True)
        good = spared[a, b] > 0.0
        pairs = np.stack((rows[a[good]], columns[b[good]]), axis=1)
        gaps = np.linalg.norm(tracks[pairs[:, 0]] - truth[pairs[:, 1]], axis=1)
    localisation = float((gaps**2).sum())
    missed = cutoff**2 / 2 * (len(truth) - len(pairs))
    false = cutoff**2 / 2 * (len(tracks) - len(pairs))
    return Gospa(
        float(np.sqrt(localisation + missed + false)), localisation, float(missed), float(false)
    )
