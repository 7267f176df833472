"""What a room's routes stand on: who asks, whether they may, and how a page is drawn.

The shell (`cordon.web`) fills in what is behind these names; a room knows only this file.

A route declares its act in its signature, and so passes the gate before its body runs:

    @router.get("/alerts")
    def queue(request: Request, actor: Annotated[Actor, May("operations.alert.view")]): ...

A test walks every route and fails where none is declared.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from fastapi import APIRouter, Depends, Request
from fastapi.params import Depends as DependsParam
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse, Response

from cordon.kernel.access.model import Actor, Thing
from cordon.kernel.errors import NotSignedIn
from cordon.kernel.work import Kernel


class Passes:
    """The dependency behind `May`: the actor of the request, once the gate let the act pass."""

    def __init__(self, act: str) -> None:
        self.act = act

    async def __call__(self, connection: HTTPConnection) -> Actor:
        actor = signed_in(connection)
        kernel = cast("Kernel", connection.app.state.kernel)
        room = Thing.room(self.act.split(".")[0], kernel.agency)
        if not kernel.gate.decide(actor, self.act, room).allowed:
            # in a thread, as it writes: who is let pass waits for none
            await run_in_threadpool(self._refuse, kernel, actor, room)
        return actor

    def _refuse(self, kernel: Kernel, actor: Actor, room: Thing) -> None:
        with kernel.view(actor) as view:
            view.permit(self.act, room)


def May(act: str) -> DependsParam:
    """Let a route's body run only where the gate lets this act pass; gives the actor."""
    return cast("DependsParam", Depends(Passes(act)))


def signed_in(connection: HTTPConnection) -> Actor:
    """The actor of the request or socket, or NotSignedIn."""
    actor = getattr(connection.state, "actor", None)
    if actor is None:
        raise NotSignedIn("Nobody is signed in.", advice="Sign in and try again.")
    return cast("Actor", actor)


def page(request: Request, template: str, *, status: int = 200, **context: Any) -> Response:
    """Draw a template (`room/name.html`) in the shell, in the reader's language and theme.

    The template sees `page` (title, officer, authority, csrf, …) beside what is given here.
    """
    return cast("Response", request.app.state.draw(request, template, status, context))


def piece(request: Request, template: str, **context: Any) -> str:
    """Draw a template by itself, in the reader's language and without `page`: to be kept."""
    return cast("str", request.app.state.shell.piece(request, template, context))


def language(request: Request) -> str:
    """Code of the language that the reader's pages are drawn in."""
    return cast("str", request.app.state.shell.language(request))


def wants_json(request: Request) -> bool:
    """True where the caller is a program: it accepts JSON and not HTML."""
    accept = request.headers.get("accept", "")
    return "application/json" in accept and "text/html" not in accept


def is_fragment(request: Request) -> bool:
    """True where htmx asks for a piece of a page rather than the whole of it."""
    return request.headers.get("hx-request") == "true"


def see_other(request: Request, to: str) -> Response:
    """Send the reader on after a change (303), by htmx's header where htmx asks."""
    if is_fragment(request):
        return Response(status_code=204, headers={"HX-Redirect": to})
    return RedirectResponse(to, status_code=303)


def _known(connection: HTTPConnection) -> None:
    connection.app.state.identity.identify(connection)


async def _no_other_site(connection: HTTPConnection) -> None:
    await connection.app.state.identity.check_csrf(connection)


async def _own_password(connection: HTTPConnection) -> None:
    connection.app.state.identity.check_password(connection)


GUARDS = (_known, _no_other_site, _own_password)
"""What each route asks before its own acts; the shell refuses an application that lacks one."""


def guarded_router(
    prefix: str = "", *, dependencies: Sequence[DependsParam] = (), **more: Any
) -> APIRouter:
    """A router whose routes first ask who it is, and whether the form is really theirs.

    A router that is part of another is put there by `routes.extend`, and not included: FastAPI
    analyses each route anew for every router that it is included in, and again at its first
    request.

    Args:
        prefix, more: as of `APIRouter`. dependencies: asked after the guards.
    """
    return APIRouter(
        prefix=prefix,
        dependencies=[*(cast("DependsParam", Depends(g)) for g in GUARDS), *dependencies],
        **more,
    )


def still_signed_in(connection: HTTPConnection) -> bool:
    """Whether the session or token that opened a long connection still stands for somebody."""
    return bool(connection.app.state.identity.still(connection))
