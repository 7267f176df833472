"""Who called whom, of every call, in whole numbers: in a file, as there are too many to hold.

The walk that counts everybody finds out who both ends of a call are. Kept, that answers in one
quick reading what else would be another scan of all the calls, and their numbers as texts.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cordon.calls.survey.distinct import distinct
from cordon.kernel.compiled import compiled

Ints = NDArray[np.int64]
_AT_A_TIME = 1 << 20  # calls


class Ends:
    """The two numbers of each call and where it stands, 16 bytes a call.

    Numbers are told by their order of first sight, from 0.

    Args:
        folder: where the file stands, which has no name and goes with the process; the machine's
            own where None.

    Attributes:
        numbers: how many were seen in all.
        by_page: False: the calls are told by an engine; see `paged.Everyone`.
    """

    by_page: Literal[False] = False

    def __init__(self, folder: Path | None) -> None:
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - held as long as this is
        self.numbers = 0

    def add(self, place: Ints, pairs: NDArray[np.int32]) -> None:
        """Add calls.

        Args:
            place: of each, as in the relation `calls`. pairs: (calls, 2), caller and callee.
        """
        held = np.empty((len(place), 2), np.int64)
        held[:, 0] = place
        held[:, 1] = pairs.view(np.int64)[:, 0]
        self._file.write(held.tobytes())

    def among(self, mark: NDArray[np.int32]) -> tuple[Ints, Ints]:
        """Different pairs of marked numbers that called, whoever of the two did.

        Args:
            mark: of each number, -1 or what it is called in the answer.

        Returns:
            The lesser and the greater mark of each pair, ascending.
        """
        found = [np.empty(0, np.int64)]
        for _, pairs in self._parts():
            found.append(distinct(marked(pairs, mark)))
        both = distinct(np.concatenate(found))
        return both >> 32, both & 0xFFFFFFFF

    def touching(self, chosen: NDArray[np.bool_]) -> tuple[Ints, NDArray[np.int32]]:
        """Calls of which at least one end is chosen.

        Args:
            chosen: of each number.

        Returns:
            The place of each, and its caller and callee (calls, 2), in no order.
        """
        places, ends = [np.empty(0, np.int64)], [np.empty((0, 2), np.int32)]
        for place, pairs in self._parts():
            kept = touched(pairs, chosen)
            places.append(place[kept])
            ends.append(pairs[kept])
        return np.concatenate(places), np.concatenate(ends)

    def _parts(self) -> Iterator[tuple[Ints, NDArray[np.int32]]]:
        self._file.flush()
        self._file.seek(0)
        while data := self._file.read(_AT_A_TIME * 16):
            held = np.frombuffer(data, np.int64).reshape(-1, 2)
            pairs = np.ascontiguousarray(held[:, 1]).view(np.int32).reshape(-1, 2)
            yield held[:, 0], pairs


@compiled
def marked(calls: NDArray[np.int32], mark: NDArray[np.int32]) -> Ints:
    """Both marks as one whole number, of each call whose ends have different ones."""
    made = np.empty(len(calls), np.int64)
    found = 0
    for i in range(len(calls)):
        a, b = np.int64(mark[calls[i, 0]]), np.int64(mark[calls[i, 1]])
        if a >= 0 and b >= 0 and a != b:
            made[found] = min(a, b) << 32 | max(a, b)
            found += 1
    return made[:found]


@compiled
def touched(calls: NDArray[np.int32], chosen: NDArray[np.bool_]) -> Ints:
    """Positions of calls of which an end is chosen."""
    made = np.empty(len(calls), np.int64)
    found = 0
    for i in range(len(calls)):
        made[found] = i
        found += chosen[calls[i, 0]] or chosen[calls[i, 1]]
    return made[:found]
