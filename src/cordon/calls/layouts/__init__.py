"""Layouts of operators' files: one YAML a layout, and how a file is matched to one."""

from __future__ import annotations

import hashlib
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
    "all_layouts",
    "chosen",
    "content_hash",
    "layouts",
    "mapped",
    "plain",
    "recognise",
]

AUTO = "auto"


def content_hash(name: str, folder: Path | None = None) -> str:
    """SHA-256 (hex) of what the layouts that `chosen` gives say, wherever their files stand."""
    # a pattern's own repr breaks off after 200 characters
    said = "\n".join(
        f"{one!r} {[p.pattern for p in one.above.values()]}" for one in chosen(name, folder)
    )
    return hashlib.sha256(said.encode()).hexdigest()


@cache
def layouts() -> tuple[Layout, ...]:
    """Every built-in layout, by name."""
    return tuple(load(path) for path in sorted(Path(__file__).parent.glob("*.yaml")))


def all_layouts(folder: Path | None = None) -> tuple[Layout, ...]:
    """The layouts of a folder of one's own, and the built-in ones that it does not replace.

    Args:
        folder: of YAML files, or None; one that does not exist holds none.
    """
    if folder is None or not folder.is_dir():
        return layouts()
    mine = tuple(load(path) for path in sorted(folder.glob("*.yaml")))
    names = {one.name for one in mine}
    return (*mine, *(one for one in layouts() if one.name not in names))


def chosen(name: str, folder: Path | None = None) -> tuple[Layout, ...]:
    """The layouts that a file may have: all for `auto`, else the one of that name or file.

    Args:
        name: `auto`, a layout's name, or the path of its file (`own.yaml`).
        folder: of layouts beside the built-in ones.

    Raises:
        BadUsage: there is none of that name. BadInput: its file does not hold.
    """
    if name.endswith((".yaml", ".yml")):
        if not Path(name).is_file():
            raise BadUsage(f"There is no layout file {Path(name).name[:80]}.")
        return (load(Path(name)),)
    known = all_layouts(folder)
    if name == AUTO:
        return known
    some = tuple(one for one in known if one.name == name)
    if not some:
        names = ", ".join((AUTO, *(one.name for one in known)))
        raise BadUsage(f"There is no layout {name[:40]}.", advice=f"Take: {names}.")
    return some
