"""How far one can see over the curve of the earth, by the heights of both.

Radio waves bend a little with the earth: its radius counts as 4/3 of what it is, which gives
4.12 km, or 2.22 nm, for the root of each height in metres (ITU-R P.310, k = 4/3; Bowditch, American
Practical Navigator, has 1.22 nm for the root of feet). Ducts carry farther, at times by far.
"""

from __future__ import annotations

import math
from typing import Final

from cordon.kernel.units import METRES_PER_NAUTICAL_MILE
from cordon.picture.cover.model import Sees, Sensor

RADIO_M = 4_123.0  # √(2 · 8 500 km · 1 m)
OPTICAL_M = 3_926.0  # 2.12 nm: light bends less, Bowditch chapter 22 (1.17 nm for the root of feet)
CLASS_B_M = 28_000.0
"""How far a class B set of 2 W is heard at most (ITU-R P.1546-6, figure 4, as the submissions
to IMO on class B reckon it: 15.1 nm)."""

TARGET_M: Final = {
    Sees.PERSON: 1.7,
    Sees.VEHICLE: 2.0,
    Sees.VESSEL_WITHOUT_AIS: 2.0,
    Sees.VESSEL_CLASS_B: 2.0,
    Sees.VESSEL: 5.0,
    Sees.AIRCRAFT: 150.0,
}
"""Height (m) of what is looked for. A small vessel of 10 m without a reflector counts 2 m, a ship
over 500 GT 5 m (IMO MSC.192(79), table 2); aircraft that keep the least height over open country
or water fly at 150 m (ICAO Annex 2, 4.6)."""

ANTENNA_M: Final = {Sees.VESSEL: 15.0, Sees.VESSEL_CLASS_B: 3.0}
"""Height (m) of the AIS antenna: a ship's as IMO MSC.192(79) takes it for radars, a boat's a
choice."""

_EYES = ("camera", "drone", "patrol")


def radio_horizon_m(one_m: float, other_m: float) -> float:
    """Distance (m) at which two heights (m) meet over the radio horizon; depths count 0."""
    return RADIO_M * (math.sqrt(max(one_m, 0.0)) + math.sqrt(max(other_m, 0.0)))


def radio_horizon_nm(one_m: float, other_m: float) -> float:
    """The same in nautical miles."""
    return radio_horizon_m(one_m, other_m) / METRES_PER_NAUTICAL_MILE


def optical_horizon_m(one_m: float, other_m: float) -> float:
    """Distance (m) at which light passes between two heights (m)."""
    return OPTICAL_M * (math.sqrt(max(one_m, 0.0)) + math.sqrt(max(other_m, 0.0)))


def horizon_m(sensor: Sensor, target: Sees) -> float | None:
    """How far a sensor can reach a target at most by its height; None where it has no height."""
    if sensor.height_m is None:
        return None
    if sensor.kind == "ais_receiver":
        far = radio_horizon_m(sensor.height_m, ANTENNA_M.get(target, TARGET_M[target]))
        return min(far, CLASS_B_M) if target is Sees.VESSEL_CLASS_B else far
    if sensor.kind in _EYES:
        return optical_horizon_m(sensor.height_m, TARGET_M[target])
    return radio_horizon_m(sensor.height_m, TARGET_M[target])


def range_m(sensor: Sensor, target: Sees, *, night: bool = False) -> float | None:
    """How far a sensor sees a target: by what it is said to reach, and no farther than the horizon.

    None where neither is known. A height alone does for radars and AIS receivers; eyes and
    lenses lose a walker long before the horizon, so that they need a range.
    """
    said = sensor.range_m
    if night and sensor.night_range_m is not None:
        said = sensor.night_range_m
    horizon = horizon_m(sensor, target)
    if said is None:
        return horizon if sensor.kind in ("ais_receiver", "radar") else None
    return said if horizon is None else min(said, horizon)
