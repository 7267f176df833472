"""Which sources a module stands on: a stamp that changes when any of them does."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

# Modules import at their top, by name and in full: the style of this project, which a linter holds.
_IMPORT = re.compile(r"^from (cordon[\w.]*) import (\([^)]*\)|[^\n]*)", re.MULTILINE)
_NAME = re.compile(r"\b(\w+)\b(?: as \w+)?")


@cache
def stamp(file: Path) -> bytes:
    """A digest (32 bytes) of a module's source and of all of `cordon` that it imports.

    Imports for type checkers and inside of functions do not count.

    Raises:
        OSError: a source cannot be read.
    """
    seen: dict[Path, bytes] = {}
    left = [file]
    root = file.parent
    while (root / "__init__.py").is_file():
        root = root.parent
    while left:
        one = left.pop()
        if one not in seen:
            seen[one], imported = _read(one, root)
            left += imported
    told = hashlib.sha256()
    for one in sorted(seen):
        told.update(seen[one])
    return told.digest()


@cache
def _read(file: Path, root: Path) -> tuple[bytes, list[Path]]:
    """The digest of a source, and the files that it imports."""
    raw = file.read_bytes()
    text = raw.decode()
    imported = [f for module, names in _IMPORT.findall(text) for f in _files(module, names, root)]
    return hashlib.sha256(raw).digest(), imported


def _files(module: str, names: str, root: Path) -> Iterator[Path]:
    """The files behind one import: the modules named, or else the module they stand in."""
    names = re.sub(r"#.*", "", names)
    inside = [_file(f"{module}.{name}", root) for name in _NAME.findall(names)]
    found = [f for f in inside if f is not None]
    own = _file(module, root)
    # a package whose modules alone are named gives nothing of its own
    if own is not None and len(found) < len(inside):
        found.append(own)
    yield from found


def _file(module: str, root: Path) -> Path | None:
    at = root.joinpath(*module.split("."))
    for file in (at.with_suffix(".py"), at / "__init__.py"):
        if file.is_file():
            return file
    return None
