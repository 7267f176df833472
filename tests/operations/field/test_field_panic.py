"""Calls for help: at the top of the queue, each for itself, until a person ends it."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from cordon.kernel.clock import format_time
from cordon.kernel.errors import BadInput, Refused
from cordon.operations.field.base import NotYours
from cordon.operations.field.panic import CARD
from cordon.operations.tables import AlertRow
from cordon.operations.triage.rules import builtin
from cordon.operations.triage.score import rescore

from .conftest import Phone

WHY = "The crew is aboard PB-07 and unhurt."


@pytest.fixture
def call(desk, kernel, clock):
    """Call for help from a phone as its page does; the node then does what follows."""

    def calls(phone, id_, fix=None, at=None, **more):
        heard = desk.call(phone.officer, {
            "id": id_, "phone": phone.id, "at": at or phone.now(), "sent_at": phone.now(),
            "offset_ms": None, "fix": fix, **more})  # fmt: skip
        while kernel.dispatcher.run_pending():
            pass  # one event leads to the next
        assert kernel.dispatcher.failing() == []
        return heard

    return calls


def fix(clock, number, lat):
    return {"number": number, "at": format_time(clock.now()), "lat": lat, "lon": 63.5,
            "accuracy_m": 20.0}  # fmt: skip


def test_a_call_is_heard_at_once_and_first(
    desk, room, phone, call, raised, officers, clock, acts_of
):
    raised("mmsi:463000001", seriousness="grave")
    with room.kernel.rows.write() as session:  # nobody saw it, and it was told twice further up
        row = session.scalars(select(AlertRow)).one()
        row.level = 2
        rescore(row, builtin(), clock.now())
    id_ = str(uuid.uuid4())
    assert call(phone, id_, fix(clock, 1, 25.2)).state == "called"
    queue = room.queue(officers["watch"]).alerts
    assert [a.kind for a in queue] == [CARD.kind, "picture.gap"]
    first = queue[0]
    assert (first.seriousness, first.due_at, first.place.lat) == ("grave", clock.now(), 25.2)
    assert first.radius_m == 20.0
    clock.advance(timedelta(seconds=15))
    call(phone, id_, fix(clock, 2, 25.3))  # again, from where the phone is now
    call(phone, id_, fix(clock, 2, 25.3))
    call(phone, id_)
    queue = room.queue(officers["watch"]).alerts
    assert len(queue) == 2
    assert queue[0].place.lat == 25.3
    shown = desk.panics(officers["watch"])
    assert [(p.id, p.presses, p.alert) for p in shown] == [(id_, 4, first.id)]
    assert len([e for e in acts_of("operations.panic.raise") if e.outcome == "done"]) == 1
    assert desk.panics(officers["field"]) == []  # for the desk


def test_answered_then_ended_by_a_person_alone(desk, room, phone, call, officers, clock):
    id_ = str(uuid.uuid4())
    call(phone, id_)
    alert = room.queue(officers["watch"]).alerts[0].id
    assert call(phone, id_).state == "called"
    room.acknowledge(officers["watch"], alert)
    heard = call(phone, id_, safe=True)
    assert (heard.state, heard.answered_at) == ("answered", clock.now())
    assert desk.panics(officers["watch"])[0].safe_at == clock.now()
    assert room.alert(officers["watch"], alert).alert.state == "acknowledged"  # safe ends nothing
    room.close(officers["watch"], alert, "answered", WHY)
    assert call(phone, id_).state == "answered"  # the second officer has not agreed yet
    room.countersign(officers["watch2"], alert)
    assert call(phone, id_).state == "ended"
    assert desk.panics(officers["watch"]) == []
    assert desk.mine(officers["field"]) is None


def test_each_call_stands_for_itself(desk, room, phone, call, officers, clock, boat):
    other = Phone(desk, replace(officers["field"], id="officer-mate"), clock)
    first, second, third = (str(uuid.uuid4()) for _ in range(3))
    call(phone, first, fix(clock, 1, 25.2))
    alert = room.queue(officers["watch"]).alerts[0].id
    room.send(officers["watch"], alert, boat.id, "Go to them at once.")
    call(other, second, fix(clock, 1, 25.2))  # of one boat, at one place
    call(phone, third, fix(clock, 2, 25.2))
    queue = room.queue(officers["watch"]).alerts
    assert len(queue) == 3
    assert {a.alike for a in queue} == {0}


def test_a_call_without_a_place_a_right_clock_or_a_way_is_heard(
    desk, room, phone, call, officers, clock, noon
):
    pressed = phone.now()
    clock.set(noon + timedelta(hours=7))
    phone.slow = timedelta(hours=1)  # and set to another time meanwhile
    call(phone, str(uuid.uuid4()), {"number": 1, "lat": "north"}, at=pressed)
    alert = room.queue(officers["watch"]).alerts[0]
    assert alert.place is None
    shown = room.alert(officers["watch"], alert.id)
    says = " ".join(r.says for r in shown.finding.reasons)
    assert "The phone gave no position." in says
    assert "no way to the node" in says
    assert "clock was wrong" in says
    assert desk.panics(officers["watch"])[0].clock_wrong


def test_who_may_not_call(desk, phone, call, officers, clock):
    id_ = str(uuid.uuid4())
    call(phone, id_)
    mate = Phone(desk, replace(officers["field"], id="officer-mate"), clock)
    with pytest.raises(NotYours):
        call(mate, id_)
    with pytest.raises(Refused):
        call(Phone(desk, officers["investigator"], clock), str(uuid.uuid4()))
    for wrong in ({"id_": "x"}, {"id_": str(uuid.uuid4()), "at": "now"}):
        with pytest.raises(BadInput):
            call(phone, **wrong)
