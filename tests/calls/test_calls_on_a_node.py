"""Call records on a node: by a layout, twice, with registers, under an authority."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest

from cordon.bootstrap import Node
from cordon.kernel.access.authorities import Draft
from cordon.kernel.access.model import Scope
from cordon.kernel.errors import BadInput
from cordon.settings import Settings

AIRTEL = b"""BHARTI AIRTEL LTD
Target No,Call Type,B Party No,Date,Time,Dur(s),First CGI,Service Type
923001234567,OUT,03337654321,15/08/2024,10:11:12,65,404-1,Voice
923001234567,IN,03337654321,15/08/2024,11:11:12,65,404-1,Voice
923001234567,ELSEWHERE,03337654321,15/08/2024,12:11:12,65,404-1,Voice
"""
REGISTER = b"number,kind\n03001234567,registered_call_centre\n,person\n"


@pytest.fixture
def node(rows_url, tmp_path):
    made = Node(Settings(data=tmp_path / "node", database_url=rows_url))
    now = made.kernel.clock.now()
    draft = Draft(
        basis="peca_disclosure_warrant", reference="WR-1", issuer="A court",
        scope=Scope(frozenset({"calls", "subscribers"})),
        valid_from=now, valid_until=now + timedelta(days=20),
    )  # fmt: skip
    made.authorities.record(made.console_actor(None), draft, io.BytesIO(b"the document"))
    yield made
    made.close()


def bring(node: Node, data: bytes, name: str, **more: str):
    job = node.calls.ask_import(node.console_actor("WR-1"), io.BytesIO(data), name, **more)
    return node.run_job(job, lambda _done, _total: None) if job else None


def test_a_file_by_its_layout_and_again(node):
    first = bring(node, AIRTEL, "target.csv")
    assert first.state == "done", first.error
    (told,) = first.report["files"]
    assert (told["read"], told["kept"], told["refused"]) == (3, 2, 1)
    assert first.report["refusals"] == [
        {"row": 4, "reason": "its direction is none that the layout knows"}
    ]
    again = bring(node, AIRTEL, "target.csv")
    (told,) = again.report["files"]
    assert (told["kept"], told["repeated"]) == (0, 2)
    # what it gave when it came stays beside the file
    (file,) = node.calls.files(node.console_actor("WR-1"))
    assert file.counts["kept"] == 2


def test_an_error_names_the_file_as_it_was_called(node):
    ended = bring(node, b"account,bank\n1,2\n", "payments.csv")
    assert ended.state == "failed"
    assert ended.error.startswith("payments.csv has no column")


def test_of_registers_the_one_brought_in_last_counts(node):
    actor = node.console_actor("WR-1")
    bring(node, REGISTER, "good.csv", kind="subscribers")
    bring(node, b"number,kind\n03009999999,person\n", "other.csv", kind="subscribers")
    with pytest.raises(BadInput, match=r"bad\.csv has no column number"):
        bring(node, b"a,b\n1,2\n", "bad.csv", kind="subscribers")
    node.kernel.clock.now()
    bring(node, REGISTER, "good.csv", kind="subscribers")
    files = {f.name: f for f in node.calls.files(actor)}
    assert "bad.csv" not in files
    assert files["good.csv"].created_at > files["other.csv"].created_at
    assert files["good.csv"].counts == {"read": 2, "kept": 1, "repeated": 0, "refused": 1}
    bring(node, AIRTEL, "target.csv")
    ended = node.run_job(node.calls.ask_find(actor), lambda _done, _total: None)
    assert ended.state == "done", ended.error
    assert ended.report["findings"] == 0


OWN = """name: own
title: Own
zone: Asia/Karachi
order: dmy
known_by: [A, B, Day, Hour]
columns: {caller: A, callee: B, date: %s, time: %s}
kind_if_absent: voice
"""
ROWS = b"A,B,Day,Hour\n03001234567,03337654321,15/08/2024,10:11:12\n"


def test_a_layout_that_was_corrected_at_its_place_is_used(node, tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text(OWN % ("Hour", "Day"))
    first = bring(node, ROWS, "odd.csv", layout=str(path))
    assert first.state == "failed"
    assert "The only row of" in first.error
    assert first.checkpoint == {}
    path.write_text(OWN % ("Day", "Hour"))
    second = bring(node, ROWS, "odd.csv", layout=str(path))
    assert second.state == "done", second.error
    assert second.id != first.id
    (told,) = second.report["files"]
    assert (told["read"], told["kept"], told["refused"]) == (1, 1, 0)
    (file,) = node.calls.files(node.console_actor("WR-1"))
    assert (file.state, file.counts["kept"]) == ("stored", 1)


def test_a_file_that_was_refused_whole_is_tried_again_from_its_beginning(node, tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text(OWN % ("Hour", "Day"))
    failed = bring(node, ROWS, "odd.csv", layout=str(path))
    path.write_text(OWN % ("Day", "Hour"))
    node.jobs.retry(node.console_actor("WR-1"), failed.id)
    ended = node.run_job(failed.id, lambda _done, _total: None)
    assert (ended.state, ended.report["files"][0]["kept"]) == ("done", 1)
