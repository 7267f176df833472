"""The room's pages: what was found, files brought in, and search; the others stand beside."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from cordon.calls import layout_routes, profile_routes, ring_routes
from cordon.calls.service import Calls
from cordon.calls.words import said
from cordon.kernel.access.model import Actor
from cordon.kernel.bringing.routes import import_routes
from cordon.kernel.pages import May, guarded_router, page, see_other

View = Annotated[Actor, May("calls.finding.view")]


def routes(room: Calls) -> APIRouter:
    """The room's routes."""
    router = guarded_router()
    for part in (ring_routes, profile_routes, layout_routes):
        router.routes.extend(part.routes(room).routes)
    router.routes.extend(import_routes(room.brings, said).routes)

    @router.get("/calls")
    def calls(request: Request, actor: View, kind: str = "", before: str = "") -> Response:
        """Findings over call records, and the files that were brought in."""
        findings, more = room.findings_in_short(actor, kind=kind, before=before[:36])
        return page(
            request,
            "calls/calls.html",
            findings=findings,
            more=more,
            kind=kind if kind in room.cards else "",
            kinds=[(card.kind, card.title) for card in room.cards.values()],
            first=not before,
            files=room.files(actor),
            may_search=room.may(actor, "calls.record.search"),
        )

    @router.get("/calls/files/{file}")
    def file_(request: Request, actor: View, file: str) -> Response:
        """A file that was brought in: what became of its rows."""
        found = room.file(actor, file)
        return page(request, "calls/file.html", title="Files brought in", file=found)

    @router.post("/calls/find")
    def find(request: Request, actor: Annotated[Actor, May("calls.record.search")]) -> Response:
        """Search the records that the chosen authority covers; a job does it."""
        return see_other(request, f"/jobs/{room.ask_find(actor)}")

    @router.get("/api/calls/findings")
    def findings_json(actor: View) -> dict[str, Any]:
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
