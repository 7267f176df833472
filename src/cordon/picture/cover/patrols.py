"""Our own units as eyes: where each was, how far it sees by kind and light, whom it was near."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cordon.kernel.units import METRES_PER_NAUTICAL_MILE
from cordon.picture.cover import horizon
from cordon.picture.cover.cells import Cells
from cordon.picture.cover.model import AT_SEA, ON_LAND, PatrolPlan, Sees, Sensor
from cordon.picture.cover.signs import Signs
from cordon.picture.model import KINDS, Zone
from cordon.picture.tracks import Bools, Floats, Ints
from cordon.picture.zones import METRES_PER_DEGREE, inside

_SEES = {
    "vessel": AT_SEA,
    "aircraft": AT_SEA | ON_LAND,
}
_ON_FOOT_OR_WHEELS = ON_LAND | AT_SEA  # from the beach boats are seen as far as eyes go


@dataclass(frozen=True, slots=True)
class Unit:
    """One of our own units over a span.

    Attributes:
        name: `unit:…`. kind: as positions say. sensors: what it is known to carry.
        lat, lon: where it was at each of the times that cover is reckoned at; NaN where that is
            not known. heard: where it is. moored: where it lay in a port, and watched nothing.
        row: its last row of `Signs.ways`.
    """

    name: str
    kind: str
    sensors: tuple[Sensor, ...]
    lat: Floats
    lon: Floats
    heard: Bools
    moored: Bools
    row: int

    @property
    def sees(self) -> Sees:
        """What it can see: by the sensors it carries, else by its kind."""
        if self.sensors:
            seen = Sees(0)
            for sensor in self.sensors:
                seen |= sensor.sees
            return seen
        return _SEES.get(self.kind, _ON_FOOT_OR_WHEELS)

    def range_m(self, target: Sees, values: Mapping[str, float], *, night: bool) -> float:
        """How far it sees a target (m); 0 where it does not."""
        if not self.sees & target:
            return 0.0
        told = [
            r
            for s in self.sensors
            if s.sees & target and (r := horizon.range_m(s, target, night=night)) is not None
        ]
        if told:
            return max(told)
        if self.kind == "vessel":  # its radar sees by night as well
            return values["boat_nm"] * METRES_PER_NAUTICAL_MILE
        if self.kind == "aircraft":
            name = "aircraft_night_nm" if night else "aircraft_nm"
            return values[name] * METRES_PER_NAUTICAL_MILE
        return values["eye_night_m" if night else "eye_day_m"]


def units_of(
    signs: Signs,
    sensors: Sequence[Sensor],
    zones: Sequence[Zone],
    times: Floats,
    values: Mapping[str, float],
) -> list[Unit]:
    """Our units and where they were at some times (s, ascending)."""
    ways = signs.ways
    ports = [z for z in zones if z.kind == "port"]
    found = []
    for code in np.unique(ways.unit).tolist():
        lo, hi = np.searchsorted(ways.unit, (code, code + 1))
        name = signs.subjects[code]
        lat, lon, heard = _at(
            ways.t[lo:hi], ways.lat[lo:hi], ways.lon[lo:hi], times, values["unit_silent_min"] * 60
        )
        moored = np.zeros(len(times), dtype=np.bool_)
        some = np.flatnonzero(heard)
        for port in ports:
            moored[some] |= inside(port, lat[some], lon[some])
        kind = KINDS[int(np.bincount(ways.kind[lo:hi]).argmax())]
        carried = tuple(s for s in sensors if s.unit == name)
        found.append(Unit(name, kind, carried, lat, lon, heard, moored, int(hi) - 1))
    return found


def _at(
    t: Floats, lat: Floats, lon: Floats, times: Floats, silent_s: float
) -> tuple[Floats, Floats, Bools]:
    """Where a unit was at some times, by the straight way between reports that are near in time."""
    after = np.searchsorted(t, times, side="left")
    exact = (after < len(t)) & (t[np.minimum(after, len(t) - 1)] == times)
    before = np.where(exact, after, after - 1)
    known = (before >= 0) & (after < len(t))
    a, b = np.clip(before, 0, len(t) - 1), np.clip(after, 0, len(t) - 1)
    known &= t[b] - t[a] <= silent_s
    part = np.where(t[b] > t[a], (times - t[a]) / np.maximum(t[b] - t[a], 1e-9), 0.0)
    east = (lon[b] - lon[a] + 540.0) % 360.0 - 180.0
    x = (lon[a] + part * east + 540.0) % 360.0 - 180.0
    y = lat[a] + part * (lat[b] - lat[a])
    return np.where(known, y, np.nan), np.where(known, x, np.nan), known


@dataclass(frozen=True, slots=True)
class Patrolled:
    """What patrols saw of a sector's cells: where they were near it, a row each, in time.

    Attributes:
        step: at which time; x, y: where, in the cells' plane (m); far: how far it saw (m).
        more: for each time, the share of the sector that they saw and standing sensors did not.
    """

    step: Ints
    x: Floats
    y: Floats
    far: Floats
    more: Floats

    def seen(self, cells: Cells, times: Floats, at: int, revisit_s: float) -> Bools:
        """Which cells count as seen at a step: seen then, or not longer ago than `revisit_s`."""
        late = np.flatnonzero((self.step <= at) & (times[self.step] >= times[at] - revisit_s))
        found = np.zeros(len(cells), dtype=np.bool_)
        for row in late.tolist():
            square = (self.x[row] - cells.x) ** 2 + (self.y[row] - cells.y) ** 2
            found |= square <= self.far[row] ** 2
        return found


def patrolled(
    cells: Cells,
    times: Floats,
    night: Bools,
    units: Sequence[Unit],
    target: Sees,
    standing: tuple[Floats, Ints],
    values: Mapping[str, float],
) -> Patrolled:
    """What our units saw of a sector: where they are, and have been within the time to come again.

    Args:
        standing: the part of each cell that standing sensors see, by pattern, and the pattern of
            each time.
    """
    from cordon.picture.cover.patrolkernel import sweep  # Numba takes half a second to load

    rows = [np.empty((4, 0))]
    for unit in units:
        far = [unit.range_m(target, values, night=n) for n in (False, True)]
        if max(far) <= 0:
            continue
        reach = max(far) + cells.size_m
        high = reach / METRES_PER_DEGREE
        out = unit.heard & ~unit.moored
        at = np.flatnonzero(
            out & (unit.lat >= cells.lat.min() - high) & (unit.lat <= cells.lat.max() + high)
        )
        x, y = cells.plane(unit.lat[at], unit.lon[at])
        near = (x >= cells.x.min() - reach) & (x <= cells.x.max() + reach)
        at, x, y = at[near], x[near], y[near]
        # a unit sees at least the middle of the cell that it stands in
        limit = np.maximum(np.where(night[at], far[1], far[0]), cells.size_m * 0.5)
        rows.append(np.stack((at.astype(np.float64), x, y, limit)))
    step, x, y, limit = np.concatenate(rows, axis=1)
    order = np.argsort(step, kind="stable")
    steps = step[order].astype(np.int64)
    x, y, limit = x[order], y[order], limit[order]
    more = np.zeros(len(times))
    if len(steps):
        seen, pattern = standing
        more = sweep(
            steps, x, y, limit, cells.x, cells.y, times, values["revisit_min"] * 60, seen, pattern
        )
    return Patrolled(steps, x, y, limit, more)


def inside_of(zone: Zone, units: Sequence[Unit]) -> list[tuple[int, Ints]]:
    """Which units were in a zone, and at which steps; those moored in a port do not count."""
    west, south, east, north = zone.geometry.bounds
    found = []
    for i, unit in enumerate(units):
        at = np.flatnonzero(
            unit.heard & ~unit.moored
            & (unit.lat >= south) & (unit.lat <= north) & (unit.lon >= west) & (unit.lon <= east)
        )  # fmt: skip
        if len(at):
            at = at[inside(zone, unit.lat[at], unit.lon[at])]
        if len(at):
            found.append((i, at))
    return found


def holders(met: Sequence[tuple[int, Ints]], times: Floats, for_s: float) -> Ints:
    """For each time a unit that is in a zone, or was not longer ago than `for_s`; -1 for none."""
    who = np.full(len(times), -1, dtype=np.int64)
    for i, at in met:
        who[at] = i
    last = np.maximum.accumulate(np.where(who >= 0, np.arange(len(times)), -1))
    fresh = (last >= 0) & (times - times[np.maximum(last, 0)] <= for_s)
    return np.where(fresh, who[np.maximum(last, 0)], -1)


def planned_in(
    zone: Zone, plans: Sequence[PatrolPlan], times: Floats, units: Sequence[Unit]
) -> tuple[Bools, list[PatrolPlan]]:
    """At which times a patrol is on by plan that tells no places, and all plans of the sector.

    A unit that is heard is where it is, whatever its plan says.
    """
    heard = {unit.name: unit.heard for unit in units}
    mine = list(_of_sector(zone, plans))
    on = np.zeros(len(times), dtype=np.bool_)
    for plan in mine:
        now = (times >= plan.start.timestamp()) & (times < plan.end.timestamp())
        if plan.unit in heard:
            now &= ~heard[plan.unit]
        on |= now
    return on, sorted(mine, key=lambda plan: (plan.start, plan.unit))


def _of_sector(zone: Zone, plans: Sequence[PatrolPlan]) -> Iterator[PatrolPlan]:
    for plan in plans:
        by_route = plan.route is not None and plan.route.intersects(zone.geometry)  # type: ignore[no-untyped-call]
        if plan.sector == zone.id or by_route:
            yield plan
