"""`cordon sharing agreements` and `requests`, on a node that another one speaks with."""

from __future__ import annotations

import json

import orjson
import pytest

from cordon.cli import run
from cordon.kernel.access.model import Mark
from cordon.sharing.requests.model import RequestKind, Urgency
from support.agreeing import B, exchange, plain

FAR = {"ends": "2120-01-01T00:00:00Z"}


@pytest.fixture
def said(agencies, capfdbinary, monkeypatch):
    a, _ = agencies
    monkeypatch.setenv("CORDON_DATA", str(a.node.data))
    monkeypatch.setenv("CORDON_AGENCY", a.code)

    def call(*args):
        capfdbinary.readouterr()
        code = run(["sharing", *args, "--json"])
        out = capfdbinary.readouterr().out
        return code, orjson.loads(out) if out else None

    return call


@pytest.fixture
def file(tmp_path):
    def write(terms):
        made = tmp_path / "terms.json"
        made.write_text(terms if isinstance(terms, str) else json.dumps(terms), "utf-8")
        return str(made)

    return write


def test_an_agreement_is_drafted_signed_by_another_and_ended(agencies, said, file):
    a, b = agencies
    code, made = said("agreements", "draft", file(plain(title="By command", **FAR)))
    assert (code, made["state"], made["signed"]) == (0, "drafted", False)
    # what was drafted at a console is signed by nobody at a console, whatever their account
    assert said("agreements", "sign", made["id"])[0] == 1
    assert a.entries("sharing.agreement.sign")[-1].outcome == "refused"
    a.room.agreements.sign(a.second, made["id"])
    exchange(a, b)
    b.room.agreements.sign(b.first, made["id"])
    exchange(a, b)
    code, shown = said("agreements", "show", made["id"])
    assert (code, shown["state"], shown["terms"]) == (0, "in_force", plain_read(FAR))
    assert [s["agency"] for s in shown["signatures"]] == [a.code, B]
    assert shown["clauses"]["mark"] == "Nothing goes that is marked stricter than TLP:AMBER."
    assert shown["cedar"].startswith(f'@id("{made["id"]}")')
    listed = said("agreements", "list")[1]
    assert [(one["id"], one["state"]) for one in listed] == [(made["id"], "in_force")]
    assert said("agreements", "end", made["id"], "--why", "short")[0] != 0
    assert said("agreements", "end", made["id"], "--why", "it is not needed any more")[0] == 0
    assert a.entries("sharing.agreement.end")[-1].actor.startswith("console:")
    assert said("agreements", "show", made["id"])[1]["state"] == "ended"


def plain_read(changed):
    from cordon.sharing.agreements.model import Terms

    return Terms.read(plain(title="By command", **changed)).plain()


def test_what_an_officer_drafted_a_console_signs(agencies, said):
    from support.agreeing import terms

    a, _ = agencies
    made = a.room.agreements.draft(a.first, terms(title="Of an officer", **FAR))
    code, signed = said("agreements", "sign", made.id)
    assert (code, signed["state"]) == (0, "signed")
    assert run(["sharing", "agreements", "show", made.id]) == 0  # in words, too
    assert run(["sharing", "agreements", "list"]) == 0


def test_hostile_files_and_ids_are_refused(said, file):
    for wrong in ("", "[", "[" * 100_000, "null", plain(classes=[]),
                  {**plain(), "more": 1}, plain(parties=[])):  # fmt: skip
        assert said("agreements", "draft", file(wrong))[0] not in (0, None)
        assert said("agreements", "dry-run", file(wrong))[0] not in (0, None)
    assert said("agreements", "show", "none")[0] == 1
    assert said("agreements", "sign", "none")[0] == 1


def test_a_dry_run_is_of_a_file(said, file):
    code, run_ = said("agreements", "dry-run", file(plain(**FAR)))
    assert (code, run_["receivers"], run_["cut"]) == (0, [B], False)
    assert run_["goes"][B] == sum(not t["against"][B] for t in run_["things"])


def test_requests_are_asked_and_answered(agencies, said):
    from support.agreeing import agree

    a, b = agencies
    words = ("--text", "Which boats left Jiwani on the 27th?", "--basis", "Section 160")
    assert said("requests", "ask", B, *words)[0] == 1  # no agreement is in force
    agree(a, b, title="To ask", purposes=["safety_of_life"], **FAR)
    assert said("requests", "ask", B, *words, "--urgency", "soon")[0] == 2
    code, asked = said("requests", "ask", B, *words, "--urgency", "flash")
    assert (code, asked["state"], asked["urgency"], asked["way"]) == (0, "open", "flash", "ours")
    other = b.room.requests.ask(
        b.reader, a.code, RequestKind.ACTION, Urgency.URGENT, "Stop the boat, please.", "Law",
        Mark.AMBER,
    )  # fmt: skip
    third = b.room.requests.ask(
        b.reader, a.code, RequestKind.ACTION, Urgency.URGENT, "Stop the other boat.", "Law"
    )
    exchange(a, b)
    assert said("requests", "answer", other.id)[0] == 2
    assert said("requests", "answer", asked["id"], "--said", "Two of them")[0] == 1  # ours
    assert said("requests", "answer", other.id, "--refuse", "no_mood")[0] == 2
    code, ended = said("requests", "answer", other.id, "--refuse", "not_held")
    assert (code, ended["state"], ended["ground"]) == (0, "refused", "not_held")
    code, ended = said("requests", "answer", third.id, "--said", "It is stopped.")
    assert (code, ended["state"], ended["said"]) == (0, "answered", "It is stopped.")
    exchange(a, b)
    theirs = {one.id: one.state.value for one in b.room.requests.list(b.reader)}
    assert (theirs[other.id], theirs[third.id]) == ("refused", "answered")
    listed = said("requests", "list")[1]
    assert {one["id"] for one in listed} == {asked["id"], other.id, third.id}
    assert listed[0]["state"] == "open"
