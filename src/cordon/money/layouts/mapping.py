"""Rows of a bank's or wallet's file as rows of the plain formats; an unclear row is refused."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cordon.calls import Refusal, tabular
from cordon.money.layouts.amounts import in_units
from cordon.money.layouts.model import Layout

Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]
_BOTH = r"^(?P<date>\S.*?)(?:[ T]+(?P<time>\d{1,2}:\d{2}.*))?$"
_ZONED = r"^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?([Zz]|[+-]\d{2}:?\d{2})$"
_WAY = r"^(?P<amount>.*[0-9)])\s*(?P<way>[A-Za-z]+)\.?$"
NO_ACCOUNT = "nothing tells whose account the statement is of; tell it with the file (account)"
NO_CURRENCY = "nothing tells the currency of its amount; tell it with the file (currency)"
_SIDE = r"^(?P<amount>.*?[0-9)]-?)\s*(?P<side>cr|dr|c|d)?\.?$"
_NONE = pa.scalar(None, pa.string())


@dataclass(frozen=True, slots=True)
class Told:
    """What a file says of its rows beyond them.

    Attributes:
        order: of day and month. zone: IANA name of the clock.
        other_decimal: True where an amount of the file has the other decimal sign.
        given: fields that are told above the table or with the file.
        sha256: of the file, which names rows that have no id.
    """

    order: str
    zone: str
    other_decimal: bool
    given: Mapping[str, str]
    sha256: str


class BlockRows:
    """A block's rows while they become rows of a plain format."""

    def __init__(
        self, table: pa.Table, numbers: NDArray[np.int64], layout: Layout, told: Told
    ) -> None:
        self._notes: list[tuple[str, Flags]] = []
        self._columns = {n: _bare(table[n]) for n in table.column_names}
        self._rows, self._numbers = len(table), numbers
        self._layout, self._told = layout, told
        self._why = np.zeros(len(table), np.int16)
        self._reasons = [""]
        self._days: pa.Array = pa.nulls(len(table), pa.string())  # what each moment tells
        self._moved: tuple[pa.Array, pa.Array] | None = None  # amount and whether it left

    def payments(self) -> dict[str, pa.Array]:
        """The columns of the format `payments`."""
        layout = self._layout
        columns = {"at": self._moments(), "note": self.text("note")}
        self._check_done()
        two_sided = "from_account" in layout.columns
        amount, out = self._amounts(two_sided)
        self._moved = None if two_sided else (amount, out)
        currency = self._meaning(self.text("currency"), layout.currencies, keep=True)
        columns["amount"], columns["currency"] = amount, pc.utf8_upper(currency)
        columns["channel"] = self._channels(columns["note"])
        if two_sided:
            for name in ("from_account", "to_account", "from_bank", "to_bank"):
                columns[name] = self.text(name)
        else:
            columns |= self._ends(out, columns["channel"])
        self._refuse(pc.is_null(currency), NO_CURRENCY)
        columns["payment_id"] = self._ids(columns)
        # what another bank tells with its hour, or a day later, is the same payment
        columns["precision"] = self._days
        if not two_sided:
            columns["told_by"] = pc.if_else(out, "from", "to")
        return columns

    def accounts(self) -> dict[str, pa.Array]:
        """The columns of the format `accounts`."""
        columns = {
            f: self.text(f) for f in ("account", "bank", "holder_name", "holder_id", "phone")
        }
        kinds = self.text("kind")
        columns["kind"] = self._meaning(kinds, self._layout.kinds)
        self._note(pc.and_(pc.is_valid(kinds), pc.is_null(columns["kind"])),
                   "its kind is none that the layout knows; it was left empty")  # fmt: skip
        opened = pc.extract_regex(self.text("opened"), _BOTH).field("date")
        columns["opened"] = _each(opened, lambda text: _day(text, self._told.order))
        self._note(pc.and_(pc.is_valid(opened), pc.is_null(columns["opened"])),
                   "opened is no date; it was left empty")  # fmt: skip
        return columns

    def refused(self) -> tuple[Flags, list[Refusal]]:
        """Which rows are taken, and a refusal for each other one."""
        odd = np.flatnonzero(self._why)
        told = [Refusal(int(self._numbers[i]), self._reasons[self._why[i]]) for i in odd]
        return self._why == 0, told

    def running(self) -> tuple[pa.Array, Ints, Ints, Flags] | None:
        """What a statement's rows add to what the account holds, and the balance that they tell.

        Returns:
            Account and currency as one text; and of each row, in units of `PLACES`: what it adds,
            the balance, and whether both are told. None where no balance is.
        """
        if self._moved is None or not self._has("balance"):
            return None
        amount, out = self._moved
        parts = pc.extract_regex(pc.utf8_lower(self.text("balance")), _SIDE)
        held = self._layout.writing.plain(parts.field("amount"))
        owed = pc.and_(pc.is_in(parts.field("side"), pa.array(["dr", "d"])), pc.is_valid(held))
        held = pc.if_else(pc.and_(owed, pc.invert(_below(held))), _negated(held), held)
        change = pc.if_else(out, _negated(amount), amount)
        moved, known = in_units(change)
        balance, told = in_units(held)
        whose = pc.binary_join_element_wise(
            pc.fill_null(self.text("account"), ""), pc.fill_null(self.text("currency"), ""), "\n"
        )
        return whose, moved, balance, known & told & (self._why == 0)

    def notes(self, taken: Flags) -> Counter[str]:
        """Phrases, and of how many of the rows that are taken each is true."""
        found: Counter[str] = Counter()
        for phrase, where in self._notes:
            found[phrase] += int((where & taken).sum())
        return +found

    def begins(self, at: int) -> list[str]:
        """A row's values, for the look whether it is a record at all."""
        return [v for c in self._columns.values() if (v := c[at].as_py())]

    def text(self, field: str) -> pa.Array:
        """A field's column; what is told otherwise where the row says nothing."""
        name = self._layout.head.column(field, list(self._columns))
        told = self._told.given.get(field) or self._layout.always.get(field)
        given = pa.scalar(told, pa.string())
        if name is None:
            return pa.repeat(given, self._rows)
        return pc.fill_null(self._columns[name], given) if told else self._columns[name]

    def _has(self, field: str) -> bool:
        return self._layout.head.column(field, list(self._columns)) is not None

    def _refuse(self, where: pa.Array | Flags, reason: str) -> None:
        flags = where if isinstance(where, np.ndarray) else _flags(where)
        if flags.any():
            self._reasons.append(reason)
            self._why[flags & (self._why == 0)] = len(self._reasons) - 1

    def _note(self, where: pa.Array, phrase: str) -> None:
        self._notes.append((phrase, _flags(where)))

    def _moments(self) -> pa.Array:
        """When each was booked, in UTC."""
        said = self.text("date")
        self._refuse(pc.is_null(said), "it has no date")
        both = pc.extract_regex(said, _BOTH)
        days = both.field("date")
        hours = pc.if_else(pc.equal(both.field("time"), ""), _NONE, both.field("time"))
        if self._has("time"):
            hours = pc.extract_regex(self.text("time"), r"^(?:\S+[ T]+)?(?P<h>\d{1,2}:?\d{2}.*)$")
            hours = pc.coalesce(hours.field("h"), self.text("time"))
        bare = pc.is_null(hours)
        stamps, wrong, unclear = tabular.moments(
            days, pc.fill_null(hours, "00:00"), self._told.order, self._told.zone
        )
        zoned = pc.fill_null(pc.match_substring_regex(said, _ZONED), False)
        if pc.any(zoned, min_count=0).as_py():
            stamps = pc.coalesce(_instants(pc.if_else(zoned, said, _NONE)), stamps)
            own = _flags(pc.and_(zoned, pc.is_valid(stamps)))
            wrong, unclear = wrong & ~own, unclear & ~own
        self._refuse(wrong, "its date or time cannot be read")
        self._refuse(
            unclear,
            "the clocks were changed: its time stands twice in that night, or not at all",
        )
        self._note(bare, "a day and no hour is told; its first moment was taken")
        self._days = pc.if_else(pc.and_(bare, pc.invert(zoned)), "day", "time")
        return stamps

    def _check_done(self) -> None:
        if self._layout.done and self._has("status"):
            known = pa.array(sorted(self._layout.done), pa.string())
            done = pc.is_in(pc.utf8_lower(self.text("status")), known)
            self._refuse(pc.invert(done), "its status is none of a payment that took place")

    def _amounts(self, two_sided: bool) -> tuple[pa.Array, pa.Array]:
        """Amounts above nothing, and whether each left the account of the statement."""
        layout = self._layout
        if self._has("debit") and self._has("credit"):
            debit, credit = self._number("debit"), self._number("credit")
            if layout.debits != "positive":
                debit = (_negated if layout.debits == "negative" else _without_sign)(debit)
            both = pc.and_(pc.is_valid(debit), pc.is_valid(credit))
            self._refuse(both, "debit and credit both hold an amount")
            out, amount = pc.is_valid(debit), pc.coalesce(debit, credit)
            self._refuse(pc.is_null(amount), "neither debit nor credit holds an amount")
            self._refuse(_below(amount), "its amount is below nothing in its column")
            return amount, out
        if two_sided:
            amount = self._number("amount", zeros=True)
            self._refuse(pc.is_null(amount), "it has no amount")
            self._refuse(_below(amount), "its amount is below nothing")
            return amount, pa.repeat(pa.scalar(True), self._rows)
        ways = self.text("direction")
        behind = bool(layout.directions) and not self._has("direction")
        if behind:
            ways = pc.extract_regex(self.text("amount"), _WAY).field("way")
        amount = self._number("amount", zeros=True, behind=behind)
        self._refuse(pc.is_null(amount), "it has no amount")
        if not layout.directions:
            below = _below(amount)
            return _without_sign(amount), below if layout.negative_out else pc.invert(below)
        way = self._meaning(ways, layout.directions)
        self._refuse(pc.is_null(way), "its direction is none that the layout knows")
        self._refuse(_below(amount), "its amount is below nothing, and its direction is told")
        return amount, pc.equal(way, "out")

    def _number(self, field: str, *, zeros: bool = False, behind: bool = False) -> pa.Array:
        """A column of amounts; null where it says nothing, or nothing but zero."""
        said, writing = self.text(field), self._layout.writing
        if behind:
            bare = pc.extract_regex(said, _WAY).field("amount")
            said = pc.coalesce(bare, said)
        self._refuse(writing.looks_other(said), writing.hint)
        if self._told.other_decimal:
            self._refuse(
                writing.doubtful(said),
                "its amount is one of two: other rows of the file have the other decimal sign",
            )
        found = writing.plain(said)
        self._refuse(pc.and_(pc.is_valid(said), pc.is_null(found)), f"its {field} is no amount")
        if zeros:
            return found
        empty = pc.match_substring_regex(found, r"^[+-]?0*(?:\.0*)?$")
        return pc.if_else(pc.fill_null(empty, False), _NONE, found)

    def _channels(self, notes: pa.Array) -> pa.Array:
        layout, said = self._layout, self.text("channel")
        found = self._meaning(said, layout.channels)
        odd = pc.and_(pc.is_valid(said), pc.is_null(found))
        if layout.note_channels and pc.any(pc.is_null(found), min_count=0).as_py():
            words = "|".join(re.escape(w) for w in layout.note_channels)
            which = pc.extract_regex(
                pc.utf8_lower(notes), rf"(?:^|[^\pL\pN])(?P<w>{words})(?:$|[^\pL\pN])"
            ).field("w")
            found = pc.coalesce(found, self._meaning(which, layout.note_channels))
        self._note(pc.and_(odd, pc.is_null(found)),
                   "its channel is none that the layout knows; it was left empty")  # fmt: skip
        return pc.fill_null(found, layout.channel) if layout.channel else found

    def _ends(self, out: pa.Array, channel: pa.Array) -> dict[str, pa.Array]:
        """Both accounts of a statement's rows, and their banks."""
        own = self.text("account")
        self._refuse(pc.is_null(own), NO_ACCOUNT)
        other = self._from_note("other_account", self.text("other_account"))
        other = pc.if_else(pc.equal(other, own), _NONE, other)
        nobody = pc.is_null(other)
        self._note(nobody, "the other account is not named")
        name = pc.binary_join_element_wise(
            "unnamed", pc.fill_null(channel, "payment"), pc.fill_null(own, ""), ":"
        )
        other = pc.coalesce(other, name)
        banks = self.text("bank"), self._from_note("other_bank", self.text("other_bank"))
        return {
            "from_account": pc.if_else(out, own, other),
            "to_account": pc.if_else(out, other, own),
            "from_bank": pc.if_else(out, banks[0], banks[1]),
            "to_bank": pc.if_else(out, banks[1], banks[0]),
        }

    def _from_note(self, field: str, said: pa.Array) -> pa.Array:
        pattern = self._layout.note_tells.get(field)
        if pattern is None or not said.null_count:
            return said
        notes = pc.if_else(pc.is_null(said), self.text("note"), _NONE)
        return pc.coalesce(said, _each(notes, lambda text: _first(pattern, text)))

    def _ids(self, columns: Mapping[str, pa.Array]) -> pa.Array:
        """What names each payment: its id, or its file and row where it has none."""
        own = self.text("payment_id")
        rows = [f"{self._told.sha256[:16]}/{row}" for row in self._numbers.tolist()]
        if own.null_count:
            self._note(pc.is_null(own), "no id is told; its file and row name the payment")
        if not self._layout.unique:
            told = [self.text("balance"), *(columns[c] for c in sorted(columns) if c != "note")]
            texts = [c.cast(pa.string()).to_pylist() for c in told]
            marks = (
                hashlib.blake2b("\x1f".join(str(v) for v in row).encode(), digest_size=6)
                for row in zip(*texts, strict=True)
            )
            named = pa.array([m.hexdigest() for m in marks], pa.string())
            own = pc.binary_join_element_wise(own, named, "/")
        return pc.coalesce(own, pa.array(rows, pa.string()))

    def _meaning(
        self, said: pa.Array, values: Mapping[str, str], *, keep: bool = False
    ) -> pa.Array:
        """What a coded column means; where it is to be kept, what is no code stays as it is."""
        at = pc.index_in(pc.utf8_lower(said), pa.array(list(values), pa.string()))
        found = pa.array(list(values.values()), pa.string()).take(at)
        return pc.coalesce(found, said) if keep else found


def _bare(column: pa.ChunkedArray) -> pa.Array:
    """Text without the quotes and marks around it; null where it says nothing."""
    whole = column.combine_chunks()
    whole = whole.chunk(0) if isinstance(whole, pa.ChunkedArray) else whole
    bare = pc.utf8_trim(whole, characters=" \t'\"=\u00a0\u200e\u200f\u202c\u202a\u202b")
    empty = pc.is_in(pc.utf8_lower(bare), pa.array(tabular.NO_VALUE))
    return pc.if_else(empty, _NONE, bare)


def _flags(where: pa.Array) -> Flags:
    return np.asarray(pc.fill_null(where, False).to_numpy(zero_copy_only=False), bool)


def _below(amount: pa.Array) -> pa.Array:
    return pc.fill_null(pc.starts_with(amount, "-"), False)


def _without_sign(amount: pa.Array) -> pa.Array:
    return pc.utf8_ltrim(amount, characters="+-")


def _negated(amount: pa.Array) -> pa.Array:
    """What is told with a minus without one, and the other way about."""
    turned = pc.binary_join_element_wise("-", _without_sign(amount), "")
    return pc.if_else(_below(amount), _without_sign(amount), turned)


def _instants(said: pa.Array) -> pa.Array:
    """Moments that name their zone, in UTC."""
    found = [None if text is None else _instant(text) for text in said.to_pylist()]
    return pa.array(found, pa.timestamp("us", "UTC"))


def _instant(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text.upper())
    except ValueError:
        return None


def _each(column: pa.Array, read: object) -> pa.Array:
    """Each distinct text read once."""
    assert callable(read)
    coded = column.dictionary_encode()
    known = [None if v is None else read(v) for v in coded.dictionary.to_pylist()]
    return pa.array(known, pa.string()).take(coded.indices)


def _first(pattern: re.Pattern[str], text: str) -> str | None:
    found = pattern.search(text)
    return found[1].strip() or None if found is not None and found[1] else None


def _day(text: str, order: str) -> str | None:
    day = tabular.day_of(text, order)
    return None if day is None else str(np.datetime64(day, "D"))
