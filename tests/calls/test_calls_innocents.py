"""Honest lines that look like a ring, and the rings beside them that are still found."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from cordon.calls.rings.complaining import ELSEWHERE, NOBODY, Complaint, Complaints, reached
from cordon.calls.rings.sharing import staying
from cordon.calls.rings.uses import Uses
from support.town import DAY0, DAYS, PEOPLE, Town, numbers, rings

ROOM = "410-01-9-1"
_DAY, _HOUR = 86_400_000_000, 3_600_000_000


def moment(day: float, hour: float) -> datetime:
    return DAY0 + timedelta(days=day, hours=hour - 5)


def complaints(path: Path, rows: list[tuple[datetime, str, str]]) -> Path:
    """A file of reports: when made, number that is named or nothing, who reports."""
    lines = [
        f"C{n},{when.isoformat()},{named},{victim}" for n, (when, named, victim) in enumerate(rows)
    ]
    path.write_text("\n".join(["complaint_id,received,suspect_number,victim_number", *lines]))
    return path


def desk(town: Town, reports: list[tuple[datetime, str, str]]) -> set[str]:
    """Eight lines that call thirty people a day, and each victim some hours before the report."""
    lines = [f"+9242111{n:06d}" for n in range(8)]
    for at, line in enumerate(lines):
        for day in range(DAYS):
            for _ in range(30):
                hour, who = town.rng.uniform(9, 21), town.rng.choice(PEOPLE)
                town.call(day, hour, line, who, 90, f"357{at:011d}5", "410-01-33-1")
    for n, (when, _, victim) in enumerate(reports):
        after = (when - DAY0) / timedelta(days=1) + 5 / 24 - town.rng.uniform(1, 4) / 24
        line = n % len(lines)
        town.call(after, 0, lines[line], victim, 200, f"357{line:011d}5", "410-01-33-1")
    return set(lines)


def defrauded(town: Town, sims: list[str], named: float) -> list[tuple[datetime, str, str]]:
    """Sixty who were called by these, and report it a day later; so many of them name the SIM."""
    reports = []
    for n in range(60):
        sim, victim = sims[n % len(sims)], PEOPLE[n * 47 % 3000]
        when = next(row[0] for row in town.rows if row[3] == sim)
        assert isinstance(when, datetime)
        hours = (when - DAY0) / timedelta(hours=1) + 5
        town.call(0, hours, sim, victim, 900, f"861{int(sim[8:10]):011d}5", ROOM)
        reports.append((when + timedelta(hours=20), sim if n < 60 * named else "", victim))
    return reports


def test_whom_a_desk_calls_back_is_no_victim_of_the_desk(tmp_path: Path) -> None:
    town = Town()
    town.everybody()
    used = town.centre("1", cell=ROOM)
    reports = defrauded(town, sorted(used), 0.6)
    desk(town, reports)
    told = complaints(tmp_path / "complaints.csv", reports)
    (ring,) = rings(town.write(tmp_path / "calls.csv"), complaints=told)
    assert numbers(ring) == used
    assert {r.name: r.value for r in ring.reasons}["victims"] >= 50


def test_a_desk_is_no_ring_where_nobody_knows_who_called_first(tmp_path: Path) -> None:
    town = Town()
    town.everybody()
    reports = [(moment(3 + n % 4, 18), "", PEOPLE[n * 47 % 3000]) for n in range(60)]
    desk(town, reports)
    told = complaints(tmp_path / "complaints.csv", reports)
    assert rings(town.write(tmp_path / "calls.csv"), complaints=told) == []


def test_a_centre_that_uses_nothing_up_is_found_by_complaints_that_name_it(tmp_path: Path) -> None:
    town = Town()
    town.everybody()
    seats = sorted(town.office(lines=6, cell=ROOM))
    reports = [(moment(5, 10), seat, PEOPLE[n]) for n, seat in enumerate(seats[:3])]
    told = complaints(tmp_path / "complaints.csv", reports)
    (ring,) = rings(town.write(tmp_path / "calls.csv"), complaints=told)
    assert numbers(ring) == set(seats)


def test_two_shifts_on_the_same_handsets_are_no_ring(tmp_path: Path) -> None:
    town = Town()
    town.everybody()
    for line in range(30):
        opens = 8 if line % 2 else 14
        for day in range(DAYS):
            for _ in range(40):
                town.call(
                    day, town.rng.uniform(opens, opens + 6), f"+923331{line:06d}",
                    town.rng.choice(PEOPLE), 70, f"357{line // 2:011d}5", ROOM,
                )  # fmt: skip
    assert rings(town.write(tmp_path / "calls.csv")) == []


def test_riders_who_share_the_handsets_of_a_depot_are_no_ring(tmp_path: Path) -> None:
    town = Town()
    town.everybody()
    for rider in range(40):
        for day in range(DAYS):
            for _ in range(25):
                cell = ROOM if town.rng.random() < 0.6 else f"410-01-77-{town.rng.randrange(97)}"
                town.call(
                    day, town.rng.uniform(11, 23), f"+923222{rider:06d}", town.rng.choice(PEOPLE),
                    40, f"359{(rider + town.rng.randrange(2)) // 2 % 20:011d}5", cell,
                )  # fmt: skip
    assert rings(town.write(tmp_path / "calls.csv")) == []


def test_a_centre_inside_a_business_is_told_without_the_business(tmp_path: Path) -> None:
    town = Town()
    town.everybody()
    used = town.centre("1", cell=ROOM, seats=20, sim_days=4)
    office = town.office(lines=40, cell=ROOM, a_day=40, hours=(11, 20))
    register = tmp_path / "subscribers.csv"
    register.write_text("number,kind\n" + "".join(f"{n},business\n" for n in sorted(office)))
    path = town.write(tmp_path / "calls.csv")
    (ring,) = rings(path, subscribers=register)
    assert numbers(ring) == used
    assert ring.extra["beside"] == [f"number:{n}" for n in sorted(office)]
    # one that complaints name stays
    one = min(office)
    told = complaints(tmp_path / "complaints.csv", [(moment(5, 12), one, PEOPLE[4])])
    (ring,) = rings(path, subscribers=register, complaints=told)
    assert numbers(ring) == used | {one}


def uses(*calls: tuple[int, int, int]) -> Uses:
    """Calls as (line, person, hour), each line's by time."""
    of, other, hour = (np.array(c, np.int64) for c in zip(*sorted(calls), strict=True))
    none = np.full(len(of), -1)
    us = _DAY * 100 + hour * _HOUR
    return Uses(of, none, of >= 0, other, none, none, none, us, np.searchsorted(of, np.arange(9)))


def said(*told: Complaint, named: tuple[int, ...] = ()) -> Complaints:
    count = np.zeros(50, np.int64)
    count[list(named)] = 1
    return Complaints(count, count, list(told), len(told), {})


def victims(one: Complaints, calls: Uses, known: tuple[bool, ...] = (False, False)) -> list[int]:
    groups = [np.array([0, 1]), np.array([2, 3])]
    people = np.array([20, 20])
    told = reached(one, calls, np.arange(4), groups, people, np.array(known), 50)
    return [int(v) for v in told.victims]


def complaint(suspect: int, until: int = 60) -> Complaint:
    return Complaint(30, _DAY * 100 + until * _HOUR, suspect, ())


@pytest.mark.parametrize(
    ("suspect", "expected"), [(NOBODY, [1, 0]), (ELSEWHERE, [0, 0]), (9, [0, 0]), (3, [0, 1])]
)
def test_a_complaint_speaks_of_whom_it_names_or_who_called_first(
    suspect: int, expected: list[int]
) -> None:
    calls = uses((0, 30, 10), (2, 30, 20))
    assert victims(said(complaint(suspect)), calls) == expected


def test_a_ring_that_called_before_the_loss_stands_before_other_lines() -> None:
    calls = uses((0, 30, 10), (2, 30, 20))
    assert victims(said(complaint(NOBODY)), calls, (False, True)) == [0, 1]
    # but not one that called only afterwards, nor weeks before
    assert victims(said(complaint(NOBODY, 15)), calls, (False, True)) == [1, 0]
    assert victims(said(complaint(NOBODY, 24 * 30)), calls) == [0, 0]


def test_other_lines_tell_how_many_victims_chance_gives() -> None:
    told = [Complaint(n, _DAY * 200, NOBODY, ()) for n in range(10, 20)]
    calls = uses(*((2, n, 24 * 95) for n in range(10, 20)))
    people, groups = np.array([20, 20]), [np.array([0, 1]), np.array([2, 3])]

    def chance(known: bool) -> float:
        one = reached(
            said(*told), calls, np.arange(4), groups, people, np.array([False, known]), 10_000
        )
        return float(one.by_chance[0])

    assert chance(False) > 10 * chance(True)
    assert chance(True) >= 20 * 10 / 10_000


@pytest.mark.parametrize(
    ("hours", "days", "told"),
    [((8, 14), (range(8), range(8)), (1, 0)),  # two shifts
     ((8, 8), (range(8), range(8)), (0, 1)),  # both all day long: two slots
     ((8, 8), (range(2), range(2)), (0, 0)),  # nobody knows yet
     ((8, 14), (range(4), range(4, 8)), (0, 0))],  # one after the other
)  # fmt: skip
def test_shifts_and_slots_are_told_from_sims_that_are_used_up(
    hours: tuple[int, int], days: tuple[range, range], told: tuple[int, int]
) -> None:
    calls = [
        (line, (day * 24 + hours[line]) * _HOUR + k * _HOUR // 2 + line)
        for line in (0, 1) for day in days[line] for k in range(10)
    ]  # fmt: skip
    of, us = (np.array(c, np.int64) for c in zip(*calls, strict=True))
    imei = np.full(len(of), 7)
    used = np.array([7, (1 << 32) + 7])
    assert staying(of, imei, us, used, np.array([7])) == told
    # a SIM that goes into another handset as well stays in none
    elsewhere = np.append(used, 8)
    assert staying(of, imei, us, elsewhere, np.array([7])) == (told[0], 0)
