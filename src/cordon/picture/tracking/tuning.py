"""What tracking goes by, read from `tuning.yaml`: parameters, craft, sensors."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from cordon.kernel.cards import Parameter
from cordon.kernel.errors import BadInput
from cordon.picture.model import KINDS
from cordon.picture.tracking.layout import CRAFT, PARAMETERS, SENSOR, TUNING, Array
from cordon.picture.tracks import Floats


@dataclass(frozen=True, slots=True)
class Sensor:
    """What is known of a sensor or receiver; what is None is taken from its kind.

    Attributes:
        source: its name in positions. kind: ais, radar, camera, ground, own or other.
        lat, lon: where it stands (degrees), from which a radar measures range and bearing.
        range_error_m, bearing_error_deg: their standard deviations; used where it has a place.
        accuracy_m: standard deviation of a place, east and north each, where it has none.
        revisit_s: how often it looks (a radar's rotation); where it is not told, each track's own
            interval is taken, which lets more clutter pass. seen: share of looks that see a craft.
        others_per_km2: clutter and new craft a look. hits, of: how many of how many confirm.
        plots: its numbers are new with each plot, and say nothing of who is who.
    """

    source: str
    kind: str = "radar"
    lat: float | None = None
    lon: float | None = None
    range_error_m: float = 30.0
    bearing_error_deg: float = 1.0
    accuracy_m: float | None = None
    revisit_s: float | None = None
    seen: float | None = None
    others_per_km2: float | None = None
    hits: int | None = None
    of: int | None = None
    plots: bool = False


@dataclass(frozen=True, slots=True)
class Tuning:
    """Parameters and tables as the loops read them.

    Attributes:
        p: one record of TUNING. craft: CRAFT by kind of craft. sensors: SENSOR, the kinds first,
            then those told. accuracy: m, of each of them. row: theirs, by kind or by
            `source:` and the name of one told. told: by name of their source.
    """

    p: Array
    craft: Array
    sensors: Array
    accuracy: Floats
    row: Mapping[str, int]
    told: Mapping[str, Sensor]


@cache
def _file() -> Any:
    return yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text("utf-8"))


@cache
def parameters() -> dict[str, Parameter]:
    """Each parameter with unit, default, bounds and source, in the order of PARAMETERS."""
    data = _file()["parameters"]
    return {
        name: Parameter(
            name=name,
            unit=data[name]["unit"],
            default=float(data[name]["default"]),
            least=data[name]["least"],
            most=data[name]["most"],
            says=data[name]["says"],
            source=data[name]["source"],
        )
        for name in PARAMETERS
    }


def tuning(
    values: Mapping[str, float] | None = None,
    sensors: Iterable[Sensor] = (),
    craft: Mapping[str, Mapping[str, float]] | None = None,
) -> Tuning:
    """Parameters, with those given in the place of the defaults.

    Args:
        craft: by kind, its numbers in place of those of `tuning.yaml`.

    Raises:
        BadInput: there is no such parameter, craft or kind of sensor, or a number out of bounds.
    """
    p = np.zeros(1, TUNING)
    for name, one in parameters().items():
        p[name] = one.default
    for name, value in (values or {}).items():
        if name not in PARAMETERS:
            raise BadInput(f"Tracking has no parameter {name[:40]!r}.")
        one = parameters()[name]
        if one.least is None or one.most is None or not one.least <= value <= one.most:
            raise BadInput(f"Parameter {name} takes {one.least:g} to {one.most:g} ({one.unit}).")
        p[name] = value
    for name in ("named_odds", "renamed_odds", "early_odds"):
        p[name] = -2.0 * np.log(p[name])
    kinds = _file()["sensors"]
    rows: list[dict[str, float]] = list(kinds.values())
    row = {kind: n for n, kind in enumerate(kinds)}
    told: dict[str, Sensor] = {}
    for sensor in sensors:
        if sensor.kind not in kinds:
            raise BadInput(f"A sensor is one of {', '.join(kinds)}, not {sensor.kind[:40]!r}.")
        told[sensor.source] = sensor
        row[f"source:{sensor.source}"] = len(rows)
        own = {k: _told(sensor, k, v) for k, v in kinds[sensor.kind].items()}
        rows.append(own | {"told": float(sensor.revisit_s is not None)})
    return Tuning(
        p=p,
        craft=_craft(craft or {}),
        sensors=np.array([_costs(one) for one in rows], dtype=SENSOR),
        accuracy=np.array([one["accuracy_m"] for one in rows]),
        row=row,
        told=told,
    )


def _told(sensor: Sensor, name: str, usual: float) -> float:
    value = getattr(sensor, name)
    if value is None:
        return usual
    top = 1.0 if name == "seen" else 1e9
    if not 0.0 < value <= top:
        raise BadInput(f"A sensor's {name} is a number above 0.")
    return float(value)


def _costs(one: Mapping[str, float]) -> tuple[float, ...]:
    seen = min(max(one["seen"], 0.01), 0.99)
    new_cost = -2.0 * math.log(one["others_per_km2"] / 1e6)
    hit_cost = -2.0 * math.log(seen / (1.0 - seen))
    return new_cost, hit_cost, one["revisit_s"], one.get("told", 0.0), one["hits"], one["of"]


def _craft(given: Mapping[str, Mapping[str, float]]) -> Array:
    table = []
    usual = _file()["craft"]
    for kind in given:
        if kind not in usual:
            raise BadInput(f"A craft is one of {', '.join(usual)}, not {kind[:40]!r}.")
    for kind in KINDS:
        one = {**usual[kind], **given.get(kind, {})}
        table.append(tuple(float(one[name]) for name in CRAFT.names or ()))
    return np.array(table, dtype=CRAFT)
