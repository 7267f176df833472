"""The settled fixes of tracks: which report made which update, within a bound."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cordon.picture.tracking.layout import Array
from cordon.picture.tracks import Ints

FIX = np.dtype(
    [
        ("t", "f8"),
        ("lat", "f8"),
        ("lon", "f8"),
        ("row", "i8"),
        ("file", "i4"),
        ("source", "i4"),
        ("label", "i4"),
    ]
)
"""Of a report, what a fix keeps, under the same names."""


class FixLog:
    """The newest fixes of all tracks, and for each track a way back through its own.

    Args:
        most: fixes kept; the oldest give way.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.count = 0  # ever put in; fix n stands in row n % rows
        self.all = np.empty(0, FIX)
        self._before = np.empty(0, dtype=np.int64)
        self._newest: dict[int, int] = {}

    @property
    def rows(self) -> int:
        """Fixes that there is room for now."""
        return len(self._before)

    def put(self, reports: Array) -> None:
        """Add settled reports, oldest first; those of no track are left out."""
        kept = reports[np.flatnonzero(reports["track"])[-self.most :]]
        n = len(kept)
        if self.count + n > self.rows and self.rows < self.most:
            self._grow(self.count + n)
        numbers = np.arange(self.count, self.count + n)
        rows = numbers % max(self.rows, 1)
        for name in FIX.names or ():
            self.all[name][rows] = kept[name]
        before = np.empty(n, dtype=np.int64)
        newest = self._newest
        for k, id_ in enumerate(kept["track"].tolist()):
            before[k] = newest.get(id_, -1)
            newest[id_] = self.count + k
        self._before[rows] = before
        self.count += n
        if len(newest) > 2 * self.rows:
            oldest = self.count - self.rows
            self._newest = {id_: at for id_, at in newest.items() if at >= oldest}

    def join(self, gone: int, into: int) -> None:
        """Give the fixes of one track to another."""
        chain = list(self._chain(gone))
        self._newest.pop(gone, None)
        if not chain:
            return
        both = sorted({*chain, *self._chain(into)})
        rows = np.array(both) % self.rows
        self._before[rows] = np.array([-1, *both[:-1]])
        self._newest[into] = both[-1]

    def rows_of(self, id_: int) -> Ints:
        """The rows of a track's fixes, oldest first."""
        rows = np.array([n % self.rows for n in self._chain(id_)], dtype=np.int64)
        return rows[np.argsort(self.all["t"][rows], kind="stable")] if len(rows) else rows

    @property
    def kept(self) -> Array:
        """The fixes in use, in no order; a view."""
        return self.all[: min(self.count, self.rows)]

    def _chain(self, id_: int) -> Iterator[int]:
        n, oldest = self._newest.get(id_, -1), self.count - self.rows
        while n >= max(oldest, 0):
            yield n
            n = int(self._before[n % self.rows])

    def _grow(self, need: int) -> None:
        rows = min(max(need, 2 * self.rows, 1024), self.most)
        more = rows - self.rows
        self.all = np.concatenate((self.all, np.empty(more, FIX)))
        self._before = np.concatenate((self._before, np.full(more, -1)))
