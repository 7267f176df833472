"""Kin abroad, journeys, and what people change: SIM cards, handsets, or both."""

from __future__ import annotations

import numpy as np

from cordon.exercise.worlds.calling.drawing import Data, Flags, Ints, Rng, ranks
from cordon.exercise.worlds.calling.land import Land
from cordon.exercise.worlds.calling.lines import Handsets, Lines
from cordon.exercise.worlds.calling.people import People, some_spot


def kin_abroad(data: Data, people: People, lines: Lines, rng: Rng) -> tuple[Ints, Ints]:
    """Add kin abroad of some households; returns who knows whom (person, kin)."""
    houses = int(people.household[-1]) + 1
    has = np.flatnonzero(rng.random(houses) < data["kin_abroad"])
    count = 1 + rng.poisson(0.6, len(has))
    house = np.repeat(has, count)
    made = people.add(
        len(house),
        line=lines.abroad(len(house)),
        rate=data["kin_calls_a_day"] * rng.lognormal(-0.3, 0.8, len(house)),
        sms=0.02,
        shift=rng.choice([-1.0, -2.0, 4.0, 9.0], len(house), p=[0.5, 0.3, 0.15, 0.05]),
        talk=0.6,
    )
    people.kin = len(made)
    first = np.searchsorted(people.household, house)
    size = np.searchsorted(people.household, house, "right") - first
    known = np.minimum(1 + rng.poisson(0.8, len(house)), size)
    kin = np.repeat(made, known)
    start = (rng.random(len(house)) * size).astype(np.int64)
    step = np.repeat(start, known) + ranks(known)
    who = np.repeat(first, known) + step % np.repeat(size, known)
    return who.astype(np.int32), kin


def journeys(data: Data, people: People, land: Land, span: float, rng: Rng) -> None:
    """Trips of some days to other regions, and one-day events that draw a crowd."""
    n = people.persons
    gone = np.flatnonzero(rng.random(n) < data["trips_a_month"] * span / (30 * 86400.0))
    start = rng.uniform(-1, max(span / 86400.0, 0.1), len(gone)) * 86400.0
    people.trip_from[gone] = start
    people.trip_to[gone] = start + rng.gamma(1.5, 1.6 * 86400.0, len(gone))
    to = rng.choice(len(land.share), len(gone), p=land.share).astype(np.int32)
    people.trip_spot[gone] = some_spot(land, to, rng)
    for day in range(max(1, int(span // 86400.0))):
        for _ in range(rng.poisson(data["crowds_a_day"] * n / 3e5)):
            where = int(rng.integers(len(land.lat)))
            near = np.flatnonzero(people.region[:n] == land.region[where])
            size = int(min(len(near) * 0.2, rng.lognormal(5.3, 0.8)))
            if size < 5:
                continue
            who = rng.choice(near, size, replace=False)
            begins = (day + rng.uniform(0.4, 0.8)) * 86400.0
            people.trip_from[who] = begins + rng.uniform(-1, 1, size) * 3600.0
            people.trip_to[who] = begins + rng.uniform(1, 6) * 3600.0 + rng.exponential(1800, size)
            people.trip_spot[who] = where


def changes(
    data: Data, people: People, lines: Lines, sets: Handsets, span: float, rng: Rng
) -> Flags:
    """Some change SIM card, handset or both, at a time within the span.

    Returns:
        For each person, whether the number changes.
    """
    n, days = people.persons, span / 86400.0
    share = data["change_number"]
    when = rng.uniform(0.12, 0.88, n) * span
    # of people who call so seldom that nobody could tell them again nothing is said
    often = people.rate[:n] * np.minimum(when, span - when) / 86400.0 * 0.7 > 6.0
    renumbered = often & (rng.random(n) < share / max(float(often.mean()), 0.02))
    renumbered &= people.line2[:n] < 0
    who = np.flatnonzero(renumbered)
    lost = rng.random(len(who)) < data["phone_lost"]
    both = lost | (rng.random(len(who)) < data["also_handset"])
    off = np.where(
        lost,
        np.minimum(rng.lognormal(np.log(14.0), 1.0, len(who)) * 3600.0, 0.1 * span + 7200.0),
        rng.exponential(1800.0, len(who)),
    )
    net = lines.net[people.line[who]].astype(np.int32)
    ported = rng.random(len(who)) < data["other_network"]
    net[ported] = rng.integers(0, len(data["network_share"]), int(ported.sum()))
    people.change[who] = when[who] + off
    people.silent[who] = when[who]
    people.new_line[who] = lines.sims(net, kind=0, new=True)
    lines.activated[people.new_line[who]] = (people.change[who] / 86400.0).astype(np.int32)
    lines.holder[people.new_line[who]] = who
    people.new_set[who] = np.where(both, sets.make(len(who)), people.set[who])
    # same number on another handset; the old one often goes to somebody of the family
    fresh = (rng.random(n) < data["change_handset"] * days / 30.0) & ~renumbered
    fresh &= people.line2[:n] < 0
    who = np.flatnonzero(fresh)
    people.change[who] = when[who]
    people.silent[who] = when[who]
    people.new_line[who] = people.line[who]
    people.new_set[who] = sets.make(len(who))
    given = who[rng.random(len(who)) < data["handed_down"]]
    heir = np.minimum(given + 1, n - 1)
    take = (people.household[heir] == people.household[given]) & np.isinf(people.change[heir])
    take &= people.line2[heir] < 0
    given, heir = given[take], heir[take]
    people.change[heir] = people.change[given] + 7200.0
    people.silent[heir] = people.change[heir]
    people.new_line[heir] = people.line[heir]
    people.new_set[heir] = people.set[given]
    # a new card for the same number
    swapped = np.flatnonzero(
        (rng.random(n) < data["new_card"] * days / 30.0) & np.isinf(people.change[:n])
    )
    old = people.line[swapped]
    card = lines.sims(lines.net[old].astype(np.int32), kind=-1)
    lines.number[card] = lines.number[old]
    people.change[swapped] = when[swapped]
    people.silent[swapped] = when[swapped] - 3600.0
    people.new_line[swapped] = card
    people.new_set[swapped] = people.set[swapped]
    return np.asarray(renumbered)
