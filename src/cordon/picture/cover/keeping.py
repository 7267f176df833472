"""The sensors, limits and planned patrols that a node keeps: brought in, entered, taken out."""

# mypy: disable-error-code="no-untyped-call"
# Shapely has no types of its own.
from __future__ import annotations

from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

from shapely.geometry import mapping, shape
from sqlalchemy import select
from sqlalchemy.orm import Session

from cordon.kernel.access.model import Actor, Mark, Thing
from cordon.kernel.clock import format_time
from cordon.kernel.errors import NotFound
from cordon.kernel.ids import new_id
from cordon.kernel.work import Kernel, Work
from cordon.picture.cover import fields
from cordon.picture.cover.model import KINDS, Limit, Means, PatrolPlan, Sensor, words_of
from cordon.picture.cover.reading import patrol_of, sensor_of, sensors_of
from cordon.picture.cover.tables import PatrolPlanRow, SensorLimitRow, SensorRow

MARK = Mark.AMBER
"""Where an agency cannot see is nobody else's business."""
KEPT = timedelta(
    days=2
)  # how long an ended limit or patrol still matters: the live window and more
_OF_KIND = "kind:"


def stored(session: Session, now: datetime) -> Means:
    """What the node sees with, with what limits it lately."""
    entered = session.scalars(
        select(SensorLimitRow).where(
            (SensorLimitRow.ends.is_(None)) | (SensorLimitRow.ends > now - KEPT)
        )
    )
    limits: dict[str, list[Limit]] = {}
    for row in entered:
        limits.setdefault(row.sensor, []).append(Limit(row.starts, row.ends, row.reach, row.why))
    sensors = []
    for one in session.scalars(select(SensorRow).order_by(SensorRow.sensor)):
        sensor = sensor_of(one.body)
        more = limits.get(sensor.id, []) + limits.get(_OF_KIND + sensor.kind, [])
        shadows = tuple(shape(s) for s in one.body.get("shadows", ()))
        sensors.append(replace(sensor, limits=(*sensor.limits, *more), shadows=shadows))
    plans = session.scalars(select(PatrolPlanRow).where(PatrolPlanRow.ends > now - KEPT))
    return Means(
        tuple(sensors),
        tuple(
            PatrolPlan(p.unit, p.sector, p.starts, p.ends, shape(p.route) if p.route else None)
            for p in plans
        ),
    )


def body_of(sensor: Sensor) -> dict[str, Any]:
    """A sensor's values as a row of the format `sensors`, and its shadows."""
    body = {k: v for k, v in asdict(replace(sensor, shadows=())).items() if v not in (None, "", ())}
    body["sees"] = words_of(sensor.sees)
    body["duty"] = ";".join(
        f"{a // 60:02d}:{a % 60:02d}-{b // 60:02d}:{b % 60:02d}" for a, b in sensor.duty
    )
    body["limits"] = [
        {
            "from": format_time(one.start),
            "to": format_time(one.end) if one.end else None,
            "reach": one.reach,
            "why": one.why,
        }
        for one in sensor.limits
    ]
    body["shadows"] = [mapping(s) for s in sensor.shadows]
    return body


def put(kernel: Kernel, actor: Actor, data: bytes, where: str) -> int:
    """Bring sensors in from a file's bytes; those of the same id are replaced. Returns how many.

    Raises:
        BadInput: names the row that is wrong; then nothing is changed.
    """
    means = sensors_of(data, where)
    with kernel.work(actor) as work:
        work.act(
            "picture.sensor.change",
            _room(kernel),
            sensors=len(means.sensors),
            patrols=len(means.patrols),
        )
        for sensor in means.sensors:
            row = _row(work, sensor.id)
            if row is None:
                row = SensorRow(**_owned(work), sensor=sensor.id, version=0)
                work.session.add(row)
            row.kind, row.body = sensor.kind, body_of(sensor)
            row.version += 1
        for plan in means.patrols:
            _plan(work, plan)
    return len(means.sensors)


def remove(kernel: Kernel, actor: Actor, sensor: str) -> None:
    """Take a sensor out; findings that speak of it stay. NotFound where there is none."""
    with kernel.work(actor) as work:
        row = _row(work, sensor)
        work.act("picture.sensor.change", _room(kernel), removed=sensor[: fields.LONGEST])
        if row is None:
            raise NotFound("There is no sensor of that id.")
        work.session.delete(row)


def note_limit(
    kernel: Kernel, actor: Actor, sensor: str, start: str, end: str, reach: str, why: str
) -> str:
    """Enter an outage or weather; return its id.

    Args:
        sensor: an id, or `kind:camera` for all cameras. start, end: RFC 3339; end may be empty.
        reach: what is left of the range, in percent; empty for nothing.
    """
    percent = fields.number({"reach": reach}, "reach", 0, 100) or 0.0
    limit = fields.limit(start, end, percent / 100, fields.text({"why": why}, "why", needed=True))
    with kernel.work(actor) as work:
        known = (
            sensor.removeprefix(_OF_KIND) in KINDS
            if sensor.startswith(_OF_KIND)
            else _row(work, sensor) is not None
        )
        if not known:
            raise NotFound("There is no sensor of that id.")
        row = SensorLimitRow(
            **_owned(work), sensor=sensor, starts=limit.start, ends=limit.end, reach=limit.reach,
            why=limit.why,
        )  # fmt: skip
        work.session.add(row)
        work.act("picture.cover.note", row.thing(), sensor=sensor, reach=limit.reach)
        return row.id


def end_limit(kernel: Kernel, actor: Actor, limit: str) -> None:
    """End an outage now, or take it out where it has not begun."""
    with kernel.work(actor) as work:
        row = work.session.get(SensorLimitRow, limit)
        work.act("picture.cover.note", row.thing() if row else _room(kernel), ended=True)
        if row is None:
            raise NotFound("There is no such entry.")
        if row.starts >= work.now:
            work.session.delete(row)
        elif row.ends is None or row.ends > work.now:
            row.ends = work.now


def plan_patrol(kernel: Kernel, actor: Actor, unit: str, sector: str, start: str, end: str) -> str:
    """Enter a planned patrol; return its id."""
    plan = patrol_of({"unit": unit, "sector": sector, "from": start, "to": end}, None)
    with kernel.work(actor) as work:
        row = _plan(work, plan)
        work.act("picture.cover.note", row.thing(), unit=plan.unit, sector=plan.sector)
        return row.id


def cancel_patrol(kernel: Kernel, actor: Actor, plan: str) -> None:
    """Take a planned patrol out; one that is under way ends now."""
    with kernel.work(actor) as work:
        row = work.session.get(PatrolPlanRow, plan)
        work.act("picture.cover.note", row.thing() if row else _room(kernel), cancelled=True)
        if row is None:
            raise NotFound("There is no such entry.")
        if row.starts >= work.now:
            work.session.delete(row)
        else:
            row.ends = min(row.ends, work.now)


def entries(session: Session, now: datetime) -> tuple[list[SensorLimitRow], list[PatrolPlanRow]]:
    """Limits and patrols that last or are to come, by when they begin."""
    limits = select(SensorLimitRow).where(
        (SensorLimitRow.ends.is_(None)) | (SensorLimitRow.ends > now)
    )
    plans = select(PatrolPlanRow).where(PatrolPlanRow.ends > now)
    return (
        list(session.scalars(limits.order_by(SensorLimitRow.starts))),
        list(session.scalars(plans.order_by(PatrolPlanRow.starts))),
    )


def _plan(work: Work, plan: PatrolPlan) -> PatrolPlanRow:
    query = select(PatrolPlanRow).where(
        PatrolPlanRow.unit == plan.unit,
        PatrolPlanRow.sector == plan.sector,
        PatrolPlanRow.starts == plan.start,
    )
    row = work.session.scalar(query)
    if row is None:
        row = PatrolPlanRow(
            **_owned(work), unit=plan.unit, sector=plan.sector, starts=plan.start, ends=plan.end
        )
        work.session.add(row)
    row.ends = plan.end
    row.route = mapping(plan.route) if plan.route is not None else None
    return row


def _row(work: Work, sensor: str) -> SensorRow | None:
    return work.session.scalar(
        select(SensorRow).where(SensorRow.agency == work.kernel.agency, SensorRow.sensor == sensor)
    )


def _owned(work: Work) -> dict[str, Any]:
    return {
        "id": new_id(),
        "agency": work.kernel.agency,
        "mark": MARK,
        "created_at": work.now,
    }


def _room(kernel: Kernel) -> Thing:
    return Thing.room("picture", kernel.agency)
