"""The ports of /Marti: each an application in a thread of its own, over TLS."""

from __future__ import annotations

import logging
import socket
import ssl
import threading

import uvicorn
from starlette.applications import Starlette

from cordon.kernel.certificates import KnownClient
from cordon.kernel.errors import WrongSetting

log = logging.getLogger(__name__)
_AT_ONCE = 128


class Door:
    """One port.

    Args:
        name: of its setting, for the error. port: 0 takes a free one.
    """

    def __init__(
        self, name: str, app: Starlette, bind: str, port: int, context: ssl.SSLContext
    ) -> None:
        config = uvicorn.Config(
            app, http=KnownClient, lifespan="off", log_config=None, access_log=False,
            server_header=False, proxy_headers=False, limit_concurrency=_AT_ONCE,
            timeout_keep_alive=5, timeout_graceful_shutdown=3,
        )  # fmt: skip
        config.load()
        config.ssl = context
        self._server = uvicorn.Server(config)
        try:
            family = socket.AF_INET6 if ":" in bind else socket.AF_INET
            self._socket = socket.create_server((bind, port), family=family, backlog=128)
        except OSError as wrong:
            raise WrongSetting(
                f"The TAK server cannot listen on port {port}: {wrong.strerror}.",
                advice=f"Set {name} to a free one.",
            ) from None
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def stop(self) -> None:
        """Listen no more; what is in work has three seconds to end."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(timeout=10)
        self._socket.close()

    def _run(self) -> None:
        try:
            self._server.run(sockets=[self._socket])
        except Exception:  # the node lives on
            log.exception("a port of the TAK server failed")
