"""Two nodes on loopback: one asks the other, and neither tells more than it must."""

from __future__ import annotations

import base64
import json
from datetime import timedelta

import pytest
from sqlalchemy import delete

from cordon.kernel.access.model import Mark, Role
from cordon.kernel.clock import SetClock
from cordon.kernel.errors import (
    AuthorityRefused,
    BadInput,
    Conflict,
    DoesNotVerify,
    NotFound,
    Refused,
    Unavailable,
)
from cordon.kernel.ids import new_id
from cordon.kernel.leads.tables import FindingRow, FindingSubjectRow
from cordon.sharing.match import group, tables
from cordon.sharing.match.model import Kind, Purpose, Terms
from cordon.sharing.match.oprf import key_of
from cordon.sharing.match.sets import FUNCTION
from cordon.sharing.nodes.outbox import ask
from support.matching import HELD, REFERENCE, WHY, terms, two_sides

ROWS = (
    tables.MatchHitRow, tables.MatchQuestionRow, tables.MatchAskedRow, tables.MatchSetRow,
    tables.MatchTheirsRow, tables.MatchTermsRow, tables.MatchHeldRow,
)  # fmt: skip


@pytest.fixture(scope="module")
def sides(tmp_path_factory):
    both = two_sides(tmp_path_factory.mktemp("match"))
    yield both
    for side in both:
        side.close()


@pytest.fixture
def two(sides):
    """A asks, B holds two hundred numbers and has told its terms and its set."""
    a, b = sides
    clocks = a.kernel.clock, b.kernel.clock
    for side in sides:
        with side.kernel.rows.write() as session:
            for row in ROWS:
                session.execute(delete(row))
    prepared(b, terms(), HELD)
    yield a, b
    a.kernel.clock, b.kernel.clock = clocks


def prepared(b, given, held=(), kind=Kind.NUMBER):
    b.match.set_terms(b.actor, "pk-aa", given)
    if held:
        b.match.hold(b.actor, kind, held, "complaints of 2026")
    made = b.match.prepare(b.actor, "pk-aa")
    b.carry("pk-aa")
    return made


def theirs(a):
    with a.kernel.rows.read() as session:
        row = session.query(tables.MatchTheirsRow).one()
        return row.version, row.size, bytes(row.tags)


def test_a_hit_is_told_to_the_one_who_asked_alone(two):
    a, b = two
    outcome = a.ask([f"  {HELD[7]} ", "0300-0000009", "+923219999999", "no number", HELD[7]])
    assert outcome.held == (HELD[7], HELD[9])
    assert [(r.row, r.reason) for r in outcome.refused] == [
        (4, "That is no telephone number of any plan.")
    ]
    assert (outcome.question.count, outcome.question.hits) == (3, 2)
    assert outcome.contact == "Desk B, 051-1"
    came = b.match.asked(b.actor)[0]
    assert (came.peer, came.kind, came.count, came.authority, came.purpose) == (
        "pk-aa", "number", 3, REFERENCE, "investigation")  # fmt: skip
    with b.kernel.rows.read() as session:  # nothing there says which, or whether any hit
        columns = set(tables.MatchAskedRow.__table__.columns.keys())
        kept = json.dumps(
            [str(v) for v in vars(session.query(tables.MatchAskedRow).one()).values()]
        )
    assert "hits" not in columns
    assert "+92" not in kept


def test_both_ledgers_have_it_without_the_values(two):
    a, b = two
    a.ask([HELD[3], "+923219999999"])
    asked, heard = a.entries("sharing.match.ask")[-2:]
    assert asked.detail["count"] == 2
    assert asked.authority is not None
    assert heard.detail["hits"] == 1
    answered = b.entries("sharing.match.answer")[-1]
    assert answered.actor == "node:pk-aa"
    assert answered.detail == {
        "peer": "pk-aa", "kind": "number", "count": 2, "authority": REFERENCE,
        "purpose": "investigation", "refused": False,
    }  # fmt: skip
    for entry in (asked, heard, answered):
        assert "9232" not in json.dumps(entry.detail)
        assert HELD[3][1:] not in json.dumps(entry.detail)


def test_a_hit_is_a_draft_of_a_request_and_masked_without_authority(two):
    a, _ = two
    a.ask([HELD[1]])
    hit = a.match.hits(a.officer(Role.INVESTIGATOR))[0]
    assert (hit.hidden, hit.contact, hit.rung_at) == (True, "Desk B, 051-1", None)
    assert HELD[1] not in hit.shown
    shown = a.match.hits(a.under("calls"))[0]
    assert (shown.shown, shown.hidden) == (HELD[1], False)
    assert a.entries("sharing.match.view")[-1].outcome == "read"
    other = a.under("calls", subjects=frozenset({"number:+923000000199"}))
    assert a.match.hits(other)[0].hidden
    a.match.rung(a.actor, hit.id, "They send their file on it")
    assert a.match.hits(a.actor)[0].note == "They send their file on it"


def test_values_that_nobody_holds_are_forgotten(two):
    a, _ = two
    a.ask(["+923219999999"])
    with a.kernel.rows.read() as session:
        row = session.query(tables.MatchQuestionRow).one()
        assert (row.sealed, row.hits) == ("", 0)
        assert session.query(tables.MatchHitRow).count() == 0


def test_no_question_without_an_authority_that_covers_each_value(two):
    a, b = two
    for actor in (
        a.officer(Role.INVESTIGATOR),
        a.under("payments"),
        a.under("calls", subjects=frozenset({f"number:{HELD[0]}"})),
    ):
        with pytest.raises(AuthorityRefused):
            a.ask([HELD[0], HELD[1]], actor=actor)
    assert a.entries("sharing.match.ask")[-1].outcome == "refused"
    for role in (Role.OVERSEER, Role.ADMINISTRATOR, Role.SERVICE):
        with pytest.raises(Refused):
            a.ask([HELD[0]], actor=a.officer(role))
    assert b.match.asked(b.actor) == []


def test_terms_are_kept_by_the_one_who_asks_and_by_the_one_who_answers(two):
    a, b = two
    with pytest.raises(NotFound, match="kind account"):
        a.ask(["PK36SCBL0000001123456702"], kind=Kind.ACCOUNT)
    with pytest.raises(BadInput, match="purpose border"):
        a.match.asking.ask(
            a.under("calls"), "pk-bb", Kind.NUMBER, [HELD[0]], Purpose.BORDER, WHY
        )  # fmt: skip
    element = FUNCTION.blind([b"x"], [group.random_scalar()])[0]

    def refused(**other):
        body = {
            "id": new_id(), "kind": "number", "epoch": 1, "authority": "A 1",
            "elements": base64.b64encode(element).decode(), "purpose": "investigation",
        } | other  # fmt: skip
        return ask(a.nodes, "pk-bb", "match.ask", body).get("refused", "")

    assert "kind account" in refused(kind="account")
    assert "purpose" in refused(purpose="danger")
    many = base64.b64encode(element * 101).decode()
    assert "at most 100 values" in refused(elements=many)
    assert [q.refused != "" for q in b.match.asked(b.actor)] == [True] * 3
    assert b.entries("sharing.match.answer")[-1].detail["refused"] is True


def test_a_day_has_an_end(two):
    a, b = two
    b.match.set_terms(b.actor, "pk-aa", terms(batch=4, daily=6))
    b.carry("pk-aa")
    a.ask(HELD[:4])
    full = a.ask(HELD[4:8])
    assert full.question.refused == "In 24 hours at most 6 values are answered."
    assert full.held == ()
    a.ask(HELD[4:6])  # what was refused does not count
    a.kernel.clock = b.kernel.clock = SetClock(b.kernel.clock.now() + timedelta(hours=25))
    assert a.ask(HELD[8:12]).held == tuple(HELD[8:12])


def test_an_answer_can_be_made_to_wait(two):
    a, b = two
    b.match.set_terms(b.actor, "pk-aa", terms(delay_s=3600))
    b.carry("pk-aa")
    waits = a.ask([HELD[5], "+923219999999"]).question
    assert waits.due_at is not None
    assert waits.answered_at is None
    actor = a.under("calls")
    assert a.match.asking.fetch(actor, waits.id).question.answered_at is None  # too early
    a.kernel.clock = b.kernel.clock = SetClock(b.kernel.clock.now() + timedelta(seconds=3601))
    assert a.match.asking.fetch(actor, waits.id).held == (HELD[5],)
    with pytest.raises(Conflict, match="has its answer"):
        a.match.asking.fetch(actor, waits.id)
    assert len(b.entries("sharing.match.answer")) >= 1
    assert len(b.match.asked(b.actor)) == 1


def test_a_lost_answer_may_be_asked_for_again_and_not_for_ever(two):
    a, b = two
    element = FUNCTION.blind([b"x"], [group.random_scalar()])[0]
    body = {
        "id": new_id(), "kind": "number", "epoch": 1, "authority": "A 1",
        "elements": base64.b64encode(element).decode(), "purpose": "investigation",
    }  # fmt: skip
    first = ask(a.nodes, "pk-bb", "match.ask", body)
    assert ask(a.nodes, "pk-bb", "match.ask", body)["evaluated"] == first["evaluated"]
    other = FUNCTION.blind([b"y"], [group.random_scalar()])[0]
    with pytest.raises(Unavailable, match="Another question"):
        ask(a.nodes, "pk-bb", "match.ask",
            body | {"elements": base64.b64encode(other).decode()})  # fmt: skip
    ask(a.nodes, "pk-bb", "match.ask", body)
    with pytest.raises(Unavailable, match="was answered 3 times"):
        ask(a.nodes, "pk-bb", "match.ask", body)
    assert len(b.match.asked(b.actor)) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"elements": base64.b64encode(bytes(32)).decode()},  # the identity
        {"elements": base64.b64encode(b"\xff" * 32).decode()},
        {"elements": base64.b64encode(bytes(31)).decode()},
        {"elements": ""},
        {"elements": "%%"},
        {"elements": 7},
        {"id": "../x"},
        {"kind": "faith"},
        {"authority": " "},
        {"authority": "x" * 300},
        {"authority": "a\nb"},
        {"purpose": ""},
        {"epoch": "1"},
        {"epoch": 2},
    ],
    ids=lambda w: str(w)[:40],
)
def test_hostile_questions_are_refused(two, wrong):
    a, b = two
    element = FUNCTION.blind([b"x"], [group.random_scalar()])[0]
    body = {
        "id": new_id(), "kind": "number", "epoch": 1, "authority": "A 1",
        "elements": base64.b64encode(element).decode(), "purpose": "investigation",
    }  # fmt: skip
    with pytest.raises(Unavailable, match="refused"):
        ask(a.nodes, "pk-bb", "match.ask", body | wrong)
    assert b.match.asked(b.actor) == []


def test_an_answer_under_another_key_is_seen(two, monkeypatch):
    a, b = two
    monkeypatch.setattr(b.match.answering, "key", lambda row: key_of(b"\x01" * 32, b"other"))
    with pytest.raises(DoesNotVerify, match="ring the other agency"):
        a.ask([HELD[0]])
    monkeypatch.undo()
    with a.kernel.rows.read() as session:
        question = session.query(tables.MatchQuestionRow).one()
        assert question.answered_at is None


def test_sets_are_brought_up_to_date_by_changes_that_hide_their_size(two):
    a, b = two
    version, size, before = theirs(a)
    assert (version, size) == (1, 4096)
    b.match.hold(b.actor, Kind.NUMBER, ["+923451234567"], "a new complaint")
    made = b.match.prepare(b.actor, "pk-aa")[0]
    assert (made.new, made.gone, made.whole) == (1, 0, False)
    b.carry("pk-aa")
    version, size, after = theirs(a)
    assert (version, size) == (2, 4096)
    old = {before[n : n + 8] for n in range(0, len(before), 8)}
    new = {after[n : n + 8] for n in range(0, len(after), 8)}
    assert len(old - new) == len(new - old) == 64
    assert a.ask(["+923451234567"]).held == ("+923451234567",)


def test_a_set_in_parts_and_one_out_of_step(two, monkeypatch):
    a, b = two
    monkeypatch.setattr("cordon.sharing.match.desk._PART", 5000)
    assert b.match.prepare(b.actor, "pk-aa", whole=True)[0].whole
    b.carry("pk-aa")
    assert theirs(a)[:2] == (2, 4096)
    with a.kernel.rows.write() as session:  # a was set back
        session.query(tables.MatchTheirsRow).update({"version": 1})
    monkeypatch.undo()
    b.match.hold(b.actor, Kind.NUMBER, ["+923451234567"], "a new complaint")
    b.match.prepare(b.actor)
    b.carry("pk-aa")  # and holds up no message of the peer
    with pytest.raises(Conflict, match="out of step"):
        a.ask([HELD[0]])
    b.match.prepare(b.actor, whole=True)
    b.carry("pk-aa")
    assert a.ask([HELD[0]]).held == (HELD[0],)


def test_a_new_key_makes_the_old_set_worthless(two):
    a, b = two
    before = theirs(a)[2]
    b.match.prepare(b.actor, "pk-aa", anew=True)
    with pytest.raises(Unavailable, match="prepared anew"):
        a.ask([HELD[0]])
    b.carry("pk-aa")
    left = a.match.questions(a.actor)[0]
    closed = a.match.asking.fetch(a.under("calls"), left.id).question
    assert closed.refused == "What is held was prepared anew; ask anew."
    after = theirs(a)[2]
    assert not {before[n : n + 8] for n in range(0, len(before), 8)} & {
        after[n : n + 8] for n in range(0, len(after), 8)
    }
    assert a.ask([HELD[0]]).held == (HELD[0],)


def test_terms_that_are_taken_back_take_the_set_with_them(two):
    a, b = two
    b.match.set_terms(b.actor, "pk-aa", Terms((), (), ""))
    with pytest.raises(NotFound, match="no terms"):
        b.match.prepare(b.actor, "pk-cc")
    b.carry("pk-aa")
    assert a.match.ready(a.actor) == ([], [])
    assert b.match.ready(b.actor) == ([], [])
    with pytest.raises(NotFound):
        a.ask([HELD[0]])


def test_subjects_of_findings_are_held_unless_they_are_red(two):
    a, b = two
    now = b.kernel.clock.now()
    with b.kernel.rows.write() as session:
        for mark, number in ((Mark.AMBER, "+923331111111"), (Mark.RED, "+923332222222")):
            row = FindingRow(
                id=new_id(), agency="pk-bb", mark=mark, created_at=now, kind="calls.fan",
                title="Fan", seriousness="high", starts=now, ends=now, confidence=0.5, body={},
                records=[],
            )  # fmt: skip
            session.add(row)
            session.flush()
            session.add(FindingSubjectRow(subject=f"number:{number}", finding=row.id))
    b.match.holdings.provide(lambda _session: ["number:+923333333333", "account:1"])
    b.match.prepare(b.actor)
    b.carry("pk-aa")
    asked = ["+923331111111", "+923332222222", "+923333333333"]
    assert a.ask(asked).held == ("+923331111111", "+923333333333")
    b.match.holdings._providers.clear()


def test_names_are_matched_across_scripts(two):
    a, b = two
    prepared(b, terms(Kind.NAME), ["محمد یوسف خان", "Sergei Viktorovich Lavrov"], Kind.NAME)
    outcome = a.ask(
        ["Muhammad Yousaf Khan", "KHAN, Mohammed", "Сергей Лавров", "Ahmed Raza", "Khan"],
        kind=Kind.NAME,
    )
    assert outcome.held == ("Muhammad Yousaf Khan", "KHAN, Mohammed", "Сергей Лавров")
    assert [r.row for r in outcome.refused] == [5]


@pytest.mark.parametrize("role", [Role.INVESTIGATOR, Role.OVERSEER, Role.ADMINISTRATOR])
def test_only_supervisors_set_terms_and_prepare(two, role):
    _, b = two
    actor = b.officer(role)
    with pytest.raises(Refused):
        b.match.set_terms(actor, "pk-aa", terms())
    with pytest.raises(Refused):
        b.match.prepare(actor)
    with pytest.raises(Refused):
        b.match.hold(actor, Kind.NUMBER, HELD, "x")


def test_a_peer_that_is_away_keeps_the_question(two):
    a, b = two
    port = b.listener.port
    b.listener.stop()
    with pytest.raises(Unavailable, match="cannot be reached"):
        a.ask([HELD[0]])
    b.listener = type(b.listener)(b.nodes, "127.0.0.1", port)
    b.listener.start()
    waiting = a.match.questions(a.actor)[0]
    assert a.match.asking.fetch(a.under("calls"), waiting.id).held == (HELD[0],)
