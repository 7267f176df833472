"""Registers of subscribers: a number's kind of holder, and since when. Names are never read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from cordon.calls.casting import Reasons, phone_numbers, times
from cordon.calls.layouts.recognise import split
from cordon.calls.lists import Listing, listing
from cordon.calls.model import Counts, NothingRead, Refusal, SubscriberKind
from cordon.calls.numbers import Numbers
from cordon.calls.rows import parse_block
from cordon.calls.sources import source
from cordon.calls.statements import once
from cordon.kernel.errors import BadInput

_EXPECTED = (
    "A CSV or Parquet file with the columns number and kind is expected (the format “subscribers”)."
)
_COLUMNS = ("number", "kind", "activated")
_NEEDED = ("number",)
_KINDS = frozenset(kind.value for kind in SubscriberKind)


@dataclass(slots=True)
class Register:
    """What a file of the format `subscribers` says.

    Attributes:
        holders: kind of holder by number (E.164); numbers of which no kind is said are left out.
        activated: day on which a number was activated, counted from 1970-01-01; numbers of which
            none is said, or none that can be read, are left out.
        counts: of its rows; one number said twice is repeated. refusals: rows that were not taken.
        broken: a sentence that says where the file breaks off, or None.
        notes: a phrase on what was left out of rows that were taken, and of how many.
    """

    holders: dict[str, str] = field(default_factory=dict)
    activated: dict[str, int] = field(default_factory=dict)
    counts: Counts = field(default_factory=Counts)
    refusals: list[Refusal] = field(default_factory=list)
    broken: str | None = None
    notes: dict[str, int] = field(default_factory=dict)


def read_register(path: Path, region: str = "PK", name: str = "", dates: str = "") -> Register:
    """Read a register of subscribers.

    Args:
        region: ISO 3166 code of numbers in national form. name: how errors call the file.
        dates: the order of day and month (`layouts.dates.SAID`) in an operator's list.

    Raises:
        BadInput: there is none, or it is no register. NothingRead: none of its rows can be read,
            or it breaks off: a register of which a part is missing would let registered call
            centres be named.
    """
    name = name or path.name
    if not path.is_file():
        raise BadInput(f"There is no file {name}.", advice=_EXPECTED)
    numbers, register, seen = Numbers(region), Register(), set[str]()
    with path.open("rb") as raw:
        is_parquet = raw.read(4) == b"PAR1"
    parts = _parquet(path, name) if is_parquet else _csv(path, name, register)
    if not is_parquet:
        told = listing(
            path, "subscribers", _NEEDED, region, name=name, dates=dates, expected=_EXPECTED
        )
        parts = parts if told is None else _listed(told, register)
    for table, rows, odd in parts:
        register.refusals += odd
        register.counts += Counts(len(odd), 0, 0, len(odd))
        kinds = table["kind"].to_pylist() if "kind" in table.column_names else [None] * len(table)
        lost = Reasons(len(table))
        written = pa.array(table["number"].to_pylist(), pa.string())
        whole = phone_numbers(written, "number", numbers, lost).to_pylist()
        why = [lost.reasons[code] or "number is missing" for code in lost.codes]
        kept = repeats = 0
        for at, number, kind, day, none in zip(rows, whole, kinds, _days(table), why, strict=True):
            plain = (kind or "").strip().lower().replace(" ", "_")
            if number is None:
                _refuse(register, at, none)
            elif plain and plain not in _KINDS:
                _refuse(register, at, f"kind is none of {', '.join(sorted(_KINDS))}")
            else:
                again = number in seen
                seen.add(number)
                kept, repeats = kept + (not again), repeats + again
                if plain:
                    register.holders[number] = plain
                if day is not None:
                    register.activated[number] = day
        register.counts += Counts(kept + repeats, kept, repeats, 0)
    if register.broken:
        raise NothingRead(
            register.broken,
            [(name, r) for r in register.refusals],
            advice="Ask for the whole register again.",
        )
    if not seen:
        reason = Counter(r.reason for r in register.refusals).most_common(1)
        said = f"in {reason[0][1]:,} of its rows {reason[0][0]}" if reason else "it has no rows"
        raise NothingRead(
            f"Nothing of {name} can be read: {said}.",
            [(name, r) for r in register.refusals],
            advice=_EXPECTED,
        )
    return register


def _days(table: pa.Table) -> list[int | None]:
    """Days of activation, from 1970-01-01; a row whose day cannot be read keeps its kind."""
    if "activated" not in table.column_names:
        return [None] * len(table)
    told = table["activated"].combine_chunks()
    try:
        days = told.cast(pa.date32())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        days = times(told, "activated", Reasons(len(told)), days=True).cast(pa.date32(), safe=False)
    return list(days.cast(pa.int32()).to_pylist())


def _refuse(register: Register, row: int, reason: str) -> None:
    register.refusals.append(Refusal(row, reason))
    register.counts += Counts(1, 0, 0, 1)


_Part = tuple[pa.Table, list[int], list[Refusal]]


def _listed(told: Listing, register: Register) -> Iterator[_Part]:
    """Rows of an operator's own list."""
    for table, rows, odd in told.parts():
        yield table, rows.tolist(), odd
    register.broken, register.notes = told.broken, dict(told.notes)


def _csv(path: Path, name: str, register: Register) -> Iterator[_Part]:
    """Rows of a text or of a workbook, whose sheets are read one after another."""
    opened = source(path, None, _EXPECTED, name)
    header: list[str] = []
    part, row = -1, 1
    for block in opened.blocks():
        body = block.text
        if block.part != part:
            begins = len(body) - len(body.lstrip(b"\r\n"))
            if begins == len(body):
                continue
            line, _, body = body[begins:].partition(b"\n")
            header = [n.strip().lower() for n in split(line, ",")]
            _require(header, name)
            row = block.row + block.text.count(b"\n", 0, begins) + 1
            part = block.part
        if not body:
            continue
        wanted = [n for n in _COLUMNS if n in header]
        rows = parse_block(body, once(header, wanted), wanted, row)
        row += rows.lines
        yield rows.table, rows.numbers.tolist(), list(rows.refusals)
    register.broken = opened.broken
    if not header and not opened.broken:
        raise BadInput(f"{name} is empty.", advice=_EXPECTED)


def _parquet(path: Path, name: str) -> Iterator[_Part]:
    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as wrong:
        raise BadInput(
            f"{name} looks like Parquet and cannot be read ({type(wrong).__name__}).",
            advice=_EXPECTED,
        ) from None
    names = {n.strip().lower(): n for n in reversed(table.column_names)}
    _require(list(names), name)
    columns = {n: table[names[n]] for n in _COLUMNS if n in names}
    columns |= {n: columns[n].cast(pa.string()) for n in ("number", "kind") if n in columns}
    yield pa.table(columns), list(range(1, len(table) + 1)), []


def _require(names: list[str], name: str) -> None:
    if "number" not in names:
        raise BadInput(f"{name} has no column number.", advice=_EXPECTED)
    twice = [n for n in _COLUMNS if names.count(n) > 1]
    if twice:
        raise BadInput(f"{name} has the column {twice[0]} twice.", advice=_EXPECTED)
