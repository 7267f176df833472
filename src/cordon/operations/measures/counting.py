"""From responses to figures: quantiles that count who still waits, and a change with its interval.

Quantiles are those of the product-limit curve (Kaplan and Meier 1958): an alert that still waits
has waited so long at least, and is neither left out nor taken for answered now. An alert that was
over before it came through is counted apart: it would never have come through.

The interval resamples whole watches, not alerts: what one watch raises in a bad night is answered
by the same people and is not independent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from cordon.operations.measures.model import ENDS, Change, Figure, Response, Step

FEWEST_WATCHES = 6  # on each side, below which resampling them says nothing
RESAMPLES = 1000
_MEDIAN, _HIGH = 0.5, 0.9
Floats = NDArray[np.float64]


def quantile(lasted: Floats, came: NDArray[np.bool_], weight: Floats, share: float) -> float:
    """Smallest duration by which `share` had come through; infinite where it is not reached.

    Args:
        lasted: durations (s), of those that wait so far; shape (n,), sorted, and where equal those
            that came first. came: False for those that wait. weight: how often each counts.
    """
    total = float(weight.sum())
    if total <= 0:
        return float("inf")
    at_risk = total - np.concatenate(([0.0], np.cumsum(weight)[:-1]))
    lost = np.divide(weight * came, at_risk, out=np.zeros_like(weight), where=at_risk > 0)
    gone = 1.0 - np.cumprod(1.0 - lost)
    reached = np.flatnonzero((gone >= share - 1e-12) & came & (weight > 0))
    return float(lasted[reached[0]]) if len(reached) else float("inf")


class _Lasted:
    """The durations of one step, sorted, with what became of the others."""

    def __init__(self, responses: Iterable[Response], step: Step, now: datetime) -> None:
        first, last = ENDS[step]
        rows: list[tuple[float, bool, str]] = []
        self.ended = self.backwards = 0
        for one in responses:
            start, end = one.at.get(first), one.at.get(last)
            if start is None:
                continue
            if end is None and one.over:
                self.ended += 1
                continue
            seconds = ((end or now) - start).total_seconds()
            if seconds < 0:
                self.backwards += 1
            else:
                rows.append((seconds, end is not None, one.block))
        rows.sort(key=lambda row: (row[0], not row[1]))
        self.lasted: Floats = np.array([row[0] for row in rows], np.float64)
        self.came = np.array([row[1] for row in rows], np.bool_)
        self.blocks, block_of = np.unique([row[2] for row in rows], return_inverse=True)
        self.block_of = block_of.astype(np.int64)

    def quantile(self, share: float, counts: Floats | None = None) -> float:
        weight = np.ones(len(self.lasted)) if counts is None else counts[self.block_of]
        return quantile(self.lasted, self.came, weight, share)

    def figure(self, step: Step) -> Figure:
        done = int(self.came.sum())
        return Figure(
            step=step,
            median_s=_finite(self.quantile(_MEDIAN)),
            high_s=_finite(self.quantile(_HIGH)),
            done=done,
            waiting=len(self.came) - done,
            ended=self.ended,
            backwards=self.backwards,
        )


def figure(responses: Iterable[Response], step: Step, now: datetime) -> Figure:
    """One step of these responses, followed until `now`."""
    return _Lasted(responses, step, now).figure(step)


def figures(responses: Sequence[Response], now: datetime) -> tuple[Figure, ...]:
    """Every step of these responses."""
    return tuple(figure(responses, step, now) for step in Step)


def grouped(
    responses: Sequence[Response], key: Callable[[Response], str], now: datetime
) -> tuple[tuple[str, int, tuple[Figure, ...]], ...]:
    """Every step by a key: name, alerts and figures, by name with those of none last."""
    parts: dict[str, list[Response]] = {}
    for one in responses:
        parts.setdefault(key(one), []).append(one)
    names = sorted(parts, key=lambda name: (not name, name))
    return tuple((name, len(parts[name]), figures(parts[name], now)) for name in names)


def change(
    before: Sequence[Response], after: Sequence[Response], step: Step, now: datetime
) -> Change:
    """A step before and after, with the interval of the difference of its medians.

    The same responses give the same interval: the resampling starts from a fixed seed.
    """
    sides = _Lasted(before, step, now), _Lasted(after, step, now)
    was, is_ = (side.quantile(_MEDIAN) for side in sides)
    difference = is_ - was if np.isfinite(was) and np.isfinite(is_) else None
    watches = len(sides[0].blocks), len(sides[1].blocks)
    low: float | None = None
    high: float | None = None
    told = False
    if difference is not None and min(watches) >= FEWEST_WATCHES:
        rng = np.random.default_rng(20260306)
        drawn = np.empty(RESAMPLES)
        for i in range(RESAMPLES):
            one, two = (side.quantile(_MEDIAN, _counts(rng, len(side.blocks))) for side in sides)
            # where neither is reached nothing is said of which is longer
            drawn[i] = two - one if np.isfinite(one) or np.isfinite(two) else np.nan
        if not np.isnan(drawn).any():
            drawn.sort()
            cut = int(RESAMPLES * 0.025)
            low, high, told = _finite(drawn[cut]), _finite(drawn[-cut - 1]), True
    return Change(
        sides[0].figure(step), sides[1].figure(step), difference, low, high, told, watches
    )


def _counts(rng: np.random.Generator, blocks: int) -> Floats:
    drawn = np.bincount(rng.integers(0, blocks, blocks), minlength=blocks)
    return drawn.astype(np.float64)


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
