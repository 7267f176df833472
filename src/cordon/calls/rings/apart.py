"""Lines of an honest business that a centre sits among: the same floor, hours and work."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cordon.calls.rings.lines import Lines
from cordon.calls.rings.uses import Uses
from cordon.calls.survey.profiles import Profiles

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
_DAY = 86_400_000_000
_SPAN = 7 * _DAY  # of a ring, from which on staying throughout says something
_EDGE = 3 * _DAY  # a closed day, and a holiday beside it
_OWN = 0.9  # of a line's calls, from the one handset that is its own
_KNOWN = 0.5  # of its calls whose handset is recorded
_USED = 2  # calls from a handset that are more than trying a SIM in it
_FEWEST = 3  # lines that must be left, to say from when to when the ring worked


def of_a_business(
    members: Ints, lines: Lines, uses: Uses, profiles: Profiles, business: Bools, named: Bools
) -> Bools:
    """For each member, whether it is a business's line that has no part in how SIMs are used up.

    Such a line has a handset of its own, which no other member uses, was there from the first to
    the last day of all others, is held by a business, and no complaint names it.

    Args:
        members: places in `lines`. business, named: of each of `lines`.
    """
    could = business[members] & ~named[members] & _own_handset(members, uses)
    rest = lines.at[members[~could]]
    none = np.zeros(len(members), bool)
    if len(rest) < _FEWEST:
        return none
    begin, end = profiles.first[rest].min(), profiles.last[rest].max()
    if end - begin < _SPAN:
        return none
    at = lines.at[members]
    throughout = (profiles.first[at] <= begin + _EDGE) & (profiles.last[at] >= end - _EDGE)
    return np.asarray(could & throughout)


def _own_handset(members: Ints, uses: Uses) -> Bools:
    """Whether each member calls from one handset that no other member uses."""
    main = np.full(len(members), -1, np.int64)
    users: dict[int, int] = {}
    for place, line in enumerate(members.tolist()):
        imei = uses.imei[uses.span(line)]
        held, often = np.unique(imei[imei >= 0], return_counts=True)
        for handset in held[often >= _USED].tolist():
            users[handset] = users.get(handset, 0) + 1
        if often.sum() >= _KNOWN * len(imei) and often.max(initial=0) >= _OWN * often.sum() > 0:
            main[place] = held[often.argmax()]
    return np.array([users.get(handset, 0) == 1 for handset in main.tolist()], bool)
