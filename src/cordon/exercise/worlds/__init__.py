"""Worlds that an exercise can generate: each a module with `NAME`, `SAYS` and `generate`."""

from __future__ import annotations

import sys
from typing import Any, cast

from cordon.exercise.model import World
from cordon.kernel.errors import NotFound
from cordon.kernel.hooks import gathered, hook, plugin_manager


@hook
def exercise_worlds() -> list[Any]:
    """The built-in worlds."""
    from cordon.exercise.worlds import callcentre, coast, frontier, watch

    return [callcentre, coast, frontier, watch]


def worlds() -> dict[str, World]:
    """Every world by name: the built-in ones and those that installed packages offer."""
    manager = plugin_manager([sys.modules[__name__]])
    return {w.NAME: cast(World, w) for w in gathered(manager.hook.exercise_worlds())}


def world(name: str) -> World:
    """The world of that name; NotFound names those there are."""
    known = worlds()
    if name not in known:
        raise NotFound(
            f"There is no world named {name[:40]!r}.",
            advice=f"Take of: {', '.join(sorted(known))}.",
        )
    return known[name]
