"""Pages of a number, a handset and a cell: what calls say of them under an authority."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from cordon.calls import lookups
from cordon.calls.service import Calls
from cordon.calls.words import said
from cordon.kernel.access.model import Actor
from cordon.kernel.errors import AuthorityRefused, BadInput
from cordon.kernel.pages import May, guarded_router, page, see_other, wants_json

View = Annotated[Actor, May("calls.profile.view")]
Page = Annotated[str, Query(alias="page")]


def routes(room: Calls) -> APIRouter:
    """The routes of numbers, handsets and cells."""
    router = guarded_router()

    @router.get("/calls/numbers")
    def ask(request: Request, _actor: View) -> Response:
        """The form that leads to a number's or handset's page; what is typed is in no address."""
        return page(request, "calls/look.html", title="Look up", typed="", refused=[])

    @router.post("/calls/numbers")
    def find(request: Request, actor: View, number: Annotated[str, Form()] = "") -> Response:
        """Lead to the page of a number or handset, under an authority that covers it."""
        try:
            return see_other(request, lookups.find_number(room, actor, number))
        except (BadInput, AuthorityRefused) as wrong:
            if wants_json(request):
                raise
            return page(
                request,
                "calls/look.html",
                status=type(wrong).status,
                title="Look up",
                typed=number[:40],
                refused=said(wrong),
            )

    @router.get("/calls/numbers/{name}")
    def number(request: Request, actor: View, name: str, page_: Page = "") -> Response:
        """What calls say of a number; masked without an authority that covers it."""
        return _drawn(request, actor, "number", name, page_)

    @router.get("/calls/handsets/{name}")
    def handset(request: Request, actor: View, name: str, page_: Page = "") -> Response:
        """What calls say of a handset (IMEI)."""
        return _drawn(request, actor, "imei", name, page_)

    @router.get("/calls/cells/{name:path}")
    def cell(request: Request, actor: View, name: str, page_: Page = "") -> Response:
        """What calls say of a cell; under an authority over everybody alone."""
        return _drawn(request, actor, "cell", name, page_)

    def _drawn(request: Request, actor: Actor, type_: str, name: str, page_: str) -> Response:
        asked = int(page_) if page_.isascii() and page_.isdigit() and len(page_) < 6 else 1
        found = lookups.profile(room, actor, type_, name, asked)
        # not the number: a title stands in the history of a browser
        title = {"number": "Number", "imei": "Handset", "cell": "Cell"}[type_]
        return page(request, "calls/profile.html", title=title, profile=found)

    return router
