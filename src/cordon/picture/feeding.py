"""Live feeds: a reader for each, which reconnects by itself and never holds up another.

What a feed sends is kept first, a moment at a time, as a file by content; then it is decoded,
shown and handed to the detectors. So every position on the map can be followed to the bytes
it came in, and a crash loses nothing that was ever shown.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

from cordon.kernel.clock import Clock
from cordon.kernel.errors import BadInput

log = logging.getLogger(__name__)

MOMENT_S = 1.0  # seconds of a feed that are kept as one file, at most
MOMENT_BYTES = 1 << 20
LONGEST_LINE = 4096  # bytes; a sender without newlines must not fill the memory
SILENT_S = 30.0  # seconds without a line after which a feed counts as silent
REFUSED_LINES = 20  # refused in a row: what the sender sends is something else
FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 60.0

Take = Callable[["FeedState", bytes, float], None]


@dataclass
class FeedState:
    """How a feed is doing, for its page and for what is kept of it.

    Attributes:
        state: connecting, live, silent, refused (what it sends is not AIS) or stopped.
        heard: by the node's clock (UTC) when a line last came.
        rate: lines a second over the last ten seconds.
        error: why it is not connected, or empty.
    """

    id: str
    name: str
    url: str
    state: str = "connecting"
    heard: datetime | None = None
    received: int = 0
    kept: int = 0
    repeated: int = 0
    refused: int = 0
    last_reason: str = ""
    error: str = ""
    recent: list[tuple[float, int]] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Lines a second over the last ten seconds."""
        now = time.monotonic()
        return sum(n for t, n in self.recent if now - t < 10) / 10

    def count(self, lines: int) -> None:
        """Note lines that just came."""
        now = time.monotonic()
        self.received += lines
        self.recent = [(t, n) for t, n in self.recent if now - t < 10] + [(now, lines)]


def check_url(url: str) -> tuple[str, int]:
    """Host and port of `nmea+tcp://host:port`; BadInput names what is wrong."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if url.partition("://")[0] != "nmea+tcp" or not host or not port:
        raise BadInput(f"“{url[:60]}” is not a feed.", advice="Write nmea+tcp://host:port.")
    return host, port


class FeedReader(threading.Thread):
    """Reads one TCP feed of NMEA sentences until it is stopped.

    Args:
        state: what is shown of it. take: given the bytes of a moment and when it began
            (seconds since the epoch by the node's clock).
    """

    def __init__(self, state: FeedState, clock: Clock, take: Take) -> None:
        super().__init__(name=f"feed-{state.name}", daemon=True)
        self.feed = state
        self._clock = clock
        self._take = take
        self._stop_asked = threading.Event()
        self._refused_lines = 0  # in a row
        self._address = check_url(state.url)

    def stop(self) -> None:
        """End after the moment at hand."""
        self._stop_asked.set()

    def run(self) -> None:
        wait = FIRST_WAIT_S
        while not self._stop_asked.is_set():
            try:
                with socket.create_connection(self._address, timeout=10) as connection:
                    connection.settimeout(0.25)
                    self.feed.state, self.feed.error = "live", ""
                    before = self.feed.received
                    self._read(connection)
                    wait = FIRST_WAIT_S if self.feed.received > before else wait
                    self.feed.error = "the sender closed the connection"
            except OSError as fault:
                self.feed.error = fault.strerror or type(fault).__name__
            except Exception:
                # a fault in taking the moment in: the bytes are kept, or were never shown
                log.exception(
                    "a feed's moment could not be taken in", extra={"feed": self.feed.name}
                )
                self.feed.error = "the node could not take in what came; its log has it"
            if self._stop_asked.is_set():
                break
            self.feed.state = "connecting"
            self._stop_asked.wait(wait)
            wait = min(wait * 2, LONGEST_WAIT_S)
        self.feed.state = "stopped"

    def _read(self, connection: socket.socket) -> None:
        held, began, heard = bytearray(), time.monotonic(), time.monotonic()
        at = self._clock.now().timestamp()
        while not self._stop_asked.is_set():
            try:
                got = connection.recv(65536)
                if not got:
                    break
                if not held:
                    at = self._clock.now().timestamp()
                held += got
                heard = time.monotonic()
                if self.feed.state == "silent":
                    self.feed.state = "live"
            except TimeoutError:
                if time.monotonic() - heard > SILENT_S:
                    self.feed.state = "silent"
            if len(held) > MOMENT_BYTES or time.monotonic() - began >= MOMENT_S:
                held = self._whole_lines(held, at)
                began = time.monotonic()
        self._whole_lines(held + (b"\n" if held and not held.endswith(b"\n") else b""), at)

    def _whole_lines(self, held: bytearray, at: float) -> bytearray:
        """Hand on what ends in a newline; return the rest, cut where no line is that long."""
        end = held.rfind(b"\n") + 1
        if end:
            whole, refused = bytes(held[:end]), self.feed.refused
            lines = whole.count(b"\n")
            self.feed.count(lines)
            self.feed.heard = self._clock.now()
            self._take(self.feed, whole, at)
            all_refused = self.feed.refused - refused >= lines
            self._refused_lines = self._refused_lines + lines if all_refused else 0
            self.feed.state = "refused" if self._refused_lines >= REFUSED_LINES else "live"
        rest = held[end:]
        if len(rest) > LONGEST_LINE:
            self.feed.refused += 1
            self.feed.last_reason = "a line without an end"
            rest.clear()
        return rest
