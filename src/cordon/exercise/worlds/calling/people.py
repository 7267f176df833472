"""People: households, homes and work, phones, how much they call, trips, and what they change."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cordon.exercise.worlds.calling.columns import Columns
from cordon.exercise.worlds.calling.drawing import Data, Floats, Ints, Rng, Singles
from cordon.exercise.worlds.calling.land import Land
from cordon.exercise.worlds.calling.lines import Handsets, Lines

NEVER = np.inf
_FIELDS: dict[str, tuple[Any, Any]] = {
    "line": (np.int32, -1),
    "set": (np.int32, -1),
    "line2": (np.int32, -1),
    "set2": (np.int32, -1),
    "share2": (np.float32, 0.0),
    "home": (np.int32, 0),
    "work": (np.int32, -1),
    "work_from": (np.float32, 9.0),
    "work_to": (np.float32, 17.0),
    "work_days": (np.uint8, 0),
    "later_from": (np.float64, NEVER),
    "later_work": (np.int32, -1),
    "shift": (np.float32, 0.0),
    "rate": (np.float32, 0.0),
    "sms": (np.float32, 0.2),
    "talk": (np.float32, 0.0),
    "region": (np.int32, 0),
    "trip_from": (np.float64, NEVER),
    "trip_to": (np.float64, NEVER),
    "trip_spot": (np.int32, -1),
    "change": (np.float64, NEVER),
    "silent": (np.float64, NEVER),
    "new_line": (np.int32, -1),
    "new_set": (np.int32, -1),
}


class People(Columns):
    """Everybody with a number, as columns by index.

    Attributes:
        persons: the first so many are ordinary persons; after them kin abroad, then phones of
            trades. kin: how many are abroad.
        line, set: SIM card and handset; line2, set2, share2: the second one and the share of
            contacts it is used for. home, work: spots (work −1 for none).
        work_from, work_to: local hours; work_days: bits from Monday. later_from, later_work:
            another place of work from then on (s).
        shift: hours that somebody's day lies later than others'. rate: calls and messages a
            day. sms: share of messages. talk: log of how much longer they talk than others.
        trip_from, trip_to, trip_spot: where they stay on a journey. change: when SIM or handset
            (`new_line`, `new_set`) change, `silent`: since when the old one is off (s).
        household, workplace, clan: groups that know one another, −1 for none.
    """

    FIELDS = _FIELDS
    household: Ints
    workplace: Ints
    clan: Ints
    line: Ints
    set: Ints
    line2: Ints
    set2: Ints
    share2: Singles
    home: Ints
    work: Ints
    work_from: Singles
    work_to: Singles
    work_days: NDArray[np.uint8]
    later_from: Floats
    later_work: Ints
    shift: Singles
    rate: Singles
    sms: Singles
    talk: Singles
    region: Ints
    trip_from: Floats
    trip_to: Floats
    trip_spot: Ints
    change: Floats
    silent: Floats
    new_line: Ints
    new_set: Ints

    def __init__(self) -> None:
        super().__init__()
        self.persons = 0
        self.kin = 0
        self.household = self.workplace = self.clan = np.empty(0, np.int32)


def settle(data: Data, land: Land, lines: Lines, sets: Handsets, n: int, rng: Rng) -> People:
    """Make `n` persons with homes, households, work and phones.

    Args:
        data: the part `people` of the YAML, drawn.
    """
    people = People()
    household, size = _households(data, n, rng)
    houses = len(size)
    region = np.sort(rng.choice(len(land.share), houses, p=land.share)).astype(np.int32)
    home = some_spot(land, region, rng)
    of = household
    work, workplace = _workplaces(data, land, region[of], rng)
    works = work >= 0
    start = np.clip(rng.normal(9.0, 1.3, n), 5.5, 14.0) + np.where(rng.random(n) < 0.06, 8.0, 0)
    hours = np.clip(rng.normal(8.3, 1.5, n), 3.5, 13.0)
    net = _networks(data, region[of], rng)
    sigma = float(data["calls_sigma"])
    rate = data["calls_a_day"] * np.exp(rng.normal(-sigma * sigma / 2, sigma, n))
    people.add(
        n,
        line=lines.sims(net, kind=0),
        set=sets.make(n),
        home=home[of],
        work=work,
        work_from=start,
        work_to=start + hours,
        work_days=np.where(works, _working_days(data, n, rng), 0),
        shift=rng.normal(0, data["shift_h"], n),
        rate=np.minimum(rate, 120.0),
        sms=np.clip(rng.beta(0.9, 0.9 * (1 / data["sms_share"] - 1), n), 0, 0.95),
        talk=rng.normal(0, data["talk_differs"], n),
        region=region[of],
    )
    people.persons = n
    people.household, people.workplace = household, workplace
    people.clan = _clans(data, houses, region, rng)[of]
    lines.holder[people.line] = np.arange(n)
    lines.kind[people.line[rng.random(n) < data["unlisted"]]] = -1
    _second_cards(data, people, lines, sets, net, rng)
    _copied_handsets(data, people, sets, rng)
    return people


def _households(data: Data, n: int, rng: Rng) -> tuple[Ints, Ints]:
    """Household of each person, and sizes; a few are very big."""
    size: Ints = 1 + rng.poisson(data["household"] - 1, n)
    big = rng.random(n) < data["big_families"]
    size = np.where(big, rng.integers(12, 36, n), size)
    count = int(np.searchsorted(np.cumsum(size), n)) + 1
    size = size[:count]
    return np.repeat(np.arange(count), size)[:n].astype(np.int32), size.astype(np.int32)


def some_spot(land: Land, region: Ints, rng: Rng) -> Ints:
    """A spot in each of these regions."""
    wide = land.last[region] - land.first[region]
    return (land.first[region] + rng.random(len(region)) * wide).astype(np.int32)


def _workplaces(data: Data, land: Land, region: Ints, rng: Rng) -> tuple[Ints, Ints]:
    """Spot of work (−1 for none) and workplace; sizes have a heavy tail, middles draw work."""
    n = len(region)
    works = rng.random(n) < data["workers"]
    place = np.full(n, -1, np.int32)
    spot = np.full(n, -1, np.int32)
    made = 0
    for r in range(len(land.share)):
        of = rng.permutation(np.flatnonzero(works & (region == r)))
        if not len(of):
            continue
        size = np.minimum(1 + rng.pareto(1.15, len(of)) * 1.6, 400).astype(np.int64)
        ends = np.cumsum(size)
        which = np.searchsorted(ends, np.arange(len(of)), side="right")
        offices = int(which[-1]) + 1
        three = rng.integers(land.first[r], land.last[r], (offices, 3))
        middle = np.argmin(land.centrality[three], 1)
        place[of] = made + which
        spot[of] = three[np.arange(offices), middle][which]
        made += offices
    return spot, place


def _working_days(data: Data, n: int, rng: Rng) -> NDArray[np.int64]:
    """Bits from Monday: five or six days, few on Sundays, some not on Fridays."""
    days = np.full(n, 0b0011111)
    days |= np.where(rng.random(n) < data["saturdays"], 0b0100000, 0)
    days |= np.where(rng.random(n) < data["sundays"], 0b1000000, 0)
    return np.where(rng.random(n) < data["fridays_off"], days & ~0b0010000, days)


def _networks(data: Data, region: Ints, rng: Rng) -> Ints:
    """Networks have other shares in other regions."""
    share = np.asarray(data["network_share"], float)
    net = np.empty(len(region), np.int32)
    for r in np.unique(region):
        of = np.flatnonzero(region == r)
        own = rng.dirichlet(share * 12)
        net[of] = rng.choice(len(share), len(of), p=own)
    return net


def _clans(data: Data, houses: int, region: Ints, rng: Rng) -> Ints:
    """Clan of each household: mostly of one region, some households live elsewhere."""
    order = np.lexsort((rng.random(houses), region))
    moved = rng.random(houses) < data["clan_elsewhere"]
    order[moved] = rng.permutation(order[moved])
    clan = np.empty(houses, np.int32)
    clan[order] = np.arange(houses) // max(2, round(data["clan_houses"]))
    return clan


def _second_cards(
    data: Data, people: People, lines: Lines, sets: Handsets, net: Ints, rng: Rng
) -> None:
    """Phones for two SIM cards (two IMEIs), and one handset in which two cards take turns."""
    n, share = people.persons, np.asarray(data["network_share"], float)
    two = np.flatnonzero(rng.random(n) < data["dual_sim"])
    other = rng.choice(len(share), len(two), p=share / share.sum()).astype(np.int32)
    people.line2[two] = lines.sims(other, kind=0)
    lines.holder[people.line2[two]] = two
    people.share2[two] = rng.beta(1.5, 4.0, len(two))
    turns = rng.random(len(two)) < data["one_handset"]
    people.set[two], people.set2[two] = sets.pairs(len(two))
    people.set2[two[turns]] = people.set[two[turns]]


def _copied_handsets(data: Data, people: People, sets: Handsets, rng: Rng) -> None:
    """Cheap handsets whose maker gave many the same IMEI."""
    left = round(people.persons * data["copied_imei"])
    while left >= 2:
        n = int(min(left, rng.integers(2, 60)))
        who = rng.integers(0, people.persons, n)
        people.set[who] = sets.make(1)[0]
        left -= n
