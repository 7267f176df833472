"""The room's commands: on a node, and verifying with none."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from cordon.cases.commands import app, evidence
from cordon.kernel.access.model import Actor, Mark, Role
from cordon.kernel.console import Console
from cordon.kernel.errors import BadInput, BadUsage, DoesNotVerify, NotFound


@pytest.fixture
def run(cases, kernel):
    """Runs a command at the node's own console; `node=False` fails where a node is opened."""
    actor = Actor("console:root", "Console", kernel.agency, "console", frozenset({Role.CONSOLE}),
                  Mark.AMBER_STRICT)  # fmt: skip
    node = SimpleNamespace(
        kernel=kernel, room=lambda _name: cases, console_actor=lambda _authority: actor
    )

    def no_node():
        raise AssertionError("a node was opened")

    def call(group, *args, with_node=True):
        console = Console((lambda: node) if with_node else no_node)
        answer = CliRunner().invoke(group, [str(a) for a in args], obj=console)
        if answer.exception is not None and not isinstance(answer.exception, SystemExit):
            raise answer.exception
        return answer

    return call


def test_from_the_console(run, keep, kernel, tmp_path):
    finding = keep()
    opened = json.loads(run(app, "open", "A silent vessel", "--finding", finding, "--json").stdout)
    photo = tmp_path / "deck.jpg"
    photo.write_bytes(b"\xff\xd8 a photograph")
    added = json.loads(
        run(app, "exhibit", "add", opened["number"], photo, "--from", "agency:pk-test",
            "--kind", "photo", "--json").stdout
    )  # fmt: skip
    assert (added["label"], added["media_type"]) == ("E-1", "image/jpeg")
    (line,) = json.loads(run(app, "list", "--json").stdout)
    assert (line["number"], line["exhibits"], line["findings"]) == (opened["number"], 1, 1)

    out = tmp_path / "out"
    sealed = json.loads(run(evidence, "seal", opened["id"], "--out", out, "--json").stdout)
    assert sealed["withheld"] == 0
    with pytest.raises(BadUsage):
        run(evidence, "seal", opened["number"], "--out", out)

    key = tmp_path / "key.pub"
    key.write_text(f"{kernel.ledger.verifier}\n")
    told = json.loads(run(evidence, "verify", out, "--key", key, "--json", with_node=False).stdout)
    assert (told["ok"], told["root"], told["key_given"]) == (True, sealed["root"], True)
    assert "verifies" in run(evidence, "verify", out, with_node=False).stderr

    photo_in = next((out / "data/exhibits").iterdir())
    photo_in.write_bytes(b"another photograph")
    with pytest.raises(DoesNotVerify, match=photo_in.name) as failed:
        run(evidence, "verify", out, "--key", key, with_node=False)
    assert "\n" not in str(failed.value)
    answer = run(evidence, "verify", out, "--json", with_node=False)
    assert answer.exit_code == 1
    assert not json.loads(answer.stdout)["ok"]


def test_what_is_not_there(run, tmp_path):
    with pytest.raises(NotFound):
        run(evidence, "seal", "C-2026-0001", "--out", tmp_path / "out")
    with pytest.raises(BadInput):
        run(evidence, "verify", tmp_path / "none", with_node=False)
    with pytest.raises(BadInput):
        run(app, "open", "A title", "--mark", "TLP:BLUE")
