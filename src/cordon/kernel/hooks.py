"""Every extension point of Cordon, in one file. Built-in parts come in by the same ones.

A package offers its parts under the entry-point group `cordon`, named after the room that they
add to; the entry point is a module that implements that room's hook with `@hook`.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from types import ModuleType

GROUP = "cordon"
spec = pluggy.HookspecMarker(GROUP)
hook = pluggy.HookimplMarker(GROUP)


class Hooks:
    """The extension points."""

    @spec
    def picture_behaviours(self) -> list[Any]:  # type: ignore[empty-body]
        """Modules of behaviours over positions: `CARD` and `find(tracks, zones, card)`."""

    @spec
    def calls_detectors(self) -> list[Any]:  # type: ignore[empty-body]
        """Modules of detectors over call records: `CARD` and `find(data, card)`."""

    @spec
    def money_detectors(self) -> list[Any]:  # type: ignore[empty-body]
        """Modules of detectors over payments: `CARD` and `find(data, card)`."""

    @spec
    def exercise_worlds(self) -> list[Any]:  # type: ignore[empty-body]
        """Worlds that an exercise can generate: `NAME`, `SAYS` and `generate(...)`."""


def plugin_manager(built_in: Iterable[ModuleType]) -> pluggy.PluginManager:
    """A manager with the built-in parts of a room, and what installed packages offer to it.

    An entry point is named after the room that it adds to, alone or with a dot and a word of
    its own (`calls`, `calls.refunds`). One that cannot be loaded raises: a detector that
    silently does not run is worse than a node that does not start.
    """
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(Hooks)
    modules = list(built_in)
    for module in modules:
        manager.register(module)
    rooms = {module.__name__.split(".")[1] for module in modules}
    for entry in _offered():
        if entry.name.split(".", maxsplit=1)[0] in rooms:
            plugin = entry.load()
            if not manager.is_registered(plugin):
                manager.register(plugin, name=entry.name)
    return manager


@cache
def _offered() -> tuple[EntryPoint, ...]:
    """What installed packages offer: every one of them is looked through, so it is done once."""
    return tuple(sorted(entry_points(group=GROUP)))


def gathered(results: list[list[Any]]) -> list[Any]:
    """All parts of all plug-ins, in the order in which they were registered."""
    return [part for result in reversed(results) for part in result]
