"""Zones: the list, a file of them, and one drawn on the map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import orjson
from fastapi import APIRouter, File, Form, Request, UploadFile
from starlette.responses import JSONResponse, Response

from cordon.kernel.access.model import Actor
from cordon.kernel.errors import BadInput, Conflict, CordonError, NotFound
from cordon.kernel.pages import May, guarded_router, page, see_other
from cordon.picture.desk import zonedrawing
from cordon.picture.misspelt import Slip, misspelt
from cordon.picture.model import ZONE_KINDS

if TYPE_CHECKING:
    from cordon.picture.service import Picture

PAGE = "/picture/zones"
View = Annotated[Actor, May("picture.zone.view")]
Change = Annotated[Actor, May("picture.zone.change")]


def routes(room: Picture) -> APIRouter:
    """The routes of zones."""
    router = guarded_router()

    def listed(
        request: Request, actor: Actor, refused: str = "", form: str = "", status: int = 200
    ) -> Response:
        zones = room.zones(actor)
        slips: dict[str, list[Slip]] = {}
        for slip in misspelt(zones):
            slips.setdefault(slip.zone, []).append(slip)
        return page(
            request,
            "picture/zones.html",
            status=status,
            zones=zones,
            slips=slips,
            refused=refused,
            form=form,
            may_change=room.may(actor, "picture.zone.change"),
        )

    def drawing(
        request: Request, feature: Any, version: int, refused: CordonError | None = None
    ) -> Response:
        told = str(refused) if refused is not None else ""
        parameters = [
            (card.title, p)
            for card in room.cards.values()
            if card.kind.startswith(("picture.zone_", "picture.border_", "picture.loitering"))
            for p in card.parameters.values()
        ]
        return page(
            request,
            "picture/zone_draw.html",
            status=200 if refused is None else type(refused).status,
            title="Draw a zone",
            feature=feature,
            version=version,
            kinds=ZONE_KINDS,
            parameters=parameters,
            refused=told,
            vertex=zonedrawing.refused_vertex(told),
            view=room.first_view,
            map_keys=True,
        )

    @router.get("/picture/zones.geojson")
    def zones_json(actor: View) -> Response:
        """The zones, as GeoJSON."""
        return JSONResponse(room.zones_geojson(actor), media_type="application/geo+json")

    @router.get("/picture/zones")
    def zones(request: Request, actor: View) -> Response:
        """The zones."""
        return listed(request, actor)

    @router.post("/picture/zones")
    def put_zones(request: Request, actor: Change, file: Annotated[UploadFile, File()]) -> Response:
        """Bring in a GeoJSON file of zones."""
        try:
            room.put_zones(actor, file.file.read())
        except BadInput as wrong:
            return listed(request, actor, str(wrong), "file", 422)
        return see_other(request, PAGE)

    @router.get("/picture/zones/draw")
    def draw(request: Request, actor: Change, zone: str = "") -> Response:
        """Draw a zone on the map, a new one or one that there is."""
        if not zone:
            return drawing(request, None, 0)
        found = zonedrawing.drawn(room, actor, zone)
        return drawing(request, found.feature, found.version)

    @router.post("/picture/zones/draw")
    def save(
        request: Request,
        actor: Change,
        feature: Annotated[str, Form()] = "",
        version: Annotated[int, Form()] = 0,
    ) -> Response:
        """Keep a drawn zone; where it is refused, the drawing comes back with its vertex named."""
        try:
            zonedrawing.save(room, actor, feature, version)
        except (BadInput, Conflict) as wrong:
            return drawing(request, _again(feature), version, wrong)
        return see_other(request, PAGE)

    @router.post("/picture/zones/remove")
    def remove(
        request: Request,
        actor: Change,
        zone: Annotated[str, Form()] = "",
        why: Annotated[str, Form()] = "",
    ) -> Response:
        """Take a zone out, saying why."""
        try:
            if len(why.strip()) < 5:
                raise BadInput("Taking a zone out needs a reason.", advice="Write why.")
            room.remove_zone(actor, zone, why.strip())
        except (BadInput, NotFound) as wrong:
            return listed(request, actor, str(wrong), "remove", type(wrong).status)
        return see_other(request, PAGE)

    return router


def _again(text: str) -> Any:
    """A refused drawing as it came, so that nothing that was drawn is lost."""
    try:
        told = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return told if isinstance(told, dict) else None
