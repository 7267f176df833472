"""Releases between two real nodes: what leaves, receipt, answers, recall with proof, expiry."""

from __future__ import annotations

import io
import json
from datetime import timedelta

import pytest
from sqlalchemy import delete

from cordon.kernel import leads
from cordon.kernel.access.model import (
    Authority,
    AuthorityKind,
    Mark,
    Role,
    Scope,
)
from cordon.kernel.errors import Conflict, Refused
from cordon.kernel.findings import Finding, Reason, RecordRef
from cordon.sharing.agreements.grades import Grade
from cordon.sharing.agreements.model import AgencyKind, Doing, Handling, Purpose
from cordon.sharing.hidden import NotHere
from cordon.sharing.nodes.desk import actor_of
from cordon.sharing.releases.desk import plain
from cordon.sharing.releases.gathering import Asked
from cordon.sharing.releases.model import ReleaseState, Use, Way, digest
from cordon.sharing.releases.tables import ReleaseRow, ReleaseStepRow
from support.agreeing import START, A, B, agree, exchange, later

NUMBER, OTHER = "+923001234455", "+923007654321"
BORDER = Purpose.BORDER


@pytest.fixture(scope="module")
def sides(agencies):
    a, b = agencies
    a.plain = agree(a, b)
    a.personal = agree(
        a, b, title="Numbers", classes=["findings.calls", "personal.calls"], purposes=["fraud"],
        highest="TLP:AMBER+STRICT",
    )  # fmt: skip
    return a, b


@pytest.fixture
def two(sides):
    exchange(*sides)  # what a test before left waiting
    for side in sides:
        side.clock.set(START)
        with side.kernel.rows.write() as session:
            session.execute(delete(ReleaseStepRow))
            session.execute(delete(ReleaseRow))
    return sides


def finding(kind="picture.zone_entry", subjects=("mmsi:463000001",), n=0, says="It came in."):
    return Finding.make(
        kind=kind, subjects=subjects, start=START - timedelta(days=1, minutes=n),
        end=START - timedelta(hours=20), confidence=0.8,
        reasons=[Reason("inside", 12.0, "min", 5.0, says)],
        records=[RecordRef("ab" * 32, 7)], detector=kind, version="1",
        place={"type": "Point", "coordinates": [62.3, 25.1]},
    )  # fmt: skip


def keep(side, said, mark=Mark.AMBER):
    with side.kernel.work(side.kernel.node) as work:
        made, grown = leads.keep(work, [said], side.node.cards, mark=mark)
    return (made or grown)[0]


@pytest.fixture
def entry(two):
    """A finding of a vessel, made anew for each test."""
    entry.n += 1
    return keep(two[0], finding(n=entry.n))


entry.n = 0


@pytest.fixture(scope="module")
def ring(sides):
    """A finding that names two numbers."""
    says = f"{NUMBER} called 0300-7654321 often."
    return keep(
        sides[0], finding("calls.out_fan", (f"number:{NUMBER}", f"number:{OTHER}"), 5, says)
    )


def send(a, *ids, purpose=BORDER, by=None, **rest):
    return a.room.releases.send(by or a.reader, Asked(B, purpose, ids, **rest))


def state(side, id_):
    with side.kernel.rows.read() as session:
        return session.get(ReleaseRow, id_).state


def test_a_release_arrives_once_and_its_receipt_comes_back(two, entry):
    a, b = two
    preview = a.room.releases.preview(a.reader, Asked(B, BORDER, (entry,)))
    assert not preview.asks_for_second
    assert preview.agreement == a.plain
    one = send(a, entry)
    assert one.state is ReleaseState.SENT
    exchange(a, b)
    got = b.room.releases.get(b.reader, one.id)
    assert [p.plain() for p in got.parts] == [p.plain() for p in preview.parts]
    part = got.parts[0]
    assert part.ref == f"{A}:{entry}"
    assert part.body["subjects"] == ["mmsi:463000001"]
    assert part.withheld == {"records": 1}
    assert (got.peer, got.originator, got.expires_at) == (A, A, START + timedelta(days=30))
    sent = a.room.releases.get(a.reader, one.id)
    assert sent.state is ReleaseState.HELD
    receipt = json.loads(next(s for s in sent.steps if s.what == "receipt").detail["proof"])
    assert (receipt["sha256"], receipt["agency"]) == (one.sha256, B)
    for side, act in ((a, "sharing.release.send"), (b, "sharing.release.take")):
        assert side.entries(act)[-1].thing == f"release:{one.id}"
    assert b.entries("sharing.release.view")[-1].actor == b.reader.id


def test_a_grade_goes_along_and_is_kept(two, entry):
    a, b = two
    one = send(a, entry, grade=Grade("B", "3"))
    exchange(a, b)
    for side in two:
        got = side.room.releases.get(side.reader, one.id)
        assert got.marks.grade == Grade("B", "3")
        assert plain(got)["grade"] == "B3"
    a.room.releases.correct(a.reader, entry, "It was another vessel.")
    exchange(a, b)
    assert b.room.releases.get(b.reader, one.id).marks.grade == Grade("B", "3")


def test_numbers_stay_out_unless_agreement_and_authority_cover_them(two, ring):
    a, b = two
    scope = Scope(frozenset({"calls"}), frozenset({f"number:{NUMBER}"}))
    warrant = Authority(
        "w", A, Mark.AMBER, AuthorityKind.WARRANT, "W-1", "court", "law", "", scope,
        START - timedelta(days=9), START + timedelta(days=9), "x", START,
    )  # fmt: skip
    under = a.officer("3", "desk", Role.INVESTIGATOR, authority=warrant)
    for by, purpose, clear in (
        (a.reader, Purpose.FRAUD, []),  # no authority
        (under, BORDER, []),  # an agreement that names no personal data
        (under, Purpose.FRAUD, [f"number:{NUMBER}"]),  # both, for the one number
    ):
        part = a.room.releases.preview(by, Asked(B, purpose, (ring,))).parts[0]
        text = json.dumps(part.plain())
        assert part.body["subjects"] == clear
        assert part.withheld["subjects"] == 2 - len(clear)
        assert (NUMBER in text) is bool(clear)
        for hidden in ("7654321", "~", *(() if clear else ("1234455", "234455"))):
            assert hidden not in text
    read = a.entries("sharing.release.send")[-1]
    assert (read.outcome, read.authority) == ("read", "w")
    one = send(a, ring, by=under, purpose=Purpose.FRAUD)
    exchange(a, b)
    assert b.room.releases.get(b.reader, one.id).parts[0].body["subjects"] == [f"number:{NUMBER}"]


def test_what_no_agreement_allows_does_not_go_and_says_why(two, entry, ring):
    a, _ = two
    strict = keep(a, finding(n=900), Mark.AMBER_STRICT)
    preview = a.room.releases.preview(a.reader, Asked(B, BORDER, (entry, strict)))
    assert [p.ref for p in preview.parts] == [f"{A}:{entry}"]
    assert [(one.ref, one.against) for one in preview.left] == [(f"{A}:{strict}", ("mark",))]
    for asked in (
        Asked("uk-xx", BORDER, (entry,)),
        Asked("", BORDER, (entry,)),
        Asked(B, Purpose.LIFE, (entry,)),
        Asked(B, BORDER, (entry,), caveats=frozenset({AgencyKind.PROVINCIAL})),
        Asked(B, BORDER, (entry,), handling=frozenset({Handling.H0, Handling.H3})),
        Asked(B, BORDER, (entry,), agreement=a.personal),
    ):
        with pytest.raises(Refused, match="does not allow"):
            a.room.releases.send(a.reader, asked)
        assert a.entries("sharing.release.send")[-1].outcome == "refused"
    assert a.room.releases.list(a.reader, Way.SENT) == []
    assert a.nodes.known(a.first)[0].waiting == 0


def test_what_changed_since_the_preview_does_not_go(two, entry):
    a, _ = two
    seen = digest(
        [p.plain() for p in a.room.releases.preview(a.reader, Asked(B, BORDER, (entry,))).parts]
    )
    assert a.room.releases.send(a.reader, Asked(B, BORDER, (entry,)), seen=seen)
    with pytest.raises(Conflict, match="not what the preview"):
        a.room.releases.send(a.reader, Asked(B, BORDER, (entry,)), seen="0" * 64)


def test_a_second_officer_lets_a_coded_release_go(two, entry):
    a, b = two
    coded = {"handling": frozenset({Handling.H0, Handling.H1})}
    one = send(a, entry, by=a.first, **coded)
    assert one.state is ReleaseState.WAITING
    exchange(a, b)
    assert b.room.releases.list(b.reader, Way.RECEIVED) == []
    for who in (a.first, a.reader):  # the one who asked; one who is no supervisor
        with pytest.raises(Refused):
            a.room.releases.countersign(who, one.id, yes=True)
    assert a.room.releases.countersign(a.second, one.id, yes=True).state is ReleaseState.SENT
    exchange(a, b)
    got = b.room.releases.get(b.reader, one.id)
    assert got.marks.handling == {"H0", "H1"}
    with pytest.raises(Refused, match="court"):
        b.room.releases.used(b.reader, one.id, Doing.USE_IN_COURT, "Charge sheet of the case")
    a.room.releases.allow(a.second, one.id, Doing.USE_IN_COURT)
    exchange(a, b)
    b.room.releases.used(b.reader, one.id, Doing.USE_IN_COURT, "Charge sheet of the case")
    exchange(a, b)
    assert a.room.releases.get(a.reader, one.id).steps[-1].detail["doing"] == "use_in_court"
    no = send(a, entry, by=a.first, **coded)
    gone = a.room.releases.countersign(a.second, no.id, yes=False, why="Too much of it, for now")
    assert gone.state is ReleaseState.DECLINED
    with pytest.raises(Conflict):
        a.room.releases.countersign(a.second, no.id, yes=True)


def test_feedback_comes_back(two, entry):
    a, b = two
    one = send(a, entry)
    exchange(a, b)
    b.room.releases.answer(b.reader, one.id, Use.KNOWN, f"We had it; ring {NUMBER}.")
    exchange(a, b)
    said = a.room.releases.get(a.reader, one.id).steps[-1]
    assert (said.what, said.detail["use"]) == ("feedback", "known")
    assert "1234455" not in said.detail["said"]


def test_a_recall_removes_blocks_and_is_proved_in_both_ledgers(two, entry):
    a, b = two
    one = send(a, entry)
    exchange(a, b)
    a.room.releases.recall(a.reader, one.id, "The source withdrew its consent.")
    assert state(a, one.id) == "recalling"
    exchange(a, b)
    got = b.room.releases.get(b.reader, one.id)
    assert (got.state, got.parts) == (ReleaseState.RECALLED, ())
    with b.kernel.rows.read() as session:
        kept = json.dumps([r.parts for r in session.query(ReleaseRow)])
        kept += json.dumps([r.detail for r in session.query(ReleaseStepRow)])
    assert "463000001" not in kept
    for blocked in (
        lambda: b.room.releases.used(b.reader, one.id, Doing.SEE, "An interview"),
        lambda: b.room.releases.answer(b.reader, one.id, Use.USEFUL),
    ):
        with pytest.raises(Conflict, match="does not hold"):
            blocked()
    sent = a.room.releases.get(a.reader, one.id)
    assert sent.state is ReleaseState.RECALLED
    proof = json.loads(sent.steps[-1].detail["proof"])
    assert (proof["release"], proof["what"], proof["agency"]) == (one.id, "recalled", B)
    assert b.entries("sharing.release.remove")[-1].detail["sha256"] == one.sha256
    assert a.entries("sharing.release.take")[-1].detail["removed"] == "recalled"
    with pytest.raises(Conflict):
        a.room.releases.recall(a.reader, one.id, "The source withdrew its consent.")


def test_a_recall_that_overtakes_nothing_follows_over_a_link_that_was_down(two, entry):
    a, b = two
    one = send(a, entry)
    a.room.releases.recall(a.reader, one.id, "Sent to the wrong agency.")
    exchange(a, b)  # both wait, and come in order
    assert (state(a, one.id), state(b, one.id)) == ("recalled", "recalled")


def test_a_correction_follows_to_all_who_have_it(two, entry):
    a, b = two
    open_, coded = send(a, entry), send(a, entry, handling=frozenset({Handling.H0, Handling.H2}))
    a.room.releases.countersign(a.second, coded.id, yes=True)
    gone = send(a, entry)
    a.room.releases.recall(a.reader, gone.id, "Sent to the wrong agency.")
    exchange(a, b)
    grown = finding(n=entry_number())
    assert keep(a, type(grown)(**{**_fields(grown), "confidence": 0.3})) == entry
    assert a.room.releases.correct(a.reader, entry, "The radar was misaligned.") == 2
    exchange(a, b)
    whole = b.room.releases.get(b.reader, open_.id)
    assert whole.parts[0].body["confidence"] == 0.3
    assert whole.steps[-1].detail["why"] == "The radar was misaligned."
    told = b.room.releases.get(b.reader, coded.id)  # what needed a second officer goes not again
    assert (told.parts[0].body["confidence"], told.steps[-1].what) == (0.8, "corrected")


def entry_number():
    return entry.n


def _fields(one):
    return {name: getattr(one, name) for name in one.__slots__}


def test_what_a_detector_takes_back_is_told_by_itself(two, entry):
    a, b = two
    one = send(a, entry)
    exchange(a, b)
    with a.kernel.work(a.kernel.node) as work:
        assert leads.withdraw(work, finding(n=entry_number()), "A late report shows the lane.")
    a.kernel.dispatcher.run_pending()
    exchange(a, b)
    assert b.room.releases.get(b.reader, one.id).steps[-1].what == "corrected"


def test_what_was_received_expires_by_itself_with_proof(two, entry):
    a, b = two
    one = send(a, entry)
    exchange(a, b)
    later(two, days=29, hours=23)
    b.room.sweep()
    assert state(b, one.id) == "held"
    later(two, hours=1)
    with pytest.raises(NotHere):  # not even before the sweep came round
        b.room.releases.get(b.reader, one.id)
    b.room.sweep()
    b.room.sweep()
    exchange(a, b)
    assert (state(a, one.id), state(b, one.id)) == ("expired", "expired")
    assert len([e for e in b.entries("sharing.release.remove") if one.id in e.thing]) == 1


def test_only_roles_of_the_agreement_see_what_was_received_by_any_way(two, entry):
    a, b = two
    one = send(a, entry)
    exchange(a, b)
    watch = b.officer("w", "desk", Role.WATCH_OFFICER)
    low = b.officer("l", "desk", Role.INVESTIGATOR, cleared=Mark.GREEN)
    admin = b.officer("m", "desk", Role.INVESTIGATOR, Role.ADMINISTRATOR)
    overseer = b.officer("o", "desk", Role.OVERSEER)
    for who in (watch, low, admin, overseer):
        with pytest.raises(Refused):
            b.room.releases.get(who, one.id)
        with pytest.raises(Refused):
            b.room.releases.answer(who, one.id, Use.KNOWN)
    for who in (watch, low, overseer):
        assert b.room.releases.list(who, Way.RECEIVED) == [], "counts give nothing away"
    assert [r.id for r in b.room.releases.list(b.reader, Way.RECEIVED)] == [one.id]
    refused = b.entries("sharing.release.view")[-1]
    assert refused.outcome == "refused"


def test_nothing_is_seen_once_the_agreement_has_ended(two, entry):
    a, b = two
    made = agree(a, b, title=f"Short {entry}", purposes=["counter_terrorism"])
    one = send(a, entry, purpose=Purpose.COUNTER_TERRORISM)
    exchange(a, b)
    assert b.room.releases.get(b.reader, one.id).parts
    waiting = send(
        a, entry, purpose=Purpose.COUNTER_TERRORISM, handling=frozenset({Handling.H0, Handling.H1})
    )
    b.room.agreements.end(b.first, made, "It is not wanted any more.")
    exchange(a, b)
    with pytest.raises(NotHere):
        b.room.releases.get(b.reader, one.id)
    with pytest.raises(Conflict, match="not in force"):
        a.room.releases.countersign(a.second, waiting.id, yes=True)
    with pytest.raises(Refused):
        send(a, entry, purpose=Purpose.COUNTER_TERRORISM)


def spoilt(good, **changed):
    body = {**good, **changed}
    if "parts" in changed and "sha256" not in changed:
        body["sha256"] = digest(body["parts"])
    return body


@pytest.mark.parametrize(
    ("why", "change"),
    [
        ("hash", lambda g: spoilt(g, sha256="0" * 64)),
        ("mark", lambda g: spoilt(g, marks={**g["marks"], "mark": "TLP:AMBER+STRICT"})),
        (
            "mark that this node does not know",
            lambda g: spoilt(g, marks={**g["marks"], "mark": "X"}),
        ),
        ("does not know", lambda g: spoilt(g, marks={**g["marks"], "handling": ["H7"]})),
        ("does not know", lambda g: spoilt(g, marks={**g["marks"], "caveats": ["martian"]})),
        ("caveat", lambda g: spoilt(g, marks={**g["marks"], "caveats": ["provincial"]})),
        ("third_party", lambda g: spoilt(g, originator="pk-cc")),
        ("no such agreement", lambda g: spoilt(g, agreement="none")),
        ("1 to 200 parts", lambda g: spoilt(g, parts=[])),
        ("part of the release", lambda g: spoilt(g, parts=[{}])),
        ("mark", lambda g: spoilt(g, parts=[{**g["parts"][0], "mark": "TLP:RED"}])),
        ("class", lambda g: spoilt(g, parts=[{**g["parts"][0], "class": "personal.calls"}])),
    ],
)
def test_a_hostile_release_is_refused_with_why_and_stops_nothing(two, entry, why, change):
    a, b = two
    one = send(a, entry)
    with a.kernel.rows.write() as session:
        from cordon.sharing.nodes.tables import NodeMessageRow

        row = session.query(NodeMessageRow).order_by(NodeMessageRow.seq.desc()).first()
        row.body = change(row.body)
    exchange(a, b)
    sent = a.room.releases.get(a.reader, one.id)
    assert sent.state is ReleaseState.REFUSED
    assert why in sent.steps[-1].detail["why"]
    assert b.room.releases.list(b.reader, Way.RECEIVED) == []
    assert a.nodes.known(a.first)[0].waiting == 0


@pytest.mark.parametrize(
    "kind", ["recall", "corrected", "removed", "receipt", "feedback", "allowed"]
)
def test_another_agency_touches_no_release_but_its_own(two, entry, kind):
    """What b says of a release that b did not receive, or that is b's to give, changes nothing."""
    a, b = two
    one = send(a, entry)
    exchange(a, b)
    bodies = {"why": "x", "ref": "y", "part": None, "proof": "{}", "signature": "", "use": "wrong",
              "said": "", "doing": "pass_on"}  # fmt: skip
    before = (state(a, one.id), state(b, one.id))
    for id_ in (one.id, "no such", None):
        with b.kernel.work(b.kernel.node) as work:
            b.nodes.tell(work, A, f"release.{kind}", {"id": id_, **bodies})
    exchange(a, b)
    after = a.room.releases.get(a.reader, one.id)
    assert (after.state, state(b, one.id)) == before
    if kind != "feedback":
        assert "refused" in a.entries("sharing.node.deliver")[-1].detail
    assert b.nodes.known(b.first)[0].waiting == 0


def test_a_peer_itself_may_do_nothing_with_releases(two, entry):
    a, b = two
    one = send(a, entry)
    exchange(a, b)
    peer = actor_of(b.nodes.peer(A))
    with pytest.raises(Refused):
        b.room.releases.get(peer, one.id)
    with pytest.raises(Refused):
        b.room.releases.list(peer, Way.RECEIVED)


def test_a_case_goes_without_officers_units_and_file_names(two):
    a, b = two
    case = a.node.cases.open(a.reader, title="Boats by night")
    a.node.cases.add_file(
        a.reader, case, io.BytesIO(b"x"), title="Aslam Khan.jpg", media_type="image/jpeg",
        received_from="person:Aslam Khan",
    )  # fmt: skip
    one = send(a, case=case)
    exchange(a, b)
    parts = b.room.releases.get(b.reader, one.id).parts
    assert [p.class_ for p in parts] == ["cases", "exhibits"]
    text = json.dumps([p.plain() for p in parts])
    for secret in ("Aslam", "officer-", "desk"):
        assert secret not in text
    assert parts[1].body["exhibits"][0]["size"] == 1
