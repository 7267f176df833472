"""Ledgers that watch each other: three nodes, of which one is honest or not."""

from __future__ import annotations

import base64
import json
import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest
from sqlalchemy import delete

from cordon.kernel.access.model import Actor, Mark, Role
from cordon.kernel.errors import BadInput, Refused, Unavailable
from cordon.kernel.leads import get_finding
from cordon.kernel.ledger import Ledger, NewEntry, export, export_slice, verify_export
from cordon.kernel.ledger.tables import LedgerCosigned, LedgerEntry, LedgerHead, LedgerNode
from cordon.kernel.store import Base
from cordon.kernel.store.rows import Rows
from cordon.sharing.nodes.listener import Listener
from cordon.sharing.nodes.outbox import ask
from cordon.sharing.witness import form
from cordon.sharing.witness.model import Wrong
from cordon.sharing.witness.tables import ClaimRow, EvidenceRow, WatchedRow
from support.nodesides import Side


class History:
    """A ledger under a node's own key, as its owner could have made it."""

    def __init__(self, side, file):
        self.side, self.file = side, file
        rows = Rows(f"sqlite:///{file}")
        tables = [t.__table__ for t in (LedgerEntry, LedgerNode, LedgerHead, LedgerCosigned)]
        Base.metadata.create_all(rows.engine, tables)
        true = side.kernel.ledger
        self.ledger = Ledger(
            rows, side.kernel.clock, agency=side.kernel.agency, origin=true.origin, key=true.key
        )

    def copied(self, file):
        """The same history, to be gone on with in another way."""
        with closing(sqlite3.connect(self.file)) as held:
            held.execute("VACUUM INTO ?", (str(file),))
        return History(self.side, file)

    def enter(self, *what):
        self.ledger.append_many(
            [NewEntry("test.word", "done", "x", None, f"test:{one}", "TLP:GREEN") for one in what]
        )
        return self


@pytest.fixture(scope="module")
def sides(tmp_path_factory):
    folder = tmp_path_factory.mktemp("witnesses")
    three = tuple(Side(folder / code, f"pk-{code}") for code in ("aa", "bb", "cc"))
    yield three
    for side in three:
        side.node.close()


@pytest.fixture
def three(sides):
    for side in sides:
        side.begin()
        side.witnesses = side.node.sharing.witnesses
        side.witnesses.ledger = side.kernel.ledger
        side.witnesses._fit.clear()  # another test showed other histories
        with side.kernel.rows.write() as session:
            for table in (WatchedRow, ClaimRow, EvidenceRow, LedgerCosigned):
                session.execute(delete(table))
    for one in sides:
        for other in sides:
            if one is not other:
                one.meet(other)
    yield sides
    for side in sides:
        side.listener.stop()


@pytest.fixture
def history(three, tmp_path):
    """Makes histories of the first node."""
    made = []

    def make(*what):
        made.append(History(three[0], tmp_path / f"{len(made)}.db"))
        return made[-1].enter(*what)

    yield make
    for one in made:
        one.ledger.close()
        one.ledger.rows.close()


def rounds(*sides, times=2):
    for _ in range(times):
        for side in sides:
            side.witnesses.round()


def give(side, code):
    side.witnesses._give(code, side.witnesses.ledger.checkpoint())


def speaks(side, code):
    """Something is entered, so that a peer is given a checkpoint, and what others showed."""
    with side.kernel.work(side.actor) as work:
        work.act("sharing.node.cut_off", side.nodes.peer(code).thing())
    give(side, code)


def seen(witness, code="pk-aa"):
    return next(w for w in witness.witnesses.watched(witness.actor) if w.code == code)


def accused(witness):
    return [(e.code, e.wrong, e.told_by) for e in witness.witnesses.evidence(witness.actor)]


def test_honest_ledgers_are_cosigned_as_they_grow(three):
    a, b, c = three
    rounds(*three)
    size = a.kernel.ledger.size()
    assert {w.code: w.size for w in b.witnesses.watched(b.actor)}["pk-aa"] == size
    assert [k.size for k in a.witnesses.cosigned(a.actor)] == [size, size]
    a.tell("pk-bb", 1)  # no act, and so no entry
    with a.kernel.work(a.actor) as work:
        work.act("sharing.node.cut_off", a.nodes.peer("pk-bb").thing())
    rounds(*three)
    assert seen(b).size == seen(c).size == a.kernel.ledger.size() == size + 1
    assert accused(b) == accused(c) == []
    before = [s.kernel.ledger.size() for s in three]
    rounds(*three)
    assert [s.kernel.ledger.size() for s in three] == before, "watching enters nothing itself"


@pytest.mark.parametrize("forged", [
    ("one", "other", "three", "four", "five"),  # an entry was rewritten
    ("one", "three", "four", "five", "six"),  # an entry was dropped
])  # fmt: skip
def test_a_past_that_was_rewritten_is_seen(three, history, forged):
    a, b, _ = three
    a.witnesses.ledger = history("one", "two", "three").ledger
    rounds(a, b)
    assert seen(b).size == 3
    a.witnesses.ledger = history(*forged).ledger
    rounds(a, b)
    assert accused(b) == [("pk-aa", Wrong.REWRITTEN, "pk-aa")]
    assert seen(b).size == 3, "what was seen stays"
    assert "(status 422)" in seen(a, "pk-bb").refused
    rounds(a, b)
    assert len(accused(b)) == 1, "the same is told once"
    told = b.witnesses.evidence(b.actor)[0]
    with b.kernel.view(b.kernel.node) as view:
        finding = get_finding(view, told.finding)
    assert finding.seriousness == "grave"
    assert finding.finding.subjects == ("node:pk-aa",)


def test_two_checkpoints_of_one_size_are_seen(three, history):
    a, b, _ = three
    a.witnesses.ledger = history("one", "two").ledger
    rounds(a, b)
    a.witnesses.ledger = history("one", "other").ledger
    with a.kernel.rows.write() as session:
        session.query(WatchedRow).update({"given": 0})
    rounds(a, b)
    assert accused(b) == [("pk-aa", Wrong.FORK, "pk-aa")]


def test_an_end_that_was_cut_off_is_seen_by_both(three, history):
    a, b, _ = three
    a.witnesses.ledger = history("one", "two", "three").ledger
    rounds(a, b)
    a.witnesses.ledger = history("one", "two").ledger
    rounds(a, b)
    assert accused(b) == [("pk-aa", Wrong.SHRUNK, "pk-aa")]
    assert seen(a, "pk-bb").refused == "It has seen 3 entries, this ledger has 2."


@pytest.mark.parametrize(("other", "wrong"), [
    (("one", "three"), Wrong.FORK), (("one", "three", "four"), Wrong.SPLIT),
])  # fmt: skip
def test_two_histories_for_two_witnesses_are_seen_as_they_tell_each_other(
    three, history, other, wrong
):
    a, b, c = three
    shown = {"pk-bb": history("one", "two").ledger, "pk-cc": history(*other).ledger}
    for code, ledger in shown.items():
        a.witnesses.ledger = ledger
        for _ in range(2):
            give(a, code)
            next(s for s in (b, c) if s.kernel.agency == code).witnesses._meet("pk-aa")
    assert (seen(b).size, seen(c).size) == (2, len(other))
    rounds(b, c)
    assert ("pk-aa", wrong, "pk-cc") in accused(b)
    assert {w for _, w, _ in accused(b) + accused(c)} <= {wrong, Wrong.SPLIT}


def test_a_witness_that_was_away_goes_on_where_it_was(three, history):
    a, b, _ = three
    told = history("one")
    a.witnesses.ledger = told.ledger
    rounds(a, b)
    port = b.listener.port
    b.listener.stop()
    told.enter("two", "three")
    a.witnesses.round()
    assert seen(b).size == 1
    b.listener = Listener(b.nodes, "127.0.0.1", port)
    b.listener.start()
    told.enter("four")
    rounds(a, b)
    assert seen(b).size == 4
    assert accused(b) == []


def test_a_ledger_that_gives_no_proof_is_told_after_a_while(three, history):
    a, b, c = three
    a.witnesses.ledger = history("one", "two").ledger
    rounds(a, b)
    a.witnesses.ledger = history("one", "other", "more").ledger
    give(a, "pk-cc")
    c.witnesses._meet("pk-aa")
    give(a, "pk-cc")
    a.listener.stop()
    rounds(c, b)
    assert (seen(b).open, accused(b)) == (1, [])
    with b.kernel.rows.write() as session:
        for row in session.query(ClaimRow):
            row.created_at -= timedelta(hours=1)
    b.witnesses.round()
    assert accused(b) == [("pk-aa", Wrong.SILENT, "pk-cc")]


def test_honest_news_from_a_third_is_no_accusation(three, history):
    a, b, c = three
    told = history("one", "two")
    a.witnesses.ledger = told.ledger
    rounds(a, b)
    told.enter("three")
    for _ in range(2):
        give(a, "pk-cc")
        c.witnesses._meet("pk-aa")
    rounds(c, b)
    assert (seen(b).size, seen(c).size) == (2, 3)
    assert accused(b) == accused(c) == []
    assert seen(b).open == 0


@pytest.fixture
def proofs(three):
    """Who asked the first node for a proof."""
    asked = []
    node = three[0].nodes
    answer = node._asked["witness.prove"]

    def counted(work, code, body):
        asked.append(code)
        return answer(work, code, body)

    node._asked["witness.prove"] = counted
    yield asked
    node._asked["witness.prove"] = answer


def test_what_all_are_shown_needs_no_proof_when_they_tell_each_other(three, history, proofs):
    a, *_ = three
    told = history("one")
    a.witnesses.ledger = told.ledger
    rounds(*three)
    for n in range(4):
        told.enter(f"more-{n}")
        rounds(*three)
    assert [seen(side).size for side in three[1:]] == [5, 5]
    assert [seen(side).open for side in three[1:]] == [0, 0]
    assert proofs == []


def test_what_was_proved_ahead_is_not_believed_once_the_ledger_goes_on_in_another_way(
    three, history, tmp_path
):
    """The witness is then given a longer history, which continues what it has and not the other."""
    a, b, c = three
    told = history("one")
    other = told.copied(tmp_path / "other.db")
    a.witnesses.ledger = told.ledger
    rounds(*three)
    told.enter("two", "three")
    give(a, "pk-cc")
    speaks(c, "pk-bb")  # b asks for the proof, and has it: but b was shown nothing of it by a
    b.witnesses.settle()
    assert (seen(b).size, seen(b).open, accused(b)) == (1, 0, [])
    a.witnesses.ledger = other.enter("other", "more", "again").ledger
    give(a, "pk-bb")
    assert seen(b).size == 4
    speaks(c, "pk-bb")
    b.witnesses.settle()
    assert accused(b) == [("pk-aa", Wrong.SPLIT, "pk-cc")]
    other.ledger.close()
    other.ledger.rows.close()


def test_a_checkpoint_is_remembered_once_it_is_kept_and_not_before(three, history):
    a, b, _ = three
    told = history("one")
    a.witnesses.ledger = told.ledger
    rounds(*three)
    told.enter("two")
    note, proof = told.ledger.checkpoint(), told.ledger.consistency(1, 2)
    body = {"checkpoint": form.write(1, proof, note), "seen": []}
    with pytest.raises(ZeroDivisionError), b.kernel.work(b.kernel.node) as work:  # noqa: PT012
        assert b.witnesses._add(work, "pk-aa", body)["status"] == 200
        raise ZeroDivisionError
    assert 2 not in b.witnesses._fit["pk-aa"]
    give(a, "pk-bb")
    assert 2 in b.witnesses._fit["pk-aa"]


def test_all_are_given_one_checkpoint_though_the_ledger_grows_meanwhile(three, history):
    a, b, c = three
    told = history("one")
    a.witnesses.ledger = told.ledger
    rounds(*three)
    given = a.witnesses._give

    def and_grows(code, note):
        given(code, note)
        told.enter(f"while-{code}")

    a.witnesses._give = and_grows
    told.enter("two")
    try:
        a.witnesses.round()
    finally:
        del a.witnesses._give
    assert (seen(b).size, seen(c).size, told.ledger.size()) == (2, 2, 4)


def test_only_what_cannot_be_on_its_way_is_asked_about_at_once(three, history, proofs):
    a, b, c = three
    told = history("one")
    a.witnesses.ledger = told.ledger
    rounds(*three)
    told.enter("two")
    give(a, "pk-cc")
    speaks(c, "pk-bb")
    assert seen(b).open == 1
    b.witnesses.settle(newer=False)
    assert (seen(b).open, proofs) == (1, [])
    a.witnesses.round()  # it comes
    b.witnesses.settle(newer=False)
    assert (seen(b).size, seen(b).open, proofs) == (2, 0, [])


HOSTILE = [
    None, 7, "", "old", "old 1", "old -1\n\nx\n", "old 01\n\nx\n", "old 1\n" + "A" * 44 + "\n\nx",
    "old 0\n" + "\n".join(["A" * 43 + "="] * 64) + "\n\nx", "old 0\n\n" + "x" * 40_000,
]  # fmt: skip


@pytest.mark.parametrize("body", HOSTILE)
def test_a_body_that_is_none_is_refused(body):
    with pytest.raises(BadInput):
        form.read(body)


def test_hostile_requests_change_nothing(three, history):
    a, b, c = three
    a.witnesses.ledger = history("one", "two").ledger
    rounds(a, b)
    was = seen(b)
    note = a.witnesses.ledger.checkpoint()
    forged = note.replace("\n2\n", "\n9\n")
    for text, status in (
        (None, 400), ("x", 400), (form.write(2, (), forged), 403), (form.write(9, (), note), 400),
        (form.write(2, (), c.kernel.ledger.checkpoint()), 403), (form.write(1, (), note), 409),
    ):  # fmt: skip
        said = ask(a.nodes, "pk-bb", "witness.add_checkpoint", {"checkpoint": text, "seen": [1]})
        assert said["status"] == status, text
    gossip = ["x", "", note[:-9], forged, {"a": 1}, "x" * 99_999, *["y\n"] * 1000]
    said = ask(c.nodes, "pk-bb", "witness.add_checkpoint", {"checkpoint": "", "seen": gossip})
    assert said["status"] in (400, 404)
    for old, new in ((-1, 2), (2, 1), ("a", 2), (True, 2), (0, 1 << 80)):
        try:
            said = ask(a.nodes, "pk-bb", "witness.prove", {"old": old, "new": new})
        except Unavailable:
            continue
        assert "proof" not in said
    rounds(b)
    assert seen(b) == was
    assert accused(b) == []


def test_an_export_says_who_cosigned_what(three, tmp_path):
    a, b, _ = three
    rounds(*three)
    witness = str(b.witnesses.cosigner)
    export(a.kernel.ledger, tmp_path / "whole")
    export(a.kernel.ledger, tmp_path / "rest", since=2)
    export_slice(a.kernel.ledger, tmp_path / "slice", [0, 3])
    key = str(a.kernel.ledger.verifier)
    for name, more in (("whole", {}), ("rest", {"since": 2}), ("slice", {"slice_": True})):
        found = verify_export(tmp_path / name, key, witnesses=[witness], **more)
        assert found.ok, found.problems
        by = {w.name: w for w in found.witnessed}
        assert set(by) == {"cordon/pk-bb", "cordon/pk-cc"}
        assert (by["cordon/pk-bb"].given, by["cordon/pk-cc"].given) == (True, False)
        assert any("cordon/pk-bb cosigned the first" in r for r in found.remarks())
    (tmp_path / "whole" / "witnessed.json").unlink()  # left out by who rewrote the past
    found = verify_export(tmp_path / "whole", key, witnesses=[witness])
    assert "has cosigned nothing" in found.problems[0].says


def test_a_witnessed_checkpoint_that_is_not_on_the_exported_history_fails(three, history, tmp_path):
    a, b, _ = three
    a.witnesses.ledger = history("one", "two", "three").ledger
    rounds(a, b)
    true = a.witnesses.cosigned(a.actor)[0]
    forged = history("one", "other", "three", "four")
    with forged.ledger.rows.write() as session:  # it could not know that this gives it away
        session.add(
            LedgerCosigned(witness=true.witness, key=true.key, size=3, note=true.note, at=true.at)
        )
    export(forged.ledger, tmp_path / "forged")
    found = verify_export(tmp_path / "forged", witnesses=[true.key])
    assert [p.says for p in found.problems] == [
        "The first 3 entries are not those that cordon/pk-bb cosigned: the past was rewritten.",
        "cordon/pk-bb, whose key was given, has cosigned nothing of this export: ask it for the "
        "last checkpoint that it saw, and verify --against that.",
    ]
    assert not verify_export(tmp_path / "forged", against=seen(b).note).ok
    short = history("one", "two")
    export(short.ledger, tmp_path / "short")
    said = json.loads((tmp_path / "forged" / "witnessed.json").read_text())
    (tmp_path / "short" / "witnessed.json").write_text(json.dumps(said))
    assert "the end was cut off" in verify_export(tmp_path / "short").problems[0].says
    said[0]["note"] = said[0]["note"][:-10] + base64.b64encode(b"xxxxxx").decode() + "\n"
    for text in (json.dumps(said), "7", "[1]", "{", '[{"key": "a"}]'):
        (tmp_path / "short" / "witnessed.json").write_text(text)
        assert "damaged" in verify_export(tmp_path / "short").problems[0].says


def test_only_those_who_oversee_see_it(three):
    a = three[0]
    for role, sees in ((Role.OVERSEER, True), (Role.INVESTIGATOR, False), (Role.SERVICE, False)):
        actor = Actor("x", "X", "pk-aa", None, frozenset({role}), Mark.AMBER_STRICT)
        if sees:
            assert a.witnesses.evidence(actor) == []
        else:
            with pytest.raises(Refused):
                a.witnesses.watched(actor)
