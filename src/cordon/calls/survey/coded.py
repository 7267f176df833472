"""Columns of calls in a Parquet file, with whole numbers in place of texts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cordon.calls.survey.words import Words, asked, given
from cordon.kernel.store.pages import Pages, Texts, Unread

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
    if wanted is not None:
        for some in pages.picked(group, name, wanted):
            if some.by_code:
                inside[some.part], dictionary = some.where, some.texts
            else:
                found[some.part] = _known(words, some.texts, some.where)
        return found if dictionary is None else _looked_up(dictionary, inside, words, found)
    ahead = 0
    for page in pages.texts(group, name):
        part = slice(ahead, ahead + page.rows)
        ahead += page.rows
        if page.codes is not None:
            dictionary, where = page.texts, page.codes
        else:
            where = np.arange(len(page.texts.starts) - 1, dtype=np.int32)
        if page.there is not None:
            spread = np.full(page.rows, -1, np.int32)
            spread[page.there] = where
            where = spread
        if page.codes is not None:
            inside[part] = where
        else:
            found[part] = _known(words, page.texts, where)
    return found if dictionary is None else _looked_up(dictionary, inside, words, found)


def _known(words: Words, texts: Texts, where: NDArray[np.int32]) -> NDArray[np.int32]:
    """The number in `words` of texts at these places; -1 at -1."""
    found, there = np.full(len(where), -1, np.int32), where >= 0
    found[there] = words.of(texts.letters, texts.starts, where[there].astype(np.int64), _APART)
    return found


def _looked_up(
    dictionary: Texts, inside: NDArray[np.int32], words: Words, found: NDArray[np.int32]
) -> NDArray[np.int32]:
    """What was found, and behind it what stands in the dictionary at these places (-1: nowhere)."""
    which = np.flatnonzero(asked(inside, len(dictionary.starts) - 1))
    known = np.full(len(dictionary.starts), -1, np.int32)
    known[which] = words.of(dictionary.letters, dictionary.starts, which, _APART)
    given(found, inside, known)
    return found


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
