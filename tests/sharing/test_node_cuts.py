"""Two real processes, and a link that is cut between them."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.faults
def test_a_link_that_is_cut_loses_doubles_and_disorders_nothing(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(ROOT)
    pair = import_module("bench.nodes").Pair(tmp_path)
    try:
        assert pair.cut(5, 0.05) == 5
        assert pair.wrong() == []
        assert pair.told >= 5
        pair.two.heard.pop(2)
        assert pair.wrong(), "it would be seen"
    finally:
        pair.end()
