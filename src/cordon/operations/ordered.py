"""Orders that another room asks for: a site package that was sent becomes a drafted tasking."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from cordon.kernel.access.model import Mark
from cordon.kernel.errors import NotFound
from cordon.kernel.events import Dispatcher, Event
from cordon.kernel.ids import new_id
from cordon.kernel.work import Work
from cordon.operations.base import RoomBase, alert_row
from cordon.operations.model import TaskingState
from cordon.operations.tables import AlertFindingRow, TaskingRow, TaskingStepRow, UnitRow

DRAFT = "operations.tasking.draft"


class Ordered(RoomBase):
    """Drafts taskings from packages; the watch sends them or calls them off."""

    def subscribe_ordered(self, dispatcher: Dispatcher) -> None:
        """Be told of packages that were sent."""
        dispatcher.subscribe("operations.packages", {"money.package.sent"}, self.on_package)

    def on_package(self, work: Work, event: Event) -> None:
        """Draft the tasking that a site package asks for; other packages ask for none."""
        told = event.payload
        if told.get("kind") != "site":
            return
        finding, code = str(told["finding"]), str(told["unit"])
        speaks = work.session.get(AlertFindingRow, finding)
        unit = work.session.scalar(
            select(UnitRow).where(UnitRow.agency == self.kernel.agency, UnitRow.code == code)
        )
        if speaks is None or unit is None:
            raise NotFound(f"{told['name']} names a unit or a finding that nobody here knows.")
        alert = alert_row(work.session, speaks.alert, lock=True)
        tasking = TaskingRow(
            id=new_id(),
            agency=alert.agency,
            mark=alert.mark,
            created_at=work.now,
            alert=alert.id,
            unit=unit.id,
            unit_code=unit.code,
            order=_order(told),
            state=TaskingState.DRAFTED,
            sent_by=str(told["by"]),
            report="",
        )
        work.act(DRAFT, alert.thing(), package=told["name"], unit=unit.code, tasking=tasking.id)
        work.session.add(tasking)
        work.session.flush()
        work.session.add(
            TaskingStepRow(
                tasking=tasking.id,
                number=0,
                state=TaskingState.DRAFTED,
                at=work.now,
                by=str(told["by"]),
                note=str(told["name"]),
            )
        )
        work.emit(
            "operations.tasking.drafted",
            {"tasking": tasking.id, "alert": alert.id, "unit": unit.code, "package": told["name"]},
            Mark(alert.mark),
        )


def _order(said: Mapping[str, Any]) -> str:
    """What the unit is to do, in words; where it is stands as degrees and metres."""
    words = [f"Raid by site package {said['name']}: {said['lat']:.5f}, {said['lon']:.5f}"]
    if said.get("radius_m") is not None:
        words.append(f"within {said['radius_m']:,.0f} m")
    if said.get("opens") is not None and said.get("closes") is not None:
        words.append(f"at work {_hour(said['opens'])} to {_hour(said['closes'])}")
    if said.get("seats"):
        words.append(f"{said['seats'][0]} to {said['seats'][1]} seats")
    return ", ".join(words) + ". The package holds the evidence and the region."


def _hour(value: float) -> str:
    minutes = round(value * 60) % (24 * 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
