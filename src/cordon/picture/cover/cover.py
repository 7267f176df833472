"""Cover of sectors over a span: what was seen of each, and since when too little."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from cordon.picture.cover.cells import Cells, cells_of
from cordon.picture.cover.eye import Eye
from cordon.picture.cover.eyes import eyes_of
from cordon.picture.cover.model import Fault, Means, PatrolPlan, Sees
from cordon.picture.cover.patrols import (
    Patrolled,
    Unit,
    holders,
    inside_of,
    patrolled,
    planned_in,
    units_of,
)
from cordon.picture.cover.sectors import Sector
from cordon.picture.cover.signs import Signs
from cordon.picture.cover.standing import Standing, standing
from cordon.picture.model import Zone
from cordon.picture.shared.sun import is_night
from cordon.picture.tracks import Bools, Floats, Ints

LEAST_STEP_S = 60.0
_MOST_STEPS = 8_000
_MOST_EDGES = 4_000
_HARDEST_FIRST = (
    Sees.PERSON,
    Sees.VEHICLE,
    Sees.VESSEL_WITHOUT_AIS,
    Sees.VESSEL,
)
"""What a sector may need that does not say; who detects aircraft sees nobody on the ground."""


@dataclass(frozen=True, slots=True)
class Spell:
    """A time in which a sector was uncovered: from step i up to step j, which was covered again.

    `end` (s) is the end of the span where it lasts: then it is open.
    """

    i: int
    j: int
    start: float
    end: float
    open: bool

    @property
    def minutes(self) -> float:
        """How long it lasted."""
        return (self.end - self.start) / 60


@dataclass(frozen=True, slots=True)
class Part:
    """The cover of a sector for one kind of target; arrays over times.

    Attributes:
        share: the part of it that is seen. wanted: the part that must be; infinite where no
            sensors are meant to see it, so that units alone can cover it.
    """

    target: Sees
    standing: Standing
    patrolled: Patrolled
    share: Floats
    wanted: Floats


@dataclass(frozen=True, slots=True)
class SectorCover:
    """The cover of one sector over the span.

    Attributes:
        needs: what must be seen: as its plan says, or what it usually sees that is hardest.
        parts: one for each need; none where nobody knows anything that sees it.
        present: a unit of our own is in it that can see what is needed, or was just now; who: the
            index of one that is, or -1.
        planned: a patrol is on by plan whose places are not known. patrols: all that are planned.
        covered: whether it counts as covered. known: whether anything is known that could cover it.
    """

    sector: Sector
    cells: Cells
    times: Floats
    night: Bools
    needs: Sees
    parts: tuple[Part, ...]
    present: Bools
    who: Ints
    planned: Bools
    patrols: tuple[PatrolPlan, ...]
    covered: Bools
    known: bool

    def worst(self, step: int) -> Part | None:
        """The need that is worst off at a time, measured by what is wanted."""
        if not self.parts:
            return None
        return min(self.parts, key=lambda p: (p.share[step] / p.wanted[step], p.share[step]))

    def seen_at(self, part: Part, step: int) -> Floats:
        """The part of each cell that is seen for one need at a time."""
        seen = part.standing.seen[part.standing.pattern[step]].copy()
        seen[self.patrolled_at(part, step)] = 1.0
        return np.asarray(seen)

    def patrolled_at(self, part: Part, step: int) -> Bools:
        """Which cells units see at a time, or saw just before."""
        revisit = self.sector.values["revisit_min"] * 60
        return part.patrolled.seen(self.cells, self.times, step, revisit)

    def spells(self) -> list[Spell]:
        """When it was uncovered; a cover too short to count does not end a spell."""
        again = self.sector.values["again_min"] * 60
        end = float(self.times[-1])
        edges = np.flatnonzero(np.diff(np.concatenate(([True], self.covered, [True]))))
        found: list[Spell] = []
        for i, j in edges.reshape(-1, 2).tolist():
            last = j >= len(self.times)
            spell = Spell(i, j, float(self.times[i]), end if last else float(self.times[j]), last)
            if found and spell.start - found[-1].end < again:
                before = found.pop()
                spell = Spell(before.i, j, before.start, spell.end, last)
            found.append(spell)
        if found and not found[-1].open and end - found[-1].end < again:
            found[-1] = replace(found[-1], open=True)  # nobody can tell yet
        return found


@dataclass(frozen=True, slots=True)
class Cover:
    """The cover of all sectors over a span, and what it was made of."""

    sectors: tuple[SectorCover, ...]
    eyes: tuple[Eye, ...]
    units: tuple[Unit, ...]
    signs: Signs
    means: Means

    @classmethod
    def of(
        cls,
        zones: Sequence[Zone],
        sectors: Sequence[Sector],
        means: Means,
        signs: Signs,
        values: Mapping[str, float],
        faults: Iterable[Fault] = (),
        since: float | None = None,
    ) -> Cover:
        """Reckon it.

        Args:
            zones: all of them: ports and borders matter too. signs: over the span.
            faults: sensors and feeds that the node itself knows to give nothing.
            since: cover is told from then on (s); what was heard before is learned from.
        """
        begin = signs.begin if since is None else max(signs.begin, since)
        if signs.end <= begin:
            return cls((), (), (), signs, means)
        eyes = eyes_of(means.sensors, signs, values, faults)
        times = _times(eyes, means.patrols, begin, signs.end)
        units = units_of(signs, means.sensors, zones, times, values)
        lines = [z for z in zones if z.kind == "border"]
        made = tuple(_sector(s, lines, eyes, units, means, times) for s in sectors)
        return cls(made, tuple(eyes), tuple(units), signs, means)


def _times(eyes: Sequence[Eye], plans: Sequence[PatrolPlan], begin: float, end: float) -> Floats:
    """The moments at which cover is reckoned: even steps, and where a sensor's state changes."""
    step = max(LEAST_STEP_S, (end - begin) / _MOST_STEPS)
    edges = [e for eye in eyes for down in eye.downs for e in (down.start, down.end)]
    edges += [e.timestamp() for plan in plans for e in (plan.start, plan.end)]
    within = sorted({e for e in edges if begin < e < end})[:_MOST_EDGES]
    steps = np.arange(begin, end, step)
    return np.unique(np.concatenate((steps, within, [end])))


def _sector(
    sector: Sector,
    lines: Sequence[Zone],
    eyes: Sequence[Eye],
    units: Sequence[Unit],
    means: Means,
    times: Floats,
) -> SectorCover:
    zone, values = sector.zone, sector.values
    cells = cells_of(zone, lines if sector.on_line else ())
    here = np.array(cells.origin)
    night = is_night(times, here[0], here[1])
    near = [eye for eye in eyes if eye.could_reach(cells)]
    met = inside_of(zone, units)
    there = [units[i] for i, _ in met]
    needs = sector.needs or needs_of(cells, near, there, values["worth_share"])
    targets = [one for one in Sees if one & needs]
    parts = tuple(_part(sector, cells, near, units, times, night, one) for one in targets)
    if sector.needs:  # its plan says what must be seen: who cannot see it does not hold it
        met = [(i, at) for i, at in met if all(units[i].sees & one for one in targets)]
    who = holders(met, times, values["revisit_min"] * 60)
    present = who >= 0
    planned, plans = planned_in(zone, means.patrols, times, units)
    enough = np.ones(len(times), dtype=np.bool_) if parts else np.zeros(len(times), dtype=np.bool_)
    for part in parts:
        enough &= part.share >= part.wanted
    held = present | planned
    covered = enough if sector.covered_share > 0 else enough | held
    known = bool(units or plans or any(p.standing.eyes for p in parts))
    return SectorCover(
        sector, cells, times, night, needs, parts, present, who, planned, tuple(plans),
        covered, known,
    )  # fmt: skip


def _part(
    sector: Sector,
    cells: Cells,
    eyes: Sequence[Eye],
    units: Sequence[Unit],
    times: Floats,
    night: Bools,
    target: Sees,
) -> Part:
    by_eyes = standing(eyes, cells, target, times, night)
    by_units = patrolled(
        cells, times, night, units, target, (by_eyes.seen, by_eyes.pattern), sector.values
    )
    share = by_eyes.seen.mean(axis=1)[by_eyes.pattern] + by_units.more
    usual = by_eyes.usual.mean(axis=1)[night.astype(np.int64)]
    if sector.covered_share > 0:
        wanted = np.full(len(times), sector.covered_share)
    else:
        # sensors that see next to nothing of it watch points in it: units must cover the rest
        enough = usual >= sector.values["worth_share"]
        wanted = np.where(enough, sector.values["of_usual"] * usual, np.inf)
    return Part(target, by_eyes, by_units, share, wanted)


def needs_of(cells: Cells, eyes: Sequence[Eye], there: Sequence[Unit], worth: float) -> Sees:
    """What a sector needs whose plan does not say: the hardest that sensors are there to see.

    Of what standing sensors see of it when they work, the first in the order of `_HARDEST_FIRST`
    of which they see a share that is worth the name, else what they see most of; without any,
    what all the units see that were in it. Nothing where nobody knows.
    """
    shares = {one: _best(cells, eyes, one) for one in _HARDEST_FIRST}
    best = max(shares.values())
    if best > 0:
        return next(one for one in _HARDEST_FIRST if shares[one] >= min(worth, best))
    common = (one for one in _HARDEST_FIRST if there and all(one & u.sees for u in there))
    return next(common, Sees(0))


def _best(cells: Cells, eyes: Sequence[Eye], target: Sees) -> float:
    """The share that those of them that are usually there see when they work, by day or night."""
    seen = np.zeros(len(cells))
    for eye in eyes:
        if not eye.steady:
            continue
        lights = (False, True) if eye.sensor.night_range_m is not None else (False,)
        for night in lights:
            np.maximum(seen, eye.sees_of(cells, target, night=night), out=seen)
    return float(seen.mean())
