"""How many complaints name lines by chance: mass callers are named by some of those they reach.

Pollsters, collectors and agents are complained of in proportion to the people whom they call.
How often, lines of the same data that keep their handsets and stay tell.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cordon.calls.rings.complaining import UNEVEN
from cordon.calls.rings.lines import Lines
from cordon.calls.rings.uses import Uses
from cordon.calls.survey.near import SAMPLE, Near
from cordon.calls.survey.profiles import Profiles

Ints = NDArray[np.int64]
_WEEK = 7 * 86_400_000_000  # µs
_USED = 2  # calls from a handset that are more than trying a SIM in it
_KNOWN = 0.5  # share of uses whose handset is recorded, below which it tells nothing
_ALL_ALONG = 0.9  # of the time, that a line must be there where no handset tells


class Naming:
    """Complaints that name lines, beside the people that they reach.

    Args:
        named: for each of `near.numbers`, complaints that name it and count. population: numbers
            in the calls at all. exempt: which of the lines are; fraudsters show a bank's number as
            theirs, so that complaints which name one tell nothing of other lines.
    """

    def __init__(
        self,
        named: Ints,
        near: Near,
        profiles: Profiles,
        lines: Lines,
        uses: Uses,
        exempt: NDArray[np.bool_],
        population: int,
    ) -> None:
        p, at = profiles, lines.at
        reached = p.people + p.callers - p.back
        self._people, self._named = reached[at], named[at]
        usual = reached[(near.why & SAMPLE) > 0]
        circle = max(float(usual.mean()), 1.0) if len(usual) else 1.0
        # one complaint among as many acquaintances as have one stands before what lines tell
        self._before = population * circle / max(float(named.sum()), 1.0)
        self._calling = lines.calling
        self._honest = ~exempt & _stay(near, profiles, lines, uses)

    def leave_out(self, members: Ints) -> None:
        """Tell chance without these lines: what they are used for is known by other signs.

        Args:
            members: places in the list of lines.
        """
        self._honest[members] = False

    def by_chance(self, members: Ints) -> float:
        """Complaints that would name these lines if they were as others that stay.

        Who calls is measured by others who call, and who is called by those who are: fraudsters
        show the numbers of banks as theirs.

        Args:
            members: places in the list of lines.
        """
        others = self._honest.copy()
        others[members] = False
        found = 0.0
        for way in (True, False):
            own = members[self._calling[members] == way]
            beside = others & (self._calling == way)
            told = 1 + UNEVEN * float(self._named[beside].sum())
            rate = told / (self._before + float(self._people[beside].sum()))
            found += rate * float(self._people[own].sum())
        return found


def _stay(near: Near, profiles: Profiles, lines: Lines, uses: Uses) -> NDArray[np.bool_]:
    """Lines there for a week, or half of the time, that no other shares a handset with.

    Where handsets are not recorded, lines there all along: SIMs that are used up share them unseen.
    """
    p, at = profiles, lines.at
    span = int(near.us[-1] - near.us[0]) if len(near.us) else 0
    life = p.last[at] - p.first[at]
    held = uses.imei >= 0
    if held.sum() < _KNOWN * len(held):
        return np.asarray(life >= _ALL_ALONG * span, np.bool_)
    long = life >= min(_WEEK, span // 2)
    pairs, often = np.unique(uses.of[held] << 32 | uses.imei[held], return_counts=True)
    pairs = pairs[often >= _USED]
    _, handset, sims = np.unique(pairs & 0xFFFFFFFF, return_inverse=True, return_counts=True)
    shares = np.zeros(len(at), bool)
    shares[pairs[sims[handset] > 1] >> 32] = True
    return np.asarray(long & ~shares, np.bool_)
