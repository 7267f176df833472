"""A folder as a tar stream (POSIX.1-2001 pax)."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import Path

_BLOCK = 512


def tar_of(folder: Path) -> Iterator[bytes]:
    """The files of a folder under its name, in order: the same bytes each time.

    Owners, times and modes say nothing of this machine.
    """
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.is_symlink():
            continue
        info = tarfile.TarInfo(f"{folder.name}/{path.relative_to(folder).as_posix()}")
        info.size, info.mode = path.stat().st_size, 0o644
        yield info.tobuf(tarfile.PAX_FORMAT)
        with path.open("rb") as source:
            while chunk := source.read(1 << 20):
                yield chunk
        yield b"\0" * (-info.size % _BLOCK)
    yield b"\0" * (2 * _BLOCK)
