"""The picture as it is now: the latest of each subject, as frames for the map.

What is known of a subject stands in columns, a row each, so that a moment of many reports and
a frame of many subjects each cost a few passes over arrays.
"""

from __future__ import annotations

import struct
import threading
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cordon.kernel.findings import RecordRef
from cordon.picture.model import KINDS, Position, Static
from cordon.picture.tracks import Batch, Bools, Floats, Ints

MAGIC = 0x50444E43  # “CNDP” as little-endian bytes
VERSION = 1
HEADER = struct.Struct("<IHHIIIId")
NO_U16 = 0xFFFF
FLAG_NEW_NAME = 1  # its name is new since the asked-for sequence number
FLAG_STILL = 2  # slower than half a knot
FLAG_FOUND = 4  # a finding speaks of it

AHEAD = timedelta(minutes=5)
"""How far a report's clock may run ahead of the node's."""

Box = tuple[float, float, float, float]

_NOTHING = Static()
_CRUMB = 1e6  # degrees are kept as whole millionths, 0.1 m, in breadcrumbs
_FLOATS = ("t", "lat", "lon", "speed", "course", "heading", "accuracy")


class LivePicture:
    """The latest state of each subject; every method may be called from any thread.

    Args:
        breadcrumbs: places kept of each subject. crumb_s: seconds between two of them at least,
            so that they show a way also of one that reports every two seconds.
        most: subjects kept; the one heard longest ago gives way, and its index is not used again.
    """

    def __init__(
        self, *, breadcrumbs: int = 50, crumb_s: float = 10.0, most: int = 200_000
    ) -> None:
        self._lock = threading.Lock()
        self._rows: dict[str, int] = {}  # by subject
        self._by_index: dict[int, int] = {}
        self._free: list[int] = []
        self._breadcrumbs, self._crumb_s = breadcrumbs, crumb_s
        self._most = most
        self._flagged: set[str] = set()
        self._next = 0
        self._seq = 0
        self._columns: dict[str, NDArray[Any]] = {}
        self._grow(64)

    def _grow(self, rows: int) -> None:
        before = self._columns
        held = len(before["seq"]) if before else 0
        forms: dict[str, Any] = dict.fromkeys(_FLOATS, np.float64)
        forms |= dict.fromkeys(("seq", "name_seq", "index", "row", "crumbs"), np.int64)
        forms |= {"kind": np.uint8, "found": np.bool_}
        forms |= dict.fromkeys(("subject", "source", "sha256", "static"), np.object_)
        columns: dict[str, NDArray[Any]] = {n: np.zeros(rows, form) for n, form in forms.items()}
        columns["crumb_t"] = np.zeros((rows, self._breadcrumbs))
        columns["crumb_place"] = np.zeros((rows, self._breadcrumbs, 2), np.int32)
        columns["seq"][:] = -1  # a row that is nobody's
        for name, column in before.items():
            columns[name][:held] = column
        self._columns = columns
        self._free += range(rows - 1, held - 1, -1)

    @property
    def seq(self) -> int:
        """The sequence number of the newest change."""
        return self._seq

    def __len__(self) -> int:
        return len(self._rows)

    def take(self, some: Batch | Iterable[Position], now: datetime | None = None) -> int:
        """Take positions in any order; one older than what is known changes nothing.

        Args:
            now: the node's time; a report from more than AHEAD after it is passed over,
                because no true one would replace it until then.

        Returns:
            the sequence number after them.
        """
        latest = np.inf if now is None else (now + AHEAD).timestamp()
        for batch in [some] if isinstance(some, Batch) else Batch.of(some):
            with self._lock:
                self._take(batch, latest)
        return self._seq

    def _take(self, batch: Batch, latest: float) -> None:
        order = np.lexsort((batch.t, batch.subject))
        order = order[batch.t[order] <= latest]
        if not len(order):
            return
        code = batch.subject[order]
        ends = np.flatnonzero(np.append(np.diff(code) != 0, True))
        # of each subject its newest report, in the order in which they came
        newest = order[ends]
        names = [batch.subjects[i] for i in code[ends].tolist()]
        rows = np.array([self._row_of(name) for name in names], dtype=np.int64)
        c = self._columns
        new = batch.t[newest] > c["t"][rows]
        self._trails(batch, order, np.repeat(rows, np.diff(ends, prepend=-1)))
        rows, newest = rows[new], newest[new]
        turn = np.argsort(newest)
        rows, newest = rows[turn], newest[turn]
        seq = self._seq + 1 + np.arange(len(rows))
        self._seq += len(rows)
        c["seq"][rows] = seq
        for name in _FLOATS:
            c[name][rows] = getattr(batch, name)[newest]
        c["kind"][rows] = batch.kind[newest]
        c["row"][rows] = batch.row[newest]
        c["sha256"][rows] = batch.sha256
        sources = np.array(batch.sources, dtype=np.object_)
        c["source"][rows] = sources[batch.source[newest]]
        self._names(batch, rows, seq)
        if len(self._rows) > self._most:
            self._forget(len(self._rows) - self._most)

    def _row_of(self, subject: str) -> int:
        row = self._rows.get(subject)
        if row is None:
            if not self._free:
                self._grow(2 * len(self._columns["seq"]))
            row = self._rows[subject] = self._free.pop()
            c = self._columns
            c["subject"][row], c["static"][row] = subject, _NOTHING
            c["t"][row], c["crumbs"][row], c["index"][row] = -np.inf, 0, self._next
            c["seq"][row] = c["name_seq"][row] = self._seq + 1
            c["found"][row] = subject in self._flagged
            self._by_index[self._next] = row
            self._next += 1
        return row

    def _names(self, batch: Batch, rows: Ints, seq: Ints) -> None:
        """Take over what subjects say of themselves; most say nothing new."""
        said, c = batch.static, self._columns
        if not said:
            return
        for row, number in zip(rows.tolist(), seq.tolist(), strict=True):
            new, old = said.get(c["subject"][row]), c["static"][row]
            if new is None or new is old:
                continue
            whole = new.over(old) if old is not _NOTHING else new
            if whole.name != old.name and old is not _NOTHING:
                c["name_seq"][row] = number
            c["static"][row] = whole

    def _trails(self, batch: Batch, order: Ints, rows: Ints) -> None:
        """Leave a breadcrumb in each span of `crumb_s` in which a subject was heard.

        Args:
            order: reports by subject and time. rows: the row of each.
        """
        c, ring = self._columns, self._breadcrumbs
        turn = np.floor(batch.t[order] / self._crumb_s)
        last = c["crumb_t"][rows, (c["crumbs"][rows] - 1) % ring]
        before = np.where(c["crumbs"][rows] > 0, np.floor(last / self._crumb_s), -np.inf)
        begins = np.append(True, np.diff(rows) != 0)
        new = turn > before
        new[1:] &= begins[1:] | (np.diff(turn) > 0)
        at = np.flatnonzero(new)
        if not len(at):
            return
        row, i = rows[at], order[at]
        begins = np.append(True, np.diff(row) != 0)
        number = np.arange(len(at)) - np.flatnonzero(begins)[np.cumsum(begins) - 1]
        place = (c["crumbs"][row] + number) % ring  # of more than the ring holds the last stay
        c["crumb_t"][row, place] = batch.t[i]
        c["crumb_place"][row, place, 0] = np.round(batch.lat[i] * _CRUMB)
        c["crumb_place"][row, place, 1] = np.round(batch.lon[i] * _CRUMB)
        c["crumbs"][row[begins]] += np.diff(np.append(np.flatnonzero(begins), len(at)))

    def _forget(self, count: int) -> None:
        """Let go of those that were heard longest ago."""
        c = self._columns
        held = np.flatnonzero(c["seq"] >= 0)
        oldest = held[np.argpartition(c["seq"][held], count - 1)[:count]]
        for row in oldest.tolist():
            del self._rows[c["subject"][row]], self._by_index[int(c["index"][row])]
        c["seq"][oldest] = -1
        for name in ("subject", "source", "sha256", "static"):
            c[name][oldest] = None
        self._free += oldest.tolist()

    def frame(
        self, since_seq: int = 0, box: Box | None = None, now: datetime | None = None
    ) -> bytes:
        """What changed after `since_seq`, as one binary frame, all little-endian.

        Header, 32 bytes: magic u32 = 0x50444E43, version u16 = 1, header's length u16 = 32,
        count n u32, sequence number of this frame u32, since_seq u32, zero u32, server time
        f64 (seconds since the epoch). Then columns of n values each, in this order, which
        keeps every column aligned to its own width: lat f64, lon f64 (degrees), subject
        index u32, course u16 (tenths of a degree; 0xFFFF not told), speed u16 (tenths of a
        knot; 0xFFFF not told, 0xFFFE that much or more), age u16 (s; 0xFFFE that much or
        more), kind u8 (index into KINDS), flags u8 (1 its name is new, 2 lies still, 4 a
        finding speaks of it).
        A frame of n subjects is 32 + 28 n bytes.

        A reader that draws only the newest frame asks with the sequence number of the last
        frame it drew; the next one then holds all that it passed over.

        Args:
            box: west, south, east, north (degrees); west > east crosses the antimeridian.
            now: server time; the machine's where absent.
        """
        stamp = now.timestamp() if now is not None else time.time()
        with self._lock:
            seq, c = self._seq, self._columns
            some = np.flatnonzero(c["seq"] > max(since_seq, -1))
            if box is not None:
                some = some[_in(box, c["lat"][some], c["lon"][some])]
            told = {n: c[n][some] for n in ("lat", "lon", "index", "course", "speed", "t", "kind")}
            new_name, found = c["name_seq"][some] > since_seq, c["found"][some]
        speed = told["speed"]
        flags = new_name * FLAG_NEW_NAME | found * FLAG_FOUND | (speed < 0.5) * FLAG_STILL
        columns = (
            told["lat"].astype("<f8"),
            told["lon"].astype("<f8"),
            told["index"].astype("<u4"),
            _u16(np.round(told["course"] * 10) % 3600),
            _u16(speed * 10),
            _u16(stamp - told["t"]),
            told["kind"].astype("<u1"),
            flags.astype("<u1"),
        )
        low = 0xFFFFFFFF
        head = HEADER.pack(
            MAGIC, VERSION, HEADER.size, len(some), seq & low, since_seq & low, 0, stamp
        )
        return head + b"".join(column.tobytes() for column in columns)

    def names(self, indices: Iterable[int]) -> dict[int, dict[str, str]]:
        """Labels for subject indices: subject, name, kind, ship_type, flag, source."""
        with self._lock:
            found = {}
            c = self._columns
            for i in indices:
                row = self._by_index.get(i)
                if row is None:
                    continue
                static = c["static"][row]
                found[i] = {
                    "subject": c["subject"][row],
                    "name": static.name,
                    "kind": KINDS[c["kind"][row]],
                    "ship_type": static.ship_type,
                    "flag": static.flag,
                    "source": c["source"][row],
                }
            return found

    def all(self) -> list[Position]:
        """The newest position of every subject, the one heard longest ago first."""
        with self._lock:
            seq = self._columns["seq"]
            held = np.flatnonzero(seq >= 0)
            return [self._position(row) for row in held[np.argsort(seq[held])].tolist()]

    def find(self, words: str, *, at_most: int = 500) -> list[Position]:
        """The newest positions of subjects whose name or id holds these words, or call sign is."""
        sought = words.casefold()
        with self._lock:
            static, found = self._columns["static"], []
            for subject, row in self._rows.items():
                said: Static = static[row]
                if (
                    sought in subject.casefold()
                    or sought in said.name.casefold()
                    or sought == said.call_sign.casefold()
                ):
                    found.append(self._position(row))
                    if len(found) == at_most:
                        break
        return found

    def _position(self, row: int) -> Position:
        c = self._columns
        static: Static = c["static"][row]
        speed, course, heading, accuracy = (
            None if np.isnan(c[n][row]) else float(c[n][row])
            for n in ("speed", "course", "heading", "accuracy")
        )
        return Position(
            at=datetime.fromtimestamp(float(c["t"][row]), UTC),
            source=c["source"][row],
            subject=c["subject"][row],
            lat=float(c["lat"][row]),
            lon=float(c["lon"][row]),
            speed_kn=speed,
            course_deg=course,
            heading_deg=heading,
            accuracy_m=accuracy,
            kind=KINDS[c["kind"][row]],
            name=static.name,
            imo=static.imo,
            call_sign=static.call_sign,
            ship_type=static.ship_type,
            flag=static.flag,
            record=RecordRef(c["sha256"][row], int(c["row"][row])) if c["sha256"][row] else None,
        )

    def flag(self, subjects: Iterable[str], *, found: bool = True) -> None:
        """Mark subjects that a finding speaks of; their frames say so from now on.

        Args:
            found: False where none speaks of them any more.
        """
        with self._lock:
            some = set(subjects)
            self._flagged = self._flagged | some if found else self._flagged - some
            rows = [row for s in some if (row := self._rows.get(s)) is not None]
            self._columns["found"][rows] = found

    def latest(self, subject: str) -> Position | None:
        """The newest position of a subject, or None where it was not heard."""
        with self._lock:
            row = self._rows.get(subject)
            return self._position(row) if row is not None else None

    def newest(self, subjects: Iterable[str]) -> tuple[Floats, Floats, Floats]:
        """When and where each was last heard: seconds since the epoch, lat, lon; NaN for nobody."""
        with self._lock:
            rows = np.array([self._rows.get(s, -1) for s in subjects], dtype=np.int64)
            known = rows >= 0
            t, lat, lon = (
                np.where(known, self._columns[n][rows], np.nan) for n in ("t", "lat", "lon")
            )
            return t, lat, lon

    def trail(self, subject: str) -> list[tuple[float, float, float]]:
        """The last places of a subject, oldest first: seconds since the epoch, lat, lon."""
        with self._lock:
            row = self._rows.get(subject)
            if row is None:
                return []
            c, ring = self._columns, self._breadcrumbs
            count = int(c["crumbs"][row])
            order = np.arange(max(0, count - ring), count) % ring
            places = (c["crumb_place"][row, order] / _CRUMB).tolist()
            way = [
                (t, y, x)
                for t, (y, x) in zip(c["crumb_t"][row, order].tolist(), places, strict=True)
            ]
            last = (float(c["t"][row]), float(c["lat"][row]), float(c["lon"][row]))
        if way and last[0] > way[-1][0]:
            way = [*way[len(way) == ring :], last]
        return way

    def index_of(self, subject: str) -> int | None:
        """The subject's index in frames, or None where it was not heard."""
        with self._lock:
            row = self._rows.get(subject)
            return int(self._columns["index"][row]) if row is not None else None

    def subject_of(self, index: int) -> str | None:
        """The subject of an index in frames, or None where there is none (any more)."""
        with self._lock:
            row = self._by_index.get(index)
            return str(self._columns["subject"][row]) if row is not None else None


def _in(box: Box, lat: Floats, lon: Floats) -> Bools:
    west, south, east, north = box
    along = (lon >= west) & (lon <= east) if west <= east else (lon >= west) | (lon <= east)
    return (lat >= south) & (lat <= north) & along


def _u16(values: Floats) -> NDArray[np.uint16]:
    whole = np.clip(np.round(np.nan_to_num(values, nan=0.0)), 0, NO_U16 - 1)
    return np.where(np.isnan(values), NO_U16, whole).astype("<u2")
