"""Live feeds: a reader for each, which reconnects by itself and never holds up another.

What a feed sends is kept first, a moment at a time, as a file by content; then it is decoded,
shown and handed to the detectors. So every position on the map can be followed to the bytes
it came in, and a crash loses nothing that was ever shown.
"""

from __future__ import annotations

import logging
import math
import random
import threading
import time
from typing import Protocol

from cordon.kernel.clock import Clock
from cordon.picture.feeds.address import Keys, address_of
from cordon.picture.feeds.framing import framing_of
from cordon.picture.feeds.health import FeedState
from cordon.picture.feeds.transport import chunks

__all__ = ["FeedReader", "FeedState", "Take"]

log = logging.getLogger(__name__)

MOMENT_S = 0.25  # seconds between two moments of a feed, at least; each is kept as one file
GATHER_S = 0.05  # so long is waited for what comes together with the first of a moment
MOMENT_BYTES = 1 << 20
FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 60.0
_TRIES = 5  # to take a moment in, before it is given up


class Take(Protocol):
    """What a reader hands the moments of a feed to."""

    def __call__(self, feed: FeedState, data: bytes, at: float) -> None:
        """Take whole lines; once it returns they are safe.

        Args:
            at: when the moment began (seconds since the epoch by the node's clock).
        """
        ...


class FeedReader(threading.Thread):
    """Reads one feed until it is stopped.

    Args:
        state: what is shown of it. take: given each moment. keys: for what is secured.
    """

    def __init__(self, state: FeedState, clock: Clock, take: Take, keys: Keys = Keys()) -> None:
        super().__init__(name=f"feed-{state.name}", daemon=True)
        self.feed = state
        self._clock = clock
        self._take = take
        self._keys = keys
        self._stop_asked = threading.Event()
        self._address = address_of(state.url)
        state.form = self._address.form

    def stop(self) -> None:
        """End after the moment at hand."""
        self._stop_asked.set()

    def run(self) -> None:
        wait = FIRST_WAIT_S
        while not self._stop_asked.is_set():
            before = self.feed.received
            try:
                self._read()
            except OSError as fault:
                self.feed.cut(str(fault.strerror or fault or type(fault).__name__)[:200])
            except Exception:
                # whatever it was: the reader must come back, and the bytes at hand are few
                log.exception("a feed's reader failed", extra={"feed": self.feed.name})
                self.feed.cut("the reader failed; the node's log has it")
            if self._stop_asked.is_set():
                break
            wait = FIRST_WAIT_S if self.feed.received > before else wait
            # not all at once, after a sender that many read comes back
            self._stop_asked.wait(wait * random.uniform(0.75, 1.25))  # noqa: S311
            wait = min(wait * 2, LONGEST_WAIT_S)
        self.feed.stop()

    def _read(self) -> None:
        """Read until the sender closes or the reader is stopped; hand on what is whole."""
        framing = framing_of(self._address.form)
        datagrams = self._address.scheme.endswith("+udp")
        split = framing.datagram if datagrams else framing.feed
        held: list[bytes] = []
        size, began, closed, at = 0, 0.0, -math.inf, 0.0
        try:
            for some in chunks(self._address, self._keys, self._stop_asked):
                if not self.feed.connected:
                    self.feed.connect()
                for piece in some:
                    if lines := split(piece):
                        if not held:
                            began, at = time.monotonic(), self._clock.now().timestamp()
                        held.append(lines)
                        size += len(lines)
                if framing.refused:
                    self.feed.refuse(framing.reason, framing.refused)
                    framing.refused = 0
                now = time.monotonic()
                # what came while the last moment was taken in has waited already
                due = now >= max(closed + MOMENT_S, began + GATHER_S)
                if held and (due or size > MOMENT_BYTES):
                    closed = now
                    self._hand_on(b"".join(held), at)
                    held, size = [], 0
                elif not held:
                    self.feed.look()
        finally:
            held.append(framing.end())
            if last := b"".join(held):
                self._hand_on(last, at or self._clock.now().timestamp())

    def _hand_on(self, whole: bytes, at: float) -> None:
        """Hand on a moment; where it cannot be taken in, try again, so that none is lost."""
        refused, lines = self.feed.refused, whole.count(b"\n")
        self.feed.heard = self._clock.now()
        for number in range(_TRIES):
            try:
                self._take(self.feed, whole, at)
            except Exception:
                log.exception(
                    "a feed's moment could not be taken in", extra={"feed": self.feed.name}
                )
                self.feed.error = "the node could not take in what came; its log has it"
                if self._stop_asked.wait(2.0**number):
                    break
            else:
                self.feed.error = ""
                self.feed.count(lines, self.feed.refused - refused)
                return
        self.feed.refuse("the node could not take it in", lines)
        self.feed.count(lines, lines)
