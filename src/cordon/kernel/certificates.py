"""The certificate that a program's connection was opened with, for the requests on it.

uvicorn asks for a client certificate and checks it against the authorities that it is given, but
tells the application nothing of it. Here its fingerprint is put into the scope of each request.
"""

from __future__ import annotations

import asyncio
import hashlib

from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

CERTIFICATE = "cordon.certificate"
"""Where in a scope the SHA-256 of the client's certificate stands (hexadecimal, of its DER)."""


class KnownClient(H11Protocol):
    """A connection that tells its requests whose certificate it was opened with."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        tls = transport.get_extra_info("ssl_object")
        der = tls.getpeercert(binary_form=True) if tls is not None else None
        if not der:
            return
        inner, fingerprint = self.app, hashlib.sha256(der).hexdigest()

        async def with_certificate(scope: Scope, receive: Receive, send: Send) -> None:
            await inner({**scope, CERTIFICATE: fingerprint}, receive, send)

        self.app = with_certificate


def certificate_of(scope: Scope) -> str | None:
    """The fingerprint of the certificate that a request's connection was opened with."""
    found = scope.get(CERTIFICATE)
    return found if isinstance(found, str) else None
