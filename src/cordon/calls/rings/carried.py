"""SIM boxes that are carried about: which of the lines that move are one box."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from cordon.calls.rings.fitting import clusters
from cordon.calls.rings.gathering import grouped
from cordon.calls.rings.uses import Uses

Ints = NDArray[np.int64]
_DAY = 86_400_000_000
_ALIKE = 0.5  # overlap of where two are, day by day
_PLACES = 3  # of these that say it: cells on days


def carried(members: Ints, uses: Uses) -> list[Ints]:
    """The lines in parts: those that share slots, or are at the same cells on the same days.

    Args:
        members: places in `uses` of lines that move and that nobody calls.
    """
    if not len(members):
        return []
    slot = clusters(members, uses)
    entries = uses.entries(members)
    of = np.repeat(slot, np.diff(uses.starts)[members])
    seen = uses.cell[entries] >= 0
    day = uses.us[entries] // _DAY
    where = (day - day.min()) * (int(uses.cell.max(initial=0)) + 1) + uses.cell[entries]
    _, column = np.unique(where[seen], return_inverse=True)
    count = int(slot.max()) + 1
    calls = sparse.coo_matrix(
        (np.ones(len(column)), (of[seen], column)), shape=(count, int(column.max(initial=0)) + 1)
    ).tocsr()
    total = np.maximum(np.asarray(calls.sum(axis=1)).ravel(), 1.0)
    root = sparse.diags(1 / np.sqrt(total)) @ calls.sqrt()
    there = calls.copy()
    there.data[:] = 1.0
    alike = (root @ root.T >= _ALIKE).multiply(there @ there.T >= _PLACES)
    part = connected_components(alike, directed=False)[1][slot]
    return [members[g] for g in grouped(part)]
