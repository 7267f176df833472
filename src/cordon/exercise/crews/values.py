"""What the units of an exercise are like: data, in `crews.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

Range = tuple[float, float, float]
Middle = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Values:
    """The values of `crews.yaml`: shares, hours, minutes and seconds as their names say.

    Attributes:
        speed, winding, strayed_nm: least, most likely and most, by kind of unit.
        weather: share of its speed in the worst and the best, by kind.
        mended_min, silent_min, late_s, acknowledges_s, casts_off_s, stays_s: median, and the
            standard deviation of the logarithm.
    """

    speed: Mapping[str, Range]
    weather: Mapping[str, Middle]
    weather_h: float
    winding: Mapping[str, Range]
    strayed_nm: Mapping[str, Range]
    breaks_every_h: float
    mended_min: Middle
    silent_every_h: float
    silent_min: Middle
    late_s: Middle
    acknowledges_s: Middle
    casts_off_s: Mapping[str, Middle]
    stays_s: Middle
    fix_s: float
    longest_h: float


@cache
def values() -> Values:
    """The values that the package brings."""
    path = Path(__file__).with_name("crews.yaml")
    data: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    return Values(**data)
