"""Who asks: a session's cookie or a program's token, and whether the form is really theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from fastapi import Request
from starlette.requests import HTTPConnection

from cordon.kernel.access.ratelimit import RateLimit
from cordon.kernel.access.sessions import csrf_fits, csrf_token
from cordon.kernel.errors import CordonError, NotSignedIn, Refused

if TYPE_CHECKING:
    from starlette.responses import Response

    from cordon.bootstrap import Node

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Identity:
    """Finds the actor of each request; its two methods are dependencies of the application."""

    def __init__(self, node: Node) -> None:
        self._node = node
        # __Host-: the browser itself sees that it is Secure, of this host, and of every path
        self.cookie = "__Host-cordon" if node.settings.secure else "cordon"
        self._limit = RateLimit(node.kernel.clock, per_minute=node.settings.api_rate)

    def identify(self, connection: HTTPConnection) -> None:
        """Set `state.actor` where a session or token stands for somebody; never refuse here."""
        connection.state.actor = None
        connection.state.csrf = ""
        connection.state.csrf_secret = None
        scheme, _, secret = connection.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            connection.state.actor = self._node.tokens.find(secret.strip())
        elif token := connection.cookies.get(self.cookie):
            try:
                found = self._node.sessions.find(token)
            except NotSignedIn:
                return
            connection.state.actor = found.actor
            connection.state.csrf_secret = found.csrf_secret
            connection.state.csrf = csrf_token(found.csrf_secret)
        if (actor := connection.state.actor) is not None:
            self._limit.take(actor.session or actor.id)

    def still(self, connection: HTTPConnection) -> bool:
        """Whether who opened a long connection may still hold it."""
        try:
            self.identify(connection)
        except CordonError:
            return False
        return connection.state.actor is not None

    async def check_csrf(self, connection: HTTPConnection) -> None:
        """Refuse a change that another site sent in the officer's name."""
        if connection.scope["type"] == "websocket":
            self._same_origin(connection)
            return
        if not isinstance(connection, Request) or connection.method in SAFE:
            return
        if connection.headers.get("authorization"):
            return  # a browser never sends a program's token by itself
        self._same_origin(connection)
        secret: str | None = connection.state.csrf_secret
        if secret is None:
            return  # nobody is signed in: there is no name to act in
        given = connection.headers.get("x-csrf-token")
        if given is None and connection.headers.get("content-type", "").startswith(
            ("application/x-www-form-urlencoded", "multipart/form-data")
        ):
            field = (await connection.form()).get("csrf")
            given = field if isinstance(field, str) else None
        if not csrf_fits(secret, given):
            raise Refused(
                "This form is not from your session, or is too old.",
                advice="Load the page again and send it once more.",
            )

    def _same_origin(self, connection: HTTPConnection) -> None:
        origin = connection.headers.get("origin")
        if connection.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            raise Refused("The request came from another site.")
        if origin and urlsplit(origin).netloc not in (
            connection.headers.get("host"),
            urlsplit(self._node.settings.public_url).netloc,
        ):
            raise Refused("The request came from another site.")

    def set_cookie(self, response: Response, token: str) -> None:
        """Give the browser its session."""
        response.set_cookie(
            self.cookie,
            token,
            httponly=True,
            secure=self._node.settings.secure,
            samesite="lax",
            path="/",
            max_age=self._node.settings.session_hours * 3600,
        )

    def clear_cookie(self, response: Response) -> None:
        """Take the browser's session away."""
        response.delete_cookie(
            self.cookie, path="/", secure=self._node.settings.secure, httponly=True, samesite="lax"
        )
