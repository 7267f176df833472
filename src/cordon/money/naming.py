"""Numbers of the names of accounts, of each payment's two, without a table that no cache holds.

A table of two million names is reached by a wait for memory at each of twenty million looks. So
names are put whole, as they are read, to others of their length and of the same bits of a hash; of
the parts that come of it each is numbered by itself, in a table of its own that a processor holds
near. The bits depend on numbers of chance: nobody who writes a file can make one part of all names.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cordon.kernel.store.pages import TextPage, Texts
from cordon.money.coding import NotHeld
from cordon.money.numbering import assigned, entered, numbered, parted, placed, replaced, spelled

Ints = NDArray[np.int64]
Codes = NDArray[np.int32]
Words = NDArray[np.uint64]
_WIDTHS = np.array([2, 3, 5, 8, 16, 31])  # words of eight bytes
_EACH = 1 << 16  # names that are worth a part of their own
_BITS = 8  # of a hash, at most: as many places as are written to by turns
_AT_ONCE = 1 << 20
_ROOM, _OF_EACH = 1 << 26, 80  # bytes for names in all, and for each: 63 letters with what is told
_FIRST = 1 << 10  # names that a part has room for, to begin with


@dataclass(frozen=True, slots=True)
class _Block:
    """Names that were put into parts: `ends` tells where each part's end, and `codes` takes what
    stands for each."""

    entries: Words
    ends: Ints
    codes: Codes

    def part(self, part: int, size: int) -> Words:
        """The entries of a part, each of so many words."""
        begin, end = self.ends[part : part + 2].tolist()
        return self.entries[begin:end].reshape(-1, size)


class Naming:
    """Names as they are read, numbered at the end; any thread may add some.

    Args:
        rows: how many names there are about.
    """

    def __init__(self, rows: int) -> None:
        self.seed = seed()
        self._most = _ROOM + _OF_EACH * rows
        self._bits = min(max((rows // _EACH).bit_length(), 0), _BITS)
        self._blocks: list[_Block] = []
        self._coded: list[tuple[Codes, Codes]] = []
        self._begins = np.zeros(1, np.int64)

    def add(self, told: Iterable[TextPage], into: Codes) -> None:
        """Take the names of a column in a part of a file.

        Args:
            into: of each row, for its number.

        Raises:
            NotHeld: one is too long, they take too much room, or are more or fewer than rows.
        """
        dictionary: Texts | None = None
        at = coded = size = 0
        pages: list[Texts] = []
        for page in told:
            end = at + page.rows
            if end > len(into) or (page.codes is not None and at > coded):
                raise NotHeld
            if page.codes is not None:
                dictionary, coded = page.texts, end
                into[at:end] = page.codes
            else:
                pages.append(page.texts)
                size += page.rows
                if size >= _AT_ONCE:
                    self._put(pages, into[end - size : end])
                    pages, size = [], 0
            at = end
        if at != len(into):
            raise NotHeld
        if pages:
            self._put(pages, into[at - size : at])
        if dictionary is not None:
            self._coded.append((into[:coded], self._known(dictionary, into[:coded])))

    def _known(self, dictionary: Texts, used: Codes) -> Codes:
        """The numbers of a dictionary's texts, of which those that are used are taken."""
        asked = np.zeros(len(dictionary.starts) - 1, bool)
        asked[used] = True
        codes = np.zeros(len(asked), np.int32)
        self._put([dictionary], codes, np.flatnonzero(asked))
        return codes

    def _put(self, told: list[Texts], codes: Codes, which: Ints | None = None) -> None:
        """Put texts into parts; of one page those that are asked for, or else all."""
        counts = np.zeros(len(_WIDTHS) << self._bits, np.int64)
        those = np.empty(0, np.int64) if which is None else which
        part = [
            np.empty(len(t.starts) - 1 if which is None else len(which), np.uint16) for t in told
        ]
        for texts, of in zip(told, part, strict=True):
            if not parted(
                texts.letters, texts.starts, those, texts.apart, self.seed, _WIDTHS, self._bits,
                of, counts,
            ):  # fmt: skip
                raise NotHeld
        ends = np.concatenate([[0], np.cumsum(counts * self._sizes())])
        if sum(b.entries.nbytes for b in self._blocks) + 8 * int(ends[-1]) > self._most:
            raise NotHeld
        entries, at, place = np.empty(int(ends[-1]), np.uint64), ends[:-1].copy(), 0
        for texts, of in zip(told, part, strict=True):
            entered(
                texts.letters, texts.starts, those, texts.apart, _WIDTHS, self._bits,
                of, place, at, entries,
            )  # fmt: skip
            place += len(texts.starts) - 1
        self._blocks.append(_Block(entries, ends, codes))

    def _sizes(self) -> Ints:
        """Words of an entry of each part."""
        return np.repeat(_WIDTHS + 1, 1 << self._bits)

    def numbered(self, threads: Executor) -> pa.LargeStringArray:
        """Number the names: gives all of them, each once, by their number.

        Raises:
            NotHeld: one is empty.
            pa.ArrowInvalid: one is not UTF-8.
        """
        parts = range(len(_WIDTHS) << self._bits)
        names = list(threads.map(self._numbered, parts, self._sizes().tolist()))
        self._begins = np.cumsum([0, *(len(n) for n in names)])
        lengths = np.concatenate([n[:, -1].astype(np.int64) for n in names])
        if not lengths.min(initial=1):
            raise NotHeld
        ends = np.concatenate([[0], np.cumsum(lengths)])
        letters, at = np.empty(int(ends[-1]), np.uint8), 0
        for one in names:
            spelled(one, ends[at : at + len(one) + 1], letters)
            at += len(one)
        buffers = pa.py_buffer(ends), pa.py_buffer(letters)
        told = pa.LargeStringArray.from_buffers(len(lengths), *buffers)
        told.validate(full=True)
        return told

    def _numbered(self, part: int, size: int) -> Words:
        """The names of a part, as entries; each entry gets its number."""
        names, count = np.empty((0, size), np.uint64), 0
        slots = np.zeros(0, np.int32)
        for block in self._blocks:
            entries, at = block.part(part, size), 0
            if len(entries) and not len(slots):
                names, slots = np.empty((_FIRST, size), np.uint64), np.zeros(2 * _FIRST, np.int32)
            while at < len(entries):
                at, count = numbered(entries, at, self.seed, slots, names, count)
                if at < len(entries):
                    names = np.concatenate([names, np.empty_like(names)])
                    slots = np.zeros(2 * len(slots), np.int32)
                    placed(names, count, self.seed, slots)
        return names[:count].copy()

    def put(self, by: Codes, threads: Executor) -> Callable[[], None]:
        """Begin to write into all columns what stands for the number of each name; once.

        Returns:
            What waits for it.
        """
        sizes = self._sizes().tolist()

        def written(block: _Block) -> None:
            for part in np.flatnonzero(np.diff(block.ends)).tolist():
                own = by[self._begins[part] : self._begins[part + 1]]
                assigned(block.part(part, sizes[part]), own, block.codes)

        begun = threads.map(written, self._blocks)

        def ended() -> None:
            list(begun)
            self._blocks.clear()
            of_dictionaries = [threads.submit(replaced, *pair) for pair in self._coded]
            for one in of_dictionaries:
                one.result()

        return ended


def seed() -> Words:
    """Two odd numbers of chance."""
    return np.array([secrets.randbits(64) | 1 for _ in range(2)], np.uint64)
