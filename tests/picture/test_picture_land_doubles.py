"""One mover on land whom several eyes see: what he says of himself, and a radar's track of him."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from cordon.picture import Tracks, zones_of
from cordon.picture.behaviours import (
    border_crossing,
    loitering,
    repeated_crossing,
    zone_dwell,
    zone_entry,
    zone_exit,
)
from cordon.picture.shared.doubles import same_hull_of

LINE = [[66.0, 30.0], [67.0, 30.0]]
BOX = (66.45, 29.9, 66.55, 29.98)
OVER = ((30.05, 66.5), [(29.95, 66.5, 20.0)])
NIGHT = 11 * 60


def border(**properties):
    feature = {
        "type": "Feature",
        "properties": {"id": "B", "name": "the line", "kind": "border", **properties},
        "geometry": {"type": "LineString", "coordinates": LINE},
    }
    return zones_of({"type": "FeatureCollection", "features": [feature]})


def run(module, positions, zones):
    found = module.find(Tracks.build(positions), zones, module.CARD.values())
    return sorted(found, key=lambda f: (f.start, f.subjects))


@pytest.fixture
def truck(voyage):
    """`truck(begin, legs)`: a lorry's own tracker, every two minutes."""

    def made(begin, legs, subject="vehicle:TR-1", **more):
        more = {"kind": "vehicle", "every_s": 120, **more}
        return voyage(subject, begin, legs, **more)

    return made


@pytest.fixture
def radar(voyage):
    """`radar(begin, legs)`: a ground radar's track of whoever goes so."""

    def made(begin, legs, subject="radar:GR-1/7", kind="unknown", **more):
        more = {"every_s": 10, "error_m": 25.0, "told": False, **more}
        track = voyage(subject, begin, legs, kind=kind, **more)
        return [replace(p, source="GR-1") for p in track]

    return made


def test_a_vehicle_that_names_itself_and_the_radars_track_of_it_cross_once(truck, radar) -> None:
    one, echo = truck(*OVER), radar(*OVER)
    (found,) = run(border_crossing, one + echo, border())
    assert found.subjects == ("radar:GR-1/7", "vehicle:TR-1", "zone:B")
    # a camera's track of a part of it too, and a track that broke and began anew
    half = len(echo) // 2
    broken = echo[:half] + [replace(p, subject="radar:GR-1/8") for p in echo[half + 3 :]]
    camera = [replace(p, subject="track:CAM-1/3", source="CAM-1") for p in echo[half - 60 :]]
    assert len(run(border_crossing, one + broken + camera, border())) == 1
    # another lorry half an hour later is another
    later = [replace(p, at=p.at + timedelta(minutes=30), subject="vehicle:TR-2") for p in one]
    assert len(run(border_crossing, one + echo + later, border())) == 2


def test_two_vehicles_of_which_one_names_itself_are_two(truck, radar) -> None:
    # the second drives 135 m beside the first, and the radar sees both
    one, echo = truck(*OVER), radar(*OVER)
    beside = radar((30.05, 66.5014), [(29.95, 66.5014, 20.0)], subject="radar:GR-1/8")
    found = run(border_crossing, one + echo + beside, border())
    assert sorted(f.subjects for f in found) == [
        ("radar:GR-1/7", "vehicle:TR-1", "zone:B"),
        ("radar:GR-1/8", "zone:B"),
    ]


def test_an_own_units_echo_is_no_stranger(truck, radar) -> None:
    unit = truck(*OVER, subject="unit:VP-1")
    assert run(border_crossing, unit + radar(*OVER), border()) == []
    may = border(allowed=["vehicle:TR-1"])
    assert run(border_crossing, truck(*OVER) + radar(*OVER), may) == []


def test_who_passes_an_own_post_is_a_stranger(truck, radar) -> None:
    # the post stands 100 m beside his way; the radar saw him for 600 m of it
    way = (30.0027, 66.5), [(29.9973, 66.5, 3.0)]
    post = truck((30.0, 66.501), [240.0], subject="unit:OP-1", kind="person", start_min=-60)
    assert len(run(border_crossing, post + radar(*way, kind="person"), border())) == 1
    # nor is it he who comes, meets somebody for some minutes, and goes on
    legs = [(30.0, 66.52, 3.0), 15.0, (29.97, 66.52, 3.0)]
    meets = radar((30.03, 66.52), legs, kind="person")
    waits = truck((30.0, 66.5205), [400.0], subject="vehicle:TR-9", start_min=-60)
    tracks = Tracks.build(meets + waits)
    assert same_hull_of(tracks).tolist() == [0, 1]


@pytest.mark.parametrize("module", [zone_entry, zone_exit, zone_dwell])
def test_a_vehicle_and_its_echo_visit_a_zone_once(module, truck, radar, area) -> None:
    legs = [(29.94, 66.5, 15.0), 90.0, (30.02, 66.5, 15.0)]
    zone = area("z", "restricted", *BOX, watch_dwell=True, dwell_min=60)
    one, echo = truck((30.02, 66.5), legs), radar((30.02, 66.5), legs)
    (found,) = run(module, one + echo, [zone])
    assert found.subjects == ("radar:GR-1/7", "vehicle:TR-1", "zone:z")
    unit = [replace(p, subject="unit:VP-1") for p in one]
    assert run(module, unit + echo, [zone]) == []


def test_a_vehicle_and_its_echo_hang_about_once(truck, radar) -> None:
    legs = [(30.004, 66.5, 15.0), 90.0, (30.05, 66.5, 15.0)]
    one = truck((30.05, 66.5), legs, start_min=NIGHT)
    echo = radar((30.05, 66.5), legs, start_min=NIGHT)
    (found,) = run(loitering, one + echo, border())
    assert found.subjects == ("radar:GR-1/7", "vehicle:TR-1")
    unit = [replace(p, subject="unit:VP-1") for p in one]
    assert run(loitering, unit + echo, border()) == []


def test_own_patrols_echoes_are_no_repeated_crossings(truck, radar) -> None:
    tracks = []
    for n in range(5):
        start = NIGHT + n * 1440
        tracks += truck(*OVER, subject="unit:VP-1", start_min=start)
        tracks += radar(*OVER, subject=f"radar:GR-1/{n}", start_min=start)
    assert run(repeated_crossing, tracks, border()) == []
    strangers = [p for p in tracks if p.subject.startswith("radar:")]
    assert len(run(repeated_crossing, strangers, border())) == 1
