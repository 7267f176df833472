"""Which layout a bank's or wallet's file has, told from the names of its columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cordon.calls import tabular
from cordon.money.layouts.model import Layout

Recognise = Callable[[Sequence[bytes], Sequence[tabular.Layout]], tabular.Recognised | None]


def recogniser(layouts: Sequence[Layout]) -> Recognise:
    """What tells the layout of lines among these, by a column for each field it is known by.

    Where several fit, the one that is known by more fields does, and then the one of which more
    columns are there.
    """

    def recognise(
        lines: Sequence[bytes], _heads: Sequence[tabular.Layout]
    ) -> tabular.Recognised | None:
        for number, line in enumerate(lines[: tabular.MOST_LINES]):
            best: tuple[tuple[int, int], tabular.Recognised] | None = None
            for sign in tabular.SIGNS:
                names = names_of(line, sign)
                for layout in layouts if len(names) > 1 else ():
                    if layout.separator not in ("", sign) or layout.lacks(names):
                        continue
                    held = sum(layout.head.column(f, names) is not None for f in layout.columns)
                    weight = (len(layout.known_by), held)
                    if best is None or weight > best[0]:
                        found = tabular.Recognised(layout.head, number, sign, tuple(names))
                        best = weight, found
            if best is not None:
                return best[1]
        return None

    return recognise


def names_of(line: bytes, sign: str) -> list[str]:
    """The names of a header's columns, as they are compared."""
    return [tabular.plain(v) for v in tabular.split(line, sign)]


@dataclass(frozen=True, slots=True)
class Nearest:
    """A layout that does not fit: the fields that its header lacks, and one that it has."""

    layout: Layout
    lacks: tuple[str, ...]
    has: int

    @property
    def says(self) -> str:
        """What columns are missing, each by the names that it may have."""
        each = []
        for field in self.lacks:
            names = self.layout.columns[field]
            some = " or ".join(f"“{n}”" for n in names[:3])
            each.append(f"{field} ({some}{' …' if len(names) > 3 else ''})")
        return ", ".join(each)


def nearest(lines: Sequence[bytes], layouts: Sequence[Layout]) -> Nearest | None:
    """The layout that fits best of those that do not; None where none has a column of it."""
    best: tuple[tuple[float, int], Nearest] | None = None
    for line in lines[: tabular.MOST_LINES]:
        for sign in tabular.SIGNS:
            names = names_of(line, sign)
            for layout in layouts if len(names) > 1 else ():
                lacks = layout.lacks(names)
                has = sum(layout.head.column(f, names) is not None for f in layout.columns)
                weight = (1 - len(lacks) / len(layout.known_by), has)
                if has > 1 and (best is None or weight > best[0]):
                    best = weight, Nearest(layout, tuple(lacks), has)
    return best[1] if best is not None else None


def tokens(layouts: Sequence[Layout]) -> list[str]:
    """Words of which each header of these layouts has one: the names of its most telling column."""
    found: list[str] = []
    for one in layouts:
        field = max(one.known_by, key=lambda f: min(len(n) for n in one.columns[f]))
        found += one.columns[field]
    return found
