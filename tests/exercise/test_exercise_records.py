"""Records of people of a world: their times are moved to now."""

from __future__ import annotations

from datetime import timedelta

import pyarrow as pa
import pyarrow.parquet as pq

from cordon.exercise.playing import moved_rows


def test_times_of_a_parquet_file_are_moved_and_all_else_stays(tmp_path):
    path = tmp_path / "calls.parquet"
    times = pa.array([0, 86_400_000_000, None], pa.timestamp("us", tz="UTC"))
    table = pa.table({"caller": ["a", "b", "c"], "start": times, "duration": [1, 2, 3]})
    pq.write_table(table, path)
    moved = pq.read_table(pa.BufferReader(moved_rows(path, ["start"], timedelta(days=2))))
    assert moved.schema.equals(table.schema)
    assert moved.drop(["start"]).equals(table.drop(["start"]))
    assert moved["start"].cast("int64").to_pylist() == [172_800_000_000, 259_200_000_000, None]
