"""Identities of cells: the same cell is the same text, in decimal or in hexadecimal.

A cell is named by its network and its numbers in it (TS 23.003 §4.3.1, §19.6): `MCC-MNC-LAC-CI`
or, in newer networks, `MCC-MNC-ECI`. Operators write the numbers in decimal or in hexadecimal,
some with zeros in front, and with other signs between. Only an identity that names its network
is read so; any other (`K1`, `A7F3`, one long run of digits) is a name and stays as it stands.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

DECIMAL, HEXADECIMAL = "decimal", "hexadecimal"
_SIGN = r"[-:_./ ]"
_IDENTITY = re.compile(
    rf"(\d{{3}}){_SIGN}?(\d{{2,3}}){_SIGN}(?:([0-9A-Fa-f]{{1,5}}){_SIGN})?([0-9A-Fa-f]{{1,9}})"
)
_LONG_AREA = rf"^\d{{3}}{_SIGN}?\d{{2,3}}{_SIGN}[0-9A-Fa-f]{{5}}{_SIGN}[0-9A-Fa-f]{{1,9}}$"
_CLEAR = r"^\d{3}-\d{2,3}(?:-(?:0|[1-9]\d*)){1,2}$"
_LETTER = re.compile(r"[A-Fa-f]")
_LONG = 4  # digits of a number in hexadecimal that shows it: a single A is a sector's name


@dataclass(slots=True)
class Base:
    """In what base a file writes the numbers of its cells, told from all of them at once.

    `1234` alone can be read in both; a file writes its cells in one way.

    Attributes:
        letters: some number of four digits or more has letters in it.
        long: some area has five digits, which no hexadecimal one has.
    """

    letters: bool = False
    long: bool = False

    def look(self, column: pa.Array | pa.ChunkedArray) -> None:
        """Take identities into account."""
        if self.long:
            return
        values = pc.utf8_trim(column.unique(), characters="'\" ")
        self.long = pc.any(pc.match_substring_regex(values, _LONG_AREA)).as_py() is True
        lettered = values.filter(pc.match_substring_regex(values, "[A-Fa-f]"))
        for text in lettered.to_pylist() if not self.letters else ():
            parts = _IDENTITY.fullmatch(text)
            if parts is not None and any(
                len(p) >= _LONG and _LETTER.search(p) for p in (parts[3] or "", parts[4])
            ):
                self.letters = True
                break

    @property
    def told(self) -> str:
        """`hexadecimal` where letters show it and nothing speaks against it, else `decimal`."""
        return HEXADECIMAL if self.letters and not self.long else DECIMAL


def cell_base(column: pa.Array | pa.ChunkedArray) -> str:
    """The base of one column: see `Base`."""
    base = Base()
    base.look(column)
    return base.told


def cell_ids(column: pa.Array, base: str, *, padded: bool = False) -> pa.Array:
    """Identities of cells in decimal, as `MCC-MNC-LAC-CI` or `MCC-MNC-ECI`.

    Args:
        base: of the numbers in them, by the layout or by `Base`.
        padded: leave what is in decimal already as it stands, zeros in front and all.
    """
    if base == DECIMAL and padded:
        return column
    encoded = column.dictionary_encode()
    known = encoded.dictionary
    odd = pc.match_substring_regex(known, rf"^{_IDENTITY.pattern}$")
    if base == DECIMAL:
        odd = pc.and_(odd, pc.invert(pc.match_substring_regex(known, _CLEAR)))
    if pc.any(odd, min_count=0).as_py():
        done = [one_cell(v, base) for v in known.filter(odd).to_pylist()]
        known = pc.replace_with_mask(known, odd, pa.array(done, pa.string()))
    return known.take(encoded.indices)


def is_cell(text: str) -> bool:
    """True for an identity that names its network."""
    return _IDENTITY.fullmatch(text) is not None


def one_cell(text: str, base: str) -> str:
    """One identity in decimal; as it stands where it names no network."""
    parts = _IDENTITY.fullmatch(text)
    if parts is None:
        return text
    radix = 16 if base == HEXADECIMAL else 10
    try:
        numbers = [str(int(p, radix)) for p in (parts[3], parts[4]) if p]
    except ValueError:  # a letter where the file's cells are in decimal: a name after all
        return text
    return "-".join((parts[1], parts[2], *numbers))
