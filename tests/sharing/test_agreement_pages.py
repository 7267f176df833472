"""Pages and commands of agreements, releases and requests: one whole way over two nodes."""

from __future__ import annotations

import re

import orjson
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import delete

from cordon.cli import run
from cordon.kernel import leads
from cordon.kernel.access.model import Mark, Role
from cordon.kernel.findings import Finding, Reason
from cordon.sharing.agreements.dryrun import dry_run
from cordon.sharing.releases.tables import ReleaseRow, ReleaseStepRow
from cordon.sharing.requests.tables import RequestRow
from cordon.web.app import create_app
from support.agreeing import START, B, agree, exchange, terms

PASSWORD = "monsoon lantern quarry"


@pytest.fixture(scope="module")
def browse(agencies):
    """A signed-in client of an officer at one of the two agencies, made once each."""
    apps = {side.code: create_app(side.node) for side in agencies}
    made = {}
    for side in agencies:
        exchange(*agencies)
        side.clock.set(START)
        side.node.units.add(side.node.console_actor(None), "pages", "Pages")
        with side.kernel.rows.write() as session:
            for table in (ReleaseStepRow, ReleaseRow, RequestRow):
                session.execute(delete(table))

    def client(side, login, role="supervisor"):
        if (side.code, login) in made:
            return made[side.code, login]
        side.node.officers.add(
            side.node.console_actor(None), login=login, name=f"Person {login}",
            roles=[Role(role)], unit="pages", cleared=Mark.AMBER_STRICT, password=PASSWORD,
            must_change=False,
        )  # fmt: skip
        http = TestClient(apps[side.code], follow_redirects=False)
        assert http.post("/sign-in", data={"login": login, "password": PASSWORD}).status_code == 303
        page = http.get("/account").text
        http.headers["X-CSRF-Token"] = re.search(r'name="csrf" content="([^"]+)"', page)[1]
        made[side.code, login] = http
        return http

    return client


@pytest.fixture(scope="module")
def entry(agencies):
    a, _ = agencies
    said = Finding.make(
        kind="picture.zone_entry", subjects=("mmsi:463009999",), start=START, end=START,
        confidence=0.8, reasons=[Reason("inside", 12.0, "min", 5.0, "<b>It came in.</b>")],
        records=[], detector="picture.zone_entry", version="1",
    )  # fmt: skip
    with a.kernel.work(a.kernel.node) as work:
        (id_,), _ = leads.keep(work, [said], a.node.cards)
    return id_


def moved(answer):
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def test_the_whole_way(agencies, browse, entry):
    a, b = agencies
    first, second = browse(a, "first"), browse(a, "second")
    form = {
        "title": "On the pages", "parties": "pk-aa federal both\npk-bb provincial receives",
        "classes": ["findings.picture", "cases"], "purposes": ["border_security"],
        "handling": ["H0", "H1"], "roles": ["investigator", "supervisor"],
        "highest": "TLP:AMBER", "onward": "ask", "third_party": "never", "retention_days": "30",
        "starts": "2026-01-01", "ends": "2026-12-31",
    }  # fmt: skip
    wrong = first.post("/sharing/agreements", data={**form, "parties": "pk-aa federal"})
    assert wrong.status_code == 422
    assert "On the pages" in wrong.text
    assert re.search(r'value="findings.picture" checked', wrong.text), "what was typed stays"
    at = moved(first.post("/sharing/agreements", data=form))
    drafted = first.get(at).text
    assert "Only these agencies give under it: pk-aa." in drafted
    assert "Last month under this draft" in drafted
    assert "when { resource.mark &lt;= 2 }" in drafted
    assert first.post(f"{at}/sign").status_code == 403
    moved(second.post(f"{at}/sign"))
    exchange(a, b)
    theirs = browse(b, "first")
    assert "On the pages" in theirs.get("/sharing/agreements").text
    moved(theirs.post(f"{at}/sign"))
    exchange(a, b)
    assert "in force" in first.get(at).text

    asked = {"to": B, "purpose": "border_security", "findings": entry, "handling": "H1"}
    assert "mmsi" not in first.get("/sharing/releases/new").text
    wrong = first.get("/sharing/releases/new", params=asked | {"grade": "Z9"})
    assert wrong.status_code == 422
    assert 'value="Z9"' in wrong.text, "what was typed is kept"
    asked = asked | {"grade": "B2"}
    preview = first.get("/sharing/releases/new", params=asked).text
    assert "mmsi:463009999" in preview
    assert "&lt;b&gt;It came in.&lt;/b&gt;" in preview
    assert "A second officer must agree" in preview
    seen = re.search(r'name="seen" value="([0-9a-f]{64})"', preview)[1]
    stale = first.post("/sharing/releases", data={**asked, "seen": "0" * 64})
    assert stale.status_code == 409
    sent = moved(first.post("/sharing/releases", data={**asked, "seen": seen}))
    assert first.post(f"{sent}/countersign", data={"yes": "yes"}).status_code == 403
    moved(second.post(f"{sent}/countersign", data={"yes": "yes"}))
    exchange(a, b)
    for reader in (first, theirs):
        assert "usually reliable, probably true" in reader.get(sent).text
    assert sent in first.get("/sharing/releases?way=sent").text
    assert sent in theirs.get("/sharing/releases").text
    got = theirs.get(sent).text
    assert "&lt;b&gt;It came in.&lt;/b&gt;" in got
    assert "mmsi:463009999" in got
    assert (
        theirs.post(f"{sent}/used", data={"doing": "use_in_court", "what": "A charge"}).status_code
        == 403
    )
    moved(second.post(f"{sent}/allow", data={"doing": "use_in_court"}))
    exchange(a, b)
    moved(theirs.post(f"{sent}/used", data={"doing": "use_in_court", "what": "A charge"}))
    moved(theirs.post(f"{sent}/answer", data={"use": "useful", "said": "It helped."}))
    exchange(a, b)
    assert "It helped." in first.get(sent).text
    assert first.post(f"{sent}/recall", data={"why": "no"}).status_code == 422
    moved(first.post(f"{sent}/recall", data={"why": "The source is burnt."}))
    exchange(a, b)
    gone = theirs.get(sent).text
    assert "mmsi:463009999" not in gone
    assert "Signed proof" in first.get(sent).text

    moved(theirs.post(f"{at}/end", data={"why": "It is not wanted any more."}))
    exchange(a, b)
    assert "It is not wanted any more." in first.get(at).text


def test_requests_are_asked_and_answered_on_pages(agencies, browse):
    a, b = agencies
    agree(a, b, title="Pages ask", purposes=["safety_of_life"])
    ours, theirs = browse(a, "first"), browse(b, "first")
    form = {"to": B, "kind": "information", "urgency": "flash", "text": "Where is the boat now?",
            "basis": "Section 160", "mark": "TLP:AMBER"}  # fmt: skip
    wrong = ours.post("/sharing/requests", data={**form, "text": "Who has +92 300 1234455 today?"})
    assert wrong.status_code == 422
    assert "1234455" in wrong.text, "what was typed stays"
    moved(ours.post("/sharing/requests", data=form))
    exchange(a, b)
    page = theirs.get("/sharing/requests").text
    id_ = re.search(r"/sharing/requests/([0-9a-f-]{36})/answer", page)[1]
    for side in agencies:
        with side.kernel.rows.write() as session:  # a session ends before the hour is over
            session.get(RequestRow, id_).due_at = side.clock.now()
        side.room.sweep()
    assert "overdue, escalated" in theirs.get("/sharing/requests").text
    assert (
        theirs.post(f"/sharing/requests/{id_}/refuse", data={"ground": "whim"}).status_code == 422
    )
    moved(theirs.post(f"/sharing/requests/{id_}/answer", data={"said": "Off Jiwani."}))
    exchange(a, b)
    assert "Off Jiwani." in ours.get("/sharing/requests").text
    assert ours.post(f"/sharing/requests/{id_}/withdraw").status_code == 409


def test_pages_are_in_urdu_and_for_those_who_may(agencies, browse):
    a, _ = agencies
    reader = browse(a, "reader", "investigator")
    reader.cookies.set("cordon_lang", "ur")
    made = next(k for k in a.room.agreements.known(a.first) if k.terms.title == "Pages ask")
    page = reader.get(f"/sharing/agreements/{made.id}").text
    assert "صرف ان اقسام کی معلومات جاتی ہیں" in page
    assert "Only these" not in page
    reader.cookies.delete("cordon_lang")
    assert (
        reader.post(f"/sharing/agreements/{made.id}/end", data={"why": "x" * 20}).status_code == 403
    )
    admin = browse(a, "adm", "administrator")
    for path in ("agreements", "releases", "requests", "releases/new"):
        assert admin.get(f"/sharing/{path}").status_code == 403
    assert reader.get("/sharing/agreements/none").status_code == 404
    assert reader.get("/sharing/releases/none").status_code == 404


def test_a_dry_run_counts_what_would_go_and_why_the_rest_would_not(agencies, entry):
    a, _ = agencies
    a.clock.set(START)
    loose = dry_run(a.kernel, a.node.cases, a.reader, terms(starts="2026-06-01T00:00:00Z"))
    assert loose.receivers == (B,)
    here = [t for t in loose.things if t.ref.endswith(entry)]
    assert [t.against for t in here] == [{B: ()}]
    tight = dry_run(a.kernel, a.node.cases, a.reader, terms(classes=["cases"], highest="TLP:GREEN"))
    assert [t.against[B] for t in tight.things if t.ref.endswith(entry)] == [("class", "mark")]
    assert loose.goes[B] + sum(bool(t.against[B]) for t in loose.things) == len(loose.things)
    assert tight.reasons[B]["mark"] >= 1
    low = a.officer("l", "desk", Role.INVESTIGATOR, cleared=Mark.GREEN)
    assert dry_run(a.kernel, a.node.cases, low, terms()).things == ()


def test_commands(agencies, entry, capfdbinary, monkeypatch):
    a, b = agencies
    for side in agencies:
        side.clock.set(START)
    agree(a, b, title="By command", purposes=["fraud"])
    monkeypatch.setenv("CORDON_DATA", str(a.node.data))
    monkeypatch.setenv("CORDON_AGENCY", a.code)

    def said(*args):
        capfdbinary.readouterr()
        code = run([*args, "--json"])
        out = capfdbinary.readouterr().out
        return code, orjson.loads(out) if out else None

    code, shown = said("release", "preview", B, "--purpose", "fraud", "--finding", entry)
    assert code == 0
    assert {"parts", "left", "sha256", "second_officer"} <= shown.keys()
    assert run(["release", "preview", B, "--purpose", "whim", "--finding", entry]) == 2
    assert run(["release", "recall", "none", "--why", "because of it"]) == 1
    code, listed = said("release", "list")
    assert code == 0
    assert isinstance(listed, list)
