"""Mass callers, collectors, code lines and boxes: what tells them apart, on cases by hand."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from cordon.calls.detectors.ringcards import BOXES, RINGS
from cordon.calls.detectors.simbox import box_signs, brings_calls_in
from cordon.calls.rings.judging import is_ring
from cordon.calls.rings.succession import Claim, Lives, successions
from cordon.calls.rings.uses import Uses
from cordon.calls.rings.weighing import Facts, confidence
from support.ringfacts import BOX, CENTRE, FLOOR, group
from support.town import DAYS, PEOPLE, Town, numbers, rings

ROOM, OTHER_ROOM = "410-01-9-1", "410-01-33-1"
_DAY = 86_400_000_000


def said(facts: Facts, name: str) -> float:
    return {s.name: s.nats for s in group(facts).signs}[name]


@pytest.mark.parametrize(
    ("named", "by_chance", "expected"), [(3, 0.8, 1.77), (8, 0.8, 9.0), (1, 2.0, 0.0), (0, 0.1, 0)]
)
def test_complaints_are_weighed_against_chance(
    named: int, by_chance: float, expected: float
) -> None:
    facts = replace(CENTRE, named=named, named_by_chance=by_chance)
    assert said(facts, "complaints") == pytest.approx(expected, abs=0.01)


def test_one_complaint_that_chance_gives_makes_no_shared_desks_used_up() -> None:
    by_chance = replace(FLOOR, named=1, named_by_chance=1.0)
    assert said(by_chance, "sims_a_handset") == said(FLOOR, "sims_a_handset") == 1.5
    assert said(replace(by_chance, named=6), "sims_a_handset") > 6


def complaints(path: Path, named: list[str]) -> Path:
    rows = [f"C{n},2026-03-08T12:00:00Z,{n_}" for n, n_ in enumerate(named)]
    path.write_text("\n".join(["complaint_id,received,suspect_number", *rows]))
    return path


def desks(town: Town, lines: int, name: str, cell: str) -> list[str]:
    """Lines with a handset each that call forty strangers a day."""
    used = [f"+92333{name}{n:05d}" for n in range(lines)]
    for n, line in enumerate(used):
        for day in range(DAYS):
            for _ in range(40):
                hour, talk = town.rng.uniform(10, 19), town.rng.expovariate(1 / 60)
                imei = f"35{name}{n:010d}5"
                town.call(day, hour, line, town.rng.choice(PEOPLE), talk, imei, cell)
    return used


def test_pollsters_are_named_as_other_mass_callers_are_and_make_no_ring(tmp_path: Path) -> None:
    town = Town()
    town.everybody()
    pollsters, sales = desks(town, 12, "71", ROOM), desks(town, 12, "72", OTHER_ROOM)
    path = town.write(tmp_path / "calls.csv")
    three = [pollsters[0], pollsters[3], pollsters[7]]
    told = complaints(tmp_path / "one.csv", [*three, sales[1], sales[5]])
    assert rings(path, complaints=told) == []
    # many more than the others have are no chance
    told = complaints(tmp_path / "two.csv", [*pollsters, *pollsters[:4], sales[1]])
    (ring,) = rings(path, complaints=told)
    assert numbers(ring) == set(pollsters)


def test_who_comes_back_to_the_same_people_is_against_it_and_capped() -> None:
    assert said(replace(CENTRE, returned=0.0), "returned") == 0
    assert said(replace(CENTRE, returned=0.2), "returned") == pytest.approx(-3.0)
    assert said(replace(CENTRE, returned=0.9), "returned") == -4.0
    # where there are few people, strangers called at random are called again too
    chance = replace(CENTRE, returned=0.2, returned_by_chance=0.18)
    assert said(chance, "returned") == 0
    assert is_ring(group(replace(CENTRE, returned=0.9)), RINGS.values({}))


def collectors(town: Town, people: list[str]) -> None:
    """Twelve desks, of which three have their SIMs replaced after five days."""
    for line in range(12):
        for day in range(DAYS):
            sim = f"+92334{line:05d}{int(line < 3 and day > 4):02d}"
            for _ in range(40):
                hour, talk = town.rng.uniform(9, 19), town.rng.expovariate(1 / 60)
                who = town.rng.choice(people)
                town.call(day, hour, sim, who, talk, f"357{line:011d}5", ROOM)


def test_collectors_whose_sims_were_replaced_are_no_ring_for_they_return(tmp_path: Path) -> None:
    debtors = Town(1).rng.sample(PEOPLE, 500)
    for people, expected in ((debtors, 0), (PEOPLE, 1)):
        town = Town()
        town.everybody()
        collectors(town, people)
        assert len(rings(town.write(tmp_path / "calls.csv"))) == expected


CODES = replace(
    BOX, lines=4, handsets=4, shared=0, sims_a_handset=1.0, handsets_a_sim=1.0, turnover=1.0,
    talk_s=12, tie=None,
)  # fmt: skip


def test_a_few_lines_that_announce_day_and_night_are_no_box() -> None:
    values = BOXES.values({})

    def told(facts: Facts) -> bool:
        of_it = box_signs(group(facts), values)
        assert sum(s.nats for s in of_it) >= values["evidence"]
        return brings_calls_in(facts, of_it, values)

    assert not told(CODES)
    assert told(BOX)
    # a box with a SIM a slot: many SIMs on which people converse
    assert told(replace(CODES, lines=16, handsets=16, talk_s=90))
    assert not told(replace(CODES, lines=16, handsets=16))
    # and one whose software changes identities
    assert told(replace(CODES, handsets=30))


def around_the_clock(town: Town, lines: int, talk: float, identities: int) -> None:
    kin = town.rng.sample(PEOPLE, 200)
    for line in range(lines):
        for day in range(DAYS):
            for _ in range(40):
                imei = f"99{line:05d}{town.rng.randrange(identities):06d}05"
                hour, long = town.rng.uniform(0, 24), talk * town.rng.uniform(0.8, 1.2)
                town.call(day, hour, f"+92311{line:07d}", town.rng.choice(kin), long, imei, ROOM)


@pytest.mark.parametrize(
    ("lines", "talk", "identities", "expected"),
    [(4, 12, 1, 0), (12, 150, 1, 1), (4, 150, 9, 1)],
    ids=["codes", "a SIM a slot", "changing identities"],
)
def test_boxes_without_shared_handsets_are_found_and_code_lines_are_not(
    lines: int, talk: float, identities: int, expected: int, tmp_path: Path
) -> None:
    town = Town()
    town.everybody()
    around_the_clock(town, lines, talk, identities)
    path = town.write(tmp_path / "calls.csv")
    assert len(rings(path, "calls.simbox")) == expected
    assert rings(path) == []


def life(number: int, day: float, people: list[int], cell: int) -> Lives:
    of = np.zeros(len(people), np.int64)
    none = np.full(len(people), -1)
    us = (np.arange(len(people)) * _DAY // 8 + int(day * _DAY)).astype(np.int64)
    calls = Uses(
        of, none, of == 0, np.array(people), none, none, none * 0 + cell, us,
        np.array([0, len(people)]),
    )  # fmt: skip
    return Lives(np.array([number]), calls, us[:1], us[-1:])


def claims(contacts: int, cell: int) -> list[Claim]:
    """Two lives of a week that share so many people, and rest at one cell or at one unknown."""
    both = list(range(contacts))
    old = life(50, 0, (both + list(range(10, 14))) * 2, cell)
    new = life(51, 8, (both + list(range(20, 24))) * 2, cell)
    degree = np.full(60, 6.0)
    values = {"odds": 10, "gap_most": 14, "kept": 0.5, "near_by": 30, "contacts_alone": 3}
    return successions(old, new, degree, 1_000_000, np.full(400, 1 / 400), values)


def test_two_contacts_alone_make_no_succession() -> None:
    assert claims(2, cell=-1) == []
    assert len(claims(3, cell=-1)) == len(claims(2, cell=7)) == 1


def test_confidence_tells_a_ring_from_a_surer_one() -> None:
    told = [confidence(n, -5) for n in (7, 10, 14, 18)]
    assert all(b - a > 0.01 for a, b in pairwise(told))
    assert told[0] > 0.5
    assert told[-1] < 0.99


def test_without_handsets_other_centres_do_not_say_what_chance_names(tmp_path: Path) -> None:
    town = Town()
    town.everybody()
    centres = [
        town.centre(str(n), cell=f"410-01-{n}-1", hours=(9 + n, 17 + n), seats=6, sim_days=5)
        for n in range(3)
    ]
    town.rows = [(*row[:6], "", row[7], "", row[9]) for row in town.rows]
    path = town.write(tmp_path / "calls.csv")
    assert rings(path) == []  # two SIMs a seat in eight days use nothing up
    told = tmp_path / "complaints.csv"
    named = [sorted(used)[n] for used in centres for n in range(6)]
    told.write_text(
        "complaint_id,received,suspect_number,victim_number\n"
        + "".join(f"C{n},2026-03-09T08:00:00Z,{s},{PEOPLE[n]}\n" for n, s in enumerate(named))
    )
    found = rings(path, complaints=told)
    assert sorted(map(sorted, map(numbers, found))) == sorted(map(sorted, centres))
