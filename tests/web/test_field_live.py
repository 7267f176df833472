"""What changes for a phone is told to it at once, while its session lives: by sockets of a node."""

from __future__ import annotations

import uuid
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import event
from starlette.websockets import WebSocketDisconnect

from cordon.kernel import geo, leads
from cordon.kernel.access.model import Mark, Role
from cordon.kernel.clock import format_time
from cordon.kernel.findings import Finding, Reason, RecordRef
from cordon.kernel.leads import close_reasons
from cordon.operations import TaskingState
from cordon.operations.field.live import CHANGED, ENDED, HERE, MOST_PHONES, Phone
from support.loops import run

LIVE = "/api/operations/field/live"
ORDER = "Go and look at it."


@pytest.fixture(scope="module")
def at_sea(shared_site):
    """Two boats with an officer each, a watch officer, and phones of all of them."""
    site = shared_site
    for code in ("pb-07", "pb-08"):
        site.node.units.add(site.console, code, code.upper())
        site.node.officers.add(
            site.console, login=code, name=f"Officer {code}", roles=[Role.FIELD_OFFICER],
            unit=code, cleared=Mark.AMBER, password=site.PASSWORD, must_change=False,
        )  # fmt: skip
    site.officer("watch", "watch_officer")
    site.officer("super", "supervisor")
    for code in ("PB-07", "PB-08"):
        site.node.operations.add_unit(
            site.actor("super"), code=code, name=code, kind="boat", sector="Pasni", speed_kn=20,
            contact="VHF 16", position=None,
        )  # fmt: skip
    return site


@pytest.fixture
def send(at_sea):
    """Send a boat to an alert of its own; gives the tasking."""
    node, number = at_sea.node, iter(range(1000))

    def sent(code):
        n, now = next(number), node.kernel.clock.now()
        finding = Finding.make(
            kind="picture.gap", subjects=[f"mmsi:46301{n:04}"], start=now - timedelta(hours=1),
            end=now, confidence=0.9, reasons=[Reason("silence", 46.0, "min", 30.0, "Silent.")],
            records=[RecordRef("a" * 64, 1)], detector="picture.gap", version="1",
            place=geo.point(10 + n, 63.45), radius_m=900.0,
        )  # fmt: skip
        with node.kernel.work(node.kernel.node) as work:
            leads.keep(work, [finding], node.cards)
        node.kernel.dispatcher.run_pending()
        with node.kernel.view(node.kernel.node) as view:
            alert = node.operations.alert_of(view, finding.id)
        watch = at_sea.actor("watch")
        unit = next(u for u in node.operations.units(watch) if u.code == code)
        return node.operations.send(watch, alert, unit.id, ORDER)

    made = []

    def keep(code):
        made.append(sent(code))
        return made[-1]

    yield keep
    for tasking in made:
        node.operations.report(
            at_sea.actor("watch"), tasking.id, TaskingState.CANCELLED, note="The test is over."
        )


@contextmanager
def held(site, login):
    """A socket of an officer's own session; the node is not started, so that each look is ours."""
    with site.client(login).websocket_connect(LIVE) as socket:
        yield socket


def test_an_order_is_told_to_the_phones_of_its_unit_alone(at_sea, send):
    live = at_sea.node.live
    with held(at_sea, "pb-07") as one, held(at_sea, "pb-07") as tab, held(at_sea, "pb-08") as two:
        assert live.count() == 3
        assert live.look() == 0
        tasking = send("PB-07")
        assert live.look() == 2
        assert (one.receive_text(), tab.receive_text()) == (CHANGED, CHANGED)
        assert live.look() == 0  # it is told once
        at_sea.node.operations.report(
            at_sea.actor("pb-07"), tasking.id, TaskingState.ACKNOWLEDGED
        )  # by one phone of the crew: the other one hears of it
        assert live.look() == 2
        send("PB-08")
        assert live.look() == 1
        assert two.receive_text() == CHANGED  # its first: nothing of the other boat came before
    assert live.count() == 0
    assert live.look() == 0


def test_who_called_for_help_hears_at_once_that_it_was_seen(at_sea):
    """Acknowledged, and closed by a second officer: each is told to the caller's phones alone."""
    node, live = at_sea.node, at_sea.node.live
    at_sea.officer("watch3", "watch_officer")
    now = format_time(node.kernel.clock.now())
    message = {"id": str(uuid.uuid4()), "phone": str(uuid.uuid4()), "at": now, "sent_at": now,
               "offset_ms": 0, "fix": None}  # fmt: skip
    with held(at_sea, "pb-07") as one, held(at_sea, "pb-08"):
        node.field.call(at_sea.actor("pb-07"), message)
        while node.kernel.dispatcher.run_pending():
            pass
        assert live.look() == 0  # nobody has seen it yet
        (call,) = node.field.panics(at_sea.actor("watch"))
        node.operations.acknowledge(at_sea.actor("watch"), call.alert)
        assert live.look() == 1
        assert one.receive_text() == CHANGED
        assert node.field.mine(at_sea.actor("pb-07")).state == "answered"
        node.operations.close(at_sea.actor("watch"), call.alert, reason(), "They are aboard.")
        assert live.look() == 1
        assert one.receive_text() == CHANGED
        assert live.look() == 0


def reason():
    return close_reasons()["alert"][0].id


def test_one_look_for_all_phones(at_sea, send):
    node = at_sea.node
    asked: list[str] = []

    def note(_connection, _cursor, statement, *_rest):
        if statement.startswith("SELECT"):
            asked.append(statement)

    counts = []
    for phones in (1, MOST_PHONES):
        sockets = [held(at_sea, "pb-07") for _ in range(phones)]
        for socket in sockets:
            socket.__enter__()
        send("PB-07")
        event.listen(node.kernel.rows.engine, "before_cursor_execute", note)
        try:
            asked.clear()
            assert node.live.look() == phones
            looked = len(asked)
            assert node.live.look() == node.live.check() == 0
            counts.append((looked, len(asked)))
        finally:
            event.remove(node.kernel.rows.engine, "before_cursor_execute", note)
            if phones == MOST_PHONES:
                with pytest.raises(WebSocketDisconnect), held(at_sea, "pb-07"):
                    pass  # one more than an officer may hold
            for socket in sockets:
                socket.__exit__(None, None, None)
            node.operations.report(
                at_sea.actor("watch"), node.operations.taskings(at_sea.actor("watch"))[0].id,
                TaskingState.CANCELLED, note="The test is over.",
            )  # fmt: skip
    assert counts[0] == counts[1]
    assert counts[0][0] == 2  # the outbox, and the taskings that it speaks of


def test_the_socket_ends_with_its_session_and_its_right(at_sea):
    node, boss = at_sea.node, at_sea.console
    officer = node.officers.by_login(boss, "pb-08")
    with held(at_sea, "pb-08") as socket:
        assert node.live.check() == 0
        node.sessions.revoke_all(boss, officer.id)
        assert node.live.check() == 1
        with pytest.raises(WebSocketDisconnect) as gone:
            socket.receive_text()
        assert gone.value.code == 4401
    with held(at_sea, "pb-08") as socket:  # a socket alone keeps no session from idling
        node.kernel.clock.advance(node.sessions.rules.idle + timedelta(seconds=1))
        assert node.live.check() == 1
        with pytest.raises(WebSocketDisconnect):
            socket.receive_text()
    with held(at_sea, "pb-08") as socket:
        (session,) = [s.id for s in node.sessions.open_ones(boss, officer.id)]
        actor = node.sessions.living([session])[session]
        other = replace(actor, roles=frozenset({Role.INVESTIGATOR}))
        node.live._living = lambda _ids: {session: other}
        try:
            assert node.live.check() == 1
        finally:
            node.live._living = node.sessions.living
        with pytest.raises(WebSocketDisconnect):
            socket.receive_text()
        assert at_sea.entries()[-1][:2] == ("operations.field.view", "refused")


def test_who_may_not_hold_a_socket(at_sea):
    with pytest.raises(WebSocketDisconnect), at_sea.client().websocket_connect(LIVE):
        pass
    with pytest.raises(WebSocketDisconnect), held(at_sea, "watch"):
        pass  # the field page is of field officers
    other, http = {"origin": "https://elsewhere.example"}, at_sea.client("pb-08")
    with pytest.raises(WebSocketDisconnect), http.websocket_connect(LIVE, headers=other):
        pass
    assert at_sea.node.live.count() == 0


def test_a_slow_phone_hears_many_changes_as_one_and_a_quiet_node_is_heard():
    async def slow():
        phone = Phone(None, 0)
        phone.tell()
        phone.tell()
        heard = [await phone.next(1), await phone.next(0.01)]
        phone.tell()
        phone.tell(ended=True)
        return [*heard, await phone.next(1)]

    assert run(slow()) == [CHANGED, HERE, ENDED]
