"""Whole numbers in place of texts, compiled: each different text once, whatever part it came in."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cordon.kernel.compiled import compiled

Ints = NDArray[np.int64]
Bytes = NDArray[np.uint8]
_START, _PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)  # FNV-1a, 64 bits
_TURN = np.uint64(29)


class Words:
    """Texts told so far, numbered from 0 as they are told; compared whole."""

    def __init__(self) -> None:
        self._slots = np.zeros((1 << 10, 2), np.int64)  # hash, and number from 1
        self._ends = np.zeros(1 << 10, np.int64)  # where each text ends; the first is its begin
        self._letters = np.empty(1 << 14, np.uint8)
        self._count = 0

    def codes(self, texts: pa.Array) -> NDArray[np.int32]:
        """The number of each text; -1 for null."""
        whole = texts.cast(pa.string())
        missing, offsets, data = whole.buffers()
        ends = np.frombuffer(offsets, np.int32)[whole.offset : whole.offset + len(whole) + 1]
        letters = np.frombuffer(data, np.uint8) if data is not None else np.empty(0, np.uint8)
        there = np.ones(len(whole), bool)
        if missing is not None and whole.null_count:
            there = np.asarray(pc.is_valid(whole).to_numpy(zero_copy_only=False))
        codes = np.empty(len(whole), np.int32)
        self._slots, self._ends, self._letters, self._count = _coded(
            letters, ends, there, codes, self._slots, self._ends, self._letters, self._count
        )
        return codes

    def texts(self) -> tuple[list[str], NDArray[np.int32]]:
        """The texts in their own order, and the place there of each number; -1 stays -1.

        The last of the places is that of -1, so that an array of numbers can be an index.
        """
        ends = pa.py_buffer(self._ends[: self._count + 1].copy())
        data = pa.py_buffer(self._letters[: self._ends[self._count]].copy())
        every = pa.LargeStringArray.from_buffers(self._count, ends, data)
        order = pc.sort_indices(every)
        place = np.full(self._count + 1, -1, np.int32)
        place[order.to_numpy()] = np.arange(self._count, dtype=np.int32)
        return every.take(order).to_pylist(), place


@compiled
def _coded(
    letters: Bytes,
    offsets: NDArray[np.int32],
    there: NDArray[np.bool_],
    codes: NDArray[np.int32],
    slots: Ints,
    ends: Ints,
    known: Bytes,
    count: int,
) -> tuple[Ints, Ints, Bytes, int]:
    for i in range(len(codes)):
        if not there[i]:
            codes[i] = -1
            continue
        text = letters[offsets[i] : offsets[i + 1]]
        own = _hash(text)
        p, found = _slot(slots, ends, known, own, text)
        if not found:
            start, count = ends[count], count + 1
            slots[p, 0], slots[p, 1] = own, count
            if count + 1 == len(ends):
                ends = np.concatenate((ends, np.zeros(len(ends), np.int64)))
            ends[count] = start + len(text)
            while ends[count] > len(known):
                known = np.concatenate((known, np.empty(len(known), np.uint8)))
            known[start : ends[count]] = text
        codes[i] = slots[p, 1] - 1
        if 2 * count > len(slots):
            slots = _wider(slots)
    return slots, ends, known, count


@compiled
def _hash(text: Bytes) -> int:
    mixed = _START
    for letter in text:
        mixed = (mixed ^ np.uint64(letter)) * _PRIME
    return int(np.int64(mixed ^ (mixed >> _TURN)))


@compiled
def _slot(slots: Ints, ends: Ints, known: Bytes, own: int, text: Bytes) -> tuple[int, bool]:
    """Where a text stands or would stand, and whether it does."""
    last = len(slots) - 1
    p = own & last
    while slots[p, 1] != 0:
        if slots[p, 0] == own:
            first = ends[slots[p, 1] - 1]
            same = ends[slots[p, 1]] - first == len(text)
            for k in range(len(text) if same else 0):
                same = same and known[first + k] == text[k]
            if same:
                return p, True
        p = (p + 1) & last
    return p, False


@compiled
def _wider(slots: Ints) -> Ints:
    """The same in twice as many slots."""
    wide = np.zeros((2 * len(slots), 2), np.int64)
    last = len(wide) - 1
    for k in range(len(slots)):
        if slots[k, 1] != 0:
            p = slots[k, 0] & last
            while wide[p, 1] != 0:
                p = (p + 1) & last
            wide[p] = slots[k]
    return wide
