"""Two nodes on loopback, each with its own database and key."""

from __future__ import annotations

import dataclasses
import socket
import threading

import pytest
from sqlalchemy import delete

from cordon.kernel.access.model import Actor, Mark, Role
from cordon.kernel.clock import SetClock
from cordon.kernel.errors import BadInput, Conflict, DoesNotVerify, Refused, TooLarge, Unavailable
from cordon.kernel.ledger.tables import LedgerEntry
from cordon.sharing.nodes import desk, outbox, wire
from cordon.sharing.nodes.keys import NodeKeys
from cordon.sharing.nodes.listener import ASK, MESSAGES, Listener
from cordon.sharing.nodes.outbox import Outbox, ask, deliver, send
from cordon.sharing.nodes.tables import NodeMessageRow, NodeRow
from support.nodesides import Side
from support.pairing import paired

sides, two = paired(Side)


def test_messages_come_once_and_in_order(two):
    a, b = two
    a.tell("pk-bb", *range(120))  # more than one batch
    peer = a.nodes.peer("pk-bb")
    while deliver(a.nodes, peer):
        pass
    assert b.heard == [("pk-aa", n) for n in range(120)]
    assert (a.waits(), b.nodes.known(b.actor)[0].heard) == (0, 120)
    with b.kernel.rows.read() as session:
        acts = session.query(LedgerEntry).filter_by(act="sharing.node.deliver").all()
    assert len(acts) >= 120
    assert b"node:pk-aa" in bytes(acts[0].leaf)


def test_a_sender_that_was_set_back_loses_nothing(two):
    a, b = two
    a.tell("pk-bb", 1, 2)
    peer = a.nodes.peer("pk-bb")
    deliver(a.nodes, peer)
    with a.kernel.rows.write() as session:  # as an older copy of its database has it
        session.execute(delete(NodeMessageRow))
        session.query(NodeRow).update({"told": 0})
    a.tell("pk-bb", 3)
    with pytest.raises(Unavailable, match="set back"):
        deliver(a.nodes, peer)
    assert a.waits() == 1
    assert b.heard == [("pk-aa", 1), ("pk-aa", 2)]


def test_what_is_written_with_a_work_that_fails_is_not_told(two):
    a, _ = two
    with pytest.raises(TypeError):
        a.tell("pk-bb", 1, object())
    assert a.waits() == 0


def test_an_answer_that_is_lost_doubles_nothing(two, monkeypatch):
    a, b = two
    a.tell("pk-bb", 1, 2, 3)
    peer = a.nodes.peer("pk-bb")
    with monkeypatch.context() as cut:
        cut.setattr(a.nodes, "acknowledged", lambda *_: None)  # b took them, a never learns it
        deliver(a.nodes, peer)
    assert a.waits() == 3
    deliver(a.nodes, peer)
    assert (b.heard, a.waits()) == ([("pk-aa", 1), ("pk-aa", 2), ("pk-aa", 3)], 0)


def test_a_handler_that_fails_takes_nothing_and_the_message_waits(two):
    a, b = two
    a.tell("pk-bb", 1)
    b.fails = True
    with pytest.raises(Unavailable, match="handler is away"):
        deliver(a.nodes, a.nodes.peer("pk-bb"))
    assert (a.waits(), b.nodes.known(b.actor)[0].heard) == (1, 0)
    b.fails = False
    deliver(a.nodes, a.nodes.peer("pk-bb"))
    assert (b.heard, a.waits()) == ([("pk-aa", 1)], 0)


def test_a_kind_that_an_older_node_does_not_know_waits_and_what_follows_too(two):
    a, b = two
    with a.kernel.work(a.kernel.node) as work:
        a.nodes.tell(work, "pk-bb", "test.newer", {})
    a.tell("pk-bb", 1)
    with pytest.raises(Unavailable, match=r"test\.newer"):
        deliver(a.nodes, a.nodes.peer("pk-bb"))
    assert (b.heard, a.waits()) == ([], 2)


def test_a_gap_is_refused(two):
    a, b = two
    late = {"seq": 2, "id": "x", "kind": "test.word", "body": {"n": 2}, "at": ""}
    with pytest.raises(Unavailable, match="Message 1 is missing"):
        send(a.nodes, a.nodes.peer("pk-bb"), MESSAGES, {"messages": [late]})
    assert b.heard == []


def test_the_outbox_delivers_after_the_link_came_back(two):
    a, b = two
    port = b.listener.port
    b.listener.stop()
    came = threading.Event()
    b.nodes.on_told("test.word", lambda work, code, body: came.set() if body["n"] == 2 else None)
    out = Outbox(a.nodes)
    out.start()
    try:
        a.tell("pk-bb", 1, 2)
        assert not came.wait(0.2)
        b.listener = Listener(b.nodes, "127.0.0.1", port)
        b.listener.start()
        assert came.wait(20)
    finally:
        out.stop()
    assert b.nodes.known(b.actor)[0].heard == 2


def test_a_question_is_answered(two):
    a, _ = two
    assert ask(a.nodes, "pk-bb", "test.sum", {"of": [1, 2, 3]}) == {"sum": 6}
    assert "test.word" in ask(a.nodes, "pk-bb", "hello", {})["told"]
    with pytest.raises(Unavailable, match="does not know questions"):
        ask(a.nodes, "pk-bb", "nothing", {})


def test_a_stranger_is_refused_by_either_side(two, tmp_path):
    a, b = two
    peer = a.nodes.peer("pk-bb")
    a.nodes._keys = NodeKeys(tmp_path / "stranger", "pk-aa", a.kernel.clock.now())
    with pytest.raises(Unavailable, match="cannot be reached"):
        send(a.nodes, peer, ASK, {"kind": "hello", "body": {}})
    other = NodeKeys(tmp_path / "other", "pk-bb", a.kernel.clock.now())
    with pytest.raises(Unavailable, match="SSLCertVerificationError"):
        send(b.nodes, dataclasses.replace(peer, certificate=other.pem), ASK, {})


def test_a_peer_that_is_cut_off_is_out_at_once(two):
    a, b = two
    b.tell("pk-aa", 1, 2)
    deliver(b.nodes, b.nodes.peer("pk-aa"))
    b.tell("pk-aa", 3)
    assert b.nodes.cut_off(b.actor, "pk-aa", "it turned hostile") == {"test.word": 2}
    with pytest.raises(Unavailable, match="cannot be reached"):
        ask(a.nodes, "pk-bb", "hello", {})
    with pytest.raises(Conflict, match="cut off"):
        b.tell("pk-aa", 4)
    with pytest.raises(Conflict, match="known already"):  # under the same key it stays out
        b.meet(a)
    a.nodes.keys.rotate(a.kernel.clock.now())
    b.meet(a)
    assert ask(a.nodes, "pk-bb", "hello", {})["heard"] == 0


def test_a_peer_that_is_cut_off_between_handshake_and_request_is_out(two):
    _, b = two
    peer = b.nodes.peer("pk-aa")
    b.nodes.cut_off(b.actor, "pk-aa", "it turned hostile")
    with pytest.raises(Conflict, match="any more"):
        b.nodes.answer(peer, "hello", {})


def test_a_wrong_clock_is_told_by_number(two):
    a, _ = two
    a.kernel.clock = SetClock(a.kernel.clock.now().replace(year=2031))
    with pytest.raises(Unavailable, match=r"differ by \+\d+ s"):
        ask(a.nodes, "pk-bb", "hello", {})


def test_a_request_passes_once_and_for_one_receiver_and_path(two):
    a, b = two
    now = a.kernel.clock.now()
    reader = wire.Reader("pk-bb", now.replace(year=2020))
    data, signature = wire.write(a.nodes.keys, "pk-bb", ASK, now, {"n": 1})
    pem = a.nodes.keys.pem
    assert reader.read("pk-aa", pem, ASK, data, signature, now) == {"n": 1}
    with pytest.raises(Conflict, match="came before"):
        reader.read("pk-aa", pem, ASK, data, signature, now)
    for path, changed in ((MESSAGES, data), (ASK, data.replace(b'"n": 1', b'"n": 2'))):
        with pytest.raises(DoesNotVerify):
            reader.read("pk-aa", pem, path, changed, signature, now)
    with pytest.raises(BadInput):
        wire.Reader("pk-cc", now.replace(year=2020)).read("pk-aa", pem, ASK, data, signature, now)
    later = b.kernel.clock.now()
    with pytest.raises(Conflict, match="before this node was started"):
        wire.Reader("pk-bb", later).read("pk-aa", pem, ASK, data, signature, later)


def test_what_is_too_large_is_refused(two, monkeypatch):
    a, _ = two
    monkeypatch.setattr(wire, "MOST_BYTES", 2000)
    with pytest.raises(Unavailable, match=r"at most 2000|cannot be reached"):
        ask(a.nodes, "pk-bb", "test.sum", {"of": [1] * 5000})
    assert ask(a.nodes, "pk-bb", "test.sum", {"of": [1]}) == {"sum": 1}


def test_large_messages_go_in_requests_that_pass(two, monkeypatch):
    a, b = two
    monkeypatch.setattr(wire, "MOST_BYTES", 4000)
    monkeypatch.setattr(desk, "LARGEST", 1000)
    with a.kernel.work(a.kernel.node) as work:
        for n in range(9):
            a.nodes.tell(work, "pk-bb", "test.word", {"n": n, "pad": "x" * 900})
    while deliver(a.nodes, a.nodes.peer("pk-bb")):
        pass
    assert [n for _, n in b.heard] == list(range(9))
    with pytest.raises(TooLarge), a.kernel.work(a.kernel.node) as work:
        a.nodes.tell(work, "pk-bb", "test.word", {"pad": "x" * 1000})


def test_too_many_requests_are_refused(two):
    a, b = two
    b.listener.stop()
    b.listener = Listener(b.nodes, "127.0.0.1", b.listener.port, per_minute=2)
    b.listener.start()
    for _ in range(2):
        ask(a.nodes, "pk-bb", "hello", {})
    with pytest.raises(Unavailable, match="Too many"):
        ask(a.nodes, "pk-bb", "hello", {})


def test_noise_does_not_end_the_port(two):
    a, b = two
    for noise in (b"", b"GET / HTTP/1.1\r\n\r\n", bytes(range(256)) * 40):
        with socket.create_connection(("127.0.0.1", b.listener.port), 5) as link:
            link.sendall(noise)
    assert ask(a.nodes, "pk-bb", "hello", {})["version"] == 1


def test_only_supervisors_say_whom_a_node_trusts(two):
    a, b = two
    for role in (Role.INVESTIGATOR, Role.OVERSEER, Role.ADMINISTRATOR, Role.SERVICE):
        actor = Actor("x", "X", "pk-aa", None, frozenset({role}), Mark.AMBER_STRICT)
        with pytest.raises(Refused):
            a.nodes.cut_off(actor, "pk-bb", "it turned hostile")
    overseer = Actor("x", "X", "pk-aa", None, frozenset({Role.OVERSEER}), Mark.AMBER_STRICT)
    assert [p.code for p in a.nodes.known(overseer)] == ["pk-bb"]
    assert outbox.ask(b.nodes, "pk-aa", "hello", {})["version"] == 1
