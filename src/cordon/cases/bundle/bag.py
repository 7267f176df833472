"""A bag (BagIt 1.0, RFC 8493) being written: hashed on its way to the disk, synced there."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from cordon import __version__
from cordon.cases.bundle import layout
from cordon.cases.bundle.contents import Contents, Progress, Signer
from cordon.cases.bundle.folder import CHUNK, shown
from cordon.kernel.clock import format_time
from cordon.kernel.errors import BadInput
from cordon.kernel.ledger.notes import Verifier, sign_note
from cordon.kernel.store.files import sync_folder


class BagWriter:
    """A bag being written: every file is hashed on its way to the disk and synced there.

    Attributes:
        manifest, sizes: SHA-256 (hex) and bytes of each payload file so far.
    """

    def __init__(self, folder: Path, total: int, progress: Progress | None) -> None:
        self.folder = folder
        self.manifest: dict[str, str] = {}
        self.sizes: dict[str, int] = {}
        self._total = total
        self._done = 0
        self._progress = progress
        folder.mkdir(mode=0o700)

    def put(self, path: str, source: Path | bytes | Iterable[bytes]) -> str:
        """Write one payload file; return its SHA-256 (hex)."""
        sha256, size = self._write(path, source)
        self.manifest[path], self.sizes[path] = sha256, size
        return sha256

    def tick(self, count: int) -> None:
        """Tell that so many more bytes are done."""
        self._done += count
        if self._progress is not None:
            self._progress(min(self._done, self._total), self._total)

    def close(self, contents: Contents, signer: Signer, verifier: Verifier, at: datetime) -> str:
        """Write manifests, seal and signature, sync all folders; return the root (hex)."""
        files, size = len(self.manifest), sum(self.sizes.values())
        lines = "".join(f"{sha256}  {path}\n" for path, sha256 in sorted(self.manifest.items()))
        tags = {
            layout.BAGIT: layout.BAGIT_TEXT,
            layout.BAG_INFO: _bag_info(contents, signer, at, files, size),
            layout.MANIFEST: lines,
        }
        hashes = {name: self._write(name, text.encode())[0] for name, text in tags.items()}
        lines = "".join(f"{sha256}  {name}\n" for name, sha256 in sorted(hashes.items()))
        root, _ = self._write(layout.TAG_MANIFEST, lines.encode())
        data = {
            "format": layout.FORMAT,
            "case": {"id": contents.case.id, "number": contents.case.number},
            "agency": signer.agency,
            "by": signer.officer,
            "sealed_at": format_time(at),
            "root": root,
            "files": files,
            "size": size,
            "public_key": str(verifier),
            "key_name": verifier.name,
            "key_id": verifier.key_id.hex(),
            "fingerprint": verifier.fingerprint,
        }
        sha256, _ = self._write(layout.SEAL, layout.dump(data))
        note = sign_note(layout.seal_text(data, sha256), signer.name, signer.key)
        self._write(layout.SIGNATURE, note.encode())
        for folder, _, _ in os.walk(self.folder, topdown=False):
            sync_folder(Path(folder))
        return root

    def _write(self, path: str, source: Path | bytes | Iterable[bytes]) -> tuple[str, int]:
        place = self.folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        digest, size = hashlib.sha256(), 0
        with place.open("xb", buffering=0) as out:
            for chunk in chunks_of(source):
                digest.update(chunk)
                left = memoryview(chunk)
                while left:  # an unbuffered write may take a part only
                    left = left[out.write(left) :]
                size += len(chunk)
                self.tick(len(chunk))
            os.fsync(out.fileno())
        return digest.hexdigest(), size


def chunks_of(source: Path | bytes | Iterable[bytes]) -> Iterator[bytes]:
    """The bytes of a source, a part at a time; BadInput where a file cannot be read."""
    if isinstance(source, bytes):
        yield source
    elif isinstance(source, Path):
        with reading(source) as file:
            while chunk := file.read(CHUNK):
                yield chunk
    else:
        yield from source


@contextmanager
def reading(path: Path) -> Iterator[BinaryIO]:
    """A file to be sealed, open; BadInput where it is no file that can be read."""
    try:
        # O_NONBLOCK, because opening a pipe would wait for a writer
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as fault:
        raise BadInput(
            f"The file {shown(path.name)} cannot be read ({fault.strerror}).",
            advice="Check that it is there, and its permissions.",
        ) from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise BadInput(
            f"{shown(path.name)} is no regular file.", advice="Give a file, not a folder or device."
        )
    with os.fdopen(handle, "rb", buffering=0) as file:
        yield file


def _bag_info(contents: Contents, signer: Signer, at: datetime, files: int, size: int) -> str:
    info = {
        "Source-Organization": signer.agency,
        "External-Identifier": contents.case.number,
        "External-Description": f"Evidence of case {contents.case.number}, sealed for court",
        "Bagging-Date": f"{at:%Y-%m-%d}",
        "Payload-Oxum": f"{size}.{files}",
        "Bag-Software-Agent": f"Cordon {__version__}",
    }
    return "".join(f"{name}: {value}\n" for name, value in info.items())
