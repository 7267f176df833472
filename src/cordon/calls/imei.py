"""Handsets are the same by the first fourteen digits of an IMEI.

The fifteenth is a check digit over them, or 0 as a switch sends it, and in an IMEISV two digits
of the software's version follow (TS 23.003 §6.2): the same handset is written in three ways. What
a record says is stored as it came; what is compared is this.
"""

from __future__ import annotations

import re

_IMEI = re.compile(r"(\d{14})\d{0,2}")


def imei14(text: str | None) -> str | None:
    """The fourteen digits that name a handset; None where there are none."""
    found = _IMEI.fullmatch(text or "")
    return found[1] if found is not None else None


def imei14_sql(column: str) -> str:
    """The same as an expression over a column of digits, for DuckDB and Spark."""
    return f"substr({column}, 1, 14)"


def has_check_digit(text: str) -> bool:
    """True for fifteen digits of which the last is the check digit (TS 23.003 annex B.2)."""
    if not re.fullmatch(r"\d{15}", text):
        return False
    total = 0
    for at, digit in enumerate(map(int, text)):
        doubled = digit * 2 if at % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0
