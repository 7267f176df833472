"""Layouts of operators' files: one YAML a layout, and how a file is matched to one."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from cordon.calls.layouts.mapping import Mapped, mapped
from cordon.calls.layouts.model import Layout, load, plain
from cordon.calls.layouts.recognise import Recognised, recognise
from cordon.kernel.errors import BadUsage

__all__ = [
    "AUTO",
    "Layout",
    "Mapped",
    "Recognised",
    "chosen",
    "layouts",
    "mapped",
    "plain",
    "recognise",
]

AUTO = "auto"


@cache
def layouts() -> tuple[Layout, ...]:
    """Every built-in layout, by name."""
    return tuple(load(path) for path in sorted(Path(__file__).parent.glob("*.yaml")))


def chosen(name: str) -> tuple[Layout, ...]:
    """The layouts that a file may have: all for `auto`, else the one of that name.

    Raises:
        BadUsage: there is none of that name.
    """
    if name == AUTO:
        return layouts()
    some = tuple(one for one in layouts() if one.name == name)
    if not some:
        names = ", ".join((AUTO, *(one.name for one in layouts())))
        raise BadUsage(f"There is no layout {name[:40]}.", advice=f"Take: {names}.")
    return some
