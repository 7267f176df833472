"""Loops over hashes of names, compiled: SipHash-2-4 with 128 bits, and sets as sorted arrays.

SipHash: J.-P. Aumasson and D. J. Bernstein, “SipHash: a fast short-input PRF”, 2012.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cordon.kernel.compiled import compiled

Hashes = NDArray[np.uint64]


@compiled
def hashes(letters: NDArray[np.uint8], offsets: NDArray[np.int64], key: Hashes) -> Hashes:
    """The hash of each text as two numbers, (n, 2).

    Args:
        letters: bytes of all texts. offsets: where each begins, and where the last ends (n + 1).
        key: two numbers.
    """
    found = np.empty((len(offsets) - 1, 2), np.uint64)
    for n in range(len(offsets) - 1):
        begin, end = offsets[n], offsets[n + 1]
        a = key[0] ^ np.uint64(0x736F6D6570736575)
        b = key[1] ^ np.uint64(0x646F72616E646F6D) ^ np.uint64(0xEE)
        c = key[0] ^ np.uint64(0x6C7967656E657261)
        d = key[1] ^ np.uint64(0x7465646279746573)
        at, last = begin, False
        while not last:
            word = np.uint64(0)
            last = end - at < 8
            for i in range(end - at if last else 8):
                word |= np.uint64(letters[at + i]) << np.uint64(8 * i)
            at += 8
            if last:
                word |= np.uint64((end - begin) & 0xFF) << np.uint64(56)
            d ^= word
            a, b, c, d = _rounds(a, b, c, d, 2)
            a ^= word
        c ^= np.uint64(0xEE)
        a, b, c, d = _rounds(a, b, c, d, 4)
        found[n, 0] = a ^ b ^ c ^ d
        b ^= np.uint64(0xDD)
        a, b, c, d = _rounds(a, b, c, d, 4)
        found[n, 1] = a ^ b ^ c ^ d
    return found


@compiled
def _turned(word: np.uint64, by: int) -> np.uint64:
    return (word << np.uint64(by)) | (word >> np.uint64(64 - by))


@compiled
def _rounds(
    a: np.uint64, b: np.uint64, c: np.uint64, d: np.uint64, times: int
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    for _ in range(times):
        a += b
        b = _turned(b, 13) ^ a
        a = _turned(a, 32)
        c += d
        d = _turned(d, 16) ^ c
        a += d
        d = _turned(d, 21) ^ a
        c += b
        b = _turned(b, 17) ^ c
        c = _turned(c, 32)
    return a, b, c, d


@compiled
def marked(sought: Hashes, known: Hashes, fresh: NDArray[np.bool_]) -> None:
    """Clear the marks of hashes that are known; both are sorted."""
    at = 0
    for i in range(len(sought)):
        high, low = sought[i, 0], sought[i, 1]
        while at < len(known) and (
            known[at, 0] < high or (known[at, 0] == high and known[at, 1] < low)
        ):
            at += 1
        if at == len(known):
            return
        if known[at, 0] == high and known[at, 1] == low:
            fresh[i] = False


@compiled
def merged(one: Hashes, other: Hashes) -> Hashes:
    """Two sorted arrays as one."""
    found = np.empty((len(one) + len(other), 2), np.uint64)
    i = j = 0
    for k in range(len(found)):
        first = j == len(other) or (
            i < len(one)
            and (one[i, 0] < other[j, 0] or (one[i, 0] == other[j, 0] and one[i, 1] <= other[j, 1]))
        )
        if first:
            found[k, 0], found[k, 1] = one[i, 0], one[i, 1]
            i += 1
        else:
            found[k, 0], found[k, 1] = other[j, 0], other[j, 1]
            j += 1
    return found
