"""Behaviours in a process of their own, so that a long pass over many fixes does not take the
interpreter from those who read feeds and serve pages."""

from __future__ import annotations

import logging
import multiprocessing
import os
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress

from cordon.kernel.findings import Finding
from cordon.picture.behaviours import Behaviour, behaviours
from cordon.picture.model import Zone
from cordon.picture.tracks import Tracks

log = logging.getLogger(__name__)

LEAST_FIXES = 300_000  # fewer are looked at sooner than they are sent
_NICE = 5  # the pass may wait for the machine; what comes in may not

Values = Mapping[str, Mapping[str, float]]
Found = tuple[list[Finding], frozenset[str]]
"""Findings, and the kinds of those behaviours that ran to their end."""


def look(
    chosen: Sequence[Behaviour], tracks: Tracks, zones: Sequence[Zone], values: Values
) -> Found:
    """Run behaviours over tracks; one that fails is logged, and the others go on."""
    found: list[Finding] = []
    sound = set()
    for behaviour in chosen:
        name = behaviour.CARD.name
        try:
            found.extend(behaviour.find(tracks, zones, values[name]))
            sound.add(behaviour.CARD.kind)
        except Exception:  # whatever it was: the other behaviours must go on
            log.exception("a live detector failed", extra={"detector": name})
    found.sort(key=lambda f: (f.start, f.kind, f.subjects, f.id))
    return found, frozenset(sound)


class Apart:
    """One such process, begun when it is first needed and again where it has died."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pool: ProcessPoolExecutor | None = None
        self._zones: tuple[Zone, ...] = ()
        self._sent = 0  # number of the zones that the process was sent
        self._number = 1

    def look(
        self, names: Sequence[str], tracks: Tracks, zones: Sequence[Zone], values: Values
    ) -> Found:
        """As `look`, of installed behaviours by name; raises where the process cannot be had."""
        with self._lock:
            if self._pool is None:
                context = multiprocessing.get_context("spawn")
                self._pool = ProcessPoolExecutor(1, mp_context=context, initializer=_begin)
                self._sent = 0
            if tuple(zones) != self._zones:
                self._zones, self._number = tuple(zones), self._number + 1
            told = self._zones if self._sent != self._number else None
            try:
                found = self._pool.submit(
                    _look, list(names), tracks, self._number, told, dict(values)
                ).result()
            except BaseException:
                self._end()
                raise
            self._sent = self._number
            return found

    def close(self) -> None:
        """End the process."""
        pool = self._pool
        if pool is not None:
            # who waits for it is told that it is gone
            for process in list((pool._processes or {}).values()):
                with suppress(OSError):
                    process.kill()
        with self._lock:
            self._end()

    def _end(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None


_HELD: dict[int, tuple[Zone, ...]] = {}


def _begin() -> None:
    with suppress(OSError):
        os.nice(_NICE)


def _look(
    names: list[str], tracks: Tracks, number: int, zones: tuple[Zone, ...] | None, values: Values
) -> Found:
    """In the process: the zones of a number are sent once."""
    if zones is not None:
        _HELD.clear()
        _HELD[number] = zones
    known = {b.CARD.name: b for b in behaviours()}
    return look([known[name] for name in names], tracks, _HELD[number], values)
