"""The page of matching and its commands, between two nodes."""

from __future__ import annotations

import io
import json
import re
import sys
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from cordon.cli import run
from cordon.kernel.access.authorities import Draft
from cordon.kernel.access.model import Mark, Role, Scope
from cordon.sharing.match.model import Kind
from cordon.web.app import create_app
from support.matching import HELD, REFERENCE, terms, two_sides

PASSWORD = "monsoon lantern quarry"


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    folder = tmp_path_factory.mktemp("match-page")
    a, b = two_sides(folder)
    b.match.set_terms(b.actor, "pk-aa", terms(Kind.NUMBER, Kind.VESSEL))
    b.match.hold(b.actor, Kind.NUMBER, HELD[:20], "complaints")
    b.match.prepare(b.actor)
    b.carry("pk-aa")
    a.folder = folder / "a"
    console = a.node.console_actor(None)
    a.node.units.add(console, "desk-1", "Desk 1")
    now = a.kernel.clock.now()
    given = a.node.authorities.record(
        a.officer(Role.INVESTIGATOR),
        Draft(
            basis="peca_disclosure_warrant", reference=REFERENCE, issuer="Sessions Court",
            scope=Scope(frozenset({"calls"})), valid_from=now - timedelta(days=1),
            valid_until=now + timedelta(days=1),
        ),
        io.BytesIO(b"warrant"),
    )  # fmt: skip
    a.authority = given.id
    a.app = create_app(a.node)
    yield a, b
    for side in (a, b):
        side.close()


@pytest.fixture(scope="module")
def desks(two):
    a, _ = two

    def browse(role):
        a.node.officers.add(
            a.node.console_actor(None), login=role, name=f"Person {role}", roles=[Role(role)],
            unit="desk-1", cleared=Mark("TLP:AMBER+STRICT"), password=PASSWORD, must_change=False,
        )  # fmt: skip
        http = TestClient(a.app, follow_redirects=False)
        assert http.post("/sign-in", data={"login": role, "password": PASSWORD}).status_code == 303
        page = http.get("/account").text
        http.headers["X-CSRF-Token"] = re.search(r'name="csrf" content="([^"]+)"', page)[1]
        return http

    return {role: browse(role) for role in ("investigator", "supervisor", "overseer")}


ASKED = {
    "peer": "pk-bb", "kind": "number", "purpose": "investigation",
    "values": f"{HELD[4]}\n0321 9999999\nnonsense", "why": "Numbers of a complaint",
}  # fmt: skip


def test_a_question_on_the_page_from_asking_to_ringing(two, desks):
    a, _ = two
    desk = desks["investigator"]
    assert desk.get("/sharing/match").status_code == 200
    refused = desk.post("/sharing/match/ask", data=ASKED)
    assert refused.status_code == 403
    assert "No authority is chosen" in refused.text
    assert "0321 9999999" in refused.text, "what was typed is kept"
    desk.post(f"/authorities/{a.authority}/choose")
    asked = desk.post("/sharing/match/ask", data=ASKED)
    assert asked.status_code == 200, asked.text
    assert "pk-bb holds 1 of what was asked." in asked.text
    assert "Desk B, 051-1" in asked.text
    assert re.search(r'<span class="num">3</span>: That is no telephone number', asked.text)
    assert HELD[4] in asked.text
    desk.post("/authorities/none/choose")
    bare = desk.get("/sharing/match").text
    assert HELD[4] not in bare
    assert 'class="masked"' in bare
    hit = re.search(r"/sharing/match/hits/([^/]+)/rung", bare)[1]
    assert desk.post(f"/sharing/match/hits/{hit}/rung", data={"note": " "}).status_code == 422
    assert desk.post(f"/sharing/match/hits/{hit}/rung", data={"note": "Sent"}).status_code == 303
    assert "Sent" in desk.get("/sharing/match").text


def test_terms_are_set_on_the_page_by_supervisors_alone(two, desks):
    form = {
        "code": "pk-bb", "kinds": ["number", "plate"], "purposes": ["border"],
        "contact": "Desk A", "batch": "10", "daily": "5", "delay_s": "0", "agreement": "MoU 3",
    }  # fmt: skip
    desk = desks["supervisor"]
    wrong = desk.post("/sharing/match/terms", data=form)
    assert wrong.status_code == 422
    assert 'value="plate" checked' in wrong.text, "what was typed is kept"
    assert desk.post("/sharing/match/terms", data=form | {"daily": "50"}).status_code == 303
    page = desk.get("/sharing/match").text
    assert "MoU 3" in page
    assert "not prepared" in page
    for role in ("investigator", "overseer"):
        assert desks[role].post("/sharing/match/terms", data=form).status_code == 403
    assert "/sharing/match/terms" not in desks["overseer"].get("/sharing/match").text
    assert desks["overseer"].post("/sharing/match/ask", data=ASKED).status_code == 403


def test_what_others_asked_is_seen_with_its_authority(two, desks):
    a, b = two
    a.match.set_terms(a.actor, "pk-bb", terms())
    a.match.hold(a.actor, Kind.NUMBER, HELD[:3], "x")
    a.match.prepare(a.actor)
    a.carry("pk-bb")
    assert b.ask([HELD[0]], peer="pk-aa").held == (HELD[0],)
    page = desks["overseer"].get("/sharing/match").text
    assert REFERENCE in page.partition("What others asked here")[2]


def test_a_standing_question_on_the_page_from_asking_to_ringing(two, desks):
    a, b = two
    b.match.set_terms(b.actor, "pk-aa", terms(Kind.NUMBER, Kind.VESSEL, standing=2))
    b.carry("pk-aa")
    desk = desks["investigator"]
    desk.post(f"/authorities/{a.authority}/choose")
    asked = {
        "standing_peer": "pk-bb", "standing_kind": "number", "standing_purpose": "investigation",
        "standing_values": "+923217777777\nnonsense", "standing_why": "Numbers of a complaint",
        "standing_contact": "Desk A, 051-9", "standing_until": "whenever",
    }  # fmt: skip
    wrong = desk.post("/sharing/match/standing", data=asked)
    assert wrong.status_code == 422
    assert "+923217777777" in wrong.text, "what was typed is kept"
    end = a.kernel.clock.now() + timedelta(days=1)
    done = desk.post("/sharing/match/standing", data=asked | {"standing_until": f"{end:%Y-%m-%d}"})
    assert "1 standing question was asked." in done.text
    assert re.search(r'<span class="num">2</span>: That is no telephone number', done.text)
    a.carry("pk-bb")
    b.match.hold(b.actor, Kind.NUMBER, ["+923217777777"], "met on patrol")
    assert [f.met for f in b.match.standing.keeping.look(b.actor)] == [1]
    b.carry("pk-aa")
    page = desk.get("/sharing/match").text.partition("Met since it was asked")[2]
    assert "+923217777777" in page
    assert "met 1 time" in page
    desk.post("/authorities/none/choose")
    page = desk.get("/sharing/match").text.partition("Met since it was asked")[2]
    assert "+923217777777" not in page
    met = re.search(r"/sharing/match/met/([^/]+)/rung", page)[1]
    assert desk.post(f"/sharing/match/met/{met}/rung", data={"note": " "}).status_code == 422
    assert desk.post(f"/sharing/match/met/{met}/rung", data={"note": "Gone"}).status_code == 303
    path = "/sharing/match/standing/" + re.search(r"/match/standing/([^/]+)/withdraw", page)[1]
    assert desk.post(path + "/withdraw", data={"why": "no"}).status_code == 422
    why = {"why": "the person was found"}
    assert desks["overseer"].post(path + "/withdraw", data=why).status_code == 403
    assert desk.post(path + "/withdraw", data=why).status_code == 303
    a.carry("pk-bb")
    assert b.match.standing.theirs(b.actor) == []


def test_the_commands(two, monkeypatch, capsysbinary, tmp_path):
    a, _ = two
    monkeypatch.setenv("CORDON_DATA", str(a.folder))
    monkeypatch.setenv("CORDON_AGENCY", "pk-aa")

    def told(*words, code=0, given=""):
        stdin = io.TextIOWrapper(io.BytesIO(given.encode()))
        monkeypatch.setattr(sys, "stdin", stdin)
        capsysbinary.readouterr()
        assert run(["--json", "match", *words]) == code
        out = capsysbinary.readouterr().out
        return json.loads(out) if out else None

    values = tmp_path / "values.txt"
    values.write_text(f"{HELD[6]}\nx\n")
    ask = ("ask", "number", "--peer", "pk-bb", "--authority", REFERENCE, "--why",
           "Numbers of a complaint")  # fmt: skip
    came = told(*ask, "--file", str(values))
    assert (came["hits"], came["held"], came["refused"][0]["row"]) == (1, [HELD[6]], 2)
    assert told(*ask, given=f"{HELD[7]}\n+923219999999\n")["held"] == [HELD[7]]
    assert told("list")[0]["count"] == 2
    stand = ("stand", "number", "--peer", "pk-bb", "--authority", REFERENCE, "--why",
             "Numbers of a complaint", "--contact", "Desk A")  # fmt: skip
    end = f"{a.kernel.clock.now() + timedelta(hours=3):%Y-%m-%dT%H:%M:%SZ}"
    assert told(*stand, code=1, given=HELD[9]) is None  # ninety days are past the authority's end
    assert told(*stand, "--until", "soon", code=1, given=HELD[9]) is None
    (asked,) = told(*stand, "--until", end, given=HELD[9])["questions"]
    shown = {q["question"]: q["value"] for q in told("standing", "--authority", REFERENCE)}
    assert shown[asked] == HELD[9]
    assert told("standing")[0]["value"] != HELD[9]
    assert told("standing", "--theirs") == told("look") == []
    assert told("withdraw", asked, "--why", "not needed any more") == {"withdrawn": asked}
    assert {m["asked_by"] for m in told("met")} == {"this agency"}
    assert HELD[7] in {h["value"] for h in told("hits", "--authority", REFERENCE)}
    told("terms", "--peer", "pk-bb", "--kind", "vessel", "--purpose", "border", "--contact", "D")
    assert told("hold", "vessel", "--source", "list", given="9074729\n")["new"] == 1
    assert told("prepare") == [
        {"agency": "pk-bb", "kind": "vessel", "held": 1, "new": 1, "gone": 0, "size": 4096,
         "whole": True}
    ]  # fmt: skip
