"""Nodes whose database was lost, whose key changes, and whose clock is wrong."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import delete

from cordon.kernel.access.model import Actor, Mark, Role
from cordon.kernel.clock import SetClock
from cordon.kernel.errors import BadInput, Conflict, Refused, Unavailable
from cordon.sharing.nodes.model import MOST_OFF
from cordon.sharing.nodes.outbox import ask, deliver
from cordon.sharing.nodes.tables import NodeHeardRow, NodeMessageRow, NodeRow
from support.nodesides import Side
from support.pairing import paired

WHY = "its database was restored"


sides, two = paired(Side)


def heard(side):
    return [n for _, n in side.heard]


def carry(side):
    while deliver(side.nodes, side.nodes.trusted()[0]):
        pass


def lose(side, *, all_of_it=False):
    """Its database is lost; with it, whom it trusted."""
    with side.kernel.rows.write() as session:
        session.execute(delete(NodeMessageRow))
        session.execute(delete(NodeHeardRow))
        if all_of_it:
            session.execute(delete(NodeRow))


def anew(*sides):
    for side in sides:
        side.nodes.begin_anew(side.actor, side.nodes.trusted()[0].code, WHY)


def test_a_sender_that_was_set_back_begins_anew(two):
    a, b = two
    a.tell("pk-bb", 1, 2, 3)
    carry(a)
    lose(a)
    with a.kernel.rows.write() as session:
        session.query(NodeRow).update({"told": 0})
    a.tell("pk-bb", 4, 5)
    with pytest.raises(Unavailable, match="set back"):
        carry(a)
    anew(a)
    with pytest.raises(Unavailable, match="nobody has let that be here"):
        carry(a)
    assert heard(b) == [1, 2, 3]
    anew(b)
    carry(a)
    assert heard(b) == [1, 2, 3, 4, 5]
    assert a.waits() == 0


def test_a_receiver_that_lost_all_is_told_all_again_in_order(two):
    a, b = two
    a.tell("pk-bb", 1, 2, 3)
    carry(a)
    lose(b, all_of_it=True)
    b.heard.clear()
    b.meet(a)
    a.tell("pk-bb", 4)
    with pytest.raises(Unavailable):
        carry(a)
    anew(a)
    a.tell("pk-bb", 5)
    carry(a)
    assert heard(b) == [1, 2, 3, 4, 5]


def test_a_receiver_that_was_set_back_is_told_what_it_lost_alone(two):
    a, b = two
    a.tell("pk-bb", 1, 2, 3, 4)
    carry(a)
    with b.kernel.rows.write() as session:  # as its backup has it
        session.query(NodeHeardRow).filter(NodeHeardRow.seq > 2).delete()
        session.query(NodeRow).update({"heard": 2})
    b.heard[:] = b.heard[:2]
    a.tell("pk-bb", 5)
    with pytest.raises(Unavailable, match="Message 3 is missing"):
        carry(a)
    anew(a, b)
    carry(a)
    assert heard(b) == [1, 2, 3, 4, 5]


def test_what_was_heard_and_not_acknowledged_is_not_taken_twice(two, monkeypatch):
    a, b = two
    a.tell("pk-bb", 1, 2, 3)
    with monkeypatch.context() as cut:
        cut.setattr(a.nodes, "acknowledged", lambda *_: None)
        deliver(a.nodes, a.nodes.peer("pk-bb"))
    assert a.waits() == 3
    anew(a, b)
    a.tell("pk-bb", 4)
    carry(a)
    assert heard(b) == [1, 2, 3, 4]
    assert a.waits() == 0


def test_an_era_that_is_over_does_not_come_back(two):
    a, b = two
    a.tell("pk-bb", 1)
    carry(a)
    old = a.nodes.peer("pk-bb").era
    anew(a, b)
    a.tell("pk-bb", 2)
    carry(a)
    anew(b)  # it would take a new one
    with a.kernel.rows.write() as session:
        session.query(NodeRow).update({"era": old, "told": 2, "opens": ""})
        session.query(NodeMessageRow).filter(NodeMessageRow.era != old).update(
            {"delivered_at": None, "era": old, "seq": 2}
        )
    with pytest.raises(Unavailable, match="an era that is over"):
        carry(a)
    assert heard(b) == [1, 2]


def test_eras_follow_one_another_for_ever(two):
    a, b = two
    for n in range(4):
        a.tell("pk-bb", n)
        b.tell("pk-aa", n)
        carry(a)
        carry(b)
        anew(a, b)
    carry(a)
    carry(b)
    assert heard(a) == heard(b) == [0, 1, 2, 3]


def test_a_key_changes_with_both_let_pass_for_a_while(two):
    a, b = two
    clock = SetClock(a.kernel.clock.now())
    a.kernel.clock = b.kernel.clock = clock
    old = a.nodes.keys.fingerprint
    new, at = a.nodes.rotate(a.actor, timedelta(hours=1), "it is two years old")
    assert at == clock.now() + timedelta(hours=1)
    carry(a)
    assert b.nodes.peer("pk-aa").next_fingerprint == new
    assert ask(a.nodes, "pk-bb", "hello", {})["version"] == 1
    with pytest.raises(Conflict, match="under way"):
        a.nodes.rotate(a.actor, timedelta(hours=1), "it is two years old")
    clock.advance(timedelta(hours=1, seconds=1))
    assert a.nodes.keys.fingerprint == new != old
    assert ask(a.nodes, "pk-bb", "hello", {})["version"] == 1
    assert ask(b.nodes, "pk-aa", "hello", {})["version"] == 1, "and the other way"
    clock.advance(MOST_OFF)
    pins = b.nodes.peer("pk-aa").pins(clock.now())
    assert [key for key, _ in pins] == [new], "the old key is refused"
    assert ask(a.nodes, "pk-bb", "hello", {})["version"] == 1
    assert b.nodes.peer("pk-aa").fingerprint == new


def test_a_peer_that_was_away_all_the_while_is_given_the_card_by_hand(two):
    a, b = two
    clock = SetClock(a.kernel.clock.now())
    a.kernel.clock = b.kernel.clock = clock
    a.nodes.rotate(a.actor, timedelta(hours=1), "it is two years old")
    clock.advance(timedelta(hours=2))
    with pytest.raises(Unavailable, match="cannot be reached"):
        ask(a.nodes, "pk-bb", "hello", {})
    b.nodes.cut_off(b.actor, "pk-aa", "its key changed while we were away")
    b.meet(a)
    carry(a)
    assert a.waits() == 0
    assert ask(a.nodes, "pk-bb", "hello", {})["version"] == 1


def test_a_change_of_key_that_the_old_one_did_not_sign_is_refused(two):
    a, b = two
    with a.kernel.work(a.kernel.node) as work:
        a.nodes.tell(work, "pk-bb", "node.key", {"change": "{}"})
    with pytest.raises(Unavailable, match="no card"):
        carry(a)
    assert b.nodes.peer("pk-aa").next_fingerprint is None


def test_a_clock_that_is_off_is_measured_and_shown(two):
    a, b = two
    ask(a.nodes, "pk-bb", "hello", {})
    assert abs(a.nodes.peer("pk-bb").clock_off_s) < 2
    now = b.kernel.clock.now()
    b.kernel.clock = SetClock(now + timedelta(seconds=40), 1.0)
    ask(a.nodes, "pk-bb", "hello", {})
    theirs, ours = a.nodes.peer("pk-bb"), b.nodes.peer("pk-aa")
    assert theirs.clock_off_s == pytest.approx(40, abs=3)
    assert ours.clock_off_s == pytest.approx(-40, abs=3)
    assert theirs.clock_wrong
    b.kernel.clock = SetClock(now + timedelta(seconds=400), 1.0)
    with pytest.raises(Unavailable, match="differ by"):
        ask(a.nodes, "pk-bb", "hello", {})
    assert b.nodes.peer("pk-aa").clock_off_s == pytest.approx(-400, abs=3), "though refused"


def test_who_may_and_what_is_asked_of_a_reason(two):
    a, _ = two
    overseer = Actor("x", "X", "pk-aa", None, frozenset({Role.OVERSEER}), Mark.AMBER_STRICT)
    for act in (
        lambda: a.nodes.begin_anew(overseer, "pk-bb", WHY),
        lambda: a.nodes.rotate(overseer, timedelta(hours=1), WHY),
    ):
        with pytest.raises(Refused):
            act()
    with pytest.raises(BadInput, match="overlap"):
        a.nodes.rotate(a.actor, timedelta(0), WHY)
    with pytest.raises(BadInput, match="reason"):
        a.nodes.begin_anew(a.actor, "pk-bb", "why")
    assert a.nodes.keys.next_at() is None
