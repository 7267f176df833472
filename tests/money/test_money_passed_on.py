"""Payments in that go on as one payment each; and which of many accounts pass money on."""

from __future__ import annotations

import random

import numpy as np
import pyarrow as pa
import pytest

from cordon.money.detectors.passing import how_many_pass, passing
from cordon.money.holding import holding, moves_of, one_by_one
from cordon.money.payments import Payments

HOUR = 3_600_000_000
OUT = 1  # the account whose payments in and out are looked at; 0 pays it, 2 is paid
Told = tuple[float, int]  # hours, and units; below nothing they go out


def went_on(*told: Told, within_h: float = 48, fee: float = 0.2) -> int:
    """Payments into one account that went on one by one."""
    into = [units > 0 for _, units in told]
    sender = np.where(into, 0, OUT).astype(np.int64)
    receiver = np.where(into, OUT, 2).astype(np.int64)
    amount = np.array([abs(units) for _, units in told], np.int64)
    at = np.array([int(hours * HOUR) for hours, _ in told], np.int64)
    found = one_by_one(sender, receiver, amount, at, 3, int(within_h * HOUR), fee)
    assert not found[sender != OUT].any()
    return int(found.sum())


@pytest.mark.parametrize(
    ("told", "many"),
    [
        ([(0, 100), (1, -90)], 1),
        ([(0, 100), (1, -100)], 1),
        ([(0, 100), (1, -80)], 1),
        ([(0, 100), (1, -79)], 0),  # less by more than the fee
        ([(0, 100), (1, -101)], 0),  # more than came in
        ([(0, 100), (48, -90)], 1),
        ([(0, 100), (48.01, -90)], 0),  # too late
        ([(0, -90), (1, 100)], 0),  # before it came in
        ([(0, 100), (1, -90), (2, -90)], 1),  # each goes on once
        ([(0, 100), (0, 100), (1, -90), (2, -90)], 2),
        ([(0, 100), (1, 110), (2, -95), (3, -105)], 2),  # the smallest that fits
        ([(0, 110), (1, 100), (2, -95), (3, -105)], 2),
        ([(0, 100), (1, 100), (2, 100), (3, -300)], 0),  # gathered
        ([(0, 100), (1, 300), (2, 100), (3, -290), (4, -95), (5, -95)], 3),  # out of the middle
        ([(0, 0), (1, 0)], 0),
    ],
)
def test_what_went_on_as_one(told: list[Told], many: int) -> None:
    assert went_on(*told) == many


def test_the_last_payments_in_are_looked_at_alone() -> None:
    """However many stand open, one payment out is held against a bounded number of them."""
    many = [(n / 1000, 100) for n in range(300)]
    assert went_on((0, 1000), *many, (1, -950)) == 0
    assert went_on(*many, (0.9, 1000), (1, -950)) == 1


def payments(seed: int, accounts: int, count: int) -> Payments:
    """Payments in two currencies among so many accounts, some to oneself and some of nothing."""
    rng = np.random.default_rng(seed)
    ends = rng.integers(0, accounts, (2, count)).astype(np.int32)
    return Payments(
        [f"A{n:06d}" for n in range(accounts)], ["EUR", "PKR"], (0, 0),
        np.sort(rng.integers(0, 2000 * HOUR, count)), ends[0], ends[1],
        rng.integers(0, 900, count), rng.integers(0, 2, count).astype(np.int16),
        np.zeros(count, np.int8), pa.chunked_array([pa.array([f"P{n}" for n in range(count)])]),
        np.zeros(count, np.int32), np.arange(1, count + 1), [""],
    )  # fmt: skip


def test_some_accounts_pass_on_as_they_do_among_all() -> None:
    p, within = payments(1, 300, 4000), 300 * HOUR
    came, soon, _, _ = holding(p.pot(p.sender), p.pot(p.receiver), p.amount, p.at, 600, within)
    main = came.reshape(-1, 2).argmax(axis=1) + 2 * np.arange(300)
    incomes = np.bincount(p.receiver[(p.amount > 0) & (p.sender != p.receiver)], minlength=300)
    every = (incomes >= 3) & (soon[main] >= 0.4 * came[main])
    assert 0.1 < every.mean() < 0.9
    some = np.array(random.Random(1).sample(range(300), 120))
    assert passing(p, some, within, 0.4).tolist() == every[some].tolist()
    assert how_many_pass(p, np.arange(300), within, 0.4) == pytest.approx(every.sum())


def test_how_many_of_very_many_is_told_from_some() -> None:
    p, within = payments(2, 90_000, 500_000), 200 * HOUR
    every = passing(p, np.arange(90_000), within, 0.4).sum()
    assert how_many_pass(p, np.arange(90_000), within, 0.4) == pytest.approx(every, rel=0.05)
    assert how_many_pass(p, np.zeros(0, np.int64), within, 0.4) == 1


def test_payments_of_some_accounts_are_picked_out() -> None:
    sender, receiver = np.array([0, 1, 2, 2, 3, 1]), np.array([1, 2, 2, 0, 4, 4])
    amount = np.array([5, 0, 7, 9, 4, 2])
    some = np.array([False, False, True, False, True])
    # not one of nothing, nor one to oneself, nor one between others
    assert moves_of(sender, receiver, amount, some).tolist() == [3, 4, 5]
