"""AIS sentences made fast enough to feed a node: class A reports of vessels that sail."""

from __future__ import annotations

from typing import Any

import numpy as np

from cordon.kernel.compiled import compiled

LENGTH = 48  # bytes of a sentence, its newline among them
_ARMOUR = np.frombuffer(
    b"0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVW`abcdefghijklmnopqrstuvw", dtype=np.uint8
).copy()
_HEX = np.frombuffer(b"0123456789ABCDEF", dtype=np.uint8).copy()
_HEAD = np.frombuffer(b"!AIVDM,1,1,,A,", dtype=np.uint8).copy()
_TAIL = np.frombuffer(b",0*", dtype=np.uint8).copy()


@compiled
def _put(bits: Any, first: int, count: int, value: int) -> None:
    for i in range(count):
        bits[first + i] = (value >> (count - 1 - i)) & 1


@compiled
def _sentences(
    mmsi: Any, lat: Any, lon: Any, speed: Any, course: Any, second: int, out: Any,
    armour: Any, hexes: Any, head: Any, tail: Any,
) -> None:  # fmt: skip
    bits = np.zeros(168, np.uint8)
    for n in range(len(mmsi)):
        _put(bits, 0, 6, 1)
        _put(bits, 6, 2, 0)
        _put(bits, 8, 30, mmsi[n])
        _put(bits, 38, 4, 0)
        _put(bits, 42, 8, 128)
        _put(bits, 50, 10, int(speed[n] * 10))
        _put(bits, 60, 1, 1)
        _put(bits, 61, 28, int(np.round(lon[n] * 600000)) & 0xFFFFFFF)
        _put(bits, 89, 27, int(np.round(lat[n] * 600000)) & 0x7FFFFFF)
        _put(bits, 116, 12, int(course[n] * 10))
        _put(bits, 128, 9, int(course[n]))
        _put(bits, 137, 6, second)
        _put(bits, 143, 25, 0)
        at = n * 48
        check = 0
        for i in range(14):
            out[at + i] = head[i]
        for k in range(28):
            six = 0
            for i in range(6):
                six = six * 2 + bits[k * 6 + i]
            out[at + 14 + k] = armour[six]
        for i in range(3):
            out[at + 42 + i] = tail[i]
        for i in range(1, 44):
            check ^= out[at + i]
        out[at + 45] = hexes[check >> 4]
        out[at + 46] = hexes[check & 15]
        out[at + 47] = 10


def sentences(
    mmsi: np.ndarray, lat: np.ndarray, lon: np.ndarray, speed: np.ndarray, course: np.ndarray,
    second: int,
) -> bytes:  # fmt: skip
    """One sentence each, with its newline: degrees, knots, and the UTC second of all."""
    out = np.empty(len(mmsi) * LENGTH, np.uint8)
    _sentences(mmsi, lat, lon, speed, course, second, out, _ARMOUR, _HEX, _HEAD, _TAIL)
    return out.tobytes()
