"""Signs of life as positions come in, over a rolling window: what a live node reckons from."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from cordon.picture.cover.signs import (
    MINUTE,
    Columns,
    Fixes,
    Heard,
    Signs,
    Ways,
    by_minute,
    gleaned,
    joined,
    thinned,
)
from cordon.picture.live import AHEAD
from cordon.picture.tracks import Batch, Ints

_CHUNKS = 4_096  # batches that wait to be joined, at most; a look joins them
_AHEAD_S = AHEAD.total_seconds()
_MOST_FIXES = 1_000_000  # places of others, by which reach is learned; 40 MB


class _Held(NamedTuple):
    """What is held of some batches, in codes of its own names."""

    names: tuple[str, ...]
    subjects: tuple[str, ...]
    files: tuple[str, ...]
    heard: Heard
    fixes: Fixes
    ways: Ways


class Listening:
    """Takes batches from any thread; gives the signs of its window.

    Memory: 40 bytes a source and minute, 48 a place in ten minutes of each craft that a source
    hears, up to a million of these, and the reports of our own units.

    Args:
        window_s: how far back. started: s since the epoch; before it nothing was listened to but
            what was stored.
    """

    def __init__(self, window_s: float, started: float) -> None:
        self.started = started
        self._window = window_s
        self._lock = threading.Lock()
        self._joining = threading.Lock()  # apart: who takes batches must not wait for a sort
        self._chunks: list[_Held] = []

    def take(self, batch: Batch) -> None:
        """Take a batch; what it holds from outside the window falls out at the next look."""
        if not len(batch):
            return
        held = _of_batch(batch)
        with self._lock:
            self._chunks.append(held)
            if len(self._chunks) > _CHUNKS:  # nobody looks
                self._chunks = [_join(self._chunks)]

    def signs(self, now: float) -> Signs:
        """What was heard within the window up to now (s since the epoch)."""
        with self._joining:
            with self._lock:
                chunks, self._chunks = self._chunks, []
            held = _since(_join(chunks), now - self._window, now + _AHEAD_S)
            with self._lock:
                self._chunks.insert(0, held)
        whole = _clipped(held, now)
        first = whole.heard.first
        begin = min(float(first.min()) if len(first) else now, self.started, now - MINUTE)
        made = joined(
            whole.names, whole.subjects, whole.files, max(begin, now - self._window), now,
            whole.heard, whole.fixes, whole.ways,
        )  # fmt: skip
        return made.with_blind(((self._last_before(whole), self.started),))

    def _last_before(self, whole: _Held) -> float:
        """When the node last heard anything before it was started anew."""
        early = whole.heard.last[whole.heard.last < self.started]
        return float(early.max()) if len(early) else self.started


def _clipped(held: _Held, now: float) -> _Held:
    """What was told from ahead of the node's clock, as heard now: a wrong clock is no silence."""
    heard, fixes, ways = held.heard, held.fixes, held.ways
    return held._replace(
        heard=heard._replace(first=np.minimum(heard.first, now), last=np.minimum(heard.last, now)),
        fixes=fixes._replace(t=np.minimum(fixes.t, now)),
        ways=ways._replace(t=np.minimum(ways.t, now)),
    )


def _of_batch(batch: Batch) -> _Held:
    trips = [s for s in batch.subjects if s.startswith("sensor:")]
    code = {name: len(batch.sources) + i for i, name in enumerate(trips)}
    trip_of = np.array([code.get(s, -1) for s in batch.subjects], dtype=np.int64)
    columns = Columns(
        batch.subjects, batch.sources, batch.subject, batch.source, batch.t, batch.lat, batch.lon,
        batch.kind, np.zeros(len(batch), dtype=np.int64), batch.row,
    )  # fmt: skip
    heard, fixes, ways = gleaned(columns, trip_of)
    names = (*batch.sources, *trips)
    return _Held(names, tuple(batch.subjects), (batch.sha256,), heard, fixes, ways)


def _join(chunks: Sequence[_Held]) -> _Held:
    """Several as one, each row once, under names that are still used."""
    names: dict[str, int] = {}
    subjects: dict[str, int] = {}
    files: dict[str, int] = {}
    heard, fixes, ways = [], [], []
    for chunk in chunks:
        h, f, w = chunk.heard, chunk.fixes, chunk.ways
        sign = _recoded(names, chunk.names, np.concatenate((h.sign, f.sign)))
        subject = _recoded(subjects, chunk.subjects, np.concatenate((f.subject, w.unit)))
        file = _recoded(files, chunk.files, np.concatenate((h.file, w.file)))
        n, m, k = len(h.sign), len(f.subject), len(h.file)
        heard.append(h._replace(sign=sign[:n], file=file[:k]))
        fixes.append(f._replace(sign=sign[n:], subject=subject[:m]))
        ways.append(w._replace(unit=subject[m:], file=file[k:]))
    whole_ways = Ways._make(_stacked(ways, 7))
    order = np.lexsort((whole_ways.t, whole_ways.unit))
    return _Held(
        tuple(names),
        tuple(subjects),
        tuple(files),
        by_minute(Heard._make(_stacked(heard, 5))),
        thinned(Fixes._make(_stacked(fixes, 6))),
        Ways._make(column[order] for column in whole_ways),
    )


def _stacked(parts: Sequence[Sequence[np.ndarray]], width: int) -> list[np.ndarray]:
    if not parts:
        return [np.empty(0, dtype=np.int64) for _ in range(width)]
    return [np.concatenate([part[i] for part in parts]) for i in range(width)]


def _recoded(known: dict[str, int], names: Sequence[str], codes: Ints) -> Ints:
    """Codes of one list of names as codes of all; only names that are used are taken over."""
    used = np.unique(codes)
    to = np.zeros(len(names), dtype=np.int64)
    for code in used.tolist():
        to[code] = known.setdefault(names[code], len(known))
    return to[codes] if len(codes) else codes


def _since(held: _Held, begin: float, end: float) -> _Held:
    """What lies within a window; of too many places the oldest give way."""
    heard, fixes, ways = held.heard, held.fixes, held.ways
    some = (heard.last >= begin) & (heard.first <= end)
    near = (fixes.t >= begin) & (fixes.t <= end)
    if int(near.sum()) > _MOST_FIXES:
        near &= fixes.t >= np.partition(fixes.t[near], -_MOST_FIXES)[-_MOST_FIXES]
    ours = (ways.t >= begin) & (ways.t <= end)
    return held._replace(
        heard=Heard._make(column[some] for column in heard),
        fixes=Fixes._make(column[near] for column in fixes),
        ways=Ways._make(column[ours] for column in ways),
    )
