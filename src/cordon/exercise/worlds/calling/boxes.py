"""SIM boxes: they bring calls from abroad to people as if they were local calls."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cordon.exercise.worlds.calling.drawing import DAY, HOUR, Data, Floats, Ints, Rng, drawn, talk
from cordon.exercise.worlds.calling.events import NOBODY, NONE, Events, events, together
from cordon.exercise.worlds.calling.land import Land
from cordon.exercise.worlds.calling.lines import UNLISTED, Handsets, Lines
from cordon.exercise.worlds.calling.people import People


@dataclass(slots=True)
class Box:
    """One box.

    Attributes:
        own: its parameters. owner: as in `Lines`. spots: its place, and where it feigns to move.
        card: SIM card of each slot by generation. life: seconds. since: start of the first (s).
        sets: IMEI of each slot. begin, end: seconds between which it works.
    """

    own: Data
    owner: int
    spots: Ints
    card: Ints
    life: Floats
    since: Floats
    sets: Ints
    begin: float
    end: float


class Boxes:
    """All boxes, and what they take of the calls from abroad.

    Args:
        data: the part `boxes` of the YAML, not drawn: each box draws its own.
        owner: first owner number. calls_a_day: calls from abroad that kin make a day.
    """

    def __init__(
        self, data: Data, people: People, lines: Lines, sets: Handsets, land: Land, owner: int,
        calls_a_day: float, scale: float, span: float, rng: Rng,
    ) -> None:  # fmt: skip
        self.people = people
        whole = drawn({k: v for k, v in data.items() if k != "each"}, rng)
        count = max(1, round(whole["count"] * scale))
        self.share = float(whole["share"])
        self.boxes = []
        for i in range(count):
            own = drawn(data["each"], rng)
            expected = calls_a_day * self.share / count
            slots = int(np.clip(expected / own["calls_a_card"], 4, own["slots"]))
            region = int(rng.choice(len(land.share), p=land.share))
            spots = rng.integers(land.first[region], land.last[region], 2).astype(np.int32)
            life = own["life_days"] * DAY * rng.uniform(0.6, 1.5, slots)
            since = -rng.random(slots) * life
            generations = int(np.ceil((span - since.min()) / life.min())) + 1
            nets = rng.permutation(len(lines.networks))[: int(own["networks"])]
            n = slots * generations
            card = lines.sims(
                rng.choice(nets, n).astype(np.int32), kind=0, runs=rng.random() < 0.6, new=True
            )
            card = rng.permutation(card)
            lines.kind[card[rng.random(n) < 0.4]] = UNLISTED
            lines.owner[card] = owner + i
            radios = sets.make(max(1, round(slots * own["imeis"])), int(rng.integers(30)))
            begin = 0.0 if rng.random() < 0.6 else float(rng.uniform(0, 0.4) * span)
            self.boxes.append(
                Box(
                    own,
                    owner + i,
                    spots,
                    card.reshape(slots, generations),
                    life,
                    since,
                    radios[np.arange(slots) % len(radios)],
                    begin,
                    span,
                )
            )
        self._weight = rng.dirichlet(np.full(count, 3.0))

    def divert(self, made: Events, rng: Rng) -> Events:
        """Take some of the calls from abroad, in place; returns calls that go back to the cards."""
        people = self.people
        kin = (made.a >= people.persons) & (made.a < people.persons + people.kin)
        at = np.flatnonzero(kin & ~np.isnan(made.lasts) & (made.b >= 0) & (made.a_line < 0))
        taken = at[rng.random(len(at)) < self.share]
        of = rng.choice(len(self.boxes), len(taken), p=self._weight)
        parts = []
        for i, box in enumerate(self.boxes):
            some = taken[of == i]
            some = some[made.t[some] >= box.begin]
            parts.append(self._through(box, made, some, rng))
        return together(parts)

    def _through(self, box: Box, made: Events, at: Ints, rng: Rng) -> Events:
        own, t = box.own, made.t[at]
        slot = rng.integers(0, len(box.life), len(at))
        age = np.floor((t - box.since[slot]) / box.life[slot]).astype(np.int64)
        card = box.card[slot, np.minimum(age, box.card.shape[1] - 1)]
        radio = slot
        if own["rotates"] < 0.5:
            turn = np.floor(t / (own["rotates_h"] * HOUR)).astype(np.int64)
            radio = (slot + turn * 7) % len(box.life)
        spot = np.full(len(at), box.spots[0])
        if own["feigns"] < 0.35:
            hour = (t % DAY) / HOUR
            spot = np.where((hour > 9.5) & (hour < 17.5) & (slot % 3 > 0), box.spots[1], spot)
        made.a[at] = NOBODY
        made.a_line[at], made.a_set[at], made.a_spot[at] = card, box.sets[radio], spot
        # people call the number that called them; a box takes nothing
        back = at[rng.random(len(at)) < own["called_back"]]
        return events(
            made.t[back] + made.lasts[back] + rng.exponential(HOUR, len(back)),
            talk(rng, len(back), 1, 0.1) * 0.0,
            made.b[back],
            NOBODY,
            b_line=made.a_line[back],
            b_set=np.where(rng.random(len(back)) < 0.6, made.a_set[back], NONE),
            b_spot=made.a_spot[back],
        )
