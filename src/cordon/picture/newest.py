"""The newest report of each subject as columns, and which of them are held nowhere else."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cordon.picture.tracks import Batch, Bools, Floats, Ints

_FLOATS = ("t", "lat", "lon", "speed", "course", "heading", "accuracy")


class Newest:
    """A row each subject; the caller holds the lock."""

    def __init__(self, rows: int = 64) -> None:
        self._rows: dict[str, int] = {}
        self._columns: dict[str, NDArray[Any]] = {}
        self._grow(rows)

    def __len__(self) -> int:
        return len(self._rows)

    def _grow(self, rows: int) -> None:
        forms: dict[str, Any] = dict.fromkeys(_FLOATS, np.float64)
        forms |= {"kind": np.int64, "row": np.int64, "alone": np.bool_}
        forms |= dict.fromkeys(("subject", "source", "sha256"), np.object_)
        columns: dict[str, NDArray[Any]] = {n: np.zeros(rows, form) for n, form in forms.items()}
        columns["t"][:] = np.nan
        for name, column in self._columns.items():
            columns[name][: len(column)] = column
        self._columns = columns

    def rows(self, names: Sequence[str]) -> Ints:
        """The row of each subject; who had none gets one, in which nothing was heard."""
        known = self._rows
        rows = np.array([known.get(name, -1) for name in names], dtype=np.int64)
        new = np.flatnonzero(rows < 0)
        if len(new):
            if len(known) + len(new) > len(self._columns["t"]):
                self._grow(2 * (len(known) + len(new)))
            for i in new.tolist():
                rows[i] = known[names[i]] = len(known)
                self._columns["subject"][rows[i]] = names[i]
        return rows

    def places(self, rows: Ints) -> tuple[Floats, Floats, Floats]:
        """When and where each row was last heard: s since the epoch, lat, lon; NaN where never."""
        c = self._columns
        t = c["t"][rows]
        never = np.isnan(t)
        lat, lon = np.where(never, np.nan, c["lat"][rows]), np.where(never, np.nan, c["lon"][rows])
        return t, lat, lon

    def set(self, rows: Ints, batch: Batch, some: Ints, alone: Bools) -> None:
        """These reports of a batch are the newest of these rows.

        Args:
            alone: which of them are held nowhere else.
        """
        c = self._columns
        for name in (*_FLOATS, "kind", "row"):
            c[name][rows] = getattr(batch, name)[some]
        c["source"][rows] = np.array(batch.sources, dtype=np.object_)[batch.source[some]]
        c["sha256"][rows] = batch.sha256
        c["alone"][rows] = alone

    def tails(self) -> list[Batch]:
        """The newest reports that are held nowhere else; they are from now on."""
        rows = np.flatnonzero(self._columns["alone"])
        found = self._batches(rows)
        self._columns["alone"][rows] = False
        return found

    def alone(self, names: Collection[str]) -> list[Batch]:
        """The newest reports of these subjects, where they are held nowhere else."""
        rows = np.array([r for n in names if (r := self._rows.get(n)) is not None], np.int64)
        return self._batches(rows[self._columns["alone"][rows]])

    def _batches(self, rows: Ints) -> list[Batch]:
        c, found = self._columns, []
        for sha256 in dict.fromkeys(c["sha256"][rows].tolist()):
            own = rows[c["sha256"][rows] == sha256]
            names = c["source"][own].tolist()
            code = {name: n for n, name in enumerate(dict.fromkeys(names))}
            told: dict[str, Any] = {name: c[name][own] for name in (*_FLOATS, "kind", "row")}
            found.append(
                Batch(
                    sha256=sha256,
                    subjects=c["subject"][own].tolist(),
                    sources=list(code),
                    subject=np.arange(len(own)),
                    source=np.array([code[name] for name in names], dtype=np.int64),
                    **told,
                )
            )
        return found

    def of(self, names: Collection[str]) -> Newest:
        """The same of these subjects alone."""
        kept = [name for name in self._rows if name in names]
        rows = np.array([self._rows[name] for name in kept], dtype=np.int64)
        other = Newest(max(64, 2 * len(kept)))
        other._rows = dict(zip(kept, range(len(kept)), strict=True))
        for name, column in self._columns.items():
            other._columns[name][: len(kept)] = column[rows]
        return other
