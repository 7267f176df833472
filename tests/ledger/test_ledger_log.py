"""Entering, reading and proving, on each kind of store."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import orjson
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from cordon.kernel.clock import SetClock
from cordon.kernel.errors import BadInput, DoesNotVerify, NotFound, Unavailable
from cordon.kernel.ledger import Ledger, NewEntry, checkpoint, merkle, verify_rows
from cordon.kernel.store.rows import Rows

Make = Callable[..., NewEntry]
Open = Callable[..., Ledger]


def test_what_is_entered_is_read_back(ledger: Ledger, entry: Make, clock: SetClock) -> None:
    assert ledger.append(entry(1)) == 0
    assert ledger.append_many([entry(2), entry(3, outcome="refused")]) == [1, 2]
    third = ledger.get(2)
    assert (third.index, third.outcome, third.thing) == (2, "refused", "alert:3")
    assert third.detail == {"n": 3, "why": "گزارش"}
    assert third.agency == "pk-mcg"
    assert abs(third.at - clock.now()) < timedelta(minutes=1)
    leaf = ledger.leaf(2)
    assert leaf == orjson.dumps(orjson.loads(leaf), option=orjson.OPT_SORT_KEYS)
    with pytest.raises(NotFound):
        ledger.get(3)
    assert ledger.append_many([]) == []


def test_an_act_that_is_rolled_back_leaves_no_entry(
    ledger: Ledger, rows: Rows, entry: Make, tmp_path: Path
) -> None:
    ledger.append(entry(1))

    def a_room_that_fails() -> None:
        with rows.write() as session:
            assert ledger.append_in(session, [entry(2)]) == [1]
            raise RuntimeError("a room failed")

    with pytest.raises(RuntimeError, match="room"):
        a_room_that_fails()
    assert ledger.size() == 1
    with rows.write() as session:
        assert ledger.append_in(session, []) == []
        assert ledger.append_in(session, [entry(3)]) == [1]
        assert ledger.append_in(session, [entry(4), entry(5)]) == [2, 3]
    ledger.close()
    assert verify_rows(ledger).ok
    note = (tmp_path / "ledger" / "checkpoint").read_text()
    assert note == ledger.checkpoint()
    assert checkpoint.open_checkpoint(note, ledger.verifier).size == 4


def test_waiting_for_the_writer_inside_its_own_transaction_is_refused(
    ledger: Ledger, rows: Rows, entry: Make
) -> None:
    with pytest.raises(RuntimeError, match="append_in"), rows.write():
        ledger.append(entry())


def test_many_threads_each_learn_their_own_index(
    ledger: Ledger, entry: Make, open_ledger: Open
) -> None:
    got: dict[int, int] = {}

    def work(thread: int) -> None:
        for n in range(20):
            number = thread * 1000 + n
            got[number] = ledger.append(entry(number))

    threads = [threading.Thread(target=work, args=(t,)) for t in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got.values()) == list(range(320))
    assert all(ledger.get(index).detail["n"] == number for number, index in got.items())
    ledger.close()
    report = verify_rows(open_ledger())
    assert report.ok, report.problems
    assert report.checked == 320


def test_a_fault_reaches_every_caller_and_the_ledger_goes_on(
    ledger: Ledger, rows: Rows, entry: Make
) -> None:
    ledger.append(entry(0))
    with rows.write() as session:
        session.execute(text("ALTER TABLE ledger_entries RENAME TO away"))
    tickets = [ledger.submit([entry(n)]) for n in range(10)]
    for ticket in tickets:
        with pytest.raises((Unavailable, DBAPIError)):
            ticket.result()
    with rows.write() as session:
        session.execute(text("ALTER TABLE away RENAME TO ledger_entries"))
    assert ledger.append(entry(1)) == 1


def test_closing_keeps_what_waits_and_takes_no_more(ledger: Ledger, entry: Make) -> None:
    tickets = [ledger.submit([entry(n)]) for n in range(50)]
    ledger.close()
    assert [t.result() for t in tickets] == [[n] for n in range(50)]
    with pytest.raises(Unavailable):
        ledger.append(entry())
    assert ledger.size() == 50


def test_times_never_go_back(ledger: Ledger, entry: Make, clock: SetClock) -> None:
    ledger.append(entry(0))
    clock.advance(-timedelta(hours=2))
    ledger.append(entry(1))
    assert ledger.get(1).at == ledger.get(0).at
    assert verify_rows(ledger).ok


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("act", "Operations"),
        ("act", "alert"),
        ("outcome", "maybe"),
        ("actor", ""),
        ("actor", "a\x00b"),
        ("thing", "alert"),
        ("thing", "alert: 1"),
        ("mark", "x" * 21),
        ("unit", "\ud800"),
        ("authority", "a\nb"),
    ],
)
def test_an_entry_that_cannot_be_entered_is_refused(entry: Make, field: str, value: str) -> None:
    with pytest.raises(BadInput, match=field):
        entry(**{field: value})


@pytest.mark.parametrize("detail", [{"a": b"x"}, {1: 2}, {"a": "\ud800"}, {"a": "x" * 20_000}])
def test_a_detail_that_cannot_be_kept_reaches_its_caller_alone(
    ledger: Ledger, entry: Make, detail: dict[str, object]
) -> None:
    with pytest.raises(BadInput, match="detail"):
        ledger.append(entry(detail=detail))
    assert ledger.append(entry()) == 0


def test_entries_by_what_they_speak_of(ledger: Ledger, entry: Make, clock: SetClock) -> None:
    ledger.append_many([entry(n) for n in range(40)])
    clock.advance(timedelta(hours=1))
    later = clock.now()
    ledger.append_many([entry(n, act="calls.record.read", thing="alert:3") for n in range(40, 60)])
    indexes = [e.index for e in ledger.of_thing("alert:3")]
    assert indexes == [*range(59, 39, -1), 3]
    assert [e.index for e in ledger.entries(limit=3)] == [59, 58, 57]
    assert [e.index for e in ledger.entries(before=57, limit=2)] == [56, 55]
    assert {e.actor for e in ledger.entries(actor="officer-2")} == {"officer-2"}
    assert {e.authority for e in ledger.entries(authority="authority-4")} == {"authority-4"}
    assert len(ledger.entries(act="calls.", limit=100)) == 20
    assert len(ledger.entries(act="calls.record.read", limit=100)) == 20
    assert not ledger.entries(act="calls")
    assert len(ledger.entries(since=later, limit=100)) == 20
    assert len(ledger.entries(until=later, limit=100)) == 40
    assert {e.unit for e in ledger.entries(unit="KHI-2")} == {"KHI-2"}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_entries SET actor = 'somebody' WHERE \"index\" = 1",
        'DELETE FROM ledger_entries WHERE "index" = 2',
        "DELETE FROM ledger_entries",
    ],
)
def test_the_database_refuses_to_change_entries(
    ledger: Ledger, rows: Rows, entry: Make, statement: str
) -> None:
    ledger.append_many([entry(n) for n in range(3)])
    with pytest.raises(DBAPIError, match="append-only"), rows.write() as session:
        session.execute(text(statement))
    assert verify_rows(ledger).ok


def test_the_database_refuses_to_replace_or_truncate(
    ledger: Ledger, rows: Rows, entry: Make
) -> None:
    ledger.append_many([entry(n) for n in range(3)])
    statement = "TRUNCATE ledger_entries"
    if rows.is_sqlite:
        statement = "INSERT OR REPLACE INTO ledger_entries SELECT * FROM ledger_entries"
    with pytest.raises(DBAPIError, match="append-only"), rows.write() as session:
        session.execute(text(statement))
    assert verify_rows(ledger).ok


def test_proofs_from_the_database_verify(ledger: Ledger, entry: Make) -> None:
    """Over more than one kept subtree, with an old checkpoint, reading few hashes."""
    ledger.append_many([entry(n) for n in range(300)])
    old = checkpoint.open_checkpoint(ledger.checkpoint(), ledger.verifier)
    for step in (1, 255, 257, 200, 400):
        ledger.append_many([entry(n) for n in range(step)])
    new = checkpoint.open_checkpoint(ledger.checkpoint(), ledger.verifier)
    assert new.size == 1413
    for index in (0, 255, 256, 299, 767, 1023, 1024, 1412):
        leaf = merkle.leaf_hash(ledger.leaf(index))
        proof = ledger.inclusion(index)
        assert merkle.verify_inclusion(leaf, index, new.size, proof, new.root)
    leaf = merkle.leaf_hash(ledger.leaf(7))
    assert merkle.verify_inclusion(leaf, 7, old.size, ledger.inclusion(7, old.size), old.root)
    steps = ledger.consistency(old.size, new.size)
    assert merkle.verify_consistency(old.size, new.size, steps, old.root, new.root)
    assert ledger.root(300) == old.root


def test_an_empty_ledger_has_a_checkpoint(ledger: Ledger) -> None:
    point = checkpoint.open_checkpoint(ledger.checkpoint(), ledger.verifier)
    assert (point.size, point.root) == (0, merkle.EMPTY_ROOT)
    assert verify_rows(ledger).ok
    assert ledger.entries() == []


def test_nothing_is_entered_on_a_forged_head(ledger: Ledger, rows: Rows, entry: Make) -> None:
    ledger.append_many([entry(n) for n in range(3)])
    with rows.write() as session:
        session.execute(text("UPDATE ledger_head SET size = 2"))
    with pytest.raises(DoesNotVerify, match="not the one that was signed"):
        ledger.append(entry())
    with rows.write() as session:
        session.execute(text("DELETE FROM ledger_head"))
    with pytest.raises(DoesNotVerify, match="no head"):
        ledger.append(entry())


def test_another_key_or_origin_does_not_go_on_with_the_ledger(
    ledger: Ledger, rows: Rows, entry: Make, clock: SetClock
) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    ledger.append(entry())
    with pytest.raises(DoesNotVerify, match="No key that is trusted"):
        Ledger(
            rows,
            clock,
            agency="pk-mcg",
            origin=ledger.origin,
            key=Ed25519PrivateKey.generate(),
        )
