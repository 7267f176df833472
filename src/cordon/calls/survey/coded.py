"""Columns of calls in a Parquet file, with whole numbers in place of texts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cordon.calls.survey.words import Words
from cordon.kernel.store.pages import Pages, TextPage, Unread

Ints = NDArray[np.int64]
_APART = 4  # bytes between two texts of a page
_EXACT = 1 << 53  # whole numbers below it are exact as floating ones
_GREATEST = 3.4e38  # s: what 32 bits hold


def codes(
    pages: Pages, group: int, name: str, words: Words, wanted: Ints | None = None
) -> NDArray[np.int32]:
    """The number in `words` of each text of a column in a row group; -1 for null.

    Texts of a dictionary are looked up once, and those that nobody asks for not at all.

    Args:
        wanted: rows that are asked for, ascending; all of them where None.

    Raises:
        Unread: it cannot be read so.
    """
    found = np.full(pages.groups[group] if wanted is None else len(wanted), -1, np.int32)
    if not pages.has(name):
        return found
    later: list[tuple[Ints, NDArray[np.int32]]] = []
    dictionary = None
    ahead = begin = 0
    for page in pages.texts(group, name):
        end = ahead + page.rows
        stop = end if wanted is None else int(np.searchsorted(wanted, end))
        rows = np.arange(page.rows) if wanted is None else wanted[begin:stop] - ahead
        places, values = _values(page, rows)
        places = places + begin
        if page.codes is None:
            found[places] = words.of(page.texts.letters, page.texts.starts, values, _APART)
        else:
            dictionary = page.texts
            later.append((places, page.codes[values]))
        ahead, begin = end, stop
    if dictionary is not None:
        asked = np.zeros(len(dictionary.starts) - 1, bool)
        for _, inside in later:
            asked[inside] = True
        which = np.flatnonzero(asked)
        known = np.empty(len(asked), np.int32)
        known[which] = words.of(dictionary.letters, dictionary.starts, which, _APART)
        for places, inside in later:
            found[places] = known[inside]
    return found


def _values(page: TextPage, rows: Ints) -> tuple[Ints, Ints]:
    """Of rows of a page, the places of those that have a text, and which text of the page's."""
    if page.there is None:
        return np.arange(len(rows)), rows
    places = np.flatnonzero(page.there[rows])
    return places, (np.cumsum(page.there) - 1)[rows[places]]


def moments(pages: Pages, group: int) -> Ints:
    """Start of each call (µs).

    Raises:
        Unread: it cannot be read so, or one is missing.
    """
    values, there = pages.numbers(group, "start")
    if there is not None:
        raise Unread
    if pages.is_timestamp("start", "microseconds"):
        return np.asarray(values, np.int64)
    if pages.is_timestamp("start", "milliseconds") and np.abs(values).max(initial=0) < _EXACT:
        return np.asarray(values, np.int64) * 1_000
    raise Unread


def seconds(pages: Pages, group: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Duration of each call (s), 0 where none is told; and where one is.

    Raises:
        Unread: it cannot be read so.
    """
    rows = pages.groups[group]
    if not pages.has("duration_s"):
        return np.zeros(rows), np.zeros(rows, bool)
    values, there = pages.numbers(group, "duration_s")
    if values.dtype.kind == "i" and np.abs(values).max(initial=0) >= _EXACT:
        raise Unread
    told = np.asarray(values, np.float64)
    size = np.abs(told)
    if ((size > _GREATEST) & (size < np.inf)).any():
        raise Unread
    return told, np.ones(rows, bool) if there is None else there


def kinds(pages: Pages, group: int, words: Words) -> NDArray[np.bool_]:
    """Whether each is a call by voice, or else a message.

    Raises:
        Unread: it cannot be read so, or one is neither.
    """
    told = codes(pages, group, "kind", words)
    known = words.told().to_pylist()
    if (len(told) and int(told.min()) < 0) or not set(known) <= {"voice", "sms"}:
        raise Unread
    return np.asarray([k == "voice" for k in known], bool)[told]
