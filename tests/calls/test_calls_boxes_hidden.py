"""SIM boxes that look like people, and boxes that are carried about."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from support.town import DAY0, DAYS, PEOPLE, Town, numbers, rings

SITES = [f"410-01-8{n}-1" for n in range(8)]


def carried(town: Town, *, called: bool) -> set[str]:
    """Sixteen SIMs in four slots that are at another place each day."""
    kin = town.rng.sample(PEOPLE, 150)
    used = [f"+92312{n:07d}" for n in range(16)]
    for day in range(DAYS):
        for n, sim in enumerate(used):
            imei, cell = f"9900000{n % 4:07d}5", SITES[day % 8]
            for _ in range(20):
                hour, talk = town.rng.uniform(2, 24), town.rng.expovariate(1 / 200)
                town.call(day, hour, sim, town.rng.choice(kin), talk, imei, cell)
                if called:
                    who = town.rng.choice(PEOPLE)
                    town.call(day, hour, who, sim, 60, "", "410-01-77-1", imei, cell)
    return set(used)


def test_sims_that_call_one_another_are_one_box_still(tmp_path: Path) -> None:
    """A box that simulates people: it calls itself, and codes are sent to it."""
    town = Town()
    town.everybody()
    some = [f"+92313{n:07d}" for n in range(12)]
    for day in range(DAYS):
        for n, sim in enumerate(some):
            imei = f"99000000{n % 4:06d}5"
            for _ in range(16):
                hour, talk = town.rng.uniform(0, 24), town.rng.expovariate(1 / 200)
                town.call(day, hour, sim, town.rng.choice(PEOPLE), talk, imei, SITES[0])
            for _ in range(3):
                other = town.rng.choice([s for s in some if s != sim])
                hour = town.rng.uniform(0, 24)
                town.call(day, hour, sim, other, 20, imei, SITES[0], imei, SITES[0])
            for _ in range(4):
                start = DAY0 + timedelta(days=day, hours=town.rng.uniform(0, 20))
                town.rows.append((start, 0, "sms", "MYBANK", sim, "", "", "", imei, SITES[0]))
    calls = town.write(tmp_path / "calls.csv")
    assert [numbers(f) for f in rings(calls, "calls.simbox")] == [set(some)]
    assert not rings(calls)


@pytest.mark.parametrize("called", [False, True], ids=["a box", "riders"])
def test_a_box_that_is_carried_about_is_told_by_its_slots(called: bool, tmp_path: Path) -> None:
    town = Town()
    town.everybody()
    used = carried(town, called=called)
    calls = town.write(tmp_path / "calls.csv")
    found = rings(calls, "calls.simbox")
    assert [numbers(f) for f in found] == ([] if called else [used])
    assert not rings(calls)
