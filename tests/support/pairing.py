"""Two nodes on loopback for a file of tests, met anew before each test."""

from __future__ import annotations

from typing import Any

import pytest


def paired(side: Any) -> tuple[Any, Any]:
    """The fixtures `sides` (two nodes, once a file) and `two` (the same, that have just met).

    Making a node takes most of such a test: the nodes are kept, and nothing of what was told.

    Args:
        side: a class made of a folder and an agency's code, with `begin`, `meet`, `end`, `node`.
    """

    @pytest.fixture(scope="module")
    def sides(tmp_path_factory: pytest.TempPathFactory) -> Any:
        folder = tmp_path_factory.mktemp("sides")
        both = side(folder / "a", "pk-aa"), side(folder / "b", "pk-bb")
        yield both
        for one in both:
            one.node.close()

    @pytest.fixture
    def two(sides: Any) -> Any:
        a, b = sides
        for one in sides:
            one.begin()
        a.meet(b)
        b.meet(a)
        yield a, b
        for one in sides:
            one.end()

    return sides, two
