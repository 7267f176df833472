"""Rings with and without a disruption whose effect is known, to test the interval on.

The figures here are drawn anew for each trial and are not known to the method: events a week,
scatter in proportion to the mean or to its square, drift of each ring, a trend and a season that
all have in common, the shape of the week, and how many rings there are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
RATIOS = (0.05, 0.1, 0.25, 0.5, 0.8, 1.0, 1.3)
"""True effects that trials are drawn from: from nearly all gone to more than before."""


@dataclass(frozen=True, slots=True)
class Trial:
    """Counts a day of one disrupted ring and of those left alone; `ratio` is the truth."""

    treated: Ints
    alone: Ints
    at: int
    ratio: float


def trial(rng: np.random.Generator, *, ratio: float | None = None) -> Trial:
    """One disruption with its rings."""
    rings, weeks = int(rng.integers(3, 15)), (int(rng.integers(4, 13)), int(rng.integers(2, 9)))
    days = 7 * sum(weeks) + int(rng.integers(0, 7))
    at = 7 * weeks[0]
    true = float(rng.choice(RATIOS)) if ratio is None else ratio
    size = np.exp(rng.normal(np.log(12), 0.8, rings + 1))  # events a week
    size[0] = max(size[0], 4.0)
    time = np.arange(days) / 7
    common = rng.normal(0, 0.04) * time + rng.uniform(0, 0.4) * np.sin(
        time / rng.uniform(1.5, 6) + rng.uniform(0, 6)
    )
    shape = np.log(np.tile(rng.dirichlet(np.full(7, 4.0)) * 7, days // 7 + 1)[:days])
    own = np.cumsum(rng.normal(0, rng.uniform(0, 0.12), (rings + 1, days // 7 + 1)), axis=1)
    slope = rng.normal(0, rng.uniform(0, 0.03), (rings + 1, 1)) * time
    log_mean = np.log(size / 7)[:, None] + common + shape + own[:, np.arange(days) // 7] + slope
    log_mean[0, at:] += np.log(true)
    mean = np.exp(log_mean)
    if rng.random() < 0.5:  # some days have a campaign: the square of the mean
        k = rng.uniform(0.5, 10)
        mean = mean * rng.gamma(k, 1 / k, mean.shape)
        counts = rng.poisson(mean)
    else:  # events come in handfuls: in proportion to the mean
        handful = rng.uniform(1, 4)
        counts = rng.poisson(rng.gamma(np.maximum(mean / handful, 1e-9), handful))
    return Trial(counts[0], counts[1:], at, true)
