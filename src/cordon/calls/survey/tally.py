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


@compiled
def count(
    lines: Ints,
    ends: NDArray[np.int32],
    us: Ints,
    what: NDArray[np.uint8],
    slots: NDArray[np.uint8],
) -> None:
    """Add calls of numbers that are whole numbers already: line n is that of number n.

    Args:
        lines: as many as there are numbers; KEY and PLACE are not told.
        ends: caller and callee (calls, 2); a call of -1 is passed over.
        us: µs. what: bits. slots: of each number, which bit stands for it among those met.
    """
    for i in range(len(ends)):
        a, b = ends[i, 0], ends[i, 1]
        if a < 0:
            continue
        told = np.int64(what[i])
        voice = told & VOICE
        many = (np.int64(1) << 32) | voice
        lines[a, MADE] += many
        lines[a, MET] |= voice << np.int64(slots[b])
        lines[a, FIRST] = min(lines[a, FIRST], us[i])
        lines[a, LAST] = max(lines[a, LAST], us[i])
        lines[b, TAKEN] += many
        lines[b, HEARD] |= voice << np.int64(slots[a])
        if told & ANSWERED:
            lines[b, FIRST] = min(lines[b, FIRST], us[i])
            lines[b, LAST] = max(lines[b, LAST], us[i])


def wider(lines: Ints, count: int) -> Ints:
    """The lines of `count`, and room for at least so many; what is new has counted nothing."""
    if len(lines) >= count:
        return lines
    wide = np.zeros((max(count, 2 * len(lines)), 8), np.int64)
    wide[:, FIRST], wide[:, LAST] = NEVER, -NEVER
    wide[: len(lines)] = lines
    return wide


def added(lines: Ints, more: Ints, at: NDArray[np.int32]) -> None:
    """Add other lines of `count` to these.

    Args:
        at: which of these each of the others belongs to, none twice.
    """
    for n in (MADE, TAKEN):
        lines[at, n] += more[:, n]
    for n in (MET, HEARD):
        lines[at, n] |= more[:, n]
    lines[at, FIRST] = np.minimum(lines[at, FIRST], more[:, FIRST])
    lines[at, LAST] = np.maximum(lines[at, LAST], more[:, LAST])


@compiled
def again(
    slots: NDArray[np.int32],
    us: Ints,
    ends: NDArray[np.int32],
    told: Ints,
    begin: int,
    end: int,
    repeated: NDArray[np.bool_],
) -> None:
    """Which calls from `begin` to `end` are the same in each part as one before.

    Args:
        slots: of the calls before; a power of two, more than there are calls.
        us, ends: of all calls so far. told: what else makes two of them the same.
        repeated: one a call from `begin` on, written here.
    """
    last = len(slots) - 1
    for i in range(begin, end):
        repeated[i - begin] = False
        if ends[i, 0] < 0:
            continue
        both = np.uint64(ends[i, 0]) << np.uint64(32) | np.uint64(ends[i, 1])
        mixed = (np.uint64(us[i]) ^ both * _MIX) * _MIX
        p = np.int64(mixed >> _TURN) & last
        while slots[p] != 0:
            j = slots[p] - 1
            if (
                us[j] == us[i]
                and ends[j, 0] == ends[i, 0]
                and ends[j, 1] == ends[i, 1]
                and told[j] == told[i]
            ):
                repeated[i - begin] = True
                break
            p = (p + 1) & last
        if slots[p] == 0:
            slots[p] = i + 1
