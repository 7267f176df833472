"""What a sender sends, as the whole lines in which a moment of a feed is kept."""

from __future__ import annotations

from typing import Protocol

from cordon.picture.feeds.cot import Event
from cordon.picture.feeds.cotreader import kept_line
from cordon.picture.feeds.cotstream import CotStream, Piece

LONGEST_LINE = 4096  # bytes of NMEA; a sender without newlines must not fill the memory


class Framing(Protocol):
    """Takes bytes, gives whole lines with their newlines."""

    refused: int
    reason: str

    def feed(self, data: bytes) -> bytes:
        """Take a piece of a stream; return the lines that are whole by then."""
        ...

    def datagram(self, data: bytes) -> bytes:
        """The lines of one datagram."""
        ...

    def end(self) -> bytes:
        """The stream has ended: what is left of it."""
        ...


class Lines:
    """Lines of NMEA 0183.

    Attributes:
        refused: what could not be made a line, and why the last one, since they were read.
    """

    def __init__(self) -> None:
        self._held = b""
        self._refusing = False  # the rest of a line that was refused
        self.refused = 0
        self.reason = ""

    def feed(self, data: bytes) -> bytes:
        """See Framing."""
        if self._refusing:
            _, ended, data = data.partition(b"\n")
            self._refusing = not ended
        end = data.rfind(b"\n") + 1
        whole, rest = (self._held + data[:end], data[end:]) if end else (b"", self._held + data)
        if len(rest) > LONGEST_LINE:
            self.refused += 1
            self.reason = "a line without an end"
            rest, self._refusing = b"", True
        self._held = rest
        return whole

    def datagram(self, data: bytes) -> bytes:
        """See Framing."""
        return data if not data or data.endswith(b"\n") else data + b"\n"

    def end(self) -> bytes:
        """See Framing: a last line without its newline is whole all the same."""
        whole, self._held, self._refusing = self._held, b"", False
        return whole + b"\n" if whole else b""


class Events:
    """Events of Cursor on Target, one a line."""

    def __init__(self) -> None:
        self._stream = CotStream()
        self.refused = 0
        self.reason = ""

    def feed(self, data: bytes) -> bytes:
        """See Framing."""
        return self._lines(self._stream.feed(data))

    def datagram(self, data: bytes) -> bytes:
        """See Framing."""
        return self._lines(self._stream.datagram(data))

    def end(self) -> bytes:
        """See Framing."""
        return self._lines(self._stream.end())

    def _lines(self, pieces: list[Piece[Event]]) -> bytes:
        for piece in pieces:
            if piece.wrong and not piece.data:  # too large to be held: it stands in no line
                self.refused += 1
                self.reason = piece.wrong
        return b"".join(map(kept_line, pieces))


def framing_of(form: str) -> Framing:
    """How what is spoken is taken apart; `form` as in `address.FORMS`."""
    return Events() if form == "cot" else Lines()
