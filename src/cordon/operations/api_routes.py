"""The JSON API of the room, below `/api/operations`."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Request

from cordon.kernel.access.model import Actor
from cordon.kernel.clock import format_time
from cordon.kernel.pages import May
from cordon.operations.base import one_of
from cordon.operations.model import Alert, Position, Tasking, TaskingState, Unit
from cordon.operations.queue import Filters
from cordon.operations.service import Operations

Text = Annotated[str, Body(embed=True)]
Flag = Annotated[bool, Body(embed=True)]
Degrees = Annotated[float | None, Body(embed=True)]


def api_routes(room: Operations) -> APIRouter:
    """The routes of the API."""
    router = APIRouter(prefix="/api/operations")

    @router.get("/alerts")
    def alerts(
        request: Request,
        actor: Annotated[Actor, May("operations.alert.view")],
        after: str = "",
        limit: int = 50,
    ) -> dict[str, Any]:
        """The queue of alerts, the gravest first."""
        filters = Filters.read(request.query_params)
        found = room.queue(actor, filters, after=after, at_most=limit)
        return {
            "alerts": [alert_json(room, a) for a in found.alerts],
            "after": found.after,
            "newest": found.newest,
        }

    @router.get("/alerts/{alert}")
    def alert(alert: str, actor: Annotated[Actor, May("operations.alert.view")]) -> dict[str, Any]:
        """An alert with its finding."""
        shown = room.alert(actor, alert)
        return {
            **alert_json(room, shown.alert),
            "subjects": list(shown.finding.subjects),
            "finding": shown.finding.to_dict(),
            "authority": shown.under.reference if shown.under else None,
            "alike": [a.id for a in shown.alike],
            "taskings": [tasking_json(t) for t in shown.taskings],
        }

    @router.post("/alerts/{alert}/acknowledge")
    def acknowledge(
        alert: str, actor: Annotated[Actor, May("operations.alert.acknowledge")]
    ) -> dict[str, Any]:
        """Say that somebody has seen the alert."""
        return alert_json(room, room.acknowledge(actor, alert))

    @router.post("/alerts/{alert}/assign")
    def assign(
        alert: str, to: Text, actor: Annotated[Actor, May("operations.alert.assign")]
    ) -> dict[str, Any]:
        """Hand an alert to an officer."""
        return alert_json(room, room.assign(actor, alert, to))

    @router.post("/alerts/{alert}/send", status_code=201)
    def send(
        alert: str,
        unit: Text,
        order: Text,
        actor: Annotated[Actor, May("operations.tasking.send")],
    ) -> dict[str, Any]:
        """Send a unit; answers with the tasking."""
        return tasking_json(room.send(actor, alert, unit, order))

    @router.post("/alerts/{alert}/close")
    def close(
        alert: str,
        reason: Text,
        note: Text,
        actor: Annotated[Actor, May("operations.alert.close")],
        alike: Flag = False,
    ) -> dict[str, Any]:
        """Ask to close an alert."""
        return alert_json(room, room.close(actor, alert, reason, note, alike=alike))

    @router.get("/taskings/{tasking}")
    def tasking(
        tasking: str, actor: Annotated[Actor, May("operations.tasking.view")]
    ) -> dict[str, Any]:
        """A tasking and its steps."""
        return tasking_json(room.tasking(actor, tasking))

    @router.post("/taskings/{tasking}/report")
    def report(
        tasking: str,
        to: Text,
        actor: Annotated[Actor, May("operations.tasking.report")],
        note: Text = "",
        lat: Degrees = None,
        lon: Degrees = None,
    ) -> dict[str, Any]:
        """A unit's report on its tasking."""
        state = TaskingState(one_of(TaskingState, to, "state of a tasking"))
        place = None if lat is None or lon is None else Position(lat, lon)
        return tasking_json(room.report(actor, tasking, state, note=note, position=place))

    @router.post("/taskings/{tasking}/position")
    def position(
        tasking: str,
        lat: Annotated[float, Body(embed=True)],
        lon: Annotated[float, Body(embed=True)],
        actor: Annotated[Actor, May("operations.tasking.report")],
    ) -> dict[str, Any]:
        """Where the unit of a tasking is."""
        room.report_position(actor, tasking, Position(lat, lon))
        return tasking_json(room.tasking(actor, tasking))

    @router.get("/units")
    def units(actor: Annotated[Actor, May("operations.unit.view")]) -> dict[str, Any]:
        """The units that can be sent."""
        return {"units": [unit_json(u) for u in room.units(actor)]}

    return router


def alert_json(room: Operations, alert: Alert) -> dict[str, Any]:
    """An alert for programs; personal subjects are masked, as in the queue."""
    return {
        "id": alert.id,
        "agency": alert.agency,
        "mark": alert.mark.value,
        "finding": alert.finding,
        "kind": alert.kind,
        "title": alert.title,
        "seriousness": alert.seriousness,
        "subjects": list(room.masked_subjects(alert)),
        "place": position_json(alert.place),
        "radius_m": alert.radius_m,
        "start": format_time(alert.starts),
        "end": format_time(alert.ends),
        "opened_at": format_time(alert.opened_at),
        "due_at": format_time(alert.due_at),
        "state": alert.state.value,
        "assignee": alert.assignee,
        "unit": alert.unit,
        "case": alert.case,
        "stands_with": alert.stands_with,
        "alike_count": alert.alike,
    }


def tasking_json(tasking: Tasking) -> dict[str, Any]:
    """A tasking for programs, with the time of each state."""
    return {
        "id": tasking.id,
        "agency": tasking.agency,
        "mark": tasking.mark.value,
        "alert": tasking.alert,
        "unit": tasking.unit,
        "unit_code": tasking.unit_code,
        "order": tasking.order,
        "state": tasking.state.value,
        "report": tasking.report,
        "steps": [
            {
                "state": s.state.value,
                "at": format_time(s.at),
                "by": s.by,
                "note": s.note,
                "position": position_json(s.position),
            }
            for s in tasking.steps
        ],
    }


def unit_json(unit: Unit) -> dict[str, Any]:
    """A unit for programs."""
    return {
        "id": unit.id,
        "agency": unit.agency,
        "code": unit.code,
        "name": unit.name,
        "kind": unit.kind.value,
        "sector": unit.sector,
        "state": unit.state.value,
        "speed_kn": unit.speed_kn,
        "contact": unit.contact,
        "position": position_json(unit.position),
        "position_at": unit.position_at and format_time(unit.position_at),
        "tasking": unit.tasking,
    }


def position_json(position: Position | None) -> dict[str, float] | None:
    """A position for programs, in degrees."""
    return None if position is None else {"lat": position.lat, "lon": position.lon}
