"""Commands as formats.md promises: one line and 1 where they fail, 2 on wrong usage, JSON."""

from __future__ import annotations

import json

import pytest
import typer
from typer.testing import CliRunner

from cordon import cli
from cordon.commands import demo, serving
from cordon.kernel.console import Console
from cordon.kernel.errors import BadInput


@pytest.fixture
def node(tmp_path, monkeypatch):
    """The settings of a node of its own, for commands that open one."""
    monkeypatch.setenv("CORDON_DATA", str(tmp_path / "node"))
    monkeypatch.setenv("CORDON_LOG_LEVEL", "error")
    return tmp_path / "node"


@pytest.mark.usefixtures("node")
@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["ledger", "export", "/proc/nope/x"], "/proc/nope"),
        (["ledger", "checkpoint", "--out", "/nonexistent/f"], "/nonexistent/f "),
        (["backup", "/proc/nope/x"], "/proc/nope"),
        (["picture", "zones", "/nonexistent/zones.json"], "/nonexistent/zones.json"),
        (["exercise", "score", "/nonexistent/truth", "/nonexistent/findings"], "/nonexistent/"),
        (["exercise", "generate", "watch", "--out", "/proc/x", "--days", "0.1"], "/proc/x"),
    ],
)
def test_a_path_that_cannot_be_used_is_named_on_one_line(arguments, named, capsys):
    assert cli.run(arguments) == 1
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith("cordon: ")
    assert named in line
    assert "No such file" in line or "denied" in line


def test_whatever_the_machine_says_is_one_line():
    many = OSError([("a", "b", "first\nsecond")])
    for fault in (OSError("bare\nwords"), OSError(5, "Input/output error"), many):
        assert "\n" not in cli._what_and_why(fault)


@pytest.mark.usefixtures("node")
@pytest.mark.parametrize(
    "arguments",
    [
        ["cases", "open", "A title", "--mark", "foo"],
        ["ledger", "verify", "--key", "key.pub"],
        ["ledger", "verify", "--slice"],
        ["ledger", "verify", "--export", ".", "--slice", "--since", "4"],
        ["ledger", "verify", "--export", ".", "--since", "-4"],
        ["ledger", "nothing"],
    ],
)
def test_wrong_usage_ends_with_2(arguments, capsys):
    assert cli.run(arguments) == 2
    assert capsys.readouterr().err


def test_a_backup_leaves_out_what_is_being_made(node, tmp_path, capsys):
    assert cli.run(["ledger", "checkpoint"]) == 0
    (node / "bundles" / "20260306-1").mkdir(parents=True)
    (node / "bundles" / "20260306-1" / "bagit.txt").write_text("x")
    (node / "bundles" / ".sealing-abc" / "bundle").mkdir(parents=True)
    assert cli.run(["backup", str(tmp_path / "copy")]) == 0, capsys.readouterr().err
    copied = {p.name for p in (tmp_path / "copy" / "bundles").iterdir()}
    assert copied == {"20260306-1"}


def told(command, monkeypatch, *arguments):
    """What a serving command says before it serves."""
    monkeypatch.setattr(serving, "run", lambda *_: None)
    monkeypatch.setattr(demo, "run", lambda *_: None)
    monkeypatch.setattr(demo, "play", lambda *_: None)
    app = typer.Typer()

    @app.callback()
    def root(ctx: typer.Context) -> None:
        ctx.obj = Console(lambda: None)

    app.command("it")(command)
    return json.loads(CliRunner().invoke(app, ["it", *arguments], catch_exceptions=False).stdout)


def free_port():
    """A port that is free now, with the one that a node of the demonstration takes beside it."""
    for port in range(23_000, 24_000):
        try:
            demo.check_ports(port, 3)
        except BadInput:
            continue
        return port
    raise AssertionError("no port is free")


def test_serving_says_where_in_one_line_of_json(node, tmp_path, monkeypatch):
    monkeypatch.setenv("CORDON_AGENCY", "pk-test")
    monkeypatch.setenv("CORDON_PUBLIC_URL", "https://node.example")
    said = told(serving.serve, monkeypatch, "--json")
    assert (said["address"], said["agency"]) == ("https://node.example", "pk-test")
    said = told(serving.serve, monkeypatch, "--port", "8123", "--json")
    assert said["address"] == "https://node.example"
    monkeypatch.delenv("CORDON_PUBLIC_URL")
    said = told(serving.serve, monkeypatch, "--port", "8123", "--json")
    assert said["address"] == "http://127.0.0.1:8123"
    folder = tmp_path / "demo"
    port = free_port()
    said = told(
        demo.demo, monkeypatch, "--data", str(folder), "--port", str(port), "--nodes", "1", "--json"
    )
    assert said["address"] == f"http://127.0.0.1:{port}"
    assert said["nodes"] == [{k: v for k, v in said.items() if k != "nodes"}]
    lines = (folder / "coast" / "officers.txt").read_text().splitlines()
    passwords = dict(line.split("\t") for line in lines)
    assert {o["login"]: o["password"] for o in said["officers"]} == passwords


def every(group, path=()):
    """Every command below a group, with its path."""
    context = typer.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if hasattr(command, "list_commands"):
            yield from every(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


def test_every_command_has_json():
    found = dict(every(typer.main.get_command(cli.application())))
    assert len(found) > 30
    without = [n for n, c in found.items() if not any("--json" in p.opts for p in c.params)]
    assert without == []
