"""What is asked of calls once more, in 20 bytes a call: in files, as there are too many to hold."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Pair = NDArray[np.int32]
Told = tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.float32], NDArray[np.bool_]]


class Pairs:
    """Who called whom in some parts, told by their place among the numbers seen; when, how long.

    Args:
        folder: where the file stands, which has no name and goes with the process; the machine's
            own where None.
    """

    def __init__(self, folder: Path | None) -> None:
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - held as long as this is
        self._parts: dict[int, tuple[int, int]] = {}
        self._size = 0

    @property
    def parts(self) -> list[int]:
        """Parts that were added."""
        return list(self._parts)

    def add(
        self,
        part: int,
        ends: Pair,
        us: NDArray[np.int64],
        voice: NDArray[np.bool_],
        duration: NDArray[np.float32],
        again: NDArray[np.bool_],
    ) -> None:
        """Add the calls of a part.

        Args:
            ends: (calls, 2), caller and callee; -1 where a call does not count.
            us: start (µs). voice: or a message. duration: s, NaN where not told.
            again: whether it stands before.
        """
        self._parts[part] = self._size, len(ends)
        for column in (ends, us * 4 + again * 2 + voice, duration):
            self._size += self._file.write(np.ascontiguousarray(column).data)

    def of(self, part: int) -> Pair:
        """The ends of calls of a part, (calls, 2). Several threads may ask once all are added."""
        at, rows = self._parts[part]
        return np.frombuffer(self._read(at, 8 * rows), np.int32).reshape(-1, 2)

    def told(self, part: int) -> Told:
        """Start (µs), voice, duration (s) and whether it stands before, of the calls of a part;
        asked as `of` is."""
        at, rows = self._parts[part]
        data = self._read(at + 8 * rows, 12 * rows)
        both = np.frombuffer(data, np.int64, rows)
        lasts = np.frombuffer(data, np.float32, rows, 8 * rows)
        return both >> 2, (both & 1) > 0, lasts, (both & 2) > 0

    def _read(self, at: int, left: int) -> bytearray:
        self._file.flush()
        data = bytearray()
        while left:
            read = os.pread(self._file.fileno(), left, at)
            data += read
            at, left = at + len(read), left - len(read)
        return data
