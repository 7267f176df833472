"""Durations: as seconds however they are written, or from where a call ended."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cordon.calls.layouts.dates import DAY_S, both_of, moments, moments_on

_CLOCK = re.compile(r"(?:(\d+):)?(\d{1,3}):(\d{2})(?:[.,]\d+)?(?: ?min\w*)?")
_ISO = re.compile(r"pt(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)(?:\.\d+)?s)?")  # ISO 8601
_PLAIN_COMMA = re.compile(r"(\d+),\d{1,2}")
_IN_WORDS = re.compile(
    r"(?:(\d+) ?(?:h|hrs?|hours?)\.?,? ?)?(?:(\d+) ?(?:m|mins?|minutes?)\.?,? ?)?"
    r"(?:(\d+) ?(?:s|secs?|seconds?)\.?)?"
)
_NUMBER = r"^\d+(?:\.\d+)?$"
_NO_END = r"^0+(?:[-/.]0+[-/.]0+.*)?$"  # a switch's zero where a call was not answered
_ALONE = r"^\d{1,2}[:.]?\d{2}(?:[:.]?\d{2})?(?:[.,]\d+)?\s*(?:[AaPp]\.?[Mm]\.?)?$"
_LONGEST_OVER_MIDNIGHT = DAY_S // 2  # s; of a time alone, which does not tell whose day it is of


@dataclass(frozen=True, slots=True)
class Lengths:
    """Durations of a block's rows.

    Attributes:
        seconds: as text, null where nothing tells. unreadable, before, unclear: rows whose end
            cannot be read, lies before their start, or was shown twice or never by its clock.
    """

    seconds: pa.Array
    unreadable: NDArray[np.bool_]
    before: NDArray[np.bool_]
    unclear: NDArray[np.bool_]


def seconds_of(text: str) -> int | None:
    """Seconds of a duration that is written as a clock (`1:02:03`, `02:03`), in words (`1 min 35
    s`), with a comma or by ISO 8601 (`PT1M35S`); None where it is written otherwise."""
    text = text.strip().lower()
    whole = _PLAIN_COMMA.fullmatch(text)  # `125,0`: not thousands, which have three digits
    if whole is not None:
        return int(whole[1])
    parts = _CLOCK.fullmatch(text) or _ISO.fullmatch(text) or _IN_WORDS.fullmatch(text)
    if parts is None or not any(parts.groups()):
        return None
    hours, minutes, seconds = (int(p or 0) for p in parts.groups())
    return hours * 3600 + minutes * 60 + seconds


def seconds(column: pa.Array) -> pa.Array:
    """Durations as seconds, also where they are written with hours and minutes."""
    plain = pc.fill_null(pc.match_substring_regex(column, r"^[0-9.]*$"), True)
    if pc.all(plain, min_count=0).as_py():
        return column
    encoded = column.dictionary_encode()
    texts = encoded.dictionary.to_pylist()
    told = [v if (s := seconds_of(v)) is None else str(s) for v in texts]
    return pa.array(told, pa.string()).take(encoded.indices)


def seconds_of_ms(column: pa.Array) -> pa.Array:
    """Milliseconds as seconds; what is no number stays, and is refused as such."""
    plain = pc.fill_null(pc.match_substring_regex(column, _NUMBER), False)
    number = pc.if_else(plain, column, pa.scalar(None, pa.string())).cast(pa.float64())
    return pc.coalesce(pc.divide(number, 1000.0).cast(pa.string()), column)


def by_ends(told: pa.Array, start: pa.Array, ends: pa.Array, order: str, zone: str) -> Lengths:
    """Durations, where none is told, from the start to the end.

    Args:
        told: seconds as text. start: moments (UTC). ends: date and time, or a time alone, which
            is the first one of that clock from the start on.
        order: of day and month. zone: IANA name of the clock of the ends.
    """
    ends = pc.if_else(
        pc.fill_null(pc.match_substring_regex(ends, _NO_END), False),
        pa.scalar(None, pa.string()),
        ends,
    )
    asked = pc.and_(pc.and_(pc.is_null(told), pc.is_valid(start)), pc.is_valid(ends))
    flags = np.zeros((3, len(told)), bool)
    if pc.any(asked, min_count=0).as_py():
        length, *odd = _lengths(start.filter(asked), ends.filter(asked), order, zone)
        told = pc.replace_with_mask(told, asked, length.cast(pa.string()))
        flags[:, np.asarray(asked)] = odd
    return Lengths(told, *flags)


def _lengths(
    start: pa.Array, ends: pa.Array, order: str, zone: str
) -> tuple[pa.Array, NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    """Seconds from starts to ends, and of `Lengths` what is wrong with which."""
    begun = _integers(start)
    of_a_day = pc.match_substring_regex(ends, _ALONE)
    dates, times = both_of(pc.if_else(of_a_day, pa.scalar(None, pa.string()), ends))
    alone = _true(pc.is_null(dates))
    end, wrong, unclear = moments(dates, times, order, zone)
    ended = _integers(end)
    if alone.any():
        local = pc.local_timestamp(start.cast(pa.timestamp("us", zone)))
        days, none = _integers(local)[alone] // (DAY_S * 1_000_000), np.zeros(alone.sum(), bool)
        clock, since = ends.filter(pa.array(alone)), begun[alone]
        end, wrong[alone], unclear[alone] = moments_on((days, none), clock, zone)
        first = _integers(end)
        early = ~wrong[alone] & ~unclear[alone] & (first < since)
        if early.any():
            end, _, odd = moments_on((days + early, none), clock, zone)
            first, unclear[alone] = np.where(early, _integers(end), first), odd
            late = early & (first - since > _LONGEST_OVER_MIDNIGHT * 1_000_000)
            first = np.where(late, since - 1_000_000, first)
        ended[alone] = first
    length = (ended - begun) // 1_000_000
    before = ~wrong & ~unclear & (length < 0)
    return pa.array(length, pa.int64(), mask=wrong | unclear | before), wrong, before, unclear


def _integers(stamps: pa.Array) -> NDArray[np.int64]:
    return np.array(stamps.cast(pa.timestamp("us")).cast(pa.int64()).fill_null(0))


def _true(column: pa.Array) -> NDArray[np.bool_]:
    return np.array(column.to_numpy(zero_copy_only=False), bool)
