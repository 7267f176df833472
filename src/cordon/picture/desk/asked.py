"""What addresses of the picture ask for: spans of time, indexes, subjects."""

from __future__ import annotations

from datetime import datetime, timedelta

from cordon.kernel.clock import parse_time
from cordon.kernel.errors import BadInput
from cordon.picture.desk.stored import Span

MOST_NAMES = 500


def read_span(since: str, until: str, now: datetime, length: timedelta) -> Span:
    """A span of an address; the last `length` where neither end is given.

    Args:
        since, until: RFC 3339 or empty; where one is empty, it lies `length` from the other, or
            is now.
    """
    begin = parse_time(since) if since.strip() else None
    end = parse_time(until) if until.strip() else None
    if end is None:
        end = now if begin is None else min(now, begin + length)
    if begin is None:
        begin = end - length
    return Span(begin, end)


def read_hours(text: str, default: float, most: float) -> timedelta:
    """A length in hours of an address; BadInput where it is none or too long."""
    try:
        hours = float(text) if text.strip() else default
    except ValueError:
        hours = -1.0
    if not 0 < hours <= most:
        raise BadInput(f"The span is no number of hours up to {most:g}.")
    return timedelta(hours=hours)


def read_indexes(text: str) -> list[int]:
    """Indexes of frames, `1,2,3`, at most 500 of them."""
    parts = [p for p in text.split(",") if p][:MOST_NAMES]
    if not all(p.isdigit() and len(p) < 10 for p in parts):
        raise BadInput("The indexes are not numbers with commas between.")
    return [int(p) for p in parts]
