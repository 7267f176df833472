"""The tables of one file: each with its header, and what is told above it.

A report holds one statement after another, each below a preamble of its own; pages repeat their
header; a workbook has a sheet for each month. A table ends where the preamble of the next begins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from cordon.calls.layouts import Layout, Recognised, recognise
from cordon.calls.layouts.grouped import last_line
from cordon.calls.layouts.recognise import split
from cordon.calls.sources import Block

HEAD_BYTES = 1 << 18  # of a file or sheet, in which its header must stand
_MOST_ABOVE = 200  # lines of a preamble between two tables
_FEWEST_VALUES = 4  # of a record; a preamble's line has fewer
_MOST_LOOKED_AT = 5_000  # lines of a block that might be headers


@dataclass(frozen=True, slots=True)
class Section:
    """One table of a file.

    Attributes:
        part: its sheet. begins: number of the first line of its preamble.
        first: number of the first line below its header.
        head: its layout and columns. given: fields that its preamble tells.
    """

    part: int
    begins: int
    first: int
    head: Recognised
    given: Mapping[str, str] = field(default_factory=dict)

    def same(self, other: Section) -> bool:
        """True where the other's rows can be read as if they stood in this table."""
        mine, its = self.head, other.head
        return (
            mine.layout is its.layout
            and mine.sign == its.sign
            and mine.names == its.names
            and self.given == other.given
        )


@dataclass(frozen=True, slots=True)
class Piece:
    """Lines of a block that stand in one table: the number of the first, and their text."""

    section: Section
    row: int
    text: bytes


class Sections:
    """Finds the tables of a file, block by block, and cuts blocks by them.

    Args:
        tokens: words of which every header of these layouts has one; of their own names where
            none are given. head: tells the layout and the header of lines.

    Attributes:
        found: the tables, in order. without: sheets (from 0) that have none.
    """

    def __init__(
        self,
        layouts: Sequence[Layout],
        *,
        tokens: Sequence[str] = (),
        head: Callable[[Sequence[bytes], Sequence[Layout]], Recognised | None] = recognise,
    ) -> None:
        self.found: list[Section] = []
        self.without: list[int] = []
        self._layouts = layouts
        self._head = head
        names = tokens or [_token(one) for one in layouts]
        self._grouped = [one for one in layouts if one.header_lines > 1]
        self._tokens = {name.encode() for name in names}
        self._part = -1
        self._above: list[bytes] = []  # the last lines of the block before

    def look(self, block: Block) -> None:
        """Find the tables that begin in a block; blocks must come in order."""
        lines: list[bytes] | None = None
        start = 0
        if block.part != self._part:
            self._part, self._above = block.part, []
            head = block.text[:HEAD_BYTES].split(b"\n")
            first = self._head(head, self._layouts)
            if first is None:
                self.without.append(block.part)
            else:
                self._add(block, head[: first.line], first, first.line, block.row)
                start = first.line + 1
        if any(s.part == block.part for s in self.found[-1:]):
            hits = self._hits(block.text)
            if hits:
                lines = block.text.split(b"\n")
                for at in hits:
                    if at >= start:
                        self._again(block, lines, at)
        self._above = block.text[-HEAD_BYTES:].removesuffix(b"\n").split(b"\n")[-_MOST_ABOVE:]

    def pieces(self, block: Block) -> Iterator[Piece]:
        """The parts of a block by the tables that they stand in, without headers and preambles.

        Lines of a table that goes on below a repeated header stay in one piece: what stands
        between is emptied, so that every line keeps its number.
        """
        mine = [s for s in self.found if s.part == block.part]
        end = block.row + block.text.count(b"\n") + (not block.text.endswith(b"\n"))
        spans: list[tuple[Section, int, int]] = []
        for at, section in enumerate(mine):
            until = mine[at + 1].begins if at + 1 < len(mine) else end
            low, high = max(section.first, block.row), min(until, end)
            if low < high:
                spans.append((section, low, high))
        if not spans:
            return
        if len(spans) == 1 and spans[0][1:] == (block.row, end):
            yield Piece(spans[0][0], block.row, block.text)
            return
        lines = block.text.split(b"\n")
        held: tuple[Section, int, list[bytes], int] | None = None
        for section, low, high in spans:
            some = lines[low - block.row : high - block.row]
            if held is not None and held[0].same(section):
                held[2].extend([b""] * (low - held[3]) + some)
                held = (held[0], held[1], held[2], high)
                continue
            if held is not None:
                yield Piece(held[0], held[1], b"\n".join([*held[2], b""]))
            held = (section, low, some, high)
        if held is not None:
            yield Piece(held[0], held[1], b"\n".join([*held[2], b""]))

    def _hits(self, text: bytes) -> list[int]:
        """Numbers (from 0) of lines that may be headers."""
        low = text.lower()
        at: set[int] = set()
        for token in self._tokens:
            found = low.find(token)
            while found >= 0 and len(at) < _MOST_LOOKED_AT:
                at.add(low.rfind(b"\n", 0, found) + 1)
                found = low.find(token, low.find(b"\n", found) + 1 or len(low))
        return sorted(low.count(b"\n", 0, start) for start in at)

    def _again(self, block: Block, lines: list[bytes], at: int) -> None:
        """A table whose header stands in a line, where one does."""
        again = self._head(lines[at : at + 1], self._layouts)
        if again is None and at and self._grouped:
            again = self._head(lines[at - 1 : at + 1], self._grouped)
        if again is None or again.line > 1:
            return
        width, begins = len(self.found[-1].head.names), at - again.layout.header_lines + 1
        while begins > 0 and at - begins < _MOST_ABOVE:
            if not self._is_narrow(lines[begins - 1], width):
                break
            begins -= 1
        row = block.row + begins
        above = lines[begins:at]
        if begins == 0:  # its preamble may have begun in the block before
            for line in reversed(self._above):
                if not self._is_narrow(line, width) or row <= self.found[-1].first:
                    break
                row -= 1
                above = [line, *above]
        self._add(block, above, again, at, row)

    def _is_narrow(self, line: bytes, width: int) -> bool:
        """True for a line that is no record: a few values at most."""
        if not line.strip():
            return True
        values = split(line, self.found[-1].head.sign)
        few = sum(bool(v.strip()) for v in values) < min(_FEWEST_VALUES, width)
        return few or len(values) * 2 < width

    def _add(
        self, block: Block, above: Sequence[bytes], head: Recognised, at: int, begins: int
    ) -> None:
        given = dict(self.found[-1].given) if self._goes_on(head) else {}
        given |= head.layout.told_above(b"\n".join(above).decode(errors="replace"))
        self.found.append(Section(block.part, begins, block.row + at + 1, head, given))

    def _goes_on(self, head: Recognised) -> bool:
        """True where a page may go on with the table before."""
        return bool(self.found) and self.found[-1].head.layout is head.layout


def _token(layout: Layout) -> str:
    """A word that stands in the (lower) line of every header of a layout."""
    lower = [last_line(n) for n in layout.known_by if last_line(n) != n]
    return max(lower or layout.known_by, key=len)
