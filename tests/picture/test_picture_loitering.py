"""Hanging about at sea and beside the border line, and who does so innocently."""

from __future__ import annotations

import pytest

from cordon.picture import Tracks, zones_of
from cordon.picture.behaviours import loitering

OUT = (24.0, 66.0)


def run(positions, zones=(), **values):
    tracks = Tracks.build(positions)
    found = loitering.find(tracks, list(zones), loitering.CARD.values(values))
    return sorted(found, key=lambda f: f.start)


def drifter(voyage, subject="mmsi:463000001", at=OUT, hours=4.0, drift=0.8, **more):
    """Comes, drifts for hours, and goes on."""
    legs = [(*at, 11.0), hours * 60, (at[0] - 0.4, at[1] + 0.3, 11.0)]
    return voyage(subject, (at[0] + 0.3, at[1] - 0.3), legs, drift_kn=drift, **more)


@pytest.fixture
def line():
    """A border line along 66° E, north of 26° N."""
    feature = {
        "type": "Feature",
        "properties": {"id": "b", "name": "Line", "kind": "border"},
        "geometry": {"type": "LineString", "coordinates": [[66.0, 26.0], [66.0, 28.0]]},
    }
    return zones_of({"type": "FeatureCollection", "features": [feature]})[0]


# at sea


def test_hours_of_drift_are_told_with_their_span_and_place(voyage, t0) -> None:
    positions = drifter(voyage)
    (found,) = run(positions)
    assert found.kind == "picture.loitering"
    assert found.subjects == ("mmsi:463000001",)
    hours = (found.end - found.start).total_seconds() / 3600
    assert 3.5 < hours < 4.8
    assert found.place["coordinates"] == pytest.approx([66.02, 24.0], abs=0.05)
    assert {r.name for r in found.reasons} >= {"least_h", "loiter_kn"}
    there = {(p.record.sha256, p.record.row) for p in positions}
    assert all((r.sha256, r.row) in there for r in found.records)


def test_shorter_or_faster_is_none(voyage) -> None:
    assert run(drifter(voyage, hours=1.2)) == []
    assert run(drifter(voyage, drift=2.6)) == []
    assert len(run(drifter(voyage, drift=2.6), loiter_kn=3)) == 1
    assert len(run(drifter(voyage, hours=2.4))) == 1


def test_known_states_are_none(voyage, area) -> None:
    for kind in ("port", "anchorage", "pilotage", "fishing_ground"):
        assert run(drifter(voyage), [area("z", kind, 65.9, 23.9, 66.2, 24.1)]) == []
    assert len(run(drifter(voyage), [area("z", "lane", 65.9, 23.9, 66.2, 24.1)])) == 1
    assert run(drifter(voyage, ship_type="50")) == []
    assert run(drifter(voyage, subject="unit:CG-7")) == []


def test_who_lies_fast_or_at_its_berth_does_not_hang_about(voyage) -> None:
    assert run(voyage("mmsi:463000001", OUT, [600.0])) == []
    there, away = (24.0, 66.0), (24.2, 66.2)
    ferry = voyage(
        "mmsi:463000001",
        away,
        [(*there, 12.0), 150.0, (*away, 12.0), 30.0, (*there, 12.0), 150.0, (*away, 12.0), 30.0,
         (*there, 12.0), 150.0],
    )  # fmt: skip
    assert run(ferry) == []


def test_among_many_that_drift_it_is_usual(voyage) -> None:
    others = []
    for i in range(3):
        others += drifter(
            voyage, f"mmsi:46300010{i}", (24.02 * 1.0, 66.0 + 0.02 * i), ship_type="30"
        )
    assert run(drifter(voyage) + others) == []
    assert len(run(drifter(voyage) + others[: len(others) // 3])) == 1
    # a large ship among small craft is told
    (found,) = run(drifter(voyage, ship_type="70") + others)
    assert found.subjects == ("mmsi:463000001",)


def test_a_buoy_or_who_passes_slowly_is_no_company_of_a_fishing_boat(voyage, sail) -> None:
    boat = drifter(voyage, hours=6.0, ship_type="30")
    beside = (24.03, 66.03)
    fleet = drifter(voyage, "mmsi:463000002", beside, ship_type="30")
    assert run(boat + fleet) == []
    passing = drifter(voyage, "mmsi:463000002", beside, hours=1.2, ship_type="30")
    assert len(run(boat + passing)) == 1
    assert run(boat + passing, together_share=0.1) == []
    buoy = sail("radar:R/1", *beside, kn=0.0, minutes=20 * 60, start_min=-600, told=False)
    (found,) = run(boat + buoy)
    assert found.subjects == ("mmsi:463000001",)
    assert run(boat + buoy, fixed_h=48) == []
    # who names himself and lies there so long is somebody
    assert run(boat + sail("mmsi:463000003", *beside, kn=0.0, minutes=1200, start_min=-600)) == []


def test_in_company_it_is_an_encounter(voyage) -> None:
    other = drifter(voyage, "mmsi:463000002", (24.0007, 66.0))
    assert run(drifter(voyage) + other) == []


def test_a_pause_does_not_make_two(voyage) -> None:
    to_and_fro = [(24.03, 66.05, 9.0), (24.0, 66.03, 9.0)] * 2
    legs = [(*OUT, 11.0), 150.0, *to_and_fro, 150.0, (23.6, 66.4, 11.0)]
    track = voyage("mmsi:463000001", (24.3, 65.7), legs, drift_kn=0.7)
    (found,) = run(track)
    first, second = run(track, again_h=0)
    assert found.start == first.start
    assert found.id == first.id
    assert found.end == second.end


# on land


def walker(voyage, subject="track:1", at=(27.0, 66.004), minutes=60.0, start_min=960.0, **more):
    """Walks up, stands about, and walks away."""
    more = {"kind": "person", "error_m": 15.0, "start_min": start_min, "every_s": 120, **more}
    legs = [(*at, 2.2), minutes, (at[0] + 0.02, at[1] + 0.02, 2.2)]
    return voyage(subject, (at[0] - 0.02, at[1] + 0.02), legs, **more)


def test_standing_about_beside_the_line_at_night_is_told(voyage, line) -> None:
    (found,) = run(walker(voyage), [line])  # from 22:00 UTC, three in the morning there
    assert found.subjects == ("track:1",)
    assert found.reasons[0].name == "stand_night_min"
    assert run(walker(voyage), []) == []
    assert run(walker(voyage, at=(27.0, 66.03)), [line]) == []  # 3 km off
    assert run(walker(voyage, minutes=15.0), [line]) == []


def test_by_day_it_must_be_longer(voyage, line) -> None:
    assert run(walker(voyage, start_min=60.0), [line]) == []
    (found,) = run(walker(voyage, start_min=60.0, minutes=150.0), [line])
    assert found.reasons[0].name == "stand_day_min"
    assert found.confidence < run(walker(voyage, minutes=150.0), [line])[0].confidence


def test_at_a_crossing_at_home_in_a_crowd_and_on_duty_it_is_usual(voyage, line, area) -> None:
    gate = area("g", "official_crossing", 65.99, 26.99, 66.01, 27.01)
    assert run(walker(voyage), [line, gate]) == []
    assert run(walker(voyage, minutes=480.0), [line]) == []  # camps there
    again = walker(voyage) + walker(voyage, start_min=1160.0)
    assert run(again, [line]) == []  # comes back
    crowd = [p for i in range(4) for p in walker(voyage, f"track:{i + 1}")]
    assert run(crowd, [line]) == []
    assert run(walker(voyage, "unit:P-1"), [line]) == []
    assert len(run(walker(voyage, "vehicle:9", kind="vehicle"), [line])) == 1
