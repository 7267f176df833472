"""The settled fixes of tracks: which report made which update, within a bound."""

from __future__ import annotations

import numpy as np

from cordon.kernel.compiled import compiled
from cordon.picture.tracking.layout import Array
from cordon.picture.tracks import Ints

FIX = np.dtype(
    [
        ("t", "f8"),
        ("lat", "f8"),
        ("lon", "f8"),
        ("row", "i8"),
        ("track", "i8"),
        ("file", "i4"),
        ("source", "i4"),
        ("label", "i4"),
    ]
)
"""Of a report, what a fix keeps, under the same names."""


@compiled
def _write(log: Array, n: int, reports: Array) -> None:
    """Write reports that belong to tracks, from fix `n` on."""
    for report in reports:
        if report.track != 0:
            fix = log[n % len(log)]
            fix.t, fix.lat, fix.lon, fix.row = report.t, report.lat, report.lon, report.row
            fix.track, fix.file, fix.source = report.track, report.file, report.source
            fix.label = report.label
            n += 1


class FixLog:
    """The newest fixes of all tracks, in the order in which they were settled.

    A track's own are looked for when somebody asks, a millisecond in a million: each report
    is settled and few are ever asked for, so there is no way back through a track's own.

    Args:
        most: fixes kept; the oldest give way.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.count = 0  # ever put in; fix n stands in row n % most
        self.all = np.empty(most, FIX)  # the system gives memory as it is written
        self._parts: dict[int, list[int]] = {}  # of a track: those that went into it
        self._gone: set[int] = set()  # all of those

    def put(self, reports: Array) -> None:
        """Add settled reports, oldest first; those of no track are left out."""
        n = int(np.count_nonzero(reports["track"]))
        _write(self.all, self.count, reports)
        wrapped = (self.count + n) // self.most > self.count // self.most
        self.count += n
        if self._gone and wrapped:
            self._forget()

    def join(self, gone: int, into: int) -> None:
        """Give the fixes of one track to another."""
        self._parts.setdefault(into, []).extend((gone, *self._parts.pop(gone, ())))
        self._gone.add(gone)

    def rows_of(self, id_: int) -> Ints:
        """The rows of a track's fixes, oldest first."""
        if id_ in self._gone:
            return np.empty(0, np.int64)
        rows = np.flatnonzero(np.isin(self.kept["track"], (id_, *self._parts.get(id_, ()))))
        # those of one time as they were settled
        rows = np.roll(rows, -int(np.searchsorted(rows, self.count % self.most)))
        return rows[np.argsort(self.all["t"][rows], kind="stable")]

    @property
    def kept(self) -> Array:
        """The fixes in use, in no order; a view."""
        return self.all[: min(self.count, self.most)]

    def _forget(self) -> None:
        """Forget which tracks went into others where no fix of them is kept any more."""
        self._gone &= set(np.unique(self.kept["track"]).tolist())
        parts = {
            into: [id_ for id_ in all_ if id_ in self._gone] for into, all_ in self._parts.items()
        }
        self._parts = {into: some for into, some in parts.items() if some}
