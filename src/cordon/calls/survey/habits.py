"""What numbers do, counted in loops over calls that stand by time, compiled."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cordon.kernel.compiled import compiled

Ints = NDArray[np.int64]

OUT, INN, MADE_DAYS, TAKEN_DAYS, FIRST, LAST, TOLD, TALKED = range(8)
"""What stands in a line of `each`: voice calls made and received; days with them; µs of the first
and last call or message; calls made whose duration is told, and of those the answered."""

PEOPLE, CALLERS, BACK, TIES, MET = range(5)
"""What stands in a line of `met`: people called and people called by; people called who call too;
ties; people called a day, summed over days."""

_HOUR, _DAY, _HOURS = 3_600_000_000, 86_400_000_000, 24  # µs, µs, hours


@compiled
def each(
    us: Ints,
    caller: NDArray[np.int32],
    callee: NDArray[np.int32],
    voice: NDArray[np.bool_],
    duration: NDArray[np.float32],
    offset: int,
    lines: Ints,
    hours: NDArray[np.int32],
) -> NDArray[np.int32]:
    """Count what each number does; the local day of each call, from the epoch.

    Args:
        us: ascending. voice: or a message. duration: s, NaN where not told.
        offset: µs that local time is ahead.
        lines: (numbers, 8) of zeros but for FIRST and LAST. hours: (numbers, 24) of zeros, of
            voice calls by local hour, made and received together.
    """
    made, taken = np.full(len(lines), -1), np.full(len(lines), -1)
    days = np.empty(len(us), np.int32)
    begun, day, hour = np.int64(0), np.int64(0), np.int64(0)
    for i in range(len(us)):
        a, b = caller[i], callee[i]
        if i == 0 or us[i] - begun >= _HOUR:  # to divide costs more than all that is counted
            hour = (us[i] + offset) // _HOUR
            begun = hour * _HOUR - offset
            day, hour = hour // _HOURS, hour % _HOURS
        days[i] = day
        lines[a, FIRST] = min(lines[a, FIRST], us[i])
        lines[a, LAST] = max(lines[a, LAST], us[i])
        lines[b, FIRST] = min(lines[b, FIRST], us[i])
        lines[b, LAST] = max(lines[b, LAST], us[i])
        if not voice[i] or a == b:
            continue
        lines[a, OUT] += 1
        lines[b, INN] += 1
        hours[a, hour] += 1
        hours[b, hour] += 1
        if made[a] != day:
            made[a] = day
            lines[a, MADE_DAYS] += 1
        if taken[b] != day:
            taken[b] = day
            lines[b, TAKEN_DAYS] += 1
        if not np.isnan(duration[i]):
            lines[a, TOLD] += 1
            if duration[i] > 0:
                lines[a, TALKED] += 1
    return days


@compiled
def pairs(
    ends: Ints, order: Ints, day: NDArray[np.int32]
) -> tuple[Ints, NDArray[np.int32], NDArray[np.int32]]:
    """The different pairs, and of each how many calls and on how many days.

    Args:
        ends: both ends of each call as one number. order: the calls by that, then by time.
        day: of each call.
    """
    pair = np.empty(len(order), np.int64)
    calls, days = np.empty(len(order), np.int32), np.empty(len(order), np.int32)
    found, last, on = -1, np.int64(-1), np.int32(0)
    for i in order:
        if ends[i] != last:
            last = ends[i]
            found += 1
            pair[found], calls[found], days[found] = last, 1, 1
        else:
            calls[found] += 1
            days[found] += day[i] != on
        on = day[i]
    found += 1
    return pair[:found].copy(), calls[:found].copy(), days[:found].copy()


@compiled
def met(
    one: NDArray[np.int32],
    other: NDArray[np.int32],
    calls: NDArray[np.int32],
    days: NDArray[np.int32],
    size: int,
    tie_calls: int,
    tie_days: int,
) -> Ints:
    """Whom each of `size` numbers deals with, a line each (PEOPLE to MET).

    Args:
        one, other: caller and callee of each pair, ascending. calls, days: of each.
        tie_calls, tie_days: calls, on as many days, from which on the two are tied.
    """
    lines = np.zeros((size, 5), np.int64)
    starts = np.zeros(size + 1, np.int64)
    for n in range(len(one)):
        starts[one[n] + 1] += 1
    for a in range(size):
        starts[a + 1] += starts[a]
    for n in range(len(one)):
        a, b = one[n], other[n]
        lines[a, PEOPLE] += 1
        lines[b, CALLERS] += 1
        lines[a, MET] += days[n]
        low, high = starts[b], starts[b + 1]
        while low < high:
            middle = (low + high) // 2
            if other[middle] < a:
                low = middle + 1
            else:
                high = middle
        calls_back = low < starts[b + 1] and other[low] == a
        if calls_back:
            lines[a, BACK] += 1
        if calls[n] >= tie_calls and days[n] >= tie_days:
            lines[a, TIES] += 1
            # whoever of the two calls: told of the other too, unless it tells so itself
            if not (calls_back and calls[low] >= tie_calls and days[low] >= tie_days):
                lines[b, TIES] += 1
    return lines


@compiled
def repeated(
    ends: Ints,
    order: Ints,
    us: Ints,
    duration: NDArray[np.float32],
    origin: NDArray[np.int32],
    again: NDArray[np.bool_],
    same_start: int,
    same_talk: float,
) -> Ints:
    """Of each call the one that it is: itself, or the one before it that is the same, or nearly
    so in another file.

    Args:
        ends: what makes two calls of one kind between the same two. order: the calls by that,
            then by time. us, duration, origin: of each call; duration in s, NaN where not told.
        again: of each, whether it is known to stand before: another answers for it, the nearest.
        same_start, same_talk: so far (µs, s) two records of one call differ.
    """
    kept = np.arange(len(order))
    before = np.int64(-1)  # the last one that is not known to stand before
    for one in order:
        if again[one]:
            continue
        if before >= 0 and ends[one] == ends[before]:
            a, b, apart = duration[one], duration[before], us[one] - us[before]
            same = a == b or (np.isnan(a) and np.isnan(b))
            if origin[one] != origin[before] and apart <= same_start:
                same = same or abs(a - b) <= same_talk
            else:
                same = same and apart == 0
            if same:
                kept[one] = kept[before]
        before = one
    for n in range(len(order)):
        if again[order[n]]:
            two = _nearest(n, ends, order, us, duration, again, same_start, same_talk)
            kept[order[n]] = kept[two]
    return kept


@compiled
def _nearest(
    n: int,
    ends: Ints,
    order: Ints,
    us: Ints,
    duration: NDArray[np.float32],
    again: NDArray[np.bool_],
    same_start: int,
    same_talk: float,
) -> np.int64:
    """The call not known to stand before that is nearest to the one at `n` of the order and may
    be the same; that one itself where there is none."""
    one = order[n]
    found, least, off = one, np.int64(same_start), np.float32(same_talk)
    for step in (-1, 1):
        m = n + step
        while 0 <= m < len(order) and ends[order[m]] == ends[one]:
            two = order[m]
            apart, talk = abs(us[one] - us[two]), abs(duration[one] - duration[two])
            m += step
            if apart > least:
                break
            if np.isnan(talk):
                talk = np.float32(0.0)
            if not again[two] and talk <= (off if apart == least else np.float32(same_talk)):
                found, least, off = two, apart, talk
    return np.int64(found)


@compiled
def filled(kept: Ints, values: NDArray[np.int32], gave: NDArray[np.bool_]) -> None:
    """Write into calls what they lack and others, that are the same ones, have.

    Args:
        kept: of each call the one that it is the same as. values: a column, -1 where not told.
        gave: of each call, whether it gave anything; written here.
    """
    for i in range(len(kept)):
        at = kept[i]
        if at != i and values[i] >= 0 and values[at] < 0:
            values[at] = values[i]
            gave[i] = True
