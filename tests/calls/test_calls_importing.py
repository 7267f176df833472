"""Imports count a call once, whatever was imported before, twice or half."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cordon.calls.checking import SCHEMA
from cordon.calls.importing import Segment, span, without_repeats, write_segment
from cordon.calls.model import Refusal
from cordon.calls.reading import read_calls
from cordon.kernel.errors import BadInput
from cordon.kernel.rejects import write_rejects

START = datetime(2026, 1, 17, 8, tzinfo=UTC)
SHA = "ab" * 32


def batch(*calls: tuple[int, str, str, float | None, str], sha: str = SHA) -> pa.Table:
    rows = [
        {
            "sha256": sha,
            "row": i,
            "start": START + timedelta(seconds=s),
            "duration_s": d,
            "kind": k,
            "caller": a,
            "callee": b,
        }
        for i, (s, a, b, d, k) in enumerate(calls, 1)
    ]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


ONE = (0, "+923001234567", "+923217654321", 35.0, "voice")


def test_a_call_is_the_same_by_its_five_columns_alone(tmp_path: Path) -> None:
    segment = write_segment(tmp_path, SHA, 0, batch(ONE, (5, "8171", "+923001234567", None, "sms")))
    again = batch(
        ONE,
        (1, *ONE[1:]),
        (0, "+923009999999", *ONE[2:]),
        (0, ONE[1], "8171", *ONE[3:]),
        (0, *ONE[1:3], 36.0, "voice"),
        (0, *ONE[1:3], None, "voice"),
        (0, *ONE[1:4], "sms"),
        (5, "8171", "+923001234567", None, "sms"),
        sha="cd" * 32,
    )
    new, repeated = without_repeats(again, [segment.path])
    assert repeated == 2
    assert new["row"].to_pylist() == [2, 3, 4, 5, 6, 7]
    assert new.schema == SCHEMA


calls = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.sampled_from(["+921", "+922"]),
        st.sampled_from(["+923", "+924"]),
        st.sampled_from([None, 1.0]),
        st.sampled_from(["voice", "sms"]),
    ),
    max_size=12,
)


@settings(max_examples=40, deadline=None)
@given(imports=st.lists(calls, max_size=4))
def test_over_any_imports_each_call_is_kept_once(
    imports: list[list[tuple[int, str, str, float | None, str]]],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("segments")
    kept: list[Segment] = []
    repeated = 0
    for number, rows in enumerate(imports):
        new, again = without_repeats(batch(*rows), [s.path for s in kept])
        kept.append(write_segment(folder, SHA, number, new))
        repeated += again
    stored = [r for s in kept for r in pq.read_table(s.path).to_pylist()]
    keys = [(r["start"], r["caller"], r["callee"], r["duration_s"], r["kind"]) for r in stored]
    assert len(keys) == len(set(keys)) == len({c for rows in imports for c in rows})
    assert len(keys) + repeated == sum(len(rows) for rows in imports)


NUMBERS = ONE[1:3]
OTHER = "cd" * 32


def test_the_same_days_delivered_twice_with_small_differences(tmp_path: Path) -> None:
    first = batch((0, *NUMBERS, 35.0, "voice"), (100, *NUMBERS, None, "sms"),
                  (200, *NUMBERS, 60.0, "voice"), (300, *NUMBERS, 60.0, "voice"))  # fmt: skip
    kept = [write_segment(tmp_path, SHA, 0, first).path]
    again = batch(
        (2, *NUMBERS, 36.0, "voice"),  # the switch's clock, and a duration rounded up
        (99, *NUMBERS, 0.0, "sms"),  # one delivery gives messages a duration
        (203, *NUMBERS, 60.0, "voice"),  # three seconds later is another call
        (301, *NUMBERS, 63.0, "voice"),  # and so is one that lasts longer
        (1, NUMBERS[1], NUMBERS[0], 35.0, "voice"),
        (1, *NUMBERS, 35.0, "sms"),
        sha=OTHER,
    )
    new, repeated = without_repeats(again, kept)
    assert (new["row"].to_pylist(), repeated) == ([3, 4, 5, 6], 2)


def test_within_one_file_nothing_near_is_the_same(tmp_path: Path) -> None:
    """Somebody dials again at once, or sends two messages: a file knows its own calls."""
    calls = [(s, *NUMBERS, 1.0, "voice") for s in range(0, 10, 2)]
    assert without_repeats(batch(*calls), [])[1] == 0
    kept = [write_segment(tmp_path, SHA, 0, batch(*calls[:2])).path]
    new, repeated = without_repeats(batch(*calls), kept)
    assert (len(new), repeated) == (3, 2)


def test_a_kept_call_answers_for_one_call_alone(tmp_path: Path) -> None:
    """The other delivery holds two messages where this one lost the second."""
    kept = [write_segment(tmp_path, SHA, 0, batch((10, *NUMBERS, None, "sms"))).path]
    again = batch((10, *NUMBERS, None, "sms"), (11, *NUMBERS, None, "sms"), sha=OTHER)
    new, repeated = without_repeats(again, kept)
    assert (new["row"].to_pylist(), repeated) == ([2], 1)
    near = batch((8, *NUMBERS, None, "sms"), (11, *NUMBERS, None, "sms"), sha=OTHER)
    new, _ = without_repeats(near, kept)
    assert new["row"].to_pylist() == [1]  # the nearer one is the repeated one


def test_two_deliveries_batch_by_batch_and_resumed(tmp_path: Path) -> None:
    """Whatever was stored before a crash, the end is the same."""
    count = 40
    whole = [
        (60 * n, f"+9230012345{n % 7:02}", NUMBERS[1], float(n), "voice") for n in range(count)
    ]
    kept = [write_segment(tmp_path, SHA, 0, batch(*whole)).path]
    moved = [(s + n % 3, a, b, d + n % 2, k) for n, (s, a, b, d, k) in enumerate(whole)]
    moved.append((5, "+923009999999", NUMBERS[1], 1.0, "voice"))
    table = batch(*moved, sha=OTHER)
    parts = [table.slice(at, 15) for at in range(0, len(moved), 15)]
    told = []
    for number, part in enumerate(parts):
        new, repeated = without_repeats(part, kept)
        path = write_segment(tmp_path, OTHER, number, new).path
        if number != 1:  # its segment was written, and its row never committed: done again
            kept.append(path)
        told.append((len(new), repeated))
    assert without_repeats(parts[1], kept)[1] == told[1][1]
    assert sum(new for new, _ in told) == 1
    # all of it once more finds all of it
    assert [without_repeats(p, kept)[0].num_rows for p in parts] == [0, 0, 0]


def test_the_same_file_again_adds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    line = "2026-01-17T08:30:{:02d}Z,voice,+923001234567,03217654321"
    lines = ["start,kind,caller,callee", *(line.format(s) for s in range(50)), line.format(7)]
    path.write_text("\n".join(lines))
    kept: list[Path] = []
    told = []
    for _ in range(2):
        reading = read_calls(path)
        for part in reading:
            new, repeated = without_repeats(part.table, kept)
            told.append((len(new), repeated))
            kept.append(write_segment(tmp_path / "s", reading.sha256, part.number, new).path)
    # the second reading finds the first one's segment, which it then would write over
    assert told == [(50, 1), (0, 51)]


def test_a_segment_is_written_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(table: pa.Table, where: Path, **_: object) -> None:
        where.write_bytes(b"PAR1 half")
        raise KeyboardInterrupt

    monkeypatch.setattr("cordon.calls.importing.pq.write_table", half)
    with pytest.raises(KeyboardInterrupt):
        write_segment(tmp_path, SHA, 3, batch(ONE))
    assert not [p for p in tmp_path.rglob("*") if p.is_file()]
    monkeypatch.undo()
    segment = write_segment(tmp_path, SHA, 3, batch(ONE))
    assert (segment.rows, segment.first, segment.last) == (1, START, START)
    assert write_segment(tmp_path, SHA, 3, batch(ONE)).path == segment.path
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == [segment.path]


def test_other_columns_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        write_segment(tmp_path, SHA, 0, pa.table({"row": [1]}))


def test_span_of_nothing() -> None:
    assert span(batch()) == (None, None)
    assert without_repeats(batch(), []) == (batch(), 0)


def test_rejects_are_a_table(tmp_path: Path) -> None:
    path = tmp_path / "rejects.csv"
    assert write_rejects(path, [("a.csv", Refusal(3, "kind is missing"))]) == 1
    assert path.read_text().splitlines() == ["file,row,reason", "a.csv,3,kind is missing"]
    mixed = [("b.csv", 8), ("a.csv", 10), ("a.csv", 9)]
    write_rejects(path, [(name, Refusal(row, "x")) for name, row in mixed])
    assert path.read_text().splitlines()[1:] == ["a.csv,9,x", "a.csv,10,x", "b.csv,8,x"]
