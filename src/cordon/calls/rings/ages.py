"""How long SIMs had been active before a line was first at work, beside what is usual."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cordon.calls.rings.lines import Lines
from cordon.calls.rings.uses import Uses
from cordon.calls.survey.near import SAMPLE, Near

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
_DAY = 86_400_000_000
_YOUNG = 60  # days that a SIM is new


@dataclass(frozen=True, slots=True)
class Age:
    """Of a group's lines.

    Attributes:
        told: of how many it is known. young: those that were new when they were first at work.
        usual: share of everybody who was new when the calls begin.
    """

    told: int
    young: int
    usual: float


class Ages:
    """Ages of lines.

    Args:
        activated: day on which a number (E.164) was activated, from 1970-01-01.
    """

    def __init__(self, near: Near, lines: Lines, uses: Uses, activated: Mapping[str, int]) -> None:
        begin = uses.starts[:-1]
        first = np.full(len(lines.at), np.nan)
        held = np.flatnonzero(np.diff(uses.starts) > 0)
        first[held] = uses.us[begin[held]] // _DAY
        self._age = first - _days(near, lines.at, activated)
        sample = _days(near, np.flatnonzero((near.why & SAMPLE) > 0), activated)
        since = (float(near.us.min()) // _DAY if len(near.us) else 0.0) - sample
        since = since[since >= 0]
        self._usual = float((since < _YOUNG).mean()) if len(since) else 0.0

    def of(self, members: Ints) -> Age:
        """Of some of the lines; a register that is younger than a line's calls tells nothing."""
        age = self._age[members]
        age = age[age >= 0]
        return Age(len(age), int((age < _YOUNG).sum()), self._usual)


def _days(near: Near, at: Ints, activated: Mapping[str, int]) -> Floats:
    return np.array([activated.get(near.numbers[i], np.nan) for i in at], np.float64)
