"""What each number's own calls say of it, counted exactly over the calls in memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cordon.calls.survey.distinct import ordered
from cordon.calls.survey.near import Near

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
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
    # loads what is compiled, which a search that finds nobody does not need
    from cordon.calls.survey import habits

    size, ahead = len(near.numbers), offset_s * 1_000_000
    lines, hours = np.zeros((size, 8), np.int64), np.zeros((size, 24), np.int32)
    lines[:, habits.FIRST] = np.iinfo(np.int64).max
    lines[:, habits.LAST] = np.iinfo(np.int64).min
    day = habits.each(
        near.us, near.caller, near.callee, near.voice, near.duration, ahead, lines, hours
    )
    voice = near.voice & (near.caller != near.callee)
    a, b, duration = near.caller[voice], near.callee[voice], near.duration[voice]
    ends = a.astype(np.int64) * size + b
    pair, calls, days = habits.pairs(ends, ordered(ends), day[voice])
    one = (pair // max(size, 1)).astype(np.int32)
    other = (pair - one.astype(np.int64) * size).astype(np.int32)
    met = habits.met(one, other, calls, days, size, _TIE_CALLS, _TIE_DAYS)
    out, inn, made_days, taken_days, first, last, told, answers = np.ascontiguousarray(lines.T)
    people, callers, back, ties, people_days = np.ascontiguousarray(met.T)
    plogp = np.bincount(one, calls * np.log(calls), minlength=size)
    talked = duration > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        entropy = (np.log(out) - plogp / out) / np.log(people)
        answered = answers / told
    return Profiles(
        out,
        inn,
        people,
        callers,
        back,
        ties,
        made_days,
        taken_days,
        people_days,
        first,
        last,
        median_by(a[talked], duration[talked], size),
        answered,
        median_by(b[talked], duration[talked], size),
        hours,
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
