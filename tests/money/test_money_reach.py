"""A trace that looks only at payments of pots it can reach says what one over all of them says."""

from __future__ import annotations

import random
from dataclasses import fields
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from cordon.money import Payments
from cordon.money.model import CHANNELS
from cordon.money.tracing import backward as back
from cordon.money.tracing import forward as ahead
from cordon.money.tracing.reach import reached, reached_back


def network(seed: int, size: int = 600, accounts: int = 60) -> Payments:
    """Payments among a few, with rounds, payments of nothing and to oneself, and all channels."""
    rng = random.Random(seed)
    ends = [(rng.randrange(accounts), rng.randrange(accounts)) for _ in range(size)]
    if seed % 2:  # what never meets the rest
        ends = [(a, b) if (a < 30) == (b < 30) else (a, a) for a, b in ends]
    codes = [0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, -1]
    return Payments(
        [f"A{n:03d}" for n in range(accounts)],
        ["PKR", "USD"],
        (2, 2),
        np.arange(size, dtype=np.int64) * 60_000_000,
        np.array([a for a, _ in ends], np.int32),
        np.array([b for _, b in ends], np.int32),
        np.array([rng.choice([0, 1, 7, 100, 9_999, rng.randrange(10**6)]) for _ in ends], np.int64),
        np.array([rng.random() < 0.2 for _ in ends], np.int16),
        np.array([rng.choice(codes) for _ in ends], np.int8),
        pa.chunked_array([[f"P{n}" for n in range(size)]], pa.string()),
        np.zeros(size, np.int32),
        np.arange(1, size + 1, dtype=np.int64),
        ["0" * 64],
        opening={n: rng.randrange(5_000) for n in range(0, 2 * accounts, 7)},
    )


def the_same(one: Any, other: Any) -> None:
    for field in fields(one):
        a, b = getattr(one, field.name), getattr(other, field.name)
        if isinstance(a, np.ndarray):
            assert a.dtype == b.dtype, field.name
            assert np.array_equal(a, b), field.name  # of floats too: bit for bit
        else:
            assert a == b, field.name


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("hops", [1, 3, 300])
def test_what_is_not_reached_says_nothing(
    seed: int, hops: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    payments = network(seed)
    moves = (payments.sender != payments.receiver) & (payments.amount > 0)
    account = payments.accounts[int(np.bincount(payments.sender[moves]).argmax())]
    forward = ahead.forward(payments, account, hops=hops)
    backward = back.backward(payments, account, hops=hops)
    monkeypatch.setattr(ahead, "reached", lambda p, _sources, _hops: np.arange(len(p)))
    # of the way back without what somebody pays himself: there it moves nothing either
    every = np.flatnonzero(payments.sender != payments.receiver)
    monkeypatch.setattr(back, "reached_back", lambda _p, _sinks, _enters: every)
    whole = ahead.forward(payments, account, hops=hops)
    for one, other in zip(forward.methods, whole.methods, strict=True):
        the_same(one, other)
    turned = back.backward(payments, account, hops=hops)
    for was, now in zip(backward.methods, turned.methods, strict=True):
        the_same(was, now)


def test_cash_to_oneself_moves_nothing_on_the_way_back() -> None:
    """It is no money that comes into the account once more."""
    payments = network(2)
    moved = np.flatnonzero(payments.sender != payments.receiver)
    own = np.flatnonzero(payments.exits & (payments.sender == payments.receiver))
    assert len(own) > 0
    for one, other in zip(
        back.backward(payments, "A002").methods,
        back.backward(payments.only(moved), "A002").methods,
        strict=True,
    ):
        assert np.array_equal(one.units, other.units)
        assert np.array_equal(one.unknown, other.unknown)


def test_payments_elsewhere_are_passed_over() -> None:
    """Two halves that never meet: of the other half no payment is looked at, either way."""
    payments = network(1)
    first = (payments.receiver < 30) & (payments.sender != payments.receiver)
    first &= payments.amount > 0
    ahead_of = np.flatnonzero(first)[:5]
    seen = reached(payments, ahead_of, 300)
    assert 20 < len(seen) < len(payments)
    assert (np.diff(seen) > 0).all()
    assert set(payments.sender[seen]) | set(payments.receiver[seen]) <= set(range(30))
    behind = np.flatnonzero(first)[-5:]
    none = np.zeros(len(CHANNELS) + 1, bool)
    seen = reached_back(payments, behind, none)
    assert 20 < len(seen) < len(payments)
    assert set(payments.sender[seen]) | set(payments.receiver[seen]) <= set(range(30))


def test_fewer_hops_look_at_fewer_payments() -> None:
    payments = network(2)
    sources = np.flatnonzero((payments.sender != payments.receiver) & (payments.amount > 0))[:2]
    sizes = [len(reached(payments, sources, hops)) for hops in (1, 2, 12)]
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[2]
    assert len(reached(payments, sources[:0], 3)) == 0
