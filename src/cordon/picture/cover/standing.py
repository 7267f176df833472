"""What the sensors that stand somewhere see of a sector, over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cordon.picture.cover.cells import Cells
from cordon.picture.cover.eye import Eye
from cordon.picture.cover.model import Sees
from cordon.picture.tracks import Bools, Floats, Ints


@dataclass(frozen=True, slots=True)
class Standing:
    """What standing sensors see of the cells.

    Attributes:
        eyes: those that see anything of the sector when they work.
        pattern: for each time the row of `seen` that held then.
        seen: the part of each cell that is seen, shape (patterns, cells).
        usual: the same where all that are usually there work, by day and by night; (2, cells).
        left: what was left of each eye at each time, 0 (down) to 1; shape (eyes, times).
    """

    eyes: list[Eye]
    pattern: Ints
    seen: Floats
    usual: Floats
    left: Floats


def standing(
    eyes: Sequence[Eye], cells: Cells, target: Sees, times: Floats, night: Bools
) -> Standing:
    """What eyes see of a target over some times (s, ascending)."""
    whole = []  # of those that see anything: by day, by night
    some = []
    for eye in eyes:
        by_day = eye.sees_of(cells, target, night=False)
        by_night = by_day
        if eye.sensor.night_range_m is not None:
            by_night = eye.sees_of(cells, target, night=True)
        if by_day.any() or by_night.any():
            some.append(eye)
            whole.append((by_day, by_night))
    none = np.zeros((2, len(cells)))
    steady = [np.stack(w) for eye, w in zip(some, whole, strict=True) if eye.steady]
    usual = np.maximum.reduce([none, *steady])
    left = left_of(some, times)
    state = np.vstack((left, night))
    # cover changes only where a sensor's state or the light does: each state is reckoned once
    begins = np.append(True, (np.diff(state, axis=1) != 0).any(axis=0))[: len(times)]
    patterns, pattern = np.unique(state[:, begins], axis=1, return_inverse=True)
    pattern = pattern.reshape(-1)[np.cumsum(begins) - 1]
    seen = np.zeros((patterns.shape[1], len(cells)))
    for p in range(patterns.shape[1]):
        dark = bool(patterns[-1, p])
        for eye, both, part in zip(some, whole, patterns[:-1, p], strict=True):
            if part >= 1.0:
                np.maximum(seen[p], both[dark], out=seen[p])
            elif part > 0.0:
                told = eye.sees_of(cells, target, night=dark, left=float(part))
                np.maximum(seen[p], told, out=seen[p])
    return Standing(some, pattern.astype(np.int64), seen, usual, left)


def left_of(eyes: Sequence[Eye], times: Floats) -> Floats:
    """What was left of each eye's range at each time, shape (eyes, times)."""
    left = np.ones((len(eyes), len(times)))
    for i, eye in enumerate(eyes):
        for down in eye.downs:
            lo, hi = np.searchsorted(times, (down.start, down.end))
            hi = len(times) if down.open else hi
            left[i, lo:hi] = np.minimum(left[i, lo:hi], down.reach)
    return left
