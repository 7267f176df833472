"""Durations that only the end of a call tells, and cells that stand in two columns."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from cordon.calls.layouts.model import checked
from cordon.calls.reading import read_calls
from cordon.kernel.errors import BadInput

A, B = "923001234567", "923217654321"
Read = Callable[..., tuple[list[dict], list[tuple[int, str]], list[str]]]
LAYOUT = {
    "name": "own", "title": "own", "zone": "Asia/Karachi", "region": "PK", "order": "dmy",
    "known_by": ["A", "B", "Begin"], "kind_if_absent": "voice",
    "columns": {"caller": "A", "callee": "B", "start": "Begin"},
}  # fmt: skip


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def by(columns: dict[str, str], rows: list[str], **more: str):
        header = ",".join(["A", "B", "Begin", *columns.values()])
        given = tmp_path / "given.csv"
        given.write_text("\n".join([header, *(f"{A},{B},{r}" for r in rows)]) + "\n")
        data = {**LAYOUT, **more, "columns": {**LAYOUT["columns"], **columns}}
        own = tmp_path / "own.yaml"
        own.write_text(yaml.safe_dump(data))
        reading = read_calls(given, "PK", layout=str(own))
        kept, refused = [], []
        for batch in reading:
            kept += batch.table.to_pylist()
            refused += [(r.row, r.reason) for r in batch.refusals]
        return kept, refused, list(reading.notes)

    return by


@pytest.mark.parametrize(
    ("start", "end", "seconds"),
    [
        ("01/06/2024 10:00:00", "01/06/2024 10:02:05", 125),
        ("31/12/2024 23:59:00", "01/01/2025 00:01:00", 120),
        ("01/06/2024 10:00:00", "10:02:05", 125),
        ("01/06/2024 10:00:00", "100205", 125),
        ("01/06/2024 11:59:30 PM", "12:00:30 AM", 60),
        ("31/12/2024 23:59:00", "00:01:00", 120),
        ("01/06/2024 10:00:00", "2024-06-01T05:02:05Z", 125),  # 10:02:05 in Pakistan
        ("2024-06-01T19:30:00Z", "01:00:00", 1800),  # 00:30 of the next day there
        ("1717230000", "1717230125", 125),
        ("01/06/2024 10:00:00", "01/06/2024 10:00:00", 0),
    ],
)
def test_a_call_is_as_long_as_from_its_start_to_its_end(
    read: Read, start: str, end: str, seconds: int
) -> None:
    (row,), refused, _ = read({"end": "End"}, [f"{start},{end}"])
    assert (row["duration_s"], refused) == (seconds, [])


def test_an_end_before_the_start_or_of_no_time_refuses_its_row(read: Read) -> None:
    kept, refused, _ = read({"end": "End"}, [
        "22/06/2024 10:00:00,01/06/2024 10:02:05",
        "22/06/2024 10:00:00,09:59:59",
        "22/06/2024 10:00:00,soon",
        "22/06/2024 10:00:00,22/06/2024 10:00:09",
        "soon,22/06/2024 10:00:09",
    ])  # fmt: skip
    before = "its end lies before its start"
    assert [r["row"] for r in kept] == [4]
    assert refused == [
        (1, before), (2, before), (3, "its end cannot be read"),
        (5, "its date or time cannot be read"),
    ]  # fmt: skip


def test_a_duration_that_is_told_holds_whatever_the_end_says(read: Read) -> None:
    kept, refused, _ = read({"end": "End", "duration_s": "Dur"}, [
        "22/06/2024 10:00:00,01/06/2024 10:02:05,7",
        "22/06/2024 10:00:00,soon,0",
        "22/06/2024 10:00:00,10:00:30,",
        "22/06/2024 10:00:00,,",
        "22/06/2024 10:00:00,0000-00-00 00:00:00,",
    ])  # fmt: skip
    assert refused == []
    assert [r["duration_s"] for r in kept] == [7, 0, 30, None, None]


def test_an_end_over_midnight_of_a_night_in_which_clocks_change(read: Read) -> None:
    zone = {"zone": "Europe/Berlin"}
    rows = ["30/03/2024 23:30:00,04:30:00", "30/03/2024 23:30:00,02:30:00"]
    (row,), refused, _ = read({"end": "End"}, rows, **zone)
    assert row["duration_s"] == 4 * 3600  # at two the clocks went on to three
    assert len(refused) == 1
    assert "clocks were changed" in refused[0][1]


def test_a_duration_in_milliseconds(read: Read) -> None:
    kept, refused, _ = read({"duration_ms": "Ms"}, [
        "22/06/2024 10:00:00,693000", "22/06/2024 10:00:00,0", "22/06/2024 10:00:00,",
        "22/06/2024 10:00:00,long",
    ])  # fmt: skip
    assert [r["duration_s"] for r in kept] == [693, 0, None]
    assert [row for row, _ in refused] == [4]


CELLS = {"caller_cell": "Ci", "caller_area": "Lac"}


def test_area_and_cell_are_one_identity(read: Read) -> None:
    kept, refused, notes = read(CELLS, [
        f"22/06/2024 10:00:00,{ci},{lac}"
        for ci, lac in (
            ("59151", "3448"), ("059151", "03448"), ("59151", "410-06-3448"), ("59151", ""),
            ("", "3448"), ("410-01-77-5", "3448"), ("K1", "3448"), ("26843545", "3448"),
        )
    ], network="410-01")  # fmt: skip
    assert (refused, notes) == ([], [])
    assert [r["caller_cell"] for r in kept] == [
        "410-01-3448-59151", "410-01-3448-59151", "410-06-3448-59151", "59151",
        None, "410-01-77-5", "K1", "410-01-26843545",
    ]  # fmt: skip


def test_without_a_network_area_and_cell_are_a_name(read: Read) -> None:
    kept, _, _ = read(CELLS, ["22/06/2024 10:00:00,59151,3448"])
    assert kept[0]["caller_cell"] == "3448-59151"


def test_area_and_cell_in_hexadecimal_are_told_from_both_columns(read: Read) -> None:
    rows = ["22/06/2024 10:00:00,1A2B,0D78", "22/06/2024 11:00:00,1234,0100"]
    kept, _, notes = read(CELLS, rows, network="410-01")
    assert [r["caller_cell"] for r in kept] == ["410-01-3448-6699", "410-01-256-4660"]
    assert "were taken as hexadecimal" in notes[0]
    # where the layout says it nothing was guessed
    _, _, notes = read(CELLS, rows, network="410-01", cells="hexadecimal")
    assert notes == []


def test_the_targets_area_stands_on_the_targets_side(read: Read) -> None:
    columns = {"direction": "Way", "cell": "Ci", "area": "Lac"}
    kept, _, _ = read(
        columns,
        ["22/06/2024 10:00:00,in,5,7", "22/06/2024 10:00:00,out,5,7"],
        directions={"in": ["in"], "out": ["out"]},
        network="410-01",
    )
    assert [(r["caller_cell"], r["callee_cell"]) for r in kept] == [
        (None, "410-01-7-5"), ("410-01-7-5", None),
    ]  # fmt: skip


def test_of_two_columns_of_one_name_a_note_says_which_was_read(read: Read, tmp_path: Path) -> None:
    given = tmp_path / "twice.csv"
    given.write_text(f"A,B,Begin,Dur,Dur\n{A},{B},22/06/2024 10:00:00,5,9\n")
    own = tmp_path / "own.yaml"
    columns = {**LAYOUT["columns"], "duration_s": "Dur"}
    own.write_text(yaml.safe_dump({**LAYOUT, "columns": columns}))
    reading = read_calls(given, "PK", layout=str(own))
    assert [r["duration_s"] for b in reading for r in b.table.to_pylist()] == [5]
    (note,) = reading.notes
    assert note == (
        "twice.csv has 2 columns that are called dur; the first of them was read and the others "
        "were passed over."
    )


def test_a_network_that_is_none_is_refused() -> None:
    with pytest.raises(BadInput, match="network"):
        checked("own.yaml", {**LAYOUT, "network": "41001"})
