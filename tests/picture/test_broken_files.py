"""Files that are broken in the middle or at the end: what is lost is told, the rest is kept."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cordon.cli import run
from cordon.kernel.errors import BadInput
from cordon.picture.feeds.readers import open_positions

HEAD = "at,source,subject,lat,lon,name\n"
FIX = "!AIVDM,1,1,,B,10bb7q@P0lPGHlVMhbl0Qgw>2>`<,0*7F\n"


def rows(names: list[str]) -> list[str]:
    return [
        f"2026-01-17T08:30:{i:02d}Z,rx,mmsi:463000001,24.5,66.{i:03d},{name}\n"
        for i, name in enumerate(names, 1)
    ]


def read(path: Path, data: str | bytes):
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    reader = open_positions(path)
    return reader, list(reader)


def test_two_stray_quotes_swallow_no_row_between(tmp_path: Path) -> None:
    names = ["PEARL"] * 20
    names[2], names[12] = '"LUCKY', '"PEARL'
    reader, found = read(tmp_path / "p.csv", HEAD + "".join(rows(names)))
    assert [r.row for r in reader.refusals] == [3, 13]
    assert "quotes" in reader.refusals[0].reason
    assert reader.counts.read == 20
    assert [p.record.row for p in found] == [i for i in range(1, 21) if i not in (3, 13)]
    assert all(p.lon == pytest.approx(66 + p.record.row / 1000) for p in found)


def test_a_quote_left_open_is_a_refusal(tmp_path: Path) -> None:
    for at in (1, 10, 20):
        names = ["PEARL"] * 20
        names[at - 1] = '"LUCKY'
        reader, found = read(tmp_path / "p.csv", HEAD + "".join(rows(names)))
        assert [r.row for r in reader.refusals] == [at]
        assert len(found) == 19


def test_a_quoted_line_break_is_no_fault(tmp_path: Path) -> None:
    text = HEAD + "".join(rows(['"TWO\nLINES"', "ONE", '"a ""b"""']))
    reader, found = read(tmp_path / "p.csv", text)
    assert reader.counts.refused == 0
    assert [p.name for p in found][-1] == 'a "b"'


@pytest.mark.parametrize("dress", ["blank", "old_mac", "both"])
def test_a_blank_first_line_and_old_line_ends_are_read(tmp_path: Path, dress: str) -> None:
    text = HEAD + "".join(rows(["SEÑORA"] * 20))
    text = "\n" + text if dress != "old_mac" else text
    text = text.replace("\n", "\r") if dress != "blank" else text
    reader, found = read(tmp_path / "p.csv", text)
    assert (reader.counts.read, len(found)) == (20, 20)
    assert found[0].name == "SEÑORA"


@pytest.mark.parametrize("form", ["csv", "ais"])
def test_a_cut_file_says_so(tmp_path: Path, form: str) -> None:
    lines = [HEAD, *rows([f"N{i}" for i in range(59)])] * 40
    if form == "ais":
        lines = [f"{1_700_000_000 + i * 7919 % 100_000} {FIX}" for i in range(3000)]
    packed = gzip.compress("".join(lines).encode())
    reader, found = read(tmp_path / "cut.gz", packed[: len(packed) * 2 // 3])
    assert found
    assert reader.broken.startswith("cut.gz breaks off:")
    whole, _ = read(tmp_path / "whole.gz", packed)
    assert whole.broken == ""


def test_a_file_broken_before_its_first_row_is_an_error(tmp_path: Path) -> None:
    columns = {
        "at": ["2026-01-17T08:30:00Z"] * 900,
        "source": [f"rx{i}" for i in range(900)],
        "subject": ["mmsi:463000001"] * 900,
        "lat": [i / 100 for i in range(900)],
        "lon": [i / 100 for i in range(900)],
    }
    path = tmp_path / "p.parquet"
    pq.write_table(pa.table(columns), path)
    data = bytearray(path.read_bytes())
    data[4:400] = bytes(396)
    with pytest.raises(BadInput, match=r"p\.parquet breaks off"):
        read(path, bytes(data))


def test_asking_for_the_rejects_changes_no_outcome(tmp_path: Path, capfd) -> None:
    log = tmp_path / "timeless.nmea"
    log.write_text(FIX * 3)
    out, rejects = tmp_path / "out", tmp_path / "rejects.csv"
    plain = run(["picture", "detect", str(log), "--out", str(out)])
    said = capfd.readouterr().err
    asked = run(["picture", "detect", str(log), "--out", str(out), "--rejects", str(rejects)])
    assert plain == asked == 1
    assert capfd.readouterr().err == said
    assert [r["row"] for r in csv.DictReader(rejects.open())] == ["1", "2", "3"]


def test_a_table_with_a_header_alone_says_that_no_position_was_read(tmp_path: Path, capfd) -> None:
    table, columns, out = tmp_path / "t.csv", tmp_path / "t.parquet", tmp_path / "out"
    table.write_text(HEAD)
    names = HEAD.strip().split(",")
    pq.write_table(pa.table({name: pa.array([], pa.string()) for name in names}), columns)
    for file in (table, columns):
        for more in ([], ["--json"]):
            assert run(["picture", "detect", str(file), "--out", str(out), *more]) == 0
            assert f"{file.name} holds no position" in capfd.readouterr().err
        assert run(["picture", "watch", str(file)]) == 0
        assert f"{file.name} holds no position" in capfd.readouterr().err
    assert run(["picture", "fuse", str(table), "--out", f"{out}.csv"]) == 0
    assert "holds no position" in capfd.readouterr().err
    table.write_text(HEAD + rows(["A"])[0])
    assert run(["picture", "detect", str(table), "--out", str(out)]) == 0
    assert "holds no position" not in capfd.readouterr().err


def test_a_log_that_begins_with_another_instrument_is_a_log(tmp_path: Path) -> None:
    other = "$GPGGA,083000.00,2430.0,N,06630.0,E,1,08,0.9,5.0,M,-40.0,M,,*77\n" * 6000
    reader, found = read(tmp_path / "mixed.nmea", other + f"1700000000 {FIX}")
    assert reader.form == "ais"
    assert len(found) == 1
    with pytest.raises(BadInput, match="no AIS sentence"):
        read(tmp_path / "own.nmea", other)


def test_an_mmsi_has_nine_digits_at_most(tmp_path: Path) -> None:
    text = HEAD + rows(["A"])[0] + rows(["A"])[0].replace("463000001", "4" * 23)
    reader, found = read(tmp_path / "p.csv", text)
    assert len(found) == 1
    assert "nine digits" in reader.refusals[0].reason


def test_the_first_refusal_is_that_of_the_lowest_row() -> None:
    from cordon.picture.feeds.source import Gathering

    gathering = Gathering("a" * 64, None, None)
    for row in (8, 3, 5):
        gathering.refuse(row, "x")
    assert gathering.first is not None
    assert gathering.first.row == 3
