"""A clause on grades: what it lets go, whom it tells, and a node that does not know it."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from cordon.kernel import leads
from cordon.kernel.access.model import Mark, Role
from cordon.kernel.errors import BadInput, Conflict
from cordon.kernel.findings import Finding, Reason, RecordRef
from cordon.sharing.agreements.clauses import cedar, clauses
from cordon.sharing.agreements.deciding import Standing, decide
from cordon.sharing.agreements.dryrun import dry_run
from cordon.sharing.agreements.grades import Grade
from cordon.sharing.agreements.model import (
    AgreementState,
    DataClass,
    Doing,
    Handling,
    Purpose,
    Question,
    Terms,
)
from cordon.sharing.releases.desk import AgreementRefused
from cordon.sharing.releases.gathering import Asked
from cordon.sharing.releases.model import ReleaseState, digest
from cordon.web.app import create_app
from support.agreeing import START, A, B, agree, exchange, plain, terms

KIND = "agreement.signed_graded"


@pytest.fixture
def two(agencies):
    exchange(*agencies)
    for side in agencies:
        side.clock.set(START)
    return agencies


@pytest.fixture
def entry(two):
    entry.n += 1
    said = Finding.make(
        kind="picture.zone_entry", subjects=("mmsi:463000001",), confidence=0.8,
        start=START - timedelta(days=1, minutes=entry.n), end=START - timedelta(hours=20),
        reasons=[Reason("inside", 12.0, "min", 5.0, "It came in.")],
        records=[RecordRef("ab" * 32, 7)], detector="picture.zone_entry", version="1",
    )  # fmt: skip
    a = two[0]
    with a.kernel.work(a.kernel.node) as work:
        (made,), _ = leads.keep(work, [said], a.node.cards, mark=Mark.GREEN)
    return made


entry.n = 0


def question(grade, class_="cases"):
    return Question(
        Doing.SEE, B, frozenset({Role.INVESTIGATOR}), A, A, class_, "border_security", Mark.GREEN,
        frozenset({Handling.H0}), frozenset(), START, grade=grade and Grade.read(grade),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("least", "goes", "stays"),
    [
        ("B2", ("A1", "A2", "B1", "B2"), ("B3", "C2", "C1", "A6", "F1", "F6", None)),
        ("A1", ("A1",), ("A2", "B1", None)),
        ("E5", ("A1", "E5", "C3"), ("F5", "E6", "F6", None)),
        ("F6", ("A1", "F6", "F1"), (None,)),
    ],
)
def test_what_is_graded_lower_or_not_at_all_does_not_go(least, goes, stays):
    agreed = terms(grade=least)
    for grade in goes:
        assert decide(agreed, question(grade), Standing()).allowed, grade
    for grade in stays:
        answer = decide(agreed, question(grade), Standing())
        assert (answer.allowed, answer.against) == (False, ("grade",)), grade
        assert decide(terms(), question(grade), Standing()).allowed, "where none is asked for"


def test_answers_between_nodes_have_no_grade_and_are_not_meant():
    agreed = terms(grade="A1", classes=["cases", "match.name", "deconfliction"])
    for class_ in (DataClass.MATCH_NAME, DataClass.DECONFLICTION):
        assert decide(agreed, question(None, class_), Standing()).allowed
    assert not decide(agreed, question(None), Standing()).allowed


def test_the_clause_is_read_where_it_is_agreed_and_the_text_without_it_is_as_it_was():
    agreed = terms(grade="C3")
    (clause,) = [c for c in clauses(agreed) if c.id == "grade"]
    said = clause.says % {name: ", ".join(words) for name, words in clause.values.items()}
    assert "whose source is graded C or better and what it says 3 or better" in said
    assert f"when {{ {clause.cedar} }}" in cedar(agreed)
    assert Terms.read(json.loads(agreed.canonical())) == agreed
    assert agreed.id != terms().id
    assert "grade" not in [c.id for c in clauses(terms())]
    assert "grade" not in json.loads(terms().canonical()), "agreements signed before keep their id"


@pytest.mark.parametrize("wrong", ["", None, "b2", "B", "G1", "B9", 2, ["B2"]])
def test_what_is_no_grade_is_no_term(wrong):
    with pytest.raises(BadInput):
        Terms.read(plain(grade=wrong))


def test_a_release_goes_with_the_grade_and_the_preview_names_the_clause_without(two, entry):
    a, b = two
    made = agree(a, b, title="Graded", grade="B2", purposes=["fraud"])
    desk = a.room.releases
    for grade in (None, Grade("B", "3")):
        asked = Asked(B, Purpose.FRAUD, (entry,), grade=grade)
        shown = desk.preview(a.reader, asked)
        assert (shown.parts, [one.against for one in shown.left]) == ((), [("grade",)])
        with pytest.raises(AgreementRefused, match="grade"):
            desk.send(a.first, asked)
    good = Asked(B, Purpose.FRAUD, (entry,), grade=Grade("A", "2"))
    assert desk.preview(a.reader, good).agreement == made
    one = desk.send(a.first, good)
    exchange(a, b)
    got = b.room.releases.get(b.reader, one.id)
    assert (got.state, str(got.marks.grade)) == (ReleaseState.HELD, "A2")


def test_the_receiver_weighs_the_grade_by_its_own_copy(two):
    """A giver whose node let it pass is refused, and told by which clause."""
    a, b = two
    made = agree(a, b, title="Graded there", grade="B2", purposes=["organised_crime"])
    part = {"ref": f"{A}:1", "class": "findings.picture", "title": "x", "mark": "TLP:GREEN",
            "withheld": {}, "body": {}}  # fmt: skip
    for n, grade in enumerate(({}, {"grade": "C2"})):
        body = {
            "id": f"0199aaaa-0000-7000-8000-00000000000{n}", "agreement": made,
            "purpose": "organised_crime", "originator": A, "parts": [part],
            "sha256": digest([part]), "expires_at": "2026-12-31T00:00:00Z",
            "marks": {"mark": "TLP:GREEN", "handling": ["H0"], "caveats": [], **grade},
        }  # fmt: skip
        with a.kernel.work(a.kernel.node) as work:
            a.nodes.tell(work, B, "release.sent", body)
        a.carry(b)
        refused = b.entries("sharing.release.take")[-1].detail["refused"]
        assert refused == "The agreement does not allow it: grade."
    exchange(a, b)


def test_a_node_that_does_not_know_the_clause_loses_it_by_no_way(two):
    a, b = two
    known = b.nodes._told.pop(KIND)  # as a node of before this clause
    desk = a.room.agreements
    try:
        made = desk.draft(a.first, terms(title="Too new for it", grade="C3"))
        with pytest.raises(Conflict, match="does not know the clause on grades"):
            desk.sign(a.second, made.id)
        assert desk.get(a.first, made.id).state is AgreementState.DRAFTED
        b.listener.stop()  # away: nobody can be asked
        assert desk.sign(a.second, made.id).state is AgreementState.SIGNED
        port = b.listener.port
        b.listener = type(b.listener)(b.nodes, "127.0.0.1", port)
        b.listener.start()
        with pytest.raises(Exception, match=B):
            a.carry(b)
        assert made.id not in {one.id for one in b.room.agreements.known(b.first)}
        assert a.nodes.known(a.first)[0].waiting == 1, "it waits, whole"
    finally:
        b.nodes._told[KIND] = known
    a.carry(b)
    assert b.room.agreements.get(b.first, made.id).terms.grade == Grade("C", "3")
    plain_one = desk.draft(a.first, terms(title="Without it"))
    desk.sign(a.second, plain_one.id)
    (told,) = [m.kind for m in a.nodes.waiting(a.nodes.peer(B).id)]
    assert told == "agreement.signed", "as nodes of before know it"
    exchange(a, b)


def test_a_dry_run_tells_what_a_grade_would_have_let_go(two, entry):
    a, _ = two
    run = dry_run(a.kernel, a.node.cases, a.reader, terms(grade="B2"))
    here = [t.against for t in run.things if t.ref.endswith(entry)]
    assert here == [{B: ("grade",)}]
    assert (run.goes[B], run.reasons[B]["grade"]) == (0, len(run.things))
    without = dry_run(a.kernel, a.node.cases, a.reader, terms())
    assert run.graded[B] == without.goes[B] >= 1
    assert without.graded[B] == 0


def test_the_clause_is_typed_and_read_on_the_pages(two, entry):
    a, _ = two
    console = a.node.console_actor(None)
    a.node.units.add(console, "grading", "Desk")
    a.node.officers.add(
        console, login="grader", name="Person G", roles=[Role.SUPERVISOR], unit="grading",
        cleared=Mark.AMBER_STRICT, password="monsoon lantern quarry", must_change=False,
    )  # fmt: skip
    http = TestClient(create_app(a.node), follow_redirects=False)
    signed = {"login": "grader", "password": "monsoon lantern quarry"}
    assert http.post("/sign-in", data=signed).status_code == 303
    page = http.get("/account").text
    http.headers["X-CSRF-Token"] = page.split('name="csrf" content="')[1].split('"')[0]
    form = {
        "title": "Typed", "parties": "pk-aa federal both\npk-bb provincial receives",
        "classes": ["findings.picture"], "purposes": ["border_security"], "handling": ["H0"],
        "roles": ["investigator"], "highest": "TLP:AMBER", "onward": "never",
        "third_party": "never", "retention_days": "30", "starts": "2026-01-01",
        "ends": "2026-12-31",
    }  # fmt: skip
    wrong = http.post("/sharing/agreements", data={**form, "grade": "Z9"})
    assert wrong.status_code == 422
    assert "grade cannot be used" in wrong.text
    assert 'value="Z9"' in wrong.text, "what was typed is kept"
    made = http.post("/sharing/agreements", data={**form, "grade": "c3"})
    assert made.status_code == 303
    shown = http.get(made.headers["location"]).text
    assert "whose source is graded C or better and what it says 3 or better" in shown
    assert "resource.source &lt;= 2 &amp;&amp; resource.credibility &lt;= 2" in shown
    assert "more, had an officer given each the grade" in shown
