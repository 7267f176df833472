"""Different values: the same as NumPy's own, whatever comes in."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cordon.calls.survey.distinct import distinct


@given(st.lists(st.integers(-(2**62), 2**62), max_size=50))
def test_as_numpy_gives_them(values: list[int]) -> None:
    array = np.array(values + values[:10], np.int64)
    assert distinct(array).tolist() == np.unique(array).tolist()
