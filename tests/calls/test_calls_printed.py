"""Printed reports and several statements in one file: each trap is a file made here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cordon.calls import unpacking
from cordon.calls.reading import Reading, read_calls
from cordon.kernel.errors import BadInput

IMEI, IMSI = "353098852648366", "405856140573551"
COLUMNS = (
    ("SL_NO", 6), ("Target/A-Party Number", 22), ("Call_Type", 10), ("B_Party Number", 15),
    ("LRN_B_PARTY_NO", 15), ("Call_Date", 12), ("Call_Initiation_Time(CIT)", 26),
    ("Call_Duration", 14), ("First_Cell_id", 16), ("Service_Type", 13), ("IMEI", 16),
)  # fmt: skip
HEAD = "".join(name.ljust(width) for name, width in COLUMNS)
RULE = "".join(("-" * (width - 1)).ljust(width) for _, width in COLUMNS)


@pytest.fixture
def put(tmp_path: Path) -> Callable[..., Path]:
    def write(*lines: str) -> Path:
        path = tmp_path / "report.txt"
        path.write_text("\n".join(lines) + "\n")
        return path

    return write


def read(
    path: Path, layout: str = "auto", region: str = "IN"
) -> tuple[Reading, list[dict], list[tuple[int, str]]]:
    reading = read_calls(path, region, layout=layout)
    rows, refused = [], []
    for batch in reading:
        rows += batch.table.to_pylist()
        refused += [(r.row, r.reason) for r in batch.refusals]
        assert batch.read == len(batch.table) + len(batch.refusals)
    return reading, rows, refused


def line(
    number: int, *, other: str = "9475580002", day: str = "28/03/2026", way: str = "OUT"
) -> str:
    values = (number, "8986000001", way, other, 1, day, f"18:{number % 60:02}:15", number,
              "404-75-1-1", "Voice", IMEI)  # fmt: skip
    # numbers stand to the right in a printed report
    return "".join(
        str(v).rjust(w - 1).ljust(w) if isinstance(v, int) else str(v).ljust(w)
        for v, (_, w) in zip(values, COLUMNS, strict=True)
    )


def test_dashes_under_the_header_tell_the_borders(put) -> None:
    path = put("BSNL  CALL DETAIL REPORT", "Search Value : 8986000001", "", HEAD, RULE,
               line(1), line(2, way="IN"), RULE, "Total calls : 2      duration 3",
               "*** END OF REPORT ***")  # fmt: skip
    reading, rows, refused = read(path)
    assert (reading.layout, refused) == ("bsnl", [])
    assert [(r["caller"], r["callee"], r["duration_s"], r["row"]) for r in rows] == [
        ("+918986000001", "+919475580002", 1.0, 5), ("+919475580002", "+918986000001", 2.0, 6),
    ]  # fmt: skip
    assert rows[0]["caller_imei"] == IMEI


def test_without_dashes_the_blanks_tell_them(put) -> None:
    wide = "".join(name.ljust(width + 2) for name, width in COLUMNS)
    values = [line(n) for n in range(1, 6)]
    cut, at = [], 0
    for _, width in COLUMNS:
        cut.append((at, at + width))
        at += width
    rows = ["".join(v[a:b] + "  " for a, b in cut) for v in values]
    reading, found, refused = read(put("Report", wide, *rows))
    assert (reading.layout, refused) == ("bsnl", [])
    assert [r["duration_s"] for r in found] == [1, 2, 3, 4, 5]


def test_a_header_in_two_lines(put) -> None:
    lone = HEAD.replace("B_Party Number", "Number        ")
    with pytest.raises(BadInput, match="callee is missing"):
        read(put(lone, RULE, line(1)))
    above = "".join(("B_Party" if n == "B_Party Number" else "").ljust(w) for n, w in COLUMNS)
    _, rows, refused = read(put("Report", above, lone, RULE, line(1)))
    assert refused == []
    assert [(r["callee"], r["row"]) for r in rows] == [("+919475580002", 4)]


def test_pages_repeat_their_header_and_every_row_keeps_its_line(put, monkeypatch) -> None:
    monkeypatch.setattr(unpacking, "BLOCK", 3_000)
    monkeypatch.setattr(unpacking, "_CHUNK", 1_000)
    lines, expected = ["BSNL", HEAD, RULE], []
    for number in range(1, 200):
        if number % 20 == 0:
            lines += ["\fBSNL CALL DETAIL REPORT", f"Page {number // 20} of 10", "", HEAD, RULE]
        expected.append((len(lines), float(number)))
        lines.append(line(number))
    _, rows, refused = read(put(*lines))
    assert refused == []
    assert [(r["row"], r["duration_s"]) for r in rows] == expected


def test_a_value_over_its_border_refuses_the_row(put) -> None:
    long = line(2, other="+91 94755800021234")
    path = put(HEAD, RULE, line(1), long, line(3), line(4, day="31/02/2026"))
    _, rows, refused = read(path)
    assert [r["duration_s"] for r in rows] == [1, 3]
    assert refused == [
        (3, "a value runs over the border of its column"),
        (5, "its date or time cannot be read"),
    ]


OWN = """
name: ptcl
title: A statement that says once whose it is
zone: Asia/Karachi
order: dmy
shape: {shape}
known_by: [Date, Time, Number, Direction]
above:
  target: 'MSISDN\\s*:\\s*(\\d+)'
  imsi: 'IMSI\\s*:\\s*(\\d+)'
columns:
  other: Number
  date: Date
  time: Time
  duration_s: Seconds
  direction: Direction
directions: {{in: [mt], out: [mo]}}
kind_if_absent: voice
"""


@pytest.mark.parametrize("shape", ["delimited", "fixed"])
def test_several_statements_in_one_file(put, tmp_path: Path, shape: str, monkeypatch) -> None:
    monkeypatch.setattr(unpacking, "BLOCK", 2_000)
    monkeypatch.setattr(unpacking, "_CHUNK", 500)
    layout = tmp_path / "ptcl.yaml"
    layout.write_text(OWN.format(shape=shape))

    def table(*values: str) -> str:
        if shape == "delimited":
            return ",".join(values)
        return "".join(v.ljust(14) for v in values)

    lines: list[str] = []
    expected = []
    for target in range(3, 9):
        lines += ["CALL DETAIL RECORD", f"MSISDN : 9230012345{target:02}", "Dear Sir, as asked", "",
                  table("Date", "Time", "Number", "Seconds", "Direction")]  # fmt: skip
        if shape == "fixed":
            lines.append("------------  " * 5)
        for n in range(1, 40):
            expected.append((f"+9230012345{target:02}", float(n), len(lines)))
            lines.append(table("17/01/2026", f"08:{n:02}:00", "03217654321", str(n), "MO"))
        lines += ["Total 39 calls", "*** END OF STATEMENT ***"]
    reading, rows, refused = read(put(*lines), str(layout), "PK")
    assert refused == []
    assert reading.layout == "ptcl"
    assert [(r["caller"], r["duration_s"], r["row"]) for r in rows] == expected
    assert {r["caller_imsi"] for r in rows} == {None}


def test_statements_in_commas_one_after_another(put) -> None:
    head = "Target No,Call Type,B Party No,Date,Time,Dur(s),First CGI,Service Type,IMEI,IMSI"
    row = "91970200055{},OUT,918141122818,15/08/2024,10:11:12,{},404-90-1-2,Voice,,"
    path = put("AIRTEL", head, row.format(8, 1), row.format(8, 2), "Total,,,,,3,,,,", "",
               "AIRTEL", "Call details of 919702000559", head, row.format(9, 3))  # fmt: skip
    _, rows, refused = read(path)
    assert refused == []
    assert [(r["caller"], r["row"]) for r in rows] == [
        ("+919702000558", 2), ("+919702000558", 3), ("+919702000559", 9),
    ]  # fmt: skip


def test_another_layout_further_down_is_read_by_its_own_columns(put) -> None:
    head = "Target No,Call Type,B Party No,Date,Time,Dur(s),First CGI,Service Type,IMEI,IMSI"
    other = "Target No,B Party No,Call Type,Date,Time,Dur(s),First CGI,Service Type,IMEI,IMSI"
    row = "919702000558,{},15/08/2024,10:11:12,1,404-1,Voice,,"
    path = put(head, row.format("OUT,918141122818"), "", other, row.format("918141122818,IN"))
    _, rows, refused = read(path)
    assert refused == []
    assert [r["caller"] for r in rows] == ["+919702000558", "+918141122818"]
