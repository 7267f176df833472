"""A bank's or wallet's file by its layout, as rows of a plain format that are then checked.

A file is read twice: first to find its tables and to tell from all of its dates and amounts how
they are written, then for its rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cordon.calls import Refusal, tabular
from cordon.kernel.errors import BadInput
from cordon.kernel.store.files import sha256_of
from cordon.money.accounts import written
from cordon.money.balances import Balances
from cordon.money.layouts.amounts import PLACES, latin
from cordon.money.layouts.lines import Furniture
from cordon.money.layouts.mapping import BlockRows, Flags, Told
from cordon.money.layouts.model import COUNTRY, FORMS, Layout
from cordon.money.layouts.recognise import recogniser, tokens

Progress = Callable[[int, int], None]
Part = tuple[pa.Table, NDArray[np.int64], list[Refusal]]
_AMOUNTS = ("amount", "debit", "credit")
_DATES = {"payments": "date", "accounts": "opened"}


class LayoutFile:
    """A file of payments or accounts that has one of some layouts.

    Args:
        layouts: those that it may have, all of one kind. name: how errors call it.
        zone: of the country. given: fields that are told with the file, where it tells none.

    Attributes:
        layout: the first table's. notes: phrases, and of how many rows each is true.
        balances: that its statements tell, once it was read.
        broken: a sentence that says where the file breaks off, once it was read, or None.

    Raises:
        BadInput: no table of it has such a layout, its dates contradict one another or do not
            tell the order of day and month, or it is another account's than the one given.
    """

    def __init__(
        self,
        path: Path,
        layouts: Sequence[Layout],
        name: str,
        zone: ZoneInfo,
        given: Mapping[str, str],
        progress: Progress | None = None,
    ) -> None:
        self.notes: Counter[str] = Counter()
        self.balances = Balances(PLACES)
        self.broken: str | None = None
        self._path, self._name, self._given = path, name, given
        self._zone, self._progress = zone, progress
        self._by_head = {id(one.head): one for one in layouts}
        self._expected = FORMS[layouts[0].kind].expected
        self.sections = tabular.Sections(
            [one.head for one in layouts], tokens=tokens(layouts), head=recogniser(layouts)
        )
        self._order, self._unclear, self._other_decimal = tabular.Order(), False, False
        self._survey()
        self.layout = self._layout(self.sections.found[0])
        self._sha256 = sha256_of(path)

    def parts(self) -> Iterator[Part]:
        """The file's rows by the plain format's columns, a block at a time."""
        source = self._source(shown=True)
        for block in source.blocks():
            body, cut = tabular.whole(block, source.broken)
            odd = [*block.refusals, *([cut] if cut else [])]
            for piece in self.sections.pieces(body):
                table, numbers, refusals = self._mapped(piece.section, piece.row, piece.text)
                if block.part:
                    refusals = [tabular.placed(r, block.part) for r in refusals]
                yield table, numbers, [*refusals, *odd]
                odd = []
            if odd:
                kind = FORMS[self.layout.kind]
                empty = pa.table({n: pa.array([], pa.string()) for n in kind.required})
                yield empty, np.zeros(0, np.int64), odd
        self.broken = source.broken

    def _mapped(self, section: tabular.Section, row: int, text: bytes) -> Part:
        layout, head, text = self._layout(section), section.head, latin(text)
        names = set(head.names)
        wanted = sorted({n for some in layout.columns.values() for n in some} & names)
        rows = self._rows(section, row, text, wanted)
        furniture = Furniture(layout.leave_out)
        told = Told(
            self._order.told(layout.order) or "ymd",
            self._zone.key if layout.zone == COUNTRY else layout.zone,
            self._other_decimal,
            {**self._given, **_told_above(section)},
            self._sha256,
        )
        block = BlockRows(rows.table, rows.numbers, layout, told)
        columns = block.payments() if layout.kind == "payments" else block.accounts()
        taken, refusals = block.refused()
        left = furniture.of_rows(block, columns.get("note"), taken)
        self._run(section, block, rows.numbers, left)
        taken &= ~left
        passed = set(rows.numbers[left].tolist())
        refusals = [r for r in refusals if r.row not in passed]
        lines = text.split(b"\n") if rows.refusals else []
        width = [r for r in rows.refusals if not furniture.is_line(lines[r.row - row])]
        self._note("rows of totals and balances were left out",
                   len(passed) + len(rows.refusals) - len(width))  # fmt: skip
        self.notes.update(block.notes(taken))
        table = pa.table(columns).filter(pa.array(taken))
        return table, rows.numbers[taken], [*width, *refusals]

    def _run(
        self, section: tabular.Section, block: BlockRows, numbers: NDArray[np.int64], left: Flags
    ) -> None:
        """Hold the balances of a table's rows against their amounts; totals are none."""
        running = block.running()
        if running is None:
            return
        whose, change, balance, told = running
        stay = np.flatnonzero(~left)
        names = np.asarray(whose.dictionary_encode().indices.to_numpy())[stay]
        texts = whose.dictionary_encode().dictionary.to_pylist()
        for code in np.unique(names).tolist():
            some = stay[names == code]
            key = (section.part, section.first, texts[code])
            self.balances.add(key, numbers[some], change[some], balance[some], told[some])

    def _survey(self) -> None:
        """Find the tables, the order of day and month, and the decimal sign of amounts."""
        source = self._source(shown=False)
        for block in source.blocks():
            self.sections.look(block)
            for piece in self.sections.pieces(block):
                self._look(piece.section, piece.row, latin(piece.text))
        if not self.sections.found:
            raise BadInput(f"{self._name} has no known layout.", advice=self._expected)
        for part in self.sections.without:
            self._note(f"sheet {part + 1} has no known layout", 1)
        self._check_account()
        self._check_dates(source.is_workbook)

    def _look(self, section: tabular.Section, row: int, text: bytes) -> None:
        layout, names = self._layout(section), list(section.head.names)
        fields = (_DATES[layout.kind], *_AMOUNTS)
        wanted = [n for f in fields if (n := layout.head.column(f, names)) is not None]
        if not wanted:
            return
        rows = self._rows(section, row, text, wanted)
        for name in dict.fromkeys(wanted):
            column = pc.utf8_trim(rows.table[name], characters=" '\"=")
            if name == layout.head.column(fields[0], names):
                dates = [v.partition(" ")[0].partition("T")[0] if v[:1].isdigit() else v
                         for v in column.unique().to_pylist() if v]  # fmt: skip
                self._unclear = self._unclear or any(map(tabular.needs_order, dates))
                self._order.look(dates)
            elif not self._other_decimal:
                other = layout.writing.looks_other(column)
                self._other_decimal = bool(pc.any(other, min_count=0).as_py())

    def _check_dates(self, is_workbook: bool) -> None:
        order = self._order
        if is_workbook and order.written and order.swapped:
            raise BadInput(
                f"It cannot be told which dates {self._name} means: some are dates and others "
                "text, as a spreadsheet makes them that reads day and month in its own order.",
                advice="Ask the sender for the file as it was before a spreadsheet opened it.",
            )
        for layout in {id(one): one for one in map(self._layout, self.sections.found)}.values():
            told = order.told(layout.order)
            if told is None and self._unclear:
                what = (
                    f"{order.day_first:,} of its dates can only be read day first and "
                    f"{order.month_first:,} only month first"
                    if order.day_first
                    else "every one of its dates can be read day first and month first"
                )
                raise BadInput(
                    f"It cannot be told whether {self._name} writes day or month first: {what}.",
                    advice="Ask the sender which it is, and give a layout that says so (order).",
                )
            if told and layout.order and told != layout.order and self._unclear:
                self._note(f"the layout says {layout.order}, and its dates are {told} alone", 1)

    def _check_account(self) -> None:
        """That the account that is told with the file is the file's own."""
        told = self._given.get("account")
        for section in self.sections.found if told else ():
            its = _told_above(section).get("account")
            if told and its and written(its) != written(told):
                raise BadInput(
                    f"{self._name} says itself whose account it is of, and another was given.",
                    advice="Leave the account out, or give the file that is of it.",
                )

    def _layout(self, section: tabular.Section) -> Layout:
        return self._by_head[id(section.head.layout)]

    def _rows(
        self, section: tabular.Section, row: int, text: bytes, wanted: Sequence[str]
    ) -> tabular.Rows:
        head = section.head
        names = tabular.once(head.names, wanted)
        return tabular.parse_block(text, names, wanted, row, head.sign, by_line=True)

    def _source(self, *, shown: bool) -> tabular.Source:
        told = self._progress if shown else None
        return tabular.source(self._path, told, self._expected, self._name)

    def _note(self, phrase: str, times: int) -> None:
        if times:
            self.notes[phrase] += times


def _told_above(section: tabular.Section) -> dict[str, str]:
    """Fields that stand above a table, their digits as 0 to 9."""
    told = {f: latin(v.encode()).decode() for f, v in section.given.items()}
    # a number of its own and an IBAN: other banks' files name the account by the second
    return {**told, "account": told["iban"]} if "iban" in told else told
