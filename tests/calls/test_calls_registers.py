"""Registers of subscribers, and quotes that nobody closed."""

from __future__ import annotations

import gzip
from datetime import datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cordon.calls.reading import read_calls
from cordon.calls.registers import read_register
from cordon.kernel.errors import BadInput

ROWS = "number,holder_name,kind\n03001234567,A,person\n+923337654321,B,Registered Call Centre\n"


def test_a_register_is_counted_and_its_odd_rows_are_refused(tmp_path):
    path = tmp_path / "subscribers.csv"
    path.write_text(ROWS + "03001234567,A,person\n,C,person\n03451112223,D,landlord\n1,2\n")
    found = read_register(path)
    assert found.holders == {"+923001234567": "person", "+923337654321": "registered_call_centre"}
    assert (found.counts.read, found.counts.kept, found.counts.repeated, found.counts.refused) == (
        6, 2, 1, 3,
    )  # fmt: skip
    assert sorted(r.row for r in found.refusals) == [4, 5, 6]


def test_a_register_as_parquet(tmp_path):
    path = tmp_path / "subscribers.parquet"
    pq.write_table(pa.table({"Number": ["03001234567"], "kind": ["government"]}), path)
    assert read_register(path).holders == {"+923001234567": "government"}


@pytest.mark.parametrize("as_parquet", [False, True])
def test_days_of_activation_are_read_and_odd_ones_cost_no_kind(tmp_path, as_parquet):
    rows = {
        "number": ["03001234567", "03001234568", "03001234569", "03001234560"],
        "activated": ["2026-01-02", "2026-01-03T23:30:00Z", "soon", None],
        "kind": ["person", "business", "government", "person"],
    }
    path = tmp_path / "subscribers"
    if as_parquet:
        pq.write_table(pa.table(rows), path)
    else:
        lines = [",".join(v or "" for v in row) for row in zip(*rows.values(), strict=True)]
        path.write_text("\n".join([",".join(rows), *lines]) + "\n")
    found = read_register(path)
    assert found.activated == {"+923001234567": 20455, "+923001234568": 20456}
    assert len(found.holders) == 4
    assert not found.refusals


@pytest.mark.parametrize("kind", [pa.date32(), pa.timestamp("us"), pa.timestamp("ms", "UTC")])
def test_days_of_activation_may_have_a_type(tmp_path, kind):
    path = tmp_path / "subscribers.parquet"
    day = pa.array([datetime(2026, 1, 2)]).cast(kind)
    pq.write_table(pa.table({"number": ["03001234567"], "activated": day}), path)
    assert read_register(path).activated == {"+923001234567": 20455}


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"a,b\n1,2\n", "no column number"),
        (b"number,kind\n", "Nothing of"),
        (b"", "empty"),
        (gzip.compress(ROWS.encode() * 200)[:40], "breaks off"),
        (b"PAR1" + bytes(40), "Parquet"),
    ],
    ids=["other table", "no rows", "empty", "cut short", "damaged"],
)
def test_a_register_of_which_a_part_is_missing_is_refused(tmp_path, data, says):
    path = tmp_path / "register"
    path.write_bytes(data)
    with pytest.raises(BadInput, match=says):
        read_register(path)


def test_a_stray_quote_costs_its_own_row_and_no_other(tmp_path):
    """Both halves of a pair, ten rows apart, must not swallow what lies between them."""
    path = tmp_path / "calls.csv"
    lines = ["start,kind,caller,callee,trunk_in"]
    for n in range(20):
        trunk = {2: '"LUCKY', 12: '"PEARL'}.get(n, "T")
        lines.append(f"2026-01-17T08:{n:02}:00Z,voice,03001234567,03337654321,{trunk}")
    path.write_text("\n".join(lines) + "\n")
    reading = read_calls(path)
    refused = [r.row for batch in reading for r in batch.refusals]
    assert refused == [3, 13]
    assert (reading.counts.read, reading.counts.kept) == (20, 18)


def test_a_number_that_cannot_be_read_says_why(tmp_path):
    path = tmp_path / "subscribers.csv"
    path.write_text(ROWS + "9.23E+11,A,person\n,B,person\n0300XXXX567,C,person\n")
    said = {r.row: r.reason for r in read_register(path).refusals}
    assert said[3] == "number is in scientific notation: its digits are gone"
    assert said[4] == "number is missing"
    assert "masked" in said[5]
