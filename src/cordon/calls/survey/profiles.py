"""What each number's own calls say of it, counted exactly over the calls in memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cordon.calls.survey.distinct import distinct
from cordon.calls.survey.near import Near

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
_HOUR, _DAY = 3_600_000_000, 86_400_000_000  # microseconds
_TIE_CALLS, _TIE_DAYS = 3, 2  # calls, on as many days, that make somebody more than a stranger


@dataclass(slots=True)
class Profiles:
    """One entry a number of `Near.numbers`; zero or NaN where it was only the other end.

    Attributes:
        out, inn: voice calls made and received. people: different people called.
        callers: different people who called it. back: people called who also called it.
        ties: people spoken to at least three times on at least two days.
        days: local days with calls made. met: people called a day, summed over days.
        first, last: µs of its first and last call or message. taken_days: days with calls taken.
        talk: median seconds of answered calls made; answered: share of calls made that were.
        taken_talk: median seconds of answered calls received.
        hours: calls by local hour of day, (n, 24), made and received together.
        spread: evenness of calls over the people called (Shannon entropy over its maximum).
    """

    out: Ints
    inn: Ints
    people: Ints
    callers: Ints
    back: Ints
    ties: Ints
    days: Ints
    taken_days: Ints
    met: Ints
    first: Ints
    last: Ints
    talk: Floats
    answered: Floats
    taken_talk: Floats
    hours: NDArray[np.int32]
    spread: Floats

    @property
    def people_a_day(self) -> Floats:
        """Different people called on a day with calls, in the mean."""
        return self.met / np.maximum(self.days, 1)

    @property
    def new_share(self) -> Floats:
        """Share of each day's people who had not been called on a day before."""
        return self.people / np.maximum(self.met, 1)


def profiles(near: Near, offset_s: int) -> Profiles:
    """Profiles of everybody in `near`.

    Args:
        offset_s: seconds that local time is ahead of UTC, for days and hours of day.
    """
    size = len(near.numbers)
    voice = near.voice & (near.caller != near.callee)
    a, b = near.caller[voice].astype(np.int64), near.callee[voice].astype(np.int64)
    us = near.us[voice] + offset_s * 1_000_000
    day, hour = us // _DAY, (us // _HOUR) % 24
    out, inn = np.bincount(a, minlength=size), np.bincount(b, minlength=size)
    pair, calls = np.unique(a * size + b, return_counts=True)
    pa, pb = pair // size, pair % size
    reverse = np.isin(pb * size + pa, pair, assume_unique=True)
    days0 = day - day.min() if len(day) else day
    width = int(days0.max()) + 1 if len(day) else 1
    per_day = distinct((a * size + b) * width + days0)
    _, pair_days = np.unique(per_day // width, return_counts=True)
    tie = (calls >= _TIE_CALLS) & (pair_days >= _TIE_DAYS)
    # a tie is one whoever of the two calls
    both = distinct(np.concatenate([pair[tie], (pb * size + pa)[tie]]))
    plogp = np.bincount(pa, calls * np.log(calls), minlength=size)
    people = np.bincount(pa, minlength=size)
    with np.errstate(divide="ignore", invalid="ignore"):
        entropy = (np.log(out) - plogp / out) / np.log(people)
    made_days = distinct(a * width + days0)
    took_days = distinct(b * width + days0)
    first = np.full(size, np.iinfo(np.int64).max)
    last = np.full(size, np.iinfo(np.int64).min)
    for end in (near.caller, near.callee):
        np.minimum.at(first, end, near.us)
        np.maximum.at(last, end, near.us)
    talked = near.duration[voice] > 0
    told = ~np.isnan(near.duration[voice])
    with np.errstate(divide="ignore", invalid="ignore"):
        answered = np.bincount(a, talked, minlength=size) / np.bincount(a, told, minlength=size)
    flat = np.bincount(a * 24 + hour, minlength=size * 24) + np.bincount(
        b * 24 + hour, minlength=size * 24
    )
    return Profiles(
        out,
        inn,
        people,
        np.bincount(pb, minlength=size),
        np.bincount(pa[reverse], minlength=size),
        np.bincount(both // size, minlength=size),
        np.bincount(made_days // width, minlength=size),
        np.bincount(took_days // width, minlength=size),
        np.bincount(per_day // width // size, minlength=size),
        first,
        last,
        median_by(a[talked], near.duration[voice][talked], size),
        answered,
        median_by(b[talked], near.duration[voice][talked], size),
        flat.reshape(size, 24).astype(np.int32),
        np.where(people > 1, entropy, np.nan),
    )


def median_by(group: Ints, value: NDArray[np.float32], size: int) -> Floats:
    """The lower median of each group's values; NaN for a group without any.

    Args:
        value: not below 0: then its bits are ordered as it is, and sorted as one with the group.
    """
    both = group.astype(np.int64) << 32 | value.astype(np.float32).view(np.uint32)
    both.sort()
    counts = np.bincount(group, minlength=size)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    found = np.full(size, np.nan)
    held = counts > 0
    middle = both[starts[held] + (counts[held] - 1) // 2] & 0xFFFFFFFF
    found[held] = middle.astype(np.uint32).view(np.float32)
    return found
