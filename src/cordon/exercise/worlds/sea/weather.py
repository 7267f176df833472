"""Wind, current and the air that radio waves go through: all of one world have the same."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from cordon.exercise.worlds.paths import Floats
from cordon.exercise.worlds.seeing.streams import Rng, between
from cordon.kernel.units import MS_PER_KNOT

Data = dict[str, Any]
_DAY = 86400.0
_TIDE_S = 44_714.0  # M2, the principal lunar constituent: 12.42 h
_WINDAGE = 0.025  # of the wind's speed, that a drifting hull makes: Allen and Plourde 1999, 2 to 4%


class Weather:
    """The weather of one world.

    Args:
        data: the whole YAML of the world. dark: spans (s) of night.
    """

    def __init__(self, data: Data, rng: Rng, dark: list[tuple[float, float]]) -> None:
        self._dark = dark
        wind = data["weather"]["wind_kn"]
        self._mean, self._swing = between(rng, wind), between(rng, [0.2, 0.5])
        self._from = between(rng, [200.0, 330.0])
        self._current = between(rng, data["weather"]["current_kn"]) * MS_PER_KNOT
        self._set = np.radians(between(rng, [60.0, 130.0]))
        self._phase = rng.uniform(0, 2 * np.pi, 4)
        duct = data["ais"]["duct"]
        self._duct = (between(rng, duct["day"]), between(rng, duct["night"]))

    def wind_kn(self, t: ArrayLike) -> Floats:
        """Speed of the wind (kn) at times (s): a sea breeze by day on a slower change."""
        at = np.asarray(t, np.float64)
        breeze = np.sin(2 * np.pi * at / _DAY + self._phase[0]) * self._swing
        slow = np.sin(2 * np.pi * at / (2.7 * _DAY) + self._phase[1]) * 0.3
        return np.asarray(np.maximum(1.0, self._mean * (1 + breeze + slow)))

    def drift(self, t: float, windage: float = 1.0) -> tuple[float, float]:
        """What a drifting craft makes over ground (m/s north, east) at a time (s)."""
        tide = self._current * np.cos(2 * np.pi * t / _TIDE_S + self._phase[2])
        north = tide * np.cos(self._set) * 0.6 + 0.05 * np.sin(t / 30_000.0)
        east = tide * np.sin(self._set)
        wind = float(self.wind_kn(t)) * MS_PER_KNOT * _WINDAGE * windage
        to = np.radians(self._from + 180.0 + 15 * np.sin(t / 20_000.0))
        return float(north + wind * np.cos(to)), float(east + wind * np.sin(to))

    def reach(self, t: Floats) -> Floats:
        """Factor on radio ranges at times (s): ducts build up at night and break in the morning."""
        night = np.zeros(len(t))
        for start, end in self._dark:
            # an inversion takes hours to build and two to break
            up = np.clip((t - start + 3600.0) / 10_800.0, 0, 1)
            down = np.clip((end + 7200.0 - t) / 7200.0, 0, 1)
            night = np.maximum(night, up * down)
        slow = 1 + 0.06 * np.sin(2 * np.pi * t / 9_000.0 + self._phase[3])
        return np.asarray((self._duct[0] + (self._duct[1] - self._duct[0]) * night) * slow)
