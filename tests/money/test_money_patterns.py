"""Patterns of payments: what is planted is told, and what looks alike in an honest city is not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from cordon.kernel.findings import Finding
from cordon.money.detectors import (
    border_cash,
    chain,
    charity_front,
    cycle,
    gathering,
    hawala_pair,
    many_donors,
    scatter_gather,
    split,
)
from cordon.money.detectors.apart import _LONG as LONG
from cordon.money.detectors.apart import _waits
from support.city import BEGIN, DAYS, City

Planted = set[str]
SEEDS = range(301, 304)


def plant_split(c: City) -> Planted:
    for n in range(6):
        c.pay(22.3 + n / 50, "x0", "x1", 48_000 + 300 * n)
    return {"x0", "x1"}


def plant_gathering(c: City) -> Planted:
    payers = c.people(14)
    for who in payers:
        c.pay(30 + 2 * c.rng.random(), who, "x0", 9_000 + c.rng.randrange(900))
    c.pay(32.5, "x0", "x1", 120_000)
    return {"x0"}


def plant_scatter(c: City) -> Planted:
    middle = [f"x{n}" for n in range(2, 9)]
    for n, who in enumerate(middle):
        amount = 23_000 + 1_370 * n
        c.pay(40 + n / 20, "x0", who, amount)
        c.pay(40.6 + c.rng.random(), who, "x1", amount * 0.97)
    return {"x0", "x1", *middle}


def plant_cycle(c: City) -> Planted:
    ring = [f"x{n}" for n in range(5)]
    for n, who in enumerate(ring):
        c.pay(25 + n * 0.7, who, ring[(n + 1) % 5], 73_210 * 0.98**n)
    return set(ring)


def plant_chain(c: City) -> Planted:
    for n in range(6):
        c.pay(35 + n * 0.2, f"x{n}", f"x{n + 1}", 64_870 * 0.97**n)
    return {f"x{n}" for n in range(7)}


def plant_donors(c: City) -> Planted:
    for who in c.people(90):
        c.pay(c.any_day(), who, "x0", c.rng.choice([50, 100, 200, 300]))
    for n in range(5):
        c.pay(DAYS - 1 + n / 10, "x0", "hawala", 2_500, "hawala")
    return {"x0"}


def plant_front(c: City) -> Planted:
    for who in c.people(110) * 2:
        c.pay(c.any_day(), who, "x0", c.rng.choice([500, 1_000, 2_000]))
    for day in range(10, DAYS, 10):
        for trustee in ("x1", "x2"):
            c.pay(day, "x0", trustee, 15_000)
            c.pay(day + 0.5, trustee, "agent1", 14_500, "cash_out")
    return {"x0", "x1", "x2"}


def plant_hawala(c: City) -> Planted:
    for _ in range(70):  # each takes of many and pays out to many
        for one in ("x0", "x1"):
            who = c.people(1)[0]
            c.pay(c.any_day(), *c.rng.choice([(who, one), (one, who)]), c.amount(8_000))
    sums = [c.rng.randrange(30, 140) * 1_000 for _ in range(7)]
    for amount in sums:
        c.pay(c.any_day(), "x0", "x1", amount)
    left = sum(sums)
    for n in range(6, 0, -1):
        part = left if n == 1 else round(left / n * c.rng.uniform(0.7, 1.2))
        c.pay(c.any_day(), "x1", "x0", part)
        left -= part
    return {"x0", "x1"}


def plant_border(c: City) -> Planted:
    for n in range(9):
        at = 5 + n * 6 + c.rng.random()
        cash = [c.amount(30_000) for _ in range(3)]
        for units in cash:
            c.pay(at + c.rng.random() / 2, f"agent{n}", "x0", units, "cash_in")
        c.pay(at + 1.2, "x0", f"far{n % 5}", 0.93 * sum(cash), "foreign")
    return {"x0"}


DETECTORS: dict[Any, Callable[[City], Planted]] = {
    split: plant_split,
    gathering: plant_gathering,
    scatter_gather: plant_scatter,
    cycle: plant_cycle,
    chain: plant_chain,
    many_donors: plant_donors,
    charity_front: plant_front,
    hawala_pair: plant_hawala,
    border_cash: plant_border,
}


def named(found: list[Finding]) -> set[str]:
    return {s.removeprefix("account:") for f in found for s in f.subjects}


@pytest.mark.parametrize("detector", DETECTORS, ids=lambda d: d.CARD.name.rpartition(".")[2])
@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_planted_is_told_and_nothing_else(tmp_path: Path, detector: Any, seed: int) -> None:
    city = City(seed)
    planted = DETECTORS[detector](city)
    found = list(detector.find(city.data(tmp_path)))
    assert len(found) == 1
    (one,) = found
    assert len(named(found) & planted) >= 0.8 * len(named(found) | planted)
    assert one.kind == "money.pattern"
    assert one.detector == detector.CARD.name
    assert one.extra["typology"] == detector.CARD.name.rpartition(".")[2]
    assert one.reasons[0].name == "evidence"
    assert all(r.says for r in one.reasons)
    assert len(one.records) >= 2


def shares(c: City, groups: int) -> None:
    """A feast: six pay one the same for an animal, which he buys of one of many sellers."""
    for n in range(groups):
        buyer, *others = c.people(7)
        units, at = c.rng.choice([18_000, 22_000, 30_000]), 26 + 6 * c.rng.random()
        for who in others:
            c.pay(at + 2 * c.rng.random(), who, buyer, units)
        c.pay(at + 2.2 + c.rng.random(), buyer, f"seller{n % 6}", 7 * units)


def test_shared_sacrifices_are_no_gathering_and_guests_are_no_subjects(tmp_path: Path) -> None:
    c = City(314)
    shares(c, 60)
    data = c.data(tmp_path)
    assert not list(gathering.find(data))
    data.given = {"honest": 1}
    everyone = list(gathering.find(data))
    assert len(everyone) > 40
    assert all(len(f.subjects) == 1 and f.extra["paid_by"] >= 4 for f in everyone)
    plant_gathering(c)
    data = c.data(tmp_path)
    (found,) = gathering.find(data)
    assert found.subjects == ("account:x0",)
    assert found.extra["paid_by"] == 14
    assert len(found.records) == 15
    of = {r.name: r for r in found.reasons}
    assert of["honest"].value <= of["honest"].threshold
    assert of["to"].value == 0
    assert "0 others pay the account that it went on to" in of["to"].says


def test_those_who_know_one_another_gather_for_something(tmp_path: Path) -> None:
    """The same sums of a village, whose people pay one another at other times too."""
    c = City(315)
    plant_gathering(c)
    payers = [a for _, a, to, _, _ in c.rows if to == "x0"]
    assert list(gathering.find(c.data(tmp_path)))
    for n, who in enumerate(payers):
        for other in payers[n + 1 : n + 4]:
            c.pay(c.any_day(), who, other, c.amount(900))
    assert not list(gathering.find(c.data(tmp_path)))


def test_how_long_everybody_keeps_what_comes_in(tmp_path: Path) -> None:
    c = City(317)
    c.rows = c.rows[:400]
    m = c.data(tmp_path).moves
    plain = [
        min((t - at for a, t in zip(m.a, m.at, strict=True) if a == b and t >= at), default=LONG)
        for b, at in zip(m.b, m.at, strict=True)
    ]
    assert sorted(_waits(m)) == sorted(plain)
    assert LONG in plain
    assert min(plain) < LONG


def test_how_new_the_account_is_sets_it_apart(tmp_path: Path) -> None:
    c = City(316)
    plant_gathering(c)
    data = c.data(tmp_path)
    names = [a for a in data.payments.accounts if a != "x1"]
    old, new = datetime(2020, 5, 1, tzinfo=UTC), BEGIN + timedelta(days=24)
    data.accounts = pa.table(
        {
            "account": names,
            "phone": [""] * len(names),
            "kind": ["bank"] * len(names),
            "opened": [new if a == "x0" else old for a in names],
        }
    )
    (found,) = gathering.find(data)
    (age,) = (r for r in found.reasons if r.name == "age")
    assert 5.9 < age.value < 8.1
    assert age.unit == "d"
    (bare,) = gathering.find(c.data(tmp_path))
    assert "age" not in {r.name for r in bare.reasons}


def test_who_spends_part_of_what_is_sent_is_no_carrier(tmp_path: Path) -> None:
    """Cash drawn from what relatives abroad sent, and the rest spent in shops: a family."""
    c = City(312)
    for n in range(12):
        at = 3 + 4 * n
        c.pay(at, f"far{n % 4}", "x0", 30_000, "foreign")
        c.pay(at + 0.5, "x0", f"agent{n}", 22_000, "cash_out")
        c.pay(at + 0.7, "x0", "shop1", 7_000, "card")
    data = c.data(tmp_path)
    assert not list(border_cash.find(data))
    data.given = {"through": 0}
    (found,) = border_cash.find(data)
    assert named([found]) == {"x0"}


def test_who_draws_gifts_in_cash_is_not_told_beside_who_sends_them_out_of_sight(
    tmp_path: Path,
) -> None:
    """Treasurers draw what was given, for all to see; landlords and mules say nothing of gifts."""
    c = City(313)
    for n in range(8):
        for who in c.people(40) * 2:  # who gives to a mosque gives again
            c.pay(c.any_day(), who, f"mosque{n}", c.rng.choice([50, 100, 200]))
        c.pay(DAYS - 2, f"mosque{n}", f"agent{n}", 3_000, "cash_out")
        c.pay(DAYS - 2, f"mosque{n}", "shop1", 500)
    for n in range(10):  # rents are drawn to the last, by whoever collects them
        for who in c.people(30):
            c.pay(c.any_day(), who, f"house{n}", 15_000)
        c.pay(DAYS - 1, f"house{n}", f"agent{n}", 400_000, "cash_out")
    assert not list(many_donors.find(c.data(tmp_path)))
    plant_donors(c)
    (found,) = many_donors.find(c.data(tmp_path))
    assert named([found]) == {"x0"}
    assert {"once", "out", "unseen"} <= {r.name for r in found.reasons}


def test_two_who_pass_on_to_one_another_settle_nothing(tmp_path: Path) -> None:
    """What victims paid goes on to the other as it came: mules, and no hawala."""
    c = City(311)
    for n, who in enumerate(c.people(60)):
        one, other = ("x0", "x1") if n % 2 else ("x1", "x0")
        day, units = c.any_day(), 40_000 + 500 * (n // 2)
        c.pay(day, who, one, units)
        c.pay(day + 0.3, one, other, 0.95 * units)
    data = c.data(tmp_path)
    assert not list(hawala_pair.find(data))
    data.given = {"passed": 1}
    (found,) = hawala_pair.find(data)
    assert named([found]) == {"x0", "x1"}


@pytest.mark.parametrize("detector", DETECTORS, ids=lambda d: d.CARD.name.rpartition(".")[2])
def test_an_honest_city_is_left_alone(tmp_path: Path, detector: Any) -> None:
    """Landlords, schools, wage payers, committees, weddings, lenders, remittances, causes."""
    for seed in (401, 402):
        assert not list(detector.find(City(seed).data(tmp_path)))


@pytest.mark.parametrize("detector", DETECTORS, ids=lambda d: d.CARD.name.rpartition(".")[2])
def test_little_or_nothing_is_no_error(tmp_path: Path, detector: Any) -> None:
    city = City(1)
    for rows in (city.rows[:1], [(city.rows[0][0], "a", "a", 5, "transfer")], city.rows[:3]):
        city.rows = rows
        assert not list(detector.find(city.data(tmp_path)))


def test_a_round_of_a_thousand_is_bounded_and_told_as_a_chain(tmp_path: Path) -> None:
    city = City(7)
    for n in range(1000):
        city.pay(5 + n / 40, f"x{n}", f"x{(n + 1) % 1000}", 91_237)
    data = city.data(tmp_path)
    assert not list(cycle.find(data))
    (one,) = chain.find(data)
    assert one.extra["payments"] == 1000


def test_an_account_with_many_payments_in_is_bounded(tmp_path: Path) -> None:
    """So many come in that any amount finds one: no link says anything, and none is kept."""
    from cordon.money.detectors.links import links

    city = City(8)
    for n in range(30_000):
        city.pay(10 + n / 10_000, f"p{n % 700}", "hub", 1_000)
        if n % 3 == 0:
            city.pay(10 + n / 10_000, "hub", f"p{(n * 7) % 700}", 1_000)
    m = city.data(tmp_path).moves
    hub = m.payments.accounts.index("hub")
    those = links(m, 24 * 3_600_000_000, 0.1)
    assert not np.any(m.a[those.then] == hub)
