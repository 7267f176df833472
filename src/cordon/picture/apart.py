"""Behaviours in a process of their own, so that a long pass over many fixes does not take the
interpreter from those who read feeds and serve pages."""

from __future__ import annotations

import logging
import multiprocessing
import os
import pickle
import signal
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from cordon.kernel.findings import Finding
from cordon.picture.behaviours import Behaviour, behaviours
from cordon.picture.model import Zone
from cordon.picture.tracks import Tracks

log = logging.getLogger(__name__)

LEAST_FIXES = 300_000  # fewer are looked at sooner than they are sent
_NICE = 10  # the pass may wait for the machine; what comes in may not

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
    """One such process, begun when it is first needed and again where it has died.

    Columns go to it as they stand, not pickled: copying hundreds of megabytes into one message
    would hold the interpreter, and with it every feed, for as long as that takes.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: BaseProcess | None = None
        self._pipe: Connection[Any, Any] | None = None
        self._zones: tuple[Zone, ...] | None = None  # as the process has them

    def look(
        self, names: Sequence[str], tracks: Tracks, zones: Sequence[Zone], values: Values
    ) -> Found:
        """As `look`, of installed behaviours by name; raises where the process cannot be had."""
        with self._lock:
            try:
                pipe = self._pipe or self._begin()
                told = None if self._zones == tuple(zones) else tuple(zones)
                # what was worked out of the tracks here is worked out there anew
                _send(pipe, (list(names), replace(tracks), told, dict(values)))
                self._zones = tuple(zones)
                found, fault = pipe.recv()
            except BaseException:
                self._end()
                raise
            if fault:
                raise RuntimeError(f"the process of the behaviours failed: {fault}")
            answer: Found = found
            return answer

    def _begin(self) -> Connection[Any, Any]:
        context = multiprocessing.get_context("spawn")
        self._pipe, other = context.Pipe()
        self._zones = None
        process = context.Process(target=_serve, args=(other,), name="behaviours", daemon=True)
        process.start()
        self._process = process
        other.close()  # so that its end is told where the process dies
        return self._pipe

    def close(self) -> None:
        """End the process."""
        process = self._process
        if process is not None:
            with suppress(OSError):
                process.kill()  # who waits for it is told that it is gone
        with self._lock:
            self._end()

    def _end(self) -> None:
        if self._pipe is not None:
            self._pipe.close()
        if self._process is not None:
            self._process.kill()
            self._process.join(timeout=5)
        self._pipe = self._process = None


def _send(pipe: Connection[Any, Any], thing: object) -> None:
    """Send a thing, the buffers of its arrays after it."""
    buffers: list[pickle.PickleBuffer] = []
    told = pickle.dumps(thing, protocol=5, buffer_callback=buffers.append)
    raw = [b.raw() for b in buffers]
    pipe.send((told, [part.nbytes for part in raw]))
    for part in raw:
        if part.nbytes:
            pipe.send_bytes(part)


def _receive(pipe: Connection[Any, Any]) -> Any:
    told, sizes = pipe.recv()
    buffers = []
    for size in sizes:
        buffer = bytearray(size)
        if size:
            pipe.recv_bytes_into(buffer)
        buffers.append(buffer)
    return pickle.loads(told, buffers=buffers)  # noqa: S301 - its own parent's


def _serve(pipe: Connection[Any, Any]) -> None:
    """In the process: look at what comes until the other end is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # its parent ends it
    with suppress(OSError):
        os.nice(_NICE)
    known = {b.CARD.name: b for b in behaviours()}
    zones: tuple[Zone, ...] = ()
    while True:
        try:
            names, tracks, told, values = _receive(pipe)
        except (EOFError, OSError):
            return
        zones = zones if told is None else told
        try:
            answer: tuple[Found | None, str] = (
                look([known[name] for name in names], tracks, zones, values),
                "",
            )
        except Exception as fault:  # whatever it was: who waits must be told
            log.exception("a pass failed")
            answer = None, type(fault).__name__
        del tracks  # before the next ones come
        pipe.send(answer)
