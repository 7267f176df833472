"""Choices: parameters drawn from their ranges, and hashes that answer the same when asked again."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Data = dict[str, Any]
Ints = NDArray[np.integer[Any]]
Longs = NDArray[np.int64]
Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Flags = NDArray[np.bool_]
Rng = np.random.Generator
DAY = 86400.0
HOUR = 3600.0


def drawn(data: Any, rng: Rng) -> Any:
    """The same tree with a value in place of every range.

    A list of two numbers is a range: whole numbers are drawn evenly with both ends, others
    evenly between. Every other list stays as it is, but for the trees in it.
    """
    if isinstance(data, dict):
        return {name: drawn(value, rng) for name, value in data.items()}
    if not isinstance(data, list):
        return data
    if len(data) == 2 and all(isinstance(v, int | float) for v in data):
        low, high = data
        if isinstance(low, int) and isinstance(high, int):
            return int(rng.integers(low, high + 1))
        return float(rng.uniform(low, high))
    return [drawn(value, rng) if isinstance(value, dict) else value for value in data]


def hashed(*parts: ArrayLike) -> NDArray[np.uint64]:
    """Whole numbers that look random, the same for the same parts (SplitMix64, Steele 2014)."""
    with np.errstate(over="ignore"):
        x: Any = np.uint64(0x9E3779B97F4A7C15)
        for part in parts:
            x = (x ^ np.asarray(part).astype(np.uint64)) + np.uint64(0x9E3779B97F4A7C15)
            x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            x = x ^ (x >> np.uint64(31))
    return np.asarray(x)


def chance(*parts: ArrayLike) -> Singles:
    """Numbers from 0 to 1, the same for the same parts: habits that need no memory."""
    top = hashed(*parts) >> np.uint64(40)
    return np.asarray(top.astype(np.float32) * np.float32(2.0**-24))


def talk(rng: Rng, n: int, median_s: ArrayLike, sigma: float) -> Floats:
    """Durations of calls (whole seconds, 1 s to 4 h), log-normal."""
    lasts = np.asarray(median_s) * np.exp(sigma * rng.standard_normal(n))
    return np.asarray(np.clip(np.rint(lasts), 1.0, 4 * HOUR))


def ranks(sizes: NDArray[Any]) -> Longs:
    """0, 1, … within each group, for groups of these sizes one after another."""
    ends = np.cumsum(sizes)
    whole = np.arange(int(ends[-1]) if len(ends) else 0)
    return np.asarray(whole - np.repeat(ends - sizes, sizes), np.int64)
