"""The positions already met: those of files for good, those of a feed without end for a while."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from cordon.picture.tracks import Batch

Keys = NDArray[np.uint64]
_MOST_NAMES = 400_000  # subjects whose hash is kept


class Seen:
    """The positions already met, as 64-bit hashes in a few sorted runs (8 bytes a position).

    Two different positions among five million share a hash with odds of one in a million.

    Args:
        most: for a feed without end: so many positions at least are remembered, and at most
            twice as many (16 bytes each, in a table); the older ones are forgotten. All are
            where it is absent.
    """

    def __init__(self, most: int | None = None) -> None:
        self._runs: list[Keys] = []
        self._recent = _Recent(most) if most is not None else None
        self._names: dict[str, int] = {}

    def __len__(self) -> int:
        if self._recent is not None:
            return self._recent.held
        return sum(map(len, self._runs))

    def new(self, batch: Batch) -> NDArray[np.bool_]:
        """True where the batch's position was not met before, also within the batch."""
        names = np.array([self._hash(s) for s in batch.subjects], dtype=np.uint64)
        key = names[batch.subject]
        micro = np.round(batch.t * 1e6).astype(np.int64).view(np.uint64)
        for part in (micro, (batch.lat + 0.0).view(np.uint64), (batch.lon + 0.0).view(np.uint64)):
            key = _mix(key ^ part)
        _, first = np.unique(key, return_index=True)
        fresh = np.zeros(len(key), dtype=bool)
        fresh[first] = True
        if self._recent is not None:
            fresh[fresh] = ~self._recent.met(key[fresh])
        else:
            self._met_in_runs(key, fresh)
        return fresh

    def _met_in_runs(self, key: Keys, fresh: NDArray[np.bool_]) -> None:
        for run in self._runs:
            at = np.minimum(np.searchsorted(run, key), len(run) - 1)
            fresh &= run[at] != key
        run = np.sort(key[fresh])
        while self._runs and len(self._runs[-1]) <= 2 * len(run):
            run = np.sort(np.concatenate((self._runs.pop(), run)))
        if len(run):
            self._runs.append(run)

    def _hash(self, name: str) -> int:
        known = self._names.get(name)
        if known is None:
            if len(self._names) >= _MOST_NAMES:
                self._names.clear()
            digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
            known = self._names[name] = int.from_bytes(digest, "big")
        return known


class _Recent:
    """The latest keys: two tables with open addressing, of which the older is given up in time."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._table: Keys = np.zeros(1 << 12, dtype=np.uint64)
        self._older: Keys = np.zeros(1, dtype=np.uint64)
        self._count = self._older_count = 0

    @property
    def held(self) -> int:
        """How many keys both tables hold."""
        return self._count + self._older_count

    def met(self, key: Keys) -> NDArray[np.bool_]:
        """Whether each key, no two the same, was there; all are from now on."""
        key = np.where(key == 0, np.uint64(1), key)  # 0 says that a place is free
        known = _find(self._table, key) | _find(self._older, key)
        fresh = key[~known]
        if self._count and self._count + len(fresh) > self._most:
            self._older, self._older_count, self._count = self._table, self._count, 0
            self._table = np.zeros(1 << 12, dtype=np.uint64)
        size = len(self._table)
        while 2 * (self._count + len(fresh)) > size:
            size *= 2
        if size > len(self._table):
            held = self._table[self._table != 0]
            self._table = np.zeros(size, dtype=np.uint64)
            _put(self._table, held)
        _put(self._table, fresh)
        self._count += len(fresh)
        return known


def _find(table: Keys, key: Keys) -> NDArray[np.bool_]:
    found = np.zeros(len(key), dtype=bool)
    if len(table) == 1:
        return found
    last = np.uint64(len(table) - 1)
    rest, at = np.arange(len(key)), key & last
    while len(rest):
        there = table[at]
        hit = there == key[rest]
        found[rest[hit]] = True
        on = ~hit & (there != 0)
        rest, at = rest[on], (at[on] + np.uint64(1)) & last
    return found


def _put(table: Keys, key: Keys) -> None:
    """Put keys into a table that holds none of them."""
    last = np.uint64(len(table) - 1)
    rest, at = key, key & last
    while len(rest):
        free = table[at] == 0
        table[at[free]] = rest[free]  # of several for one place the last stays there
        on = table[at] != rest
        rest, at = rest[on], (at[on] + np.uint64(1)) & last


def _mix(key: Keys) -> Keys:
    # the finaliser of SplitMix64 (Steele, Lea, Flood 2014)
    key = (key ^ (key >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    key = (key ^ (key >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return key ^ (key >> np.uint64(31))
