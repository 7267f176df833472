"""Each call of a chosen number as its own: by which handset, from which cell, with whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cordon.calls.survey.near import Near

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Uses:
    """One entry a call and chosen end, ordered by number and time.

    Attributes:
        of: position in the list of chosen numbers. call: position of the call in `Near`.
        made: True where the number made the call. other: position of the other in `Near.numbers`.
        imsi, imei, cell: the number's own, -1 where not recorded. us: start (µs).
        starts: where each chosen number's entries begin, one more than there are numbers.
    """

    of: Ints
    call: Ints
    made: NDArray[np.bool_]
    other: Ints
    imsi: Ints
    imei: Ints
    cell: Ints
    us: Ints
    starts: Ints

    def span(self, number: int) -> slice:
        """Entries of one chosen number."""
        return slice(int(self.starts[number]), int(self.starts[number + 1]))

    def entries(self, numbers: Ints) -> Ints:
        """Positions of all entries of some chosen numbers, one number after the other."""
        return np.concatenate([np.arange(self.starts[n], self.starts[n + 1]) for n in numbers])


def uses(near: Near, at: Ints) -> Uses:
    """The uses of numbers by their positions in `Near.numbers`."""
    # loads what is compiled, which a page that draws a ring does without
    from cordon.calls.rings.merging import both_ways, of_either

    of, call, made = both_ways(at, *near.made, *near.taken)
    other, imsi, imei, cell = (
        of_either(call, made, one, two)
        for one, two in (
            (near.callee, near.caller),
            (near.caller_imsi, near.callee_imsi),
            (near.caller_imei, near.callee_imei),
            (near.caller_cell, near.callee_cell),
        )
    )
    starts = np.searchsorted(of, np.arange(len(at) + 1))
    return Uses(of, call, made, other, imsi, imei, cell, near.us[call], starts)


def twins(imeis: Sequence[str]) -> NDArray[np.bool_]:
    """For each handset identity, whether the next one is that of the same telephone's other slot.

    Two that follow one another, and no third: longer runs are a lot of telephones, or a register
    in which somebody counted.

    Args:
        imeis: of fourteen digits each, ascending (`Near.imeis`).
    """
    number = np.array([int(i) if i.isascii() and i.isdigit() else -1 for i in imeis], np.int64)
    follows = np.concatenate([[False], np.diff(number) == 1, [False, False]])[: len(imeis) + 2]
    before, own, after = follows[:-2], follows[1:-1], follows[2:]
    return np.asarray(own & ~before & ~after)


def regrouped(each: Uses, kept: Ints, of: Ints, count: int) -> Uses:
    """Some of the uses, of other things than numbers.

    Args:
        kept: their positions, so that `of[kept]` ascends. of: for each use, from 0 to `count`.
    """
    return Uses(
        of[kept],
        each.call[kept],
        each.made[kept],
        each.other[kept],
        each.imsi[kept],
        each.imei[kept],
        each.cell[kept],
        each.us[kept],
        np.searchsorted(of[kept], np.arange(count + 1)),
    )
