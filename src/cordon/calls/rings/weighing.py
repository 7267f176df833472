"""What speaks for and against a group of lines being a call centre, in nats, each beside a number.

A line among strangers is innocent in many trades; what an illegal centre cannot hide is how it
uses SIMs and handsets up, and that people complain of it. Each sign is a log-likelihood ratio,
set by hand on the card and capped, so that no single one decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cordon.calls.rings.addresses import Tie
from cordon.calls.rings.ages import Age

Floats = NDArray[np.float64]


_MOST = 7.0  # nats that shared handsets say
_HONEST, _LEAST = 0.03, 0.15  # share of handsets with several SIMs of the group
_STAND_IN = 0.1  # of the handsets that shifts take turns at, may be shared otherwise
_IN_SLOTS = 0.8  # of the shared handsets, from which on they are telephones with two slots
_STAYS = (7.0, 14.0, 1.5)  # days; nats that shared handsets say after them, where all SIMs stay
_CHANGE = 0.5  # of illegal centres, that use SIMs or handsets up
_ABROAD = 3.0  # nats for, of people called who live abroad
_NEW, _ERRAND = 0.4, 1.5  # share of a centre's SIMs that are new, at least; nats that it says
_RETURNED = 4.0  # nats against, of people who are spoken with again and again
_CALLED_BACK = 3.0  # nats against, of strangers who call back
_DEPENDENT = 3.0  # nats of signs that say as much as one of a sign by itself
_NAMED = 1.0  # nats from which on complaints that name lines are no chance
_CALLED_ALONE = 3.0  # nats that people say who were called and complained of nobody's number
_REACHED, _FIRMS = 2.0, 0.5  # nats that an address of their own says of lines; of a steady firm's


@dataclass(frozen=True, slots=True)
class Facts:
    """What is measured of a group; None where the records do not allow it.

    Attributes:
        lines, handsets: how many. sims_a_handset, handsets_a_sim: in the mean over those seen.
        turnover: lines ever at work for each line at work on a median day.
        span_days: from its first to its last call. people: dealt with. calls: in all.
        people_a_day: different people a line deals with on a day that it works, in the median.
        back_share: share of the people called who ever called it.
        still: share of calls from its one place, in the median over lines.
        talk_s: median of answered calls. hours: local hours of day with 1.5 % of its calls or more.
        returned: share of the people spoken with who were on three days or more, or on two where
            its calls are of a week at most;
            returned_by_chance: that would if everybody in the calls were called at random.
        again: calls for each person dealt with. incoming: share of its calls that it took. Calls
            among its own lines, by which a SIM box looks like people, count for neither, and
            messages with codes are no incoming calls.
        named: complaints that name its numbers; hurt: those of them that tell of a loss, where
            losses are told; named_by_chance: such that would name honest lines which reach as
            many people.
        victims: people who complained and had been called; victims_by_chance.
        registered: exempt lines that call the same way at its place, for each of its own.
        business: share of its lines whose holder is a business.
        shared, turns, slots: handsets that several of its SIMs use, those of them whose SIMs stay
            and take turns within the day, as shifts do, and those whose two SIMs stay otherwise,
            as in a telephone with two slots under one identity.
        tie: the internet address that most of its lines reach and hardly anybody else.
        abroad: share of the people called who live in another country.
        age: how new its SIMs were, where a register tells it.
    """

    lines: int
    handsets: int
    shared: int
    sims_a_handset: float | None
    handsets_a_sim: float | None
    turnover: float
    span_days: float
    people: int
    calls: int
    people_a_day: float
    back_share: float | None
    still: float | None
    talk_s: float | None
    hours: int
    again: float
    incoming: float
    named: int | None
    named_by_chance: float
    victims: int | None
    victims_by_chance: float
    registered: float
    business: float
    turns: int = 0
    slots: int = 0
    returned: float = 0.0
    returned_by_chance: float = 0.0
    tie: Tie | None = None
    hurt: int | None = None
    abroad: float = 0.0
    age: Age | None = None


@dataclass(frozen=True, slots=True)
class Sign:
    """One number that speaks for or against.

    Attributes:
        name: the parameter's on the card. value, threshold: in `unit`; what the threshold means
            for this sign stands there. nats: for, or against where below 0.
    """

    name: str
    value: float
    threshold: float
    unit: str
    nats: float


def signs(f: Facts, v: Mapping[str, float]) -> list[Sign]:
    """Every sign that can be measured, the weightiest first.

    Args:
        v: the card's values.
    """
    made: list[Sign] = []

    def sign(name: str, value: float | None, nats: float, unit: str = "1") -> None:
        if value is not None:
            made.append(Sign(name, float(value), v[name], unit, float(nats)))

    def doubling(value: float | None, name: str, each: float, low: float, high: float) -> float:
        ratio = max(value or 0.0, 1e-3) / v[name]
        return float(np.clip(each * np.log2(ratio), low, high))

    steady = is_steady(f, v)
    shared = _used_up(f.shared - f.turns, f.handsets - f.turns)
    shared = min(shared, _most_of_shared(f, v))
    sign("sims_a_handset", f.sims_a_handset, _of_those_who_change(shared))
    sign(
        "handsets_a_sim",
        f.handsets_a_sim,
        doubling(f.handsets_a_sim, "handsets_a_sim", 4, 0, 5),
    )
    sure = min(1.0, f.span_days / 7)
    # lines that come and go with handsets of their own are people who come and go
    most = 1.0 if steady else 5.0
    change = sure * doubling(f.turnover, "turnover", 3, -2, most)
    sign("turnover", f.turnover, _of_those_who_change(change))
    sign("abroad", f.abroad, float(np.clip(6 * (f.abroad - v["abroad"]), 0, _ABROAD)))
    if f.age is not None and f.age.told:
        sign("new_sims", f.age.young / f.age.told, _new(f.age, v["new_sims"]))
    if f.named is not None:
        surprise = named_nats(f) if f.named >= v["complaints"] else 0.0
        sign("complaints", f.named, min(9.0, surprise))
    if f.victims is not None:
        # a bank's or the police's line is called by victims before they complain, or calls them
        most = 3.0 if steady and f.incoming > 0.5 else 9.0
        if only_called(f, v):
            most = _CALLED_ALONE
        surprise = (
            beyond_chance(f.victims, f.victims_by_chance) if f.victims >= v["victims"] else 0.0
        )
        sign("victims", f.victims, min(most, surprise))
    if f.still is not None:
        sign("still", f.still, float(np.clip(12 * (f.still - v["still"]), -6, 2)))
    if f.talk_s is not None:
        sign("talk", f.talk_s, -float(np.clip(2 * (f.talk_s / v["talk"] - 1), 0, 5)), "s")
    over = f.returned - f.returned_by_chance - v["returned"]
    if f.back_share is not None:
        # who calls back once, as those do who were rung for a moment, is a stranger still
        most = _CALLED_BACK if over <= 0 else 6.0
        against = np.clip(20 * (f.back_share - v["called_back"]), 0, most)
        sign("called_back", f.back_share, -float(against))
    sign("returned", f.returned, -float(np.clip(20 * over, 0, _RETURNED)))
    if f.tie is not None and f.tie.reached:
        sign("address", f.tie.reached / f.tie.seen, _reached(f.tie, v["address"], steady))
    # a centre may hide behind a firm, so that where SIMs are used up this says half as much
    honest = 1.0 if steady else 0.5
    if f.registered > 0:
        against = honest * np.clip(6 * (f.registered - v["registered"]), 0, 6)
        sign("registered", f.registered, -float(against))
    if f.business > 0:
        against = honest * np.clip(5 * (f.business - v["business"]), 0, 4)
        sign("business", f.business, -float(against))
    sign("people_a_day", f.people_a_day, doubling(f.people_a_day, "people_a_day", 3, -5, 3))
    sign("lines", f.lines, float(np.clip(np.log2(f.lines / v["lines"]), -4, 2)))
    return sorted(made, key=lambda s: (-abs(s.nats), s.name))


def _of_those_who_change(nats: float) -> float:
    """What a sign of SIMs and handsets says, as many an illegal centre changes neither.

    Against a group it says no more than how many do: who keeps SIMs may be either.
    """
    return nats if nats >= 0 else float(np.log((1 - _CHANGE) + _CHANGE * np.exp(nats)))


def _new(age: Age, usual: float) -> float:
    """Nats of how many SIMs were new: one errand to a shop, and no proof however many they are."""
    honest = min(max(age.usual, usual), 0.9)
    share = min(max(_NEW, age.young / age.told, honest), 0.95)
    old = age.told - age.young
    nats = age.young * np.log(share / honest) + old * np.log((1 - share) / (1 - honest))
    return float(np.clip(nats, -_ERRAND, _ERRAND))


def is_steady(f: Facts, v: Mapping[str, float]) -> bool:
    """Whether each line keeps its handset, alone or by turns with those of other shifts."""
    if f.sims_a_handset is None:
        return False
    by_turns = f.turns > 0 and f.shared - f.turns <= _STAND_IN * f.turns
    return by_turns or f.sims_a_handset < v["sims_a_handset"]


def only_called(f: Facts, v: Mapping[str, float]) -> bool:
    """Whether no complaint beyond chance names lines that stay, and its people alone complained.

    So it is with helplines, the police, a bank's fraud desk, and whoever else calls very many.
    """
    stays = is_steady(f, v) or (f.sims_a_handset is None and f.turnover < v["turnover"])
    return stays and not is_named(f)


def is_named(f: Facts) -> bool:
    """Whether more complaints name its numbers than chance gives; one may, of many calls."""
    return named_nats(f) >= _NAMED


def named_nats(f: Facts) -> float:
    """How far complaints name its numbers beyond chance, in nats, uncapped.

    Whoever calls very many is a nuisance to some; few of them lose money by an honest firm.
    """
    told = f.named if f.hurt is None else f.hurt
    return beyond_chance(told or 0, f.named_by_chance)


def _used_up(shared: int, handsets: int) -> float:
    """Generalised log-likelihood ratio of so many handsets having several SIMs of the group.

    Of honest lines' handsets one in _HONEST has; a centre's share is not known, and is taken as
    it is seen, but for _LEAST at least.
    """
    if not handsets:
        return 0.0
    share = max(_LEAST, min(shared / handsets, 0.95))
    rest = handsets - shared
    nats = shared * np.log(share / _HONEST) + rest * np.log((1 - share) / (1 - _HONEST))
    return float(np.clip(nats - (0 if shared else 1), -4, _MOST))


def _reached(tie: Tie, nothing: float, steady: bool) -> float:
    """Nats of an address of the group's own: SIMs that come and go, and all reach it, are one
    operation's. An honest firm has such a box too; one that registered lines reach as well is a
    provider of call centres, and speaks against."""
    if tie.registered:
        return -min(_REACHED, 4 * tie.registered / (tie.registered + tie.reached))
    most = _FIRMS if steady else _REACHED
    share = tie.reached / tie.seen
    only = tie.reached / (tie.reached + tie.lines)  # what other rooms reach says less
    return float(np.clip(4 * (share - nothing), 0, most)) * only


def _most_of_shared(f: Facts, v: Mapping[str, float]) -> float:
    """Nats that shared handsets may say.

    Where week after week no SIM is replaced and no complaint beyond chance names one, none is used
    up: desks are shared on honest floors too.
    """
    if is_named(f) or f.turnover >= v["turnover"]:
        return _MOST
    begin, end, least = _STAYS
    if f.slots >= _IN_SLOTS * f.shared > 0:
        return least
    return float(np.interp(f.span_days, (begin, end), (_MOST, least)))


def beyond_chance(found: float, by_chance: float) -> float:
    """Log-likelihood ratio of a Poisson count against what chance gives; 0 where not above it."""
    expected = max(by_chance, 0.02)
    if found <= expected:
        return 0.0
    return float(found * np.log(found / expected) - found + expected)


def confidence(nats: float, prior: float) -> float:
    """Probability from the signs' sum and a prior log-odds, kept within 0.01 and 0.99.

    Signs depend on one another and are set by hand: their sum counts a third of what Bayes' rule
    would make of it, so that whoever reads confidences side by side can tell rings apart.
    """
    return float(np.clip(1 / (1 + np.exp(-(nats + prior) / _DEPENDENT)), 0.01, 0.99))
