"""Another engine brings the payments that DuckDB brings; for a trace it may bring fewer, and the
trace is the same bytes."""

from __future__ import annotations

import importlib.util
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from cordon.kernel.errors import BadInput
from cordon.kernel.store import spark as beside
from cordon.kernel.store.columns import connect
from cordon.kernel.store.spark import Spark
from cordon.money import engines, forward, read_payments, reading
from cordon.money.engines import InDuckDB, InSpark
from cordon.money.model import CHANNELS
from cordon.money.reaching import Reach
from support.samepaid import same_payments, traced

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
IBAN = "PK36SCBL0000001123456702"
SHORT = "SCBL0000001123456702"  # the same, without country and check digits
NOTES = [
    None, "rent", "Refund of order 12", "REFUNDſ", "prerefund", "éreversal", "charge back", "واپسی",
    "زرrefund", "returned  payment", "It's returned payment.", "charge_back",
]  # fmt: skip


def network(seed: int, size: int = 500, amounts: pa.DataType | None = None) -> pa.Table:
    """Payments of some accounts of which half never meet the rest, with refunds and repeats."""
    rng = random.Random(seed)
    names = [*(f"A{n:02d}" for n in range(30)), IBAN, SHORT, "pk36 scbl 0000 0011 2345 6702"]
    names += [*(f"B{n:02d}" for n in range(30)), "Ä-1", "زر", "b'1", 'b"2']

    def other(name: str) -> str:
        return rng.choice([n for n in names if (n[0] in "Bb") == (name[0] in "Bb")])

    ends = [(one, other(one)) for one in rng.choices(names, k=size)]
    for n in range(7, size, 9):  # given back, some hours later
        ends[n] = ends[n - 6][::-1]
    kind = amounts or pa.decimal128(18, 2)
    places = 0 if pa.types.is_integer(kind) else 2
    units = [rng.choice([0, 100, rng.randrange(10**7)]) for _ in ends]
    for n in range(7, size, 9):
        units[n] = units[n - 6]
    exact: list[Any] = [Decimal(u).scaleb(-places) for u in units]
    if not pa.types.is_decimal(kind):
        exact = [int(e) if places == 0 else float(e) for e in exact]
    minutes = sorted(rng.randrange(60 * size) for _ in ends)
    return pa.table(
        {
            "payment_id": [f"P{n if rng.random() > 0.02 else n // 2}" for n in range(size)],
            "at": pa.array(
                [BEGIN + timedelta(minutes=m) for m in minutes], pa.timestamp("us", "UTC")
            ),
            "from_account": [a for a, _ in ends],
            "to_account": [b for _, b in ends],
            "amount": pa.array(exact, kind),
            "currency": [rng.choice(["PKR", "PKR", "KWD"]) for _ in ends],
            "channel": pa.array([rng.choice([*CHANNELS[:4], *CHANNELS[:2], "cash_out", None])
                                 for _ in ends], pa.string()),
            "note": pa.array(
                ["refund" if n % 9 == 7 else rng.choice(NOTES) for n in range(size)], pa.string()
            ),
        }
    ).take([rng.randrange(n + 1) if rng.random() < 0.03 else n for n in range(size)])  # fmt: skip


def written(folder: Path, table: pa.Table, name: str = "p.parquet") -> Path:
    pq.write_table(table, folder / name, row_group_size=101)
    return folder / name


def reaches(account: str) -> list[Reach]:
    middle = BEGIN + timedelta(days=9)
    return [
        Reach([account], hops=1),
        Reach([account], hops=6, since=middle),
        Reach([account], back=True, until=middle),
        Reach([account], back=True, hops=2),
    ]


@pytest.mark.parametrize("seed", range(6))
def test_what_is_brought_for_a_trace_gives_the_trace_of_all(seed: int, tmp_path: Path) -> None:
    paths = [written(tmp_path, network(seed, 300))]
    if seed % 2:  # two banks, and a few payments that both tell
        again = network(seed, 300).slice(100, 40)
        paths.append(written(tmp_path, again, "q.parquet"))
    whole = read_payments(paths)
    account = whole.payments.accounts[int(np.bincount(whole.payments.sender).argmax())]
    fewest = len(whole.payments)
    for reach in reaches(account):
        with connect(threads=1) as db:
            some = reading.read_with(InDuckDB(db), paths, reach=reach)
        assert some.counts == whole.counts
        assert traced(some.payments, account, reach) == traced(whole.payments, account, reach)
        fewest = min(fewest, len(some.payments))
    assert fewest < 0.8 * len(whole.payments)


def test_an_account_that_nobody_names_is_said_as_ever(tmp_path: Path) -> None:
    paths = [written(tmp_path, network(1))]
    with connect(threads=1) as db:
        some = reading.read_with(InDuckDB(db), paths, reach=Reach(["nobody"]))
    with pytest.raises(BadInput, match="No payment names the account nobody"):
        forward(some.payments, "nobody")


def test_long_rounds_back_bring_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cordon.money.reaching.ROUNDS", 1)
    paths = [written(tmp_path, network(2))]
    whole = read_payments(paths).payments
    with connect(threads=1) as db:
        some = reading.read_with(InDuckDB(db), paths, reach=Reach(["A01"], back=True)).payments
    same_payments(some, whole)


needs_spark = pytest.mark.skipif(
    importlib.util.find_spec("pyspark") is None or beside.java_version() < beside.JAVA,
    reason="needs PySpark (pip install cordon[spark]) and Java 17",
)


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InSpark]:
    """One Spark on two threads, which begins once for all tests."""
    scratch = tmp_path_factory.mktemp("scratch")
    with Spark("local[2]", engines._functions, memory_mb=1024, scratch=scratch) as begun:
        session = begun.begun()
        session.conf.set("spark.sql.shuffle.partitions", "2")
        yield InSpark(begun)
    assert not list(scratch.iterdir())


def odd(folder: Path) -> list[Path]:
    """Files with what engines read in ways of their own."""
    plain, whole = network(3, 200), network(4, 200, pa.int32())
    doubles, exact = network(5, 200, pa.float64()), network(8, 200, pa.decimal128(38, 18))
    small = pa.array([Decimal("0.0000001"), Decimal("0")] * 100, pa.decimal128(38, 18))
    large = np.round(np.random.default_rng(1).uniform(1e9, 4e9, 200), 2)
    names = {
        "no zone": whole.set_column(1, "at", whole["at"].cast(pa.timestamp("us"))),
        "ms": doubles.set_column(1, "at", doubles["at"].cast(pa.timestamp("ms", "UTC"))),
        "least": plain.drop_columns(["channel", "note"]),
        "tiny": exact.set_column(4, "amount", small).set_column(
            5, "currency", pa.array(["XAU"] * 200)
        ),
        "large": doubles.set_column(4, "amount", pa.array(large)),
        "refused": exact.set_column(
            4, "amount", pa.array([Decimal(-1), *[Decimal("7.5")] * 199], pa.decimal128(18, 2))
        ),
    }
    pa.csv.write_csv(plain.slice(0, 60), folder / "r.csv")
    paths = [written(folder, t, f"o'dd {n} [1] #%20.parquet") for n, t in names.items()]
    return sorted([*paths, folder / "r.csv"])


@pytest.mark.spark
@needs_spark
@pytest.mark.timeout(900)
def test_spark_brings_what_duckdb_brings(spark: InSpark, tmp_path: Path) -> None:
    paths = odd(tmp_path)
    with connect(threads=1) as db:
        ours = reading.read_with(InDuckDB(db), paths)
    theirs = reading.read_with(spark, paths)
    assert (theirs.counts, theirs.refusals) == (ours.counts, ours.refusals)
    assert ours.counts.refused
    assert ours.counts.repeated
    same_payments(theirs.payments, ours.payments)


@pytest.mark.spark
@needs_spark
@pytest.mark.timeout(900)
def test_a_trace_by_spark_is_the_same_bytes(spark: InSpark, tmp_path: Path) -> None:
    paths = [
        written(tmp_path, network(11)),
        written(tmp_path, network(11).slice(90, 50), "q.parquet"),
    ]
    whole = read_payments(paths)
    account = whole.payments.accounts[int(np.bincount(whole.payments.sender).argmax())]
    # several tasks a file
    spark._spark.begun().conf.set("spark.sql.files.maxPartitionBytes", "16k")
    for reach in reaches(account)[1:3]:
        some = reading.read_with(spark, paths, reach=reach)
        assert len(some.payments) < len(whole.payments)
        assert traced(some.payments, account, reach) == traced(whole.payments, account, reach)


@pytest.mark.spark
@needs_spark
@pytest.mark.timeout(600)
def test_absurd_amounts_are_left_out_by_any_engine(spark: InSpark, tmp_path: Path) -> None:
    table = network(1, amounts=pa.decimal128(38, 18))
    given = table["amount"].to_pylist()
    given[5], given[9] = Decimal(10**15), Decimal("0.000000000000000001")
    given[20:400] = [Decimal(10**15)] * 380
    table = table.set_column(4, "amount", pa.array(given, pa.decimal128(38, 18)))
    path = written(tmp_path, table)
    with connect(threads=1) as db:
        ours = reading.read_with(InDuckDB(db), [path])
    theirs = reading.read_with(spark, [path])
    assert 300 < ours.counts.refused < 400
    assert (theirs.counts, theirs.refusals) == (ours.counts, ours.refusals)
    same_payments(theirs.payments, ours.payments)


@pytest.mark.spark
@needs_spark
@pytest.mark.timeout(600)
def test_what_a_return_names_is_brought_by_spark(spark: InSpark, tmp_path: Path) -> None:
    """The return names one account alone, so that no pair of accounts tells what it gives back."""
    own, far = "GB82WEST12345698765432", "DE89370400440532013000"
    entry = (
        '<Ntry><Amt Ccy="EUR">{}</Amt><CdtDbtInd>{}</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>'
        "2026-03-0{}</Dt></BookgDt>{}<NtryDtls><TxDtls><Refs><EndToEndId>{}</EndToEndId></Refs>"
        "{}</TxDtls></NtryDtls></Ntry>"
    )
    to_far = f"<RltdPties><CdtrAcct><Id><IBAN>{far}</IBAN></Id></CdtrAcct></RltdPties>"
    statement = tmp_path / "s.xml"
    statement.write_text(
        f"<BkToCstmrStmt><Stmt><Acct><Id><IBAN>{own}</IBAN></Id></Acct>"
        + entry.format("25.50", "DBIT", 1, "", "A", to_far)
        + entry.format("25.50", "DBIT", 2, "", "B", to_far)
        + entry.format("25.50", "CRDT", 3, "<RvslInd>true</RvslInd>", "A", "")
        + "</Stmt></BkToCstmrStmt>"
    )
    paths = sorted([statement, written(tmp_path, network(11))])
    whole = read_payments(paths).payments
    assert len(whole.given_back)
    same_payments(reading.read_with(spark, paths).payments, whole)
    some = reading.read_with(spark, paths, reach=Reach([far])).payments
    assert any("1 of them name the payment" in s for s in some.left_out)
