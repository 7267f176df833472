"""Nodes ask and answer each other only what an agreement in force names, for its purpose."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, update

from cordon.kernel.access.model import Mark
from cordon.kernel.errors import Unavailable
from cordon.sharing.agreements.asking import NotAgreed
from cordon.sharing.agreements.model import ANSWERS, DataClass
from cordon.sharing.agreements.tables import AgreementRow, SignatureRow
from cordon.sharing.deconfliction.wire import CHECK
from cordon.sharing.match.model import CLASSES, STANDING, Kind
from cordon.sharing.match.tables import MatchAskedRow, MatchQuestionRow, MatchSetRow
from cordon.sharing.nodes.outbox import ask
from cordon.sharing.releases.model import Part
from support.agreeing import agreed
from support.deconflicting import Side as Acting
from support.matching import HELD, terms, two_sides


def forget(*sides):
    for side in sides:
        with side.kernel.rows.write() as session:
            session.execute(delete(SignatureRow))
            session.execute(delete(AgreementRow))


def ended(*sides):
    for side in sides:
        with side.kernel.rows.write() as session:
            session.execute(
                update(AgreementRow).values(
                    ended_at=side.kernel.clock.now(), ended_by="x", ended_why="it is over"
                )
            )


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    both = two_sides(tmp_path_factory.mktemp("agreed"))
    _, b = both
    b.match.set_terms(b.actor, "pk-aa", terms())
    b.match.hold(b.actor, Kind.NUMBER, HELD[:5], "complaints of 2026")
    b.match.prepare(b.actor, "pk-aa")
    b.carry("pk-aa")
    yield both
    for side in both:
        side.close()


@pytest.fixture
def two(pair):
    forget(*pair)
    return pair


def count(side, table):
    with side.kernel.rows.read() as session:
        return session.query(table).count()


@pytest.mark.parametrize(
    ("changed", "clause"),
    [
        (None, "no agreement in force"),
        ({"classes": ["match.name", "deconfliction", "cases"]}, "against it: class"),
        ({"purposes": ["safety_of_life", "border_security"]}, "against it: purpose"),
        ({"highest": "TLP:GREEN"}, "against it: mark"),
        ({"ends": "2021-01-01T00:00:00Z"}, "against it: force"),
        ({"roles": ["watch_officer"]}, "against it: role"),
        ({"parties": [
            {"agency": "pk-aa", "kind": "federal", "gives": True, "receives": True},
            {"agency": "pk-bb", "kind": "federal", "gives": False, "receives": True},
        ]}, "against it: giver"),
    ],
)  # fmt: skip
def test_no_question_goes_that_is_not_agreed(two, changed, clause):
    a, b = two
    if changed is not None:
        agreed(a, b, **changed)
    before = count(a, MatchQuestionRow), count(b, MatchAskedRow)
    with pytest.raises(NotAgreed, match=clause):
        a.ask([HELD[0]])
    assert (count(a, MatchQuestionRow), count(b, MatchAskedRow)) == before  # nothing has left
    entry = a.entries("sharing.match.ask")[-1]
    assert (entry.outcome, entry.detail["why"]) == ("refused", "not_agreed")


def test_what_is_agreed_is_asked_and_answered_until_it_is_ended(two):
    a, b = two
    agreed(a, b, classes=["match.number"], purposes=["fraud"])
    assert a.ask([HELD[0]]).held == (HELD[0],)
    ended(a)
    with pytest.raises(NotAgreed, match="against it: force"):
        a.ask([HELD[0]])


def test_the_answering_node_decides_by_its_own_copy(two):
    a, b = two
    agreed(a, b)
    forget(b)  # the asker says that it is agreed; here nothing is
    said = a.ask([HELD[0]]).question.refused
    assert "match.number goes from pk-bb to pk-aa: no agreement" in said
    agreed(a, b, classes=["match.name"])
    assert "against it: class" in a.ask([HELD[0]]).question.refused
    assert b.entries("sharing.match.answer")[-1].detail["refused"] is True


def test_an_administrators_role_adds_no_question(two):
    a, b = two
    agreed(a, b, roles=["overseer"])
    with pytest.raises(NotAgreed, match="role"):
        a.ask([HELD[0]])


def test_nothing_is_prepared_for_whom_nothing_is_agreed_with(two):
    a, b = two
    before = count(b, MatchSetRow)
    with pytest.raises(NotAgreed):
        b.match.prepare(b.actor, "pk-aa", whole=True)
    assert b.match.prepare(b.actor) == []
    assert count(b, MatchSetRow) == before
    agreed(a, b, classes=["match.number"])
    assert [p.kind for p in b.match.prepare(b.actor)] == [Kind.NUMBER]


@pytest.fixture(scope="module")
def desks(tmp_path_factory):
    folder = tmp_path_factory.mktemp("acts")
    both = Acting(folder / "a", "pk-aa"), Acting(folder / "b", "pk-bb")
    for side in both:
        side.agreeing = False
        side.begin()
    both[0].meet(both[1])
    both[1].meet(both[0])
    yield both
    for side in both:
        side.listener.stop()
        side.node.close()


def test_planned_acts_are_checked_where_it_is_agreed_alone(desks):
    a, b = desks
    theirs, ours = b.add(), a.add(lat="30.01")
    assert [c.party for c in a.show(ours).checks] == ["pk-aa"]  # nobody else was asked
    assert a.show(ours).conflicts == b.show(theirs).conflicts == ()
    assert a.show(ours).unagreed == ("pk-bb",), "and that is said"
    with pytest.raises(Unavailable, match=r"deconfliction goes from pk-aa to pk-bb: no agreement"):
        ask(b.nodes, "pk-aa", CHECK, {"version": 1, "acts": []})
    refused = "sharing.node.ask"
    with a.kernel.rows.read() as session:
        from cordon.kernel.ledger import Entry
        from cordon.kernel.ledger.tables import LedgerEntry

        leaves = session.query(LedgerEntry).filter_by(act=refused).order_by(LedgerEntry.index)
        assert Entry.from_leaf(leaves.all()[-1].leaf).outcome == "refused"
    agreed(a, b, purposes=["fraud"])
    with pytest.raises(Unavailable, match="against it: purpose"):
        ask(b.nodes, "pk-aa", CHECK, {"version": 1, "acts": []})
    assert a.desk.round() == 0
    assert a.show(ours).conflicts == ()
    agreed(a, b, purposes=["safety_of_life"], classes=["deconfliction"])
    assert a.desk.round() == 0  # what is live is checked as soon as it is agreed
    assert a.conflict(ours).party == "pk-bb"
    assert b.conflict(theirs).party == "pk-aa"
    ended(a, b)
    waiting = a.nodes.known(a.actor)[0].waiting
    a.desk.own(a.watch, a.conflict(ours).id)
    assert a.nodes.known(a.actor)[0].waiting == waiting  # who owns it is told no more
    a.desk.end(a.watch, ours, "it is over and done")
    assert a.nodes.known(a.actor)[0].waiting == waiting + 1  # that it is gone still is


def test_classes_of_answers_are_no_parts_of_a_release():
    assert {*CLASSES.values(), *STANDING.values(), DataClass.DECONFLICTION} == ANSWERS
    from cordon.kernel.errors import BadInput

    part = {"ref": "pk-bb:1", "title": "x", "mark": Mark.GREEN.value, "body": {}, "withheld": {}}
    for class_ in ANSWERS:
        with pytest.raises(BadInput):
            Part.read({**part, "class": class_.value})
    assert Part.read({**part, "class": "cases"})
