"""Enrolment and its page, keys, and what of alerts and taskings goes out to whom."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from cordon.kernel.access.model import Mark
from cordon.kernel.clock import SystemClock
from cordon.kernel.errors import BadInput, Conflict, NotFound, Refused, WrongSetting
from cordon.operations import TaskingState, UnitState
from cordon.operations.routes import routes
from cordon.operations.tak.desk import TakDesk
from cordon.operations.tak.keys import TakKeys
from cordon.operations.tak.markers import Markers
from cordon.operations.tak.message import read

WHY = "The phone was lost at sea."


@pytest.fixture
def clock():
    return SystemClock()


@pytest.fixture
def served_desk(kernel, tmp_path):
    return TakDesk(kernel, tmp_path / "keys", "tak.example", 8089, frozenset({"watch"}))


def test_only_those_with_rights_enrol_and_throw_out(served_desk, officers, kernel):
    desk = served_desk
    for who in ("watch", "field", "overseer", "administrator"):
        if who in officers:
            with pytest.raises(Refused):
                desk.enrol(officers[who], name="x", groups="watch")
    made = desk.enrol(officers["supervisor"], name="Pasni 1", groups="watch, pasni")
    assert made.client.groups == {"watch", "pasni"}
    with pytest.raises(Refused):
        desk.revoke(officers["overseer"], made.client.id, WHY)
    with pytest.raises(BadInput):
        desk.revoke(officers["watch"], made.client.id, "lost")
    desk.revoke(officers["watch"], made.client.id, WHY)
    with pytest.raises(Conflict):
        desk.revoke(officers["watch"], made.client.id, WHY)
    acts = [e.act for e in kernel.ledger.of_thing(f"tak:{made.client.id}", limit=10)]
    assert sorted(a for a in acts if not a.endswith("join"))[:1] == ["operations.tak.enrol"]
    assert "operations.tak.revoke" in acts


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"name": " "}, BadInput),
        ({"name": "a\u0000b"}, BadInput),
        ({"groups": ""}, BadInput),
        ({"groups": "watch, <b>"}, BadInput),
        ({"unit": "no-such"}, NotFound),
        ({"cleared": "TLP:RED"}, BadInput),
    ],
)
def test_what_cannot_be_enrolled_is_refused(served_desk, officers, given, error):
    with pytest.raises(error):
        served_desk.enrol(officers["supervisor"], **({"name": "x", "groups": "watch"} | given))
    assert served_desk.clients(officers["supervisor"]) == []


def test_the_certificate_admits_until_it_is_revoked_or_ends(served_desk, officers, kernel):
    desk = served_desk
    made = desk.enrol(officers["supervisor"], name="x", groups="watch")
    from cordon.operations.tak.tables import TakClientRow

    with kernel.rows.read() as session:
        certificate = session.get_one(TakClientRow, made.client.id).certificate
    assert desk.admit(certificate).id == made.client.id
    assert desk.admit("0" * 64) is None
    assert desk.gone({made.client.id, "another"}) == {"another"}
    assert desk.bind(made.client.id, "ANDROID-1")
    assert not desk.bind(made.client.id, "ANDROID-2")
    with kernel.rows.write() as session:
        session.get_one(TakClientRow, made.client.id).valid_until -= timedelta(days=400)
    assert desk.admit(certificate) is None
    assert desk.gone({made.client.id}) == {made.client.id}


def test_keys_are_secret_and_stay(tmp_path, clock):
    keys = TakKeys(tmp_path, "pk-test", clock.now())
    keys.server_context("127.0.0.1", clock.now())
    secrets = [p for p in tmp_path.iterdir() if b"PRIVATE KEY" in p.read_bytes()]
    assert len(secrets) == 2
    assert {p.stat().st_mode & 0o777 for p in secrets} == {0o600}
    assert TakKeys(tmp_path, "pk-test", clock.now()).authority_pem == keys.authority_pem
    (tmp_path / "tak-authority-key.pem").chmod(0o644)
    with pytest.raises(WrongSetting, match="chmod 600"):
        TakKeys(tmp_path, "pk-test", clock.now())


def test_alerts_and_taskings_go_to_those_entitled(
    phone, room, officers, raised, boat, kernel, server
):
    watch = phone("W", "watch", cleared="TLP:AMBER")
    low = phone("L", "watch", cleared="TLP:GREEN")
    crew = phone("C", "pasni", unit="pb-07", cleared="TLP:AMBER")
    other = phone("O", "pasni", cleared="TLP:AMBER")
    alert = raised("mmsi:463012345", "number:+923001234567", mark=Mark.AMBER)
    red = raised("mmsi:2", at=(24.0, 61.0), mark=Mark.RED)
    assert watch.has(f"cordon.alert.{alert}")
    told = next(m for m, _ in watch.got if m.uid == f"cordon.alert.{alert}")
    assert (told.point["lat"], told.point["lon"]) == ("25.05", "63.45")
    assert b"1234567" not in told.xml
    assert b"463012345" not in told.xml
    assert told.callsign == "Went silent"
    tasking = room.send(officers["watch"], alert, boat.id, "Go alongside & look <closely>.")
    uid = f"cordon.tasking.{tasking.id}"
    assert watch.has(uid)
    assert crew.has(uid)
    assert b"&amp; look &lt;closely&gt;" in next(m.xml for m, _ in crew.got if m.uid == uid)
    assert f"cordon.alert.{alert}" not in crew.uids()
    for one in (low, other):
        assert not [u for u in one.uids() if u.startswith(("cordon.alert", "cordon.tasking"))]
    assert f"cordon.alert.{red}" not in watch.uids()
    # what is over is taken away, and one that joins later does not see it
    room.report(officers["watch"], tasking.id, TaskingState.CANCELLED, note="No longer needed.")
    assert crew.waits_for(lambda p: any(m.link == uid for m, _ in list(p.got)))
    late = phone("D", "pasni", unit="pb-07", cleared="TLP:AMBER")
    assert late.has("ANDROID-O")
    assert uid not in late.uids()
    acts = [e.act for e in kernel.ledger.of_thing(f"alert:{alert}", limit=20)]
    assert acts.count("operations.tak.tell") == 1


@pytest.fixture
def browse(served, room, served_desk):
    app = served(routes(room, served_desk))
    return lambda who: TestClient(app, headers={"x-officer": who}, follow_redirects=False)


def test_the_page_enrols_once_and_throws_out_with_a_reason(browse, served_desk, officers):
    page = browse("supervisor")
    refused = page.post("/tak", data={"name": "Pasni <1>", "groups": "", "cleared": "TLP:GREEN"})
    assert refused.status_code == 422
    assert 'value="Pasni &lt;1&gt;"' in refused.text
    made = page.post("/tak", data={"name": "Pasni <1>", "groups": "pasni", "cleared": "TLP:GREEN"})
    assert (made.status_code, made.headers["cache-control"]) == (200, "no-store")
    password = re.search(r'<code class="num" dir="ltr">([a-z0-9-]{23})</code>', made.text)[1]
    name = re.search(r'name="name" value="([^"]+)"', made.text)[1]
    assert browse("supervisor2").post("/tak/package", data={"name": name}).status_code != 200
    package = page.post("/tak/package", data={"name": name})
    assert package.content[:2] == b"PK"
    assert password.encode() not in package.content
    assert b"tak.example:8089:ssl" not in package.content  # packed
    assert page.post("/tak/package", data={"name": name}).status_code == 404
    listed = page.get("/tak").text
    assert "Pasni &lt;1&gt;" in listed
    assert password not in listed
    client = served_desk.clients(officers["supervisor"])[0].id
    short = page.post(f"/tak/{client}/revoke", data={"why": "lost"})
    assert short.status_code == 422
    assert 'value="lost"' in short.text
    assert page.post(f"/tak/{client}/revoke", data={"why": WHY}).status_code == 303
    assert WHY in page.get("/tak").text
    assert browse("overseer").get("/tak").status_code == 200
    assert "/revoke" not in browse("overseer").get("/tak").text
    assert browse("administrator").get("/tak").status_code == 403


def test_a_node_without_a_port_enrols_nobody(kernel, tmp_path, officers):
    desk = TakDesk(kernel, tmp_path / "keys", "127.0.0.1", None, frozenset())
    with pytest.raises(Conflict, match="serves no TAK clients"):
        desk.enrol(officers["supervisor"], name="x", groups="watch")


@pytest.fixture
def no_clock(monkeypatch):
    """Nothing is looked for by the clock, only where something was told."""
    monkeypatch.setattr("cordon.operations.tak.server.LOOK_S", 3600.0)


def test_an_order_is_told_when_it_is_written_not_by_the_clock(
    no_clock, phone, room, officers, raised, boat
):
    crew, alert = phone("C", "pasni", unit="pb-07", cleared="TLP:AMBER"), raised()
    for word in ("Go alongside.", "Go alongside once more."):
        tasking = room.send(officers["watch"], alert, boat.id, word)
        assert crew.has(f"cordon.tasking.{tasking.id}", 5.0)
        room.report(officers["watch"], tasking.id, TaskingState.CANCELLED, note="Called off now.")


def test_only_what_happened_to_alerts_and_taskings_is_heard(desk, room, officers, raised, boat):
    alert, markers = raised(), Markers(desk)
    assert markers.heard()
    assert not markers.heard()
    room.set_unit_state(officers["supervisor"], boat.id, UnitState.UNAVAILABLE)
    with desk.kernel.work(desk.kernel.node) as work:
        work.emit("picture.zones.changed", {}, Mark.GREEN)
    assert not markers.heard()
    room.acknowledge(officers["watch"], alert)
    assert markers.heard()


def test_marker_text_cannot_break_out():
    from cordon.operations.tak.markers import _event

    data = _event("cordon.alert.1", "b-m-p-s-m", 'a"/><x', "</event>\x00", 1.0, 2.0, -1, 0.0)
    assert read(data, False).callsign == 'a"/><x'


def test_the_page_invites_phones_and_keeps_packages(browse, served_desk):
    served_desk.enrol_port, served_desk.package_port = 8446, 8443
    page = browse("supervisor")
    typed = {"name": "Pasni <1>", "groups": "pasni", "cleared": "TLP:GREEN", "way": "invite"}
    made = page.post("/tak", data=typed)
    assert made.status_code == 200
    assert made.headers["cache-control"] == "no-store"
    assert "tak.example:8446" in made.text
    assert "Pasni &lt;1&gt;" in made.text
    name = re.search(r'name="name" value="([\w-]+)"', made.text)[1]
    assert page.post("/tak/package", data={"name": name}).content.startswith(b"PK")
    listed = page.get("/tak").text
    invite = re.search(r"/tak/invites/([\w-]+)/withdraw", listed)[1]
    assert browse("field").post(f"/tak/invites/{invite}/withdraw").status_code == 403
    assert page.post(f"/tak/invites/{invite}/withdraw").status_code == 303
    assert page.post(f"/tak/invites/{invite}/withdraw").status_code == 409
    file = {"file": ("chart <2>.zip", b"PK\x05\x06" + bytes(18))}
    wrong = page.post("/tak/packages", data={"groups": "", "mark": "TLP:GREEN"}, files=file)
    assert wrong.status_code == 422
    given = page.post("/tak/packages", data={"groups": "pasni", "mark": "TLP:AMBER"}, files=file)
    assert given.status_code == 303
    listed = page.get("/tak").text
    assert "chart _2_.zip" in listed
    package = re.search(r'href="(/tak/packages/[\w-]+)"', listed)[1]
    got = browse("overseer").get(package)
    assert got.content.startswith(b"PK\x05\x06")
    assert got.headers["content-disposition"].startswith("attachment")
    assert browse("overseer").post(f"{package}/remove", data={"why": WHY}).status_code == 403
    assert page.post(f"{package}/remove", data={"why": "no"}).status_code == 422
    assert page.post(f"{package}/remove", data={"why": WHY}).status_code == 303
    assert page.get(package).status_code == 404
