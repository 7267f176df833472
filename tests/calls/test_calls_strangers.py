"""Which numbers are lines: who is called by strangers, and who goes neither way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cordon.calls.rings import search
from cordon.calls.rings.lines import Lines
from cordon.calls.survey.near import Near
from support.town import DAYS, PEOPLE, Town, numbers, rings

ROOM = "410-01-9-1"


def complaints(path: Path, named: list[str], victims: list[str]) -> Path:
    path.write_text(
        "complaint_id,received,suspect_number,victim_number,loss_pkr\n"
        + "".join(
            f"C{n},2026-03-09T08:00:00Z,{s},{v},50000\n"
            for n, (s, v) in enumerate(zip(named, victims, strict=True))
        )
    )
    return path


def both_ways(town: Town, *, again: int = 1) -> list[str]:
    """Six lines that call people, of whom half call back, and that call those once more."""
    used = [f"+92349{n:07d}" for n in range(6)]
    for line in used:
        imei = f"86{line[-12:]}5"
        for day in range(DAYS):
            for person in town.rng.sample(PEOPLE, 20):
                hour = town.rng.uniform(9, 15)
                town.call(day, hour, line, person, 90, imei, ROOM)
                if again == 1 and town.rng.random() < 0.5:
                    continue
                for turn in range(again):
                    later = hour + 1 + turn
                    town.call(day, later, person, line, 120, "", "410-01-77-1", imei, ROOM)
                    if turn % 2:
                        town.call(day, later + 0.5, line, person, 120, imei, ROOM)
    return used


def test_lines_that_are_called_as_often_as_they_call_are_told(tmp_path: Path) -> None:
    """A refund scam: people are called, call back, and are strangers still."""
    town = Town()
    town.everybody()
    used = both_ways(town)
    named = complaints(tmp_path / "complaints.csv", used * 2, PEOPLE[:12])
    found = rings(town.write(tmp_path / "calls.csv"), complaints=named)
    assert [numbers(f) for f in found] == [set(used)]


def test_who_deals_with_its_people_again_and_again_is_none(tmp_path: Path) -> None:
    town = Town()
    town.everybody()
    used = both_ways(town, again=5)
    named = complaints(tmp_path / "complaints.csv", used * 2, PEOPLE[:12])
    assert not rings(town.write(tmp_path / "calls.csv"), complaints=named)


def test_second_sims_that_are_called_cold_are_no_part_of_the_room_that_calls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor are numbers out of service. Neither knows anybody who calls it."""
    town = Town()
    town.everybody()
    seconds = [f"+92333{n:07d}" for n in range(400)]
    dead = [f"+92332{n:07d}" for n in range(200)]
    called = PEOPLE + seconds * 3
    used = town.centre("1", cell=ROOM, a_day=80, people=called)
    used |= town.centre("2", cell="410-01-9-2", a_day=80, people=called)
    for n, second in enumerate(seconds):
        for day in range(DAYS):  # at home beside the room, where its owner lives
            for _ in range(2):
                caller, hour = town.rng.choice(PEOPLE), town.rng.uniform(10, 20)
                town.call(
                    day, hour, caller, second, 40, "", "410-01-77-1", f"37{n:012d}5", ROOM,
                )  # fmt: skip
                if n < 200:
                    town.call(day, hour, caller, dead[n], 0, "", "410-01-77-1")
    told: set[str] = set()

    def lines(near: Near, *given: Any) -> Lines:
        found = plainly(near, *given)
        told.update(near.numbers[at] for at in found.at)
        return found

    plainly = search.lines
    monkeypatch.setattr(search, "lines", lines)
    found = rings(town.write(tmp_path / "calls.csv"))
    assert set().union(*map(numbers, found)) == used
    assert used <= told
    assert not told & {*seconds, *dead}
