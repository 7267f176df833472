"""Standing questions between two nodes: kept unread, looked for, met, limited, taken back."""

from __future__ import annotations

import dataclasses
from contextlib import ExitStack
from datetime import timedelta

import pytest
from sqlalchemy import delete, func, select

from cordon.kernel.access.model import Role
from cordon.kernel.clock import SetClock
from cordon.kernel.errors import BadInput, Conflict, DoesNotVerify, NotFound, Refused, TooMany
from cordon.kernel.leads.tables import FindingRow
from cordon.kernel.work import AuthorityDenied
from cordon.sharing.agreements.asking import NotAgreed
from cordon.sharing.agreements.tables import AgreementRow, SignatureRow
from cordon.sharing.match.model import Kind, Purpose, Terms
from cordon.sharing.match.sets import FUNCTION
from cordon.sharing.match.standing import asking as asking_side
from cordon.sharing.match.standing.model import StandingState
from cordon.sharing.match.standing.tables import (
    StandingKeptRow,
    StandingKeyRow,
    StandingLookRow,
    StandingMetRow,
    StandingRow,
    StandingSeenRow,
)
from cordon.sharing.match.tables import MatchHeldRow, MatchTermsRow
from support.agreeing import ANSWERS, agreed
from support.matching import WHY, two_sides
from support.pairing import STORES, databases

X, Y, OLD = "+923001110001", "+923001110002", "+923001110003"
DESK = "Desk A, 051-9"
ROWS = (
    StandingMetRow, StandingRow, StandingKeptRow, StandingSeenRow, StandingKeyRow, StandingLookRow,
    MatchTermsRow, MatchHeldRow, SignatureRow, AgreementRow,
)  # fmt: skip


@pytest.fixture(scope="module", params=STORES)
def sides(request, tmp_path_factory):
    with ExitStack() as stack:
        both = two_sides(tmp_path_factory.mktemp("standing"), databases(request, stack, 2))
        yield both
        for side in both:
            side.close()


@pytest.fixture
def two(sides):
    """A may have three questions stand at B, which holds one number already."""
    a, b = sides
    clocks = a.kernel.clock, b.kernel.clock
    for side in sides:
        with side.kernel.rows.write() as session:
            for row in ROWS:
                session.execute(delete(row))
        side.match.standing.keeping._sizes.clear()
    agreed(a, b)
    let(b, standing=3)
    hold(b, OLD)
    yield a, b
    a.kernel.clock, b.kernel.clock = clocks


def let(side, code="pk-aa", kinds=(Kind.NUMBER, Kind.NAME), **numbers):
    given = Terms(kinds, (Purpose.INVESTIGATION,), "Desk B, 051-1", **numbers)
    side.match.set_terms(side.actor, code, given)
    side.carry(code)


def hold(side, *values, kind=Kind.NUMBER):
    side.match.hold(side.actor, kind, list(values), "met on patrol")


def stand(a, *values, kind=Kind.NUMBER, hours=12, actor=None, **more):
    said = {"purpose": Purpose.INVESTIGATION, "why": WHY, "contact": DESK, **more}
    made, refused = a.match.standing.asking.stand(
        actor or a.under("calls", "persons"), "pk-bb", kind, list(values),
        until=a.kernel.clock.now() + timedelta(hours=hours), **said,
    )  # fmt: skip
    return made if not refused else (made, refused)


def carry(a, b):
    a.carry("pk-bb")
    b.carry("pk-aa")


def look(b, **how):
    (found,) = b.match.standing.keeping.look(b.actor, **how) or (None,)
    return found


def ours(a):
    return {q.id: q for q in a.match.standing.ours(a.under("calls", "persons"))}


def rows(side, table):
    with side.kernel.rows.read() as session:
        return list(session.scalars(select(table)))


def test_what_is_met_later_is_told_to_both_and_nothing_else(two):
    a, b = two
    (asked,) = stand(a, X)
    assert ours(a)[asked].state is StandingState.ASKED
    carry(a, b)
    (kept,) = b.match.standing.theirs(b.actor)
    assert (kept.peer, kept.kind, kept.contact, kept.met) == ("pk-aa", Kind.NUMBER, DESK, 0)
    assert ours(a)[asked].state is StandingState.STANDS
    before = [len([f for f in rows(s, FindingRow) if "standing" in f.kind]) for s in two]

    assert look(b).looked == 0, "what it held when the question came is for an ordinary question"
    hold(b, Y, X)
    told = look(b)
    assert (told.looked, told.met, told.problem) == (2, 1, "")
    b.carry("pk-aa")

    (theirs,) = b.match.standing.met(b.under("calls"))
    assert (theirs.ours, theirs.shown, theirs.peer, theirs.contact) == (False, X, "pk-aa", DESK)
    (mine,) = a.match.standing.met(a.under("calls"))
    assert (mine.ours, mine.shown, mine.contact) == (True, X, "Desk B, 051-1")
    assert ours(a)[asked].met == 1
    assert [len([f for f in rows(s, FindingRow) if "standing" in f.kind]) for s in two] == [
        n + 1 for n in before
    ], "both watches are woken"
    assert look(b).looked == 0, "each value is looked at once"
    assert len(rows(b, StandingMetRow)) == 1

    b.match.standing.rung(b.actor, theirs.id, "They come at noon.")
    assert b.match.standing.met(b.actor)[0].note == "They come at noon."


def test_neither_database_message_or_ledger_names_what_did_not_meet(two):
    a, b = two
    stand(a, X)
    carry(a, b)
    hold(b, Y)
    seen = []
    evaluate = a.match.standing.asking.evaluate

    def watched(work, code, body):
        seen.append(body)
        return evaluate(work, code, body)

    a.nodes.on_asked("match.look", watched)
    try:
        assert look(b).looked == 1
    finally:
        a.nodes.on_asked("match.look", evaluate)
    (kept,) = rows(b, StandingKeptRow)
    assert len(kept.tags) == 8
    for text in (Y, X):
        assert text not in str(seen)
        for entry in (
            *a.entries("sharing.match.stand"),
            *b.entries("sharing.match.look"),
            *b.entries("sharing.match.take"),
            *a.entries("sharing.match.answer"),
        ):
            assert text not in str(entry)  # fmt: skip
    assert [r.count for r in rows(a, StandingLookRow)] == [16], "one value goes among fifteen"
    assert b.entries("sharing.match.look")[-1].detail["count"] == 1
    assert a.entries("sharing.match.answer")[-1].detail["count"] == 16


def test_the_same_value_is_other_bytes_each_time(two):
    a, b = two
    said = []
    for _ in "12":
        (asked,) = stand(a, X)
        carry(a, b)
        said += [r.tags for r in rows(b, StandingKeptRow) if r.tags]
        a.match.standing.asking.withdraw(a.actor, asked, "it is not needed any more")
        carry(a, b)
    assert len(set(said)) == 2, "a key ends with the last question under it"
    assert [r.tags for r in rows(b, StandingKeptRow)] == [b"", b""]


def test_names_meet_across_spellings_and_do_not_tell_their_parts(two):
    a, b = two
    stand(a, "Muhammad Rashid", "Ali Bin Hassan Al Karim Shah", kind=Kind.NAME)
    carry(a, b)
    assert {len(r.tags) for r in rows(b, StandingKeptRow)} == {64}
    hold(b, "محمد راشد", kind=Kind.NAME)
    assert look(b).met == 1
    b.carry("pk-aa")
    assert a.match.standing.met(a.under("persons"))[0].shown == "Muhammad Rashid"


def test_values_are_masked_where_no_authority_covers_them(two):
    a, b = two
    stand(a, X)
    carry(a, b)
    hold(b, X)
    look(b)
    b.carry("pk-aa")
    for side in two:
        (met,) = side.match.standing.met(side.actor)
        assert met.hidden
        assert X not in met.shown
        with pytest.raises(Refused):
            side.match.standing.met(side.officer(Role.ADMINISTRATOR))
    (asked,) = a.match.standing.ours(a.actor)
    assert asked.hidden
    assert X not in asked.shown
    assert X not in str(rows(a, StandingRow)[0].value)


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"why": "short"}, BadInput),
        ({"contact": "  "}, BadInput),
        ({"hours": -1}, BadInput),
        ({"hours": 48}, BadInput),  # past the authority's end
        ({"purpose": Purpose.BORDER}, BadInput),
        ({"kind": Kind.VESSEL, "values": ["636012345"]}, NotFound),
        ({"values": ["nothing"]}, BadInput),
        ({"values": [X, Y, OLD, "+923001110004"]}, TooMany),
        ({"data": ("persons",)}, AuthorityDenied),
    ],
)
def test_what_may_not_be_asked_is_refused_before_it_leaves(two, changed, error):
    a, _ = two
    changed = dict(changed)
    values, data = changed.pop("values", [X]), changed.pop("data", ("calls",))
    with pytest.raises(error):
        stand(a, *values, actor=a.under(*data), **changed)
    assert rows(a, StandingRow) == []


def test_without_an_agreement_of_its_class_nothing_stands_is_evaluated_or_looked_for(two):
    a, b = two
    stand(a, X)
    carry(a, b)
    for side in two:
        with side.kernel.rows.write() as session:
            session.execute(delete(SignatureRow))
            session.execute(delete(AgreementRow))
    agreed(a, b, classes=[c for c in ANSWERS if c != "standing.number"])
    hold(b, X)
    with pytest.raises(NotAgreed, match="class"):
        stand(a, Y)
    assert look(b).looked == 0
    answer = a.nodes.answer(
        a.nodes.peer("pk-bb"), "match.look", {"kind": "number", "epoch": 1, "elements": element()}
    )
    assert "against it: class" in answer["refused"]
    assert a.entries("sharing.match.answer")[-1].detail["refused"] is True


def element(count=1):
    made = FUNCTION.blind([b"x"] * count, [asking_side.group.random_scalar() for _ in range(count)])
    return asking_side.to_text(b"".join(made))


def test_a_peer_that_counts_through_is_stopped_and_seen(two):
    a, b = two
    let(a, "pk-bb", looks=100)
    stand(a, X)
    carry(a, b)
    peer = a.nodes.peer("pk-bb")
    body = {"kind": "number", "epoch": 1, "elements": element(50)}
    assert "evaluated" in a.nodes.answer(peer, "match.look", body)
    assert "evaluated" in a.nodes.answer(peer, "match.look", body)
    assert "at most 100" in a.nodes.answer(peer, "match.look", body)["refused"]
    hold(b, X)
    assert "at most 100" in look(b).problem, "the other side sees why"
    detail = [e.detail for e in a.entries("sharing.match.answer")[-4:]]
    assert [(d["count"], d["refused"]) for d in detail] == [
        (50, False), (50, False), (50, True), (16, True),
    ]  # fmt: skip
    a.kernel.clock = b.kernel.clock = SetClock(a.kernel.clock.now() + timedelta(hours=25))
    assert "stand no more" in look_raw(a)


def look_raw(a, **changed):
    body = {"kind": "number", "epoch": 1, "elements": element(), **changed}
    return a.nodes.answer(a.nodes.peer("pk-bb"), "match.look", body).get("refused", "")


@pytest.mark.parametrize(
    "changed",
    [{"kind": "cell"}, {"epoch": "1"}, {"elements": ""}, {"elements": "AAAA"},
     {"elements": element(513)}],
)  # fmt: skip
def test_a_hostile_look_is_refused(two, changed):
    a, b = two
    stand(a, X)
    carry(a, b)
    with pytest.raises(BadInput):
        look_raw(a, **changed)
    assert "stand no more" in look_raw(a, epoch=7)
    assert "stand no more" in look_raw(a, kind="name")


def test_an_answer_under_another_key_is_found_out(two):
    a, b = two
    stand(a, X)
    carry(a, b)
    hold(b, X)
    with a.kernel.rows.write() as session:
        row = session.scalar(select(StandingKeyRow))
        seal = a.match.standing.asking._sealing.seal
        row.seed = seal("11" * 32, f"standing:{row.id}")
    told = look(b)
    assert told.met == 0
    assert "proof" in told.problem
    assert rows(b, StandingMetRow) == []
    assert DoesNotVerify.status  # the words of the problem are those of this error


def test_what_a_peer_may_not_say_is_refused_in_the_ledger(two):
    a, b = two
    (asked,) = stand(a, X)
    carry(a, b)
    with a.kernel.rows.read() as session:
        told = dict(session.scalar(select(StandingRow).where(StandingRow.id == asked)).__dict__)
    assert told["peer"] == "pk-bb"
    ask = {
        "id": asked, "kind": "number", "epoch": 1, "public": "ab" * 32,
        "tags": asking_side.to_text(bytes(8)), "purpose": "investigation", "authority": "W",
        "contact": "C", "until": (b.kernel.clock.now() + timedelta(hours=1)).isoformat(),
    }  # fmt: skip
    for body in (
        ask,  # of that number one is kept
        {**ask, "tags": asking_side.to_text(bytes(16))}, {**ask, "until": "soon"},
        {**ask, "epoch": 1 << 40}, {**ask, "contact": ""}, {**ask, "kind": "cell"},
    ):  # fmt: skip
        refused(a, b, "match.stand", body)
    for kind, body in (
        ("match.met", {"id": asked[:-1] + "x", "contact": "C"}), ("match.stood", {"id": 7}),
        ("match.met", {"id": rows(b, StandingKeptRow)[0].id, "contact": "C"}),
    ):  # fmt: skip
        refused(b, a, kind, body)
    assert len(rows(b, StandingKeptRow)) == 1
    assert rows(a, StandingMetRow) == []


def refused(teller, hearer, kind, body):
    before = len(hearer.entries("sharing.node.deliver"))
    with teller.kernel.work(teller.kernel.node) as work:
        teller.nodes.tell(work, hearer.agency, kind, body)
    teller.carry(hearer.agency)
    said = hearer.entries("sharing.node.deliver")[before:]
    assert any("refused" in e.detail for e in said), body


def test_more_than_the_terms_let_stand_is_refused_by_the_peer_and_said(two):
    a, b = two
    stand(a, X, Y)
    carry(a, b)
    with b.kernel.rows.write() as session:  # the peer thinks better of it, and A has not heard
        row = session.scalar(select(MatchTermsRow).where(MatchTermsRow.way == "given"))
        row.body = {**row.body, "standing": 2}
    (third,) = stand(a, OLD)
    carry(a, b)
    found = ours(a)[third]
    assert (found.state, found.said) == (StandingState.REFUSED, "At most 2 questions stand here.")
    assert found.shown == "", "what was refused is forgotten"


def test_a_question_taken_back_or_over_is_forgotten_on_both_sides(two):
    a, b = two
    first, second = stand(a, X, Y)
    carry(a, b)
    with pytest.raises(BadInput):
        a.match.standing.asking.withdraw(a.actor, first, "no")
    a.match.standing.asking.withdraw(a.actor, first, "it is not needed any more")
    with pytest.raises(Conflict):
        a.match.standing.asking.withdraw(a.actor, first, "it is not needed any more")
    carry(a, b)
    assert sorted(len(r.tags) for r in rows(b, StandingKeptRow)) == [0, 8]
    hold(b, X)
    assert look(b).met == 0
    later = SetClock(a.kernel.clock.now() + timedelta(hours=13))
    a.kernel.clock = b.kernel.clock = later
    for side in two:
        side.match.standing.sweep()
    assert [r.tags for r in rows(b, StandingKeptRow)] == [b"", b""]
    assert ours(a)[second].state is StandingState.OVER
    assert {r.value for r in rows(a, StandingRow)} == {""}
    assert look(b) is None


def test_a_question_ends_with_its_authority(two, monkeypatch):
    a, b = two
    (asked,) = stand(a, X)
    carry(a, b)
    real = a.under("calls").authority
    gone = dataclasses.replace(real, withdrawn_at=a.kernel.clock.now(), withdrawn_why="appealed")

    class Row:
        def to_authority(self):
            return gone

    get = asking_side.Session.get
    monkeypatch.setattr(
        asking_side.Session, "get",
        lambda self, table, id_, **how: (
            Row() if table is asking_side.AuthorityRow else get(self, table, id_, **how)
        ),
    )  # fmt: skip
    a.match.standing.sweep()
    carry(a, b)
    assert ours(a)[asked].state is StandingState.WITHDRAWN
    assert [r.over for r in rows(b, StandingKeptRow)] == ["withdrawn"]


def test_few_new_values_wait_for_company_so_that_the_days_number_lasts(two):
    a, b = two
    stand(a, X)
    carry(a, b)
    assert look(b, soon=False).looked == 0  # shows at once that somebody looks
    assert len(rows(a, StandingLookRow)) == 1
    hold(b, Y)
    look(b, soon=False)
    assert len(rows(a, StandingLookRow)) == 1
    b.kernel.clock = SetClock(b.kernel.clock.now() + timedelta(minutes=10))
    a.kernel.clock = b.kernel.clock
    assert look(b, soon=False).looked == 1
    assert look(b, soon=False).looked == 0
    assert len(rows(a, StandingLookRow)) == 2
    b.kernel.clock.set(b.kernel.clock.now() + timedelta(hours=1))
    hold(b, *(f"+9230011{n:05d}" for n in range(20, 40)))
    assert look(b, soon=False).looked == 20
    with b.kernel.rows.read() as session:
        count = session.scalar(select(func.count()).select_from(StandingSeenRow))
    assert count == 1
