"""How a centre's SIM cards go through its handsets."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from cordon.exercise.worlds.calling.drawing import DAY, Data, Floats, Ints, Rng
from cordon.exercise.worlds.calling.lines import UNLISTED, Handsets, Lines


class Rotation(Protocol):
    """Says which card and handset a seat uses.

    Attributes:
        lines, sets: every card and handset that may come to use.
    """

    lines: Ints
    sets: Ints

    def assign(self, seat: Ints, order: Ints, t: Floats) -> tuple[Ints, Ints]:
        """Card and handset of calls.

        Args:
            seat: of each call. order: how many the seat made before on that day. t: seconds.
        """
        ...


class Slots:
    """Each seat has some handsets with some cards each, used in turn and thrown away in time.

    Args:
        own: `handsets` a seat, `cards` a handset, `life_days` of a card, `run` of calls before
            the next card's turn.
        begin, end: seconds between which the centre works.
    """

    def __init__(
        self, own: Data, seats: int, begin: float, end: float, cards: Cards, rng: Rng
    ) -> None:
        self._per = int(own["cards"])
        self._slots = int(own["handsets"]) * self._per
        self._run = max(1, int(own["run"]))
        n = seats * self._slots
        self._life = float(own["life_days"]) * DAY * rng.uniform(0.6, 1.6, n)
        self._since = begin - rng.random(n) * self._life
        count = int(np.ceil((end - begin) / self._life.min())) + 2
        # cards are bought slot by slot as they are needed; none is bought that is never used
        need = np.ceil((end - self._since) / self._life).astype(np.int64) + 1
        self._card = np.full((n, count), -1, np.int32)
        of = np.flatnonzero(np.arange(count)[None, :] < need[:, None])
        self.lines = cards.buy(len(of))
        self._card.ravel()[of] = self.lines
        self.sets = cards.handsets(seats * int(own["handsets"]))

    def assign(self, seat: Ints, order: Ints, t: Floats) -> tuple[Ints, Ints]:
        # each day begins with the slot after the one that it began with before
        turn = order // self._run + np.floor(t / DAY).astype(np.int64) * 3
        slot = seat * self._slots + turn % self._slots
        age = np.floor((t - self._since[slot]) / self._life[slot]).astype(np.int64)
        age = np.clip(age, 0, self._card.shape[1] - 1)
        return self._card[slot, age], self.sets[slot // self._per]


class Hourly:
    """All cards and all handsets lie on one table: each hour every seat takes others.

    Args:
        own: `pool` of cards and `handsets` a seat, `life_days` of a card, `every_h` hours.
    """

    def __init__(
        self, own: Data, seats: int, begin: float, end: float, cards: Cards, rng: Rng
    ) -> None:
        self._every = float(own["every_h"]) * 3600.0
        pool = max(seats, round(seats * float(own["pool"])))
        life = float(own["life_days"]) * DAY * rng.uniform(0.6, 1.6, pool)
        since = begin - rng.random(pool) * life
        turns = int(np.ceil((end - begin) / self._every)) + 2
        self._begin = begin
        count = int(np.ceil((end - begin) / life.min())) + 2
        card = cards.buy(pool * count).reshape(pool, count)
        self.sets = cards.handsets(max(seats, round(seats * float(own["handsets"]))))
        # a permutation for each hour; only its first seats matter
        self._place = np.argsort(rng.random((turns, pool)), 1)[:, :seats]
        self._phone = np.argsort(rng.random((turns, len(self.sets))), 1)[:, :seats]
        at = begin + np.arange(turns) * self._every
        age = np.floor((at[:, None] - since[None]) / life[None]).astype(np.int64)
        age = np.clip(age, 0, count - 1)
        rows = np.arange(turns)[:, None]
        self._card = card[self._place, age[rows, self._place]]
        self.lines = np.unique(card)

    def assign(self, seat: Ints, order: Ints, t: Floats) -> tuple[Ints, Ints]:
        turn = np.clip((t - self._begin) / self._every, 0, len(self._card) - 1).astype(np.int64)
        return self._card[turn, seat], self.sets[self._phone[turn, seat]]


class Cards:
    """Where a centre gets its cards and handsets.

    Args:
        own: `networks` (how many it buys of), `packs` (share bought in packs), `foreign`,
            `one_model` (share of handsets of one type), `old_sets` (share that it brings along).
        owner: written to its lines. old: handsets of the same people's earlier place.
    """

    def __init__(
        self, own: Data, lines: Lines, sets: Handsets, owner: int, old: Ints, rng: Rng
    ) -> None:
        self._own, self._lines, self._sets, self._owner, self._rng = own, lines, sets, owner, rng
        self._old = rng.permutation(old)[: round(len(old) * float(own["old_sets"]))]
        nets = rng.permutation(len(lines.networks))[: max(1, int(own["networks"]))]
        self._nets = nets.astype(np.int32)
        weight = rng.dirichlet(np.full(len(nets), 1.5 if len(nets) < 4 else 20.0))
        self._weight = weight

    def buy(self, n: int) -> Ints:
        """`n` cards, in no order that says which is used when."""
        rng, lines = self._rng, self._lines
        net = rng.choice(self._nets, n, p=self._weight).astype(np.int32)
        how = rng.random(n)
        made = np.empty(n, np.int32)
        foreign = how < self._own["foreign"]
        packs = ~foreign & (rng.random(n) < self._own["packs"])
        loose, lately = ~foreign & ~packs, bool(rng.random() < 0.5)
        made[foreign] = lines.visiting(net[foreign])
        made[packs] = lines.sims(net[packs], kind=0, runs=True, new=True)
        made[loose] = lines.sims(net[loose], kind=0, new=lately)
        lines.owner[made] = self._owner
        lines.kind[made[rng.random(n) < self._own["unlisted"]]] = UNLISTED
        return made

    def handsets(self, n: int) -> Ints:
        """`n` handsets: old ones first."""
        old, self._old = self._old[:n], self._old[n:]
        fresh = n - len(old)
        one = round(fresh * float(self._own["one_model"]))
        kind = int(self._rng.integers(30))
        more = np.concatenate([self._sets.make(one, kind), self._sets.make(fresh - one)])
        made = np.concatenate([old, more]).astype(np.int32)
        return self._rng.permutation(made)
