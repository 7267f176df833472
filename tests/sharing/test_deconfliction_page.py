"""Pages, JSON and commands of planned acts, and the desk on both kinds of store."""

from __future__ import annotations

import html
import re
import tempfile
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import orjson
import pytest
from fastapi.testclient import TestClient

from cordon.bootstrap import open_node
from cordon.cli import run
from cordon.kernel.access.model import Actor, Mark, Role
from cordon.kernel.clock import format_time
from cordon.settings import Settings
from cordon.sharing.deconfliction.entering import entered
from cordon.sharing.nodes.keys import NodeKeys
from cordon.web.app import create_app

PASSWORD = "monsoon lantern quarry"
HERE = "/sharing/deconfliction"
WHY = "agreed by telephone with them"


@pytest.fixture(scope="module")
def standing(tmp_path_factory, migrated_sqlite):
    folder = tmp_path_factory.mktemp("pages")
    (folder / "cordon.db").write_bytes(migrated_sqlite.read_bytes())
    made = open_node(
        Settings(data=folder, database_url=f"sqlite:///{folder / 'cordon.db'}", agency="pk-demo")
    )
    console = made.console_actor(None)
    made.units.add(console, "desk-1", "Desk 1")
    app = create_app(made)
    clients = {}
    for role in ("watch_officer", "supervisor", "overseer", "custodian"):
        made.officers.add(
            console, login=role, name=f"Person {role}", roles=[Role(role)], unit="desk-1",
            cleared=Mark.AMBER_STRICT, password=PASSWORD, must_change=False,
        )  # fmt: skip
        http = TestClient(app, follow_redirects=False)
        assert http.post("/sign-in", data={"login": role, "password": PASSWORD}).status_code == 303
        page = http.get("/account").text
        http.headers["X-CSRF-Token"] = re.search(r'name="csrf" content="([^"]+)"', page)[1]
        clients[role] = http
    yield made, clients
    made.close()


def form(node, **more):
    at = (node.kernel.clock.now() + timedelta(hours=5)).astimezone(node.country.zone)
    return {
        "kind": "raid", "lat": "25°06.24′N", "lon": "62.3", "starts": at.strftime("%Y-%m-%dT%H:%M"),
        "ring": "0300-7654321", "commander": "Captain X", "mark": "TLP:AMBER", **more,
    }  # fmt: skip


def test_an_act_is_entered_met_solved_and_let_go_on_its_pages(standing):
    node, clients = standing
    watch, chief = clients["watch_officer"], clients["supervisor"]
    asked = html.unescape(watch.get(HERE + "/new").text)
    assert 'value="Person watch_officer"' in asked
    assert 'data-island="here"' in asked
    one = watch.post(HERE, data=form(node, title="First", subjects="number:+923001234567"))
    assert one.status_code == 303, one.text
    first = one.headers["location"]
    assert "Nobody is in its way" in watch.get(first).text
    assert "Not asked, because no agreement" not in watch.get(first).text, "there is nobody else"
    with tempfile.TemporaryDirectory() as folder:
        keys = NodeKeys(Path(folder), "pk-other", node.kernel.clock.now())
    node.sharing.nodes.add(node.console_actor(None), keys.card("Other", "127.0.0.1:9"))
    page = watch.get(first).text
    assert re.search(r"Not asked, because no agreement.*pk-other.*Ring their watch", page, re.S)
    second = watch.post(HERE, data=form(node, title="Second")).headers["location"]
    page = watch.get(first).text
    assert "923001234567" not in page, "no authority covers it"
    assert "0300-7654321" in page
    refused = watch.post(first + "/go")
    assert refused.status_code == 409
    assert "in conflict with pk-demo (ring 0300-7654321)" in refused.text
    listed = watch.get(HERE).text
    assert "Conflicts that nobody has solved" in listed
    conflict = re.search(r"/conflicts/([0-9a-f-]{36})/own", page)[1]
    assert watch.post(f"{HERE}/conflicts/{conflict}/own").status_code == 303
    assert "Person watch_officer" in watch.get(second).text, "the other side sees who owns it"
    short = watch.post(f"{HERE}/conflicts/{conflict}/solve", data={"why": "done <b>"})
    assert short.status_code == 422
    assert "done &lt;b&gt;" in short.text, "what was typed is kept"
    assert "/override" not in watch.get(first).text
    denied = watch.post(f"{HERE}/conflicts/{conflict}/override", data={"why": "x" * 20})
    assert denied.status_code == 403
    chief.post(f"{HERE}/conflicts/{conflict}/override", data={"why": "a life is in danger"})
    assert watch.post(first + "/go").status_code == 303
    assert "a life is in danger" in watch.get(second).text
    assert watch.post(first + "/end", data={"why": WHY, "how": "done"}).status_code == 303
    assert "Nobody is in its way" in watch.get(second).text
    assert "First" in watch.get(HERE + "?ended=1").text
    told = watch.get("/api/sharing/planned-acts").json()["acts"]
    mine = next(a for a in told if second.endswith(a["id"]))
    assert (mine["may_go"], mine["conflicts"][0]["state"]) == (True, "gone")
    assert watch.get(f"/api/sharing/planned-acts/{mine['id']}").json()["subjects"] == []


def test_a_change_keeps_what_the_form_could_show_masked_only(standing):
    node, clients = standing
    watch = clients["watch_officer"]
    made = watch.post(HERE, data=form(
        node, lat="26", subjects="number:+923009876543\nvehicle:LEA-1"))  # fmt: skip
    act = made.headers["location"]
    shown = html.unescape(watch.get(act + "/change").text)
    typed = dict(re.findall(r'name="(\w+)"[^>]* value="([^"]*)"', shown))
    subjects = re.search(r'name="subjects"[^>]*>([^<]*)<', shown)[1]
    assert "923009876543" not in shown
    data = {**form(node), **typed, "lat": "27", "subjects": subjects, "csrf": ""}
    assert watch.post(act + "/change", data=data).status_code == 303
    shown = node.sharing.deconfliction.show(node.console_actor(None), act.rpartition("/")[2])
    assert set(shown.act.draft.subjects) == {"number:+923009876543", "vehicle:lea1"}
    assert (shown.act.revision, shown.act.draft.place.lat) == (2, 27.0)


def test_what_is_refused_keeps_what_was_typed_and_who_may_not_sees_nothing(standing):
    node, clients = standing
    got = clients["watch_officer"].post(HERE, data=form(node, lat="99", title="Kept <i>"))
    assert got.status_code == 422
    assert "Kept &lt;i&gt;" in got.text
    assert 'value="0300-7654321"' in got.text
    assert clients["custodian"].get(HERE).status_code == 403
    overseer = clients["overseer"]
    assert overseer.get(HERE).status_code == 200
    assert HERE + "/new" not in overseer.get(HERE).text
    assert overseer.post(HERE, data=form(node)).status_code == 403
    assert clients["watch_officer"].get(HERE + "/nothing").status_code == 404
    urdu = clients["watch_officer"].get(HERE, headers={"Accept-Language": "ur"})
    assert urdu.status_code == 200


def test_commands_add_check_solve_override_and_go(tmp_path, monkeypatch, capsysbinary):
    monkeypatch.setenv("CORDON_DATA", str(tmp_path / "own"))

    def told(*words, code=0):
        capsysbinary.readouterr()
        assert run(["--json", "deconflict", *words]) == code
        out = capsysbinary.readouterr().out
        return orjson.loads(out) if out else None

    common = ("--lat", "25.1", "--lon", "62.3", "--ring", "021-1234567", "--commander", "X")
    one = told("add", "raid", *common, "--subject", "vehicle:LEA-1")
    assert (one["may_go"], one["subject_count"]) == (True, 1)
    two = told("add", "arrest", *common)
    (met,) = two["conflicts"]
    assert (met["agency"], met["ring"], met["blocks"]) == ("xx-demo", "021-1234567", True)
    told("add", "party", *common, code=1)
    told("go", two["id"], code=1)
    told("own", met["id"])
    told("solve", met["id"], "--how", WHY)
    assert told("check", two["id"])["conflicts"][0]["state"] == "solved"
    told("go", two["id"], code=1)
    listed = told("list", "--conflicts")
    other = next(c["id"] for c in listed if c["act"] == one["id"])
    told("override", other, "--reason", "a life is in danger", "--commander", "Major Y")
    told("go", one["id"])
    told("override", one["id"], "--unchecked", "--reason", WHY, "--commander", "Y", code=1)
    told("end", two["id"], "--reason", WHY, "--cancelled")
    assert [a["state"] for a in told("list")] == ["going"]
    assert [a["state"] for a in told("list", "--ended")] == ["cancelled"]


def test_the_desk_is_the_same_on_both_stores(rows_url, tmp_path):
    node = open_node(Settings(data=tmp_path / "data", database_url=rows_url, agency="pk-demo"))
    desk = node.sharing.deconfliction
    watch = Actor("w", "W", "pk-demo", "d", frozenset({Role.WATCH_OFFICER}), Mark.AMBER)
    at = format_time(node.kernel.clock.now() + timedelta(hours=3))
    ids = []
    for lat, subject in (("30", "vehicle:a1"), ("30.01", ""), ("24", "vehicle:A-1")):
        typed = {"lat": lat, "lon": "70", "starts": at, "ring": "021-12", "commander": "X",
                 "subjects": subject}  # fmt: skip
        ids.append(desk.add(watch, entered(typed, desk.kind("raid"), ZoneInfo("UTC"))))
    met = {(c.act, c.basis) for i in ids for c in desk.show(watch, i).conflicts}
    place, subject = ("place",), ("subject",)
    assert met == {(ids[0], place), (ids[0], subject), (ids[1], place), (ids[2], subject)}
    desk.change(watch, ids[1], entered({
        "lat": "31", "lon": "70", "starts": at, "ring": "021-12", "commander": "X",
    }, desk.kind("raid"), ZoneInfo("UTC")))  # fmt: skip
    desk.end(watch, ids[2], WHY, cancelled=True)
    desk.go(watch, ids[0])
    assert desk.round() == 0
    assert [s.act.state for s in desk.planned(watch)] == ["going", "planned"]
    assert desk.conflicts(watch) == []
    node.close()
