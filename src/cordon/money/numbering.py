"""Loops that number millions of names of accounts and put them in order, compiled.

A name is known again by 96 bits of its hash (SipHash-2-4 under a key of chance, as of the ids of
payments): of ten million names two are taken for one with a chance below 10⁻¹⁵, and nobody who
writes a file can choose them.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cordon.kernel.compiled import compiled

Ints = NDArray[np.int64]
Hashes = NDArray[np.uint64]
Letters = NDArray[np.uint8]
EMPTY, SPACED, FOREIGN = 1, 2, 4
"""What texts may be: empty, with a space at an end, with more than ASCII."""
PLAIN, IBAN, WRONG, ODD = range(4)
"""What a name is: taken as it is, an IBAN with right check digits, one with wrong ones, or one that
may stand for another name and is looked at more closely."""


def laid_out(texts: pa.StringArray) -> tuple[Letters, Ints]:
    """The bytes of texts, and where each begins and the last ends."""
    _, ends, data = texts.buffers()
    offsets = np.frombuffer(ends, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    letters = np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)
    return letters, offsets.astype(np.int64)


@compiled
def flaws(letters: Letters, offsets: Ints) -> int:
    """All that any of the texts is, of EMPTY, SPACED and FOREIGN."""
    found = 0
    for n in range(len(offsets) - 1):
        begin, end = offsets[n], offsets[n + 1]
        if begin == end:
            found |= EMPTY
        elif letters[begin] == 32 or letters[end - 1] == 32:
            found |= SPACED
    for at in range(offsets[0], offsets[-1]):
        if letters[at] >= 128:
            return found | FOREIGN
    return found


@compiled
def numbered(
    names: Hashes,
    half: int,
    table: Hashes,
    used: int,
    codes: NDArray[np.int32],
    fresh: Ints,
) -> tuple[Hashes, int, int]:
    """Number the names of one half of all hashes, so that two threads need no lock.

    Args:
        half: 0 or 1: names whose hash has that as its highest bit.
        table: of names known so far: a hash, and half of its second with the number + 1; 0 where
            there is none. As long as a power of two. used: how many are known.
        codes: takes twice the number, plus the half. fresh: takes the places of new names.

    Returns:
        The table, how many are known, and how many of them are new.
    """
    new, high = 0, np.uint64(0xFFFFFFFF00000000)
    low = np.uint64(0xFFFFFFFF)
    mask = np.uint64(len(table) - 1)
    for n in range(len(names)):
        a, b = names[n, 0], names[n, 1]
        if np.int64(b >> np.uint64(63)) != half:
            continue
        at = a & mask
        while True:
            held = table[at, 1]
            if held == 0:
                if 2 * used >= len(table):
                    table = _wider(table)
                    mask = np.uint64(len(table) - 1)
                    at = a & mask
                    continue
                table[at, 0], table[at, 1] = a, (b & high) | np.uint64(used + 1)
                codes[n] = 2 * used + half
                fresh[new] = n
                used += 1
                new += 1
                break
            if table[at, 0] == a and (held & high) == (b & high):
                codes[n] = 2 * (np.int64(held & low) - 1) + half
                break
            at = (at + np.uint64(1)) & mask
    return table, used, new


@compiled
def _wider(table: Hashes) -> Hashes:
    wide = np.zeros((2 * len(table), 2), np.uint64)
    mask = np.uint64(len(wide) - 1)
    for n in range(len(table)):
        if table[n, 1] == 0:
            continue
        at = table[n, 0] & mask
        while wide[at, 1] != 0:
            at = (at + np.uint64(1)) & mask
        wide[at, 0], wide[at, 1] = table[n, 0], table[n, 1]
    return wide


@compiled
def replaced(codes: NDArray[np.int32], by: NDArray[np.int32]) -> None:
    """Put in each code's place what stands for it."""
    for n in range(len(codes)):
        codes[n] = by[codes[n]]


@compiled
def kinds(letters: Letters, offsets: Ints) -> NDArray[np.uint8]:
    """What each name is: PLAIN, IBAN, WRONG or ODD."""
    found = np.empty(len(offsets) - 1, np.uint8)
    for n in range(len(found)):
        begin, end = offsets[n], offsets[n + 1]
        parted, small, other, foreign = False, False, False, False
        length, remainder, lead = 0, np.int64(0), np.int64(0)
        for at in range(begin, end):
            c = letters[at]
            if c <= 32 or 45 <= c <= 47:
                parted = True
                continue
            length += 1
            foreign = foreign or c >= 127
            digit = 48 <= c <= 57
            small = small or 97 <= c <= 122
            alike = (65 <= c <= 90) or (97 <= c <= 122)
            other = other or not (digit or alike)
            if length <= 4 and ((length <= 2) == digit or not (digit or alike)):
                other = True
            value = np.int64(c) - 48 if digit else (np.int64(c) & 31) + 9
            if length <= 4:
                lead = lead * (10 if digit else 100) + value
            else:
                remainder = (remainder * (10 if digit else 100) + value) % 97
        shaped = not other and 15 <= length <= 34
        bare = begin == end or (letters[begin] > 32 and letters[end - 1] > 32)
        if not bare or foreign or (shaped and (parted or small)):
            found[n] = ODD
        elif not shaped:
            found[n] = PLAIN
        else:
            # the first four stand last: two letters of two digits each, and the check digits
            found[n] = IBAN if (remainder * 1_000_000 + lead) % 97 == 1 else WRONG
    return found


def ordered(names: pa.StringArray) -> Ints:
    """Positions of different names in their order, by bytes, which is that by characters."""
    letters, offsets = laid_out(names)
    if not len(names) or int(np.diff(offsets).max()) > _LONGEST:
        return np.asarray(pa.compute.sort_indices(names).to_numpy(), np.int64)
    present = _present(letters, offsets, int(np.diff(offsets).max()))
    sizes = present.sum(axis=1)
    # each place is a digit of its own base: as many as letters that are ever there
    digit = np.where(present, np.cumsum(present, axis=1) - 1, 0).astype(np.uint64)
    word_of, words, held = np.zeros(len(sizes), np.int64), 0, 1
    for at, size in enumerate(sizes.tolist()):
        if held * size >= 1 << 64:
            words, held = words + 1, 1
        held *= size
        word_of[at] = words
    keys = _keys(letters, offsets, digit, sizes.astype(np.uint64), word_of, words + 1)
    if not words:
        return np.argsort(keys[0])
    return np.lexsort(keys[::-1])


_LONGEST = 64


@compiled
def _present(letters: Letters, offsets: Ints, width: int) -> NDArray[np.bool_]:
    """Which letters are ever at each place: a byte + 1, or 0 past the end."""
    found = np.zeros((width, 257), np.bool_)
    for n in range(len(offsets) - 1):
        begin, length = offsets[n], offsets[n + 1] - offsets[n]
        for at in range(length):
            found[at, np.int64(letters[begin + at]) + 1] = True
        for at in range(length, width):
            found[at, 0] = True
    return found


@compiled
def _keys(
    letters: Letters,
    offsets: Ints,
    digit: Hashes,
    sizes: Hashes,
    word_of: Ints,
    words: int,
) -> Hashes:
    keys = np.zeros((words, len(offsets) - 1), np.uint64)
    for n in range(len(offsets) - 1):
        begin, length = offsets[n], offsets[n + 1] - offsets[n]
        for at in range(len(sizes)):
            letter = np.int64(letters[begin + at]) + 1 if at < length else 0
            word = word_of[at]
            keys[word, n] = keys[word, n] * sizes[at] + digit[at, letter]
    return keys
