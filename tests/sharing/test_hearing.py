"""What a peer says that cannot be taken is refused, and what follows it is heard."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from cordon.kernel.errors import Unavailable
from cordon.kernel.ids import new_id
from cordon.sharing.deconfliction.tables import ConflictRow
from cordon.sharing.deconfliction.wire import WORD
from cordon.sharing.hearing import carefully
from cordon.sharing.match.tables import MatchTermsRow, MatchTheirsRow
from cordon.sharing.nodes.model import Told
from cordon.sharing.nodes.tables import NodeRow
from support.agreeing import B

TERMS = {
    "kinds": ["number"], "purposes": ["investigation"], "contact": "Desk B, 051-1", "batch": 9,
    "daily": 9, "delay_s": 0, "agreement": "",
}  # fmt: skip
SET = {"kind": "number", "epoch": 1, "version": 1, "public": "0" * 64, "part": 0, "parts": 1,
       "data": "AAAAAAA="}  # fmt: skip
WORDS = {
    "yours": "ab" * 16, "mine": "cd" * 16, "of": 1, "revision": 1, "word": "solved", "who": "X",
    "how": "", "ring": "", "basis": [],
}  # fmt: skip
HOSTILE = [
    *(("match.terms", {"terms": t}) for t in (
        None, [], {**TERMS, "kinds": None}, {**TERMS, "batch": 10**30},
        {**TERMS, "contact": ["x"]}, {**TERMS, "contact": "\ud800"}, {**TERMS, "purposes": 7},
    )),
    *(("match.set", {**SET, **wrong}) for wrong in (
        {"kind": ["number"]}, {"epoch": 10**30}, {"version": 2**63}, {"data": "AAA"},
        {"data": "/////w=="}, {"parts": 10**30}, {"public": "\ud800" * 64}, {"epoch": True},
        {"version": -5}, {"public": "z" * 64},
    )),
    ("match.change", {}),
    *((WORD, {**WORDS, **wrong}) for wrong in (
        {"word": {}}, {"word": "met", "basis": [{}], "ring": "1"}, {"yours": None},
        {"revision": 10**30}, {"how": "\ud800"},
    )),
    *((kind, {}) for kind in ("match.terms", "match.set", WORD)),
]  # fmt: skip


def last(a):
    with a.kernel.rows.read() as session:
        return session.scalar(select(NodeRow.heard).where(NodeRow.code == B))


def say(a, kind, body):
    a.nodes.take(a.nodes.peer(B), Told(last(a) + 1, new_id(), kind, body, ""))


def count(a, *tables):
    with a.kernel.rows.read() as session:
        return sum(session.scalar(select(func.count()).select_from(t)) for t in tables)


def test_hostile_words_do_not_stop_the_line(agencies):
    a, _ = agencies
    before = last(a)
    refused = len([e for e in a.entries("sharing.node.deliver") if "refused" in e.detail])
    for number, (kind, body) in enumerate(HOSTILE, 1):
        say(a, kind, body)
        assert last(a) == before + number
        found = [e for e in a.entries("sharing.node.deliver") if "refused" in e.detail]
        assert len(found) == refused + number, (kind, body)
        assert (found[-1].detail["kind"], found[-1].actor) == (kind, f"node:{B}")
    assert count(a, MatchTermsRow, MatchTheirsRow, ConflictRow) == 0
    say(a, "match.terms", {"terms": TERMS})  # and what is sound is heard after it
    assert count(a, MatchTermsRow) == 1


def test_what_a_refused_message_did_is_undone_and_what_waits_waits(agencies):
    a, _ = agencies
    terms = count(a, MatchTermsRow)

    def half(work, code, body):
        from cordon.sharing.match.answering import keep_terms
        from cordon.sharing.match.model import Terms

        keep_terms(work, "pk-half", "had", Terms.from_json(TERMS), f"node:{code}")
        raise body["wrong"]

    for wrong in (KeyError("x"), OverflowError("x"), RecursionError()):
        a.nodes.on_told("half", carefully("half", half))
        say(a, "half", {"wrong": wrong})
        assert count(a, MatchTermsRow) == terms
    at = last(a)
    with pytest.raises(Unavailable):
        say(a, "half", {"wrong": Unavailable("busy")})
    assert last(a) == at
