"""The map's page, and what it asks for beside the live socket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import FileResponse, JSONResponse, Response

from cordon.kernel.access.model import Actor
from cordon.kernel.errors import BadInput, Conflict, CordonError
from cordon.kernel.pages import May, guarded_router, page, see_other
from cordon.picture.desk.asked import read_indexes, read_span
from cordon.picture.desk.exporting import FORMATS, feature
from cordon.picture.desk.filters import Filters
from cordon.picture.desk.replaying import LONGEST
from cordon.picture.desk.tiles import tiles_at
from cordon.picture.model import KINDS

if TYPE_CHECKING:
    from cordon.picture.service import Picture

Look = Annotated[Actor, May("picture.track.view")]
GEOJSON = "application/geo+json"


def routes(room: Picture) -> APIRouter:
    """The map and what stands on it."""
    router = guarded_router()
    desk = room.desk

    def drawn(
        request: Request, actor: Actor, finding: str = "", says: CordonError | None = None
    ) -> Response:
        return page(
            request,
            "picture/picture.html",
            status=200 if says is None else type(says).status,
            feeds=room.feeds(actor),
            finding=room.finding_place(actor, finding) if finding else None,
            view=room.first_view,
            kinds=KINDS,
            titles={kind: card.title for kind, card in room.cards.items()},
            overlays=desk.overlays.of(actor),
            views=desk.views.of(actor),
            tiles=desk.tiles,
            says="" if says is None else str(says),
            asked=Filters.read(request.query_params),
            map_keys=True,
        )

    @router.get("/picture")
    def picture(request: Request, actor: Look, finding: str = "") -> Response:
        """The map with the live picture; filters, layers and a replay's moment in the address."""
        return drawn(request, actor, finding)

    @router.get("/picture/names")
    def names(_actor: Look, i: str = "") -> Response:
        """Names of tracks in the live picture."""
        return JSONResponse(room.names(read_indexes(i)))

    @router.get("/picture/marks")
    def marks(actor: Look, name: str = "", source: str = "") -> Response:
        """Indexes of own units, sensors and watched subjects, and of what fits name and source."""
        return JSONResponse(desk.marks(actor, name[:80], source[:80]))

    @router.get("/picture/trail")
    def trail(_actor: Look, i: int) -> Response:
        """Where a track has been, as GeoJSON."""
        return JSONResponse(room.trail(i), media_type=GEOJSON)

    @router.get("/picture/trails")
    def trails(_actor: Look, i: str = "") -> Response:
        """Where tracks have been, as GeoJSON."""
        told = desk.trails(desk.subjects_of(read_indexes(i)))
        return JSONResponse(
            {"type": "FeatureCollection", "features": [feature(t) for t in told]},
            media_type=GEOJSON,
        )

    @router.get("/picture/trails.{form}")
    def take_trails(
        actor: Annotated[Actor, May("picture.track.export")], form: str, i: str = ""
    ) -> Response:
        """Breadcrumbs of tracks as a file to take away."""
        data = desk.exported(actor, desk.trails(desk.subjects_of(read_indexes(i))), form)
        return taken(data, form, f"trails.{form}")

    @router.get("/picture/tracks")
    def tracks(request: Request, actor: Look) -> Response:
        """What the map shows with these filters, as a table."""
        asked = Filters.read(request.query_params)
        return page(
            request,
            "picture/tracks.html",
            title="Tracks",
            asked=asked,
            listed=desk.table(actor, asked),
            query=request.url.query,
            kinds=KINDS,
        )

    @router.get("/picture/findings.geojson")
    def findings(
        actor: Annotated[Actor, May("findings.finding.view")], since: str = "", until: str = ""
    ) -> Response:
        """Findings of the picture as a layer of the map."""
        if not since:
            return JSONResponse(desk.findings_layer(actor), media_type=GEOJSON)
        span = read_span(since, until, room.kernel.clock.now(), LONGEST)
        told = desk.findings_layer(actor, span.since, span.until)
        return JSONResponse(told, media_type=GEOJSON)

    @router.get("/picture/around/{finding}")
    def around(actor: Annotated[Actor, May("findings.finding.view")], finding: str) -> Response:
        """The ways of a finding's subjects, and of others near its place, as GeoJSON."""
        return JSONResponse(desk.around(actor, finding), media_type=GEOJSON)

    @router.get("/picture/tiles.pmtiles")
    def tiles(_actor: Look) -> Response:
        """The operator's own map tiles, by byte ranges."""
        told = tiles_at(desk.tiles)
        return FileResponse(
            told.path,
            media_type="application/vnd.pmtiles",
            headers={"Cache-Control": "private, no-cache"},
        )

    @router.post("/picture/views")
    def keep_view(
        request: Request,
        actor: Annotated[Actor, May("picture.saved_view.change")],
        name: Annotated[str, Form()] = "",
        address: Annotated[str, Form()] = "",
        shared: Annotated[bool, Form()] = False,
    ) -> Response:
        """Keep an address of the map under a name."""
        try:
            desk.views.keep(actor, name, address, shared=shared)
        except (BadInput, Conflict) as wrong:
            return drawn(request, actor, says=wrong)
        return see_other(request, address)

    @router.post("/picture/views/{view}/remove")
    def remove_view(
        request: Request, view: str, actor: Annotated[Actor, May("picture.saved_view.change")]
    ) -> Response:
        """Take a saved view out."""
        desk.views.remove(actor, view)
        return see_other(request, "/picture")

    return router


def taken(data: bytes, form: str, name: str) -> Response:
    """A file to take away."""
    return Response(
        data,
        media_type=FORMATS[form],
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
