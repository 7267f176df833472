"""A stream of Cursor on Target taken apart into events, with bounded memory.

XML events follow one another with anything between them; TAK protocol version 1 begins each
message with 0xBF and its length, or in a datagram with 0xBF, the version and 0xBF again. Both
may come on one connection: a server that was asked changes from one to the other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
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
_EVENT = re.compile(rb"<event(?=[\s/>])")
_WITHIN = re.compile(rb"</event\s*>|<event(?=[\s/>])|<!--|<!\[CDATA\[")
_COMMENT = b"-->"
_QUOTES = {  # what ends a part of an event that may quote others, or shows that it has no end
    b"<!--": re.compile(rb"-->|<!--"),
    b"<![CDATA[": re.compile(rb"\]\]>"),
}
_PASSED_OVER = {  # what ends a thing that is passed over, or shows that it has no end
    _COMMENT: re.compile(rb"-->|<!--|<event(?=[\s/>])|</event(?=[\s>])|(?<![\x80-\xff])\xbf"),
    b"]>": re.compile(rb"\]>|<event(?=[\s/>])"),
    b">": re.compile(rb">|<event(?=[\s/>])"),
}
_MOST_PASSED = 64 << 10  # bytes of a comment or document type
_DECLARED = re.compile(rb"[>\[]|<event(?=[\s/>])")
_LONGEST_TOKEN = 16  # bytes kept between events, of what may be the begin of one
_LONGEST_TAG = 4096
_MOST_ENDS = 4  # ends that it may seem to have before it is given up
_MOST_QUOTED = 4  # events that a comment in an event may quote; with more it has no end
_CUT = "the event is cut short"
_NO_END = "a comment that does not end before the next event or within 64 kB"
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
        self._until: bytes | None = None  # what ends the comment or declaration passed over
        self._passed = 0  # bytes of it that are held no more
        self._names_event = False  # what is held of it begins with "<event"
        self._large = False  # an event that is too large is passed over
        self._quoted: bytes | None = None  # the next event may stand in what this ends
        self._doubted: Piece[T] | None = None  # an event that may have stood in it
        self._skip = 0  # bytes of a message that is too large
        self._tried = 0  # ends of the event at hand that were no end
        self._sought = 0  # bytes of it in which none is left
        self._open = False  # it has content
        self._again = 0  # where another begins in it, unless it is quoted there
        self._ended = False  # no more comes

    @property
    def held(self) -> int:
        """Bytes held."""
        return len(self._held) + (len(self._doubted.data) if self._doubted else 0)

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
        self._ended = True
        found = list(self._pieces())
        whole = bytes(self._held)
        found += [self._doubted] if self._doubted else []
        if self._until == _COMMENT:
            found.append(Piece(b"", False, None, _NO_END, self._line))
        elif self._until is None and not self._large and (self._skip or _BEGIN.match(whole)):
            found.append(Piece(whole, False, None, _CUT, self._line))
        self._begin_anew()
        return found

    def _pieces(self) -> Iterator[Piece[T]]:
        while True:
            if not self._past():
                return
            if self._until is not None:
                wrong = self._pass_over(self._until)
                if wrong is None:
                    return
                if wrong:
                    yield Piece(b"", False, None, wrong, self._line)
            begin = _BEGIN.search(self._held)
            if (real := self._settled(begin)) is not None:
                yield real
            if begin is None:
                self._held = self._held.replace(_BOM, b"   ")  # half of one were a message's begin
                self._drop(max(0, len(self._held) - _LONGEST_TOKEN))
                return
            token = bytes(begin.group())
            self._drop(begin.start())
            piece = self._next(token)
            if piece is None:
                return
            if self._quoted and token == b"<event":
                self._doubted = piece
            elif piece.wrong or piece.data or piece.event:
                yield piece

    def _past(self) -> bool:
        """Drop what is too large to be held; False where its end did not come yet."""
        gone = min(self._skip, len(self._held))
        self._skip -= gone
        self._drop(gone)
        if self._large:
            end = _END.search(self._held)
            self._drop(end.end() if end else max(0, len(self._held) - _LONGEST_TOKEN))
            self._large = end is None
        return not (self._skip or self._large)

    def _pass_over(self, end: bytes) -> str | None:
        """Pass over a comment or declaration; None where more of it must come first.

        One without an end must not take the rest of the stream with it. So it is given up after
        some bytes; a declaration where an event begins; and a comment, which may well name one,
        where a whole event stands in it, another comment begins behind the event's begin, or a
        message of TAK protocol version 1 that can be read.

        Returns:
            what is wrong with it, or empty; a declaration is refused already.
        """
        while True:
            left = _MOST_PASSED - self._passed
            found, sure = self._telling(end, left)
            if found is None or found.start() > left:
                if len(self._held) >= left + _LONGEST_TOKEN:
                    return self._give_up(end, 0 if self._names_event else left)
                if self._names_event:
                    self._sought = max(self._sought, sure)
                else:
                    self._goes_by(sure)
                return None
            if found.group() == end:
                self._goes_by(found.end())
                self._begin_between()
                return ""
            begins, message = found.group() == b"<event", found.group()[0] == MAGIC
            if message or (self._names_event and not begins):
                return self._give_up(end, found.start() if message else 0)
            if begins and not self._names_event:
                self._goes_by(found.start())
                if end != _COMMENT:
                    return self._give_up(end, 0)
                self._names_event, self._sought = True, len(b"<event")
            elif begins:
                self._sought = found.end()
            else:
                self._goes_by(found.end())

    def _telling(self, end: bytes, left: int) -> tuple[re.Match[bytes] | None, int]:
        """What ends the thing that is passed over, or shows that it has no end, or None; and up
        to where nothing of the like stands.

        A byte that may begin a message tells nothing but where the message can be read.
        """
        at = self._sought
        while (found := _PASSED_OVER[end].search(self._held, at)) is not None:
            if found.group()[0] != MAGIC or found.start() > left:
                return found, found.start()
            message = self._is_message(found.start(), left - found.start())
            if message is None:
                return None, found.start()
            if message:
                return found, found.start()
            at = found.end()
        return None, max(0, len(self._held) - _LONGEST_TOKEN)

    def _is_message(self, at: int, most: int) -> bool | None:
        """Whether a message of TAK protocol version 1 begins there and can be read; None where
        more of it must come first.

        Args:
            most: bytes that it may have.
        """
        try:
            length, begin = varint(self._held, at + 1)
        except IndexError:
            return False if self._ended else None
        except WrongWire:
            return False
        data = bytes(self._held[begin : begin + length])
        if not 0 < length <= most or _COMMENT in data:
            return False
        if len(data) < length and not self._ended:
            return None
        try:
            self._read(data, True)
        except (WrongEvent, NotSomewhere):  # nearly anything may seem to tell of nothing
            return False
        return len(data) == length

    def _goes_by(self, count: int) -> None:
        self._passed += count
        self._drop(count)

    def _give_up(self, end: bytes, count: int) -> str:
        self._drop(count)
        self._begin_between()
        begin = _BEGIN.match(self._held)
        self._quoted = end if begin and begin.group()[0] != MAGIC else None
        return _NO_END if end == _COMMENT else ""

    def _begin_between(self) -> None:
        self._until, self._passed, self._names_event, self._sought = None, 0, False, 0

    def _settled(self, begin: re.Match[bytes] | None) -> Piece[T] | None:
        """An event after what was given up, once it shows that it was not quoted there.

        It was where the end of what was given up comes before anything else begins.

        Args:
            begin: of the next thing; None where it did not come yet.
        """
        doubted, end = self._doubted, self._quoted
        if doubted is None or end is None:
            return None
        stood_in_it = self._held.find(end, 0, begin.start() if begin else len(self._held)) >= 0
        if begin is None and not stood_in_it:
            return None
        self._doubted = self._quoted = None
        return None if stood_in_it else doubted

    def _next(self, token: bytes) -> Piece[T] | None:
        """What begins with this token; None where more of it must come first."""
        if token == b"<!--":
            self._drop(4)
            self._until = _COMMENT
            return Piece(b"", False, None, "", self._line)
        if token.startswith(b"<!"):
            return self._declaration()
        if token[0] == MAGIC:
            return self._message()
        return self._xml()

    def _declaration(self) -> Piece[T] | None:
        # within a fixed part, so that it does not matter how the stream was cut
        found = _DECLARED.search(self._held, 0, 1024)
        if found is None and len(self._held) < 1024:
            return None
        line = self._line
        self._drop(2)
        self._until = b"]>" if found is not None and found.group() == b"[" else b">"
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
        while (end := self._end_within()) is not None:
            data = bytes(self._held[: end.end()])
            piece = self._piece(data, line)
            again = self._again
            if piece.wrong and again > 0:  # a sender that began anew in the middle
                self._forget(again)
                return Piece(data[:again], False, None, _CUT, line)
            self._tried += 1
            self._sought = end.end()
            if piece.wrong != _CUT or self._tried >= _MOST_ENDS:
                self._forget(end.end())
                return piece
        if len(self._held) > MOST_BYTES:
            self._forget(6)
            self._large = True
            return Piece(b"", False, None, _TOO_LARGE, line)
        return None

    def _end_within(self) -> re.Match[bytes] | None:
        """The next end of the event at hand, or None where more of it must come first.

        What a comment or CDATA section in it quotes is no end of it, and no other event.
        """
        while (found := _WITHIN.search(self._held, self._sought)) is not None:
            if found.group().startswith(b"</"):
                return found
            if found.group() == b"<event":
                self._again = self._again or found.start()
                self._sought = found.end()
                continue
            past = self._past_quote(found)
            if past is None:
                self._sought = found.start()
                return None
            self._sought = past
        self._sought = max(self._sought, len(self._held) - _LONGEST_TOKEN)
        return None

    def _past_quote(self, begin: re.Match[bytes]) -> int | None:
        """Where to look on behind a comment or CDATA section: behind its end, or, where it has
        none within some bytes and events, within it; None where more must come first."""
        at = begin.end()
        most = at + _MOST_PASSED
        close = _QUOTES[bytes(begin.group())].search(self._held, at, most)
        stop = close.start() if close else min(len(self._held), most)
        named = sum(1 for _ in islice(_EVENT.finditer(self._held, at, stop), _MOST_QUOTED))
        if named == _MOST_QUOTED or (close and close.group() == b"<!--"):
            return at
        if close:
            return close.end()
        return None if len(self._held) < most and not self._ended else at

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
        self._tried = self._sought = self._again = 0
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
