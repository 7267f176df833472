"""Telephones with two slots, colleagues, and what complaints say beside other centres."""

from __future__ import annotations

from pathlib import Path

import pytest

from cordon.calls.rings.uses import twins
from support.town import DAYS, PEOPLE, Town, numbers, rings

ROOM = "410-01-9-1"


def seats(
    town: Town, name: str, *, lines: int, cell: str, each: int = 2, apart: int = 1, a_day: int = 45
) -> list[str]:
    """Lines that stay, `each` at a seat in turn, every other one of them in its second slot."""
    used = []
    for line in range(lines):
        number = f"+92347{name}{line:06d}"
        seat, slot = divmod(line, each)
        imei = f"{86_000_000_000_000 + int(name) * 10**9 + seat * 100 + slot % 2 * apart}5"
        used.append(number)
        for day in range(DAYS):
            for call in range(a_day):
                hour = 11 + (call + town.rng.random()) / a_day * 8
                if int(hour) % each != line % each:
                    continue  # the SIMs of a seat take turns by the hour
                talk = town.rng.expovariate(1 / 60)
                town.call(day, hour, number, town.rng.choice(PEOPLE), talk, imei, cell)
    return used


def complaints(path: Path, named: list[str]) -> Path:
    path.write_text(
        "complaint_id,received,suspect_number,victim_number\n"
        + "".join(f"C{n},2026-03-09T08:00:00Z,{s},{PEOPLE[n]}\n" for n, s in enumerate(named))
    )
    return path


def test_two_identities_that_follow_one_another_are_of_one_telephone() -> None:
    told = twins(["35000000000010", "35000000000011", "35000000000020", "35000000000022"])
    assert told.tolist() == [True, False, False, False]
    # a run of three is a lot of telephones, or somebody counted
    assert not twins(["35000000000010", "35000000000011", "35000000000012"]).any()
    assert twins(["35000000000010", "3500000000001X"]).tolist() == [False, False]
    assert twins([]).tolist() == []
    assert twins(["1"]).tolist() == [False]


@pytest.mark.parametrize("apart", [1, 50], ids=["both slots of one", "two telephones"])
def test_sims_in_both_slots_of_a_telephone_are_one_room(apart: int, tmp_path: Path) -> None:
    town = Town()
    town.everybody()
    used = seats(town, "1", lines=12, each=4, apart=apart, cell=ROOM)
    told = complaints(tmp_path / "complaints.csv", used[:4])
    found = rings(town.write(tmp_path / "calls.csv"), complaints=told)
    # the SIMs of one slot work at other hours than those of the other
    assert (set(used) in map(numbers, found)) == (apart == 1)
    assert all(numbers(f) <= set(used) for f in found)


def test_colleagues_and_those_who_are_milked_are_no_acquaintances_of_a_line(tmp_path: Path) -> None:
    town = Town()
    town.everybody()
    used = seats(town, "1", lines=6, each=1, cell=ROOM)
    for number, line in zip(used, range(6), strict=True):
        regular = [*used[:line], *used[line + 1 :], *PEOPLE[line * 3 : line * 3 + 3]]
        for day in range(DAYS):
            for other in regular:
                imei = f"{86_001_000_000_000 + line * 100}5"
                town.call(day, town.rng.uniform(11, 19), number, other, 60, imei, ROOM)
    told = complaints(tmp_path / "complaints.csv", used)
    (ring,) = rings(town.write(tmp_path / "calls.csv"), complaints=told)
    assert numbers(ring) == set(used)


def test_other_centres_do_not_say_what_complaints_name_by_chance(tmp_path: Path) -> None:
    town = Town()
    town.everybody()
    centres = [seats(town, str(n), lines=8, each=1, cell=f"410-01-{n}-1") for n in range(1, 4)]
    honest = [seats(town, str(n), lines=8, each=1, cell=f"410-01-{n}-1") for n in range(4, 10)]
    path = town.write(tmp_path / "calls.csv")
    # nothing but complaints tells them, and the most named one hides the others
    named = [*centres[0] * 2, *centres[1], *centres[2][:4], honest[0][0]]
    found = rings(path, complaints=complaints(tmp_path / "complaints.csv", named))
    assert sorted(sorted(numbers(f)) for f in found) == centres


def test_a_nuisance_is_no_loss(tmp_path: Path) -> None:
    town = Town()
    town.everybody()
    centre, sales = (seats(town, n, lines=8, each=1, cell=f"410-01-{n}-1") for n in "12")
    for n in "3456":
        seats(town, n, lines=8, each=1, cell=f"410-01-{n}-1")
    path, told = town.write(tmp_path / "calls.csv"), tmp_path / "complaints.csv"
    rows = [(line, "5000") for line in centre] + [(line, "") for line in sales]
    told.write_text(
        "complaint_id,received,suspect_number,loss_amount\n"
        + "".join(f"C{n},2026-03-09T08:00:00Z,{s},{lost}\n" for n, (s, lost) in enumerate(rows))
    )
    (ring,) = rings(path, complaints=told)
    assert sorted(numbers(ring)) == centre
    # where nobody was asked for a loss, all of them count
    assert len(rings(path, complaints=complaints(told, [*centre, *sales]))) == 2


@pytest.mark.parametrize("banks", [1, 2], ids=["by itself", "by another one"])
def test_a_number_that_is_nowhere_does_not_tie_two_rooms(banks: int, tmp_path: Path) -> None:
    town = Town()
    town.everybody()
    rooms = [sorted(town.centre(n, cell=f"410-01-{n}-1")) for n in "12"]
    helplines = [f"+9221111000{n}" for n in range(banks)]
    for day in range(DAYS):
        for person in town.rng.sample(PEOPLE, 60):
            for bank in helplines:
                town.call(day, town.rng.uniform(9, 17), person, bank, 90, "359999999999990", "")
    path, told = town.write(tmp_path / "calls.csv"), tmp_path / "complaints.csv"
    # with one helpline it is named with both rooms' accounts, with two each with one of them
    said = [(line, f"PK{n}") for n, room in enumerate(rooms) for line in (helplines[-n], *room)]
    said += [(bank, "PK9") for bank in helplines]
    told.write_text(
        "complaint_id,received,suspect_number,suspect_account\n"
        + "".join(f"C{n},2026-03-09T08:00:00Z,{s},{a}\n" for n, (s, a) in enumerate(said))
    )
    found = rings(path, complaints=told)
    assert sorted(sorted(numbers(f)) for f in found) == rooms
