"""Amounts as a layout says that they are written: decimal, thousands, signs, digits of a script."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cordon.kernel.errors import BadInput

POINT, COMMA = ".", ","
ARABIC_DECIMAL, ARABIC_THOUSANDS = "\u066b", "\u066c"
_DECIMALS = (POINT, COMMA, ARABIC_DECIMAL)
_PARTING = (COMMA, POINT, "'", "\u2019", "_", ARABIC_THOUSANDS, "\u060c")
_SPACES = " \u00a0\u202f\u2009"  # thousands are parted by them anywhere, and they mean nothing else
_BIDI = "\u200e\u200f\u202a-\u202e\u2066-\u2069\u061c"  # marks of direction, which print as nothing
# digits of the Arabic script (U+0660…) and as Persian and Urdu have them (U+06F0…), in UTF-8
_DIGITS = tuple(
    (chr(first + n).encode(), b"%d" % n) for first in (0x0660, 0x06F0) for n in range(10)
)


@dataclass(frozen=True, slots=True)
class Writing:
    """How amounts are written.

    Attributes:
        decimal: between whole units and parts. thousands: signs between groups of digits.
        around: words beside the digits that say nothing more, as “Rs.”.
    """

    decimal: str = POINT
    thousands: tuple[str, ...] = (COMMA,)
    around: tuple[str, ...] = ()
    _groups: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        signs = {*self.thousands, ARABIC_THOUSANDS}
        object.__setattr__(self, "_groups", "[" + "".join(map(re.escape, sorted(signs))) + "]")

    @property
    def other(self) -> str:
        """The decimal sign that this writing does not have."""
        return COMMA if self.decimal == POINT else POINT

    @property
    def hint(self) -> str:
        """Why an amount of the other writing is refused."""
        names = {POINT: "point", COMMA: "comma"}
        return (
            f"its amount has a decimal {names[self.other]}, and the layout says another: "
            f"take one with `decimal: '{self.other}'`"
        )

    def looks_other(self, column: pa.Array) -> pa.Array:
        """True where an amount can only be one of the other decimal sign: `1.000,50`, `0,5`."""
        mine = re.escape(self.decimal if self.decimal in (POINT, COMMA) else COMMA)
        its = re.escape(self.other)
        parted = rf"\d{{1,3}}(?:{mine}\d{{2,3}})*{mine}\d{{3}}{its}\d*"
        short = rf"\d+{its}\d{{1,2}}"  # two places are no group of thousands
        many = rf"\d{{1,3}}(?:{mine}\d{{3}}){{2,}}"  # 1.000.000: a decimal sign stands but once
        return pc.match_substring_regex(_bare(column, self), rf"^[+-]?(?:{parted}|{short}|{many})$")

    def doubtful(self, column: pa.Array) -> pa.Array:
        """True where an amount is another by the other writing: `1.000`."""
        mine = re.escape(self.decimal)
        return pc.match_substring_regex(_bare(column, self), rf"^[+-]?\d{{1,3}}{mine}\d{{3}}$")

    def plain(self, column: pa.Array) -> pa.Array:
        """Amounts with a point and no thousands, signed; null where it is none.

        `(5.00)` and `5.00-` are below nothing, as bookkeepers write them.
        """
        text = _bare(column, self)
        mark = rf"(?:{re.escape(self.decimal)}|{ARABIC_DECIMAL})"
        grouped = rf"\d{{1,3}}(?:{self._groups}\d{{2,3}})*{self._groups}\d{{3}}"
        shape = rf"^[+-]?(?:(?:\d+|{grouped})(?:{mark}\d*)?|{mark}\d+)$"
        good = pc.match_substring_regex(text, shape)
        text = pc.replace_substring_regex(text, self._groups, "")
        text = pc.replace_substring_regex(text, mark, POINT)
        return pc.if_else(good, text, pa.scalar(None, pa.string()))


def _bare(column: pa.Array, writing: Writing) -> pa.Array:
    """The digits and signs of amounts, a minus before them."""
    text = pc.replace_substring_regex(column, f"[{_SPACES}{_BIDI}\t]", "")
    for word in writing.around:
        text = pc.replace_substring_regex(text, f"(?i)^([-+(]?){re.escape(word)}", r"\1")
        text = pc.replace_substring_regex(text, f"(?i){re.escape(word)}([-)]?)$", r"\1")
    text = pc.replace_substring(text, "\u2212", "-")
    return pc.replace_substring_regex(text, r"^(?:\((.+)\)|([^-+]+)-)$", r"-\1\2")


PLACES = 6
"""Decimal places of `in_units`."""
_HELD = rf"^[+-]?\d{{1,12}}(?:\.\d{{0,{PLACES}}})?$"


def in_units(plain: pa.Array) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Amounts of `Writing.plain` in units of the sixth decimal place, exactly.

    Returns:
        The units, 0 where there are none; and which can be held: of up to twelve digits before
        their point and six behind it.
    """
    good = pc.fill_null(pc.match_substring_regex(plain, _HELD), False)
    whole = pc.if_else(good, pc.utf8_ltrim(pc.utf8_rtrim(plain, "."), "+"), "0")
    words = np.frombuffer(whole.cast(pa.decimal128(38, PLACES)).buffers()[1], np.int64)
    return words.reshape(-1, 2)[: len(plain), 0].copy(), np.asarray(
        good.to_numpy(zero_copy_only=False), bool
    )


def latin(text: bytes) -> bytes:
    """UTF-8 text with the digits of the Arabic script as 0 to 9: they mean only themselves."""
    if b"\xd9" not in text and b"\xdb" not in text:
        return text
    for theirs, ours in _DIGITS:
        text = text.replace(theirs, ours)
    return text


def writing(file: str, data: Mapping[str, Any]) -> Writing:
    """How a layout's file says that amounts are written.

    Raises:
        BadInput: a sign is none, or parts thousands and is the decimal sign as well.
    """
    decimal = str(data.get("decimal") or POINT)
    usual = [POINT] if decimal == COMMA else [COMMA]
    parting = data.get("thousands")
    parting = usual if parting is None else [parting] if isinstance(parting, str) else parting
    parting = [str(p) for p in parting if str(p).strip()]
    if decimal not in _DECIMALS:
        raise BadInput(f"The layout {file} has the decimal {decimal}.", advice="One of . , ٫")
    if odd := [p for p in parting if p not in _PARTING or p == decimal]:
        raise BadInput(
            f"The layout {file} has the thousands {odd[0]}.",
            advice="Another sign than the decimal one, of . , ' _ ٬ and a space.",
        )
    around = tuple(str(w) for w in data.get("around") or ())
    return Writing(decimal, tuple(parting), around)
