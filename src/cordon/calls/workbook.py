"""Workbooks (.xlsx) as lines of comma-parted text, sheet after sheet, a few rows at a time.

What a spreadsheet keeps is a value and a way to show it (ECMA-376 part 1, §18.3.1.4). A date is
written as one (`2026-01-17 08:30:00`), a number with all its digits; one of more than fifteen
digits is written in scientific notation, as which it is refused: a spreadsheet keeps fifteen.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from pyexpat import ExpatError

from cordon.calls.sources import Block
from cordon.calls.unpacking import Progress
from cordon.calls.xlsx import Book, DeclaresEntities, HoldsTooMuch, column_of, read_book, rows_of
from cordon.kernel.errors import BadInput

ROWS_OF_A_SHEET = 1 << 20  # a sheet has no more; a later sheet's rows are numbered beyond
MOST_UNPACKED = 4 << 30  # bytes of all of a workbook's parts
MOST_TEXTS = 256 << 20  # bytes of the texts that its sheets share, which are kept in memory
# a part that unpacks to more bytes may do so to so many times its size in the file: sheets of real
# records do to 10 to 80 times, what is written to fill a memory to 1,032 (RFC 1951) at most
BIG_PART, MOST_TIMES = 50 << 20, 200
MOST_SHEETS = 100
_HARMFUL = (
    "Do not open it: it may be meant to do harm. Ask the sender who made it, and for it as CSV."
)
_BLOCK_ROWS = 20_000
_LOOK = 200  # rows in which the widest tells how wide a sheet is
_MOST_MERGED = 200_000
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell [^>]*?ref="([A-Z]{1,3})(\d+):([A-Z]{1,3})(\d+)"')
_Span = tuple[int, int, list[str]]


class Workbook:
    """A workbook as a source: see `sources.Source`.

    A row has the number that its sheet shows; in later sheets 1,048,576 more a sheet.
    """

    is_workbook = True

    def __init__(
        self, path: Path, progress: Progress | None = None, expected: str = "", name: str = ""
    ) -> None:
        self.broken: str | None = None
        self._path = path
        self._name = name or path.name
        self._progress = progress
        self._expected = expected
        self._check()

    def blocks(self) -> Iterator[Block]:
        """Blocks of rows; an empty row is an empty line, so that every row keeps its number."""
        where = ""
        try:
            with zipfile.ZipFile(self._path) as archive:
                book = read_book(archive)
                for part, sheet in enumerate(book.sheets[:MOST_SHEETS]):
                    where = f"sheet {part + 1}, "
                    yield from self._sheet(part, archive, sheet, book)
        except HoldsTooMuch as wrong:
            raise BadInput(
                f"{self._name} holds more than any spreadsheet writes, in {where}{wrong}.",
                advice=_HARMFUL,
            ) from None
        except DeclaresEntities:
            raise BadInput(
                f"{self._name} declares entities, which no workbook needs.",
                advice="Do not open it: it may be meant to do harm.",
            ) from None
        except (
            KeyError, ValueError, IndexError, EOFError, OSError, RuntimeError, ExpatError,
            zlib.error, zipfile.BadZipFile, NotImplementedError,
        ) as wrong:  # fmt: skip
            raise BadInput(
                f"{self._name} looks like a workbook and cannot be read ({type(wrong).__name__}).",
                advice="Save it as CSV, and give that.",
            ) from None

    def _check(self) -> None:
        """That it unpacks to no more than can be meant."""
        with zipfile.ZipFile(self._path) as archive:
            # zipfile reads no more of a part than it says that it has
            parts = archive.infolist()
        sizes = {one.filename: one.file_size for one in parts}
        for one in parts:
            if one.file_size > max(BIG_PART, MOST_TIMES * one.compress_size):
                raise BadInput(
                    f"{self._name} is small and unpacks to very much: {one.filename} from "
                    f"{one.compress_size / 1e6:.1f} to {one.file_size / 1e6:,.0f} MB.",
                    advice=_HARMFUL,
                )
        if sum(sizes.values()) > MOST_UNPACKED or (
            sizes.get("xl/sharedStrings.xml", 0) > MOST_TEXTS
        ):
            raise BadInput(
                f"{self._name} unpacks to more than is read of a workbook.",
                advice="Save it as CSV, and give that.",
            )

    def _sheet(
        self, part: int, archive: zipfile.ZipFile, sheet: str, book: Book
    ) -> Iterator[Block]:
        merged = _merged(archive, sheet)
        base = part * ROWS_OF_A_SHEET
        held: list[list[str]] = []
        width, first = 0, 1
        for number, row in rows_of(archive, sheet, book):
            if number > ROWS_OF_A_SHEET:
                break
            while row and not row[-1]:
                row.pop()
            _fill(row, number, merged)
            while first + len(held) < number:  # rows that a sheet leaves out are empty
                held.append([])
                if len(held) >= _BLOCK_ROWS:
                    yield Block(part, base + first, _lines(held, width))
                    first, held = first + len(held), []
            held.append(row)
            # the first lines come first: mostly it is only asked what they are
            if len(held) >= (_BLOCK_ROWS if first > 1 else min(_LOOK, _BLOCK_ROWS)):
                width = width or max(map(len, held))
                yield Block(part, base + first, _lines(held, width))
                first, held = first + len(held), []
                self._told(base + number, len(book.sheets))
        if any(held):
            width = width or max(map(len, held))
            yield Block(part, base + first, _lines(held, width))
        self._told(base + ROWS_OF_A_SHEET, len(book.sheets))

    def _told(self, done: int, sheets: int) -> None:
        if self._progress is not None:
            self._progress(done, sheets * ROWS_OF_A_SHEET)


def _merged(archive: zipfile.ZipFile, sheet: str) -> dict[int, list[_Span]]:
    """Cells merged downwards, by column: first and last row, and where their text is put."""
    found: dict[int, list[_Span]] = {}
    held, count = b"", 0
    with archive.open(sheet) as xml:
        while chunk := xml.read(1 << 20):
            held += chunk
            end = 0
            for one in _MERGED.finditer(held) if b"mergeCell " in held else ():
                end = one.end()
                if one[1] == one[3] and count < _MOST_MERGED:
                    count += 1
                    span: _Span = (int(one[2]), int(one[4]), [])
                    found.setdefault(column_of(one[1].decode()), []).append(span)
            held = held[max(end, len(held) - 200) :]
    for spans in found.values():
        spans.sort(key=lambda s: -s[0])  # the next one is the last
    return found


def _fill(row: list[str], at: int, merged: dict[int, list[_Span]]) -> None:
    """Give a row what stands in the first of the cells merged with its own."""
    for column, spans in merged.items():
        while spans and spans[-1][1] < at:
            spans.pop()
        if not spans or spans[-1][0] > at:
            continue
        first, _, text = spans[-1]
        if at == first:
            text.append(row[column] if column < len(row) else "")
        elif text and text[0] and row:  # an empty row stays one
            row += [""] * (column + 1 - len(row))
            row[column] = row[column] or text[0]


def _lines(rows: list[list[str]], width: int) -> bytes:
    """Rows as comma-parted lines, as wide as the sheet; an empty row is an empty line."""
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n").writerow
    for row in rows:
        if row:
            write(row + [""] * (width - len(row)))
        else:
            out.write("\n")
    return out.getvalue().encode()
