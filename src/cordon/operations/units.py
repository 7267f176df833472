"""The units that can be sent, and which of them is nearest."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import and_, func, or_, select

from cordon.kernel.access.model import Actor, Mark, Thing
from cordon.kernel.errors import Conflict
from cordon.kernel.ids import new_id
from cordon.operations.base import RoomBase, alert_row, as_alert, as_unit, one_of, unit_row, written
from cordon.operations.model import (
    Alert,
    Choice,
    Position,
    TaskingState,
    Unit,
    UnitKind,
    UnitState,
    check_code,
    check_speed,
)
from cordon.operations.ranking import ranked
from cordon.operations.ranking.meeting import meetings
from cordon.operations.ranking.roads import roads_of
from cordon.operations.saying import last_said
from cordon.operations.tables import TaskingRow, UnitRow
from cordon.operations.triage.score import Target, fresh

VIEW, TAKE_ROADS = "operations.unit.view", "operations.roads.take"
UNIT_MARK = Mark.GREEN  # that a unit exists is known in its agency and among its partners


@dataclass(frozen=True, slots=True)
class Ranking:
    """Units for an alert.

    Attributes:
        alert: for which, as the reader may see it.
        asks: acts that the alert's kind asks for, ids of `ranking/means.yaml`.
        target: the subject whose meeting is told, as it was heard last; None where none moves.
    """

    alert: Alert
    choices: tuple[Choice, ...]
    asks: tuple[str, ...]
    target: Target | None


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

    def take_roads(
        self, actor: Actor, extract: Path, say: Callable[[int], None] = lambda _roads: None
    ) -> dict[str, int]:
        """Take the roads of an extract of OpenStreetMap, in place of those that were known.

        Args:
            say: told how many roads were read, now and then.

        Returns:
            How many points and ways are known now.

        Raises:
            BadInput: it cannot be read. Unavailable: what reads it is not installed.
            Conflict: this node keeps none.
        """
        from cordon.operations.ranking.extract import read_extract

        thing = Thing.room("operations", self.kernel.agency)
        with self.kernel.view(actor) as view:
            view.permit(TAKE_ROADS, thing)
        if self.roads is None:
            raise Conflict("This node keeps no roads.")
        net = read_extract(extract, say)
        told = {"points": len(net.lat), "ways": len(net.begin)}
        with extract.open("rb") as raw:
            sha256 = hashlib.file_digest(raw, "sha256").hexdigest()
        with self.kernel.work(actor) as work:  # roads that cannot be kept leave no entry
            work.act(TAKE_ROADS, thing, sha256=sha256, **told)
            net.write(self.roads)
        return told

    def choices(self, actor: Actor, alert: str) -> list[Choice]:
        """Ready units for an alert, the soonest there first; see `ranking_of`."""
        return list(self.ranking_of(actor, alert).choices)

    def ranking_of(self, actor: Actor, alert: str, *, also: Collection[str] = ()) -> Ranking:
        """Ready units for an alert, the soonest there first, and what they were ranked for.

        Ways and order as in `ranking.ranked`: it ranks units; it promises no time.

        Args:
            also: ids of units that are ranked too, whatever they do now: as it was before one of
                them was sent.
        """
        ready = self.units(actor, state=UnitState.READY)
        if also:
            known = {u.id for u in ready}
            ready += [u for u in self.units(actor) if u.id in also and u.id not in known]
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
            radius_m = row.radius_m or 0.0
            said = last_said(view.session, [u.id for u in ready])
            acts = self.triage.of(row.kind, row.seriousness).acts
            shown = as_alert(view.session, row)
        now = self.kernel.clock.now()
        found = ranked(
            ready, place, declined, now=now, radius_m=radius_m, said=said, asks=acts,
            roads=roads_of(self.roads),
        )  # fmt: skip
        heard = (self.seen.target(s) for s in shown.subjects)
        moving = [t for t in heard if t is not None and fresh(t, self.triage, now)]
        target = max(moving, key=lambda t: (t.at, t.subject), default=None)
        return Ranking(shown, tuple(meetings(found, target, now)), acts, target)
