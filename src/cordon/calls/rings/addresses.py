"""What internet addresses say of lines: a box that only they reach ties them, a hub does not.

An operator's shared address, a messenger or a content network is used by subscribers of every
kind; a gateway, panel or remote desktop of a room by its lines and hardly anybody else. Which of
the two an address is, the other subscribers in the same sessions tell. Ports are not asked: one
subscriber's block of them changes within the day, and nothing here depends on it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from cordon.calls.survey.sessions import Reach

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
FEWEST_OTHERS = 100
"""Other numbers with sessions, below which nobody can tell what everybody reaches."""

_FEWEST = 3  # lines with sessions that are a group of its own way
_RARE = 3.0  # nats that an address must be rarer than chance by: one in 20 of everybody
_SURE = 5.0  # nats of so many of a group's lines against chance, from which on it is no accident
_MOST_LINES = 200  # that one address joins: more are customers of one provider
_MOSTLY = 0.5  # of a group's lines with sessions, that make an address the group's own
_ONE, _TWO = 4.0, -3.0  # nats for groups with one address in common; with one each and none common
_HUBS = 10  # of a ring that are told
_MOST_ASKED = 64  # addresses that groups at one place are compared by, those of most lines first


@dataclass(frozen=True, slots=True)
class Tie:
    """The address by which most of a group's lines are tied.

    Attributes:
        seen: lines of the group with sessions. reached: those of them that reach it.
        lines: other lines that do. registered: exempt numbers that do. others: everybody else
            who does, of `everybody` with sessions.
    """

    seen: int
    reached: int
    lines: int = 0
    registered: int = 0
    others: int = 0
    everybody: int = 0


@dataclass(frozen=True, slots=True)
class Used:
    """An address of a ring.

    Attributes:
        subject: `address:…`. members: places of the ring's lines that use it, with how many
            sessions in `times`. others: numbers that use it and are none of the ring's.
        weight: nats that it is rarer than chance by.
    """

    subject: str
    public: bool
    members: Ints
    times: Ints
    others: int
    weight: float


def tie(reach: Reach, members: Ints, exempt: Bools) -> Tie | None:
    """What ties most of these lines; None where too few have sessions, or too few others.

    Args:
        members: places of lines. exempt: of each line, whether its holder is registered.
    """
    seen = int(reach.seen[members].sum())
    if seen < _FEWEST or reach.everybody < FEWEST_OTHERS:
        return None
    used = _users(reach.ties, members)
    close = np.flatnonzero((used > 1) & (reach.others < used))
    if not len(close):
        return Tie(seen, 0, everybody=reach.everybody)
    chance = seen * (reach.others[close] + 1) / (reach.everybody + 2)
    k = used[close]
    nats = np.where(k > chance, k * np.log(k / chance) - k + chance, 0.0)
    best = int(np.argmax(nats))
    if nats[best] < _SURE:
        return Tie(seen, 0, everybody=reach.everybody)
    at = int(close[best])
    all_lines = reach.ties[:, at].nonzero()[0]
    registered = int(exempt[all_lines].sum())
    own = int(k[best])
    return Tie(
        seen,
        own,
        max(len(all_lines) - registered - own, 0),
        registered + int(reach.exempt[at]),
        int(reach.others[at]),
        reach.everybody,
    )


def addresses(reach: Reach, members: Ints, exempt: Bools) -> tuple[list[Used], list[Used]]:
    """Addresses that tie lines of a ring, and hubs that most of its lines use and that do not.

    Args:
        members: places of the ring's lines. exempt: as of `tie`; a provider of registered lines
            is a hub.
    """
    used, kept = _users(reach.times, members), _users(reach.ties, members)
    seen = int(reach.seen[members].sum())
    rare = reach.others + _registered(reach, exempt) < kept
    rare &= reach.everybody >= FEWEST_OTHERS
    tied = np.flatnonzero(rare & (kept > 1) & (_weights(reach, used) >= _RARE))
    hubs = np.setdiff1d(np.flatnonzero((used > 1) & (used >= _MOSTLY * seen)), tied)
    hubs = hubs[np.lexsort((hubs, -reach.others[hubs], -used[hubs]))][:_HUBS]
    return [_used(reach, members, a, used) for a in tied.tolist()], [
        _used(reach, members, a, used) for a in hubs.tolist()
    ]


def _used(reach: Reach, members: Ints, at: int, used: Ints) -> Used:
    times = np.asarray(reach.times[members][:, at].toarray()).ravel().astype(np.int64)
    own = np.flatnonzero(times)
    everyone = int(reach.times[:, at].nnz) + int(reach.others[at]) + int(reach.exempt[at])
    return Used(
        f"address:{reach.names[at]}",
        bool(reach.public[at]),
        members[own],
        times[own],
        everyone - int(used[at]),
        round(float(_weights(reach, used)[at]), 2),
    )


def _users(times: sparse.csr_matrix, members: Ints) -> Ints:
    """Of each address, how many of these lines use it."""
    return np.bincount(times[members].indices, minlength=times.shape[1]).astype(np.int64)


def _registered(reach: Reach, exempt: Bools) -> Ints:
    """Of each address, how many exempt numbers use it, lines or not."""
    return reach.exempt + _users(reach.times, np.flatnonzero(exempt))


def _weights(reach: Reach, used: Ints) -> Floats:
    """Of each address, how rare it is to use it, in nats; lines that do not count as others."""
    users = np.bincount(reach.times.indices, minlength=len(reach.names))
    others = reach.others + reach.exempt + users - used
    return np.asarray(np.log((reach.everybody + len(reach.seen) + 2) / (others + 1.0)))


@dataclass(slots=True)
class Beside:
    """Groups beside one another by the addresses of their own lines.

    Attributes:
        seen: lines of each group with sessions. reached: those that reach each address, groups ×
            addresses. nats: what each address says, at most.
    """

    seen: Floats
    reached: Floats
    nats: Floats

    def merge(self, a: int, b: int) -> None:
        """Add group b to group a."""
        self.seen[a] += self.seen[b]
        self.reached[a] += self.reached[b]

    def evidence(self, a: int, others: Ints) -> Floats:
        """Nats for group `a` and each of the others being one.

        Groups whose lines reach one address that others do not are one rather than two; two that
        have one each, and none in common, are two.
        """
        share, own = self._own(others)
        mine, its = self._own(np.array([a]))
        common = (np.minimum(share, mine) * self.nats).max(axis=1, initial=0.0)
        both = own.any(axis=1) & its.any()
        apart = both & ~((share > 0) & (mine > 0) & (own | its)).any(axis=1)
        return np.asarray(common + np.where(apart, _TWO, 0.0))

    def _own(self, groups: Ints) -> tuple[Floats, Bools]:
        """Shares of the lines of some groups that reach each address, and which are their own."""
        share = self.reached[groups] / np.maximum(self.seen[groups], 1.0)[:, None]
        return share, (share >= _MOSTLY) & (self.reached[groups] >= _FEWEST)


@dataclass(frozen=True, slots=True)
class Joining:
    """Addresses that may join lines at one place: lines reach them, and hardly anybody else.

    Attributes:
        seen: of each line, whether it has sessions. reached: lines × addresses, 1 where it does.
        nats: of each address.
    """

    seen: Bools
    reached: sparse.csr_matrix
    nats: Floats

    def of(self, block: Ints, count: int, members: Ints) -> Beside:
        """The same of some of the blocks that lines stand in.

        Args:
            block: of each line. count: of all blocks. members: those that are asked for.
        """
        into = sparse.coo_matrix(
            (np.ones(len(block)), (block, np.arange(len(block)))), shape=(count, len(block))
        ).tocsr()[members]
        reached = into @ self.reached
        often = np.bincount(reached.indices, minlength=reached.shape[1])
        some = np.flatnonzero(often > 1)  # the others say nothing here
        if len(some) > _MOST_ASKED:
            some = np.sort(some[np.lexsort((some, -often[some]))][:_MOST_ASKED])
        seen = np.asarray(into @ self.seen.astype(float)).ravel()
        return Beside(seen, reached[:, some].toarray(), self.nats[some])


def joining(reach: Reach, part: Ints, exempt: Bools) -> Joining | None:
    """The addresses that may join; None where there are none.

    Args:
        part: places of the lines that are gathered. exempt: of each line, whether its holder is
            registered.
    """
    if reach.everybody < FEWEST_OTHERS:
        return None
    users = np.bincount(reach.times.indices, minlength=len(reach.names))
    own = reach.ties[part]
    used = np.bincount(own.indices, minlength=len(reach.names))
    registered = _registered(reach, exempt)
    weights = _weights(reach, users)
    kept = (used > 1) & (reach.others < used / 2) & (registered == 0)
    kept &= (used <= _MOST_LINES) & (weights >= _RARE)
    some = np.flatnonzero(kept)
    if not len(some):
        return None
    reached = own[:, some].tocsr()
    reached.data = np.ones(len(reached.data))
    return Joining(reach.seen[part], reached, np.minimum(weights[some] - _RARE, _ONE))
