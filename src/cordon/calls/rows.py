"""Blocks of CSV text as columns of strings, each row with its number; odd rows set aside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
from numpy.typing import NDArray

from cordon.calls import widths
from cordon.calls.layouts.recognise import split
from cordon.calls.model import Refusal
from cordon.calls.unpacking import as_utf8
from cordon.calls.widths import NO_VALUE

_MOST_LINES = 50  # of one quoted value; an open quote must not swallow the rest of a file
_REASON_QUOTE = "a quote is opened and never closed"


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of one block.

    Attributes:
        table: columns of strings, null where there is no value. numbers: each row's number.
        refusals: rows that are none. read: how many there were; lines: how many lines.
    """

    table: pa.Table
    numbers: NDArray[np.int64]
    refusals: tuple[Refusal, ...]
    read: int
    lines: int


def parse_block(
    block: bytes,
    header: Sequence[str],
    wanted: Sequence[str],
    first: int,
    sign: str = ",",
    *,
    by_line: bool = False,
) -> Rows:
    """Take a block of whole lines apart.

    Args:
        header: the file's columns, in order. wanted: those to return.
        first: number of the block's first line. sign: what stands between two values.
        by_line: a row of several lines counts as that many, so that every number is a line's.
    """
    block = as_utf8(block)
    if b"\r" in block:  # one that ends no line is no line end here, though the parser takes it so
        block = block.replace(b"\r\n", b"\n").replace(b"\r", b" ")
    lines = block.count(b"\n") + (not block.endswith(b"\n"))
    refusals: list[Refusal] = []
    if _is_odd(block):
        block, numbers, refusals, lines = _by_line(block, header, first, sign, by_line)
    else:
        numbers = np.arange(first, first + lines, dtype=np.int64)
    if not len(numbers):
        empty = pa.table({n: pa.array([], pa.string()) for n in wanted})
        return Rows(empty, numbers, tuple(refusals), len(refusals), lines)
    table, wrong = _parsed(block, header, wanted, sign)
    if len(table) + len(wrong) != len(numbers):
        table, wrong = _parsed_slowly(block, header, wanted, sign)
    if wrong:
        bad = np.array(list(wrong))
        refusals += [
            Refusal(int(numbers[at]), f"{found} values where the header has {len(header)}")
            for at, found in wrong.items()
        ]
        refusals.sort(key=lambda r: r.row)
        numbers = np.delete(numbers, bad)
    if b" " in block or b"\t" in block:
        table = _trimmed(table)
    return Rows(
        table.combine_chunks(), numbers, tuple(refusals), len(numbers) + len(refusals), lines
    )


def _parsed(
    block: bytes, header: Sequence[str], wanted: Sequence[str], sign: str
) -> tuple[pa.Table, dict[int, int]]:
    """The block's table, and the rows of another width: index from 0 and how many values.

    The parser takes rows as wide as most are; only others cost anything. Which of them are whole
    is said in `widths`.
    """
    names = widths.usual(block, header, sign)
    beyond = names[len(header) :]
    table, odd = _read(block, names, [*wanted, *beyond], sign)
    at = np.delete(np.arange(len(table) + len(odd)), list(odd))
    wrong: dict[int, int] = {}
    if beyond:
        says = widths.says_more(table.select(beyond))
        wrong = dict.fromkeys(at[says].tolist(), len(names))
        table, at = table.select(wanted).filter(pa.array(~says)), at[~says]
    if odd:
        brought, more = widths.brought(odd, header, len(names), sign)
        wrong |= more
        rest, _ = _read("".join(brought.values()).encode(), names, wanted, sign)
        # where some of them are lost, whoever asked sees that rows are missing
        order = np.argsort(np.concatenate([at, np.array(list(brought), np.int64)[: len(rest)]]))
        table = pa.concat_tables([table, rest]).combine_chunks().take(pa.array(order))
    return table, wrong


def _read(
    block: bytes, header: Sequence[str], wanted: Sequence[str], sign: str
) -> tuple[pa.Table, dict[int, str]]:
    """The rows that are as wide as the header, and the text of the others by index from 0."""
    wrong: dict[int, str] = {}

    def invalid(row: pacsv.InvalidRow) -> str:
        wrong[row.number - 1] = row.text
        return "skip"

    try:
        table = pacsv.read_csv(
            pa.BufferReader(block),
            # one thread: only then does a wrong row come with its number; and one block, so that
            # the number counts from its beginning
            read_options=pacsv.ReadOptions(
                column_names=list(header), use_threads=False, block_size=len(block) + 1
            ),
            parse_options=pacsv.ParseOptions(
                delimiter=sign,
                newlines_in_values=False,
                ignore_empty_lines=False,
                invalid_row_handler=invalid,
            ),
            convert_options=pacsv.ConvertOptions(
                include_columns=list(wanted),
                column_types=dict.fromkeys(wanted, pa.string()),
                null_values=list(NO_VALUE),
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
                check_utf8=False,
            ),
        )
    except pa.ArrowInvalid:
        table = pa.table({n: pa.array([], pa.string()) for n in wanted})
    return table, wrong


def _parsed_slowly(
    block: bytes, header: Sequence[str], wanted: Sequence[str], sign: str
) -> tuple[pa.Table, dict[int, int]]:
    """The same, value by value: for blocks in which the fast parser sees other lines than we."""
    wrong: dict[int, int] = {}
    kept: list[list[str]] = []
    for at, line in enumerate(block.removesuffix(b"\n").split(b"\n")):
        values = split(line, sign)
        if widths.is_whole(values, header):
            kept.append(values + [""] * (len(header) - len(values)))
        else:
            wrong[at] = len(values)
    columns = {
        name: pa.array(
            [None if (v := values[header.index(name)]) in NO_VALUE else v for values in kept],
            pa.string(),
        )
        for name in wanted
    }
    return pa.table(columns), wrong


def _is_odd(block: bytes) -> bool:
    """True where a line is empty or has an open quote."""
    if block[:1] == b"\n" or b"\n\n" in block:
        return True
    if b'"' not in block:
        return False
    text = np.frombuffer(block, np.uint8)
    ends = np.flatnonzero(text == ord("\n"))
    quotes = np.flatnonzero(text == ord('"'))
    before = np.searchsorted(quotes, ends)  # of each line's end: lines are fewer than quotes
    in_line = np.diff(before, prepend=0, append=len(quotes))
    return bool(np.any(in_line & 1))


def _by_line(
    block: bytes, header: Sequence[str], first: int, sign: str, by_line: bool
) -> tuple[bytes, NDArray[np.int64], list[Refusal], int]:
    """The block without empty lines, with quoted line ends as spaces; and what is none."""
    lines = block.removesuffix(b"\n").split(b"\n")
    kept: list[bytes] = []
    numbers: list[int] = []
    refusals: list[Refusal] = []
    at, row = 0, first
    while at < len(lines):
        line, taken = lines[at], 1
        if line.count(b'"') & 1:
            joined = _joined(lines[at : at + _MOST_LINES], header, sign)
            if joined is None:
                refusals.append(Refusal(row, _REASON_QUOTE))
                at, row = at + 1, row + 1
                continue
            line, taken = joined
        if line.strip():
            kept.append(line)
            numbers.append(row)
        at, row = at + taken, row + (taken if by_line else 1)
    text = b"\n".join(kept) + b"\n" if kept else b""
    return text, np.array(numbers, np.int64), refusals, row - first


def _joined(lines: list[bytes], header: Sequence[str], sign: str) -> tuple[bytes, int] | None:
    """One row over several lines, and how many; None where they make none."""
    quotes = 0
    for taken, line in enumerate(lines, 1):
        quotes += line.count(b'"')
        # a line that is a whole row by itself is no part of a value: the quote is a stray one
        if taken > 1 and not line.count(b'"') & 1:
            values = split(line, sign)
            if len(values) > 1 and widths.is_whole(values, header):
                return None
        if taken > 1 and quotes % 2 == 0:
            whole = b" ".join(lines[:taken])
            return (whole, taken) if widths.is_whole(split(whole, sign), header) else None
    return None


def _trimmed(table: pa.Table) -> pa.Table:
    columns = []
    for column in table.columns:
        trimmed = pc.ascii_trim_whitespace(column)
        columns.append(pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, pa.string()), trimmed))
    return pa.table(columns, names=table.column_names)
