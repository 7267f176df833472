"""The field page with its service worker, and the desk's pages of phones."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from cordon.kernel.access.model import Actor
from cordon.kernel.errors import BadInput, Conflict, CordonError
from cordon.kernel.pages import May, guarded_router, page, see_other
from cordon.operations.field.api import field_api
from cordon.operations.field.base import READ, SETTLE, VIEW
from cordon.operations.field.desk import FieldDesk
from cordon.operations.field.forms import forms
from cordon.operations.field.live import Live
from cordon.operations.field.photos import TASKING

ASSETS = (
    "app.css", "parts.css", "field.css", "icons.svg", "mark.svg", "vendor/fonts.css", "words.js",
    "field/page.js", "field/cards.js", "field/asking.js", "field/help.js", "field/kept.js",
    "field/sending.js", "field/reaching.js", "field/hearing.js", "field/worker.js",
)  # fmt: skip
"""What the page is made of, so that it opens where no node is heard."""

ON_THE_PHONE = "camera=(self), geolocation=(self), microphone=(), payment=()"
EXHIBIT = "cases.exhibit.add"
NOTHING_TYPED: dict[str, str] = {}


def field_routes(desk: FieldDesk, live: Live) -> APIRouter:
    """The routes below `/field` and `/phones`, those of a tasking's phones, and the API."""
    router = guarded_router()
    router.routes.extend(field_api(desk, live).routes)

    @router.get("/field")
    def field_page(request: Request, actor: Annotated[Actor, May(VIEW)]) -> Response:
        """The page of a phone. It is the same for every officer: what is theirs comes as JSON."""
        drawn = page(
            request,
            "operations/field.html",
            title="Field page",
            titles=sorted({card.title for card in desk.room.cards.values()}),
            forms=list(forms().values()),
        )
        drawn.headers["permissions-policy"] = ON_THE_PHONE
        drawn.headers["cache-control"] = "no-cache"
        return drawn

    @router.get("/field/worker.js")
    def worker(request: Request) -> Response:
        """The service worker, which changes with whatever it keeps.

        Open to all: browsers ask for a worker that is a module without the session's cookie.
        """
        drawn = page(request, "operations/field_worker.js", title="Field page", assets=ASSETS)
        drawn.headers["content-type"] = "text/javascript; charset=utf-8"
        drawn.headers["service-worker-allowed"] = "/field"
        drawn.headers["cache-control"] = "no-cache"
        return drawn

    @router.get("/phones")
    def phones(request: Request, actor: Annotated[Actor, May(READ)]) -> Response:
        """Calls for help, acts that came too late, and the phones themselves."""
        return _phones(desk, request, actor)

    @router.post("/phones/acts/{act}/settle")
    def settle(
        request: Request,
        act: str,
        actor: Annotated[Actor, May(SETTLE)],
        note: Annotated[str, Form()] = "",
    ) -> Response:
        """Say what became of an act that came too late."""
        try:
            desk.settle(actor, act, note)
        except (BadInput, Conflict) as refused:
            return _phones(desk, request, actor, {"act": act, "note": note}, refused)
        return see_other(request, "/phones")

    @router.get("/taskings/{tasking}/phones")
    def of_tasking(
        request: Request, tasking: str, actor: Annotated[Actor, May(TASKING)]
    ) -> Response:
        """What phones sent of one tasking: steps with both times, forms, photos."""
        return _tasking(desk, request, actor, tasking)

    @router.get("/taskings/{tasking}/photos/{photo}")
    def photo(tasking: str, photo: str, actor: Annotated[Actor, May(TASKING)]) -> Response:
        """A photo to look at, without what its camera wrote into it."""
        media_type, data = desk.shown(actor, tasking, photo)
        return Response(data, 200, {"cache-control": "no-store"}, media_type)

    @router.post("/taskings/{tasking}/photos/{photo}/case")
    def to_case(
        request: Request, tasking: str, photo: str, actor: Annotated[Actor, May(EXHIBIT)]
    ) -> Response:
        """Make a photo an exhibit of the alert's case."""
        try:
            desk.to_case(actor, tasking, photo)
        except (BadInput, Conflict) as refused:
            return _tasking(desk, request, actor, tasking, refused)
        return see_other(request, f"/taskings/{tasking}/phones")

    return router


def _phones(
    desk: FieldDesk,
    request: Request,
    actor: Actor,
    typed: dict[str, str] = NOTHING_TYPED,
    refused: CordonError | None = None,
) -> Response:
    waiting, calls, phones = desk.waiting(actor), desk.panics(actor), desk.phones(actor)
    officers = [*(a.officer for a in waiting), *(c.officer for c in calls)]
    return page(
        request,
        "operations/phones.html",
        status=200 if refused is None else type(refused).status,
        title="Phones",
        waiting=waiting,
        calls=calls,
        phones=phones,
        names=desk.names([*officers, *(p.officer for p in phones)]),
        may_settle=desk.may(actor, SETTLE),
        may_see_alert=desk.may(actor, "operations.alert.view"),
        typed=typed,
        refused=refused,
        now=desk.kernel.clock.now(),
    )


def _tasking(
    desk: FieldDesk,
    request: Request,
    actor: Actor,
    tasking: str,
    refused: CordonError | None = None,
) -> Response:
    held = desk.room.tasking(actor, tasking)
    acts, photos = desk.acts(actor, tasking), desk.photos(actor, tasking)
    return page(
        request,
        "operations/tasking_phones.html",
        status=200 if refused is None else type(refused).status,
        title=f"{held.unit_code} · {held.alert_title}",
        tasking=held,
        acts=acts,
        photos=photos,
        names=desk.names([*(a.officer for a in acts), *(p.officer for p in photos)]),
        may_exhibit=desk.may(actor, EXHIBIT),
        refused=refused,
        now=desk.kernel.clock.now(),
    )
