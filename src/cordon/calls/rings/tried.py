"""Which handsets SIMs work from, and in which they were only tried.

A SIM is put into a shop's handset when it is sold, and into a repairer's. That many SIMs went
through one handset there ties nobody.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cordon.calls.rings.uses import Uses

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
_MOSTLY, _THERE = 0.5, 0.02  # of a line's calls: from its own handset; from where it is
LINE = 1 << 32
"""A line and a handset as one whole number: the line times that, and the handset."""


def used(uses: Uses, entries: Ints | None = None) -> tuple[Ints, Ints]:
    """The pairs of line and handset, ascending, and the calls of each.

    Args:
        entries: those that are asked of; all where absent.
    """
    line, imei = uses.of, uses.imei
    if entries is not None:
        line, imei = line[entries], imei[entries]
    held = imei >= 0
    pair, calls = np.unique(line[held] * LINE + imei[held], return_counts=True)
    return pair, calls


def works_from(uses: Uses, pair: Ints, calls: Ints) -> Flags:
    """Whether a line works from a handset: it makes half of its calls there, or calls without
    it, too, from the cells in which it has it.

    Where no cell says where that was, or none where the line is else, it is taken to.

    Args:
        pair, calls: of all handsets of some lines, as `used` gives them.
    """
    total = np.diff(uses.starts)
    told = np.ones(len(pair), bool)
    some = np.flatnonzero(calls < _MOSTLY * total[pair >> 32])
    told[some] = _where_it_is(uses, pair[some])
    return told


def _where_it_is(uses: Uses, pair: Ints) -> Flags:
    if not len(pair):
        return np.zeros(0, bool)
    lines = np.zeros(len(uses.starts) - 1, bool)
    lines[pair >> 32] = True
    held = np.flatnonzero(lines[uses.of] & (uses.cell >= 0))
    line, cell = uses.of[held], uses.cell[held]
    size = int(cell.max(initial=0)) + 1
    there, at, calls = np.unique(line * size + cell, return_inverse=True, return_counts=True)
    key = line * LINE + uses.imei[held]
    found = np.minimum(np.searchsorted(pair, key), len(pair) - 1)
    own = (uses.imei[held] >= 0) & (pair[found] == key)
    found, at = found[own], at[own]
    # of each such call: of the line's calls without that handset, the share from the same cell
    _, both, from_it = np.unique(found * len(there) + at, return_inverse=True, return_counts=True)
    whole = np.bincount(line, minlength=len(lines))[pair >> 32]
    calls_from = np.bincount(found, minlength=len(pair))
    rest = (whole - calls_from)[found]
    share = (calls[at] - from_it[both]) / np.maximum(rest, 1)
    mean = np.bincount(found, share, minlength=len(pair)) / np.maximum(calls_from, 1)
    return np.asarray((mean >= _THERE) | (calls_from == 0) | (whole == calls_from))
