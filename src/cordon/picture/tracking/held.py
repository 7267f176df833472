"""Reports of the last moments in order of time, in whatever order they came."""

from __future__ import annotations

from bisect import bisect_left

import numpy as np

from cordon.picture.tracking.layout import REPORT, Array


def in_order(reports: Array) -> Array:
    """Reports by moment, source, time and key; the same report twice stays once."""
    names = ("key", "t", "order", "frame")
    reports = reports[np.lexsort([reports[name] for name in names])]
    new = np.ones(len(reports), dtype=bool)
    new[1:] = (np.diff(reports["key"]) != 0) | (np.diff(reports["frame"]) != 0)
    return reports if new.all() else reports[new]


class Held:
    """Reports kept until they are settled, in order."""

    def __init__(self) -> None:
        self._all = np.empty(0, REPORT)
        self._first = self._last = 0

    def __len__(self) -> int:
        return self._last - self._first

    @property
    def reports(self) -> Array:
        """All, oldest first; a view that holds until the next change."""
        return self._all[self._first : self._last]

    def before(self, frame: int) -> int:
        """How many come before a moment."""
        return bisect_left(self._all["frame"], frame, self._first, self._last) - self._first

    def put(self, new: Array) -> int:
        """Put reports among the others; how many were there already.

        Those that stand after them in time are put in order with them, and lose their `track`.
        """
        came = len(new)
        if not came:
            return 0
        new = in_order(new)
        at = self._first + self.before(new["frame"][0])
        after = self._last - at
        if after:
            new = in_order(np.concatenate((self._all[at : self._last], new)))
        if at + len(new) > len(self._all):
            more = max(at + len(new), 2 * len(self._all)) - len(self._all)
            self._all = np.concatenate((self._all, np.empty(more, REPORT)))
        new["track"] = 0
        self._all[at : at + len(new)] = new
        self._last = at + len(new)
        return came + after - len(new)

    def drop(self, n: int) -> None:
        """Forget the n oldest."""
        self._first += n
        if self._first > 4096 and self._first > len(self):
            left = len(self)
            self._all[:left] = self.reports.copy()
            self._first, self._last = 0, left
