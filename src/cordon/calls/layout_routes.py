"""Pages of layouts: the list, one of them, and learning one from a file."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, File, Form, Request, UploadFile
from starlette.responses import Response

from cordon.calls import ownlayouts
from cordon.calls.learning import PASSED_OVER
from cordon.calls.lists import all_headings
from cordon.calls.service import Calls
from cordon.calls.words import FIXED, said
from cordon.kernel.access.model import Actor
from cordon.kernel.errors import CordonError, NotFound
from cordon.kernel.pages import May, guarded_router, page, see_other, wants_json

View = Annotated[Actor, May("calls.layout.view")]
Change = Annotated[Actor, May("calls.layout.change")]
Text = Annotated[str, Form()]
Texts = Annotated[list[str], Form()]


def routes(room: Calls) -> APIRouter:
    """The routes of layouts."""
    router = guarded_router()

    def listed(request: Request, actor: Actor, wrong: CordonError | None = None) -> Response:
        return page(
            request,
            "calls/layouts.html",
            status=200 if wrong is None else type(wrong).status,
            title="Layouts",
            layouts=ownlayouts.known(room, actor),
            lists=list(all_headings().values()),
            refused=said(wrong),
            may_change=room.may(actor, ownlayouts.CHANGE),
        )

    @router.get("/calls/layouts")
    def layouts(request: Request, actor: View) -> Response:
        """The layouts by which operators' files are read."""
        return listed(request, actor)

    @router.post("/calls/layouts/learn")
    def learn(request: Request, actor: Change, file: Annotated[UploadFile, File()]) -> Response:
        """Propose a layout for a file."""
        try:
            found = ownlayouts.begin(room, actor, file.file, file.filename or "file")
        except CordonError as wrong:
            if wants_json(request):
                raise
            return listed(request, actor, wrong)
        return _proposal(request, found, found.name, {}, None)

    @router.post("/calls/imports/{id_}/{place}/learn")
    def learn_kept(request: Request, actor: Change, id_: str, place: int) -> Response:
        """Propose a layout for a file that was brought in and that none fits."""
        name, path = room.brings.kept_file(actor, id_, place)
        try:
            with path.open("rb") as source:
                found = ownlayouts.begin(room, actor, source, name)
        except CordonError as wrong:
            if wants_json(request):
                raise
            return listed(request, actor, wrong)
        return _proposal(request, found, found.name, {}, None)

    @router.post("/calls/layouts")
    def save(
        request: Request,
        actor: Change,
        token: Text = "",
        file: Text = "",
        name: Text = "",
        column: Texts = [],  # noqa: B006 (never changed)
        meaning: Texts = [],  # noqa: B006 (never changed)
        proposed: Texts = [],  # noqa: B006 (never changed)
    ) -> Response:
        """Keep a proposed layout, with what was corrected in it."""
        rows = zip(column, meaning, proposed, strict=False)
        corrected = {c: m for c, m, p in rows if m != p}
        try:
            kept = ownlayouts.save(room, actor, token, file, name.strip(), corrected)
        except NotFound:
            raise
        except CordonError as wrong:
            if wants_json(request):
                raise
            known = {c: m for c, m in corrected.items() if m in ownlayouts.MEANINGS}
            try:
                found = ownlayouts.proposed(room, actor, token, file, known)
            except CordonError as gone:
                return listed(request, actor, gone)
            chosen = dict(zip(column, meaning, strict=False))
            return _proposal(request, found, name[:60], chosen, wrong)
        return see_other(request, f"/calls/layouts/{kept.name}")

    @router.get("/calls/layouts/{name}")
    def layout(request: Request, actor: View, name: str) -> Response:
        """What the columns of one layout mean."""
        found = ownlayouts.one(room, actor, name)
        return page(
            request,
            "calls/layout.html",
            title=found.layout.title,
            known=found,
            layout=found.layout,
            may_change=found.own and room.may(actor, ownlayouts.CHANGE),
        )

    @router.post("/calls/layouts/{name}/remove")
    def remove(request: Request, actor: Change, name: str) -> Response:
        """Take a layout of this node's own out."""
        ownlayouts.remove(room, actor, name)
        return see_other(request, "/calls/layouts")

    return router


def _proposal(
    request: Request,
    found: ownlayouts.Learning,
    name: str,
    chosen: dict[str, str],
    wrong: CordonError | None,
) -> Response:
    return page(
        request,
        "calls/learn.html",
        status=200 if wrong is None else type(wrong).status,
        title="A layout from a file",
        found=found,
        name=name,
        chosen=chosen,
        meanings=ownlayouts.MEANINGS,
        none=PASSED_OVER,
        lacks=[(sentence, sentence in FIXED) for sentence in found.proposal.lacks],
        refused=said(wrong),
    )
