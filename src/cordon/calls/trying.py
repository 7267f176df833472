"""Reads a sample of a file by a proposed layout, so that it is known what it is worth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cordon.calls.checking import checked
from cordon.calls.layouts import mapped
from cordon.calls.layouts.dates import Order, needs_order, parted
from cordon.calls.layouts.model import Layout
from cordon.calls.layouts.model import checked as layout_of
from cordon.calls.numbers import Numbers

MOST_REASONS = 5  # that are told
_MOST_ALIKE = 0.1  # share of rows in which a number calls itself; more show a wrong column
_ALIKE = "their caller and the number called are the same, so that one of the two columns is wrong"


@dataclass(frozen=True, slots=True)
class Sample:
    """Rows of a file, as text.

    Attributes:
        names: the columns' names, normalised. rows: their values. above: what stands above them.
    """

    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    above: str = ""


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of a sample that was read by a layout.

    Attributes:
        rows: how many there were. kept: how many were read, and make sense.
        reasons: why others were refused, the most frequent first, each with how many.
        notes: sentences on what must be told with the file.
    """

    rows: int
    kept: int
    reasons: tuple[tuple[str, int], ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def refused(self) -> int:
        """Rows that were not read."""
        return self.rows - self.kept

    @property
    def says(self) -> str:
        """A sentence with the counts and the reasons."""
        words = f"Tried on {self.rows:,} rows of the file: {self.kept:,} are read"
        if not self.refused:
            return f"{words}, none is refused."
        why = "; ".join(f"{times:,} because {reason}" for reason, times in self.reasons)
        return f"{words}, {self.refused:,} are refused: {why}."


def tried(data: Mapping[str, Any], sample: Sample, region: str) -> Trial:
    """Read a sample by the data of a layout's file.

    Args:
        region: ISO 3166 code of numbers in national form.
    """
    layout = layout_of("proposed", data)
    width = len(sample.names)
    rows = [(*r, *[""] * (width - len(r)))[:width] for r in sample.rows]
    first: dict[str, int] = {}
    for at, name in enumerate(sample.names):
        first.setdefault(name, at)
    columns = {n: pa.chunked_array([[r[at] for r in rows]], pa.string()) for n, at in first.items()}
    notes, order = _order(layout, columns)
    if not rows:
        return Trial(0, 0)
    clear = mapped(
        pa.table(columns), np.arange(len(rows)), layout, order, layout.told_above(sample.above)
    )
    table, refused = checked(clear.table, clear.numbers, "", Numbers(layout.region or region))
    kept, reasons = len(table), Counter[str]()
    same = pc.sum(pc.equal(table["caller"], table["callee"])).as_py() or 0
    if same > _MOST_ALIKE * len(rows):  # a few do call themselves, as a mailbox is asked
        kept, reasons[_ALIKE] = kept - same, same
    reasons.update(r.reason for r in (*clear.refusals, *refused))
    return Trial(len(rows), kept, tuple(reasons.most_common(MOST_REASONS)), notes)


def _order(layout: Layout, columns: Mapping[str, pa.ChunkedArray]) -> tuple[tuple[str, ...], str]:
    """The order of day and month that the sample is read by, and a sentence where none is told."""
    name = layout.column("start", list(columns)) or layout.column("date", list(columns))
    values = columns[name].unique().to_pylist() if name else ()
    dates = [(parted(one) or (one,))[0] for one in (v.strip(" '\"=") for v in values)]
    order = Order()
    order.look(dates)
    told = order.told(layout.order)
    if told is not None or not any(map(needs_order, dates)):
        return (), told or "ymd"
    return (
        "Its dates do not tell whether day or month stands first: give --dates here, or say it "
        "with each file that is brought in.",
    ), "dmy"
