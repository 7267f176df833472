"""Which alerts stand together, which keep silent, and how the queue is filtered and paged."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cordon.kernel import leads
from cordon.kernel.access.model import Authority, AuthorityKind, Mark, Scope
from cordon.kernel.cards import Card
from cordon.kernel.errors import BadInput
from cordon.kernel.leads.tables import LeadRow
from cordon.operations import AlertState, Filters, raising
from cordon.operations.model import TASKING_MOVES, TaskingState
from cordon.operations.raising import acting, middle, same_share


def card_of(kind, seriousness):
    return Card(
        kind=kind, name=kind, version="1", title="Went silent", looks_for="x",
        seriousness=seriousness, parameters={}, fooled_by=(), takes=(),
    )  # fmt: skip


NOTE = "Net drying on deck, papers in order."
HOUR = timedelta(hours=1)


def queued(room, officers, **filters):
    return [a.id for a in room.queue(officers["watch"], Filters(**filters)).alerts]


def test_alike_ones_stand_under_the_first_and_stay_openable(room, officers, raised, noon):
    first = raised("mmsi:1")
    near = raised("mmsi:2", at=(25.05, 63.49))  # 4.0 km east
    same = raised("mmsi:1", start=noon - 3 * HOUR, end=noon - 2.9 * HOUR, at=(24.0, 60.0))
    assert queued(room, officers) == [first]
    shown = room.alert(officers["watch"], first)
    assert shown.alert.alike == 2
    assert [a.id for a in shown.alike] == [near, same]
    assert room.alert(officers["watch"], near).alert.stands_with == first
    assert {a.id for a in room.alert(officers["watch"], near).alike} == {first, same}


def test_what_does_not_stand_together(room, officers, raised, noon):
    first = raised("mmsi:1")
    apart = [
        raised("mmsi:2", at=(25.05, 63.51)),  # 6.0 km
        raised("mmsi:3", start=noon + 3 * HOUR, end=noon + 4 * HOUR),  # 3 h later
        raised("mmsi:1", kind="picture.encounter"),
        raised("mmsi:4", mark=Mark.GREEN),
        raised("mmsi:5", "zone:R-4", at=(24.0, 60.0)),
        raised("mmsi:6", "zone:R-4", at=(24.5, 61.0)),  # one zone, far from each other
        raised("mmsi:7", at=None),
    ]
    assert set(queued(room, officers)) == {first, *apart}


def test_a_finding_that_grows_updates_its_alert_without_raising_it(
    kernel, room, officers, raised, make, noon
):
    alert = raised()
    room.acknowledge(officers["watch"], alert)
    assert raised(end=noon + HOUR, at=(25.2, 63.0), value=106.0) == alert
    shown = room.alert(officers["watch"], alert)
    assert shown.alert.state is AlertState.ACKNOWLEDGED
    assert shown.alert.ends == noon + HOUR
    assert shown.alert.place.lat == pytest.approx(25.2)
    assert shown.finding.reasons[0].value == 106.0
    assert queued(room, officers) == [alert]


def close(room, officers, alert):
    room.close(officers["watch"], alert, "explained", NOTE)
    room.countersign(officers["watch2"], alert)


def test_a_closed_alert_does_not_come_back_for_the_same_behaviour(
    kernel, room, officers, raised, noon, clock
):
    alert = raised()
    close(room, officers, alert)
    clock.advance(timedelta(days=1))  # when the node looks plays no part
    assert raised(end=noon + HOUR, value=106.0) == alert  # it has grown
    # found by another window: another start, and so another finding of the same behaviour
    assert raised(start=noon - HOUR / 2, end=noon + 2 * HOUR) == alert
    assert queued(room, officers) == []
    with kernel.rows.read() as session:
        waiting = session.query(LeadRow).filter(LeadRow.state == "open").count()
    assert waiting == 0
    assert room.history(officers["watch"], alert)[0].detail["silent"] is True
    # the same vessel, silent again later: another behaviour
    later = raised(start=noon + 3 * HOUR, end=noon + 4 * HOUR)
    assert queued(room, officers) == [later]


def test_silence_is_for_the_same_subjects(room, officers, raised):
    alert = raised("mmsi:1", "mmsi:2", kind="picture.encounter")
    close(room, officers, alert)
    assert raised("mmsi:1", "mmsi:3", kind="picture.encounter") != alert
    assert raised("mmsi:1", "mmsi:2", "track:9", kind="picture.encounter") == alert


def test_what_comes_after_the_answer_is_seen(room, officers, raised, boat):
    first = raised("mmsi:1")
    with_it = raised("mmsi:2")
    tasking = room.send(officers["watch"], first, boat.id, "Look at both of them, report.")
    room.report(officers["field"], tasking.id, TaskingState.ACKNOWLEDGED)
    assert room.alert(officers["watch"], with_it).alert.state is AlertState.ANSWERED
    after = raised("mmsi:3")
    assert after in queued(room, officers)
    room.report(officers["field"], tasking.id, TaskingState.DECLINED, note="Engine overheats.")
    assert room.alert(officers["watch"], with_it).alert.state is AlertState.OPEN


def test_closing_the_first_brings_the_next_to_the_front(room, officers, raised):
    first, second, third = raised("mmsi:1"), raised("mmsi:2"), raised("mmsi:3")
    close(room, officers, first)
    assert queued(room, officers) == [second]
    assert room.alert(officers["watch"], second).alert.alike == 1
    assert room.alert(officers["watch"], third).alert.stands_with == second
    close(room, officers, third)
    assert room.alert(officers["watch"], second).alert.alike == 0


def test_alike_ones_are_closed_together_where_the_officer_says_so(kernel, room, officers, raised):
    alerts = [raised(f"mmsi:{n}") for n in range(4)]
    room.close(officers["watch"], alerts[0], "explained", NOTE, alike=True)
    room.countersign(officers["watch2"], alerts[0], alike=True)
    assert queued(room, officers) == []
    for alert in alerts:
        acts = [e.act for e in kernel.ledger.of_thing(f"alert:{alert}")]
        assert acts[:2] == ["operations.alert.countersign", "operations.alert.close"]


def test_filters(room, officers, raised, noon):
    far = [(24.0 + n, 60.0 + n) for n in range(4)]
    notice = raised("mmsi:1", at=far[0], seriousness="notice")
    grave = raised("mmsi:2", at=far[1], seriousness="grave", kind="picture.encounter")
    serious = raised("mmsi:3", at=far[2])
    calls = raised("number:+923001234567", at=None, kind="calls.fan_out")
    room.assign(officers["watch"], serious, officers["watch"].id)
    assert queued(room, officers) == [grave, serious, calls, notice]
    assert queued(room, officers, seriousness="grave") == [grave]
    assert queued(room, officers, kind="picture.") == [grave, serious, notice]
    assert queued(room, officers, kind="calls.fan_out") == [calls]
    assert queued(room, officers, mine=True) == [serious]
    assert queued(room, officers, assignee="nobody") == [grave, calls, notice]
    assert queued(room, officers, assignee=officers["watch"].id) == [serious]
    assert queued(room, officers, state="assigned") == [serious]
    with pytest.raises(BadInput, match="no state"):
        Filters(state="asleep")
    filters = Filters(state="open", kind="picture.", mine=True)
    assert Filters.read(dict(p.split("=") for p in filters.query().split("&"))) == filters


def test_marks_hide_what_an_officer_is_not_cleared_for(room, officers, raised):
    raised("mmsi:1", mark=Mark.RED)
    seen = raised("mmsi:2", mark=Mark.AMBER_STRICT)
    assert queued(room, officers) == [seen]
    assert [a.id for a in room.queue(officers["overseer"]).alerts] == [seen]
    assert room.count_new(officers["watch"]) == 1


def test_personal_subjects_are_masked_without_authority(kernel, room, officers, raised, noon):
    from dataclasses import replace

    number = "number:+923001234567"
    alert = raised(number, at=None, kind="calls.fan_out", says="+923001234567 called 412 numbers.")
    shown = room.alert(officers["watch"], alert)
    assert "+923001234567" not in repr(shown.finding)
    assert shown.masked == set(shown.finding.subjects)
    listed = room.queue(officers["watch"]).alerts[0]
    assert "+92300" not in repr(room.masked_subjects(listed))

    def under(subjects, until):
        authority = Authority(
            id="a-1", agency="pk-test", mark=Mark.AMBER, kind=AuthorityKind.WARRANT,
            reference="W-1", issuer="Court", legal_basis="Act", document_sha256="ab" * 32,
            scope=Scope(frozenset({"calls"}), frozenset(subjects)),
            valid_from=noon - HOUR, valid_until=until, recorded_by="x", recorded_at=noon,
        )  # fmt: skip
        return replace(officers["watch"], authority=authority)

    assert room.alert(under({"number:+1"}, noon + HOUR), alert).masked
    assert room.alert(under({number}, noon), alert).masked  # expired
    before = kernel.ledger.entries(outcome="read")
    assert before == []
    clear = room.alert(under({number}, noon + HOUR), alert)
    assert clear.finding.subjects == (number,)
    assert clear.under.reference == "W-1"
    reads = kernel.ledger.entries(outcome="read")
    assert [(e.thing, e.authority) for e in reads] == [(f"alert:{alert}", "a-1")]
    assert "+92300" not in repr(reads)


def test_pages_of_a_long_queue_leave_nothing_out(kernel, room, officers, make, clock):
    levels = ("notice", "serious", "grave")
    for level in levels:
        findings = [
            make((f"mmsi:{level}{n}",), at=None, kind=f"picture.{level}") for n in range(50)
        ]
        cards = {f.kind: card_of(f.kind, level) for f in findings}
        for part in (findings[:25], findings[25:]):
            with kernel.work(kernel.node) as work:
                leads.keep(work, part, cards)
            kernel.dispatcher.run_pending()
            clock.advance(timedelta(minutes=1))
    watch, seen, after = officers["watch"], [], ""
    while True:
        page = room.queue(watch, after=after, at_most=40)
        seen.extend(page.alerts)
        if page.after is None:
            break
        after = page.after
    assert len({a.id for a in seen}) == len(seen) == 150
    order = [(-levels.index(a.seriousness), a.due_at, a.id) for a in seen]
    assert order == sorted(order)
    newest = room.queue(watch).newest
    assert newest == max(a.id for a in seen)
    assert room.count_new(watch, since=newest) == 0
    assert room.count_new(watch, since=sorted(a.id for a in seen)[99]) == 50
    assert room.count_new(watch, Filters(seriousness="notice"), since=seen[0].id) == 0


@given(
    st.frozensets(st.sampled_from(["mmsi:1", "mmsi:2", "track:3", "zone:R", "cell:9"]), min_size=1)
)
def test_acting_subjects_are_never_none_and_never_places_beside_actors(subjects):
    who = acting(tuple(subjects))
    assert who
    assert who <= subjects
    actors = {s for s in subjects if s.split(":")[0] in ("mmsi", "track")}
    assert who == (actors or subjects)
    assert same_share(who, who) == 1.0


@given(st.floats(-80, 80), st.floats(-170, 170), st.floats(0.001, 5))
def test_the_middle_of_a_place_lies_within_it(lat, lon, size):
    ring = [[lon, lat], [lon + size, lat], [lon + size, lat + size], [lon, lat + size], [lon, lat]]
    found = middle({"type": "Polygon", "coordinates": [ring]})
    assert lat <= found.lat <= lat + size
    assert lon <= found.lon <= lon + size


PLACES = [None, {}, {"type": "Point"}, {"type": "Point", "coordinates": []}]


@pytest.mark.parametrize("place", [*PLACES, {"type": "Polygon", "coordinates": []}])
def test_a_place_that_cannot_be_read_is_no_place(place):
    assert middle(place) is None


def test_every_tasking_can_come_to_an_end():
    ends = {s for s, after in TASKING_MOVES.items() if not after}
    assert ends == {TaskingState.DONE, TaskingState.DECLINED, TaskingState.CANCELLED}
    for start in TaskingState:
        seen, reach = set(), [start]
        while reach:
            at = reach.pop()
            if at not in seen:
                seen.add(at)
                reach.extend(TASKING_MOVES[at])
        assert seen & ends


def lead_states(kernel, *alerts):
    with kernel.rows.read() as session:
        return [session.get(LeadRow, alert).state for alert in alerts]


def test_what_was_answered_with_another_waits_again_with_it(kernel, room, officers, raised, boat):
    first, other = raised("mmsi:1"), raised("mmsi:2", at=(25.05, 63.49))
    second = room.add_unit(
        officers["supervisor"], code="pb-09", name="Patrol boat 9", kind="boat", sector="Pasni",
        speed_kn=20, contact="VHF 16",
    )  # fmt: skip
    watch = officers["watch"]
    declined = room.send(watch, other, second.id, "Go and look, then report.")
    room.report(watch, declined.id, TaskingState.DECLINED, note="Its engine is being mended.")
    gone = room.send(watch, first, boat.id, "Go and look, then report.")
    room.report(watch, gone.id, TaskingState.ACKNOWLEDGED)
    assert lead_states(kernel, first, other) == ["answered", "answered"]
    room.report(watch, gone.id, TaskingState.CANCELLED, note="Called off for a rescue.")
    assert lead_states(kernel, first, other) == ["open", "open"]


def test_an_alike_one_with_a_boat_of_its_own_stays_answered(kernel, room, officers, raised, boat):
    first, other = raised("mmsi:1"), raised("mmsi:2", at=(25.05, 63.49))
    second = room.add_unit(
        officers["supervisor"], code="pb-09", name="Patrol boat 9", kind="boat", sector="Pasni",
        speed_kn=20, contact="VHF 16",
    )  # fmt: skip
    watch = officers["watch"]
    for alert, unit in ((other, second), (first, boat)):
        gone = room.send(watch, alert, unit.id, "Go and look, then report.")
        room.report(watch, gone.id, TaskingState.ACKNOWLEDGED)
    room.report(watch, gone.id, TaskingState.CANCELLED, note="Called off for a rescue.")
    assert lead_states(kernel, first, other) == ["open", "answered"]


def test_two_officers_act_on_one_group_at_once(kernel, room, officers, raised, monkeypatch):
    """One closes an alike one, which counts anew the one in front; the other answers them all."""
    front = raised("mmsi:1", seriousness="notice")
    alike = raised("mmsi:2", at=(25.05, 63.49), seriousness="notice")
    closing, answering = threading.Event(), threading.Event()

    def left_queue(session, row, *rest):
        closing.set()
        answering.wait(1)  # the other has its first lock, where it gets it at all
        return raising.left_queue(session, row, *rest)

    def members(session, row):
        answering.set()
        return raising.members(session, row)

    monkeypatch.setattr("cordon.operations.closing.left_queue", left_queue)
    monkeypatch.setattr("cordon.operations.alerts.members", members)

    def answer():
        assert closing.wait(10)
        return room.open_case(officers["watch2"], front, "A silent boat", alike=True)

    with ThreadPoolExecutor(2) as pool:
        closed = pool.submit(room.close, officers["watch"], alike, "explained", NOTE)
        opened = pool.submit(answer)
        assert closed.result(30).state is AlertState.CLOSED
        assert opened.result(30)
    shown = room.alert(officers["watch"], front).alert
    assert (shown.state, shown.alike) == (AlertState.ANSWERED, 0)


def test_who_waited_for_a_group_acts_on_it_as_it_is_then(
    kernel, room, officers, raised, monkeypatch
):
    """The one in front is closed while another officer waits: the next one has moved up."""
    front = raised("mmsi:1", seriousness="notice")
    alike = [raised(f"mmsi:{n}", at=(25.05, 63.49), seriousness="notice") for n in (2, 3)]
    closing = threading.Event()

    def left_queue(session, row, *rest):
        raising.left_queue(session, row, *rest)
        session.flush()
        closing.set()
        time.sleep(0.3)  # long enough for the other to ask for the lock

    monkeypatch.setattr("cordon.operations.closing.left_queue", left_queue)

    def answer():
        assert closing.wait(10)
        return room.close(officers["watch2"], alike[1], "explained", NOTE)

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(room.close, officers["watch"], front, "explained", NOTE)
        second = pool.submit(answer)
        assert {first.result(30).state, second.result(30).state} == {AlertState.CLOSED}
    shown = room.alert(officers["watch"], alike[0]).alert
    assert (shown.stands_with, shown.alike) == (alike[0], 0)
    assert queued(room, officers) == [alike[0]]
