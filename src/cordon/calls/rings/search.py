"""From calls in memory to groups of lines, each weighed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cordon.calls.model import EXEMPT
from cordon.calls.rings.addresses import FEWEST_OTHERS, joining
from cordon.calls.rings.apart import of_a_business
from cordon.calls.rings.carried import carried
from cordon.calls.rings.complaining import reached
from cordon.calls.rings.fitting import Further, fitting, moved
from cordon.calls.rings.gathering import gather, grouped
from cordon.calls.rings.identifiers import complained_together
from cordon.calls.rings.judging import EQUIPMENT, ONE, enough, is_ring
from cordon.calls.rings.lines import Lines, lines
from cordon.calls.rings.luring import Luring
from cordon.calls.rings.measuring import Known, Measuring
from cordon.calls.rings.rejoining import rejoined
from cordon.calls.rings.sites import Sites, sites
from cordon.calls.rings.uses import Uses, regrouped, twins, uses
from cordon.calls.rings.weighing import Facts, Sign, named_nats, signs
from cordon.calls.survey.near import BOX, FAN, NAMED, TAKES, WRITES
from cordon.calls.survey.sessions import Reach, reach

if TYPE_CHECKING:
    from cordon.calls.detectors.data import CallData

Ints = NDArray[np.int64]
_FEWEST = 2  # lines that are looked at as a group
_CALLED = 0.5  # share of calls taken, from which on somebody may have written for a group
_WORTH = 3.0  # nats from which on a group is looked at again for who else is of it


@dataclass(frozen=True, slots=True)
class Group:
    """Lines that belong together.

    Attributes:
        members: positions in `Near.numbers`, ascending.
        core: those of them that were lines of their own, by their places in the list of lines;
            the others only work from their handsets.
        facts: of them. signs: for and against, the weightiest first.
        beside: positions in `Near.numbers` of lines that were left out, as they may be those of
            a business on the same floor.
    """

    members: Ints
    core: Ints
    facts: Facts
    signs: list[Sign]
    beside: Ints = field(default_factory=lambda: np.zeros(0, np.int64))

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
    known = Known(data.holders, data.activated, len(data.census.out), data.complaints, data.abroad)
    measuring = Measuring(near, own, found, each, where, known, data.utc_offset_s)
    measuring.reach = _reach(data, found)
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
        None if measuring.reach is None else joining(measuring.reach, part, measuring.exempt),
        twins(near.imeis),
    )
    gathered = [m for g in grouped(of) for m in moved(part[g], each, len(near.cells))]
    some_of_it = [g for g in gathered if len(g) >= _FEWEST]
    moving = np.flatnonzero(~measuring.exempt & (where.still < values["still_least"]))
    on_the_move = _on_the_move(moving, measuring)
    alone = [g for g in (*gathered, *on_the_move) if len(g) < _FEWEST]
    weighed = []
    for number, all_of_it in enumerate(some_of_it):
        data.stage("weighing groups", 0.5 + 0.3 * number / len(some_of_it))
        for members in _apart(all_of_it, measuring):
            weighed.append(_weighed(members, measuring, values))
    weighed = _one_room(weighed, data, measuring, values)
    weighed += [_group(g, measuring, values) for g in on_the_move if len(g) >= _FEWEST]
    weighed = _named_beyond_others(weighed, measuring, values)
    weighed = _with_victims(weighed, alone, measuring, values)
    rest = _rest(data, found, part)
    rest_uses = uses(near, rest)
    working = Further(own, rest, rest_uses)
    luring = Luring(near, rest, rest_uses, known.population)
    groups = []
    for number, group in enumerate(weighed):
        data.stage("looking for who else is of them", 0.8 + 0.1 * number / len(weighed))
        if group.nats >= _WORTH:
            more = working.of(each, group.core)
            if group.facts.incoming > _CALLED and is_ring(group, values):
                more = np.concatenate([more, luring.of(each, group.core)])
            every = np.unique(np.concatenate([group.members, rest[more]]))
            groups.append(replace(group, members=every))
        else:
            groups.append(group)
    return Search(found, each, where, measuring, groups)


def _reach(data: CallData, found: Lines) -> Reach | None:
    """Internet addresses of the lines; None where no sessions were given."""
    files = data.sessions()
    if files is None or not files.paths:
        return None
    data.stage("asking which addresses lines reach", 0.2)
    kinds = {k.value for k in EXEMPT}
    exempt = (n for n, kind in data.holders.items() if kind in kinds)
    told = reach(files, [data.near.numbers[i] for i in found.at], exempt)
    if told.everybody < FEWEST_OTHERS:
        data.left_out.append(
            f"The sessions are of {told.everybody:,} number{'s' * (told.everybody != 1)} beside "
            "those that call strangers: too few to tell an address of a ring's own from one that "
            "everybody reaches, so that "
            "addresses say nothing."
        )
    return told


def _on_the_move(moving: Ints, measuring: Measuring) -> list[Ints]:
    """Lines that move about, those of one SIM box together.

    A box that is carried from place to place keeps its slots. Nobody calls its SIMs: riders of a
    depot, who share handsets and move too, are called.
    """
    box = (measuring.near.why[measuring.lines.at[moving]] & BOX) > 0
    return [*carried(moving[box], measuring.uses), *moving[~box][:, None]]


def _apart(all_of_it: Ints, measuring: Measuring) -> list[Ints]:
    """Those that fit together, and those that do not as a group of their own: a smaller room."""
    found, parts = measuring.lines, []
    while len(all_of_it) >= _FEWEST:
        members = fitting(all_of_it, found, measuring.uses, measuring.profiles)
        parts.append(members)
        all_of_it = np.setdiff1d(all_of_it, members)
    return parts


def _one_room(
    weighed: list[Group], data: CallData, measuring: Measuring, values: Mapping[str, float]
) -> list[Group]:
    """The groups, those that are one room joined."""
    uses = measuring.uses
    worth = [n for n, g in enumerate(weighed) if g.nats >= _WORTH]
    joined = rejoined(
        [weighed[n].core for n in worth],
        uses,
        measuring.sites,
        data.ground,
        data.abroad[uses.other],
        data.near.duration[uses.call],
        data.utc_offset_s,
        len(data.census.out),
    )
    more = [[worth[i] for i in one] for one in joined if len(one) > 1]
    gone = {n for one in more for n in one}
    made = [g for n, g in enumerate(weighed) if n not in gone]
    for one in more:
        core = np.sort(np.concatenate([weighed[n].core for n in one]))
        beside = np.sort(np.concatenate([weighed[n].beside for n in one]))
        made.append(replace(_group(core, measuring, values), beside=beside))
    return made


def _named_beyond_others(
    weighed: list[Group], measuring: Measuring, values: Mapping[str, float]
) -> list[Group]:
    """The groups, their complaints weighed anew.

    How often chance names honest lines is not told by groups whose SIMs and handsets speak for
    a ring, nor by those that complaints name more often than the others.
    """
    if measuring.naming is None:
        return weighed
    made = list(weighed)
    named = [n for n, g in enumerate(made) if g.facts.named]
    more = {
        n for n, g in enumerate(made) if any(s.nats >= ONE for s in g.signs if s.name in EQUIPMENT)
    }
    known: set[int] = set()
    while True:
        for n in more:
            measuring.naming.leave_out(made[n].core)
        for n in named:
            chance = measuring.naming.by_chance(made[n].core)
            made[n] = replace(made[n], facts=replace(made[n].facts, named_by_chance=chance))
        known |= more
        more = {n for n in named if named_nats(made[n].facts) >= ONE} - known
        if not more:
            break
    for n in named:
        made[n] = replace(made[n], signs=signs(made[n].facts, values))
    return made


def _weighed(members: Ints, measuring: Measuring, values: Mapping[str, float]) -> Group:
    """One group, without what depends on other groups."""
    found = measuring.lines
    whole = _group(members, measuring, values)
    if whole.nats < _WORTH:
        return whole
    named = np.zeros(len(found.at), bool)
    if measuring.named is not None:
        named = measuring.named[found.at] > 0
    out = of_a_business(
        members, found, measuring.uses, measuring.profiles, measuring.business, named
    )
    if not out.any():
        return whole
    core = _group(members[~out], measuring, values)
    if not any(s.nats >= ONE for s in core.signs if s.name in EQUIPMENT):
        return whole
    return replace(core, beside=found.at[members[out]])


def _group(members: Ints, measuring: Measuring, values: Mapping[str, float]) -> Group:
    facts = measuring.facts(members)
    return Group(measuring.lines.at[members], members, facts, signs(facts, values))


def _with_victims(
    weighed: list[Group], alone: list[Ints], measuring: Measuring, values: Mapping[str, float]
) -> list[Group]:
    """The groups with the people who complained after dealing with them, and not with others.

    Args:
        alone: lines of no group, which reach people too.
    """
    if measuring.complaints is None:
        return weighed
    at, p = measuring.lines.at, measuring.profiles
    single = [at[line] for line in alone]
    people = [g.facts.people for g in weighed]
    people += [int((p.people[i] + p.callers[i] - p.back[i]).sum()) for i in single]
    known = [enough(g.facts, g.signs, values) for g in weighed] + [False] * len(alone)
    told = reached(
        measuring.complaints,
        measuring.uses,
        at,
        [*(g.core for g in weighed), *alone],
        np.array(people, np.int64),
        np.array(known, bool),
        measuring.known.population,
    )
    made = []
    for number, group in enumerate(weighed):
        facts = replace(
            group.facts,
            victims=int(told.victims[number]),
            victims_by_chance=float(told.by_chance[number]),
        )
        made.append(replace(group, facts=facts, signs=signs(facts, values)))
    return made


def _rest(data: CallData, found: Lines, part: Ints) -> Ints:
    """Numbers that could matter and are no line of a room."""
    looked = (data.near.why & (FAN | TAKES | BOX | NAMED | WRITES)) > 0
    looked[found.at[part]] = False
    return np.flatnonzero(looked)


def _subset(each: Uses, part: Ints) -> Uses:
    place = np.full(len(each.starts) - 1, -1)
    place[part] = np.arange(len(part))
    of = place[each.of]
    return regrouped(each, np.flatnonzero(of >= 0), of, len(part))
