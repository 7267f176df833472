"""Nothing is seen that an agreement does not allow: generated cases against an oracle of its own.

The oracle reads the agreement as a lawyer would, from its plain JSON, and shares no code with
what is tested: no clause, no Cedar text. Each distinct case is put to cedarpy once.
"""

from __future__ import annotations

import dataclasses
import random
from datetime import UTC, datetime, timedelta

import pytest

from cordon.kernel.access.model import Mark, Role
from cordon.sharing.agreements.deciding import Standing, decide_all
from cordon.sharing.agreements.grades import Grade
from cordon.sharing.agreements.model import AgencyKind, Doing, Handling, Question, Terms
from support.agreeing import plain
from support.leaking import MARKS, permitted

CASES = 17_000  # of each of the nine agreements
DESKS, THINGS, MOMENTS, GRADES = 40, 400, 40, 12  # of which they are put together
AGENCIES = ["pk-aa", "pk-bb", "pk-cc", "uk-dd", "", "PK-AA", "pk-aa ", "*"]
CLASSES = ["cases", "exhibits", "findings.picture", "findings.calls", "findings.money",
           "personal.calls", "findings", "findings.", "", "*", "match.number", "match.name",
           "match", "match.", "match.NUMBER", "deconfliction", "deconfliction."]  # fmt: skip
PURPOSES = ["border_security", "organised_crime", "fraud", "counter_terrorism",
            "safety_of_life", "", "any"]  # fmt: skip
KINDS = ["federal", "provincial", "coast", "foreign"]


def party(agency, kind, gives=True, receives=True):
    return {"agency": agency, "kind": kind, "gives": gives, "receives": receives}


AGREEMENTS = {
    "two": plain(),
    "one way to a foreign desk": plain(
        parties=[party("pk-aa", "federal", receives=False), party("uk-dd", "foreign", gives=False)],
        highest="TLP:GREEN", handling=["H0"], onward="never", roles=["investigator"],
        classes=["findings.picture"], purposes=["counter_terrorism"], retention_days=7,
    ),
    "three with a third party rule": plain(
        parties=[party("pk-aa", "federal"), party("pk-bb", "provincial"), party("pk-cc", "coast")],
        third_party="ask", highest="TLP:AMBER+STRICT", handling=["H0", "H1", "H2", "H3"],
    ),
    "persons": plain(classes=["personal.calls", "findings.calls"], handling=["H0", "H3"]),
    "nobody passes on": plain(onward="never", roles=["overseer", "watch_officer"]),
    "clear alone": plain(
        parties=[party("pk-aa", "federal", gives=False), party("pk-bb", "foreign")],
        highest="TLP:CLEAR", handling=["H0", "H2"], onward="ask", third_party="ask",
    ),
    "graded": plain(grade="C3"),
    "graded, and answers": plain(
        classes=["cases", "findings.calls", "match.name", "deconfliction"], grade="E6"
    ),
    "answers between nodes": plain(
        classes=["match.number", "deconfliction"], highest="TLP:AMBER",
        purposes=["safety_of_life", "organised_crime"], handling=["H0"], onward="never",
    ),
}  # fmt: skip


def drawn(rng, text, count):
    """Cases; mostly of what the agreement names, so that each clause alone decides often."""

    def one(named, every, near=0.9):
        return rng.choice(named if named and rng.random() < near else every)

    def desk():
        roles = {one(text["roles"], list(Role))}
        if rng.random() < 0.3:
            roles.add(rng.choice(list(Role)))
        reader = one([p["agency"] for p in text["parties"] if p["receives"]], AGENCIES)
        return reader, frozenset(Role(r) for r in roles if rng.random() < 0.95)

    def thing():
        giver = one([p["agency"] for p in text["parties"] if p["gives"]], AGENCIES)
        codes = {Handling.H0} | {Handling(rng.choice(["H0", "H1", "H2", "H3"])) for _ in "12"}
        return (
            giver,
            one([giver], AGENCIES),
            one(text["classes"], CLASSES),
            one(text["purposes"], PURPOSES),
            Mark(one(MARKS[: MARKS.index(text["highest"]) + 1], MARKS)),
            frozenset(h for h in codes if h in text["handling"] or rng.random() < 0.3),
            frozenset(AgencyKind(rng.choice(KINDS)) for _ in range(rng.choice([0, 0, 0, 1, 2]))),
        )

    def grade():
        return None if rng.random() < 0.2 else Grade(rng.choice("ABCCDEF"), rng.choice("1233456"))

    def moment():
        day = one([0, 59, 364], [-1, 365, 4000])
        return (
            datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day),
            rng.random() < 0.5,
            one([0, text["retention_days"] - 1], [text["retention_days"], 9999]),
        )

    desks, things = [desk() for _ in range(DESKS)], [thing() for _ in range(THINGS)]
    moments, doings = [moment() for _ in range(MOMENTS)], list(Doing)
    grades = [grade() for _ in range(GRADES)]
    return [
        Question(
            rng.choice(doings), *rng.choice(desks), *rng.choice(things), *rng.choice(moments),
            rng.choice(grades),
        )
        for _ in range(count)
    ]  # fmt: skip


@pytest.mark.parametrize("name", AGREEMENTS)
def test_no_case_is_allowed_that_the_agreement_does_not_allow(name):
    text = AGREEMENTS[name]
    rng = random.Random(f"leak {name}")
    cases = drawn(rng, text, CASES)
    distinct = list(dict.fromkeys(cases))
    answers = decide_all(Terms.read(text), distinct, Standing(), reasons=False)
    said = {q: a.allowed for q, a in zip(distinct, answers, strict=True)}
    wrong = [q for q in cases if said[q] != permitted(text, q, True, False)]
    assert wrong == []
    allowed = sum(said[q] for q in cases)
    assert len(distinct) > 0.5 * CASES
    assert 0.02 * CASES < allowed < 0.8 * CASES, "cases must fall on both sides"


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("ended", [True, False])
def test_an_administrators_role_changes_no_answer_nor_does_a_missing_signature_pass(signed, ended):
    text = AGREEMENTS["two"]
    rng = random.Random("roles")
    cases = drawn(rng, text, 1500)
    more = [_with(q, Role.ADMINISTRATOR) for q in cases]
    terms = Terms.read(text)
    standing = Standing(signed, ended)
    plain_, widened = (
        [a.allowed for a in decide_all(terms, asked, standing, reasons=False)]
        for asked in (cases, more)
    )
    assert plain_ == widened
    assert plain_ == [permitted(text, q, signed, ended) for q in cases]
    assert any(plain_) == (signed and not ended)


def _with(question, role):
    return dataclasses.replace(question, roles=question.roles | {role})
