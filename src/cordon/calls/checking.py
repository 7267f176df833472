"""Columns of strings as typed columns; a row with a value that is none is refused, with why."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cordon.calls.casting import TIME, Reasons, both_ends, floats, identities, times
from cordon.calls.model import CallKind, Refusal
from cordon.calls.numbers import Numbers

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

SCHEMA = pa.schema(
    [("sha256", pa.string()), ("row", pa.int64())]
    + [
        (n, TIME if n == "start" else pa.float64() if n == "duration_s" else pa.string())
        for n in COLUMNS
    ]
)
"""Columns of a batch and of a segment: the record's file and row, then the format's columns."""

_GONE = r"^[0-9][.,][0-9]+[eE]\+?[0-9]{1,3}$"  # with a point: 12E3 may be a cell in hexadecimal
_LONGEST_CALL_S = 7 * 86400.0


def checked(
    table: pa.Table, rows: NDArray[np.int64], sha256: str, numbers: Numbers
) -> tuple[pa.Table, list[Refusal]]:
    """Typed rows of a block (in `SCHEMA`), and those refused.

    Args:
        table: columns of `COLUMNS` as strings; `start` may be a timestamp and `duration_s` a
            number already. Columns that the file lacks are absent.
        rows: each row's number. sha256: the file's.
    """
    refused = Reasons(len(table))
    columns: dict[str, pa.Array] = {"sha256": _constant(sha256, len(table)), "row": pa.array(rows)}
    for name in COLUMNS:
        if name not in table.column_names:
            columns[name] = pa.nulls(len(table), SCHEMA.field(name).type)
            continue
        column = as_array(table[name])
        if name in REQUIRED:
            refused.where(pc.is_null(column), f"{name} is missing")
        if name == "start":
            columns[name] = times(column, name, refused)
        elif name == "duration_s":
            columns[name] = _durations(column, refused)
        elif name == "kind":
            columns[name] = _kinds(column, refused)
        elif name in ("caller", "callee"):
            columns[name] = column
        elif name in IDENTITIES:
            columns[name] = identities(column, name, refused)
        else:
            if name in PLACES[:2]:
                gone = pc.match_substring_regex(column, _GONE)
                refused.where(gone, f"{name} is in scientific notation: its digits are gone")
            columns[name] = column
    columns["caller"], columns["callee"] = both_ends(
        columns["caller"], columns["callee"], numbers, refused
    )
    done = pa.table([columns[n] for n in SCHEMA.names], schema=SCHEMA)
    bad = np.flatnonzero(refused.codes)
    if not len(bad):
        return done, []
    refusals = [Refusal(int(rows[i]), refused.reasons[refused.codes[i]]) for i in bad]
    return done.filter(pa.array(refused.codes == 0)), refusals


def _durations(column: pa.Array, reasons: Reasons) -> pa.Array:
    values = floats(column, "duration_s", reasons)
    reasons.where(pc.less(values, 0.0), "duration_s is negative")
    reasons.where(pc.greater(values, _LONGEST_CALL_S), "duration_s is longer than a week")
    return values


def _kinds(column: pa.Array, reasons: Reasons) -> pa.Array:
    kinds = pc.ascii_lower(column)
    known = pc.is_in(kinds, pa.array([k.value for k in CallKind]))
    reasons.where(pc.and_(pc.invert(known), pc.is_valid(column)), "kind is neither voice nor sms")
    return kinds


def as_array(column: pa.ChunkedArray) -> pa.Array:
    """A column in one piece."""
    whole = column.combine_chunks()
    return whole.chunk(0) if isinstance(whole, pa.ChunkedArray) and whole.num_chunks else whole


def _constant(text: str, length: int) -> pa.Array:
    return pa.repeat(pa.scalar(text), length)
