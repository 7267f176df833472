"""Tells whoever waits in an event loop that the picture has changed."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_EARLY, _LATE = 0.8, 2.0  # of the time between two frames


class Arrivals:
    """Wakes the pages that show the picture; `tell` may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._heard: dict[asyncio.Event, asyncio.AbstractEventLoop] = {}

    def tell(self) -> None:
        """Something was taken."""
        with self._lock:
            for heard, loop in self._heard.items():
                with suppress(RuntimeError):  # that loop has ended
                    loop.call_soon_threadsafe(heard.set)

    @contextmanager
    def heard(self) -> Iterator[asyncio.Event]:
        """An event of the running loop that is set whenever something was taken."""
        heard = asyncio.Event()
        with self._lock:
            self._heard[heard] = asyncio.get_running_loop()
        try:
            yield heard
        finally:
            with self._lock:
                del self._heard[heard]


async def next_frame(heard: asyncio.Event, every_s: float) -> None:
    """Wait about `every_s`: until something comes after nearly so long, and twice that at most.

    Feeds are taken in by moments. A frame that follows one at once shows it half a frame's time
    sooner than one that comes by the clock, and there are no more of them.
    """
    await asyncio.sleep(_EARLY * every_s)
    heard.clear()
    with suppress(TimeoutError):
        await asyncio.wait_for(heard.wait(), (_LATE - _EARLY) * every_s)
