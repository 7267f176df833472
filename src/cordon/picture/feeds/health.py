"""How a feed is doing: live, late, silent or garbled, by its own usual rhythm."""

from __future__ import annotations

import statistics
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

SILENT_S = 30.0  # without anything, while its usual rhythm is not known; and at least
LATE_S = 10.0  # at least
LATE_TIMES, SILENT_TIMES = 3.0, 10.0  # times its usual longest pause
_LEAST_PAUSES = 8  # before a rhythm is known
_KEPT_PAUSES = 200
_KEPT_ERRORS = 50
GARBLED_SHARE = 0.5  # of what came lately and was refused
_LEAST_LINES = 20  # lines before a share says anything
_LATELY_S = 60.0
_RATE_S = 10.0
_MOST_REASONS = 30  # different ones that are counted


@dataclass
class FeedState:
    """How a feed is doing, for its page and for what is kept of it.

    Attributes:
        state: connecting, live, late, silent, garbled or stopped; see `look`.
        heard: by the node's clock (UTC) when something last came.
        received: lines. kept, repeated, refused: reports, as decoders count them.
        impossible: reports that no craft could follow from the one before it; they are kept.
        old: reports from before the live window; they are stored and not shown.
        reasons: refused reports by reason. last_reason: of the last one.
        clock_error: seconds that the reports' own times run ahead of the node's clock, their
            median; None where they carry none.
        error: why it is not connected, or empty.
        form: what it speaks: nmea, cot or reports.
        connected: whether it is; a feed that is only written to is.
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
    impossible: int = 0
    old: int = 0
    last_reason: str = ""
    error: str = ""
    form: str = "nmea"
    connected: bool = False
    clock_error: float | None = None
    reasons: Counter[str] = field(default_factory=Counter)
    recent: deque[tuple[float, int, int]] = field(default_factory=deque)
    _pauses: deque[float] = field(default_factory=lambda: deque(maxlen=_KEPT_PAUSES))
    _errors: deque[float] = field(default_factory=lambda: deque(maxlen=_KEPT_ERRORS))
    _last: float | None = None
    _begun: float = 0.0

    @property
    def rate(self) -> float:
        """Lines a second over the last ten seconds."""
        now = time.monotonic()
        return sum(lines for t, lines, _ in tuple(self.recent) if now - t < _RATE_S) / _RATE_S

    @property
    def usual_s(self) -> float | None:
        """Its usual longest pause (s): 19 in 20 are shorter; None while it is not known."""
        pauses = sorted(self._pauses)
        return pauses[int(0.95 * (len(pauses) - 1))] if len(pauses) >= _LEAST_PAUSES else None

    def connect(self) -> None:
        """It is connected."""
        self.connected, self.error = True, ""
        self._begun = time.monotonic()
        self.look()

    def cut(self, why: str) -> None:
        """It is connected no longer."""
        self.connected, self.error = False, why
        self._last = None  # the pause is the connection's, not the sender's
        self.look()

    def stop(self) -> None:
        """It will not be connected any more."""
        self.connected, self.state = False, "stopped"

    def count(self, lines: int, refused: int = 0) -> None:
        """Note lines that just came, and how many of them were refused."""
        now = time.monotonic()
        if self._last is not None:
            self._pauses.append(now - self._last)
        self._last = now
        self.received += lines
        self.recent.append((now, lines, refused))
        while self.recent and now - self.recent[0][0] > _LATELY_S:
            self.recent.popleft()
        self.look()

    def refuse(self, reason: str, times: int = 1) -> None:
        """Count refused reports."""
        self.refused += times
        self.last_reason = reason
        if reason in self.reasons or len(self.reasons) < _MOST_REASONS:
            self.reasons[reason] += times
        else:
            self.reasons["other reasons"] += times

    def times(self, ahead: Sequence[float]) -> None:
        """Note by how much (s) reports that just came ran ahead of the node's clock."""
        if len(ahead):
            self._errors.append(float(statistics.median(ahead)))
            self.clock_error = statistics.median(self._errors)

    def look(self) -> str:
        """Set the state by what came lately, and return it.

        Late is one whose pause is some times its usual longest, silent one whose pause is many
        times that; garbled one of which half of what came in the last minute was refused.
        """
        if self.state != "stopped":
            self.state = self._state(time.monotonic())
        return self.state

    def _state(self, now: float) -> str:
        if not self.connected:
            return "connecting"
        lines = sum(n for t, n, _ in self.recent if now - t <= _LATELY_S)
        refused = sum(n for t, _, n in self.recent if now - t <= _LATELY_S)
        usual = self.usual_s
        since = now - (self._last if self._last is not None else self._begun)
        if since > max(SILENT_S, SILENT_TIMES * (usual or 0.0)):
            return "silent"
        if lines >= _LEAST_LINES and refused >= GARBLED_SHARE * lines:
            return "garbled"
        if usual is not None and since > max(LATE_S, LATE_TIMES * usual):
            return "late"
        return "live"
