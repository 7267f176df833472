"""Columns of text as typed columns: what is none becomes null, and its row gets a reason.

A reason names the column and never the value, which may be personal.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cordon.calls.numbers import INVISIBLE, SCIENTIFIC, Numbers, hidden
from cordon.kernel.clock import parse_time
from cordon.kernel.errors import BadInput

TIME = pa.timestamp("us", "UTC")
AMOUNT = pa.decimal128(38, 18)
"""Exact down to the smallest unit of any coin in use (10⁻¹⁸), up to 10²⁰."""

_EARLIEST, _LATEST = (
    int(datetime(year, 1, 1, tzinfo=UTC).timestamp() * 1e6) for year in (1990, 2100)
)
_FEWEST_AT_A_TIME = 64
_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_IPV4 = rf"^(?:{_OCTET}\.){{3}}{_OCTET}$"
# 1,234.50 and 1,00,000: commas only where thousands, lakhs and crores have them
_GROUPED = re.compile(r"[+-]?\d{1,3}(?:,\d{2,3})*,\d{3}(?:\.\d*)?")
_SPREADSHEET = r"^[0-9](?:[.,][0-9]+)?[eE]\+[0-9]+$"
_FILLED = r"^([0-9]{14,16})[Ff]+$"  # as `numbers` reads it
_PARTED = r"^[0-9]+(?:[ \x{a0}/-]+[0-9]+)+$"
# a spreadsheet shows six digits of a long number, and where its text is read again the rest is
# zeros: of all of a column; one alone may be a first serial number
_ROUNDED, _ROUNDED_SHARE = "0" * 8, 0.1
_PLAIN = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)")


class Reasons:
    """The first reason of each row that has one.

    Attributes:
        codes: of each row the index into `reasons`; 0 where the row is in order.
    """

    def __init__(self, rows: int) -> None:
        self.codes = np.zeros(rows, np.int16)
        self.reasons = [""]

    def where(self, mask: pa.Array | NDArray[np.bool_], reason: str) -> None:
        """Give the rows under a mask a reason, but those that have one."""
        flags = (
            mask
            if isinstance(mask, np.ndarray)
            else np.asarray(pc.fill_null(mask, False).to_numpy(zero_copy_only=False), bool)
        )
        if flags.any():
            self.reasons.append(reason)
            self.codes[flags & (self.codes == 0)] = len(self.reasons) - 1


def times(column: pa.Array, name: str, reasons: Reasons, *, days: bool = False) -> pa.Array:
    """RFC 3339 times with their zone as moments; a naive Parquet timestamp is in UTC.

    Args:
        days: also a date alone is taken, as its midnight in UTC.
    """
    kind = column.type
    if pa.types.is_timestamp(kind):
        # the format's times are in UTC, also where a Parquet column does not name a zone
        found = column.cast(pa.timestamp("us", kind.tz), safe=False).cast(TIME)
    elif pa.types.is_date(kind):
        found = column.cast(pa.timestamp("us")).cast(TIME)
    else:
        found = cast_each(column, TIME, _day_or_time if days else _time)
        reasons.where(
            pc.and_(pc.is_null(found), pc.is_valid(column)),
            f"{name} is no RFC 3339 time with its zone",
        )
    stamps = found.cast(pa.int64())
    reasons.where(
        pc.or_(pc.less(stamps, _EARLIEST), pc.greater_equal(stamps, _LATEST)),
        f"{name} lies before 1990 or after 2099",
    )
    return found


def floats(column: pa.Array, name: str, reasons: Reasons) -> pa.Array:
    """Finite numbers."""
    values = (
        column.cast(pa.float64()) if _is_number(column) else cast_each(column, pa.float64(), _float)
    )
    reasons.where(pc.and_(pc.is_null(values), pc.is_valid(column)), f"{name} is no number")
    reasons.where(pc.invert(pc.is_finite(values)), f"{name} is no number")
    return values


def integers(column: pa.Array, name: str, reasons: Reasons) -> pa.Array:
    """Whole numbers, also as a spreadsheet writes them (`12.0`)."""
    if pa.types.is_integer(column.type):
        return column.cast(pa.int64())
    values = cast_each(column.cast(pa.string()), pa.int64(), _integer)
    reasons.where(pc.and_(pc.is_null(values), pc.is_valid(column)), f"{name} is no whole number")
    return values


def amounts(column: pa.Array, name: str, reasons: Reasons) -> pa.Array:
    """Amounts, exact (`AMOUNT`); thousands and lakhs may be parted by commas.

    A text in scientific notation is refused, because its digits are gone.
    """
    if pa.types.is_string(column.type):
        gone = pc.match_substring_regex(column, SCIENTIFIC)
        if pc.any(gone, min_count=0).as_py():
            reasons.where(gone, f"{name} is in scientific notation: its digits are gone")
            column = pc.if_else(gone, pa.scalar(None, pa.string()), column)
        values = cast_each(column, AMOUNT, _amount)
        fine = pc.match_substring_regex(column, r"^\D?\d*\.\d{18}\d*[1-9]\d*$")
        reasons.where(pc.and_(pc.is_null(values), fine), f"{name} has more than 18 decimal places")
    else:
        # the shortest text that is that float: what was meant, without the binary remainder
        values = cast_each(column.cast(pa.string()), AMOUNT, _decimal)
    reasons.where(pc.and_(pc.is_null(values), pc.is_valid(column)), f"{name} is no amount")
    return values


def phone_numbers(column: pa.Array, name: str, numbers: Numbers, reasons: Reasons) -> pa.Array:
    """Numbers as `Numbers` writes them."""
    found = numbers.column(column)
    _say_lost(column, found, name, reasons)
    return found


def both_ends(
    caller: pa.Array, callee: pa.Array, numbers: Numbers, reasons: Reasons
) -> tuple[pa.Array, pa.Array]:
    """The numbers of a call's two ends, of which one may be masked or withheld.

    A masked number becomes `masked:92300XXXX123/+923217654321`: the mask, and the number at the
    other end; a withheld one (`Private`) `masked:withheld/+923217654321`. So it is never equal to
    what another number's statement hides the same way, and for its own statement stays one contact
    and not many. With both hidden, nobody is known.
    """
    ends = {"caller": (caller, callee), "callee": (callee, caller)}
    found = {"caller": numbers.column(caller), "callee": numbers.column(callee)}
    for name, (column, _) in ends.items():
        lost = _lost(column, found[name])
        if not lost.any():
            continue
        other = found["callee" if name == "caller" else "caller"]
        texts = column.to_pylist()
        masks = {i: m for i in np.flatnonzero(lost) if (m := hidden(texts[i])) is not None}
        if masks:
            unseen = np.zeros(len(column), bool)
            unseen[list(masks)] = True
            names = other.filter(pa.array(unseen)).to_pylist()
            written = [
                None if o is None else f"masked:{m}/{o}"
                for m, o in zip((masks[i] for i in sorted(masks)), names, strict=True)
            ]
            nobody = unseen.copy()
            nobody[unseen] = [w is None for w in written]
            reasons.where(
                nobody & _lost(ends[name][1], other), "both of its numbers are masked or none"
            )
            found[name] = pc.replace_with_mask(
                found[name], pa.array(unseen), pa.array(written, pa.string())
            )
    for name, (column, _) in ends.items():
        _say_lost(column, found[name], name, reasons)
    return found["caller"], found["callee"]


def _lost(column: pa.Array, found: pa.Array) -> NDArray[np.bool_]:
    lost = pc.and_(pc.is_null(found), pc.is_valid(column))
    return np.asarray(lost.to_numpy(zero_copy_only=False), bool)


def _say_lost(column: pa.Array, found: pa.Array, name: str, reasons: Reasons) -> None:
    lost = _lost(column, found)
    if not lost.any():
        return
    gone = pc.fill_null(pc.match_substring_regex(column, SCIENTIFIC), False)
    reasons.where(
        pc.and_(pa.array(lost), gone), f"{name} is in scientific notation: its digits are gone"
    )
    unseen = lost.copy()
    unseen[lost] = [hidden(v) is not None for v in column.filter(pa.array(lost)).to_pylist()]
    reasons.where(unseen, f"{name} is masked or withheld")
    reasons.where(lost, f"{name} is no number, short code or sender's name")


def identities(column: pa.Array, name: str, reasons: Reasons) -> pa.Array:
    """IMSI or IMEI (by the column's name) as digits; all zeros is none.

    An IMEI is printed in its parts, with dashes, spaces or strokes between: they are joined. One in
    ten that end in eight zeros were rounded, and as many others with each: they name no device.
    """
    if column.null_count == len(column):
        return column
    most = 15 if name.endswith("imsi") else 16  # E.212; TS 23.003 §6 with the software version
    whole = pc.match_substring_regex(column, f"^[0-9]{{14,{most}}}$")
    clear = pc.and_(whole, pc.invert(pc.ends_with(column, _ROUNDED)))
    if pc.all(clear, min_count=0).as_py() and not column.null_count:
        return column
    # a spreadsheet writes a number as 1234.0: up to 2^53 its digits are all there
    column = pc.replace_substring_regex(column, rf"{INVISIBLE}|\.0+$", "")
    column = pc.replace_substring_regex(column, _FILLED, r"\1")
    parted = pc.fill_null(pc.match_substring_regex(column, _PARTED), False)
    if pc.any(parted, min_count=0).as_py():
        column = pc.if_else(parted, pc.replace_substring_regex(column, r"[^0-9]+", ""), column)
    column = pc.if_else(
        pc.match_substring_regex(column, "^0*$"), pa.scalar(None, pa.string()), column
    )
    whole = pc.match_substring_regex(column, f"^[0-9]{{14,{most}}}$")
    wrong = pc.and_(pc.invert(whole), pc.is_valid(column))
    gone = pc.and_(wrong, pc.match_substring_regex(column, SCIENTIFIC))
    reasons.where(gone, f"{name} is in scientific notation: its digits are gone")
    reasons.where(wrong, f"{name} has not 14 to {most} digits")
    rounded = pc.ends_with(column, _ROUNDED)
    if (pc.sum(rounded).as_py() or 0) >= _ROUNDED_SHARE * (len(column) - column.null_count):
        reasons.where(rounded, f"{name} ends in zeros: its digits are gone")
    return column


def addresses(column: pa.Array, name: str, reasons: Reasons) -> pa.Array:
    """Internet addresses, version 4 or 6, each in its one usual form (RFC 5952)."""
    usual = pc.match_substring_regex(column, _IPV4)
    if pc.all(usual, min_count=0).as_py():
        return column
    encoded = column.dictionary_encode()
    known = pa.array([_address(v) for v in encoded.dictionary.to_pylist()], pa.string())
    found = known.take(encoded.indices)
    reasons.where(pc.and_(pc.is_null(found), pc.is_valid(column)), f"{name} is no address")
    return found


def choices(column: pa.Array, name: str, known: tuple[str, ...], reasons: Reasons) -> pa.Array:
    """One of some words, in any case, with spaces or dashes for underscores."""
    words = pc.replace_substring_regex(pc.ascii_lower(column), "[ -]+", "_")
    taken = pc.is_in(words, pa.array(known, pa.string()))
    reasons.where(
        pc.and_(pc.invert(taken), pc.is_valid(column)), f"{name} is none of {', '.join(known)}"
    )
    return words


def accounts(column: pa.Array, name: str, reasons: Reasons) -> None:
    """Refuse accounts that a spreadsheet took for numbers: 1.23456789012346E+16 has lost digits."""
    gone = pc.fill_null(pc.match_substring_regex(column, _SPREADSHEET), False)
    reasons.where(gone, f"{name} is in scientific notation: its digits are gone")


def currencies(column: pa.Array, name: str, reasons: Reasons) -> pa.Array:
    """Codes of currencies or coins, in upper case: PKR and pkr are one. A sign of one, or a short
    form (Rs, ₨, $), is of several countries, and refused."""
    codes = pc.utf8_upper(column)
    shaped = pc.match_substring_regex(codes, "^[A-Z][A-Z0-9]{2,9}$")
    reasons.where(
        pc.and_(pc.invert(shaped), pc.is_valid(codes)),
        f"{name} is no code of a currency, as PKR is",
    )
    return codes


def cast_each(column: pa.Array, to: pa.DataType, one: Callable[[str], Any]) -> pa.Array:
    """Cast text; where a part does not go as a whole, halve it, and go by value at the last."""
    try:
        return column.cast(to)
    except pa.ArrowInvalid:
        if len(column) <= _FEWEST_AT_A_TIME:
            return pa.array([None if v is None else one(v) for v in column.to_pylist()], to)
    half = len(column) // 2
    return pa.concat_arrays([cast_each(column[:half], to, one), cast_each(column[half:], to, one)])


def _time(text: str) -> datetime | None:
    # what fromisoformat takes beyond RFC 3339 (dates without dashes, weeks) is not meant
    if len(text) < 16 or text[4:5] != "-" or text[7:8] != "-" or text[13:14] != ":":
        return None
    try:
        return parse_time(text.upper())
    except (BadInput, OverflowError):
        return None


def _day_or_time(text: str) -> datetime | None:
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text) is None:
        return _time(text)
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        return None


def _float(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _integer(text: str) -> int | None:
    whole = re.fullmatch(r"([+-]?\d{1,18})(?:\.0*)?", text)
    return int(whole[1]) if whole is not None else None


def _amount(text: str) -> Decimal | None:
    bare = text.replace("\u00a0", "").replace(" ", "")
    if _GROUPED.fullmatch(bare):
        bare = bare.replace(",", "")
    return _decimal(bare) if _PLAIN.fullmatch(bare) else None


def _decimal(text: str) -> Decimal | None:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    if not value.is_finite() or abs(value) >= 10**20:
        return None
    # arrow takes no value whose digits go beyond its scale, also where they are zeros
    short = value.normalize()
    exponent = short.as_tuple().exponent
    return short if isinstance(exponent, int) and exponent >= -18 else None


def _address(text: str) -> str | None:
    try:
        return str(ipaddress.ip_address(text.strip("[]")))
    except ValueError:
        return None


def _is_number(column: pa.Array) -> bool:
    return bool(pa.types.is_integer(column.type) or pa.types.is_floating(column.type))
