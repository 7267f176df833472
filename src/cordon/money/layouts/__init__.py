"""Layouts of banks' and wallets' own files: one YAML a layout, and how a file is read by one."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from cordon.kernel.errors import BadInput, BadUsage
from cordon.money.layouts.model import FIELDS, FORMS, Layout, load, parse

__all__ = [
    "FIELDS",
    "FORMS",
    "Layout",
    "all_layouts",
    "built_in",
    "load",
    "named",
    "own_text",
    "parse",
]


@cache
def built_in() -> tuple[Layout, ...]:
    """The layouts that come with the program, by name."""
    return tuple(load(path) for path in sorted(Path(__file__).parent.glob("*.yaml")))


def all_layouts(folder: Path | None = None, kind: str = "") -> tuple[Layout, ...]:
    """The layouts of a folder of one's own, and the built-in ones that it does not replace.

    Args:
        folder: of YAML files, or None; one that does not exist holds none.
        kind: only those of that kind, where it is given.
    """
    own = tuple(load(path) for path in sorted(folder.glob("*.yaml"))) if folder else ()
    names = {one.name for one in own}
    every = (*own, *(one for one in built_in() if one.name not in names))
    return tuple(one for one in every if kind in ("", one.kind))


def named(name: str, folder: Path | None = None) -> Layout:
    """The layout of that name.

    Raises:
        BadInput: there is none.
    """
    known = all_layouts(folder)
    found = next((one for one in known if one.name == name), None)
    if found is None:
        names = ", ".join(one.name for one in known)
        raise BadInput("There is no such layout.", advice=f"Take one of {names}.")
    return found


def own_text(path: str) -> str:
    """The text of a layout's file, checked.

    Raises:
        BadUsage: there is no such file. BadInput: it does not hold.
    """
    file = Path(path)
    if not file.is_file():
        raise BadUsage(f"There is no layout file {file.name[:80]}.")
    load(file)
    return file.read_text("utf-8")
