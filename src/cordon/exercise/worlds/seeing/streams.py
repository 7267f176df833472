"""Streams of chance, each by its name: what one part draws changes nothing in another."""

from __future__ import annotations

from zlib import crc32

import numpy as np

Rng = np.random.Generator


class Streams:
    """Random streams of one world.

    Args:
        seed: of the world, 0 or more.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def of(self, name: str, *numbers: int) -> Rng:
        """The stream of a part, and of a thing in it; the same whenever it is asked for."""
        return np.random.default_rng([self._seed, crc32(name.encode()), *numbers])


def between(rng: Rng, bounds: tuple[float, float] | list[float]) -> float:
    """A number evenly between two."""
    return float(rng.uniform(bounds[0], bounds[1]))


def times(at_one: float, scale: float, rng: Rng, *, least: int = 0) -> int:
    """How many there are at a scale: the whole part, and one more by chance for the rest."""
    expected = at_one * scale
    return max(least, int(expected) + int(rng.random() < expected % 1.0))
