"""Who called whom, of every call, in 8 bytes: in files, as there are too many to hold."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Pair = NDArray[np.int32]


class Pairs:
    """The two numbers of each call of some parts, told by their place among the numbers seen.

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

    def add(self, part: int, ends: Pair) -> None:
        """Add the calls of a part, (calls, 2); -1 where a call does not count."""
        data = ends.tobytes()
        self._parts[part] = self._size, len(data)
        self._file.write(data)
        self._size += len(data)

    def of(self, part: int) -> Pair:
        """The calls of a part, (calls, 2). Several threads may ask once all are added."""
        self._file.flush()
        at, left = self._parts[part]
        data = bytearray()
        while left:
            read = os.pread(self._file.fileno(), left, at)
            data += read
            at, left = at + len(read), left - len(read)
        return np.frombuffer(data, np.int32).reshape(-1, 2)
