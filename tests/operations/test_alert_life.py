"""From a finding to a closed alert, with everything between, on both stores."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select

from cordon.cases.tables import CaseLinkRow
from cordon.kernel.errors import BadInput, Conflict, NotFound, Refused
from cordon.kernel.leads.open import overdue
from cordon.kernel.leads.tables import LeadRow, LookRow
from cordon.operations import AlertState, Filters, Position, TaskingState, UnitState
from cordon.operations.people import TakenFirst
from cordon.operations.words import entry_words

ORDER = "Go alongside, look at its papers and its gear, report."
NOTE = "Net drying on deck, papers in order, master warned."
S = TaskingState


@pytest.fixture
def second_boat(room, officers):
    """Another one, without a position."""
    return room.add_unit(
        officers["supervisor"], code="pb-08", name="Patrol boat 8", kind="boat", sector="Pasni",
        speed_kn=20, contact="VHF 16", position=None,
    )  # fmt: skip


def lead_state(kernel, id_):
    with kernel.rows.read() as session:
        return session.get_one(LeadRow, id_).state


def state(room, officers, id_):
    return room.alert(officers["supervisor"], id_).alert.state


def test_the_whole_life(kernel, room, officers, raised, boat, clock):
    watch, field = officers["watch"], officers["field"]
    alert = raised()
    shown = room.alert(watch, alert)
    assert shown.alert.state is AlertState.OPEN
    assert shown.alert.due_at - shown.alert.opened_at == timedelta(hours=1)
    assert (shown.alert.place.lat, shown.alert.place.lon) == pytest.approx((25.05, 63.45))
    assert shown.finding.reasons[0].threshold == 30.0
    assert shown.card is not None

    assert room.acknowledge(watch, alert).state is AlertState.ACKNOWLEDGED
    assert room.assign(watch, alert, watch.id).assignee == watch.id
    tasking = room.send(watch, alert, boat.id, ORDER)
    assert [s.state for s in tasking.steps] == [S.DRAFTED, S.SENT]
    assert room.units(watch)[0].state is UnitState.TASKED
    # an order that nobody has taken on is no answer
    assert lead_state(kernel, alert) == "open"

    clock.advance(timedelta(minutes=2))
    room.report(field, tasking.id, S.ACKNOWLEDGED)
    assert state(room, officers, alert) is AlertState.ANSWERED
    assert lead_state(kernel, alert) == "answered"
    assert lead_state(kernel, shown.alert.finding) == "answered"
    with pytest.raises(Conflict, match="still on its tasking"):
        room.close(watch, alert, "answered", NOTE)

    clock.advance(timedelta(minutes=1))
    room.report(field, tasking.id, S.MOVING, position=Position(25.05, 63.60))
    clock.advance(timedelta(minutes=20))
    room.report(field, tasking.id, S.ON_SCENE, position=Position(25.05, 63.45))
    with pytest.raises(BadInput, match="report"):
        room.report(field, tasking.id, S.DONE, note="ok")
    done = room.report(field, tasking.id, S.DONE, note=NOTE)
    assert done.report == NOTE
    times = [s.at for s in done.steps]
    assert times == sorted(times)
    assert times[-1] - times[0] == timedelta(minutes=23)
    unit = room.units(watch)[0]
    assert (unit.state, unit.tasking) == (UnitState.READY, None)
    assert (unit.position.lat, unit.position.lon) == (25.05, 63.45)

    assert room.close(watch, alert, "answered", NOTE).state is AlertState.CLOSING
    waiting = room.alert(officers["watch2"], alert).waiting
    assert (waiting.reason, waiting.asked_by) == ("answered", watch.id)
    with pytest.raises(Refused):
        room.countersign(watch, alert)
    with pytest.raises(Refused, match="another unit"):
        room.countersign(officers["supervisor"], alert)  # another officer of the same unit
    assert room.countersign(officers["watch2"], alert).state is AlertState.CLOSED
    assert room.queue(watch).alerts == ()
    assert [a.id for a in room.queue(watch, Filters(state="closed")).alerts] == [alert]

    history = list(reversed(room.history(watch, alert)))
    assert [e.act for e in history if e.outcome == "refused"] == [
        "operations.alert.countersign", "operations.alert.countersign",
    ]  # fmt: skip
    acts = [(e.act, e.actor) for e in history if e.outcome == "done"]
    assert [a for a, _ in acts] == [
        "operations.alert.raise", "operations.alert.acknowledge", "operations.alert.assign",
        "operations.tasking.send", "operations.alert.answer", "operations.alert.close",
        "operations.alert.countersign",
    ]  # fmt: skip
    assert acts[0][1] == "node"
    assert acts[4][1] == field.id
    on_tasking = kernel.ledger.of_thing(f"tasking:{tasking.id}")
    assert [e.detail["to"] for e in reversed(on_tasking)] == [
        "acknowledged", "moving", "on_scene", "done",
    ]  # fmt: skip
    with kernel.rows.read() as session:
        looks = {row.officer for row in session.scalars(select(LookRow))}
    assert looks == {watch.id, officers["watch2"].id, officers["supervisor"].id}


def test_a_notice_is_closed_by_one_officer_and_the_finding_no_longer_waits(
    kernel, room, officers, raised, clock
):
    alert = raised(seriousness="notice")
    finding = room.alert(officers["watch"], alert).alert.finding
    closed = room.close(officers["watch"], alert, "explained", "Moored; the berth is known.")
    assert closed.state is AlertState.CLOSED
    clock.advance(timedelta(days=2))
    with kernel.rows.read() as session:
        assert overdue(session, clock.now()) == []
    assert lead_state(kernel, finding) == "answered"
    with pytest.raises(Conflict, match="nothing follows"):
        room.close(officers["watch"], alert, "explained", "Moored; the berth is known.")


def test_declining_to_close_opens_it_again(kernel, room, officers, raised):
    alert = raised()
    room.close(officers["watch"], alert, "false_detection", "The receiver was off then.")
    again = room.decline(officers["watch2"], alert, "Another receiver heard others there.")
    assert again.state is AlertState.OPEN
    assert lead_state(kernel, alert) == "open"
    assert room.close(officers["watch2"], alert, "explained", NOTE).state is AlertState.CLOSING


def test_a_unit_that_declines_leaves_the_alert_unanswered(
    kernel, room, officers, raised, boat, clock
):
    watch, field = officers["watch"], officers["field"]
    alert = raised()
    tasking = room.send(watch, alert, boat.id, ORDER)
    room.report(field, tasking.id, S.ACKNOWLEDGED)
    assert lead_state(kernel, alert) == "answered"
    room.report(field, tasking.id, S.DECLINED, note="Starboard engine overheats.")
    assert state(room, officers, alert) is AlertState.OPEN
    assert lead_state(kernel, alert) == "open"
    assert room.units(watch)[0].state is UnitState.READY
    assert room.choices(watch, alert)[0].declined
    clock.advance(timedelta(hours=2))
    with kernel.rows.read() as session:
        assert alert in {o.lead.id for o in overdue(session, clock.now())}


@pytest.mark.parametrize("taken_on", [False, True])
@pytest.mark.parametrize("called_off", [False, True])
def test_where_every_unit_declined_it_is_open_again_and_its_clock_begins(
    kernel, room, officers, raised, boat, clock, taken_on, called_off
):
    watch, field, alert = officers["watch"], officers["field"], raised()
    tasking = room.send(watch, alert, boat.id, ORDER)
    if taken_on:
        room.report(field, tasking.id, S.ACKNOWLEDGED)
    clock.advance(timedelta(minutes=3))
    by, to = (watch, S.CANCELLED) if called_off else (field, S.DECLINED)
    room.report(by, tasking.id, to, note="Starboard engine overheats.")
    now = room.alert(watch, alert).alert
    assert now.state is AlertState.OPEN
    assert now.escalate_at == clock.now() + timedelta(minutes=20)
    said = [entry_words(e) for e in room.history(watch, alert)]
    assert said[0] == (
        "Answered no longer" if taken_on else "Every unit declined or was called off: open again"
    )
    clock.advance(timedelta(minutes=21))
    assert room.tick().escalated == (alert,)
    assert room.acknowledge(officers["watch2"], alert).acknowledged_by == officers["watch2"].id


def test_while_one_unit_has_not_said_it_is_not_open_again(
    room, officers, raised, boat, second_boat, clock
):
    watch, alert = officers["watch"], raised()
    first, second = (room.send(watch, alert, u.id, ORDER) for u in (boat, second_boat))
    room.report(officers["field"], first.id, S.DECLINED, note="Starboard engine overheats.")
    assert state(room, officers, alert) is AlertState.ACKNOWLEDGED
    clock.advance(timedelta(days=1))
    assert room.tick().escalated == ()
    room.report(watch, second.id, S.CANCELLED, note="Called off: the wrong place.")
    assert state(room, officers, alert) is AlertState.OPEN


def test_one_that_took_it_on_and_declines_leaves_it_to_the_one_that_has_not_said(
    room, officers, raised, boat, second_boat
):
    watch, alert = officers["watch"], raised()
    first, second = (room.send(watch, alert, u.id, ORDER) for u in (boat, second_boat))
    room.report(officers["field"], first.id, S.ACKNOWLEDGED)
    room.report(officers["field"], first.id, S.DECLINED, note="Starboard engine overheats.")
    now = room.alert(watch, alert).alert
    assert (now.state, now.escalate_at) == (AlertState.ACKNOWLEDGED, None)
    room.report(watch, second.id, S.CANCELLED, note="Called off: the wrong place.")
    assert state(room, officers, alert) is AlertState.OPEN


def test_an_alert_that_an_officer_has_stays_with_them_when_its_unit_declines(
    room, officers, raised, boat
):
    watch, alert = officers["watch"], raised()
    room.assign(watch, alert, officers["watch2"].id)
    tasking = room.send(watch, alert, boat.id, ORDER)
    room.report(officers["field"], tasking.id, S.DECLINED, note="Starboard engine overheats.")
    now = room.alert(watch, alert).alert
    assert (now.state, now.assignee) == (AlertState.ASSIGNED, officers["watch2"].id)


def test_a_wrong_transition_says_which_are_allowed(room, officers, raised, boat):
    tasking = room.send(officers["watch"], raised(), boat.id, ORDER)
    with pytest.raises(Conflict) as refused:
        room.report(officers["field"], tasking.id, S.ON_SCENE)
    assert "Allowed now: acknowledged, declined, cancelled." in str(refused.value)


def test_the_same_report_sent_twice_counts_once(kernel, room, officers, raised, boat):
    tasking = room.send(officers["watch"], raised(), boat.id, ORDER)
    for _ in range(2):
        told = room.report(officers["field"], tasking.id, S.ACKNOWLEDGED)
    assert [s.state for s in told.steps] == [S.DRAFTED, S.SENT, S.ACKNOWLEDGED]
    assert len(kernel.ledger.of_thing(f"tasking:{tasking.id}")) == 1


def at_once(*acts):
    """Run acts in threads that start together; give what each returned or raised."""
    barrier, results = threading.Barrier(len(acts)), [None] * len(acts)

    def run(number, act):
        barrier.wait()
        try:
            results[number] = act()
        except Exception as fault:
            results[number] = fault

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return results


def test_two_officers_send_one_unit_at_once(room, officers, raised, boat):
    first = raised("mmsi:1")
    second = raised("mmsi:2", at=(24.0, 66.0))
    for _ in range(5):
        watch, watch2 = officers["watch"], officers["watch2"]
        results = at_once(
            lambda: room.send(officers["watch"], first, boat.id, ORDER),
            lambda: room.send(officers["watch2"], second, boat.id, ORDER),
        )
        lost = [r for r in results if isinstance(r, TakenFirst)]
        won = [r for r in results if not isinstance(r, Exception)]
        assert (len(won), len(lost)) == (1, 1), results
        assert lost[0].by == won[0].sent_by
        assert "pb-07" in lost[0].message
        assert won[0].sent_by in (watch.id, watch2.id)
        room.report(watch, won[0].id, S.CANCELLED, note="Called back for the next round.")


def test_two_officers_acknowledge_at_once(kernel, room, officers, raised):
    alert = raised()
    results = at_once(
        lambda: room.acknowledge(officers["watch"], alert),
        lambda: room.acknowledge(officers["watch2"], alert),
    )
    lost = [r for r in results if isinstance(r, TakenFirst)]
    won = [r for r in results if not isinstance(r, Exception)]
    assert (len(won), len(lost)) == (1, 1), results
    assert lost[0].by == won[0].acknowledged_by
    done = [e for e in room.history(officers["watch"], alert) if e.act.endswith("acknowledge")]
    assert len(done) == 1
    same = room.acknowledge(next(o for o in officers.values() if o.id == lost[0].by), alert)
    assert same.acknowledged_by == lost[0].by


def test_refusals_stand_in_the_ledger(kernel, room, officers, raised, boat):
    alert = raised()
    tasking = room.send(officers["watch"], alert, boat.id, ORDER)
    other = room.add_unit(
        officers["supervisor"], code="V-12", name="Van", kind="vehicle", sector="Pasni",
        speed_kn=30, contact="Channel 4",
    )  # fmt: skip
    theirs = room.send(officers["watch2"], raised("mmsi:9", at=(24, 66)), other.id, ORDER)
    tries = [
        (lambda: room.close(officers["overseer"], alert, "explained", NOTE), f"alert:{alert}"),
        (lambda: room.alert(officers["field"], alert), f"alert:{alert}"),
        (lambda: room.acknowledge(officers["investigator"], alert), f"alert:{alert}"),
        (lambda: room.report(officers["field"], theirs.id, S.ACKNOWLEDGED), None),
        (lambda: room.tasking(officers["field"], theirs.id), f"tasking:{theirs.id}"),
        (lambda: room.report(officers["field"], tasking.id, S.CANCELLED, note=NOTE), None),
    ]
    for act, _ in tries:
        with pytest.raises(Refused):
            act()
    refused = kernel.ledger.entries(outcome="refused", act="operations.")
    assert [e.thing for e in reversed(refused)] == [
        thing or f"tasking:{(theirs if number == 3 else tasking).id}"
        for number, (_, thing) in enumerate(tries)
    ]
    with pytest.raises(Refused):
        room.add_unit(
            officers["watch"], code="X-1", name="X", kind="foot", sector="X", speed_kn=3,
            contact="X",
        )  # fmt: skip
    assert [t.id for t in room.taskings(officers["field"])] == [tasking.id]
    assert {t.id for t in room.taskings(officers["watch"])} == {tasking.id, theirs.id}
    assert [u.code for u in room.units(officers["field"])] == ["pb-07"]


def test_an_alert_is_given_only_to_an_officer_who_may_answer_it(room, officers, raised):
    alert = raised()
    with pytest.raises(BadInput, match="no such officer"):
        room.assign(officers["supervisor"], alert, "officer-nobody")
    with pytest.raises(BadInput, match="roles"):
        room.assign(officers["supervisor"], alert, officers["overseer"].id)
    assert room.assign(officers["supervisor"], alert, officers["watch2"].id).assignee


def test_a_case_is_opened_from_an_alert_and_those_alike(kernel, room, officers, raised):
    first, second = raised("mmsi:1"), raised("mmsi:2", at=(25.06, 63.45))
    case = room.open_case(officers["watch"], first, "Boats silent off Pasni", alike=True)
    with kernel.rows.read() as session:
        rows = session.scalars(select(CaseLinkRow).where(CaseLinkRow.case == case))
        links = [(row.kind, row.target) for row in rows]
    assert {target for kind, target in links if kind == "alert"} == {first, second}
    assert sum(kind == "finding" for kind, _ in links) == 2
    for alert in (first, second):
        shown = room.alert(officers["watch"], alert).alert
        assert (shown.case, shown.state) == (case, AlertState.ANSWERED)
        assert lead_state(kernel, alert) == "answered"
    with pytest.raises(Conflict, match="already"):
        room.open_case(officers["watch"], first, "Once more")


def test_units_are_ranked_by_the_straight_line_at_their_speed(room, officers, raised):
    supervisor = officers["supervisor"]

    def add(code, lat, lon, speed, kind="boat"):
        room.add_unit(supervisor, code=code, name=code, kind=kind, sector="S", speed_kn=speed,
                      contact="VHF 16", position=lat and Position(lat, lon))  # fmt: skip

    add("NEAR-SLOW", 25.05, 63.50, 2)
    add("FAR-FAST", 25.05, 65.45, 120, "aircraft")
    add("MIDDLE", 25.05, 64.45, 25)
    add("UNKNOWN", None, None, 30)
    choices = room.choices(officers["watch"], raised())
    assert [c.unit.code for c in choices] == ["FAR-FAST", "NEAR-SLOW", "MIDDLE", "UNKNOWN"]
    # one degree of longitude at 25.05 N is 60 nm × cos(25.05°) = 54.4 nm, on the sphere
    assert choices[2].distance_m / 1852 == pytest.approx(54.4, rel=0.005)
    assert choices[2].takes.total_seconds() / 3600 == pytest.approx(54.4 / 25, rel=0.005)
    assert choices[3].takes is None
    with pytest.raises(Conflict, match="MIDDLE already"):
        add("MIDDLE", 25, 64, 9)
    with pytest.raises(NotFound):
        room.choices(officers["watch"], "0199aaaa-0000-7000-8000-000000000000")
