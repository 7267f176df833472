"""The picture's routes: the live socket and imports; the others stand in files of their own."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated, Any

from fastapi import APIRouter, File, Request, UploadFile, WebSocket, WebSocketDisconnect
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from cordon.kernel.access.model import Actor
from cordon.kernel.errors import CordonError
from cordon.kernel.pages import May, guarded_router, page, see_other, still_signed_in
from cordon.picture import (
    cover_routes,
    feed_routes,
    map_routes,
    overlay_routes,
    replay_routes,
    vessel_routes,
    zone_routes,
)
from cordon.picture.arrivals import next_frame
from cordon.picture.service import Picture

CHECK_EVERY_S = 15.0  # a socket of a session that ended is closed within this time


def routes(room: Picture) -> APIRouter:
    """The room's routes."""
    router = guarded_router()

    @router.websocket("/picture/live")
    async def live(socket: WebSocket, actor: Annotated[Actor, May("picture.track.view")]) -> None:
        """Frames of the whole picture; a slow reader gets fewer, never older ones."""
        await socket.accept()
        closed = asyncio.ensure_future(_until_closed(socket))
        checked = time.monotonic()
        try:
            with room.intake.arrivals.heard() as heard:
                while not closed.done():
                    await socket.send_bytes(room.frame())
                    coming = asyncio.ensure_future(next_frame(heard, 1 / room.frame_hz))
                    await asyncio.wait({closed, coming}, return_when=asyncio.FIRST_COMPLETED)
                    coming.cancel()
                    if time.monotonic() - checked > CHECK_EVERY_S:
                        checked = time.monotonic()
                        if not await run_in_threadpool(still_signed_in, socket):
                            await socket.close(code=4401)
                            return
        except (WebSocketDisconnect, RuntimeError):
            return  # the reader went away while a frame was on its way
        finally:
            closed.cancel()

    @router.get("/picture/import")
    def import_form(
        request: Request, _actor: Annotated[Actor, May("picture.position.import")]
    ) -> Response:
        """The form to bring in a file of positions."""
        return page(request, "picture/import.html", refused="")

    @router.post("/picture/import")
    def import_file(
        request: Request,
        actor: Annotated[Actor, May("picture.position.import")],
        file: Annotated[UploadFile, File()],
    ) -> Response:
        """Take a file of positions; a job reads it in."""
        try:
            job = room.ask_import(actor, file.file, file.filename or "positions")
        except CordonError as wrong:
            return page(
                request, "picture/import.html", status=type(wrong).status, refused=str(wrong)
            )
        return see_other(request, f"/jobs/{job}")

    @router.get("/api/picture/tracks")
    def tracks_json(_actor: Annotated[Actor, May("picture.track.view")]) -> dict[str, Any]:
        """The last position of each subject, and the craft that are heard as several."""
        crafts = [craft.to_dict() for craft in room.crafts.of_several()]
        return {"tracks": room.latest(), "crafts": crafts}

    for more in (
        feed_routes,
        map_routes,
        replay_routes,
        vessel_routes,
        zone_routes,
        overlay_routes,
        cover_routes,
    ):
        router.routes.extend(more.routes(room).routes)
    return router


async def _until_closed(socket: WebSocket) -> None:
    """Take what the page sends (nothing is expected) until it goes."""
    try:
        while True:
            await socket.receive_bytes()
    except (WebSocketDisconnect, KeyError, RuntimeError):
        return
