"""Columns: a segment counts once its row is committed; queries stay within their memory."""

from __future__ import annotations

from datetime import timedelta

import pyarrow as pa
import pytest

from cordon.kernel.access.model import Mark
from cordon.kernel.errors import BadInput, Unavailable
from cordon.kernel.ids import new_id
from cordon.kernel.store import Columns
from cordon.kernel.store.columns import SegmentRow

SOURCE = "ab" * 32


def segment(path: str, noon, part: int = 0, *, hours: int = 1, authority=None) -> SegmentRow:
    return SegmentRow(
        id=new_id(), agency="pk-test", mark=Mark.GREEN, created_at=noon, dataset="calls",
        source=SOURCE, part=part, rows=3, starts=noon, ends=noon + timedelta(hours=hours),
        path=path, authority=authority,
    )  # fmt: skip


def test_a_segment_without_its_row_is_not_read(tmp_path, rows, noon):
    columns = Columns(tmp_path / "columns")
    table = pa.table({"x": [1, 2, 3]})
    kept = columns.write("calls", SOURCE, 0, table)
    columns.write("calls", SOURCE, 1, table)  # and here the process was killed
    with rows.write() as session:
        session.add(segment(kept, noon))
    with rows.read() as session:
        assert columns.paths(session, "calls") == [columns.root / kept]
    # the work done again writes over it
    again = columns.write("calls", SOURCE, 1, pa.table({"x": [9]}))
    with columns.connect() as connection:
        found = connection.sql(f"SELECT x FROM read_parquet('{columns.root / again}')").fetchall()
    assert found == [(9,)]


def test_paths_by_span_and_authority(tmp_path, rows, noon):
    columns = Columns(tmp_path / "columns")
    with rows.write() as session:
        session.add_all(
            segment(f"{part}.parquet", noon + timedelta(hours=2 * part), part, authority=authority)
            for part, authority in enumerate(("a", "a", "b"))
        )
    hour = timedelta(hours=1)

    def names(**how):
        with rows.read() as session:
            return [p.stem for p in columns.paths(session, "calls", **how)]

    assert names() == ["0", "1", "2"]
    assert names(since=noon + 2 * hour) == ["1", "2"]
    assert names(since=noon + hour) == ["0", "1", "2"]  # a span's last moment is in it
    assert names(until=noon + 2 * hour) == ["0"]
    assert names(authorities=["b"]) == ["2"]
    assert names(authorities=[]) == []


def test_one_number_of_a_source_stands_once(rows, noon):
    with rows.write() as session:
        session.add(segment("a.parquet", noon))
    with pytest.raises(Exception, match=r"(?i)unique"), rows.write() as session:
        session.add(segment("b.parquet", noon))


def test_a_column_that_is_sought_has_a_filter_and_the_others_none(tmp_path):
    columns = Columns(tmp_path / "columns")
    table = pa.table({"who": [f"n{i}" for i in range(500)], "x": list(range(500))})
    kept = columns.root / columns.write("calls", SOURCE, 0, table, sought=("who",))
    with columns.connect() as connection:
        told = connection.execute(
            "SELECT path_in_schema, bloom_filter_offset IS NOT NULL FROM parquet_metadata($p)",
            {"p": str(kept)},
        ).fetchall()
        assert dict(told) == {"who": True, "x": False}
        asked = "SELECT x FROM read_parquet($p) WHERE who = $who"
        for who, found in (("n7", [(7,)]), ("n500", [])):
            given = {"p": str(kept), "who": who}
            assert connection.execute(asked, given).fetchall() == found


def test_the_sweep_takes_what_a_crash_left(tmp_path):
    columns = Columns(tmp_path / "columns")
    kept = columns.write("calls", SOURCE, 0, pa.table({"x": [1]}))
    left = (columns.root / kept).with_name(".left.parquet.123.partial")
    left.write_bytes(b"half")
    assert columns.sweep() == 1
    assert not left.exists()
    assert (columns.root / kept).exists()


def test_a_query_beyond_its_memory_says_what_to_do(tmp_path):
    columns = Columns(tmp_path / "columns", memory_mb=128, threads=1)
    hungry = "SELECT list(a || b) FROM (SELECT repeat('x', 900) a, range b FROM range(1000000))"
    with pytest.raises(Unavailable, match="CORDON_COLUMNS_MEMORY_MB"), columns.connect() as c:
        c.sql(hungry).fetchall()
    with columns.connect() as c:  # and the next one is as before
        assert c.sql("SELECT 1").fetchall() == [(1,)]


def test_a_broken_file_is_named_as_such(tmp_path):
    columns = Columns(tmp_path / "columns")
    path = columns.root / columns.write("calls", SOURCE, 0, pa.table({"x": list(range(9999))}))
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(BadInput, match="cannot be read"), columns.connect() as connection:
        connection.sql(f"SELECT sum(x) FROM read_parquet('{path}')").fetchall()


def test_a_full_disk_leaves_no_segment(small_disk):
    columns = Columns(small_disk / "columns")
    import numpy as np

    noise = pa.table({"x": np.random.default_rng(1).random(1 << 20)})  # 8 MB that do not pack
    with pytest.raises(Unavailable, match="Free space"):
        columns.write("calls", SOURCE, 0, noise)
    assert [p for p in columns.root.rglob("*") if p.is_file()] == []
    assert columns.write("calls", SOURCE, 0, noise.slice(0, 1000))
