"""One connection of a TAK client: bytes to messages, messages to bytes, and nothing without end."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import socket
from collections import deque
from typing import TYPE_CHECKING, cast

from cordon.operations.tak import protocol
from cordon.operations.tak.message import Message, read
from cordon.operations.tak.relay import Forged, Line
from cordon.picture import EventStream, Piece, kept_line

if TYPE_CHECKING:
    from cordon.operations.tak.server import TakServer

log = logging.getLogger(__name__)

A_WRITE = 256 << 10  # bytes handed to the system at once
_HIGH, _LOW = 512 << 10, 64 << 10  # bytes that the connection itself may hold
MOST_REFUSED = 200  # messages of one connection that are not passed on, before it is cut
_DEAD_MS = 60_000  # nothing acknowledged for so long: the phone is out of reach


class Session(asyncio.Protocol):
    """One connection. It belongs to the server's loop, and is touched from nowhere else."""

    def __init__(self, server: TakServer) -> None:
        self._server = server
        self._stream = EventStream(read)
        self._pieces: deque[Piece[Message]] = deque()
        self._busy = True  # until it is admitted, and while its name is bound
        self._paused = False
        self._forged = False
        self.line: Line | None = None
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.pause_reading()
        self.transport.set_write_buffer_limits(high=_HIGH, low=_LOW)
        _bound(self.transport.get_extra_info("socket"))
        if not self._server.room_for(self):
            self.transport.abort()
            return
        given = self.transport.get_extra_info("ssl_object").getpeercert(binary_form=True)
        self._server.spawn(self._admit(hashlib.sha256(given or b"").hexdigest()))

    async def _admit(self, certificate: str) -> None:
        try:
            client = await self._server.ask(self._server.desk.admit, certificate)
        except Exception:  # whatever it was: nobody is let in unseen, and it may try again
            log.exception("a TAK client could not be looked up")
            client = None
        transport = self.transport
        if transport is None or transport.is_closing():
            return
        if client is None:
            transport.abort()
            return
        self.line = Line(client, uid=client.uid or "")
        self._server.joined(self, self.line)
        self.line.queue.insert(0, ("", protocol.offer(self._server.now())))
        self._busy = False
        transport.resume_reading()
        self._server.wake()

    def data_received(self, data: bytes) -> None:
        self._pieces.extend(self._stream.feed(data))
        self._work()

    def _work(self) -> None:
        line = self.line
        while self._pieces and not self._busy and line is not None:
            piece = self._pieces.popleft()
            if piece.event is None:
                self._refuse()
            elif _names_itself(piece.event) and not line.uid:
                self._busy = True
                if self.transport is not None:
                    self.transport.pause_reading()
                self._server.spawn(self._bind(piece, piece.event.uid))
            else:
                self._take(line, piece, piece.event)
        self._server.wake()

    async def _bind(self, piece: Piece[Message], uid: str) -> None:
        """The first use of a name of its own: from now on it is this certificate's."""
        line = self.line
        if line is None:
            return
        try:
            bound = await self._server.ask(self._server.desk.bind, line.client.id, uid)
        except Exception:  # two that took one name at once, or a database that is away
            log.exception("the name of a TAK client could not be bound")
            if self.transport is not None:
                self.transport.abort()
            return
        if bound:
            line.uid = uid
            self._server.relay.owners[uid] = line.client.id
            if piece.event is not None:
                self._take(line, piece, piece.event)
        else:
            self._forge()
        self._busy = False
        if self.transport is not None and not self.transport.is_closing():
            self.transport.resume_reading()
            self._work()

    def _take(self, line: Line, piece: Piece[Message], message: Message) -> None:
        now = self._server.now()
        if message.type == "t-x-c-t":
            line.put(("", protocol.pong(now)))
        elif message.type == "t-x-takp-q":
            agreed = message.version == protocol.VERSION
            line.put(("", protocol.answer(now, agreed)))
            line.protobuf = line.protobuf or agreed
        elif message.uid == "takPong" or message.type.startswith(("t-x-c-", "t-x-takp")):
            return  # of this connection alone
        else:
            try:
                self._server.relay.take(line, message)
            except Forged:
                self._forge()
                return
            if message.uid == line.uid and message.type.startswith("a-"):
                point = (float(message.point["lat"]), float(message.point["lon"]))
                self._server.placed(line.client, kept_line(piece), point)

    def _forge(self) -> None:
        if not self._forged and self.line is not None:  # once: a flood fills no ledger
            self._forged = True
            client = self.line.client.id
            self._server.spawn(self._server.ask(self._server.desk.refused, client, "forged uid"))
        self._refuse()

    def _refuse(self) -> None:
        if self.line is None:
            return
        self.line.refused += 1
        if self.line.refused >= MOST_REFUSED and self.transport is not None:
            log.warning("a TAK client sent too much that is wrong and was cut off")
            self._pieces.clear()
            self.transport.abort()

    def flush(self) -> None:
        """Hand on what waits, as much as the connection takes."""
        line, transport = self.line, self.transport
        if line is None or transport is None or self._paused or transport.is_closing():
            return
        while line.queue and not self._paused:
            transport.write(line.take(A_WRITE))

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self.flush()

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None
        self._pieces.clear()
        self._server.left(self)


def _names_itself(message: Message) -> bool:
    """A client's own position: a friend with a call sign."""
    return message.type.startswith("a-f-") and message.callsign != ""


def _bound(sock: socket.socket | None) -> None:
    """A phone that is out of reach is let go of in a minute."""
    if sock is None:
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", 60), ("TCP_USER_TIMEOUT", _DEAD_MS)):
        if hasattr(socket, name):  # not on every system
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
