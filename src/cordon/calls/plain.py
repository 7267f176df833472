"""Reads files of the plain formats (`forms`), a batch at a time or as one table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from cordon.calls import casting
from cordon.calls.casting import Reasons
from cordon.calls.cellids import cell_base, cell_ids
from cordon.calls.checking import as_array
from cordon.calls.forms import Column, Form, format_of
from cordon.calls.layouts.recognise import SIGNS, split
from cordon.calls.looks import looks
from cordon.calls.model import Counts, NothingRead, Refusal, none_read
from cordon.calls.numbers import Numbers
from cordon.calls.rows import parse_block
from cordon.calls.sources import Block, source
from cordon.calls.statements import in_utc, in_zone, once, whole
from cordon.calls.unpacking import Progress
from cordon.countries import clock_of
from cordon.kernel.errors import BadInput
from cordon.kernel.store.files import sha256_of

if TYPE_CHECKING:
    from cordon.calls.firsts import Firsts

PARQUET_ROWS = 1 << 16  # rows of a batch from a Parquet file

Parts = Iterator[tuple[pa.Table, NDArray[np.int64], list[Refusal]]]
"""Rows of a file as text by the form's columns, their numbers, and those that are none already."""


@dataclass(frozen=True, slots=True)
class PlainBatch:
    """Part of a file: the rows taken, in the form's schema, and those refused."""

    table: pa.Table
    refusals: tuple[Refusal, ...]


@dataclass(slots=True)
class Plain:
    """What a file of a plain format says.

    Attributes:
        table: in `form.schema`: each row's number in its file, then the form's columns, null
            where the file says nothing.
        counts: read = kept + repeated + refused. refusals: by row.
        broken: a sentence that says where the file breaks off, or None; what stands before is
            in the table.
        notes: a phrase that names a column, and in how many rows its value was none and left out.
        sha256: of the file's bytes (hex), for pointers to its records.
    """

    table: pa.Table
    counts: Counts
    refusals: list[Refusal]
    broken: str | None
    notes: dict[str, int] = field(default_factory=dict)
    sha256: str = ""


class PlainReading:
    """A file of a plain format being read; call `batches` once.

    Attributes: as of `Plain`, so far.

    Raises:
        BadInput: nothing of the file can be read; the message names it, what was expected and
            what it looks like.

    Args:
        parts: the file's rows, where another reader knows what it is.
        once: leave out rows that were there before; else whoever reads it does.
        dates: the order of day and month (`layouts.dates.SAID`) in an operator's list, as somebody
            said it.
    """

    def __init__(
        self,
        path: Path,
        form: Form,
        region: str = "PK",
        name: str = "",
        progress: Progress | None = None,
        parts: Parts | None = None,
        once: bool = True,
        dates: str = "",
    ) -> None:
        self._parts = parts
        self._dates = dates
        self._each_once = once
        self.path = path
        self.form = form
        self.name = name or path.name
        if not path.is_file():
            raise BadInput(f"There is no file {self.name}.", advice=form.expected)
        self.counts = Counts()
        self.notes: Counter[str] = Counter()
        self.broken: str | None = None
        self.sha256 = sha256_of(path)
        self._numbers = Numbers(region)
        self._region = region.lower()
        self._progress = progress
        self._told: Firsts | None = None  # what names the rows so far
        self._base: str | None = None  # of the numbers in cell ids, told by the first part

    def batches(self) -> Iterator[PlainBatch]:
        """The file's rows, some 80,000 at a time; a row that was there before is in none.

        Memory is that of a batch; where the form has a column that names the rows, 16 MB beside it
        (`firsts`).

        Raises:
            Unavailable: there is no room for temporary files.
        """
        reasons: Counter[str] = Counter()
        with self.path.open("rb") as raw:
            is_parquet = raw.read(4) == b"PAR1"
        parts = self._parts or (self._parquet() if is_parquet else self._listed() or self._csv())
        for raw_table, rows, odd in parts:
            table, refusals = self._typed(raw_table, rows)
            refusals = sorted([*odd, *refusals], key=lambda r: r.row)
            taken = len(table)
            table = self._once(table)
            self.counts += Counts(
                taken + len(refusals), len(table), taken - len(table), len(refusals)
            )
            reasons.update(r.reason for r in refusals)
            yield PlainBatch(table, tuple(refusals))
        if self.counts.read and self.counts.read == self.counts.refused:
            raise BadInput(
                none_read(self.name, self.counts.read, reasons), advice=self.form.expected
            )

    def _once(self, table: pa.Table) -> pa.Table:
        """The rows that no row before them names."""
        if self.form.unique is None or not self._each_once:
            return table
        if self._told is None:
            # loads what is compiled, which a file of another form does not need
            from cordon.calls.firsts import Firsts

            self._told = Firsts()
        fresh = self._told.new(_named(table, self.form))
        return table if fresh.all() else table.filter(pa.array(fresh))

    def _typed(self, table: pa.Table, rows: NDArray[np.int64]) -> tuple[pa.Table, list[Refusal]]:
        refused = Reasons(len(table))
        columns: dict[str, pa.Array] = {"row": pa.array(rows, pa.int64())}
        for column in self.form.columns:
            if column.name not in table.column_names:
                columns[column.name] = pa.nulls(len(table), column.type)
                continue
            values = as_array(table[column.name])
            if column.required:
                refused.where(pc.is_null(values), f"{column.name} is missing")
            own = Reasons(len(table)) if column.lenient else refused
            found = self._one(column, values, own)
            if column.lenient and own.codes.any():
                self.notes.update(own.reasons[code] for code in own.codes[own.codes > 0])
                found = pc.if_else(pa.array(own.codes > 0), pa.scalar(None, found.type), found)
            columns[column.name] = found
        if self.form.span is not None:
            first, last = self.form.span
            refused.where(pc.less(columns[last], columns[first]), f"{last} lies before {first}")
        done = pa.table([columns[n] for n in self.form.schema.names], schema=self.form.schema)
        bad = np.flatnonzero(refused.codes)
        if not len(bad):
            return done, []
        refusals = [Refusal(int(rows[i]), refused.reasons[refused.codes[i]]) for i in bad]
        return done.filter(pa.array(refused.codes == 0)), refusals

    def _one(self, column: Column, values: pa.Array, reasons: Reasons) -> pa.Array:
        """A column's values as what the form says that it holds."""
        name, holds = column.name, column.holds
        found = values
        match holds:
            case "time" | "day":
                found = casting.times(values, name, reasons, days=holds == "day")
            case "float":
                found = _bounded(casting.floats(values, name, reasons), column, reasons)
            case "int":
                found = _bounded(casting.integers(values, name, reasons), column, reasons)
            case "decimal":
                found = _bounded(casting.amounts(values, name, reasons), column, reasons)
            case "number":
                found = casting.phone_numbers(values, name, self._numbers, reasons)
            case "imsi" | "imei":
                found = casting.identities(values, name, reasons)
            case "ip":
                found = casting.addresses(values, name, reasons)
            case "choice":
                found = casting.choices(values, name, column.choices, reasons)
            case "account":
                casting.accounts(values, name, reasons)
            case "currency":
                found = casting.currencies(values, name, reasons)
            case "cell":
                if self._base is None:
                    self._base = cell_base(values)
                found = cell_ids(values, self._base, padded=True)
        return found

    def _listed(self) -> Parts | None:
        """Rows of an operator's own list; None where the file is none."""
        from cordon.calls.lists import listing

        told = listing(
            self.path,
            self.form.name,
            self.form.required,
            self._region,
            name=self.name,
            progress=self._progress,
            dates=self._dates,
            expected=self.form.expected,
        )

        def rows() -> Parts:
            assert told is not None
            yield from told.parts()
            self.notes.update(told.notes)
            self.broken = told.broken

        return None if told is None else rows()

    def _csv(self) -> Parts:
        """Rows of a text or of a workbook, whose sheets are read one after another."""
        opened = source(self.path, self._progress, self.form.expected, self.name)
        header: list[str] = []
        part, found, sign, row = -1, False, ",", 1
        wanted: list[str] = []
        for block in opened.blocks():
            body = block.text
            if block.part != part or not header:
                begins = len(body) - len(body.lstrip(b"\r\n"))
                if begins == len(body):
                    continue
                line, _, rest = body[begins:].partition(b"\n")
                if found and not self._fits(line):
                    if block.part != part:
                        self.notes[f"sheet {block.part + 1} has other columns"] += 1
                    part, header = block.part, []
                    continue
                header, sign = self._header(line)
                row = block.row + body.count(b"\n", 0, begins) + 1
                body, part, found = rest, block.part, True
                wanted = [c.name for c in self.form.columns if c.name in header]
                header = once(header, wanted)
            self.broken = opened.broken
            clear, cut = whole(Block(part, row, body), opened.broken)
            odd = [cut] if cut else []
            rows = parse_block(clear.text, header, wanted, row, sign) if clear.text else None
            if rows is not None:
                row += rows.lines
                table = self._with_zone(rows.table) if opened.is_workbook else rows.table
                yield table, rows.numbers, [*rows.refusals, *odd]
            elif odd:
                empty = pa.table({n: pa.array([], pa.string()) for n in wanted})
                yield empty, np.zeros(0, np.int64), odd
        self.broken = opened.broken
        if not found:
            raise BadInput(opened.broken or f"{self.name} is empty.", advice=self.form.expected)

    def _with_zone(self, table: pa.Table) -> pa.Table:
        """A workbook's dates name no zone: moments are the country's own, and days stay days."""
        zone = clock_of(self._region) or UTC
        for column in self.form.columns:
            if column.holds not in ("time", "day") or column.name not in table.column_names:
                continue
            found = table[column.name]
            if column.holds == "day":
                found = in_utc(found)
            else:
                found, moved = in_zone(found, zone)
                if moved:
                    self.notes[f"{column.name} names no zone; the country's own was taken"] += moved
            table = table.set_column(table.column_names.index(column.name), column.name, found)
        return table

    def _fits(self, line: bytes) -> bool:
        names = {n.strip().lower() for n in split(line, ",")}
        return names.issuperset(self.form.required)

    def _header(self, line: bytes) -> tuple[list[str], str]:
        """The names of the columns, and what stands between two values."""
        best: list[str] = []
        for sign in SIGNS:
            names = [n.strip().lower() for n in split(line, sign)]
            if set(self.form.required) <= set(names):
                self._require(names)
                return names, sign
            best = best or names
        self._require(best, line.decode(errors="replace"))
        return best, ","

    def _require(self, names: Sequence[str], line: str | None = None) -> None:
        missing = [n for n in self.form.required if n not in names]
        if missing:
            other = format_of(names)
            what = looks(names, line)
            what = f"it looks like the format “{other}”: {what}" if other else what
            raise BadInput(
                f"{self.name} has no column {', '.join(missing)}: {what}.",
                advice=self.form.expected,
            )
        mine = [c.name for c in self.form.columns]
        twice = [n for n, times in Counter(names).items() if times > 1 and n in mine]
        if twice:
            raise BadInput(
                f"{self.name} has the column {twice[0]} twice.", advice=self.form.expected
            )

    def _parquet(self) -> Parts:
        try:
            with pq.ParquetFile(self.path) as file:
                names = {n.strip().lower(): n for n in reversed(file.schema_arrow.names)}
                self._require(list(names))
                wanted = [c for c in self.form.columns if c.name in names]
                total, row = file.metadata.num_rows, 1
                columns = [names[c.name] for c in wanted]
                for batch in file.iter_batches(PARQUET_ROWS, columns=columns):
                    table = pa.table({c.name: _raw(c, batch.column(names[c.name])) for c in wanted})
                    rows = np.arange(row, row + len(table), dtype=np.int64)
                    row += len(table)
                    if self._progress is not None:
                        self._progress(row - 1, total)
                    yield table, rows, []
        except (pa.ArrowException, OSError, UnicodeDecodeError) as wrong:
            raise BadInput(
                f"{self.name} looks like Parquet and cannot be read ({type(wrong).__name__}).",
                advice=self.form.expected,
            ) from None


def read_plain(
    path: Path,
    form: Form,
    region: str = "PK",
    name: str = "",
    progress: Progress | None = None,
    parts: Parts | None = None,
    once: bool = True,
    dates: str = "",
) -> Plain:
    """A whole file of a plain format: CSV or Parquet, plain, `.gz` or `.zst`.

    Args:
        form: what the file is to be (`forms.CELLS`, …). An unknown column is passed over.
        region: ISO 3166 code of numbers in national form.
        name: how errors call the file; its own name where empty.
        progress: told what was read and what there is (bytes; rows for Parquet).
        parts: its rows, where another reader knows what the file is.
        once: leave out rows that were there before. dates: as of `PlainReading`.

    Raises:
        BadInput: it is none. NothingRead: none of its rows can be read.
    """
    reading = PlainReading(path, form, region, name, progress, parts, once, dates)
    tables: list[pa.Table] = []
    refusals: list[Refusal] = []
    try:
        for batch in reading.batches():
            tables.append(batch.table)
            refusals += batch.refusals
    except BadInput as wrong:
        odd = [(reading.name, r) for r in refusals]
        raise NothingRead(wrong.message, odd, advice=wrong.advice) from None
    whole = pa.concat_tables([form.schema.empty_table(), *tables]).combine_chunks()
    return Plain(
        whole, reading.counts, refusals, reading.broken, dict(reading.notes), reading.sha256
    )


def _named(table: pa.Table, form: Form) -> pa.Array:
    """Of each row what a row that repeats it has, too, as one text."""
    assert form.unique is not None
    if not form.alike:
        return as_array(table[form.unique])
    columns = []
    for name in (form.unique, *form.alike):
        column = as_array(table[name])
        if pa.types.is_timestamp(column.type):
            column = pc.floor_temporal(column, unit="day").cast(pa.int64())
        columns.append(column.cast(pa.string()))
    # how long each is stands first, so that no text can be written that reads as two others
    sizes = [pc.binary_length(column).cast(pa.string()) for column in columns]
    return pc.binary_join_element_wise(*sizes, *columns, "/")


def _bounded(values: pa.Array, column: Column, reasons: Reasons) -> pa.Array:
    """The values; a reason for those beyond the column's bounds."""
    name = column.name
    for bound, beyond, says in (
        (column.least, pc.less, "less than"),
        (column.above, pc.less_equal, "not more than"),
        (column.most, pc.greater, "more than"),
    ):
        if bound is not None:
            # a whole bound, because a decimal is compared to no float
            whole = int(bound) if float(bound).is_integer() else bound
            reasons.where(beyond(values, pa.scalar(whole)), f"{name} is {says} {_told(bound)}")
    return values


def _told(bound: float) -> str:
    return f"{bound:,.0f}" if bound >= 1e6 else f"{bound:g}"


def _raw(column: Column, values: pa.Array) -> pa.Array:
    """A Parquet column as the casts take it; whole numbers keep all their digits."""
    kind = values.type
    if pa.types.is_dictionary(kind):
        values = values.dictionary_decode()
        kind = values.type
    if column.holds in ("time", "day") and (pa.types.is_timestamp(kind) or pa.types.is_date(kind)):
        return values
    if column.holds in ("float", "int", "decimal") and (
        pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    ):
        return values
    if pa.types.is_floating(kind):
        with suppress(pa.ArrowInvalid):
            values = values.cast(pa.int64())
    text = values.cast(pa.string())
    trimmed = pc.utf8_trim_whitespace(text)
    return pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, pa.string()), trimmed)
