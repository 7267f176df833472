"""What runs the passes over payments: DuckDB in process, or Spark on the same Parquet files.

The passes of `reading` and `reaching` are written once, in what both read. What the two say in
ways of their own, they offer as functions of one name: `key64(text)`, a hash; `gives_back(note)`,
whether a purpose tells of money given back; `exact(amount)`, an amount as a decimal;
`places(amount)`, the decimal places that it uses; `fraction(amount)`, what is behind its point;
`smallest(amount, unit)`, it as a whole number of 1/unit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cordon.kernel.store.columns import connect
from cordon.kernel.store.spark import Spark, parquet
from cordon.money.givenback import SAYS

DUCKDB = "duckdb"
COLUMNS = (
    "payment_id", "us", "from_account", "to_account", "amount", "currency", "channel", "row",
    "precision", "told_by", "refs",
)  # fmt: skip
"""Columns of a relation of payments; `us` is when it was booked (µs since the epoch)."""
ADDED = ("precision", "told_by", "refs")
"""Columns that what was kept before they were made does not have."""
ENDS = ("from_account", "to_account")
_RAW = (
    "payment_id, {us} AS us, from_account, to_account, amount AS told, {amount} AS amount, currency"
)
_FIRST, _LAST = datetime(1900, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
_HELD = 1e9  # a float below has its decimal, to six places, whoever reads it
_SHORTEST = "CAST(CAST(amount AS VARCHAR) AS DECIMAL(38, 6))"  # the decimal that was meant

_IN_DUCKDB = (
    "CREATE MACRO key64(x) AS hash(x)",
    f"CREATE MACRO gives_back(x) AS coalesce(regexp_matches(x, '{SAYS}'), false)",
    # of one scale: a union of two scales keeps the places of the one that has fewer
    "CREATE MACRO exact(x) AS CAST(x AS DECIMAL(38, 18))",
    "CREATE MACRO places(x) AS "
    "coalesce(length(rtrim(split_part(CAST(x AS VARCHAR), '.', 2), '0')), 0)",
    "CREATE MACRO fraction(x) AS CAST(x AS DECIMAL(38, 18)) - CAST(floor(x) AS DECIMAL(38, 18))",
    "CREATE MACRO smallest(x, unit) AS CAST(x * unit AS BIGINT)",
)
# RE2's edges of words are those of ASCII, and its cases those of Unicode; Java's are not
_SAYS_JAVA = (
    SAYS.replace(r"(?i)\b", "(?iu)(?<![0-9A-Za-z_])", 1)
    .replace(r")\b|", ")(?![0-9A-Za-z_])|", 1)
)  # fmt: skip
# the fraction as text of eighteen digits: with one before it, it is never written as a power of ten
_FRACTION = "substring(CAST(x % 1 + 1 AS STRING), 3)"
_IN_SPARK = (
    "CREATE TEMPORARY FUNCTION key64(x STRING) RETURNS BIGINT RETURN xxhash64(x)",
    f"CREATE TEMPORARY FUNCTION gives_back(x STRING) RETURNS BOOLEAN "
    f"RETURN coalesce(x RLIKE '{_SAYS_JAVA}', false)",
    "CREATE TEMPORARY FUNCTION exact(x DECIMAL(38, 18)) RETURNS DECIMAL(38, 18) RETURN x",
    "CREATE TEMPORARY FUNCTION places(x DECIMAL(38, 18)) RETURNS INT "
    f"RETURN length(trim(TRAILING '0' FROM {_FRACTION}))",
    "CREATE TEMPORARY FUNCTION fraction(x DECIMAL(38, 18)) RETURNS DECIMAL(38, 18) RETURN x % 1",
    "CREATE TEMPORARY FUNCTION smallest(x DECIMAL(38, 18), unit BIGINT) RETURNS BIGINT "
    f"RETURN CAST(floor(x) AS BIGINT) * unit "
    f"+ CAST({_FRACTION} AS BIGINT) div (1000000000000000000 div unit)",
)


class Engine(Protocol):
    """Answers SQL over payments, in Arrow; see the module for what it offers to queries."""

    @property
    def here(self) -> bool:
        """True where it runs in this process, so that all payments may be brought."""
        ...

    def table(self, sql: str) -> pa.Table:
        """The answer to a query, in its order."""
        ...

    def view(self, name: str, sql: str) -> None:
        """Offer a query to queries under a name."""
        ...

    def keep(self, name: str, sql: str) -> None:
        """Offer the answer to a query, worked out once."""
        ...

    def put(self, name: str, table: pa.Table) -> None:
        """Offer a table; one of that name is replaced."""
        ...

    def file(self, name: str, path: Path) -> None:
        """Offer a Parquet file whose columns have the format's types.

        It has COLUMNS, `told` (the amount as it stands there) and `note`; what the file does not
        tell is null.
        """
        ...

    def segments(
        self,
        name: str,
        paths: Sequence[Path],
        accounts: Sequence[str],
        since: datetime | None,
        until: datetime | None,
    ) -> None:
        """Offer segments of a node with COLUMNS and `sha256`.

        Args:
            accounts: only payments of these, where given. since, until: only those in
                [since, until).
        """
        ...


def rows(engine: Engine, sql: str) -> list[tuple[Any, ...]]:
    """The answer to a query of few rows."""
    table = engine.table(sql)
    return list(zip(*(c.to_pylist() for c in table.columns), strict=True))


@contextmanager
def engine_of(
    name: str = DUCKDB, *, memory_mb: int = 1536, threads: int = 2, scratch: Path | None = None
) -> Iterator[Engine]:
    """The engine that a setting names, ended at the end of the block.

    Args:
        name: `duckdb`, or the address of a Spark master; see the setting `columns_engine`.
        memory_mb: of DuckDB, or of Spark's driver and each executor (MB). threads: of DuckDB.
        scratch: folder for what does not fit; the machine's own where absent.

    Raises:
        Unavailable: the engine is not installed, does not answer, or has too little memory.
    """
    if name == DUCKDB:
        with connect(memory_mb=memory_mb, threads=threads, spill=scratch) as db:
            yield InDuckDB(db)
    else:
        with Spark(name, _functions, memory_mb=memory_mb, scratch=scratch) as spark:
            yield InSpark(spark)


class InDuckDB:
    """DuckDB in process; see `Engine`.

    Args:
        db: a connection whose memory and threads are bounded.
    """

    here = True

    def __init__(self, db: duckdb.DuckDBPyConnection) -> None:
        self._db = db
        for function in _IN_DUCKDB:
            db.execute(function)

    def table(self, sql: str) -> pa.Table:
        return self._db.sql(sql).to_arrow_table()

    def view(self, name: str, sql: str) -> None:
        self._db.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS {sql}")

    def keep(self, name: str, sql: str) -> None:
        self._db.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {sql}")

    def put(self, name: str, table: pa.Table) -> None:
        self._db.register(name, table)

    def file(self, name: str, path: Path) -> None:
        self._db.read_parquet(str(path), file_row_number=True).create_view(f"{name}_file")
        self.view(name, f"SELECT {_offered(path)} FROM {name}_file")  # noqa: S608 - names of our own

    def segments(
        self,
        name: str,
        paths: Sequence[Path],
        accounts: Sequence[str],
        since: datetime | None,
        until: datetime | None,
    ) -> None:
        found = self._db.read_parquet([str(p) for p in paths], union_by_name=True)
        found.create_view(f"{name}_files")
        columns = ", ".join(_kept(found.columns, "VARCHAR"))
        columns = columns.replace("us,", 'epoch_us("at") AS us,')
        given: dict[str, Any] = {"since": since or _FIRST, "until": until or _LAST}
        given |= {f"a{at}": account for at, account in enumerate(accounts)}
        within = '"at" >= $since AND "at" < $until'
        # one account a question: so that the filters in the files tell which of them hold it
        asked = [f" AND {end} = $a{at}" for end in ENDS for at in range(len(accounts))] or [""]
        union = " UNION ".join(
            f"SELECT {columns}, sha256 FROM {name}_files WHERE {within}{one}"  # noqa: S608 - words of our own
            for one in asked
        )
        self._db.execute(f"CREATE TEMP TABLE {name} AS {union}", given)


class InSpark:
    """Spark; see `Engine`. What is read twice it keeps in its own memory, else on its disk."""

    here = False

    def __init__(self, spark: Spark) -> None:
        self._spark = spark
        self.table, self.view = spark.table, spark.view
        self.keep, self.put = spark.keep, spark.put

    def file(self, name: str, path: Path) -> None:
        if not _held(path):
            with connect(threads=1) as db:
                other = InDuckDB(db)
                other.file("payments", path)
                self.put(name, other.table("SELECT * FROM payments"))
            return
        session = self._spark.begun()
        parquet(session, [path]).selectExpr("*", "_metadata.row_index AS file_row_number") \
            .createOrReplaceTempView(f"{name}_file")  # fmt: skip
        self.view(name, f"SELECT {_offered(path, 'spark')} FROM {name}_file")  # noqa: S608 - names of our own

    def segments(
        self,
        name: str,
        paths: Sequence[Path],
        accounts: Sequence[str],
        since: datetime | None,
        until: datetime | None,
    ) -> None:
        frame = parquet(self._spark.begun(), paths, merged=True)
        for sign, when in ((">=", since), ("<", until)):
            if when is not None:
                moment = when.astimezone(UTC).isoformat()
                frame = frame.where(f"`at` {sign} TIMESTAMP '{moment}'")
        if accounts:
            some = frame[ENDS[0]].isin(*accounts) | frame[ENDS[1]].isin(*accounts)
            frame = frame.where(some)
        columns = ["unix_micros(CAST(`at` AS TIMESTAMP)) AS us" if c == "us" else c
                   for c in _kept(frame.columns, "STRING")]  # fmt: skip
        frame.selectExpr(*columns, "sha256").persist().createOrReplaceTempView(name)


def _kept(have: Sequence[str], text: str) -> list[str]:
    """COLUMNS, null where what is kept has them not."""
    return [c if c in have or c not in ADDED else f"CAST(NULL AS {text}) AS {c}" for c in COLUMNS]


def _functions(session: Any) -> None:
    for function in _IN_SPARK:
        session.sql(function)


def _offered(path: Path, engine: str = DUCKDB) -> str:
    """What is selected of a Parquet file, by what it has."""
    schema = pq.read_schema(path)
    us, amount, text = 'epoch_us("at")', "amount", "VARCHAR"
    if engine != DUCKDB:
        # a time without a zone is one in UTC, as the session's zone is
        us, amount, text = "unix_micros(CAST(`at` AS TIMESTAMP))", "exact(amount)", "STRING"
    elif pa.types.is_floating(schema.field("amount").type):
        amount = _SHORTEST
    optional = ("channel", "note", *ADDED)
    more = [c if c in schema.names else f"CAST(NULL AS {text}) AS {c}" for c in optional]
    return ", ".join([_RAW.format(us=us, amount=amount), *more, "file_row_number + 1 AS row"])


def _held(path: Path) -> bool:
    """True where Java reads a file's amounts as DuckDB does: floats far from their last bit.

    Java 17 writes some floats with a digit too many, so that large ones may be another decimal.
    """
    kind = pq.read_schema(path).field("amount").type
    if not pa.types.is_floating(kind):
        return not pa.types.is_decimal(kind) or kind.scale <= 18
    if kind != pa.float64():
        return False
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(columns=["amount"]):
            if not pc.all(pc.less(batch["amount"], _HELD), skip_nulls=True).as_py():
                return False
    return True
