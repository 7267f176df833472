"""Whether two things that a craft says of itself are one identity, a correction, or another."""

from __future__ import annotations

import re
from dataclasses import dataclass

from cordon.picture.model import Static

_WORDS = ("name", "call_sign", "imo")
_EMPTY = re.compile(r"[\W0_]*|UNKNOWN|TEST|NAUT|NONAME|NO ?NAME|N/?A|UNDEFINED", re.IGNORECASE)
_ALIKE = 0.7


@dataclass(frozen=True, slots=True)
class Difference:
    """How what is said now differs from what was said before.

    Attributes:
        changed: which of name, call_sign and imo are others. corrected: which differ as a
            corrected slip of typing does. same: which are the same.
    """

    changed: tuple[str, ...]
    corrected: tuple[str, ...]
    same: tuple[str, ...]


def difference(before: Static, after: Static) -> Difference:
    """What changed; a word that one of the two does not say, or a maker's default, is not held."""
    found: dict[str, list[str]] = {"changed": [], "corrected": [], "same": []}
    for word in _WORDS:
        one, two = _plain(getattr(before, word)), _plain(getattr(after, word))
        if not one or not two:
            continue
        found[_judged(word, one, two)].append(word)
    return Difference(*(tuple(found[k]) for k in ("changed", "corrected", "same")))


def agree(before: Static, after: Static) -> bool:
    """Whether a word is the same in both, as `Difference.same` has it, and nothing else asked."""
    pairs = ((_plain(getattr(before, w)), _plain(getattr(after, w))) for w in _WORDS)
    return any(one and one == two for one, two in pairs)


def _judged(word: str, one: str, two: str) -> str:
    if one == two:
        return "same"
    if word == "imo":
        # a number whose check digit is wrong was never a ship's
        if not (is_imo(one) and is_imo(two)):
            return "corrected"
        return "changed"
    if word == "call_sign":
        return "corrected" if slips(one, two) <= 1 else "changed"
    longer = max(len(one), len(two))
    short = one if len(one) < len(two) else two
    whole = two if short == one else one
    cut = len(short) >= 4 and whole.startswith(short)  # the name was cut, or its rest was added
    return "corrected" if cut or 1 - slips(one, two) / longer >= _ALIKE else "changed"


def _plain(text: str) -> str:
    """Letters and digits alone, in capitals; empty for what sets say before they are set up."""
    if _EMPTY.fullmatch(text.strip()):
        return ""
    return re.sub(r"[\W_]+", "", text).upper().removeprefix("IMO")


def is_imo(text: str) -> bool:
    """Whether seven digits end in the right check digit (IMO resolution A.1117(30))."""
    if not (len(text) == 7 and text.isascii() and text.isdigit()):
        return False
    return sum(int(d) * w for d, w in zip(text, range(7, 1, -1), strict=False)) % 10 == int(text[6])


def slips(one: str, two: str) -> int:
    """Letters changed, left out, put in, or exchanged with a neighbour (Damerau 1964)."""
    rows = [list(range(len(two) + 1))]
    for i, a in enumerate(one, 1):
        row = [i]
        for j, b in enumerate(two, 1):
            least = min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (a != b))
            if i > 1 and j > 1 and a == two[j - 2] and one[i - 2] == b:
                least = min(least, rows[-2][j - 2] + 1)
            row.append(least)
        rows.append(row)
    return rows[-1][-1]


def is_ship_number(subject: str) -> bool:
    """Whether an MMSI is one that a ship's station can have (ITU-R M.585: 2 to 7 lead it)."""
    number = subject.partition(":")[2]
    if len(number) != 9 or number[0] not in "234567":
        return False
    return len(set(number)) > 2 and number not in ("123456789", "987654321")
