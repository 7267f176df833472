"""Names as small numbers, so that loops need no text: sources, labels, files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np

from cordon.picture.tracks import Ints


def stable(text: str) -> int:
    """A number of 62 bits that stands for a text on every machine."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 2


class Names:
    """Codes of names, from 0 in the order in which they are first asked for."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._codes: dict[str, int] = {}
        self.spare = 65_536  # names that may be added before unused ones are forgotten
        self._kept = 0

    def __len__(self) -> int:
        return len(self.names)

    def code(self, name: str) -> int:
        """The name's code, a new one where it has none."""
        found = self._codes.get(name)
        if found is None:
            found = self._codes[name] = len(self.names)
            self.names.append(name)
        return found

    def codes(self, names: Iterable[str]) -> Ints:
        """The codes of several names."""
        return np.array([self.code(name) for name in names], dtype=np.int64)

    @property
    def crowded(self) -> bool:
        """Whether so many were added since the last compaction that another is worth it."""
        return len(self.names) >= 2 * self._kept + self.spare

    def compact(self, used: Ints) -> Ints:
        """Forget what is not among `used` codes.

        Returns:
            (n,) the new code of each old one, -1 for those forgotten.
        """
        new = np.full(len(self.names), -1, dtype=np.int64)
        kept = np.unique(used)
        new[kept] = np.arange(len(kept))
        self.names = [self.names[k] for k in kept]
        self._codes = {name: n for n, name in enumerate(self.names)}
        self._kept = len(self.names)
        return new
