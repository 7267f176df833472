"""Columns of strings as typed columns; a row with a value that is none is refused, with why."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cordon.calls.model import CallKind, Refusal
from cordon.calls.numbers import SCIENTIFIC, Numbers
from cordon.kernel.clock import parse_time
from cordon.kernel.errors import BadInput

REQUIRED = ("start", "kind", "caller", "callee")
IDENTITIES = ("caller_imsi", "caller_imei", "callee_imsi", "callee_imei")
PLACES = ("caller_cell", "callee_cell", "trunk_in", "trunk_out")
COLUMNS = (
    "start",
    "duration_s",
    "kind",
    "caller",
    "callee",
    "caller_imsi",
    "caller_imei",
    "caller_cell",
    "callee_imsi",
    "callee_imei",
    "callee_cell",
    "trunk_in",
    "trunk_out",
)
"""Columns of the format `calls`, in its order."""

TIME = pa.timestamp("us", "UTC")
SCHEMA = pa.schema(
    [("sha256", pa.string()), ("row", pa.int64())]
    + [
        (n, TIME if n == "start" else pa.float64() if n == "duration_s" else pa.string())
        for n in COLUMNS
    ]
)
"""Columns of a batch and of a segment: the record's file and row, then the format's columns."""

_LONGEST_CALL_S = 7 * 86400.0
_EARLIEST, _LATEST = (
    int(datetime(year, 1, 1, tzinfo=UTC).timestamp() * 1e6) for year in (1990, 2100)
)
_FEWEST_AT_A_TIME = 64


class _Refused:
    """The first reason of each row that has one."""

    def __init__(self, rows: int) -> None:
        self.codes = np.zeros(rows, np.int16)
        self.reasons = [""]

    def where(self, mask: pa.Array | NDArray[np.bool_], reason: str) -> None:
        flags = (
            mask
            if isinstance(mask, np.ndarray)
            else np.asarray(pc.fill_null(mask, False).to_numpy(zero_copy_only=False), bool)
        )
        if flags.any():
            self.reasons.append(reason)
            self.codes[flags & (self.codes == 0)] = len(self.reasons) - 1


def checked(
    table: pa.Table, rows: NDArray[np.int64], sha256: str, numbers: Numbers
) -> tuple[pa.Table, list[Refusal]]:
    """Typed rows of a block (in `SCHEMA`), and those refused.

    Args:
        table: columns of `COLUMNS` as strings; `start` may be a timestamp and `duration_s` a
            number already. Columns that the file lacks are absent.
        rows: each row's number. sha256: the file's.
    """
    refused = _Refused(len(table))
    columns: dict[str, pa.Array] = {"sha256": _constant(sha256, len(table)), "row": pa.array(rows)}
    for name in COLUMNS:
        if name not in table.column_names:
            columns[name] = pa.nulls(len(table), SCHEMA.field(name).type)
            continue
        column = _array(table[name])
        if name == "start":
            columns[name] = _times(column, refused)
        elif name == "duration_s":
            columns[name] = _durations(column, refused)
        elif name == "kind":
            columns[name] = _kinds(column, refused)
        elif name in ("caller", "callee"):
            columns[name] = _numbers(column, name, numbers, refused)
        elif name in IDENTITIES:
            columns[name] = _identities(column, name, refused)
        else:
            columns[name] = column
    done = pa.table([columns[n] for n in SCHEMA.names], schema=SCHEMA)
    bad = np.flatnonzero(refused.codes)
    if not len(bad):
        return done, []
    refusals = [Refusal(int(rows[i]), refused.reasons[refused.codes[i]]) for i in bad]
    return done.filter(pa.array(refused.codes == 0)), refusals


def _times(column: pa.Array, refused: _Refused) -> pa.Array:
    refused.where(pc.is_null(column), "start is missing")
    if pa.types.is_timestamp(column.type):
        # the format's times are in UTC, also where a Parquet column does not name a zone
        times = column.cast(pa.timestamp("us", column.type.tz), safe=False).cast(TIME)
    else:
        times = _cast(column, TIME, _time)
        refused.where(
            pc.and_(pc.is_null(times), pc.is_valid(column)),
            "start is no RFC 3339 time with its zone",
        )
    stamps = times.cast(pa.int64())
    refused.where(
        pc.or_(pc.less(stamps, _EARLIEST), pc.greater_equal(stamps, _LATEST)),
        "start lies before 1990 or after 2099",
    )
    return times


def _time(text: str) -> datetime | None:
    # what fromisoformat takes beyond RFC 3339 (dates without dashes, weeks) is not meant
    if len(text) < 16 or text[4:5] != "-" or text[7:8] != "-" or text[13:14] != ":":
        return None
    try:
        return parse_time(text.upper())
    except (BadInput, OverflowError):
        return None


def _durations(column: pa.Array, refused: _Refused) -> pa.Array:
    values = (
        column.cast(pa.float64()) if _is_number(column) else _cast(column, pa.float64(), _float)
    )
    refused.where(pc.and_(pc.is_null(values), pc.is_valid(column)), "duration_s is no number")
    refused.where(pc.invert(pc.is_finite(values)), "duration_s is no number")
    refused.where(pc.less(values, 0.0), "duration_s is negative")
    refused.where(pc.greater(values, _LONGEST_CALL_S), "duration_s is longer than a week")
    return values


def _float(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _kinds(column: pa.Array, refused: _Refused) -> pa.Array:
    refused.where(pc.is_null(column), "kind is missing")
    kinds = pc.ascii_lower(column)
    known = pc.is_in(kinds, pa.array([k.value for k in CallKind]))
    refused.where(pc.and_(pc.invert(known), pc.is_valid(column)), "kind is neither voice nor sms")
    return kinds


def _numbers(column: pa.Array, name: str, numbers: Numbers, refused: _Refused) -> pa.Array:
    refused.where(pc.is_null(column), f"{name} is missing")
    found = numbers.column(column)
    lost = pc.and_(pc.is_null(found), pc.is_valid(column))
    if pc.any(lost, min_count=0).as_py():
        gone = pc.and_(lost, pc.match_substring_regex(column, SCIENTIFIC))
        refused.where(gone, f"{name} is in scientific notation: its digits are gone")
        refused.where(lost, f"{name} is no number, short code or sender's name")
    return found


def _identities(column: pa.Array, name: str, refused: _Refused) -> pa.Array:
    if column.null_count == len(column):
        return column
    most = 15 if name.endswith("imsi") else 16  # E.212; TS 23.003 §6 with the software version
    whole = pc.match_substring_regex(column, f"^[0-9]{{14,{most}}}$")
    if pc.all(whole, min_count=0).as_py() and not column.null_count:
        return column
    # a spreadsheet writes a number as 1234.0: up to 2^53 its digits are all there
    column = pc.replace_substring_regex(column, r"\.0+$", "")
    column = pc.if_else(
        pc.match_substring_regex(column, "^0*$"), pa.scalar(None, pa.string()), column
    )
    whole = pc.match_substring_regex(column, f"^[0-9]{{14,{most}}}$")
    wrong = pc.and_(pc.invert(whole), pc.is_valid(column))
    gone = pc.and_(wrong, pc.match_substring_regex(column, SCIENTIFIC))
    refused.where(gone, f"{name} is in scientific notation: its digits are gone")
    refused.where(wrong, f"{name} has not 14 to {most} digits")
    return column


def _cast(column: pa.Array, to: pa.DataType, one: Callable[[str], Any]) -> pa.Array:
    """Cast text; where a part does not go as a whole, halve it, and go by value at the last."""
    try:
        return column.cast(to)
    except pa.ArrowInvalid:
        if len(column) <= _FEWEST_AT_A_TIME:
            return pa.array([None if v is None else one(v) for v in column.to_pylist()], to)
    half = len(column) // 2
    return pa.concat_arrays([_cast(column[:half], to, one), _cast(column[half:], to, one)])


def _is_number(column: pa.Array) -> bool:
    return bool(pa.types.is_integer(column.type) or pa.types.is_floating(column.type))


def _array(column: pa.ChunkedArray) -> pa.Array:
    whole = column.combine_chunks()
    return whole.chunk(0) if isinstance(whole, pa.ChunkedArray) and whole.num_chunks else whole


def _constant(text: str, length: int) -> pa.Array:
    return pa.repeat(pa.scalar(text), length)
