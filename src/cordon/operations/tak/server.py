"""The TAK server: a thread with a loop of its own, so that pages and phones never wait for
each other."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

from cordon.kernel.errors import WrongSetting
from cordon.operations.tak.base import TakClient
from cordon.operations.tak.desk import TakDesk
from cordon.operations.tak.markers import Markers
from cordon.operations.tak.relay import Line, Relay
from cordon.operations.tak.session import Session
from cordon.operations.tak.tracks import Latest, Tracks

log = logging.getLogger(__name__)
P = ParamSpec("P")
T = TypeVar("T")

SWEEP_S = 5.0  # between looks for certificates that were revoked
LOOK_S = 1.0  # between looks for alerts and taskings, where nobody told of any
LEAST_S = 0.1  # between two looks at the least: a node with busy feeds commits often
TRACKS_S = 2.0  # between looks for where the subjects of alerts are
PLACES_S = 1.0  # between moments of positions that are handed on
MOST_SESSIONS = 2_000
_FLUSH_S = 0.004  # messages that come within it are written together
_HANDSHAKE_S = 10.0
_MOST_PLACES = 50_000  # lines that wait while the picture takes none

Places = Callable[[bytes, float], None]
"""Takes lines of a kept moment, and when it began (s since the epoch)."""


class TakServer:
    """Serves the clients of a desk.

    Args:
        bind: address to listen on. port: 0 takes a free one.
        places: where clients' own positions go. latest: where the picture heard a subject last.
    """

    def __init__(
        self,
        desk: TakDesk,
        bind: str,
        port: int,
        places: Places,
        latest: Latest = lambda _subject: None,
    ) -> None:
        self.desk = desk
        self.relay = Relay(self.now)
        self.port = port
        self._bind = bind
        self._places = places
        self._tracks = Tracks(desk, latest)
        self._sessions: set[Session] = set()
        self._by_line: dict[Line, Session] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._waiting: list[bytes] = []
        self._units: dict[str, tuple[float, float]] = {}
        self._flushing: asyncio.TimerHandle | None = None
        self._pause = _FLUSH_S
        self._pool = ThreadPoolExecutor(4, thread_name_prefix="tak")
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._news: asyncio.Event | None = None  # this process wrote something
        self._ready = threading.Event()
        self._failed: OSError | None = None

    # running

    def start(self) -> None:
        """Listen; returns once it does.

        Raises:
            WrongSetting: it cannot listen there, or its keys cannot be used.
        """
        self._context = self.desk.keys.server_context(self.desk.host, self.desk.kernel.clock.now())
        self._thread = threading.Thread(target=self._run, name="tak", daemon=True)
        self._thread.start()
        self._ready.wait(timeout=30)
        self.desk.kernel.dispatcher.listen(self._hurry)
        if self._failed is not None:
            raise WrongSetting(
                f"The TAK server cannot listen on port {self.port}: {self._failed.strerror}.",
                advice="Set tak_server_port to a free one.",
            )

    def stop(self) -> None:
        """Close every connection and end the thread."""
        if self._loop is not None and self._stop is not None and self._loop.is_running():
            self._loop.call_soon_threadsafe(self._stop.set)
        if self._thread is not None:
            self._thread.join(timeout=10)
        self._pool.shutdown(wait=True)

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except Exception:
            log.exception("the TAK server failed")
        finally:
            self._ready.set()

    async def _main(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._news = asyncio.Event()
        try:
            server = await self._loop.create_server(
                lambda: Session(self), self._bind, self.port, ssl=self._context, backlog=512,
                ssl_handshake_timeout=_HANDSHAKE_S,
            )  # fmt: skip
        except OSError as wrong:
            self._failed = wrong
            return
        self.port = server.sockets[0].getsockname()[1]
        self.relay.owners = await self.ask(self.desk.owners)
        self._every(SWEEP_S, self._sweep)
        self.spawn(self._look(self._news))
        self._every(PLACES_S, self._hand_on)
        self._every(TRACKS_S, self._tell_tracks)
        self._ready.set()
        await self._stop.wait()
        server.close()
        for task in self._tasks:
            task.cancel()
        for session in list(self._sessions):
            if session.transport is not None:
                session.transport.abort()
        await self._hand_on()
        await asyncio.sleep(0)

    def _every(self, seconds: float, act: Callable[[], Coroutine[Any, Any, None]]) -> None:
        async def go_on() -> None:
            while True:
                try:
                    await act()
                except Exception:  # whatever it was, it is done again
                    log.exception("a turn of the TAK server failed")
                await asyncio.sleep(seconds)

        self.spawn(go_on())

    def spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        """Let something run on the loop."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def ask(self, act: Callable[P, T], *given: P.args, **_: P.kwargs) -> T:
        """Do what waits for the database in a thread of its own."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, act, *given)

    def now(self) -> float:
        """The node's time (s since the epoch)."""
        return self.desk.kernel.clock.now().timestamp()

    # clients

    def room_for(self, session: Session) -> bool:
        """Whether one more connection can be taken."""
        if len(self._sessions) >= MOST_SESSIONS:
            log.warning("the TAK server has as many connections as it takes")
            return False
        self._sessions.add(session)
        return True

    def joined(self, session: Session, line: Line) -> None:
        """A client is admitted; an older connection of the same one is the dead one."""
        older = self.relay.lines.get(line.client.id)
        self.relay.join(line)
        self._by_line[line] = session
        if older is not None and older in self._by_line:
            self._cut(self._by_line[older])
        self.desk.online[line.client.id] = line.callsign

    def left(self, session: Session) -> None:
        """A connection has ended."""
        self._sessions.discard(session)
        if session.line is not None and self._by_line.pop(session.line, None) is not None:
            self.relay.leave(session.line)
            if session.line.client.id not in self.relay.lines:
                self.desk.online.pop(session.line.client.id, None)
            self.wake()

    @staticmethod
    def _cut(session: Session) -> None:
        if session.transport is not None:
            session.transport.abort()

    def placed(self, client: TakClient, line: bytes, point: tuple[float, float]) -> None:
        """A client told where it is."""
        if len(self._waiting) < _MOST_PLACES:
            self._waiting.append(line)
        if client.unit is not None:
            self._units[client.unit] = point

    # in turn

    def wake(self) -> None:
        """Something waits to be written: soon, together with what comes until then."""
        if self._flushing is None and self._loop is not None:
            self._flushing = self._loop.call_later(self._pause, self._flush)

    def _flush(self) -> None:
        self._flushing = None
        begun = time.perf_counter()
        slow: list[Session] = []
        for line, session in self._by_line.items():
            if line.full:
                slow.append(session)
            elif line.queue:
                session.flush()
        for session in slow:  # it alone is put off; it may join again
            log.warning("a TAK client is too slow and was put off")
            self._cut(session)
        # under load it rests as long as it writes, so that more is written together
        self._pause = max(_FLUSH_S, min(0.25, time.perf_counter() - begun))

    async def _sweep(self) -> None:
        self.relay.age()
        gone = await self.ask(self.desk.gone, set(self.relay.lines))
        for client in gone:
            line = self.relay.lines.get(client)
            if line is not None and line in self._by_line:
                log.info("a TAK client was thrown out")
                self._cut(self._by_line[line])
            self.relay.gone(client)
        # added to: a name that was bound meanwhile must not be forgotten until the next turn
        self.relay.owners.update(await self.ask(self.desk.owners))
        self.desk.online.update({i: line.callsign for i, line in self.relay.lines.items()})
        self.wake()

    def _hurry(self) -> None:
        """Look for alerts and taskings now: something was written. Called from any thread."""
        if self._loop is not None and self._news is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                self._loop.call_soon_threadsafe(self._news.set)

    async def _look(self, news: asyncio.Event) -> None:
        """Tell of alerts and taskings as soon as something happened to one, and each second."""
        markers, looked = Markers(self.desk), 0.0
        while True:
            news.clear()
            begun = time.perf_counter()
            try:
                if await self.ask(markers.heard) or begun - looked >= LOOK_S:
                    looked = begun
                    changed, ended = await self.ask(markers.look)
                    if changed or ended:
                        self.relay.tell(changed, ended)
                        self.wake()
            except Exception:  # whatever it was, it is done again
                log.exception("a look for alerts and taskings failed")
            # it rests as long as it worked, so that pages and phones have their turn
            await asyncio.sleep(max(LEAST_S, time.perf_counter() - begun))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(news.wait(), LOOK_S)

    async def _tell_tracks(self) -> None:
        changed, ended = await self.ask(self._tracks.look)
        if changed or ended:
            self.relay.tell(changed, ended)
            self.wake()

    async def _hand_on(self) -> None:
        lines, self._waiting = self._waiting, []
        units, self._units = self._units, {}
        if lines:
            await self.ask(self._places, b"".join(lines), self.now())
        if units:
            await self.ask(self.desk.place_units, units)
