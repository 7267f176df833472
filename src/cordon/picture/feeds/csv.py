"""Positions as CSV: a header, comma, RFC 4180; UTF-8 or UTF-16, with or without its mark.

A line that is not UTF-8 is read as Latin-1, which takes any byte: names then show as they
were meant in Western Europe, and the columns that matter are ASCII anyway.
"""

from __future__ import annotations

import codecs
import csv
import io
import zlib
from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import IO

import numpy as np

from cordon.kernel.errors import BadInput
from cordon.picture.feeds.source import CUT, LONGEST_LINE, ROWS_A_BATCH, Cut, Gathering, lines_of
from cordon.picture.feeds.table import KNOWN, expect, take_rows
from cordon.picture.tracks import Batch

_HEAD = 4096  # bytes looked at to tell the encoding and the ends of lines


def read_csv(file: IO[bytes], name: str, g: Gathering) -> Iterator[Batch]:
    """Batches of a CSV file.

    Args:
        file: its bytes, uncompressed. name: for errors. g: where rows are gathered.

    Raises:
        BadInput: the header lacks a required column; it names what was found and expected.
    """
    cut = [False]
    rows = _rows(_text(file, cut))
    header = next((r for r in rows if r is None or any(map(str.strip, r))), None)
    if not header:
        raise BadInput(f"{name} is empty.", advice="Expected positions with a header line.")
    found = [c.strip().lower() for c in header]
    expect(found, f"The header of {name}")
    at = {c: found.index(c) for c in KNOWN if c in found}
    width, least = len(found), max(at.values()) + 1
    row = 0
    while chunk := list(islice(rows, ROWS_A_BATCH)):
        numbers = np.arange(row + 1, row + 1 + len(chunk), dtype=np.int64)
        row += len(chunk)
        whole = []
        keep = np.ones(len(chunk), dtype=bool)
        for i, fields in enumerate(chunk):
            if fields is None or not least <= len(fields) <= max(width, least):
                keep[i] = False
                if fields:
                    g.counts.read += 1
                    g.refuse(int(numbers[i]), f"the row has {len(fields)} fields, not {width}")
                elif fields is None:
                    g.counts.read += 1
                    g.refuse(int(numbers[i]), "the row is too long or its quotes are broken")
            else:
                whole.append(fields)
        if whole:
            columns = list(zip(*(f[:width] for f in whole), strict=False))
            yield take_rows(g, {c: columns[i] for c, i in at.items()}, numbers[keep])
    if cut[0]:
        g.breaks_off(row, CUT)


class _Lines:
    """Lines on their way into rows; some may be given back.

    Attributes:
        recent: those of the row at hand. over: it asked for more than there are.
    """

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._again: deque[str] = deque()
        self.recent: list[str] = []
        self.over = False

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines, None)
        if line is None:
            self.over = True
            raise StopIteration
        self.recent.append(line)
        return line

    def begin(self) -> None:
        """A row begins."""
        self.recent, self.over = [], False

    def give_back(self) -> None:
        """The lines of the row at hand after its first will be read anew."""
        self._again.extendleft(reversed(self.recent[1:]))


def _rows(text: Iterator[str]) -> Iterator[list[str] | None]:
    """Rows; None for one that cannot be taken.

    A quote that is never closed swallows the rows after it, silently: up to the next quote,
    however far away. So of a row that ran over several lines only the first is refused, and
    the others are read anew, where it has not the header's width, is still open at the end,
    or holds a line that is a whole row by itself.
    """
    lines = _Lines(text)
    reader = csv.reader(lines)
    width = 0
    while True:
        lines.begin()
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error:
            fields = []
        if not fields and "".join(lines.recent).strip() == "":
            yield []
        elif fields and not lines.over and _is_one(fields, lines.recent, width):
            width = width or len(fields)
            yield fields
        else:
            yield None
            lines.give_back()


def _is_one(fields: list[str], lines: list[str], width: int) -> bool:
    """Whether what was read from some lines is one row: a quoted field may hold line breaks."""
    if len(lines) == 1:
        return True
    return len(fields) == width and not any(_fields(line) == width for line in lines[1:])


def _fields(line: str) -> int:
    try:
        return sum(map(len, csv.reader([line])))
    except csv.Error:
        return 0


def _text(file: IO[bytes], cut: list[bool]) -> Iterator[str]:
    raw = io.BufferedReader(file) if not hasattr(file, "peek") else file  # type: ignore[type-var]
    try:
        head = raw.peek(_HEAD)[:_HEAD]
    except (EOFError, OSError, zlib.error):
        head = b""
    if head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        yield from _decoded(raw, "utf-16", cut)
        return
    if b"\r" in head and b"\n" not in head:  # as old Macs ended their lines
        marked = head.startswith(codecs.BOM_UTF8)
        yield from _decoded(raw, "utf-8-sig" if marked else "utf-8", cut)
        return
    first = True
    try:
        for read in lines_of(raw):
            line = read.removeprefix(codecs.BOM_UTF8) if first else read
            first = False
            try:
                yield line.decode("utf-8")
            except UnicodeDecodeError:
                yield line.decode("latin-1")
    except Cut:
        cut[0] = True


def _decoded(raw: IO[bytes], encoding: str, cut: list[bool]) -> Iterator[str]:
    lines = io.TextIOWrapper(raw, encoding=encoding, errors="replace", newline="")
    try:
        while line := lines.readline(LONGEST_LINE):
            yield line
    except (EOFError, OSError, zlib.error):
        cut[0] = True
