"""The units that can be sent, and which of them is nearest."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import and_, func, or_, select

from cordon.kernel import geo
from cordon.kernel.access.model import Actor, Mark
from cordon.kernel.errors import Conflict
from cordon.kernel.ids import new_id
from cordon.kernel.units import MS_PER_KNOT
from cordon.operations.base import RoomBase, alert_row, as_unit, one_of, unit_row, written
from cordon.operations.model import (
    Choice,
    Position,
    TaskingState,
    Unit,
    UnitKind,
    UnitState,
    check_code,
    check_speed,
)
from cordon.operations.tables import TaskingRow, UnitRow

VIEW = "operations.unit.view"
UNIT_MARK = Mark.GREEN  # that a unit exists is known in its agency and among its partners


class Units(RoomBase):
    """Adding units, saying whether they are ready, and finding the nearest."""

    def add_unit(
        self,
        actor: Actor,
        *,
        code: str,
        name: str,
        kind: str,
        sector: str,
        speed_kn: float,
        contact: str,
        position: Position | None = None,
    ) -> Unit:
        """Add a unit, ready to be sent.

        Raises:
            BadInput: a field cannot be used. Conflict: a unit has that code already.
        """
        code = check_code(code)
        with self.kernel.work(actor) as work:
            row = UnitRow(
                id=new_id(),
                agency=self.kernel.agency,
                mark=UNIT_MARK,
                created_at=work.now,
                code=code,
                name=written(name, "The name", most=80),
                kind=one_of(UnitKind, kind, "kind of unit"),
                sector=written(sector, "The sector", most=60),
                state=UnitState.READY,
                speed_kn=check_speed(speed_kn),
                contact=written(contact, "The contact", most=120),
                lat=position.lat if position else None,
                lon=position.lon if position else None,
                position_at=work.now if position else None,
            )
            work.act("operations.unit.add", row.thing(), code=code, kind=kind)
            taken = work.session.scalar(
                select(UnitRow.id).where(UnitRow.agency == row.agency, UnitRow.code == code)
            )
            if taken is not None:
                raise Conflict(f"There is a unit {code} already.", advice="Give another code.")
            work.session.add(row)
            work.session.flush()
            return as_unit(row)

    def set_unit_state(
        self, actor: Actor, id_: str, state: UnitState, *, position: Position | None = None
    ) -> Unit:
        """Say that a unit is ready or unavailable; while it is away only its tasking decides."""
        if state is UnitState.TASKED:
            raise Conflict("A unit is tasked by sending it.", advice="Send it from an alert.")
        with self.kernel.work(actor) as work:
            row = unit_row(work.session, id_, lock=True)
            work.act("operations.unit.set_state", row.thing(), to=state.value)
            if row.state == UnitState.TASKED:
                raise Conflict(
                    f"{row.code} is on a tasking.", advice="End or cancel the tasking first."
                )
            row.state = state
            if position is not None:
                row.lat, row.lon, row.position_at = position.lat, position.lon, work.now
            return as_unit(row)

    def units(self, actor: Actor, *, state: UnitState | None = None) -> list[Unit]:
        """Units that the actor may see, by code."""
        with self.kernel.view(actor) as view:
            mine = and_(
                func.lower(UnitRow.code) == (actor.unit or ""),
                UnitRow.mark.in_(self.marks_of_unit(view, VIEW, "unit")),
            )
            query = (
                select(UnitRow)
                .where(UnitRow.agency == self.kernel.agency)
                .where(or_(UnitRow.mark.in_(self.marks(view, VIEW, "unit")), mine))
                .order_by(UnitRow.code)
            )
            if state is not None:
                query = query.where(UnitRow.state == state)
            return [as_unit(row) for row in view.session.scalars(query)]

    def choices(self, actor: Actor, alert: str) -> list[Choice]:
        """Ready units for an alert, the soonest there first.

        The way is the straight line from where each unit last reported: over land, past shoals,
        without wind or road. It ranks units; it promises no time. Those without a position come
        after the others, and those that declined this alert last.
        """
        ready = self.units(actor, state=UnitState.READY)
        with self.kernel.view(actor) as view:
            row = alert_row(view.session, alert)
            view.permit("operations.tasking.send", row.thing())
            declined = set(
                view.session.scalars(
                    select(TaskingRow.unit).where(
                        TaskingRow.alert == alert, TaskingRow.state == TaskingState.DECLINED
                    )
                )
            )
            place = (
                Position(row.lat, row.lon) if row.lat is not None and row.lon is not None else None
            )
        return ranked(ready, place, declined)


def ranked(
    units: list[Unit], place: Position | None, declined: set[str] | frozenset[str] = frozenset()
) -> list[Choice]:
    """Units by how soon a straight line at their usual speed would bring them to a place."""
    choices = [_choice(unit, place, unit.id in declined) for unit in units]
    last = timedelta.max
    return sorted(choices, key=lambda c: (c.declined, c.takes or last, c.unit.code))


def _choice(unit: Unit, place: Position | None, declined: bool) -> Choice:
    if place is None or unit.position is None:
        return Choice(unit, None, None, None, declined)
    here = (unit.position.lat, unit.position.lon)
    metres = float(geo.distance_m(*here, place.lat, place.lon))
    bearing = float(geo.bearing_deg(*here, place.lat, place.lon))
    takes = timedelta(seconds=metres / (unit.speed_kn * MS_PER_KNOT))
    return Choice(unit, metres, bearing, takes, declined)
