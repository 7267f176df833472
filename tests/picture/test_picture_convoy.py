"""Company on the way: a column, a flotilla, and traffic that only looks so."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

import pytest

from cordon.picture import Tracks
from cordon.picture.behaviours import convoy

ROAD = [(31.0, 66.0), (31.03, 66.1), (31.0, 66.2), (31.05, 66.3), (31.02, 66.45)]


def run(positions, **values):
    tracks = Tracks.build(positions)
    found = convoy.find(tracks, [], convoy.CARD.values(values))
    return sorted(found, key=lambda f: f.start)


@pytest.fixture
def drive(voyage):
    """A vehicle along the road: `drive("vehicle:1", kn=15, start_min=0)`."""

    def made(subject, *, kn=15.0, start_min=0.0, every_s=60.0, stop=None, **more):
        legs = [(*spot, kn) for spot in ROAD[1:]]
        if stop is not None:
            legs.insert(stop, 25.0)
        return voyage(subject, ROAD[0], legs, kind="vehicle", start_min=start_min,
                      every_s=every_s, **more)  # fmt: skip

    return made


def column(drive, count=3, lag_min=0.4, **more):
    return [p for n in range(count) for p in drive(f"vehicle:{n}", start_min=lag_min * n, **more)]


def test_a_column_is_told_with_all_its_members(drive) -> None:
    (found,) = run(column(drive))
    assert found.subjects == ("vehicle:0", "vehicle:1", "vehicle:2")
    assert found.reasons[0].value == 3
    minutes = (found.end - found.start).total_seconds() / 60
    assert minutes == pytest.approx(95, abs=8)
    assert 40 < found.reasons[2].value < 48


def test_vehicles_that_report_seldom_keep_company_too(drive) -> None:
    (found,) = run(column(drive, every_s=420))
    assert len(found.subjects) == 3


def test_a_stop_together_is_one_journey(drive) -> None:
    found = run(column(drive, stop=2))
    assert [len(f.subjects) for f in found] == [3, 3] or len(found) == 1


def test_two_alone_need_longer_and_closer(drive) -> None:
    assert len(run(column(drive, 2))) == 1
    assert run(column(drive, 2), land_min=60) == []
    # half a minute apart at first, and apart by more and more
    loose = drive("vehicle:1") + drive("vehicle:2", kn=15.9, start_min=0.5)
    assert run(loose) == []


def test_traffic_on_a_busy_road_is_no_convoy(drive) -> None:
    chance = random.Random(4)
    traffic = [
        p
        for n in range(80)
        for p in drive(f"vehicle:{n}", kn=chance.uniform(12, 30), start_min=chance.uniform(0, 240))
    ]
    assert len(run(traffic)) <= 1
    assert any(set(f.subjects) >= {"vehicle:900", "vehicle:901", "vehicle:902"} for f in run(
        traffic
        + [
            p
            for n in range(3)
            for p in drive(f"vehicle:{900 + n}", kn=18, start_min=100 + 0.3 * n)
        ]
    ))  # fmt: skip


def test_herds_walkers_tugs_and_opposite_ways_are_none(drive, voyage, sail) -> None:
    herd = [
        p
        for n in range(5)
        for p in voyage(f"track:{n}", (31.0, 66.0 + n / 1e4), [(31.1, 66.0, 2.5)], kind="person")
    ]
    assert run(herd) == []
    tow = sail("mmsi:463000001", 24.5, 66.2, 90, 8, 300, ship_type="52")
    tow += sail("mmsi:463000002", 24.5, 66.203, 90, 8, 300, ship_type="70")
    assert run(tow) == []
    back = [replace(p, subject="vehicle:9") for p in drive("vehicle:1")]
    middle = back[0].at + timedelta(minutes=95)
    back = [replace(p, at=middle - (p.at - back[0].at)) for p in back]
    assert run(drive("vehicle:1") + back) == []


def test_a_flotilla_at_sea(sail) -> None:
    boats = [
        p
        for n in range(4)
        for p in sail(f"mmsi:46300000{n}", 24.5 + n / 500, 66.2 - n / 400, 90, 10, 150, seed=n)
    ]
    (found,) = run(boats)
    assert len(found.subjects) == 4
    assert found.reasons[1].name == "sea_min"


def test_one_ship_on_ais_and_radar_is_no_company(sail) -> None:
    ship = sail("mmsi:463000001", 24.5, 66.2, 90, 10, 300)
    echo = [replace(p, subject="radar:R/7", lat=p.lat + 4e-4) for p in ship]
    assert run(ship + echo) == []
    mate = sail("mmsi:463000002", 24.503, 66.2, 90, 10, 300, seed=4)
    third = sail("mmsi:463000003", 24.497, 66.2, 90, 10, 300, seed=5)
    (found,) = run(ship + echo + mate + third)
    assert found.reasons[0].value == 3
    assert "radar:R/7" in found.subjects


def test_boats_without_a_set_beside_one_that_has_one(sail) -> None:
    ship = sail("mmsi:463000001", 24.5, 66.2, 90, 10, 150)
    # one radar gives one hull one number at a time: of two beside the ship one is another's
    one = sail("radar:R/7", 24.5027, 66.2, 90, 10, 150, seed=3)
    two = sail("radar:R/9", 24.4968, 66.2, 90, 10, 150, seed=4)
    (found,) = run(ship + one + two)
    assert found.subjects == ("mmsi:463000001", "radar:R/7", "radar:R/9")
    assert found.reasons[0].value == 2  # the ship is seen by the radar too, for all it tells
    assert run(ship + one) == []


def test_the_id_stays_when_it_goes_on_and_when_others_join(drive, t0) -> None:
    whole = column(drive)
    early = [p for p in whole if p.at < t0 + timedelta(minutes=60)]
    (found,), (first,) = run(whole), run(early)
    assert found.id == first.id
    late = [p for p in drive("vehicle:7", start_min=1.2) if p.at > t0 + timedelta(minutes=50)]
    (grown,) = run(whole + late)
    assert grown.id == found.id
    assert len(grown.subjects) == 4
