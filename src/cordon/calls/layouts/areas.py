"""A cell that stands in two columns, its area (LAC, TAC) and its own number (CI, ECI), as one.

What comes out is compared by `cellids`: `MCC-MNC-LAC-CI` or, of a number that is beyond sixteen
bits and so is an ECI (TS 23.003 §19.6), `MCC-MNC-ECI`; without a network `LAC-CI`, a name.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

_NUMBER = r"^[0-9A-Fa-f]{1,9}$"
_AREA = r"^(?:\d{3}-?\d{2,3}-)?[0-9A-Fa-f]{1,5}$"  # or a location area's identity, network and all
_NAMED = r"^\d{3}-?\d{2,3}-"
_ECI = r"^0*[1-9A-Fa-f][0-9A-Fa-f]{5,8}$"  # one of five digits may be of either kind


def joined(area: pa.Array, cell: pa.Array, network: str) -> pa.Array:
    """Cells with their areas; as they stand where the cell is a whole identity or no number.

    Args:
        network: `MCC-MNC` that areas are of where they name none; empty where nobody said it.
    """
    fits = pc.and_(_matches(area, _AREA), _matches(cell, _NUMBER))
    if network:
        named = _matches(area, _NAMED)
        area = pc.if_else(named, area, pc.binary_join_element_wise(network, area, "-"))
    whole = pc.binary_join_element_wise(area, cell, "-")
    eci = pc.and_(_matches(cell, _ECI), _matches(area, _NAMED))
    of_network = pc.replace_substring_regex(area, r"-[^-]*$", "")
    whole = pc.if_else(eci, pc.binary_join_element_wise(of_network, cell, "-"), whole)
    return pc.if_else(fits, whole, cell)


def joined_cells(table: pa.Table, names: Sequence[str], network: str) -> pa.ChunkedArray:
    """A table's column of cells, joined with that of their areas where two are named."""
    cell, *area = (pc.utf8_trim(table[n], characters="'\" =") for n in names)
    return joined(area[0], cell, network) if area else table[names[0]]


def _matches(column: pa.Array, pattern: str) -> pa.Array:
    return pc.fill_null(pc.match_substring_regex(column, pattern), False)
