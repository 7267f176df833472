"""An operator's columns as those of the format `calls`; an unclear row is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cordon.calls.layouts import areas
from cordon.calls.layouts.dates import both_of, moments
from cordon.calls.layouts.durations import Lengths, by_ends, seconds, seconds_of_ms
from cordon.calls.layouts.languages import codes
from cordon.calls.layouts.model import Layout
from cordon.calls.layouts.zones import unknown_letters
from cordon.calls.model import Refusal

SIDES = ("imsi", "imei", "cell")
_DAY_AND_TIME = r"^(\d{1,4}[-/.]\d{1,2}[-/.]\d{2,4})[ T]+(\d{1,2}:\d{2}.*)$"
FORWARDS = frozenset(
    {
        "call forward", "call forwarding", "call forwarded", "call fwd", "call_forward",
        "call-forward", "callforward", "forward", "forwarded", "forwarding", "forwarded call",
        "fwd", "cfw", "cf", "cfu", "cfb", "cfnr", "cfnry", "cfnrc",
    }
)  # fmt: skip
"""Call types of a forwarded call (the last ones: 3GPP TS 22.082), in any layout."""
# with what may stand around a number, see `numbers`
_DIALLED = r"^\pC*(?i:(?:tel|sips?):)?\+?[0-9][0-9 ()-]{2,}(?:\.0+|[Ff]+|[;@].*)?\pC*$"
_CHANGED = "the clocks were changed: its time stands twice in that night, or not at all"
NO_VALUE = ("", "-", "--", "na", "n/a", "nil", "null", "none")


@dataclass(frozen=True, slots=True)
class Mapped:
    """Rows of a block in the columns of the format, with their numbers; and those refused."""

    table: pa.Table
    numbers: NDArray[np.int64]
    refusals: tuple[Refusal, ...]


def mapped(
    table: pa.Table,
    numbers: NDArray[np.int64],
    layout: Layout,
    order: str,
    given: Mapping[str, str] = MappingProxyType({}),
) -> Mapped:
    """Rows by a layout's columns as rows of the format `calls`.

    Args:
        table: the file's columns as strings. numbers: of the rows.
        order: of day and month, as `dates.Order` told it from the whole file.
        given: fields that are told above the table, for rows that do not tell them.
    """
    columns_of = {n: _bare(table[n]) for n in table.column_names}
    source = _Source(columns_of, layout, len(table), given)
    why = np.zeros(len(table), np.int8)
    reasons = [""]

    def refuse(where: NDArray[np.bool_], reason: str) -> None:
        reasons.append(reason)
        why[where & (why == 0)] = len(reasons) - 1

    columns: dict[str, pa.Array] = {}
    dates, times = source.date_and_time()
    columns["start"], wrong, unclear = moments(dates, times, order, layout.zone)
    for name in unknown_letters(times.unique().to_pylist(), layout.zone) if wrong.any() else ():
        refuse(
            wrong & np.asarray(_ends_with(times, name)),
            f"its time is told by {name}, which is neither UTC nor the clock of {layout.zone}",
        )
    refuse(wrong, "its date or time cannot be read")
    refuse(unclear, _CHANGED)
    lengths = source.lengths(columns["start"], order)
    refuse(lengths.unreadable, "its end cannot be read")
    refuse(lengths.before, "its end lies before its start")
    refuse(lengths.unclear, _CHANGED)
    columns["duration_s"] = lengths.seconds
    kinds = _meaning(source, "kind", layout.kinds, codes("kinds"))
    forwarded = _forwarded(source)
    kinds = pc.if_else(pc.and_(forwarded, pc.is_null(kinds)), "voice", kinds)
    if layout.kind:
        kinds = pc.fill_null(kinds, layout.kind) if source.lacks("kind") else kinds
    refuse(
        _null(kinds),
        source.missing("kind") or "its kind is none that the layout knows as a call or message",
    )
    columns["kind"] = kinds
    inward = pc.if_else(forwarded, pa.scalar(None, pa.bool_()), _inward(source, layout))
    went_to = source.text("forwarded")
    dialled = pc.fill_null(pc.match_substring_regex(went_to, _DIALLED), False)
    nothing = pa.scalar(None, pa.string())
    went_to = pc.if_else(dialled, went_to, nothing)
    if "target" in layout.columns or "target" in layout.above:
        unclear = pc.and_(pc.is_null(inward), pc.invert(forwarded))
        refuse(
            np.asarray(unclear),
            source.missing("direction") or "its direction is none that the layout knows",
        )
        target, other = source.text("target"), source.text("other")
        # where nobody is named whom it was forwarded to, the other number is
        sent = pc.and_(forwarded, pc.is_null(went_to))
        inwards = pc.if_else(forwarded, pc.invert(sent), inward)
        caller, callee = pc.if_else(inwards, other, target), pc.if_else(inwards, target, other)
        # of a call that the target made, nobody tells whose number that is
        sender, told = target, pc.fill_null(inward, False)
    else:
        caller, callee = source.text("caller"), source.text("callee")
        sender, told = pc.if_else(pc.is_valid(went_to), callee, nothing), pc.invert(forwarded)
    columns["caller"] = caller
    columns["callee"] = pc.if_else(forwarded, pc.coalesce(went_to, callee), callee)
    columns["forwarded_by"] = pc.if_else(forwarded, sender, nothing)
    columns["forwarded_to"] = pc.if_else(told, went_to, nothing)
    for side in ("caller", "callee"):
        for name in SIDES:
            columns[f"{side}_{name}"] = _of_side(source, inward, side, name)
    for name in ("trunk_in", "trunk_out"):
        columns[name] = source.text(name)
    keep = pa.array(why == 0)
    return Mapped(
        pa.table(columns).filter(keep),
        numbers[why == 0],
        tuple(Refusal(int(numbers[i]), reasons[why[i]]) for i in np.flatnonzero(why)),
    )


class _Source:
    """A block's columns by what the layout says that they mean."""

    def __init__(
        self, columns: dict[str, pa.Array], layout: Layout, rows: int, given: Mapping[str, str]
    ) -> None:
        self._given = given
        self._columns = columns
        self._layout = layout
        self.rows = rows

    def lacks(self, field: str) -> bool:
        """True where the file has none of the field's columns, and does not tell it above them."""
        return field not in self._given and self._layout.column(field, list(self._columns)) is None

    def missing(self, field: str) -> str:
        """A reason that names the columns of which the file has none; empty where it has one."""
        names = self._layout.columns.get(field, ())
        if not names or not self.lacks(field):
            return ""
        return f"the column {' or '.join(names)}, which tells its {field}, is missing"

    def text(self, field: str) -> pa.Array:
        """The field's column; nulls where the file has none."""
        name = self._layout.column(field, list(self._columns))
        if name is None:
            return pa.repeat(pa.scalar(self._given.get(field), pa.string()), self.rows)
        found = self._columns[name]
        return pc.fill_null(found, self._given[field]) if field in self._given else found

    def each(self, field: str) -> list[pa.Array]:
        """Every column of the file that may hold the field, in the layout's order."""
        return [self._columns[n] for n in self._layout.columns.get(field, ()) if n in self._columns]

    def date_and_time(self) -> tuple[pa.Array, pa.Array]:
        """Columns of dates and of times, also where one column holds both."""
        if not self.lacks("start"):
            return both_of(self.text("start"))
        # a spreadsheet's date may show midnight with it, and its time of day a day
        dates = pc.replace_substring_regex(self.text("date"), _DAY_AND_TIME, r"\1")
        return dates, pc.replace_substring_regex(self.text("time"), _DAY_AND_TIME, r"\2")

    def lengths(self, start: pa.Array, order: str) -> Lengths:
        """Durations as they are told, or else from the ends of calls."""
        told = seconds(self.text("duration_s"))
        if not self.lacks("duration_ms"):
            told = pc.coalesce(told, seconds_of_ms(self.text("duration_ms")))
        return by_ends(told, start, self.text("end"), order, self._layout.zone)

    def cell(self, field: str) -> pa.Array:
        """Identities of cells, with the area that stands in a column of its own."""
        area = field.replace("cell", "area")
        if self.lacks(area):
            return self.text(field)
        return areas.joined(self.text(area), self.text(field), self._layout.network)


def _bare(column: pa.ChunkedArray) -> pa.Array:
    """Text without the quotes that operators put around it; null where it says nothing."""
    whole = column.combine_chunks()
    whole = whole.chunk(0) if isinstance(whole, pa.ChunkedArray) else whole
    bare = pc.utf8_trim(whole, characters=" \t'\"=")
    empty = pc.is_in(pc.utf8_lower(bare), pa.array(NO_VALUE))
    return pc.if_else(empty, pa.scalar(None, pa.string()), bare)


def _meaning(
    source: _Source, field: str, values: Mapping[str, str], shared: Mapping[str, str]
) -> pa.Array:
    """What a coded column means, by the first of its columns that says something known.

    Args:
        values: the layout's own codes. shared: of whoever writes such files, where those do not
            tell: one operator's type words turn up in another's statements.
    """
    found = pa.nulls(source.rows, pa.string())
    columns = source.each(field)
    for known in (values, shared):
        keys = pa.array(list(known), pa.string())
        meanings = pa.array(list(known.values()), pa.string())
        for column in columns:
            if not found.null_count:
                return found
            for spelt in (pc.utf8_lower, _unparted):
                at = pc.index_in(spelt(column), spelt(keys))
                found = pc.coalesce(found, meanings.take(at))
    return found


def _unparted(codes: pa.Array) -> pa.Array:
    """Codes as they are compared where none stands as written: `SMS_IN` is `sms-in`."""
    return pc.replace_substring_regex(pc.utf8_lower(codes), r"[\s_.-]+", "")


def _forwarded(source: _Source) -> pa.Array:
    """Which rows tell of a call that was forwarded.

    Of such a leg the caller stays who called, and the called one is whom it went to (ITU-T Q.732.2:
    the calling number is kept, the number that forwards is another field); no handset of the
    number that forwards has a part in it.
    """
    known = pa.array(sorted(FORWARDS))
    found = pa.array(np.zeros(source.rows, bool))
    for field in ("direction", "kind"):
        for column in source.each(field):
            found = pc.or_(found, pc.is_in(pc.utf8_lower(column), known))
    return found


def _inward(source: _Source, layout: Layout) -> pa.Array:
    if not layout.directions:
        return pa.nulls(source.rows, pa.bool_())
    return pc.equal(_meaning(source, "direction", layout.directions, codes("directions")), "in")


def _of_side(source: _Source, inward: pa.Array, side: str, name: str) -> pa.Array:
    """Handset, SIM or cell of one end: its own column, or the target's where that is the target."""
    read = source.cell if name == "cell" else source.text
    if not source.lacks(f"{side}_{name}"):
        return read(f"{side}_{name}")
    if source.lacks(name):
        return pa.nulls(source.rows, pa.string())
    mine = inward if side == "callee" else pc.invert(inward)
    # where the direction is not told, nobody knows whose it is
    return pc.if_else(pc.fill_null(mine, False), read(name), pa.scalar(None, pa.string()))


def _ends_with(times: pa.Array, letters: str) -> pa.Array:
    found = pc.match_substring_regex(times, rf"(?:[\d.]|[AaPp][Mm])\s*\(?{letters}\)?\s*$")
    return pc.fill_null(found, False)


def _null(column: pa.Array) -> NDArray[np.bool_]:
    return np.asarray(pc.is_null(column).to_numpy(zero_copy_only=False), bool)
