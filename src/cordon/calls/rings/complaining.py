"""Whom complaints speak of: the numbers that they name, and who reached the people who complain.

Who calls a victim after the loss, as a bank's desk and the police do, has not caused it. And a
busy honest line has dealt with victims by chance: how many, other lines of the same data tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cordon.calls.rings.identifiers import COLUMNS
from cordon.calls.rings.uses import Uses
from cordon.calls.survey.near import Near

Ints = NDArray[np.int64]
_DAY, _HOUR = 86_400_000_000, 3_600_000_000
_BEFORE = 14 * _DAY  # within which a call can be what a complaint is of
_ABOUT = _HOUR  # so far a victim may err about when it happened
_ASKED = 0.3  # share of complaints with a number that tell of a loss, where losses are asked for
_FEW = 3  # groups that one account may be complained of with: more is a bank's or a platform's
ELSEWHERE, NOBODY = -1, -2  # named, but not in these calls; not named
Identifier = tuple[str, str]
UNEVEN = 2.0
"""Times as many victims among those of one honest trade as of another."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """One complaint of a person who stands in the calls.

    Attributes:
        victim: position in `Near.numbers`. until: µs after which no call can have caused it.
        suspect: position there of the number that it names; ELSEWHERE or NOBODY.
        identifiers: columns and values of accounts, wallets, handles and addresses that it names.
    """

    victim: int
    until: int
    suspect: int
    identifiers: tuple[Identifier, ...]


@dataclass(frozen=True, slots=True)
class Complaints:
    """What complaints say of numbers.

    Attributes:
        named: for each of `Near.numbers`, complaints that name it. hurt: those of them that tell of
            a loss or of an account, wallet, handle or address; all of them where so few tell
            of one that whoever took them down did not ask.
        told: those of people who stand in the calls. total: with a victim's number at all.
        aimed: numbers named together with each account, wallet, handle or address.
    """

    named: Ints
    hurt: Ints
    told: list[Complaint]
    total: int
    aimed: dict[Identifier, set[int]]


def complaints(near: Near, table: pa.Table | None) -> Complaints | None:
    """Complaints beside the calls; None where none were given."""
    if table is None:
        return None
    at = {name: i for i, name in enumerate(near.numbers)}
    named, hurt = (np.zeros(len(near.numbers), np.int64) for _ in range(2))
    told: list[Complaint] = []
    total = 0
    aimed: dict[Identifier, set[int]] = {}
    columns = ["received", "occurred", "victim_number", "suspect_number", *COLUMNS]
    columns += ["loss_amount"] if "loss_amount" in table.column_names else []
    for row in table.select(columns).to_pylist():
        victim = row["victim_number"]
        suspect = at.get(row["suspect_number"], ELSEWHERE) if row["suspect_number"] else NOBODY
        identifiers = tuple((c, row[c]) for c in COLUMNS if row[c])
        if suspect >= 0:
            named[suspect] += 1
            hurt[suspect] += bool(identifiers or row.get("loss_amount"))
            for identifier in identifiers:
                aimed.setdefault(identifier, set()).add(suspect)
        total += victim is not None
        if victim in at:
            until = _end(row["received"].timestamp())
            if row["occurred"] is not None:
                until = min(until, _end(row["occurred"].timestamp()) + _ABOUT)
            told.append(Complaint(at[victim], until, suspect, identifiers))
    asked = hurt.sum() >= _ASKED * named.sum()
    return Complaints(named, hurt if asked else named, told, total, aimed)


def _end(seconds: float) -> int:
    """The moment (µs), or the end of the day where only a day is told."""
    us = round(seconds * 1e6)
    return us if us % _DAY else us + _DAY - 1


@dataclass(frozen=True, slots=True)
class Reached:
    """For each group of lines.

    Attributes:
        victims: people whose complaint speaks of it. by_chance: that would of honest lines.
    """

    victims: Ints
    by_chance: NDArray[np.float64]


def reached(
    said: Complaints,
    uses: Uses,
    at: Ints,
    groups: Sequence[Ints],
    people: Ints,
    known: NDArray[np.bool_],
    population: int,
) -> Reached:
    """Victims of each group, and how many chance gives.

    A complaint that names a number, or an account that others named together with one, speaks of
    that group alone. One that names nobody speaks of the first ring that reached the victim
    before the loss; where no ring did, of the lines that reached them first.

    Args:
        uses: of the lines. at: their positions in `Near.numbers`. groups: places of each one's
            lines. people: whom each dealt with. known: rings by what else is known of them.
        population: numbers in the calls at all.
    """
    of_line = np.full(len(at), -1, np.int64)
    for number, members in enumerate(groups):
        of_line[members] = number
    of_number = np.full(len(said.named), -1, np.int64)
    of_number[at] = of_line
    found = _victims(said, uses, of_line, of_number, known)
    victims = np.bincount([g for g, _ in found], minlength=len(groups)).astype(np.int64)
    grouped = of_line >= 0
    named = np.bincount(of_line[grouped], said.named[at[grouped]], minlength=len(groups))
    honest = ~known & (named == 0)
    base = max(said.total / max(population, 1), 1e-9)
    # one victim among as many people as have one, and those of all other lines
    others = (victims * honest).sum() - victims * honest
    met = (people * honest).sum() - people * honest
    rate = (1 + UNEVEN * others) / (1 / base + met)
    return Reached(victims, people * np.maximum(base, rate))


def _victims(
    said: Complaints, uses: Uses, of_line: Ints, of_number: Ints, known: NDArray[np.bool_]
) -> set[tuple[int, int]]:
    """Each group with each of its victims."""
    is_victim = np.zeros(len(said.named), bool)
    is_victim[[c.victim for c in said.told]] = True
    entries = np.flatnonzero(is_victim[uses.other] & (of_line[uses.of] >= 0))
    entries = entries[np.lexsort((entries, uses.us[entries], uses.other[entries]))]
    other, us, group = uses.other[entries], uses.us[entries], of_line[uses.of[entries]]
    aims = {i: {int(of_number[n]) for n in numbers} - {-1} for i, numbers in said.aimed.items()}
    found: set[tuple[int, int]] = set()
    for one in said.told:
        start, stop = np.searchsorted(other, [one.victim, one.victim + 1])
        moments = us[start:stop]
        first = start + np.searchsorted(moments, one.until - _BEFORE)
        last = start + np.searchsorted(moments, one.until, side="right")
        in_order = list(dict.fromkeys(group[first:last].tolist()))
        aim = {g for i in one.identifiers if len(aims.get(i, ())) <= _FEW for g in aims.get(i, ())}
        if one.suspect >= 0:
            aim.add(int(of_number[one.suspect]))
        if one.suspect != NOBODY or aim:
            found |= {(g, one.victim) for g in in_order if g in aim}
        elif in_order:
            ring = next((g for g in in_order if known[g]), in_order[0])
            found.add((ring, one.victim))
    return found
