"""Pages of taskings, with the clock of their states, and of units."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from cordon.kernel.access.model import Actor
from cordon.kernel.errors import BadInput, Conflict, CordonError
from cordon.kernel.pages import May, guarded_router, page, see_other
from cordon.operations.base import one_of, position_of
from cordon.operations.model import UNDER_WAY, TaskingState, UnitKind, UnitState
from cordon.operations.ranking.means import means
from cordon.operations.service import Operations
from cordon.operations.taskings import NEEDS_WORDS

VIEW, REPORT = "operations.tasking.view", "operations.tasking.report"
CANCEL = "operations.tasking.cancel"
UNITS, ADD, SET = "operations.unit.view", "operations.unit.add", "operations.unit.set_state"
SAY = "operations.unit.say"
A_PAGE = 50
NOTHING_CHOSEN: list[str] = []
NOTHING_TYPED: dict[str, str] = {}


def tasking_routes(room: Operations) -> APIRouter:
    """The routes below `/taskings` and `/units`."""
    router = guarded_router()

    @router.get("/taskings")
    def taskings(
        request: Request,
        actor: Annotated[Actor, May(VIEW)],
        state: str = "",
        unit: str = "",
        before: str = "",
    ) -> Response:
        """Taskings, the newest first."""
        states = _states(state)
        found = room.taskings(actor, states=states, unit=unit, before=before, at_most=A_PAGE)
        return page(
            request,
            "operations/taskings.html",
            title="Taskings",
            taskings=found,
            names=room.names(t.sent_by for t in found),
            may_measure=room.may(actor, "operations.measures.view"),
            state=state,
            unit=unit,
            now=room.kernel.clock.now(),
            before=found[-1].id if len(found) == A_PAGE else "",
        )

    @router.get("/taskings/{tasking}")
    def tasking_page(
        request: Request, tasking: str, actor: Annotated[Actor, May(VIEW)]
    ) -> Response:
        """A tasking and its steps."""
        return _drawn(room, request, actor, tasking)

    @router.post("/taskings/{tasking}/report")
    def report(
        request: Request,
        tasking: str,
        actor: Annotated[Actor, May(REPORT)],
        to: Annotated[str, Form()] = "",
        note: Annotated[str, Form()] = "",
        lat: Annotated[str, Form()] = "",
        lon: Annotated[str, Form()] = "",
    ) -> Response:
        """A unit's report on its tasking."""
        try:
            state = TaskingState(one_of(TaskingState, to, "state of a tasking"))
            room.report(actor, tasking, state, note=note, position=position_of(lat, lon))
        except (BadInput, Conflict) as refused:
            typed = {"to": to, "note": note, "lat": lat, "lon": lon}
            return _drawn(room, request, actor, tasking, typed, refused)
        return see_other(request, f"/taskings/{tasking}")

    @router.post("/taskings/{tasking}/cancel")
    def cancel(
        request: Request,
        tasking: str,
        actor: Annotated[Actor, May(CANCEL)],
        note: Annotated[str, Form()] = "",
    ) -> Response:
        """Call a unit back."""
        try:
            room.report(actor, tasking, TaskingState.CANCELLED, note=note)
        except (BadInput, Conflict) as refused:
            return _drawn(room, request, actor, tasking, {"why": note}, refused)
        return see_other(request, f"/taskings/{tasking}")

    @router.get("/units")
    def units(request: Request, actor: Annotated[Actor, May(UNITS)]) -> Response:
        """The units that can be sent."""
        return _units(room, request, actor)

    @router.post("/units")
    def add(
        request: Request,
        actor: Annotated[Actor, May(ADD)],
        code: Annotated[str, Form()] = "",
        name: Annotated[str, Form()] = "",
        kind: Annotated[str, Form()] = "",
        sector: Annotated[str, Form()] = "",
        speed_kn: Annotated[str, Form()] = "",
        contact: Annotated[str, Form()] = "",
        lat: Annotated[str, Form()] = "",
        lon: Annotated[str, Form()] = "",
    ) -> Response:
        """Add a unit that can be sent."""
        typed = {
            "code": code, "name": name, "kind": kind, "sector": sector, "speed_kn": speed_kn,
            "contact": contact, "lat": lat, "lon": lon,
        }  # fmt: skip
        try:
            room.add_unit(
                actor, code=code, name=name, kind=kind, sector=sector, speed_kn=_knots(speed_kn),
                contact=contact, position=position_of(lat, lon),
            )  # fmt: skip
        except (BadInput, Conflict) as refused:
            return _units(room, request, actor, typed, refused)
        return see_other(request, "/units")

    @router.get("/units/{unit}")
    def unit_page(request: Request, unit: str, actor: Annotated[Actor, May(UNITS)]) -> Response:
        """A unit and what was said of it."""
        return _unit(room, request, actor, unit)

    @router.post("/units/{unit}/say")
    def say(
        request: Request,
        unit: str,
        actor: Annotated[Actor, May(SAY)],
        crew: Annotated[str, Form()] = "",
        range_nm: Annotated[str, Form()] = "",
        acts: Annotated[list[str], Form()] = NOTHING_CHOSEN,
        equipment: Annotated[list[str], Form()] = NOTHING_CHOSEN,
        note: Annotated[str, Form()] = "",
    ) -> Response:
        """Say what a unit can do now."""
        typed = {
            "crew": crew, "range_nm": range_nm, "acts": acts, "equipment": equipment, "note": note,
        }  # fmt: skip
        try:
            room.say(
                actor, unit, crew=_whole(crew), range_nm=_miles(range_nm), acts=acts,
                equipment=equipment, note=note,
            )  # fmt: skip
        except BadInput as refused:
            return _unit(room, request, actor, unit, typed, refused)
        return see_other(request, f"/units/{unit}")

    @router.post("/units/{unit}/state")
    def set_state(
        request: Request,
        unit: str,
        actor: Annotated[Actor, May(SET)],
        to: Annotated[str, Form()] = "",
    ) -> Response:
        """Say whether a unit is ready."""
        try:
            room.set_unit_state(actor, unit, UnitState(one_of(UnitState, to, "state of a unit")))
        except Conflict as refused:
            return _units(room, request, actor, refused=refused)
        return see_other(request, "/units")

    return router


def _states(text: str) -> tuple[TaskingState, ...]:
    if text == "under_way":
        return UNDER_WAY
    return (TaskingState(one_of(TaskingState, text, "state of a tasking")),) if text else ()


def _knots(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise BadInput("That is no speed of a unit.", advice="Give knots, like 18.5.") from None


def _whole(text: str) -> int | None:
    try:
        return int(text) if text.strip() else None
    except ValueError:
        raise BadInput("That is no crew.", advice="Give a whole number, like 6.") from None


def _miles(text: str) -> float | None:
    try:
        return float(text) if text.strip() else None
    except ValueError:
        raise BadInput("That is no range.", advice="Give nautical miles, like 120.") from None


def _unit(
    room: Operations,
    request: Request,
    actor: Actor,
    id_: str,
    typed: dict[str, Any] | None = None,
    refused: CordonError | None = None,
) -> Response:
    unit, statements = room.statements(actor, id_)
    return page(
        request,
        "operations/unit.html",
        status=200 if refused is None else type(refused).status,
        title=unit.code,
        unit=unit,
        statements=statements,
        may_say=room.may(actor, SAY, unit.thing()),
        names=room.names(s.said_by for s in statements),
        means=means(),
        typed=typed or {},
        refused=refused,
    )


def _drawn(
    room: Operations,
    request: Request,
    actor: Actor,
    id_: str,
    typed: dict[str, str] = NOTHING_TYPED,
    refused: CordonError | None = None,
) -> Response:
    tasking = room.tasking(actor, id_)
    moves = room.moves(actor, tasking)
    context: dict[str, Any] = {
        "tasking": tasking,
        "moves": [m for m in moves if m is not TaskingState.CANCELLED],
        "may_cancel": TaskingState.CANCELLED in moves,
        "may_see_alert": room.may(actor, "operations.alert.view"),
        "needs_words": NEEDS_WORDS,
        "names": room.names(step.by for step in tasking.steps),
        "typed": typed,
        "refused": refused,
        "now": room.kernel.clock.now(),
    }
    status = 200 if refused is None else type(refused).status
    title = f"{tasking.unit_code} · {tasking.alert_title}"
    return page(request, "operations/tasking.html", status=status, title=title, **context)


def _units(
    room: Operations,
    request: Request,
    actor: Actor,
    typed: dict[str, str] = NOTHING_TYPED,
    refused: CordonError | None = None,
) -> Response:
    found = room.units(actor)
    # a unit may be seen by those who may not see what it is sent for
    away = room.taskings(actor, states=UNDER_WAY, at_most=200) if room.may(actor, VIEW) else []
    return page(
        request,
        "operations/units.html",
        status=200 if refused is None else type(refused).status,
        title="Units",
        units=[
            (b, room.may(actor, SET, b.unit.thing()), room.may(actor, SAY, b.unit.thing()))
            for b in room.board(actor, found)
        ],
        means=means(),
        open_to_me={tasking.id for tasking in away},
        kinds=list(UnitKind),
        may_add=room.may(actor, ADD),
        may_see_tak=room.may(actor, "operations.tak.view"),
        typed=typed,
        refused=refused,
        now=room.kernel.clock.now(),
    )
