"""Which thing of a ring is tied to which, by what, and how seldom others share it.

| reason | ties | told by |
| --- | --- | --- |
| `sim` | a number and a SIM | calls |
| `handset` | a SIM (or a number whose SIM is not recorded) and a handset | calls |
| `cell` | a number and a cell of the ring | calls |
| `complaint` | a number and what a complaint names with it | complaints |
| `victim` | the number that reached a victim first, and what the complaint names with no number | \
complaints |
| `payment` | an account and one that it pays into soon after it was paid | payments |
| `forwarded` | a number and the one that it sends calls on to (`rings.forwarded`) | calls |
| `bound` | a number and an account that is bound to it (`rings.bound`) | accounts |
| `address` | a number and an internet address that hardly anybody else uses | sessions |
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cordon.calls.rings.addresses import Used, addresses
from cordon.calls.rings.identifiers import Cut, Link, Tied, rarity
from cordon.calls.rings.uses import Uses, uses
from cordon.calls.survey.distinct import distinct
from cordon.calls.survey.near import SAMPLE

if TYPE_CHECKING:
    from cordon.calls.detectors.data import CallData
    from cordon.calls.rings.search import Group

Ints = NDArray[np.int64]
MOST = 400
"""Links of one reason that a finding holds, the weightiest first; it tells how many there are."""

_HUB = 3.0  # nats: a cell that more than one in 20 of everybody uses places nobody


@dataclass(frozen=True, slots=True)
class Linked:
    """What ties a ring.

    Attributes:
        links: all of them. cut: hubs that tie nothing. subjects: `address:…` of the links.
    """

    links: tuple[Link, ...]
    cut: tuple[Cut, ...]
    subjects: tuple[str, ...]

    def told(self, more: Sequence[Link] = ()) -> dict[str, Any]:
        """The keys `links`, `links_in_all` (of each reason) and `cut` of a finding.

        Args:
            more: links that were told elsewhere.
        """
        kept: list[Link] = []
        links = (*self.links, *more)
        in_all = Counter(link.reason for link in links)
        for reason in in_all:
            some = [link for link in links if link.reason == reason]
            some.sort(key=lambda n: (-n.weight, -n.times, n.a, n.b))
            kept += some[:MOST]
        kept.sort(key=lambda n: (n.a, n.b, n.reason))
        return {
            "links": [asdict(link) for link in kept],
            "links_in_all": dict(sorted(in_all.items())),
            "cut": [asdict(c) for c in sorted(self.cut, key=lambda c: c.subject)],
        }


def linked(data: CallData, group: Group, own: Uses, names: Sequence[str], ties: Tied) -> Linked:
    """The links of a ring, and the hubs that were cut.

    Args:
        own: uses of its members. names: its subjects. ties: what complaints and payments tie.
    """
    numbers = [f"number:{data.near.numbers[i]}" for i in group.members]
    links, cut = _of_calls(data, own, numbers, set(names))
    reach = None if data.search is None else data.search.measuring.reach
    close: list[Used] = []
    if data.search is not None and reach is not None:
        close, far = addresses(reach, group.core, data.search.measuring.exempt)
        at = data.search.lines.at
        for one in close:
            for line, times in zip(one.members.tolist(), one.times.tolist(), strict=True):
                number = f"number:{data.near.numbers[at[line]]}"
                links.append(Link(number, one.subject, "address", times, one.weight))
        cut += [Cut(one.subject, one.others, "used") for one in far]
    subjects = sorted({one.subject for one in close})
    return Linked((*links, *ties.links), (*cut, *ties.hubs), tuple(subjects))


def _of_calls(
    data: CallData, own: Uses, numbers: Sequence[str], names: set[str]
) -> tuple[list[Link], list[Cut]]:
    """SIMs, handsets and cells of the members, by how many of everybody's sample use each."""
    near = data.near
    sample = np.flatnonzero((near.why & SAMPLE) > 0)
    beside = uses(near, sample)
    sims = [f"imsi:{i}" for i in near.imsis]
    handsets = [f"imei:{i}" for i in near.imeis]
    cells = [f"cell:{i}" for i in near.cells]
    made: list[Link] = []

    def ties(one: Ints, other: Ints, of: Sequence[str], to: Sequence[str], reason: str,
             others: Ints) -> None:  # fmt: skip
        for a, b, times in _pairs(one, other):
            if to[b] in names:
                made.append(Link(of[a], to[b], reason, times, rarity(int(others[b]), len(sample))))

    used = [_users(beside.of, code, len(to)) for code, to in
            ((beside.imsi, sims), (beside.imei, handsets), (beside.cell, cells))]  # fmt: skip
    ties(own.of, own.imsi, numbers, sims, "sim", used[0])
    ties(own.imsi, own.imei, sims, handsets, "handset", used[1])
    bare = own.imsi < 0
    ties(own.of[bare], own.imei[bare], numbers, handsets, "handset", used[1])
    ties(own.of, own.cell, numbers, cells, "cell", used[2])
    hubs = {n.b for n in made if n.reason == "cell" and n.weight < _HUB}
    whole = len(data.census.out) / max(len(sample), 1)
    cut = [
        Cut(name, round(int(used[2][code]) * whole), "served")
        for code, name in enumerate(cells)
        if name in hubs
    ]
    return [n for n in made if n.b not in hubs], cut


def _pairs(one: Ints, other: Ints) -> list[tuple[int, int, int]]:
    """Each pair of codes that are both told, with how often it stands there."""
    told = (one >= 0) & (other >= 0)
    pair, often = np.unique(one[told] * (1 << 32) + other[told], return_counts=True)
    return list(zip((pair >> 32).tolist(), (pair & 0xFFFFFFFF).tolist(), often.tolist(),
                    strict=True))  # fmt: skip


def _users(of: Ints, code: Ints, size: int) -> Ints:
    """Of each code, how many different users it has."""
    told = code >= 0
    pairs = distinct(of[told] * (1 << 32) + code[told])
    return np.bincount(pairs & 0xFFFFFFFF, minlength=size).astype(np.int64)
