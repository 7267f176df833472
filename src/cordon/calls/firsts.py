"""Which names of a long row are told for the first time, in memory that does not grow with it.

A name is kept as a hash of 128 bits under a key of chance (SipHash-2-4), so that nobody who writes
a file can make two of its names one: of 10⁹ names two are taken for one with a chance below
2·10⁻²¹. Hashes stand sorted in memory up to a bound, and beyond it in sorted runs of a file without
a name, which ends with the process.
"""

from __future__ import annotations

import secrets
import tempfile
from typing import IO

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cordon.calls.hashing import hashes, marked, merged
from cordon.kernel.errors import Unavailable

IN_MEMORY = 1 << 20
"""Hashes that are held in memory, of 16 bytes each, before they are written out as a run."""

Hashes = NDArray[np.uint64]  # (n, 2), sorted by both columns


class Firsts:
    """Names told so far.

    Args:
        in_memory: hashes in memory, at most; a batch of names is hashed in addition.
    """

    def __init__(self, in_memory: int = IN_MEMORY) -> None:
        self._in_memory = in_memory
        self._key = (secrets.randbits(64), secrets.randbits(64))
        self._recent: Hashes = np.empty((0, 2), np.uint64)
        self._runs: list[int] = []  # how many hashes each holds, in the order of the file
        self._file: IO[bytes] | None = None

    def new(self, names: pa.Array) -> NDArray[np.bool_]:
        """Of each name whether none before it, of this batch or an earlier one, is the same.

        Args:
            names: strings, none of them null.

        Raises:
            Unavailable: there is no room on the disk for what was told before.
        """
        found = np.zeros(len(names), bool)
        if not len(names):
            return found
        every = _hashed(names, self._key)
        order = np.lexsort((every[:, 1], every[:, 0]))  # stable: of equal ones the first leads
        every = every[order]
        fresh = np.ones(len(every), bool)
        fresh[1:] = (every[1:] != every[:-1]).any(axis=1)
        marked(every, self._recent, fresh)
        self._in_runs(every, fresh)
        found[order[fresh]] = True
        self._recent = merged(self._recent, every[fresh])
        if len(self._recent) >= self._in_memory:
            self._write()
        return found

    def _in_runs(self, every: Hashes, fresh: NDArray[np.bool_]) -> None:
        if self._file is None:
            return
        self._file.seek(0)
        for length in self._runs:
            run = np.empty((length, 2), np.uint64)
            read = self._file.readinto(run.data)  # type: ignore[attr-defined]
            if read != run.nbytes:
                raise Unavailable(
                    "What names the rows read so far cannot be read back.",
                    advice="Look at the disk of temporary files, then bring the file in again.",
                )
            marked(every, run, fresh)

    def _write(self) -> None:
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile()  # noqa: SIM115 - ends with this object
            self._file.seek(0, 2)
            self._file.write(self._recent.tobytes())
            self._file.flush()
        except OSError as wrong:
            raise Unavailable(
                "There is no room for temporary files: what names the rows cannot be kept.",
                advice="Free some of that disk (16 bytes a row), then bring the file in again.",
            ) from wrong
        self._runs.append(len(self._recent))
        self._recent = np.empty((0, 2), np.uint64)


def _hashed(names: pa.Array, key: tuple[int, int]) -> Hashes:
    texts = names.cast(pa.large_string())
    _, ends, data = texts.buffers()
    offsets = np.frombuffer(ends, np.int64)[texts.offset : texts.offset + len(texts) + 1]
    letters = np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)
    return hashes(letters, offsets, np.array(key, np.uint64))
