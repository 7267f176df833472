"""Tracks from reports of several sensors: their life, their identity, and who made them."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from cordon.kernel.findings import RecordRef
from cordon.kernel.geo import destination, distance_m
from cordon.picture.model import Position
from cordon.picture.tracking import Sensor, Tracker
from cordon.picture.tracking.model import id_of, subject_of
from cordon.picture.tracks import Batch

T0 = datetime(2026, 3, 6, 6, 0, tzinfo=UTC)
LAT, LON = 24.5, 66.5
RADAR = Sensor("radar", "radar", lat=24.4, lon=66.4, revisit_s=3.0, accuracy_m=20.0)


def sailed(
    subject: str,
    course: float,
    kn: float,
    seconds: float,
    *,
    every: float = 3.0,
    source: str = "radar",
    error: float = 15.0,
    start: float = 0.0,
    told: bool = False,
    seed: int = 1,
    kind: str = "vessel",
    at: tuple[float, float] = (LAT, LON),
    begin: float = 0.0,
) -> list[Position]:
    """Reports of a straight way: it leaves `at` at T0 and is heard from `start` on (s)."""
    rng = np.random.default_rng(seed)
    found, t = [], start
    while t < start + seconds:
        lat, lon = destination(*at, course, kn * 1852 / 3600 * (t - begin))
        lat, lon = destination(lat, lon, float(rng.uniform(0, 360)), abs(rng.normal(0, error)))
        found.append(
            Position(
                T0 + timedelta(seconds=t),
                source,
                subject,
                lat,
                lon,
                kn if told else None,
                course if told else None,
                accuracy_m=max(error, 1.0),
                kind=kind,
                record=RecordRef("a" * 64, 1000 * seed + len(found)),
            )
        )
        t += every
    return found


def run(tracker: Tracker, *some: list[Position], step: float = 1.0) -> None:
    """Give positions in order of time, with a tick each `step` seconds."""
    reports = sorted((p for one in some for p in one), key=lambda p: p.at)
    first = 0
    now = reports[0].at
    while first < len(reports):
        now += timedelta(seconds=step)
        last = first
        while last < len(reports) and reports[last].at < now:
            last += 1
        tracker.take(reports[first:last], now)
        tracker.tick(now)
        first = last


def test_a_radar_track_is_tentative_confirmed_coasting_and_ended() -> None:
    tracker = Tracker([RADAR], lag_s=5.0)
    plots = sailed("plot:1", 90, 12, 30)
    tracker.take(plots[:1])
    tracker.tick()
    (state,) = tracker.states(tentative=True)
    assert state.life == "tentative"
    assert len(tracker.states()) == 0
    run(tracker, plots[1:])
    (state,) = tracker.states()
    assert (state.life, state.kind, state.hits) == ("confirmed", "vessel", len(plots))
    assert state.speed_kn == pytest.approx(12, abs=3)
    assert state.course_deg == pytest.approx(90, abs=15)
    assert distance_m(plots[-1].lat, plots[-1].lon, state.lat, state.lon) < 40
    subject, last = state.subject, plots[-1].at
    tracker.tick(last + timedelta(seconds=11))
    assert [s.life for s in tracker.states()] == ["coasting"]
    happenings = tracker.tick(last + timedelta(seconds=60)).happenings
    assert len(tracker) == 0
    happenings += tracker.tick(last + timedelta(seconds=70)).happenings
    # told as the times at which they fell due, whenever they were looked at
    assert [(h.what, h.at) for h in happenings] == [
        ("coasting", last + timedelta(seconds=9)),
        ("ended", last + timedelta(seconds=18)),
    ]
    assert {h.subject for h in happenings} == {subject}


def test_ids_are_words_and_come_back() -> None:
    assert id_of(subject_of(123_456_789_012_345)) == 123_456_789_012_345
    assert subject_of((1 << 60) - 1) == "track:" + "z" * 12
    for wrong in ("mmsi:1", "track:short", "track:iiiiiiiiiiii"):
        with pytest.raises(ValueError, match=r"track|substring"):
            id_of(wrong)


def test_the_covariance_of_a_coasting_track_grows_and_its_place_goes_on() -> None:
    tracker = Tracker([RADAR])
    run(tracker, sailed("plot:1", 0, 15, 60))
    (now,) = tracker.states()
    (then,) = tracker.states(now.at + timedelta(seconds=8))
    assert then.major_m > now.major_m
    assert distance_m(now.lat, now.lon, then.lat, then.lon) == pytest.approx(
        8 * now.speed_kn * 1852 / 3600, rel=0.01
    )


def test_craft_that_cross_keep_their_ids() -> None:
    """Two pairs meet at one place and moment, at right and at sharp angles."""
    for other, seed in [(0.0, 1), (45.0, 2), (150.0, 3), (25.0, 4)]:
        tracker = Tracker([RADAR])
        ways = [
            sailed("plot:1", course, kn, 300, at=back(course, kn, 150), seed=10 * seed + k)
            for k, (course, kn) in enumerate([(90.0, 10.0), (other, 14.0)])
        ]
        run(tracker, *ways)
        states = list(tracker.states())
        assert len(states) == 2
        for state in states:
            rows = Counter(f.record.row // 1000 for f in tracker.fixes(state.subject) if f.record)
            (_, most), *rest = rows.most_common()
            # a swap would leave half of the plots on each side
            assert most > 90
            assert sum(n for _, n in rest) <= 5


def back(course: float, kn: float, seconds: float) -> tuple[float, float]:
    """Where one began who is at the place of all tests after so many seconds."""
    return destination(LAT, LON, course + 180, kn * 1852 / 3600 * seconds)


def test_a_turn_is_followed_and_told() -> None:
    tracker = Tracker([RADAR])
    rng = np.random.default_rng(5)
    lat, lon, course, plots, turning = LAT, LON, 0.0, [], []
    for k in range(100):
        course += 12.0 if 60 <= k < 72 else 0.0
        lat, lon = destination(lat, lon, course, 3 * 10.0)
        y, x = destination(lat, lon, float(rng.uniform(0, 360)), abs(rng.normal(0, 15)))
        at = T0 + timedelta(seconds=3 * k)
        plots.append(Position(at, "radar", "plot:1", y, x, accuracy_m=15.0, kind="vessel"))
        tracker.take(plots[-1:])
        tracker.tick()
        if k > 5:
            (state,) = tracker.states()
            turning.append(state.turning)
            assert distance_m(lat, lon, state.lat, state.lon) < 60
    assert max(turning[60:75]) > 0.8
    assert np.mean(turning[30:50]) < 0.2


@pytest.mark.parametrize(("per_km2", "most"), [(0.02, 5), (0.1, 60)])
def test_clutter_confirms_hardly_any_track(per_km2: float, most: float) -> None:
    """Ten thousand plots of clutter, at the density that a radar is taken to have and a fifth.

    Args:
        most: confirmed tracks that are borne with.
    """
    rng = np.random.default_rng(7)
    tracker, side = Tracker([RADAR], lag_s=3.0), 20_000.0
    confirmed = plots = k = 0
    while plots < 10_000:
        n, k = rng.poisson(per_km2 * 400), k + 1
        place = rng.uniform(0, side, (2, n))
        zero, nan = np.zeros(n, np.int64), np.full(n, np.nan)
        batch = Batch(
            sha256="",
            subjects=["plot:1"],
            sources=["radar"],
            subject=zero,
            source=zero,
            t=np.full(n, T0.timestamp() + 3.0 * k),
            lat=LAT + place[1] / 111e3,
            lon=LON + place[0] / 101e3,
            speed=nan,
            course=nan,
            heading=nan,
            accuracy=np.full(n, 20.0),
            kind=zero,
            row=np.arange(n),
        )
        plots += n
        tracker.take([batch])
        confirmed += sum(h.what == "confirmed" for h in tracker.tick().happenings)
    assert confirmed <= most
    assert len(tracker) < 30 * per_km2 * 400


def test_reports_of_ais_and_two_radars_are_one_track() -> None:
    second = Sensor("radar-2", "radar", revisit_s=3.0, accuracy_m=40.0)
    tracker = Tracker([RADAR, second])
    run(
        tracker,
        sailed("mmsi:463012345", 90, 12, 300, every=10, source="rx", error=5, told=True, seed=1),
        sailed("plot:1", 90, 12, 300, seed=2),
        sailed("plot:1", 90, 12, 300, source="radar-2", error=30, seed=3, start=1.3),
    )
    (state,) = tracker.states()
    assert state.identity == "mmsi:463012345"
    assert state.odds > 1000
    assert state.sources == ("radar", "radar-2", "rx")
    fixes = tracker.fixes(state.subject)
    assert Counter(f.source for f in fixes) == {"rx": 30, "radar": 100, "radar-2": 100}
    assert Counter(f.subject for f in fixes) == {"mmsi:463012345": 30, "": 200}
    assert {f.record for f in fixes if f.record} == {
        RecordRef("a" * 64, 1000 * seed + k)
        for seed, n in ((1, 30), (2, 100), (3, 100))
        for k in range(n)
    }


def test_a_radar_track_takes_the_name_of_a_transponder_switched_on() -> None:
    tracker = Tracker([RADAR])
    run(
        tracker,
        sailed("plot:1", 45, 10, 400, seed=2),
        sailed("mmsi:1", 45, 10, 200, every=10, source="rx", error=5, start=200, told=True),
    )
    (state,) = tracker.states()
    assert state.identity == "mmsi:1"
    assert state.born == T0


def test_two_that_begin_apart_become_one_when_they_are_long_alike() -> None:
    """A radar that is wrong by more than its error at first, and settles."""
    tracker = Tracker([RADAR], lag_s=5.0)
    plots = sailed("plot:1", 90, 12, 60, seed=2, at=(LAT + 0.004, LON))
    plots += sailed("plot:1", 90, 12, 240, seed=3, start=60, at=(LAT, LON))
    ais = sailed("mmsi:1", 90, 12, 300, every=10, source="rx", error=5, told=True)
    run(tracker, plots, ais)
    (state,) = tracker.states()
    assert state.identity == "mmsi:1"


def test_two_hulls_under_one_mmsi_are_two_tracks() -> None:
    tracker = Tracker()
    run(
        tracker,
        sailed("mmsi:1", 90, 10, 300, every=10, source="rx", error=5),
        sailed("mmsi:1", 0, 8, 300, every=10, source="rx", error=5, at=(24.9, 67.0), start=4),
    )
    states = list(tracker.states())
    assert [s.identity for s in states] == ["mmsi:1", "mmsi:1"]
    assert all(s.hits == 30 for s in states)


@pytest.mark.parametrize("silent", [10.0, 40.0])
def test_one_hull_that_changes_its_mmsi_stays_one_track(silent: float) -> None:
    """The new name comes at once, or after a silence."""
    tracker = Tracker(lag_s=5.0)
    run(
        tracker,
        sailed("mmsi:1", 90, 10, 300, every=10, source="rx", error=5, told=True),
        sailed(
            "mmsi:2", 90, 10, 300, every=10, source="rx", error=5, told=True, start=290 + silent
        ),
    )
    (state,) = tracker.states()
    assert state.identity == "mmsi:2"
    assert state.born == T0
    assert [e.subject for e in state.evidence] == ["mmsi:2", "mmsi:1"]
    assert {f.subject for f in tracker.fixes(state.subject)} == {"mmsi:1", "mmsi:2"}


def test_two_that_lie_alongside_stay_two() -> None:
    """Both speak all the time: whatever the place says, they are two."""
    tracker = Tracker([RADAR])
    run(
        tracker,
        sailed("mmsi:1", 90, 5, 600, every=10, source="rx", error=5, told=True),
        sailed("mmsi:2", 90, 5, 600, every=10, source="rx-2", error=5, told=True, start=5, seed=2),
        sailed("plot:1", 90, 5, 600, seed=3),
    )
    assert sorted(s.identity for s in tracker.states()) == ["mmsi:1", "mmsi:2"]


def test_a_name_that_jumps_and_comes_back_leaves_its_craft_where_it_is() -> None:
    tracker = Tracker()
    ais = sailed("mmsi:1", 90, 10, 300, every=10, source="rx", error=5)
    wrong = Position(ais[15].at + timedelta(seconds=5), "rx", "mmsi:1", 10.0, 40.0, kind="vessel")
    run(tracker, ais, [wrong])
    (state,) = tracker.states()
    assert state.hits == 30
    assert len(tracker.states(tentative=True)) == 2


def test_a_vessel_silent_for_hours_is_the_same_when_it_speaks_again() -> None:
    tracker = Tracker(lag_s=5.0)
    run(tracker, sailed("mmsi:1", 90, 10, 200, every=10, source="rx", error=5, told=True))
    (before,) = tracker.states()
    later = sailed("mmsi:1", 40, 9, 60, every=10, source="rx", error=5, start=3 * 3600)
    run(tracker, later)
    (state,) = tracker.states()
    assert state.subject == before.subject
    assert distance_m(later[-1].lat, later[-1].lon, state.lat, state.lon) < 100


def test_a_radar_that_numbers_its_tracks_anew_keeps_one_track() -> None:
    tracker = Tracker([RADAR])
    run(
        tracker,
        sailed("radar:R/7", 90, 12, 150),
        sailed("radar:R/8", 90, 12, 150, start=165, seed=2),
    )
    (state,) = tracker.states()
    assert state.identity == ""
    assert {e.subject for e in state.evidence} == {"radar:R/7", "radar:R/8"}


def test_a_walker_trips_sensors_along_the_line() -> None:
    """Five sensors 60 m apart, a minute from one to the next; each tells its own place."""
    tracker = Tracker()
    trips = []
    for k in range(5):
        lat, lon = destination(31.6, 74.6, 10, 60.0 * k)
        at = T0 + timedelta(seconds=60 * k)
        trips.append(
            Position(at, "gateway", f"sensor:{k}", lat, lon, accuracy_m=15.0, kind="person")
        )
    run(tracker, trips)
    (state,) = tracker.states()
    assert state.kind == "person"
    assert state.speed_kn == pytest.approx(60 / 60 * 3600 / 1852, rel=0.4)
    assert [f.subject for f in tracker.fixes(state.subject)] == [f"sensor:{k}" for k in range(5)]


def test_a_vehicle_is_never_a_vessel() -> None:
    tracker = Tracker()
    run(
        tracker,
        sailed("mmsi:1", 90, 10, 100, every=10, source="rx", error=5),
        sailed("vehicle:A", 90, 10, 100, every=10, source="cam", error=5, kind="vehicle", start=5),
    )
    assert {s.kind for s in tracker.states()} == {"vessel", "vehicle"}


def test_the_same_transmission_by_two_receivers_counts_once() -> None:
    tracker = Tracker()
    ais = sailed("mmsi:1", 90, 10, 300, every=10, source="rx", error=5)
    again = [
        Position(p.at + timedelta(seconds=0.8), "rx-2", p.subject, p.lat, p.lon, kind="vessel")
        for p in ais
    ]
    run(tracker, ais, again)
    (state,) = tracker.states()
    assert state.hits == 30
    assert state.sources == ("rx", "rx-2")
    assert tracker.tick().doubled == 30
