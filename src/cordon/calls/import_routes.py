"""Pages that bring files in: the form, the state of each file, its rejects, another try."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, File, Form, Request, UploadFile
from starlette.responses import Response, StreamingResponse

from cordon.calls import bringing
from cordon.calls.layouts import AUTO
from cordon.calls.service import Calls
from cordon.calls.words import said
from cordon.kernel.access.model import Actor
from cordon.kernel.errors import CordonError
from cordon.kernel.pages import May, page, see_other, wants_json

Bring = Annotated[Actor, May("calls.record.import")]
Text = Annotated[str, Form()]


def routes(room: Calls) -> APIRouter:
    """The routes of bringing in."""
    router = APIRouter()

    def form(
        request: Request, actor: Actor, kind: str, layout: str, wrong: CordonError | None = None
    ) -> Response:
        return page(
            request,
            "calls/import.html",
            status=200 if wrong is None else type(wrong).status,
            refused=said(wrong),
            kind=kind,
            layout=layout,
            kinds=bringing.KINDS,
            layouts=bringing.layouts_of(room),
            lately=bringing.brought_lately(room, actor),
        )

    @router.get("/calls/import")
    def import_form(request: Request, actor: Bring, kind: str = bringing.TOLD) -> Response:
        """The form to bring in files, and what was brought in lately."""
        known = kind if kind in bringing.KINDS else bringing.TOLD
        return form(request, actor, known, AUTO)

    @router.post("/calls/import")
    def import_files(
        request: Request,
        actor: Bring,
        file: Annotated[list[UploadFile], File()] = [],  # noqa: B006 (never changed)
        kind: Text = "calls",
        layout: Text = AUTO,
    ) -> Response:
        """Take files; a job reads each of them in."""
        files = [(f.filename or "file", f.file) for f in file if f.filename or f.size]
        try:
            id_ = bringing.bring(room, actor, files, kind=kind, layout=layout)
        except CordonError as wrong:
            if wants_json(request):
                raise
            return form(request, actor, kind, layout, wrong)
        return see_other(request, f"/calls/imports/{id_}")

    @router.get("/calls/imports/{id_}")
    def files(request: Request, actor: Bring, id_: str) -> Response:
        """Files brought in together: how far each is."""
        found = bringing.brought(room, actor, id_)
        return _drawn(request, found)

    @router.get("/calls/imports/{id_}/{place}")
    def file_(request: Request, actor: Bring, id_: str, place: int) -> Response:
        """One file's piece of that page, for as long as it is being read."""
        found = bringing.one_file(room, actor, id_, place)
        return page(
            request,
            "calls/import_file.html",
            title="Files brought in",
            brought=id_,
            f=found,
            kinds=bringing.KINDS,
            layouts=bringing.layouts_of(room),
        )

    @router.get("/calls/imports/{id_}/{place}/rejects.csv")
    def rejects(actor: Bring, id_: str, place: int) -> Response:
        """Every refused row of a file, with its reason."""
        return StreamingResponse(
            bringing.rejects(room, actor, id_, place),
            media_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": 'attachment; filename="rejects.csv"'},
        )

    @router.post("/calls/imports/{id_}/{place}/again")
    def again(
        request: Request, actor: Bring, id_: str, place: int, kind: Text = "", layout: Text = AUTO
    ) -> Response:
        """Try a file that failed once more."""
        bringing.again(room, actor, id_, place, kind=kind, layout=layout)
        return see_other(request, f"/calls/imports/{id_}#file-{place}")

    @router.post("/calls/imports/{id_}/{place}/cancel")
    def cancel(request: Request, actor: Bring, id_: str, place: int) -> Response:
        """Stop reading a file."""
        bringing.cancel(room, actor, id_, place)
        return see_other(request, f"/calls/imports/{id_}#file-{place}")

    def _drawn(request: Request, found: bringing.Brought) -> Response:
        return page(
            request,
            "calls/imports.html",
            title="Files brought in",
            found=found,
            brought=found.id,
            kinds=bringing.KINDS,
            layouts=bringing.layouts_of(room),
        )

    return router
