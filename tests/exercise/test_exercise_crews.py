"""Crews that the exercise plays: what units really do, what the node hears of it, and the score."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

import pytest

from cordon.exercise.crews.desk import Crews
from cordon.exercise.crews.going import Going
from cordon.exercise.crews.model import Answered, Rule, quantile, scored
from cordon.exercise.crews.nature import Nature, weather
from cordon.exercise.crews.values import values
from cordon.kernel.access.model import Mark, Role
from cordon.kernel.errors import BadInput, Conflict, NotFound, Refused
from cordon.kernel.units import MS_PER_KNOT
from cordon.operations import Passage, TaskingState, UnitKind, UnitState, passages
from cordon.operations.model import Position
from support.crewed import actor, plain, stage

PASNI = (25.05, 63.45)  # on the coast; the sea lies south of it
SEA = (24.8, 63.45)
LONG = Passage(((24.0, 60.0), (24.0, 61.0)), 60 * 1852.0)
EVERY = ("boat", "vehicle", "foot", "aircraft")


@pytest.fixture
def rows_url(sqlite_url: str) -> str:
    """What the stores hold is asked of both of them in the test of what is kept."""
    return sqlite_url


@pytest.fixture
def director(kernel: Any) -> Any:
    return actor(Role.EXERCISE_DIRECTOR, kernel)


@pytest.fixture
def watch(kernel: Any) -> Any:
    return actor(Role.WATCH_OFFICER, kernel)


def nature(code: str = "PB-07", *, seed: int = 1, kind: UnitKind = UnitKind.BOAT, **other: Any):
    return Nature(seed, code, kind, 20.0, plain(**other))


# what a unit is


def test_the_truth_of_a_unit_follows_from_seed_code_and_time_alone() -> None:
    def told(seed: int, code: str) -> tuple[Any, ...]:
        one = Nature(seed, code, UnitKind.BOAT, 20.0, values())
        times = [h * 3600.0 for h in (90, 0, 30, 60)]  # in no order
        return (one.share, one.strayed(), *((one.speed_ms(t), one.heard(t)) for t in times))

    assert told(1, "PB-07") == told(1, "PB-07")
    assert told(1, "PB-07") != told(2, "PB-07")
    assert told(1, "PB-07") != told(1, "PB-08")


def test_a_unit_makes_its_share_of_its_usual_speed_and_nothing_while_broken() -> None:
    one = nature(speed={"boat": (0.5, 0.5, 0.5)}, weather={"boat": (0.8, 0.8)})
    assert one.speed_ms(0) == pytest.approx(20 * MS_PER_KNOT * 0.4)
    broken = nature(breaks_every_h=40.0)
    down = next(t for t in range(0, 4_000_000, 60) if broken.mended(t) > t)
    assert broken.speed_ms(down) == 0
    assert 0 < broken.mended(down) - down <= 90 * 60
    assert broken.speed_ms(broken.mended(down)) > 0


@pytest.mark.parametrize("at", [0.0, 3600.0 * 5.99, 3600.0 * 100])
def test_the_weather_goes_without_a_jump_and_within_its_range(at: float) -> None:
    one, two = (weather(3, "sea", 6, t) for t in (at, at + 60))
    assert 0 <= one <= 1
    assert abs(one - two) < 0.01
    assert weather(3, "sea", 6, at) != weather(3, "air", 6, at)


def test_spells_come_as_often_and_last_as_long_as_the_data_says() -> None:
    one = nature(silent_every_h=5.0, silent_min=(30.0, 0.0))
    silent = sum(one.heard(t) > t for t in range(0, 60 * 86_400, 60)) / (60 * 1440)
    assert silent == pytest.approx(0.5 / 5.5, rel=0.25)  # half an hour after each five


# what it does with an order


def test_a_way_takes_as_long_as_the_speed_says_and_every_place_on_it_is_known() -> None:
    going = Going(nature(), LONG, 0.0, 1)
    assert [s.to for s in going.says()] == [
        TaskingState.ACKNOWLEDGED, TaskingState.MOVING, TaskingState.ON_SCENE, TaskingState.DONE,
    ]  # fmt: skip
    assert going.acknowledged == 60
    assert going.moves == 180
    assert going.arrives == pytest.approx(180 + 3 * 3600)
    assert going.where(100) == (24.0, 60.0)
    assert going.where(180 + 1.5 * 3600) == pytest.approx((24.0, 60.5), abs=0.01)
    assert going.where(going.arrives) == (24.0, 61.0) == going.where(1e9)
    assert [t for t, _ in going.fixes(-math.inf, 180 + 1800)] == [180, 780, 1380, 1980]
    assert [t for t, _ in going.fixes(780, 180 + 1800)] == [1380, 1980]


def test_a_break_down_on_the_way_costs_as_long_as_it_is_mended() -> None:
    use = {"breaks_every_h": 6.0, "mended_min": (45.0, 0.0)}
    going = [Going(nature(f"PB-{n}", **use), LONG, 0.0, 1) for n in range(60)]
    late = [g.arrives - g.moves - 3 * 3600 for g in going if not g.declines]
    assert min(late) == pytest.approx(0, abs=60)
    assert 44 * 60 < max(late) < 300 * 60
    assert sum(x > 40 * 60 for x in late) > 10


def test_what_was_said_without_signal_is_heard_late_and_in_order() -> None:
    use = {"silent_every_h": 1.0, "silent_min": (50.0, 0.5), "late_s": (20.0, 1.0)}
    lates = []
    for n in range(40):
        said = Going(nature(f"PB-{n}", **use), LONG, 0.0, 1).says()
        assert all(s.heard >= s.at for s in said)
        assert [s.heard for s in said] == sorted(s.heard for s in said)
        lates += [s.heard - s.at for s in said]
    assert max(lates) > 20 * 60
    assert min(lates) > 0


@pytest.mark.parametrize(
    ("use", "way", "why"),
    [
        ({"speed": dict.fromkeys(EVERY, (0.0, 0.0, 0.0))}, LONG, "useful time"),
        ({"breaks_every_h": 0.001, "mended_min": (600.0, 0.0)}, LONG, "Broken down"),
        ({}, None, "no way"),
        ({}, Passage(((0.0, 0.0), (60.0, 0.0)), 6.7e6), "useful time"),
    ],
)
def test_a_unit_that_cannot_come_declines_and_says_why(
    use: dict[str, Any], way: Passage | None, why: str
) -> None:
    going = Going(nature(**use), way, 0.0, 1)
    (said,) = going.says()
    assert said.to is TaskingState.DECLINED
    assert why in said.note
    assert going.takes == math.inf
    assert list(going.fixes(-math.inf, 1e6)) == []


def test_a_unit_alongside_is_there_as_soon_as_it_casts_off() -> None:
    going = Going(nature(), Passage((PASNI, PASNI), 0.0), 0.0, 1)
    assert going.arrives == going.moves
    assert going.where(1e9) == PASNI


def test_boats_go_around_land_and_no_vehicle_puts_to_sea() -> None:
    gulf, oman = Position(25.95, 55.95), Position(25.6, 56.5)  # both sides of Musandam
    boat, craft, car = passages(
        oman, [(UnitKind.BOAT, gulf), (UnitKind.AIRCRAFT, gulf), (UnitKind.VEHICLE, gulf)]
    )
    assert boat is not None
    assert craft is not None
    assert car is None
    assert boat.metres > 2 * craft.metres
    assert len(boat.points) > 10
    assert boat.points[-1] == (25.6, 56.5)
    assert boat.at(0.5)[0] > 26.0  # north about, past the cape


# on a node


def test_a_crew_answers_as_officers_on_a_phone_do(
    kernel: Any, tmp_path: Any, director: Any, watch: Any
) -> None:
    made = stage(kernel, tmp_path, plain())
    boat = made.unit("PB-07", *SEA)
    made.crews.start(director, ["PB-07"])
    alert = made.alert(24.8, 63.65)  # 10.9 miles east: 33 min at 20 kn
    order = made.room.send(watch, alert, boat.id, "Go and look at it.").id
    made.play(0.5)
    tasking = made.room.tasking(watch, order)
    assert tasking.state is TaskingState.MOVING
    assert [s.by for s in tasking.steps[2:]] == ["exercise:pb-07"] * 2
    begun = tasking.steps[1].at
    assert tasking.steps[2].at - begun == timedelta(seconds=60)  # when it was so, not when heard
    (unit,) = made.room.units(watch)
    assert unit.position is not None
    assert 63.5 < unit.position.lon < 63.65
    made.play(0.5)
    tasking = made.room.tasking(watch, order)
    assert tasking.state is TaskingState.DONE
    assert "nothing further" in tasking.report
    assert made.room.units(watch)[0].state is UnitState.READY
    took = tasking.steps[4].at - begun
    assert took == pytest.approx(timedelta(minutes=35.8), abs=timedelta(minutes=1))
    acts = [e for e in kernel.ledger.entries() if e.actor == "exercise:pb-07"]
    assert {e.act for e in acts} >= {"operations.field.report", "operations.tasking.report"}
    (play,) = made.crews.plays(director)
    (answer,) = play.answers
    assert (answer.sent, answer.made_by, answer.best, answer.first) == ("PB-07",) * 4
    made_s = pytest.approx(took.total_seconds(), abs=0.01)
    assert (answer.made_s, answer.best_s, answer.first_s) == (made_s, made_s, made_s)
    assert (answer.ratio, answer.lost_s) == (pytest.approx(1.0), pytest.approx(0.0, abs=0.01))
    assert answer.over


def test_the_score_holds_a_bad_choice_against_the_one_that_was_better(
    kernel: Any, tmp_path: Any, director: Any, watch: Any
) -> None:
    made = stage(kernel, tmp_path, plain())
    far = made.unit("PB-01", 24.8, 62.9)
    made.unit("PB-02", 24.8, 63.5)
    made.unit("PB-03", 24.8, 63.6)  # not played: nothing is known of what it would have done
    made.crews.start(director, ["PB-01", "PB-02"])
    made.room.send(watch, made.alert(24.8, 63.6), far.id, "Go and look at it.")
    made.play(3)
    (answer,) = made.crews.plays(director)[0].answers
    assert (answer.sent, answer.best, answer.first) == ("PB-01", "PB-02", None)
    assert answer.ratio is not None
    assert answer.ratio > 4
    assert answer.lost_s == pytest.approx((38.1 - 5.4) * 3 * 60, rel=0.02)  # miles at 20 kn


def test_a_rule_sends_the_next_where_the_first_declines(
    kernel: Any, tmp_path: Any, director: Any, watch: Any
) -> None:
    """The vehicle is nearest by the great circle, and cannot put to sea."""
    made = stage(kernel, tmp_path, plain())
    made.unit("CAR-1", 25.27, 63.45, kind="vehicle")
    made.unit("PB-07", 24.5, 62.9)
    made.crews.start(director, ["CAR-1", "PB-07"], rule=Rule.NEAREST)
    alert = made.alert(24.95, 63.45)
    made.play(4)
    states = {t.unit_code: t.state for t in made.room.taskings(watch)}
    assert states == {"CAR-1": TaskingState.DECLINED, "PB-07": TaskingState.DONE}
    (play,) = made.crews.plays(director)
    (answer,) = play.answers
    assert (answer.alert, answer.sent, answer.made_by, answer.best) == (
        alert, "CAR-1", "PB-07", "PB-07",
    )  # fmt: skip
    assert answer.lost_s is not None
    assert 60 <= answer.lost_s <= 300


def test_an_alert_that_nobody_can_be_sent_to_escalates_by_its_clock(
    kernel: Any, tmp_path: Any, director: Any, watch: Any
) -> None:
    broken = plain(breaks_every_h=0.001, mended_min=(1400.0, 0.0))
    made = stage(kernel, tmp_path, broken)
    for n in range(3):
        made.unit(f"PB-0{n}", 24.8, 63.0 + n / 10)
    made.crews.start(director, ["PB-00", "PB-01", "PB-02"], rule=Rule.FIRST)
    made.play(0.05)
    assert {u.state for u in made.room.units(watch)} == {UnitState.UNAVAILABLE}
    alert = made.alert(*SEA)
    made.play(0.5)
    assert made.room.tick().escalated == (alert,)
    assert made.room.taskings(watch) == []
    assert made.crews.plays(director)[0].score.answered == 0


def test_what_all_decline_is_told_as_hopeless_and_stands_open_again(
    kernel: Any, tmp_path: Any, director: Any, watch: Any
) -> None:
    made = stage(kernel, tmp_path, plain(speed=dict.fromkeys(EVERY, (0.0, 0.0, 0.0))))
    made.unit("PB-01", 24.8, 63.2)
    made.unit("PB-02", 24.8, 63.3)
    made.crews.start(director, ["PB-01", "PB-02"], rule=Rule.FIRST)
    alert = made.alert(*SEA)
    made.play(1)
    assert [t.state for t in made.room.taskings(watch)] == [TaskingState.DECLINED] * 2
    (waiting,) = made.room.queue(watch).alerts
    assert waiting.id == alert
    assert waiting.state.value == "open"
    score = made.crews.plays(director)[0].score
    assert (score.answered, score.hopeless, score.reached, score.median) == (1, 1, 0, None)


def test_a_crew_that_is_called_off_stops_where_it_is(
    kernel: Any, tmp_path: Any, director: Any, watch: Any
) -> None:
    made = stage(kernel, tmp_path, plain())
    boat = made.unit("PB-07", *SEA)
    made.crews.start(director, ["PB-07"])
    one = made.room.send(watch, made.alert(24.8, 64.45), boat.id, "Go and look at it.")
    made.play(1)
    made.room.report(watch, one.id, TaskingState.CANCELLED, note="Somebody else is there.")
    made.play(1)
    two = made.room.send(watch, made.alert(*SEA), boat.id, "Come back and look.")
    made.play(2)
    steps = {s.state: s.at for s in made.room.tasking(watch, two.id).steps}
    back = steps[TaskingState.ON_SCENE] - steps[TaskingState.MOVING]
    assert back == pytest.approx(timedelta(minutes=57), abs=timedelta(minutes=3))
    bad = made.crews.plays(director)[0].answers[1]
    assert (bad.made_s, bad.over, bad.ratio) == (None, True, None)


def test_a_play_that_was_stopped_goes_on_with_what_came_meanwhile(
    kernel: Any, tmp_path: Any, director: Any, watch: Any
) -> None:
    """Another process reads it: the same as a node that was started anew."""
    made = stage(kernel, tmp_path, plain())
    boat = made.unit("PB-07", *SEA)
    id_ = made.crews.start(director, ["PB-07"])
    order = made.room.send(watch, made.alert(24.8, 63.65), boat.id, "Go and look at it.").id
    made.play(0.2)
    made.crews.stop(director, id_)
    made.play(1)
    assert made.room.tasking(watch, order).state is TaskingState.MOVING
    made.crews = Crews(kernel, made.room, made.crews._field, plain())
    made.crews.go_on(director, id_)
    made.crews.tick()
    tasking = made.room.tasking(watch, order)
    assert tasking.state is TaskingState.DONE
    took = (tasking.steps[4].at - tasking.steps[1].at).total_seconds()
    assert took == pytest.approx(35.8 * 60, abs=60)
    assert made.crews.plays(director)[0].answers[0].made_s == pytest.approx(took, abs=1)


def test_the_same_seed_goes_the_same_way() -> None:
    def told(seed: int) -> list[Any]:
        start, end = Position(24.8, 63.2), Position(24.8, 63.6)
        going = [
            Going(
                Nature(seed, f"PB-{n}", UnitKind.BOAT, 20.0, values()),
                passages(end, [(UnitKind.BOAT, start)])[0], 600.0, 1,
            )
            for n in range(4)
        ]  # fmt: skip
        return [(g.takes, g.says(), g.where(3000.0)) for g in going]

    assert told(5) == told(5) != told(6)


@pytest.mark.parametrize(
    ("units", "seed", "says"),
    [([], 1, "No unit"), (["PB-99"], 1, "PB-99"), (["PB-07"], -1, "seed"), (["BARE"], 1, "BARE")],
)
def test_a_play_that_cannot_be_is_refused(
    kernel: Any, tmp_path: Any, director: Any, units: list[str], seed: int, says: str
) -> None:
    made = stage(kernel, tmp_path, plain())
    made.unit("PB-07", *SEA)
    made.room.add_unit(actor(Role.SUPERVISOR, kernel), code="BARE", name="Bare", kind="boat",
                       sector="Pasni", speed_kn=20, contact="VHF 16")  # fmt: skip
    with pytest.raises(BadInput, match=says):
        made.crews.start(director, units, seed=seed)
    assert made.crews.plays(director) == []


def test_one_plays_at_a_time_and_only_its_director_plays(
    kernel: Any, tmp_path: Any, director: Any, watch: Any
) -> None:
    made = stage(kernel, tmp_path, plain())
    made.unit("PB-07", *SEA)
    with pytest.raises(Refused):
        made.crews.start(watch, ["PB-07"])
    id_ = made.crews.start(director, ["PB-07"])
    with pytest.raises(Conflict):
        made.crews.start(director, ["PB-07"])
    with pytest.raises(Refused):
        made.crews.stop(watch, id_)
    with pytest.raises(NotFound):
        made.crews.go_on(director, "none")
    made.crews.stop(director, id_)
    made.crews.start(director, ["PB-07"])
    with pytest.raises(Conflict):
        made.crews.go_on(director, id_)
    acts = [e.act for e in kernel.ledger.entries() if e.act.startswith("exercise.crews.")]
    assert acts.count("exercise.crews.play") >= 2
    assert "exercise.crews.stop" in acts


def test_a_director_sees_no_answer_above_their_own_mark(
    kernel: Any, tmp_path: Any, director: Any, watch: Any
) -> None:
    from dataclasses import replace

    made = stage(kernel, tmp_path, plain())
    boat = made.unit("PB-07", *SEA)
    made.crews.start(director, ["PB-07"])
    made.room.send(watch, made.alert(24.8, 63.65, mark=Mark.AMBER), boat.id, "Go and look at it.")
    made.play(0.1)
    assert len(made.crews.plays(director)[0].answers) == 1
    assert made.crews.plays(replace(director, cleared=Mark.GREEN))[0].answers == ()


# the score


def answer(made: float | None, best: float | None, *, over: bool = True, first: float | None = 60):
    now = __import__("datetime").datetime(2026, 3, 6, tzinfo=__import__("datetime").UTC)
    return Answered("a", "k", now, now, "X", "X" if made else None, made, "Y" if best else None,
                    best, "Z", first, over)  # fmt: skip


def test_who_was_never_reached_counts_as_longer_than_any() -> None:
    one = scored([answer(60, 60), answer(120, 60), answer(None, 60), answer(None, None)])
    assert (one.answered, one.reached, one.never, one.hopeless, one.waits) == (4, 2, 1, 1, 0)
    assert (one.median, one.ninth, one.lost_s) == (2.0, None, 60.0)
    waits = scored([answer(90, 60), answer(None, 60, over=False)])
    assert (waits.waits, waits.never, waits.median, waits.ninth) == (1, 0, 1.5, 1.5)
    assert scored([]).median is None
    assert scored([]).lost_s == 0
    assert quantile([3.0, 1.0, 2.0], 0.9) == 3.0


def test_what_the_ranking_would_have_made_is_told_beside() -> None:
    one = scored([answer(120, 60, first=90), answer(120, 60, first=None)])
    assert (one.first_median, one.first_ninth) == (1.5, None)
