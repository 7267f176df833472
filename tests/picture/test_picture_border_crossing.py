"""Passages over a border: who crosses, who only goes along, who goes by a gate."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cordon.kernel.errors import BadInput
from cordon.picture import Tracks, zones_of
from cordon.picture.behaviours import border_crossing, repeated_crossing

LINE = [[66.0, 30.0], [66.5, 30.01], [67.0, 30.0]]  # eastward: north is its left


def zones(*more, line=LINE, **properties):
    features = [("B", "border", "LineString", line, properties), *more]
    return zones_of(
        {
            "type": "FeatureCollection",
            "features": [
                {
                    "type": "Feature",
                    "properties": {"id": id_, "name": f"the {id_}", "kind": kind, **rest},
                    "geometry": {"type": type_, "coordinates": held},
                }
                for id_, kind, type_, held, rest in features
            ],
        }
    )


GATE = ("G", "official_crossing", "Point", [66.3, 30.006], {"radius_m": 300})


def run(positions, area, module=border_crossing, **values):
    tracks = Tracks.build(positions)
    found = module.find(tracks, area, module.CARD.values(values))
    return sorted(found, key=lambda f: (f.start, f.subjects))


@pytest.fixture
def walk(voyage):
    def walker(subject, lon, *, kn=2.5, start_min=0.0, north=True, every_s=60.0, **more):
        begin, end = (30.03, 29.98) if north else (29.98, 30.03)
        return voyage(
            subject, (begin, lon), [(end, lon, kn)], kind="person", start_min=start_min,
            every_s=every_s, **more,
        )  # fmt: skip

    return walker


def test_who_crosses_is_told_with_its_direction(walk, t0) -> None:
    (found,) = run(walk("person:1", 66.5), zones(GATE, left="Northland", right="Southland"))
    assert found.subjects == ("person:1", "zone:B")
    assert found.place["coordinates"] == pytest.approx([66.5, 30.01], abs=1e-3)
    assert "from Northland to Southland" in found.reasons[0].says
    assert (found.start - t0).total_seconds() / 60 == pytest.approx(28.8, abs=1.5)
    assert found.end > found.start
    (back,) = run(walk("person:1", 66.5, north=False), zones())
    assert "from its right to its left" in back.reasons[0].says


def test_who_goes_along_the_line_and_jitters_over_it_has_not_crossed(voyage) -> None:
    track = voyage("person:1", (30.0003, 66.02), [(30.0099, 66.5, 2.5)], kind="person", error_m=25)
    line = zones(line=[[66.0, 30.0], [66.5, 30.01]])
    assert len({p.lat > 30.0 + (p.lon - 66.0) * 0.02 for p in track}) == 2  # on both sides of it
    assert run(track, line) == []
    # and what reports how wrong it may be is believed
    wide = [replace(p, accuracy_m=400) for p in track]
    assert run(wide, line) == []


def test_a_rough_eye_needs_more_room(walk) -> None:
    track = [replace(p, accuracy_m=100) for p in walk("radar:R/1", 66.5)]
    (found,) = run(track, zones())
    assert next(r for r in found.reasons if r.name == "least_swing_m").value == 200


def test_there_and_back_is_two_crossings_and_a_step_over_is_none(voyage, t0) -> None:
    legs = [(29.99, 66.5, 2.5), 30.0, (30.03, 66.5, 2.5)]
    found = run(voyage("person:1", (30.03, 66.5), legs, kind="person"), zones())
    assert [f.reasons[0].says.split(" from ")[1][:8] for f in found] == ["its left", "its righ"]
    step = voyage("person:1", (30.02, 66.5), [(30.0098, 66.5, 2), (30.02, 66.5, 2)], kind="person")
    assert run(step, zones()) == []


def test_a_crossing_between_two_reports_is_seen(voyage) -> None:
    legs = [(29.6, 66.9, 30)]
    track = voyage("vehicle:1", (30.4, 66.9), legs, kind="vehicle", every_s=600)
    assert min(abs(p.lat - 30.002) for p in track) > 0.01
    assert len(run(track, zones())) == 1


def test_by_an_official_crossing_nothing_is_told(walk) -> None:
    assert run(walk("vehicle:1", 66.3, kn=15), zones(GATE)) == []
    assert len(run(walk("vehicle:1", 66.3, kn=15), zones())) == 1
    # 2 km beside it
    assert len(run(walk("person:1", 66.32), zones(GATE))) == 1


def test_a_silence_in_which_the_gate_could_be_reached_tells_nothing(voyage) -> None:
    legs = [(30.02, 66.5, 30), 40.0, (29.8, 66.5, 30)]
    track = voyage("vehicle:1", (30.2, 66.5), legs, kind="vehicle", every_s=20)
    # 16 nm in an hour and more; by the gate it would be 26, at 30 kn
    silent = [p for p in track if not 29.87 < p.lat < 30.14]
    assert run(silent, zones(GATE)) == []
    assert len(run(track, zones(GATE))) == 1
    brief = [p for p in track if not 29.99 < p.lat < 30.015]
    assert len(run(brief, zones(GATE))) == 1


def test_own_units_sensors_and_aircraft_do_not_count(walk) -> None:
    for subject in ("unit:P1", "sensor:7", "drone:3"):
        assert run(walk(subject, 66.5), zones()) == []
    flight = [replace(p, kind="aircraft") for p in walk("track:1", 66.5)]
    assert run(flight, zones()) == []
    assert run(walk("person:1", 66.5), zones(allowed=["person:1"])) == []


def test_at_sea_a_lane_is_an_ordinary_way_and_on_land_a_road_is_not(walk) -> None:
    lane = ("L", "lane", "LineString", [[66.5, 29.9], [66.5, 30.1]], {})
    ship = [replace(p, kind="vessel") for p in walk("mmsi:463000001", 66.5, kn=10)]
    assert run(ship, zones(lane)) == []
    assert len(run(ship, zones())) == 1
    assert len(run(walk("vehicle:1", 66.5, kn=10), zones(lane))) == 1


def test_where_many_pass_in_most_hours_one_more_says_nothing(walk) -> None:
    road = [
        p
        for hour in range(24)
        for p in walk(f"vehicle:{hour}", 66.5, kn=20, start_min=hour * 60, every_s=40)
    ]
    away = walk("person:900", 66.8, start_min=300)
    assert [f.subjects[0] for f in run(road + away, zones())] == ["person:900"]
    # a party of many in one hour is no road
    party = [p for n in range(12) for p in walk(f"person:{n}", 66.5 + n / 1e4)]
    assert len(run(party, zones())) == 12


def test_a_path_that_many_take_by_night_is_no_common_one(walk) -> None:
    # 66.5 E: dark from 14 to 1 UTC in March; the data begin at 6 UTC
    night = [p for hour in range(9, 19) for p in walk(f"person:{hour}", 66.5, start_min=hour * 60)]
    assert len(run(night, zones())) == 10


def test_an_area_has_an_outline_that_is_crossed_in_and_out(walk) -> None:
    box = zones(line=LINE)[:0] + zones_of(
        {
            "type": "FeatureCollection",
            "features": [
                {
                    "type": "Feature",
                    "properties": {"id": "B", "name": "B", "kind": "border"},
                    "geometry": {
                        "type": "Polygon",
                        # clockwise, against RFC 7946: what is inside stays inside
                        "coordinates": [[[66, 29], [66, 30], [67, 30], [67, 29], [66, 29]]],
                    },
                }
            ],
        }
    )
    (found,) = run(walk("person:1", 66.5), box)
    assert "into it" in found.reasons[0].says


def test_two_eyes_of_one_walker_make_one_finding(walk) -> None:
    one = walk("track:C/1", 66.5, every_s=20)
    two = [replace(p, subject="radar:R/9", lat=p.lat + 2e-4) for p in one[::2]]
    (found,) = run(one + two, zones())
    assert found.subjects == ("radar:R/9", "track:C/1", "zone:B")
    # a vehicle's own number beside another's is two vehicles
    cars = [replace(p, subject=f"vehicle:{s}") for s in (1, 2) for p in one]
    assert len(run(cars, zones())) == 2


def test_a_parameter_that_a_border_sets_wrongly_is_refused(walk) -> None:
    with pytest.raises(BadInput, match="least_swing_m"):
        run(walk("person:1", 66.5), zones(least_swing_m="far"))


def test_across_the_antimeridian(sail) -> None:
    line = zones(line=[[179.99, -1], [179.99, 1]])
    ship = sail("mmsi:463000001", 0.0, -179.97, 270, 12, 60)
    (found,) = run(ship, line)
    assert found.place["coordinates"][0] == pytest.approx(179.99, abs=1e-3)


# --- again and again by night ---------------------------------------------------------------


NIGHT = 10 * 60  # minutes from 06:00 to 16:00 UTC, after dark at 66 E


def nights(walk, lon, days, **more):
    return [
        p
        for n, day in enumerate(days)
        for p in walk(f"person:{100 + n}", lon, start_min=NIGHT + day * 1440 + 17 * n, **more)
    ]


def test_the_same_place_night_after_night_is_told(walk) -> None:
    again = nights(walk, 66.7, (0, 2, 3))
    others = [
        p
        for n, lon in enumerate((66.05, 66.2, 66.4, 66.9))
        for p in walk(f"person:{n}", lon, start_min=NIGHT + n * 1440)
    ]
    (found,) = run(again + others, zones(), repeated_crossing)
    assert found.subjects == ("person:100", "person:101", "person:102", "zone:B")
    assert found.place["coordinates"] == pytest.approx([66.7, 30.006], abs=0.002)
    assert found.reasons[0].value == 3
    # one more night, and it is the same finding, grown
    (grown,) = run(
        again + nights(walk, 66.7, (0, 2, 3, 5))[-40:] + others, zones(), repeated_crossing
    )
    assert grown.id == found.id
    assert grown.end > found.end


def test_by_day_or_twice_or_by_a_gate_it_is_none(walk) -> None:
    day = [p for n in range(4) for p in walk(f"person:{n}", 66.7, start_min=n * 1440)]
    assert run(day, zones(), repeated_crossing) == []
    assert run(nights(walk, 66.7, (0, 2)), zones(), repeated_crossing) == []
    assert run(nights(walk, 66.3, (0, 2, 3)), zones(GATE), repeated_crossing) == []
    party = [p for n in range(5) for p in walk(f"person:{n}", 66.7, start_min=NIGHT + n)]
    assert run(party, zones(), repeated_crossing) == []  # one party, once


def test_one_who_passed_by_day_makes_no_path(walk) -> None:
    times = [p for n in range(6) for p in walk(f"person:{100 + n}", 66.7, start_min=NIGHT + 70 * n)]
    by_day = walk("person:1", 66.7, start_min=60)
    elsewhere = [
        p
        for n in range(10)
        for p in walk(f"person:{200 + n}", 66.02 + 0.06 * n, start_min=NIGHT + 60 * n)
    ]
    (found,) = run(times + by_day + elsewhere, zones(), repeated_crossing)
    assert found.reasons[0].value == 6
    assert next(r for r in found.reasons if r.name == "by_day").value == 1


def test_a_path_in_use_all_day_is_passed_by_night_too(walk) -> None:
    day = [
        p
        for n in range(40)
        for p in walk(f"person:{n}", 66.7, start_min=(n % 4) * 1440 + (n // 4) * 45)
    ]
    assert run(nights(walk, 66.7, (0, 2, 3)) + day, zones(), repeated_crossing) == []


def test_a_craft_that_names_itself_and_a_radar_sees_crosses_once(voyage) -> None:
    way = ((30.05, 66.5), [(29.9, 66.5, 12.0)])
    ais = voyage("mmsi:463000001", *way)
    radar = [
        replace(p, source="radar X")
        for p in voyage("radar:X/5", *way, every_s=20, error_m=30.0, kind="unknown")
    ]
    (found,) = run(ais + radar, zones())
    assert found.subjects == ("mmsi:463000001", "radar:X/5", "zone:B")
    two = voyage("mmsi:463000002", (30.05, 66.6), [(29.9, 66.6, 12.0)])
    assert len(run(ais + radar + two, zones())) == 2
