"""Numbers modulo 2^255 - 19, many at once: loops over lanes that become vector instructions.

A number is ten limbs of 26 and 25 bits in turn, the least first. A slot (`SIZE` words) holds one
number of each lane: limb i of lane n stands at `i * LANES + n`, so that a loop over lanes reads
what lies together. Every loop does the same for every lane and every number: nothing branches
on a value.

Limbs of a product or of `carried_minus` are reduced: at most 2^26 (2^25) and a little. A sum or a
difference of two reduced numbers may go into a product as it is; what is more has to be carried.
No product may be written to a slot that it reads: a loop whose slots overlap is not made a vector.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cordon.kernel.compiled import compiled

Words = NDArray[np.uint64]

LANES = 16
LIMBS = 10
SIZE = LIMBS * LANES
"""Words of a slot."""
PRIME = (1 << 255) - 19

_ALL, _SLOT = np.uint64(LANES), np.uint64(SIZE)
_1, _2, _3, _4, _5, _6, _7, _8, _9 = (np.uint64(n * LANES) for n in range(1, LIMBS))
_TWICE, _19, _38 = np.uint64(2), np.uint64(19), np.uint64(38)
_LOW32 = np.uint64(0xFFFFFFFF)
_B26, _B25 = np.uint64(26), np.uint64(25)
_M26, _M25 = np.uint64((1 << 26) - 1), np.uint64((1 << 25) - 1)
_ONE = np.uint64(1)
_WHOLE = np.uint64(0xFFFFFFFFFFFFFFFF)
_BITS = np.array([0, 26, 51, 77, 102, 128, 153, 179, 204, 230], np.uint64)
_WIDTHS = np.array([26, 25] * 5, np.uint64)
# the limbs of two and of four times 2^255 - 19, each more than a limb that is taken away
_2P0, _2P25, _2P26 = np.uint64(0x7FFFFDA), np.uint64(0x3FFFFFE), np.uint64(0x7FFFFFE)
_4P0, _4P25, _4P26 = _2P0 * _TWICE, _2P25 * _TWICE, _2P26 * _TWICE
_63, _64 = np.uint64(63), np.uint64(64)
_6BITS = np.uint64(6)


def limbs(number: int) -> list[int]:
    """The ten limbs of a number below 2^255."""
    return [number >> int(b) & ((1 << int(w)) - 1) for b, w in zip(_BITS, _WIDTHS, strict=True)]


@compiled
def _reduced(
    h0: np.uint64, h1: np.uint64, h2: np.uint64, h3: np.uint64, h4: np.uint64,
    h5: np.uint64, h6: np.uint64, h7: np.uint64, h8: np.uint64, h9: np.uint64,
) -> tuple[np.uint64, ...]:  # fmt: skip
    """The limbs of sums of products (below 2^63 each), carried in two chains at once."""
    h1 += h0 >> _B26
    h6 += h5 >> _B25
    h2 += h1 >> _B25
    h7 += h6 >> _B26
    h3 += h2 >> _B26
    h8 += h7 >> _B25
    h4 += h3 >> _B25
    h9 += h8 >> _B26
    h5 = (h5 & _M25) + (h4 >> _B26)
    h0 = (h0 & _M26) + (h9 >> _B25) * _19
    h6 = (h6 & _M26) + (h5 >> _B25)
    h1 = (h1 & _M25) + (h0 >> _B26)
    return (
        h0 & _M26, h1, h2 & _M26, h3 & _M25, h4 & _M26, h5 & _M25, h6, h7 & _M25, h8 & _M26,
        h9 & _M25,
    )  # fmt: skip


@compiled
def multiply(o: Words, f: Words, g: Words) -> None:  # noqa: PLR0915 (a product of ten limbs)
    """o = f g."""
    for n in range(_ALL):
        f0, f1, f2 = f[n] & _LOW32, f[_1 + n] & _LOW32, f[_2 + n] & _LOW32
        f3, f4, f5 = f[_3 + n] & _LOW32, f[_4 + n] & _LOW32, f[_5 + n] & _LOW32
        f6, f7, f8 = f[_6 + n] & _LOW32, f[_7 + n] & _LOW32, f[_8 + n] & _LOW32
        f9 = f[_9 + n] & _LOW32
        g0, g1, g2 = g[n] & _LOW32, g[_1 + n] & _LOW32, g[_2 + n] & _LOW32
        g3, g4, g5 = g[_3 + n] & _LOW32, g[_4 + n] & _LOW32, g[_5 + n] & _LOW32
        g6, g7, g8 = g[_6 + n] & _LOW32, g[_7 + n] & _LOW32, g[_8 + n] & _LOW32
        g9 = g[_9 + n] & _LOW32
        # both fit 32 bits, and are told so: a product of such is one instruction for four lanes
        f1_2, f3_2, f5_2 = (f1 * _TWICE) & _LOW32, (f3 * _TWICE) & _LOW32, (f5 * _TWICE) & _LOW32
        f7_2, f9_2 = (f7 * _TWICE) & _LOW32, (f9 * _TWICE) & _LOW32
        g1_19, g2_19, g3_19 = (g1 * _19) & _LOW32, (g2 * _19) & _LOW32, (g3 * _19) & _LOW32
        g4_19, g5_19, g6_19 = (g4 * _19) & _LOW32, (g5 * _19) & _LOW32, (g6 * _19) & _LOW32
        g7_19, g8_19, g9_19 = (g7 * _19) & _LOW32, (g8 * _19) & _LOW32, (g9 * _19) & _LOW32
        h0 = f0 * g0
        h1 = f0 * g1
        h2 = f0 * g2
        h3 = f0 * g3
        h4 = f0 * g4
        h5 = f0 * g5
        h6 = f0 * g6
        h7 = f0 * g7
        h8 = f0 * g8
        h9 = f0 * g9
        h1 += f1 * g0
        h2 += f1_2 * g1
        h3 += f1 * g2
        h4 += f1_2 * g3
        h5 += f1 * g4
        h6 += f1_2 * g5
        h7 += f1 * g6
        h8 += f1_2 * g7
        h9 += f1 * g8
        h0 += f1_2 * g9_19
        h2 += f2 * g0
        h3 += f2 * g1
        h4 += f2 * g2
        h5 += f2 * g3
        h6 += f2 * g4
        h7 += f2 * g5
        h8 += f2 * g6
        h9 += f2 * g7
        h0 += f2 * g8_19
        h1 += f2 * g9_19
        h3 += f3 * g0
        h4 += f3_2 * g1
        h5 += f3 * g2
        h6 += f3_2 * g3
        h7 += f3 * g4
        h8 += f3_2 * g5
        h9 += f3 * g6
        h0 += f3_2 * g7_19
        h1 += f3 * g8_19
        h2 += f3_2 * g9_19
        h4 += f4 * g0
        h5 += f4 * g1
        h6 += f4 * g2
        h7 += f4 * g3
        h8 += f4 * g4
        h9 += f4 * g5
        h0 += f4 * g6_19
        h1 += f4 * g7_19
        h2 += f4 * g8_19
        h3 += f4 * g9_19
        h5 += f5 * g0
        h6 += f5_2 * g1
        h7 += f5 * g2
        h8 += f5_2 * g3
        h9 += f5 * g4
        h0 += f5_2 * g5_19
        h1 += f5 * g6_19
        h2 += f5_2 * g7_19
        h3 += f5 * g8_19
        h4 += f5_2 * g9_19
        h6 += f6 * g0
        h7 += f6 * g1
        h8 += f6 * g2
        h9 += f6 * g3
        h0 += f6 * g4_19
        h1 += f6 * g5_19
        h2 += f6 * g6_19
        h3 += f6 * g7_19
        h4 += f6 * g8_19
        h5 += f6 * g9_19
        h7 += f7 * g0
        h8 += f7_2 * g1
        h9 += f7 * g2
        h0 += f7_2 * g3_19
        h1 += f7 * g4_19
        h2 += f7_2 * g5_19
        h3 += f7 * g6_19
        h4 += f7_2 * g7_19
        h5 += f7 * g8_19
        h6 += f7_2 * g9_19
        h8 += f8 * g0
        h9 += f8 * g1
        h0 += f8 * g2_19
        h1 += f8 * g3_19
        h2 += f8 * g4_19
        h3 += f8 * g5_19
        h4 += f8 * g6_19
        h5 += f8 * g7_19
        h6 += f8 * g8_19
        h7 += f8 * g9_19
        h9 += f9 * g0
        h0 += f9_2 * g1_19
        h1 += f9 * g2_19
        h2 += f9_2 * g3_19
        h3 += f9 * g4_19
        h4 += f9_2 * g5_19
        h5 += f9 * g6_19
        h6 += f9_2 * g7_19
        h7 += f9 * g8_19
        h8 += f9_2 * g9_19
        (
            o[n], o[_1 + n], o[_2 + n], o[_3 + n], o[_4 + n], o[_5 + n], o[_6 + n], o[_7 + n],
            o[_8 + n], o[_9 + n],
        ) = _reduced(h0, h1, h2, h3, h4, h5, h6, h7, h8, h9)  # fmt: skip


@compiled
def square(o: Words, f: Words) -> None:  # noqa: PLR0915 (as `multiply`)
    """o = f^2."""
    for n in range(_ALL):
        f0, f1, f2 = f[n] & _LOW32, f[_1 + n] & _LOW32, f[_2 + n] & _LOW32
        f3, f4, f5 = f[_3 + n] & _LOW32, f[_4 + n] & _LOW32, f[_5 + n] & _LOW32
        f6, f7, f8 = f[_6 + n] & _LOW32, f[_7 + n] & _LOW32, f[_8 + n] & _LOW32
        f9 = f[_9 + n] & _LOW32
        f0_2, f1_2, f2_2 = (f0 * _TWICE) & _LOW32, (f1 * _TWICE) & _LOW32, (f2 * _TWICE) & _LOW32
        f3_2, f4_2, f5_2 = (f3 * _TWICE) & _LOW32, (f4 * _TWICE) & _LOW32, (f5 * _TWICE) & _LOW32
        f6_2, f7_2 = (f6 * _TWICE) & _LOW32, (f7 * _TWICE) & _LOW32
        f6_19, f8_19 = (f6 * _19) & _LOW32, (f8 * _19) & _LOW32
        f5_38, f7_38, f9_38 = (f5 * _38) & _LOW32, (f7 * _38) & _LOW32, (f9 * _38) & _LOW32
        h0 = f0 * f0
        h1 = f0_2 * f1
        h2 = f0_2 * f2
        h3 = f0_2 * f3
        h4 = f0_2 * f4
        h5 = f0_2 * f5
        h6 = f0_2 * f6
        h7 = f0_2 * f7
        h8 = f0_2 * f8
        h9 = f0_2 * f9
        h2 += f1_2 * f1
        h3 += f1_2 * f2
        h4 += f1_2 * f3_2
        h5 += f1_2 * f4
        h6 += f1_2 * f5_2
        h7 += f1_2 * f6
        h8 += f1_2 * f7_2
        h9 += f1_2 * f8
        h0 += f1_2 * f9_38
        h4 += f2 * f2
        h5 += f2_2 * f3
        h6 += f2_2 * f4
        h7 += f2_2 * f5
        h8 += f2_2 * f6
        h9 += f2_2 * f7
        h0 += f2_2 * f8_19
        h1 += f2 * f9_38
        h6 += f3_2 * f3
        h7 += f3_2 * f4
        h8 += f3_2 * f5_2
        h9 += f3_2 * f6
        h0 += f3_2 * f7_38
        h1 += f3_2 * f8_19
        h2 += f3_2 * f9_38
        h8 += f4 * f4
        h9 += f4_2 * f5
        h0 += f4_2 * f6_19
        h1 += f4 * f7_38
        h2 += f4_2 * f8_19
        h3 += f4 * f9_38
        h0 += f5 * f5_38
        h1 += f5_2 * f6_19
        h2 += f5_2 * f7_38
        h3 += f5_2 * f8_19
        h4 += f5_2 * f9_38
        h2 += f6 * f6_19
        h3 += f6 * f7_38
        h4 += f6_2 * f8_19
        h5 += f6 * f9_38
        h4 += f7 * f7_38
        h5 += f7_2 * f8_19
        h6 += f7_2 * f9_38
        h6 += f8 * f8_19
        h7 += f8 * f9_38
        h8 += f9 * f9_38
        (
            o[n], o[_1 + n], o[_2 + n], o[_3 + n], o[_4 + n], o[_5 + n], o[_6 + n], o[_7 + n],
            o[_8 + n], o[_9 + n],
        ) = _reduced(h0, h1, h2, h3, h4, h5, h6, h7, h8, h9)  # fmt: skip


@compiled
def plus(o: Words, f: Words, g: Words) -> None:
    """o = f + g, not reduced."""
    for n in range(_SLOT):
        o[n] = f[n] + g[n]


@compiled
def minus(o: Words, f: Words, g: Words) -> None:
    """o = f - g for a reduced g; not reduced."""
    for n in range(_ALL):
        o[n] = f[n] + _2P0 - g[n]
        o[_1 + n] = f[_1 + n] + _2P25 - g[_1 + n]
        o[_2 + n] = f[_2 + n] + _2P26 - g[_2 + n]
        o[_3 + n] = f[_3 + n] + _2P25 - g[_3 + n]
        o[_4 + n] = f[_4 + n] + _2P26 - g[_4 + n]
        o[_5 + n] = f[_5 + n] + _2P25 - g[_5 + n]
        o[_6 + n] = f[_6 + n] + _2P26 - g[_6 + n]
        o[_7 + n] = f[_7 + n] + _2P25 - g[_7 + n]
        o[_8 + n] = f[_8 + n] + _2P26 - g[_8 + n]
        o[_9 + n] = f[_9 + n] + _2P25 - g[_9 + n]


@compiled
def carried_minus(o: Words, f: Words, g: Words) -> None:
    """o = f - g, reduced; f and g may be sums or differences."""
    for n in range(_ALL):
        h0 = f[n] + _4P0 - g[n]
        h1 = f[_1 + n] + _4P25 - g[_1 + n]
        h2 = f[_2 + n] + _4P26 - g[_2 + n]
        h3 = f[_3 + n] + _4P25 - g[_3 + n]
        h4 = f[_4 + n] + _4P26 - g[_4 + n]
        h5 = f[_5 + n] + _4P25 - g[_5 + n]
        h6 = f[_6 + n] + _4P26 - g[_6 + n]
        h7 = f[_7 + n] + _4P25 - g[_7 + n]
        h8 = f[_8 + n] + _4P26 - g[_8 + n]
        h9 = f[_9 + n] + _4P25 - g[_9 + n]
        (
            o[n], o[_1 + n], o[_2 + n], o[_3 + n], o[_4 + n], o[_5 + n], o[_6 + n], o[_7 + n],
            o[_8 + n], o[_9 + n],
        ) = _reduced(h0, h1, h2, h3, h4, h5, h6, h7, h8, h9)  # fmt: skip


@compiled
def canonical(o: Words, f: Words) -> None:
    """o = f, reduced, as the one number below 2^255 - 19."""
    for n in range(_ALL):
        h0, h1, h2 = f[n] & _LOW32, f[_1 + n] & _LOW32, f[_2 + n] & _LOW32
        h3, h4, h5 = f[_3 + n] & _LOW32, f[_4 + n] & _LOW32, f[_5 + n] & _LOW32
        h6, h7, h8 = f[_6 + n] & _LOW32, f[_7 + n] & _LOW32, f[_8 + n] & _LOW32
        h9 = f[_9 + n] & _LOW32
        # the limbs' little more is carried; then 19 is added where that passes 2^255, and dropped
        for _ in range(2):
            h1, h0 = h1 + (h0 >> _B26), h0 & _M26
            h2, h1 = h2 + (h1 >> _B25), h1 & _M25
            h3, h2 = h3 + (h2 >> _B26), h2 & _M26
            h4, h3 = h4 + (h3 >> _B25), h3 & _M25
            h5, h4 = h5 + (h4 >> _B26), h4 & _M26
            h6, h5 = h6 + (h5 >> _B25), h5 & _M25
            h7, h6 = h7 + (h6 >> _B26), h6 & _M26
            h8, h7 = h8 + (h7 >> _B25), h7 & _M25
            h9, h8 = h9 + (h8 >> _B26), h8 & _M26
            h0, h9 = h0 + (h9 >> _B25) * _19, h9 & _M25
        q = (h0 + _19) >> _B26
        q = (h1 + q) >> _B25
        q = (h2 + q) >> _B26
        q = (h3 + q) >> _B25
        q = (h4 + q) >> _B26
        q = (h5 + q) >> _B25
        q = (h6 + q) >> _B26
        q = (h7 + q) >> _B25
        q = (h8 + q) >> _B26
        q = (h9 + q) >> _B25
        h0 += q * _19
        h1, h0 = h1 + (h0 >> _B26), h0 & _M26
        h2, h1 = h2 + (h1 >> _B25), h1 & _M25
        h3, h2 = h3 + (h2 >> _B26), h2 & _M26
        h4, h3 = h4 + (h3 >> _B25), h3 & _M25
        h5, h4 = h5 + (h4 >> _B26), h4 & _M26
        h6, h5 = h6 + (h5 >> _B25), h5 & _M25
        h7, h6 = h7 + (h6 >> _B26), h6 & _M26
        h8, h7 = h8 + (h7 >> _B25), h7 & _M25
        h9, h8 = h9 + (h8 >> _B26), h8 & _M26
        o[n] = h0
        o[_1 + n] = h1
        o[_2 + n] = h2
        o[_3 + n] = h3
        o[_4 + n] = h4
        o[_5 + n] = h5
        o[_6 + n] = h6
        o[_7 + n] = h7
        o[_8 + n] = h8
        o[_9 + n] = h9 & _M25


@compiled
def choose(o: Words, yes: Words, no: Words, where: Words) -> None:
    """o = yes in the lanes whose word of `where` is all ones, no where it is zero."""
    for n in range(_ALL):
        mask = where[n]
        o[n] = no[n] ^ (mask & (yes[n] ^ no[n]))
        o[_1 + n] = no[_1 + n] ^ (mask & (yes[_1 + n] ^ no[_1 + n]))
        o[_2 + n] = no[_2 + n] ^ (mask & (yes[_2 + n] ^ no[_2 + n]))
        o[_3 + n] = no[_3 + n] ^ (mask & (yes[_3 + n] ^ no[_3 + n]))
        o[_4 + n] = no[_4 + n] ^ (mask & (yes[_4 + n] ^ no[_4 + n]))
        o[_5 + n] = no[_5 + n] ^ (mask & (yes[_5 + n] ^ no[_5 + n]))
        o[_6 + n] = no[_6 + n] ^ (mask & (yes[_6 + n] ^ no[_6 + n]))
        o[_7 + n] = no[_7 + n] ^ (mask & (yes[_7 + n] ^ no[_7 + n]))
        o[_8 + n] = no[_8 + n] ^ (mask & (yes[_8 + n] ^ no[_8 + n]))
        o[_9 + n] = no[_9 + n] ^ (mask & (yes[_9 + n] ^ no[_9 + n]))


@compiled
def same(f: Words, g: Words, where: Words) -> None:
    """Which lanes of two canonical slots are one number: all ones there, else zero."""
    for n in range(_ALL):
        other = np.uint64(0)
        for i in range(np.uint64(LIMBS)):
            other |= f[i * _ALL + n] ^ g[i * _ALL + n]
        where[n] = _WHOLE if other == np.uint64(0) else np.uint64(0)


@compiled
def negative(f: Words, where: Words) -> None:
    """Which lanes of a canonical slot are odd, as `same` tells it."""
    for n in range(_ALL):
        where[n] = np.uint64(0) - (f[n] & np.uint64(1))


@compiled
def load(o: Words, lane: np.uint64, words: NDArray[np.uint64]) -> None:
    """Put a number of four words of 64 bits, the least first, into a lane; bit 255 is dropped."""
    for i in range(np.uint64(LIMBS)):
        at, by = _BITS[i] >> _6BITS, _BITS[i] & _63
        found = words[at] >> by
        if by + _WIDTHS[i] > _64:
            found |= words[at + _ONE] << (_64 - by)
        o[i * _ALL + lane] = np.uint64(found & ((_ONE << _WIDTHS[i]) - _ONE))


@compiled
def store(f: Words, lane: np.uint64, words: NDArray[np.uint64]) -> None:
    """The four words of a lane of a canonical slot."""
    words[:] = 0
    for i in range(np.uint64(LIMBS)):
        at, by, limb = _BITS[i] >> _6BITS, _BITS[i] & _63, np.uint64(f[i * _ALL + lane])
        words[at] |= limb << by
        if by + _WIDTHS[i] > _64:
            words[at + _ONE] |= limb >> (_64 - by)
