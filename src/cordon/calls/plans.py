"""Whose numbering plan a statement's numbers in national form are of.

An operator's layout names its country. A statement of another country's operator that writes
alike is told by whom it is of: an operator's own subscribers are of its own country.
"""

from __future__ import annotations

from collections import Counter

import phonenumbers
import pyarrow as pa
import pyarrow.compute as pc

from cordon.calls.numbers import of_another

_WHOLE = r"^([\s'\"=+]*[0-9]+)(?:\.0+|,0)$"  # as `numbers` reads it
_MOST = 1_000  # different numbers that are looked at


class Plans:
    """Country codes of a statement's own subscribers, where they are written with one."""

    def __init__(self) -> None:
        self._seen: set[str] = set()
        self._codes: Counter[int] = Counter()

    def look(self, column: pa.ChunkedArray) -> None:
        """Look at the numbers of some rows."""
        if len(self._seen) >= _MOST:
            return
        whole = pc.replace_substring_regex(column.unique(), _WHOLE, r"\1")
        bare = pc.replace_substring_regex(whole, r"^[\s'\"=]*(\+|00)?|\D", "")
        fresh = [v for v in dict.fromkeys(bare.to_pylist()) if v and v not in self._seen]
        for digits in fresh[: _MOST - len(self._seen)]:
            self._seen.add(digits)
            found = of_another(digits)
            if found is not None:
                self._codes[found.country_code or 0] += 1

    def told(self, layouts: str, readers: str) -> str:
        """The region of the numbers in national form.

        Args:
            layouts: region that the layout names. readers: of whoever reads the file.
        """
        own, other = (phonenumbers.country_code_for_region(r) for r in (layouts, readers))
        return readers if self._codes[other] and not self._codes[own] else layouts
