"""The node's own port for other nodes: TLS with a pinned certificate on both sides.

One request a connection. Nothing of a caller is read before its certificate was checked.
"""

from __future__ import annotations

import contextlib
import json
import logging
import socket
import ssl
import threading
from typing import Any

from cryptography import x509

from cordon.kernel.access.ratelimit import RateLimit
from cordon.kernel.clock import format_time
from cordon.kernel.errors import BadInput, CordonError, NotFound, Refused, TooLarge
from cordon.sharing.nodes import wire
from cordon.sharing.nodes.desk import Nodes
from cordon.sharing.nodes.eras import MOST_ERA
from cordon.sharing.nodes.keys import fingerprint
from cordon.sharing.nodes.model import Peer, Told

log = logging.getLogger(__name__)
MESSAGES, ASK = "/node/messages", "/node/ask"
_HEAD_BYTES = 8 << 10
_AT_ONCE = 32
_PATIENCE_S = 10.0


class Listener:
    """Hears other nodes.

    Args:
        port: 0 takes a free one. per_minute: requests of one peer.
    """

    def __init__(self, nodes: Nodes, bind: str, port: int, *, per_minute: int = 600) -> None:
        self.nodes = nodes
        self._limit = RateLimit(nodes.kernel.clock, per_minute=per_minute)
        self._reader = wire.Reader(nodes.kernel.agency, nodes.kernel.clock.now(), nodes.clock_seen)
        self._socket = socket.create_server((bind, port), backlog=64)
        self.port: int = self._socket.getsockname()[1]
        self._places = threading.BoundedSemaphore(_AT_ONCE)
        self._thread = threading.Thread(target=self._accept, name="nodes", daemon=True)
        self._stopped = False

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def stop(self) -> None:
        """Listen no more; what is in work ends by itself."""
        self._stopped = True
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes accept
        self._socket.close()
        if self._thread.is_alive():
            self._thread.join(5)

    def _accept(self) -> None:
        while not self._stopped:
            try:
                caller, _ = self._socket.accept()
            except OSError:
                continue
            if not self._places.acquire(blocking=False):
                caller.close()
                continue
            threading.Thread(target=self._serve, args=(caller,), daemon=True).start()

    def _serve(self, caller: socket.socket) -> None:
        # a caller that sends a byte now and then is thrown out as well
        end = threading.Timer(3 * _PATIENCE_S, lambda: _shut(caller))
        end.daemon = True
        end.start()
        try:
            caller.settimeout(_PATIENCE_S)
            trusted = self.nodes.trusted()
            now = self.nodes.kernel.clock.now()
            pins = [pem for p in trusted for _, pem in p.pins(now)]
            context = self.nodes.keys.server_context(pins)
            with context.wrap_socket(caller, server_side=True) as link:
                self._request(link, trusted)
        except (OSError, ssl.SSLError) as wrong:
            log.info("a caller was not let in: %s", type(wrong).__name__)
        except Exception:  # one caller must not end the port
            log.exception("a request of another node failed")
        finally:
            end.cancel()
            caller.close()
            self._places.release()

    def _request(self, link: ssl.SSLSocket, trusted: list[Peer]) -> None:
        try:
            status, answer = 200, self._answer(link, trusted)
        except CordonError as wrong:
            status = wrong.status
            answer = {"error": wrong.code, "message": str(wrong)}
        body = json.dumps(answer).encode()
        head = f"HTTP/1.1 {status} x\r\nContent-Type: application/json\r\nConnection: close\r\n"
        head += f"{wire.TIME}: {format_time(self.nodes.kernel.clock.now())}\r\n"
        link.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)

    def _answer(self, link: ssl.SSLSocket, trusted: list[Peer]) -> dict[str, Any]:
        shown = x509.load_der_x509_certificate(link.getpeercert(binary_form=True) or b"")
        now, key = self.nodes.kernel.clock.now(), fingerprint(shown)
        found = next(((p, pem) for p in trusted for k, pem in p.pins(now) if k == key), None)
        if found is None:
            raise Refused("This node does not know yours.")
        peer, pem = found
        path, data, signature = _read(link)  # read first: a caller is told why only when it is done
        self._limit.take(peer.code)
        now = self.nodes.kernel.clock.now()
        body = self._reader.read(peer.code, pem, path, data, signature, now)
        self.nodes.here(peer.code).set()
        if path == MESSAGES:
            return self._messages(peer, body)
        if path == ASK and isinstance(body.get("kind"), str) and isinstance(body.get("body"), dict):
            return self.nodes.answer(peer, body["kind"], body["body"])
        raise NotFound("There is no such address, or the question is malformed.")

    def _messages(self, peer: Peer, body: dict[str, Any]) -> dict[str, Any]:
        messages, era = body.get("messages"), body.get("era", "")
        if not isinstance(messages, list) or not messages:
            raise BadInput("There are no messages.")
        if not isinstance(era, str) or len(era) > MOST_ERA:
            raise BadInput("The era of the messages is malformed.")
        heard = 0
        for one in messages:
            try:
                heard = self.nodes.take(peer, _told(one), era)
            except CordonError as wrong:
                if not heard:
                    raise
                return {"heard": heard, "error": wrong.code, "message": str(wrong)}
        return {"heard": heard}


def _told(of: Any) -> Told:
    try:
        message = Told(**of)
    except TypeError:
        message = None
    if (
        message is None
        or type(message.seq) is not int
        or not 0 < message.seq < 1 << 62
        or not all(
            isinstance(t, str) and len(t) <= 60 for t in (message.id, message.kind, message.at)
        )
        or not isinstance(message.body, dict)
    ):
        raise BadInput("A message is seq, id, kind, body and at.")
    return message


def _read(link: ssl.SSLSocket) -> tuple[str, bytes, str]:
    """Path, body and signature of a POST."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = link.recv(_HEAD_BYTES)
        data += more
        if not more or len(data) > 2 * _HEAD_BYTES:
            raise BadInput("The request's head is cut off or too long.")
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    fields = {n.strip().lower(): v.strip() for n, _, v in (line.partition(":") for line in lines)}
    method, _, rest = first.partition(" ")
    length = fields.get("content-length", "")
    if method != "POST" or not length.isascii() or not length.isdigit() or len(length) > 12:
        raise BadInput("Nodes speak by POST with a Content-Length.")
    if int(length) > wire.MOST_BYTES:
        raise TooLarge(f"A request has at most {wire.MOST_BYTES} bytes.")
    parts = [body]
    left = int(length) - len(body)
    while left > 0:
        more = link.recv(min(left, 1 << 16))
        if not more:
            raise BadInput("The request is cut off.")
        parts.append(more)
        left -= len(more)
    return rest.partition(" ")[0], b"".join(parts), fields.get(wire.SIGNATURE.lower(), "")


def _shut(caller: socket.socket) -> None:
    with contextlib.suppress(OSError):
        caller.shutdown(socket.SHUT_RDWR)
