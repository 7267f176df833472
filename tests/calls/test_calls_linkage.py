"""Average linkage on a sparse graph is what it is on the whole table."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import sparse

from cordon.calls.rings.linkage import linked

Floats = NDArray[np.float64]


def plainly(beside: Floats, shared: Floats) -> list[int]:
    """The same by looking at every pair each time."""
    beside, shared = beside.copy(), shared.copy()
    size = np.ones(len(beside))
    group = list(range(len(beside)))
    while True:
        pairs = [
            (-(beside[a, b] - shared[a, b]) / (size[a] * size[b]) + 0.5, a, b)
            for a in set(group)
            for b in set(group)
            if a < b and beside[a, b] > 0
        ]
        if not pairs or not min(pairs)[0] < 0:
            return group
        _, a, b = min(pairs)
        for table in (beside, shared):
            table[a] += table[b]
            table[:, a] += table[:, b]
        size[a] += size[b]
        group = [a if g == b else g for g in group]


@given(st.integers(1, 9), st.integers(0, 2**32))
def test_it_joins_what_looking_at_every_pair_joins(count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    near = np.triu(rng.choice([0.0, 0.6, 1.0], (count, count), p=[0.5, 0.2, 0.3]), 1)
    # no two sums are equal, so that the order of joining is one
    many = np.triu(rng.uniform(-1.2, 1.2, (count, count)), 1)
    near, many = near + near.T + np.eye(count), many + many.T
    many = np.where(near > 0, many, 0.0)
    size = np.ones(count)

    def alike(a: int, others: NDArray[np.int64], sums: Floats) -> Floats:
        return np.asarray((sums[:, 0] - sums[:, 1]) / (size[a] * size[others]) - 0.5)

    def merge(a: int, b: int) -> None:
        size[a] += size[b]

    table = sparse.csr_matrix(near)
    row = np.repeat(np.arange(count), np.diff(table.indptr))
    values = np.stack([table.data, many[row, table.indices]], axis=1)
    told = linked(table, values, alike, merge)
    assert told.tolist() == plainly(near - np.eye(count), many)
