"""Requests between two real nodes: asked, answered, refused, withdrawn, escalated."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import delete

from cordon.kernel import leads
from cordon.kernel.access.model import Mark, Role
from cordon.kernel.errors import BadInput, Conflict, Refused
from cordon.sharing.hidden import NotHere
from cordon.sharing.requests.model import Ground, RequestKind, RequestState, Urgency, Way
from cordon.sharing.requests.tables import RequestRow
from support.agreeing import START, A, B, agree, exchange, later


@pytest.fixture(scope="module")
def sides(agencies):
    a, b = agencies
    agree(a, b, title="To ask one another", purposes=["safety_of_life"])
    return a, b


@pytest.fixture
def two(sides):
    exchange(*sides)
    for side in sides:
        side.clock.set(START)
        with side.kernel.rows.write() as session:
            session.execute(delete(RequestRow))
    return sides


def ask(a, urgency=Urgency.URGENT, text="Which boats left Jiwani on the 27th?", **rest):
    return a.room.requests.ask(
        a.reader, B, rest.pop("kind", RequestKind.INFORMATION), urgency, text,
        rest.pop("basis", "Section 160 of the Code"), **rest,
    )  # fmt: skip


def only(side):
    (one,) = side.room.requests.list(side.reader)
    return one


def test_a_request_is_asked_and_answered(two):
    a, b = two
    one = ask(a)
    exchange(a, b)
    owed = only(b)
    assert (owed.id, owed.way, owed.peer, owed.state) == (one.id, Way.THEIRS, A, RequestState.OPEN)
    assert owed.due_at == START + timedelta(hours=8)
    b.room.requests.answer(b.reader, one.id, "Two; see the release of today.")
    exchange(a, b)
    assert (only(a).state, only(a).said) == ("answered", "Two; see the release of today.")
    assert b.entries("sharing.request.answer")[-1].thing == f"request:{one.id}"
    assert a.entries("sharing.request.take")[-1].detail["state"] == "answered"
    with pytest.raises(Conflict):
        b.room.requests.answer(b.reader, one.id, "Three, in fact.")


def test_a_request_is_refused_with_a_ground_or_withdrawn(two):
    a, b = two
    no, gone = ask(a, kind=RequestKind.PRESERVATION), ask(a, kind=RequestKind.ACTION)
    exchange(a, b)
    b.room.requests.refuse(b.reader, no.id, Ground.NO_LEGAL_BASIS, "The section is of another act.")
    a.room.requests.withdraw(a.reader, gone.id)
    exchange(a, b)
    states = {r.id: (r.state, r.ground) for r in a.room.requests.list(a.reader)}
    assert states == {no.id: ("refused", "no_legal_basis"), gone.id: ("withdrawn", None)}
    assert {r.id: (r.state, r.ground) for r in b.room.requests.list(b.reader)} == states


@pytest.mark.parametrize(
    ("urgency", "within"),
    [
        (Urgency.FLASH, {"hours": 1}),
        (Urgency.URGENT, {"hours": 8}),
        (Urgency.ROUTINE, {"days": 14}),
    ],
)
def test_what_is_not_answered_in_time_is_escalated_on_both_sides_once(two, urgency, within):
    a, b = two
    one = ask(a, urgency)
    exchange(a, b)
    later(two, **within)
    for side in two:
        side.clock.set(side.clock.now() - timedelta(seconds=1))
        side.room.sweep()
        assert only(side).escalated_at is None
        side.clock.set(side.clock.now() + timedelta(seconds=1))
        side.room.sweep()
        side.room.sweep()
        assert only(side).escalated_at == START + timedelta(**within)
        mine = [e for e in side.entries("sharing.request.escalate") if one.id in e.thing]
        assert len(mine) == 1
    later(two, seconds=1)
    with b.kernel.rows.read() as session:  # and so stands before the overseer
        overdue = [o.lead.id for o in leads.overdue(session, b.clock.now())]
    assert one.id in overdue
    b.room.requests.answer(b.reader, one.id, "Late, and still: two.")
    with b.kernel.rows.read() as session:
        assert one.id not in [o.lead.id for o in leads.overdue(session, b.clock.now())]


def test_what_cannot_be_asked_is_refused(two):
    a, _ = two
    with pytest.raises(BadInput, match="number"):
        ask(a, text="Who holds +92 300 1234455, please?")
    with pytest.raises(BadInput):
        ask(a, text="Who?")
    with pytest.raises(BadInput):
        ask(a, basis="")
    with pytest.raises(Conflict, match="lets TLP:RED go"):
        ask(a, mark=Mark.RED)
    with pytest.raises(Conflict):
        a.room.requests.ask(
            a.reader, "uk-xx", RequestKind.ACTION, Urgency.FLASH, "Stop the boat, please.", "Law"
        )
    assert a.room.requests.list(a.reader) == []


def test_each_ends_only_what_is_for_it_to_end(two):
    a, b = two
    one = ask(a)
    exchange(a, b)
    with pytest.raises(Conflict, match="other agency"):
        a.room.requests.answer(a.reader, one.id, "Yes, it was us.")
    with pytest.raises(Conflict, match="other agency"):
        b.room.requests.withdraw(b.reader, one.id)
    for node, to, body in (
        (b, A, {"id": one.id, "state": "withdrawn", "said": "", "ground": None}),
        (a, B, {"id": one.id, "state": "answered", "said": "x y", "ground": None}),
        (b, A, {"id": one.id, "state": "refused", "said": "", "ground": "whim"}),
        (b, A, {"id": one.id, "state": "open", "said": "", "ground": None}),
    ):
        with node.kernel.work(node.kernel.node) as work:
            node.nodes.tell(work, to, "request.ended", body)
    again = {"id": one.id, "kind": "action", "urgency": "flash", "text": "Another text",
             "basis": "law", "mark": "TLP:CLEAR"}  # fmt: skip
    with a.kernel.work(a.kernel.node) as work:
        a.nodes.tell(work, B, "request.asked", again)
        a.nodes.tell(work, B, "request.asked", {**again, "urgency": "now"})
    exchange(a, b)
    for side in two:
        assert (only(side).state, only(side).kind) == ("open", "information")
        assert side.nodes.known(side.first)[0].waiting == 0


def test_roles(two):
    a, b = two
    one = ask(a)
    exchange(a, b)
    for role in (Role.OVERSEER, Role.WATCH_OFFICER, Role.ADMINISTRATOR, Role.SERVICE):
        who = b.officer("x", "desk", role)
        with pytest.raises(Refused):
            b.room.requests.answer(who, one.id, "It was us.")
        if role in (Role.ADMINISTRATOR, Role.SERVICE):
            with pytest.raises(Refused):
                b.room.requests.list(who)
    low = b.officer("l", "desk", Role.INVESTIGATOR, cleared=Mark.GREEN)
    assert b.room.requests.list(low) == []
    with pytest.raises(NotHere):
        b.room.requests.answer(b.reader, "none", "It was us.")
