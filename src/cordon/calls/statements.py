"""Operators' files by their layouts: one table or many, text, printed or a workbook.

A file is read twice: first to find its tables and to tell from all of its dates and cells how
they are written, then for its rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from itertools import chain

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cordon.calls import forwarding
from cordon.calls.cellids import HEXADECIMAL, Base, cell_ids
from cordon.calls.checking import COLUMNS
from cordon.calls.layouts import Layout, Recognised, mapped
from cordon.calls.layouts.areas import joined_cells
from cordon.calls.layouts.dates import Order, needs_order, parted
from cordon.calls.layouts.lines import without_furniture
from cordon.calls.model import Refusal
from cordon.calls.plans import Plans
from cordon.calls.rows import Rows, parse_block
from cordon.calls.sections import Piece, Sections
from cordon.calls.sources import Block, Source
from cordon.calls.workbook import ROWS_OF_A_SHEET
from cordon.kernel.clock import format_time
from cordon.kernel.errors import BadInput

_CELLS = ("cell", "caller_cell", "callee_cell")
_WHOSE = ("target", "caller")  # the operator's own subscribers
_NAIVE = r"^(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2}:\d{2})$"
_WORDS = {"dmy": "day", "mdy": "month"}
_BREAKS_OFF = "the file breaks off in this row"


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of one block in the columns of the format, still as text, and those that are none."""

    table: pa.Table
    numbers: NDArray[np.int64]
    refusals: tuple[Refusal, ...]


class Statements:
    """A file of an operator.

    Args:
        opened: opens the file anew; told whether its progress is to be shown.
        layouts: those that it may have. name: how errors call it.
        region: ISO 3166 code of numbers in national form, where the layouts name none.
        order: of day and month as somebody said it of this file, for where no date settles it;
            `dmy`, `mdy` or empty.

    Attributes:
        sections: its tables. notes: sentences on what of it was passed over.
        region: of its numbers in national form.
    """

    def __init__(
        self,
        opened: Callable[[bool], Source],
        layouts: Sequence[Layout],
        name: str,
        region: str,
        order: str = "",
    ) -> None:
        self.sections = Sections(layouts)
        self.notes: list[str] = []
        self.broken: str | None = None
        self._opened = opened
        self._name = name
        self._order = Order()
        self._said = order
        self._unclear = False
        self._base = Base()
        self._plans = Plans()
        self._survey()
        self.region = self._region(region)

    def parts(self) -> Iterator[tuple[int, Part]]:
        """The file's rows, a block at a time, with the block's number."""
        source = self._opened(True)
        for number, block in enumerate(source.blocks()):
            body, cut = whole(block, source.broken)
            tables: list[pa.Table] = []
            numbers: list[NDArray[np.int64]] = []
            odd = [*block.refusals, *([cut] if cut else [])]
            for piece in self.sections.pieces(body):
                head = piece.section.head
                rows = self._rows(piece, _wanted(head))
                table, at = rows.table, rows.numbers
                odd += rows.refusals
                if head.layout.own:
                    at_start = table.column_names.index("start")
                    table = table.set_column(at_start, "start", in_utc(table["start"]))
                else:
                    clear = mapped(table, at, head.layout, self._told(head), piece.section.given)
                    table, at = clear.table, clear.numbers
                    odd += clear.refusals
                tables.append(_cells_in_decimal(table, head.layout.cells or self._base.told))
                numbers.append(at)
            if block.part:
                odd = [placed(r, block.part) for r in odd]
            if tables or odd:
                yield number, _joined(tables, numbers, odd)
        self.broken = source.broken

    def _survey(self) -> None:
        """Find the tables, the order of day and month, and the base of the cells' numbers.

        Raises:
            BadInput: the dates contradict one another, or nothing tells.
        """
        source = self._opened(False)
        for block in source.blocks():
            self.sections.look(block)
            for piece in self.sections.pieces(block):
                head = piece.section.head
                names = list(head.names)
                dated = None if head.layout.own else self._date_column(head)
                placed = _placed(head)
                whose = [
                    n for f in _WHOSE if head.layout.region and (n := head.layout.column(f, names))
                ][:1]
                wanted = list(dict.fromkeys((*([dated] if dated else []), *chain(*placed), *whose)))
                if not wanted:
                    continue
                rows = self._rows(piece, wanted)
                for found in placed:
                    self._base.look(joined_cells(rows.table, found, head.layout.network))
                for name in whose:
                    self._plans.look(rows.table[name])
                if dated:
                    self._look_at_dates(rows.table[dated])
        self._check_dates(source.is_workbook)
        self.notes += self._taken()
        for part in self.sections.without:
            if self.sections.found:
                self.notes.append(f"Sheet {part + 1} of {self._name} has no known layout.")

    def _taken(self) -> Iterator[str]:
        """What of the file was taken for something, and may be something else."""
        heads = {s.head.names: s.head for s in self.sections.found}
        open_ = [h for h in heads.values() if not h.layout.own and not h.layout.cells]
        if self._base.told == HEXADECIMAL and any(_placed(head) for head in open_):
            yield (
                f"All cells of {self._name} were taken as hexadecimal, because some of their "
                "numbers have letters in them. Where they are decimal, say so in the layout's "
                "file (cells: decimal) and bring the file in again."
            )
        for names, head in heads.items():
            twice = [n for n in _wanted(head) if names.count(n) > 1]
            for name in twice:
                yield (
                    f"{self._name} has {names.count(name)} columns that are called {name[:40]}; "
                    "the first of them was read and the others were passed over."
                )

    def _region(self, readers: str) -> str:
        regions = {s.head.layout.region for s in self.sections.found if not s.head.layout.own}
        if len(regions) > 1:
            raise BadInput(
                f"{self._name} holds tables of operators whose numbers are of different countries.",
                advice="Bring each table in as a file of its own.",
            )
        for section in self.sections.found:
            self._plans.look(pa.chunked_array([[section.given.get("target")]], pa.string()))
        named = next(iter(regions), "")
        return self._plans.told(named, readers) if named else readers

    def _look_at_dates(self, column: pa.ChunkedArray) -> None:
        values = pc.utf8_trim(column, characters=" '\"=").unique().to_pylist()
        dates = [(parted(v) or (v,))[0] for v in values if v]
        self._unclear = self._unclear or any(needs_order(d) for d in dates)
        self._order.look(dates)

    def _check_dates(self, is_workbook: bool) -> None:
        order = self._order
        if is_workbook and order.written and order.swapped:
            raise BadInput(
                f"It cannot be told which dates {self._name} means: some are dates and others "
                "text, as a spreadsheet makes them that reads day and month in its own order.",
                advice="Ask the sender for the file as it was before a spreadsheet opened it.",
            )
        if order.contradicts(self._said) and not (order.day_first and order.month_first):
            raise BadInput(
                f"{self._name} does not write {_WORDS[self._said]} first, as was said: "
                f"{order.day_first or order.month_first:,} of its dates can only be read the "
                "other way.",
                advice="Leave the order of dates (--dates) unsaid: its own dates tell it.",
            )
        said = {s.head.layout.name: s.head.layout.order for s in self.sections.found}
        open_ = self._unclear and not order.day_first and not order.month_first
        if open_ and self._said:
            self.notes.append(
                f"No date of {self._name} settles whether day or month comes first; "
                f"{_WORDS[self._said]} first was taken, as was said."
            )
        elif open_:
            self.notes += [
                f"No date of {self._name} settles whether day or month comes first; "
                f"{'month' if usual == 'mdy' else 'day'} first was taken, as {name} writes them."
                for name, usual in said.items()
                if usual
            ]
        for section in self.sections.found:
            if section.head.layout.own or not self._unclear:
                continue
            if order.told(self._said or section.head.layout.order) is not None:
                continue
            what = (
                f"{order.day_first:,} of its dates can only be read day first and "
                f"{order.month_first:,} only month first"
                if order.day_first
                else "every one of its dates can be read day first and month first"
            )
            raise BadInput(
                f"It cannot be told whether {self._name} writes day or month first: {what}.",
                advice="Ask the sender for it with its dates written in one way."
                if order.day_first
                else "Ask the sender which it is, and say so with the file: day-first or month-"
                "first (Order of dates on the page, --dates in the command).",
            )

    def _told(self, head: Recognised) -> str:
        return self._order.told(self._said or head.layout.order) or "ymd"

    def _date_column(self, head: Recognised) -> str:
        names = list(head.names)
        field = "start" if head.layout.column("start", names) else "date"
        name = head.layout.column(field, names)
        if name is None:
            advice = expected_of(head.layout)
            raise BadInput(f"{self._name} has no column of dates.", advice=advice)
        return name

    def _rows(self, piece: Piece, wanted: Sequence[str]) -> Rows:
        head = piece.section.head
        return parse_block(
            without_furniture(piece.text),
            once(head.names, wanted),
            wanted,
            piece.row,
            head.sign,
            by_line=True,
        )


def expected_of(layout: Layout) -> str:
    """A sentence that says what columns a layout's files have, for the advice of errors."""
    columns = [*layout.known_by, *(some[0] for some in layout.columns.values())]
    return (
        f"A file in the layout {layout.name} has the columns {', '.join(dict.fromkeys(columns))}."
    )


def once(names: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """A header in which each name stands once: of two columns with one name the first is meant."""
    first = {n: i for i, n in reversed(list(enumerate(names)))}
    return [n if n in wanted and first[n] == i else f"{n}#{i}" for i, n in enumerate(names)]


def whole(block: Block, broken: str | None) -> tuple[Block, Refusal | None]:
    """A block without the half row in which a file breaks off, and that row's refusal."""
    if broken is None or block.text.endswith(b"\n"):
        return block, None
    keep = block.text.rfind(b"\n") + 1
    body = block.text[:keep]
    if keep == len(block.text):
        return block, None
    cut = Refusal(block.row + body.count(b"\n"), _BREAKS_OFF)
    return Block(block.part, block.row, body, block.refusals), cut


def _placed(head: Recognised) -> list[tuple[str, ...]]:
    """Columns of cells whose base is to be told, each with that of its area where it has one."""
    names, layout = list(head.names), head.layout
    if layout.own:
        return [(n,) for n in _CELLS if n in names]
    found: list[tuple[str, ...]] = []
    for field in _CELLS if not layout.cells else ():
        columns = (layout.column(f, names) for f in (field, field.replace("cell", "area")))
        cell, area = columns
        found += [(cell, area) if area else (cell,)] if cell else []
    return found


def _wanted(head: Recognised) -> list[str]:
    if head.layout.own:
        return [n for n in (*COLUMNS, *forwarding.COLUMNS) if n in head.names]
    return sorted({n for some in head.layout.columns.values() for n in some} & set(head.names))


def in_utc(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A workbook's dates name no zone; in the plain formats they are in UTC."""
    return pc.replace_substring_regex(column, _NAIVE, r"\1T\2Z")


def in_zone(column: pa.ChunkedArray, zone: tzinfo) -> tuple[pa.ChunkedArray, int]:
    """A workbook's dates in UTC, by the clock of a zone; and how many name none of their own."""
    naive = pc.fill_null(pc.match_substring_regex(column, _NAIVE), False)
    count = pc.sum(naive).as_py() or 0
    if not count:
        return column, 0
    moments = [
        _utc(text, zone) if bare else text
        for text, bare in zip(column.to_pylist(), naive.to_pylist(), strict=True)
    ]
    return pa.chunked_array([pa.array(moments, pa.string())]), int(count)


def _utc(text: str, zone: tzinfo) -> str:
    try:
        return format_time(datetime.fromisoformat(text).replace(tzinfo=zone))
    except (ValueError, OverflowError, BadInput):
        return text  # refused as no time when it is cast


def _cells_in_decimal(table: pa.Table, base: str) -> pa.Table:
    for name in _CELLS:
        if name in table.column_names:
            column = table[name].combine_chunks()
            done = cell_ids(column, base)
            table = table.set_column(table.column_names.index(name), name, done)
    return table


def placed(refusal: Refusal, part: int) -> Refusal:
    """A refusal in a later sheet, which says where in the workbook the row is."""
    row = refusal.row - part * ROWS_OF_A_SHEET
    return Refusal(refusal.row, f"{refusal.reason} (sheet {part + 1}, row {row})")


def _joined(tables: list[pa.Table], numbers: list[NDArray[np.int64]], odd: list[Refusal]) -> Part:
    odd.sort(key=lambda r: r.row)
    if not tables:
        empty = pa.table({n: pa.array([], pa.string()) for n in COLUMNS})
        return Part(empty, np.zeros(0, np.int64), tuple(odd))
    table = tables[0]
    if len(tables) > 1:
        table = pa.concat_tables(tables, promote_options="default").combine_chunks()
    return Part(table, np.concatenate(numbers), tuple(odd))
