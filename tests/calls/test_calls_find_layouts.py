"""A search on files alone reads operators' files by their layouts."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from cordon.calls.commands import app
from cordon.calls.find import find
from cordon.kernel.console import Console
from cordon.kernel.errors import BadInput

HEAD = "Target No,Call Type,B Party No,Date,Time,Dur(s),Service Type,IMEI,IMSI,First CGI\n"
ROW = "923001234567,{},92321765432{},0{}/02/2026,10:11:12,65,Voice,352099001761481,,410-1-1-1\n"
STATEMENT = HEAD + "".join(ROW.format("OUT", n, n + 1) for n in range(4))
PLAIN = (
    "start,kind,caller,callee,duration_s\n"
    "2026-02-01T04:41:12Z,voice,+923001234567,+923217654320,65\n"
)


@pytest.fixture
def given(tmp_path):
    path = tmp_path / "statement.csv"
    path.write_text(STATEMENT)
    return path


def ran(*words):
    console = Console(lambda: pytest.fail("no node is needed"))
    return CliRunner().invoke(app, ["find", *map(str, words)], obj=console)


def test_a_layout_is_told_from_each_file(given, tmp_path):
    plain = tmp_path / "plain.csv"
    plain.write_text(PLAIN)
    out = tmp_path / "f.jsonl"
    answer = ran("--calls", given, "--calls", plain, "--out", out, "--json")
    assert answer.exit_code == 0, answer.output
    counts = json.loads(answer.stdout)
    # a plain call that the statement (in its own clock) tells too
    assert (counts["read"], counts["kept"], counts["repeated"]) == (5, 4, 1)
    assert any("day first was taken, as airtel writes them" in s for s in counts["left_out"])


def test_a_layout_may_be_named_or_be_a_file(given, tmp_path):
    own = tmp_path / "own.yaml"
    learned = CliRunner().invoke(
        app, ["layout", "learn", str(given), "--out", str(own), "--dates", "day-first"],
        obj=Console(lambda: None),
    )  # fmt: skip
    assert learned.exit_code == 0, learned.output
    for layout in (own, "airtel"):
        answer = ran("--calls", given, "--layout", layout, "--out", tmp_path / "f.jsonl", "--json")
        assert answer.exit_code == 0, answer.output
        assert json.loads(answer.stdout)["kept"] == 4
    wrong = ran("--calls", given, "--layout", "jio", "--out", tmp_path / "f.jsonl")
    assert isinstance(wrong.exception, BadInput)
    answer = ran("--authority", "X-1", "--layout", "airtel")
    assert answer.exit_code != 0


@pytest.mark.parametrize("way", ["--since", "--until"])
def test_a_span_without_a_call_is_said(tmp_path, way):
    plain = tmp_path / "plain.csv"
    plain.write_text(PLAIN)
    when = "2026-03-01T00:00:00Z" if way == "--since" else "2026-01-01T00:00:00Z"
    answer = ran("--calls", plain, way, when, "--out", tmp_path / "f.jsonl", "--json")
    assert answer.exit_code == 0, answer.output
    assert "No call lies in the span that was asked for." in json.loads(answer.stdout)["left_out"]


def test_the_order_of_dates_may_be_said(given):
    found = find([given], region="PK", dates="month-first")
    assert any("month first was taken, as was said" in s for s in found.left_out)
