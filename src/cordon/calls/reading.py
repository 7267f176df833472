"""Reads files of the format `calls`, a batch at a time, so that memory stays flat."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cordon.calls.checking import COLUMNS, REQUIRED, checked
from cordon.calls.model import Counts, Refusal
from cordon.calls.numbers import Numbers
from cordon.calls.rows import parse_block, values_of
from cordon.calls.unpacking import Progress, Text, as_utf8
from cordon.kernel.errors import BadInput
from cordon.kernel.store.files import sha256_of

PARQUET_ROWS = 1 << 16  # rows of a batch from a Parquet file
_EXPECTED = (
    f"A CSV or Parquet file with the columns {', '.join(REQUIRED)} is expected "
    "(the format “calls”)."
)


@dataclass(frozen=True, slots=True)
class Batch:
    """Part of a file.

    Attributes:
        number: from 0; the same part of the same file has the same number on every reading.
        table: the rows taken, in `checking.SCHEMA`. refusals: the others. read: both.
    """

    number: int
    table: pa.Table
    refusals: tuple[Refusal, ...]
    read: int


class Reading:
    """A file being read; iterate over it once.

    Attributes:
        name: the file's name. sha256: of its bytes as they stand on the disk (hex).
        counts: rows so far; none is called repeated here (see `importing.without_repeats`).
        broken: a sentence that says where the file breaks off, or None.

    Raises:
        BadInput: nothing of the file can be read; the message names it, what was expected and
            what it looks like.
    """

    def __init__(self, path: Path, region: str = "PK", progress: Progress | None = None) -> None:
        if not path.is_file():
            raise BadInput(f"There is no file {path.name}.", advice=_EXPECTED)
        self.path = path
        self.name = path.name
        self.counts = Counts()
        self.broken: str | None = None
        self._numbers = Numbers(region)
        self._progress = progress
        self._reasons: Counter[str] = Counter()
        self.sha256 = sha256_of(path)

    def __iter__(self) -> Iterator[Batch]:
        with self.path.open("rb") as raw:
            is_parquet = raw.read(4) == b"PAR1"
        for batch in self._parquet() if is_parquet else self._csv():
            refused = len(batch.refusals)
            self.counts += Counts(batch.read, batch.read - refused, 0, refused)
            self._reasons.update(r.reason for r in batch.refusals)
            yield batch
        if self.counts.read and not self.counts.kept:
            reason, times = self._reasons.most_common(1)[0]
            raise BadInput(
                f"None of the {self.counts.read:,} rows of {self.name} can be read: "
                f"in {times:,} of them {reason}.",
                advice=_EXPECTED,
            )

    def _csv(self) -> Iterator[Batch]:
        text = Text(self.path, self._progress, _EXPECTED)
        header: list[str] = []
        wanted: list[str] = []
        row = 1
        number = 0
        for block in text.blocks():
            body = block
            if not header:
                header, body = self._header(block)
                wanted = [n for n in COLUMNS if n in header]
            self.broken = text.broken
            cut: Refusal | None = None
            if self.broken is not None and not body.endswith(b"\n"):
                keep = body.rfind(b"\n") + 1
                half, body = body[keep:], body[:keep]
                if half:
                    cut = Refusal(row + body.count(b"\n"), "the file breaks off in this row")
            if not body and cut is None:
                continue
            rows = parse_block(body, header, wanted, row)
            table, refusals = checked(rows.table, rows.numbers, self.sha256, self._numbers)
            odd = [*rows.refusals, *refusals, *([cut] if cut else [])]
            row += rows.lines
            yield Batch(
                number,
                table,
                tuple(sorted(odd, key=lambda r: r.row)),
                rows.read + (cut is not None),
            )
            number += 1
        self.broken = text.broken
        if not header:
            what = self.broken or f"{self.name} is empty."
            raise BadInput(what, advice=_EXPECTED)

    def _header(self, block: bytes) -> tuple[list[str], bytes]:
        lead = len(block) - len(block.lstrip(b"\r\n"))
        end = block.find(b"\n", lead)
        line, rest = (block[lead:], b"") if end < 0 else (block[lead:end], block[end + 1 :])
        line = as_utf8(line).rstrip(b"\r")
        names = [n.strip().lower() for n in values_of(line)]
        text = line.decode(errors="replace")
        self._require(names, text)
        return names, rest

    def _require(self, names: Sequence[str], line: str | None = None) -> None:
        missing = [n for n in REQUIRED if n not in names]
        twice = [n for n, times in Counter(names).items() if times > 1 and n in COLUMNS]
        if twice:
            raise BadInput(f"{self.name} has the column {twice[0]} twice.", advice=_EXPECTED)
        if missing:
            raise BadInput(
                f"{self.name} has no column {', '.join(missing)}: {_looks(names, line)}.",
                advice=_EXPECTED,
            )
        # columns that are passed over may share a name; the parser wants each name once
        if isinstance(names, list):
            names[:] = [n if n in COLUMNS else f"{n}#{i}" for i, n in enumerate(names)]

    def _parquet(self) -> Iterator[Batch]:
        try:
            with pq.ParquetFile(self.path) as file:
                names = {n.strip().lower(): n for n in reversed(file.schema_arrow.names)}
                self._require(list(names))
                wanted = [n for n in COLUMNS if n in names]
                total, row = file.metadata.num_rows, 1
                batches = file.iter_batches(PARQUET_ROWS, columns=[names[n] for n in wanted])
                for number, batch in enumerate(batches):
                    raw = pa.table({n: _text(n, batch.column(names[n])) for n in wanted})
                    rows = np.arange(row, row + len(raw), dtype=np.int64)
                    table, refusals = checked(raw, rows, self.sha256, self._numbers)
                    row += len(raw)
                    if self._progress is not None:
                        self._progress(row - 1, total)
                    yield Batch(number, table, tuple(refusals), len(raw))
        except (pa.ArrowException, OSError) as wrong:
            raise BadInput(
                f"{self.name} looks like Parquet and cannot be read ({type(wrong).__name__}).",
                advice=_EXPECTED,
            ) from None


def read_calls(path: Path, region: str = "PK", progress: Progress | None = None) -> Reading:
    """Batches of a file of calls: CSV or Parquet, plain or `.gz` or `.zst`.

    Args:
        region: ISO 3166 code of numbers in national form.
        progress: told what was read and what there is (bytes; rows for Parquet).
    """
    return Reading(path, region, progress)


def _text(name: str, column: pa.Array) -> pa.Array:
    """A Parquet column as `checked` takes it; whole numbers keep all their digits."""
    kind = column.type
    if name == "start" and pa.types.is_timestamp(kind):
        return column
    if name == "duration_s" and (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        return column
    if pa.types.is_floating(kind):
        try:
            return column.cast(pa.int64()).cast(pa.string())
        except pa.ArrowInvalid:
            return column.cast(pa.string())
    return column.cast(pa.string())


def _looks(names: Sequence[str], line: str | None) -> str:
    """What the first line looks like, never its values, which may be personal."""
    if line is not None and len(names) == 1:
        for sign, word in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
            if line.count(sign) >= 3:
                return f"its values look parted by {word} where commas are expected"
        if line.lstrip()[:1] in "{[":
            return "it looks like JSON"
        if line.lstrip()[:1] == "<":
            return "it looks like XML or a web page"
    if "\x00" in (line or ""):
        return "it looks like no text"
    plain = [
        n
        for n in names
        if re.fullmatch(r"[^\W\d][\w .()/-]{0,30}", n) and not re.search(r"\d{4}", n)
    ]
    if len(plain) * 2 < len(names) or not plain:
        return "its first line holds values, not the names of columns"
    return f"it has {', '.join(plain[:12])}"
