"""`cordon operations …` on a node."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from cordon.kernel.access.model import Actor, Mark, Role
from cordon.kernel.console import Console
from cordon.kernel.errors import BadInput, BadUsage, Conflict
from cordon.operations.commands import app


@pytest.fixture
def rows_url(tmp_path):
    return f"sqlite:///{tmp_path / 'node.db'}"


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
