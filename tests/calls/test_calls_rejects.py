"""Refused rows of files of which nothing could be read, and of imports that ended midway."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta

import pytest
from typer.testing import CliRunner

from cordon.bootstrap import Node
from cordon.calls.commands import app
from cordon.kernel.access.authorities import Draft
from cordon.kernel.access.model import Scope
from cordon.kernel.console import Console
from cordon.settings import Settings

HEAD = "start,kind,caller,callee,duration_s\n"
GOOD = HEAD + "2026-01-05T10:00:00Z,voice,+923001234567,+923337654321,60\n"
BAD = HEAD + "2026-01-05T10:00:00,voice,1,2,60\n" * 3 + "2026-01-05T10:00:00Z,voice,,2,60\n"


@pytest.fixture
def node(tmp_path):
    made = Node(Settings(data=tmp_path / "node"))
    now = made.kernel.clock.now()
    draft = Draft(
        basis="peca_disclosure_warrant", reference="WR-1", issuer="A court",
        scope=Scope(frozenset({"calls"})),
        valid_from=now, valid_until=now + timedelta(days=20),
    )  # fmt: skip
    made.authorities.record(made.console_actor(None), draft, io.BytesIO(b"the document"))
    yield made
    made.close()


@pytest.fixture
def ran(node):
    def run(*words):
        console = Console(lambda: node)
        return CliRunner().invoke(app, [str(w) for w in words], obj=console)

    return run


@pytest.fixture
def put(tmp_path):
    def write(name, text):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def rejects(path):
    with path.open() as file:
        return [(r["file"], int(r["row"])) for r in csv.DictReader(file)]


def test_rows_of_a_file_refused_whole_are_all_written(ran, put, tmp_path):
    out = tmp_path / "rj.csv"
    answer = ran("import", put("bad.csv", BAD), put("good.csv", GOOD), "--authority", "WR-1",
                 "--rejects", out)  # fmt: skip
    assert answer.exit_code == 1
    assert rejects(out) == [("bad.csv", n) for n in (1, 2, 3, 4)]
    assert "bad.csv: 3 rows: " in answer.output
    assert f"4 refused rows: see {out}" in answer.output
    assert "good.csv: 1 rows read, 1 kept" in answer.output


def test_a_search_that_can_read_nothing_writes_what_it_refused(ran, put, tmp_path):
    out = tmp_path / "rj.csv"
    answer = ran("find", "--calls", put("bad.csv", BAD), "--rejects", out)
    assert answer.exit_code == 1
    assert rejects(out) == [("bad.csv", n) for n in (1, 2, 3, 4)]
    assert f"4 refused rows: see {out}" in answer.output


def test_an_authority_that_ends_between_two_files_leaves_a_whole_answer(
    ran, node, put, tmp_path, monkeypatch
):
    run_job, ran_jobs = node.run_job, []

    def once(job, progress):
        ended = run_job(job, progress)
        ran_jobs.append(job)
        authority = node.authorities.find(node.console_actor(None), "WR-1").id
        node.authorities.withdraw(node.console_actor(None), authority, "It was set aside.")
        return ended

    monkeypatch.setattr(node, "run_job", once)
    out = tmp_path / "rj.csv"
    files = [put("one.csv", GOOD + ",,,,\n"), put("two.csv", GOOD), put("three.csv", GOOD)]
    answer = ran("import", *files, "--authority", "WR-1", "--rejects", out, "--json")
    assert answer.exit_code == 1
    told = json.loads(answer.stdout.splitlines()[-1])["files"]
    assert [(f["name"], f["state"]) for f in told] == [
        ("one.csv", "done"), ("two.csv", "not begun"), ("three.csv", "not begun"),
    ]  # fmt: skip
    assert told[0]["kept"] == 1
    assert len(ran_jobs) == 1
    assert told[1]["error"]
    assert rejects(out) == [("one.csv", 2)]
