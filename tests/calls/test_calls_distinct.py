"""Different values: the same as NumPy's own, whatever comes in."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cordon.calls.survey.distinct import distinct, ordered


@given(st.lists(st.integers(-(2**62), 2**62), max_size=50))
def test_as_numpy_gives_them(values: list[int]) -> None:
    array = np.array(values + values[:10], np.int64)
    assert distinct(array).tolist() == np.unique(array).tolist()


@given(st.lists(st.integers(0, 2**63 - 1), max_size=50), st.integers(0, 62))
def test_the_order_of_great_and_of_equal_values(values: list[int], less: int) -> None:
    """Also where a value and its place do not fit into one number."""
    array = np.array([*values, *values[:10]], np.int64) >> less
    assert ordered(array).tolist() == np.argsort(array, kind="stable").tolist()
