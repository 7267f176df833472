"""Files of payments to columns: CSV by the careful reader, Parquet of the right types at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from cordon.calls import PAYMENTS, Counts, PlainReading, Refusal, read_plain
from cordon.kernel.errors import BadInput
from cordon.kernel.store.columns import connect
from cordon.kernel.store.files import sha256_of
from cordon.money.bank.reading import read_message, reader_of
from cordon.money.coding import Coding, NotHeld, resolved
from cordon.money.columnar import read_columns
from cordon.money.givenback import SAYS, WAYS, marked, settled
from cordon.money.model import CHANNELS, Channel
from cordon.money.opening import opened_with
from cordon.money.payments import Payments

Progress = Callable[[int, int], None]

TWICE_S = 120
"""Two banks tell one payment with clocks that are so far apart, at most."""

_MOST_DIGITS = 18
_ENDS = ("from_account", "to_account")
_FIRST, _LAST = datetime(1900, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
_MOST = 1 << 62  # sums of a currency stay below: they are added as whole numbers of 64 bits

_PLACES = """
SELECT currency, max(coalesce(length(rtrim(split_part(CAST(amount AS VARCHAR), '.', 2), '0')), 0))
       AS digits, sum(amount) AS total
FROM payments GROUP BY currency ORDER BY currency
"""
_COLUMNS = """
SELECT epoch_us(p.booked) AS booked, s.code AS sender, r.code AS receiver,
       CAST(p.amount * c.unit AS BIGINT) AS amount, c.code AS currency,
       coalesce(list_position({channels}, p.channel), 0) - 1 AS channel,
       p.payment_id, p.file, p.row
FROM payments p JOIN account_codes s ON p.from_account = s.name
JOIN account_codes r ON p.to_account = r.name JOIN currency_codes c ON p.currency = c.name
ORDER BY 1, p.file, p.row
"""


@dataclass(frozen=True, slots=True)
class Read:
    """What files of payments say.

    Attributes:
        counts: over all files. refusals: file's name and row.
    """

    payments: Payments
    counts: Counts
    refusals: tuple[tuple[str, Refusal], ...]


def read_payments(
    paths: Sequence[Path],
    region: str = "PK",
    progress: Progress | None = None,
    *,
    memory_mb: int = 1536,
    threads: int = 2,
    scratch: Path | None = None,
) -> Read:
    """Payments of files of the format `payments`, or of banks' messages (`bank`).

    Args:
        region: ISO 3166 code of the country whose numbering plan applies.
        progress: told what was read and what there is (bytes; rows for Parquet).
        memory_mb, threads: bounds of the engine that sorts them. scratch: where it spills.

    Raises:
        BadInput: a file of which nothing can be read, or a currency whose sum is beyond counting.
    """
    if not paths:
        raise BadInput("No file of payments was given.", advice="Name at least one.")
    found = sorted({p.resolve() for p in paths})
    if len(found) == 1 and (quick := _quickly(found[0], region, progress)) is not None:
        return quick
    counts, refusals, left_out = Counts(), list[tuple[str, Refusal]](), list[str]()
    files: dict[str, int] = {}
    openings: list[tuple[datetime, str, Decimal, str]] = []
    with connect(memory_mb=memory_mb, threads=threads, spill=scratch) as db:
        parts = []
        for path in found:
            sha256 = sha256_of(path) if path.is_file() else ""
            if sha256 in files:
                continue  # the same bytes: every payment of it stands before
            name = f"file{len(files)}"
            if _typed(path) and _clean(db, path, name):
                rows = pq.read_metadata(path).num_rows
                counts += Counts(rows, rows, 0, 0)
            else:
                message = reader_of(path) if path.is_file() else None
                if message is not None:
                    read, opens = read_message(path, message[1], region)
                    openings += opens
                else:
                    read = read_plain(path, PAYMENTS, region, progress=progress)
                counts += read.counts
                refusals += [(path.name, r) for r in read.refusals]
                left_out += [
                    f"{path.name}: in {n:,} rows {what}." for what, n in read.notes.items()
                ]
                if read.broken:
                    left_out.append(read.broken + " What stands before it was used.")
                db.register(f"{name}_read", marked(read.table))
                db.execute(f'CREATE VIEW {name} AS SELECT *, "at" AS booked FROM {name}_read')  # noqa: S608 - names of our own
            parts.append(f"SELECT *, {len(files)} AS file FROM {name}")  # noqa: S608 - names of our own
            files[sha256] = len(files)
        columns = (
            "payment_id, booked, from_account, to_account, amount, currency, channel, row, file"
        )
        union = " UNION ALL ".join(parts)
        db.execute(f"CREATE TEMP VIEW every AS SELECT {columns} FROM ({union})")  # noqa: S608 - names of our own
        repeated = _each_once(db)
        payments = opened_with(_columns(db, list(files), repeated, left_out), openings)
    counts = Counts(counts.read, counts.kept - repeated, counts.repeated + repeated, counts.refused)
    return Read(settled(payments), counts, tuple(refusals))


def _quickly(path: Path, region: str, progress: Progress | None) -> Read | None:
    """One file, batch by batch; None where it is to be read the general way."""
    if not path.is_file():
        return None
    if _typed(path):
        columns = read_columns(path, progress)
        return None if columns is None else Read(settled(columns[0]), columns[1], ())
    if reader_of(path) is not None:
        return None
    plain = PlainReading(path, PAYMENTS, region, progress=progress)
    coding, refusals = Coding(), list[tuple[str, Refusal]]()
    try:
        for batch in plain.batches():
            refusals += [(path.name, r) for r in batch.refusals]
            coding.add(batch.table)
        left_out = [f"{path.name}: in {n:,} rows {what}." for what, n in plain.notes.items()]
        if plain.broken:
            left_out.append(plain.broken + " What stands before it was used.")
        payments = coding.payments(plain.sha256, left_out)
    except NotHeld:
        return None
    return Read(settled(payments), plain.counts, tuple(refusals))


def read_segments(
    segments: Sequence[Path],
    *,
    accounts: Sequence[str] = (),
    since: datetime | None = None,
    until: datetime | None = None,
    memory_mb: int = 1536,
    threads: int = 2,
    scratch: Path | None = None,
) -> Payments:
    """Payments that a node keeps as columns, each once, as `read_payments` takes them.

    Args:
        segments: Parquet files with `sha256`, `row` and the columns of the format; of rows that
            were checked.
        accounts: only payments of these, as they are written there; of all where empty.
        since, until: only payments in [since, until), where given.

    Raises:
        BadInput: a currency whose sum is beyond counting.
    """
    left_out: list[str] = []
    with connect(memory_mb=memory_mb, threads=threads, spill=scratch) as db:
        db.read_parquet([str(p) for p in segments]).create_view("kept")
        columns = (
            'payment_id, "at" AS booked, from_account, to_account, amount, currency, channel, '
            "row, sha256"
        )
        given: dict[str, Any] = {"since": since or _FIRST, "until": until or _LAST}
        given |= {f"a{at}": name for at, name in enumerate(accounts)}
        within = '"at" >= $since AND "at" < $until'
        # one account a question: so that the filters in the files tell which of them hold it
        ends = [f" AND {end} = $a{at}" for end in _ENDS for at in range(len(accounts))] or [""]
        union = " UNION ".join(f"SELECT {columns} FROM kept WHERE {within}{one}" for one in ends)  # noqa: S608 - words of our own
        db.execute(f"CREATE TEMP TABLE found AS {union}", given)
        names = db.execute("SELECT DISTINCT sha256 FROM found ORDER BY 1").fetchall()
        files = [name for (name,) in names]
        codes = pa.array(range(len(files)), pa.int32())
        db.register("kept_files", pa.table({"sha256": pa.array(files, pa.string()), "file": codes}))
        db.execute(
            "CREATE TEMP VIEW every AS SELECT found.* EXCLUDE (sha256), file "
            "FROM found JOIN kept_files USING (sha256)"
        )
        repeated = _each_once(db)
        return settled(_columns(db, files, repeated, left_out))


def _typed(path: Path) -> bool:
    """True for a Parquet file whose columns have the format's types."""
    try:
        schema = pq.read_schema(path)
    except (pa.ArrowException, OSError):
        return False
    if not {c.name for c in PAYMENTS.columns if c.required} <= set(schema.names):
        return False

    def right(name: str) -> bool:
        kind = schema.field(name).type
        if name == "at":
            return bool(
                pa.types.is_timestamp(kind) and kind.tz in (None, "UTC") and kind.unit != "ns"
            )
        if name == "amount":
            tests = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)
            return any(test(kind) for test in tests)
        return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))

    named = [c.name for c in PAYMENTS.columns if c.name in schema.names]
    return all(schema.names.count(n) == 1 and right(n) for n in named)


def _clean(db: duckdb.DuckDBPyConnection, path: Path, name: str) -> bool:
    """Offer the file as a view; False where a row of it is none and a reader must refuse it."""
    have = pq.read_schema(path).names
    amount = "amount"
    if pa.types.is_floating(pq.read_schema(path).field("amount").type):
        # the shortest decimal that is that float: what was meant
        amount = "CAST(CAST(amount AS VARCHAR) AS DECIMAL(38, 6)) AS amount"
    channel = "channel" if "channel" in have else "CAST(NULL AS VARCHAR) AS channel"
    if "channel" in have and "note" in have:
        may = ", ".join(f"'{way}'" for way in WAYS)
        channel = (
            f"CASE WHEN coalesce(regexp_matches(note, '{SAYS}'), false) AND (channel IS NULL OR "
            f"channel IN ({may})) THEN '{Channel.REFUND.value}' ELSE channel END AS channel"
        )
    db.read_parquet(str(path), file_row_number=True).create_view(f"{name}_raw")
    db.execute(
        f"""CREATE VIEW {name} AS SELECT payment_id, "at" AS booked, from_account, to_account,
        {amount}, currency, {channel}, file_row_number + 1 AS row FROM {name}_raw"""  # noqa: S608 - names of our own
    )
    choices = ", ".join(f"'{c}'" for c in CHANNELS)
    ((odd,),) = db.execute(
        f"""SELECT count(*) FROM {name}_raw WHERE payment_id IS NULL OR "at" IS NULL
        OR from_account IS NULL OR to_account IS NULL OR amount IS NULL OR currency IS NULL
        OR amount < 0 OR NOT amount <= 1e20 OR "at" < TIMESTAMPTZ '1990-01-01T00:00:00Z'
        OR "at" >= TIMESTAMPTZ '2100-01-01T00:00:00Z'
        OR trim(payment_id) <> payment_id OR payment_id = '' OR from_account = ''
        OR to_account = '' OR trim(currency) <> currency OR currency = ''"""  # noqa: S608 - names of our own
        + (f" OR channel NOT IN ({choices})" if "channel" in have else "")
    ).fetchall()
    if odd:
        db.execute(f"DROP VIEW {name}")
    return not odd


def _each_once(db: duckdb.DuckDBPyConnection) -> int:
    """Leave out payments that stand before, by id, or told by both banks; how many there were."""
    db.execute(
        """CREATE TEMP TABLE twice AS SELECT file, row FROM (
            SELECT payment_id, file, row FROM every
            WHERE hash(payment_id) IN (
                SELECT hash(payment_id) FROM every GROUP BY 1 HAVING count(*) > 1)
        ) QUALIFY row_number() OVER (PARTITION BY payment_id ORDER BY file, row) > 1"""
    )
    ((files,),) = db.execute("SELECT count(DISTINCT file) FROM every").fetchall()
    if files > 1:
        # the nth equal payment of one file is the nth of the other: three of one bank and two of
        # the other are three
        db.execute(f"CREATE TEMP VIEW numbered AS {_NUMBERED}")
        db.execute(_TOLD_BY_BOTH)
    db.execute(
        """CREATE TEMP VIEW payments AS SELECT * FROM every e
        WHERE NOT EXISTS (SELECT 1 FROM twice t WHERE t.file = e.file AND t.row = e.row)"""
    )
    ((found,),) = db.execute("SELECT count(*) FROM (SELECT DISTINCT * FROM twice)").fetchall()
    if not found:  # a join less for every pass
        db.execute("CREATE OR REPLACE TEMP VIEW payments AS SELECT * FROM every")
    return int(found)


_TOLD_BY_BOTH = f"""
INSERT INTO twice SELECT DISTINCT b.file, b.row FROM numbered a JOIN numbered b
USING (from_account, to_account, amount, currency, nth)
WHERE a.file < b.file AND abs(epoch(a.booked) - epoch(b.booked)) <= {TWICE_S}
AND NOT EXISTS (SELECT 1 FROM twice t WHERE t.file = b.file AND t.row = b.row)
"""  # noqa: S608 - a number of our own
_NUMBERED = """SELECT *, row_number() OVER (
    PARTITION BY file, from_account, to_account, amount, currency,
    epoch_us(booked) // 86400000000 ORDER BY booked, row) AS nth FROM every"""


def _columns(
    db: duckdb.DuckDBPyConnection, files: list[str], repeated: int, left_out: list[str]
) -> Payments:
    names = [
        n
        for (n,) in db.execute(
            "SELECT from_account FROM payments UNION SELECT to_account FROM payments"
        ).fetchall()
    ]
    own, accounts, says = resolved(names)
    code = {a: i for i, a in enumerate(accounts)}
    if says:
        left_out.append(says)
    db.register(
        "account_codes",
        pa.table(
            {"name": pa.array(own.keys(), pa.string()),
             "code": pa.array([code[a] for a in own.values()], pa.int32())}
        ),
    )  # fmt: skip
    places = db.execute(_PLACES).fetchall()
    digits = tuple(min(int(p[1]), _MOST_DIGITS) for p in places)
    for (currency, _, total), kept in zip(places, digits, strict=True):
        if total * 10**kept >= _MOST:
            raise BadInput(
                f"The payments in {currency} come to {total:.3g}: more than is counted exactly.",
                advice="Look for a row whose amount is absurd.",
            )
    currencies = [str(p[0]) for p in places]
    db.register(
        "currency_codes",
        pa.table(
            {"name": pa.array(currencies, pa.string()),
             "code": pa.array(range(len(currencies)), pa.int16()),
             "unit": pa.array([10**d for d in digits], pa.int64())}
        ),
    )  # fmt: skip
    channels = "[" + ", ".join(f"'{c}'" for c in CHANNELS) + "]"
    table = db.sql(_COLUMNS.format(channels=channels)).to_arrow_table()

    def ints(name: str, kind: type) -> NDArray[np.generic]:
        return np.asarray(table[name].to_numpy()).astype(kind, copy=False)

    return Payments(
        accounts,
        currencies,
        digits,
        ints("booked", np.int64),  # type: ignore[arg-type]
        ints("sender", np.int32),  # type: ignore[arg-type]
        ints("receiver", np.int32),  # type: ignore[arg-type]
        ints("amount", np.int64),  # type: ignore[arg-type]
        ints("currency", np.int16),  # type: ignore[arg-type]
        ints("channel", np.int8),  # type: ignore[arg-type]
        table["payment_id"],
        ints("file", np.int32),  # type: ignore[arg-type]
        ints("row", np.int64),  # type: ignore[arg-type]
        files,
        repeated,
        tuple(left_out),
    )
