"""Replay: what is stored, and the positions of a span for the map to play."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from cordon.kernel.access.model import Actor
from cordon.kernel.clock import format_time
from cordon.kernel.pages import May, guarded_router
from cordon.picture.desk.asked import read_span
from cordon.picture.desk.replaying import LONGEST
from cordon.picture.desk.stored import read_box

if TYPE_CHECKING:
    from cordon.picture.service import Picture

Look = Annotated[Actor, May("picture.track.view")]


def routes(room: Picture) -> APIRouter:
    """The routes of replay."""
    router = guarded_router()

    @router.get("/api/picture/stored")
    def stored(actor: Look) -> dict[str, Any]:
        """When the first and the last stored position was; null where nothing is stored."""
        ends = room.desk.stored.ends(actor)
        first, last = ends or (None, None)
        return {
            "first": format_time(first) if first else None,
            "last": format_time(last) if last else None,
        }

    @router.get("/picture/replay")
    def replay(
        actor: Look,
        since: Annotated[str, Query(alias="from")] = "",
        until: Annotated[str, Query(alias="to")] = "",
        box: str = "",
    ) -> Response:
        """Stored positions of a span and box, thinned where they are many; a binary answer."""
        span = read_span(since, until, room.kernel.clock.now(), LONGEST)
        told = room.desk.replay(actor, span, read_box(box))
        return Response(told.to_bytes(), media_type="application/octet-stream")

    return router
