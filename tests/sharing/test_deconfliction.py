"""Planned acts at nodes on loopback, each with its own database and key."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update

from cordon.kernel.errors import BadInput, Conflict, Refused, Unavailable
from cordon.kernel.leads.tables import FindingRow
from cordon.kernel.ledger.tables import LedgerEntry
from cordon.sharing.agreements.tables import AgreementRow, SignatureRow
from cordon.sharing.deconfliction import asking
from cordon.sharing.deconfliction.asking import claim_of
from cordon.sharing.deconfliction.model import ConflictState
from cordon.sharing.deconfliction.tables import (
    ConflictRow,
    PlannedActRow,
)
from cordon.sharing.deconfliction.wire import write_claim
from cordon.sharing.nodes import outbox
from cordon.sharing.nodes.tables import NodeMessageRow
from support.agreeing import agreed
from support.deconflicting import NOON, WHY, Side, settle
from support.pairing import paired

sides, two = paired(Side)


def test_a_conflict_wakes_both_watches_and_tells_whom_to_ring_and_no_more(two):
    a, b = two
    before = a.alerts(), b.alerts()
    theirs = b.add(ring="Duty 0300-7654321", title="Secret name", subjects="number:+923001234567")
    assert b.show(theirs).conflicts == ()
    ours = a.add(lat="30.01")
    mine, other = a.conflict(ours), b.conflict(theirs)
    assert (mine.party, mine.ring, mine.basis) == ("pk-bb", "Duty 0300-7654321", ("place",))
    assert (other.party, other.ring) == ("pk-aa", "021-1234567")
    assert mine.state == other.state == ConflictState.OPEN
    assert (a.alerts(), b.alerts()) == (before[0] + 1, before[1] + 1)
    with a.kernel.rows.read() as session:
        row = session.scalars(select(ConflictRow)).one()
        kept = {c.name: str(getattr(row, c.name)) for c in ConflictRow.__table__.columns}
        finding = session.scalars(
            select(FindingRow).where(FindingRow.kind == "sharing.conflict")
            .order_by(FindingRow.created_at.desc())
        ).first()  # fmt: skip
        said = str(finding.body)
    for text in ("Secret name", "923001234567", "Captain X", "raid"):
        assert text not in str(kept)
        assert text not in said
    assert "Ring Duty 0300-7654321" in said
    assert b"number" not in _bodies(b), "nothing of the act is in what was told"
    for side in two:
        assert side.acts("sharing.conflict.find") >= 1
    assert a.acts("sharing.planned_act.check") >= 1
    assert b.acts("sharing.node.ask") >= 1


def _bodies(side):
    with side.kernel.rows.read() as session:
        return str(session.scalars(select(NodeMessageRow.body)).all()).encode()


@pytest.mark.parametrize(
    ("there", "meet"),
    [
        ({"lat": "30.017"}, True),  # 1.9 km apart, 1 km around each
        ({"lat": "30.019"}, False),
        ({"at": NOON + timedelta(hours=6, minutes=59)}, True),  # 3 h long, 2 h around each
        ({"at": NOON + timedelta(hours=7, minutes=1)}, False),
        ({"at": NOON - timedelta(hours=7, minutes=1)}, False),
        ({"lat": "30.019", "radius_m": "1500"}, True),
        ({"area": "30.005,69.9\n30.005,69.95\n30.01,69.99"}, True),
        ({"area": "30.05,69.9\n30.05,69.95\n30.1,69.95"}, False),
        ({"lat": "30.05", "radius_m": "40000"}, True),
    ],
)
def test_place_and_time_decide_and_either_side_finds_it(two, there, meet):
    a, b = two
    theirs, ours = b.add(), a.add(**there)
    assert len(a.show(ours).conflicts) == len(b.show(theirs).conflicts) == int(meet)
    b.desk.recheck(b.watch, theirs)
    assert len(b.show(theirs).conflicts) == int(meet), "asked the other way round it is the same"


def test_one_subject_is_a_conflict_days_and_places_apart(two):
    a, b = two
    theirs = b.add(subjects="vehicle:LEA-1234\nnumber:+92 300 1234567")
    near = a.add(lat="24", at=NOON + timedelta(days=6), subjects="vehicle:lea 1234")
    assert a.conflict(near).basis == ("subject",)
    far = a.add(lat="24", at=NOON + timedelta(days=9), subjects="number:+923001234567")
    assert a.show(far).conflicts == ()
    watching = a.add(
        lat="24", at=NOON + timedelta(days=13), subjects="number:+923001234567",
        kind="surveillance",
    )  # fmt: skip
    assert a.conflict(watching, "pk-bb").basis == ("subject",), "the longer of the two spans counts"
    other = a.add(lat="24", subjects="vehicle:LEA-1235")
    assert a.show(other).conflicts == ()
    assert {c.act for c in b.desk.conflicts(b.watch)} == {theirs}
    both = a.add(subjects="vehicle:LEA1234")
    assert [c.basis for c in a.show(both).conflicts if c.party == "pk-bb"] == [("place", "subject")]


def test_a_subject_goes_across_under_the_pairs_key_alone(two):
    a, b = two
    act = a.add(subjects="number:+923001234567")
    with a.kernel.rows.read() as session:
        row = session.get(PlannedActRow, act)
    own, peer = a.desk.parties.all()
    assert peer.token("x") != own.token("x")
    there = next(p for p in b.desk.parties.all() if p.code == "pk-aa")
    assert peer.token("number:+923001234567") == there.token("number:+923001234567")
    sent = str(write_claim(claim_of(row, peer)))
    for text in ("923001234567", "Nightjar", "Captain", "raid", act):
        assert text not in sent
    shown = a.show(act).subjects
    assert "923001234567" not in str(shown), "no authority covers it"


def test_two_that_are_entered_at_one_moment_find_each_other(two):
    a, b = two
    for turn in range(3):
        lat = str(20 + turn)
        gate, ids = threading.Barrier(2), {}

        def enter(side, lat=lat, gate=gate, ids=ids):
            gate.wait()
            ids[side.agency] = side.add(lat=lat)

        threads = [threading.Thread(target=enter, args=(side,)) for side in two]
        for t in threads:
            t.start()
        for t in threads:
            t.join(30)
        settle(a, b)
        mine, theirs = a.conflict(ids["pk-aa"]), b.conflict(ids["pk-bb"])
        assert mine.state == theirs.state == ConflictState.OPEN


def test_both_asked_before_either_answered_is_still_found(two, monkeypatch):
    """The worst order: both are kept, then both ask."""
    a, b = two
    with monkeypatch.context() as held:
        held.setattr(asking.Asking, "check", lambda *_: None)
        ours, theirs = a.add(), b.add()
    a.desk.check(a.watch, [ours])
    b.desk.check(b.watch, [theirs])
    assert a.conflict(ours).state == b.conflict(theirs).state == ConflictState.OPEN
    assert a.show(ours).unchecked == b.show(theirs).unchecked == ()


def test_an_answer_that_is_lost_is_told_all_the_same(two, monkeypatch):
    a, b = two
    theirs = b.add()

    def lost(nodes, code, kind, body, **_):
        outbox.send(nodes, nodes.peer(code), "/node/ask", {"kind": kind, "body": body})
        raise Unavailable("The line broke.")

    with monkeypatch.context() as cut:
        cut.setattr(asking.outbox, "ask", lost)
        ours = a.add()
    assert b.conflict(theirs).state == ConflictState.OPEN
    assert [c.party for c in a.show(ours).unchecked] == ["pk-bb"]
    settle(b)
    assert a.conflict(ours).state == ConflictState.OPEN
    a.desk.end(a.watch, ours, "will not take place", cancelled=True)
    settle(a)
    assert b.conflict(theirs).state == ConflictState.GONE


def test_a_conflict_is_owned_and_solved_by_both_before_go(two):
    a, b = two
    theirs = b.add()
    ours = a.add()
    id_ = a.conflict(ours).id
    with pytest.raises(Conflict, match=r"in conflict with pk-bb \(ring 021-1234567\)"):
        a.desk.go(a.watch, ours)
    a.desk.own(a.watch, id_)
    settle(a)
    seen = b.conflict(theirs)
    assert (seen.theirs, seen.their_who) == (ConflictState.OWNED, "Watch")
    with pytest.raises(BadInput):
        a.desk.solve(a.watch, id_, "done")
    a.desk.solve(a.watch, id_, "they wait until 18:00")
    settle(a)
    assert b.conflict(theirs).their_how == "they wait until 18:00"
    with pytest.raises(Conflict):
        a.desk.go(a.watch, ours)  # one side alone cannot settle what concerns two
    b.desk.solve(b.watch, b.conflict(theirs).id, WHY)
    settle(b)
    a.desk.go(a.watch, ours)
    b.desk.go(b.watch, theirs)
    assert a.show(ours).act.state == "going"
    with pytest.raises(Conflict, match="already"):
        a.desk.go(a.watch, ours)


def test_a_commander_goes_ahead_with_a_reason_and_the_other_watch_is_woken(two):
    a, b = two
    theirs = b.add()
    ours = a.add()
    woken = b.alerts()
    id_ = a.conflict(ours).id
    with pytest.raises(Refused):
        a.desk.override(a.watch, id_, "hostage in danger of life")
    with pytest.raises(BadInput):
        a.desk.override(a.actor, id_, "now")
    a.desk.override(a.actor, id_, "hostage in danger of life")
    a.desk.go(a.watch, ours)
    settle(a)
    seen = b.conflict(theirs)
    assert (seen.theirs, seen.their_who) == (ConflictState.OVERRIDDEN, "Major aa")
    assert seen.their_how == "hostage in danger of life"
    assert seen.blocks
    b.alerts()
    with b.kernel.rows.read() as session:
        said = [str(f.body) for f in session.scalars(
            select(FindingRow).where(FindingRow.kind == "sharing.conflict"))]  # fmt: skip
    assert any("pk-aa goes ahead over this conflict (Major aa)" in s for s in said)
    assert b.alerts() >= woken
    with a.kernel.rows.read() as session:
        leaf = session.scalars(
            select(LedgerEntry.leaf).where(LedgerEntry.act == "sharing.conflict.override")
            .order_by(LedgerEntry.at.desc())
        ).first()  # fmt: skip
    assert b"Major aa" in bytes(leaf)


def test_moving_an_act_ends_and_makes_conflicts_on_both_sides(two):
    a, b = two
    theirs = b.add()
    ours = a.add()
    a.change(ours, lat="31")
    assert a.conflict(ours).state == b.conflict(theirs).state == ConflictState.GONE
    a.desk.go(a.watch, ours)
    woken = a.alerts(), b.alerts()
    a.change(ours)
    assert a.conflict(ours).state == b.conflict(theirs).state == ConflictState.OPEN
    assert a.show(ours).act.state == "planned", "what was let go was another place"
    assert (a.alerts(), b.alerts()) == (woken[0] + 1, woken[1] + 1)
    b.change(theirs, lat="32")
    assert a.conflict(ours).state == b.conflict(theirs).state == ConflictState.GONE


def test_what_was_solved_is_open_again_after_a_change(two):
    a, b = two
    theirs = b.add()
    ours = a.add()
    for side, act in ((a, ours), (b, theirs)):
        side.desk.solve(side.watch, side.conflict(act).id, WHY)
    settle(a, b)
    assert not a.conflict(ours).blocks
    b.change(theirs, lat="30.005")
    mine = a.conflict(ours)
    assert (mine.state, mine.theirs, mine.blocks) == (ConflictState.OPEN, ConflictState.OPEN, True)
    assert b.conflict(theirs).blocks


def test_a_word_of_an_earlier_form_is_let_be(two):
    a, b = two
    theirs = b.add()
    ours = a.add()
    a.desk.solve(a.watch, a.conflict(ours).id, WHY)  # waits in the outbox …
    b.change(theirs, lat="30.005")  # … while what it speaks of changes
    settle(a)
    assert b.conflict(theirs).theirs == ConflictState.OPEN


@pytest.mark.parametrize("joint", ["Operation Nightjar", "  operation   NIGHTJAR "])
def test_a_joint_act_is_no_conflict_between_those_who_know_its_name(two, joint):
    a, b = two
    theirs = b.add(joint="operation nightjar", subjects="vehicle:LEA1234")
    ours = a.add(joint=joint, subjects="vehicle:LEA1234")
    assert a.show(ours).conflicts == b.show(theirs).conflicts == ()
    other = a.add(joint="operation nightingale")
    assert {c.party for c in a.show(other).conflicts} == {"pk-aa", "pk-bb"}


def test_units_of_one_agency_meet_as_well(two):
    a, _ = two
    first, second = a.add(), a.add(lat="30.005")
    one, other = a.conflict(first), a.conflict(second)
    assert one.party == other.party == "pk-aa"
    a.desk.solve(a.watch, one.id, WHY)
    assert a.conflict(second).theirs == ConflictState.SOLVED
    a.desk.solve(a.watch, other.id, WHY)
    a.desk.go(a.watch, first)
    a.desk.end(a.watch, first, "everybody is home again")
    assert a.conflict(second).state == ConflictState.GONE


def test_a_node_out_of_reach_is_named_asked_again_and_gone_ahead_without(two):
    a, b = two
    theirs = b.add()
    port = b.listener.port
    b.listener.stop()
    ours = a.add()
    (away,) = a.show(ours).unchecked
    assert (away.party, a.show(ours).conflicts) == ("pk-bb", ())
    assert "cannot be reached" in away.problem
    with pytest.raises(Conflict, match="not checked with pk-bb yet"):
        a.desk.go(a.watch, ours)
    with pytest.raises(Refused):
        a.desk.override_checks(a.watch, ours, "hostage in danger of life")
    assert a.desk.round() == 1
    a.desk.override_checks(a.actor, ours, "hostage in danger of life")
    a.desk.go(a.watch, ours)
    b.listen(port)
    assert a.desk.round() == 0
    assert a.show(ours).unchecked == ()
    assert a.conflict(ours).state == b.conflict(theirs).state == ConflictState.OPEN


def test_one_that_does_not_answer_holds_nobody_up(two, monkeypatch):
    a, _ = two
    monkeypatch.setattr(asking, "PATIENCE_S", 0.3)
    hung, over, whole = threading.Event(), threading.Event(), outbox.ask

    def late(*args, **more):
        hung.wait(20)
        try:
            return whole(*args, **more)
        finally:
            over.set()

    monkeypatch.setattr(asking.outbox, "ask", late)
    ours = a.add()
    hung.set()
    (away,) = a.show(ours).unchecked
    assert over.wait(30), "what comes late must not reach the nodes of the next test"
    assert (away.party, away.problem) == ("pk-bb", "It did not answer in time.")


def test_a_node_that_is_trusted_later_is_asked_about_what_is_there(sides, monkeypatch):
    # the first connection of two nodes, on a machine that does much else
    monkeypatch.setattr("cordon.sharing.deconfliction.asking.PATIENCE_S", 30.0)
    a, b = sides
    for side in sides:
        side.begin()
    try:
        ours = a.add(subjects="vehicle:LEA1234")
        theirs = b.add(lat="24", subjects="vehicle:LEA1234")
        assert [c.party for c in a.show(ours).checks] == ["pk-aa"]
        a.meet(b)
        b.meet(a)
        assert a.desk.round() == 0
        assert a.conflict(ours).basis == b.conflict(theirs).basis == ("subject",)
        assert [c.party for c in a.show(ours).checks] == ["pk-aa", "pk-bb"]
        a.nodes.cut_off(a.actor, "pk-bb", "it turned hostile")
        assert [c.party for c in a.show(ours).checks] == ["pk-aa"]
        a.desk.end(a.watch, ours, "will not take place")  # nobody to tell any more
    finally:
        for side in sides:
            side.listener.stop()


def _agree_no_more(*sides):
    for side in sides:
        with side.kernel.rows.write() as session:
            session.execute(delete(SignatureRow))
            session.execute(delete(AgreementRow))


def _cut_off(a, b):
    a.nodes.cut_off(a.actor, "pk-bb", "its line was tapped")
    b.nodes.keys.rotate(b.kernel.clock.now())
    b.nodes.cut_off(b.actor, "pk-aa", "its line was tapped")
    a.nodes.keys.rotate(a.kernel.clock.now())


def _meet(a, b):
    a.meet(b)
    b.meet(a)


@pytest.mark.parametrize(
    ("leave", "come_back"), [(_agree_no_more, agreed), (_cut_off, _meet)], ids=["agreed", "trusted"]
)
def test_a_node_that_comes_back_is_asked_about_what_was_entered_meanwhile(two, leave, come_back):
    a, b = two
    before = a.add(lat="20")
    assert a.show(before).unchecked == ()
    leave(a, b)
    ours = a.add(subjects="vehicle:LEA1234")
    theirs = b.add(lat="24", subjects="vehicle:LEA1234")
    there = b.add(lat="20")
    come_back(a, b)
    with pytest.raises(Conflict, match="not checked with pk-bb yet"):
        a.desk.go(a.watch, ours)
    assert a.desk.round() == 0
    assert a.conflict(ours).basis == b.conflict(theirs).basis == ("subject",)
    assert a.conflict(before).basis == b.conflict(there).basis == ("place",)
    assert a.show(ours).unchecked == a.show(before).unchecked == ()


def test_tokens_follow_a_new_key_of_either_side(two):
    a, b = two
    b.add(lat="24", subjects="vehicle:LEA1234")
    a.nodes.keys.rotate(a.kernel.clock.now())
    b.nodes.cut_off(b.actor, "pk-aa", "it has a new key")
    b.meet(a)
    ours = a.add(subjects="vehicle:LEA1234")
    assert a.conflict(ours).basis == ("subject",)


def test_what_is_past_ends_by_itself(two):
    a, b = two
    theirs = b.add()
    ours = a.add()
    with a.kernel.rows.write() as session:
        session.execute(
            update(PlannedActRow).values(
                starts=a.kernel.clock.now() - timedelta(minutes=9),
                claim_end=a.kernel.clock.now() - timedelta(minutes=1),
            )
        )
    a.desk.round()
    assert a.show(ours).act.state == "done"
    settle(a)
    assert b.conflict(theirs).state == ConflictState.GONE
    with pytest.raises(Conflict):
        a.desk.go(a.watch, ours)
    assert [s.act.id for s in a.desk.planned(a.watch, ended=True)] == [ours]
