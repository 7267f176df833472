"""Playing what no AIS sentence holds: radar tracks, sensors' trips, patrols, as files of moments.

A table of positions stands in the order in which its rows came in. They go to the node as small
files, each when its time has come, on the way of any file that is brought in.
"""

from __future__ import annotations

import csv
import io
import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from cordon.kernel.clock import Clock, format_time, parse_time
from cordon.kernel.errors import BadInput, CordonError

log = logging.getLogger(__name__)

LEAST_S = 30.0  # of the node's time that a piece holds at least: each is a job of its own
LEAST_WALL_S = 3.0  # and so long by the wall, where the node's clock runs fast
_DAY = timedelta(days=1)

Row = tuple[datetime, list[str]]
"""When a row is due, and its fields."""


class Pace:
    """The time that a log has come to, by the times of its rows: it never goes back.

    One source's clock may be wrong by minutes. So where there are several sources the row that
    lies ahead of all others does not count until another has come as far.
    """

    def __init__(self) -> None:
        self._latest: dict[str, datetime] = {}
        self._at: datetime | None = None

    def heard(self, source: str, at: datetime) -> datetime:
        """Take a row's time; returns when it is due."""
        now = self._at or at
        if not -_DAY < at - now < _DAY:  # a broken stamp
            return now
        known = self._latest.get(source)
        self._latest[source] = at if known is None else max(known, at)
        ahead = sorted(self._latest.values())[-2:]
        self._at = max(now, ahead[0])
        return self._at


def header_of(path: Path) -> list[str]:
    """The names of a table's columns; nothing where there is no such file."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as lines:
        return next(csv.reader(lines), [])


def read_rows(path: Path, by: timedelta, *, beside_ais: bool) -> Iterator[Row]:
    """The rows of a table of positions, in its order, each when it is due, moved by a time.

    Args:
        beside_ais: leave out what a log of AIS sentences holds (`mmsi:`).
    """
    pace = Pace()
    with path.open(encoding="utf-8", newline="") as lines:
        rows = csv.reader(lines)
        header = next(rows, [])
        at, source, subject = (header.index(c) for c in ("at", "source", "subject"))
        due: datetime | None = None
        for row in rows:
            if beside_ais and row[subject].startswith("mmsi:"):
                continue
            try:
                moment = parse_time(row[at])
            except BadInput:  # real tables have such rows, and importers refuse them
                pass
            else:
                due = pace.heard(row[source], moment)
                row[at] = format_time(moment + by)
            if due is not None:
                yield due + by, row


def as_table(header: list[str], rows: Iterable[list[str]]) -> io.BytesIO:
    """Rows as the bytes of a CSV file."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(header)
    table.writerows(rows)
    return io.BytesIO(text.getvalue().encode())


class Pieces(threading.Thread):
    """Brings rows in when their time has come.

    Args:
        rows: by due time, moved to the node's own. bring: takes a file and its name. name: of
            the exercise, for the files.
    """

    def __init__(
        self,
        header: list[str],
        rows: Iterator[Row],
        clock: Clock,
        bring: Callable[[BinaryIO, str], object],
        name: str,
    ) -> None:
        super().__init__(name="exercise-rows", daemon=True)
        self._header, self._rows, self._clock = header, rows, clock
        self._bring, self._name = bring, name
        self._stop_asked = threading.Event()
        self.sent = 0
        self.ended = threading.Event()

    def past(self, now: datetime) -> io.BytesIO | None:
        """Everything that is due already, as one file; None where nothing is."""
        some: list[list[str]] = []
        for due, row in self._rows:
            if due > now:
                self._rows = chain([(due, row)], self._rows)
                break
            some.append(row)
        return as_table(self._header, some) if some else None

    def stop(self) -> None:
        """Bring no more."""
        self._stop_asked.set()

    def run(self) -> None:
        held: list[list[str]] = []
        number = 0
        begun, wall = self._clock.now(), time.monotonic()
        waiting = next(self._rows, None)
        while not self._stop_asked.is_set():
            now = self._clock.now()
            while waiting is not None and waiting[0] <= now:
                held.append(waiting[1])
                waiting = next(self._rows, None)
            enough = (now - begun).total_seconds() >= LEAST_S
            if held and (waiting is None or (enough and time.monotonic() - wall >= LEAST_WALL_S)):
                number += 1
                self._bring_in(held, number)
                self.sent += len(held)
                held, begun, wall = [], now, time.monotonic()
            if waiting is None:
                break
            self._stop_asked.wait(0.2)
        self.ended.set()

    def _bring_in(self, rows: list[list[str]], number: int) -> None:
        try:
            self._bring(as_table(self._header, rows), f"{self._name}-{number}.csv")
        except CordonError:  # the node would not take this one; the next may pass
            log.exception("rows of an exercise were not taken in")
