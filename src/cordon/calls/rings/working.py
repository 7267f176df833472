"""Hours of work and seats of a group, from when and how many of its calls overlap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cordon.calls.survey.distinct import distinct

Ints = NDArray[np.int64]
_DAY, _HOUR = 86_400_000_000, 3_600_000_000
_SLOT = 30 * 60_000_000  # half an hour (µs)
_EDGE = 0.03  # share of calls before and after which work begins and ends
_CLOSED = 0.1  # of a usual day's calls: a day of the week with fewer is closed
_BUSY_LEAST, _BUSY_MOST = 0.35, 0.85  # share of the time that an agent at work is on the line
_RING_S = 12.0  # dialling and ringing before a call is answered, or given up


@dataclass(frozen=True, slots=True)
class Working:
    """When and with how many it works.

    Attributes:
        opens, closes: local hour of day (0 to 24; closes past 24 where it works past midnight).
        closed: days of the week without work (0 is Monday); empty where too few were seen.
        seats, seats_least, seats_most: people calling at once, estimated, with its range.
        days: days with work.
    """

    opens: float
    closes: float
    closed: tuple[int, ...]
    seats: int
    seats_least: int
    seats_most: int
    days: int


def working(us: Ints, duration: NDArray[np.floating], handset: Ints, offset_s: int) -> Working:
    """From a group's calls, made and taken.

    Args:
        us: start (µs). duration: seconds, NaN where not recorded. handset: -1 where not recorded.
        offset_s: seconds that local time is ahead of UTC.

    A seat is one person on one line at a time: there are at least as many as calls overlap, and
    hardly more than the traffic of a busy half hour gives at the least share of time on the line
    (Erlang's offered traffic), nor than there are handsets at work in it.
    """
    local = us + offset_s * 1_000_000
    opens, closes = _hours((local % _DAY) / _HOUR)
    day = local // _DAY
    days = distinct(day)
    talk = np.nan_to_num(duration.astype(np.float64)) + _RING_S
    least = _overlapping(us, talk)
    slot, at = np.unique(local // _SLOT, return_inverse=True)
    traffic = np.bincount(at, talk) / (_SLOT / 1e6)
    busy = float(np.quantile(traffic, 0.9))
    most = int(np.ceil(busy / _BUSY_LEAST))
    guess = busy / ((_BUSY_LEAST + _BUSY_MOST) / 2)
    held = handset >= 0
    if held.mean() > 0.5:
        in_slot = _different(at[held], handset[held], len(slot))
        _, of_day = np.unique(day[held], return_inverse=True)
        in_day = _different(of_day, handset[held], int(of_day.max()) + 1)
        # some are at rest in any half hour; over a day one person may use several handsets
        guess = float(np.sqrt(np.quantile(in_slot, 0.9) * np.median(in_day)))
        most = max(most, int(np.quantile(in_day, 0.9)))
    seats = float(np.clip(guess, least, max(most, least)))
    return Working(opens, closes, _closed(day), round(seats), least, max(most, least), len(days))


def _different(group: Ints, value: Ints, size: int) -> Ints:
    """How many different values each group has."""
    pairs = distinct(group * (1 << 32) + value) >> 32
    return np.maximum(np.bincount(pairs, minlength=size), 1)


def _hours(hour: NDArray[np.floating]) -> tuple[float, float]:
    """The arc of the day with all but the edges, begun after the longest silence."""
    counts = np.bincount((hour * 4).astype(int) % 96, minlength=96)
    quiet = counts <= 0.002 * counts.sum()
    twice = np.concatenate([quiet, quiet])
    best, run, start = 0, 0, 0
    for i, silent in enumerate(twice):
        run = run + 1 if silent else 0
        if run > best:
            best, start = run, i + 1
    begin = (start % 96) / 4
    turned = np.sort((hour - begin) % 24)
    low, high = np.quantile(turned, [_EDGE, 1 - _EDGE])
    opens = (begin + float(low)) % 24
    return round(opens * 4) / 4, round((opens + float(high - low)) * 4) / 4


def _closed(day: Ints) -> tuple[int, ...]:
    span = int(day.max() - day.min()) + 1
    if span < 14:
        return ()
    every = np.bincount(day - day.min(), minlength=span)
    weekday = (np.arange(span) + int(day.min()) + 3) % 7  # the epoch was a Thursday
    mean = np.array([every[weekday == d].mean() for d in range(7)])
    return tuple(int(d) for d in np.flatnonzero(mean < _CLOSED * np.median(mean)))


def _overlapping(us: Ints, talk: NDArray[np.floating]) -> int:
    """Calls under way at once, for all but a thousandth of the busiest moments."""
    ends = us + (talk * 1e6).astype(np.int64)
    moments = np.concatenate([us, ends])
    step = np.concatenate([np.ones(len(us), np.int64), -np.ones(len(us), np.int64)])
    order = np.lexsort((step, moments))
    under_way = np.cumsum(step[order])[step[order] > 0]
    return max(1, int(np.quantile(under_way, 0.995)))
