"""When a sensor gave no sign of life for so long that it counts as down."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cordon.picture.cover.signs import Signs
from cordon.picture.tracks import Floats

_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Down:
    """A span in which a sensor gives nothing, or less than usual.

    Attributes:
        start, end: s since the epoch. why: a few words. reach: what is left of its range.
        sure: it is known, not only likely. open: it still lasted when the data ended.
        row: the row of `Signs.heard` after which it began, or -1. silence: that nothing came is
            all that is known of it.
    """

    start: float
    end: float
    why: str
    reach: float = 0.0
    sure: bool = True
    open: bool = False
    row: int = -1
    silence: bool = False


def silences(
    signs: Signs, sign: int, every_s: float | None, values: Mapping[str, float]
) -> tuple[list[Down], bool]:
    """The spans in which nothing came from a sign, and whether enough did to know that it works.

    With `every_s` it is down once so many signs in a row are missed; else once it is silent for
    several times what is usual for it: the length below which silences have most of its time,
    a few of the longest not counted.
    """
    here = signs.of(sign)
    first, last = signs.heard.first[here], signs.heard.last[here]
    met = (last >= signs.begin) & (first <= signs.end)
    rows = np.flatnonzero(met) + here.start
    first, last = first[met], last[met]
    if not len(first):
        return [], False
    begin = np.append(signs.begin, last)
    end = np.append(first, signs.end)
    length = end - begin
    for a, b in signs.blind:
        length = length - np.maximum(np.minimum(end, b) - np.maximum(begin, a), 0.0)
    length = np.maximum(length, 0.0)
    if every_s is not None:
        longest = max(every_s * values["missed_beats"], 60.0)
        why = "it misses signs of life that are due"
    elif len(first) < values["least_reports"]:
        return [], False
    else:
        outages = math.ceil(values["outages_a_day"] * (signs.end - signs.begin) / _DAY)
        usual = _usual(length, values["usual_share"], outages)
        longest = max(values["usual_times"] * usual, values["silent_least_min"] * 60)
        why = "nothing came from it for far longer than is usual"
    found = []
    for i in np.flatnonzero(length > longest):
        known = int(rows[i - 1]) if i else -1
        whole = bool(i == len(length) - 1)
        found.append(
            Down(
                float(begin[i]),
                float(end[i]),
                why,
                sure=every_s is not None,
                open=whole,
                row=known,
                silence=True,
            )
        )
    return found, True


def _usual(length: Floats, share: float, outages: int) -> float:
    """The length (s) below which silences have so much of their time, the longest left out.

    They are left out because outages would hide one another; many long silences, as those of
    quiet nights, do not vanish with a few.
    """
    rest = np.sort(length)[: max(1, len(length) - outages)]
    sums = np.cumsum(rest)
    return float(rest[min(int(np.searchsorted(sums, share * sums[-1])), len(rest) - 1)])
