"""Whose numbers in national form are, and which country calls are of."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from cordon.calls.find import find
from cordon.calls.layouts import layouts
from cordon.calls.layouts.model import checked
from cordon.calls.learning import learn, zone_of
from cordon.calls.numbers import home_of, normalised
from cordon.calls.plans import Plans
from cordon.calls.reading import read_calls
from cordon.kernel.errors import BadInput

AIRTEL = "Target No,Call Type,B Party No,Date,Time,Dur(s),Service Type,IMEI,IMSI,First CGI"
JIO = (
    "Calling Party Telephone Number,Called Party Telephone Number,Call Date,Call Time,"
    "Call Termination Time,Call Duration,First Cell ID,Last Cell ID,Call Type,IMEI,IMSI"
)


def read(path: Path, region: str = "PK") -> list[tuple[str, str]]:
    return [
        (one["caller"], one["callee"])
        for batch in read_calls(path, region)
        for one in batch.table.to_pylist()
    ]


def statement(path: Path, header: str, *rows: str) -> Path:
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


@pytest.mark.parametrize("target", ["9702000558", "919702000558", "09702000558"])
def test_an_indian_operators_national_numbers_are_indian_wherever_it_is_read(tmp_path, target):
    path = statement(
        tmp_path / "a.csv", AIRTEL,
        f"{target},OUT,9876543210,15/06/2024,10:11:12,60,Voice,,,404-90-1-2",
        f"{target},IN,923001234567,15/06/2024,11:11:12,60,Voice,,,404-90-1-2",
    )  # fmt: skip
    assert read(path) == [
        ("+919702000558", "+919876543210"),
        ("+923001234567", "+919702000558"),
    ]


def test_numbers_that_a_spreadsheet_took_for_floats_are_the_same_subscribers(tmp_path):
    """+98 is Iran's: a zero too many made the target's number one of its."""
    path = statement(
        tmp_path / "a.csv", AIRTEL + ",Call Fow No",
        "9819083018.0,OUT,9876543210.0,15/06/2024,10:11:12,60,Voice,,,404-90-1-2,",
        "9819083018.0,IN,121.0,16/06/2024,10:11:12,60,Voice,,,404-90-1-2,9876543211.0",
        "9819083018.0,CFW,9876543210.0,17/06/2024,10:11:12,60,Voice,,,404-90-1-2,9876543211.0",
    )  # fmt: skip
    for region in ("PK", "IR"):
        assert read(path, region) == [
            ("+919819083018", "+919876543210"),
            ("121", "+919819083018"),
            ("+919876543210", "+919876543211"),
        ]
    (batch,) = read_calls(path)
    assert set(batch.forwards["forwarded_to"].to_pylist()) == {"+919876543211"}


def test_numbers_told_above_a_table_are_of_its_operators_country(tmp_path):
    path = statement(
        tmp_path / "j.csv", JIO,
        "9702000558,08876543210,15/06/2024,10:11:12,10:12:12,60,404-90-1-2,404-90-1-2,a_out,,",
    )  # fmt: skip
    assert read(path) == [("+919702000558", "+918876543210")]


def test_a_statement_of_a_pakistani_subscriber_in_that_layout_is_read_as_pakistani(tmp_path):
    row = "{},OUT,03337654321,15/06/2024,10:11:12,60,Voice,,,410-1-1-2"
    path = statement(tmp_path / "a.csv", AIRTEL, row.format("923001234567"))
    assert read(path) == [("+923001234567", "+923337654321")]
    path = statement(tmp_path / "b.csv", AIRTEL, row.format("00923001234567"))
    assert read(path) == [("+923001234567", "+923337654321")]


def test_tables_of_operators_of_two_countries_are_not_one_file(tmp_path, monkeypatch):
    text = (Path(__file__).parents[2] / "src/cordon/calls/layouts/jio.yaml").read_text()
    folder = tmp_path / "layouts"
    folder.mkdir()
    other = text.replace("name: jio", "name: other").replace("region: IN", "region: IT")
    (folder / "other.yaml").write_text(other.replace("Call Time]", "Call Time, Zone]"))
    path = tmp_path / "two.csv"
    row = "9702000558,08876543210,15/06/2024,10:11:12,10:12:12,60,1,1,a_out,,"
    path.write_text(f"{JIO}\n{row}\n\n{JIO},Zone\n{row},x\n")
    with pytest.raises(BadInput, match="different countries") as wrong:
        list(read_calls(path, folder=folder))
    assert "a file of its own" in wrong.value.advice


def test_a_layouts_region_must_have_a_numbering_plan():
    data = {"name": "x", "title": "x", "zone": "UTC", "known_by": ["a"]}
    assert checked("x.yaml", {**data, "region": "it"}).region == "IT"
    assert checked("x.yaml", data).region == ""
    with pytest.raises(BadInput, match="region QQ") as wrong:
        checked("x.yaml", {**data, "region": "QQ"})
    assert "ISO 3166" in wrong.value.advice


def test_a_learned_layout_keeps_the_country_it_was_learned_for(tmp_path):
    path = statement(
        tmp_path / "tim.csv", "chiamante,chiamato,data,ora,durata",
        *[f"333123456{n},34712345{n}0,1{n}/06/2024,10:1{n}:12,{n * 7 % 50}" for n in range(8)],
    )  # fmt: skip
    zone = zone_of("it")
    assert zone == "Europe/Rome"
    made = learn(path, name="tim", zone=zone, region="it", layouts=layouts())
    folder = tmp_path / "kept"
    folder.mkdir()
    (folder / "tim.yaml").write_text(made.as_yaml())
    (first, *_) = [
        one["caller"]
        for batch in read_calls(path, "PK", layout=str(folder / "tim.yaml"))
        for one in batch.table.to_pylist()
    ]
    assert first == "+393331234560"


def test_the_clock_of_a_country_without_facts_is_the_time_zone_databases():
    assert zone_of("IN") == "Asia/Kolkata"
    assert zone_of("PK") == "Asia/Karachi"
    assert zone_of("QQ") == ""


@pytest.mark.parametrize(
    ("text", "region", "number"),
    [
        ("919876543210", "PK", "+919876543210"),  # a switch leaves the plus out
        ("393331234567", "PK", "+393331234567"),
        ("923001234567", "IN", "+923001234567"),
        ("923001234567", "PK", "+923001234567"),
        ("02134567890", "PK", "+922134567890"),
        ("9876543210", "PK", "+929876543210"),  # ten digits are a national number first
    ],
)
def test_numbers_of_other_countries_are_told_without_their_plus(text, region, number):
    assert normalised(text, region) == number


def test_the_country_that_most_calls_come_from():
    numbers = pa.array(["+393331234567", "+923001234567", "15", "+12025550123", "BANK"])
    assert home_of(numbers, np.array([5, 4, 90, 1, 0])) == "IT"
    assert home_of(numbers, np.array([5, 6, 90, 1, 0])) == "PK"
    assert home_of(numbers, np.array([0, 0, 90, 0, 3])) == ""
    assert home_of(pa.array([], pa.string()), np.array([], np.int64)) == ""


@pytest.mark.parametrize(
    ("code", "region", "said"), [("39", "", True), ("39", "IT", False), ("92", "", False)]
)
def test_a_search_says_which_country_it_took_the_calls_to_be_of(tmp_path, code, region, said):
    path = tmp_path / "calls.csv"
    rows = [
        f"2026-02-0{n}T04:41:12Z,voice,+{code}333123456{n},+{code}3337654321,65" for n in (1, 2)
    ]
    path.write_text("\n".join(["start,kind,caller,callee,duration_s", *rows]) + "\n")
    found = find([path], region=region)
    told = [s for s in found.left_out if "--region" in s]
    assert bool(told) is said
    if said:
        assert "numbers of IT" in told[0]
        assert "Europe/Rome" in told[0]


def test_a_thousand_numbers_tell_whose_plan_a_statement_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(
        sys.modules[Plans.__module__], "of_another", lambda digits: asked.append(digits)
    )
    plans = Plans()
    for block in range(3):
        plans.look(pa.chunked_array([[f"91982{block}{n:06d}" for n in range(700)]]))
    assert len(asked) == len(set(asked)) == 1_000
