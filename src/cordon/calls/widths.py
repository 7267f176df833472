"""How many values a row may have, whatever its header has: what is empty at its end says nothing.

A comma at the end of some rows or of the header, or the commas with which a spreadsheet makes all
lines equally wide, shift nothing. A value that stands beyond the header has no name; most often a
comma inside another value pushed it there, so that all between stand under wrong names.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cordon.calls.layouts.recognise import split

NO_VALUE = ("", "null", "NULL", "None", "nan", "NaN", "N/A", "\\N")
"""What a value of a text file says nothing by."""

_LOOK_BYTES, _LOOK_ROWS = 1 << 16, 50  # of a block, in which it is looked how wide most rows are
_MANY = 10  # rows of a width that say more than the header, and how many of them make it one in


def is_whole(values: Sequence[str], header: Sequence[str]) -> bool:
    """True where a row lacks no column that has a name, and says nothing beyond the header.

    Args:
        header: names of columns as `statements.once` gives them: `#4` for one without a name.
    """
    if len(values) == len(header):
        return True
    least = len(header)
    while least and header[least - 1] in ("", f"#{least - 1}"):
        least -= 1
    return len(values) >= least and not any(
        v.strip() not in NO_VALUE for v in values[len(header) :]
    )


def usual(block: bytes, header: Sequence[str], sign: str) -> list[str]:
    """The header, with as many columns without a name at its end as most of the first rows have."""
    lines = block[:_LOOK_BYTES].split(b"\n", _LOOK_ROWS)[:-1] or [block]
    rows = [split(line, sign) for line in lines if line.strip()]
    most = Counter(len(r) for r in rows if is_whole(r, header)).most_common(1)
    width = most[0][0] if most else len(header)
    return [*header[:width], *(f"#{at}" for at in range(len(header), width))]


def says_more(beyond: pa.Table) -> NDArray[np.bool_]:
    """Which rows of one width have a value beyond the header.

    Where many have, the others lack only the last one: all of them are wide by a comma inside a
    value, and none is whole.
    """
    found = np.zeros(len(beyond), bool)
    for column in beyond.columns:
        says = pc.greater(pc.binary_length(pc.ascii_trim_whitespace(column)), 0)
        found |= np.asarray(pc.fill_null(says, False).to_numpy(), bool)
    return np.ones(len(beyond), bool) if _many(int(found.sum()), len(beyond)) else found


def brought(
    odd: Mapping[int, str], header: Sequence[str], width: int, sign: str
) -> tuple[dict[int, str], dict[int, int]]:
    """Whole rows as lines of one width, and how many values those have that are not whole.

    Args:
        odd: the text of rows of other widths, by their index.
    """
    whole: dict[int, list[str]] = {}
    wrong: dict[int, int] = {}
    for at, text in odd.items():
        values = split(text.encode(), sign) if '"' in text else text.split(sign)
        if is_whole(values, header):
            whole[at] = values
        else:
            wrong[at] = len(values)
    wide = Counter(n for n in wrong.values() if n > len(header))
    widths = Counter(len(values) for values in whole.values()) + wide
    not_whole = {n for n, times in wide.items() if _many(times, widths[n])}
    lines = {}
    for at, values in whole.items():
        if len(values) in not_whole:
            wrong[at] = len(values)
        else:
            lines[at] = _line([*values[:width], *[""] * (width - len(values))], sign)
    return lines, wrong


def _many(some: int, of: int) -> bool:
    """True where some rows are too many for a slip in one or two."""
    return some >= _MANY and some * _MANY >= of


def _line(values: Sequence[str], sign: str) -> str:
    plain = sign.join(values)
    if '"' not in plain and plain.count(sign) == len(values) - 1:
        return plain + "\n"
    out = io.StringIO()
    csv.writer(out, delimiter=sign, lineterminator="\n").writerow(values)
    return out.getvalue()
