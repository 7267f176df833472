"""Which layout a file has, told from its first lines."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass

from cordon.calls.layouts.grouped import joined
from cordon.calls.layouts.model import Layout, plain

SIGNS = (",", ";", "\t", "|")
MOST_LINES = 80  # of a preamble; a ticket has a dozen


@dataclass(frozen=True, slots=True)
class Recognised:
    """A file's layout and its header.

    Attributes:
        line: number of the header's line, the last one of two, from 0. sign: between two values.
        names: the columns' names, normalised; empty where one has none.
    """

    layout: Layout
    line: int
    sign: str
    names: tuple[str, ...]


def recognise(lines: Sequence[bytes], layouts: Sequence[Layout]) -> Recognised | None:
    """The layout of a file that begins with these lines; None where none of them fits.

    Where several fit, the one that is known by more columns does, and then the one of which
    more columns are there.
    """
    best: tuple[tuple[int, int], Recognised] | None = None
    grouped = any(one.header_lines > 1 for one in layouts)
    for number, line in enumerate(lines[:MOST_LINES]):
        for sign in SIGNS:
            alone = [plain(v) for v in split(line, sign)]
            if len(alone) < 2:
                continue
            both = _with_groups(lines, number, sign) if grouped else []
            for layout in layouts:
                names = layout.respelt(both if layout.header_lines > 1 else alone)
                if not set(layout.known_by) <= set(names) or (layout.own and sign != ","):
                    continue
                held = sum(layout.column(f, names) is not None for f in layout.columns)
                weight = (len(layout.known_by), held)
                if best is None or weight > best[0]:
                    best = weight, Recognised(layout, number, sign, tuple(names))
        if best is not None:
            break
    return best[1] if best is not None else None


def _with_groups(lines: Sequence[bytes], number: int, sign: str) -> list[str]:
    """Names of columns by a line and the one above it; none where there is none."""
    if number == 0:
        return []
    above, below = (split(lines[at], sign) for at in (number - 1, number))
    return [plain(n) for n in joined(above, below)]


def nearest(lines: Sequence[bytes], layouts: Sequence[Layout]) -> tuple[Layout, list[str]] | None:
    """The layout that fits best of those that do not, and the columns that it lacks."""
    best: tuple[float, Layout, list[str]] | None = None
    for line in lines[:MOST_LINES]:
        for sign in SIGNS:
            names = [plain(v) for v in split(line, sign)]
            for layout in layouts:
                there = set(layout.respelt(names))
                lacking = [n for n in layout.known_by if n not in there]
                share = 1 - len(lacking) / len(layout.known_by)
                if share > 0 and (best is None or share > best[0]):
                    best = share, layout, lacking
    return (best[1], best[2]) if best is not None else None


def split(line: bytes, sign: str) -> list[str]:
    """The values of one line; none where it cannot be taken apart."""
    try:
        return next(csv.reader([line.decode(errors="replace").rstrip("\r\n")], delimiter=sign), [])
    except csv.Error:
        return []
