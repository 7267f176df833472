"""What uvicorn is told of certificates: the node's own, and whose it asks of programs."""

from __future__ import annotations

import ssl
from typing import Any

from cordon.kernel.certificates import KnownClient
from cordon.settings import Settings


def tls_options(settings: Settings) -> dict[str, Any]:
    """Options of uvicorn for the node's own certificate and for those of programs.

    A browser that has none is let in all the same: whoever must have one is known by its account.
    """
    options: dict[str, Any] = {
        "ssl_certfile": settings.tls_certificate,
        "ssl_keyfile": settings.tls_key,
    }
    if settings.tls_client_authorities is not None:
        options |= {
            "http": KnownClient,
            "ssl_ca_certs": str(settings.tls_client_authorities),
            "ssl_cert_reqs": ssl.CERT_OPTIONAL,
        }
    return options
