"""The room's pages: what was found, files brought in, and search; the others stand beside."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from cordon.calls import import_routes, layout_routes, profile_routes, ring_routes
from cordon.calls.service import Calls
from cordon.kernel.access.model import Actor
from cordon.kernel.pages import May, page, see_other


def routes(room: Calls) -> APIRouter:
    """The room's routes."""
    router = APIRouter()
    for part in (ring_routes, profile_routes, import_routes, layout_routes):
        router.include_router(part.routes(room))

    @router.get("/calls")
    def calls(request: Request, actor: Annotated[Actor, May("calls.finding.view")]) -> Response:
        """Findings over call records, and the files that were brought in."""
        return page(
            request,
            "calls/calls.html",
            findings=room.findings_in_short(actor),
            files=room.files(actor),
            may_search=room.may(actor, "calls.record.search"),
        )

    @router.post("/calls/find")
    def find(request: Request, actor: Annotated[Actor, May("calls.record.search")]) -> Response:
        """Search the records that the chosen authority covers; a job does it."""
        return see_other(request, f"/jobs/{room.ask_find(actor)}")

    @router.get("/api/calls/findings")
    def findings_json(actor: Annotated[Actor, May("calls.finding.view")]) -> dict[str, Any]:
        """Findings over call records, without their records."""
        return {
            "findings": [
                {
                    **k.finding.without_records().to_dict(),
                    "state": k.state,
                    "seriousness": k.seriousness,
                }
                for k in room.findings(actor)
            ]
        }

    return router
