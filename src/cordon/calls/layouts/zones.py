"""The zone that a time names behind itself: by its distance from UTC, or by letters."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from types import MappingProxyType
from zoneinfo import ZoneInfo

_ZONED = re.compile(r"(.*\d)\s*(?:([zZ])|([+-])(\d{2}):?(\d{2}))")
_LETTERED = re.compile(r"(.*\d(?:\s*[AaPp]\.?[Mm]\.?)?)\s*\(?([A-Z]{3,5})\)?")
_OF_UTC = MappingProxyType({"UTC": 0, "GMT": 0})
_YEARS = range(1990, 2100, 5)  # a country may change its clock, and its name, between them
_NO_LETTERS: Mapping[str, int] = MappingProxyType({})


def zoned(text: str, known: Mapping[str, int] = _NO_LETTERS) -> tuple[str, int] | None:
    """A time and the seconds that its clock is ahead of UTC; None where it does not say so.

    Args:
        known: zones by letters, as `letters_of` has them.
    """
    found = _ZONED.fullmatch(text.strip())
    if found is not None:
        ahead = 0 if found[2] else int(found[4]) * 3600 + int(found[5]) * 60
        return found[1], -ahead if found[3] == "-" else ahead
    told = lettered(text)
    return (told[0], known[told[1]]) if told is not None and told[1] in known else None


def lettered(text: str) -> tuple[str, str] | None:
    """A time and the letters behind it that name its zone; None where there are none."""
    found = _LETTERED.fullmatch(text.strip())
    return None if found is None else (found[1], found[2])


@cache
def letters_of(zone: str) -> Mapping[str, int]:
    """The letters by which a clock (IANA name) is called, and UTC, each with seconds ahead of it.

    Letters alone name no zone: `IST` is India's, Israel's and Ireland's. Only whose clock is
    known already can be confirmed by them.
    """
    clock = ZoneInfo(zone)
    at = (datetime(y, m, 15, 12, tzinfo=UTC).astimezone(clock) for y in _YEARS for m in (1, 7))
    found = {str(t.tzname()): int((t.utcoffset() or UTC.utcoffset(t)).total_seconds()) for t in at}
    return MappingProxyType({**{n: s for n, s in found.items() if n.isalpha()}, **_OF_UTC})


def unknown_letters(times: Iterable[str | None], zone: str) -> list[str]:
    """Letters behind times that name neither UTC nor a layout's clock (IANA name), sorted."""
    known = letters_of(zone)
    told = (lettered(t) for t in times if t)
    return sorted({t[1] for t in told if t is not None and t[1] not in known})
