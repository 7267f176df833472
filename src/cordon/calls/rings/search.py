"""From calls in memory to groups of lines, each weighed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cordon.calls.rings.fitting import fitting, further, moved
from cordon.calls.rings.gathering import gather, grouped
from cordon.calls.rings.identifiers import complained_together
from cordon.calls.rings.lines import Lines, lines
from cordon.calls.rings.measuring import Known, Measuring
from cordon.calls.rings.sites import Sites, sites
from cordon.calls.rings.uses import Uses, regrouped, uses
from cordon.calls.rings.weighing import Facts, Sign, signs
from cordon.calls.survey.near import BOX, FAN, NAMED, TAKES

if TYPE_CHECKING:
    from cordon.calls.detectors.data import CallData

Ints = NDArray[np.int64]
_FEWEST = 2  # lines that are looked at as a group
_WORTH = 3.0  # nats from which on a group is looked at again for who else is of it


@dataclass(frozen=True, slots=True)
class Group:
    """Lines that belong together.

    Attributes:
        members: positions in `Near.numbers`, ascending.
        core: those of them that were lines of their own, by their places in the list of lines;
            the others only work from their handsets.
        facts: of them. signs: for and against, the weightiest first.
    """

    members: Ints
    core: Ints
    facts: Facts
    signs: list[Sign]

    @property
    def nats(self) -> float:
        """Sum of the signs."""
        return float(sum(s.nats for s in self.signs))


@dataclass(frozen=True, slots=True)
class Search:
    """Lines, and the groups that they were gathered into.

    Attributes:
        lines: all of them. uses, sites: of each line. groups: by no order that means anything.
        measuring: counts the facts of any of the lines.
    """

    lines: Lines
    uses: Uses
    sites: Sites
    measuring: Measuring
    groups: list[Group]


def searched(data: CallData, values: Mapping[str, float]) -> Search:
    """The search over one set of calls, made once.

    Args:
        values: of the card `calls.call_centre`.
    """
    if data.search is None:
        data.search = _search(data, values)
    return data.search


def _search(data: CallData, values: Mapping[str, float]) -> Search:
    near, own = data.near, data.profiles
    data.stage("telling lines from subscribers", 0.1)
    found = lines(near, own, data.usual, values["strangers"])
    each = uses(near, found.at)
    where = sites(each, len(found.at), data.ground)
    known = Known(data.holders, len(data.census.out), data.complaints)
    measuring = Measuring(near, own, found, each, where, known, data.utc_offset_s)
    # lines that are exempt, and those that move about, are no part of a room
    part = np.flatnonzero(~measuring.exempt & ~(where.still < values["still_least"]))
    some = _subset(each, part)
    data.stage("gathering lines", 0.3)
    of = gather(
        some,
        where.of(part),
        data.ground,
        data.abroad[some.other],
        near.duration[some.call],
        data.utc_offset_s,
        complained_together(near, found.at[part], data.complaints),
    )
    rest = _rest(data, found, part)
    rest_uses = uses(near, rest)
    groups = []
    gathered = [m for g in grouped(of) for m in moved(part[g], each, len(near.cells))]
    for number, all_of_it in enumerate(gathered):
        data.stage("weighing groups", 0.5 + 0.4 * number / len(gathered))
        if len(all_of_it) < _FEWEST:
            continue
        members = fitting(all_of_it, found, each, own)
        facts = measuring.facts(members)
        told = signs(facts, values)
        at = found.at[members]
        if sum(s.nats for s in told) >= _WORTH:
            more = rest[further(near, own, each, members, rest, rest_uses)]
            at = np.unique(np.concatenate([at, more]))
        groups.append(Group(at, members, facts, told))
    return Search(found, each, where, measuring, groups)


def _rest(data: CallData, found: Lines, part: Ints) -> Ints:
    """Numbers that could matter and are no line of a room."""
    looked = (data.near.why & (FAN | TAKES | BOX | NAMED)) > 0
    looked[found.at[part]] = False
    return np.flatnonzero(looked)


def _subset(each: Uses, part: Ints) -> Uses:
    place = np.full(len(each.starts) - 1, -1)
    place[part] = np.arange(len(part))
    of = place[each.of]
    return regrouped(each, np.flatnonzero(of >= 0), of, len(part))
