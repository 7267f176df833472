"""Reports late, doubled, wrong and many: the same tracks, or a reason why not."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from cordon.kernel.errors import BadInput
from cordon.kernel.findings import RecordRef
from cordon.kernel.geo import destination
from cordon.picture.model import Position
from cordon.picture.tracking import Sensor, Tracker, parameters
from cordon.picture.tracking.states import States
from cordon.picture.tracks import Batch

T0 = datetime(2026, 3, 6, 6, 0, tzinfo=UTC)
RADAR = Sensor("radar", "radar", revisit_s=3.0, accuracy_m=20.0)
COLUMNS = ("id", "lat", "lon", "ve", "vn", "ee", "en", "nn", "turning", "life", "hits", "seen")


def world(seconds: float = 240.0, seed: int = 3) -> list[Position]:
    """Twelve by radar, eight of them by AIS too; one changes its name; and clutter."""
    rng = np.random.default_rng(seed)
    found: list[Position] = []

    def report(t: float, source: str, subject: str, lat: float, lon: float, error: float) -> None:
        lat, lon = destination(lat, lon, float(rng.uniform(0, 360)), abs(rng.normal(0, error)))
        at = T0 + timedelta(seconds=round(t, 3))
        record = RecordRef("b" * 64, len(found) + 1)
        found.append(
            Position(at, source, subject, lat, lon, accuracy_m=error, kind="vessel", record=record)
        )

    for k in range(12):
        start = (24.5 + 0.01 * rng.uniform(), 66.5 + 0.01 * rng.uniform())
        course, speed = rng.uniform(0, 360), rng.uniform(1, 12)
        for n in range(int(seconds / 3)):
            t = 3.0 * n + 0.25 * k
            if rng.random() < 0.9:
                report(t, "radar", "plot:1", *destination(*start, course, speed * t), 20.0)
            if k < 8 and n % 3 == 0:
                name = f"mmsi:{100 + k + (1000 if k == 2 and t > seconds / 2 else 0)}"
                source = f"rx-{k % 2}"
                report(t + 1.7, source, name, *destination(*start, course, speed * (t + 1.7)), 5.0)
    for n in range(int(seconds / 3)):
        for _ in range(rng.poisson(2)):
            report(
                3.0 * n,
                "radar",
                "plot:1",
                24.5 + 0.05 * rng.random(),
                66.5 + 0.05 * rng.random(),
                20.0,
            )
    return sorted(found, key=lambda p: p.at)


def same(a: States, b: States) -> None:
    for column in COLUMNS:
        np.testing.assert_array_equal(getattr(a, column), getattr(b, column), err_msg=column)
    assert [a.identity(k) for k in range(len(a))] == [b.identity(k) for k in range(len(b))]
    assert [a.heard_by(k) for k in range(len(a))] == [b.heard_by(k) for k in range(len(b))]


def in_order(reports: list[Position], **given: float) -> Tracker:
    tracker = Tracker([RADAR], **{"lag_s": 60.0, **given})
    for k in range(0, len(reports), 40):
        tracker.take(reports[k : k + 40])
        tracker.tick()
    return tracker


@pytest.mark.parametrize(("late_s", "hold_s"), [(2.0, 0.0), (45.0, 0.0), (20.0, 10.0)])
def test_late_reports_within_the_lag_give_the_tracks_of_order(late_s: float, hold_s: float) -> None:
    reports = world()
    one = in_order(reports)
    rng = np.random.default_rng(1)
    arrive = [p.at.timestamp() + rng.uniform(0, late_s) for p in reports]
    other, redone, refused = Tracker([RADAR], lag_s=60.0, hold_s=hold_s), 0, 0
    came = [reports[k] for k in np.argsort(arrive)]
    for k in range(0, len(came), 25):
        refused += other.take(came[k : k + 25]).refused
        redone += other.tick().redone
    end = reports[-1].at
    one.tick(end)
    other.tick(end + timedelta(seconds=hold_s))
    assert refused == 0
    assert redone > 100 or hold_s > 0
    at = end + timedelta(seconds=1)
    same(one.states(at, tentative=True), other.states(at, tentative=True))
    for state in one.states():
        assert one.fixes(state.subject) == [
            replace(f, settled=g.settled)
            for f, g in zip(other.fixes(state.subject), one.fixes(state.subject), strict=True)
        ]


def test_one_report_at_a_time_or_all_at_once_gives_the_same() -> None:
    reports = world(60.0)
    at = reports[-1].at
    whole = Tracker([RADAR])
    whole.take(reports)
    whole.tick()
    single = Tracker([RADAR])
    for p in reports:
        single.take([p])
        single.tick()
    same(whole.states(at, tentative=True), single.states(at, tentative=True))


def test_time_that_goes_on_without_reports_is_taken_back_too() -> None:
    """Ticks run ahead of a feed that comes four seconds late: tracks coast, and did not."""
    reports = world(120.0)
    one, other = in_order(reports), Tracker([RADAR], lag_s=60.0)
    for second in range(0, 130, 2):
        now = T0 + timedelta(seconds=second)
        some = [
            p for p in reports if now - timedelta(seconds=6) <= p.at < now - timedelta(seconds=4)
        ]
        other.take(some, now)
        other.tick(now)
    at = T0 + timedelta(seconds=130)
    one.tick(at)
    other.tick(at)
    same(one.states(at, tentative=True), other.states(at, tentative=True))


def test_what_comes_later_than_the_lag_is_refused_and_told() -> None:
    tracker = Tracker([RADAR], lag_s=30.0)
    reports = world(120.0)
    tracker.take(reports[:-1])
    turn = tracker.tick()
    assert turn.lag_s == pytest.approx(30.0, abs=0.6)
    before = tracker.states(tentative=True)
    late = replace(reports[0], lat=24.7, record=RecordRef("b" * 64, 77))
    taken = tracker.take([late, reports[-1]])
    assert (taken.kept, taken.refused, taken.late) == (1, 1, 1)
    assert taken.refusals[0].row == 77
    assert "later than the lag of 30 s" in taken.refusals[0].reason
    assert tracker.tick().done >= 1
    assert set(before.id) <= set(tracker.states(tentative=True).id) | set(before.id)


def test_the_same_report_twice_counts_as_repeated() -> None:
    tracker = Tracker([RADAR])
    reports = world(60.0)
    assert tracker.take(reports).kept == len(reports)
    tracker.tick()
    hits = tracker.states(tentative=True).hits
    again = tracker.take(reports[50:])
    assert (again.kept, again.repeated) == (0, len(reports) - 50)
    tracker.tick()
    assert (tracker.states(tentative=True).hits == hits).all()


def broken() -> list[tuple[str, float, float, float]]:
    t = T0.timestamp()
    return [
        ("no number", math.nan, 24.5, 66.5),
        ("no number", t, math.nan, 66.5),
        ("no number", t, 24.5, math.inf),
        ("on the globe", t, 91.0, 66.5),
        ("on the globe", t, 24.5, 181.0),
        ("near a pole", t, 89.99, 66.5),
        ("1980", 1e6, 24.5, 66.5),
        ("1980", 9e9, 24.5, 66.5),
        ("ahead", t + 400.0, 24.5, 66.5),
    ]


@pytest.mark.parametrize(("says", "t", "lat", "lon"), broken())
def test_a_wrong_value_is_refused_with_its_reason(
    says: str, t: float, lat: float, lon: float
) -> None:
    (batch,) = Batch.of(world(30.0))
    batch.t[5], batch.lat[5], batch.lon[5] = t, lat, lon
    tracker = Tracker([RADAR])
    taken = tracker.take([batch], T0 + timedelta(seconds=35))
    assert (taken.kept, taken.refused) == (len(batch) - 1, 1)
    assert says in taken.refusals[0].reason
    assert taken.refusals[0].row == batch.row[5]
    tracker.tick()
    states = tracker.states(tentative=True)
    assert np.isfinite(np.stack([states.lat, states.lon, states.ee, states.nn])).all()


def test_what_is_told_beside_a_place_may_be_nonsense() -> None:
    (batch,) = Batch.of(world(60.0))
    rng = np.random.default_rng(1)
    odd = np.array([math.nan, math.inf, -math.inf, -5.0, 0.0, 1e300, 102.3, 360.0, 511.0])
    batch.speed[:] = rng.choice(odd, len(batch))
    batch.course[:] = rng.choice(odd, len(batch))
    batch.accuracy[:] = rng.choice(odd, len(batch))
    tracker = Tracker([RADAR])
    assert tracker.take([batch]).refused == 0
    tracker.tick()
    states = tracker.states(tentative=True)
    assert len(states) > 10
    assert np.isfinite(np.stack([states.lat, states.lon, states.ve, states.ee, states.nn])).all()


@pytest.mark.parametrize(
    ("lat", "lon"), [(0.0, 180.0), (52.0, -179.9), (-80.0, 179.99), (89.0, 0.0)]
)
def test_tracks_go_on_over_the_antimeridian_and_in_high_latitudes(lat: float, lon: float) -> None:
    tracker, rng = Tracker([RADAR]), np.random.default_rng(4)
    for k in range(40):
        y, x = destination(lat, lon, 90.0, 12.0 * 3 * (k - 20))
        y, x = destination(y, x, float(rng.uniform(0, 360)), abs(rng.normal(0, 10)))
        at = T0 + timedelta(seconds=3 * k)
        tracker.take([Position(at, "radar", "plot:1", y, x, accuracy_m=10.0, kind="vessel")])
        tracker.tick()
    (state,) = tracker.states()
    assert state.hits == 40
    assert state.speed_kn == pytest.approx(12 * 3600 / 1852, rel=0.1)


def test_a_jump_of_time_ends_what_was_and_begins_anew() -> None:
    tracker = Tracker([RADAR], lag_s=10.0)
    reports = world(60.0)
    tracker.take(reports)
    tracker.tick()
    year = [replace(p, at=p.at + timedelta(days=365)) for p in reports]
    tracker.take(year)
    tracker.tick()
    states = tracker.states(tentative=True)
    assert (states.born > (T0 + timedelta(days=364)).timestamp()).all()
    assert len(tracker) == len(states)


def test_memory_is_bounded() -> None:
    """Names, files and tracks without end: what is kept stays within what was asked for."""
    tracker = Tracker(lag_s=5.0, most_tracks=500, most_held=400, most_fixes=300)
    intake = tracker._intake
    for names in (intake.labels, intake.files):
        names.spare = 500
    crowded = 0
    for k in range(60):
        at = T0 + timedelta(seconds=10 * k)
        sha256 = f"{k:064x}"
        some = [
            Position(
                at, "rx", f"mmsi:{k}{n:04d}", 20 + n / 10, 60.0, record=RecordRef(sha256, n + 1)
            )
            for n in range(100)
        ]
        tracker.take(some)
        crowded = tracker.tick().crowded
    assert len(tracker) == len(tracker._book.tracks) == 500
    assert crowded == 60 * 100 - 500
    assert len(tracker._held) <= 400
    assert len(tracker._fixes.all) == 300
    assert len(intake.labels) < 3_000
    state = tracker.states(tentative=True).state(0)
    assert state.evidence[0].subject.startswith("mmsi:")
    # names that were forgotten and came again are told as they are
    assert {s.evidence[0].subject for s in tracker.states(tentative=True)} == {
        f"mmsi:{k}{n:04d}" for k in range(5) for n in range(100)
    }


def test_with_more_reports_than_may_be_held_the_lag_gets_shorter() -> None:
    tracker = Tracker([RADAR], lag_s=100.0, most_held=200)
    reports = world()
    lag = 100.0
    for k in range(0, len(reports), 100):
        tracker.take(reports[k : k + 100])
        lag = tracker.tick().lag_s
    assert len(reports) > 800
    assert 5 < lag < 60


def test_one_name_begins_no_more_than_some_tracks() -> None:
    tracker, rng = Tracker(), np.random.default_rng(1)
    for k in range(200):
        at = T0 + timedelta(seconds=k)
        lat, lon = float(rng.uniform(-60, 60)), float(rng.uniform(-180, 180))
        tracker.take([Position(at, "rx", "mmsi:1", lat, lon)])
        tracker.tick()
    assert len(tracker) == 10


def test_parameters_and_sensors_are_checked() -> None:
    for given in ({"gate": 99.0}, {"nothing": 1.0}, {"gate": math.nan}):
        with pytest.raises(BadInput):
            Tracker(values=given)
    with pytest.raises(BadInput, match="A sensor is one of"):
        Tracker([Sensor("x", "sonar")])
    with pytest.raises(BadInput, match="revisit_s"):
        Tracker([Sensor("x", "radar", revisit_s=0.0)])
    with pytest.raises(BadInput, match="A craft is one of"):
        Tracker(craft={"submarine": {"straight": 1.0}})
    with pytest.raises(BadInput, match="lag"):
        Tracker(lag_s=1.0, hold_s=2.0)
    for name, one in parameters().items():
        assert one.least is not None, name
        assert one.least <= one.default <= (one.most or math.inf), name
        assert len(one.source) > 10, name
