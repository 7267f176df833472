"""Leaving a watched zone, and staying in it too long."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from cordon.picture import Tracks
from cordon.picture.behaviours import zone_dwell, zone_entry, zone_exit
from cordon.picture.model import Position

BOX = (66.4, 24.4, 66.6, 24.6)  # west, south, east, north


def run(module, positions, zones, **values):
    tracks = Tracks.build(positions)
    return sorted(module.find(tracks, zones, module.CARD.values(values)), key=lambda f: f.start)


def test_who_leaves_is_told_where_and_when_it_passed_the_edge(sail, area, t0) -> None:
    track = sail("mmsi:463000001", 24.5, 66.5, 90, 10, 180)
    (found,) = run(zone_exit, track, [area("z", "restricted", *BOX)])
    assert found.subjects == ("mmsi:463000001", "zone:z")
    assert (found.start - t0).total_seconds() / 60 == pytest.approx(32.8, abs=1.2)
    assert found.place["coordinates"] == pytest.approx([66.6, 24.5], abs=0.002)
    assert found.end > found.start


def test_along_the_edge_nobody_leaves(voyage, area) -> None:
    legs = [(24.403, 66.55, 5), (24.398, 66.54, 5), (24.403, 66.53, 5), (24.45, 66.5, 5)]
    track = voyage("mmsi:463000001", (24.41, 66.58), legs)
    assert any(p.lat < 24.4 for p in track)
    assert run(zone_exit, track, [area("z", "restricted", *BOX)]) == []
    assert len(run(zone_exit, track, [area("z", "restricted", *BOX)], exit_margin_m=50)) == 1


def test_who_stays_outside_or_is_lost_there_has_left(voyage, area, sail) -> None:
    zone = area("z", "restricted", *BOX)
    beside = voyage("mmsi:463000001", (24.41, 66.5), [(24.395, 66.5, 5), 30.0])
    assert len(run(zone_exit, beside, [zone])) == 1
    lost = voyage("mmsi:463000001", (24.41, 66.5), [(24.395, 66.5, 5)])
    other = sail("mmsi:463000002", 25.5, 66.3, 90, 10, 120)
    assert len(run(zone_exit, lost + other, [zone])) == 1
    assert run(zone_exit, lost, [zone]) == []  # the data end with it: nobody knows


def test_who_is_lost_inside_and_seen_again_outside_has_left(voyage, area, sail) -> None:
    zone = area("z", "restricted", *BOX)
    inside = voyage("track:CAM-1/7", (24.45, 66.5), [(24.4012, 66.5, 3)], kind="person")
    minutes = (inside[-1].at - inside[0].at).total_seconds() / 60
    walks = {"start_min": minutes + 6, "kind": "person"}
    # where its way led, under another number, and off another way
    after = voyage("track:CAM-1/9", (24.3968, 66.5), [(24.38, 66.5, 3)], **walks)
    (found,) = run(zone_exit, inside + after, [zone], exit_margin_m=300)
    assert found.subjects == ("track:CAM-1/7", "track:CAM-1/9", "zone:z")
    assert found.start > inside[-1].at
    away = voyage("track:CAM-1/9", (24.3968, 66.56), [(24.38, 66.56, 3)], **walks)
    assert run(zone_exit, inside + away, [zone], exit_margin_m=300) == []
    # who names itself is not taken for another
    named = [replace(p, subject="person:1") for p in inside]
    assert run(zone_exit, named + after, [zone], exit_margin_m=300) == []


def test_silent_inside_is_no_exit(sail, area) -> None:
    zone = area("z", "restricted", *BOX)
    inside = sail("mmsi:463000001", 24.5, 66.41, 90, 5, 60)
    later = sail("mmsi:463000001", 24.5, 66.7, 90, 5, 60, start_min=60 * 5)
    assert run(zone_exit, inside + later, [zone]) == []


def test_which_zones_are_watched(sail, area) -> None:
    track = sail("mmsi:463000001", 24.5, 66.5, 90, 10, 180)
    assert run(zone_exit, track, [area("z", "port", *BOX)]) == []
    assert len(run(zone_exit, track, [area("z", "port", *BOX, watch_exit=True)])) == 1
    assert run(zone_entry, track, [area("z", "port", *BOX, watch_exit=True)]) == []
    assert run(zone_exit, track, [area("z", "restricted", *BOX, watch_exit=False)]) == []
    assert run(zone_exit, track, [area("z", "restricted", *BOX, allowed=["mmsi:463000001"])]) == []
    own = sail("unit:1", 24.5, 66.5, 90, 10, 180)
    assert run(zone_exit, own, [area("z", "restricted", *BOX)]) == []


def test_a_port_visit_begins_at_three_and_ends_at_four_kilometres(sail, area) -> None:
    """As pipe-anchorages has it: an edge at 3 km, and 1 km more to leave."""
    port = area("p", "port", 66.47, 24.473, 66.53, 24.527, watch=True)  # 3 km about a pier
    # half a kilometre outside and in again, then two kilometres outside and in again
    spots = [(24.5, 66.4)]
    for lon in (66.5, 66.535, 66.5, 66.55, 66.5):
        spots += [(24.5, spots[-1][1] + (lon - spots[-1][1]) * k / 20) for k in range(1, 21)]
    begin = sail("mmsi:1", 24.5, 66.5, minutes=0)[0].at
    track = [
        Position(begin + timedelta(minutes=n), "rx", "mmsi:1", *spot)
        for n, spot in enumerate(spots)
    ]
    assert len(run(zone_entry, track, [port])) == 2
    assert len(run(zone_exit, track, [port])) == 1


def test_a_long_stay_is_told_while_it_lasts_and_keeps_its_id(voyage, area, t0) -> None:
    zone = area("z", "restricted", *BOX)
    track = voyage("mmsi:463000001", (24.5, 66.3), [(24.5, 66.5, 10), 240.0, (24.5, 66.8, 10)])
    (whole,) = run(zone_dwell, track, [zone])
    assert whole.reasons[0].value > 240
    assert "was in" in whole.reasons[0].says
    early = [p for p in track if p.at < t0 + timedelta(minutes=120)]
    (open_,) = run(zone_dwell, early, [zone])
    assert open_.id == whole.id
    assert "has been in" in open_.reasons[0].says
    assert run(zone_dwell, track, [area("z", "restricted", *BOX, dwell_min=400)]) == []


def test_who_passes_through_does_not_stay(voyage, area) -> None:
    track = voyage("mmsi:463000001", (24.5, 66.3), [(24.5, 66.8, 15)])
    assert run(zone_dwell, track, [area("z", "restricted", *BOX)]) == []
    assert len(run(zone_dwell, track, [area("z", "lane", *BOX, dwell_min=10)])) == 1


def test_a_stay_is_not_made_of_a_long_silence(voyage, area, t0) -> None:
    zone = area("z", "restricted", *BOX)
    track = voyage("mmsi:463000001", (24.5, 66.3), [(24.5, 66.5, 10), 600.0, (24.5, 66.8, 10)])
    gone = [p for p in track if not 90 < (p.at - t0).total_seconds() / 60 < 600]
    assert run(zone_dwell, gone, [zone]) == []
    assert len(run(zone_dwell, track, [zone])) == 1


def test_a_buoy_on_the_radar_neither_enters_nor_stays(voyage, area) -> None:
    zone = area("z", "restricted", *BOX)
    buoy = voyage("radar:R/1", (24.5, 66.5), [300.0], told=False, error_m=40, kind="unknown")
    assert run(zone_dwell, buoy, [zone]) == []
    assert run(zone_entry, buoy, [zone]) == []
    moving = voyage("radar:R/1", (24.5, 66.42), [(24.5, 66.58, 3)], told=False, kind="unknown")
    assert len(run(zone_dwell, moving, [zone])) == 1
    assert len(run(zone_entry, moving, [zone])) == 1
    brief = moving[:2]
    assert run(zone_entry, brief, [zone]) == []


@pytest.mark.parametrize("module", [zone_entry, zone_exit, zone_dwell])
def test_one_hull_that_two_eyes_see_is_told_once(module, voyage, area) -> None:
    legs = [(24.5, 66.5, 12), 90.0, (24.5, 66.8, 12)]
    ais = voyage("mmsi:463000001", (24.5, 66.2), legs)
    radar = [
        replace(p, source="radar X")
        for p in voyage("radar:X/5", (24.5, 66.2), legs, every_s=20, error_m=40.0, kind="unknown")
    ]
    zone = area("z", "restricted", *BOX, watch_dwell=True, dwell_min=60)
    (found,) = run(module, ais + radar, [zone])
    assert found.subjects == ("mmsi:463000001", "radar:X/5", "zone:z")
    # another that comes by the same way an hour later is another
    later = [replace(p, at=p.at + timedelta(hours=6), subject="mmsi:463000002") for p in ais]
    assert len(run(module, ais + radar + later, [zone])) == 2
    # whose hull is allowed there is so under every name, and an own unit's echo is no stranger
    may = area("z", "restricted", *BOX, watch_dwell=True, dwell_min=60, allowed=["mmsi:463000001"])
    assert run(module, ais + radar, [may]) == []
    unit = [replace(p, subject="unit:B-1", source="units") for p in ais]
    assert run(module, unit + radar, [zone]) == []
