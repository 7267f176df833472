"""`cordon operations …` on a node."""

from __future__ import annotations

import hashlib
import json
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from cordon.kernel.access.model import Actor, Mark, Role
from cordon.kernel.console import Console
from cordon.kernel.errors import BadInput, BadUsage, Conflict
from cordon.kernel.ledger import Entry
from cordon.kernel.ledger.tables import LedgerEntry
from cordon.operations.commands import app


@pytest.fixture
def rows_url(sqlite_url):
    return sqlite_url


@pytest.fixture
def run(kernel, room):
    console = Actor("console:test", "Console", "pk-test", "console", frozenset({Role.CONSOLE}),
                    cleared=Mark.AMBER_STRICT)  # fmt: skip
    node = SimpleNamespace(
        kernel=kernel, room=lambda _name: room, console_actor=lambda _authority: console
    )

    def command(*words):
        result = CliRunner().invoke(app, words, obj=Console(lambda: node))
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.stdout

    return command


UNIT = ("--name", "Seven", "--kind", "boat", "--sector", "Pasni", "--contact", "VHF 16")


def test_units_are_added_and_listed(run):
    made = json.loads(run("units", "add", "PB-07", *UNIT, "--speed", "22", "--json"))
    assert made["code"] == "PB-07"
    run("units", "add", "PB-08", *UNIT, "--speed", "22", "--lat", "25.1", "--lon", "63.4")
    listed = json.loads(run("units", "list", "--json"))
    assert [(u["code"], u["state"], u["lat"]) for u in listed] == [
        ("PB-07", "ready", None), ("PB-08", "ready", 25.1),
    ]  # fmt: skip
    with pytest.raises(Conflict):
        run("units", "add", "PB-07", *UNIT, "--speed", "22")
    with pytest.raises(BadInput):
        run("units", "add", "PB-09", *UNIT, "--speed", "0")


def test_alerts_and_taskings_are_listed(run, room, officers, raised, boat):
    grave, serious = raised("mmsi:1", seriousness="grave"), raised("mmsi:2", at=(24, 60))
    listed = json.loads(run("alerts", "--json"))
    assert [a["id"] for a in listed] == [grave, serious]
    assert [a["taken_back_at"] for a in listed] == [None, None]
    assert [a["id"] for a in json.loads(run("alerts", "--seriousness", "serious", "--json"))] == [
        serious
    ]
    room.send(officers["watch"], grave, boat.id, "Go alongside and look, then report.")
    sent = json.loads(run("taskings", "--state", "sent", "--json"))
    assert [(t["unit"], t["alert"]) for t in sent] == [("pb-07", grave)]
    assert json.loads(run("taskings", "--state", "done", "--json")) == []
    assert "serious" in run("alerts")


@pytest.mark.parametrize(
    ("words", "allowed"),
    [
        (("alerts", "--state", "bogus"), "open, acknowledged, assigned, answered, closing, closed"),
        (("alerts", "--seriousness", "bogus"), "notice, serious, grave"),
        (("taskings", "--state", "bogus"), "drafted, sent, acknowledged"),
    ],
)
def test_what_a_command_does_not_know_is_wrong_usage(run, words, allowed):
    with pytest.raises(BadUsage, match=allowed):
        run(*words)


def test_roads_are_given_to_the_node_and_stand_in_its_ledger(run, room, kernel, tmp_path):
    room.roads = tmp_path / "roads.npz"
    extract = tmp_path / "region.osm"
    extract.write_text(
        "<osm version='0.6'><node id='1' lat='29' lon='66.5' version='1'/>"
        "<node id='2' lat='29' lon='66.505' version='1'/><way id='1' version='1'><nd ref='1'/>"
        "<nd ref='2'/><tag k='highway' v='track'/></way></osm>"
    )
    assert json.loads(run("roads", str(extract), "--json")) == {"points": 2, "ways": 2}
    with kernel.rows.read() as session:
        (entry,) = (row for row in session.query(LedgerEntry) if row.act == "operations.roads.take")
    told = Entry.from_leaf(entry.leaf).detail
    assert told["sha256"] == hashlib.sha256(extract.read_bytes()).hexdigest()
    room.roads = tmp_path / "absent" / "roads.npz"
    with pytest.raises(FileNotFoundError):
        run("roads", str(extract))
    with kernel.rows.read() as session:
        assert [e.act for e in session.query(LedgerEntry)].count("operations.roads.take") == 1
    room.roads = tmp_path / "roads.npz"
    with pytest.raises(BadInput, match="no file"):
        run("roads", str(tmp_path / "absent.osm"))
    assert room.roads.is_file()
