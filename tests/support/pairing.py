"""Two nodes on loopback for a file of tests, met anew before each test."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import pytest

STORES = ("sqlite", "postgres")


def databases(request: pytest.FixtureRequest, stack: ExitStack, count: int) -> list[str | None]:
    """Addresses for so many nodes of the fixture's store; None: SQLite in the node's own folder.

    Args:
        request: of a fixture with `params=STORES`. stack: databases last until it is closed.
    """
    if request.param == "sqlite":
        return [None] * count
    copy = request.getfixturevalue("copy_of_postgres")
    return [stack.enter_context(copy()) for _ in range(count)]


def paired(side: Any) -> tuple[Any, Any]:
    """The fixtures `sides` (two nodes) and `two` (the same, that have just met), on each store.

    Making a node takes most of such a test: the nodes are kept for a file, and nothing of what
    was told.

    Args:
        side: a class made of a folder, an agency's code and a database's address, with `begin`,
            `meet`, `end`, `node`.
    """

    @pytest.fixture(scope="module", params=STORES)
    def sides(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
        folder = tmp_path_factory.mktemp("sides")
        with ExitStack() as stack:
            first, second = databases(request, stack, 2)
            both = side(folder / "a", "pk-aa", first), side(folder / "b", "pk-bb", second)
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
