"""Files of payments to columns: CSV by the careful reader, Parquet of the right types at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from cordon.calls import PAYMENTS, Counts, PlainReading, Refusal
from cordon.kernel.errors import BadInput
from cordon.kernel.store.files import sha256_of
from cordon.money.bank.reading import read_message, reader_of
from cordon.money.coding import Coding, NotHeld, resolved
from cordon.money.columnar import read_columns
from cordon.money.counting import MOST_AMOUNT, Beyond, counted
from cordon.money.currencies import unknown
from cordon.money.engines import COLUMNS, DUCKDB, Engine, engine_of, rows
from cordon.money.given import Told
from cordon.money.givenback import WAYS, marked, settled
from cordon.money.layouts.choosing import is_plain, read_by_layout
from cordon.money.model import CHANNELS, Channel
from cordon.money.once import each_once
from cordon.money.opening import opened_with
from cordon.money.payments import Payments
from cordon.money.reaching import Reach, within
from cordon.money.returns import Named, named, placed
from cordon.money.traced import read_traced

Progress = Callable[[int, int], None]


def _micros(year: int) -> int:
    return int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000


_CODED = f"""
SELECT p.us, s.code AS sender, r.code AS receiver, smallest(p.amount, c.unit) AS amount,
       c.code AS currency, CASE p.channel {
    " ".join(f"WHEN '{name}' THEN {code}" for code, name in enumerate(CHANNELS))
} ELSE -1 END AS channel, p.payment_id, p.file, p.row
FROM counted p JOIN account_codes s ON p.from_account = s.name
JOIN account_codes r ON p.to_account = r.name JOIN currency_codes c ON p.currency = c.name
"""  # noqa: S608 - words of our own
_ODD = f"""
SELECT count(*) AS n FROM {{file}} WHERE payment_id IS NULL OR us IS NULL
OR from_account IS NULL OR to_account IS NULL OR told IS NULL OR currency IS NULL
OR told < 0 OR NOT told <= {MOST_AMOUNT} OR us < {_micros(1990)} OR us >= {_micros(2100)}
OR trim(payment_id) <> payment_id OR payment_id = '' OR from_account = ''
OR to_account = '' OR trim(currency) <> currency OR upper(currency) <> currency
OR length(currency) NOT BETWEEN 3 AND 10
OR channel NOT IN ({", ".join(f"'{c}'" for c in CHANNELS)})
"""  # noqa: S608 - words of our own
_TAKEN = f"""
SELECT payment_id, us, from_account, to_account, exact(amount) AS amount, currency,
       CASE WHEN gives_back(note) AND (channel IS NULL OR channel IN ({
    ", ".join(f"'{way}'" for way in WAYS)
})) THEN '{
    Channel.REFUND_NOTED.value
}' ELSE channel END AS channel, row, precision, told_by, refs FROM {{file}}
"""  # noqa: S608 - words of our own


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
    engine: str = DUCKDB,
    reach: Reach | None = None,
    told: Told | None = None,
    memory_mb: int = 1536,
    threads: int = 2,
    scratch: Path | None = None,
) -> Read:
    """Payments of files of the format `payments`, or of banks' messages (`bank`).

    Args:
        region: ISO 3166 code of the country whose numbering plan applies.
        progress: told what was read and what there is (bytes; rows for Parquet).
        engine: what joins and sorts them, as in the setting `columns_engine`. Parquet of the right
            types is read by it; whatever else, by the careful reader in this process.
        reach: what is to be followed. An engine outside of this process, and the quick way of one
            Parquet file, then bring only payments that can matter to it; what is said of them all
            is the same.
        told: with the files, where one of a bank's layout does not tell it.
        memory_mb, threads: bounds of the engine. scratch: where it spills.

    Raises:
        BadInput: a file of which nothing can be read, or a currency whose sum is beyond counting.
        Unavailable: the engine is not installed, does not answer, or has too little memory.
    """
    if not paths:
        raise BadInput("No file of payments was given.", advice="Name at least one.")
    found = sorted({p.resolve() for p in paths})
    if engine == DUCKDB and len(found) == 1:
        quick = _quickly(found[0], region, progress, reach)
        if quick is not None:
            return quick
    with engine_of(engine, memory_mb=memory_mb, threads=threads, scratch=scratch) as begun:
        about = None if begun.here else reach
        return read_with(begun, found, region, progress, about, told)


def read_with(
    engine: Engine,
    paths: Sequence[Path],
    region: str = "PK",
    progress: Progress | None = None,
    reach: Reach | None = None,
    told: Told | None = None,
) -> Read:
    """Payments of files, in whatever order they are, by an engine that has begun.

    Args: as of `read_payments`; what lies beyond `reach` is left out by any engine.
    """
    counts, refusals, left_out = Counts(), list[tuple[str, Refusal]](), list[str]()
    files: dict[str, int] = {}
    names: list[str] = []
    openings: list[tuple[datetime, str, Decimal, str]] = []
    parts = []
    for path in paths:
        sha256 = sha256_of(path) if path.is_file() else ""
        if sha256 in files:
            continue  # the same bytes: every payment of it stands before
        name = f"file{len(files)}"
        if _typed(path) and _clean(engine, path, name):
            count = pq.read_metadata(path).num_rows
            counts += Counts(count, count, 0, 0)
            parts.append(_TAKEN.format(file=name))
        else:
            message = reader_of(path) if path.is_file() else None
            if message is not None:
                read, clock = read_message(path, message[1], region)
                openings += clock.openings
                breaks = clock.breaks
            else:
                read, breaks = read_by_layout(path, region, progress, told)
            left_out += [f"{path.name}: {one}" for one in breaks]
            counts += read.counts
            refusals += [(path.name, r) for r in read.refusals]
            left_out += [f"{path.name}: in {n:,} rows {what}." for what, n in read.notes.items()]
            if read.broken:
                left_out.append(read.broken + " What stands before it was used.")
            engine.put(f"{name}_read", _by_micros(marked(read.table)))
            columns = ", ".join(COLUMNS).replace("amount", "exact(amount) AS amount")
            parts.append(f"SELECT {columns} FROM {name}_read")  # noqa: S608 - names of our own
        parts[-1] = f"SELECT *, {len(files)} AS file FROM ({parts[-1]})"  # noqa: S608 - names of our own
        files[sha256] = len(files)
        names.append(path.name)
    engine.view("told", " UNION ALL ".join(parts))
    # what of an account stands before its statement is told, whosever it is
    about = None if openings else reach
    found, beyond, back = _columns(engine, list(files), names, left_out, about)
    refusals += [(names[file], Refusal(row, why)) for file, row, why in beyond]
    counts += Counts(0, -found.repeated - len(beyond), found.repeated, len(beyond))
    return Read(
        settled(opened_with(found, openings), placed(back, found.file, found.row)),
        counts,
        tuple(refusals),
    )


def _quickly(
    path: Path, region: str, progress: Progress | None, reach: Reach | None
) -> Read | None:
    """One file, batch by batch; None where it is to be read the general way."""
    if not path.is_file():
        return None
    if _typed(path):
        columns = read_traced(path, reach, progress) if reach else read_columns(path, progress)
        return None if columns is None else Read(settled(columns[0]), columns[1], ())
    if reader_of(path) is not None or not is_plain(path):
        return None
    plain = PlainReading(path, PAYMENTS, region, progress=progress, once=False)
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
    counts = plain.counts + Counts(0, -payments.repeated, payments.repeated, 0)
    return Read(settled(payments), counts, tuple(refusals))


def read_segments(
    segments: Sequence[Path],
    *,
    accounts: Sequence[str] = (),
    since: datetime | None = None,
    until: datetime | None = None,
    engine: str = DUCKDB,
    reach: Reach | None = None,
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
        engine, reach, memory_mb, threads, scratch: as of `read_payments`.

    Raises:
        BadInput: a currency whose sum is beyond counting.
        Unavailable: the engine is not installed, does not answer, or has too little memory.
    """
    with engine_of(engine, memory_mb=memory_mb, threads=threads, scratch=scratch) as begun:
        begun.segments("found", segments, accounts, since, until)
        files = [n for (n,) in rows(begun, "SELECT DISTINCT sha256 FROM found ORDER BY sha256")]
        codes = pa.array(range(len(files)), pa.int32())
        begun.put("kept_files", pa.table({"sha256": pa.array(files, pa.string()), "file": codes}))
        columns = (
            ", ".join(f"f.{c}" for c in COLUMNS)
            .replace("f.amount", "exact(f.amount) AS amount")
            .replace("f.currency", "upper(f.currency) AS currency")
        )
        begun.view(
            "told",
            f"SELECT {columns}, k.file FROM found f JOIN kept_files k ON f.sha256 = k.sha256",  # noqa: S608 - names of our own
        )
        about = None if begun.here else reach
        names = [f"file {sha256[:12]}…" for sha256 in files]
        found, _, back = _columns(begun, files, names, [], about)
        return settled(found, placed(back, found.file, found.row))


def _by_micros(table: pa.Table) -> pa.Table:
    """Rows of the format with `us` (µs since the epoch) in place of `at`."""
    at = table["at"].cast(pa.timestamp("us", "UTC")).cast(pa.int64())
    if "refs" not in table.column_names:  # banks' messages alone tell them
        table = table.append_column("refs", pa.nulls(len(table), pa.string()))
    return table.drop_columns(["at"]).append_column("us", at)


def _typed(path: Path) -> bool:
    """True for a Parquet file whose columns have the format's types."""
    try:
        schema = pq.read_schema(path)
    except (pa.ArrowException, OSError, UnicodeDecodeError):
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


def _clean(engine: Engine, path: Path, name: str) -> bool:
    """Offer the file; False where a row of it is none and a reader must refuse it."""
    engine.file(name, path)
    ((odd,),) = rows(engine, _ODD.format(file=name))
    return not odd


def _columns(
    engine: Engine,
    files: list[str],
    names: list[str],
    left_out: list[str],
    reach: Reach | None,
) -> tuple[Payments, list[Beyond], Named]:
    """What `told` says, each payment once; what of it cannot be counted; what returns name.

    Args:
        names: how sentences call the files. left_out: sentences so far.
    """
    told = engine.table(
        "SELECT from_account AS name FROM told UNION SELECT to_account FROM told"
    )["name"].to_pylist()  # fmt: skip
    own, accounts, says = resolved(told)
    code = {a: i for i, a in enumerate(accounts)}
    engine.put(
        "account_codes",
        pa.table(
            {"name": pa.array(own.keys(), pa.string()),
             "code": pa.array([code[a] for a in own.values()], pa.int32())}
        ),
    )  # fmt: skip
    back = named(engine)
    repeated = each_once(engine, len(files), left_out)
    count = counted(engine)
    currencies, digits = count.currencies, tuple(count.digits)
    left_out += [*count.said(names), *unknown(currencies), *([says] if says else [])]
    engine.put(
        "currency_codes",
        pa.table(
            {"name": pa.array(currencies, pa.string()),
             "code": pa.array(range(len(currencies)), pa.int16()),
             "unit": pa.array([10**d for d in digits], pa.int64())}
        ),
    )  # fmt: skip
    chosen = ""
    if reach is None:
        engine.view("coded", _CODED)
    else:
        engine.keep("coded", _CODED)  # every round asks it
        chosen = within(engine, accounts, reach)
    table = engine.table(f"SELECT * FROM coded {chosen} ORDER BY us, file, row")  # noqa: S608 - words of our own

    def ints(name: str, kind: type) -> NDArray[np.generic]:
        return np.asarray(table[name].to_numpy()).astype(kind, copy=False)

    found = Payments(
        accounts,
        currencies,
        digits,
        ints("us", np.int64),  # type: ignore[arg-type]
        ints("sender", np.int32),  # type: ignore[arg-type]
        ints("receiver", np.int32),  # type: ignore[arg-type]
        ints("amount", np.int64),  # type: ignore[arg-type]
        ints("currency", np.int16),  # type: ignore[arg-type]
        ints("channel", np.int8),  # type: ignore[arg-type]
        table["payment_id"].cast(pa.string()),
        ints("file", np.int32),  # type: ignore[arg-type]
        ints("row", np.int64),  # type: ignore[arg-type]
        files,
        repeated,
        tuple(left_out),
    )
    return found, count.beyond, back
