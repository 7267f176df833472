"""Whether two groups of lines at one place are one room, by what they do.

Evidence is in nats, for their being one: when they work, when they open and close day by day, whom
they call, abroad or not, how long they talk.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cordon.calls.rings.addresses import Beside
from cordon.calls.rings.uses import Uses

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
_DAY, _QUARTER = 86_400_000_000, 900_000_000

_PLACE = ((0.0, 0.5, 0.6, 1.0), (-4.0, 0.0, 0.5, 2.0))  # by the share of pairs at one place
_AT_ONE = 0.5  # that share, below which no address speaks for it
_HOURS = (30.0, 0.94, -8.0, 1.0)  # slope, overlap at which it says nothing, least, most
_WEEK = (30.0, 0.94, -4.0, 0.5)
_WEEKS = 13 * _DAY
_BY_CHANCE = 1.2  # overlap that two samples of one pattern lose, times one by their calls
_SURE = 30.0  # calls at which a pattern of hours is half believed
_QUARTERS = 300.0  # calls of both, from which on hours are compared by the quarter
_CALLEES_MOST = 1.0
_LOCAL = 3.0  # two who call the people of one town share so many times more than by chance
_APART = (0.5, 4.0)  # a difference of shares (abroad, made) that speaks against, and how much
_TALK = (0.5, 4.0)  # the same for the logarithm of how long they talk
_EDGE = 0.05  # of a day's calls, before a room opens and after it closes
_LATER = 2  # so many quarters of an hour later one opens than the other, and closes
_A_DAY, _DAYS, _MOSTLY = 20, 3, 0.8  # calls of both on a day; such days; share of them
_ENTRIES = 20_000_000  # of a table of groups, days and quarters
_SHIFTED = (6.0, 1.0)  # nats against, by days over days and so many


@dataclass(slots=True)
class Traits:
    """What groups do, one entry a group.

    Attributes:
        calls: how many. quarters, hours, week: calls by local quarter of an hour, hour, and day of
            the week.
        abroad: of the calls, with other countries. made: of the calls, by it.
        talk: summed logarithm of answered seconds. talks: answered calls.
        begin, end: µs of the first and the last call.
    """

    calls: Floats
    quarters: Floats
    hours: Floats
    week: Floats
    abroad: Floats
    made: Floats
    talk: Floats
    talks: Floats
    begin: Floats
    end: Floats

    def of(self, members: Ints) -> Traits:
        """Those of some of the groups, to be merged."""
        return Traits(*(getattr(self, n)[members].copy() for n in Traits.__slots__))

    def merge(self, a: int, b: int) -> None:
        """Add group b to group a."""
        self.begin[a] = min(self.begin[a], self.begin[b])
        self.end[a] = max(self.end[a], self.end[b])
        for name in Traits.__slots__:
            if name not in ("begin", "end"):
                column = getattr(self, name)
                column[a] += column[b]


def traits(
    uses: Uses,
    count: int,
    abroad: NDArray[np.bool_],
    duration: NDArray[np.floating],
    offset_s: int,
) -> Traits:
    """What each group does.

    Args:
        uses: of the groups, of which `count` are there.
        abroad, duration: as of `gathering.gather`, in the order of `uses`.
        offset_s: seconds that local time is ahead of UTC.
    """
    of = uses.of
    local = uses.us + offset_s * 1_000_000
    quarter, week = (local // _QUARTER) % 96, (local // _DAY) % 7
    talked = np.nan_to_num(duration) > 0
    logs = np.log(np.where(talked, np.nan_to_num(duration), 1.0))
    begin, end = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(begin, of, uses.us.astype(float))
    np.maximum.at(end, of, uses.us.astype(float))
    by_quarter = np.bincount(of * 96 + quarter, minlength=count * 96)
    quarters: Floats = by_quarter.reshape(count, 96).astype(np.float64)
    return Traits(
        np.bincount(of, minlength=count).astype(float),
        quarters,
        quarters.reshape(count, 24, 4).sum(axis=2),
        np.bincount(of * 7 + week, minlength=count * 7).reshape(count, 7).astype(float),
        np.bincount(of, abroad, minlength=count).astype(float),
        np.bincount(of, uses.made, minlength=count).astype(float),
        np.bincount(of, logs, minlength=count).astype(float),
        np.bincount(of, talked, minlength=count).astype(float),
        begin,
        end,
    )


@dataclass(slots=True)
class Openings:
    """When groups at one place open and close, day by day.

    Attributes:
        by_quarter: calls by group, day and quarter of an hour; a day begins when all of them are
            most silent.
        calls: on a day (groups × days). first, last: quarters within which all calls of a day lie
            but one in twenty at either end.
    """

    by_quarter: NDArray[np.uint16]
    calls: Floats
    first: Floats
    last: Floats

    def merge(self, a: int, b: int) -> None:
        """Add group b to group a."""
        self.by_quarter[a] += self.by_quarter[b]
        of = _of(self.by_quarter[a][None])
        for column, value in zip((self.calls, self.first, self.last), of, strict=True):
            column[a] = value[0]

    def evidence(self, a: int, which: Ints) -> Floats:
        """Nats for group `a` and each of those being one: rooms that open later and close later.

        One of two shifts opens later too, and people of one room come late or leave early; what
        does both, by as little as an hour and day after day, keeps another room's hours.
        """
        enough = (self.calls[which] >= _A_DAY) & (self.calls[a] >= _A_DAY)
        opens, closes = self.first[which] - self.first[a], self.last[which] - self.last[a]
        later = ((opens >= _LATER) & (closes >= _LATER) & enough).sum(axis=1)
        sooner = ((opens <= -_LATER) & (closes <= -_LATER) & enough).sum(axis=1)
        days = enough.sum(axis=1)
        shifted = (days >= _DAYS) & (np.maximum(later, sooner) >= _MOSTLY * days)
        most, half = _SHIFTED
        return np.where(shifted, -most * days / (days + half), 0.0)


def openings(uses: Uses, members: Ints, quarters: Floats, offset_s: int) -> Openings:
    """When some of the groups open and close.

    Args:
        uses: of the groups. members: those that are asked for.
        quarters: their calls by local quarter of an hour.
    """
    silent = _silent(quarters.sum(axis=0))
    entries = uses.entries(members)
    of = np.repeat(np.arange(len(members)), np.diff(uses.starts)[members])
    local = uses.us[entries] + offset_s * 1_000_000 - silent * _QUARTER
    day = local // _DAY
    # of many groups over a long time the last days tell, as memory is bounded
    first = max(int(day.min()), int(day.max()) + 1 - max(1, _ENTRIES // (96 * len(members))))
    kept = day >= first
    by_quarter = np.zeros((len(members), int(day.max()) + 1 - first, 96), np.uint16)
    np.add.at(by_quarter, (of[kept], day[kept] - first, local[kept] // _QUARTER % 96), 1)
    return Openings(by_quarter, *_of(by_quarter))


def _of(by_quarter: NDArray[np.uint16]) -> tuple[Floats, Floats, Floats]:
    """Calls, first and last quarter of each group's days."""
    upto = np.cumsum(by_quarter, axis=2, dtype=np.float32)
    calls = upto[:, :, -1].astype(float)
    few = np.maximum(_EDGE * calls, 1.0)[:, :, None]
    first = (upto < few).sum(axis=2).astype(float)
    last = (upto <= calls[:, :, None] - few).sum(axis=2).astype(float)
    return calls, first, last


def _silent(quarters: Floats) -> int:
    """The quarter of an hour in the middle of the two most silent hours."""
    around = np.concatenate([quarters, quarters[:7]])
    return (int(np.convolve(around, np.ones(8), "valid").argmin()) + 4) % 96


def evidence(
    a: int,
    others: Ints,
    t: Traits,
    opened: Openings,
    place: Floats,
    shared: Floats,
    expected: Floats,
    ties: Beside | None,
) -> Floats:
    """Nats for group `a` and each of the others being one.

    Args:
        place: for each of the others, share of pairs of blocks that are at one place. shared: the
            people that both called, summed over those pairs; expected: such by chance.
        ties: internet addresses of all groups, where sessions tell.
    """
    calls, talks = t.calls[others], t.talks[others]
    fewer = np.minimum(t.calls[a], calls)
    sure = fewer / (fewer + _SURE)
    few = _BY_CHANCE * (1 / t.calls[a] + 1 / calls)
    many = fewer >= _QUARTERS
    hours = np.where(
        many,
        # four times as many bins lose as much more
        _overlap(t.quarters[others], t.quarters[a], _HOURS, 4 * few),
        _overlap(t.hours[others], t.hours[a], _HOURS, few),
    )
    lived = np.minimum(t.end[others] - t.begin[others], t.end[a] - t.begin[a])
    week = np.where(  # to know a closed day takes weeks
        lived >= _WEEKS, _overlap(t.week[others], t.week[a], _WEEK, few) * sure, 0.0
    )
    by_chance = np.maximum(_LOCAL * expected, 1e-9)
    with np.errstate(divide="ignore", invalid="ignore"):
        surprise = shared * np.log(shared / by_chance) - shared + by_chance
    surprise = np.where(shared > np.maximum(by_chance, 1.0), surprise, 0.0)
    callees = np.clip(surprise, 0, _CALLEES_MOST)
    far = (np.abs(t.abroad[others] / calls - t.abroad[a] / t.calls[a]) > _APART[0]).astype(float)
    far += np.abs(t.made[others] / calls - t.made[a] / t.calls[a]) > _APART[0]
    talk = t.talk[others] / np.maximum(talks, 1) - t.talk[a] / np.maximum(t.talks[a], 1)
    apart = np.maximum(np.abs(talk) - _TALK[0], 0.0)
    both = np.minimum(talks, t.talks[a])
    longer = np.minimum((apart / _TALK[0]) ** 2, 1.0) * _TALK[1] * both / (both + _SURE)
    said = np.interp(place, *_PLACE) + hours * sure + week + callees
    said -= far * _APART[1] * sure + longer
    told = np.zeros(len(others))
    if ties is not None:
        told = ties.evidence(a, others)
        # what is not at one place is no group, whatever it reaches
        said += np.where(place >= _AT_ONE, told, np.minimum(told, 0.0))
    # shifts that overlap open and close later too: an address of their own says that it is those
    asked = np.flatnonzero((said > 0) & many & (told <= 0))
    said[asked] += opened.evidence(a, others[asked])
    return np.asarray(said)


def _overlap(
    table: Floats, own: Floats, shape: tuple[float, float, float, float], few: Floats
) -> Floats:
    """Bhattacharyya overlap of one group's pattern with each other's, as nats."""
    slope, nothing, least, most = shape
    own = np.sqrt((own + 0.25) / (own + 0.25).sum())
    smooth = table + 0.25
    roots = np.sqrt(smooth / smooth.sum(axis=1, keepdims=True))
    return np.asarray(np.clip(slope * (roots @ own + few - nothing), least, most))
