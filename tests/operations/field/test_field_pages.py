"""The field page's API and the desk's pages, by routes with the real templates."""

from __future__ import annotations

import hashlib
import re
import uuid

import pytest
from fastapi.testclient import TestClient

from cordon.kernel.clock import format_time
from cordon.operations import TaskingState
from cordon.operations.field.forms import FOLDER, check_values, forms, read_form
from cordon.operations.field.live import Live
from cordon.operations.field.routes import ASSETS, field_routes
from cordon.web.assets import asset

from .test_field_photos import SECRET, jpeg

API = "/api/operations/field"


@pytest.fixture
def browse(served, desk):
    app = served(field_routes(desk, Live(desk.kernel, lambda _sessions: {})))
    return lambda who, **more: TestClient(
        app, headers={"x-officer": who, **more}, follow_redirects=False
    )


def message(clock, officer, acts=(), **more):
    return {"phone": PHONE, "officer": officer.id, "sent_at": format_time(clock.now()),
            "acts": list(acts), **more}  # fmt: skip


PHONE = str(uuid.uuid4())


def test_the_whole_way_of_a_phone(browse, desk, room, sent, officers, clock, kernel):
    field, watch = browse("field"), browse("watch")
    state = field.get(f"{API}/state").json()
    assert state["officer"]["id"] == "officer-field"
    assert state["unit"] == "PB-07"
    (tasking,) = state["taskings"]
    assert (tasking["id"], tasking["state"], tasking["next"]) == (sent, "sent", "acknowledged")
    assert tasking["place"] == pytest.approx({"lat": 25.05, "lon": 63.45})
    assert [f["name"] for f in state["forms"]] == sorted(forms())
    assert state["limits"]["hold_s"] == 2

    data = jpeg(size=1000)
    acts = [
        {"kind": "step", "to": "acknowledged"}, {"kind": "step", "to": "on_scene"},
        {"kind": "form", "form": "persons_met", "values": {
            "adults": 3, "children": 1, "alone": True, "need": "doctor",
            "said": "Call my brother on +92 300 1234567."}},
        {"kind": "photo", "sha256": hashlib.sha256(data).hexdigest(), "size": len(data),
         "media_type": "image/jpeg"},
        {"kind": "step", "to": "moving"},
    ]  # fmt: skip
    for number, act in enumerate(acts, 1):
        act.update(id=str(uuid.uuid4()), number=number, at=format_time(clock.now()), tasking=sent)
    said = field.post(f"{API}/sync", json=message(clock, officers["field"], acts)).json()
    assert [a["outcome"] for a in said["answers"]] == ["applied"] * 4 + ["conflict"]
    photo = f"{API}/photos/{acts[3]['id']}"
    assert field.get(photo).json() == {"state": "arriving", "received": 0, "size": len(data)}
    assert field.put(f"{photo}?offset=0", content=data[:500]).json()["received"] == 500
    assert field.put(f"{photo}?offset=500", content=data[500:]).json()["state"] == "kept"
    assert field.put(f"{photo}?offset=-1", content=b"").status_code == 422
    assert field.put(f"{photo}?offset=0", content=bytes(300_000)).status_code == 413

    shown = watch.get(f"/taskings/{sent}/phones").text
    assert "A child without a grown-up of its own" in shown
    assert "+92 300" not in shown  # a number of a person is masked
    assert "[number]" in shown
    assert "too late" in shown
    assert acts[3]["sha256"] in shown
    assert "Make it an exhibit" not in shown  # the watch may not
    seen = watch.get(f"/taskings/{sent}/photos/{acts[3]['id']}")
    assert seen.headers["content-type"] == "image/jpeg"
    assert SECRET not in seen.content
    urdu = browse("supervisor", **{"accept-language": "ur"}).get(f"/taskings/{sent}/phones").text
    assert "لوگ ملے" in urdu
    assert 'name="csrf"' in urdu
    no_case = browse("supervisor").post(f"/taskings/{sent}/photos/{acts[3]['id']}/case")
    assert no_case.status_code == 409

    desk_page = watch.get("/phones").text
    assert "moving" in desk_page
    short = watch.post(f"/phones/acts/{acts[4]['id']}/settle", data={"note": "<b>ok"})
    assert short.status_code == 422
    assert "&lt;b&gt;ok</textarea>" in short.text
    settled = watch.post(
        f"/phones/acts/{acts[4]['id']}/settle", data={"note": "They were on scene already."}
    )
    assert settled.status_code == 303
    kept = field.get(f"{API}/state").json()["kept"]
    assert [k["settled"] for k in kept] == ["They were on scene already."]

    called = {"id": str(uuid.uuid4()), "phone": PHONE, "at": format_time(clock.now()),
              "sent_at": format_time(clock.now()), "offset_ms": 0, "fix": None}  # fmt: skip
    assert field.post(f"{API}/panic", json=called).json()["state"] == "called"
    assert field.get(f"{API}/state").json()["panic"]["id"] == called["id"]
    (call,) = watch.get(f"{API}/calls").json()["calls"]
    assert (call["unit"], call["officer"]) == ("PB-07", "Officer field")
    assert "nobody has answered" in watch.get("/phones").text


def test_who_may_open_what(browse, sent):
    for who, path, status in (
        ("watch", "/field", 403), ("watch", f"{API}/state", 403), ("field", "/phones", 403),
        ("field", f"{API}/calls", 403), ("", f"{API}/state", 401), ("overseer", "/phones", 200),
        ("investigator", f"/taskings/{sent}/phones", 200), ("administrator", "/phones", 403),
        ("custodian", f"/taskings/{sent}/phones", 403), ("field", f"/taskings/{sent}/phones", 200),
    ):  # fmt: skip
        assert browse(who).get(path).status_code == status, (who, path)
    assert browse("overseer").post(f"/phones/acts/{sent}/settle").status_code == 403


def test_the_shell_holds_nothing_of_its_reader_and_all_that_it_needs(browse):
    field = browse("field")
    shell = field.get("/field")
    assert "geolocation=(self)" in shell.headers["permissions-policy"]
    assert "officer-field" not in shell.text
    assert ">field<" not in shell.text
    assert "token-of-the-form" not in shell.text
    asked = set(re.findall(r'"(/static/[^"#]+)', shell.text))
    kept = {asset(name) for name in ASSETS}
    assert asked <= kept
    worker = field.get("/field/worker.js")
    assert worker.headers["content-type"].startswith("text/javascript")
    assert worker.headers["service-worker-allowed"] == "/field"
    assert all(address in worker.text for address in kept)
    assert "گھڑی" in browse("field", **{"accept-language": "ur"}).get("/field").text


def test_messages_that_are_none(browse, officers, clock, sent):
    field = browse("field")
    for content in (b"", b"[]", b"{", b"[" * 5000, b'{"phone": 1}', b"\xff\xfe"):
        answer = field.post(f"{API}/sync", content=content,
                            headers={"content-type": "application/json"})  # fmt: skip
        assert answer.status_code in (400, 403, 422), content
    other = field.post(f"{API}/sync", json=message(clock, officers["watch"]))
    assert (other.status_code, other.json()["error"]) == (403, "another_officer")
    assert field.get(f"{API}/photos/../../etc/passwd").status_code == 404
    assert field.put(f"{API}/photos/%2e%2e?offset=0", content=b"x").status_code == 404


def test_a_form_that_is_none(tmp_path):
    assert len(forms()) == len(list(FOLDER.glob("*.yaml"))) == 6
    for text in ("", "name: x", "name: x\ntitle: {en: a}\nfields: []",
                 "name: x\ntitle: {en: a, ur: b}\nfields: [{name: f, type: sound, label: {en: a, "
                 "ur: b}}]", "name: y\ntitle: {en: a, ur: b}\nfields: []"):  # fmt: skip
        path = tmp_path / "x.yaml"
        path.write_text(text, "utf-8")
        with pytest.raises(Exception, match=r"x\.yaml"):
            read_form(path)
    kept = check_values("nothing_found", {"traces": False, "sight": "good", "searched_min": 4,
                                          "notes": ""})  # fmt: skip
    assert list(kept.items()) == [("searched_min", 4), ("sight", "good"), ("traces", False)]


def test_a_tasking_that_ended_takes_no_step_of_a_phone(room, phone, sent, officers):
    room.report(officers["field"], sent, TaskingState.DECLINED, note="The engine is cold.")
    phone.say(sent, "form", form="nothing_found",
              values={"searched_min": 4, "sight": "good", "traces": False})  # fmt: skip
    assert [a.outcome.value for a in phone.sync()] == ["conflict"]
