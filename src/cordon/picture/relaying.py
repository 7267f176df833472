"""A relay: reads feeds where they are, and sends what it read to a node through JetStream.

What was read is first put into a folder, a moment a file, and stays there until the server has
said that it keeps it. So a killed relay, server or node, and a cut line, lose nothing that was
read; and a moment that is sent again after that is the same one, which the node knows.
"""

from __future__ import annotations

import asyncio
import logging
import random
import re
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from cordon.kernel.clock import SystemClock
from cordon.kernel.ids import new_id
from cordon.kernel.store.files import sweep, written_whole
from cordon.picture.feeding import FIRST_WAIT_S, LONGEST_WAIT_S, FeedReader
from cordon.picture.feeds.address import Address, Keys, address_of
from cordon.picture.feeds.health import FeedState
from cordon.picture.natslink import FEED, FORM, MOMENT, SUBJECT, connected, stream_made

log = logging.getLogger(__name__)

MOST_BYTES = 4 << 30  # that wait to be sent; then the feeds wait too
_IDLE_S = 0.1
_ACK_S = 10.0


class Spool:
    """Moments that wait to be sent, a file each, in the order in which they came."""

    def __init__(self, folder: Path, most: int = MOST_BYTES) -> None:
        self._folder = folder
        self._most = most
        folder.mkdir(parents=True, exist_ok=True)
        sweep(folder.glob(".*.partial"))
        self._size = sum(p.stat().st_size for p in self.waiting())

    def waiting(self) -> list[Path]:
        """The files, the oldest first."""
        return sorted(self._folder.glob("*.moment"))

    @property
    def full(self) -> bool:
        """Whether no more may be put in for now."""
        return self._size >= self._most

    def put(self, feed: str, form: str, at: float, data: bytes) -> None:
        """Put a moment in; it is on the disk once this returns."""
        head = orjson.dumps({"feed": feed, "form": form, "at": at}) + b"\n"
        with (
            written_whole(self._folder / f"{new_id()}.moment") as partial,
            partial.open("wb") as file,
        ):
            file.write(head + data)
        self._size += len(head) + len(data)

    def read(self, path: Path) -> tuple[dict[str, Any], bytes]:
        """What a file holds: feed, form and at, and the bytes of the moment."""
        head, _, data = path.read_bytes().partition(b"\n")
        return orjson.loads(head), data

    def sent(self, path: Path) -> None:
        """A moment is safe elsewhere."""
        size = path.stat().st_size
        path.unlink()
        self._size -= size


class Relay:
    """Reads feeds and sends what it read.

    Args:
        urls: feeds. to: address of a NATS server (its subject is not looked at).
        name: what the feeds are called at the node, before their own address.
    """

    def __init__(
        self, urls: Sequence[str], to: Address, spool: Spool, *, keys: Keys, name: str = ""
    ) -> None:
        self._to, self._spool, self._keys = to, spool, keys
        self._stop = threading.Event()
        clock = SystemClock()
        self.states: list[FeedState] = []
        self._readers: list[FeedReader] = []
        for url in urls:
            address = address_of(url)
            called = " ".join(part for part in (name, address.name) if part)[:80]
            state = FeedState(url, called, url, form=address.form)
            self.states.append(state)
            self._readers.append(FeedReader(state, clock, self._take, keys))
        self._sender = threading.Thread(target=self._send, name="relay", daemon=True)
        self.sent = 0
        self.error = ""

    def start(self) -> None:
        """Begin to read and to send."""
        self._sender.start()
        for reader in self._readers:
            reader.start()

    def stop(self) -> None:
        """End; what was not sent is sent at the next start."""
        for reader in self._readers:
            reader.stop()
        for reader in self._readers:
            reader.join(timeout=10)
        self._stop.set()
        self._sender.join(timeout=30)

    def _take(self, feed: FeedState, data: bytes, at: float) -> None:
        while self._spool.full and not self._stop.wait(_IDLE_S):
            feed.error = "what waits to be sent fills its folder"
        self._spool.put(feed.name, feed.form, round(at, 3), data)
        feed.kept += data.count(b"\n")

    def _send(self) -> None:
        wait = FIRST_WAIT_S
        while not self._stop.is_set():
            before = self.sent
            try:
                asyncio.run(self._publish())
            except Exception as fault:  # whatever it was: the relay must come back
                log.info("the relay was cut off", exc_info=True)
                self.error = (str(fault) or type(fault).__name__)[:200]
            wait = FIRST_WAIT_S if self.sent > before else wait
            self._stop.wait(wait * random.uniform(0.75, 1.25))  # noqa: S311
            wait = min(wait * 2, LONGEST_WAIT_S)

    async def _publish(self) -> None:
        async with connected(self._to, self._keys) as client:
            await stream_made(client)
            js = client.jetstream()
            self.error = ""
            last = time.monotonic()
            while client.is_connected:
                waiting = self._spool.waiting()
                for path in waiting:
                    await self._one(js, path)
                if not waiting:
                    if self._stop.is_set():
                        return
                    await asyncio.sleep(_IDLE_S)
                elif self._stop.is_set() and time.monotonic() - last > _ACK_S:
                    return
        raise ConnectionError("the server closed the connection")

    async def _one(self, js: Any, path: Path) -> None:
        head, data = self._spool.read(path)
        await js.publish(
            f"{SUBJECT}.{_word(head['feed'])}",
            data,
            timeout=_ACK_S,
            headers={
                "Nats-Msg-Id": path.stem,
                FEED: head["feed"],
                FORM: head["form"],
                MOMENT: str(head["at"]),
            },
        )
        self._spool.sent(path)
        self.sent += 1


def _word(name: str) -> str:
    """A feed's name as one word of a subject."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-") or "feed"
