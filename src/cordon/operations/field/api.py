"""What the field page speaks with, below `/api/operations/field`."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Request, WebSocket, WebSocketDisconnect
from starlette.concurrency import run_in_threadpool

from cordon.kernel.access.model import Actor
from cordon.kernel.clock import beside, format_time
from cordon.kernel.errors import CordonError, TooLarge
from cordon.kernel.pages import May, guarded_router
from cordon.operations.api_routes import position_json
from cordon.operations.field.base import PANIC, READ, REPORT, VIEW
from cordon.operations.field.desk import ActView, FieldDesk
from cordon.operations.field.forms import form_json, forms
from cordon.operations.field.live import ENDED, Live, Phone
from cordon.operations.field.model import (
    CLOCK_LIMIT,
    LARGEST_PART,
    LARGEST_PHOTO,
    MOST_ACTS,
    MOST_FIXES,
    NEXT,
    PHOTO_TYPES,
)
from cordon.operations.field.panic import PARAMETERS, Panic
from cordon.operations.field.photos import Arrived
from cordon.operations.model import Position, Tasking

SESSION_ENDED = 4401  # as the code of a socket: 4000 and up are an application's own
Message = Annotated[dict[str, Any], Body()]


def field_api(desk: FieldDesk, live: Live) -> APIRouter:
    """The routes of the API. `live` tells phones that they should ask anew."""
    router = guarded_router(prefix="/api/operations/field")

    @router.get("/state")
    def state(request: Request, actor: Annotated[Actor, May(VIEW)]) -> dict[str, Any]:
        """All that the page of one officer needs, to be kept on the phone; and the time that the
        phone's clock is held against."""
        call = desk.mine(actor)
        return {
            "now": format_time(beside(desk.kernel.clock)),
            "officer": {"id": actor.id, "name": actor.name},
            "unit": (actor.unit or "").upper(),
            "csrf": getattr(request.state, "csrf", ""),
            "taskings": [tasking_json(*t) for t in desk.own_taskings(actor)],
            "kept": [kept_json(a) for a in reversed(desk.own_open(actor))],
            "panic": call and panic_json(call),
            "forms": [form_json(f) for f in forms().values()],
            "limits": {
                "clock_s": CLOCK_LIMIT.total_seconds(),
                "acts": MOST_ACTS,
                "fixes": MOST_FIXES,
                "photo": LARGEST_PHOTO,
                "part": LARGEST_PART,
                "photo_types": list(PHOTO_TYPES),
                **PARAMETERS,
            },
        }

    @router.websocket("/live")
    async def hear(socket: WebSocket, actor: Annotated[Actor, May(VIEW)]) -> None:
        """Tell a phone when it should ask for its state anew, and now and then that it is heard."""
        since = await run_in_threadpool(live.newest)
        try:
            phone = live.join(actor, since)
        except CordonError:  # a program, or one page too many: before it is open there are no words
            await socket.close()
            return
        try:
            await socket.accept()
            gone = asyncio.ensure_future(_gone(socket, phone))
            try:
                while (said := await phone.next()) != ENDED:
                    await socket.send_text(said)
                await socket.close(code=SESSION_ENDED)
            except (WebSocketDisconnect, RuntimeError):
                return  # it went away while something was on its way to it
            finally:
                gone.cancel()
        finally:
            live.leave(phone)

    @router.post("/sync")
    def sync(message: Message, actor: Annotated[Actor, May(REPORT)]) -> dict[str, Any]:
        """Take what a phone kept; an answer for each act, in the order of the message."""
        answers, fixes, offset = desk.take(actor, message)
        return {
            "answers": [{"id": a.id, "outcome": a.outcome.value, "why": a.why} for a in answers],
            "fixes": fixes,
            "offset_ms": round(offset.total_seconds() * 1000),
        }

    @router.post("/panic")
    def panic(message: Message, actor: Annotated[Actor, May(PANIC)]) -> dict[str, Any]:
        """A call for help, the first time or again."""
        return panic_json(desk.call(actor, message))

    @router.get("/photos/{photo}")
    def arrived(photo: str, actor: Annotated[Actor, May(REPORT)]) -> dict[str, Any]:
        """How much of a photo is here."""
        return arrived_json(desk.arrived(actor, photo))

    @router.put("/photos/{photo}")
    async def part(
        request: Request,
        photo: str,
        actor: Annotated[Actor, May(REPORT)],
        offset: Annotated[int, Query(ge=0, le=LARGEST_PHOTO)],
    ) -> dict[str, Any]:
        """Take the bytes of a photo from an offset on."""
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > LARGEST_PART:
                raise TooLarge("The part is too large.", advice=f"Send {LARGEST_PART:,} at most.")
        return arrived_json(await run_in_threadpool(desk.put, actor, photo, offset, bytes(body)))

    @router.get("/calls")
    def calls(actor: Annotated[Actor, May(READ)]) -> dict[str, Any]:
        """Calls for help that are not ended, for every page of the watch."""
        found = desk.panics(actor)
        names = desk.names(c.officer for c in found)
        return {"calls": [{**panic_json(c), "officer": names[c.officer]} for c in found]}

    return router


async def _gone(socket: WebSocket, phone: Phone) -> None:
    """Take what the page sends (nothing is expected) until it goes."""
    try:
        while True:
            await socket.receive_text()
    except (WebSocketDisconnect, KeyError, RuntimeError):
        phone.tell(ended=True)


def tasking_json(tasking: Tasking, seriousness: str, place: Position | None) -> dict[str, Any]:
    """A tasking for the phone, with the one next step of its big button."""
    following = NEXT.get(tasking.state)
    return {
        "id": tasking.id,
        "unit": tasking.unit_code,
        "title": tasking.alert_title,
        "seriousness": seriousness,
        "order": tasking.order,
        "state": tasking.state.value,
        "next": following and following.value,
        "place": position_json(place),
        "sent_at": format_time(tasking.sent_at),
        "taken_back": tasking.withdrawn_at is not None,
        "steps": [{"state": s.state.value, "at": format_time(s.at)} for s in tasking.steps],
    }


def kept_json(act: ActView) -> dict[str, Any]:
    """An act that could not be done, for the phone that said it."""
    return {
        "id": act.id,
        "kind": act.kind,
        "to": act.body.get("to"),
        "form": act.body.get("form"),
        "tasking": act.tasking,
        "at": format_time(act.at),
        "why": act.why,
        "settled": act.settled_note,
    }


def panic_json(call: Panic) -> dict[str, Any]:
    """A call for help."""
    return {
        "id": call.id,
        "unit": call.unit.upper(),
        "state": call.state,
        "alert": call.alert,
        "pressed_at": format_time(call.pressed_at),
        "answered_at": call.answered_at and format_time(call.answered_at),
        "place": position_json(call.place),
        "accuracy_m": call.accuracy_m,
        "safe": call.safe_at is not None,
    }


def arrived_json(arrived: Arrived) -> dict[str, Any]:
    """How much of a photo is here."""
    return {"state": arrived.state, "received": arrived.received, "size": arrived.size}
