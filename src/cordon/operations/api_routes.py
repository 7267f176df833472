"""The JSON API of the room, below `/api/operations`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Body, Request

from cordon.kernel.access.model import Actor
from cordon.kernel.clock import format_time
from cordon.kernel.pages import May, guarded_router
from cordon.operations.base import one_of
from cordon.operations.model import (
    Alert,
    Choice,
    Meeting,
    Position,
    Statement,
    Tasking,
    TaskingState,
    Unit,
)
from cordon.operations.queue import Filters
from cordon.operations.saying import OnBoard
from cordon.operations.service import Operations
from cordon.operations.triage.score import Target

Text = Annotated[str, Body(embed=True)]
Flag = Annotated[bool, Body(embed=True)]
Words = Annotated[Sequence[str], Body(embed=True)]
Degrees = Annotated[float | None, Body(embed=True)]


def api_routes(room: Operations) -> APIRouter:
    """The routes of the API."""
    router = guarded_router(prefix="/api/operations")

    @router.get("/alerts")
    def alerts(
        request: Request,
        actor: Annotated[Actor, May("operations.alert.view")],
        after: str = "",
        limit: int = 50,
    ) -> dict[str, Any]:
        """The queue of alerts, those with most points first."""
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

    @router.get("/alerts/{alert}/ranking")
    def ranking(
        alert: str, actor: Annotated[Actor, May("operations.tasking.send")]
    ) -> dict[str, Any]:
        """Ready units for an alert, the soonest there first, each with its reasons."""
        found = room.ranking_of(actor, alert)
        return {
            "asks": list(found.asks),
            "target": found.target and target_json(found.target),
            "choices": [choice_json(c) for c in found.choices],
        }

    @router.post("/alerts/{alert}/acknowledge")
    def acknowledge(
        alert: str, actor: Annotated[Actor, May("operations.alert.acknowledge")]
    ) -> dict[str, Any]:
        """Say that somebody has seen the alert."""
        return alert_json(room, room.acknowledge(actor, alert))

    @router.post("/alerts/{alert}/assign")
    def assign(
        alert: str,
        to: Text,
        actor: Annotated[Actor, May("operations.alert.assign")],
        had_by: Text = "",
    ) -> dict[str, Any]:
        """Hand an alert to an officer; refused where another got it since `had_by` was read."""
        return alert_json(room, room.assign(actor, alert, to, had_by=had_by))

    @router.post("/alerts/{alert}/merge")
    def merge(
        alert: str,
        others: Annotated[list[str], Body(embed=True)],
        actor: Annotated[Actor, May("operations.alert.merge")],
    ) -> dict[str, Any]:
        """Put others together with an alert; answers with the one that leads them."""
        return alert_json(room, room.merge(actor, [alert, *others]))

    @router.post("/alerts/{alert}/apart")
    def apart(alert: str, actor: Annotated[Actor, May("operations.alert.merge")]) -> dict[str, Any]:
        """Take an alert out of its group."""
        return alert_json(room, room.apart(actor, alert))

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
        return {"units": [board_json(b) for b in room.board(actor, room.units(actor))]}

    @router.post("/units/{unit}/say", status_code=201)
    def say(
        unit: str,
        actor: Annotated[Actor, May("operations.unit.say")],
        crew: Annotated[int | None, Body(embed=True)] = None,
        range_nm: Annotated[float | None, Body(embed=True)] = None,
        equipment: Words = (),
        acts: Words = (),
        note: Text = "",
    ) -> dict[str, Any]:
        """Say what a unit can do now."""
        return statement_json(
            room.say(
                actor, unit, crew=crew, range_nm=range_nm, equipment=equipment, acts=acts, note=note
            )
        )

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
        "due_at": None if alert.taken_back else format_time(alert.due_at),
        "taken_back_at": alert.withdrawn_at and format_time(alert.withdrawn_at),
        "state": alert.state.value,
        "assignee": alert.assignee,
        "unit": alert.unit,
        "case": alert.case,
        "stands_with": alert.stands_with,
        "alike_count": alert.alike,
        "score": alert.score,
        "points": dict(alert.parts.get("points", {})),
        "act_by": alert.act_by and format_time(alert.act_by),
        "act_by_because": alert.parts.get("because"),
        "escalated": alert.level,
        "escalate_at": alert.escalate_at and format_time(alert.escalate_at),
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


def board_json(shown: OnBoard) -> dict[str, Any]:
    """A unit with what it can do and would leave behind, for programs."""
    return {
        **unit_json(shown.unit),
        "said": shown.said and statement_json(shown.said),
        "leaves": shown.leaves and {"unit": shown.leaves[0], "minutes": round(shown.leaves[1], 1)},
    }


def statement_json(said: Statement) -> dict[str, Any]:
    """What a unit said of itself, for programs."""
    return {
        "at": format_time(said.said_at),
        "by": said.said_by,
        "crew": said.crew,
        "range_nm": said.range_nm,
        "equipment": list(said.equipment),
        "acts": list(said.acts),
        "note": said.note,
    }


def target_json(target: Target) -> dict[str, Any]:
    """A moving subject as it was heard last, for programs; it is a vessel or vehicle."""
    return {
        "subject": target.subject,
        "at": format_time(target.at),
        "position": {"lat": target.lat, "lon": target.lon},
        "course_deg": target.course_deg,
        "speed_ms": target.speed_ms,
    }


def meeting_json(meets: Meeting) -> dict[str, Any]:
    """An intercept for programs: legs are straight; `clear_of_land` is None where not looked at."""
    return {
        "course_deg": meets.course_deg,
        "takes_s": meets.takes.total_seconds(),
        "position": position_json(meets.place),
        "clear_of_land": meets.clear,
    }


def choice_json(choice: Choice) -> dict[str, Any]:
    """A unit's rank for programs; None where a value is not known."""
    return {
        "unit": unit_json(choice.unit),
        "way": choice.way.value,
        "distance_m": choice.distance_m,
        "bearing_deg": choice.bearing_deg,
        "takes_s": choice.takes and choice.takes.total_seconds(),
        "added_s": choice.added.total_seconds(),
        "declined": choice.declined,
        "cannot": choice.cannot,
        "said": choice.said and statement_json(choice.said),
        "intercept": choice.meets and meeting_json(choice.meets),
        "reasons": [asdict(r) for r in choice.reasons],
    }


def position_json(position: Position | None) -> dict[str, float] | None:
    """A position for programs, in degrees."""
    return None if position is None else {"lat": position.lat, "lon": position.lon}
