"""One way to open positions, whatever they come in; told apart by content, not by name."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import IO

import pyarrow as pa

from cordon.kernel.clock import as_utc
from cordon.kernel.errors import BadInput
from cordon.picture.feeds.bulk import BulkDecoder
from cordon.picture.feeds.cotreader import (
    CotDecoder,
    looks_like_cot,
    looks_like_kept_cot,
    read_cot,
)
from cordon.picture.feeds.csv import read_csv
from cordon.picture.feeds.nmea import looks_like_ais
from cordon.picture.feeds.parquet import read_parquet
from cordon.picture.feeds.reports import ReportDecoder, looks_like_reports, read_reports
from cordon.picture.feeds.seen import Seen
from cordon.picture.feeds.source import (
    CUT,
    ROWS_A_BATCH,
    Cut,
    Gathering,
    blocks_of,
    open_bytes,
    sha256_of,
)
from cordon.picture.model import Counts, Position, Refusal
from cordon.picture.tracks import Batch

_EXPECTED = (
    "Expected AIS sentences with times, Cursor on Target, reports as JSON, or positions as CSV or "
    "Parquet."
)
_HEAD = 1 << 18  # bytes looked at to tell what a file holds


class PositionReader:
    """Positions of one file; iterate it once, as typed values or by `batches()`.

    Attributes:
        path, sha256: the file. form: `ais`, `cot`, `json`, `csv` or `parquet`.
        counts: what became of its rows so far. refusals: the first ones, where no
            `on_refusal` was given. name: what errors call it.
        broken: a sentence that says where the file breaks off, once it was read; or empty.
    """

    def __init__(self, path: Path, name: str, form: str, gathering: Gathering) -> None:
        self.path = path
        self.name = name
        self.form = form
        self.sha256 = gathering.sha256
        self._g = gathering

    @property
    def counts(self) -> Counts:
        """What became of the rows read so far."""
        return self._g.counts

    @property
    def refusals(self) -> list[Refusal]:
        """The refused rows so far, in the order in which they were met, at most 10,000."""
        return self._g.refusals

    @property
    def reasons(self) -> Counter[str]:
        """How many rows were refused so far, by reason."""
        return self._g.reasons

    @property
    def broken(self) -> str:
        """Where the file breaks off and why, or empty."""
        return f"{self.name} breaks off: {self._g.broken}." if self._g.broken else ""

    def __iter__(self) -> Iterator[Position]:
        for batch in self.batches():
            yield from batch.positions()

    def batches(self) -> Iterator[Batch]:
        """The positions as columns, some 50,000 rows each, repeats left out.

        Raises:
            BadInput: at the end, where of all the rows none could be read.
        """
        if self.form == "parquet":
            yield from read_parquet(self.path, self.name, self._g)
        else:
            with open_bytes(self.path) as file:
                yield from self._read(file)
        counts = self._g.counts
        if counts.refused and not (counts.kept or counts.repeated or counts.messages):
            self._nothing()
        if self._g.timeless and not (counts.kept or counts.repeated):
            self._nothing()
        if self.form == "ais" and counts.read and not (counts.messages or counts.refused):
            raise BadInput(f"{self.name} holds no AIS sentence.", advice=_EXPECTED)
        if not counts.read and not self.broken and self.form in ("cot", "kept cot", "json"):
            raise BadInput(f"{self.name} holds no report of a position.", advice=_EXPECTED)
        if self.broken and not counts.read:
            raise BadInput(self.broken, advice="Fetch or write the file again.")

    def _read(self, file: IO[bytes]) -> Iterator[Batch]:
        g = self._g
        if isinstance(g, BulkDecoder):
            yield from _ais(file, g)
        elif isinstance(g, CotDecoder):
            yield from read_cot(file, g, kept=self.form == "kept cot")
        elif isinstance(g, ReportDecoder):
            yield from read_reports(file, g)
        else:
            yield from read_csv(file, self.name, g)

    def _nothing(self) -> None:
        first = self._g.first
        why = f" The first, row {first.row}: {first.reason}." if first else ""
        raise BadInput(
            f"Of {self.name} nothing can be read: {self._g.counts.refused} rows refused.{why}",
            advice=_EXPECTED,
        )


def _ais(file: IO[bytes], decoder: BulkDecoder) -> Iterator[Batch]:
    row = 0
    try:
        for block in blocks_of(file):
            row += decoder.feed_block(block, row + 1)
            if len(decoder) >= ROWS_A_BATCH:
                yield decoder.take()
    except Cut:
        decoder.breaks_off(row, CUT)
    decoder.end()
    yield decoder.take()


def open_positions(
    path: Path,
    *,
    name: str = "",
    source: str = "ais",
    base_time: datetime | None = None,
    seen: Seen | None = None,
    on_refusal: Callable[[Refusal], None] | None = None,
) -> PositionReader:
    """Open a file of positions, plain or compressed (`.gz`, `.zst`).

    Taken are AIS logs, Cursor on Target, reports as JSON, CSV and Parquet.

    Args:
        name: what errors call the file; its path's last part where empty.
        source: what AIS sentences without a source of their own are said to come from.
        base_time: when an AIS log without times begins, aware; else such a log takes its
            time from the base stations in it, and reports that have none are refused.
        seen: shared between readers, so that repeats between files are found.
        on_refusal: called with each refused row; else the reader keeps the first 10,000.

    Raises:
        BadInput: the file cannot be read, is empty, or is none of these.
    """
    path = Path(path)
    name = name or path.name
    sha256 = sha256_of(path)
    head = _head(path)
    if head[:4] == b"PAR1":
        return PositionReader(path, name, "parquet", Gathering(sha256, seen, on_refusal))
    if not head.strip():
        raise BadInput(
            f"{name} is empty.",
            advice=_EXPECTED,
        )
    if looks_like_ais(head):
        begin = as_utc(base_time).timestamp() if base_time is not None else None
        decoder = BulkDecoder(
            sha256, source=source, base_time=begin, seen=seen, on_refusal=on_refusal
        )
        return PositionReader(path, name, "ais", decoder)
    if looks_like_cot(head):
        form = "kept cot" if looks_like_kept_cot(head) else "cot"
        return PositionReader(path, name, form, CotDecoder(sha256, seen, on_refusal))
    if looks_like_reports(head):
        return PositionReader(path, name, "json", ReportDecoder(sha256, seen, on_refusal))
    return PositionReader(path, name, "csv", Gathering(sha256, seen, on_refusal))


def _head(path: Path) -> bytes:
    got = b""
    try:
        with open_bytes(path) as file:
            while len(got) < _HEAD and (more := file.read(min(4096, _HEAD - len(got)))):
                got += more
    except (EOFError, zlib.error, OSError, pa.ArrowInvalid):
        pass  # a cut file: what was read before the cut tells what it is
    return got
