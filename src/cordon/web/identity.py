"""Who asks: a session's cookie or a program's token, and whether the form is really theirs."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from fastapi import Request
from starlette.requests import HTTPConnection
from starlette.types import Scope

from cordon.kernel.access.model import Actor
from cordon.kernel.access.ratelimit import RateLimit
from cordon.kernel.access.sessions import csrf_fits, csrf_token
from cordon.kernel.certificates import certificate_of
from cordon.kernel.errors import CordonError, NotSignedIn, Refused

if TYPE_CHECKING:
    from starlette.responses import Response

    from cordon.bootstrap import Node

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
AUTHORITY_HEADER = "cordon-authority"
"""A program's request names in it the authority (its reference or id) that it reads under."""


_TO_CHANGE = frozenset({"/account", "/account/password", "/sign-out"})
_OPEN = ("/sign-in", "/health/")
BASIC = "/taxii2/"
"""Where programs sign in by HTTP Basic, as their standard asks (TAXII 2.1, §1.6.8), or by a
certificate."""


class MustChange(Refused):
    """An officer's password is known to another person, and must be changed first."""

    code = "must_change_password"


class Identity:
    """Finds the actor of each request; its three checks are dependencies of the application."""

    def __init__(self, node: Node) -> None:
        self._node = node
        # __Host-: the browser itself sees that it is Secure, of this host, and of every path
        # with the agency: a browser keeps one jar for all ports of a host
        name = f"cordon-{node.settings.agency}"
        self.cookie = f"__Host-{name}" if node.settings.secure else name
        self._limit = RateLimit(node.kernel.clock, per_minute=node.settings.api_rate)

    def identify(self, connection: HTTPConnection) -> None:
        """Set `state.actor` where a session or token stands for somebody.

        Raises:
            NotSignedIn: a token that is not valid. NotFound, AuthorityRefused: the authority that
            a program names in its header cannot be read under. TooMany: past the rate limit.
        """
        self._look(connection)
        actor = connection.state.actor
        reference = connection.headers.get(AUTHORITY_HEADER, "")
        if actor is not None and connection.state.by_token and reference.strip():
            connection.state.actor = self._node.authorities.under(actor, reference)

    def _look(self, connection: HTTPConnection) -> None:
        connection.state.actor = None
        connection.state.csrf = ""
        connection.state.csrf_secret = None
        connection.state.by_token = connection.state.must_change = False
        if (secret := bearer_of(connection)) is not None:
            connection.state.actor = self._node.tokens.find(secret)
            connection.state.by_token = True
        elif (given := self._basic(connection) or self._certified(connection)) is not None:
            connection.state.actor = given
            connection.state.by_token = True
        elif token := connection.cookies.get(self.cookie):
            try:
                found = self._node.sessions.find(token)
            except NotSignedIn:
                return
            connection.state.actor = found.actor
            connection.state.must_change = found.must_change
            connection.state.csrf_secret = found.csrf_secret
            connection.state.csrf = csrf_token(found.csrf_secret)
        if (actor := connection.state.actor) is not None:
            self._limit.take(actor.session or actor.id)

    def knows(self, scope: Scope) -> bool:
        """Whether a request is of somebody, before anything of it is read."""
        connection = HTTPConnection(scope)
        try:
            if (secret := bearer_of(connection)) is not None:
                self._node.tokens.find(secret)
            elif (self._basic(connection) or self._certified(connection)) is not None:
                return True
            elif token := connection.cookies.get(self.cookie):
                self._node.sessions.find(token)
            else:
                return False
        except CordonError:
            return False
        return True

    def _basic(self, connection: HTTPConnection) -> Actor | None:
        """The service account of a request by HTTP Basic, which TAXII alone takes.

        Raises:
            SignInRefused: it is none, or its password is another. TooMany: too many tries.
        """
        if not connection.scope["path"].startswith(BASIC):
            return None
        given = basic_of(connection)
        if given is None:
            return None
        address = connection.client.host if connection.client else "unknown"
        return self._node.sharing.accounts.find(*given, address)

    def _certified(self, connection: HTTPConnection) -> Actor | None:
        """The service account whose certificate the connection was opened with; TAXII alone."""
        fingerprint = certificate_of(connection.scope)
        if fingerprint is None or not connection.scope["path"].startswith(BASIC):
            return None
        return self._node.sharing.accounts.find_by_certificate(fingerprint)

    def still(self, connection: HTTPConnection) -> bool:
        """Whether who opened a long connection may still hold it."""
        before = getattr(connection.state, "actor", None)
        try:
            self._look(connection)
        except CordonError:
            return False
        actor = connection.state.actor
        if actor is not None and before is not None and connection.state.by_token:
            # chosen when it was opened; whether it may still be read under is asked at each use
            connection.state.actor = replace(actor, authority=before.authority)
        return actor is not None

    def check_password(self, connection: HTTPConnection) -> None:
        """Let nobody further whose password another person set; they change it first."""
        path = connection.scope["path"]
        if connection.state.must_change and path not in _TO_CHANGE and not path.startswith(_OPEN):
            raise MustChange(
                "Another person set your password.", advice="Change it before anything else."
            )

    async def check_csrf(self, connection: HTTPConnection) -> None:
        """Refuse a change that another site sent in the officer's name."""
        if connection.scope["type"] == "websocket":
            self._same_origin(connection)
            return
        if not isinstance(connection, Request) or connection.method in SAFE:
            return
        if connection.state.by_token:
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


def bearer_of(connection: HTTPConnection) -> str | None:
    """The token of a request by a program, or None where it brings none."""
    scheme, _, secret = connection.headers.get("authorization", "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else None


def basic_of(connection: HTTPConnection) -> tuple[str, str] | None:
    """Name and password of HTTP Basic (RFC 7617), or None where there are none."""
    scheme, _, encoded = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, colon, password = b64decode(encoded.strip(), validate=True).decode().partition(":")
    except ValueError:  # no base64, or no UTF-8
        name, colon, password = "", ":", ""
    return (name, password) if colon else ("", "")
