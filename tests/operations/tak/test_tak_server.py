"""The TAK server over loopback TLS: groups, names, chat, what is stale, bad input, slow clients."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from cordon.kernel.access.model import Mark
from cordon.kernel.errors import WrongSetting
from cordon.operations.tak import protocol, relay, session
from cordon.operations.tak.base import TakClient
from cordon.operations.tak.desk import TakDesk
from cordon.operations.tak.message import read
from cordon.operations.tak.server import TakServer
from cordon.operations.tak.tables import TakClientRow
from support.takking import Phone, chat, context, event, iso

BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'
    b'<event uid="bomb" type="a-f-G">&b;</event>'
)


def client_of(id_, *groups):
    now = datetime.now(UTC)
    return TakClient(id_, id_, None, frozenset(groups), Mark.GREEN, None, now, now)


def refusals(kernel):
    with kernel.rows.read() as session_:
        ids = session_.scalars(select(TakClientRow.id)).all()
    entries = [e for id_ in ids for e in kernel.ledger.of_thing(f"tak:{id_}", limit=50)]
    return [e.detail["why"] for e in entries if e.outcome == "refused"]


def test_clients_of_a_group_see_each_other_and_no_other_group(phone):
    one, two, other = phone("A1", "watch"), phone("A2", "watch, pasni"), phone("B1", "jiwani")
    one.send(event("spot-1", "a-h-G"))
    assert two.has("spot-1")
    assert two.has("ANDROID-A1")
    assert one.has("ANDROID-A2")
    assert other.lacks("spot-1")
    assert not {u for u in other.uids() if u.startswith("ANDROID")}
    assert "spot-1" not in one.uids()  # it is not sent back


def answered(port, how):
    """What a connection is answered that sends an event; empty where it is refused or cut."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as plain:
        try:
            secured = how.wrap_socket(plain, server_hostname="127.0.0.1")
            secured.sendall(event("x"))
            return secured.recv(100)
        except (ssl.SSLError, ConnectionError):
            return b""


def test_nobody_joins_without_a_certificate_of_the_node(server, phone, enrol, tmp_path, kernel):
    plain = ssl.create_default_context()
    plain.check_hostname, plain.verify_mode = False, ssl.CERT_NONE
    assert answered(server.port, plain) == b""
    # of another node's authority
    stranger = TakDesk(kernel, tmp_path / "other", "127.0.0.1", 1, frozenset())
    paths = phone("A1").paths
    alien = stranger.keys.authority_pem
    assert alien != server.desk.keys.authority_pem
    refused = ssl.create_default_context(cadata=alien.decode())
    with (
        pytest.raises(ssl.SSLError),
        socket.create_connection(("127.0.0.1", server.port), timeout=5) as s,
    ):
        refused.wrap_socket(s, server_hostname="127.0.0.1")
    assert answered(server.port, context(paths)).startswith(b"<event")  # the same way, enrolled


def test_a_revoked_client_is_thrown_out_live_and_let_in_no_more(
    phone, enrol, server, desk, officers, kernel
):
    client, paths = enrol("A1")
    one, two = phone("A1", paths=paths), phone("A2")
    one.send(event("spot-1", "a-h-G"))
    assert two.has("spot-1")
    desk.revoke(officers["watch"], client.id, "The phone was lost at sea.")
    assert one.closed.wait(timeout=15)
    assert two.waits_for(lambda p: any(m.link == "spot-1" for m, _ in list(p.got)))
    again = Phone(server.port, paths)
    assert again.closed.wait(timeout=10)
    assert again.uids() == []
    assert "revoked" in refusals(kernel)
    assert not two.closed.is_set()


def test_a_forged_uid_never_passes_and_stands_in_the_ledger(phone, kernel, server):
    one, two, three = phone("A1", "pasni"), phone("B1", "jiwani"), phone("B2", "jiwani")
    assert three.has("ANDROID-B1")
    one.send(event("spot-a", "a-h-G"))
    two.send(event("ANDROID-A1", callsign="A1", lat=1.0), event("spot-a", "a-h-G", lat=2.0))
    two.send(chat("ANDROID-A1", "A1", "come here"), event("cordon.alert.1", "b-m-p-s-m"))
    two.send(event("end", "t-x-d-d", detail='<link uid="ANDROID-A1" type="a-f-G"/>'))
    two.send(event("after", "a-h-G"))
    assert three.has("after")
    assert not {"ANDROID-A1", "spot-a", "cordon.alert.1", "end"} & set(three.uids())
    assert refusals(kernel) == ["forged uid"]  # once a connection
    assert server.relay.kept["ANDROID-A1"].message.point["lat"] == "25.1"


def test_a_uid_stays_with_its_certificate_after_it_left(phone, desk, officers):
    one = phone("A1")
    two = phone("A2")
    assert two.has("ANDROID-A1")
    one.close()
    two.send(event("ANDROID-A1", callsign="A1", lat=1.0))
    three = phone("A3")
    assert three.has("ANDROID-A2")
    assert [m.point["lat"] for m, _ in three.got if m.uid == "ANDROID-A1"] == ["25.1"]
    assert two.has("ANDROID-A3")
    uids = {c.name: c.uid for c in desk.clients(officers["supervisor"])}
    assert uids == {"A1": "ANDROID-A1", "A2": "ANDROID-A2", "A3": "ANDROID-A3"}
    # another certificate that takes the name from the start is not it
    four = phone("A4", says=False)
    four.send(event("ANDROID-A1", callsign="A1", lat=1.0), event("x4", "a-h-G"))
    assert three.has("x4")
    assert {c.name: c.uid for c in desk.clients(officers["supervisor"])}["A4"] is None


def test_chat_goes_to_all_to_a_group_and_to_one(phone):
    one, two = phone("A1", "watch, pasni"), phone("A2", "watch")
    three = phone("A3", "pasni")
    for p in (one, two):
        assert p.has("ANDROID-A1" if p is not one else "ANDROID-A2")
    assert one.has("ANDROID-A3")

    def texts(p):
        return [m.xml for m, _ in list(p.got) if m.type == "b-t-f"]

    one.send(chat("ANDROID-A1", "A1", "to all"))
    one.send(chat("ANDROID-A1", "A1", "to pasni", room="pasni"))
    one.send(chat("ANDROID-A1", "A1", "to two", room="A2", id_="ANDROID-A2", marti="A2"))
    assert two.waits_for(lambda p: len(texts(p)) == 2)
    assert three.waits_for(lambda p: len(texts(p)) == 2)
    assert [b"to all" in t or b"to two" in t for t in texts(two)] == [True, True]
    assert [b"to all" in t or b"to pasni" in t for t in texts(three)] == [True, True]


def test_one_that_joins_later_gets_what_is_not_stale(phone, server, desk, monkeypatch):
    one = phone("A1")
    one.send(
        event("old", "a-h-G", stale=-5), event("short", "a-h-G", stale=1.0),
        event("long", "b-m-p-s-m", stale=600), chat("ANDROID-A1", "A1", "not kept"),
    )  # fmt: skip
    two = phone("A2")
    assert two.has("long")
    time.sleep(1.2)
    three = phone("A3")
    assert three.has("long")
    assert not {"old", "short"} & set(three.uids())
    assert three.uids("b-t-f") == []
    server.relay.age()
    assert "short" not in server.relay.kept


def test_both_forms_are_spoken_and_agreed_on(phone):
    one, two = phone("A1"), phone("A2")
    inner = '<TakControl><TakRequest version="1"/></TakControl>'
    two.send(event("protouid", "t-x-takp-q", detail=inner))
    assert two.waits_for(lambda p: "t-x-takp-r" in [m.type for m, _ in list(p.got)])
    answered = next(m for m, _ in two.got if m.type == "t-x-takp-r")
    assert b'status="true"' in answered.xml
    detail = '<track speed="5.0" course="90.0"/><remarks>a &amp; b</remarks>'
    one.send(event("spot-1", "a-h-G", callsign="S", detail=detail))
    assert two.has("spot-1")
    message, protobuf = next(g for g in two.got if g[0].uid == "spot-1")
    assert protobuf
    assert b'<track speed="5.0" course="90.0"/>' in message.xml
    assert b"<remarks>a &amp; b</remarks>" in message.xml
    two.send(read(event("spot-2", "a-h-G", callsign="T", lat=-1.5), False).proto)
    assert one.has("spot-2")
    message, protobuf = next(g for g in one.got if g[0].uid == "spot-2")
    assert (protobuf, message.callsign, float(message.point["lat"])) == (False, "T", -1.5)
    # a version that there is not is not agreed to
    three = phone("A3")
    three.send(event("protouid", "t-x-takp-q", detail=inner.replace("1", "7")))
    assert three.waits_for(lambda p: any(b'status="false"' in m.xml for m, _ in list(p.got)))


def test_a_ping_is_answered_and_goes_to_nobody_else(phone):
    one, two = phone("A1"), phone("A2")
    one.send(event("ANDROID-A1-ping", "t-x-c-t"), event("after", "a-h-G"))
    assert one.has("takPong")
    assert two.has("after")
    assert "ANDROID-A1-ping" not in two.uids()


def test_hostile_events_reach_nobody_and_hold_no_memory(phone, server):
    good, bad = phone("A1"), phone("B1")
    inside = '<remarks><![CDATA[</event><event uid="smuggled" type="a-f-G"/>]]></remarks>'
    bad.send(
        BOMB, event("deep", detail="<x>" * 100 + "</x>" * 100),
        event("nested", detail='<event uid="smuggled" type="a-f-G"></event>'),
        event("nowhere", lat="nan"), event("beyond", lat=91),
        event("big", detail=f"<remarks>{'x' * 300_000}</remarks>"),
        event("cdata", "a-h-G", detail=inside), b"<event uid='cut' type='a-f-G'>",
    )  # fmt: skip
    bad.send(event("after", "a-h-G"))
    assert good.has("after")
    assert {"bomb", "deep", "nested", "nowhere", "beyond", "big", "cut", "smuggled"}.isdisjoint(
        good.uids()
    )
    # what a client sees that looks for the end of an event by its bytes
    assert b'<event uid="smuggled"' not in good.raw
    assert good.has("cdata")

    def endless():
        try:
            bad.send(b"<event uid='endless' type='a-f-G'><detail><remarks>")
            for _ in range(160):
                bad.send(b"x" * 65_536)  # 10 MB
            bad.send(b"</remarks></detail></event>", event("alive", "a-h-G"))
        except OSError:
            pass

    held = []
    sender = threading.Thread(target=endless)
    sender.start()
    while sender.is_alive():
        held += [s._stream.held for s in list(server._sessions)]
        time.sleep(0.01)
    assert good.has("alive")
    assert "endless" not in good.uids()
    assert max(held) <= 3 << 20
    assert not good.closed.is_set()


def test_one_that_sends_only_what_is_wrong_is_cut_off(phone):
    good, bad = phone("A1"), phone("B1")
    wrong = event("nowhere", lat="nan")
    try:
        for _ in range(session.MOST_REFUSED + 5):
            bad.send(wrong)
    except OSError:
        pass
    assert bad.closed.wait(timeout=10)
    assert not good.closed.is_set()
    assert phone("B1", paths=bad.paths).has("ANDROID-A1")  # it may come back


def test_a_client_that_joins_or_leaves_disconnects_none(phone):
    """FreeTAKServer #104 and #268; OpenTAKServer #48 and #171."""
    stays = [phone(f"S{n}") for n in range(4)]
    for n in range(12):
        one = phone(f"T{n}")
        if n % 3 == 0:
            one.socket.shutdown(socket.SHUT_RDWR)
        elif n % 3 == 1:
            one.send(b"<event uid='half")
        one.close()
    stays[0].send(event("after", "a-h-G"))
    for other in stays[1:]:
        assert other.has("after")
    assert not any(s.closed.is_set() for s in stays)
    # who left is told to those who saw them
    assert stays[1].waits_for(lambda p: any(m.link == "ANDROID-T0" for m, _ in list(p.got)))


def test_the_same_client_again_takes_the_place_of_its_dead_connection(phone, server):
    one, two = phone("A1"), phone("A2")
    assert two.has("ANDROID-A1")
    again = phone("A1", paths=one.paths)
    assert one.closed.wait(timeout=10)
    two.send(event("after", "a-h-G"))
    assert again.has("after")
    assert len(server.relay.lines) == 2


def test_a_burst_is_not_dropped(phone):
    one, two, three = phone("A1"), phone("A2"), phone("A3")
    some = [f"burst-{n}" for n in range(3_000)]
    one.send(*(event(uid, "b-m-p-s-m", stale=60) for uid in some))
    for other in (two, three):
        assert other.waits_for(lambda p: p.uids("b-m-p").count("burst-2999") == 1, 30)
        assert other.uids("b-m-p") == some  # all of them, in their order, once


def test_a_slow_client_is_put_off_alone(phone, monkeypatch):
    monkeypatch.setattr(relay, "MOST_QUEUED", 2 << 20)
    one, two = phone("A1"), phone("A2")
    slow = phone("SLOW", buffer=4_096, listens=False)
    padding = f"<remarks>{'x' * 20_000}</remarks>"
    for n in range(400):
        one.send(event(f"big-{n}", "b-m-p-s-m", detail=padding))
    assert two.waits_for(lambda p: "big-399" in p.uids(), 30)
    slow.listen()
    assert slow.closed.wait(timeout=20)
    assert not one.closed.is_set()
    assert not two.closed.is_set()
    assert "big-399" not in slow.uids()


def test_positions_that_are_superseded_make_room_in_a_full_queue(phone, server):
    one = phone("A1")
    slow = phone("SLOW", buffer=4_096, listens=False)
    assert one.has("ANDROID-SLOW")
    padding = f"<remarks>{'x' * 20_000}</remarks>"
    for n in range(600):  # 12 MB, of which little is still true
        one.send(event("ANDROID-A1", callsign="A1", lat=n / 100, detail=padding))
    one.send(chat("ANDROID-A1", "A1", "still here"))
    time.sleep(1)
    slow.listen()
    assert slow.waits_for(lambda p: bool(p.uids("b-t-f")), 20)
    assert not slow.closed.is_set()
    lats = [float(m.point["lat"]) for m, _ in slow.got if m.uid == "ANDROID-A1"][1:]
    assert lats == sorted(lats)
    assert lats[-1] == 5.99
    assert len(lats) < 600


def test_positions_go_to_the_picture_and_to_the_unit(phone, room, officers, boat, places):
    one = phone("A1", unit="pb-07")
    one.send(event("spot", "a-h-G"), event("ANDROID-A1", callsign="A1", lat=25.5, lon=63.0))
    end = time.monotonic() + 8
    while time.monotonic() < end:
        unit = room.units(officers["supervisor"])[0]
        if unit.position.lat == 25.5:
            break
        time.sleep(0.05)
    assert (unit.position.lat, unit.position.lon) == (25.5, 63.0)
    lines = b"".join(places).splitlines()
    assert [b'uid="ANDROID-A1"' in line for line in lines] == [True, True]
    assert iso()[:4].encode() in lines[0]


def test_versions_and_numbers_of_the_wire():
    assert protocol.varint(300) == b"\xac\x02"
    message = read(event("a", callsign="é&lt;&amp;", lat=0.0, lon=-0.5), False)
    again = read(message.proto[2:] if message.proto[1] < 0x80 else message.proto[3:], True)
    assert (again.callsign, again.point["lat"], again.point["lon"]) == ("é<&", "0.0", "-0.5")
    assert again.stale == pytest.approx(message.stale, abs=0.001)


def test_what_is_kept_of_one_client_is_bounded(monkeypatch):
    monkeypatch.setattr(relay, "MOST_KEPT_BYTES", 20_000)
    monkeypatch.setattr(relay, "MOST_KEPT", 40)
    core = relay.Relay(time.time)
    line = relay.Line(client_of("one", "watch"), uid="ANDROID-1")
    core.join(line)
    for n in range(100):
        core.take(line, read(event(f"m{n}", "b-m-p-s-m"), False))
    assert list(core.kept) == [f"m{n}" for n in range(60, 100)]
    for n in range(10):
        core.take(line, read(event(f"b{n}", "b-m-p-s-m", detail="<x/>" * 1_000), False))
    assert sum(len(k.message.xml) for k in core.kept.values()) <= 20_000
    assert list(core.kept)[-1] == "b9"
    core.gone("one")
    assert not core.kept
    assert core._kept_bytes.get("one", 0) == 0


def test_a_port_that_is_taken_is_told(desk, server):
    second = TakServer(desk, "127.0.0.1", server.port, lambda _lines, _at: None)
    with pytest.raises(WrongSetting, match="tak_server_port"):
        second.start()
    second.stop()
