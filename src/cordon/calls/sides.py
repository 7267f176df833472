"""What other records of a call tell of it: kept beside the calls.

An operator knows the SIM, handset and cell of its own subscriber alone. Of a call between two
operators, or of one that a switch writes at both its ends, each record tells one side: the call
counts once, and what the second record adds is kept here and filled in by a search.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from cordon.calls.checking import SCHEMA
from cordon.calls.importing import NEAR, span
from cordon.kernel.store.columns import connect

DATASET = "calls.sides"
SIDES = tuple(f"{end}_{what}" for end in ("caller", "callee") for what in ("imsi", "imei", "cell"))

_ADDS = " OR ".join(f"(any_value(b.{n}) IS NOT NULL AND max(k.{n}) IS NULL)" for n in SIDES)
_MORE = f"""
SELECT b.row FROM batch b JOIN known k
  ON b.caller = k.caller AND b.callee = k.callee AND b.kind = k.kind
 AND k.start BETWEEN b.start - INTERVAL 2 SECOND AND b.start + INTERVAL 2 SECOND
WHERE k.start BETWEEN $first AND $last
  AND (b.duration_s IS NULL OR k.duration_s IS NULL OR abs(b.duration_s - k.duration_s) <= 2)
GROUP BY b.row HAVING {_ADDS}
"""  # noqa: S608 - names of our own


def adding(
    batch: pa.Table,
    new: pa.Table,
    kept: Sequence[Path],
    *,
    memory_mb: int = 1024,
    threads: int = 2,
) -> pa.Table:
    """The repeated rows of a batch that tell a side which no other record of their call tells.

    Args:
        batch: in `checking.SCHEMA`, of one file. new: those of its rows that are kept as calls.
        kept: segments of calls, and of what was kept here before, that may hold their calls.
    """
    again = batch.filter(pc.invert(pc.is_in(batch["row"], new["row"].combine_chunks())))
    if not len(again) or all(again[n].null_count == len(again) for n in SIDES):
        return again.slice(0, 0)
    first, last = span(again)
    assert first is not None
    assert last is not None
    with connect(memory_mb=memory_mb, threads=threads) as db:
        db.register("batch", again)
        db.register("new", new)
        known = "SELECT * FROM new"
        if kept:
            db.read_parquet([str(p) for p in kept]).create_view("kept")
            names = ", ".join(SCHEMA.names)
            known += f" UNION ALL SELECT {names} FROM kept"  # noqa: S608 - names of our own
        db.execute(f"CREATE VIEW known AS {known}")
        found = db.sql(_MORE, params={"first": first - NEAR, "last": last + NEAR})
        rows = found.to_arrow_table()["row"].combine_chunks()
    return again.filter(pc.is_in(again["row"], rows))
