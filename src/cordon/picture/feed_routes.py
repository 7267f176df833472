"""Pages of the feeds, and the address that programs send reports to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Form, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from cordon.kernel.access.model import Actor
from cordon.kernel.clock import format_time
from cordon.kernel.errors import BadInput, TooLarge
from cordon.kernel.pages import May, guarded_router, page, see_other
from cordon.picture.feedkeeping import LARGEST
from cordon.picture.feeds.health import FeedState

if TYPE_CHECKING:
    from cordon.picture.service import Picture

_MOST_LET_GO = 16 * LARGEST  # bytes of a request that is too large
VIEW, CHANGE = "picture.feed.view", "picture.feed.change"


def routes(room: Picture) -> APIRouter:
    """The routes below `/picture/feeds`, and those of the API."""
    router = guarded_router()

    def drawn(request: Request, actor: Actor, given: dict[str, str], refused: str) -> Response:
        return page(
            request,
            "picture/feeds.html",
            status=422 if refused else 200,
            feeds=room.feeds(actor),
            given=given,
            refused=refused,
            may_change=room.may(actor, CHANGE),
        )

    @router.get("/picture/feeds")
    def feeds(request: Request, actor: Annotated[Actor, May(VIEW)]) -> Response:
        """The live feeds and how they do."""
        return drawn(request, actor, {}, "")

    @router.post("/picture/feeds")
    def add_feed(
        request: Request,
        actor: Annotated[Actor, May(CHANGE)],
        name: Annotated[str, Form()] = "",
        url: Annotated[str, Form()] = "",
    ) -> Response:
        """Add a live feed."""
        try:
            room.add_feed(actor, name, url.strip())
        except BadInput as wrong:
            return drawn(request, actor, {"name": name, "url": url}, str(wrong))
        return see_other(request, "/picture/feeds")

    @router.get("/picture/feeds/{feed}")
    def one_feed(request: Request, feed: str, actor: Annotated[Actor, May(VIEW)]) -> Response:
        """One feed: its rate and rhythm, its clock, and what of it was refused and why."""
        state = room.feed(actor, feed)
        return page(
            request,
            "picture/feed.html",
            title=state.name,
            feed=state,
            reasons=state.reasons.most_common(),
            may_change=room.may(actor, CHANGE) and "://" in state.url,
        )

    @router.post("/picture/feeds/{feed}/stop")
    def stop_feed(request: Request, feed: str, actor: Annotated[Actor, May(CHANGE)]) -> Response:
        """Disconnect a live feed."""
        room.stop_feed(actor, feed)
        return see_other(request, "/picture/feeds")

    @router.post("/picture/feeds/{feed}/connect")
    def connect_feed(request: Request, feed: str, actor: Annotated[Actor, May(CHANGE)]) -> Response:
        """Connect a feed again that was disconnected."""
        room.connections.reconnect(actor, feed)
        return see_other(request, f"/picture/feeds/{feed}")

    @router.get("/api/picture/feeds")
    def feeds_json(actor: Annotated[Actor, May(VIEW)]) -> dict[str, Any]:
        """How each feed does."""
        return {"feeds": [feed_json(state) for state in room.feeds(actor)]}

    @router.post("/api/picture/reports")
    async def reports(
        request: Request, actor: Annotated[Actor, May("picture.report.send")]
    ) -> Response:
        """Take reports of radars, sensors, cameras and drones; 200 once they are safe."""
        data = await _body(request)
        return JSONResponse(await run_in_threadpool(room.connections.report, actor, data))

    return router


async def _body(request: Request) -> bytes:
    """A request's body, no more of it held than is taken.

    What is too much is read on for a while and let go: who is still sending when the node hangs
    up sees a broken connection in place of the answer.
    """
    data, size = bytearray(), 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= LARGEST:
            data += chunk
        elif size > _MOST_LET_GO:
            break
    if size > LARGEST:
        raise TooLarge(
            f"The reports have more than {LARGEST >> 20} MB.", advice="Send them in parts."
        )
    return bytes(data)


def feed_json(state: FeedState) -> dict[str, Any]:
    """A feed as the API tells it."""
    return {
        "id": state.id,
        "name": state.name,
        "url": state.url,
        "state": state.state,
        "heard": format_time(state.heard) if state.heard is not None else None,
        "rate": round(state.rate, 3),
        "usual_pause_s": state.usual_s,
        "clock_error_s": state.clock_error,
        "received": state.received,
        "kept": state.kept,
        "repeated": state.repeated,
        "refused": state.refused,
        "impossible": state.impossible,
        "old": state.old,
        "reasons": dict(state.reasons),
        "error": state.error,
    }
