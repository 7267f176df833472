"""Where somebody is at a moment: home, work, the way between, elsewhere, a journey."""

from __future__ import annotations

import numpy as np

from cordon.exercise.worlds.calling.drawing import DAY, HOUR, Data, Floats, Ints, chance
from cordon.exercise.worlds.calling.land import Land
from cordon.exercise.worlds.calling.people import People


class Whereabouts:
    """Answers where people are; who is asked twice for the same hour says the same.

    Args:
        data: the part `moving` of the YAML, drawn. weekday: of the first day, 0 for Monday.
    """

    def __init__(self, data: Data, people: People, land: Land, weekday: int) -> None:
        self.data, self.people, self.land, self.weekday = data, people, land, weekday
        self._out = np.asarray(data["out"], np.float32)

    def at(self, who: Ints, t: Floats) -> Ints:
        """Spots of persons (indices) at times (s)."""
        p = self.people
        day = np.floor(t / DAY)
        hour = ((t - day * DAY) / HOUR).astype(np.float32)
        weekday = ((self.weekday + day.astype(np.int64)) % 7).astype(np.uint8)
        spot = p.home[who].copy()
        away = (t >= p.trip_from[who]) & (t < p.trip_to[who])
        spot[away] = p.trip_spot[who[away]]
        work = p.work[who]
        moved = t >= p.later_from[who]
        work = np.where(moved, p.later_work[who], work)
        start, end = p.work_from[who], p.work_to[who]
        # a shift may end after midnight; then it is told by the day on which it began
        over = (end > 24.0) & (hour < end - 24.0)
        clock = np.where(over, hour + 24.0, hour)
        on = np.where(over, (weekday + 6) % 7, weekday).astype(np.uint8)
        working = (work >= 0) & ((p.work_days[who] >> on) & 1).astype(bool) & ~away
        at_work = working & (clock >= start) & (clock < end)
        spot = np.where(at_work, work, spot)
        way = working & ((np.abs(clock - start + 0.3) < 0.35) | (np.abs(clock - end - 0.3) < 0.35))
        self._on_the_way(spot, np.flatnonzero(way), who, work, t)
        block = np.floor(t / (1.5 * HOUR)).astype(np.int64)
        out = self._out[np.minimum(hour.astype(np.int64), 23)]
        out = np.where(at_work, out * self.data["out_at_work"], out)
        self._elsewhere(spot, np.flatnonzero((chance(who, block, 3) < out) & ~way), who, block)
        return np.asarray(spot, np.int32)

    def _on_the_way(self, spot: Ints, of: Ints, who: Ints, work: Ints, t: Floats) -> None:
        """Between the order of home and of work, which is mostly a place between the two."""
        some = who[of]
        step = chance(some, np.floor(t[of] / 600.0).astype(np.int64), 5)
        home = self.people.home[some]
        spot[of] = home + ((work[of] - home) * step).astype(np.int64)

    def _elsewhere(self, spot: Ints, of: Ints, who: Ints, block: Ints) -> None:
        """One of a few favourite places, rarely another; near more than far."""
        some = who[of]
        favourite = (chance(some, block[of], 7) ** 2 * self.data["favourites"]).astype(np.int64)
        rare = chance(some, block[of], 8) < self.data["new_places"]
        key = np.where(rare, block[of] + 1000, favourite)
        land = self.land
        region = land.region[spot[of]]
        first, last = land.first[region], land.last[region]
        far = chance(some, key, 9) ** self.data["nearness"] * (last - first)
        side = np.where(chance(some, key, 10) < 0.5, -1, 1)
        spot[of] = first + (spot[of] - first + side * far.astype(np.int64)) % (last - first)
