"""What there is to say of a time in which a sector was uncovered."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from cordon.kernel.clock import format_time
from cordon.kernel.geo import distance_m
from cordon.kernel.units import METRES_PER_NAUTICAL_MILE
from cordon.picture.cover.cover import Cover, SectorCover, Spell
from cordon.picture.cover.eye import Eye
from cordon.picture.cover.model import PatrolPlan, Sees
from cordon.picture.cover.patrols import Unit
from cordon.picture.cover.silence import Down
from cordon.picture.tracks import moment

_MOST_TOLD = 5
_WORDS = {
    Sees.PERSON: "persons",
    Sees.VEHICLE: "vehicles",
    Sees.VESSEL_WITHOUT_AIS: "vessels without AIS",
    Sees.VESSEL_CLASS_B: "vessels with AIS of class B",
    Sees.VESSEL: "vessels with AIS",
    Sees.AIRCRAFT: "aircraft",
}


@dataclass(frozen=True, slots=True)
class SpellTold:
    """A spell, put so that it can be said.

    Attributes:
        step: the step at which it is described, its last one. share, wanted: then; wanted is
            infinite where units alone could cover it.
        down: sensors of the sector that gave nothing or less then, and why.
        unit: the nearest unit of our own, or None; unit_nm: how far from the sector's edge.
        patrol_min: minutes from the end to the next planned patrol, or None.
        by_reports_alone: no sensor of it is described. units_heard: any unit is heard at all.
    """

    step: int
    share: float
    wanted: float
    needs: Sees
    down: tuple[tuple[Eye, Down], ...]
    eyes: int
    unit: Unit | None
    unit_nm: float
    patrol: PatrolPlan | None
    patrol_min: float | None
    by_reports_alone: bool
    units_heard: bool

    @property
    def for_what(self) -> str:
        """For which targets the share is told."""
        names = [_WORDS[one] for one in _WORDS if one & self.needs]
        return f"reckoned for {' and '.join(names)}" if names else "as far as anybody knows"

    @property
    def down_words(self) -> str:
        """The sensors that gave nothing, and why."""
        some = [
            f"{eye.sensor.called} ({down.why}, since {format_time(moment(down.start))})"
            for eye, down in self.down[:_MOST_TOLD]
        ]
        rest = len(self.down) - _MOST_TOLD
        return "; ".join(some) + (f"; and {rest} more" if rest > 0 else "")

    @property
    def no_sensor_words(self) -> str:
        """What is said where no sensor of it was down."""
        if self.eyes and math.isfinite(self.wanted):
            return "None of its sensors was down; they do not reach far enough."
        if self.eyes:
            return "Its sensors watch points of it; the rest is for patrols."
        return "No standing sensor is known to reach into it; it is for patrols."

    @property
    def unit_words(self) -> str:
        """Which unit is nearest."""
        return f"So far from it was {self.unit.name if self.unit else ''}, the nearest unit heard."

    @property
    def patrol_words(self) -> str:
        """Which patrol comes next."""
        if self.patrol is None:
            return "No patrol is planned."
        at: datetime = self.patrol.start
        return f"The next patrol is due then: {self.patrol.unit} at {format_time(at)}."


def told_of(cover: Cover, sector: SectorCover, spell: Spell) -> SpellTold:
    """What to say of a spell, as it was at its last step."""
    step = min(spell.j, len(sector.times)) - 1
    part = sector.worst(step)
    eyes = distinct_eyes(sector)
    unit, away = _nearest(cover, sector, step)
    end = moment(spell.end)
    coming = [p for p in sector.patrols if p.start >= end]
    return SpellTold(
        step=step,
        share=float(part.share[step]) if part else 0.0,
        wanted=float(part.wanted[step]) if part else math.inf,
        needs=part.target if part else sector.needs,
        down=tuple(downs_at([e for e in eyes if e.steady], float(sector.times[step]))),
        eyes=len(eyes),
        unit=unit,
        unit_nm=away,
        patrol=coming[0] if coming else None,
        patrol_min=(coming[0].start - end).total_seconds() / 60 if coming else None,
        by_reports_alone=bool(eyes) and not any(eye.described for eye in eyes),
        units_heard=bool(cover.units),
    )


def distinct_eyes(sector: SectorCover) -> list[Eye]:
    """Sensors that see anything of a sector when they work, each once."""
    found: dict[int, Eye] = {}
    for part in sector.parts:
        for eye in part.standing.eyes:
            found.setdefault(id(eye), eye)
    return list(found.values())


def downs_at(eyes: list[Eye], t: float) -> list[tuple[Eye, Down]]:
    """Those of them that gave nothing or less at a time, with the outage that took most.

    Of several that took as much, one that says why comes before a mere silence.
    """
    found = []
    for eye in eyes:
        some = [d for d in eye.downs if d.start <= t and (t < d.end or (d.open and t <= d.end))]
        if some:
            found.append((eye, min(some, key=lambda d: (d.reach, d.silence, d.start))))
    return found


def _nearest(cover: Cover, sector: SectorCover, step: int) -> tuple[Unit | None, float]:
    """The unit nearest to a sector by where it is known to be, and how far (nm)."""
    best: tuple[Unit | None, float] = (None, 0.0)
    cells = sector.cells
    for unit in cover.units:
        known = np.flatnonzero(unit.heard[: step + 1])
        if not len(known):
            continue
        lat, lon = float(unit.lat[known[-1]]), float(unit.lon[known[-1]])
        away = float(np.min(distance_m(lat, lon, cells.lat, cells.lon))) / METRES_PER_NAUTICAL_MILE
        if best[0] is None or away < best[1]:
            best = (unit, away)
    return best
