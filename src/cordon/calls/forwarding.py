"""Which number sends calls on to which: read with the calls, kept beside them.

A switch names a third number on a call that was forwarded. No pass over everybody's calls asks for
it, so it stands in no column of theirs: what is seldom told costs nothing where it is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from cordon.calls.casting import TIME
from cordon.calls.checking import as_array
from cordon.calls.importing import NEAR
from cordon.calls.numbers import Numbers
from cordon.kernel.access.model import Scope
from cordon.kernel.store.columns import Columns, connect

DATASET = "calls.forwards"
SOUGHT = ("number", "forwarded_to")  # by which pages look for them
COLUMNS = ("forwarded_by", "forwarded_to")
"""Columns of a file of calls: the number that sent the call on to the one called (ITU-T Q.732.2:
redirecting number), or the number that the one called sent it on to."""

SCHEMA = pa.schema(
    [
        ("sha256", pa.string()),
        ("row", pa.int64()),
        ("start", TIME),
        ("number", pa.string()),
        ("forwarded_to", pa.string()),
    ]
)
"""A forwarding: `number` sent the call of a row on to `forwarded_to`."""

MOST = 50  # of one number's page, each way
_DIALLED = r"^\+?[0-9]{3,15}$"  # a masked number is not the same one in two files
# one call that was delivered twice counts once
_ONCE = """
SELECT * FROM forwards
QUALIFY coalesce(start - lag(start) OVER (
    PARTITION BY number, forwarded_to ORDER BY start, sha256, row
) > $near, true)
"""
_IN_ORDER = f"""
SELECT * FROM ({_ONCE}) WHERE start >= $since AND start < $until
ORDER BY start, number, forwarded_to, sha256, row
"""  # noqa: S608 - our own
_OF = f"""
SELECT number = $value AS sends, if(number = $value, forwarded_to, number) AS other,
       count(*) AS calls, min(start) AS first, max(start) AS last
FROM ({_ONCE})
WHERE (number = $value OR forwarded_to = $value) AND start >= $since AND start < $until
GROUP BY sends, other
QUALIFY row_number() OVER (PARTITION BY sends ORDER BY calls DESC, other) <= $most
ORDER BY sends DESC, calls DESC, other
"""  # noqa: S608 - our own


@dataclass(frozen=True, slots=True)
class Forwarding:
    """Calls that one number sent on to another.

    Attributes:
        sends: True where the number that was asked for sends them on. other: the other number.
    """

    sends: bool
    other: str
    calls: int
    first: datetime
    last: datetime


def none() -> pa.Table:
    """No forwarding at all."""
    return SCHEMA.empty_table()


def forwards(table: pa.Table, taken: pa.Table, rows: NDArray[np.int64], by: Numbers) -> pa.Table:
    """The forwardings of a block (`SCHEMA`).

    Args:
        table: its columns as text, those of `COLUMNS` among them or not. taken: its calls in
            `checking.SCHEMA`. rows: number of each row of `table`. by: how numbers are written.
    """
    told = [n for n in COLUMNS if n in table.column_names and table[n].null_count < len(table)]
    if not told or not len(taken):
        return none()
    at = pc.index_in(taken["row"], pa.array(rows, pa.int64()))
    found = []
    for name in told:
        third = by.column(as_array(table[name].take(at)))
        dialled = pc.fill_null(pc.match_substring_regex(third, _DIALLED), False)
        third = pc.if_else(dialled, third, pa.scalar(None, pa.string()))
        ends = (third, taken["callee"]) if name == "forwarded_by" else (taken["callee"], third)
        pair = pa.table([taken["sha256"], taken["row"], taken["start"], *ends], schema=SCHEMA)
        keep = pc.and_(pc.is_valid(third), pc.not_equal(pair["number"], pair["forwarded_to"]))
        found.append(pair.filter(keep))
    return pa.concat_tables(found).combine_chunks()


def of_parquet(path: Path, region: str) -> pa.Table:
    """The forwardings of a Parquet file of the format `calls` that is searched where it stands."""
    told = [n for n in COLUMNS if n in pq.read_schema(path).names]
    if not told:
        return none()
    wanted = ", ".join(("start", "callee", *told))
    any_ = " OR ".join(f"{n} IS NOT NULL" for n in told)
    with connect() as db:
        db.read_parquet(str(path), file_row_number=True).create_view("calls")
        asked = f"SELECT file_row_number + 1 AS row, {wanted} FROM calls WHERE {any_}"  # noqa: S608
        rows: pa.Table = db.sql(asked).to_arrow_table()
    if not len(rows):
        return none()
    rows = rows.set_column(1, "start", rows["start"].cast(TIME))
    rows = rows.append_column("sha256", pa.array([""] * len(rows)))
    text = pa.table({n: rows[n].cast(pa.string()) for n in told})
    return forwards(text, rows, rows["row"].to_numpy(), Numbers(region))


def once(tables: Sequence[pa.Table], since: datetime | None, until: datetime | None) -> pa.Table:
    """Forwardings of several files within [since, until), each call once, in order.

    Two deliveries of one call differ by `importing.NEAR` at most.
    """
    every = pa.concat_tables([none(), *tables])
    if not len(every):
        return every
    with connect() as db:
        db.register("forwards", every)
        found: pa.Table = db.sql(_IN_ORDER, params=_given(since, until)).to_arrow_table()
        return found.cast(SCHEMA)


def read(paths: Sequence[Path]) -> list[pa.Table]:
    """Forwardings that were kept with calls."""
    return [pq.read_table(path, schema=SCHEMA) for path in paths]


def of_number(
    columns: Columns, paths: Sequence[Path], number: str, scope: Scope
) -> list[Forwarding]:
    """To whom a number sends calls on and who sends them on to it, the most calls first."""
    if not paths:
        return []
    with columns.connect() as db:
        db.read_parquet([str(p) for p in paths]).create_view("forwards")
        given = {"value": number, "most": MOST, **_given(scope.since, scope.until)}
        rows: Any = db.sql(_OF, params=given).to_arrow_table()
        return [Forwarding(*row.values()) for row in rows.to_pylist()]


def _given(since: datetime | None, until: datetime | None) -> dict[str, Any]:
    return {
        "near": NEAR,
        "since": since or datetime(1900, 1, 1, tzinfo=UTC),
        "until": until or datetime(9999, 1, 1, tzinfo=UTC),
    }
