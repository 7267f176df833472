"""What runs the heavy passes: DuckDB in process, or another engine on the same files.

An engine offers the relation `calls` and two functions, and answers SQL in Arrow. The passes are
written in what DuckDB and Spark SQL both read; no result holds a hash, so that the engines
answer the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from threading import RLock
from typing import Protocol

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

COLUMNS = (
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
)


COUNTED = 10_000_000
"""Rows up to which repeated calls are looked for within one file too."""

ROW_BITS = 40
"""Of a `place`, for the row; what is above them says which file."""

_AT_A_TIME = 1 << 17  # rows of a part of an answer

_AGAIN = (
    "CREATE OR REPLACE VIEW again AS SELECT a.* FROM all_calls a "
    "JOIN repeated r ON r.origin = a.origin AND r.row = a.row"
)
# A hash of eight bytes a call first: only calls whose hash stands twice are compared whole.
_EACH_ONCE = (
    """CREATE OR REPLACE TEMP TABLE twice AS
       SELECT hash(us, caller, callee, duration_s, kind) AS h FROM all_calls
       GROUP BY h HAVING count(*) > 1""",
    """CREATE OR REPLACE TEMP TABLE repeated AS
       SELECT origin, row FROM all_calls
       WHERE hash(us, caller, callee, duration_s, kind) IN (SELECT h FROM twice)
       QUALIFY row_number() OVER (
           PARTITION BY us, caller, callee, duration_s, kind ORDER BY origin, row) > 1""",
    "DROP TABLE twice",
)
_SLOTS = "SELECT n, CAST(hash(text) % 63 AS UTINYINT) AS slot FROM texts"
_ONCE = """
CREATE OR REPLACE VIEW calls AS SELECT * FROM all_calls a
WHERE NOT EXISTS (SELECT 1 FROM repeated r WHERE r.origin = a.origin AND r.row = a.row)
"""


class Engine(Protocol):
    """Answers SQL over one set of calls.

    The relation `calls` has `us` (start in microseconds since the epoch, BIGINT), the columns of
    COLUMNS (`duration_s` DOUBLE, the others text), `origin` (SHA-256 of the file, or its path)
    and `row` (from 1); in this process also `place`, which is both in one whole number.
    `key64(text)` is a 64-bit hash, `slot63(text)` one bit of 63 chosen by it. Any thread may ask.
    """

    def table(self, sql: str) -> pa.Table:
        """The answer to a query."""
        ...

    def stream(self, sql: str) -> Iterator[pa.RecordBatch]:
        """The answer to a query, some at a time; none other is asked before its end."""
        ...

    @property
    def here(self) -> bool:
        """True where it runs in this process, so that every call may be looked at."""
        ...

    @property
    def again(self) -> bool:
        """True where it has the relation `again`: other records of calls, as `calls` has them."""
        ...

    def each_once(self) -> int:
        """Leave out calls that stand before; how many there were."""
        ...

    def put(self, name: str, table: pa.Table) -> None:
        """Offer a table to queries under a name; one of that name is replaced."""
        ...

    def keep(self, name: str, sql: str) -> None:
        """Answer a query once, and offer the answer to queries under a name."""
        ...

    def drop(self, name: str) -> None:
        """Let go of what `keep` kept."""
        ...


@dataclass(frozen=True, slots=True)
class Sources:
    """Files of calls that hold what they say.

    Attributes:
        segments: files that `write_segment` wrote. raw: Parquet files of the format `calls`.
        sides: files as segments are, of records of the same calls that tell more of them.
        since, until: only calls that start in [since, until), where given.
    """

    segments: tuple[Path, ...] = ()
    raw: tuple[Path, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    sides: tuple[Path, ...] = ()


class DuckEngine:
    """DuckDB in process.

    Args:
        db: a connection whose memory and threads are bounded.
        threads: how many of them, for what is read without it.

    Attributes:
        alone: True where no call can stand in two of the files, and there are many of them.
        owes_each_once: True where calls that stand before are left out before it answers, if it
            is asked anything at all.
    """

    def __init__(self, db: duckdb.DuckDBPyConnection, sources: Sources, threads: int = 2) -> None:
        self.db, self.sources, self.threads = db, sources, threads
        self.owes_each_once = False
        self._one = RLock()  # a connection answers one thread at a time
        self.again, self._sides = bool(sources.sides), ""
        db.execute("SET preserve_insertion_order = false")  # what needs an order asks for it
        db.execute("SET TimeZone = 'UTC'")  # a start without a zone is UTC, wherever the machine is
        db.execute("CREATE OR REPLACE MACRO key64(x) AS hash(x)")
        db.execute("CREATE OR REPLACE MACRO slot63(x) AS (1::BIGINT << (hash(x) % 63)::INTEGER)")
        parts = []
        if sources.segments:
            listed = ", ".join(_quoted(path) for path in sources.segments)
            view = f"SELECT *, file_index FROM read_parquet([{listed}])"  # noqa: S608 - paths, quoted
            db.execute(f"CREATE OR REPLACE VIEW segments AS {view}")
            file = f"{len(sources.raw)} + file_index"
            parts.append(_select("segments", COLUMNS, "sha256", "row", file, sources))
        for at, path in enumerate(sources.raw):
            # a view each: files of one delivery need not have the same columns
            db.read_parquet(str(path), file_row_number=True).create_view(f"raw{at}", replace=True)
            named, row = pq.read_schema(path).names, "file_row_number + 1"
            parts.append(_select(f"raw{at}", named, _quoted(path), row, str(at), sources))
        db.execute("CREATE OR REPLACE VIEW all_calls AS " + " UNION ALL ".join(parts))
        db.execute("CREATE OR REPLACE VIEW calls AS SELECT * FROM all_calls")
        if sources.sides:
            listed = ", ".join(_quoted(path) for path in sources.sides)
            view = f"SELECT * FROM read_parquet([{listed}])"  # noqa: S608 - paths, quoted
            db.execute(f"CREATE OR REPLACE VIEW sides AS {view}")
            self._sides = _select("sides", COLUMNS, "sha256", "row", "0", sources)
            db.execute(f"CREATE OR REPLACE VIEW again AS {self._sides}")
        self.alone = alone([*sources.segments, *sources.raw])

    def table(self, sql: str) -> pa.Table:
        with self._one:
            self._settle()
            return self.db.sql(sql).to_arrow_table()

    def stream(self, sql: str) -> Iterator[pa.RecordBatch]:
        self._settle()
        yield from self.db.sql(sql).to_arrow_reader(_AT_A_TIME)

    @property
    def here(self) -> bool:
        return True

    def each_once(self) -> int:
        """Leave out calls that stand before; how many there were.

        Within one large file that is not looked for: what is fetched from it is compared anyway.
        """
        self.owes_each_once = False
        if self.alone:
            return 0
        for step in _EACH_ONCE:
            self.db.execute(step)
        ((found,),) = self.db.execute("SELECT count(*) FROM repeated").fetchall()
        if found:  # without repeats the plain view spares every pass a join
            self.db.execute(_ONCE)
            self.db.execute(_AGAIN + (f" UNION ALL {self._sides}" if self._sides else ""))
            self.again = True
        return int(found)

    def _settle(self) -> None:
        if self.owes_each_once:
            self.each_once()

    def slots(self, texts: pa.Array) -> NDArray[np.uint8]:
        """Which bit `slot63` sets for each text; any thread may ask."""
        found = np.empty(len(texts), np.uint8)
        with self.db.cursor() as db:
            db.register("texts", pa.table({"n": np.arange(len(texts)), "text": texts}))
            for batch in db.sql(_SLOTS).to_arrow_reader(_AT_A_TIME):
                found[batch.column("n").to_numpy()] = batch.column("slot").to_numpy()
        return found

    def put(self, name: str, table: pa.Table) -> None:
        with self._one:
            self.db.register(f"{name}_arrow", table)
            self.db.execute(
                f'CREATE OR REPLACE TEMP TABLE "{name}" AS SELECT * FROM "{name}_arrow"'  # noqa: S608 - names of our own
            )
            self.db.unregister(f"{name}_arrow")

    def keep(self, name: str, sql: str) -> None:
        with self._one:
            self._settle()
            self.db.execute(f'CREATE OR REPLACE TEMP TABLE "{name}" AS {sql}')

    def drop(self, name: str) -> None:
        with self._one:
            self.db.execute(f'DROP TABLE IF EXISTS "{name}"')


def _quoted(path: Path) -> str:
    return f"'{str(path).replace(chr(39), chr(39) * 2)}'"


def _select(
    view: str, named: Sequence[str], origin: str, row: str, file: str, sources: Sources
) -> str:
    columns = [
        name
        if name in named
        else f"CAST(NULL AS {'DOUBLE' if name == 'duration_s' else 'VARCHAR'}) AS {name}"
        for name in COLUMNS
    ]
    bounds = [
        f"start {sign} TIMESTAMPTZ '{when.isoformat()}'"
        for sign, when in ((">=", sources.since), ("<", sources.until))
        if when is not None
    ]
    where = f" WHERE {' AND '.join(bounds)}" if bounds else ""
    return (
        f"SELECT epoch_us(start) AS us, {', '.join(columns)}, {origin} AS origin, {row} AS row, "  # noqa: S608 - names of our own
        f"((({file})::BIGINT << {ROW_BITS}) + {row}) AS place FROM {view}{where}"
    )


def alone(paths: Sequence[Path]) -> bool:
    """True for many calls of which no two files touch the same time."""
    spans, rows = [], 0
    for path in paths:
        meta = pq.read_metadata(path)
        rows += meta.num_rows
        at = meta.schema.names.index("start")
        ends = [meta.row_group(g).column(at).statistics for g in range(meta.num_row_groups)]
        if any(e is None or not e.has_min_max for e in ends):
            return len(paths) == 1 and rows > COUNTED
        if ends:
            spans.append((min(e.min for e in ends), max(e.max for e in ends)))
    spans.sort(key=lambda s: (str(s[0]), str(s[1])))
    apart = all(str(a[1]) < str(b[0]) for a, b in pairwise(spans))
    return rows > COUNTED and apart
