"""Spark on the same Parquet files, where one machine is outgrown.

Spark answers the passes of this folder as DuckDB does, to the bit: what a pass returns depends
on the hash of a number in one place only, `slot63`, so Spark asks DuckDB for that one, in
Python beside each executor. Every machine of a cluster needs the same files at the same paths
and a Python with PyArrow and the node's own version of DuckDB.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC
from pathlib import Path
from types import TracebackType
from typing import Any

import duckdb
import pyarrow as pa

from cordon.calls.survey.engine import COLUMNS, Sources, alone
from cordon.kernel.store.spark import Spark, parquet

# A hash of eight bytes a call first: only calls whose hash stands twice are compared whole.
_REPEATED = """
WITH hashed AS (
    SELECT *, xxhash64(us, caller, callee, duration_s, kind) AS h FROM all_calls
), twice AS (
    SELECT h FROM hashed GROUP BY h HAVING count(*) > 1
), numbered AS (
    SELECT origin, row, row_number() OVER (
        PARTITION BY us, caller, callee, duration_s, kind ORDER BY origin, row) AS n
    FROM hashed LEFT SEMI JOIN twice USING (h)
)
SELECT origin, row FROM numbered WHERE n > 1
"""
_AGAIN = """
SELECT a.* FROM all_calls a LEFT SEMI JOIN repeated r ON r.origin = a.origin AND r.row = a.row
"""
_ONCE = """
SELECT a.* FROM all_calls a LEFT ANTI JOIN repeated r ON r.origin = a.origin AND r.row = a.row
"""


class SparkEngine:
    """Spark; see `survey.Engine`. Begins with the first query, ends with the block.

    Args:
        master, memory_mb, scratch, conf: as of `Spark`, which says what is raised.
    """

    def __init__(
        self,
        sources: Sources,
        *,
        master: str = "local[2]",
        memory_mb: int = 2048,
        scratch: Path | None = None,
        conf: Mapping[str, str] | None = None,
    ) -> None:
        self._sources = sources
        self.again = bool(sources.sides)
        self._spark = Spark(master, self._prepare, memory_mb=memory_mb, scratch=scratch, conf=conf)

    def __enter__(self) -> SparkEngine:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def table(self, sql: str) -> pa.Table:
        return self._spark.table(in_spark(sql))

    def stream(self, sql: str) -> Iterator[pa.RecordBatch]:
        yield from self.table(sql).to_batches()

    @property
    def here(self) -> bool:
        return False

    def put(self, name: str, table: pa.Table) -> None:
        self._spark.put(name, table)

    def keep(self, name: str, sql: str) -> None:
        self._spark.keep(name, in_spark(sql))

    def drop(self, name: str) -> None:
        self._spark.drop(name)

    def each_once(self) -> int:
        """Leave out calls that stand before; how many there were. As DuckEngine does it."""
        if alone([*self._sources.segments, *self._sources.raw]):
            return 0
        self._spark.keep("repeated", _REPEATED)  # every pass would find them again
        found = int(self._spark.table("SELECT count(*) AS n FROM repeated")["n"][0].as_py())
        if found:
            self._spark.view("calls", _ONCE)
            more = " UNION ALL SELECT * FROM sides" if self._sources.sides else ""
            self._spark.view("again", _AGAIN + more)
            self.again = True
        return found

    def close(self) -> None:
        """End Spark and its process, and remove what it left on the disk."""
        self._spark.close()

    def _prepare(self, session: Any) -> None:
        _functions(session)
        _calls(session, self._sources)


def in_spark(sql: str) -> str:
    """A pass as Spark runs it fast: grouped by the number itself where it groups by its hash.

    Spark sorts all rows for `any_value` of a text; one number has one hash, so the groups are
    the same.
    """
    for name in re.findall(r"GROUP BY key64\((\w+)\)", sql):
        sql = sql.replace(f"GROUP BY key64({name})", f"GROUP BY {name}")
        sql = sql.replace(f"any_value({name})", name)
    return sql


def _functions(session: Any) -> None:
    from pyspark.sql.functions import ArrowUDFType, arrow_udf

    session.sql("CREATE TEMPORARY FUNCTION key64(x STRING) RETURNS BIGINT RETURN xxhash64(x)")
    made = arrow_udf(_slots(duckdb.__version__), "bigint", ArrowUDFType.SCALAR_ITER)
    session.udf.register("slot63", made)


def _slots(version: str) -> Any:
    """What runs beside an executor. It stands alone: no worker needs Cordon."""

    def slots(batches: Iterator[pa.Array]) -> Iterator[pa.Array]:
        import duckdb
        import pyarrow as pa

        if duckdb.__version__ != version:
            raise RuntimeError(f"other DuckDB: {duckdb.__version__} here, {version} at the node")
        db = duckdb.connect(config={"threads": 1})
        for batch in batches:
            texts = pa.table({"x": batch})  # noqa: F841 - the query names it
            found = db.sql("SELECT 1::BIGINT << (hash(x) % 63)::INTEGER AS s FROM texts")
            yield found.to_arrow_table()["s"].combine_chunks()

    return slots


def _calls(session: Any, sources: Sources) -> None:
    """Make the relation `all_calls`, and `calls` as all of them."""
    parts = []
    if sources.segments:
        frame = parquet(session, sources.segments)
        parts.append(_select(frame, "sha256", "row", sources))
    for path in sources.raw:
        origin = f"CAST(unhex('{str(path).encode().hex()}') AS STRING)"
        # of the file, whatever part of it a task reads
        row = "_metadata.row_index + 1"
        parts.append(_select(parquet(session, [path]), origin, row, sources))
    whole = parts[0]
    for part in parts[1:]:
        whole = whole.unionAll(part)
    whole.createOrReplaceTempView("all_calls")
    whole.createOrReplaceTempView("calls")
    if sources.sides:
        sides = _select(parquet(session, sources.sides), "sha256", "row", sources)
        for name in ("sides", "again"):
            sides.createOrReplaceTempView(name)


def _select(frame: Any, origin: str, row: str, sources: Sources) -> Any:
    columns = []
    for name in COLUMNS:
        typed = "DOUBLE" if name == "duration_s" else "STRING"
        value = name if name in frame.columns else "NULL"
        columns.append(f"CAST({value} AS {typed}) AS {name}")
    for sign, when in ((">=", sources.since), ("<", sources.until)):
        if when is not None:
            frame = frame.where(f"start {sign} TIMESTAMP '{when.astimezone(UTC).isoformat()}'")
    # a time without a zone is one in UTC, as the session's zone is
    return frame.selectExpr(
        "unix_micros(CAST(start AS TIMESTAMP)) AS us",
        *columns,
        f"{origin} AS origin",
        f"CAST({row} AS BIGINT) AS row",
    )
