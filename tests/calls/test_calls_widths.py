"""Rows that are wider or narrower than their header by nothing, and those that are not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cordon.calls.forms import CELLS
from cordon.calls.plain import read_plain
from cordon.calls.reading import read_calls
from cordon.calls.registers import read_register
from cordon.kernel.errors import BadInput

AIRTEL = "Target No,Call Type,B Party No,Date,Time,Dur(s),First CGI,Service Type,IMEI,IMSI,OUT TG"
TOTAL = "Total,,,,,650,,,,,"
OWN = "start,kind,caller,callee,trunk_out"
DAYS = range(1, 31)


def airtel(day: int, trunk: str = "T2", place: str = "404-90-1-2") -> str:
    return (
        f"9197020005{day:02d},OUT,918141122818,{day:02d}/08/2024,10:11:12,65,{place},Voice,"
        f"353098852648366,405856140573551,{trunk}"
    )


@pytest.fixture
def put(tmp_path: Path) -> Callable[..., Path]:
    def write(*lines: str) -> Path:
        path = tmp_path / "given.csv"
        path.write_text("\n".join(lines) + "\n")
        return path

    return write


def read(path: Path) -> tuple[list[dict], list[tuple[int, str]]]:
    rows, refused = [], []
    for batch in read_calls(path, "IN"):
        rows += batch.table.to_pylist()
        refused += [(r.row, r.reason) for r in batch.refusals]
    return rows, refused


ROWS = [airtel(day) for day in DAYS]
QUOTED = [r.replace("404-90-1-2", '"K1, roof"') for r in ROWS]


@pytest.mark.parametrize(
    "lines",
    {
        "every row": [AIRTEL, *(f"{r}," for r in ROWS)],
        "every row, several": [AIRTEL, *(f"{r},,, " for r in ROWS)],
        "every row, not the headers of pages": [
            line
            for at, row in enumerate(ROWS)
            for line in ([AIRTEL] if at % 10 == 0 else []) + [f"{row},"]
        ],
        "every row, not the total": [AIRTEL, *(f"{r}," for r in ROWS), TOTAL],
        "every second row": [AIRTEL, *(r + "," * (at % 2) for at, r in enumerate(ROWS))],
        "the last row": [AIRTEL, *ROWS[:-1], ROWS[-1] + ",,"],
        "the header": [f"{AIRTEL},,,", *ROWS],
        "the header and every second row": [
            f"{AIRTEL},,,", *(r + "," * (at % 5) for at, r in enumerate(ROWS))
        ],
        "rows with quoted commas": [AIRTEL, *(r + "," * (at % 3) for at, r in enumerate(QUOTED))],
    }.items(),
    ids=lambda one: one[0],
)  # fmt: skip
def test_commas_at_the_end_lose_no_row_and_shift_nothing(put, lines) -> None:
    rows, refused = read(put(*lines[1]))
    assert refused == []
    assert [r["caller"] for r in rows] == [f"+9197020005{day:02d}" for day in DAYS]
    assert {r["trunk_out"] for r in rows} == {"T2"}
    assert {r["caller_cell"] for r in rows} <= {"404-90-1-2", "K1, roof"}
    # each is the line that it stands in, the header's is 0
    lines_of = {line.split(",")[0]: at for at, line in enumerate(lines[1])}
    assert [r["row"] for r in rows] == [lines_of[r["caller"][1:]] for r in rows]


def test_a_value_beyond_the_header_refuses_its_row(put) -> None:
    odd = {3: ROWS[3] + ",x", 7: ROWS[7] + ",,x", 9: ROWS[9].rpartition(",")[0]}
    for usual in ("", ","):
        path = put(AIRTEL, *(odd.get(at, r + usual) for at, r in enumerate(ROWS)))
        rows, refused = read(path)
        assert [at for at, _ in refused] == [4, 8, 10]
        assert [why.split()[0] for _, why in refused] == ["12", "13", "10"]
        assert all(why.endswith("values where the header has 11") for _, why in refused)
        assert len(rows) == len(ROWS) - 3


def test_commas_inside_values_are_none_at_the_end(put) -> None:
    """The last column is empty in some rows: those would look whole, and all is shifted."""

    def given(every: int) -> Path:
        return put(AIRTEL, *(
            airtel(day, "" if day % 4 == 0 else "T2", "19.1,72.8" if day % every == 0 else "404-1")
            for day in DAYS
        ))  # fmt: skip

    rows, refused = read(given(every=2))
    assert [at for at, _ in refused] == [day for day in DAYS if day % 2 == 0]
    assert {r["caller_cell"] for r in rows} == {"404-1"}
    with pytest.raises(BadInput, match="12 values where the header has 11"):
        read(given(every=1))


def test_the_plain_formats_too(put) -> None:
    calls = [f"2026-03-02T10:00:0{n}Z,voice,0300123456{n},03001234560,T1" for n in range(9)]
    rows, refused = read(put(OWN, *(c + "," * (n % 2) for n, c in enumerate(calls))))
    assert ([r["row"] for r in rows], refused) == (list(range(1, 10)), [])
    cells = read_plain(put("cell,lat,lon,,", "K1,24.8,67.0", "K2,24.9,67.1,,,"), CELLS)
    assert cells.table["cell"].to_pylist() == ["K1", "K2"]
    register = read_register(put("number,kind", "03001234567,person,", "8171,government"))
    assert register.counts.refused == 0
