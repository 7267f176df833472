"""Pure parts of an import: which rows are new, and the segment that keeps them.

A job that imports a file works batch by batch: (SHA-256 of the file, number of the batch) names
a piece of work, and the same file gives the same batches on every reading. What was done before
a crash is skipped by that name; what was half done is done again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from cordon.calls.checking import SCHEMA
from cordon.kernel.errors import BadInput
from cordon.kernel.store.columns import connect
from cordon.kernel.store.files import written_whole

KEY = ("start", "caller", "callee", "duration_s", "kind")
"""Columns that make two records the same call."""


NEAR = timedelta(seconds=2)
"""How far the starts and the durations of one call may differ between two deliveries: a switch
and a billing system begin to count at other moments, and round durations in other ways."""

_ONCE = """
SELECT row FROM batch
QUALIFY row_number() OVER (
    PARTITION BY start, caller, callee, duration_s, kind ORDER BY row) = 1
"""
_PAIRS = """
SELECT b.row, k.sha256 || '-' || k.row AS kept,
       b.start = k.start AND b.duration_s IS NOT DISTINCT FROM k.duration_s AS exact,
       k.sha256 <> b.sha256 AS elsewhere,
       abs(epoch_us(b.start) - epoch_us(k.start)) AS off_us,
       coalesce(abs(b.duration_s - k.duration_s), 0) AS off_s
FROM batch b JOIN kept k
  ON b.caller = k.caller AND b.callee = k.callee AND b.kind = k.kind
 AND k.start BETWEEN b.start - INTERVAL 2 SECOND AND b.start + INTERVAL 2 SECOND
WHERE k.start BETWEEN $first AND $last
  AND (b.duration_s IS NULL OR k.duration_s IS NULL OR abs(b.duration_s - k.duration_s) <= 2)
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

    A call is repeated where start, caller, callee, duration and kind are those of one before it
    in the batch or of a kept one. It is repeated too where it is as good as the same call in
    **another file**: same caller, callee and kind, start and duration each within `NEAR`. Then
    each kept call answers for one call of the batch at most, nearest first, so that of several
    messages within two seconds none is lost. Within one file nothing near is taken for the same.

    Args:
        table: a batch in `checking.SCHEMA`, of one file.
        kept: segments whose span, widened by `NEAR`, touches the batch's (others cannot hold its
            calls).
    """
    if not len(table):
        return table, 0
    first, last = span(table)
    assert first is not None
    assert last is not None
    with connect(memory_mb=memory_mb, threads=threads) as db:
        db.register("batch", table)
        rows = db.sql(_ONCE).to_arrow_table()["row"].to_numpy()
        if kept:
            db.read_parquet([str(p) for p in kept]).create_view("kept")
            pairs = db.sql(_PAIRS, params={"first": first - NEAR, "last": last + NEAR})
            rows = np.setdiff1d(rows, _repeated(pairs.to_arrow_table(), rows))
    new = table.filter(pc.is_in(table["row"], pa.array(rows, pa.int64())))
    return new, len(table) - len(new)


def _repeated(pairs: pa.Table, once: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rows that a kept call answers for.

    Args:
        pairs: rows of the batch beside kept calls near them. once: the batch's rows without
            those that repeat one before them.
    """
    if not len(pairs):
        return np.zeros(0, np.int64)
    exact = pairs.filter(pairs["exact"])
    rows = set(exact["row"].to_pylist())
    taken = set(exact["kept"].to_pylist())
    near = pairs.filter(
        pc.and_(pc.and_(pc.invert(pairs["exact"]), pairs["elsewhere"]),
                pc.is_in(pairs["row"], pa.array(once, pa.int64())))
    ).sort_by([(n, "ascending") for n in ("off_us", "off_s", "row", "kept")])  # fmt: skip
    for row, kept in zip(near["row"].to_pylist(), near["kept"].to_pylist(), strict=True):
        if row not in rows and kept not in taken:
            rows.add(row)
            taken.add(kept)
    return np.array(sorted(rows), np.int64)
