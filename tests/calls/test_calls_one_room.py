"""Which groups of lines are one room, and which are two on one floor; drawn by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.town import DAYS, PEOPLE, Town, numbers, rings

ROOM, OTHER = "410-01-9-1", "410-03-9-7"


def room(
    town: Town,
    name: str,
    spans: list[tuple[float, float]],
    *,
    cell: str = ROOM,
    seats: int = 4,
    sim_days: int = 2,
    a_day: int = 60,
) -> set[str]:
    """Seats with a handset each that work in these spans of hours alone, and pause between."""
    used: set[str] = set()
    for seat in range(seats):
        for day in range(DAYS):
            sim = f"+92345{name}{seat:02d}{day // sim_days:03d}"
            used.add(sim)
            for _ in range(a_day):
                begin, end = town.rng.choices(spans, [b - a for a, b in spans])[0]
                town.call(
                    day, town.rng.uniform(begin, end), sim, town.rng.choice(PEOPLE),
                    town.rng.expovariate(1 / 60), f"86{name}{seat:011d}5", cell,
                )  # fmt: skip
    return used


def test_two_rooms_on_a_floor_that_pause_at_other_times_are_two(tmp_path: Path) -> None:
    town = Town()
    town.everybody()
    one = room(town, "1", [(9, 12.5), (13.5, 18)])
    two = room(town, "2", [(9.5, 13.5), (14.5, 18.5)])
    found = rings(town.write(tmp_path / "calls.csv"))
    assert sorted(map(sorted, map(numbers, found))) == sorted([sorted(one), sorted(two)])


@pytest.mark.parametrize(
    ("hours", "count"),
    [((10.0, 19.0), 2), ((9.0, 17.0), 1)],
    ids=["opens and closes later", "leaves sooner"],
)
def test_two_rooms_on_a_floor_an_hour_apart_are_two(
    tmp_path: Path, hours: tuple[float, float], count: int
) -> None:
    town = Town()
    town.everybody()
    one = room(town, "1", [(9, 18)], a_day=90)
    two = room(town, "2", [hours], a_day=90)
    found = rings(town.write(tmp_path / "calls.csv"))
    assert len(found) == count
    assert set().union(*map(numbers, found)) == one | two
    assert count == 1 or {frozenset(numbers(f)) for f in found} == {frozenset(one), frozenset(two)}


def test_a_slow_room_beside_a_busy_one_is_told_too(tmp_path: Path) -> None:
    town = Town()
    town.everybody()
    busy = room(town, "1", [(11, 20)], seats=6, sim_days=1)
    slow = [f"+923452{n:05d}" for n in range(9)]
    for n, sim in enumerate(slow):
        for day in range(DAYS):
            for _ in range(5):  # three SIMs of one handset, in no order
                town.call(
                    day, town.rng.uniform(11, 20), sim, town.rng.choice(PEOPLE),
                    town.rng.expovariate(1 / 60), f"862{n // 3:011d}5", ROOM,
                )  # fmt: skip
    found = rings(town.write(tmp_path / "calls.csv"))
    assert sorted(map(sorted, map(numbers, found))) == sorted([sorted(busy), sorted(slow)])


@pytest.mark.parametrize(("hours", "count"), [((11.0, 20.0), 1), ((12.5, 21.5), 2)])
def test_one_room_in_two_networks_is_told_by_when_it_works(
    tmp_path: Path, hours: tuple[float, float], count: int
) -> None:
    """The masts are 4 km apart: two rooms of a town may lie so, and one in sparse cells."""
    town = Town()
    town.everybody()
    one = room(town, "1", [(11, 20)])
    two = room(town, "2", [hours], cell=OTHER)
    cells = tmp_path / "cells.csv"
    cells.write_text(
        "cell,lat,lon,azimuth_deg,beamwidth_deg,range_m\n"
        f"{ROOM},31.000,72.0,,,5000\n{OTHER},31.036,72.0,,,5000\n"
    )
    found = rings(town.write(tmp_path / "calls.csv"), cells=cells)
    assert len(found) == count
    assert set().union(*map(numbers, found)) == one | two


@pytest.mark.parametrize(("first", "second", "count"), [(4, 4, 1), (3, 5, 2)])
def test_a_handset_tells_one_room_in_two_networks_where_no_cell_has_a_position(
    tmp_path: Path, first: int, second: int, count: int
) -> None:
    """Cells of one network tell nothing of another's; a handset that lay still may have moved."""
    town = Town()
    town.everybody()
    used = set()
    for cell, days in ((ROOM, range(first)), (OTHER, range(second, DAYS))):
        for day in days:
            for seat in range(6):
                sim = f"+923451{seat:02d}{day:03d}"
                used.add(sim)
                for _ in range(60):
                    town.call(
                        day, town.rng.uniform(9, 18), sim, town.rng.choice(PEOPLE),
                        town.rng.expovariate(1 / 60), f"861{seat:011d}5", cell,
                    )  # fmt: skip
    found = rings(town.write(tmp_path / "calls.csv"))
    assert len(found) == count
    assert set().union(*map(numbers, found)) == used
