"""A release passed on to a third agency: asked, permitted, given, corrected, called back."""

from __future__ import annotations

import json
from contextlib import ExitStack
from datetime import timedelta

import pytest
from sqlalchemy import delete

from cordon.kernel import leads
from cordon.kernel.access.model import Mark
from cordon.kernel.errors import BadInput, Conflict, NotFound, Refused
from cordon.kernel.findings import Finding, Reason, RecordRef
from cordon.sharing.agreements.model import Doing, Handling, Purpose
from cordon.sharing.releases.desk import AgreementRefused
from cordon.sharing.releases.gathering import Asked
from cordon.sharing.releases.model import ReleaseState, Way
from cordon.sharing.releases.tables import ReleaseRow, ReleaseStepRow
from support.agreeing import START, A, Agency, B, agree, exchange, later, met
from support.pairing import STORES, databases

C, WHY = "pk-cc", "They look for the same boat."
ALL = [
    {"agency": A, "kind": "federal", "gives": True, "receives": True},
    {"agency": B, "kind": "provincial", "gives": True, "receives": True},
]


@pytest.fixture(scope="module", params=STORES)
def sides(request, tmp_path_factory):
    """Three nodes; the first does not know the third one, and the third does not know the first."""
    with ExitStack() as stack:
        *first, third = databases(request, stack, 3)
        a, b = met(tmp_path_factory.mktemp("two"), first)
        c = Agency(tmp_path_factory.mktemp("third"), C, third)
        yield known(a, b, c)
        for side in (a, b, c):
            side.close()


def known(a, b, c):
    b.nodes.add(b.first, c.card())
    c.nodes.add(c.first, b.card())
    agree(a, b)
    third = [ALL[1], {"agency": C, "kind": "coast", "gives": True, "receives": True}]
    agree(b, c, parties=third, third_party="ask", retention_days=90)
    agree(b, c, parties=third, title="Nothing of others", purposes=["fraud"])
    return a, b, c


@pytest.fixture
def three(sides):
    carried(sides)
    for side in sides:
        side.clock.set(START)
        with side.kernel.rows.write() as session:
            session.execute(delete(ReleaseStepRow))
            for row in session.query(ReleaseRow).order_by(ReleaseRow.source.desc()):
                if row.source:
                    session.delete(row)
            session.flush()
            session.execute(delete(ReleaseRow))
    return sides


def carried(sides):
    a, b, c = sides
    for _ in range(2):
        exchange(a, b)
        exchange(b, c)
    exchange(a, b)


made = iter(range(1, 1000))


def given(sides, **rest):
    """A finding of A that B holds: the finding's id, the release."""
    a, b, _ = sides
    n = next(made)
    said = Finding.make(
        kind="picture.zone_entry", subjects=[f"mmsi:4630{n:05d}"], start=START - timedelta(days=1),
        end=START - timedelta(hours=20), confidence=0.8,
        reasons=[Reason("inside", 12.0, "min", 5.0, "It came in.")],
        records=[RecordRef("ab" * 32, n)], detector="picture.zone_entry", version="1",
    )  # fmt: skip
    with a.kernel.work(a.kernel.node) as work:
        (kept,) = leads.keep(work, [said], a.node.cards, mark=Mark.AMBER)[0]
    one = a.room.releases.send(a.reader, Asked(B, Purpose.BORDER, (kept,), **rest))
    if one.state is ReleaseState.WAITING:
        a.room.releases.countersign(a.second, one.id, yes=True)
    exchange(a, b)
    return kept, one.id


def permitted(sides, id_):
    a, b, _ = sides
    b.room.releases.ask_onward(b.reader, id_, C, WHY)
    exchange(a, b)
    a.room.releases.permit_onward(a.second, id_, C, yes=True)
    exchange(a, b)


def steps(side, id_):
    return [s.what for s in side.room.releases.get(side.reader, id_).steps]


def test_it_goes_on_with_the_originators_word_and_its_receipt_comes_back(three):
    a, b, c = three
    _, id_ = given(three)
    permitted(three, id_)
    on = b.room.releases.pass_on(b.reader, id_, C)
    assert (on.peer, on.originator, on.state) == (C, A, ReleaseState.SENT)
    carried(three)
    got = c.room.releases.get(c.reader, on.id)
    here = b.room.releases.get(b.reader, id_)
    assert got.parts == here.parts
    assert (got.peer, got.originator, got.marks) == (B, A, here.marks)
    assert got.expires_at == here.expires_at  # no longer than where it came from
    came = next(s for s in got.steps if s.what == "came")
    assert came.detail["permission"] == "not_checked"  # C does not know A's node
    assert json.loads(came.detail["proof"])["to"] == C
    assert steps(a, id_)[-3:] == ["onward_asked", "onward_allowed", "passed_on"]
    receipt = a.room.releases.get(a.reader, id_).onward[C].detail["proof"]
    assert json.loads(receipt)["agency"] == C
    assert b.entries("sharing.release.pass_on")[-1].thing == f"release:{id_}"
    assert a.entries("sharing.release.allow")[-1].thing == f"release:{id_}"
    with pytest.raises(Conflict, match="passed on to that agency"):
        b.room.releases.pass_on(b.reader, id_, C)


def test_without_a_yes_nothing_goes_and_a_no_is_told(three):
    a, b, _ = three
    _, id_ = given(three)
    with pytest.raises(Conflict, match="did not permit"):
        b.room.releases.pass_on(b.reader, id_, C)
    b.room.releases.ask_onward(b.reader, id_, C, WHY)
    with pytest.raises(Conflict, match="not answered yet"):
        b.room.releases.ask_onward(b.reader, id_, C, WHY)
    exchange(a, b)
    with pytest.raises(Refused):
        a.room.releases.permit_onward(a.reader, id_, C, yes=True)  # not an investigator's word
    a.room.releases.permit_onward(a.second, id_, C, yes=False, why="The source is known there.")
    exchange(a, b)
    told = b.room.releases.get(b.reader, id_).onward[C]
    assert (told.what, told.detail["why"]) == ("onward_declined", "The source is known there.")
    with pytest.raises(Conflict, match="did not permit"):
        b.room.releases.pass_on(b.reader, id_, C)
    with pytest.raises(Conflict, match="Nobody waits"):
        a.room.releases.permit_onward(a.second, id_, C, yes=True)
    with pytest.raises(BadInput, match="third one"):
        b.room.releases.ask_onward(b.reader, id_, A, WHY)
    with pytest.raises(NotFound):
        b.room.releases.ask_onward(b.reader, id_, "pk-zz", WHY)


def test_a_recall_and_a_correction_reach_the_third_agency(three):
    a, b, c = three
    kept, id_ = given(three)
    permitted(three, id_)
    on = b.room.releases.pass_on(b.reader, id_, C)
    carried(three)
    assert a.room.releases.correct(a.reader, kept, "It was another boat.") == 1
    carried(three)
    assert steps(c, on.id)[-1] == "corrected"
    a.room.releases.recall(a.reader, id_, "The source took it back.")
    carried(three)
    for side, one in ((b, id_), (b, on.id), (c, on.id)):
        held = side.room.releases.get(side.reader, one)
        assert (held.parts, held.state) == ((), ReleaseState.RECALLED), side.code
    gone = a.room.releases.get(a.reader, id_).onward[C]
    assert gone.what == "onward_gone"
    said = json.loads(gone.detail["proof"])
    assert (said["agency"], said["what"], said["release"]) == (C, "recalled", on.id)
    with pytest.raises(Conflict):
        b.room.releases.pass_on(b.reader, id_, C)


def test_what_expires_here_goes_there_too(three):
    _, b, c = three
    _, id_ = given(three)
    permitted(three, id_)
    on = b.room.releases.pass_on(b.reader, id_, C)
    carried(three)
    later(three, days=31)
    assert b.room.releases.sweep() == 1
    carried(three)
    with c.kernel.rows.read() as session:
        row = session.get(ReleaseRow, on.id)
        assert (row.parts, row.state) == ([], ReleaseState.RECALLED)


def test_what_was_corrected_since_is_asked_for_again(three):
    a, b, _ = three
    kept, id_ = given(three)
    permitted(three, id_)
    with a.kernel.work(a.kernel.node) as work:
        row = work.session.get(ReleaseRow, id_)
        part = {**row.parts[0], "title": "Another title"}
        row.parts = [part]
        said = {"id": id_, "ref": part["ref"], "why": "Its title.", "part": part}
        a.nodes.tell(work, B, "release.corrected", said)
    exchange(a, b)
    assert b.room.releases.get(b.reader, id_).parts[0].title == "Another title"
    with pytest.raises(Conflict, match="corrected since"):
        b.room.releases.pass_on(b.reader, id_, C)
    assert kept


def test_what_was_said_against_it_goes_along(three):
    """A coded release is corrected in words alone: its content, and so its hash, stays."""
    a, b, c = three
    kept, id_ = given(three, handling=frozenset({Handling.H0, Handling.H1}))
    permitted(three, id_)
    on = b.room.releases.pass_on(b.reader, id_, C)
    a.room.releases.correct(a.reader, kept, "It was another boat.")
    exchange(a, b)
    b.room.releases.countersign(b.second, on.id, yes=True)
    carried(three)
    got = c.room.releases.get(c.reader, on.id)
    assert [s.detail["why"] for s in got.steps if s.what == "corrected"] == ["It was another boat."]


def test_who_got_it_so_passes_nothing_on_and_uses_it_in_no_court(three):
    _, b, c = three
    _, id_ = given(three)
    permitted(three, id_)
    on = b.room.releases.pass_on(b.reader, id_, C)
    carried(three)
    with pytest.raises(Conflict, match="passed on to this agency itself"):
        c.room.releases.ask_onward(c.reader, on.id, "pk-dd", WHY)
    with pytest.raises(AgreementRefused, match="third_party"):
        c.room.releases.used(c.reader, on.id, Doing.USE_IN_COURT, "The trial of the crew.")


def test_a_coded_one_waits_for_a_second_officer_here_too(three):
    a, b, c = three
    _, id_ = given(three, handling=frozenset({Handling.H0, Handling.H1}))
    permitted(three, id_)
    on = b.room.releases.pass_on(b.reader, id_, C)
    assert on.state is ReleaseState.WAITING
    a.room.releases.recall(a.reader, id_, "It is not needed any more.")
    exchange(a, b)
    with pytest.raises(Conflict):  # what it was made of is gone
        b.room.releases.countersign(b.second, on.id, yes=True)
    carried(three)
    assert c.room.releases.list(c.reader, Way.RECEIVED) == []


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda body: body.pop("permission"), "third_party"),
        (lambda body: body["permission"].update(proof=other(body, to="pk-dd")), "something else"),
        (lambda body: body["permission"].update(proof=other(body, sha256="0" * 64)), "something"),
        (lambda body: body["permission"].update(proof="[]"), "no proof"),
        (lambda body: body.update(originator="pk-xx"), "something else"),
    ],
)  # fmt: skip
def test_a_forged_word_lets_nothing_in(three, spoil, why, monkeypatch):
    _, b, c = three
    _, id_ = given(three)
    permitted(three, id_)
    tell = b.nodes.tell

    def forged(work, code, kind, body):
        if kind == "release.sent":
            body = json.loads(json.dumps(body))
            spoil(body)
        return tell(work, code, kind, body)

    monkeypatch.setattr(b.nodes, "tell", forged)
    on = b.room.releases.pass_on(b.reader, id_, C)
    carried(three)
    assert c.room.releases.list(c.reader, Way.RECEIVED) == []
    told = b.room.releases.get(b.reader, on.id)
    assert told.state is ReleaseState.REFUSED
    assert why in told.steps[-1].detail["why"]


def other(body, **changed):
    return json.dumps({**json.loads(body["permission"]["proof"]), **changed})


def test_where_the_originators_node_is_known_its_key_must_have_signed(three, monkeypatch):
    a, b, c = three
    c.nodes.add(c.first, a.card())
    try:
        _, id_ = given(three)
        permitted(three, id_)
        on = b.room.releases.pass_on(b.reader, id_, C)
        carried(three)
        came = c.room.releases.get(c.reader, on.id).steps[0]
        assert came.detail["permission"] == "signed"
        _, id_ = given(three)
        permitted(three, id_)
        proof = b.room.releases._permission
        mine = b.nodes.keys.sign(b"cordon release proof v1\nx").hex()
        monkeypatch.setattr(
            b.room.releases, "_permission", lambda *told: {**proof(*told), "signature": mine}
        )
        on = b.room.releases.pass_on(b.reader, id_, C)
        carried(three)
        assert b.room.releases.get(b.reader, on.id).state is ReleaseState.REFUSED
    finally:
        c.nodes.cut_off(c.first, A, "The test is over.")


def test_who_read_it_is_told_on_each_store_that_its_agreement_ended(three):
    a, b, _ = three
    agreement = agree(a, b, parties=ALL, title="To end", purposes=["organised_crime"])
    n = next(made)
    said = Finding.make(
        kind="picture.zone_entry", subjects=[f"mmsi:4630{n:05d}"], start=START - timedelta(days=1),
        end=START - timedelta(hours=20), confidence=0.8,
        reasons=[Reason("inside", 12.0, "min", 5.0, "It came in.")],
        records=[RecordRef("ab" * 32, n)], detector="picture.zone_entry", version="1",
    )  # fmt: skip
    with a.kernel.work(a.kernel.node) as work:
        (kept,) = leads.keep(work, [said], a.node.cards, mark=Mark.AMBER)[0]
    ask = Asked(B, Purpose.ORGANISED_CRIME, (kept,), agreement=agreement)
    one = a.room.releases.send(a.reader, ask)
    exchange(a, b)
    desk = b.room.releases
    desk.get(b.reader, one.id)
    later([b], hours=1)
    desk.get(b.reader, one.id)
    read = b.entries("sharing.release.view")[-1]  # a ledger's time never goes back
    assert read.thing == f"release:{one.id}"
    later([b], hours=1)
    b.room.agreements.end(b.second, agreement, "it is not needed any more")
    (lapsed,) = desk.lapsed(b.reader)
    assert (lapsed.peer, lapsed.title, lapsed.ended_by) == (A, "To end", B)
    assert (lapsed.at, lapsed.read_at, lapsed.since) == (START, read.at, b.clock.now())
    assert desk.lapsed(b.first) == []
    later([b], days=40)
    desk.sweep()
    assert desk.lapsed(b.reader) == [], "its content is gone"
