"""By no way is more seen than agreements, marks and roles allow: lists, counts, errors, exports.

What is hidden and what is not there give the same answer after the same questions to the database.
"""

from __future__ import annotations

import itertools
import json
import random
import shutil

import pytest
from sqlalchemy import select

from cordon.bootstrap import open_node
from cordon.kernel.access.model import Actor, Mark, Role, Thing
from cordon.kernel.errors import CordonError
from cordon.kernel.ids import new_id
from cordon.settings import Settings
from cordon.sharing.agreements.model import AgencyKind, Doing, Handling, Question
from cordon.sharing.agreements.tables import AgreementRow
from cordon.sharing.hidden import NotHere
from cordon.sharing.match.tables import MatchQuestionRow
from cordon.sharing.releases.desk import plain
from cordon.sharing.releases.model import Use, Way, digest
from cordon.sharing.releases.tables import ReleaseRow
from cordon.web.app import create_app
from support.agreeing import START, A, B, agree, exchange
from support.leaking import MARKS, permitted, statements
from support.matching import matched
from support.sharewords import DATA, GREEN, OPEN, RED, Caller, indicator

AMBER = "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"
RELEASES, READERS, GATED = 30, 8, 800
TERMS = (
    {"title": "Border alone", "purposes": ["border_security"], "roles": ["investigator"],
     "highest": "TLP:GREEN", "handling": ["H0"]},
    {"title": "Crime, strictly", "purposes": ["organised_crime"], "highest": "TLP:AMBER+STRICT",
     "roles": ["supervisor", "watch_officer"], "third_party": "ask"},
    {"title": "Ended since", "purposes": ["fraud"], "classes": ["findings.picture", "cases"]},
)  # fmt: skip


def test_no_role_of_another_agency_clearance_or_kind_passes_the_gate(agencies):
    """Acts × roles × agencies × marks × clearances, drawn from all there are."""
    gate = agencies[1].kernel.gate
    acts = sorted(a for a in gate.acts if a.startswith("sharing."))
    cases = random.Random("gate").sample(
        list(itertools.product(acts, Role, (A, B), Mark, Mark)), GATED
    )
    let = 0
    for act, role, agency, mark, cleared in cases:
        for roles in ({role}, {role, Role.ADMINISTRATOR}):
            actor = Actor("officer-x", "X", B, "desk", frozenset(roles), cleared)
            if not gate.decide(actor, act, Thing("release", "x", agency, mark)).allowed:
                continue
            let += 1
            assert agency == B, (act, roles)
            assert mark.rank <= cleared.rank, (act, roles)
            assert Role.ADMINISTRATOR not in roles, (act, roles)
            assert Role.OVERSEER not in roles or act.endswith(".view"), (act, roles)
    assert 0.01 * GATED < let < 0.5 * GATED


@pytest.fixture(scope="module")
def received(agencies):
    """B with releases of many marks under three agreements, of which one has ended since."""
    a, b = agencies
    rng = random.Random("ways")
    made = [agree(a, b, **terms) for terms in TERMS]
    sent = []
    for seq in range(RELEASES):
        terms, agreement = rng.choice(list(zip(TERMS, made, strict=True)))
        parts = [
            {"ref": f"{A}:{n}", "class": rng.choice(terms.get("classes", ["findings.picture"])),
             "title": f"secret {seq}", "mark": rng.choice(MARKS[:2]), "withheld": {},
             "body": {"kind": "picture.gap"}}
            for n in range(rng.choice([1, 1, 2]))
        ]  # fmt: skip
        body = {
            "id": new_id(), "agreement": agreement, "purpose": terms["purposes"][0],
            "originator": rng.choice([A] * 6 + ["pk-cc"]), "parts": parts, "sha256": digest(parts),
            "marks": {
                "mark": rng.choice(MARKS[: MARKS.index(terms.get("highest", MARKS[2])) + 1]),
                "handling": rng.choice([["H0"], terms.get("handling", ["H0", "H1"])]),
                "caveats": rng.choice([[], [], [], ["foreign"], ["provincial"]]),
            },
            "expires_at": "2026-12-31T00:00:00Z",
        }  # fmt: skip
        tell(a, "release.sent", body)
        sent.append((body, agree_text(b, agreement)))
    a.carry(b)
    with b.kernel.rows.read() as session:
        sent = [one for one in sent if session.get(ReleaseRow, one[0]["id"]) is not None]
    assert RELEASES > len(sent) > RELEASES // 3
    b.room.agreements.end(b.first, made[2], "it is not needed any more")
    exchange(a, b)
    return b, sent, made[2]


def tell(a, kind, body):
    with a.kernel.work(a.kernel.node) as work:
        a.nodes.tell(work, B, kind, body)


def agree_text(side, id_):
    return side.room.agreements.get(side.first, id_).terms.plain()


def readers(rng, count):
    for n in range(count):
        roles = set(rng.sample(["investigator", "supervisor", "watch_officer"], rng.choice([1, 2])))
        if n == 0:
            roles = {"overseer"}
        cleared = rng.choice(MARKS[:4]) if n else "TLP:RED"
        yield Actor(
            f"officer-r{n}", "R", B, "desk", frozenset(map(Role, roles)), Mark(cleared)
        )  # fmt: skip


def visible(body, text, reader, ended):
    marks = [body["marks"]["mark"], *(p["mark"] for p in body["parts"])]
    mark = max(marks, key=MARKS.index)
    if MARKS.index(mark) > MARKS.index(reader.cleared) or Role.ADMINISTRATOR in reader.roles:
        return False
    return all(
        permitted(
            text,
            Question(
                Doing.SEE, B, reader.roles, A, body["originator"], class_, body["purpose"],
                Mark(mark), frozenset({Handling.H0, *map(Handling, body["marks"]["handling"])}),
                frozenset(map(AgencyKind, body["marks"]["caveats"])), START,
            ),
            True, body["agreement"] == ended,
        )
        for class_ in {p["class"] for p in body["parts"]}
    )  # fmt: skip


def told(act, id_):
    """What whoever tries learns: status, code, words; with the id taken out."""
    try:
        act()
    except CordonError as no:
        return type(no).status, type(no).code, str(no.message).replace(id_, "…"), no.advice
    return None


def test_what_was_received_is_seen_by_no_way_that_the_agreements_do_not_allow(received):
    b, sent, ended = received
    desk, missing = b.room.releases, new_id()
    seen = hidden = 0
    for reader in readers(random.Random("readers"), READERS):
        with statements(b.kernel) as nothing:
            not_there = told(lambda r=reader: desk.get(r, missing), missing)
        assert not_there is not None
        allowed = {s["id"] for s, text in sent if visible(s, text, reader, ended)}
        if reader.cleared is Mark.CLEAR:  # the room itself is above them
            allowed, listed = set(), []
            assert told(lambda r=reader: desk.list(r, Way.RECEIVED), "-")[0] == 403
        else:
            listed = desk.list(reader, Way.RECEIVED)
        assert {r.id for r in listed} == allowed, reader
        assert len(listed) == len(allowed)
        exported = json.dumps([dict(plain(r)) for r in listed])
        for body, _ in sent:
            id_ = body["id"]
            with statements(b.kernel) as asked:
                answer = told(lambda r=reader, i=id_: desk.get(r, i), id_)
            assert (answer is None) is (id_ in allowed), (reader, body)
            if answer is None:
                seen += 1
                continue
            hidden += 1
            assert answer == not_there
            assert asked == nothing, "the same questions, so that a clock tells nothing either"
            assert id_ not in exported
    assert seen > READERS
    assert hidden > READERS


def test_who_read_it_is_told_that_its_agreement_ended_and_nobody_else_is(received, agencies):
    a, b = agencies[0], received[0]
    desk = b.room.releases

    def officer(name, *roles, cleared=Mark.AMBER_STRICT):
        return Actor(f"officer-{name}", name, B, "desk", frozenset(roles), cleared)

    had, never = officer("had", Role.INVESTIGATOR), officer("never", Role.INVESTIGATOR)
    strict = officer("strict", Role.INVESTIGATOR)
    terms = {"title": "To end soon", "purposes": ["counter_terrorism"], "classes": ["cases"]}
    agreement = agree(a, b, **terms)
    part = {"ref": f"{A}:soon", "class": "cases", "title": "secret soon", "mark": "TLP:AMBER",
            "withheld": {}, "body": {}}  # fmt: skip
    body = {
        "id": new_id(), "agreement": agreement, "purpose": "counter_terrorism", "originator": A,
        "parts": [part], "sha256": digest([part]), "expires_at": "2026-12-31T00:00:00Z",
        "marks": {"mark": "TLP:AMBER", "handling": ["H0"], "caveats": []},
    }  # fmt: skip
    tell(a, "release.sent", body)
    exchange(a, b)
    for reader in (had, strict):
        assert desk.get(reader, body["id"]).parts
    assert told(lambda: desk.get(officer("low", Role.WATCH_OFFICER), body["id"]), "-") is not None
    assert desk.lapsed(had) == [], "while it is in force"
    a.room.agreements.end(a.second, agreement, "the law behind it was repealed")
    exchange(a, b)
    (lapsed,) = desk.lapsed(had)
    assert (lapsed.peer, lapsed.agreement, lapsed.title) == (A, agreement, "To end soon")
    assert (lapsed.since, lapsed.ended_by) == (b.clock.now(), A)
    assert "secret" not in repr(lapsed)
    for other in (
        never, officer("low", Role.WATCH_OFFICER), officer("super", Role.SUPERVISOR),
        officer("had", Role.WATCH_OFFICER),  # has not that role any more
        officer("strict", Role.INVESTIGATOR, cleared=Mark.GREEN),
    ):  # fmt: skip
        assert desk.lapsed(other) == [], other
    other = new_id()
    there = told(lambda: desk.get(had, body["id"]), body["id"])
    assert there == told(lambda: desk.get(had, other), other), "its address says nothing either"
    assert body["id"] not in {r.id for r in desk.list(had, Way.RECEIVED)}
    with pytest.raises(CordonError):
        desk.lapsed(officer("admin", Role.INVESTIGATOR, Role.ADMINISTRATOR))


def test_the_list_says_in_words_what_may_not_be_used_any_more(received):
    from fastapi.testclient import TestClient

    b, sent, ended = received
    console = b.node.console_actor(None)
    b.node.units.add(console, "lapse-desk", "Desk")
    https = {}
    for login in ("had-it", "had-not"):
        b.node.officers.add(
            console, login=login, name=f"Person {login}", roles=[Role.INVESTIGATOR],
            unit="lapse-desk", cleared=Mark.AMBER_STRICT, password="monsoon lantern quarry",
            must_change=False,
        )  # fmt: skip
        http = TestClient(create_app(b.node), follow_redirects=False)
        signed = {"login": login, "password": "monsoon lantern quarry"}
        assert http.post("/sign-in", data=signed).status_code == 303
        https[login] = http
    with b.kernel.rows.write() as session:  # for as long as the officer reads it
        row = session.get(AgreementRow, ended)
        kept = row.ended_at, row.ended_by, row.ended_why
        row.ended_at = row.ended_by = row.ended_why = None
    held = [s["id"] for s, _ in sent if s["agreement"] == ended]
    read = [i for i in held if https["had-it"].get(f"/sharing/releases/{i}").status_code == 200]
    assert read
    with b.kernel.rows.write() as session:
        row = session.get(AgreementRow, ended)
        row.ended_at, row.ended_by, row.ended_why = kept
    page = https["had-it"].get("/sharing/releases").text
    assert "Not to be used any more" in page
    assert page.count("Ended since") == len(read)
    assert f"ended by {B}" in page
    assert not any(i in page for i in held)
    assert "Not to be used any more" not in https["had-not"].get("/sharing/releases").text
    assert https["had-it"].get(f"/sharing/releases/{read[0]}").status_code == 404


def test_no_act_on_a_hidden_release_tells_it_from_one_that_is_not_there(received):
    b, sent, ended = received
    desk = b.room.releases
    low = Actor("officer-l", "L", B, "desk", frozenset({Role.SUPERVISOR}), Mark.CLEAR)
    (id_, *_) = (s["id"] for s, text in sent if not visible(s, text, low, ended))
    acts = {
        "answer": lambda i: desk.answer(low, i, Use.KNOWN),
        "used": lambda i: desk.used(low, i, Doing.USE_IN_COURT, "Read to the judge"),
        "recall": lambda i: desk.recall(low, i, "it was a mistake"),
        "allow": lambda i: desk.allow(low, i, Doing.PASS_ON),
        "countersign": lambda i: desk.countersign(low, i, yes=True),
    }
    for name, act in acts.items():
        other = new_id()
        there, not_there = told(lambda a=act: a(id_), id_), told(lambda a=act, o=other: a(o), other)
        assert there == not_there, name
        assert there[0] == NotHere.status, name
    refused = [e for e in b.entries("sharing.release.view") if e.outcome == "refused"]
    assert {f"release:{id_}"} <= {e.thing for e in refused}, "who tried stands in the ledger"


def test_requests_and_questions_hide_what_is_above_a_clearance(received, agencies):
    b = received[0]
    matched(b.room, b.first)
    low = Actor("officer-l", "L", B, "desk", frozenset({Role.SUPERVISOR}), Mark.GREEN)
    body = {"id": new_id(), "kind": "information", "urgency": "routine", "mark": "TLP:AMBER",
            "text": "Which boats left Jiwani?", "basis": "Law"}  # fmt: skip
    tell(agencies[0], "request.asked", body)
    agencies[0].carry(b)
    with b.kernel.rows.read() as session:
        question = session.scalars(
            select(MatchQuestionRow.id).where(MatchQuestionRow.sealed != "")
        ).first()
    requests, match = b.room.requests, b.room.match
    assert body["id"] not in {r.id for r in requests.list(low)}
    assert match.questions(low) == []
    ways = {
        body["id"]: lambda i: requests.answer(low, i, "None that we saw."),
        question: lambda i: match.asking.fetch(low, i),
    }
    for id_, act in ways.items():
        other = new_id()
        with statements(b.kernel) as asked:
            there = told(lambda a=act, i=id_: a(i), id_)
        with statements(b.kernel) as nothing:
            not_there = told(lambda a=act, o=other: a(o), other)
        assert there == not_there == (404, *not_there[1:])
        assert asked == nothing


@pytest.fixture(scope="module")
def served(migrated_sqlite, tmp_path_factory):
    """A TAXII server with a hundred objects of every mark, and which of them each account sees."""
    folder = tmp_path_factory.mktemp("ways")
    shutil.copyfile(migrated_sqlite, folder / "node.db")
    url = f"sqlite:///{folder / 'node.db'}"
    node = open_node(Settings(data=folder / "data", database_url=url, agency="pk-demo"))
    assert node.sharing.loader.load(node.console_actor(None), DATA, {}).refused == []
    app, rng = create_app(node), random.Random("taxii")
    ranks = {None: 1, GREEN: 1, AMBER: 2, RED: 4}
    objects, rank = [], {}
    for n in range(100):
        whole, part = rng.choice(list(ranks)), rng.choice([None, None, *ranks])
        marked = {"object_marking_refs": [whole]} if whole else {}
        if part:
            marked["granular_markings"] = [{"selectors": ["name"], "marking_ref": part}]
        objects.append(indicator(n, **marked))
        rank[objects[-1]["id"]] = max(ranks[whole], ranks[part])
    caller = Caller(app)
    caller.add(objects)
    yield node, app, rank
    node.close()


@pytest.mark.parametrize(("account", "cleared"), [("both", 1), ("reader", 2)])
def test_no_page_manifest_version_filter_or_error_of_taxii_tells_of_a_hidden_object(
    served, account, cleared
):
    node, app, rank = served
    caller, base = Caller(app, account), f"collections/{OPEN}/"
    allowed = {id_ for id_, held in rank.items() if held <= cleared}
    for path, of in (("objects/", "objects"), ("manifest/", "objects")):
        found, cursor = [], {}
        for _ in range(len(rank)):
            got = caller.get(base + path, limit=7, **cursor).json()
            found += [o["id"] for o in got.get(of, [])]
            if not got.get("more"):
                break
            cursor = {"next": got["next"]}
        assert sorted(found) == sorted(allowed)
    hidden = sorted(set(rank) - allowed)
    assert hidden
    some = ",".join(hidden[:20])
    assert "objects" not in caller.get(base + "objects/", id=some, version="all").json()
    missing = indicator(5000)["id"]
    for end in ("/", "/versions/"):
        answers = []
        for id_ in (missing, *hidden[:6]):
            with statements(node.kernel) as asked:
                got = caller.get(f"{base}objects/{id_}{end}", 404)
            said = {k: v for k, v in got.json().items() if k != "error_id"}
            answers.append((json.dumps(said).replace(id_, "…"), asked))
        assert all(answer == answers[0] for answer in answers)
    if account == "both":  # the one that may delete
        gone = [caller.delete(f"{base}objects/{i}/", 404).status_code for i in (missing, hidden[0])]
        assert gone == [404, 404]


def test_a_hidden_page_of_the_browser_is_the_one_of_nothing(received):
    """The words of the page, whole, where only the id differs."""
    import re

    from fastapi.testclient import TestClient

    b, sent, _ = received
    console = b.node.console_actor(None)
    b.node.units.add(console, "leak-desk", "Desk")
    b.node.officers.add(
        console, login="overseer", name="Person O", roles=[Role.OVERSEER], unit="leak-desk",
        cleared=Mark.AMBER_STRICT, password="monsoon lantern quarry", must_change=False,
    )  # fmt: skip
    http = TestClient(create_app(b.node), follow_redirects=False)
    signed = {"login": "overseer", "password": "monsoon lantern quarry"}
    assert http.post("/sign-in", data=signed).status_code == 303
    pages = []
    for id_ in (sent[0][0]["id"], new_id()):
        got = http.get(f"/sharing/releases/{id_}")
        assert got.status_code == 404
        assert sent[0][0]["parts"][0]["title"] not in got.text
        pages.append(
            re.sub(
                r'(content|value)="[^"]{20,}"|[0-9a-f-]{36}|\d\d:\d\d(:\d\d)?',
                "",
                got.text.replace(id_, ""),
            )
        )
    assert pages[0] == pages[1]
