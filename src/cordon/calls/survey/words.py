"""Whole numbers in place of texts, compiled: each different text once, whatever part it came in.

A million texts do not fit a processor's nearest memory, and each step on the way to one waits for
it. So some are looked for at a time: their slots are all asked for before the first is compared.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cordon.calls.survey.distinct import Scalar
from cordon.kernel.compiled import compiled
from cordon.kernel.store.bits import eight

Ints = NDArray[np.int64]
Bytes = NDArray[np.uint8]

_AT_A_TIME = 128  # texts
_INLINE = 15  # bytes of a text that is its own key: numbers, SIMs, handsets, most names of cells
_START, _PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)  # FNV-1a, 64 bits
_MIX, _HALF, _TURN = np.uint64(0x9E3779B97F4A7C15), np.uint64(32), np.uint64(29)
_ALL, _LAST = np.uint64(0xFFFFFFFFFFFFFFFF), np.uint64(56)
_NUMBER = 0xFFFFFFFF  # of a slot: the bits of the number, from 1; those above are of the hash
_LEAD, _FURTHER = 0xC0, 0x80  # of a byte in UTF-8: the bits that say whether it begins a letter


class Words:
    """Texts told so far, numbered from 0 as they are told; compared whole.

    Args:
        most: letters of each text that count; those behind them are left out. All where 0.
    """

    def __init__(self, most: int = 0) -> None:
        self._most = most
        self._slots = np.zeros(1 << 10, np.int64)
        self._keys = np.zeros((1 << 9, 2), np.uint64)  # of each text, by its number
        self._ends = np.zeros((1 << 9) + 1, np.int64)  # of each text; before them is a 0
        self._letters = np.empty(1 << 13, np.uint8)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def codes(self, texts: pa.Array) -> NDArray[np.int32]:
        """The number of each text; -1 for null."""
        whole = texts.cast(pa.string())
        _, offsets, data = whole.buffers()
        starts = np.frombuffer(offsets, np.int32)[whole.offset : whole.offset + len(whole) + 1]
        letters = np.frombuffer(data, np.uint8) if data is not None else np.empty(0, np.uint8)
        if not whole.null_count:
            return self.of(letters, starts, np.arange(len(whole)), 0)
        there = np.asarray(pc.is_valid(whole).to_numpy(zero_copy_only=False))
        codes = np.full(len(whole), -1, np.int32)
        codes[there] = self.of(letters, starts, np.flatnonzero(there), 0)
        return codes

    def of(
        self, letters: Bytes, starts: NDArray[np.int32], which: Ints, apart: int
    ) -> NDArray[np.int32]:
        """The numbers of texts that stand one after another.

        Args:
            letters: bytes. starts: where each text begins, and one more. which: those asked for.
            apart: bytes between the end of each and the begin of the next.
        """
        codes = np.empty(len(which), np.int32)
        letters, starts = _frozen(letters), _frozen(starts)
        done = 0
        while done < len(which):
            stopped, self._count = _coded(
                letters, starts, which, apart, self._most, codes, done,
                self._slots, self._keys, self._ends, self._letters, self._count,
            )  # fmt: skip
            if stopped == done:
                self._grow(letters, starts, which[done : done + _AT_A_TIME])
            done = stopped
        return codes

    def _grow(self, letters: Bytes, starts: NDArray[np.int32], which: Ints) -> None:
        """Make room for these texts. NumPy asks for large pages, which are reached sooner."""
        if self._count + _AT_A_TIME > len(self._keys):
            self._keys = np.concatenate([self._keys, np.zeros_like(self._keys)])
            self._ends = np.concatenate([self._ends, np.zeros(len(self._keys) // 2, np.int64)])
            self._slots = np.zeros(2 * len(self._slots), np.int64)
            _placed(self._keys, self._count, self._slots)
        need = int(self._ends[self._count] + (starts[which + 1] - starts[which]).sum())
        if need > len(self._letters):
            wide = np.empty(max(need, 2 * len(self._letters)), np.uint8)
            wide[: len(self._letters)] = self._letters
            self._letters = wide

    def told(self, first: int = 0) -> pa.Array:
        """The texts by number, from this one on.

        Raises:
            pa.ArrowInvalid: one is not UTF-8.
        """
        begin, end = int(self._ends[first]), int(self._ends[self._count])
        ends = pa.py_buffer(self._ends[first : self._count + 1] - begin)
        data = pa.py_buffer(self._letters[begin:end].copy())
        every = pa.LargeStringArray.from_buffers(self._count - first, ends, data)
        every.validate(full=True)
        return every

    def texts(self) -> tuple[list[str], NDArray[np.int32]]:
        """The texts in their own order, and the place there of each number; -1 stays -1.

        The last of the places is that of -1, so that an array of numbers can be an index.

        Raises:
            pa.ArrowInvalid: one is not UTF-8.
        """
        every = self.told()
        order = pc.sort_indices(every)
        place = np.full(self._count + 1, -1, np.int32)
        place[order.to_numpy()] = np.arange(self._count, dtype=np.int32)
        return every.take(order).to_pylist(), place


def _frozen(values: NDArray[Scalar]) -> NDArray[Scalar]:
    """The same, not to be written, whatever it was: so one compiled loop does for all."""
    same = np.ascontiguousarray(values).view()
    same.flags.writeable = False
    return same


@compiled
def asked(where: NDArray[np.int32], size: int) -> NDArray[np.bool_]:
    """Of each of `size` places, whether it is among these; -1 is none."""
    found = np.zeros(size, np.bool_)
    for n in where:
        if n >= 0:
            found[n] = True
    return found


@compiled
def given(found: NDArray[np.int32], where: NDArray[np.int32], known: NDArray[np.int32]) -> None:
    """Write what is known at each place; at -1 what was found stays."""
    for i in range(len(found)):
        if where[i] >= 0:
            found[i] = known[where[i]]


@compiled
def _coded(
    letters: Bytes,
    starts: NDArray[np.int32],
    which: Ints,
    apart: int,
    most: int,
    codes: NDArray[np.int32],
    done: int,
    slots: Ints,
    keys: NDArray[np.uint64],
    ends: Ints,
    known: Bytes,
    count: int,
) -> tuple[int, int]:
    """Number texts until there is no room; how many are done, and how many there are then."""
    first, length = np.empty(_AT_A_TIME, np.int64), np.empty(_AT_A_TIME, np.int64)
    own, mixed = np.empty((_AT_A_TIME, 2), np.uint64), np.empty(_AT_A_TIME, np.uint64)
    slot = np.empty(_AT_A_TIME, np.int64)
    last = np.uint64(len(slots) - 1)
    while done < len(which):
        many = min(_AT_A_TIME, len(which) - done)
        size = 0
        for i in range(many):
            n = which[done + i]
            first[i] = starts[n]
            length[i] = np.int64(starts[n + 1]) - apart - first[i]
            if most and length[i] > most:
                length[i] = _shortened(letters, first[i], length[i], most)
            own[i, 0], own[i, 1] = _key(letters, first[i], length[i])
            mixed[i] = _mixed(own[i, 0], own[i, 1])
            size += length[i]
        if count + many > len(keys) or ends[count] + size > len(known):
            return done, count
        for i in range(many):
            slot[i] = slots[mixed[i] & last]
        for i in range(many):
            n = (slot[i] & _NUMBER) - 1
            if (
                n < 0
                or keys[n, 0] != own[i, 0]
                or keys[n, 1] != own[i, 1]
                or (length[i] > _INLINE and not _same(letters, first[i], known, ends, n))
            ):
                p, n = _searched(
                    letters, first[i], length[i], own[i], mixed[i], slots, keys, ends, known
                )
                if n < 0:
                    n = count
                    keys[n] = own[i]
                    ends[n + 1] = ends[n] + length[i]
                    known[ends[n] : ends[n + 1]] = letters[first[i] : first[i] + length[i]]
                    slots[p] = np.int64(mixed[i] >> _HALF) << 32 | (n + 1)
                    count += 1
            codes[done + i] = n
        done += many
    return done, count


@compiled
def _searched(
    letters: Bytes,
    first: int,
    length: int,
    own: NDArray[np.uint64],
    mixed: np.uint64,
    slots: Ints,
    keys: NDArray[np.uint64],
    ends: Ints,
    known: Bytes,
) -> tuple[int | np.int64, int]:
    """The slot where a text stands or would stand, and its number; -1 where it has none."""
    last = len(slots) - 1
    p = np.int64(mixed) & last
    top = np.int64(mixed >> _HALF) << 32
    while slots[p] != 0:
        n = (slots[p] & _NUMBER) - 1
        if (
            slots[p] & ~_NUMBER == top
            and keys[n, 0] == own[0]
            and keys[n, 1] == own[1]
            and (length <= _INLINE or _same(letters, first, known, ends, n))
        ):
            return p, n
        p = (p + 1) & last
    return p, -1


@compiled
def _key(letters: Bytes, first: int, length: int) -> tuple[np.uint64, np.uint64]:
    """The text's first and second eight bytes, of which the last is its length; of a long text a
    hash and its length."""
    if length > _INLINE:
        mixed = _START
        for k in range(first, first + length):
            mixed = (mixed ^ np.uint64(letters[k])) * _PRIME
        return mixed, np.uint64(length) | np.uint64(_INLINE + 1) << _LAST
    low, high = np.uint64(0), np.uint64(0)
    if first + _INLINE + 1 <= len(letters):  # what follows the text is read and cut off
        low = eight(letters, np.uint64(first))
        if length < 8:
            low &= ~(_ALL << np.uint64(8 * length))
        else:
            high = eight(letters, np.uint64(first + 8))
            high &= ~(_ALL << np.uint64(8 * length - 64))
    else:
        for k in range(length):
            byte = np.uint64(letters[first + k])
            if k < 8:
                low |= byte << np.uint64(8 * k)
            else:
                high |= byte << np.uint64(8 * k - 64)
    return low, high | np.uint64(length) << _LAST


@compiled
def _mixed(low: np.uint64, high: np.uint64) -> np.uint64:
    """A hash of a key."""
    mixed = (low ^ high * _PRIME) * _MIX
    mixed = (mixed ^ (mixed >> _HALF)) * _MIX
    return mixed ^ (mixed >> _TURN)


@compiled
def _same(letters: Bytes, first: int, known: Bytes, ends: Ints, number: int) -> bool:
    """Whether a long text is the one of this number, which is as long."""
    begin, same = ends[number], True
    for k in range(ends[number + 1] - begin):
        same = same and letters[first + k] == known[begin + k]
    return same


@compiled
def _shortened(letters: Bytes, first: int, length: int, most: int) -> int:
    """Bytes of the first letters of a text in UTF-8."""
    found = 0
    for k in range(length):
        if letters[first + k] & _LEAD != _FURTHER:
            found += 1
            if found > most:
                return k
    return length


@compiled
def _placed(keys: NDArray[np.uint64], count: int, slots: Ints) -> None:
    """Give each text a slot."""
    last = len(slots) - 1
    for n in range(count):
        mixed = _mixed(keys[n, 0], keys[n, 1])
        p = np.int64(mixed) & last
        while slots[p] != 0:
            p = (p + 1) & last
        slots[p] = np.int64(mixed >> _HALF) << 32 | (n + 1)
