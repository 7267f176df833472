"""Headers of two lines, groups over names, as spreadsheets with merged cells send them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from openpyxl import Workbook

from cordon.calls.layouts import layouts
from cordon.calls.layouts.grouped import are_groups, joined
from cordon.calls.learning import learn
from cordon.calls.reading import read_calls
from cordon.kernel.errors import BadInput
from support.proposing import IMEI, OTHER_IMEI, meanings, pairs, rows_by

GROUPS = ["Date", "Time", "Calling party", "", "", "Called party", "", "", "Duration"]
NAMES = ["", "", "Number", "IMEI", "Cell ID", "Number", "IMEI", "Cell ID", ""]
BOTH = [
    "Date", "Time", "Calling party > Number", "Calling party > IMEI", "Calling party > Cell ID",
    "Called party > Number", "Called party > IMEI", "Called party > Cell ID", "Duration",
]  # fmt: skip
MEANT = [
    "date", "time", "caller", "caller_imei", "caller_cell",
    "callee", "callee_imei", "callee_cell", "duration_s",
]  # fmt: skip


def values() -> list[list[str]]:
    return [
        [r["day"], r["time"], r["a"], IMEI, f"410-03-{r['cell']}",
         r["b"], OTHER_IMEI, f"410-01-{r['cell']}", r["s"]]
        for r in pairs("92300", "92321")
    ]  # fmt: skip


def proposed(path: Path):
    return learn(path, name="own", zone="Asia/Karachi", region="PK", layouts=layouts())


def written(path: Path, *lines: list[str]) -> Path:
    path.write_text("\n".join(",".join(line) for line in lines) + "\n", "utf-8")
    return path


@pytest.mark.parametrize(
    ("above", "names"),
    [
        (GROUPS, NAMES),
        # cells merged downwards, of which each row has the text
        (GROUPS, ["Date", "Time", *NAMES[2:8], "Duration"]),
        # names in the lower line alone: how far the last group reaches is not told
        (["", "", *GROUPS[2:8], ""], ["Date", "Time", *NAMES[2:8], "Duration"]),
        (["", "", *GROUPS[2:8]], ["Date", "Time", *NAMES[2:8], "Duration"]),
    ],
)
def test_a_layout_is_proposed_from_both_lines_and_read_by_them(tmp_path, above, names) -> None:
    assert joined(above, names) == BOTH
    rows = values()
    path = written(tmp_path / "given.csv", ["Report of calls"], above, names, *rows)
    proposal = proposed(path)
    assert [g.column for g in proposal.guesses] == BOTH
    assert meanings(proposal) == MEANT
    assert proposal.layout["header_lines"] == 2
    assert proposal.trial.kept == len(rows)
    read = rows_by(proposal, path, "PK")
    assert [(r["caller"], r["callee"]) for r in read] == [(f"+{r[2]}", f"+{r[5]}") for r in rows]
    assert {(r["caller_imei"], r["callee_imei"]) for r in read} == {(IMEI, OTHER_IMEI)}
    assert {r["callee_cell"] for r in read} == {r[7] for r in rows}


def test_pages_repeat_both_lines_and_refuse_nothing(tmp_path) -> None:
    rows = values()
    head = (GROUPS, NAMES)
    path = written(tmp_path / "given.csv", *head, *rows[:20], ["Page 2"], *head, *rows[20:])
    proposal = proposed(path)
    assert proposal.trial.refused == 0
    out = tmp_path / "own.yaml"
    out.write_text(proposal.as_yaml(), "utf-8")
    batches = list(read_calls(path, "PK", layout=str(out)))
    assert sum(len(b.table) for b in batches) == len(rows)
    assert [r.reason for b in batches for r in b.refusals] == []


def test_merged_cells_of_a_workbook(tmp_path) -> None:
    book = Workbook()
    sheet = book.active
    sheet.append(["Calls of a target"])
    sheet.append(GROUPS)
    sheet.append(NAMES)
    for row in values():
        day = dt.datetime.strptime(row[0], "%d/%m/%Y").date()
        sheet.append([day, dt.time.fromisoformat(row[1]), *row[2:8], int(row[8])])
    for cells in ("A1:I1", "A2:A3", "B2:B3", "C2:E2", "F2:H2", "I2:I3"):
        sheet.merge_cells(cells)
    path = tmp_path / "given.xlsx"
    book.save(path)
    proposal = proposed(path)
    assert meanings(proposal) == MEANT
    read = rows_by(proposal, path, "PK")
    assert len(read) == len(values())
    assert {r["caller_imei"] for r in read} == {IMEI}


def test_what_is_no_group_line_is_none(tmp_path) -> None:
    names = ["Date", "Time", "Number", "IMEI"]
    assert not are_groups(["Report of calls", "", "", ""], names)  # a title
    assert not are_groups(["Report of calls"], names)
    assert not are_groups(names, ["05/06/2025", "10:00:00", "923001234567", IMEI])  # a record
    assert not are_groups(["Operator", "X", "", ""], names)
    # one line with names twice stays what it was: the first of each is meant
    head = ["A Number", "B Number", "Date", "Time", "Duration", "Cell ID", "Cell ID"]
    rows = [[r["a"], r["b"], r["day"], r["time"], r["s"], r["cell"], r["cell"]]
            for r in pairs("92300", "92321")]  # fmt: skip
    path = written(tmp_path / "given.csv", ["Subscriber calls"], head, *rows)
    assert "header_lines" not in proposed(path).layout


def test_a_layout_of_three_lines_is_refused(tmp_path) -> None:
    path = written(tmp_path / "given.csv", GROUPS, NAMES, *values())
    out = tmp_path / "own.yaml"
    out.write_text(proposed(path).as_yaml().replace("header_lines: 2", "header_lines: 3"))
    with pytest.raises(BadInput, match="header_lines than 1 or 2"):
        read_calls(path, "PK", layout=str(out))
