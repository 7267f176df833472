"""The room's pages and API, drawn through the real templates on a small application."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient

from cordon.kernel.access.model import Mark
from cordon.operations import TaskingState
from cordon.operations.routes import routes

ORDER = "Go alongside, look at its papers and its gear, report."
NOTE = "Net drying on deck, papers in order, master warned."


@pytest.fixture
def rows_url(sqlite_url):
    """Pages are the same on both stores; the services are tested on both."""
    return sqlite_url


@pytest.fixture
def app(served, room):
    return served(routes(room))


@pytest.fixture
def browse(app):
    """A client of an officer."""

    def client(officer, **headers):
        return TestClient(app, headers={"x-officer": officer, **headers}, follow_redirects=False)

    return client


def test_the_queue_is_worked_by_keyboard(browse, room, officers, raised):
    first, second = raised("mmsi:1", seriousness="grave"), raised("mmsi:9", at=(24, 60))
    number = raised("number:+923001234567", at=None, kind="calls.fan_out")
    body = browse("watch").get("/alerts").text
    assert re.findall(r'id="alert-([^"]+)"', body) == [first, second, number]
    assert body.count("data-row") == 3
    for key, form in {"a": "assign", "s": "send", "c": "case", "e": "close"}.items():
        assert f'data-act-{key}="/alerts/{first}/{form}"' in body
    assert f'data-post-x="/alerts/{first}/acknowledge"' in body
    sent = re.search(r'data-back="/alerts">.*<form method="post" data-post hidden>(.*?)</form>',
                     body, re.DOTALL)  # fmt: skip
    assert 'name="csrf" value="token-of-the-form"' in sent[1]
    assert 'name="back" value="/alerts"' in sent[1]
    assert "due in 15 min · unassigned" in body
    assert "+92300" not in body
    assert f'data-since="{number}"' in body
    # an overseer reads and is offered nothing
    assert "data-act" not in browse("overseer").get("/alerts").text
    assert browse("administrator").get("/alerts").status_code == 403


def test_the_queue_is_acknowledged_without_leaving_it(browse, room, officers, raised):
    alert = raised("mmsi:1")
    client = browse("watch")
    at = "/alerts?seriousness=serious&mine=0"
    assert 'value="/alerts?seriousness=serious&amp;mine=0"' in client.get(at).text
    # the panel beside the map, and what is pulled in there, come back to the map
    for piece in ("/alerts/panel", "/alerts"):
        page = {"hx-request": "true", "hx-current-url": "http://testserver/picture?at=1"}
        shown = client.get(piece, headers=page)
        assert 'name="back" value="/picture?at=1"' in shown.text
    back = client.post(f"/alerts/{alert}/acknowledge", data={"back": at})
    assert (back.status_code, back.headers["location"]) == (303, f"{at}#alert-{alert}")
    assert room.alert(officers["watch"], alert).alert.state == "acknowledged"
    body = client.get("/alerts").text
    assert "data-post-x" not in body
    assert "data-act-a" in body
    for elsewhere in ("//evil.example", "https://evil.example/alerts", "/alerts\\evil", "/account"):
        sent = client.post(f"/alerts/{alert}/acknowledge", data={"back": elsewhere})
        assert sent.headers["location"] == f"/alerts/{alert}"


def test_what_is_pulled_in_can_be_chosen_in_the_queue_and_not_beside_the_map(browse, raised):
    raised("mmsi:1")
    for at, choices in (("alerts", 1), ("picture", 0)):
        page = {"hx-request": "true", "hx-current-url": f"http://testserver/{at}"}
        body = browse("watch").get("/alerts", headers=page).text
        assert body.count('<input type="checkbox" name="alert"') == choices


def test_a_row_offers_no_key_that_would_be_refused(browse, room, officers, raised):
    closed = raised("mmsi:1", seriousness="notice")
    with_case = raised("mmsi:9", at=(24, 60))
    room.close(officers["watch"], closed, "explained", NOTE)
    room.open_case(officers["watch"], with_case, "A silent boat")
    assert "data-act" not in browse("watch").get("/alerts?state=closed").text
    body = browse("watch").get("/alerts").text
    assert f'data-act-e="/alerts/{with_case}/close"' in body
    assert "data-act-c" not in body


def test_new_ones_are_counted_and_pulled_in(browse, raised):
    first = raised("mmsi:1")
    client = browse("watch")
    assert client.get("/alerts/new", params={"since": first}).json() == {"new": 0}
    second = raised("mmsi:2", at=(24, 60), kind="picture.encounter")
    assert client.get("/alerts/new", params={"since": first}).json() == {"new": 1}
    told = client.get("/alerts/new", params={"since": first, "kind": "picture.gap"}).json()
    assert told == {"new": 0}
    pulled = client.get("/alerts?kind=picture.encounter", headers={"hx-request": "true"}).text
    assert pulled.lstrip().startswith('<div id="alerts"')
    assert f"alert-{second}" in pulled
    assert f"alert-{first}" not in pulled


def test_each_subject_stands_for_itself_where_one_reads_from_the_right(browse, raised):
    """One direction around them all would be that of a name or a position in Latin letters."""
    raised("mmsi:1")
    body = browse("watch").get("/alerts").text
    assert re.search(r'<span class="quiet says"><bdi>MMSI 1</bdi>(?! *</bdi>)', body)


def test_filters_live_in_the_address(browse, raised):
    raised("mmsi:1")
    body = browse("watch").get("/alerts?seriousness=grave&mine=1").text
    assert "Nothing waits here" in body
    assert "/alerts/new?seriousness=grave&amp;mine=1" in body
    assert browse("watch").get("/alerts?state=asleep").status_code == 422


def test_an_alert_says_why_and_is_answered(browse, room, officers, raised, boat, clock):
    alert = raised()
    client = browse("watch")
    body = client.get(f"/alerts/{alert}").text
    assert "Silent for 46 min." in body
    assert "threshold 30 min" in body
    assert "25°03.000′N" in body
    assert "/findings/" in body
    assert "What fools it" in body
    assert "Raised" in body

    assert client.post(f"/alerts/{alert}/acknowledge").status_code == 303
    twice = browse("watch2").post(f"/alerts/{alert}/acknowledge")
    assert twice.status_code == 409
    assert "Officer watch." in twice.text

    form = client.get(f"/alerts/{alert}/send", headers={"hx-request": "true"}).text
    assert form.lstrip().startswith("<form")
    assert "straight line" in form
    assert 'name="csrf" value="token-of-the-form"' in form
    short = client.post(f"/alerts/{alert}/send", data={"unit": boat.id, "order": "Go <b>now"})
    assert short.status_code == 422
    assert "Go &lt;b&gt;now</textarea>" in short.text  # what was typed is kept, and harmless
    sent = client.post(f"/alerts/{alert}/send", data={"unit": boat.id, "order": ORDER})
    assert sent.status_code == 303
    taken = browse("watch2").post(f"/alerts/{alert}/send", data={"unit": boat.id, "order": ORDER})
    assert taken.status_code == 409
    assert "pb-07 is away: another officer sent it" in taken.text
    assert "Officer watch." in taken.text

    tasking = sent.headers["location"]
    field = browse("field")
    shown = field.get(tasking).text
    assert "State clock" in shown
    assert "/alerts/" not in shown  # not theirs to read
    for state in ("acknowledged", "moving", "on_scene"):
        told = field.post(f"{tasking}/report", data={"to": state, "lat": "25.1", "lon": "63.5"})
        assert told.status_code == 303, told.text
    wrong = field.post(f"{tasking}/report", data={"to": "moving"})
    assert wrong.status_code == 409
    assert "Allowed now: done, cancelled." in wrong.text
    half = field.post(f"{tasking}/report", data={"to": "done", "note": NOTE, "lat": "25.1"})
    assert half.status_code == 422
    assert NOTE in half.text
    assert field.post(f"{tasking}/cancel", data={"note": NOTE}).status_code == 403
    assert field.post(f"{tasking}/report", data={"to": "done", "note": NOTE}).status_code == 303
    assert NOTE in client.get(tasking).text
    assert "25°06.000′N" in client.get("/units").text

    refused = client.post(f"/alerts/{alert}/close", data={"reason": "answered", "note": "ok"})
    assert refused.status_code == 422
    assert 'value="answered" selected' in refused.text
    closing = {"reason": "answered", "note": NOTE}
    assert client.post(f"/alerts/{alert}/close", data=closing).status_code == 303
    waits = browse("watch2").get(f"/alerts/{alert}").text
    assert "It waits for a second officer" in waits
    assert NOTE in waits
    own = client.post(f"/alerts/{alert}/countersign", data={"agrees": "yes"})
    assert own.status_code == 403
    assert "Closing was asked" in waits
    agreed = browse("watch2").post(f"/alerts/{alert}/countersign", data={"agrees": "yes"})
    assert agreed.status_code == 303
    assert f"alert-{alert}" not in client.get("/alerts").text
    assert alert in client.get("/alerts?state=closed").text


def test_assigning_and_opening_a_case(browse, officers, raised, kernel):
    alert = raised()
    client = browse("supervisor")
    form = client.get(f"/alerts/{alert}/assign").text
    assert f'value="{officers["watch2"].id}"' in form
    assert officers["overseer"].id not in form  # they may not answer it
    assert client.post(f"/alerts/{alert}/assign", data={"to": ""}).status_code == 422
    given = client.post(f"/alerts/{alert}/assign", data={"to": officers["watch2"].id})
    assert given.status_code == 303
    assert "Officer watch2" in client.get("/alerts").text
    empty = client.post(f"/alerts/{alert}/case", data={"title": " "})
    assert empty.status_code == 422
    opened = client.post(f"/alerts/{alert}/case", data={"title": "Boats silent off Pasni"})
    assert opened.headers["location"].startswith("/cases/")
    assert opened.headers["location"] in client.get(f"/alerts/{alert}").text


def test_units_are_added_by_a_supervisor(browse, room, officers):
    typed = {"code": "PB-09", "name": "Nine", "kind": "boat", "sector": "East", "speed_kn": "fast",
             "contact": "VHF 16"}  # fmt: skip
    client = browse("supervisor")
    wrong = client.post("/units", data=typed)
    assert wrong.status_code == 422
    assert 'value="fast"' in wrong.text
    assert client.post("/units", data={**typed, "speed_kn": "22.5"}).status_code == 303
    assert client.post("/units", data={**typed, "speed_kn": "22.5"}).status_code == 409
    assert "PB-09" in browse("watch").get("/units").text
    assert 'action="/units"' not in browse("watch").get("/units").text
    unit = room.units(officers["watch"])[0]
    gone = browse("watch").post(f"/units/{unit.id}/state", data={"to": "unavailable"})
    assert gone.status_code == 303
    assert room.units(officers["watch"])[0].state == "unavailable"
    assert "PB-09" not in browse("field").get("/units").text


@pytest.mark.parametrize("path", ["/alerts", "/taskings", "/taskings?state=under_way", "/units"])
def test_pages_are_drawn_in_urdu_too(browse, room, officers, raised, boat, path):
    alert = raised()
    tasking = room.send(officers["watch"], alert, boat.id, ORDER)
    client = browse("watch", **{"accept-language": "ur"})
    for each in (path, f"/alerts/{alert}", f"/taskings/{tasking.id}"):
        answer = client.get(each)
        assert answer.status_code == 200
        assert 'dir="rtl"' in answer.text
        for forbidden in ("<script>", "style=", "onclick="):
            assert forbidden not in answer.text


def test_the_api(browse, room, officers, raised, boat):
    alert = raised("number:+923001234567", "mmsi:1")
    client = browse("watch")
    listed = client.get("/api/operations/alerts").json()
    assert [a["id"] for a in listed["alerts"]] == [alert]
    assert "+92300" not in str(listed)
    one = client.get(f"/api/operations/alerts/{alert}").json()
    assert one["finding"]["reasons"][0]["threshold"] == 30.0
    base = f"/api/operations/alerts/{alert}"
    assert client.post(f"{base}/acknowledge").json()["state"] == "acknowledged"
    assert client.post(f"{base}/assign", json={"to": officers["watch"].id}).status_code == 200
    first = client.get(f"{base}/ranking").json()["choices"][0]
    assert (first["unit"]["code"], first["cannot"]) == (boat.code, False)
    assert {r["name"] for r in first["reasons"]} >= {"way", "speed", "cover_left"}
    assert "Why this rank" in client.get(f"/alerts/{alert}/send").text
    assert browse("field").get(f"{base}/ranking").status_code == 403
    sent = client.post(f"{base}/send", json={"unit": boat.id, "order": ORDER})
    assert sent.status_code == 201
    tasking = f"/api/operations/taskings/{sent.json()['id']}"
    field = browse("field")
    said = field.post(f"{tasking}/report", json={"to": "acknowledged", "lat": 25.0, "lon": 63.6})
    assert [s["state"] for s in said.json()["steps"]] == ["drafted", "sent", "acknowledged"]
    assert field.post(f"{tasking}/position", json={"lat": 25.0, "lon": 63.5}).status_code == 200
    units = client.get("/api/operations/units").json()["units"]
    assert units[0]["position"] == {"lat": 25.0, "lon": 63.5}
    busy = client.post(f"{base}/close", json={"reason": "answered", "note": NOTE})
    assert (busy.status_code, busy.json()["error"]) == (409, "conflict")
    wrong = field.post(f"{tasking}/report", json={"to": "asleep"})
    assert wrong.status_code == 422
    room.report(officers["watch"], sent.json()["id"], TaskingState.CANCELLED, note=NOTE)
    closed = client.post(f"{base}/close", json={"reason": "answered", "note": NOTE})
    assert closed.json()["state"] == "closing"
    assert client.get("/api/operations/alerts/none").json()["error"] == "not_found"


def test_units_link_to_the_taskings_that_the_reader_may_see(browse, room, officers, raised, boat):
    alert = raised(mark=Mark.AMBER_STRICT)
    tasking = room.send(officers["watch"], alert, boat.id, ORDER)
    assert f'href="/taskings/{tasking.id}"' in browse("watch").get("/units").text
    officers["watch2"] = replace(officers["watch2"], cleared=Mark.GREEN)
    body = browse("watch2").get("/units").text
    assert "pb-07" in body
    assert tasking.id not in body
    assert browse("watch2").get(f"/taskings/{tasking.id}").status_code == 403
