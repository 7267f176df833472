"""Columns of calls in a Parquet file, with whole numbers in place of texts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cordon.calls.survey.words import Words
from cordon.kernel.store.pages import Pages, TextPage, Texts, Unread

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
    inside, dictionary = np.full(len(found), -1, np.int32), None
    ahead = begin = 0
    for page in pages.texts(group, name):
        end = ahead + page.rows
        stop = end if wanted is None else int(np.searchsorted(wanted, end))
        rows = None if wanted is None else wanted[begin:stop] - ahead
        dictionary = dictionary if page.codes is None else page.texts
        if rows is None and page.there is None and page.codes is not None:
            inside[begin:stop] = page.codes  # as most pages are
        else:
            places, values = _values(page, np.arange(page.rows) if rows is None else rows)
            if page.codes is None:
                known = words.of(page.texts.letters, page.texts.starts, values, _APART)
                found[begin + places] = known
            else:
                inside[begin + places] = page.codes[values]
        ahead, begin = end, stop
    return found if dictionary is None else _looked_up(dictionary, inside, words, found)


def _looked_up(
    dictionary: Texts, inside: NDArray[np.int32], words: Words, found: NDArray[np.int32]
) -> NDArray[np.int32]:
    """What was found, and behind it what stands in the dictionary at these places (-1: nowhere)."""
    asked = np.zeros(len(dictionary.starts), bool)
    asked[inside] = True
    asked[-1] = False  # which is where -1 leads
    which = np.flatnonzero(asked)
    known = np.full(len(asked), -1, np.int32)
    known[which] = words.of(dictionary.letters, dictionary.starts, which, _APART)
    return np.maximum(found, known[inside])


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
    if (
        np.fmax.reduce(told, initial=0.0) > _GREATEST
        or np.fmin.reduce(told, initial=0.0) < -_GREATEST
    ):
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
