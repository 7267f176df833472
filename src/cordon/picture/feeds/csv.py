"""Positions as CSV: a header, comma, RFC 4180; UTF-8 or UTF-16, with or without its mark.

A line that is not UTF-8 is read as Latin-1, which takes any byte: names then show as they
were meant in Western Europe, and the columns that matter are ASCII anyway.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from itertools import islice
from typing import IO

import numpy as np

from cordon.kernel.errors import BadInput
from cordon.picture.feeds.source import LONGEST_LINE, ROWS_A_BATCH, Cut, Gathering, lines_of
from cordon.picture.feeds.table import KNOWN, expect, take_rows
from cordon.picture.model import Refusal
from cordon.picture.tracks import Batch


def read_csv(file: IO[bytes], name: str, g: Gathering) -> Iterator[Batch]:
    """Batches of a CSV file.

    Args:
        file: its bytes, uncompressed. name: for errors. g: where rows are gathered.

    Raises:
        BadInput: the header lacks a required column; it names what was found and expected.
    """
    cut = [False]
    rows = _rows(_text(file, cut))
    header = next(rows, None)
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
        g.note(Refusal(row + 1, "the file ends early here: its compression is cut or damaged"))


def _rows(lines: Iterator[str]) -> Iterator[list[str] | None]:
    """Rows; None for one that cannot be taken.

    A quote that is never closed would swallow the rows after it, silently. So a row that ran
    over several lines and has not the header's width is taken apart: its first line is
    refused, and the others are read by themselves.
    """
    recent: list[str] = []

    def kept() -> Iterator[str]:
        for line in lines:
            recent.append(line)
            yield line

    reader = csv.reader(kept())
    width = 0
    while True:
        recent.clear()
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error:
            fields = []
        if len(recent) == 1 and fields:
            width = width or len(fields)
            yield fields
        elif not fields and "".join(recent).strip() == "":
            yield []
        elif len(fields) == width:
            yield fields  # RFC 4180 lets a quoted field hold line breaks
        else:
            yield None
            for line in recent[1:]:
                yield from _alone(line)


def _alone(line: str) -> Iterator[list[str] | None]:
    try:
        yield from csv.reader([line])
    except csv.Error:
        yield None


def _text(file: IO[bytes], cut: list[bool]) -> Iterator[str]:
    raw = io.BufferedReader(file) if not hasattr(file, "peek") else file  # type: ignore[type-var]
    try:
        head = raw.peek(4)[:4]
    except (EOFError, OSError):
        head = b""
    if head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        yield from _wide(raw, cut)
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


def _wide(raw: IO[bytes], cut: list[bool]) -> Iterator[str]:
    lines = io.TextIOWrapper(raw, encoding="utf-16", errors="replace", newline="")
    try:
        while line := lines.readline(LONGEST_LINE):
            yield line
    except (EOFError, OSError):
        cut[0] = True
