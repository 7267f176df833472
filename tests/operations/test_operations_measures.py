"""Measures: quantiles that count who waits, changes with intervals, what rows say."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import numpy as np
import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from cordon.kernel.access.model import Actor, Mark, Role
from cordon.kernel.console import Console
from cordon.kernel.errors import BadInput, BadUsage, Refused
from cordon.operations import TaskingState
from cordon.operations.commands import app as commands
from cordon.operations.measures import counting
from cordon.operations.measures.desk import Measures
from cordon.operations.measures.model import Moment, Response, Step
from cordon.operations.measures.telling import duration
from cordon.operations.routes import routes

AT = datetime(2026, 3, 6, 12, tzinfo=UTC)
ORDER = "Go alongside, look at its papers and its gear, report."


def responded(minutes, *, over=False, block="a", sector="East"):
    """An alert acknowledged after so many minutes; None: not yet."""
    at = {Moment.SIGN: AT, Moment.RAISED: AT}
    if minutes is not None:
        at[Moment.ACKNOWLEDGED] = AT + timedelta(minutes=minutes)
    return Response(at, over, sector, "08–16", "x", block)


def taken(minutes, waited=120, **rest):
    """The figure of acknowledging."""
    made = [responded(m, **rest) for m in minutes]
    return counting.figure(made, Step.ACKNOWLEDGE, AT + timedelta(minutes=waited))


def test_a_quantile_without_waiting_is_the_smallest_that_so_many_reached():
    made = taken(range(1, 11))
    assert (made.median_s, made.high_s) == (5 * 60, 9 * 60)
    assert (made.done, made.waiting, made.ended) == (10, 0, 0)


def test_who_waits_is_neither_dropped_nor_taken_for_answered():
    # of ten, four came in 1 to 4 minutes and six wait for two hours: no half has come yet
    made = taken([1, 2, 3, 4, *[None] * 6])
    assert (made.median_s, made.high_s, made.done, made.waiting) == (None, None, 4, 6)
    # dropping the waiting would have said 2 minutes; here the sixth of ten is what half reached
    assert taken([1, 2, 3, 4, 50, 60, *[None] * 4]).median_s == 50 * 60
    # one that has waited for less than others took counts only as long as it was seen:
    # S after 10: 3/4; at risk then 2 (one waited 20), so S after 30: 3/8 and the median is 30
    early = [responded(10), responded(30), responded(40), responded(None)]
    assert counting.figure(early, Step.ACKNOWLEDGE, AT + timedelta(minutes=20)).median_s == 30 * 60


def test_what_was_over_before_and_clocks_that_run_backwards_are_counted_apart():
    made = [responded(5), responded(None, over=True), responded(-3), responded(None)]
    f = counting.figure(made, Step.ACKNOWLEDGE, AT + timedelta(hours=1))
    assert (f.done, f.waiting, f.ended, f.backwards, f.median_s) == (1, 1, 1, 1, 300)
    assert counting.figure([], Step.WHOLE, AT).median_s is None


def test_a_change_is_told_with_an_interval_of_whole_watches():
    rng = np.random.default_rng(1)
    before = [responded(20 + rng.normal(0, 3), block=f"b{i % 12}") for i in range(120)]
    after = [responded(12 + rng.normal(0, 3), block=f"c{i % 12}") for i in range(120)]
    now = AT + timedelta(days=1)
    made = counting.change(before, after, Step.ACKNOWLEDGE, now)
    assert made.told
    assert made.watches == (12, 12)
    assert made.low_s < made.difference_s < made.high_s < 0
    assert -8 * 60 - 120 < made.difference_s < -8 * 60 + 120
    assert counting.change(before, after, Step.ACKNOWLEDGE, now) == made
    # one bad night is one watch: no interval, however many alerts it raised
    few = counting.change([responded(20)] * 500, after, Step.ACKNOWLEDGE, now)
    assert (few.told, few.low_s, few.watches) == (False, None, (1, 12))
    # so many wait after it that half has not come: nothing is said of the difference
    open_ = [responded(None, block=f"c{i}") for i in range(12)]
    assert counting.change(before, open_, Step.ACKNOWLEDGE, now).difference_s is None


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "–"), (0, "0 s"), (61, "1 min 01 s"), (-3700, "−1 h 01 min"), (190000, "2 d 4 h")],
)
def test_durations_in_words(seconds, text):
    assert duration(seconds) == text


@pytest.fixture
def desk(kernel):
    return Measures(kernel, "Asia/Karachi", lambda _actor: {"S-EAST": "Sector East"})


@pytest.fixture
def worked(kernel, room, officers, raised, boat, clock):
    """Four alerts: reached, assigned alone, closed, and waiting; and one alike to the first."""
    watch, field = officers["watch"], officers["field"]
    reached = raised("mmsi:1", "zone:S-EAST")
    raised("mmsi:1", start=AT - timedelta(hours=3), end=AT - timedelta(hours=2))
    given = raised("mmsi:2", at=(24, 60))
    shut = raised("mmsi:3", at=(23, 62), seriousness="notice")
    raised("mmsi:4", at=(22, 64))
    clock.advance(timedelta(minutes=4))
    room.acknowledge(watch, reached)
    clock.advance(timedelta(minutes=2))
    room.assign(watch, given, watch.id)
    room.close(watch, shut, "explained", "A net was drying on its deck all day long.")
    tasking = room.send(watch, reached, boat.id, ORDER).id
    for minutes, state in ((1, "acknowledged"), (1, "moving"), (28, "on_scene")):
        clock.advance(timedelta(minutes=minutes))
        room.report(field, tasking, TaskingState(state))
    return reached


def test_an_alert_that_is_open_again_was_acknowledged_when_it_first_was(
    desk, room, officers, raised, boat, clock
):
    alert, watch = raised(), officers["watch"]
    clock.advance(timedelta(minutes=4))
    room.acknowledge(watch, alert)
    sent = room.send(watch, alert, boat.id, ORDER).id
    room.report(officers["field"], sent, TaskingState.DECLINED, note="The engine overheats.")
    clock.advance(timedelta(minutes=30))
    room.acknowledge(officers["watch2"], alert)
    [seen] = [f for f in desk.report(watch).figures if f.step is Step.ACKNOWLEDGE]
    assert (seen.done, seen.median_s) == (1, 240)


def test_what_the_rows_say(desk, worked, officers, clock):
    report = desk.report(officers["watch"])
    assert (report.alerts, report.alike) == (4, 1)
    by = {f.step: f for f in report.figures}
    seen = by[Step.ACKNOWLEDGE]
    # 4 min by saying so, 6 min by assigning; the closed one ended, one waits
    assert (seen.done, seen.ended, seen.waiting) == (2, 1, 1)
    assert (seen.median_s, seen.high_s) == (360, None)
    assert (by[Step.SEND].median_s, by[Step.REACH].median_s) == (120, 1800)
    assert (by[Step.SEND].done, by[Step.SEND].waiting) == (1, 1)
    assert (by[Step.WHOLE].done, by[Step.WHOLE].waiting, by[Step.WHOLE].ended) == (1, 2, 1)
    assert [(name, n) for name, n, _ in report.groups["sector"]] == [("Sector East", 1), ("", 3)]
    # noon in UTC is 17 o'clock there
    assert [(name, n) for name, n, _ in report.groups["watch"]] == [("16–24", 4)]
    assert [name for name, _, _ in report.groups["detector"]] == ["picture.gap.test"]
    assert [day.day for day in report.days] == ["2026-03-06"]
    # an alert raised before the span is none of it
    later = desk.report(officers["watch"], clock.now() - timedelta(minutes=1))
    assert later.alerts == 0


def test_only_what_one_may_see_is_counted(desk, raised, officers, clock):
    raised("mmsi:1", mark=Mark.RED)
    raised("mmsi:2", at=(24, 60))
    clock.advance(timedelta(seconds=1))
    assert desk.report(officers["watch"]).alerts == 1
    for who in ("field", "administrator"):
        with pytest.raises(Refused):
            desk.report(officers[who])


@pytest.fixture
def browse(served, room, desk):
    app = served(routes(room, measures=desk))

    def client(officer):
        return TestClient(app, headers={"x-officer": officer}, follow_redirects=False)

    return client


def test_the_page_its_chart_and_its_form(browse, worked):
    client = browse("supervisor")
    body = client.get("/measures?since=2026-03-01&turn=2026-03-06").text
    assert "Sector East" in body
    assert "30 min 00 s" in body
    assert 'data-axis="minutes"' in body
    assert "not to be told" in body
    told = client.get("/api/operations/measures?since=2026-03-01&turn=2026-03-06").json()
    [seen, whole] = told["measures"]
    assert (seen["days"], seen["came"], seen["expected"], seen["at"]) == (
        ["2026-03-06"], [6.0], [None], 0,
    )  # fmt: skip
    assert whole["measure"] == "whole"
    assert told["changes"][0]["interval_95_s"] is None
    # what was typed stays, and the error says what to do
    refused = client.get("/measures?since=2026-02-30&until=<b>")
    assert refused.status_code == 422
    assert 'value="2026-02-30"' in refused.text
    assert 'value="&lt;b&gt;"' in refused.text
    for wrong in ("since=2026-03-06&until=2026-03-01", "since=2020-01-01", "turn=2020-01-01"):
        assert client.get(f"/measures?{wrong}").status_code == 422
    assert browse("field").get("/measures").status_code == 403
    assert "/measures" not in browse("field").get("/taskings").text
    assert 'href="/measures"' in client.get("/taskings").text


def test_a_week_is_printed_and_that_is_in_the_ledger(browse, worked, kernel, desk, officers):
    answer = browse("watch").get("/measures/week.pdf?week=2026-W10")
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF-")
    [entry] = [e for e in kernel.ledger.of_thing("room:operations", limit=50)
               if e.act == "operations.measures.print"]  # fmt: skip
    assert entry.detail == {"week": "2026-W10", "alerts": 4}
    assert browse("overseer").get("/measures/week.pdf").status_code == 403
    assert desk.week("2026-W10") == datetime(2026, 3, 1, 19, tzinfo=UTC)
    assert desk.week("") == datetime(2026, 2, 22, 19, tzinfo=UTC)
    for wrong in ("2026-W60", "10", "0000-W01"):
        with pytest.raises(BadInput):
            desk.week(wrong)


def test_the_command(kernel, room, desk, worked, tmp_path):
    console = Actor("console:test", "Console", "pk-test", "console", frozenset({Role.CONSOLE}),
                    cleared=Mark.AMBER_STRICT)  # fmt: skip
    rooms = {"operations": room, "measures": desk}
    node = SimpleNamespace(kernel=kernel, room=rooms.get, console_actor=lambda _authority: console)

    def run(*words):
        result = CliRunner().invoke(commands, ("measures", *words), obj=Console(lambda: node))
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.stdout

    told = json.loads(run("--since", "2026-03-01", "--before-after", "2026-03-06", "--json"))
    assert told["steps"][3] == {
        "step": "reach", "median_s": 1800.0, "p90_s": 1800.0, "done": 1, "waiting": 0, "ended": 0,
        "backwards": 0,
    }  # fmt: skip
    assert "Sector East" in run()
    run("--week", "2026-W10", "--out", str(tmp_path / "week.pdf"))
    assert (tmp_path / "week.pdf").read_bytes().startswith(b"%PDF-")
    for wrong in (("--week", "2026-W10"), ("--since", "2026-03-01", "--out", "x.pdf")):
        with pytest.raises(BadUsage):
            run(*wrong)
