"""A stream of Cursor on Target taken apart into events, with bounded memory.

XML events follow one another with anything between them; TAK protocol version 1 begins each
message with 0xBF and its length, or in a datagram with 0xBF, the version and 0xBF again. Both
may come on one connection: a server that was asked changes from one to the other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from cordon.picture.feeds.cot import (
    MOST_BYTES,
    Event,
    NotSomewhere,
    Unfinished,
    WrongEvent,
    of_protobuf,
    of_xml,
)
from cordon.picture.feeds.wire import WrongWire, varint

T = TypeVar("T")

MAGIC = 0xBF
_BEGIN = re.compile(rb"<event(?=[\s/>])|<!DOCTYPE|<!ENTITY|<!--|(?<!\xef\xbb)\xbf")
_BOM = b"\xef\xbb\xbf"
_END = re.compile(rb"</event\s*>")
_LONGEST_TOKEN = 16  # bytes kept between events, of what may be the begin of one
_LONGEST_TAG = 4096
_MOST_ENDS = 4  # ends that it may seem to have, in comments and the like, before it is given up
_CUT = "the event is cut short"
_TOO_LARGE = f"the event has more than {MOST_BYTES >> 20} MB"


@dataclass(frozen=True, slots=True)
class Piece(Generic[T]):
    """One event of a stream.

    Attributes:
        data: its bytes; empty where it was too large to be held. protobuf: of TAK protocol 1.
        event: what it tells; None where it tells of nothing that is somewhere, or is refused.
        wrong: why it is refused, or empty. line: on which line of the stream it begins, from 1.
    """

    data: bytes
    protobuf: bool
    event: T | None
    wrong: str
    line: int


class EventStream(Generic[T]):
    """Takes bytes as they come, gives events; holds one event at most.

    Args:
        read: what one event's bytes tell, and whether they are TAK protocol 1; raises
            WrongEvent where it is refused, and NotSomewhere where it is passed over.
    """

    def __init__(self, read: Callable[[bytes, bool], T]) -> None:
        self._read = read
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._held = bytearray()
        self._line = 1
        self._until: bytes | None = None  # what ends the thing that is passed over
        self._skip = 0  # bytes of a message that is too large
        self._tried = 0  # ends of the event at hand that were no end
        self._sought = 0  # bytes of it in which none is left
        self._open = False  # it has content

    @property
    def held(self) -> int:
        """Bytes held."""
        return len(self._held)

    def feed(self, data: bytes) -> list[Piece[T]]:
        """Take bytes, in pieces of any size; return the events that are whole by then."""
        found: list[Piece[T]] = []
        # so that what is held stays bounded also where a caller gives a whole file at once
        for at in range(0, len(data), MOST_BYTES):
            self._held += data[at : at + MOST_BYTES]
            found += self._pieces()
        return found

    def datagram(self, data: bytes) -> list[Piece[T]]:
        """The events of one datagram: XML, or one message of TAK protocol version 1."""
        if data[:1] == bytes((MAGIC,)):
            try:
                _version, at = varint(data, 1)
                if data[at] == MAGIC:
                    return [self._piece(data[at + 1 :], 1, protobuf=True)]
            except (WrongWire, IndexError):
                pass
        return [*self.feed(data), *self.end()]

    def end(self) -> list[Piece[T]]:
        """The stream has ended: what is left of an event is refused."""
        whole = bytes(self._held)
        found: list[Piece[T]] = []
        if self._until is None and (_BEGIN.match(whole) or self._skip):
            found.append(Piece(whole, False, None, _CUT, self._line))
        self._begin_anew()
        return found

    def _pieces(self) -> Iterator[Piece[T]]:
        while True:
            if self._skip:
                gone = min(self._skip, len(self._held))
                self._skip -= gone
                self._drop(gone)
                if self._skip:
                    return
            if self._until is not None:
                at = self._held.find(self._until)
                if at < 0:
                    self._drop(max(0, len(self._held) - len(self._until)))
                    return
                self._drop(at + len(self._until))
                self._until = None
            begin = _BEGIN.search(self._held)
            if begin is None:
                self._held = self._held.replace(_BOM, b"   ")  # half of one were a message's begin
                self._drop(max(0, len(self._held) - _LONGEST_TOKEN))
                return
            token = bytes(begin.group())
            self._drop(begin.start())
            piece = self._next(token)
            if piece is None:
                return
            if piece.wrong or piece.data or piece.event:
                yield piece

    def _next(self, token: bytes) -> Piece[T] | None:
        """What begins with this token; None where more of it must come first."""
        if token == b"<!--":
            self._drop(4)
            self._until = b"-->"
            return Piece(b"", False, None, "", self._line)
        if token.startswith(b"<!"):
            return self._declaration()
        if token[0] == MAGIC:
            return self._message()
        return self._xml()

    def _declaration(self) -> Piece[T] | None:
        close, inner = self._held.find(b">"), self._held.find(b"[")
        if close < 0 and inner < 0 and len(self._held) < 1024:
            return None
        line = self._line
        self._drop(2)
        self._until = b"]>" if inner >= 0 and (inner < close or close < 0) else b">"
        return Piece(b"", False, None, "document types and entities are not taken", line)

    def _message(self) -> Piece[T] | None:
        line = self._line
        try:
            length, at = varint(self._held, 1)
        except IndexError:
            return None
        except WrongWire:
            self._drop(1)
            return Piece(b"", True, None, "the message is not TAK protocol version 1", line)
        if length > MOST_BYTES:
            self._skip = at + length
            return Piece(b"", True, None, _TOO_LARGE, line)
        if len(self._held) < at + length:
            return None
        data = bytes(self._held[at : at + length])
        self._drop(at + length)
        return self._piece(data, line, protobuf=True)

    def _xml(self) -> Piece[T] | None:
        line = self._line
        if not self._open:
            if single := self._single():
                self._forget(single)
                return Piece(b"", False, None, "the event has no point", line)
            if not self._open:  # where its first tag ends is not known yet
                return None
        while (end := _END.search(self._held, self._sought)) is not None:
            data = bytes(self._held[: end.end()])
            piece = self._piece(data, line)
            again = data.find(b"<event", 6)
            if piece.wrong and again > 0:  # a sender that began anew in the middle
                self._forget(again)
                return Piece(data[:again], False, None, _CUT, line)
            self._tried += 1
            self._sought = end.end()
            if piece.wrong != _CUT or self._tried >= _MOST_ENDS:
                self._forget(end.end())
                return piece
        self._sought = max(self._sought, len(self._held) - _LONGEST_TOKEN)
        if len(self._held) > MOST_BYTES:
            self._forget(6)
            self._until = b"</event>"
            return Piece(b"", False, None, _TOO_LARGE, line)
        return None

    def _single(self) -> int:
        """Where an event without content ends, or 0 where it is none or more must come first.

        No value of an attribute holds "<" (XML 1.0, 2.3), so that one ends a tag that is cut.
        """
        quote = 0
        for at, byte in enumerate(self._held[:_LONGEST_TAG]):
            if byte == 60 and at:  # <
                self._open = True
                return 0
            if quote:
                quote = 0 if byte == quote else quote
            elif byte in b"\"'":
                quote = byte
            elif byte == 62:  # >
                self._open = self._held[at - 1] != 47
                return 0 if self._open else at + 1
        self._open = len(self._held) >= _LONGEST_TAG
        return 0

    def _forget(self, count: int) -> None:
        self._tried = self._sought = 0
        self._open = False
        self._drop(count)

    def _drop(self, count: int) -> None:
        self._line += self._held.count(b"\n", 0, count)
        del self._held[:count]

    def _piece(self, data: bytes, line: int, *, protobuf: bool = False) -> Piece[T]:
        try:
            event = self._read(data, protobuf)
        except NotSomewhere:
            return Piece(data, protobuf, None, "", line)
        except Unfinished:
            return Piece(data, protobuf, None, _CUT, line)
        except WrongEvent as wrong:
            return Piece(data, protobuf, None, str(wrong), line)
        return Piece(data, protobuf, event, "", line)


class CotStream(EventStream[Event]):
    """A stream whose events tell where things are."""

    def __init__(self) -> None:
        super().__init__(_somewhere)


def _somewhere(data: bytes, protobuf: bool) -> Event:
    return of_protobuf(data) if protobuf else of_xml(data)
