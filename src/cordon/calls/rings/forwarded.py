"""Calls that a ring's numbers send on to others, and that others send on to them.

Such a call is told and weighs nothing: honest firms forward too. It leads from a number that is
shown to victims, or that complaints name, to the room where the telephones ring.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from cordon.calls.rings.identifiers import Link, rarity
from cordon.kernel.findings import Reason

if TYPE_CHECKING:
    from cordon.calls.detectors.data import CallData
    from cordon.calls.rings.search import Group


@dataclass(frozen=True, slots=True)
class Forwarded:
    """What a ring forwards: `forwarded` links from who sends calls on, and reasons in words."""

    links: tuple[Link, ...] = ()
    reasons: tuple[Reason, ...] = ()


def forwarded(data: CallData, group: Group) -> Forwarded:
    """The forwardings of a group's numbers; empty where none is told."""
    table = data.forwards
    if not len(table):
        return Forwarded()
    own = {data.near.numbers[i] for i in group.members}
    table = _around(table, own)
    pairs = Counter(
        zip(table["number"].to_pylist(), table["forwarded_to"].to_pylist(), strict=True)
    )
    away = {pair: n for pair, n in pairs.items() if pair[0] in own}
    here = {pair: n for pair, n in pairs.items() if pair[1] in own and pair[0] not in own}
    senders = Counter(to for _, to in pairs)
    links = tuple(
        Link(f"number:{a}", f"number:{b}", "forwarded", n,
             rarity(senders[b] - 1, len(data.census.number)))
        for (a, b), n in sorted({**away, **here}.items())
    )  # fmt: skip
    return Forwarded(links, tuple(_reasons(away, here, _named(data))))


def _around(table: pa.Table, own: set[str]) -> pa.Table:
    """The forwardings by and to these numbers, and all others to where any of those lead.

    A nation's are many, and a search tells of each ring.
    """
    some = pa.array(sorted(own), pa.string())
    sends, gets = (pc.is_in(table[n], value_set=some) for n in ("number", "forwarded_to"))
    leads = pc.unique(table["forwarded_to"].filter(pc.or_(sends, gets)))
    return table.filter(pc.is_in(table["forwarded_to"], value_set=leads))


def _reasons(
    away: dict[tuple[str, str], int], here: dict[tuple[str, str], int], named: set[str]
) -> list[Reason]:
    told = []
    if away:
        calls, numbers = sum(away.values()), len({a for a, _ in away})
        says = f"{numbers:,} of its numbers sent calls on to {_others(away, 1)}: {calls:,} in all"
        told.append(Reason("forwards", float(calls), "1", None, says))
    if here:
        calls, senders = sum(here.values()), {a for a, _ in here}
        says = f"{_others(here, 0)} sent calls on to it: {calls:,} in all"
        if accused := len(senders & named):
            says += f"; complaints name {accused:,} of those numbers"
        told.append(Reason("forwarded_here", float(calls), "1", None, says))
    return told


def _others(pairs: dict[tuple[str, str], int], side: int) -> str:
    many = len({pair[side] for pair in pairs})
    return f"{many:,} number{'s' * (many != 1)}"


def _named(data: CallData) -> set[str]:
    if data.complaints is None:
        return set()
    named = data.complaints["suspect_number"]
    return set(pc.drop_null(named).to_pylist())
