"""Landings in the dark on open beaches."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cordon.picture import Tracks
from cordon.picture.behaviours import landing

BEACH = (24.9995, 66.0)  # land lies north of 25° N
NIGHT = 930.0  # minutes from 6:00 UTC: half past two in the morning there


@pytest.fixture
def land(area):
    return area("land", "land", 65.0, 25.0, 67.0, 25.5)


@pytest.fixture
def watch(sail):
    """Somebody far out who is heard all along, so that an end is not that of the data."""
    return sail("mmsi:463000999", 23.0, 66.0, 90, 8, 1500)


def run(positions, zones=(), **values):
    tracks = Tracks.build(positions)
    found = landing.find(tracks, list(zones), landing.CARD.values(values))
    return sorted(found, key=lambda f: f.start)


def boat(voyage, subject="radar:A/1", begin=(24.6, 65.8), beach=BEACH, stay=12.0, then=(24.7, 66.3),
         **more):  # fmt: skip
    legs = [(*beach, 12.0)]
    if stay:
        legs.append(stay)
    if then:
        legs.append((*then, 12.0))
    more = {"every_s": 20, "start_min": NIGHT, "kind": "unknown", "error_m": 15.0, **more}
    return voyage(subject, begin, legs, **more)


def test_in_from_the_sea_to_an_open_beach_is_told(voyage, land, watch) -> None:
    positions = boat(voyage) + watch
    (found,) = run(positions, [land])
    assert found.kind == "picture.landing"
    assert found.subjects == ("radar:A/1",)
    assert found.place["coordinates"] == pytest.approx([66.0, 25.0], abs=0.005)
    assert {r.name for r in found.reasons} >= {"shore_m", "stand_min", "sea_nm", "sun_deg"}
    assert run(positions) == []  # the coast is not known
    there = {(p.record.sha256, p.record.row) for p in positions}
    assert all((r.sha256, r.row) in there for r in found.records)


def test_who_is_lost_at_the_shore_has_landed(voyage, land, watch) -> None:
    vanishes = boat(voyage, beach=(24.996, 66.0), stay=0, then=None) + watch
    (found,) = run(vanishes, [land])
    assert found.reasons[0].name == "lost_m"
    # one that is lost while it passes along the shore has not
    along = voyage("radar:A/1", (24.7, 65.7), [(24.996, 65.8, 12.0), (24.996, 66.0, 12.0)],
                   every_s=20, start_min=NIGHT, kind="unknown")  # fmt: skip
    assert run(along + watch, [land]) == []


def test_by_day_in_port_and_out_at_sea_it_is_none(voyage, land, watch, area) -> None:
    assert run(boat(voyage, start_min=60.0) + watch, [land]) == []
    for kind in ("port", "anchorage"):
        haven = area("p", kind, 65.99, 24.98, 66.01, 25.01)
        assert run(boat(voyage) + watch, [land, haven]) == []
    assert run(boat(voyage, beach=(24.97, 66.0)) + watch, [land]) == []  # stops 2 nm out
    assert run(boat(voyage, stay=0) + watch, [land]) == []  # turns back at once


def test_who_comes_home_or_never_was_out_is_none(voyage, land, watch) -> None:
    round_trip = voyage(
        "radar:A/1", BEACH, [(24.7, 65.9, 10.0), 60.0, (*BEACH, 10.0), 30.0],
        every_s=20, start_min=NIGHT - 120, kind="unknown",
    )  # fmt: skip
    assert run(round_trip + watch, [land]) == []
    close = boat(voyage, begin=(24.985, 65.9)) + watch
    assert run(close, [land]) == []


def test_where_others_land_too_it_is_a_landing_place(voyage, land, watch) -> None:
    village = []
    for i in range(3):
        village += boat(voyage, f"radar:A/1{i}", beach=(24.9996, 66.002 + i / 500), start_min=100.0)
    assert run(boat(voyage) + village + watch, [land]) == []


@pytest.mark.parametrize("count", [2, 4, 6])
def test_a_party_that_lands_together_is_one_landing(count: int, voyage, land, watch) -> None:
    party = [
        boat(
            voyage, f"radar:A/{i}", begin=(24.6, 65.8 + i / 1000), beach=(24.9995, 66.0 + i / 1000),
            then=(24.7, 66.3 + i / 1000), start_min=NIGHT + i,
        )
        for i in range(count)
    ]  # fmt: skip
    (found,) = run([p for one in party for p in one] + watch, [land])
    assert found.subjects == tuple(f"radar:A/{i}" for i in range(count))
    assert {r.name: r.value for r in found.reasons}["beside_m"] == count


def test_a_fleet_that_comes_home_is_no_party(voyage, land, watch) -> None:
    fleet = []
    for i in range(9):
        fleet += boat(
            voyage, f"radar:A/{i}", begin=(24.6, 65.8 + i / 1000), beach=(24.9995, 66.0 + i / 1000),
            then=(24.7, 66.3 + i / 1000), start_min=NIGHT + i,
        )  # fmt: skip
    assert run(fleet + watch, [land]) == []


def test_own_units_and_large_ships_do_not_land(voyage, land, watch) -> None:
    assert run(boat(voyage, "unit:B-1") + watch, [land]) == []
    assert run(boat(voyage, "mmsi:463000002", kind="vessel", ship_type="70") + watch, [land]) == []
    assert run(boat(voyage, "mmsi:463000002", kind="vessel", ship_type="30") + watch, [land]) != []


def test_who_comes_back_to_another_beach_has_landed(voyage, land, watch) -> None:
    def trip(lon: float):
        return voyage(
            "radar:A/1", (BEACH[0], lon), [(24.9, 66.1, 20.0), 20.0, (*BEACH, 20.0), 30.0],
            every_s=20, start_min=NIGHT - 60, kind="unknown",
        )  # fmt: skip

    assert run(trip(66.0 + 0.7 / 101) + watch, [land]) == []  # from 700 m along the shore
    (found,) = run(trip(66.0 + 1.25 / 101) + watch, [land])
    assert found.place["coordinates"] == pytest.approx([66.0, 25.0], abs=0.005)


def test_one_echo_that_is_off_does_not_move_where_it_stood(voyage, land, watch) -> None:
    there = boat(voyage, stay=12.0, error_m=40.0)
    stood = [k for k, p in enumerate(there) if p.lat > 24.998]
    (before,) = run(there + watch, [land])
    # whichever of those in the middle it is: a radar may be off by that much
    for k in stood[len(stood) // 2 - 4 : len(stood) // 2 + 5]:
        echo = replace(there[k], lat=there[k].lat - 0.0015)
        (after,) = run([*there[:k], echo, *there[k + 1 :], *watch], [land])
        assert after.reasons[0].value == pytest.approx(before.reasons[0].value, abs=20)
