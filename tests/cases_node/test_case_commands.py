"""The room's commands: on a node, and verifying with none."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from cordon.cases.commands import app, evidence
from cordon.kernel.access.model import Actor, Mark, Role
from cordon.kernel.console import Console
from cordon.kernel.errors import BadInput, BadUsage, DoesNotVerify, NotFound, Unavailable


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
    with pytest.raises(BadUsage):
        run(app, "open", "A title", "--mark", "TLP:BLUE")


@pytest.fixture
def broken(run, tmp_path, break_custody):
    """The number of a case in which the custody of E-1 is broken."""
    opened = json.loads(run(app, "open", "A silent vessel", "--json").stdout)
    photo = tmp_path / "deck.jpg"
    photo.write_bytes(b"\xff\xd8 a photograph")
    added = run(
        app, "exhibit", "add", opened["number"], photo, "--from", "agency:pk-test", "--json"
    )
    break_custody(json.loads(added.stdout)["id"])
    return opened["number"]


def test_breaks_of_custody_are_declared(run, broken, tmp_path, cases, kernel):
    out = tmp_path / "out"
    with pytest.raises(BadInput, match="E-1:gap") as undeclared:
        run(evidence, "seal", broken, "--out", out)
    assert "\n" not in str(undeclared.value)
    for wrong in ("E-1", "E-1:gap", "E-1:nonsense=x", "gap=x"):
        with pytest.raises(BadUsage):
            run(evidence, "seal", broken, "--out", out, "--declare", wrong)
    with pytest.raises(BadInput, match="E-2:gap"):
        run(evidence, "seal", broken, "--out", out, "--declare", "E-1:gap=a",
            "--declare", "E-2:gap=b")  # fmt: skip
    assert not out.exists()
    run(evidence, "seal", broken, "--out", out, "--declare", "E-1:gap=It stood in Store 9")
    told = run(evidence, "verify", out, with_node=False).stderr
    assert "It stood in Store 9" in told
    assert "verifies" in told
    (entry,) = (e for e in kernel.ledger.entries() if e.act == "cases.bundle.seal")
    assert entry.detail["declared"] == 1


def test_a_job_seals_with_what_was_declared(cases, broken, officers, kernel):
    from cordon.cases.bundle import verify
    from cordon.cases.declaring import Declaration
    from cordon.kernel.jobs import Jobs

    who = officers["custodian"]
    jobs = Jobs(kernel, lambda _stored: who)
    for kind in cases.job_kinds():
        jobs.register(kind)
    cases.bundles.jobs = jobs
    with pytest.raises(BadInput, match="E-1:gap"):  # at once, and not when the job comes to it
        cases.bundles.ask(who, broken)
    cases.bundles.ask(who, broken, [Declaration.parse("e-1:gap = Old name = Store 9")])
    jobs.run_next()
    (bundle,) = cases.view(who, broken).bundles
    told = verify(cases.bundles.path(bundle), str(kernel.ledger.verifier))
    assert told.ok, told.problems
    assert any("Old name = Store 9" in remark for remark in told.remarks)


def test_a_place_that_cannot_be_written_is_found_before_sealing(run, cases, officers, tmp_path):
    number = json.loads(run(app, "open", "A silent vessel", "--json").stdout)["number"]
    (tmp_path / "file").write_text("x")
    (tmp_path / "dangling").symlink_to("nowhere")
    for out in ("/proc/nope/x", tmp_path / "file/x", tmp_path / "dangling"):
        with pytest.raises(BadUsage) as refused:
            run(evidence, "seal", number, "--out", out)
        assert "\n" not in str(refused.value)
        assert refused.value.exit_code == 2
    assert cases.view(officers["custodian"], number).bundles == ()
    run(evidence, "seal", number, "--out", tmp_path / "new/deep/out")
    assert [p.name for p in (tmp_path / "new/deep").iterdir()] == ["out"]


def test_a_copy_that_fails_says_that_the_case_is_sealed(
    run, cases, officers, tmp_path, monkeypatch
):
    number = json.loads(run(app, "open", "A silent vessel", "--json").stdout)["number"]

    def full(*_args, **_more):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("cordon.cases.copying.shutil.copytree", full)
    with pytest.raises(Unavailable, match="is sealed"):
        run(evidence, "seal", number, "--out", tmp_path / "copies/out")
    assert list((tmp_path / "copies").iterdir()) == []
    assert len(cases.view(officers["custodian"], number).bundles) == 1


def test_states_are_named(run):
    with pytest.raises(BadUsage, match="open, closed") as refused:
        run(app, "list", "--state", "bogus")
    assert refused.value.exit_code == 2
    assert json.loads(run(app, "list", "--state", "closed", "--json").stdout) == []
