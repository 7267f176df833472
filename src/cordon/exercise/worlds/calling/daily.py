"""What ordinary people call and write in a day: bursts, rhythm, whom they know, replies."""

from __future__ import annotations

import numpy as np

from cordon.exercise.worlds.calling.circles import Circles
from cordon.exercise.worlds.calling.drawing import (
    DAY,
    HOUR,
    Data,
    Floats,
    Ints,
    Rng,
    chance,
    hashed,
    ranks,
    talk,
)
from cordon.exercise.worlds.calling.events import NOBODY, NONE, Events, events, together
from cordon.exercise.worlds.calling.people import People

_FRIDAY, _SATURDAY, _SUNDAY = 4, 5, 6


class Daily:
    """Ordinary days.

    Args:
        data: the part `daily` of the YAML, drawn. weekday: of the first day, 0 for Monday.
        senders: lines of companies that send messages. dead: numbers that nobody has.

    Attributes:
        by_region: persons by region. region_first: where each region begins in it.
    """

    def __init__(
        self, data: Data, people: People, circles: Circles, weekday: int, senders: Ints, dead: Ints
    ) -> None:
        self.data, self.people, self.circles, self.weekday = data, people, circles, weekday
        self.senders, self.dead = senders, dead
        self.count = people.persons + people.kin
        burst = np.arange(1, data["burst_most"] + 1) ** -float(data["burst_exponent"])
        self._bursts = np.cumsum(burst / burst.sum())
        self._burst_mean = float((burst / burst.sum() * np.arange(1, len(burst) + 1)).sum())
        # replies come on top of what people begin
        self._begun = 1.0 / (1.0 + data["returned"] * (1 - data["answered"]) + data["again"])
        self._clock = [self._hours(d) for d in range(7)]
        self.by_region = np.argsort(people.region[: people.persons], kind="stable")
        self.region_first = np.searchsorted(
            people.region[self.by_region], np.arange(int(people.region.max()) + 2)
        )

    def _hours(self, weekday: int) -> Floats:
        """Cumulative share of a day's calls at each half hour (49 values)."""
        hourly = np.interp(np.arange(48) / 2, np.arange(24), self.data["rhythm"], period=24)
        if weekday == _FRIDAY:  # prayers at noon, and a long evening
            hourly[25:29] *= self.data["friday_noon"]
            hourly[34:44] *= 1.1
        if weekday == _SUNDAY:
            hourly[12:20] *= 0.6
            hourly[36:46] *= 1.1
        return np.concatenate([[0.0], np.cumsum(hourly) / hourly.sum()])

    def day(self, day: int, rng: Rng) -> Events:
        """All of a day; replies may fall into the next."""
        begun = self._begin(day, rng)
        return together([begun, self._replies(begun, rng), self._messages(day, rng)])

    def anybody(self, region: Ints, rng: Rng, near: float) -> Ints:
        """Somebody, of the region in a share `near` of cases."""
        n = self.people.persons
        low, high = self.region_first[region], self.region_first[region + 1]
        inside = self.by_region[
            np.minimum(low + (rng.random(len(region)) * (high - low)).astype(np.int64), n - 1)
        ]
        anywhere = rng.integers(0, n, len(region))
        local = (rng.random(len(region)) < near) & (high > low)
        return np.where(local, inside, anywhere).astype(np.int32)

    def _begin(self, day: int, rng: Rng) -> Events:
        data, people, n = self.data, self.people, self.count
        weekday = (self.weekday + day) % 7
        mood = rng.gamma(data["mood_shape"], 1.0 / data["mood_shape"], n)
        # ill, away, no credit: a spell begins for each person on another day
        who = np.arange(n, dtype=np.int32)
        spell = np.floor(day / data["quiet_days"] + chance(who, 51))
        mood[chance(who, spell.astype(np.int64), 52) < data["quiet"]] *= 0.05
        mean = people.rate[:n] * self._begun / self._burst_mean
        bursts = rng.poisson(mean * mood * data["weekdays"][weekday])
        who = np.repeat(who, bursts)
        hour = np.interp(rng.random(len(who)), self._clock[weekday], np.arange(49) / 2)
        start = day * DAY + ((hour + people.shift[who]) % 24.0) * HOUR
        size = 1 + np.searchsorted(self._bursts, rng.random(len(who)))
        size = np.minimum(size, data["burst_most"])
        burst = np.repeat(np.arange(len(who)), size)
        place = ranks(size)
        a = who[burst]
        b = self._whom(a, start[burst], rng)
        first = np.cumsum(size) - size
        same = (place > 0) & (rng.random(len(a)) < data["same_again"])
        b = np.where(same, b[first][burst], b)
        lasts = self._lasts(a, b, rng)
        pause = np.exp(np.log(data["pause_s"]) + 1.1 * rng.standard_normal(len(a)))
        step = np.nan_to_num(lasts) + pause
        before = np.cumsum(step) - step
        t = start[burst] + before - before[first][burst]
        keep = a != b
        made = events(t[keep], lasts[keep], a[keep], b[keep])
        wrong = (rng.random(len(made)) < data["wrong_number"]) & (made.a < people.persons)
        made.b[wrong] = NOBODY
        made.b_line[wrong] = self.dead[rng.integers(0, len(self.dead), int(wrong.sum()))]
        made.b_set[wrong] = NONE
        made.lasts[wrong] = 0.0
        return made

    def _whom(self, a: Ints, t: Floats, rng: Rng) -> Ints:
        data, people = self.data, self.people
        b = self.circles.one_of(a, rng.random(len(a)), data["steep"])
        # after somebody has another number only some contacts are called again soon
        other = (people.new_line[a] >= 0) & (people.new_line[a] != people.line[a])
        late = np.flatnonzero(other & (t >= people.change[a]))
        age = (t[late] - people.change[a[late]]) / (data["found_again_days"] * DAY)
        gone = chance(a[late], b[late], 11) < data["contacts_lost"] * np.exp(-age)
        late = late[gone]
        b[late] = self.circles.one_of(a[late], rng.random(len(late)), data["steep"])
        stranger = np.flatnonzero((rng.random(len(a)) < data["strangers"]) & (a < people.persons))
        b[stranger] = self.anybody(people.region[a[stranger]], rng, 0.75)
        return b

    def _lasts(self, a: Ints, b: Ints, rng: Rng) -> Floats:
        data, people, n = self.data, self.people, len(a)
        pair = hashed(np.minimum(a, b), np.maximum(a, b)) >> np.uint64(40)
        close = (pair.astype(np.float32) / 2**24 - 0.5) * data["pairs_differ"]
        longer = np.exp(people.talk[a] + people.talk[b] * 0.5 + close)
        lasts = talk(rng, n, data["talk_s"] * longer, data["talk_sigma"])
        lasts[rng.random(n) > data["answered"]] = 0.0
        lasts[rng.random(n) < people.sms[a]] = np.nan
        return lasts

    def _replies(self, begun: Events, rng: Rng) -> Events:
        data = self.data
        p = np.where(
            np.isnan(begun.lasts),
            data["written_back"],
            np.where(begun.lasts == 0.0, data["returned"], data["again"]),
        )
        made = begun.where((rng.random(len(begun)) < p) & (begun.b >= 0))
        written = np.isnan(made.lasts)
        median = np.where(written, 100.0, data["return_s"])
        later = median * np.exp(1.2 * rng.standard_normal(len(made)))
        t = made.t + np.nan_to_num(made.lasts) + later
        lasts = self._lasts(made.b, made.a, rng)
        lasts = np.where(written, np.nan, np.where(np.isnan(lasts), 0.0, lasts))
        return events(t, lasts, made.b, made.a)

    def _messages(self, day: int, rng: Rng) -> Events:
        """Messages of companies, day and night but mostly by day."""
        n = rng.poisson(self.data["senders_a_day"] * self.people.persons)
        t = day * DAY + (np.clip(rng.normal(14.0, 4.5, n), 0.0, 23.99)) * HOUR
        weight = 1.0 / np.arange(1, len(self.senders) + 1)
        sender = self.senders[rng.choice(len(self.senders), n, p=weight / weight.sum())]
        to = rng.integers(0, self.people.persons, n)
        return events(t, np.full(n, np.nan), NOBODY, to, a_line=sender, a_set=NONE)
