"""Overlays: drawings from elsewhere that officers lay over the map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, File, Form, Request, UploadFile
from starlette.responses import Response

from cordon.kernel.access.model import Actor
from cordon.kernel.errors import BadInput, Conflict
from cordon.kernel.pages import May, guarded_router, page, see_other
from cordon.picture.desk.overlayfiles import MOST_BYTES

if TYPE_CHECKING:
    from cordon.picture.service import Picture

PAGE = "/picture/overlays"
Look = Annotated[Actor, May("picture.track.view")]
Change = Annotated[Actor, May("picture.overlay.change")]


def routes(room: Picture) -> APIRouter:
    """The routes of overlays."""
    router = guarded_router()
    overlays = room.desk.overlays

    def drawn(
        request: Request,
        actor: Actor,
        *,
        status: int = 200,
        refused: str = "",
        name: str = "",
        shared: bool = False,
    ) -> Response:
        return page(
            request,
            "picture/overlays.html",
            status=status,
            overlays=overlays.of(actor),
            refused=refused,
            name=name,
            shared=shared,
            may_change=room.may(actor, "picture.overlay.change"),
            may_arrange=room.may(actor, "picture.zone.change"),
        )

    @router.get("/picture/overlays")
    def overlays_page(request: Request, actor: Look) -> Response:
        """Overlays: one's own, and those shared."""
        return drawn(request, actor)

    @router.post("/picture/overlays")
    def put(
        request: Request,
        actor: Change,
        file: Annotated[UploadFile, File()],
        name: Annotated[str, Form()] = "",
        shared: Annotated[bool, Form()] = False,
    ) -> Response:
        """Bring in a GeoJSON, KML or GPX file to lay over the map."""
        data = file.file.read(MOST_BYTES + 1)
        try:
            overlays.put(actor, data, name, file.filename or "overlay", shared=shared)
        except (BadInput, Conflict) as wrong:
            return drawn(
                request,
                actor,
                status=type(wrong).status,
                refused=str(wrong),
                name=name,
                shared=shared,
            )
        return see_other(request, PAGE)

    @router.get("/picture/overlays/{overlay}")
    def overlay(actor: Look, overlay: str) -> Response:
        """What is drawn of an overlay, as GeoJSON."""
        return Response(overlays.drawn(actor, overlay), media_type="application/geo+json")

    @router.post("/picture/overlays/{overlay}/remove")
    def remove(request: Request, actor: Change, overlay: str) -> Response:
        """Take an overlay out."""
        overlays.remove(actor, overlay)
        return see_other(request, PAGE)

    return router
