"""The page of requests: what is owed to whom, and the form of a new one."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, TypeVar

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from cordon.kernel.access.model import Actor, Mark
from cordon.kernel.errors import BadInput, Conflict, CordonError, NotFound
from cordon.kernel.pages import May, guarded_router, page, see_other
from cordon.sharing.requests.desk import Requests
from cordon.sharing.requests.model import Ground, RequestKind, Urgency

View = Annotated[Actor, May("sharing.request.view")]
Ask = Annotated[Actor, May("sharing.request.ask")]
Tell = Annotated[Actor, May("sharing.request.answer")]
Text = Annotated[str, Form()]
Chosen = TypeVar("Chosen", bound=StrEnum)
NOTHING_TYPED: dict[str, str] = {}


def request_routes(desk: Requests) -> APIRouter:
    """Routes of requests."""
    router = guarded_router()

    @router.get("/sharing/requests")
    def requests(request: Request, actor: View) -> Response:
        """What agencies ask each other for, open ones first."""
        return _drawn(request, desk, actor)

    @router.post("/sharing/requests")
    def ask(
        request: Request, actor: Ask, to: Text = "", kind: Text = "", urgency: Text = "",
        text: Text = "", basis: Text = "", mark: Text = "",
    ) -> Response:  # fmt: skip
        """Ask another agency."""
        typed = {
            "to": to, "kind": kind, "urgency": urgency, "text": text, "basis": basis, "mark": mark,
        }  # fmt: skip
        try:
            desk.ask(
                actor, to.strip(), _one_of(RequestKind, kind), _one_of(Urgency, urgency), text,
                basis, _one_of(Mark, mark),
            )  # fmt: skip
        except (BadInput, Conflict, NotFound) as refused:
            return _drawn(request, desk, actor, typed, refused)
        return see_other(request, "/sharing/requests")

    def done(
        request: Request, actor: Actor, typed: dict[str, str], act: Callable[[], object]
    ) -> Response:
        try:
            act()
        except (BadInput, Conflict) as refused:
            return _drawn(request, desk, actor, typed, refused)
        return see_other(request, "/sharing/requests")

    @router.post("/sharing/requests/{id_}/answer")
    def answer(request: Request, id_: str, actor: Tell, said: Text = "") -> Response:
        """Answer a request."""
        typed = {"of": id_, "said": said}
        return done(request, actor, typed, lambda: desk.answer(actor, id_, said))

    @router.post("/sharing/requests/{id_}/refuse")
    def refuse(
        request: Request, id_: str, actor: Tell, ground: Text = "", said: Text = ""
    ) -> Response:
        """Refuse a request with a ground."""
        typed = {"of": id_, "no": said}
        return done(
            request, actor, typed, lambda: desk.refuse(actor, id_, _one_of(Ground, ground), said)
        )

    @router.post("/sharing/requests/{id_}/withdraw")
    def withdraw(request: Request, id_: str, actor: Ask) -> Response:
        """Ask no longer."""
        return done(request, actor, NOTHING_TYPED, lambda: desk.withdraw(actor, id_))

    return router


def _drawn(
    request: Request, desk: Requests, actor: Actor, typed: dict[str, str] = NOTHING_TYPED,
    refused: CordonError | None = None,
) -> Response:  # fmt: skip
    return page(
        request, "sharing/requests.html", status=200 if refused is None else refused.status,
        requests=desk.list(actor), typed=typed, refused=refused, kinds=list(RequestKind),
        urgencies=list(Urgency), grounds=list(Ground), now=desk.kernel.clock.now(),
        marks=[m for m in Mark if m is not Mark.RED], peers=desk.nodes.trusted(),
    )  # fmt: skip


def _one_of(kind: type[Chosen], text: str) -> Chosen:
    try:
        return kind(text)
    except ValueError:
        raise BadInput("Something was not chosen.", advice="Choose one of the list.") from None
