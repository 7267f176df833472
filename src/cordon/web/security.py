"""Headers and limits that every answer and request of the node keeps."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, MutableMapping
from typing import Any

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cordon.kernel.ids import new_id

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "worker-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
"""Nothing inline, nothing from another host."""

MOST_LET_GO, LET_GO_S = 64 << 20, 5.0
"""Bytes and seconds for which a body that is too large is still read, and kept nowhere."""

HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(self), payment=()",
}
STRICT_TRANSPORT = "max-age=63072000"  # two years, as the preload lists ask
NOT_CACHED = "no-store"  # what an officer saw must not stay in a shared machine's cache

STRANGERS = 64 << 10  # bytes of a body by nobody in particular: signing in takes less
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

log = structlog.get_logger("cordon.web")
Observe = Callable[[str, str, int, float], None]
Known = Callable[[Scope], bool]


class Guarded:
    """Outermost layer: names each request, bounds its body, sets headers, observes the time.

    Args:
        largest: bytes that a body may have. A form is read to its end before the gate is asked,
            so that of a stranger only the first `STRANGERS` bytes are taken.
        known: whether a request is of somebody who is signed in; asked of large bodies alone,
            in a thread.
        secure: the node is reached by https.
        observe: told (method, route, status, seconds) of each answer.
    """

    def __init__(
        self, app: ASGIApp, *, largest: int, secure: bool, observe: Observe, known: Known
    ) -> None:
        self.app = app
        self._known = known
        self._largest = largest
        self._observe = observe
        self._headers = [(k.lower().encode(), v.encode()) for k, v in HEADERS.items()]
        if secure:
            self._headers.append((b"strict-transport-security", STRICT_TRANSPORT.encode()))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        request = new_id()
        scope.setdefault("state", {})["request_id"] = request
        structlog.contextvars.bind_contextvars(request=request)
        status, received = 500, 0
        method = scope["method"] if scope["method"] in METHODS else "other"
        bound = STRANGERS

        async def bounded() -> Message:
            nonlocal received, bound
            message = await receive()
            received += len(message.get("body", b""))
            if received > bound:
                bound = await self._bound(scope, received)
            return message

        async def with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if status == 413:  # of its body more may come, which nobody reads
                    message["headers"] = [*message["headers"], (b"connection", b"close")]
                _set_headers(message, self._headers, request)
            await send(message)

        try:
            if (declared := _declared(scope)) > bound:
                bound = await self._bound(scope, declared)
            await self.app(scope, bounded, with_headers)
        except BodyTooLarge:
            status = 413
            await _let_go(receive)
            await _refuse(with_headers, 413, b"The request's body is larger than this node takes.")
        except Stranger:
            status = 401
            await _refuse(with_headers, 401, b"Sign in before you send as much as this.")
        finally:
            took = time.perf_counter() - began
            route = getattr(scope.get("route"), "path", "other")
            self._observe(method, route, status, took)
            if not scope["path"].startswith(("/static/", "/health/")):
                # the route, not the path: a path may hold what was searched for
                log.info(
                    "request",
                    method=method,
                    route=route,
                    status=status,
                    ms=round(took * 1000, 1),
                )
            structlog.contextvars.clear_contextvars()

    async def _bound(self, scope: Scope, size: int) -> int:
        """How many bytes a body may have that has (or says that it has) `size` already."""
        if size > self._largest:
            raise BodyTooLarge
        if not await run_in_threadpool(self._known, scope):
            raise Stranger
        return self._largest


async def _let_go(receive: Receive) -> None:
    """Read what still comes of a body, up to a bound, so that its sender sees the answer."""
    size, until = 0, time.monotonic() + LET_GO_S
    while size < MOST_LET_GO and (left := until - time.monotonic()) > 0:
        try:
            message = await asyncio.wait_for(receive(), left)
        except TimeoutError:
            return
        size += len(message.get("body", b""))
        if message["type"] != "http.request" or not message.get("more_body"):
            return


class Stranger(Exception):
    """A body of nobody in particular went past the bound of strangers."""


class BodyTooLarge(Exception):
    """A body went past its bound."""


def _declared(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else 0
    return 0


def _set_headers(
    message: MutableMapping[str, Any], headers: list[tuple[bytes, bytes]], request: str
) -> None:
    given = {name for name, _ in message["headers"]}
    message["headers"] = [
        *message["headers"],
        *((n, v) for n, v in headers if n not in given),
        (b"x-request-id", request.encode()),
    ]
    if b"cache-control" not in given:
        message["headers"].append((b"cache-control", NOT_CACHED.encode()))


async def _refuse(send: Send, status: int, words: bytes) -> None:
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [(b"content-type", b"text/plain; charset=utf-8")],
        }
    )
    await send({"type": "http.response.body", "body": words})
