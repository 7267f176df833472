"""Aircraft over a border: drones by name or by speed, one finding a flight."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cordon.picture import Tracks, zones_of
from cordon.picture.behaviours import drone_crossing

LINE = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {"id": "B", "name": "B", "kind": "border"},
            "geometry": {"type": "LineString", "coordinates": [[66.0, 30.0], [67.0, 30.0]]},
        }
    ],
}


def run(positions, **values):
    tracks = Tracks.build(positions)
    found = drone_crossing.find(tracks, zones_of(LINE), drone_crossing.CARD.values(values))
    return sorted(found, key=lambda f: f.start)


@pytest.fixture
def fly(voyage):
    def flight(subject, legs, *, begin=(30.02, 66.5), **more):
        return voyage(subject, begin, legs, kind="aircraft", every_s=5, **more)

    return flight


def test_over_and_back_is_one_flight(fly) -> None:
    (found,) = run(fly("drone:1", [(29.98, 66.5, 25), (30.02, 66.5, 25)]))
    assert found.subjects == ("drone:1", "zone:B")
    assert "1 time more" in found.reasons[0].says
    later = fly("drone:1", [(29.98, 66.5, 25)], start_min=180)
    assert len(run(fly("drone:1", [(29.98, 66.5, 25), (30.02, 66.5, 25)]) + later)) == 2


def test_who_is_as_slow_as_a_drone_counts_and_who_flies_fast_does_not(fly) -> None:
    assert len(run(fly("track:9", [(29.98, 66.5, 40)]))) == 1
    assert run(fly("track:9", [(29.0, 66.5, 300)], begin=(31.0, 66.5))) == []
    assert len(run(fly("drone:9", [(29.0, 66.5, 300)], begin=(31.0, 66.5)))) == 1


def test_own_aircraft_walkers_and_who_stays_on_this_side_do_not(fly) -> None:
    assert run(fly("unit:UAV-1", [(29.98, 66.5, 25)])) == []
    assert run([replace(p, kind="person") for p in fly("track:1", [(29.98, 66.5, 2)])]) == []
    assert run(fly("drone:1", [(30.0003, 66.5, 25), (30.0003, 66.6, 25)])) == []
