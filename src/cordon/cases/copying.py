"""The copy of a bundle that a command asks for: its place is made sure of before the sealing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cordon.cases.bundle.folder import shown
from cordon.kernel.errors import BadUsage, Unavailable
from cordon.kernel.ids import new_id
from cordon.kernel.store.files import sync_folder


@contextmanager
def room_for(out: Path | None) -> Iterator[Path | None]:
    """A hidden folder beside `out` that the copy is put together in; None where none is asked for.

    Raises:
        BadUsage: something stands at `out`, or nothing can be written there.
    """
    if out is None:
        yield None
        return
    if os.path.lexists(out):
        raise BadUsage(
            f"{shown(out.name)} is there already.", advice="Name a folder that does not exist yet."
        )
    partial = out.with_name(f".{out.name[:60]}.{new_id()[-12:]}.partial")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        partial.mkdir(mode=0o700)
    except OSError as fault:
        raise BadUsage(
            f"No folder can be made at {shown(str(out))}: {fault.strerror}.",
            advice="Name a place that can be written.",
        ) from None
    try:
        yield partial
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def copy_to(folder: Path, partial: Path, out: Path) -> None:
    """Copy a sealed bundle's folder to `out`, whole or not at all; `partial` is its `room_for`.

    Raises:
        Unavailable: it could not be written; the bundle itself is sealed and stays.
    """
    try:
        shutil.copytree(folder, partial, dirs_exist_ok=True)
        partial.rename(out)
        sync_folder(out.parent)
    except OSError as fault:
        why = f" ({fault.strerror})" if fault.strerror else ""
        raise Unavailable(
            f"The case is sealed, but the copy of {folder.name} could not be written{why}.",
            advice="Take the bundle out from the case's page; do not seal again.",
        ) from fault
