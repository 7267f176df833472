"""Feeds over NATS: reports as they are published, and what relays send through JetStream.

Where the server keeps a stream of the subject, it is read from the message after the last one
that was taken in, whose number is kept with the moment itself, in one transaction. So nothing is
lost and nothing doubled, whoever is killed in between. Where it keeps none, what is published
while nobody listens is gone.
"""

from __future__ import annotations

import asyncio
import logging
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cordon.kernel.clock import Clock
from cordon.picture import moments
from cordon.picture.feeding import FIRST_WAIT_S, LONGEST_WAIT_S, MOMENT_BYTES, MOMENT_S
from cordon.picture.feeds.address import Keys, address_of
from cordon.picture.feeds.health import FeedState
from cordon.picture.intake import Place
from cordon.picture.natslink import FEED, FORM, MOMENT, connected

log = logging.getLogger(__name__)

_MOST_MESSAGES = 500  # of one moment
_TRIES = 5
_JETSTREAM_S = 2.0
FROM_NOW = -1  # in place of the number of a message: what was published before is not wanted
Relay = Callable[[str, str], FeedState]


@dataclass(frozen=True, slots=True)
class Message:
    """One message: bytes, headers, its number in the stream or 0, when the server got it (s)."""

    data: bytes
    headers: dict[str, str]
    seq: int
    at: float


class NatsReader(threading.Thread):
    """Reads one subject until it is stopped; comes back by itself, with growing waits.

    Args:
        take: `Intake.take`. relay: gives the feed that a relay read, by its name and form.
        seq: number of the last message of the stream that was taken in, None, or FROM_NOW.
    """

    def __init__(
        self,
        state: FeedState,
        clock: Clock,
        take: Callable[..., None],
        relay: Relay,
        keys: Keys,
        seq: int | None,
    ) -> None:
        super().__init__(name=f"feed-{state.name}", daemon=True)
        self.feed = state
        self._clock = clock
        self._take = take
        self._relay = relay
        self._keys = keys
        self._seq = seq or 0
        self._address = address_of(state.url)
        self._stop_asked = threading.Event()

    def stop(self) -> None:
        """End after the moment at hand."""
        self._stop_asked.set()

    def run(self) -> None:
        wait = FIRST_WAIT_S
        while not self._stop_asked.is_set():
            before = self.feed.received
            try:
                asyncio.run(self._read())
            except Exception as fault:  # whatever it was: the reader must come back
                log.info("a feed over NATS was cut", extra={"feed": self.feed.name}, exc_info=True)
                self.feed.cut(_words(fault))
            if self._stop_asked.is_set():
                break
            wait = FIRST_WAIT_S if self.feed.received > before else wait
            self._stop_asked.wait(wait * random.uniform(0.75, 1.25))  # noqa: S311
            wait = min(wait * 2, LONGEST_WAIT_S)
        self.feed.stop()

    async def _read(self) -> None:
        async with connected(self._address, self._keys) as client:
            stream = await _stream_of(client, self._address.subject)
            if stream is None and self._seq > 0:
                raise ConnectionError("the stream that it was read from is not there")
            self.feed.connect()
            if stream is None:
                await self._listen(client)
            else:
                await self._follow(client, stream)

    async def _follow(self, client: Any, stream: str) -> None:
        """Read a stream from where it was read to."""
        from nats.errors import TimeoutError as Nothing
        from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

        js = client.jetstream()
        info = await js.stream_info(stream)
        if self._seq == FROM_NOW:
            self._seq = info.state.last_seq
        if self._seq > info.state.last_seq:
            self._seq = 0  # another stream of that name: its numbers begin anew
        config = ConsumerConfig(
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=self._seq + 1,
            ack_policy=AckPolicy.NONE,
            inactive_threshold=60.0,
            num_replicas=1,
            mem_storage=True,
        )
        consumer = await js.pull_subscribe(self._address.subject, config=config, stream=stream)
        number = 0
        try:
            while not self._stop_asked.is_set() and client.is_connected:
                try:
                    some = await consumer.fetch(_MOST_MESSAGES, timeout=MOMENT_S)
                except (TimeoutError, Nothing):
                    self.feed.look()
                    continue
                messages = [_message(m) for m in some]
                for each in some:
                    number += 1
                    if each.metadata.sequence.consumer != number:
                        raise ConnectionError("messages of the stream were lost on the way")
                await asyncio.to_thread(self._hand_on, messages)
            if not self._stop_asked.is_set():
                raise ConnectionError("the server closed the connection")
        finally:
            await _quietly(consumer.unsubscribe())

    async def _listen(self, client: Any) -> None:
        """Take what is published while this listens."""
        queue: asyncio.Queue[Message] = asyncio.Queue(maxsize=20_000)

        async def on_message(m: Any) -> None:
            now = self._clock.now().timestamp()
            await queue.put(Message(m.data, dict(m.headers or {}), 0, now))

        subscription = await client.subscribe(self._address.subject, cb=on_message)
        try:
            while not self._stop_asked.is_set() and client.is_connected:
                messages = await _gathered(queue)
                if messages:
                    await asyncio.to_thread(self._hand_on, messages)
                else:
                    self.feed.look()
            if not self._stop_asked.is_set():
                raise ConnectionError("the server closed the connection")
        finally:
            await _quietly(subscription.unsubscribe())

    def _hand_on(self, messages: Sequence[Message]) -> None:
        """Take messages in, in their order; a run of one kind is one moment."""
        run: list[Message] = []
        for message in messages:
            if run and (
                _kind(run[0]) != _kind(message)
                or MOMENT in message.headers
                or sum(len(m.data) for m in run) > MOMENT_BYTES
            ):
                self._moment(run)
                run = []
            run.append(message)
        if run:
            self._moment(run)

    def _moment(self, run: Sequence[Message]) -> None:
        feed, form = _kind(run[0])
        state = self._relay(feed, form) if feed else self.feed
        relayed = MOMENT in run[0].headers
        refused, at = state.refused, run[0].at
        if relayed:
            data, at = run[0].data, _moment_at(run[0])
        else:
            data = b"".join(
                moments.head(m.at, state.id, form) + moments.plain(_line(m.data)) for m in run
            )
        seq = run[-1].seq
        place = Place(self.feed.id, seq) if seq else None
        for number in range(_TRIES):
            try:
                self._take(state, data, at, form=form, place=place, parted=not relayed)
                break
            except Exception:
                if number == _TRIES - 1:
                    raise  # the connection is given up, and the stream read again from here
                log.exception("a moment could not be taken in", extra={"feed": self.feed.name})
                if self._stop_asked.wait(2.0**number):
                    raise
        self._seq = seq or self._seq
        for told in {id(state): state, id(self.feed): self.feed}.values():
            told.heard = self._clock.now()
            told.count(data.count(b"\n"), state.refused - refused if told is state else 0)


def _kind(message: Message) -> tuple[str, str]:
    """The feed that a relay read, or empty, and what is spoken."""
    headers = message.headers
    if form := headers.get(FORM):
        return headers.get(FEED, "")[:80], form if form in ("nmea", "cot", "reports") else "reports"
    first = message.data.lstrip()[:1]
    if first in (b"<", b"\xbf"):
        return "", "cot"
    return "", "reports" if first in (b"{", b"[") else "nmea"


def _line(data: bytes) -> bytes:
    """A message as lines: a JSON value that runs over several becomes one."""
    data = data.strip(b"\r\n")
    if data[:1] in (b"<", b"{", b"["):
        data = data.replace(b"\r", b" ").replace(b"\n", b" ")
    return data + b"\n"


def _moment_at(message: Message) -> float:
    try:
        return float(message.headers[MOMENT])
    except ValueError:
        return message.at


def _message(m: Any) -> Message:
    stamp: datetime = m.metadata.timestamp
    return Message(
        m.data, dict(m.headers or {}), m.metadata.sequence.stream, round(stamp.timestamp(), 3)
    )


async def _gathered(queue: asyncio.Queue[Message]) -> list[Message]:
    """What comes within a moment."""
    messages: list[Message] = []
    end = time.monotonic() + MOMENT_S
    while len(messages) < _MOST_MESSAGES and (left := end - time.monotonic()) > 0:
        try:
            messages.append(await asyncio.wait_for(queue.get(), left))
        except TimeoutError:
            break
    return messages


async def _stream_of(client: Any, subject: str) -> str | None:
    """The stream in which the server keeps a subject, or None where it keeps it in none.

    A server that has just been started may not answer for its streams yet: then this raises, and
    the reader comes again, rather than listen to what it would have kept.
    """
    from nats.js.errors import NotFoundError

    if not client._server_info.get("jetstream"):
        return None
    try:
        name: str = await client.jetstream(timeout=_JETSTREAM_S).find_stream_name_by_subject(
            subject
        )
    except NotFoundError:
        return None
    return name


async def _quietly(what: Any) -> None:
    try:
        await what
    except Exception:  # the connection is gone already
        log.debug("a subscription ended with its connection", exc_info=True)


def _words(fault: Exception) -> str:
    return (str(fault) or type(fault).__name__)[:200]
