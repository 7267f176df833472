"""Local dates and times of records as moments in UTC, and the order of day and month."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cordon.calls.layouts.languages import bare, months
from cordon.calls.layouts.zones import letters_of, zoned
from cordon.kernel.errors import BadUsage

_NUMERIC = re.compile(r"(\d{1,4})[-/. ](\d{1,2})[-/. ](\d{2,4})")
_RUN = re.compile(r"\d{8}")
_WORDED = re.compile(
    r"(?P<day>\d{1,2})[-/., ]*(?P<month>[^\W\d_]{3,12})[-/., ]*(?P<year>\d{4}|\d{2})"
    r"|(?P<month_>[^\W\d_]{3,12})[-/. ]*(?P<day_>\d{1,2})[-/., ]+(?P<year_>\d{4})"
)
_WEEKDAY = re.compile(r"([^\W\d_]{2,10})[.,]? +(?=\d)")
_TIME = re.compile(r"(\d{1,2})[:.]?(\d{2})(?:[:.]?(\d{2})(?:[.,]\d+)?)?\s*(?:([AaPp])\.?[Mm]\.?)?")
BOTH = (
    r"^(?P<date>.*?[^ T,-])[ T,-]+(?P<time>\d{1,2}(?::\d{2}|\.\d{2}\.\d{2}).*)$",
    r"^(?P<date>(?:19|20)\d{6})[ T_-]?(?P<time>\d{4}(?:\d{2})?)$",
    r"^(?P<time>\d{1,2}:\d{2}(?::\d{2})?(?: ?[AaPp]\.?[Mm]\.?)?)[ ,-]+(?P<date>\S.*)$",
)
"""Patterns of a date and a time in one column, the usual one first."""
_EPOCHS = re.compile(r"(1\d{9})(?:\.\d+|\d{3})?")  # seconds or ms since 1970, of 2001 to 2033
_PATTERNS = tuple(re.compile(p) for p in BOTH)
_EPOCH = date(1970, 1, 1).toordinal()
_LATEST_YEAR = 2100
DAY_S = 86_400
SAID = {"day-first": "dmy", "month-first": "mdy"}
"""What an officer may say of a file whose dates do not settle it."""


@dataclass(slots=True)
class Order:
    """What a file's dates say of the order of day and month.

    Attributes:
        day_first, month_first: how many dates can be read in no other way.
        written: how many distinct ones begin with a day or month. swapped: how many begin with
            the year and would be dates with day and month the other way around.
    """

    day_first: int = 0
    month_first: int = 0
    written: int = 0
    swapped: int = 0

    def look(self, dates: Iterable[str]) -> None:
        """Take dates into account."""
        for text in dates:
            found = _NUMERIC.fullmatch(text.strip())
            if found is None:
                continue
            if len(found[1]) == 4:
                self.swapped += int(found[3]) <= 12
                continue
            first, second = int(found[1]), int(found[2])
            self.written += 1
            self.day_first += first > 12 >= second
            self.month_first += second > 12 >= first

    def contradicts(self, said: str) -> bool:
        """True where some date can only be read the other way than was said (`dmy` or `mdy`)."""
        return bool({"dmy": self.month_first, "mdy": self.day_first}.get(said))

    def told(self, usual: str) -> str | None:
        """`dmy` or `mdy`; the operator's usual one where nothing speaks; None where the dates
        contradict one another, or nothing tells."""
        if self.day_first and self.month_first:
            return None
        if self.day_first or self.month_first:
            return "dmy" if self.day_first else "mdy"
        return usual or None


def order_of(said: str) -> str:
    """`dmy` or `mdy` by what was said of a file; empty where nothing was.

    Raises:
        BadUsage: it is none of `SAID`.
    """
    if said and said not in SAID:
        raise BadUsage(f"Dates are not {said[:20]}.", advice=f"Take: {', '.join(SAID)}.")
    return SAID.get(said, "")


def needs_order(text: str) -> bool:
    """True where a date can be read day first and month first."""
    found = _NUMERIC.fullmatch(text.strip())
    return found is not None and len(found[1]) < 3


def day_of(text: str, order: str) -> int | None:
    """Days since 1970-01-01 of a date as it is written; None where it is none."""
    text = text.strip()
    weekday = _WEEKDAY.match(text)
    if weekday is not None and not _month(bare(weekday[1])):
        text = text[weekday.end() :]
    found = _NUMERIC.fullmatch(text)
    try:
        if found is not None:
            a, b, c = int(found[1]), int(found[2]), int(found[3])
            if len(found[1]) == 4:
                year, month, day = a, b, c
            elif order == "mdy":
                month, day, year = a, b, c
            else:
                day, month, year = a, b, c
            year += 2000 if len(found[3]) == 2 and len(found[1]) != 4 else 0
            return _ordinal(date(year, month, day))
        if _RUN.fullmatch(text):
            return _ordinal(date(int(text[:4]), int(text[4:6]), int(text[6:])))
        worded = _WORDED.fullmatch(bare(text))
        if worded is not None:
            told, word, years = (worded[n] or worded[f"{n}_"] for n in ("day", "month", "year"))
            year = int(years) + (2000 if len(years) == 2 else 0)
            return _ordinal(date(year, _month(word), int(told)))
    except ValueError:
        return None
    return None


def _month(word: str) -> int:
    """The number of a month by its name, or by three and more letters of it; 0 for none."""
    return next((n for name, n in months() if name.startswith(word.lower())), 0)


def parted(text: str) -> tuple[str, str] | None:
    """Date and time of a text that holds both, in whatever order; None where it does not.

    Seconds since 1970 are told in UTC.
    """
    for pattern in _PATTERNS:
        found = pattern.fullmatch(text)
        if found is not None:
            return found["date"], found["time"]
    since = _EPOCHS.fullmatch(text)
    if since is None:
        return None
    day, time = datetime.fromtimestamp(int(since[1]), UTC).isoformat().split("T")
    return day, time.replace("+00:00", "Z")


@lru_cache(1 << 17)  # a day has 86,400, and every block of a file has most of them
def second_of(text: str) -> int | None:
    """Seconds since midnight of a time as it is written; None where it is none."""
    found = _TIME.fullmatch(text.strip())
    if found is None:
        return None
    hour, minute, second = int(found[1]), int(found[2]), int(found[3] or 0)
    half = (found[4] or "").lower()
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "p" else 0)
    if hour > 23 or minute > 59 or second > 60:
        return None
    return hour * 3600 + minute * 60 + min(second, 59)  # a leap second counts as the one before


def both_of(column: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Dates and times of a column that holds both; nulls where it does not."""
    both = pc.extract_regex(column, BOTH[0])
    dates, times = pc.struct_field(both, "date"), pc.struct_field(both, "time")
    if not dates.null_count or dates.null_count == column.null_count:
        return dates, times
    rest = pc.if_else(pc.is_valid(dates), pa.scalar(None, pa.string()), column).dictionary_encode()
    known = [None if v is None else parted(v) for v in rest.dictionary.to_pylist()]
    days, clocks = ([o and o[at] for o in known] for at in (0, 1))
    return (
        pc.coalesce(dates, pa.array(days, pa.string()).take(rest.indices)),
        pc.coalesce(times, pa.array(clocks, pa.string()).take(rest.indices)),
    )


def moments(
    dates: pa.Array, times: pa.Array, order: str, zone: str
) -> tuple[pa.Array, NDArray[np.bool_], NDArray[np.bool_]]:
    """Columns of dates and times as moments (timestamps in UTC).

    Returns:
        the moments, null where there is none; which rows hold no date or time; and which hold
        one that the clocks, when they were changed, showed twice or never.
    """
    return moments_on(_each(dates, lambda text: day_of(text, order)), times, zone)


def moments_on(
    dated: tuple[NDArray[np.int64], NDArray[np.bool_]], times: pa.Array, zone: str
) -> tuple[pa.Array, NDArray[np.bool_], NDArray[np.bool_]]:
    """The same of days that are known: days since 1970-01-01, and in which rows there is none."""
    days, no_day = dated
    seconds, no_second = _each(times, second_of)
    wrong = no_day | no_second
    of_utc = np.zeros(len(wrong), bool)
    if wrong.any():  # of times that tell their zone, which few files have
        known = letters_of(zone)
        since, lost = _each(times, lambda text: _second_of_utc(text, known))
        of_utc = wrong & ~no_day & ~lost
        seconds, wrong = np.where(of_utc, since, seconds), wrong & ~of_utc
    local = pa.array((days * DAY_S + seconds) * 1_000_000, pa.int64(), mask=wrong)
    stamps = local.cast(pa.timestamp("us"))
    told = stamps.cast(pa.timestamp("us", "UTC"))
    first, last = (
        pc.assume_timezone(stamps, zone, ambiguous=which, nonexistent=which)
        for which in ("earliest", "latest")
    )
    same = pc.fill_null(pc.equal(first, last), True)
    unclear = ~np.asarray(same.to_numpy(zero_copy_only=False), bool) & ~of_utc
    moment = pc.if_else(pa.array(unclear), pa.scalar(None, first.type), first)
    moment = moment.cast(pa.timestamp("us", "UTC"))
    return pc.if_else(pa.array(of_utc), told, moment), wrong, unclear


def _second_of_utc(text: str, known: Mapping[str, int]) -> int | None:
    """Seconds since midnight in UTC of a time that tells its zone; None where it does not."""
    told = zoned(text, known)
    second = None if told is None else second_of(told[0])
    return None if told is None or second is None else second - told[1]


def _each(column: pa.Array, read: object) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Each distinct text read once: dates are few, and times of a day 86,400 at most."""
    assert callable(read)
    encoded = column.dictionary_encode()
    known = [None if v is None else read(v) for v in encoded.dictionary.to_pylist()]
    values = np.array([0 if v is None else v for v in known], np.int64)
    missing = np.array([v is None for v in known], bool)
    at = np.asarray(encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False), np.int64)
    absent = at < 0
    if not known:
        return np.zeros(len(column), np.int64), np.ones(len(column), bool)
    return np.where(absent, 0, values[at]), absent | missing[at]


def _ordinal(day: date) -> int | None:
    return day.toordinal() - _EPOCH if 1990 <= day.year < _LATEST_YEAR else None
