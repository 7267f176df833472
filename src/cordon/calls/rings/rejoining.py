"""Groups that are one room: its lines fall silent together, day by day.

Where a room is, two networks' cells say only so well: in sparse cells the two middles lie farther
apart than two rooms of a town do. And lines that went along to the next place after a raid are
first gathered with those of that place. What such groups do tells it then: one room opens, pauses
and closes at one time, on the same days, and one list of people answers as often and talks as long.
Or the one hands people on to the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cordon.calls.rings.ground import METRES, Ground
from cordon.calls.rings.handing import Contacts, contacts, hands_on
from cordon.calls.rings.sites import Sites, weighted_median
from cordon.calls.rings.uses import Uses

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
_DAY, _QUARTER = 86_400_000_000, 900_000_000
_CALLS = 150  # of each, that say when it works
_BY_CHANCE = 5.0  # overlap by quarters that two samples lose, times one by their calls
_CELLS = 0.5  # overlap of cells, at least, within each network that both use
_USES = 0.1  # share of its calls from which on a group uses a network
_HOURS, _DAYS = 0.97, 0.85  # overlap of quarters of an hour and of days, at least
_SHARE_OF_HOUR, _AROUND = 0.015, 15  # of calls; such hours, from which on it is around the clock
_AGAIN = 1.5  # calls for each person
_TALK, _ANSWERED, _WAY = 0.3, 0.1, 0.2  # so far logarithms of talk and shares may differ


@dataclass(frozen=True, slots=True)
class _Working:
    calls: int
    quarters: Floats
    days: Floats
    talk: float
    shares: Floats  # answered, made, abroad
    lat: float
    lon: float
    reach: float
    cells: dict[int, Floats]  # by network
    contacts: Contacts


def rejoined(
    groups: Sequence[Ints],
    uses: Uses,
    sites: Sites,
    ground: Ground,
    abroad: NDArray[np.bool_],
    duration: NDArray[np.floating],
    offset_s: int,
    population: int,
) -> list[list[int]]:
    """Which of the groups are one, as positions in `groups`, each in one list.

    A group joins others where it is alike with each of them: what lies between two rooms is a
    little like both.

    Args:
        groups: places of lines in `uses` and `sites`. abroad, duration: as of `gathering.gather`.
        offset_s: seconds that local time is ahead of UTC. population: numbers in the calls at all.
    """
    seen = [_working(g, uses, sites, ground, abroad, duration, offset_s) for g in groups]
    rooms: list[list[int]] = []
    for at, own in enumerate(seen):
        room = next(
            (r for r in rooms if own is not None and _all_alike(own, r, seen, population)), None
        )
        if room is None:
            rooms.append([at])
        else:
            room.append(at)
    return rooms


def _all_alike(
    own: _Working, room: list[int], seen: Sequence[_Working | None], population: int
) -> bool:
    others = [seen[at] for at in room]
    return all(
        other is not None
        and _near(other, own)
        and (_works_alike(other, own) or _hand_on(other, own, population))
        for other in others
    )


def _works_alike(a: _Working, b: _Working) -> bool:
    away = np.abs(a.shares - b.shares)
    if abs(a.talk - b.talk) > _TALK or (away > (_ANSWERED, _WAY, _WAY)).any():
        return False
    if _carries(a) and _carries(b):
        return False
    few = _BY_CHANCE * (1 / a.calls + 1 / b.calls)
    quarters = _overlap(a.quarters, b.quarters) + few
    return bool(quarters >= _HOURS and _overlap(a.days, b.days) >= _DAYS)


def _carries(a: _Working) -> bool:
    """Whether it works around the clock and calls people again: all gateways' hours are alike."""
    by_hour = a.quarters.reshape(24, 4).sum(axis=1)
    hours = np.count_nonzero(by_hour >= _SHARE_OF_HOUR * by_hour.sum())
    return bool(hours >= _AROUND and a.calls >= _AGAIN * len(a.contacts.people))


def _hand_on(a: _Working, b: _Working, population: int) -> bool:
    """One way only: two gateways call the same kin of people abroad, to and fro."""
    one, two = a.contacts, b.contacts
    return hands_on(one, two, population) != hands_on(two, one, population)


def _near(a: _Working, b: _Working) -> bool:
    both = a.cells.keys() & b.cells.keys()
    if both:  # one floor is served alike in every network
        return all(_overlap(a.cells[n], b.cells[n]) >= _CELLS for n in both)
    east = (a.lon - b.lon) * METRES * np.cos(np.radians(a.lat))
    return bool(np.hypot((a.lat - b.lat) * METRES, east) <= a.reach + b.reach)


def _overlap(a: Floats, b: Floats) -> float:
    """Bhattacharyya overlap of two counts."""
    return float(np.sqrt(a / a.sum()) @ np.sqrt(b / b.sum()))


def _working(
    members: Ints,
    uses: Uses,
    sites: Sites,
    ground: Ground,
    abroad: NDArray[np.bool_],
    duration: NDArray[np.floating],
    offset_s: int,
) -> _Working | None:
    """When and where a group works; None where its calls are too few to say, or lie nowhere."""
    at = uses.entries(members)
    placed = members[~np.isnan(sites.lat[members])]
    cell = uses.cell[at]
    cell = cell[cell >= 0]
    if len(at) < _CALLS or not len(placed) or not len(cell):
        return None
    local = uses.us[at] + offset_s * 1_000_000
    talked = np.nan_to_num(duration[at]) > 0
    weight = sites.located[placed].astype(float)
    return _Working(
        len(at),
        np.bincount((local // _QUARTER) % 96, minlength=96).astype(float),
        _by_day(uses.us, local),
        float(np.log(duration[at][talked]).mean()) if talked.any() else 0.0,
        np.array([talked.mean(), uses.made[at].mean(), abroad[at].mean()]),
        weighted_median(sites.lat[placed], weight),
        weighted_median(sites.lon[placed], weight),
        float(np.median(sites.reach[placed])),
        _by_network(cell, ground),
        contacts(uses, at),
    )


def _by_network(cell: Ints, ground: Ground) -> dict[int, Floats]:
    """Calls by cell of each network that a group uses."""
    calls = np.bincount(cell, minlength=len(ground.network)).astype(float)
    of = np.bincount(ground.network, calls)
    used = np.flatnonzero(of >= _USES * calls.sum())
    return {int(n): np.where(ground.network == n, calls, 0.0) for n in used}


def _by_day(every: Ints, local: Ints) -> Floats:
    """Calls by local day, on days that are the same for all groups."""
    first = int(every.min()) // _DAY - 1
    last = int(every.max()) // _DAY + 2
    return np.bincount(local // _DAY - first, minlength=last - first + 1).astype(float)
