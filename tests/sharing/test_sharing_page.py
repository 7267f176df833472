"""The room's page and its commands: accounts are made, given rights and revoked with a reason."""

from __future__ import annotations

import re
from pathlib import Path

import orjson
import pytest
from fastapi.testclient import TestClient

from cordon.cli import run
from cordon.kernel.access.model import Mark, Role
from support.sharewords import OPEN, Caller, indicator

PASSWORD = "monsoon lantern quarry"
EXAMPLE = Path(__file__).parents[2] / "docs" / "rooms" / "sharing-example.yaml"


@pytest.fixture
def rows_url(sqlite_url):
    """Pages are the same on both stores; the server is tested on both."""
    return sqlite_url


@pytest.fixture
def browse(node, app):
    """A signed-in client of a new officer."""
    console = node.console_actor(None)
    node.units.add(console, "desk-1", "Desk 1")

    def client(role, cleared="TLP:AMBER+STRICT"):
        node.officers.add(
            console, login=role, name=f"Person {role}", roles=[Role(role)], unit="desk-1",
            cleared=Mark(cleared), password=PASSWORD, must_change=False,
        )  # fmt: skip
        http = TestClient(app, follow_redirects=False)
        answer = http.post("/sign-in", data={"login": role, "password": PASSWORD})
        assert answer.status_code == 303, answer.text
        page = http.get("/account").text
        http.headers["X-CSRF-Token"] = re.search(r'name="csrf" content="([^"]+)"', page)[1]
        return http

    return client


def test_an_account_is_made_used_and_revoked(browse, app, both):
    desk = browse("supervisor")
    both.add([indicator(1)])
    both.get(f"collections/{OPEN}/objects/")
    page = desk.get("/sharing").text
    assert "/taxii2/province/" in page
    assert "1 taken in" in page
    assert "1 given out" in page
    made = desk.post("/sharing/accounts", data={
        "name": "navy", "cleared": "TLP:GREEN", "collection": OPEN, "right": "read"})  # fmt: skip
    password = re.search(r'navy</b> · <b class="num" dir="ltr">([^<]+)<', made.text)[1]
    assert password not in desk.get("/sharing").text, "it is shown once"
    navy = Caller(app, "navy", password)
    assert len(navy.get(f"collections/{OPEN}/objects/").json()["objects"]) == 1
    account = re.search(r"/sharing/accounts/([0-9a-f-]{36})/revoke", desk.get("/sharing").text)[1]
    desk.post(f"/sharing/accounts/{account}/rights", data={"collection": OPEN, "right": "none"})
    navy.get(f"collections/{OPEN}/objects/", 403)
    short = desk.post(f"/sharing/accounts/{account}/revoke", data={"why": "no"})
    assert short.status_code == 422
    assert 'value="no"' in short.text, "what was typed stays"
    gone = desk.post(f"/sharing/accounts/{account}/revoke", data={"why": "The treaty has ended."})
    assert gone.status_code == 303
    assert navy.http.get("/taxii2/").status_code == 401
    assert "The treaty has ended." in desk.get("/sharing").text


def test_a_refused_form_keeps_what_was_typed(browse):
    desk = browse("supervisor")
    for name, cleared, collection, right in (
        ("x y", "TLP:GREEN", "", ""),
        ("both", "TLP:GREEN", "", ""),
        ("navy", "TLP:RED", "", ""),
        ("navy", "pink", "", ""),
        ("navy", "TLP:GREEN", OPEN, "all"),
        ("navy", "TLP:GREEN", "nothing", "read"),
    ):
        given = {"name": name, "cleared": cleared, "collection": collection, "right": right}
        got = desk.post("/sharing/accounts", data=given)
        assert got.status_code in (404, 409, 422), given
        assert f'value="{name}"' in got.text


def test_who_may_not_give_out_does_not(browse):
    form = {"name": "navy", "cleared": "TLP:GREEN"}
    reading = browse("investigator")
    page = reading.get("/sharing").text
    assert "/sharing/accounts" not in page
    assert reading.post("/sharing/accounts", data=form).status_code == 403
    for role in ("watch_officer", "administrator", "custodian"):
        assert browse(role).get("/sharing").status_code == 403
    overseer = browse("overseer")
    assert overseer.get("/sharing").status_code == 200
    assert overseer.post("/sharing/accounts", data=form).status_code == 403


def test_an_officer_who_is_not_cleared_sees_no_count_of_it(browse, both):
    both.add([indicator(1), indicator(2, object_marking_refs=[
        "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"])])  # fmt: skip
    row = r'Leads</a></td>.*?<td class="end num">(\d+)</td>'
    low = browse("investigator", "TLP:GREEN").get("/sharing").text
    assert re.search(row, low, re.S)[1] == "1"
    assert re.search(row, browse("supervisor").get("/sharing").text, re.S)[1] == "2"


def test_commands_load_list_make_and_revoke(tmp_path, monkeypatch, capsysbinary):
    monkeypatch.setenv("CORDON_DATA", str(tmp_path / "own"))

    def told(*words, code=0):
        capsysbinary.readouterr()
        assert run(["--json", "sharing", *words]) == code
        out = capsysbinary.readouterr().out
        return orjson.loads(out) if out else None

    assert told("taxii", "load", str(EXAMPLE))["collections"] == 2
    assert told("taxii", "load", str(EXAMPLE))["collections"] == 0
    broken = tmp_path / "broken.json"
    broken.write_bytes(orjson.dumps({"roots": [{"name": "UP", "title": "x"}]}))
    rejects = tmp_path / "rejects.txt"
    loaded = told("taxii", "load", str(broken), "--rejects", str(rejects))
    assert loaded["refused"][0]["place"] == "roots[0]"
    assert rejects.read_text().startswith("roots[0]: ")
    listed = told("list")
    assert {c["alias"]: c["objects"] for c in listed} == {"vessels": 1, "inbox": 0}
    made = told("accounts", "add", "navy", "--read", "border/vessels", "--cleared", "TLP:GREEN")
    assert len(made["password"]) >= 24
    told("accounts", "add", "navy", code=1)
    told("accounts", "add", "other", "--cleared", "TLP:PINK", code=2)
    told("accounts", "add", "other", "--read", "nothing", code=1)
    assert {a["name"]: a["rights"] for a in told("accounts", "list")} == {"navy": 1, "province": 2}
    told("accounts", "revoke", "navy", "--why", "The treaty has ended.")
    told("accounts", "revoke", "nobody", "--why", "The treaty has ended.", code=1)
    gone = next(a for a in told("accounts", "list") if a["name"] == "navy")
    assert gone["revoked_at"]
