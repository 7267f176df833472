"""Reads files of the format `calls`, a batch at a time, so that memory stays flat."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cordon.calls.checking import COLUMNS, REQUIRED, checked
from cordon.calls.layouts import AUTO, Recognised, chosen, mapped, recognise
from cordon.calls.layouts.dates import Order, needs_order
from cordon.calls.layouts.lines import without_furniture
from cordon.calls.layouts.recognise import nearest, split
from cordon.calls.model import Counts, Refusal
from cordon.calls.numbers import Numbers
from cordon.calls.rows import Rows, parse_block
from cordon.calls.unpacking import Progress, Text, as_utf8
from cordon.kernel.errors import BadInput
from cordon.kernel.store.files import sha256_of

HEAD_BYTES = 1 << 18  # of a file, in which its header must stand
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
        layout: name of the layout that it was read by, once it is known.

    Raises:
        BadInput: nothing of the file can be read; the message names it, what was expected and
            what it looks like.
    """

    def __init__(
        self,
        path: Path,
        region: str = "PK",
        progress: Progress | None = None,
        layout: str = AUTO,
        name: str = "",
    ) -> None:
        if not path.is_file():
            raise BadInput(f"There is no file {name or path.name}.", advice=_EXPECTED)
        self.path = path
        self.name = name or path.name
        self.counts = Counts()
        self.broken: str | None = None
        self.layout = ""
        self._layouts = chosen(layout)
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
        head = self._head()
        if head.layout.own:
            self._require(list(head.names))
            wanted, order = [n for n in COLUMNS if n in head.names], ""
        else:
            wanted = sorted({n for some in head.layout.columns.values() for n in some}
                            & set(head.names))  # fmt: skip
            order = self._order(head)
        for number, (rows, cut) in enumerate(self._blocks(head, wanted, self._progress)):
            table, numbers, odd = rows.table, rows.numbers, list(rows.refusals)
            if not head.layout.own:
                clear = mapped(table, numbers, head.layout, order)
                table, numbers = clear.table, clear.numbers
                odd += clear.refusals
            done, refusals = checked(table, numbers, self.sha256, self._numbers)
            odd += [*refusals, *([cut] if cut else [])]
            yield Batch(
                number,
                done,
                tuple(sorted(odd, key=lambda r: r.row)),
                rows.read + (cut is not None),
            )

    def _head(self) -> Recognised:
        """The file's layout and header.

        Raises:
            BadInput: no layout fits; the message says what the file looks like, which layout is
                nearest, and what it lacks.
        """
        text = Text(self.path, None, _EXPECTED, self.name)
        block = next(text.blocks(), b"")
        if not block.strip():
            raise BadInput(text.broken or f"{self.name} is empty.", advice=_EXPECTED)
        lines = as_utf8(block[:HEAD_BYTES]).replace(b"\r", b"").split(b"\n")
        found = recognise(lines, self._layouts)
        if found is not None:
            self.layout = found.layout.name
            return found
        first = next((one for one in lines if one.strip()), b"").decode(errors="replace")
        names = [n.strip().lower() for n in split(first.encode(), ",")]
        near = nearest(lines, [one for one in self._layouts if not one.own])
        if near is not None and len(near[1]) < len(near[0].known_by) - 1:
            raise BadInput(
                f"{self.name} has no known layout. Nearest is {near[0].name}, which has also "
                f"the columns {', '.join(near[1])}.",
                advice=_EXPECTED,
            )
        if any(one.own for one in self._layouts):
            self._require(names, first)
        raise BadInput(f"{self.name} has no known layout.", advice=_EXPECTED)

    def _order(self, head: Recognised) -> str:
        """The order of day and month, from every date of the file.

        Raises:
            BadInput: the dates contradict one another, or nothing tells.
        """
        field = "start" if head.layout.column("start", list(head.names)) else "date"
        name = head.layout.column(field, list(head.names))
        if name is None:
            raise BadInput(f"{self.name} has no column of dates.", advice=_EXPECTED)
        order = Order()
        seen = False
        for rows, _ in self._blocks(head, [name], None):
            values = pc.utf8_trim(rows.table[name], characters=" '\"=").unique().to_pylist()
            dates = [re.split(r"[ T](?=\d{1,2}:)", v)[0] for v in values if v]
            seen = seen or any(needs_order(d) for d in dates)
            order.look(dates)
        told = order.told(head.layout.order)
        if told is None and seen:
            what = (
                f"{order.day_first:,} of its dates can only be read day first and "
                f"{order.month_first:,} only month first"
                if order.day_first
                else "every one of its dates can be read day first and month first"
            )
            raise BadInput(
                f"It cannot be told whether {self.name} writes day or month first: {what}.",
                advice="Ask the sender which it is, and give the layout that says so.",
            )
        return told or "ymd"

    def _blocks(
        self, head: Recognised, wanted: Sequence[str], progress: Progress | None
    ) -> Iterator[tuple[Rows, Refusal | None]]:
        """The rows below the header, a block at a time, and where the file breaks off.

        Rows are numbered by their line in the file, the first line not counted.
        """
        text = Text(self.path, progress, _EXPECTED, self.name)
        # the parser wants each name once; of two columns with one name the first is meant
        first = {n: i for i, n in reversed(list(enumerate(head.names)))}
        header = [
            n if n in wanted and first[n] == i else f"{n}#{i}" for i, n in enumerate(head.names)
        ]
        left, row = head.line + 1, head.line + 1
        for whole in text.blocks():
            body = whole
            while left and body:
                end = body.find(b"\n") + 1
                body, left = (body[end:] if end else b""), left - 1
            self.broken = text.broken
            cut: Refusal | None = None
            if self.broken is not None and not body.endswith(b"\n"):
                keep = body.rfind(b"\n") + 1
                half, body = body[keep:], body[:keep]
                if half:
                    cut = Refusal(row + body.count(b"\n"), "the file breaks off in this row")
            if not body and cut is None:
                continue
            if not head.layout.own:
                body = without_furniture(body.replace(b"\r\n", b"\n"))
            rows = parse_block(body, header, wanted, row, head.sign)
            row += rows.lines
            yield rows, cut
        self.broken = text.broken

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


def read_calls(
    path: Path,
    region: str = "PK",
    progress: Progress | None = None,
    layout: str = AUTO,
    name: str = "",
) -> Reading:
    """Batches of a file of calls: CSV or Parquet, plain or `.gz` or `.zst`.

    Args:
        layout: name of the operator's layout, or `auto` to tell it from the file.
        name: how errors call the file; its own name where empty.
        region: ISO 3166 code of numbers in national form.
        progress: told what was read and what there is (bytes; rows for Parquet).
    """
    return Reading(path, region, progress, layout, name)


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
