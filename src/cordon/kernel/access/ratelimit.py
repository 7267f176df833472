"""Rate limits: one token bucket a key, in bounded memory."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from datetime import datetime

from cordon.kernel.clock import Clock
from cordon.kernel.errors import TooMany


class RateLimit:
    """Lets `per_minute` requests of each key pass, evenly, and bursts of up to `burst`.

    Args:
        burst: requests that may come at once; `per_minute` where it is None.
        most_keys: buckets kept; past it the one not used for longest is forgotten, which at
            worst gives its key a full bucket again.
    """

    def __init__(
        self, clock: Clock, *, per_minute: float, burst: int | None = None, most_keys: int = 10_000
    ) -> None:
        self._clock = clock
        self._per_s = per_minute / 60
        self._burst = float(burst if burst is not None else max(1, math.ceil(per_minute)))
        self._most = most_keys
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, tuple[float, datetime]] = OrderedDict()

    def wait(self, key: str) -> float:
        """Take one from the key's bucket; 0 where it passes, else seconds until one will."""
        now = self._clock.now()
        with self._lock:
            left, at = self._buckets.pop(key, (self._burst, now))
            # a clock that was set back must not take anything away
            left = min(self._burst, left + max(0.0, (now - at).total_seconds()) * self._per_s)
            passes = left >= 1
            self._buckets[key] = (left - 1 if passes else left, now)
            if len(self._buckets) > self._most:
                self._buckets.popitem(last=False)
        return 0.0 if passes else (1 - left) / self._per_s

    def take(self, key: str) -> None:
        """As `wait`, raising TooMany."""
        seconds = self.wait(key)
        if seconds:
            raise TooMany(
                "Too many requests came from here.",
                advice=f"Try again in {math.ceil(seconds)} s.",
            )
