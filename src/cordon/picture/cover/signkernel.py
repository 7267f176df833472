"""Loops over what was heard of whom, compiled by Numba; imported where they are needed."""

# ruff: noqa: RUF046
# The floor of Numba is no whole number.
from __future__ import annotations

import math
from typing import Any

import numpy as np

from cordon.kernel.compiled import compiled

Array = Any


@compiled
def by_slot(slot: Array, first: Array, last: Array, size: int) -> Any:
    """For each of `size` slots the latest row that fell into it (-1 for none), and its ends.

    Args:
        slot: of each row. first, last: s; the least and the greatest of each slot are told.
    """
    row = np.full(size, -1, np.int64)
    begin, end = np.empty(size), np.empty(size)
    for n in range(len(slot)):
        _put(row, begin, end, slot[n], n, first[n], last[n])
    return row, begin, end


@compiled
def by_minute(
    subject: Array, source: Array, t: Array, own: Array, trip_of: Array, low: int, wide: int,
    size: int,
) -> Any:  # fmt: skip
    """As `by_slot`, of reports: a slot is a sign's code times `wide`, and the minute after `low`.

    Args:
        subject, source: codes. t: s. own, trip_of: of each subject, whether it is a unit of ours
            (which is no sign), and its code as a sign of its own or -1.
    """
    row = np.full(size, -1, np.int64)
    begin, end = np.empty(size), np.empty(size)
    for n in range(len(t)):
        minute = int(math.floor(t[n] / 60.0)) - low
        if not own[subject[n]]:
            _put(row, begin, end, source[n] * wide + minute, n, t[n], t[n])
        if trip_of[subject[n]] >= 0:
            _put(row, begin, end, trip_of[subject[n]] * wide + minute, n, t[n], t[n])
    return row, begin, end


@compiled
def _put(
    row: Array, begin: Array, end: Array, slot: int, n: int, first: float, last: float
) -> None:
    if row[slot] < 0 or first < begin[slot]:
        begin[slot] = first
    if row[slot] < 0 or last > end[slot]:
        end[slot] = last
    row[slot] = n


@compiled
def in_order(subject: Array, t: Array) -> bool:
    """Whether reports are by subject, then time."""
    for n in range(1, len(t)):
        if subject[n] < subject[n - 1] or (subject[n] == subject[n - 1] and t[n] < t[n - 1]):
            return False
    return True


@compiled
def places(
    subject: Array, source: Array, t: Array, kind: Array, meant: Array, trip_of: Array,
    signs: int, thin_s: float,
) -> tuple[Array, Array]:  # fmt: skip
    """Which reports `signs.thinned` keeps of those that are sights of others, and their signs.

    Args:
        subject, t: in order. kind: index. meant: bits of what a subject's kind is a sight of,
            (subjects, kinds). signs: how many codes there are. thin_s: s.

    Returns:
        Rows by sign, subject and time; and the sign of each.
    """
    at = np.zeros(signs + 1, np.int64)
    for n in range(len(t)):
        if meant[subject[n], kind[n]]:
            at[_sign(subject[n], source[n], trip_of) + 1] += 1
    for s in range(signs):
        at[s + 1] += at[s]
    order = np.empty(at[signs], np.int64)
    fill = at.copy()
    for n in range(len(t)):
        if meant[subject[n], kind[n]]:
            s = _sign(subject[n], source[n], trip_of)
            order[fill[s]] = n
            fill[s] += 1
    kept, sign = np.empty(len(order), np.int64), np.empty(len(order), np.int64)
    count, before = 0, 0.0
    for s in range(signs):
        for i in range(at[s], at[s + 1]):
            n = order[i]
            begins = i == at[s] or subject[order[i - 1]] != subject[n]
            ends = i == at[s + 1] - 1 or subject[order[i + 1]] != subject[n]
            slot = math.floor(t[n] / thin_s)
            if begins or ends or slot != before or t[order[i + 1]] - t[n] > thin_s:
                kept[count] = n
                sign[count] = s
                count += 1
            before = slot
    return kept[:count], sign[:count]


@compiled
def _sign(subject: int, source: int, trip_of: Array) -> int:
    trip = int(trip_of[subject])
    return trip if trip >= 0 else int(source)
