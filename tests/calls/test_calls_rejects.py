"""Refused rows of files of which nothing could be read, and of imports that ended midway."""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
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
    assert "good.csv: 1 row read, 1 kept" in answer.output


def test_a_search_that_can_read_nothing_writes_what_it_refused(ran, put, tmp_path):
    out = tmp_path / "rj.csv"
    answer = ran("find", "--calls", put("bad.csv", BAD), "--rejects", out)
    assert answer.exit_code == 1
    assert rejects(out) == [("bad.csv", n) for n in (1, 2, 3, 4)]
    assert f"4 refused rows: see {out}" in answer.output


REGISTER = "number,kind\n+923001234567,colour\n,person\n+923001234568,colour\n"


@pytest.mark.parametrize("whole", [True, False])
def test_a_register_refused_whole_says_each_row(ran, put, tmp_path, whole):
    """Of one that breaks off what stands before it counts for nothing, and is told all the same."""
    register = put("register.csv", REGISTER)
    if not whole:
        register = tmp_path / "register.csv.gz"
        packed = gzip.compress((REGISTER + "".join(
            f"+9230{n:08},person\n" for n in random.Random(1).sample(range(10**8), 9_000)
        )).encode())  # fmt: skip
        register.write_bytes(packed[: len(packed) - 4_000])
    out = tmp_path / "rj.csv"
    answer = ran("import", register, "--subscribers", "--authority", "WR-1", "--rejects", out)
    assert answer.exit_code == 1
    # the half row in which it breaks off is one more
    assert rejects(out)[:3] == [(register.name, n) for n in (1, 2, 3)]
    assert f"{3 if whole else 4} refused rows: see {out}" in answer.output
    out.unlink()
    answer = ran("find", "--calls", put("good.csv", GOOD), "--subscribers", register,
                 "--rejects", out)  # fmt: skip
    assert answer.exit_code == 1
    assert rejects(out)[:3] == [(register.name, n) for n in (1, 2, 3)]


def test_complaints_of_which_none_can_be_read_say_each_row(ran, put, tmp_path):
    out = tmp_path / "rj.csv"
    complaints = put("c.csv", "complaint_id,received\n1,yesterday\n,2026-01-05\n")
    answer = ran("find", "--calls", put("good.csv", GOOD), "--complaints", complaints,
                 "--rejects", out)  # fmt: skip
    assert answer.exit_code == 1
    assert rejects(out) == [("c.csv", 1), ("c.csv", 2)]


def test_one_row_is_one_row(ran, put, tmp_path):
    bad = put("bad.csv", HEAD + "2026-01-05T10:00:00,voice,1,2,60\n")
    answer = ran("import", bad, "--authority", "WR-1", "--rejects", tmp_path / "rj.csv")
    assert "The only row of bad.csv cannot be read: start is no RFC 3339 time" in answer.output
    assert "1 refused row: see" in answer.output
    assert "1 row: start is no" in answer.output


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


def test_what_each_file_holds_is_told_from_its_headings(ran, put, tmp_path):
    out = tmp_path / "rj.csv"
    sites = "Sites\nCGI,Site Name,Latitude,Longitude\n410-03-1-7,Mall,31.5,74.3\n410-03-1-8,X,0,0\n"
    caf = "MSISDN,Customer Name,Customer Type\n03001234567,A,Individual\n"
    ipdr = "MSISDN,Dest IP,Start Time\n03001234567,8.8.8.8,2026-06-25 10:00:00\n"
    files = [
        put("calls.csv", GOOD), put("sites.csv", sites), put("caf.csv", caf), put("nat.csv", ipdr)
    ]  # fmt: skip
    answer = ran("import", *files, "--authority", "WR-1", "--rejects", out, "--json")
    assert answer.exit_code == 0, answer.output
    told = json.loads(answer.stdout)["files"]
    assert [(f["name"], f["kept"], f["refused"]) for f in told] == [
        ("calls.csv", 1, 0), ("sites.csv", 1, 1), ("caf.csv", 1, 0), ("nat.csv", 1, 0)
    ]  # fmt: skip
    assert rejects(out) == [("sites.csv", 3)]  # the line of the file as it was given
    for name, kind in (("sites.csv", "cells"), ("caf.csv", "subscribers"), ("nat.csv", "sessions")):
        assert f"{name}: by its headings it holds {kind}." in answer.stderr


def test_a_list_where_a_layout_of_calls_is_named_is_no_calls(ran, put):
    sites = put("sites.csv", "CGI,Site Name,Latitude,Longitude\n410-03-1-7,Mall,31.5,74.3\n")
    answer = ran("import", sites, "--authority", "WR-1", "--layout", "airtel")
    assert answer.exit_code == 1
    assert "sites.csv: failed." in answer.stderr


def test_a_file_that_is_not_there_stops_no_other(ran, put, tmp_path):
    answer = ran("import", tmp_path / "no.csv", put("good.csv", GOOD), "--authority", "WR-1")
    assert answer.exit_code == 1
    assert "no.csv: failed." in answer.output
    assert "good.csv: 1 row read, 1 kept" in answer.output


def test_a_file_that_the_authority_does_not_cover_holds_no_other_up(ran, put):
    pay = (
        "payment_id,at,from_account,to_account,amount,currency\n1,2026-06-25T10:00:00Z,A,B,5,PKR\n"
    )
    sites = "CGI,Site Name,Latitude,Longitude\n410-03-1-7,Mall,31.5,74.3\n"
    files = [put("pay.csv", pay), put("calls.csv", GOOD), put("sites.csv", sites)]
    answer = ran("import", *files, "--authority", "WR-1", "--json")
    assert answer.exit_code == 1
    told = json.loads(answer.stdout.splitlines()[-1])["files"]
    assert [(f["name"], f["state"]) for f in told] == [
        ("pay.csv", "failed"), ("calls.csv", "done"), ("sites.csv", "done"),
    ]  # fmt: skip
    assert "cover" in told[0]["error"]
