"""Average linkage on a sparse graph is what it is on the whole table; what it is asked with."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import sparse

from cordon.calls.rings import gathering, oneroom
from cordon.calls.rings.linkage import average_linkage
from cordon.calls.rings.uses import Uses

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
    told = average_linkage(table, values, alike, merge)
    assert told.tolist() == plainly(near - np.eye(count), many)


def test_what_is_in_common_is_counted_some_rows_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    rows = sparse.csr_matrix((rng.random((50, 20)) < 0.2).astype(float))
    near = sparse.csr_matrix((rng.random((50, 50)) < 0.3).astype(float))
    near.sort_indices()
    monkeypatch.setattr(gathering, "_ROWS", 7)
    told = gathering._in_common(rows, near)
    of = np.repeat(np.arange(50), np.diff(near.indptr))
    assert told.tolist() == (rows @ rows.T).toarray()[of, near.indices].tolist()


def test_of_a_long_time_the_last_days_tell_when_groups_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Memory is bounded: two groups of ten days, of which four find room."""
    hour, day = 3_600_000_000, 24 * 3_600_000_000
    us = np.concatenate([d * day + np.arange(9, 18) * hour for d in range(10)])
    of = np.repeat([0, 1], len(us))
    both = np.concatenate([us, us + hour])
    none = np.full(len(of), -1)
    uses = Uses(
        of, none, of == 0, none, none, none, none, both, np.array([0, len(us), 2 * len(us)])
    )
    quarters = np.zeros((2, 96))
    quarters[:, 36:72] = 1
    monkeypatch.setattr(oneroom, "_ENTRIES", 2 * 96 * 4)
    told = oneroom.openings(uses, np.array([0, 1]), quarters, 0)
    assert told.calls.tolist() == [[9.0] * 4] * 2
    assert (told.first[1] - told.first[0]).tolist() == [4.0] * 4
    assert (told.last[1] - told.last[0]).tolist() == [4.0] * 4
