"""Spark answers what DuckDB answers, to the byte, over the same files."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from cordon.calls import forms
from cordon.calls.checking import SCHEMA
from cordon.calls.detectors import all_detectors
from cordon.calls.detectors.data import CallData
from cordon.calls.importing import write_segment
from cordon.calls.plain import read_plain
from cordon.calls.registers import read_register
from cordon.calls.survey import DuckEngine, count_everybody, gather
from cordon.calls.survey import spark as passes
from cordon.calls.survey.engine import COLUMNS, Sources
from cordon.calls.survey.spark import SparkEngine, in_spark
from cordon.exercise import world
from cordon.kernel.errors import BadInput, Unavailable
from cordon.kernel.findings import write_findings
from cordon.kernel.store import spark as room
from cordon.kernel.store.columns import connect
from cordon.kernel.store.spark import java_version

needs_spark = pytest.mark.skipif(
    importlib.util.find_spec("pyspark") is None or java_version() < room.JAVA,
    reason="needs PySpark (pip install cordon[spark]) and Java 17",
)
EVERY_ROW = f"SELECT us, {', '.join(COLUMNS)}, slot63(callee) AS slot, origin, row FROM calls"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("world")
    world("callcentre").generate(seed=7, days=6, scale=0.02, out=folder)
    return folder


@pytest.fixture(scope="module")
def segments(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The world's calls as two files that were brought in, in several segments."""
    folder = tmp_path_factory.mktemp("segments")
    calls = pq.read_table(made / "calls.parquet")
    half = len(calls) // 2
    for sha256, part in (("b" * 64, calls.slice(0, half)), ("a" * 64, calls.slice(half))):
        for at in range(0, len(part), 20_000):
            some = part.slice(at, 20_000)
            some = some.append_column("sha256", pa.repeat(pa.scalar(sha256), len(some)))
            rows = pa.array(np.arange(at + 1, at + 1 + len(some)))
            some = some.append_column("row", rows).select(SCHEMA.names).cast(SCHEMA)
            write_segment(folder, sha256, at // 20_000, some)
    return folder


# this and the next before the Spark that the others share: a process has one at a time
@pytest.mark.spark
@needs_spark
@pytest.mark.timeout(600)
def test_a_spark_that_dies_holds_nobody_up(made: Path, tmp_path: Path) -> None:
    sources = Sources(raw=(made / "calls.parquet",))
    with SparkEngine(sources, master="local[1]", memory_mb=1024, scratch=tmp_path) as engine:
        assert engine.table("SELECT count(*) AS n FROM calls")["n"][0].as_py() > 0
        engine._spark._gateway.proc.kill()
        with pytest.raises(Unavailable, match="broke off"):
            engine.table("SELECT count(*) AS n FROM calls")
    assert not room._ONE.locked()
    assert not list(tmp_path.iterdir())


def test_one_search_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_check_installed", lambda: None)
    monkeypatch.setattr(room, "_OTHERS_S", 0.01)
    with room._ONE, pytest.raises(Unavailable, match="busy with another search"):
        SparkEngine(Sources(), master="local[1]").table("SELECT 1")


def findings(engine: Any, folder: Path) -> list[bytes]:
    complaints = read_plain(folder / "complaints.csv", forms.COMPLAINTS).table
    census = count_everybody(engine)
    assert census is not None
    named = [n for n in complaints["suspect_number"].to_pylist() if n]
    data = CallData(
        engine,
        census,
        gather(engine, census, named),
        read_register(folder / "subscribers.csv", "PK").holders,
        cells=read_plain(folder / "cells.csv", forms.CELLS).table,
        complaints=complaints,
        region="PK",
        utc_offset_s=18_000,
    )
    found = [f for detector in all_detectors() for f in detector.find(data)]
    return list(write_findings(found))


@pytest.fixture(scope="module")
def both(
    made: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., tuple[Any, Any]]]:
    """Does one piece of work with DuckDB and with Spark, which begins once for all tests."""
    scratch = tmp_path_factory.mktemp("scratch")
    first = Sources(raw=(made / "calls.parquet",))
    with SparkEngine(first, master="local[2]", memory_mb=1024, scratch=scratch) as spark:

        def done(sources: Sources, work: Callable[[Any], Any], split: str = "128m") -> Any:
            with connect(memory_mb=1000, threads=1) as db:
                duck = work(DuckEngine(db, sources))
            session = spark._spark.begun()
            session.conf.set("spark.sql.files.maxPartitionBytes", split)
            spark._sources = sources
            passes._calls(session, sources)
            return duck, work(spark)

        yield done
    assert not list(scratch.iterdir())  # nothing is left on the disk
    assert not room._ONE.locked()


@pytest.mark.spark
@needs_spark
@pytest.mark.timeout(600)
@pytest.mark.parametrize("form", ["raw", "segments"])
def test_findings_are_the_same_bytes(form: str, made: Path, segments: Path, both: Any) -> None:
    if form == "raw":
        sources = Sources(raw=(made / "calls.parquet",))
    else:
        sources = Sources(segments=tuple(sorted(segments.rglob("*.parquet"))))
    duck, spark = both(sources, lambda e: findings(e, made))
    assert len(duck) > 3
    assert spark == duck


@pytest.fixture
def odd_files(made: Path, tmp_path: Path) -> list[Path]:
    """Files with what engines read in ways of their own."""
    calls = pq.read_table(made / "calls.parquet").slice(0, 30_000)
    us = calls["start"].cast(pa.int64())
    texts = ["", "a", "12345678", "123456789012", "1234567890123", "Jazz Çağrı", "مکالمہ", "x" * 70]
    callee = pa.array((texts * 4_000)[: len(calls)])
    nan = np.where(np.arange(len(calls)) % 3 == 0, np.nan, 5.25).astype(np.float32)
    starts = {
        "µs UTC": calls["start"],
        "ms UTC": pc.cast(calls["start"], pa.timestamp("ms", "UTC"), safe=False),
        "µs in no zone": us.cast(pa.timestamp("us")),
        "µs in a zone": us.cast(pa.timestamp("us", "Asia/Karachi")),
        "before 1970": pc.negate(us).cast(pa.timestamp("us", "UTC")),
        "before 1582": pc.subtract(pc.negate(us), 12_500_000_000_000_000).cast(
            pa.timestamp("us", "UTC")
        ),
    }
    paths = []

    def write(name: str, table: pa.Table, **how: Any) -> None:
        path = tmp_path / "o'dd [1] {a}" / "day=3" / f"{name} #%20*?.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, path, row_group_size=7_001, data_page_size=10_000, **how)
        paths.append(path)

    for name, start in starts.items():
        write(name, calls.set_column(0, "start", start))
    write("96 bits", calls, use_deprecated_int96_timestamps=True)
    least = calls.select(["start", "kind", "caller"]).append_column("callee", callee)
    write("least columns", least)
    write("float durations", least.append_column("duration_s", pa.array(nan)))
    whole = pc.cast(calls["duration_s"], pa.int32(), safe=False)
    write("whole durations", calls.set_column(1, "duration_s", whole), use_dictionary=False)
    none = pa.array([None if n % 5 == 0 else t for n, t in enumerate(callee.to_pylist())])
    write("no callee", least.set_column(3, "callee", none), write_page_index=True)
    return paths


@pytest.mark.spark
@needs_spark
@pytest.mark.timeout(600)
@pytest.mark.parametrize("span", [False, True])
def test_every_row_and_value_is_the_same(
    span: bool, odd_files: list[Path], made: Path, both: Any
) -> None:
    middle = pc.min(pq.read_table(made / "calls.parquet", columns=["start"])["start"]).as_py()
    sources = Sources(
        raw=tuple(odd_files),
        since=middle.replace(hour=3, microsecond=0) if span else None,
        until=datetime(2100, 1, 1, tzinfo=UTC) if span else None,
    )
    order = [("origin", "ascending"), ("row", "ascending")]
    duck, spark = both(sources, lambda e: e.table(EVERY_ROW).sort_by(order), "256k")
    assert duck.num_rows > 30_000
    for name in duck.column_names:
        ours = np.asarray(duck[name].to_numpy())
        theirs = np.asarray(spark[name].to_numpy())
        kind = {"duration_s": np.float32}.get(name, ours.dtype)
        for path in odd_files:
            at = np.asarray(duck["origin"].to_numpy()) == str(path)
            np.testing.assert_array_equal(
                ours[at].astype(kind), theirs[at].astype(kind), f"{name} of {path.stem}"
            )


@pytest.mark.spark
@needs_spark
def test_what_stands_twice_counts_once(
    segments: Path, made: Path, tmp_path: Path, both: Any
) -> None:
    again = pq.read_table(made / "calls.parquet").slice(1_000, 5_000)
    again = pa.concat_tables([again, again.slice(10, 7)])
    pq.write_table(again, tmp_path / "again.parquet")
    sources = Sources(tuple(sorted(segments.rglob("*.parquet"))), (tmp_path / "again.parquet",))

    def kept(engine: Any) -> tuple[int, pa.Table]:
        found = engine.each_once()
        rows = engine.table("SELECT origin, row FROM calls")
        return found, rows.sort_by([("origin", "ascending"), ("row", "ascending")])

    duck, spark = both(sources, kept)
    assert duck[0] >= 5_007
    assert spark[0] == duck[0]
    assert spark[1].cast(duck[1].schema).equals(duck[1])


@pytest.mark.spark
@needs_spark
@pytest.mark.timeout(600)
def test_what_spark_cannot_read_is_said(tmp_path: Path, made: Path, both: Any) -> None:
    path = tmp_path / "_calls.parquet"
    path.write_bytes((made / "calls.parquet").read_bytes())
    work = {"sql": "SELECT sum(length(caller)), sum(length(callee)) FROM calls"}
    with pytest.raises(BadInput, match="begins with"):
        both(Sources(raw=(path,)), lambda e: e.table(work["sql"]))
    path = path.rename(tmp_path / "calls.parquet")
    whole = path.read_bytes()

    def cut(engine: Any) -> Any:
        if isinstance(engine, DuckEngine):
            return None
        size = len(whole)
        path.write_bytes(whole[:1000] + bytes(size // 2) + whole[1000 + size // 2 :])
        return engine.table(work["sql"])

    with pytest.raises(BadInput, match="cut or changed"):
        both(Sources(raw=(path,)), cut)


def test_without_pyspark_or_java_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    engine = SparkEngine(Sources(), master="local[1]")
    with monkeypatch.context() as patch:
        patch.setattr(room.importlib.util, "find_spec", lambda _name: None)
        with pytest.raises(Unavailable, match=r"pip install cordon\[spark\]"):
            engine.table("SELECT 1")
    monkeypatch.setattr(room.importlib.util, "find_spec", lambda _name: object())
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(Unavailable, match="Java 17 from the system"):
        engine.table("SELECT 1")


def test_a_master_that_is_not_there_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_check_installed", lambda: None)
    with pytest.raises(Unavailable, match="No Spark master answers"):
        SparkEngine(Sources(), master="spark://127.0.0.1:1").table("SELECT 1")


def test_groups_by_hash_become_groups_by_number() -> None:
    sql = "SELECT key64(a) AS k, any_value(a) AS n FROM calls GROUP BY key64(a)"
    assert in_spark(sql) == "SELECT key64(a) AS k, a AS n FROM calls GROUP BY a"
