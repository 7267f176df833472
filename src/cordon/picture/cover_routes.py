"""The page of cover, its layer for the map, and what is entered there."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, File, Form, Request, UploadFile
from starlette.responses import JSONResponse, Response

from cordon.kernel.access.model import Actor
from cordon.kernel.errors import BadInput, NotFound
from cordon.kernel.pages import May, guarded_router, page, see_other
from cordon.picture.cover import words

if TYPE_CHECKING:
    from cordon.picture.service import Picture

PAGE = "/picture/cover"


def routes(room: Picture) -> APIRouter:
    """The routes of cover."""
    router = guarded_router()

    def drawn(
        request: Request,
        actor: Actor,
        *,
        form: str = "",
        refused: str = "",
        typed: dict[str, str] | None = None,
        status: int = 200,
    ) -> Response:
        now = room.cover.now(actor)
        return page(
            request,
            "picture/cover.html",
            status=status,
            title="Cover",  # a message of the template too
            now=now,
            sectors=[(sector.id, sector.name) for sector in now.sectors],
            labels=words.LABELS,
            spoken=(*words.WHY, *words.NOTES),
            form=form,
            refused=refused,
            typed=typed or {},
            may_change=room.may(actor, "picture.sensor.change"),
            may_note=room.may(actor, "picture.cover.note"),
            **room.cover.entries(actor),
        )

    def changed(
        request: Request, actor: Actor, form: str, typed: dict[str, str], do: Callable[[], Any]
    ) -> Response:
        """Do what a form asks for; where it is refused, the form comes back as it was typed."""
        try:
            do()
        except (BadInput, NotFound) as wrong:
            return drawn(request, actor, form=form, refused=str(wrong), typed=typed, status=422)
        return see_other(request, PAGE)

    @router.get("/picture/cover")
    def cover(request: Request, actor: Annotated[Actor, May("picture.cover.view")]) -> Response:
        """What is seen of each sector, and since when too little."""
        return drawn(request, actor)

    @router.get("/picture/cover.geojson")
    def layer(actor: Annotated[Actor, May("picture.cover.view")]) -> Response:
        """Cover as a layer of the map, as GeoJSON."""
        return JSONResponse(room.cover.layer(actor), media_type="application/geo+json")

    @router.get("/api/picture/cover")
    def cover_json(actor: Annotated[Actor, May("picture.cover.view")]) -> dict[str, Any]:
        """What is seen of each sector, and since when too little."""
        now = room.cover.now(actor)
        return {"at": now.at, "sectors": [sector.to_dict() for sector in now.sectors]}

    @router.post("/picture/cover/sensors")
    def put_sensors(
        request: Request,
        actor: Annotated[Actor, May("picture.sensor.change")],
        file: Annotated[UploadFile, File()],
    ) -> Response:
        """Bring in a file of sensors."""
        data, name = file.file.read(), file.filename or "sensors"
        return changed(
            request, actor, "sensors", {}, lambda: room.cover.put_sensors(actor, data, name)
        )

    @router.post("/picture/cover/sensors/remove")
    def remove_sensor(
        request: Request,
        actor: Annotated[Actor, May("picture.sensor.change")],
        sensor: Annotated[str, Form()] = "",
    ) -> Response:
        """Take a sensor out."""
        return changed(
            request, actor, "sensors", {}, lambda: room.cover.remove_sensor(actor, sensor)
        )

    @router.post("/picture/cover/limits")
    def note_limit(
        request: Request,
        actor: Annotated[Actor, May("picture.cover.note")],
        sensor: Annotated[str, Form()] = "",
        start: Annotated[str, Form()] = "",
        end: Annotated[str, Form()] = "",
        reach: Annotated[str, Form()] = "",
        why: Annotated[str, Form()] = "",
    ) -> Response:
        """Enter an outage, or weather that leaves less of a sensor's reach."""
        typed = {"sensor": sensor, "start": start, "end": end, "reach": reach, "why": why}
        return changed(
            request,
            actor,
            "limits",
            typed,
            lambda: room.cover.note_limit(actor, sensor, start, end, reach, why),
        )

    @router.post("/picture/cover/limits/{limit}/end")
    def end_limit(
        request: Request, limit: str, actor: Annotated[Actor, May("picture.cover.note")]
    ) -> Response:
        """End an outage or weather now."""
        room.cover.end_limit(actor, limit)
        return see_other(request, PAGE)

    @router.post("/picture/cover/patrols")
    def plan_patrol(
        request: Request,
        actor: Annotated[Actor, May("picture.cover.note")],
        unit: Annotated[str, Form()] = "",
        sector: Annotated[str, Form()] = "",
        begin: Annotated[str, Form()] = "",
        until: Annotated[str, Form()] = "",
    ) -> Response:
        """Enter a planned patrol."""
        typed = {"unit": unit, "sector": sector, "begin": begin, "until": until}
        return changed(
            request,
            actor,
            "patrols",
            typed,
            lambda: room.cover.plan_patrol(actor, unit, sector, begin, until),
        )

    @router.post("/picture/cover/patrols/{plan}/cancel")
    def cancel_patrol(
        request: Request, plan: str, actor: Annotated[Actor, May("picture.cover.note")]
    ) -> Response:
        """Take a planned patrol out."""
        room.cover.cancel_patrol(actor, plan)
        return see_other(request, PAGE)

    return router
