"""Positions of Cursor on Target: from a file or stream as it is, or from a kept moment's lines.

A moment of a feed is kept one event a line: XML with its line breaks as spaces, and a message of
TAK protocol version 1 as `tak1` and base64.
"""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from typing import IO, Any

from cordon.picture.feeds.cot import (
    MOST_BYTES,
    Event,
    NotSomewhere,
    WrongEvent,
    of_protobuf,
    of_xml,
)
from cordon.picture.feeds.cotstream import CotStream, Piece
from cordon.picture.feeds.rows import Rows
from cordon.picture.feeds.source import CUT, ROWS_A_BATCH, Cut, blocks_of, chunks_of
from cordon.picture.model import Static
from cordon.picture.tracks import Batch

_TAK1 = b"tak1 "


class CotDecoder(Rows):
    """Gathers events; a row is an event's line."""

    source = "cot"

    def feed_block(self, data: bytes, first: int = 1, received: float | None = None) -> int:
        """Take the lines of a kept moment; nothing in them raises.

        Returns:
            how many lines they were.
        """
        lines = data.split(b"\n")
        for row, line in enumerate(lines, first):
            if (line := line.strip()) and not line.startswith(b"#"):
                self._line(row, line)
        return len(lines) - (not lines[-1])

    def _line(self, row: int, line: bytes) -> None:
        self.counts.read += 1
        if len(line) > 2 * MOST_BYTES:
            self.refuse(row, "the line is too long")
            return
        try:
            if line.startswith(_TAK1):
                event = of_protobuf(b64decode(line[len(_TAK1) :], validate=True))
            else:
                event = of_xml(line)
        except NotSomewhere:
            self._passes()
        except WrongEvent as wrong:
            self.refuse(row, str(wrong))
        except binascii.Error:
            self.refuse(row, "the message is not TAK protocol version 1")
        else:
            self._take(row, event)

    def pieces(self, some: Iterable[Piece[Event]]) -> None:
        """Take events as a stream gave them."""
        for piece in some:
            self.counts.read += 1
            if piece.wrong:
                self.refuse(piece.line, piece.wrong)
            elif piece.event is None:
                self._passes()
            else:
                self._take(piece.line, piece.event)

    def _passes(self) -> None:
        self.counts.messages += 1
        self.counts.passed_over += 1

    def _take(self, row: int, event: Event) -> None:
        self.counts.messages += 1
        taken = self.put(
            row,
            event.subject,
            self.source,
            event.t,
            event.lat,
            event.lon,
            speed=event.speed,
            course=event.course,
            accuracy=event.error,
            kind=event.kind,
        )
        if taken and event.name:
            self.says(event.subject, Static(name=event.name), event.t)


def kept_line(piece: Piece[Any]) -> bytes:
    """An event of a stream as it is kept, with its newline; empty where it was not held."""
    if not piece.data:
        return b""
    if piece.protobuf:
        return _TAK1 + b64encode(piece.data) + b"\n"
    return piece.data.replace(b"\r", b" ").replace(b"\n", b" ") + b"\n"


def read_cot(file: IO[bytes], g: CotDecoder, *, kept: bool) -> Iterator[Batch]:
    """Batches of a file of events.

    Args:
        kept: its lines are a kept moment's; else it is what a sender sent, as it came.
    """
    if kept:
        row = 1
        try:
            for block in blocks_of(file, 2 * MOST_BYTES):
                row += g.feed_block(block, row)
                if len(g) >= ROWS_A_BATCH:
                    yield g.take()
        except Cut:
            g.breaks_off(row - 1, CUT)
    else:
        stream = CotStream()
        try:
            for chunk in chunks_of(file):
                g.pieces(stream.feed(chunk))
                if len(g) >= ROWS_A_BATCH:
                    yield g.take()
        except Cut:
            g.breaks_off(g.counts.read, CUT)
        g.pieces(stream.end())
    yield g.take()


def looks_like_cot(head: bytes) -> bool:
    """True where a file's first bytes are XML, or a message of TAK protocol version 1."""
    head = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    return looks_like_kept_cot(head) or head[:1] in (b"\xbf", b"<")


def looks_like_kept_cot(head: bytes) -> bool:
    """True where a file is a kept moment of events."""
    if head.startswith(b"#"):
        head = head.partition(b"\n")[2]
        return head.startswith((b"<event", b"<?xml", _TAK1))
    return head.startswith(_TAK1)
