"""Trips of ground sensors: a party, a dog, the wind, a patrol."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from cordon.kernel.clock import format_time
from cordon.kernel.geo import destination
from cordon.picture import Tracks
from cordon.picture.behaviours import sensor_trip
from cordon.picture.model import Position

NIGHT = 11 * 60  # minutes from 06:00 UTC; dark at 66 E
HOME = (31.0, 66.0)


def run(positions, **values):
    tracks = Tracks.build(positions)
    found = sensor_trip.find(tracks, [], sensor_trip.CARD.values(values))
    return sorted(found, key=lambda f: (f.start, f.subjects))


@pytest.fixture
def trip(t0):
    """`trip(3, minute, kind)`: sensor 3 of a string 200 m apart trips."""

    def made(sensor: int, minute: float, kind: str = "person") -> Position:
        lat, lon = destination(*HOME, 0.0, 200.0 * sensor)
        at = t0 + timedelta(minutes=NIGHT + minute)
        return Position(at, "UGS", f"sensor:S{sensor}", lat, lon, kind=kind, accuracy_m=15)

    return made


def party(trip, begin=0.0, sensors=5, pace_min=2.8, kind="unknown"):
    return [
        trip(n, begin + n * pace_min + extra, kind) for n in range(sensors) for extra in (0.0, 0.6)
    ]


def test_what_the_sensor_takes_for_somebody_is_told(trip) -> None:
    (found,) = run([trip(1, 0), trip(1, 1)])
    assert found.subjects == ("sensor:S1",)
    assert "tripped 2 times by person" in found.reasons[0].says
    assert found.end - found.start == timedelta(minutes=1)
    assert run([trip(1, 0, "unknown")]) == []  # a dog, most likely


def test_a_party_along_the_string_is_told_by_every_sensor(trip) -> None:
    found = run(party(trip))
    assert [f.subjects[0] for f in found] == [f"sensor:S{n}" for n in range(5)]
    assert found[0].reasons[0].name == "chain"
    assert found[0].reasons[0].value == 5
    assert "4.3 km/h" in found[0].reasons[0].says
    assert len(run(party(trip, sensors=2))) == 2


def test_every_trip_names_all_sensors_of_the_party_and_two_parties_stay_two(trip) -> None:
    first, second = party(trip), party(trip, begin=90.0, sensors=3)
    found = run(first + second)
    assert len(found) == 8
    # a finding still answers for its own sensor alone
    assert all(len(f.subjects) == 1 for f in found)
    named = [[one["subject"] for one in f.extra["passing"]] for f in found]
    assert (
        named == [[f"sensor:S{n}" for n in range(5)]] * 5 + [[f"sensor:S{n}" for n in range(3)]] * 3
    )
    assert found[0].reasons[0].says.endswith("km/h: S0, S1, S2, S3, S4.")
    assert found[0].extra["passing"][0]["start"] == format_time(found[0].start)
    (alone,) = run([trip(1, 0), trip(1, 1)])
    assert alone.extra == {}


def test_wind_trips_in_any_order_and_tells_nothing(trip) -> None:
    chance = random.Random(8)
    wind = [trip(chance.randrange(6), chance.uniform(0, 90), "unknown") for _ in range(70)]
    assert len(run(wind)) <= 3
    restless = [trip(2, 4 * n) for n in range(20)]  # a worn battery believes in persons
    assert run(restless) == []


def test_an_own_unit_near_explains_it(trip, voyage, t0) -> None:
    there = destination(*HOME, 90.0, 300.0)
    patrol = voyage("unit:P1", there, [60.0], start_min=NIGHT - 20, kind="person", every_s=240)
    assert run([*party(trip), *patrol]) == []
    # it passes between two reports, and was by ten minutes before
    ends = destination(*HOME, 180.0, 4000.0), destination(*HOME, 0.0, 5000.0)
    drive = voyage("unit:V1", ends[0], [(*ends[1], 25)], start_min=NIGHT - 8, kind="vehicle",
                   every_s=300)  # fmt: skip
    assert run([*party(trip), *drive]) == []
    far = destination(*HOME, 90.0, 9000.0)
    elsewhere = voyage("unit:P1", far, [60.0], start_min=NIGHT - 20, kind="person")
    assert len(run([*party(trip), *elsewhere])) == 5
    # one that comes an hour later to look explains nothing
    late = voyage("unit:P1", there, [30.0], start_min=NIGHT + 60, kind="person")
    assert len(run([*party(trip), *late])) == 5


def test_a_stray_trip_before_does_not_break_the_chain(trip) -> None:
    # sensor 2 tripped before, from where the way to sensor 1 would turn back on itself
    stray = [trip(2, -4, "unknown")]
    found = run(stray + party(trip))
    assert [f.reasons[0].value for f in found if f.subjects[0] != "sensor:S2"] == [5] * 4


def test_a_unit_that_reports_on_is_where_it_says(trip, voyage) -> None:
    # it stays two kilometres off, and says so every two minutes: it did not walk here and back
    post = destination(*HOME, 90.0, 2000.0)
    stays = {"start_min": NIGHT - 40, "kind": "person"}
    assert len(run([*party(trip), *voyage("unit:P1", post, [90.0], every_s=120, **stays)])) == 5
    # one that was heard there ten minutes before, and not since, may have
    gone = voyage("unit:P1", post, [28.0], every_s=120, **stays)
    assert len(run([*party(trip), *gone])) < 5


def test_an_own_drone_overhead_explains_nothing(trip, voyage) -> None:
    ends = destination(*HOME, 180.0, 9000.0), destination(*HOME, 0.0, 9000.0)
    flight = voyage("unit:UAV-1", ends[0], [(*ends[1], 50)], start_min=NIGHT - 5, kind="aircraft",
                    every_s=20)  # fmt: skip
    assert len(run([*party(trip), *flight])) == 5


def test_a_path_in_use_is_no_news_by_day_and_a_party_by_night_is(trip, t0) -> None:
    day = [trip(n, -640 + hour * 40, "person") for hour in range(8) for n in (1, 2)]
    assert run(day) == []
    assert len(run(day + party(trip))) == 5


def test_others_that_move_are_no_sensors(voyage) -> None:
    assert run(voyage("person:1", HOME, [(31.1, 66.0, 3)], kind="person")) == []
