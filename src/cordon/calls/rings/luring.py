"""Numbers that write to people who then call a ring: the lure of those who wait to be called.

A refund scam writes from SIMs that do nothing else, in a telephone or a gateway of their own, and
is called on other numbers. Nothing ties the two but the people.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cordon.calls.rings.uses import Uses
from cordon.calls.rings.weighing import beyond_chance
from cordon.calls.survey.near import WRITES, Near

Ints = NDArray[np.int64]
_SOON = 14 * 86_400_000_000  # µs after a message within which whoever was lured calls
_FEWEST, _TIMES = 3, 3.0  # such people, and times as many as chance gives
_SURE = 9.0  # nats: one in 8,100, as of a line


class Luring:
    """Numbers that write, and to whom.

    Args:
        rest: positions in `near.numbers` of numbers that are in no group. each: their uses.
        population: numbers in the calls at all.
    """

    def __init__(self, near: Near, rest: Ints, each: Uses, population: int) -> None:
        self._near, self._rest, self._population = near, rest, population
        writes = (near.why[rest] & WRITES) > 0
        kept = np.flatnonzero(writes[each.of] & each.made & ~near.voice[each.call])
        pair = each.of[kept] * len(near.numbers) + each.other[kept]
        # uses stand by time, so that the first of each pair is the first message
        pairs, first = np.unique(pair, return_index=True)
        self._of: Ints = pairs // max(len(near.numbers), 1)
        self._to: Ints = pairs % max(len(near.numbers), 1)
        self._at: Ints = each.us[kept][first]

    def of(self, group: Uses, members: Ints) -> Ints:
        """Those that people who call these lines were written to by, as positions in the list.

        Args:
            group: uses of all lines. members: places in it.
        """
        if not len(self._of):
            return self._of
        entries = group.entries(members)
        entries = entries[~group.made[entries] & self._near.voice[group.call[entries]]]
        never = np.iinfo(np.int64).max
        called = np.full(len(self._near.numbers), never)
        np.minimum.at(called, group.other[entries], group.us[entries])
        callers = int((called != never).sum())
        called = called[self._to]
        after = (called > self._at) & (called - self._at <= _SOON)
        written = np.bincount(self._of, minlength=len(self._rest))
        came = np.bincount(self._of, after, minlength=len(self._rest))
        by_chance = written * callers / max(self._population, 1)
        asked = np.flatnonzero((came >= _FEWEST) & (came >= _TIMES * by_chance))
        sure = [beyond_chance(came[n], by_chance[n]) >= _SURE for n in asked.tolist()]
        lures: Ints = asked[np.array(sure, bool)]
        return lures
