"""A list read: its rows in the columns of the plain format, a block at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cordon.calls.layouts.dates import Order, needs_order, order_of
from cordon.calls.layouts.lines import without_furniture
from cordon.calls.layouts.recognise import SIGNS, split
from cordon.calls.lists import values
from cordon.calls.lists.converting import MUST, TIMES, Converting
from cordon.calls.lists.headings import Head, Headings, all_headings, clock_named, head_of
from cordon.calls.lists.otherwise import say_why_not
from cordon.calls.model import Refusal
from cordon.calls.rows import Rows, parse_block
from cordon.calls.sections import HEAD_BYTES, Piece, Sections
from cordon.calls.sources import source
from cordon.calls.statements import once, placed, whole
from cordon.calls.unpacking import Progress
from cordon.countries import clock_of, dates_of
from cordon.kernel.errors import BadInput

Parts = Iterator[tuple[pa.Table, NDArray[np.int64], list[Refusal]]]
_SAY_WHICH = (
    "Ask the sender which it is, and say so with the file: day-first or month-first (Order of "
    "dates on the page, --dates in the command)."
)


class Listing:
    """An operator's list.

    Args:
        headings: what it is. token: a word that stands in each of its headers.
        region: ISO 3166 code of the country by whose clock and order of day and month it is
            written, where it does not say so itself.
        said: the order of day and month as somebody said it (`dmy`, `mdy`), or empty.

    Attributes:
        notes: phrases on what of it was taken how, and in how many rows.
        broken: a sentence that says where the file breaks off, once it was read.
    """

    def __init__(
        self,
        headings: Headings,
        path: Path,
        name: str,
        region: str,
        *,
        said: str,
        token: str,
        progress: Progress | None,
    ) -> None:
        self.headings, self.notes = headings, Counter[str]()
        self.broken: str | None = None
        self._path, self._name, self._region = path, name, region
        self._said, self._progress = said, progress
        self._order, self._unclear = Order(), False
        self._places: dict[str, int] = {}
        self._sections = Sections(
            [headings.layout], tokens=[token], head=lambda some, _: head_of(some, [headings])
        )

    def parts(self) -> Parts:
        """The rows by the plain format's columns, their numbers, and those that are none.

        Raises:
            BadInput: it cannot be told whether its dates write day or month first.
        """
        self._survey()
        clock = clock_of(self._region)
        zone = clock.key if clock is not None else "UTC"
        opened = source(self._path, self._progress, "", self._name)
        for block in opened.blocks():
            body, cut = whole(block, opened.broken)
            odd = [*block.refusals, *([cut] if cut else [])]
            for piece in self._sections.pieces(body):
                head = _head(piece)
                zones = {n: clock_named(letters, zone) for n, letters in head.clocks.items()}
                if self.headings.form == "sessions" and not zones:
                    self.notes[f"its times name no zone; the clock of {zone} was taken"] = 1
                order = self._told(head)
                converting = Converting(self.headings, head, order, zone, zones, self.notes)
                rows = self._rows(piece, sorted({n for n in head.names if n and n != "holder"}))
                table, numbers, more = converting.converted(rows.table, rows.numbers)
                odd += [*rows.refusals, *more]
                if self.headings.form == "cells":
                    self._look_at_places(table)
                yield table, numbers, _in_sheet(odd, block.part)
                odd = []
            if odd:
                yield self._nothing(), np.zeros(0, np.int64), _in_sheet(odd, block.part)
        self.broken = opened.broken

    def _look_at_places(self, table: pa.Table) -> None:
        """Note cells that stand at several places: an identity is none that each site has too."""
        rows = zip(*(table[n].to_pylist() for n in ("cell", "lat", "lon")), strict=True)
        again = sum(self._places.setdefault(c, hash((x, y))) != hash((x, y)) for c, x, y in rows)
        if again:
            self.notes["the same cell stands at another place too; the first was taken"] += again

    def _nothing(self) -> pa.Table:
        needed = sorted({n for some in self.headings.needs for n in some} - {"holder"})
        return pa.table({n: pa.array([], pa.string()) for n in needed})

    def _survey(self) -> None:
        """Find the tables, and what all dates say of the order of day and month."""
        opened = source(self._path, None, "", self._name)
        dated = [f"{n}{end}" for n in TIMES.get(self.headings.form, {}) for end in ("", "_date")]
        for block in opened.blocks():
            self._sections.look(block)
            for piece in self._sections.pieces(block):
                wanted = [n for n in dated if n in piece.section.head.names]
                for column in self._rows(piece, wanted).table.columns if wanted else ():
                    dates, _ = values.dates_and_times(values.bare(column).unique())
                    texts = [v for v in dates.to_pylist() if v]
                    self._unclear = self._unclear or any(needs_order(v) for v in texts)
                    self._order.look(texts)
        if opened.is_workbook and self._order.written and self._order.swapped:
            raise BadInput(
                f"It cannot be told which dates {self._name} means: some are dates and others "
                "text, as a spreadsheet makes them that reads day and month in its own order.",
                advice="Ask the sender for the file as it was before a spreadsheet opened it.",
            )
        if self._order.contradicts(self._said) and not self._mixed:
            raise BadInput(
                f"{self._name} does not write its dates as was said.",
                advice="Leave the order of dates (--dates) unsaid: its own dates tell it.",
            )

    @property
    def _mixed(self) -> bool:
        return bool(self._order.day_first and self._order.month_first)

    def _told(self, head: Head) -> str:
        """The order of day and month; empty where dates that need one are left out."""
        own = self._said or next((o for o in head.orders.values() if o != "ymd"), "")
        order = self._order.told(own or dates_of(self._region))
        if not self._unclear:
            return order or "ymd"
        if order is None:
            return self._cannot_tell()
        if not (own or self._order.day_first or self._order.month_first):
            first = "day" if order == "dmy" else "month"
            note = f"no date settles whether day or month comes first; {first} first was taken"
            self.notes[f"{note}, as is usual in {self._region.upper()}"] = 1
        return order

    def _cannot_tell(self) -> str:
        if self.headings.form not in MUST:
            return ""
        what = (
            "some of its dates can only be read day first and others only month first"
            if self._mixed
            else "every one of its dates can be read day first and month first"
        )
        again = "Ask the sender for it with its dates written in one way."
        raise BadInput(
            f"It cannot be told whether {self._name} writes day or month first: {what}.",
            advice=again if self._mixed else _SAY_WHICH,
        )

    def _rows(self, piece: Piece, wanted: Sequence[str]) -> Rows:
        head = piece.section.head
        text = without_furniture(piece.text)
        header = once(head.names, wanted)
        return parse_block(text, header, wanted, piece.row, head.sign, by_line=True)


def _head(piece: Piece) -> Head:
    head = piece.section.head
    assert isinstance(head, Head)
    return head


def _in_sheet(odd: Sequence[Refusal], part: int) -> list[Refusal]:
    some = [placed(r, part) for r in odd] if part else odd
    return sorted(some, key=lambda r: r.row)


def listing(
    path: Path,
    form: str,
    required: Sequence[str],
    region: str,
    *,
    name: str = "",
    progress: Progress | None = None,
    dates: str = "",
    expected: str = "",
) -> Listing | None:
    """A file as an operator's list; None where it is none of that kind.

    Args:
        form: the plain format. required: columns that a file of that format has: such a one is
            read as it is.
        region: as of `Listing`.
        dates: its order of day and month as somebody said it (`layouts.dates.SAID`).
        expected: the advice of errors.

    Raises:
        BadInput: it is a kind of file that is not read, or a list of another kind, or lacks a
            column.
    """
    headings = all_headings().get(form)
    if headings is None:
        return None
    name = name or path.name
    block = next(iter(source(path, None, expected, name).blocks()), None)
    lines = block.text[:HEAD_BYTES].split(b"\n") if block is not None else []
    first = next((line for line in lines if line.strip()), b"")
    if any({n.strip().lower() for n in split(first, s)} >= set(required) for s in SIGNS):
        return None
    head = head_of(lines, [headings])
    if head is None:
        say_why_not(lines, headings, required, name)
        return None
    raw = split(lines[head.line], head.sign)
    needed = [raw[head.names.index(n)] for n in headings.needs[-1] if n in head.names]
    token = max((n.strip().lower() for n in needed or raw), key=len)
    said = order_of(dates)
    return Listing(headings, path, name, region, said=said, token=token, progress=progress)
