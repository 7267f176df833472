"""Records of one call that each tell one side of it are put together, whichever came first."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from sqlalchemy import select

from calls.test_calls_paged import calls, same
from calls.test_calls_spark import needs_spark
from cordon.bootstrap import Node
from cordon.calls import searching, sides
from cordon.calls.checking import SCHEMA
from cordon.calls.importing import without_repeats, write_segment
from cordon.calls.survey import DuckEngine, Near, Sources, count_by_page, count_everybody, gather
from cordon.calls.survey.spark import SparkEngine
from cordon.calls.tables import CallFileRow
from cordon.kernel.access.authorities import Draft
from cordon.kernel.access.model import Scope
from cordon.kernel.store.columns import SegmentRow, connect
from cordon.settings import Settings

COLUMNS = [f"{end}_{what}" for end in ("caller", "callee") for what in ("imsi", "imei", "cell")]
Over = Callable[..., DuckEngine]


@pytest.fixture
def over(tmp_path: Path) -> Iterator[Over]:
    """An engine over files of these tables, by their names."""
    with connect() as db:

        def made(**tables: pa.Table) -> DuckEngine:
            paths = [tmp_path / f"{name}.parquet" for name in tables]
            for path, table in zip(paths, tables.values(), strict=True):
                pq.write_table(table, path, row_group_size=3_000)
            return DuckEngine(db, Sources(raw=tuple(paths)))

        yield made


def of(table: pa.Table, end: str, off_s: int = 0) -> pa.Table:
    """The records of an operator that knows one side, by its own clock."""
    for name in COLUMNS:
        if not name.startswith(end):
            at = table.column_names.index(name)
            table = table.set_column(at, name, pa.nulls(len(table), pa.string()))
    later = pc.add(table["start"], pa.scalar(timedelta(seconds=off_s)))
    return table.set_column(0, "start", later)


def told(near: Near) -> list[tuple[Any, ...]]:
    """Each call with what is known of its ends, in no file's order."""
    texts = {"imsi": near.imsis, "imei": near.imeis, "cell": near.cells}
    columns = [
        [texts[n[-4:]][v] if v >= 0 else "" for v in getattr(near, n).tolist()] for n in COLUMNS
    ]
    ends = [[near.numbers[v] for v in column] for column in (near.caller, near.callee)]
    return sorted(zip(*ends, near.us.tolist(), near.voice.tolist(), *columns, strict=True))


def by_page(engine: DuckEngine) -> Near:
    census = count_by_page(engine)
    assert census is not None
    near = gather(engine, census)
    assert near.repeated == 0 or not census.repeated  # each is told once
    return near


def by_stream(engine: DuckEngine) -> Near:
    engine.each_once()
    census = count_everybody(engine)
    assert census is not None
    return gather(engine, census)


@pytest.mark.parametrize("way", [by_page, by_stream])
@pytest.mark.parametrize("first", ["caller", "callee"])
def test_two_operators_records_are_one_call_with_both_sides(over: Over, way, first) -> None:
    table = calls(6_000, 500)
    whole = told(way(over(whole=table)))
    second = "callee" if first == "caller" else "caller"
    near = way(over(a=of(table, first), b=of(table, second)))
    assert told(near) == whole
    assert len(near.more) > 1_000
    refs = near.every_record(np.arange(len(near.us)))
    assert {r.sha256[-9:] for r in refs} == {"a.parquet", "b.parquet"}
    assert len(refs) == len(near.us) + len(near.more)
    assert len(near.records(np.arange(len(near.us)))) == len(near.us)


def test_records_by_two_clocks_are_one_call_too(over: Over) -> None:
    # far enough apart that none is near another
    table = calls(1_500, 300)
    start = pa.array(np.datetime64("2026-03-02", "us") + np.arange(1_500) * 600 * 10**6)
    table = table.set_column(0, "start", start.cast(pa.timestamp("us", "UTC")))
    whole = told(by_page(over(whole=table)))
    near = by_page(over(a=of(table, "callee"), b=of(table, "caller", 1)))
    assert near.repeated > 1_000
    # near calls count twice in the counts of everybody: not quite the same numbers are looked at
    found = {one[:4]: one[4:] for one in told(near)}
    assert len(found) == len(near.us)
    both = [one for one in whole if one[:4] in found]
    assert len(both) > 0.8 * len(whole)
    values = [pair for one in both for pair in zip(found[one[:4]], one[4:], strict=True)]
    lost = [b for a, b in values if b not in ("", a)]
    assert len(lost) < len(values) / 100


def test_both_records_of_a_switch_in_one_file_in_any_order(over: Over) -> None:
    table = calls(4_000, 400)
    whole = told(by_page(over(whole=table)))
    both = pa.concat_tables([of(table, "caller"), of(table, "callee")])
    both = both.take(pa.array(np.random.default_rng(5).permutation(len(both))))
    assert told(by_page(over(both=both))) == whole


def test_the_engine_answers_the_same_as_the_pages(over: Over) -> None:
    table = calls(5_000, 500)
    engine = over(a=of(table, "callee").slice(0, 3_000), b=table, c=of(table, "caller"))
    same(by_page(engine), by_stream(engine))


def segment(folder: Path, sha256: str, table: pa.Table, number: int = 0) -> Path:
    rows = pa.array(np.arange(1, len(table) + 1))
    table = table.append_column("sha256", pa.repeat(pa.scalar(sha256), len(table)))
    for name in ("trunk_in", "trunk_out"):
        table = table.append_column(name, pa.nulls(len(table), pa.string()))
    table = table.append_column("row", rows).select(SCHEMA.names).cast(SCHEMA)
    return write_segment(folder, sha256, number, table).path


def test_what_an_import_keeps_beside_its_calls_gives_the_same(tmp_path: Path) -> None:
    table = calls(4_000, 400)
    one = segment(tmp_path, "a" * 64, of(table, "caller"))
    other = pq.read_table(segment(tmp_path / "b", "b" * 64, of(table, "callee", 1)))
    new, repeated = without_repeats(other, [one])
    assert repeated > 3_000
    more = sides.adding(other, new, [one])
    assert 0 < len(more) <= repeated
    kept = write_segment(tmp_path, "b" * 64, 0, new).path if len(new) else None
    beside = tmp_path / "sides.parquet"
    pq.write_table(more, beside)
    # brought in once more, nothing is added
    again, _ = without_repeats(other, [one, *([kept] if kept else [])])
    assert len(sides.adding(other, again, [one, beside, *([kept] if kept else [])])) == 0
    segments = tuple(p for p in (one, kept) if p)
    with connect() as db:
        near = by_stream(DuckEngine(db, Sources(segments, sides=(beside,))))
        alone = by_stream(DuckEngine(db, Sources(segments)))
    assert near.us.tolist() == alone.us.tolist()
    assert (near.callee_imei >= 0).sum() > (alone.callee_imei >= 0).sum() + 500
    assert (near.callee_cell >= 0).sum() > (alone.callee_cell >= 0).sum() + 500


@needs_spark
def test_spark_puts_sides_together_as_duckdb_does(tmp_path: Path) -> None:
    table = calls(3_000, 300)
    files = (
        segment(tmp_path, "a" * 64, of(table, "caller").slice(0, 2_500)),
        segment(tmp_path, "b" * 64, of(table, "callee")),
    )
    beside = segment(tmp_path, "c" * 64, table.slice(2_000, 1_000))
    sources = Sources(files, sides=(beside,))
    with connect() as db:
        here = by_stream(DuckEngine(db, sources))
    with SparkEngine(sources, memory_mb=1024) as engine:
        engine.each_once()
        census = count_everybody(engine)
        assert census is not None
        there = gather(engine, census)
    same(here, there)
    assert len(here.more) > 500


@pytest.fixture
def node(rows_url, tmp_path):
    made = Node(Settings(data=tmp_path / "node", database_url=rows_url))
    now = made.kernel.clock.now()
    draft = Draft(
        basis="peca_disclosure_warrant", reference="WR-1", issuer="A court",
        scope=Scope(frozenset({"calls"})), valid_from=now, valid_until=now + timedelta(days=20),
    )  # fmt: skip
    made.authorities.record(made.console_actor(None), draft, io.BytesIO(b"the document"))
    yield made
    made.close()


def test_a_search_on_a_node_is_given_what_a_second_operator_told(node, tmp_path, monkeypatch):
    head = "start,duration_s,kind,caller,callee,caller_imei,callee_imei,callee_cell"
    row = "2026-02-01T04:41:{:02}Z,65,voice,+923001234567,+92321765432{},{},{},{}"
    imei = "35209900176148{}"
    one = [row.format(10, n, imei.format(1), "", "") for n in range(4)]
    two = [row.format(11, n, "", imei.format(2), "410-1-1-1") for n in range(3)]
    actor = node.console_actor("WR-1")
    for name, rows in (("one.csv", one), ("two.csv", two), ("two-again.csv", [*two, *one])):
        data = "\n".join([head, *rows]).encode()
        ended = node.run_job(
            node.calls.ask_import(actor, io.BytesIO(data), name), lambda _done, _total: None
        )
        assert ended.state == "done", ended.error
    with node.kernel.rows.read() as session:
        found = session.scalars(select(SegmentRow).where(SegmentRow.dataset == sides.DATASET)).all()
        assert [f.rows for f in found] == [3]
        second = session.scalars(select(CallFileRow).where(CallFileRow.name == "two.csv")).one()
    given: dict[str, Any] = {}
    real = searching.find_in_segments

    def seen(*told: Any, **more: Any) -> Any:
        given.update(more)
        return real(*told, **more)

    monkeypatch.setattr(searching, "find_in_segments", seen)
    ended = node.run_job(node.calls.ask_find(actor), lambda _done, _total: None)
    assert ended.state == "done", ended.error
    (path,) = given["sides"]
    assert set(pq.read_table(path)["callee_imei"].to_pylist()) == {imei.format(2)}
    with node.kernel.view(actor) as view:  # a finding may point at such a row
        assert node.calls.start_of(view, second, 1) == datetime(2026, 2, 1, 4, 41, 11, tzinfo=UTC)
