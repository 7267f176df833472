"""The page of TAK clients: who may join, enrolment, and throwing one out."""

from __future__ import annotations

import secrets
import threading
import time
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from cordon.kernel.access.model import Actor, Mark
from cordon.kernel.errors import BadInput, Conflict, CordonError, NotFound
from cordon.kernel.pages import May, guarded_router, page, see_other
from cordon.operations.tak.base import ENROL, GIVE, REVOKE, VIEW
from cordon.operations.tak.desk import TakDesk
from cordon.operations.tak.package_routes import package_routes

NOTHING_TYPED: dict[str, str] = {}
_WAITS_S = 600.0  # a package that nobody fetched is let go of
_MOST_WAITING = 50


class Packages:
    """Packages between the page that tells the password and the one fetch that follows it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, tuple[str, float, bytes]] = {}

    def put(self, actor: str, package: bytes) -> str:
        """Keep a package for an officer; return the name under which it is fetched."""
        name, now = secrets.token_urlsafe(24), time.monotonic()
        with self._lock:
            self._waiting = {
                n: w for n, w in list(self._waiting.items())[-_MOST_WAITING:] if w[1] > now
            }
            self._waiting[name] = (actor, now + _WAITS_S, package)
        return name

    def take(self, actor: str, name: str) -> bytes:
        """Hand a package over, once and to the officer who enrolled the client; NotFound."""
        with self._lock:
            owner, until, package = self._waiting.get(name, ("", 0.0, b""))
            if owner != actor or until <= time.monotonic():
                raise NotFound(
                    "That package was fetched already, or waited too long.",
                    advice="Throw the client out and enrol it anew.",
                )
            del self._waiting[name]
        return package


def tak_routes(desk: TakDesk) -> APIRouter:
    """The routes below `/tak`."""
    router = guarded_router()
    packages = Packages()

    @router.get("/tak")
    def clients(request: Request, actor: Annotated[Actor, May(VIEW)]) -> Response:
        """The TAK clients, and which of them are connected."""
        return _drawn(desk, request, actor)

    @router.post("/tak")
    def enrol(
        request: Request,
        actor: Annotated[Actor, May(ENROL)],
        name: Annotated[str, Form()] = "",
        groups: Annotated[str, Form()] = "",
        unit: Annotated[str, Form()] = "",
        cleared: Annotated[str, Form()] = "",
        way: Annotated[str, Form()] = "",
    ) -> Response:
        """Enrol a client, or invite a phone to enrol itself; the password is told here alone."""
        typed = {"name": name, "groups": groups, "unit": unit, "cleared": cleared}
        try:
            if way == "invite":
                invited = desk.invites.invite(actor, **typed)
                shown: dict[str, Any] = {"client": invited.invite, "password": invited.password}
                template, package = "operations/tak_invited.html", invited.package
            else:
                enrolled = desk.enrol(actor, **typed)
                shown = {"client": enrolled.client, "password": enrolled.password}
                template, package = "operations/tak_enrolled.html", enrolled.package
        except (BadInput, Conflict, NotFound) as refused:
            return _drawn(desk, request, actor, typed, refused)
        drawn = page(
            request,
            template,
            title="Invited" if way == "invite" else "Enrolled",
            **shown,
            package=packages.put(actor.id, package),
            host=desk.host,
            port=desk.enrol_port,
        )
        drawn.headers["cache-control"] = "no-store"
        return drawn

    @router.post("/tak/package")
    def package(actor: Annotated[Actor, May(ENROL)], name: Annotated[str, Form()] = "") -> Response:
        """A client's package, once."""
        headers = {
            "content-disposition": 'attachment; filename="cordon-tak.zip"',
            "cache-control": "no-store",
        }
        return Response(packages.take(actor.id, name), 200, headers, "application/zip")

    @router.post("/tak/{client}/revoke")
    def revoke(
        request: Request,
        client: str,
        actor: Annotated[Actor, May(REVOKE)],
        why: Annotated[str, Form()] = "",
    ) -> Response:
        """Throw a client out."""
        try:
            desk.revoke(actor, client, why)
        except (BadInput, Conflict) as refused:
            return _drawn(desk, request, actor, {"of": client, "why": why}, refused)
        return see_other(request, "/tak")

    @router.post("/tak/invites/{invite}/withdraw")
    def withdraw(request: Request, invite: str, actor: Annotated[Actor, May(REVOKE)]) -> Response:
        """Take an invitation back."""
        try:
            desk.invites.withdraw(actor, invite)
        except Conflict as refused:
            return _drawn(desk, request, actor, {"of": invite}, refused)
        return see_other(request, "/tak")

    def again(
        request: Request, actor: Actor, typed: dict[str, str], refused: CordonError
    ) -> Response:
        return _drawn(desk, request, actor, typed, refused)

    router.routes.extend(package_routes(desk.packages, again).routes)
    return router


def _drawn(
    desk: TakDesk,
    request: Request,
    actor: Actor,
    typed: dict[str, str] = NOTHING_TYPED,
    refused: CordonError | None = None,
) -> Response:
    return page(
        request,
        "operations/tak.html",
        status=200 if refused is None else type(refused).status,
        title="TAK clients",
        clients=desk.clients(actor),
        invites=desk.invites.waiting(actor),
        packages=desk.packages.all(actor),
        enrols=desk.enrol_port is not None,
        keeps=desk.package_port is not None,
        may_give=desk.may(actor, GIVE),
        online=dict(desk.online),
        served=desk.port is not None,
        host=desk.host,
        port=desk.port,
        marks=[m.value for m in Mark if m is not Mark.RED],
        may_enrol=desk.may(actor, ENROL),
        may_revoke=desk.may(actor, REVOKE),
        typed=typed,
        refused=refused,
        now=desk.kernel.clock.now(),
    )
