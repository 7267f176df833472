"""Cells, handsets and masked numbers: what is the same, and what is not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from cordon.calls.cellids import DECIMAL, HEXADECIMAL, Base, one_cell
from cordon.calls.forms import COMPLAINTS
from cordon.calls.imei import has_check_digit, imei14, imei14_sql
from cordon.calls.numbers import masked, normalised
from cordon.calls.plain import read_plain
from cordon.calls.reading import read_calls
from cordon.calls.registers import read_register
from cordon.kernel.errors import BadInput
from cordon.kernel.store.columns import connect

HEAD = "Target No,Call Type,B Party No,Date,Time,Dur(s),First CGI,Service Type,IMEI,IMSI"


@pytest.fixture
def put(tmp_path: Path) -> Callable[..., Path]:
    def write(*lines: str, name: str = "given.csv") -> Path:
        path = tmp_path / name
        path.write_text("\n".join(lines) + "\n")
        return path

    return write


def row(cell: str = "410-01-1-1", other: str = "03217654321", way: str = "OUT") -> str:
    return f"923001234567,{way},{other},15/08/2024,10:11:12,1,{cell},Voice,,"


def read(path: Path, layout: str = "auto") -> tuple[list[dict], list[tuple[int, str]]]:
    rows, refused = [], []
    for batch in read_calls(path, "PK", layout=layout):
        rows += batch.table.to_pylist()
        refused += [(r.row, r.reason) for r in batch.refusals]
    return rows, refused


@pytest.mark.parametrize(
    ("texts", "told"),
    [(["410-01-11-1A2B", "410-01-11-1234"], HEXADECIMAL),
     (["410-01-11-1234", "410-01-11-6699"], DECIMAL),
     (["410-01-40001-1A2B"], DECIMAL),  # no hexadecimal area has five digits
     (["410-01-11-A", "K1", "A7F3", ""], DECIMAL),  # names of sectors and sites
     (["410-01-0C0FFEE"], HEXADECIMAL)],
)  # fmt: skip
def test_the_base_is_told_from_the_whole_file(texts: list[str], told: str) -> None:
    base = Base()
    for text in texts:
        base.look(pa.array([text]))
    assert base.told == told


def test_the_same_cell_in_decimal_and_in_hexadecimal(put) -> None:
    told, _ = read(put(HEAD, row("410-01-0011-1A2B"), row("410-01-0011-1234")))
    decimal, _ = read(put(HEAD, row("410-01-17-6699"), row("410:01:00017:04660")))
    assert [r["caller_cell"] for r in told] == [r["caller_cell"] for r in decimal]
    assert told[0]["caller_cell"] == "410-01-17-6699"
    assert one_cell("410-01-F0B0A1", HEXADECIMAL) == "410-01-15773857"
    assert one_cell("41001-11-1A2B", HEXADECIMAL) == "410-01-17-6699"
    assert one_cell("405856001", HEXADECIMAL) == "405856001"  # a run of digits is a name


def test_a_layout_says_that_its_cells_are_hexadecimal(put, tmp_path: Path) -> None:
    layout = tmp_path / "hex.yaml"
    text = (Path(__file__).parents[2] / "src/cordon/calls/layouts/airtel.yaml").read_text()
    layout.write_text(text + "cells: hexadecimal\n")
    rows, _ = read(put(HEAD, row("410-01-0011-1234")), str(layout))
    assert rows[0]["caller_cell"] == "410-01-17-4660"


def test_our_own_format_keeps_what_is_decimal_as_it_stands(put) -> None:
    head = "start,kind,caller,callee,caller_cell"
    line = "2026-01-17T08:30:00Z,voice,+923001234567,+923217654321,"
    rows, _ = read(put(head, line + "410-01-00011-00012", line + "410-01-SITE-A"))
    assert [r["caller_cell"] for r in rows] == ["410-01-00011-00012", "410-01-SITE-A"]
    rows, _ = read(put(head, line + "410-01-0011-1A2B", line + "410-01-0011-1234"))
    assert [r["caller_cell"] for r in rows] == ["410-01-17-6699", "410-01-17-4660"]


def test_a_handset_is_named_by_fourteen_digits() -> None:
    three = ["353098852648366", "353098852648360", "3530988526483601"]
    assert {imei14(t) for t in three} == {"35309885264836"}
    assert imei14("3530988526483") is imei14(None) is imei14("3530988526483612345") is None
    with connect(memory_mb=128, threads=1) as db:
        db.register("held", pa.table({"imei": three}))
        found = db.sql(f"SELECT DISTINCT {imei14_sql('imei')} FROM held").fetchall()
    assert found == [("35309885264836",)]
    assert has_check_digit("490154203237518")  # the example of TS 23.003 and GSMA TS.06
    assert not has_check_digit("490154203237517")


@pytest.mark.parametrize("text", ["92300XXXX123", "92300****123", "92300-xxxx-123", "92300####123"])
def test_a_masked_number_is_a_call_with_somebody_unknown(put, text: str) -> None:
    rows, refused = read(put(HEAD, row(other=text), row(other=text), row(other=text, way="IN")))
    assert refused == []
    assert {r["callee"] for r in rows[:2]} == {"masked:92300XXXX123/+923001234567"}
    assert rows[2]["caller"] == "masked:92300XXXX123/+923001234567"
    # another's statement with the same mask is about somebody else, for all that is known
    other, _ = read(put(HEAD, row(other=text).replace("923001234567", "923009999999")))
    assert other[0]["callee"] != rows[0]["callee"]


WITHHELD = (
    "Private", "PRIVATE NUMBER", "Withheld", "UNKNOWN", "Anonymous", "Unavailable", "No number",
    "Restricted", "<unknown>", "No-Caller-ID", "numéro masqué", "NUMERO MASQUE", "unbekannt",
    "sconosciuto", "رقم خاص", "نامعلوم",
)  # fmt: skip


@pytest.mark.parametrize("text", WITHHELD)
def test_callers_that_withhold_their_number_are_no_person(put, text: str) -> None:
    assert normalised(text, "PK") is None
    one, two = row(other=text, way="IN"), row(other=text, way="IN")
    rows, refused = read(put(HEAD, one, two.replace("923001234567", "923009999999")))
    assert refused == []
    assert [r["caller"] for r in rows] == [
        "masked:withheld/+923001234567", "masked:withheld/+923009999999",
    ]  # fmt: skip
    assert {r["callee_cell"] for r in rows} == {"410-01-1-1"}  # what the call is evidence of


def test_a_withheld_number_is_no_suspect(tmp_path) -> None:
    path = tmp_path / "complaints.csv"
    path.write_text("complaint_id,received,suspect_number\nC1,2026-03-05,Private\n")
    given = read_plain(path, COMPLAINTS)
    assert given.table["suspect_number"].to_pylist() == [None]
    assert given.notes == {"suspect_number is masked or withheld": 1}


def test_nobody_known_at_either_end_is_refused_and_in_a_register_too(put) -> None:
    both = row(other="0321XXXX321").replace("923001234567", "92300XXXX567")
    rows, refused = read(put(HEAD, both, row()))
    assert refused == [(1, "both of its numbers are masked or none")]
    assert len(rows) == 1
    with pytest.raises(BadInput, match="Nothing of"):
        read_register(put("number,kind", "92300XXXX123,business"))


@pytest.mark.parametrize("text", ["AD-BANK", "8171", "XX-BANK", "*123#", "5XX", "XXX"])
def test_what_looks_masked_and_is_a_sender_or_a_code(text: str) -> None:
    assert masked(text) is None
    assert normalised(text, "PK") is not None
