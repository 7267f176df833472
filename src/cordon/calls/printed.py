"""Printed reports, whose columns stand at fixed places, as lines of comma-parted text.

Where a column ends is told from the report itself: from the dashes under its header, or else from
the places that are blank in the header and in every row below it. A row with a value that runs
over such a border is refused, because what stands where is a guess then.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from cordon.calls.layouts.lines import is_furniture
from cordon.calls.layouts.model import plain
from cordon.calls.model import Refusal
from cordon.calls.sources import Block, Source

MOST_LINES = 120  # of a preamble
_SAMPLE = 200  # rows below a header in which blanks must agree
_HEADER_LINES = 3  # a header may stand in several lines above its dashes
_GROUPS = re.compile(r"[-=_]{2,}")
_RULE = re.compile(r"[\s+|:]*[-=_]{2,}[-=_\s+|:]*")
_NAME = re.compile(r"\S+(?: \S+)*")
Fits = Callable[[Sequence[str]], int]
"""How many of a header's names a report may have; 0 where it is none."""
_ACROSS = "a value runs over the border of its column"


@dataclass(frozen=True, slots=True)
class Header:
    """A header of a printed report.

    Attributes:
        first, last: its lines, by index. names: its columns, as they stand.
        cuts: where each column begins (characters).
    """

    first: int
    last: int
    names: tuple[str, ...]
    cuts: tuple[int, ...]


def header_at(lines: Sequence[str], at: int, fits: Fits) -> Header | None:
    """The header whose last line stands at an index; None where none does.

    Args:
        fits: says of a line's names whether they are a header; of several lines' the best is.
    """
    below = lines[at + 1] if at + 1 < len(lines) else ""
    if _RULE.fullmatch(below) and len(groups := list(_GROUPS.finditer(below))) > 1:
        return _above_dashes(lines, at, (0, *(g.start() for g in groups[1:])), fits)
    found = list(_NAME.finditer(lines[at]))
    names = tuple(one[0] for one in found)
    if len(names) < 2 or not fits(names):
        return None
    between = _between(lines[at], found, lines[at + 1 : at + 1 + _SAMPLE])
    return None if between is None else Header(at, at, names, between)


def _above_dashes(
    lines: Sequence[str], at: int, cuts: tuple[int, ...], fits: Fits
) -> Header | None:
    best: tuple[int, Header | None] = (0, None)
    for count in range(1, _HEADER_LINES + 1):
        above = lines[max(0, at - count + 1) : at + 1]
        if len(above) < count or not above[0].strip() or _RULE.fullmatch(above[0]):
            break
        parts = [cut(line, cuts) for line in above]
        names = tuple(" ".join(" ".join(words).split()) for words in zip(*parts, strict=True))
        held = fits(names)
        if held > best[0]:
            best = held, Header(at - count + 1, at, names, cuts)
    return best[1]


def cut(line: str, cuts: Sequence[int]) -> list[str]:
    """A line's values."""
    ends = (*cuts[1:], len(line))
    return [line[a:b].strip() for a, b in zip(cuts, ends, strict=True)]


def first_header(lines: Sequence[str], fits: Fits) -> Header | None:
    """The first header among a report's first lines."""
    each = (header_at(lines, at, fits) for at in range(min(MOST_LINES, len(lines))))
    return next((h for h in each if h is not None), None)


class Printed:
    """A printed report as a source: see `sources.Source`.

    Its header and its rows become lines of comma-parted values; a line that is neither stays one
    value, so that what is told above a table can be read, and nothing is dropped unseen.
    """

    def __init__(self, source: Source, fits: Fits) -> None:
        self._source = source
        self._fits = fits
        self._header: Header | None = None
        self._words = ""
        self.is_workbook = False

    @property
    def broken(self) -> str | None:
        """What cut the file short, or None."""
        return self._source.broken

    @broken.setter
    def broken(self, said: str | None) -> None:
        self._source.broken = said

    def blocks(self) -> Iterator[Block]:
        for block in self._source.blocks():
            text = block.text.decode(errors="replace").replace("\f", " ").expandtabs()
            ended = text.endswith("\n")
            lines = text.removesuffix("\n").split("\n")
            refusals: list[Refusal] = []
            done = self._converted(lines, block.row, refusals)
            body = "\n".join(done) + ("\n" if ended else "")
            yield Block(block.part, block.row, body.encode(), tuple(refusals))

    def _converted(self, lines: list[str], row: int, refusals: list[Refusal]) -> list[str]:
        done = [""] * len(lines)
        for at, line in enumerate(lines):
            if not line.strip() or _RULE.fullmatch(line):
                continue
            header = self._header_at(lines, at)
            if header is not None:
                self._header = header
                self._words = _collapsed(lines[header.last])
                for above in range(header.first, header.last):
                    done[above] = ""
                done[at] = _joined(header.names)
            elif self._header is None or is_furniture(line):
                done[at] = _joined([line.strip()])
            elif _runs_over(line, self._header.cuts):
                if self._is_row(line):
                    refusals.append(Refusal(row + at, _ACROSS))
                else:
                    done[at] = _joined([line.strip()])
            else:
                values = cut(line, self._header.cuts)
                few = sum(map(bool, values)) * 3 < len(values)
                done[at] = _joined([line.strip()] if few else values)
        return done

    def _header_at(self, lines: list[str], at: int) -> Header | None:
        if self._header is not None and _collapsed(lines[at]) != self._words:
            return None
        return header_at(lines, at, self._fits)

    def _is_row(self, line: str) -> bool:
        """True where a line has about as many words as a row has values, numbers among them."""
        assert self._header is not None
        words = line.split()
        return (
            len(words) * 2 >= len(self._header.cuts)
            and sum(any(c.isdigit() for c in w) for w in words) > 2
        )


def _between(
    header: str, names: Sequence[re.Match[str]], below: Sequence[str]
) -> tuple[int, ...] | None:
    """Where columns begin, by the places that are blank in the header and in all rows."""
    rows = [
        line
        for line in below
        if len(line.split()) * 2 >= len(names)
        and not _RULE.fullmatch(line)
        and not is_furniture(line)
        and any(c.isdigit() for c in line)
        and _collapsed(line) != _collapsed(header)
    ]
    if not rows:
        return None
    width = max(map(len, [header, *rows]))
    padded = [line.ljust(width) for line in [header, *rows]]
    cuts = [0]
    for one, other in pairwise(names):
        blank = [
            p for p in range(one.end(), other.start()) if all(line[p] == " " for line in padded)
        ]
        if not blank:
            return None
        cuts.append(blank[len(blank) // 2] + 1)
    return tuple(cuts)


def _runs_over(line: str, cuts: Sequence[int]) -> bool:
    return any(
        c < len(line) and not line[c].isspace() and not line[c - 1].isspace() for c in cuts[1:]
    )


def _collapsed(line: str) -> str:
    return plain(line)


def _joined(values: Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(values)
    return out.getvalue()
