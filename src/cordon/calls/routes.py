"""The room's pages: what was found, files brought in, import and search."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Request, UploadFile
from starlette.responses import Response

from cordon.calls.service import Calls
from cordon.kernel.access.model import Actor
from cordon.kernel.errors import BadInput, TooLarge
from cordon.kernel.pages import May, page, see_other


def routes(room: Calls) -> APIRouter:
    """The room's routes."""
    router = APIRouter()

    @router.get("/calls")
    def calls(request: Request, actor: Annotated[Actor, May("calls.finding.view")]) -> Response:
        """Findings over call records, and the files that were brought in."""
        return page(
            request,
            "calls/calls.html",
            findings=room.findings(actor),
            files=room.files(actor),
            may_import=room.may(actor, "calls.record.import"),
            may_search=room.may(actor, "calls.record.search"),
        )

    @router.get("/calls/import")
    def import_form(
        request: Request, _actor: Annotated[Actor, May("calls.record.import")]
    ) -> Response:
        """The form to bring in a file of call records or a register of subscribers."""
        return page(request, "calls/import.html", refused="", kind="calls")

    @router.post("/calls/import")
    def import_file(
        request: Request,
        actor: Annotated[Actor, May("calls.record.import")],
        file: Annotated[UploadFile, File()],
        kind: Annotated[str, Form()] = "calls",
    ) -> Response:
        """Take a file of call records; a job reads it in."""
        try:
            if kind not in ("calls", "subscribers"):
                raise BadInput("A file holds calls or subscribers.")
            job = room.ask_import(actor, file.file, file.filename or kind, kind=kind)
        except (BadInput, TooLarge) as wrong:
            return page(
                request,
                "calls/import.html",
                status=type(wrong).status,
                refused=str(wrong),
                kind=kind,
            )
        return see_other(request, f"/jobs/{job}" if job else "/calls")

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
