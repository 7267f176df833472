"""The node's clock, which tests and exercises can set. All times are aware and in UTC."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

from cordon.kernel.errors import BadInput


class Clock(Protocol):
    """Where every part of the node reads the time."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock, never stepping back within one process.

    When the machine's clock jumps back, the time stands still until it has caught up, so
    that the order of what was recorded stays the order in which it happened. `jumped`
    holds the largest step back seen.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._latest = datetime.fromtimestamp(0, UTC)
        self.jumped = timedelta(0)

    def now(self) -> datetime:
        now = datetime.fromtimestamp(time.time(), UTC)
        with self._lock:
            if now < self._latest:
                self.jumped = max(self.jumped, self._latest - now)
                return self._latest
            self._latest = now
            return now


class SetClock:
    """A clock that stands where it was put, and runs at `rate` seconds a second.

    Args:
        start: where it begins, aware.
        rate: 0 stands still; 60 plays an hour in a minute.
        beside: the clock of whoever stands beside the node, where this one is played; None where
            all go by this one.
    """

    def __init__(self, start: datetime, rate: float = 0.0, beside: Clock | None = None) -> None:
        self.beside = beside
        self._set(start, rate)

    def _set(self, start: datetime, rate: float) -> None:
        self._start = as_utc(start)
        self._rate = rate
        self._origin = time.monotonic()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=(time.monotonic() - self._origin) * self._rate)

    def advance(self, by: timedelta) -> None:
        """Step forward (or back, where a test wants a clock that jumps)."""
        self._set(self.now() + by, self._rate)

    def set(self, to: datetime, rate: float | None = None) -> None:
        """Go to a moment, and from there at a rate."""
        self._set(to, self._rate if rate is None else rate)

    @property
    def rate(self) -> float:
        """Seconds of it in a second."""
        return self._rate


def beside(clock: Clock) -> datetime:
    """What a clock beside the node shows when it is right: the node's own time, unless that is
    played. Clocks of others (phones) are held against this one."""
    other = clock.beside if isinstance(clock, SetClock) else None
    return clock.now() if other is None else other.now()


def played(clock: Clock, moment: datetime) -> datetime:
    """The node's time at the moment at which a right clock beside it shows `moment`."""
    if not isinstance(clock, SetClock) or clock.beside is None:
        return moment
    return clock.now() + (moment - clock.beside.now()) * clock.rate


def unplayed(clock: Clock, moment: datetime) -> datetime:
    """What a right clock beside the node shows at a moment of the node's time."""
    if not isinstance(clock, SetClock) or clock.beside is None:
        return moment
    gone = (clock.now() - moment) / clock.rate if clock.rate else timedelta(0)
    return clock.beside.now() - gone


def as_utc(moment: datetime) -> datetime:
    """The same moment in UTC; a naive one is refused, because nobody can tell what it means."""
    if moment.tzinfo is None:
        raise BadInput(f"{moment.isoformat()} names no time zone.", advice="Write it with Z.")
    return moment.astimezone(UTC)


def parse_time(text: str) -> datetime:
    """Read RFC 3339 text (`2026-01-17T08:30:00Z`) into an aware UTC datetime."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise BadInput(
            f"“{text[:40]}” is not a time.", advice="Write it like 2026-01-17T08:30:00Z."
        ) from None
    return as_utc(moment)


def format_time(moment: datetime) -> str:
    """RFC 3339 in UTC, with fractions only where there are any."""
    text = as_utc(moment).isoformat()
    return text.replace("+00:00", "Z")
