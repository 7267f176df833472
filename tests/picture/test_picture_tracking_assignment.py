"""The assignment against every permutation, and against SciPy's."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from cordon.picture.tracking.assignment import MOST, Table, assign, table
from cordon.picture.tracking.layout import CHOICES, NONE


def laid(costs: np.ndarray, alone: np.ndarray) -> Table:
    """A table of a full matrix, infinite where a report cannot be of a track."""
    n, rows = costs.shape
    b = table(rows, n)
    b.alone[:] = alone
    for r in range(n):
        tracks = np.flatnonzero(np.isfinite(costs[r]))
        b.count[r] = len(tracks)
        b.who[r, : len(tracks)], b.cost[r, : len(tracks)] = tracks, costs[r, tracks]
    return b


def price(b: Table, costs: np.ndarray) -> float:
    """What an answer costs; it must give no track twice."""
    given = [s for s in b.answer if s != NONE]
    assert len(set(given)) == len(given)
    return float(sum(b.alone[r] if s == NONE else costs[r, s] for r, s in enumerate(b.answer)))


def test_no_other_answer_costs_less() -> None:
    rng = np.random.default_rng(1)
    for _ in range(300):
        n, rows = rng.integers(1, 5, 2)
        costs = rng.integers(0, 12, (n, rows)).astype(float)
        costs[rng.random((n, rows)) < 0.3] = np.inf
        alone = rng.integers(3, 10, n).astype(float)
        b = laid(costs, alone)
        assign(b, 0, int(n))
        least = min(
            sum(alone[r] if s == rows else costs[r, s] for r, s in enumerate(answer))
            for answer in product(range(rows + 1), repeat=int(n))
            if len({s for s in answer if s < rows}) == sum(s < rows for s in answer)
        )
        assert price(b, costs) == pytest.approx(least)


@pytest.mark.parametrize("seed", range(3))
def test_large_clusters_cost_what_scipy_finds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, rows = 150, 150
    costs = np.full((n, rows), np.inf)
    for r in range(n):
        some = rng.choice(rows // (seed + 1), CHOICES, replace=False)
        costs[r, some] = rng.exponential(10, CHOICES)
    alone = rng.uniform(5, 25, n)
    b = laid(costs, alone)
    assign(b, 0, n)
    whole = np.full((n, rows + n), 1e6)
    whole[:, :rows] = np.where(np.isfinite(costs), costs, 1e6)
    whole[np.arange(n), rows + np.arange(n)] = alone
    assert price(b, costs) == pytest.approx(whole[linear_sum_assignment(whole)].sum())


def test_the_table_is_at_rest_after_an_answer() -> None:
    rng = np.random.default_rng(3)
    costs = rng.uniform(0, 20, (8, 8))
    b = laid(costs, np.full(8, 15.0))
    assign(b, 0, 8)
    once = b.answer.copy()
    assert (b.seat == NONE).all()
    assert not b.price.any()
    assert not b.spot.any()
    assign(b, 0, 8)
    assert (b.answer == once).all()


def test_groups_of_one_table_are_assigned_apart() -> None:
    costs = np.array([[1.0], [2.0], [0.5]])
    b = laid(costs, np.full(3, 9.0))
    assign(b, 0, 2)
    assign(b, 2, 3)
    assert b.answer.tolist() == [0, NONE, 0]


def test_a_crowd_ends() -> None:
    """A chain in which each would have to give place to the next, longer than is followed."""
    n = MOST + 50
    costs = np.full((n + 1, n), np.inf)
    for r in range(n):
        costs[r, r] = 1.0
        if r + 1 < n:
            costs[r, r + 1] = 1.5
    costs[n, 0] = 0.0
    b = laid(costs, np.full(n + 1, 1e6))
    assign(b, 0, n + 1)
    assert (b.answer != NONE).sum() == n
    assert price(b, costs) < 2e6
