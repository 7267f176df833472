"""How surely two groups of lines are at one place, while they grow together.

Who stands at one spot is served by the same cells in the same measure. So within one network it is
told by how alike their cells are; across networks by how many pairs lie near one another.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from cordon.calls.rings.sites import Sites

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
_ALIKE = ((0.5, 0.75, 0.8, 0.95), (0.0, 0.5, 0.6, 1.0))  # overlap of cells as a share of pairs
_FEW = 0.6  # overlap that a sample loses, times one by its calls


class Placing:
    """Where each of some groups is beside the others.

    Args:
        beside: groups × groups, with an entry for each pair that is near: 1, or less where that is
            less sure.
        own: their sites. served: the network that serves most of each, -1 where none is known.
        overlap: Bhattacharyya overlap of their cells, for each entry of `beside`.
    """

    def __init__(
        self, beside: sparse.csr_matrix, own: Sites, served: Ints, overlap: Floats
    ) -> None:
        count = beside.shape[0]
        self._weight = np.ones(count)
        self._by_network = np.zeros((count, int(served.max(initial=-1)) + 1))
        known = np.flatnonzero(served >= 0)
        self._by_network[known, served[known]] = 1.0
        a, b = np.repeat(np.arange(count), np.diff(beside.indptr)), beside.indices
        few = _FEW / np.maximum(own.located, 1)
        alike = np.minimum(overlap + few[a] + few[b], 1.0)
        one = (served[a] == served[b]) & (served[a] >= 0)
        self.columns: Floats = np.stack([beside.data, np.where(one, alike, 0.0)], axis=1)
        """Of each entry what is to be summed over the pairs of two groups."""

    def share(self, a: int, others: Ints, sums: Floats) -> Floats:
        """Share of the pairs of group `a` and each of the others that are at one place.

        Args:
            sums: of `columns`, over the entries between them.
        """
        pairs = self._by_network[others] @ self._by_network[a]
        alike = np.interp(sums[:, 1] / np.maximum(pairs, 1.0), *_ALIKE)
        near = sums[:, 0] / (self._weight[a] * self._weight[others])
        return np.asarray(np.where(pairs > 0, alike, near))

    def merge(self, a: int, b: int) -> None:
        """Add group b to group a."""
        self._weight[a] += self._weight[b]
        self._by_network[a] += self._by_network[b]
