"""Where a bundle is put together before it stands: whole at its place, or not at all."""

from __future__ import annotations

import errno
import fcntl
import glob
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cordon.cases.bundle.folder import shown
from cordon.kernel.errors import BadInput, Conflict, Unavailable
from cordon.kernel.ids import new_id
from cordon.kernel.store.files import sync_folder

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def partial_beside(out: Path) -> Iterator[Path]:
    """A hidden folder beside the bundle's place, held by a lock while this process lives."""
    if not out.parent.is_dir():
        raise BadInput(
            f"There is no folder {shown(out.parent.name)} to put the bundle in.",
            advice="Make it, or name another.",
        )
    stem = f".{out.name[:60]}"
    for stale in out.parent.glob(f"{glob.escape(stem)}.*.partial"):
        with _held(stale) as free:
            if free:
                shutil.rmtree(stale, ignore_errors=True)
    while True:
        partial = out.parent / f"{stem}.{new_id()[-12:]}.partial"
        partial.mkdir(mode=0o700)
        with _held(partial) as ours:
            if not ours or not partial.is_dir():
                continue  # another sealing took it for one that was left behind
            try:
                yield partial
            finally:
                shutil.rmtree(partial, ignore_errors=True)
            return


@contextmanager
def _held(folder: Path) -> Iterator[bool]:
    """Lock a folder, if it is there and free; a lock ends with its process, however it ends."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        yield False
        return
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
        else:
            yield True
    finally:
        os.close(handle)


@contextmanager
def naming_faults() -> Iterator[None]:
    try:
        yield
    except OSError as fault:
        if fault.errno in _FULL:
            raise Unavailable(
                "The disk that the bundle was to stand on is full; nothing of it was left there.",
                advice="Free space on it, or name a folder on another disk with --out.",
            ) from fault
        raise Unavailable(
            f"The bundle could not be written ({fault.strerror}); nothing of it was left there.",
            advice="Check the permissions of its folder and the disk that it is on.",
        ) from fault


def put_in_place(folder: Path, out: Path) -> None:
    """Rename a whole bundle to its place and put that on the disk; Conflict where one stands."""
    try:
        folder.rename(out)
    except OSError as fault:
        if fault.errno in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR):
            raise taken(out) from None
        raise
    sync_folder(out.parent)


def taken(out: Path) -> Conflict:
    """The error for a place where something stands already."""
    return Conflict(
        f"Something stands at {shown(out.name)} already, and a bundle is never written over.",
        advice="Name a folder that is not there yet.",
    )
