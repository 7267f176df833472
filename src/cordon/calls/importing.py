"""Pure parts of an import: which rows are new, and the segment that keeps them.

A job that imports a file works batch by batch: (SHA-256 of the file, number of the batch) names
a piece of work, and the same file gives the same batches on every reading. What was done before
a crash is skipped by that name; what was half done is done again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cordon.calls.checking import SCHEMA
from cordon.kernel.errors import BadInput
from cordon.kernel.store.columns import connect
from cordon.kernel.store.files import written_whole

KEY = ("start", "caller", "callee", "duration_s", "kind")
"""Columns that make two records the same call."""


_FRESH = """
SELECT row FROM batch
QUALIFY row_number() OVER (
    PARTITION BY start, caller, callee, duration_s, kind ORDER BY row) = 1
"""
_FRESH_BESIDE_KEPT = """
WITH once AS (
    SELECT * FROM batch
    QUALIFY row_number() OVER (
        PARTITION BY start, caller, callee, duration_s, kind ORDER BY row) = 1
), old AS (
    SELECT start, caller, callee, duration_s, kind FROM kept
    WHERE start BETWEEN $first AND $last
)
SELECT row FROM once b WHERE NOT EXISTS (
    SELECT 1 FROM old k
    WHERE b.start = k.start AND b.caller = k.caller AND b.callee = k.callee
      AND b.duration_s IS NOT DISTINCT FROM k.duration_s AND b.kind = k.kind)
"""


@dataclass(frozen=True, slots=True)
class Segment:
    """One Parquet file of calls.

    Attributes:
        path: where it stands. sha256, number: file and batch that it came from.
        rows: how many it holds. first, last: the span of their starts (aware UTC), or None.
    """

    path: Path
    sha256: str
    number: int
    rows: int
    first: datetime | None
    last: datetime | None


def span(table: pa.Table) -> tuple[datetime | None, datetime | None]:
    """First and last start in a batch (aware UTC); None twice where it holds no row."""
    ends = pc.min_max(table["start"]).as_py()
    return ends["min"], ends["max"]


def write_segment(folder: Path, sha256: str, number: int, table: pa.Table) -> Segment:
    """Write a batch whole or not at all: `folder/aa/aaaa…-000003.parquet`.

    Writing it again writes over it, so that a batch done twice stands there once.
    """
    if table.schema != SCHEMA:
        raise BadInput("A segment of calls must have the columns of checking.SCHEMA.")
    path = folder / sha256[:2] / f"{sha256[:32]}-{number:06d}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as partial:
        pq.write_table(table, partial, compression="zstd", row_group_size=1 << 17)
    first, last = span(table)
    return Segment(path, sha256, number, len(table), first, last)


def without_repeats(
    table: pa.Table, kept: Sequence[Path], *, memory_mb: int = 1024, threads: int = 2
) -> tuple[pa.Table, int]:
    """The calls of a batch that are not kept yet, and how many were repeated.

    Exact: compares start, caller, callee, duration and kind themselves. Of a call that stands
    twice in the batch the first row is taken.

    Args:
        table: a batch in `checking.SCHEMA`.
        kept: segments whose span touches the batch's (others cannot hold its calls).
    """
    if not len(table):
        return table, 0
    first, last = span(table)
    with connect(memory_mb=memory_mb, threads=threads) as db:
        db.register("batch", table)
        if kept:
            db.read_parquet([str(p) for p in kept]).create_view("kept")
            fresh = db.sql(_FRESH_BESIDE_KEPT, params={"first": first, "last": last})
        else:
            fresh = db.sql(_FRESH)
        rows = fresh.to_arrow_table()["row"]
    new = table.filter(pc.is_in(table["row"], rows.combine_chunks()))
    return new, len(table) - len(new)
