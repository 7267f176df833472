"""Points of alerts, their order, and who is told where nobody saw one."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
import shapely
import yaml
from sqlalchemy import select

from cordon.kernel import leads
from cordon.kernel.cards import Card
from cordon.kernel.errors import BadInput, Conflict, WrongSetting
from cordon.kernel.leads import LeadRules
from cordon.operations import AlertState, Filters, Operations
from cordon.operations.people import TakenFirst
from cordon.operations.tables import AlertEscalationRow, AlertRow
from cordon.operations.triage.rules import BUILT_IN, builtin, read_rules
from cordon.operations.triage.score import Area, Blind, Target, time_points
from cordon.picture.model import ZONE_KINDS

ORDER = "Go alongside, look at its papers and its gear, report."
NOTE = "Net drying on deck, papers in order, master warned."


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


@pytest.fixture
def rows_url(request):
    """One store, but for tests that ask for both."""
    return request.getfixturevalue(getattr(request, "param", "sqlite_url"))


def points(room, officers, id_):
    return room.alert(officers["supervisor"], id_).alert.parts["points"]


def row_of(kernel, id_):
    with kernel.rows.read() as session:
        return session.get_one(AlertRow, id_)


# the rules


def test_a_notice_that_was_not_escalated_never_stands_before_a_grave_alert():
    rules = builtin()
    most = max(p for _, p in rules.bands)
    more = max(k.more for k in rules.kinds)
    less = min(k.more for k in rules.kinds)
    notice = rules.seriousness["notice"] + more + rules.confidence_most + most + rules.place_most
    assert notice < rules.seriousness["grave"] + less
    assert set(rules.zone_kinds) <= set(ZONE_KINDS)
    assert all(k.why for k in rules.kinds)


def test_less_time_gives_more_points_and_the_moment_of_the_change_is_told(noon):
    rules, until = builtin(), noon + timedelta(hours=20)
    now, seen = noon, []
    while True:
        told, turns = time_points(rules, until, now)
        seen.append(told)
        if turns is None:
            break
        assert time_points(rules, until, turns - timedelta(seconds=1))[0] == told
        assert turns > now
        now = turns
    assert seen == [0.0, 4.0, 8.0, 12.0, 15.0, rules.past_points]
    assert now == until


def test_the_operators_own_rules_lie_over_the_built_in_ones(tmp_path):
    own = tmp_path / "triage.yaml"
    own.write_text(yaml.safe_dump({
        "seriousness": {"grave": 70},
        "kinds": [{"kind": "picture.gap", "act_within_min": 5, "why": "Ours."}],
        "acknowledge": {"kinds": {"picture.gap": 3}},
        "places": {"zones": {"west-bay": 0.9}},
    }))  # fmt: skip
    rules = read_rules(own)
    assert (rules.seriousness["grave"], rules.seriousness["notice"]) == (70, 10)
    assert rules.of("picture.gap", "notice").act_within == timedelta(minutes=5)
    assert rules.of("picture.encounter", "notice") == builtin().of("picture.encounter", "notice")
    assert rules.seen_within("picture.gap", "grave") == timedelta(minutes=3)
    assert rules.zones == {"west-bay": 0.9}
    assert read_rules(None) == builtin()


@pytest.mark.parametrize(
    "text",
    ["seriousness: {grave: lots}", "time: 3", "more: 1", "- a", "seriousness: {grave: .nan}",
     "acknowledge: {levels: [{called: x, role: commander}]}", "a: [", "past_points: -1",
     "kinds: [{kind: x.y, act_within_min: 0}]", "kinds: [{kind: x.y, act_within_min: 5, more: 6}]",
     "kinds: [{kind: x.y, act_within_min: 5, until: noon}]", "confidence_most: true"],
)  # fmt: skip
def test_rules_that_cannot_be_used_are_refused_and_the_file_is_named(tmp_path, text):
    own = tmp_path / "triage.yaml"
    own.write_text(text)
    with pytest.raises(WrongSetting, match=r"triage\.yaml"):
        read_rules(own)
    with pytest.raises(WrongSetting, match="cannot be read"):
        read_rules(tmp_path / "none.yaml")


def test_each_value_of_the_built_in_rules_is_read():
    assert set(yaml.safe_load(BUILT_IN.read_text())) == {
        "seriousness", "confidence_most", "place_most", "answered_less", "escalated_more", "time",
        "past_points", "fresh_min", "ahead_h", "places", "kinds", "otherwise", "acknowledge",
    }  # fmt: skip


# the order


def test_the_queue_stands_by_points_and_each_part_is_told(room, officers, raised):
    notice = raised("mmsi:1", seriousness="notice")
    grave = raised("mmsi:2", at=(24, 60), seriousness="grave")
    sure = raised("mmsi:3", at=(22, 60))
    assert [a.id for a in room.queue(officers["watch"]).alerts] == [grave, sure, notice]
    told = points(room, officers, grave)
    assert told == {
        "seriousness": 60.0, "kind": 0.0, "confidence": 13.5, "time": 8.0, "place": 2.0,
        "escalated": 0.0, "answered": 0.0,
    }  # fmt: skip
    assert room.alert(officers["watch"], grave).alert.score == 83.5
    # page by page it is the same order, with none lost and none twice
    walked, after = [], ""
    while after is not None:
        found = room.queue(officers["watch"], after=after, at_most=1)
        walked += [a.id for a in found.alerts]
        after = found.after
    assert walked == [grave, sure, notice]


def test_points_change_by_the_clock_and_what_is_answered_steps_back(
    kernel, room, officers, raised, clock
):
    alert = raised("mmsi:1")
    assert points(room, officers, alert)["time"] == 8.0
    room.acknowledge(officers["watch"], alert)
    assert room.tick().turned == 0
    clock.advance(timedelta(minutes=61))
    assert room.tick().turned == 1
    assert points(room, officers, alert)["time"] == 12.0
    assert room.tick().turned == 0  # once each
    clock.advance(timedelta(minutes=100))
    room.tick()
    assert points(room, officers, alert)["time"] == builtin().past_points
    room.open_case(officers["watch"], alert, "A silent boat")
    room.tick()
    told = points(room, officers, alert)
    assert (told["time"], told["answered"]) == (0.0, -50.0)


class Eyes(Blind):
    """One vessel on its way east, and one zone around it."""

    def __init__(self, now):
        self.now = now

    def target(self, subject):
        if subject != "mmsi:7":
            return None
        return Target(subject, 25.0, 63.0, 90.0, 10.0, self.now)

    def area(self, zone):
        return Area(zone, "restricted", shapely.box(62.9, 24.9, 63.1, 25.1))


def test_the_time_ends_where_it_leaves_the_zone_on_its_course(
    kernel, room, officers, make, clock, noon
):
    seeing = Operations(kernel, LeadRules(), room.cases, seen=Eyes(noon))
    room.seen = seeing.seen
    card = Card(
        kind="picture.zone_entry", name="entry", version="1", title="Entered", looks_for="Entries.",
        seriousness="serious", parameters={}, fooled_by=("Fog.",), takes=(),
    )  # fmt: skip
    found = [
        make(("mmsi:7", "zone:west"), kind="picture.zone_entry", at=(25.0, 63.0)),
        make(("mmsi:8", "zone:west"), kind="picture.zone_entry", at=(22.0, 60.0)),
    ]
    with kernel.work(kernel.node) as work:
        leads.keep(work, found, {card.kind: card})
    kernel.dispatcher.run_pending()
    with kernel.view(kernel.node) as view:
        ids = [room.alert_of(view, f.id) for f in found]
    moving, unheard = (room.alert(officers["watch"], i).alert for i in ids)
    # 0.1 degrees of longitude at 25 north are 10,078 m: 1,008 s at 10 m/s
    assert (moving.act_by - noon).total_seconds() == pytest.approx(1008, abs=5)
    assert moving.parts["because"] == "zone"
    assert moving.parts["points"]["time"] == 12.0
    assert (unheard.parts["because"], unheard.act_by) == ("kind", noon + timedelta(minutes=60))
    assert moving.parts["points"]["place"] == 5.0  # a restricted area weighs all


# together


def test_chosen_alerts_are_put_together_and_one_is_taken_out_again(
    kernel, room, officers, raised, clock
):
    watch = officers["watch"]
    a = raised("mmsi:1", seriousness="notice")
    b = raised("mmsi:2", at=(24, 60), seriousness="grave")
    c = raised("mmsi:3", at=(22, 60))
    front = room.merge(watch, [a, b, c])
    assert (front.id, front.alike) == (b, 2)  # the one with most points leads
    assert [x.id for x in room.queue(watch).alerts] == [b]
    assert row_of(kernel, a).escalate_at is None
    with pytest.raises(Conflict, match="together already"):
        room.merge(watch, [a, c])
    out = room.apart(watch, a)
    assert (out.stands_with, out.alike) == (a, 0)
    assert out.escalate_at == clock.now() + timedelta(minutes=120)
    assert [(x.id, x.alike) for x in room.queue(watch).alerts] == [(b, 1), (a, 0)]
    with pytest.raises(Conflict, match="for itself"):
        room.apart(watch, a)
    for wrong in ([a], [a, a], []):
        with pytest.raises(BadInput, match="put together"):
            room.merge(watch, wrong)
    acts = [(e.act, e.detail.get("apart", False)) for e in room.history(watch, a)][:2]
    assert acts == [("operations.alert.merge", True), ("operations.alert.merge", False)]


def test_other_marks_and_answered_ones_are_not_put_together(room, officers, raised):
    a, b = raised("mmsi:1"), raised("mmsi:2", at=(24, 60), mark="TLP:GREEN")
    with pytest.raises(Conflict, match="marks differ"):
        room.merge(officers["watch"], [a, b])
    c = raised("mmsi:3", at=(22, 60))
    room.open_case(officers["watch"], c, "A silent boat")
    with pytest.raises(Conflict, match="answered"):
        room.merge(officers["watch"], [a, c])


def test_of_two_who_take_an_alert_at_once_one_gets_it_and_the_other_is_told_who(
    room, officers, raised
):
    alert = raised()
    watch, watch2 = officers["watch"], officers["watch2"]
    results = at_once(
        lambda: room.assign(watch, alert, watch.id, had_by="nobody"),
        lambda: room.assign(watch2, alert, watch2.id, had_by="nobody"),
    )
    lost = [r for r in results if isinstance(r, TakenFirst)]
    won = [r for r in results if not isinstance(r, Exception)]
    assert (len(won), len(lost)) == (1, 1), results
    assert lost[0].by == won[0].assignee
    # who has seen that another has it may take it from them, and twice is no fault
    other = watch2 if won[0].assignee == watch.id else watch
    room.assign(other, alert, other.id, had_by=won[0].assignee)
    assert room.assign(other, alert, other.id, had_by="nobody").assignee == other.id


# nobody saw it


@pytest.mark.parametrize("rows_url", ["sqlite_url", "migrated_postgres_url"], indirect=True)
def test_what_nobody_saw_is_told_further_up_once_a_level(kernel, room, officers, raised, clock):
    alert = raised(seriousness="grave")
    assert room.tick().escalated == ()
    clock.advance(timedelta(minutes=5))
    assert room.tick().escalated == (alert,)
    assert room.tick().escalated == ()  # not again with every tick
    # a node that starts anew goes on from the rows
    again = Operations(kernel, LeadRules(), room.cases)
    assert again.tick().escalated == ()
    clock.advance(timedelta(minutes=5))
    assert again.tick().escalated == (alert,)
    for _ in range(3):
        clock.advance(timedelta(hours=1))
        assert again.tick().escalated == ()
    with kernel.rows.read() as session:
        kept = session.scalars(select(AlertEscalationRow)).all()
        assert [(e.level, e.role) for e in kept] == [(1, "supervisor"), (2, "overseer")]
    entries = [e for e in room.history(officers["watch"], alert) if e.act.endswith("escalate")]
    assert [(e.detail["level"], e.actor) for e in entries] == [(2, "node"), (1, "node")]
    assert points(room, officers, alert)["escalated"] == 20.0
    assert room.queue(officers["watch"], Filters(escalated=True)).alerts[0].level == 2


@pytest.mark.parametrize("act", ["acknowledge", "assign", "send", "case", "close"])
def test_what_was_seen_is_not_escalated(room, officers, raised, boat, clock, act):
    alert, watch = raised(), officers["watch"]
    {
        "acknowledge": lambda: room.acknowledge(watch, alert),
        "assign": lambda: room.assign(watch, alert, watch.id),
        "send": lambda: room.send(watch, alert, boat.id, ORDER),
        "case": lambda: room.open_case(watch, alert, "A silent boat"),
        "close": lambda: room.close(watch, alert, "explained", NOTE),
    }[act]()
    clock.advance(timedelta(days=1))
    assert room.tick().escalated == ()


def test_declined_to_close_and_come_to_the_front_the_clock_begins_anew(
    kernel, room, officers, raised, clock
):
    alert = raised()
    room.close(officers["watch"], alert, "explained", NOTE)
    clock.advance(timedelta(hours=1))
    room.decline(officers["watch2"], alert, "Another receiver heard others there.")
    assert row_of(kernel, alert).escalate_at == clock.now() + timedelta(minutes=20)
    first = raised("mmsi:5", at=(21, 60), seriousness="notice")
    under = raised("mmsi:5", at=(21, 60), seriousness="notice", value=50.0, says="Again.",
                   start=clock.now() - timedelta(minutes=9), end=clock.now())  # fmt: skip
    assert row_of(kernel, under).stands_with == first
    assert row_of(kernel, under).escalate_at is None
    clock.advance(timedelta(hours=3))
    room.close(officers["watch"], first, "explained", NOTE)
    assert row_of(kernel, under).escalate_at == clock.now() + timedelta(minutes=120)


@pytest.mark.parametrize("rows_url", ["sqlite_url", "migrated_postgres_url"], indirect=True)
def test_acknowledged_in_the_same_moment_it_is_escalated_before_or_never(
    kernel, room, officers, raised, clock
):
    for turn in range(6):
        alert = raised(f"mmsi:{turn}", at=(10 + turn, 60))
        clock.advance(timedelta(minutes=20))
        results = at_once(
            lambda id_=alert: room.acknowledge(officers["watch"], id_),
            lambda id_=alert: room.escalate(id_),
        )
        assert not [r for r in results if isinstance(r, Exception)], results
        acts = [e.act.rpartition(".")[2] for e in reversed(room.history(officers["watch"], alert))]
        # never an escalation after somebody had seen it
        assert acts in (
            ["raise", "acknowledge"], ["raise", "escalate", "acknowledge"],
        ), acts  # fmt: skip
        assert (results[1] is True) == ("escalate" in acts)
        assert room.escalate(alert) is False
        assert row_of(kernel, alert).state == AlertState.ACKNOWLEDGED


def test_found_due_and_seen_before_the_lock_it_is_not_escalated(room, officers, raised, clock):
    alert = raised()
    clock.advance(timedelta(minutes=30))
    due = room._unseen(clock.now())
    room.acknowledge(officers["watch"], alert)
    assert due == [alert]
    assert room.escalate(alert) is False
    assert room.alert(officers["watch"], alert).alert.level == 0
