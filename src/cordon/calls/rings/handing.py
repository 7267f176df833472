"""Whether one group hands people on to another: who the one reached, the other speaks with next.

Machines ring thousands of people and a few agents take those who bite. What they do has nothing in
common, neither how often nor how long they talk; that the agents deal with those people and with
hardly anybody else tells that they are one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cordon.calls.rings.uses import Uses

Ints = NDArray[np.int64]
_SECOND, _DAY = 1_000_000, 86_400
_FEWEST, _SHARE = 10, 0.3  # people handed on, and of those that the other deals with, at least
_BEYOND = 3.0  # times as many as by chance
_BITS = 32  # of the seconds in a key


@dataclass(frozen=True, slots=True)
class Contacts:
    """With whom a group dealt, and when.

    Attributes:
        reached: person * 2**32 + second, of each call that it made, ascending. moments: seconds of
            these calls, ascending.
        people, first: whom it dealt with at all, and the second of the first time.
    """

    reached: Ints
    moments: Ints
    people: Ints
    first: Ints


def contacts(uses: Uses, entries: Ints) -> Contacts:
    """Contacts of a group from its entries in `uses`."""
    second = (uses.us[entries] - int(uses.us.min())) // _SECOND
    who, made = uses.other[entries], uses.made[entries]
    people, at = np.unique(who, return_inverse=True)
    first = np.full(len(people), np.iinfo(np.int64).max)
    np.minimum.at(first, at, second)
    reached = np.sort((who[made] << _BITS) + second[made])
    return Contacts(reached, np.sort(second[made]), people, first)


def hands_on(one: Contacts, other: Contacts, population: int) -> bool:
    """True where the other first deals with people within a day after the one called them.

    Args:
        population: numbers in the calls at all, of which chance would meet as many.
    """
    begin = np.searchsorted(one.reached, (other.people << _BITS) + other.first - _DAY)
    end = np.searchsorted(one.reached, (other.people << _BITS) + other.first)
    handed = int((end > begin).sum())
    before = np.searchsorted(one.moments, other.first)
    meanwhile = before - np.searchsorted(one.moments, other.first - _DAY)
    by_chance = float(np.minimum(meanwhile / max(population, 1), 1.0).sum())
    enough = handed >= max(_FEWEST, _SHARE * len(other.people))
    return enough and handed > _BEYOND * by_chance
