"""Everybody counted in one walk is everybody counted by the passes of SQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cordon.calls.detectors.fan_sql import PAIRS
from cordon.calls.survey import Census, DuckEngine, Sources
from cordon.calls.survey import census as passes
from cordon.kernel.store.columns import connect

BEGIN = 1_772_409_600_000_000  # µs


def calls(rows: int, people: int) -> pa.Table:
    """Calls at random, of people who call often and people who call once."""
    rng = np.random.default_rng(3)
    ends = (people * rng.random((2, rows)) ** 3).astype(int)
    duration = np.where(rng.random(rows) < 0.3, 0.0, rng.gamma(2.0, 40.0, rows))
    return pa.table(
        {
            "start": pa.array(BEGIN + rng.integers(0, 10**12, rows)).cast(
                pa.timestamp("us", "UTC")
            ),
            "duration_s": pa.array(duration, mask=rng.random(rows) < 0.05),
            "kind": pa.array(np.where(rng.random(rows) < 0.8, "voice", "sms")),
            "caller": [f"+92300{n:07d}" for n in ends[0].tolist()],
            "callee": [f"+92300{n:07d}" for n in ends[1].tolist()],
        }
    )


Over = Callable[..., DuckEngine]


@pytest.fixture
def over(tmp_path: Path) -> Iterator[Over]:
    """An engine over files of these tables."""
    with connect() as db:

        def made(*tables: pa.Table) -> DuckEngine:
            paths = [tmp_path / f"{at}.parquet" for at in range(len(tables))]
            for path, table in zip(paths, tables, strict=True):
                pq.write_table(table, path, row_group_size=5_000)
            return DuckEngine(db, Sources(raw=tuple(paths)))

        yield made


def same(one: Census, other: Census) -> None:
    for name in set(Census.__slots__) - {"seen", "ends"}:
        a, b = getattr(one, name), getattr(other, name)
        if isinstance(a, pa.Array):
            assert a.equals(b), name
        elif isinstance(a, np.ndarray):
            np.testing.assert_array_equal(a, b, name)
        else:
            assert a == b, name


def test_a_walk_counts_as_sql_does(over: Over) -> None:
    # more people than the first table of lines holds, in two files that number their rows alike
    engine = over(calls(30_000, 9_000), calls(20_000, 12_000))
    walked, asked = passes._walked(engine, None), passes._queried(engine)
    assert walked is not None
    assert asked is not None
    assert walked.odd == 0
    assert len(walked.number) > 4_096
    same(walked, asked)


def test_who_knows_whom_is_told_as_sql_tells_it(over: Over) -> None:
    engine = over(calls(30_000, 3_000), calls(20_000, 900))
    census = passes.count_everybody(engine)
    assert census is not None
    assert census.seen is not None
    assert census.ends is not None
    chosen = np.arange(0, len(census.key), 3)
    called = np.random.default_rng(7).permutation(len(chosen))
    key = pa.array(census.key[chosen].view(census.key_type))
    engine.put("met", pa.table({"k": key, "at": called}))
    asked = engine.table(f"SELECT a, b FROM ({PAIRS}) ORDER BY a, b")
    mark = np.full(census.ends.numbers, -1, np.int32)
    mark[census.seen[chosen]] = called
    a, b = census.ends.among(mark)
    assert len(a) > 1_000
    assert a.tolist() == asked["a"].to_pylist()
    assert b.tolist() == asked["b"].to_pylist()
    # one may call oneself, which makes no pair
    assert (a < b).all()


def test_no_call_at_all_is_nobody(over: Over) -> None:
    engine = over(calls(0, 1))
    assert passes.count_everybody(engine) is None


@pytest.mark.parametrize("column", ["start", "kind", "caller", "callee"])
def test_what_is_missing_is_odd(over: Over, column: str) -> None:
    table = calls(50, 20)
    at = table.column_names.index(column)
    values = table[column].to_pylist()
    values[7] = None
    table = table.set_column(at, column, pa.array(values, table[column].type))
    found = passes._walked(over(table), None)
    assert found is not None
    assert found.odd > 0
    assert found.number.null_count == 0


@pytest.mark.parametrize("year", [1970, 2150])
def test_a_time_that_is_none_is_odd(over: Over, year: int) -> None:
    table = calls(50, 20)
    us = table["start"].cast(pa.int64()).to_pylist()
    us[7] = (year - 1970) * 31_557_600_000_000
    table = table.set_column(0, "start", pa.array(us).cast(pa.timestamp("us", "UTC")))
    found = passes._walked(over(table), None)
    assert found is not None
    assert found.odd > 0


def test_an_engine_answers_several_threads_one_at_a_time(over: Over) -> None:
    engine = over(calls(100, 10))

    def asked(n: int) -> int:
        engine.put(f"own{n}", pa.table({"n": list(range(n, n + 500))}))
        told = engine.table(f'SELECT sum(n) AS total FROM "own{n}"')["total"][0].as_py()
        engine.drop(f"own{n}")
        return int(told)

    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(asked, range(100)))
    assert told == [sum(range(n, n + 500)) for n in range(100)]
