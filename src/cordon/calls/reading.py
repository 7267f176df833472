"""Reads files of the format `calls`, a batch at a time, so that memory stays flat."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from cordon.calls import forwarding
from cordon.calls.cellids import DECIMAL, Base, cell_ids
from cordon.calls.checking import COLUMNS, PLACES, REQUIRED, as_array, checked
from cordon.calls.forms import format_of
from cordon.calls.layouts import AUTO, Recognised, chosen, plain, recognise
from cordon.calls.layouts.dates import order_of
from cordon.calls.layouts.recognise import nearest, split
from cordon.calls.lists import told_by
from cordon.calls.looks import looks
from cordon.calls.model import Counts, Refusal, none_read
from cordon.calls.numbers import Numbers
from cordon.calls.printed import Printed, first_header
from cordon.calls.rows import parse_block
from cordon.calls.sections import HEAD_BYTES
from cordon.calls.sources import Block, Source, source
from cordon.calls.statements import Statements, expected_of, once, whole
from cordon.calls.unpacking import Progress
from cordon.kernel.errors import BadInput
from cordon.kernel.store.files import sha256_of

READ = (*COLUMNS, *forwarding.COLUMNS)
"""Columns that are read of a file of the format."""

PARQUET_ROWS = 1 << 16  # rows of a batch from a Parquet file
_EXPECTED = (
    f"A CSV or Parquet file with the columns {', '.join(REQUIRED)} is expected "
    "(the format “calls”)."
)
_LEARN = "Or have a layout proposed: cordon calls layout learn FILE."


@dataclass(frozen=True, slots=True)
class Batch:
    """Part of a file.

    Attributes:
        number: from 0; the same part of the same file has the same number on every reading.
        table: the rows taken, in `checking.SCHEMA`. refusals: the others. read: both.
        forwards: which of them were sent on by whom to whom, in `forwarding.SCHEMA`.
    """

    number: int
    table: pa.Table
    refusals: tuple[Refusal, ...]
    read: int
    forwards: pa.Table = field(default_factory=forwarding.none)


class Reading:
    """A file being read; iterate over it once.

    Attributes:
        name: the file's name. sha256: of its bytes as they stand on the disk (hex).
        counts: rows so far; none is called repeated here (see `importing.without_repeats`).
        broken: a sentence that says where the file breaks off, or None.
        layout: name of the layout that it was read by, once it is known.
        notes: sentences on what of it was passed over.

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
        folder: Path | None = None,
        dates: str = "",
    ) -> None:
        if not path.is_file():
            raise BadInput(f"There is no file {name or path.name}.", advice=_EXPECTED)
        self.path = path
        self.name = name or path.name
        self.counts = Counts()
        self.broken: str | None = None
        self.layout = ""
        self.notes: list[str] = []
        self._layouts = chosen(layout, folder)
        self._asked = layout
        self._folder = folder
        self._order = order_of(dates)
        self._fixed = False
        self._is_workbook = False
        self._should_be = _EXPECTED
        self._numbers = Numbers(region)
        self._progress = progress
        self._reasons: Counter[str] = Counter()
        self.sha256 = sha256_of(path)

    def __iter__(self) -> Iterator[Batch]:
        with self.path.open("rb") as raw:
            is_parquet = raw.read(4) == b"PAR1"
        for batch in self._parquet() if is_parquet else self._text():
            refused = len(batch.refusals)
            self.counts += Counts(batch.read, batch.read - refused, 0, refused)
            self._reasons.update(r.reason.split(" (sheet ")[0] for r in batch.refusals)
            yield batch
        if self.counts.read and not self.counts.kept:
            none = none_read(self.name, self.counts.read, self._reasons)
            raise BadInput(none, advice=self._should_be)

    def _text(self) -> Iterator[Batch]:
        """The batches of a file of text or of a workbook."""
        head, lines = self._head()
        if head is not None and head.layout.own and not self._is_workbook:
            yield from self._own(head)
            return
        statements = Statements(
            self._source, self._layouts, self.name, self._numbers.region, self._order
        )
        if not statements.sections.found:
            self._say_why_not(lines)
        layout = statements.sections.found[0].head.layout
        self.layout = layout.name
        self._should_be = _EXPECTED if layout.own else expected_of(layout)
        self.notes += statements.notes
        self._numbers = Numbers(statements.region)
        for section in statements.sections.found:
            if section.head.layout.own:
                self._require(list(section.head.names))
        for number, part in statements.parts():
            yield self._batch(number, part.table, part.numbers, part.refusals)
        self.broken = statements.broken

    def _own(self, head: Recognised) -> Iterator[Batch]:
        """Batches of a text file of the format itself, which is read but once."""
        self._require(list(head.names))
        wanted = [n for n in READ if n in head.names]
        names, left, row = once(head.names, wanted), head.line + 1, head.line + 1
        base: str | None = None
        source = self._source(True)
        for number, block in enumerate(source.blocks()):
            self.broken = source.broken
            at = 0
            while left and at < len(block.text):
                at = block.text.find(b"\n", at) + 1 or len(block.text)
                left -= 1
            body, cut = whole(Block(0, row, block.text[at:]), source.broken)
            if not body.text and cut is None:
                continue
            rows = parse_block(body.text, names, wanted, row, head.sign) if body.text else None
            table = pa.table({n: pa.array([], pa.string()) for n in wanted})
            numbers, odd = np.zeros(0, np.int64), [cut] if cut else []
            if rows is not None:
                table, numbers, odd = rows.table, rows.numbers, [*rows.refusals, *odd]
                row += rows.lines  # one of several lines counts once
            cells = [n for n in PLACES[:2] if n in wanted]
            if base is None:
                known = Base()
                for name in cells:
                    known.look(table[name])
                base = known.told
            for name in cells if base != DECIMAL else ():
                done = cell_ids(as_array(table[name]), base, padded=True)
                table = table.set_column(wanted.index(name), name, done)
            yield self._batch(number, table, numbers, odd)
        self.broken = source.broken

    def _batch(
        self, number: int, table: pa.Table, rows: NDArray[np.int64], odd: Sequence[Refusal]
    ) -> Batch:
        done, refusals = checked(table, rows, self.sha256, self._numbers)
        every = tuple(sorted([*odd, *refusals], key=lambda r: r.row))
        sent = forwarding.forwards(table, done, rows, self._numbers)
        return Batch(number, done, every, len(done) + len(every), sent)

    def _head(self) -> tuple[Recognised | None, list[bytes]]:
        """The file's first header, where its first lines have one; and those lines."""
        opened = self._source(False)
        self._is_workbook = opened.is_workbook
        block = next(opened.blocks(), None)
        if block is None or not block.text.strip():
            raise BadInput(opened.broken or f"{self.name} is empty.", advice=_EXPECTED)
        lines = block.text[:HEAD_BYTES].split(b"\n")
        found = recognise(lines, [one for one in self._layouts if one.shape != "fixed"])
        if found is None and not opened.is_workbook:
            self._fixed = self._printed(lines)
        if found is not None:
            self.layout = found.layout.name
        return found, lines

    def _printed(self, lines: Sequence[bytes]) -> bool:
        """True where a layout's header stands at fixed places."""
        if not any(one.shape != "delimited" and not one.own for one in self._layouts):
            return False
        text = b"\n".join(lines).decode(errors="replace").expandtabs().split("\n")
        return first_header(text, self._fits) is not None

    def _fits(self, names: Sequence[str]) -> int:
        """How many fields a header of these names has for the layout that it fits best."""
        have = [plain(n) for n in names]
        fits = 0
        for one in self._layouts:
            own = one.respelt(have)
            if one.shape != "delimited" and not one.own and set(one.known_by) <= set(own):
                fits = max(fits, sum(one.column(f, own) is not None for f in one.columns))
        return fits

    def _source(self, shown: bool) -> Source:
        """The file opened anew; its progress is told where it is shown."""
        opened = source(self.path, self._progress if shown else None, _EXPECTED, self.name)
        return Printed(opened, self._fits) if self._fixed else opened

    def _say_why_not(self, lines: Sequence[bytes]) -> NoReturn:
        """Say what a file without a known layout looks like, what is nearest, what it lacks."""
        if self._asked != AUTO:
            self._say_what_fits(lines)
        first = next((one for one in lines if one.strip()), b"").decode(errors="replace")
        names = [n.strip().lower() for n in split(first.encode(), ",")]
        other = told_by(lines)
        if other is not None and format_of(names) is None:
            raise BadInput(
                f"{self.name} holds no calls: by its headings it is a list of {other.form}.",
                advice=f"Bring it in with --kind {other.form}, or give it to a search as such.",
            )
        near = nearest(lines, [one for one in self._layouts if not one.own])
        if near is not None and len(near[1]) < len(near[0].known_by) - 1:
            raise BadInput(
                f"{self.name} has no known layout. Nearest is {near[0].name}, but the file lacks "
                f"{_columns(near[1])}.",
                advice=f"{_EXPECTED} {_LEARN}",
            )
        if any(one.own for one in self._layouts):
            self._require(names, first)
        asked = self._layouts[0]
        raise BadInput(
            f"{self.name} is not in the layout {asked.name}: {_what(names, first)}.",
            advice=f"A file with {_columns(asked.known_by)} is expected. {_LEARN}",
        )

    def _say_what_fits(self, lines: Sequence[bytes]) -> None:
        """Say which layout a file has, where it has another one than was asked for."""
        other = recognise(lines, chosen(AUTO, self._folder))
        if other is None:
            return
        what = other.layout.name if not other.layout.own else "cordon (the format “calls”)"
        raise BadInput(
            f"{self.name} is not in the layout {self._layouts[0].name}: it looks like {what}.",
            advice=f"Give --layout {other.layout.name}, or auto, which tells it from each file.",
        )

    def _require(self, names: Sequence[str], line: str | None = None) -> None:
        missing = [n for n in REQUIRED if n not in names]
        twice = [n for n, times in Counter(names).items() if times > 1 and n in COLUMNS]
        if twice:
            raise BadInput(f"{self.name} has the column {twice[0]} twice.", advice=_EXPECTED)
        if missing:
            raise BadInput(
                f"{self.name} has no column {', '.join(missing)}: {_what(names, line)}.",
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
                wanted = [n for n in READ if n in names]
                total, row = file.metadata.num_rows, 1
                batches = file.iter_batches(PARQUET_ROWS, columns=[names[n] for n in wanted])
                for number, batch in enumerate(batches):
                    raw = pa.table({n: _raw(n, batch.column(names[n])) for n in wanted})
                    rows = np.arange(row, row + len(raw), dtype=np.int64)
                    found = self._batch(number, raw, rows, ())
                    row += len(raw)
                    if self._progress is not None:
                        self._progress(row - 1, total)
                    yield found
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
    folder: Path | None = None,
    dates: str = "",
) -> Reading:
    """Batches of a file of calls: CSV or Parquet, plain or `.gz` or `.zst`; or a workbook.

    Args:
        layout: name of the operator's layout, or `auto` to tell it from the file, or the path
            of a layout's own file.
        folder: of layouts beside the built-in ones.
        dates: `day-first` or `month-first`, where somebody said which it is; it holds where no
            date of the file settles it, and a file of which one contradicts it is refused.
        name: how errors call the file; its own name where empty.
        region: ISO 3166 code of numbers in national form.
        progress: told what was read and what there is (bytes; rows for Parquet).
    """
    return Reading(path, region, progress, layout, name, folder, dates)


def _raw(name: str, column: pa.Array) -> pa.Array:
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


def _columns(names: Sequence[str]) -> str:
    return f"the column{'s' * (len(names) > 1)} {', '.join(names)}"


def _what(names: Sequence[str], line: str | None) -> str:
    other = format_of(names)
    what = looks(names, line)
    return f"it looks like the format “{other}”: {what}" if other else what
