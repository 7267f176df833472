"""Boats that lie at their own beach or mooring do not hang about; who comes there first does."""

from __future__ import annotations

import pytest

from cordon.picture import Tracks
from cordon.picture.behaviours import loitering

HOME = (24.997, 66.0)  # land lies north of 25° N
SEA = (24.7, 66.2)
BOAT = "mmsi:463000001"


@pytest.fixture
def land(area):
    return area("land", "land", 65.0, 25.0, 67.0, 25.5)


@pytest.fixture
def boat(voyage):
    """`boat(begin, legs)`: by AIS; `boat(begin, legs, "radar:…")` by a radar, without a name."""

    def made(begin, legs, subject=BOAT, **more):
        if subject.startswith("radar:"):
            more = {"every_s": 30, "kind": "unknown", "error_m": 30.0, "told": False, **more}
        return voyage(subject, begin, legs, **{"every_s": 120, **more})

    return made


def run(positions, zones=()):
    found = loitering.find(Tracks.build(positions), list(zones), loitering.CARD.values())
    return sorted(found, key=lambda f: f.start)


OUT = [(*SEA, 7.0), 60.0]
BACK = [(*HOME, 7.0), 600.0]


@pytest.mark.parametrize("lay_min", [0.0, 20.0, 150.0])
def test_who_comes_back_to_where_it_set_out_is_at_home(boat, land, lay_min: float) -> None:
    day = boat(HOME, [*([lay_min] if lay_min else []), *OUT, *BACK])
    assert run(day, [land]) == []
    # without the coast nobody knows that it is a beach, and far from it is none
    assert run(day) != []
    off = (24.8, 66.0)
    assert len(run(boat(off, [*OUT, (*off, 7.0), 600.0]), [land])) == 1


def test_a_boat_that_lies_there_for_the_first_time_is_told(boat, land) -> None:
    (found,) = run(boat(SEA, [*BACK, *OUT]), [land])
    assert found.subjects == (BOAT,)
    # nor is it at home the second time in a day
    assert len(run(boat(SEA, [*BACK, *OUT, *BACK, *OUT]), [land])) == 2
    # of who only went away, one day tells nothing
    assert len(run(boat(HOME, [300.0, *OUT]), [land])) == 1


def test_what_lies_there_night_after_night_is_usual(boat, land) -> None:
    nights = [*BACK, *OUT]
    assert run(boat(SEA, nights * 4), [land]) == []
    # a stranger 800 m along the beach in one of them is none of it
    beach = (HOME[0], 66.008)
    stranger = boat(SEA, [(*beach, 7.0), 600.0, *OUT], "mmsi:463000002", start_min=840)
    found = run(boat(SEA, nights * 4) + stranger, [land])
    assert [f.subjects for f in found] == [("mmsi:463000002",)]


def test_a_radars_number_that_comes_back_is_another(boat, land) -> None:
    days = []
    for day in range(2):
        start = day * 1440.0
        days += boat(HOME, [(*SEA, 7.0)], f"radar:A/{day}1", start_min=start)
        back = [(*HOME, 7.0), 300.0]
        days += boat(SEA, back, f"radar:A/{day}2", start_min=start + 500)
    assert run(days, [land]) == []
    # one set out and two came: the second is a stranger
    more = boat(SEA, [(*HOME, 7.0), 300.0, *OUT], "radar:A/99", start_min=1440 + 1100)
    assert [f.subjects for f in run(days + more, [land])] == [("radar:A/99",)]
    # who gives a name is not excused by another's setting out
    named = boat(SEA, [(*HOME, 7.0), 300.0, *OUT], start_min=500)
    out = boat(HOME, [(*SEA, 7.0)], "radar:A/1")
    assert [f.subjects for f in run(out + named, [land])] == [(BOAT,)]
