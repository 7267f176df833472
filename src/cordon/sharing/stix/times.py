"""Times of STIX and TAXII: RFC 3339 in UTC, as text that sorts, and as microseconds."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from cordon.kernel.clock import parse_time
from cordon.kernel.errors import BadInput, BadUsage

_TIME = re.compile(
    r"([0-9]{4})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T"
    r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.([0-9]+))?Z"
)
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WITHOUT_FRACTION = 19  # characters of 2026-01-17T08:30:00


def is_time(value: object) -> bool:
    """True where this is a timestamp as STIX writes it (STIX 2.1, §2.16), of a day there is."""
    if not isinstance(value, str) or (found := _TIME.fullmatch(value)) is None:
        return False
    day = int(found[3])
    if day <= 28:
        return True
    month = int(found[2])
    if day > _DAYS[month - 1]:
        return False
    year = int(found[1])
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return month != 2 or day <= 28 or leap


def sortable(text: str) -> str:
    """A STIX timestamp with exactly six digits of fraction, so that text sorts as time."""
    fraction = text[_WITHOUT_FRACTION + 1 : -1]
    return f"{text[:_WITHOUT_FRACTION]}.{fraction[:6]:0<6}Z"


def shown(version: str) -> str:
    """A sortable version as STIX writes it: milliseconds, and more digits where there are any."""
    return version[:-4] + "Z" if version.endswith("000Z") else version


def microseconds(moment: datetime) -> int:
    """Microseconds since the epoch."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def added_text(added: int) -> str:
    """A date added as TAXII writes it, always with six digits of fraction."""
    return (_EPOCH + timedelta(microseconds=added)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def moment(added: int | None) -> datetime | None:
    """A date added as an aware time; None of none."""
    return None if added is None else _EPOCH + timedelta(microseconds=added)


def read_added(text: str, name: str) -> int:
    """A time of a query, as microseconds; BadUsage names the parameter."""
    try:
        return microseconds(parse_time(text))
    except (BadInput, ValueError, OverflowError):
        raise BadUsage(
            f"The parameter {name} is not a time.", advice="Write it like 2026-01-17T08:30:00.000Z."
        ) from None
