"""Counts of everybody in one walk over the calls, compiled: a table of one line a number.

A line holds eight whole numbers, which is what a processor fetches at once: a pass over millions
of calls costs what it costs to reach two lines a call.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cordon.kernel.compiled import compiled

Ints = NDArray[np.int64]
Keys = NDArray[np.uint64]

KEY, MADE, MET, TAKEN, HEARD, FIRST, LAST, PLACE = range(8)
"""What stands in a line: the number's hash; calls and messages made, times 2^32, and calls among
them; bits of those called; the same three of what it was called by; µs of the first and last call
or message made or call answered; its place in the order of first sight, from 1 (0: no number)."""

VOICE, ANSWERED, NONE = 1, 2, 4
"""What is told of a call, as bits; NONE where its kind is none."""

NEVER = 1 << 62
_SLOTS, _NEXT, _TURN = np.uint64(63), np.uint64(1), np.uint64(32)
_MIX = np.uint64(0x9E3779B97F4A7C15)


def empty(lines: int = 1 << 12) -> Ints:
    """A table without numbers; `lines` is a power of two."""
    return np.zeros((lines, 8), np.int64)


@compiled
def walk(
    lines: Ints,
    held: int,
    a: Keys,
    b: Keys,
    us: Ints,
    what: NDArray[np.uint8],
    new: Ints,
    ends: NDArray[np.int32],
) -> tuple[Ints, int, int]:
    """Add calls to the lines.

    Args:
        held: how many of the lines are not empty.
        a, b: hashes of caller and callee. us: µs. what: bits.
        new: room for two entries a call: the place of a call in which a number stood for the
            first time.
        ends: room for the places of caller and callee of each call, from 0.

    Returns:
        The lines, which are others where there was no room; how many are held; how many are new.
    """
    found = 0
    last = np.uint64(len(lines) - 1)
    room = len(lines) // 2 - 2
    for i in range(len(a)):
        if held > room:
            lines = _grown(lines)
            last = np.uint64(len(lines) - 1)
            room = len(lines) // 2 - 2
        told = np.int64(what[i])
        voice = told & VOICE
        count = (np.int64(1) << 32) | voice
        p, fresh = _line(lines, a[i], last, held)
        if fresh:
            held += 1
            new[found] = i
            found += 1
        ends[i, 0] = lines[p, PLACE] - 1
        lines[p, MADE] += count
        lines[p, MET] |= voice << np.int64(b[i] % _SLOTS)
        lines[p, FIRST] = min(lines[p, FIRST], us[i])
        lines[p, LAST] = max(lines[p, LAST], us[i])
        p, fresh = _line(lines, b[i], last, held)
        if fresh:
            held += 1
            new[found] = i
            found += 1
        ends[i, 1] = lines[p, PLACE] - 1
        lines[p, TAKEN] += count
        lines[p, HEARD] |= voice << np.int64(a[i] % _SLOTS)
        answered = told & ANSWERED
        lines[p, FIRST] = min(lines[p, FIRST], us[i] if answered else NEVER)
        lines[p, LAST] = max(lines[p, LAST], us[i] if answered else -NEVER)
    return lines, held, found


@compiled
def places(lines: Ints, keys: Keys) -> Ints:
    """The place of each key in the order of first sight from 0; -1 where it was not seen."""
    last = np.uint64(len(lines) - 1)
    found = np.empty(len(keys), np.int64)
    for i in range(len(keys)):
        p = (keys[i] * _MIX >> _TURN) & last
        while lines[p, PLACE] != 0 and np.uint64(lines[p, KEY]) != keys[i]:
            p = (p + _NEXT) & last
        found[i] = lines[p, PLACE] - 1
    return found


@compiled
def _line(lines: Ints, key: np.uint64, last: np.uint64, held: int) -> tuple[np.uint64, bool]:
    """Where a key stands, and whether it does so only now."""
    p = (key * _MIX >> _TURN) & last
    while True:
        place = lines[p, PLACE]
        if place == 0:
            lines[p, PLACE] = held + 1
            lines[p, KEY] = np.int64(key)
            lines[p, FIRST] = NEVER
            lines[p, LAST] = -NEVER
            return p, True
        if np.uint64(lines[p, KEY]) == key:
            return p, False
        p = (p + _NEXT) & last


@compiled
def _grown(lines: Ints) -> Ints:
    """The same in twice as many lines."""
    wide = np.zeros((2 * len(lines), 8), np.int64)
    last = np.uint64(len(wide) - 1)
    for i in range(len(lines)):
        if lines[i, PLACE] != 0:
            p = (np.uint64(lines[i, KEY]) * _MIX >> _TURN) & last
            while wide[p, PLACE] != 0:
                p = (p + _NEXT) & last
            wide[p] = lines[i]
    return wide
