"""Numbering and thinning by tables give what sorting gives."""

from __future__ import annotations

import numpy as np
import pytest

from cordon.picture.cover import signs
from cordon.picture.shared.numbering import different_pairs, numbered


@pytest.mark.parametrize("greatest", [3, 60, 10**9, 2**62])
def test_values_are_numbered_as_by_sorting(greatest: int) -> None:
    rng = np.random.default_rng(greatest % 1000)
    for count in (1, 2, 17, 400):
        values = rng.integers(-greatest, greatest, count)
        kept, where = np.unique(values, return_inverse=True)
        ours = numbered(values)
        assert np.array_equal(ours[0], kept)
        assert np.array_equal(ours[1], where)


@pytest.mark.parametrize("greatest", [3, 2_000, 2**31])
def test_pairs_are_told_apart_as_by_their_rows(greatest: int) -> None:
    rng = np.random.default_rng(greatest % 1000)
    one, two = rng.integers(0, greatest, 400), rng.integers(-greatest // 2, greatest // 2, 400)
    one, two = np.append(one, one[:50]), np.append(two, two[:50])
    assert np.array_equal(different_pairs(one, two), np.unique(np.column_stack((one, two)), axis=0))
    assert different_pairs(one[:0], two[:0]).shape == (0, 2)


def test_no_value_has_no_number() -> None:
    kept, where = numbered(np.empty(0, np.int64))
    assert len(kept) == len(where) == 0


def heard(seed: int) -> signs.Heard:
    rng = np.random.default_rng(seed)
    t = rng.uniform(0, 9_000, 300)
    return signs.Heard(
        rng.integers(0, 4, 300), t, t + rng.uniform(0, 50, 300), rng.integers(0, 3, 300),
        np.arange(300),
    )  # fmt: skip


def test_minutes_are_told_the_same_by_table_and_by_sorting(monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(5):
        by_table = signs.by_minute(heard(seed))
        monkeypatch.setattr(signs, "_MOST_SLOTS", 0)
        by_sorting = signs.by_minute(heard(seed))
        monkeypatch.undo()
        for one, other in zip(by_table, by_sorting, strict=True):
            assert np.array_equal(one, other)


def test_places_are_thinned_the_same_in_whatever_order_they_come() -> None:
    rng = np.random.default_rng(7)
    t = np.sort(rng.choice(40_000, 500, replace=False)).astype(np.float64)
    subject, sign = np.sort(rng.integers(0, 6, 500)), rng.integers(0, 3, 500)
    order = np.lexsort((t, subject))
    columns = [c[order] for c in (sign, subject, t, rng.random(500), rng.random(500), sign + 1)]
    turned = rng.permutation(500)
    straight = signs.thinned(signs.Fixes(*columns))
    mixed = signs.thinned(signs.Fixes(*(c[turned] for c in columns)))
    for one, other in zip(straight, mixed, strict=True):
        assert np.array_equal(one, other)
    assert 0 < len(straight.t) < 500
