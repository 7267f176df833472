"""What turns speed into time and marks a unit down; data, in `factors.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True, slots=True)
class Factors:
    """The values of `factors.yaml`: ways as shares of the straight line, metres, minutes."""

    way: Mapping[str, float]
    near_land_m: float
    old_after_min: float
    old_share: float
    cover_after_min: float
    cover_share: float
    most_added_min: float


@cache
def factors() -> Factors:
    """The factors that the package brings."""
    data: dict[str, Any] = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text("utf-8"))
    return Factors(**data)
