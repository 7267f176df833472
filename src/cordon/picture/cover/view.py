"""Cover as it is at the end of a span: what a page's table and a command tell."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from cordon.kernel.clock import format_time
from cordon.kernel.units import METRES_PER_NAUTICAL_MILE
from cordon.picture.cover import horizon
from cordon.picture.cover.cover import Cover, Part, SectorCover
from cordon.picture.cover.eye import Eye
from cordon.picture.cover.model import PatrolPlan, Sees, words_of
from cordon.picture.cover.telling import distinct_eyes, downs_at
from cordon.picture.tracks import Floats, moment

STATES = ("working", "less", "down", "unknown")


@dataclass(frozen=True, slots=True)
class SensorNow:
    """A sensor as it is now.

    Attributes:
        state: working, less (weather), down, or unknown (too little was heard from it).
        why, since: of an outage. range_nm: how far it reaches what it sees farthest, or None.
        learned: that reach, or the sensor itself, is known from reports alone.
        notes: what is not known of it. lat, lon: where it stands, or None.
    """

    id: str
    name: str
    kind: str
    state: str
    why: str
    since: datetime | None
    range_nm: float | None
    learned: bool
    described: bool
    notes: tuple[str, ...]
    lat: float | None
    lon: float | None


@dataclass(frozen=True, slots=True)
class SectorNow:
    """A sector as it is now.

    Attributes:
        needs: words of what must be seen. share: the part of it that is seen by what works or may
            work; proven: by what is known to work. wanted: what must be, None where units alone
            can cover it. covered: whether it counts as covered; known: whether anybody can tell.
        by: names of sensors and units that see any of it now. planned: a patrol is on by plan.
        down: names of its sensors that give nothing, with the reason.
        since: when it became uncovered, or None; minutes: how long ago. plan_min: how long it may
            be, 0 for no plan. late: it is longer. due: the next planned patrol.
    """

    id: str
    name: str
    needs: tuple[str, ...]
    share: float
    proven: float
    wanted: float | None
    covered: bool
    known: bool
    by: tuple[str, ...]
    planned: bool
    down: tuple[tuple[str, str], ...]
    since: datetime | None
    minutes: float
    plan_min: float
    late: bool
    due: PatrolPlan | None

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "id": self.id,
            "name": self.name,
            "needs": list(self.needs),
            "share": round(self.share, 3),
            "proven": round(self.proven, 3),
            "wanted": None if self.wanted is None else round(self.wanted, 3),
            "covered": self.covered if self.known else None,
            "by": list(self.by),
            "planned": self.planned,
            "down": [{"sensor": name, "why": why} for name, why in self.down],
            "since": format_time(self.since) if self.since else None,
            "minutes": round(self.minutes, 1),
            "max_uncovered_min": self.plan_min,
            "late": self.late,
            "next_patrol": format_time(self.due.start) if self.due else None,
        }


@dataclass(frozen=True, slots=True)
class CoverNow:
    """Cover at a moment: sectors, sensors, and the moment."""

    at: datetime
    sectors: tuple[SectorNow, ...]
    sensors: tuple[SensorNow, ...]


def now_of(cover: Cover) -> CoverNow:
    """Cover at the end of its span."""
    return CoverNow(
        moment(cover.signs.end),
        tuple(sector_now(cover, sector) for sector in cover.sectors),
        tuple(sensor_now(cover, eye) for eye in cover.eyes) + tuple(_carried(cover)),
    )


def sector_now(cover: Cover, sector: SectorCover) -> SectorNow:
    """One sector at the end of the span."""
    last = len(sector.times) - 1
    part = sector.worst(last)
    spells = sector.spells()
    spell = spells[-1] if spells and spells[-1].open else None
    end = moment(float(sector.times[-1]))
    plan = sector.sector.plan_min
    wanted = float(part.wanted[last]) if part else math.inf
    usual = [eye for eye in distinct_eyes(sector) if eye.steady]
    return SectorNow(
        id=sector.sector.zone.id,
        name=sector.sector.zone.name,
        needs=tuple(words_of(sector.needs)),
        share=float(part.share[last]) if part else 0.0,
        proven=float(proven_at(sector, part).mean()) if part else 0.0,
        wanted=wanted if math.isfinite(wanted) else None,
        covered=spell is None,
        known=sector.known,
        by=tuple(_seen_by(cover, sector, last)),
        planned=bool(sector.planned[last]),
        down=tuple((e.sensor.called, d.why) for e, d in downs_at(usual, cover.signs.end)),
        since=moment(spell.start) if spell else None,
        minutes=spell.minutes if spell else 0.0,
        plan_min=plan,
        late=bool(spell and sector.known and 0 < plan < spell.minutes),
        due=next((p for p in sector.patrols if p.start >= end), None),
    )


def _seen_by(cover: Cover, sector: SectorCover, step: int) -> list[str]:
    """Names of what sees any of a sector at a step, each once."""
    names: dict[str, None] = {}
    for part in sector.parts:
        for eye, left in zip(part.standing.eyes, part.standing.left[:, step], strict=True):
            if left > 0:
                names.setdefault(eye.sensor.called)
    if sector.present[step]:
        names.setdefault(cover.units[int(sector.who[step])].name)
    return list(names)


def proven_at(sector: SectorCover, part: Part) -> Floats:
    """The part of each cell that is seen at the end by what is known to work."""
    last = len(sector.times) - 1
    seen = np.zeros(len(sector.cells))
    night = bool(sector.night[last])
    for eye, left in zip(part.standing.eyes, part.standing.left[:, last], strict=True):
        if eye.proven and left > 0:
            told = eye.sees_of(sector.cells, part.target, night=night, left=float(left))
            np.maximum(seen, told, out=seen)
    seen[sector.patrolled_at(part, last)] = 1.0
    return seen


def sensor_now(cover: Cover, eye: Eye) -> SensorNow:
    """One sensor at the end of the span."""
    sensor = eye.sensor
    some = downs_at([eye], cover.signs.end)
    down = some[0][1] if some else None
    state = "working" if eye.proven else "unknown"
    if down is not None:
        state = "less" if down.reach > 0 else "down"
    far = [horizon.range_m(sensor, one) or 0.0 for one in Sees if one & sensor.sees]
    if len(eye.reach):
        far.append(float(np.nanmax(np.abs(eye.reach))))
    best = max(far, default=0.0)
    return SensorNow(
        id=sensor.id,
        name=sensor.called,
        kind=sensor.kind,
        state=state,
        why=down.why if down else "",
        since=moment(down.start) if down else None,
        range_nm=best / METRES_PER_NAUTICAL_MILE if best > 0 and eye.area is None else None,
        learned=bool(len(eye.reach)) or eye.area is not None or not eye.described,
        described=eye.described,
        notes=tuple(eye.notes),
        lat=sensor.lat,
        lon=sensor.lon,
    )


def _carried(cover: Cover) -> list[SensorNow]:
    """Sensors that units carry, by when the unit was heard."""
    found = []
    units = {unit.name: unit for unit in cover.units}
    for sensor in cover.means.sensors:
        if not sensor.unit:
            continue
        unit = units.get(sensor.unit)
        heard = unit is not None and bool(unit.heard[-15:].any())
        far = max((horizon.range_m(sensor, s) or 0.0 for s in Sees if s & sensor.sees), default=0.0)
        found.append(
            SensorNow(
                sensor.id, sensor.called, sensor.kind, "working" if heard else "unknown", "", None,
                far / METRES_PER_NAUTICAL_MILE or None, False, True,
                () if heard else ("the unit that carries it is not heard",), None, None,
            )
        )  # fmt: skip
    return found
