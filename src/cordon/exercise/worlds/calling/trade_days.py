"""The calls of innocent trades on a day: made, taken, and returned."""

from __future__ import annotations

from zlib import crc32

import numpy as np

from cordon.exercise.worlds.calling.daily import Daily
from cordon.exercise.worlds.calling.drawing import (
    DAY,
    HOUR,
    Floats,
    Ints,
    Rng,
    chance,
    hashed,
    talk,
)
from cordon.exercise.worlds.calling.events import NOBODY, NONE, Events, events, together
from cordon.exercise.worlds.calling.land import Land
from cordon.exercise.worlds.calling.people import People
from cordon.exercise.worlds.calling.trades import Trade, Trades


class TradeDays:
    """The calls of trades, day by day."""

    def __init__(
        self, trades: Trades, daily: Daily, people: People, land: Land, weekday: int, dead: Ints
    ) -> None:
        self.trades, self.daily, self.people, self.land = trades.trades, daily, people, land
        self.weekday, self.dead = weekday, dead

    def day(self, day: int, rng: Rng) -> Events:
        """Calls that the trades make, take, and get back."""
        return together([e for t in self.trades for e in self._of(t, day, rng)])

    def _of(self, trade: Trade, day: int, rng: Rng) -> list[Events]:
        v = trade.values
        weekday = (self.weekday + day) % 7
        open_ = (day >= v["first"]) & (day < v["last"])
        open_ &= (v["off"].astype(np.int64) >> weekday) & 1 == 0
        # nobody works every day as much
        busy = open_ * rng.gamma(8.0, 1 / 8.0, len(open_))
        out = np.repeat(np.arange(len(trade.phone)), rng.poisson(v["out"] * busy))
        taken = np.repeat(np.arange(len(trade.phone)), rng.poisson(v["in"] * busy))
        return [*self._out(trade, out, day, rng), self._taken(trade, taken, day, rng)]

    def _hour(self, trade: Trade, of: Ints, day: int, rng: Rng) -> Floats:
        v = trade.values
        return day * DAY + (v["from"][of] + rng.random(len(of)) * (v["to"] - v["from"])[of]) * HOUR

    def _out(self, trade: Trade, of: Ints, day: int, rng: Rng) -> list[Events]:
        v, n = trade.values, len(of)
        phone = trade.phone[of]
        t = self._hour(trade, of, day, rng)
        to = self._strangers(trade, of, rng)
        again = (rng.random(n) < v["repeat"][of]) & (v["clients"][of] >= 1)
        to = np.where(again, self._client(trade, of, rng), to)
        lasts = talk(rng, n, v["talk_s"][of], 1.0)
        lasts = np.maximum(
            1.0, np.rint(v["talk_s"][of] * (lasts / v["talk_s"][of]) ** v["sigma"][of])
        )
        lasts[rng.random(n) > v["answered"][of]] = 0.0
        lasts[rng.random(n) < v["sms"][of]] = np.nan
        spot = trade.spot[of]
        if trade.moving:
            spot = self._about(phone, t)
        made = events(t, lasts, phone, to, a_spot=spot)
        dead = ~again & (rng.random(n) < v["dead"][of])
        made.b[dead], made.b_set[dead] = NOBODY, NONE
        made.b_line[dead] = self.dead[rng.integers(0, len(self.dead), int(dead.sum()))]
        made.lasts[dead] = 0.0
        back = np.flatnonzero((rng.random(n) < v["back"][of]) & ~dead)
        later = t[back] + np.nan_to_num(lasts[back]) + rng.lognormal(6.0, 1.2, len(back))
        talked = talk(rng, len(back), 30.0, 0.9) * (rng.random(len(back)) < 0.7)
        at = self._about(phone[back], later) if trade.moving else trade.spot[of[back]]
        return [made, events(later, talked, to[back], phone[back], b_spot=at)]

    def _taken(self, trade: Trade, of: Ints, day: int, rng: Rng) -> Events:
        v, n = trade.values, len(of)
        t = self._hour(trade, of, day, rng)
        who = self._strangers(trade, of, rng)
        again = (rng.random(n) < v["repeat"][of]) & (v["clients"][of] >= 1)
        who = np.where(again, self._client(trade, of, rng), who)
        lasts = talk(rng, n, v["talk_s"][of] * 1.2, 0.9) * (rng.random(n) < 0.85)
        spot = self._about(trade.phone[of], t) if trade.moving else trade.spot[of]
        return events(t, lasts, who, trade.phone[of], b_spot=spot)

    def _strangers(self, trade: Trade, of: Ints, rng: Rng) -> Ints:
        region = self.people.region[trade.phone[of]]
        near = rng.random(len(of)) < trade.values["near"][of]
        inside = self.daily.anybody(region, rng, 1.0)
        return np.where(near, inside, rng.integers(0, self.people.persons, len(of))).astype(
            np.int32
        )

    def _client(self, trade: Trade, of: Ints, rng: Rng) -> Ints:
        """One of an office's own circle: drivers, patients, parents; some more often."""
        size = np.maximum(trade.values["clients"][of], 1.0)
        which = (rng.random(len(of)) ** 1.5 * size).astype(np.int64)
        key = hashed(hashed(trade.office[of] + 1), which, crc32(trade.name.encode()))
        n = self.people.persons
        p = self.people.region[trade.phone[of]]
        low, high = self.daily.region_first[p], self.daily.region_first[p + 1]
        wide = np.maximum(high - low, 1).astype(np.uint64)
        place = np.minimum(low + (key % wide).astype(np.int64), n - 1)
        return np.asarray(self.daily.by_region[place], np.int32)

    def _about(self, phone: Ints, t: Floats) -> Ints:
        """Somewhere in the town, another place every ten minutes, mostly not far from the last."""
        land = self.land
        home = self.people.home[phone]
        region = land.region[home]
        first, wide = land.first[region], (land.last - land.first)[region]
        turn = np.floor(t / 600.0).astype(np.int64)
        leg = chance(phone, turn // 4, 21) - 0.5
        step = leg * 0.5 * wide + (chance(phone, turn, 22) - 0.5) * 0.04 * wide
        return np.asarray(first + (home - first + step.astype(np.int64)) % wide, np.int32)
