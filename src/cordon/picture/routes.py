"""The picture's pages: the map with its live socket, one vessel, feeds, zones, import."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Request, UploadFile, WebSocket, WebSocketDisconnect
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from cordon.kernel.access.model import Actor
from cordon.kernel.errors import BadInput, CordonError
from cordon.kernel.pages import May, page, see_other, still_signed_in
from cordon.picture.service import Picture

CHECK_EVERY_S = 15.0  # a socket of a session that ended is closed within this time
MOST_NAMES = 500


def routes(room: Picture) -> APIRouter:
    """The room's routes."""
    router = APIRouter()

    @router.get("/picture")
    def picture(
        request: Request, actor: Annotated[Actor, May("picture.track.view")], finding: str = ""
    ) -> Response:
        """The map with the live picture."""
        shown = room.finding_place(actor, finding) if finding else None
        return page(
            request,
            "picture/picture.html",
            feeds=room.feeds(actor),
            finding=shown,
            view=room.first_view,
            may_import=room.may(actor, "picture.position.import"),
        )

    @router.websocket("/picture/live")
    async def live(socket: WebSocket, actor: Annotated[Actor, May("picture.track.view")]) -> None:
        """Frames of the whole picture; a slow reader gets fewer, never older ones."""
        await socket.accept()
        checked = asyncio.get_running_loop().time()
        listening = asyncio.ensure_future(_until_closed(socket))
        try:
            while not listening.done():
                await socket.send_bytes(room.frame())
                await asyncio.wait({listening}, timeout=1 / room.frame_hz)
                now = asyncio.get_running_loop().time()
                if now - checked > CHECK_EVERY_S:
                    checked = now
                    if not await run_in_threadpool(still_signed_in, socket):
                        await socket.close(code=4401)
                        return
        except (WebSocketDisconnect, RuntimeError):
            return  # the reader went away while a frame was on its way
        finally:
            listening.cancel()

    @router.get("/picture/names")
    def names(_actor: Annotated[Actor, May("picture.track.view")], i: str = "") -> Response:
        """Names of tracks in the live picture."""
        return JSONResponse(room.names(_indexes(i)))

    @router.get("/picture/trail")
    def trail(_actor: Annotated[Actor, May("picture.track.view")], i: int) -> Response:
        """Where a track has been, as GeoJSON."""
        return JSONResponse(room.trail(i), media_type="application/geo+json")

    @router.get("/picture/zones.geojson")
    def zones_json(actor: Annotated[Actor, May("picture.zone.view")]) -> Response:
        """The zones, as GeoJSON."""
        return JSONResponse(room.zones_geojson(actor), media_type="application/geo+json")

    @router.get("/picture/vessels/{subject}")
    def vessel(
        request: Request, subject: str, actor: Annotated[Actor, May("picture.track.view")]
    ) -> Response:
        """What is known of a vessel."""
        found = room.vessel(actor, subject)
        return page(request, "picture/vessel.html", title=found.title, vessel=found)

    @router.get("/picture/feeds")
    def feeds(request: Request, actor: Annotated[Actor, May("picture.feed.view")]) -> Response:
        """The live feeds and how they do."""
        return page(
            request,
            "picture/feeds.html",
            feeds=room.feeds(actor),
            given="",
            refused="",
            may_change=room.may(actor, "picture.feed.change"),
        )

    @router.post("/picture/feeds")
    def add_feed(
        request: Request,
        actor: Annotated[Actor, May("picture.feed.change")],
        name: Annotated[str, Form()] = "",
        url: Annotated[str, Form()] = "",
    ) -> Response:
        """Add a live feed."""
        try:
            room.add_feed(actor, name, url)
        except BadInput as wrong:
            return page(
                request,
                "picture/feeds.html",
                status=422,
                feeds=room.feeds(actor),
                given=url,
                refused=str(wrong),
                may_change=True,
            )
        return see_other(request, "/picture/feeds")

    @router.post("/picture/feeds/{feed}/stop")
    def stop_feed(
        request: Request, feed: str, actor: Annotated[Actor, May("picture.feed.change")]
    ) -> Response:
        """Stop a live feed."""
        room.stop_feed(actor, feed)
        return see_other(request, "/picture/feeds")

    @router.get("/picture/zones")
    def zones(request: Request, actor: Annotated[Actor, May("picture.zone.view")]) -> Response:
        """The zones."""
        return page(
            request,
            "picture/zones.html",
            zones=room.zones(actor),
            refused="",
            may_change=room.may(actor, "picture.zone.change"),
        )

    @router.post("/picture/zones")
    def put_zones(
        request: Request,
        actor: Annotated[Actor, May("picture.zone.change")],
        file: Annotated[UploadFile, File()],
    ) -> Response:
        """Bring in a GeoJSON file of zones."""
        try:
            room.put_zones(actor, file.file.read())
        except BadInput as wrong:
            return page(
                request,
                "picture/zones.html",
                status=422,
                zones=room.zones(actor),
                refused=str(wrong),
                may_change=True,
            )
        return see_other(request, "/picture/zones")

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
        """The last position of each track."""
        return {"tracks": room.latest()}

    return router


async def _until_closed(socket: WebSocket) -> None:
    """Take what the page sends (nothing is expected) until it goes."""
    try:
        while True:
            await socket.receive_bytes()
    except (WebSocketDisconnect, KeyError, RuntimeError):
        return


def _indexes(text: str) -> list[int]:
    parts = [p for p in text.split(",") if p][:MOST_NAMES]
    if not all(p.isdigit() and len(p) < 10 for p in parts):
        raise BadInput("The indexes are not numbers with commas between.")
    return [int(p) for p in parts]
