"""Headers that stand in two lines: groups over the names, as a spreadsheet's merged cells are.

A group stands in the first of the columns that it covers, and the others are empty; a name that
belongs to no group stands in either line, or in both where its cells were merged downwards.
"""

from __future__ import annotations

from collections.abc import Sequence

MARK = " > "
"""Between a group and a name, in the name of a column: `Calling party > Number`."""


def joined(above: Sequence[str], names: Sequence[str]) -> list[str]:
    """Names of columns by both lines."""
    over = [*above, *[""] * (len(names) - len(above))][: len(names)]
    over = [text.strip() for text in over]
    under = [text.strip() for text in names]
    group = ["" if not u or u == o else o for o, u in zip(over, under, strict=True)]
    whose = _covered(over, under)
    return [
        f"{group[whose[at]]}{MARK}{name}" if whose[at] >= 0 and name else name or over[at]
        for at, name in enumerate(under)
    ]


def last_line(name: str) -> str:
    """What of a column's name stands in the lower line."""
    return name.rpartition(MARK)[2]


def are_groups(above: Sequence[str], names: Sequence[str]) -> bool:
    """True where a line holds groups over the names in the next one.

    One of them covers several columns, and with them the columns can be told apart that the names
    alone, or the upper line alone, do not tell apart.
    """
    if len(above) > len(names) or not all(map(_is_name, (*above, *names))):
        return False
    both = joined(above, names)
    covers = any(whose != at for at, whose in enumerate(_covered(above, names)) if whose >= 0)
    return covers and len(set(both) - {""}) > max(len(set(n) - {""}) for n in (above, names))


def _is_name(text: str) -> bool:
    return not text.strip() or (
        any(c.isalpha() for c in text) and sum(c.isdigit() for c in text) < 4
    )


def _covered(over: Sequence[str], under: Sequence[str]) -> list[int]:
    """By column, the column in which its group stands; -1 for none.

    How far a group reaches is not told. Where one covers the names of another and more, it ends
    where those do: what follows stands under no group, as a length after two parties.
    """
    starts = [
        at
        for at, text in enumerate(over)
        if text and at < len(under) and under[at] not in ("", text)
    ]
    ends = [
        next((n for n in range(at + 1, len(under)) if (n < len(over) and over[n]) or not under[n]),
             len(under))
        for at in starts
    ]  # fmt: skip
    names = [tuple(under[at:end]) for at, end in zip(starts, ends, strict=True)]
    whose = [-1] * len(under)
    for at, mine in zip(starts, names, strict=True):
        shorter = [len(n) for n in names if 1 < len(n) < len(mine) and mine[: len(n)] == n]
        reach = min(shorter, default=len(mine))
        whose[at : at + reach] = [at] * reach
    return whose
