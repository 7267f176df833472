"""Acts of phones: each once, in their order, and none dropped."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta
from threading import Thread

import pytest

from cordon.kernel.clock import SetClock
from cordon.kernel.errors import BadInput, Conflict
from cordon.operations import TaskingState
from cordon.operations.field.base import NotYours
from cordon.operations.field.model import told

from .conftest import Phone

REPORT = "Searched it; two crew, papers in order."
WAY = ("acknowledged", "moving", "on_scene")


def outcomes(answers):
    return [a.outcome.value for a in answers]


def test_two_days_offline_come_in_order_once_and_at_their_own_time(
    desk, room, phone, sent, clock, officers, noon, acts_of
):
    for hours, to in enumerate(WAY):
        clock.set(noon + timedelta(hours=hours))
        phone.step(sent, to, position={"lat": 25.1 + hours / 10, "lon": 63.5})
    clock.set(noon + timedelta(hours=3))
    phone.say(sent, "form", form="nothing_found",
              values={"searched_min": 40, "sight": "poor", "traces": False})  # fmt: skip
    phone.step(sent, "done", REPORT)
    clock.set(noon + timedelta(days=2))
    assert outcomes(phone.sync()) == ["applied"] * 5
    assert outcomes(phone.sync()) == ["applied"] * 5  # the answer was lost: the same again
    tasking = room.tasking(officers["watch"], sent)
    assert tasking.state is TaskingState.DONE
    assert tasking.report == REPORT
    states = [s.state.value for s in tasking.steps]
    assert states == ["drafted", "sent", "acknowledged", "moving", "on_scene", "done"]
    assert [s.at - noon for s in tasking.steps[2:]] == [timedelta(hours=h) for h in range(4)]
    acts = desk.acts(officers["watch"], sent)
    assert [a.number for a in acts] == [1, 2, 3, 4, 5]
    assert {a.came_at for a in acts} == {noon + timedelta(days=2)}
    assert acts[0].at == noon
    assert acts[3].values("en")[0] == ("Minutes searched", "number", 40)
    assert acts[3].title("ur") == "کچھ نہیں ملا"
    unit = room.units(officers["watch"])[0]
    assert unit.position.lat == pytest.approx(25.3)  # where it last said that it was
    assert unit.position_at == noon + timedelta(hours=2)  # then, not now
    assert len([e for e in acts_of("operations.tasking.report") if e.outcome == "done"]) == 4


def test_what_came_too_late_is_kept_and_told_at_both_ends(
    desk, room, phone, sent, officers, acts_of
):
    phone.step(sent, "acknowledged")
    phone.step(sent, "moving")
    room.report(officers["watch"], sent, TaskingState.CANCELLED, note="Another boat is nearer.")
    answers = phone.sync()
    assert outcomes(answers) == ["conflict", "conflict"]
    assert "The tasking is cancelled" in answers[0].why
    assert outcomes(phone.sync()) == ["conflict", "conflict"]
    kept = desk.own_open(officers["field"])
    assert len(kept) == 2
    assert [a.body["to"] for a in desk.waiting(officers["watch"])] == ["acknowledged", "moving"]
    assert desk.waiting(officers["watch"])[0].mark.value == "TLP:AMBER"
    first = kept[-1]
    with pytest.raises(BadInput):
        desk.settle(officers["watch"], first.id, "ok")
    desk.settle(officers["watch"], first.id, "Called off before it was heard.")
    with pytest.raises(Conflict, match="already"):
        desk.settle(officers["supervisor"], first.id, "Called off before it was heard.")
    assert len(desk.waiting(officers["watch"])) == 1
    assert desk.own_open(officers["field"])[-1].settled_note == "Called off before it was heard."
    assert len(acts_of("operations.field.settle")) == 1
    state = room.tasking(officers["watch"], sent).state
    assert state is TaskingState.CANCELLED


def test_a_unit_whose_code_has_capitals_answers_by_its_crew(desk, room, officers, raised, clock):
    unit = room.add_unit(
        officers["supervisor"], code="PB-11", name="Patrol boat 11", kind="boat", sector="Pasni",
        speed_kn=20, contact="VHF 16",
    )  # fmt: skip
    alert = raised()
    tasking = room.send(officers["watch"], alert, unit.id, "Go and look at it.").id
    phone = Phone(desk, replace(officers["field"], unit="pb-11"), clock)
    phone.step(tasking, "acknowledged")
    assert outcomes(phone.sync()) == ["applied"]
    assert room.alert(officers["watch"], alert).alert.state == "answered"
    phone.step(tasking, "declined", "The engine does not start.")
    assert outcomes(phone.sync()) == ["applied", "applied"]
    assert room.alert(officers["watch"], alert).alert.state == "open"


def test_a_step_that_cannot_follow_and_one_that_a_second_phone_said(
    desk, room, phone, sent, officers, clock
):
    mate = replace(officers["field"], id="officer-mate")
    other = Phone(desk, mate, clock)
    other.step(sent, "acknowledged")
    phone.step(sent, "acknowledged")
    phone.step(sent, "done", REPORT)  # on scene was never said
    assert outcomes(other.sync()) == ["applied"]
    answers = phone.sync()
    assert outcomes(answers) == ["applied", "conflict"]
    assert answers[0].why == "It had been said already."
    assert "Allowed now: moving, on scene" in answers[1].why
    assert len(room.tasking(officers["watch"], sent).steps) == 3


def test_another_units_tasking_is_refused_kept_and_in_the_ledger(
    desk, room, sent, officers, clock, acts_of
):
    stranger = replace(officers["field"], id="officer-stranger", unit="pb-09")
    phone = Phone(desk, stranger, clock)
    phone.step(sent, "acknowledged")
    phone.say(sent, "form", form="medical", values={})
    phone.say(sent, "photo", sha256="a" * 64, size=10, media_type="image/jpeg")
    phone.step(str(uuid.uuid4()), "acknowledged")
    assert outcomes(phone.sync()) == ["refused"] * 4
    assert room.tasking(officers["watch"], sent).state is TaskingState.SENT
    assert desk.photos(officers["watch"], sent) == []
    assert [e.actor for e in acts_of("operations.field.report") if e.outcome == "refused"] == [
        "officer-stranger"
    ] * 3
    assert len(desk.waiting(officers["watch"])) == 4
    assert desk.own_taskings(stranger) == []


def test_one_phone_never_speaks_for_another_officer(desk, phone, sent, officers, clock):
    phone.step(sent, "acknowledged")
    mate = replace(officers["field"], id="officer-mate")
    message = {"phone": phone.id, "officer": phone.officer.id, "sent_at": phone.now(),
               "acts": phone.kept}  # fmt: skip
    with pytest.raises(NotYours):
        desk.take(mate, message)  # the session is another officer's than the acts
    phone.sync()
    with pytest.raises(NotYours):
        desk.take(mate, {**message, "officer": mate.id})  # the phone is another officer's
    theirs = Phone(desk, mate, clock)
    stolen = theirs.sync([dict(phone.kept[0])])  # the id of another's act
    assert outcomes(stolen) == ["refused"]
    assert "Another act" in stolen[0].why
    changed = phone.sync([{**phone.kept[0], "to": "declined", "note": REPORT}])
    assert outcomes(changed) == ["refused"]  # the same id, and something else in it


def test_what_cannot_be_read_is_answered_and_the_rest_goes_on(desk, phone, sent, officers):
    good = phone.step(sent, "acknowledged")
    bad = [
        None, 7, [], "x", {}, {"id": "../../etc"},
        {**good, "id": str(uuid.uuid4()), "kind": "sing"},
        {**good, "id": str(uuid.uuid4()), "to": "cancelled"},
        {**good, "id": str(uuid.uuid4()), "number": True},
        {**good, "id": str(uuid.uuid4()), "number": -1},
        {**good, "id": str(uuid.uuid4()), "at": "yesterday"},
        {**good, "id": str(uuid.uuid4()), "at": "9999-12-31T23:59:59Z"},
        {**good, "id": str(uuid.uuid4()), "note": "\ud800"},
        {**good, "id": str(uuid.uuid4()), "note": "a\x00b"},
        {**good, "id": str(uuid.uuid4()), "note": "x" * 20_000},
        {**good, "id": str(uuid.uuid4()), "offset_ms": 1e300},
        {**good, "id": str(uuid.uuid4()), "position": {"lat": float("nan"), "lon": 1}},
        {**good, "id": str(uuid.uuid4()), "position": {"lat": 91, "lon": 1}},
        {**good, "id": str(uuid.uuid4()), "kind": "photo", "sha256": "z" * 64, "size": 5},
        {**good, "id": str(uuid.uuid4()), "kind": "photo", "sha256": "a" * 64, "size": 1 << 30,
         "media_type": "image/jpeg"},
        {**good, "id": str(uuid.uuid4()), "kind": "photo", "sha256": "a" * 64, "size": 5,
         "media_type": "image/svg+xml"},
        {**good, "id": str(uuid.uuid4()), "kind": "form", "form": "medical",
         "values": {"hurt": float("inf"), "dead": 0, "worst": "walks", "evacuate": True}},
        {**good, "id": str(uuid.uuid4()), "kind": "form", "form": "nope", "values": {}},
        {**good, "id": str(uuid.uuid4()), "kind": "form", "form": "medical",
         "values": {"hurt": 1, "dead": 0, "worst": "walks", "evacuate": "yes"}},
        {**good, "id": str(uuid.uuid4()), "kind": "form", "form": "medical",
         "values": {"__proto__": 1}},
    ]  # fmt: skip
    answers = phone.sync([*bad, good])
    assert outcomes(answers) == ["refused"] * len(bad) + ["applied"]
    assert all(a.why for a in answers[:-1])
    assert [a.id for a in answers[:6]] == [None] * 6
    assert outcomes(phone.sync([*bad, good])) == ["refused"] * len(bad) + ["applied"]
    waiting = desk.waiting(officers["watch"])
    assert len(waiting) == sum(a.id is not None for a in answers[:-1]) > 10
    for message in ({}, {"phone": phone.id}, {"phone": phone.id, "officer": phone.officer.id},
                    {"phone": phone.id, "officer": phone.officer.id, "sent_at": phone.now(),
                     "acts": [good] * 101}):  # fmt: skip
        with pytest.raises((BadInput, NotYours)):
            desk.take(phone.officer, message)


def test_a_clock_that_is_wrong_is_seen_and_both_times_stand(
    desk, room, phone, sent, officers, noon, clock
):
    phone.slow = timedelta(hours=5)
    phone.step(sent, "acknowledged")  # it never met a node: the offset is measured when it does
    clock.set(noon + timedelta(minutes=10))
    assert outcomes(phone.sync()) == ["applied"]
    act = desk.acts(officers["watch"], sent)[0]
    assert act.clock_wrong
    assert act.offset == timedelta(hours=5)
    assert act.said_at == noon - timedelta(hours=5)
    assert act.at == noon
    assert desk.phones(officers["watch"])[0].clock_wrong
    assert room.tasking(officers["watch"], sent).steps[-1].at == noon


@pytest.mark.parametrize(
    ("said", "known", "measured", "at", "wrong"),
    [
        (-10, None, 0, -10, False),
        (-10, 0, 1, -10, False),
        (-3610, 3600, 3600, -10, True),
        (-10, 0, 3600, -10, True),  # set to another time between the act and its sending
        (500, None, 0, 0, True),  # said later than now
        (10, None, 0, 0, False),  # within what a way takes
        (-10, 61, 61, 0, True),
    ],
)
def test_when_something_was_said(noon, said, known, measured, at, wrong):
    second = timedelta(seconds=1)
    answer = told(
        noon + said * second, None if known is None else known * second, measured * second, noon
    )
    assert (answer.at, answer.wrong) == (noon + at * second, wrong)


def test_a_phone_is_not_wrong_because_the_node_s_clock_is_played(
    desk, room, phone, sent, officers, clock, noon
):
    """In an exercise the node is hours ahead and ten times as fast; the phone's clock is right."""
    real = SetClock(noon - timedelta(hours=5))
    clock.beside = phone.clock = real
    clock.set(noon + timedelta(hours=2), rate=10.0)
    phone.step(sent, "acknowledged", offset_ms=0)  # said without cover, a minute before it is sent
    real.advance(timedelta(minutes=1))
    clock.advance(timedelta(minutes=10))
    (answer,) = phone.sync()
    assert answer.outcome == "applied"
    (act,) = desk.acts(officers["watch"], sent)
    assert (act.clock_wrong, act.offset) == (False, timedelta(0))
    late = act.came_at - act.at  # a minute of the phone's is ten of the exercise's
    assert abs(late - timedelta(minutes=10)) < timedelta(seconds=30)
    told_at = room.tasking(officers["watch"], sent).steps[-1].at
    assert abs(told_at - act.at) < timedelta(seconds=30)  # the real clock stands in this test
    (seen,) = desk.phones(officers["watch"])
    assert (seen.clock_wrong, abs(seen.offset) < timedelta(seconds=2)) == (False, True)
    slow = Phone(desk, officers["field"], real, slow=timedelta(minutes=5))
    slow.step(sent, "moving")
    slow.sync()
    assert [a.clock_wrong for a in desk.acts(officers["watch"], sent)] == [False, True]


def test_acts_that_never_came_are_counted(desk, phone, sent, officers):
    phone.step(sent, "acknowledged")
    phone.number += 2  # two that the phone lost
    phone.step(sent, "moving")
    phone.sync()
    assert [a.missing for a in desk.acts(officers["watch"], sent)] == [0, 2]


def test_two_tabs_that_send_the_same_at_once_do_it_once(kernel, desk, room, phone, sent, officers):
    phone.step(sent, "acknowledged")
    answers = []
    threads = [Thread(target=lambda: answers.extend(phone.sync())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert outcomes(answers) == ["applied"] * 4
    assert len(room.tasking(officers["watch"], sent).steps) == 3
    assert len(desk.acts(officers["watch"], sent)) == 1


def test_positions_become_a_track_and_the_newest_the_units(
    desk, room, phone, sent, officers, noon, clock
):
    def fix(number, minutes, lat, accuracy=12.0, **more):
        at = (noon + timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")
        return {"number": number, "at": at, "lat": lat, "lon": 63.5, "accuracy_m": accuracy, **more}

    clock.set(noon + timedelta(hours=2))
    away = [fix(1, 10, 25.10), fix(2, 20, 25.20), fix(3, 30, 25.30), {"number": 4}, fix(5, 31, 99)]
    phone.sync([], away)
    phone.sync([], away)  # the answer was lost
    track = desk.track(officers["watch"], phone.id)
    assert [(f.number, f.at - noon) for f in track] == [
        (1, timedelta(minutes=10)), (2, timedelta(minutes=20)), (3, timedelta(minutes=30)),
    ]  # fmt: skip
    unit = room.units(officers["watch"])[0]
    assert (unit.position.lat, unit.position_at) == (25.30, noon + timedelta(minutes=30))
    phone.sync([], [fix(6, 119, 25.60, accuracy=9000.0)])  # by a cell tower: no unit's position
    assert room.units(officers["watch"])[0].position.lat == 25.30
    phone.sync([], [fix(7, 15, 25.15)])  # older than what is known
    assert room.units(officers["watch"])[0].position.lat == 25.30
    seen = desk.phones(officers["watch"])[0]
    assert (seen.place.lat, seen.accuracy_m) == (25.60, 9000.0)
    assert desk.phones(officers["overseer"])
