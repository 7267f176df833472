"""Pages that bring files in: the form, the state of each file, its rejects, another try."""

# The annotations of these routes are evaluated at once: they name what the room gives.

from collections.abc import Callable, Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, File, Form, Request, UploadFile
from starlette.responses import Response, StreamingResponse

from cordon.kernel.access.model import Actor
from cordon.kernel.bringing.desk import TOLD, Bringing, Brought
from cordon.kernel.errors import CordonError
from cordon.kernel.pages import May, guarded_router, page, see_other, wants_json

Said = Callable[[CordonError | None], list[tuple[str, bool]]]
Text = Annotated[str, Form()]


def import_routes(brings: Bringing, said: Said) -> APIRouter:
    """The routes of bringing in, below the room's own address.

    Templates: `<room>/import.html`, `<room>/imports.html`, and `brought_file.html` of the shell.

    Args:
        said: sentences of an error, each with whether it may be translated.
    """
    router = guarded_router()
    room = brings.act.partition(".")[0]
    base = f"/{room}"
    Bring = Annotated[Actor, May(brings.act)]

    async def told_with(request: Request) -> Mapping[str, str] | None:
        sent = await request.form()
        found = {f: str(sent[f]) for f in brings.fields if f in sent}
        return found or None

    Told = Annotated[Mapping[str, str] | None, Depends(told_with)]

    def form(
        request: Request,
        actor: Actor,
        kind: str,
        layout: str = TOLD,
        dates: str = "",
        told: Mapping[str, str] | None = None,
        wrong: CordonError | None = None,
    ) -> Response:
        return page(
            request,
            f"{room}/import.html",
            status=200 if wrong is None else type(wrong).status,
            refused=said(wrong),
            kind=kind,
            layout=layout,
            dates=dates,
            told=told or {},
            kinds=brings.kinds,
            layouts=brings.layouts(),
            orders=brings.orders,
            lately=brings.lately(actor),
        )

    @router.get(f"{base}/import")
    def import_form(request: Request, actor: Bring, kind: str = TOLD) -> Response:
        """The form to bring in files, and what was brought in lately."""
        return form(request, actor, kind if kind in brings.kinds else TOLD)

    @router.post(f"{base}/import")
    def import_files(
        request: Request,
        actor: Bring,
        told: Told,
        file: Annotated[list[UploadFile], File()] = [],  # noqa: B006 (never changed)
        kind: Text = brings.kinds[1],
        layout: Text = TOLD,
        dates: Text = "",
    ) -> Response:
        """Take files; a job reads each of them in."""
        files = [(f.filename or "file", f.file) for f in file if f.filename or f.size]
        try:
            id_ = brings.bring(actor, files, kind=kind, layout=layout, dates=dates, told=told)
        except CordonError as wrong:
            if wants_json(request):
                raise
            return form(request, actor, kind, layout, dates, told, wrong)
        return see_other(request, f"{base}/imports/{id_}")

    @router.get(f"{base}/imports/{{id_}}")
    def files(request: Request, actor: Bring, id_: str) -> Response:
        """Files brought in together: how far each is."""
        found: Brought = brings.brought(actor, id_)
        return page(
            request,
            f"{room}/imports.html",
            title="Files brought in",
            found=found,
            brought=found.id,
            base=base,
            kinds=brings.kinds,
            layouts=brings.layouts(),
            orders=brings.orders,
            fields=brings.fields,
        )

    @router.get(f"{base}/imports/{{id_}}/{{place}}")
    def file_(request: Request, actor: Bring, id_: str, place: int) -> Response:
        """One file's piece of that page, for as long as it is being read."""
        return page(
            request,
            "brought_file.html",
            title="Files brought in",
            brought=id_,
            f=brings.one_file(actor, id_, place),
            base=base,
            kinds=brings.kinds,
            layouts=brings.layouts(),
            orders=brings.orders,
            fields=brings.fields,
        )

    @router.get(f"{base}/imports/{{id_}}/{{place}}/rejects.csv")
    def rejects(actor: Bring, id_: str, place: int) -> Response:
        """Every refused row of a file, with its reason."""
        return StreamingResponse(
            brings.rejects(actor, id_, place),
            media_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": 'attachment; filename="rejects.csv"'},
        )

    @router.post(f"{base}/imports/{{id_}}/{{place}}/again")
    def again(
        request: Request,
        actor: Bring,
        id_: str,
        place: int,
        told: Told,
        kind: Text = "",
        layout: Text = TOLD,
        dates: Text = "",
    ) -> Response:
        """Try a file that failed once more."""
        brings.again(actor, id_, place, kind=kind, layout=layout, dates=dates, told=told)
        return see_other(request, f"{base}/imports/{id_}#file-{place}")

    @router.post(f"{base}/imports/{{id_}}/{{place}}/cancel")
    def cancel(request: Request, actor: Bring, id_: str, place: int) -> Response:
        """Stop reading a file."""
        brings.cancel(actor, id_, place)
        return see_other(request, f"{base}/imports/{id_}#file-{place}")

    return router
