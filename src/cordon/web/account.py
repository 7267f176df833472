"""Signing in and out, the first page, and how the reader likes their pages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import httpx
from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from cordon.kernel.access import oidc
from cordon.kernel.access.model import Actor
from cordon.kernel.access.ratelimit import RateLimit
from cordon.kernel.access.sessions import Opened
from cordon.kernel.access.signin import Challenge
from cordon.kernel.errors import NotFound, SignInRefused
from cordon.kernel.pages import May, guarded_router, page
from cordon.web.identity import Identity

if TYPE_CHECKING:
    from cordon.bootstrap import Node


def routes(node: Node) -> APIRouter:
    """Sign-in, sign-out and the first page. Signing in is open to all."""
    router = guarded_router()
    limit = RateLimit(node.kernel.clock, per_minute=node.settings.sign_in_rate)
    # with the agency: a browser keeps one jar for all ports of a host
    flow_cookie = f"cordon_oidc-{node.settings.agency}"

    def form(
        request: Request,
        to: str,
        *,
        login: str = "",
        refused: str = "",
        status: int = 200,
        challenge: str = "",
    ) -> Response:
        template = "second_factor.html" if challenge else "sign_in.html"
        return page(
            request,
            template,
            status=status,
            next=to,
            login=login,
            refused=refused,
            challenge=challenge,
            oidc=bool(node.settings.oidc_issuer),
        )

    @router.get("/")
    def home(request: Request, actor: Annotated[Actor, May("web.home.view")]) -> Response:
        """To the first room that the reader may look into."""
        rail = request.app.state.shell.doors(actor)
        return RedirectResponse(rail[0].href if rail else "/account", status_code=303)

    @router.get("/sign-in")
    def sign_in_page(request: Request, next: str = "/") -> Response:
        """The sign-in form."""
        return form(request, safe_path(next))

    @router.post("/sign-in")
    def sign_in(
        request: Request,
        login: Annotated[str, Form()] = "",
        password: Annotated[str, Form()] = "",
        code: Annotated[str, Form()] = "",
        next: Annotated[str, Form()] = "/",
    ) -> Response:
        """Sign in by name and password."""
        address = caller(request)
        limit.take(address)
        try:
            answer = node.sign_in.by_password(
                login,
                password,
                code.strip() or None,
                address=address,
                agent=request.headers.get("user-agent"),
            )
        except SignInRefused as refused:
            return form(request, safe_path(next), login=login, refused=str(refused), status=401)
        return _answered(request, answer, next)

    @router.post("/sign-in/code")
    def second_factor(
        request: Request,
        challenge: Annotated[str, Form()] = "",
        code: Annotated[str, Form()] = "",
        next: Annotated[str, Form()] = "/",
    ) -> Response:
        """The second factor of a sign-in."""
        address = caller(request)
        limit.take(address)
        try:
            answer = node.sign_in.by_code(
                challenge, code.strip(), address=address, agent=request.headers.get("user-agent")
            )
        except SignInRefused as refused:
            return form(
                request, safe_path(next), refused=str(refused), status=401, challenge=challenge
            )
        return _answered(request, answer, next)

    @router.get("/sign-in/oidc")
    def to_provider(request: Request) -> Response:
        """On to the OpenID Connect provider."""
        limit.take(caller(request))
        client = _client(node)
        with httpx.Client(timeout=10) as http:
            flow = oidc.begin(
                oidc.discover(http, client.issuer), client, node.sealing, node.kernel.clock.now()
            )
        response = RedirectResponse(flow.address, status_code=303)
        response.set_cookie(
            flow_cookie,
            flow.sealed,
            max_age=600,
            httponly=True,
            samesite="lax",
            secure=node.settings.secure,
            path="/sign-in/oidc",
        )
        return response

    @router.get("/sign-in/oidc/back")
    def from_provider(request: Request) -> Response:
        """Back from the OpenID Connect provider."""
        limit.take(caller(request))
        client = _client(node)
        try:
            with httpx.Client(timeout=10) as http:
                subject = oidc.finish(
                    http,
                    oidc.discover(http, client.issuer),
                    client,
                    node.sealing,
                    sealed=request.cookies.get(flow_cookie),
                    answer=dict(request.query_params),
                    now=node.kernel.clock.now(),
                )
            answer = node.sign_in.by_provider(
                subject.issuer,
                subject.subject,
                address=caller(request),
                agent=request.headers.get("user-agent"),
            )
        except SignInRefused as refused:
            node.sign_in.failed("provider")
            return form(request, "/", refused=str(refused), status=401)
        response = _answered(request, answer, "/")
        response.delete_cookie(flow_cookie, path="/sign-in/oidc")
        return response

    @router.post("/sign-out")
    def sign_out(request: Request, actor: Annotated[Actor, May("web.home.view")]) -> Response:
        """End one's session."""
        if actor.session is not None:
            node.sessions.revoke(actor, actor.session)
        response = RedirectResponse("/sign-in", status_code=303)
        identity: Identity = request.app.state.identity
        identity.clear_cookie(response)
        return response

    def _answered(request: Request, answer: Opened | Challenge, to: str) -> Response:
        if isinstance(answer, Challenge):
            return form(request, safe_path(to), challenge=answer.token)
        response = RedirectResponse(safe_path(to), status_code=303)
        identity: Identity = request.app.state.identity
        identity.set_cookie(response, answer.token)
        return response

    return router


def safe_path(to: str) -> str:
    """Where to go after signing in: a path of this node, or the first page."""
    parts = urlsplit(to)
    if parts.scheme or parts.netloc or not to.startswith("/") or to.startswith(("//", "/\\")):
        return "/"
    return to


def caller(request: Request) -> str:
    """The caller's address; uvicorn has put a trusted proxy's word in its place."""
    return request.client.host if request.client else "unknown"


def _client(node: Node) -> oidc.Client:
    settings = node.settings
    if not settings.oidc_issuer or not settings.oidc_client_id:
        raise NotFound("This node has no OpenID Connect provider.")
    secret: Path | None = settings.oidc_client_secret_file
    return oidc.Client(
        settings.oidc_issuer,
        settings.oidc_client_id,
        settings.public_url.rstrip("/") + "/sign-in/oidc/back",
        secret.read_text("utf-8").strip() if secret else None,
    )
