"""Agreements between two real nodes: drafted, signed by all, asked, ended; and what is refused."""

from __future__ import annotations

import base64
import dataclasses
import json

import pytest

from cordon.kernel.access.model import Mark, Role
from cordon.kernel.errors import BadInput, Conflict, Refused
from cordon.sharing.agreements import clauses, deciding
from cordon.sharing.agreements.deciding import Standing, decide
from cordon.sharing.agreements.model import (
    AgencyKind,
    AgreementState,
    Doing,
    Handling,
    Marks,
    Question,
    Terms,
)
from cordon.sharing.agreements.tables import AgreementRow
from support.agreeing import START, A, B, agree, plain, terms

H0 = frozenset({Handling.H0})


@pytest.fixture
def two(agencies):
    for side in agencies:
        side.clock.set(START)
    return agencies


def question(**changed):
    asked = Question(
        Doing.SEE, B, frozenset({Role.INVESTIGATOR}), A, A, "findings.picture", "border_security",
        Mark.AMBER, H0, frozenset(), START,
    )  # fmt: skip
    return dataclasses.replace(asked, **changed)


def test_an_agreement_is_in_force_once_all_have_signed_and_until_one_ends_it(two):
    a, b = two
    desk, other = a.room.agreements, b.room.agreements
    made = desk.draft(a.first, terms(title="The way"))
    assert made.state is AgreementState.DRAFTED
    with pytest.raises(Refused, match="does not sign"):
        desk.sign(a.first, made.id)
    assert desk.sign(a.second, made.id).state is AgreementState.SIGNED
    a.carry(b)
    assert other.get(b.reader, made.id).state is AgreementState.OFFERED
    with b.kernel.view(b.reader) as view:
        assert other.decides(view, question(), made.id).against == ("force",)
    assert other.sign(b.first, made.id).state is AgreementState.IN_FORCE
    assert desk.get(a.first, made.id).state is AgreementState.SIGNED
    b.carry(a)
    kept = desk.get(a.first, made.id)
    assert kept.state is AgreementState.IN_FORCE
    assert [s.agency for s in kept.signatures] == [A, B]
    for side, node in ((desk, a), (other, b)):
        with node.kernel.view(node.reader) as view:
            assert side.decides(view, question(), made.id).allowed
    with pytest.raises(Conflict):
        desk.sign(a.second, made.id)
    other.end(b.second, made.id, "The law behind it was repealed.")
    b.carry(a)
    ended = desk.get(a.first, made.id)
    assert (ended.state, ended.ended_by) == (AgreementState.ENDED, B)
    assert ended.ended_why == "The law behind it was repealed."
    with a.kernel.view(a.reader) as view:
        assert desk.decides(view, question(), made.id).against == ("force",)
    assert a.entries("sharing.agreement.take")[-1].detail["ended_by"] == B


def test_a_changed_text_is_another_agreement_and_the_signatures_do_not_hold_for_it(two):
    a, b = two
    made = agree(a, b, title="Changed later")
    assert terms(title="Changed later", retention_days=31).id != made
    with a.kernel.rows.write() as session:
        row = session.get(AgreementRow, made)
        row.text = terms(title="Changed later", retention_days=3000).canonical()
    kept = a.room.agreements.get(a.first, made)
    assert (kept.state, kept.signed) == (AgreementState.DRAFTED, False)
    with a.kernel.view(a.reader) as view:
        assert not a.room.agreements.decides(view, question(), made).allowed


@pytest.mark.parametrize(
    "spoil",
    [
        lambda body: {**body, "signature": base64.b64encode(bytes(64)).decode()},
        lambda body: {**body, "text": body["text"].replace("30", "90")},
        lambda body: {**body, "text": body["text"] + " "},
        lambda body: {**body, "text": '{"title":1}'},
        lambda body: {**body, "text": "[" * 60_000},
        lambda body: {**body, "text": 5},
        lambda _: {},
    ],
)
def test_what_is_not_signed_by_its_sender_is_refused_and_stops_nothing(two, spoil):
    a, b = two
    text = terms(title="Forged").canonical()
    signature = base64.b64encode(a.nodes.keys.sign(b"cordon agreement v1\n" + text.encode()))
    good = {"text": text, "signature": signature.decode()}
    with a.kernel.work(a.kernel.node) as work:
        a.nodes.tell(work, B, "agreement.signed", spoil(good))
    before = len(b.room.agreements.known(b.first))
    a.carry(b)  # nothing waits: a message that cannot be taken holds up no other
    assert a.nodes.known(a.first)[0].waiting == 0
    assert len(b.room.agreements.known(b.first)) == before
    assert "refused" in b.entries("sharing.node.deliver")[-1].detail


def test_another_agency_can_neither_sign_nor_end_for_others(two):
    a, b = two
    stranger = terms(
        title="Not ours",
        parties=[
            {"agency": "pk-cc", "kind": "coast", "gives": True, "receives": True},
            {"agency": B, "kind": "provincial", "gives": True, "receives": True},
        ],
    )
    with pytest.raises(BadInput, match="no party"):
        a.room.agreements.draft(a.first, stranger)
    drafted = b.room.agreements.draft(b.first, stranger)
    with a.kernel.work(a.kernel.node) as work:
        a.nodes.tell(work, B, "agreement.ended", {"id": drafted.id, "why": "It is over, they say."})
        text = stranger.canonical()
        made = base64.b64encode(a.nodes.keys.sign(b"cordon agreement v1\n" + text.encode()))
        a.nodes.tell(work, B, "agreement.signed", {"text": text, "signature": made.decode()})
    a.carry(b)
    kept = b.room.agreements.get(b.first, drafted.id)
    assert (kept.state, kept.signatures) == (AgreementState.DRAFTED, ())


@pytest.mark.parametrize(
    ("changed", "against"),
    [
        ({}, ()),
        ({"roles": frozenset()}, ("role",)),
        ({"roles": frozenset({Role.ADMINISTRATOR})}, ("role",)),
        ({"roles": frozenset({Role.ADMINISTRATOR, Role.INVESTIGATOR})}, ()),
        ({"agency": ""}, ("receiver",)),
        ({"agency": "uk-xx"}, ("receiver",)),
        ({"agency": A}, ("receiver",)),
        ({"giver": "pk-cc", "originator": "pk-cc"}, ("giver",)),
        ({"originator": "pk-cc"}, ("third_party",)),
        ({"originator": ""}, ("third_party",)),
        ({"class_": "personal.calls"}, ("class",)),
        ({"class_": ""}, ("class",)),
        ({"purpose": "fraud"}, ("purpose",)),
        ({"mark": Mark.AMBER_STRICT}, ("mark",)),
        ({"mark": Mark.RED, "purpose": ""}, ("purpose", "mark")),
        ({"handling": H0 | {Handling.H3}}, ("handling",)),
        ({"caveats": frozenset({AgencyKind.PROVINCIAL})}, ("caveat",)),
        ({"caveats": frozenset({AgencyKind.FOREIGN})}, ()),
        ({"doing": Doing.PASS_ON}, ("onward",)),
        ({"doing": Doing.PASS_ON, "permitted": True}, ()),
        ({"doing": Doing.USE_IN_COURT}, ()),
        ({"doing": Doing.USE_IN_COURT, "handling": H0 | {Handling.H1}}, ("court",)),
        ({"days": 30}, ("retention",)),
        ({"days": 29}, ()),
        ({"at": START.replace(year=2025)}, ("force",)),
        ({"at": START.replace(year=2027)}, ("force",)),
    ],
)
def test_each_clause_says_no_for_itself(changed, against):
    answer = decide(terms(), question(**changed), Standing())
    assert (answer.allowed, answer.against) == (not against, against)


def test_what_cedar_cannot_evaluate_is_a_no(monkeypatch):
    agreed = terms(title="With a fault")
    assert decide(agreed, question(), Standing()).allowed
    text = clauses.cedar(agreed).replace("resource.mark <=", "resource.absent <=")
    monkeypatch.setattr(deciding, "cedar", lambda _: text)
    deciding._parsed.cache_clear()
    try:
        assert not decide(agreed, question(), Standing()).allowed
    finally:
        deciding._parsed.cache_clear()


def test_the_page_and_the_policy_come_from_the_same_clauses():
    agreed = terms()
    made = clauses.clauses(agreed)
    text = clauses.cedar(agreed)
    for clause in made:
        assert f"when {{ {clause.cedar} }}" in text
        said = clause.says % {k: ", ".join(v) for k, v in clause.values.items()}
        assert "%(" not in said
    assert text.count("\nwhen ") == len(made)
    assert len({c.id for c in made}) == len(made)


@pytest.mark.parametrize(
    "changed",
    [
        {"title": "x"}, {"title": "a\nb c"}, {"parties": []}, {"classes": []}, {"purposes": []},
        {"roles": []}, {"roles": ["administrator"]}, {"roles": ["service", "investigator"]},
        {"highest": "TLP:RED"}, {"handling": []}, {"handling": ["H9"]}, {"retention_days": 0},
        {"retention_days": True}, {"retention_days": "30"}, {"ends": "2025-01-01T00:00:00Z"},
        {"onward": "always"}, {"classes": "cases"}, {"extra": 1}, {"starts": "soon"},
        {"parties": [{"agency": 'x"]', "kind": "federal", "gives": True, "receives": True}] * 2},
    ],
)  # fmt: skip
def test_terms_that_cannot_be_are_refused(changed):
    with pytest.raises(BadInput):
        Terms.read(plain(**changed))


def test_terms_are_written_in_one_way():
    agreed = terms(title='“Quoted” ـ and \\ " signs')
    assert Terms.read(json.loads(agreed.canonical())) == agreed
    shuffled = plain(title=agreed.title)
    shuffled["classes"].reverse()
    shuffled["parties"].reverse()
    assert Terms.read(dict(reversed(shuffled.items()))).id == agreed.id
    assert decide(agreed, question(), Standing()).allowed


def test_a_whole_is_as_strict_as_its_parts():
    whole = Marks.strictest(
        [
            Marks(Mark.GREEN, H0 | {Handling.H1}),
            Marks(Mark.AMBER, H0, frozenset({AgencyKind.FOREIGN})),
            Marks(Mark.CLEAR, H0 | {Handling.H2}),
        ]
    )
    assert whole == Marks(
        Mark.AMBER, frozenset({"H0", "H1", "H2"}), frozenset({AgencyKind.FOREIGN})
    )
    assert whole.asks_for_second
    assert not Marks(Mark.AMBER).asks_for_second
    with pytest.raises(BadInput):
        Marks.strictest([])


def test_only_supervisors_and_the_console_draft_sign_and_end(two):
    a, _ = two
    desk = a.room.agreements
    made = desk.draft(a.first, terms(title="Whose"))
    for role in (Role.INVESTIGATOR, Role.OVERSEER, Role.ADMINISTRATOR, Role.SERVICE):
        actor = a.officer("x", "desk", role)
        for act in (
            lambda who: desk.draft(who, terms(title="Mine")),
            lambda who: desk.sign(who, made.id),
            lambda who: desk.end(who, made.id, "because I say so, I do"),
        ):
            with pytest.raises(Refused):
                act(actor)
    both = a.officer("y", "desk", Role.SUPERVISOR, Role.ADMINISTRATOR)
    with pytest.raises(Refused):
        desk.known(both)
    assert made.id in {k.id for k in desk.known(a.officer("o", "desk", Role.OVERSEER))}
