"""Playing a world live: its AIS sentences go out over TCP when their time has come.

The node reads them with the same reader as any other feed; nothing behind it knows that this
is an exercise.
"""

from __future__ import annotations

import csv
import io
import re
import socket
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cordon.exercise.worlds.radio import tag_time
from cordon.kernel.clock import Clock, format_time, parse_time
from cordon.kernel.errors import BadInput

_TAG_TIME = re.compile(rb"\\(?P<fields>[^\\*]*)\*[0-9A-Fa-f]{2}\\")


def read_log(path: Path) -> Iterator[tuple[datetime, bytes]]:
    """The sentences of a log with tag-block times, in its order; one without a time goes with
    the sentence before it."""
    at: datetime | None = None
    with path.open("rb") as log:
        for raw in log:
            line = raw.rstrip(b"\r\n")
            told = tag_time(line.decode("ascii", "replace"))
            if told is not None:
                moment = datetime.fromtimestamp(told, UTC)
                # a broken stamp must not send the player back, or far ahead
                if at is None or timedelta(0) <= moment - at < timedelta(days=1):
                    at = moment
            if at is not None and line:
                yield at, line


def shifted(line: bytes, by: timedelta) -> bytes:
    """The sentence with the time of its tag block (`c:`, seconds) moved; others as they are."""

    def moved(block: re.Match[bytes]) -> bytes:
        fields = []
        for part in block["fields"].split(b","):
            if part[:2] == b"c:" and part[2:].isdigit():
                fields.append(b"c:%d" % round(int(part[2:]) + by.total_seconds()))
            else:
                fields.append(part)
        body = b",".join(fields)
        checksum = 0
        for byte in body:
            checksum ^= byte
        return b"\\%s*%02X\\" % (body, checksum)

    return _TAG_TIME.sub(moved, line, count=1)


def moved_rows(path: Path, columns: Sequence[str], by: timedelta) -> bytes:
    """A CSV or Parquet file with the times of some columns moved.

    What is not a time stays as it is: real files have such rows, and importers refuse them.
    """
    if path.suffix == ".parquet":
        return _moved_table(path, columns, by)
    out = io.StringIO()
    with path.open(encoding="utf-8", newline="") as source:
        rows = csv.DictReader(source)
        writer = csv.DictWriter(out, rows.fieldnames or (), lineterminator="\n")
        writer.writeheader()
        for row in rows:
            for column in columns:
                with suppress(BadInput):
                    row[column] = format_time(parse_time(row.get(column) or "") + by)
            writer.writerow(row)
    return out.getvalue().encode()


def _moved_table(path: Path, columns: Sequence[str], by: timedelta) -> bytes:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    for column in columns:
        at = table.schema.get_field_index(column)
        moved = pc.add(table.column(at), pa.scalar(by, pa.duration("us")))
        table = table.set_column(at, column, moved.cast(table.schema.field(at).type))
    out = io.BytesIO()
    pq.write_table(table, out)
    return out.getvalue()


class Player(threading.Thread):
    """Serves one world's sentences on loopback, each when the node's clock has reached it.

    Args:
        lines: (time, sentence without newline), in order of time, already shifted.
        clock: the node's.
    """

    def __init__(self, lines: Iterable[tuple[datetime, bytes]], clock: Clock) -> None:
        super().__init__(name="exercise", daemon=True)
        self._lines = iter(lines)
        self._clock = clock
        self._stop_asked = threading.Event()
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.settimeout(0.5)
        self.url = f"nmea+tcp://127.0.0.1:{self._server.getsockname()[1]}"
        self.sent = 0
        self.ended = threading.Event()

    def stop(self) -> None:
        """Send no more."""
        self._stop_asked.set()

    def run(self) -> None:
        held: tuple[datetime, bytes] | None = None
        with self._server:
            while not self._stop_asked.is_set() and not self.ended.is_set():
                try:
                    connection, _ = self._server.accept()
                except TimeoutError:
                    continue
                with connection:
                    held = self._serve(connection, held)

    def _serve(
        self, connection: socket.socket, held: tuple[datetime, bytes] | None
    ) -> tuple[datetime, bytes] | None:
        """Send until the reader goes or the world ends; return what was not sent."""
        while not self._stop_asked.is_set():
            now = self._clock.now()
            due = bytearray()
            while True:
                held = held or next(self._lines, None)
                if held is None or held[0] > now or len(due) > 1 << 16:
                    break
                due += held[1] + b"\n"
                self.sent += 1
                held = None
            try:
                connection.sendall(due)
            except OSError:
                return held
            if held is None and not due:
                self.ended.set()
                return None
            self._stop_asked.wait(0.2)
        return held
