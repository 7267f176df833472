"""Each behaviour over tracks made by hand: the guilty, and the innocent that look alike."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from cordon.kernel.errors import BadInput
from cordon.kernel.geo import destination
from cordon.picture import Tracks, zones_of
from cordon.picture.behaviours import behaviours, gap, impossible_move, zone_entry

BOX = (66.4, 24.4, 66.6, 24.6)  # west, south, east, north


def zone(id_="z", kind="restricted", box=BOX, **properties):
    w, s, e, n = box
    return zones_of(
        {
            "type": "FeatureCollection",
            "features": [
                {
                    "type": "Feature",
                    "properties": {"id": id_, "name": id_.upper(), "kind": kind, **properties},
                    "geometry": {
                        "type": "Polygon",
                        "coordinates": [[[w, s], [e, s], [e, n], [w, n], [w, s]]],
                    },
                }
            ],
        }
    )[0]


def run(module, positions, zones=(), **values):
    card = module.CARD
    tracks = Tracks.build(positions)
    return sorted(module.find(tracks, list(zones), card.values(values)), key=lambda f: f.start)


def without(track, begin_min, end_min, t0):
    a, b = t0 + timedelta(minutes=begin_min), t0 + timedelta(minutes=end_min)
    return [p for p in track if not a < p.at < b]


def all_real(findings, positions):
    there = {(p.record.sha256, p.record.row) for p in positions}
    return all((r.sha256, r.row) in there for f in findings for r in f.records)


# --- zone entry -----------------------------------------------------------------------------


def test_an_entry_is_told_once_with_its_time_place_and_records(sail, t0) -> None:
    track = sail("mmsi:463000001", 24.5, 66.3, 90, 10, 180)
    (found,) = run(zone_entry, track, [zone()])
    assert found.kind == "picture.zone_entry"
    assert found.subjects == ("mmsi:463000001", "zone:z")
    # 0.1 degree of longitude at 24.5 N is 10.12 km: 32.8 minutes at 10 kn
    assert (found.start - t0).total_seconds() / 60 == pytest.approx(32.8, abs=0.2)
    assert found.place["coordinates"] == pytest.approx([66.4, 24.5], abs=0.002)
    assert all_real([found], track)
    assert found.reasons[0].value > 50


def test_passing_by_is_no_entry(sail) -> None:
    assert run(zone_entry, sail("mmsi:463000001", 24.601, 66.3, 90, 10, 240), [zone()]) == []
    assert run(zone_entry, sail("mmsi:463000001", 24.39, 66.3, 45, 10, 5), [zone()]) == []


def test_a_crossing_between_two_reports_is_seen(sail) -> None:
    track = sail("mmsi:463000001", 24.5, 66.3, 90, 30, 60, every_s=3000)
    assert all(not (66.4 <= p.lon <= 66.6) for p in track)
    (found,) = run(zone_entry, track, [zone()])
    assert found.reasons[0].value == 0
    assert found.confidence < 0.75
    assert len(found.records) >= 2
    # over a longer silence the straight way is not believed
    assert run(zone_entry, track, [zone()], crossing_longest_min=30) == []


def test_along_the_edge_is_one_entry_and_going_away_ends_it(sail, t0) -> None:
    weave = []
    for i, p in enumerate(sail("mmsi:463000001", 24.4, 66.42, 90, 5, 90)):
        weave.append(replace(p, lat=24.4 + (0.003 if i % 4 < 2 else -0.003)))
    assert len(run(zone_entry, weave, [zone()])) == 1
    assert len(run(zone_entry, weave, [zone()], exit_margin_m=50)) > 5
    back = sail("mmsi:463000001", 24.39, 66.5, 0, 10, 20)
    away = sail("mmsi:463000001", back[-1].lat, 66.5, 180, 10, 60, start_min=21)
    again = sail("mmsi:463000001", away[-1].lat, 66.5, 0, 10, 80, start_min=82)
    found = run(zone_entry, back + away + again, [zone()])
    assert len(found) == 2
    assert found[0].end < found[1].start


def test_a_touch_of_the_edge_is_none(sail) -> None:
    track = sail("mmsi:463000001", 24.4 + 0.0001, 66.3, 90, 10, 240)  # 11 m inside
    assert run(zone_entry, track, [zone()]) == []
    assert len(run(zone_entry, track, [zone(least_depth_m=5)])) == 1


def test_who_is_watched(sail) -> None:
    track = sail("mmsi:463000001", 24.5, 66.3, 90, 10, 180)
    assert run(zone_entry, track, [zone(kind="port")]) == []
    assert len(run(zone_entry, track, [zone(kind="territorial_sea", watch=True)])) == 1
    assert run(zone_entry, track, [zone(watch=False)]) == []
    assert run(zone_entry, track, [zone(allowed=["mmsi:463000001"])]) == []
    flight = [replace(p, kind="aircraft") for p in track]
    assert run(zone_entry, flight, [zone()]) == []
    with pytest.raises(BadInput, match="exit_margin_m"):
        run(zone_entry, track, [zone(exit_margin_m="far")])


def test_a_wrong_fix_or_another_hull_enters_nothing(sail) -> None:
    track = sail("mmsi:463000001", 25.5, 66.3, 90, 10, 180)
    wrong = replace(track[60], lat=24.5, lon=66.5)
    assert run(zone_entry, [*track[:60], wrong, *track[61:]], [zone()]) == []
    # two hulls north and south of the zone: the way from one to the other is nobody's
    south = sail("mmsi:463000001", 23.5, 66.3, 90, 10, 180, seed=2)
    assert run(zone_entry, track + south, [zone()]) == []


def test_first_heard_inside_says_so(sail) -> None:
    (found,) = run(zone_entry, sail("mmsi:463000001", 24.5, 66.5, 0, 0.1, 60), [zone()])
    assert "already inside" in found.reasons[0].says
    assert found.confidence < 0.8


def test_across_the_antimeridian(sail) -> None:
    ring = zone(box=(179.9, -0.2, 179.99, 0.2))
    (found,) = run(zone_entry, sail("mmsi:463000001", 0.0, -179.95, 270, 15, 60), [ring])
    assert found.place["coordinates"][0] == pytest.approx(179.99, abs=0.001)


# --- gap ------------------------------------------------------------------------------------


def test_silence_among_others_is_told(sail, crowd, t0) -> None:
    dark = without(sail("mmsi:463000001", 24.5, 66.2, 90, 10, 340), 90, 210, t0)
    positions = crowd() + dark
    (found,) = run(gap, positions)
    assert found.subjects == ("mmsi:463000001",)
    minutes = [(t - t0).total_seconds() / 60 for t in (found.start, found.end)]
    assert minutes == pytest.approx([90, 210], abs=3)
    assert found.confidence > 0.7
    assert all_real([found], positions)
    assert {r.name for r in found.reasons} >= {"least_min", "usual_times", "least_share"}


def test_a_receivers_outage_is_nobodys_silence(sail, crowd, t0) -> None:
    everyone = crowd() + sail("mmsi:463000001", 24.5, 66.2, 90, 10, 340)
    assert run(gap, without(everyone, 90, 210, t0)) == []


def test_an_outage_of_one_of_two_receivers_is_told_by_neighbours(sail, crowd, t0) -> None:
    far = [
        replace(p, subject=p.subject.replace("4630001", "4630002"), lat=p.lat + 3) for p in crowd()
    ]
    here = without(crowd() + sail("mmsi:463000001", 24.5, 66.2, 90, 10, 340), 90, 210, t0)
    assert run(gap, here + far) == []


def test_silent_together_is_an_outage_though_others_were_heard(sail, crowd, t0) -> None:
    three = []
    for i in range(3):
        whole = sail(f"mmsi:46300020{i}", 24.4 + i / 10, 66.2, 90, 9 + i, 340)
        three.append(without(whole, 90, 210, t0))
    assert len(run(gap, crowd() + three[0])) == 1
    assert run(gap, crowd() + three[0] + three[1] + three[2]) == []


def test_lying_still_is_no_silence(sail, crowd, t0) -> None:
    moored = without(sail("mmsi:463000001", 24.5, 66.5, 90, 0.0, 340), 60, 300, t0)
    assert run(gap, crowd() + moored) == []
    assert run(gap, crowd() + moored[:40]) == []


def test_silent_in_port_is_no_silence(sail, crowd, t0) -> None:
    into = sail("mmsi:463000001", 24.5, 66.45, 90, 5, 60)
    haven = zone("p", "port")
    assert len(run(gap, crowd() + into)) == 1
    assert run(gap, crowd() + into, [haven]) == []


def test_leaving_the_covered_area_is_no_silence(sail, crowd, t0) -> None:
    # the southernmost of the crowd sail at 24.3; this one goes on south
    leaves = sail("mmsi:463000001", 24.5, 66.6, 180, 12, 70)
    assert run(gap, crowd() + leaves) == []
    y, x = leaves[-1].lat, leaves[-1].lon
    returns = sail("mmsi:463000001", y, x, 0, 5, 135, start_min=220)
    assert run(gap, crowd() + leaves + returns) == []
    # within it, the same silence tells
    within = sail("mmsi:463000001", 24.5, 66.3, 90, 12, 70)
    assert len(run(gap, crowd() + within)) == 1


def test_where_others_begin_and_cease_to_be_heard_tells_nothing(sail, crowd, t0) -> None:
    dark = sail("mmsi:463000001", 24.5, 66.2, 90, 10, 100)
    assert len(run(gap, crowd() + dark)) == 1
    y, x = dark[-1].lat, dark[-1].lon
    mouth = [
        *sail("mmsi:463000201", y, x - 0.3, 90, 10, 90, start_min=90),
        *sail("mmsi:463000202", y - 0.01, x, 270, 10, 120, start_min=130),
    ]
    found = run(gap, crowd() + dark + mouth)
    assert "mmsi:463000001" not in {s for f in found for s in f.subjects}


def test_the_farther_the_witness_the_longer_the_silence(sail, crowd, t0) -> None:
    # 25 nm from the crowd, where two others pass hours later: so the place is covered
    way = (25.1, 66.2, 90, 5, 690)
    later = sail("mmsi:463000301", 25.1, 66.2, 90, 12, 195, start_min=500)
    later += sail("mmsi:463000302", 25.11, 66.2, 90, 12, 195, start_min=500, seed=2)
    dark = without(sail("mmsi:463000001", *way), 90, 190, t0)
    assert run(gap, crowd(700) + dark + later) == []
    longer = without(sail("mmsi:463000001", *way), 90, 240, t0)
    assert len(run(gap, crowd(700) + longer + later)) == 1


def test_between_two_receivers_nobody_is_heard(sail, crowd, t0) -> None:
    # all who pass from one sea to the other fall silent on the way
    far = [
        replace(p, subject=p.subject.replace("4630001", "4630002"), lon=p.lon + 2)
        for p in crowd(600)
    ]
    passing = [
        p for i in range(3) for p in sail(f"mmsi:46300030{i}", 24.5, 66.5, 90, 15 + i, 600, seed=i)
    ]
    heard = [p for p in crowd(600) + far + passing if not 67.5 < p.lon < 68.1]
    found = [f for f in run(gap, heard) if f.end < t0 + timedelta(minutes=590)]
    assert found == []
    # one who falls silent among them, where the others are heard, is told all the same
    dark = without(sail("mmsi:463000001", 24.5, 66.2, 90, 6, 590), 90, 210, t0)
    (one,) = [f for f in run(gap, heard + dark) if f.end < t0 + timedelta(minutes=590)]
    assert one.subjects == ("mmsi:463000001",)


def test_still_open_needs_others_still_heard(sail, crowd, t0) -> None:
    dark = sail("mmsi:463000001", 24.5, 66.2, 90, 10, 100)
    (found,) = run(gap, crowd() + dark)
    assert "has been silent" in found.reasons[0].says
    assert run(gap, crowd(100) + dark) == []


def test_the_id_stays_when_the_silence_ends(sail, crowd, t0) -> None:
    whole = sail("mmsi:463000001", 24.5, 66.2, 90, 10, 340)
    (open_,) = run(gap, crowd() + without(whole, 90, 1e6, t0))
    (closed,) = run(gap, crowd() + without(whole, 90, 210, t0))
    assert open_.id == closed.id


def test_what_is_usual_for_it_counts(sail, crowd, t0) -> None:
    rare = sail("mmsi:463000001", 24.5, 66.2, 90, 8, 350, every_s=1500)
    assert run(gap, crowd() + rare) == []
    lonely = without(sail("mmsi:463000001", 24.5, 66.2, 90, 10, 340), 90, 210, t0)
    assert run(gap, lonely) == []  # nobody bears witness


def test_what_many_do_tells_less_of_one(sail, crowd, t0) -> None:
    one = without(sail("mmsi:463000001", 24.5, 66.2, 90, 10, 340), 90, 210, t0)
    (alone,) = run(gap, crowd() + one)
    others = []
    for i in range(4):
        other = sail(f"mmsi:46300002{i}", 24.46 + i / 50, 66.2, 90, 10, 340)
        others += without(other, 100 + 20 * i, 240 + 20 * i, t0)
    among = [f for f in run(gap, crowd() + one + others) if f.id == alone.id]
    assert among[0].confidence < alone.confidence


# --- impossible move ------------------------------------------------------------------------


def test_a_jump_from_which_it_goes_on_is_told_once(sail, t0) -> None:
    first = sail("mmsi:463000001", 24.5, 66.2, 90, 10, 60)
    then = sail("mmsi:463000001", 25.5, 66.2, 90, 10, 60, start_min=62)
    (found,) = run(impossible_move, first + then)
    assert found.subjects == ("mmsi:463000001",)
    assert (found.start - t0).total_seconds() / 60 == pytest.approx(60, abs=2)
    assert all_real([found], first + then)
    assert found.reasons[0].value > 500
    assert np.isfinite([r.value for r in found.reasons]).all()


def test_a_single_wrong_fix_is_noise(sail) -> None:
    track = sail("mmsi:463000001", 24.5, 66.2, 90, 10, 120)
    for wrong in ({"lat": 44.5}, {"lon": -66.2}, {"lat": 0.0, "lon": 0.0}):
        hit = [replace(p, **wrong) if i in (40, 80) else p for i, p in enumerate(track)]
        assert run(impossible_move, hit) == []
    first = [replace(track[0], lat=10.0), *track[1:]]
    assert run(impossible_move, first) == []
    copies = [
        replace(track[50], lat=10.0, at=track[50].at + timedelta(seconds=s)) for s in range(4)
    ]
    assert run(impossible_move, track + copies) == []


def test_two_positions_that_agree_elsewhere_are_no_glitch(sail) -> None:
    track = sail("mmsi:463000001", 24.5, 66.2, 90, 10, 120)
    moved = [replace(p, lat=p.lat - 1) if i in (50, 52) else p for i, p in enumerate(track)]
    del moved[51]
    (found,) = run(impossible_move, moved)
    assert found.reasons[-1].name == "least_fixes"


def test_an_excursion_and_return_is_one_episode(sail) -> None:
    track = sail("mmsi:463000001", 24.5, 66.2, 90, 10, 240)
    moved = [replace(p, lat=p.lat + 2) if 100 <= i < 140 else p for i, p in enumerate(track)]
    (found,) = run(impossible_move, moved)
    assert (found.end - found.start) > timedelta(minutes=35)


def test_fast_craft_rounded_times_and_long_silences_are_possible(sail) -> None:
    assert run(impossible_move, sail("mmsi:463000001", 24.5, 66.2, 90, 55, 60)) == []
    ferry = sail("mmsi:463000001", 24.5, 66.2, 90, 40, 60, every_s=20)
    rounded = [replace(p, at=p.at.replace(second=0)) for p in ferry]
    assert run(impossible_move, rounded) == []
    helicopter = sail("mmsi:111463001", 24.5, 66.2, 90, 160, 60, kind="aircraft")
    assert run(impossible_move, helicopter) == []
    before = sail("mmsi:463000001", 24.5, 66.2, 90, 10, 60)
    after = sail("mmsi:463000001", 34.5, 60.2, 90, 10, 60, start_min=60 * 15)
    assert run(impossible_move, before + after) == []


def test_a_cargo_ship_is_held_to_its_class(sail) -> None:
    def leap(ship_type: str):
        first = sail("mmsi:463000001", 24.5, 66.2, 0, 15, 30, ship_type=ship_type)
        y, x = destination(first[-1].lat, first[-1].lon, 0, 30 * 1852)
        then = sail("mmsi:463000001", y, x, 0, 15, 30, start_min=70, ship_type=ship_type)
        return run(impossible_move, first + then)

    assert leap("30") == []
    assert len(leap("70")) == 1


def test_cards_are_whole_and_behaviours_are_found_without_metadata() -> None:
    found = {b.CARD.name: b.CARD for b in behaviours()}
    assert {"picture.gap", "picture.impossible_move", "picture.zone_entry"} <= set(found)
    for card in found.values():
        assert card.kind.startswith("picture.")
        assert all(p.source and p.says for p in card.parameters.values())
        assert all(p.least <= p.default <= p.most for p in card.parameters.values())
