"""A sensor as it is: what it can see of a sector's cells, and what is not known of it."""

# mypy: disable-error-code="no-untyped-call"
# Shapely has no types of its own.
from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from cordon.kernel.geo import bearing_deg, distance_m
from cordon.picture.cover import horizon, learned
from cordon.picture.cover.cells import Cells
from cordon.picture.cover.model import Sees, Sensor
from cordon.picture.cover.silence import Down
from cordon.picture.tracks import Bools, Floats


@dataclass(slots=True)
class Eye:
    """A sensor that stands somewhere, as it is.

    Attributes:
        downs: when it saw nothing or less, in no order. proven: enough came from it to know
            that it works outside of them. described: it stands in the list of sensors.
        steady: it is usually there: one that is only known by reports and heard in few hours, as
            a satellite or a drone that flies now and then, is not.
        notes: what is not known of it. area: where it was heard to reach, for one without place.
        reach: see `learned.reach_by_bearing`; empty where nothing was learned.
    """

    sensor: Sensor
    downs: list[Down] = field(default_factory=list)
    proven: bool = False
    described: bool = True
    steady: bool = True
    notes: list[str] = field(default_factory=list)
    area: BaseGeometry | None = None
    reach: Floats = field(default_factory=lambda: np.empty(0))

    def could_reach(self, cells: Cells) -> bool:
        """Whether it may see anything of a sector: quick, and never no where it does."""
        if self.area is not None:
            return True
        sensor = self.sensor
        if sensor.lat is None or sensor.lon is None:
            return False
        some = [horizon.range_m(sensor, t, night=n) or 0.0 for t in Sees for n in (False, True)]
        far = max([*some, float(np.nan_to_num(np.abs(self.reach)).max(initial=0.0))])
        wide = float(np.hypot(cells.x, cells.y).max()) + cells.size_m
        away = float(distance_m(sensor.lat, sensor.lon, *cells.origin))
        return away <= 1.05 * (far + wide) + 1000.0

    def sees_of(self, cells: Cells, target: Sees, *, night: bool, left: float = 1.0) -> Floats:
        """The part of each cell in which it sees such a target, 0 to 1.

        Args:
            left: what weather leaves of its range.
        """
        none = np.zeros(len(cells))
        if not self.sensor.sees & target or left <= 0.0:
            return none
        if self.area is not None:
            held = shapely.contains_xy(self.area, cells.lon, cells.lat)
            return np.asarray(held, dtype=np.float64)
        sensor = self.sensor
        if sensor.lat is None or sensor.lon is None:
            return none
        far = horizon.range_m(sensor, target, night=night)
        away = distance_m(sensor.lat, sensor.lon, cells.lat, cells.lon)
        toward = bearing_deg(sensor.lat, sensor.lon, cells.lat, cells.lon)
        limit = self._limit(far, target, toward) * left
        sector = self._in_beam(toward)
        for shadow in sensor.shadows:
            sector &= ~shapely.contains_xy(shadow, cells.lon, cells.lat)
        longest = float(limit.max(initial=0.0))
        if 0.0 < longest < 0.75 * cells.size_m:
            return _small(cells, away, longest, self._opening())
        return np.where(sector & (away <= limit), 1.0, 0.0)

    def _limit(self, far: float | None, target: Sees, toward: Floats) -> Floats:
        """How far (m) it reaches on each bearing."""
        if not len(self.reach) or not target & (Sees.VESSEL | Sees.VESSEL_CLASS_B):
            return np.full(len(toward), far or 0.0)
        part = 1.0
        if target is Sees.VESSEL_CLASS_B and self.sensor.kind == "ais_receiver":
            part = _class_b_part(self.sensor)
        told = np.abs(self.reach) * part
        least = self.reach < 0  # so far at least
        known = np.isfinite(told)
        if far is None:
            # between bearings on which something was heard it is taken to be as elsewhere
            usual = float(np.median(told[known])) if known.sum() * 4 >= len(told) else 0.0
            told = np.where(known, told, usual)
        else:
            told = np.where(known, np.where(least, np.maximum(told, far), told), far)
        bin_ = (toward / (360.0 / learned.BEARINGS)).astype(np.int64) % learned.BEARINGS
        return np.asarray(told[bin_])

    def _in_beam(self, toward: Floats) -> Bools:
        sensor = self.sensor
        if sensor.azimuth_deg is None or sensor.beamwidth_deg is None:
            return np.ones(len(toward), dtype=np.bool_)
        off = np.abs((toward - sensor.azimuth_deg + 180.0) % 360.0 - 180.0)
        return np.asarray(off <= sensor.beamwidth_deg / 2)

    def _opening(self) -> float:
        sensor = self.sensor
        if sensor.azimuth_deg is None or sensor.beamwidth_deg is None:
            return 1.0
        return sensor.beamwidth_deg / 360.0


def _small(cells: Cells, away: Floats, far: float, opening: float) -> Floats:
    """The part of the nearest cell that a sensor sees whose reach is less than a cell."""
    seen = np.zeros(len(cells))
    nearest = int(np.argmin(away))
    if away[nearest] <= cells.size_m:
        part = 2 * far / cells.size_m if cells.on_line else math.pi * far**2 / cells.size_m**2
        seen[nearest] = min(1.0, part * opening)
    return seen


def _class_b_part(sensor: Sensor) -> float:
    """How far a class B set carries, as a part of a class A set, to one receiver."""
    a = horizon.horizon_m(sensor, Sees.VESSEL)
    b = horizon.horizon_m(sensor, Sees.VESSEL_CLASS_B)
    return b / a if a and b else 0.6  # by the heights where the receiver's is known
