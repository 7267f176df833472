"""Lines and rows of a file that are no records: totals, balances, what a system prints below."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cordon.calls import tabular
from cordon.money.layouts.mapping import BlockRows


class Furniture:
    """Tells what is no record by the words that it begins with.

    A row that can be taken as a payment is one, whatever it says: “Total” sells petrol. It is left
    out only where its note says nothing else than such a word.

    Args:
        begins: those words, in lower case.
    """

    def __init__(self, begins: Sequence[str]) -> None:
        words = "|".join(re.escape(w) for w in sorted(begins, key=len, reverse=True)) or "(?!)"
        self._begins = re.compile(rf"[\W_]*(?:{words})s?(?!\w)", re.IGNORECASE)
        self._alone = {*begins}

    def is_line(self, line: bytes) -> bool:
        """True for a line that has not the columns of a row, and begins so."""
        text = line.decode(errors="replace")
        return self._begins.match(text) is not None or tabular.is_furniture(text)

    def of_rows(
        self, rows: BlockRows, notes: pa.Array | None, taken: NDArray[np.bool_]
    ) -> NDArray[np.bool_]:
        """Which rows are left out: refused ones that begin so, and those that say no more.

        Args:
            notes: of the rows, where they have any. taken: which rows can be.
        """
        left = np.zeros(len(taken), bool)
        for at in np.flatnonzero(~taken):
            left[at] = any(self._begins.match(value) for value in rows.begins(int(at)))
        if notes is not None and self._alone:
            bare = pc.utf8_lower(pc.utf8_trim(notes, characters=" .:*-=_"))
            alone = pc.is_in(bare, pa.array(sorted(self._alone), pa.string()))
            left |= np.asarray(pc.fill_null(alone, False).to_numpy(zero_copy_only=False), bool)
        return left
