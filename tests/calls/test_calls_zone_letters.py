"""Letters behind a time that name its zone, and what systems print below their reports."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from cordon.calls.layouts.lines import is_furniture
from cordon.calls.layouts.zones import letters_of, unknown_letters, zoned
from cordon.calls.reading import read_calls

A, B = "923001234567", "923217654321"
Refused = list[tuple[int, str]]


def read(folder: Path, rows: list[str], zone: str, below: str = "") -> tuple[list[dict], Refused]:
    given = folder / "given.csv"
    given.write_text("\n".join(["A,B,Date,Time", *rows, below]) + "\n")
    own = folder / "own.yaml"
    own.write_text(yaml.safe_dump({
        "name": "own", "title": "own", "zone": zone, "region": "PK", "order": "dmy",
        "known_by": ["A", "B", "Date"], "kind_if_absent": "voice",
        "columns": {"caller": "A", "callee": "B", "date": "Date", "time": "Time"},
    }))  # fmt: skip
    reading = read_calls(given, "PK", layout=str(own))
    kept: list[dict] = []
    refused: Refused = []
    for batch in reading:
        kept += batch.table.to_pylist()
        refused += [(r.row, r.reason) for r in batch.refusals]
    return kept, refused


def rows(*times: str, day: str = "22/06/2024") -> list[str]:
    return [f"{A},{B},{day},{time}" for time in times]


@pytest.mark.parametrize(
    ("zone", "time", "utc"),
    [
        ("Asia/Kolkata", "12:12:43 IST", (6, 42, 43)),
        ("Asia/Kolkata", "12:12:43 PM IST", (6, 42, 43)),
        ("Asia/Karachi", "12:12:43 PKT", (7, 12, 43)),
        ("Asia/Karachi", "12:12:43 (PKT)", (7, 12, 43)),
        ("Asia/Karachi", "12:12:43 UTC", (12, 12, 43)),
        ("Asia/Karachi", "12:12:43GMT", (12, 12, 43)),
        ("Europe/Berlin", "12:12:43 CEST", (10, 12, 43)),
        ("Europe/Berlin", "12:12:43 CET", (11, 12, 43)),  # what it says, though it is summer
    ],
)
def test_letters_of_the_layouts_clock_or_utc_set_the_moment(
    tmp_path: Path, zone: str, time: str, utc: tuple[int, int, int]
) -> None:
    (row,), refused = read(tmp_path, rows(time), zone)
    assert refused == []
    assert row["start"] == datetime(2024, 6, 22, *utc, tzinfo=UTC)


def test_letters_of_another_clock_refuse_their_row_by_name(tmp_path: Path) -> None:
    kept, refused = read(tmp_path, rows("10:00:00", "10:00:00 IST", "x"), "Asia/Karachi")
    assert [r["row"] for r in kept] == [1]
    assert refused == [
        (2, "its time is told by IST, which is neither UTC nor the clock of Asia/Karachi"),
        (3, "its date or time cannot be read"),
    ]


def test_letters_tell_which_of_two_hours_is_meant(tmp_path: Path) -> None:
    both = rows("02:30:00 CEST", "02:30:00 CET", "02:30:00", day="27/10/2024")
    kept, refused = read(tmp_path, both, "Europe/Berlin")
    assert [r["start"].hour for r in kept] == [0, 1]
    assert [row for row, _ in refused] == [3]


def test_letters_are_told_from_halves_of_the_day() -> None:
    assert zoned("10:00:00 AM") is None
    assert zoned("10:00:00 IST") is None  # whose it is must be known
    assert zoned("10:00:00 IST", letters_of("Asia/Kolkata")) == ("10:00:00", 19_800)
    assert letters_of("Asia/Karachi")["PKT"] == 18_000
    assert unknown_letters(["1:00 PKT", None, "1:00 UTC", "1:00 AST"], "Asia/Karachi") == ["AST"]


@pytest.mark.parametrize(
    "line",
    ["14 rows selected.", "1,014 records found", "Total records: 14", "Number of records: 14",
     "14 rows selected.,,,", "1 row selected"],
)  # fmt: skip
def test_a_count_below_a_report_is_no_row(tmp_path: Path, line: str) -> None:
    assert is_furniture(line)
    kept, refused = read(tmp_path, rows("10:00:00"), "Asia/Karachi", line)
    assert (len(kept), refused) == (1, [])


@pytest.mark.parametrize("line", ["14,selected,rows,found", f"{A},{B},22/06/2024,10:00:00", "14"])
def test_what_may_be_a_row_is_no_count(line: str) -> None:
    assert not is_furniture(line)
