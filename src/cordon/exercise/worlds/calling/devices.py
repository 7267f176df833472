"""Innocents whose cards and handsets do not fit one to one: shops, repairs, labourers, meters."""

from __future__ import annotations

import numpy as np

from cordon.exercise.worlds.calling.daily import Daily
from cordon.exercise.worlds.calling.drawing import (
    DAY,
    HOUR,
    Data,
    Rng,
    chance,
    drawn,
    hashed,
    talk,
)
from cordon.exercise.worlds.calling.events import NOBODY, NONE, Events, events, together
from cordon.exercise.worlds.calling.land import Land
from cordon.exercise.worlds.calling.lines import UNLISTED, Handsets, Lines
from cordon.exercise.worlds.calling.people import People


class Devices:
    """Sellers of SIM cards, repair shops, labourers who share a phone, terminals and trackers.

    Args:
        data: the part `devices` of the YAML, not drawn: every shop draws its own.
        code: line of the short code that a new card calls or writes to.
    """

    def __init__(
        self, data: Data, people: People, lines: Lines, sets: Handsets, land: Land, code: int,
        scale: float, days: int, rng: Rng,
    ) -> None:  # fmt: skip
        self.people, self.lines, self.sets, self.land, self.code = people, lines, sets, land, code
        self.data, self.days, self.rng = data, days, rng
        self.nets = len(lines.networks)
        count = {k: max(1, round(drawn(v["count"], rng) * scale)) for k, v in data.items()}
        self.sellers = [self._seller(drawn(data["sellers"], rng)) for _ in range(count["sellers"])]
        self.repairs = [self._repair(drawn(data["repairs"], rng)) for _ in range(count["repairs"])]
        self.camps = [self._camp(drawn(data["labourers"], rng)) for _ in range(count["labourers"])]
        self._meters(drawn(data["meters"], rng), count["meters"])

    def day(self, day: int, daily: Daily, rng: Rng) -> Events:
        """All calls of a day."""
        parts = [self._sold(s, day, daily, rng) for s in self.sellers]
        parts += [self._tried(s, day, daily, rng) for s in self.repairs]
        parts += [self._camped(c, day, rng) for c in self.camps]
        return together([*parts, self._metered(day, rng)])

    def _spot(self) -> int:
        region = int(self.rng.choice(len(self.land.share), p=self.land.share))
        return int(self.rng.integers(self.land.first[region], self.land.last[region]))

    def _seller(self, own: Data) -> Data:
        """A shop with one to three handsets and a new card every some minutes."""
        n = max(1, round(own["cards_a_day"])) * (self.days + 1)
        only = self.rng.random() < own["one_network"]
        net = self.rng.integers(0, self.nets, 1 if only else n)
        card = self.lines.sims(
            np.broadcast_to(net, n).astype(np.int32).copy(), kind=0, runs=True, new=True
        )
        self.lines.activated[card] = np.arange(n) // max(1, round(own["cards_a_day"]))
        self.lines.kind[card[self.rng.random(n) < 0.3]] = UNLISTED
        spot = self._spot()
        own |= {"cards": card, "spot": spot, "sets": self.sets.make(int(own["handsets"]))}
        own["shop"] = int(self.people.add(
            1, line=self.lines.sims(np.array([self.rng.integers(self.nets)]), kind=1),
            set=self.sets.make(1), home=spot, region=int(self.land.region[spot]),
        )[0])  # fmt: skip
        return own

    def _sold(self, own: Data, day: int, daily: Daily, rng: Rng) -> Events:
        """Each card sold is tried: a short call to the shop, a message to the code, a friend."""
        per = max(1, round(own["cards_a_day"]))
        sold = int(min(per, rng.poisson(per * 0.8)))
        card = own["cards"][day * per : day * per + sold]
        times = np.repeat(np.arange(sold), rng.integers(1, 1 + int(own["tries"]), sold))
        when = np.sort(rng.uniform(own["from"], own["to"], sold)) * HOUR + day * DAY
        t = when[times] + rng.exponential(90.0, len(times)) + 20.0
        handset = own["sets"][rng.integers(0, len(own["sets"]), sold)][times]
        kind = rng.random(len(times))
        region = np.full(len(times), self.land.region[own["spot"]])
        to = np.where(kind < 0.4, own["shop"], daily.anybody(region, rng, 0.9))
        lasts = np.where(
            kind < 0.4, rng.integers(1, 15, len(times)), talk(rng, len(times), 25, 0.8)
        )
        made = events(t, lasts, NOBODY, to, a_line=card[times], a_set=handset, a_spot=own["spot"])
        code = kind > 0.7
        made.b[code], made.b_line[code], made.b_set[code] = NOBODY, self.code, NONE
        made.lasts[code] = np.nan
        return made

    def _repair(self, own: Data) -> Data:
        spot = self._spot()
        net = self.rng.integers(0, self.nets, int(own["cards"])).astype(np.int32)
        own |= {"spot": spot, "lines": self.lines.sims(net, kind=0)}
        own["sets"] = np.concatenate(
            [
                self.sets.make(max(1, round(own["sets_a_day"] * self.days * 0.5))),
                self.people.set[self.rng.integers(0, self.people.persons, 20 + 2 * self.days)],
            ]
        )
        return own

    def _tried(self, own: Data, day: int, daily: Daily, rng: Rng) -> Events:
        """Every handset that was mended is tried with the shop's own cards."""
        n = int(rng.poisson(own["sets_a_day"]))
        handset = own["sets"][rng.integers(0, len(own["sets"]), n)]
        line = own["lines"][rng.integers(0, len(own["lines"]), n)]
        t = day * DAY + rng.uniform(10.5, 21.0, n) * HOUR
        region = np.full(n, self.land.region[own["spot"]])
        # mostly the same colleague, and the customers' own numbers
        friend = int(hashed(own["spot"]) % np.uint64(self.people.persons))
        to = np.where(rng.random(n) < 0.5, friend, daily.anybody(region, rng, 0.95))
        lasts = talk(rng, n, 9.0, 0.8) * (rng.random(n) < 0.7)
        return events(t, lasts, NOBODY, to, a_line=line, a_set=handset, a_spot=own["spot"])

    def _camp(self, own: Data) -> Data:
        """Labourers of one room: some cards, fewer handsets, the same few abroad or at home."""
        men, rng = int(own["men"]), self.rng
        net = rng.integers(0, self.nets, men).astype(np.int32)
        away = rng.random() < own["from_abroad"]
        own["lines"] = self.lines.visiting(net) if away else self.lines.sims(net, kind=0)
        own["sets"] = self.sets.make(max(1, round(men * own["handsets"])))
        own["spots"] = np.array([self._spot() for _ in range(3)])
        if away:
            own["kin"] = self.people.add(
                int(own["called"]), line=self.lines.abroad(int(own["called"]))
            )
        else:
            own["kin"] = rng.integers(0, self.people.persons, int(own["called"]))
        return own

    def _camped(self, own: Data, day: int, rng: Rng) -> Events:
        n = int(rng.poisson(own["calls_a_day"] * len(own["lines"])))
        man = rng.integers(0, len(own["lines"]), n)
        t = day * DAY + (np.clip(rng.normal(20.5, 2.2, n), 5, 24.5)) * HOUR
        # they move on to another site now and then
        spot = own["spots"][int(day // max(1.0, own["stays_days"])) % 3]
        which = (chance(man, 31) * 0.6 + rng.random(n) * 0.4) * len(own["kin"])
        to = own["kin"][which.astype(np.int64)]
        shared = (man + (rng.random(n) < 0.3) * rng.integers(0, 9, n)) % len(own["sets"])
        lasts = talk(rng, n, own["talk_s"], 0.9) * (rng.random(n) < 0.75)
        made = events(
            t, lasts, NOBODY, to, a_line=own["lines"][man], a_set=own["sets"][shared], a_spot=spot
        )
        back = made.where(np.flatnonzero(rng.random(n) < 0.25))
        return together([made, events(
            back.t + rng.exponential(3000.0, len(back)) + back.lasts,
            talk(rng, len(back), 120, 0.9),
            back.b, NOBODY, b_line=back.a_line, b_set=back.a_set, b_spot=back.a_spot,
        )])  # fmt: skip

    def _meters(self, own: Data, count: int) -> None:
        """Payment terminals stand in shops, trackers drive about; all report to one number."""
        rng = self.rng
        self.meter = own
        net = np.full(count, rng.integers(self.nets), np.int32)
        self.meter_lines = self.lines.sims(net, kind=1, runs=True)
        kind = int(rng.integers(30))
        self.meter_sets = self.sets.make(count, kind)
        region = rng.choice(len(self.land.share), count, p=self.land.share)
        low, high = self.land.first[region], self.land.last[region]
        self.meter_spots = (low + rng.random(count) * (high - low)).astype(np.int32)
        self.meter_moves = rng.random(count) < own["moving"]
        hub = self.lines.fixed(1, 1)
        self.meter_hub = int(self.people.add(1, line=hub, set=NONE)[0])

    def _metered(self, day: int, rng: Rng) -> Events:
        n = len(self.meter_lines)
        of = np.repeat(np.arange(n), rng.poisson(self.meter["a_day"], n))
        t = day * DAY + rng.random(len(of)) * DAY
        spot = self.meter_spots[of]
        region = self.land.region[spot]
        low, high = self.land.first[region], self.land.last[region]
        move = chance(of, np.floor(t / 1200.0).astype(np.int64), 41) * 0.3 * (high - low)
        moved = low + (spot - low + move.astype(np.int64)) % (high - low)
        spot = np.where(self.meter_moves[of], moved, spot)
        dial = rng.random(len(of)) < 0.3
        lasts = np.where(dial, rng.integers(5, 60, len(of)), np.nan)
        return events(
            t, lasts, NOBODY, self.meter_hub,
            a_line=self.meter_lines[of], a_set=self.meter_sets[of], a_spot=spot,
        )  # fmt: skip
