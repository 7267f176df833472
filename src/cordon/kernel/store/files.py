"""Files by content: each kept under its SHA-256, written so that a crash leaves no half file."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from cordon.kernel.errors import DoesNotVerify, NotFound, TooLarge, Unavailable
from cordon.kernel.ids import new_id

CHUNK = 1 << 20  # bytes read at a time


@dataclass(frozen=True, slots=True)
class Stored:
    """A file that is kept: its SHA-256 (hex) and its size (bytes)."""

    sha256: str
    size: int


class Files:
    """A folder of files named by their content, two letters a sub-folder.

    Args:
        root: the folder; it is made where it is absent.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._partial = root / "partial"
        self._partial.mkdir(parents=True, exist_ok=True)

    def path(self, sha256: str) -> Path:
        """Where the file stands, whether it is there or not."""
        if len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
            raise NotFound("That is not the SHA-256 of a file.")
        return self.root / sha256[:2] / sha256

    def has(self, sha256: str) -> bool:
        return self.path(sha256).is_file()

    def put(self, source: BinaryIO | Iterable[bytes], *, at_most: int | None = None) -> Stored:
        """Keep a stream of bytes; return its name and size once it is safely on the disk.

        Args:
            source: an open binary file, or chunks of bytes.
            at_most: bytes allowed; more raises TooLarge and keeps nothing.
        """
        digest, size = hashlib.sha256(), 0
        partial = self._partial / new_id()
        try:
            with naming_full_disk(), partial.open("xb") as out:
                fcntl.flock(out, fcntl.LOCK_EX | fcntl.LOCK_NB)  # in work: `sweep` leaves it
                for chunk in _chunks(source):
                    size += len(chunk)
                    if at_most is not None and size > at_most:
                        raise TooLarge(
                            f"The file has more than {at_most:,} bytes.",
                            advice="Split it, or raise CORDON_UPLOAD_MAX_MB.",
                        )
                    digest.update(chunk)
                    out.write(chunk)
                out.flush()
                os.fsync(out.fileno())
                name = digest.hexdigest()
                final = self.path(name)
                if not final.parent.is_dir():
                    final.parent.mkdir(exist_ok=True)
                    sync_folder(self.root)
                partial.replace(final)
                sync_folder(final.parent)
        finally:
            partial.unlink(missing_ok=True)
        return Stored(name, size)

    def put_path(self, path: Path, *, at_most: int | None = None) -> Stored:
        """Keep a copy of a file that stands elsewhere."""
        with path.open("rb") as source:
            return self.put(source, at_most=at_most)

    def read(self, sha256: str) -> Iterator[bytes]:
        """The bytes of a file in chunks, checked: a changed file raises at its end."""
        digest = hashlib.sha256()
        path = self.path(sha256)
        if not path.is_file():
            raise NotFound("This node keeps no file of that SHA-256.")
        with path.open("rb") as source:
            while chunk := source.read(CHUNK):
                digest.update(chunk)
                yield chunk
        if digest.hexdigest() != sha256:
            raise DoesNotVerify(
                f"The file {sha256[:12]}… has changed since it was kept.",
                advice="Restore it from the backup; its name is the SHA-256 it must have.",
            )

    def check(self) -> Iterator[tuple[str, bool]]:
        """Read every file back; yield its name and whether it still is what it was."""
        for path in sorted(self.root.glob("??/*")):
            try:
                for _ in self.read(path.name):
                    pass
            except DoesNotVerify:
                yield path.name, False
            else:
                yield path.name, True

    def sweep(self) -> int:
        """Remove what a crash left half-written; what a living process writes stays.

        Called when a node starts, while commands may be at work beside it.
        """
        return sweep(self._partial.iterdir())


def sha256_of(path: Path) -> str:
    """SHA-256 (hex) of a file, read in chunks."""
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def sweep(partials: Iterable[Path]) -> int:
    """Remove temporary files that nobody writes any more; return how many."""
    removed = 0
    for path in partials:
        try:
            with path.open("rb") as left:
                fcntl.flock(left, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink(missing_ok=True)
                removed += 1
        except (FileNotFoundError, BlockingIOError):
            continue  # done meanwhile, or at work
    return removed


def sync_folder(folder: Path) -> None:
    """Put a rename on the disk: POSIX keeps it only once the folder itself is synced."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def naming_full_disk() -> Iterator[None]:
    """Turn a full disk or quota into an error that says what to do."""
    try:
        yield
    except OSError as fault:
        if fault.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise Unavailable(
                "The disk that holds the node's data is full; nothing of this was kept.",
                advice="Free space on it and try again.",
            ) from fault
        raise


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Give a temporary name to write to; rename it to `path` and sync once the block is done.

    What is there and no file (a pipe, `/dev/null`) is written to itself: renamed over, it would be
    gone for everybody.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        yield path
        return
    partial = path.with_name(f".{path.name}.{new_id()[-12:]}.partial")
    try:
        with naming_full_disk(), partial.open("xb") as held:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)  # in work: `sweep` leaves it
            yield partial
            os.fsync(held.fileno())
            partial.replace(path)
            sync_folder(path.parent)
    except OSError as fault:
        if fault.filename == str(partial):  # the caller knows no such name
            fault.filename = str(path)
        raise
    finally:
        partial.unlink(missing_ok=True)


def _chunks(source: BinaryIO | Iterable[bytes]) -> Iterator[bytes]:
    if hasattr(source, "read"):
        while chunk := source.read(CHUNK):
            yield chunk
    else:
        yield from source
