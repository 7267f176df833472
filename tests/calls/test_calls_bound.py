"""Accounts that an accounts file binds to a ring's numbers: told, and weighing nothing."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cordon.calls import find
from cordon.calls.commands import app
from cordon.kernel.access.authorities import Draft
from cordon.kernel.access.model import Scope
from cordon.kernel.console import Console
from cordon.kernel.findings import Finding
from support.town import PEOPLE, Town


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str], Path, Path]:
    """Calls with a centre, its numbers, accounts of two of them and of others, complaints."""
    made = Town()
    made.everybody()
    used = sorted(made.centre("77", cell="410-01-9-1"))
    folder = tmp_path_factory.mktemp("town")
    accounts, complaints = folder / "accounts.csv", folder / "complaints.csv"
    accounts.write_text(
        "account,bank,phone\n"
        f"PK-1,One,{used[0]}\nPK-2,One,0{used[1][3:]}\nPK-3,Two,{PEOPLE[3]}\nPK-4,Two,\n"
    )
    complaints.write_text(
        "complaint_id,received,suspect_account\n"
        "C1,2026-03-09T10:00:00Z,PK-1\nC2,2026-03-09T10:00:00Z,PK-3\n"
    )
    return made.write(folder / "calls.csv"), used, accounts, complaints


def ring(calls: Path, **beside: Path) -> Finding:
    (one,) = (f for f in find([calls], **beside).findings if f.kind == "calls.call_centre")
    return one


def test_a_ring_tells_accounts_bound_to_its_numbers_and_those_that_complaints_name(town) -> None:
    calls, used, accounts, complaints = town
    found = ring(calls, accounts=accounts, complaints=complaints)
    links = {(n["a"], n["b"]) for n in found.extra["links"] if n["reason"] == "bound"}
    assert links == {
        (f"number:{used[0]}", "account:PK-1"), (f"number:{used[1]}", "account:PK-2"),
    }  # fmt: skip
    assert [s for s in found.subjects if s.startswith("account:")] == ["account:PK-1"]
    says = {r.name: r.says for r in found.reasons}
    assert says["accounts_bound"] == (
        "2 accounts are bound to 2 of its numbers; complaints name 1 of these accounts"
    )
    without = ring(calls, complaints=complaints)
    assert found.confidence == without.confidence
    assert "accounts_bound" not in {r.name for r in without.reasons}


def test_the_command_takes_accounts_and_tells_what_it_could_not_read(town, tmp_path) -> None:
    calls, _, _, complaints = town
    odd = tmp_path / "accounts.csv"
    odd.write_text(f"account,phone\n,{PEOPLE[1]}\nPK-9,{PEOPLE[1]}\n")
    out = tmp_path / "found.jsonl"
    answer = CliRunner().invoke(
        app,
        ["find", "--calls", str(calls), "--complaints", str(complaints), "--accounts", str(odd),
         "--out", str(out)],
        obj=Console(lambda: None),
    )  # fmt: skip
    assert answer.exit_code == 0, answer.output
    assert "1 of the 2 rows of accounts.csv could not be read" in answer.output
    assert '"accounts_bound"' not in out.read_text()


def test_a_node_uses_the_accounts_that_came_in_under_the_authority(town, site, noon) -> None:
    calls, used, accounts, complaints = town
    site.officer("inv", "investigator")
    draft = Draft(
        basis="peca_disclosure_warrant", reference="WR-1", issuer="A court",
        scope=Scope(frozenset({"calls", "payments"})),
        valid_from=noon, valid_until=noon + timedelta(days=9),
    )  # fmt: skip
    site.node.authorities.record(site.actor("inv"), draft, io.BytesIO(b"x"))
    actor = site.node.authorities.under(site.actor("inv"), "WR-1")
    room = site.node.calls
    for path, kind in ((calls, "calls"), (accounts, "accounts"), (complaints, "complaints")):
        room.ask_import(actor, io.BytesIO(path.read_bytes()), path.name, kind=kind)
    room.ask_find(actor)
    while site.node.jobs.run_next():
        pass
    (found,) = (k.finding for k in room.findings(actor) if k.finding.kind == "calls.call_centre")
    assert "account:PK-1" in found.subjects
    tied = sorted(n["b"] for n in found.extra["links"] if n["reason"] == "bound")
    # one that is no subject of the finding stays masked in it
    assert tied[0] == "account:PK-1"
    assert tied[1].startswith("account:~")
    assert f"number:{used[0]}" in found.subjects
