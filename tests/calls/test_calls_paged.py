"""Calls read from the pages of their files are the calls that an engine gives."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cordon.calls.find import find
from cordon.calls.survey import Census, DuckEngine, Near, Sources, count_by_page, count_everybody
from cordon.calls.survey import engine as engines
from cordon.calls.survey.near import gather
from cordon.kernel.store.columns import connect

searches = sys.modules["cordon.calls.find"]  # the room's face has a function of that name
BEGIN = datetime(2026, 3, 2, tzinfo=UTC)
SPAN_S = 20 * 86_400


def calls(rows: int, people: int, seed: int = 3) -> pa.Table:
    """Calls at random, of some who only call and many who talk, in an order of no meaning."""
    rng = np.random.default_rng(seed)
    ends = (people * rng.random((2, rows)) ** 3).astype(int)
    ends[1, ends[0] < people // 100] += people // 3  # these call strangers and are not called
    duration = np.where(rng.random(rows) < 0.3, 0.0, rng.gamma(2.0, 40.0, rows).round())
    start = np.datetime64("2026-03-02", "us") + rng.integers(0, SPAN_S, rows) * 10**6
    holder = rng.integers(0, 99_999, people * 2)
    made: dict[str, Any] = {
        "start": pa.array(start).cast(pa.timestamp("us", "UTC")),
        "duration_s": pa.array(duration, mask=rng.random(rows) < 0.05),
        "kind": np.where(rng.random(rows) < 0.8, "voice", "sms"),
        "caller": [f"+92300{n:07d}" for n in ends[0].tolist()],
        "callee": [f"+92300{n:07d}" for n in ends[1].tolist()],
    }
    for end, who in zip(("caller", "callee"), ends, strict=True):
        for name, text in (
            ("imsi", "4100{:011d}"),
            ("imei", "86{:013d}12"),  # with a software version behind the fourteen digits
            ("cell", "410-01-a tower of some length-{}"),
        ):
            texts = np.array([text.format(h // 7 if name == "cell" else h) for h in holder[who]])
            made[f"{end}_{name}"] = pa.array(texts, mask=rng.random(rows) < 0.1)
    return pa.table(made)


Over = Callable[..., DuckEngine]


@pytest.fixture
def over(tmp_path: Path) -> Iterator[Over]:
    """An engine over files of these tables."""
    with connect() as db:

        def made(*tables: pa.Table, since: Any = None, until: Any = None, **how: Any) -> DuckEngine:
            paths = [tmp_path / f"{at}.parquet" for at in range(len(tables))]
            for path, table in zip(paths, tables, strict=True):
                pq.write_table(table, path, row_group_size=4_000, **how)
            return DuckEngine(db, Sources(raw=tuple(paths), since=since, until=until))

        yield made


def by_number(census: Census) -> dict[str, Any]:
    """What a census says, in the order of its numbers."""
    order = np.argsort(np.array(census.number.to_pylist()))
    said = {}
    for name in set(Census.__slots__) - {"key", "key_type", "seen", "ends", "repeated"}:
        value = getattr(census, name)
        if isinstance(value, pa.Array):
            value = value.to_numpy(zero_copy_only=False)
        said[name] = value[order].tolist() if isinstance(value, np.ndarray) else value
    return said


def same(one: Near, other: Near) -> None:
    for name in {f.name for f in fields(Near)} - {"in_census"}:
        a, b = getattr(one, name), getattr(other, name)
        if isinstance(a, np.ndarray):
            np.testing.assert_array_equal(a, b, name)
            assert a.dtype == b.dtype, name
        else:
            assert a == b, name


def both(engine: DuckEngine) -> tuple[Census, Census]:
    """A census by page, and one of the engine's calls, each once."""
    paged = count_by_page(engine)
    assert paged is not None
    # what is asked of the engine afterwards knows each call once, too
    assert engine.table("SELECT count(*) AS n FROM calls")["n"].to_pylist() == [paged.rows]
    repeated = engine.each_once()
    asked = count_everybody(engine)
    assert asked is not None
    assert paged.repeated == repeated
    assert by_number(paged) == by_number(asked)
    return paged, asked


@pytest.mark.parametrize(
    "how",
    [{}, {"use_dictionary": False}, {"compression": "zstd", "dictionary_pagesize_limit": 5_000}],
)
def test_everybody_and_their_calls_are_the_same(over: Over, how: dict[str, Any]) -> None:
    engine = over(calls(30_000, 2_000), calls(9_000, 3_000, seed=4), **how)
    paged, asked = both(engine)
    near = gather(engine, paged, ["+923000000001"])
    assert len(near.us) > 5_000
    assert len(near.imeis) > 100
    same(near, gather(engine, asked, ["+923000000001"]))


def test_many_calls_are_counted_by_two_threads(over: Over, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "COUNTED", 100)  # more are not looked through for repeats
    engine = over(calls(30_000, 2_000))
    assert engine.alone
    paged, asked = both(engine)
    same(gather(engine, paged), gather(engine, asked))
    marks = []
    for census in (paged, asked):
        assert census.ends is not None
        assert census.seen is not None
        names = np.array(census.number.to_pylist())
        mark = np.full(census.ends.numbers, -1, np.int32)
        mark[census.seen] = np.where(
            names < "+923000000400", np.unique(names, return_inverse=True)[1], -1
        )
        marks.append([m.tolist() for m in census.ends.among(mark)])
    assert len(marks[0][0]) > 1_000
    assert marks[0] == marks[1]


def test_a_call_that_stands_before_counts_once(over: Over) -> None:
    table = calls(5_000, 500)
    # zero has a sign, and an unknown duration equals another
    signed = table.set_column(
        1,
        "duration_s",
        pa.array([-0.0 if d == 0.0 else d for d in table["duration_s"].to_pylist()]),
    )
    engine = over(table, pa.concat_tables([signed.slice(0, 700), calls(2_000, 500, seed=8)]))
    paged, asked = both(engine)
    assert paged.repeated >= 700
    assert paged.rows == 7_700 - paged.repeated
    same(gather(engine, paged), gather(engine, asked))


def test_only_calls_of_the_span_count(over: Over) -> None:
    table = calls(9_000, 2_500)
    since, until = BEGIN + timedelta(days=3), BEGIN + timedelta(days=4, hours=1)
    paged, asked = both(over(table, since=since, until=until))
    assert paged.rows < 1_000
    assert len(paged.number) < 1_500
    assert paged.seen is not None
    assert len(paged.seen) == len(paged.number)
    engine = over(table, since=since, until=until)
    same(gather(engine, paged), gather(engine, asked))


def test_times_and_durations_of_other_types(over: Over) -> None:
    table = calls(3_000, 300)
    table = table.set_column(0, "start", table["start"].cast(pa.timestamp("ms")))
    table = table.set_column(1, "duration_s", table["duration_s"].cast(pa.int64()))
    both(over(table))
    both(over(table.drop_columns(["duration_s", "caller_imei", "callee_cell"])))


@pytest.mark.parametrize("column", ["start", "kind", "caller", "callee"])
def test_what_is_missing_is_left_to_the_engine(over: Over, column: str) -> None:
    table = calls(50, 20)
    values = table[column].to_pylist()
    values[7] = None
    at = table.column_names.index(column)
    table = table.set_column(at, column, pa.array(values, table[column].type))
    assert count_by_page(over(table)) is None


def test_what_is_odd_is_left_to_the_engine(over: Over) -> None:
    table = calls(50, 20)
    kinds = ["fax", *table["kind"].to_pylist()[1:]]
    assert count_by_page(over(table.set_column(2, "kind", pa.array(kinds)))) is None
    us = table["start"].cast(pa.int64()).to_pylist()
    early = pa.array([0, *us[1:]]).cast(pa.timestamp("us", "UTC"))
    assert count_by_page(over(table.set_column(0, "start", early))) is None
    assert count_by_page(over(calls(0, 1))) is None


def test_a_number_that_is_no_text_is_left_to_the_engine(over: Over, tmp_path: Path) -> None:
    engine = over(calls(50, 20), compression="none", use_dictionary=False)
    path = tmp_path / "0.parquet"
    data = path.read_bytes()
    assert b"+923000000" in data
    path.write_bytes(data.replace(b"+923000000", b"+92\xff\xfe00000"))
    assert count_by_page(engine) is None


def test_where_nobody_matters_there_is_no_call(over: Over) -> None:
    engine = over(calls(40, 3))
    census = count_by_page(engine)
    assert census is not None
    near = gather(engine, census, most=0)
    assert near.numbers == []
    assert len(near.us) == 0
    assert near.origins == []


def test_with_less_memory_fewer_are_looked_at_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pq.write_table(calls(4000, 300), tmp_path / "calls.parquet")
    monkeypatch.setattr(searches, "ROWS_A_MB", 1)
    few = find([tmp_path / "calls.parquet"], memory_mb=400).left_out
    (said,) = [one for one in few if "not looked at" in one]
    assert "more than 400 records" in said
    assert "--memory" in said
    every = find([tmp_path / "calls.parquet"], memory_mb=8000).left_out
    assert not [one for one in every if "not looked at" in one]
