"""What a centre does in a day: seats at work, whom they call, who bites, who calls back."""

from __future__ import annotations

import numpy as np

from cordon.exercise.worlds.calling.cards import Rotation
from cordon.exercise.worlds.calling.centres import Centre
from cordon.exercise.worlds.calling.daily import Daily
from cordon.exercise.worlds.calling.drawing import DAY, HOUR, Floats, Ints, Rng, talk
from cordon.exercise.worlds.calling.events import NOBODY, NONE, Events, events, together
from cordon.exercise.worlds.calling.people import People
from cordon.exercise.worlds.calling.victims import Victims


class Shift:
    """The days of one centre.

    Args:
        abroad: index in `People` of phones in other countries, for those who call there.
        dead: numbers that nobody has. sender: line of an alphanumeric sender.
        in_order: persons by number, for centres that dial one after another.
    """

    def __init__(
        self, centre: Centre, people: People, daily: Daily, abroad: Ints, dead: Ints, sender: int,
        in_order: Ints, weekday: int, victims: Victims,
    ) -> None:  # fmt: skip
        self.centre, self.people, self.daily = centre, people, daily
        self.abroad, self.dead, self.sender, self.weekday = abroad, dead, sender, weekday
        self.victims = victims
        self._in_order, self._next = in_order, 0
        self._missed = np.empty(0, np.int32)
        self._promised_t = np.empty(0)
        self._promised = np.empty(0, np.int32)

    def day(self, day: int, rng: Rng) -> Events:
        """All that the centre does on a day; nothing where it is closed."""
        centre, own = self.centre, self.centre.own
        opens = day * DAY + own["opens"] * HOUR
        closes = opens + own["hours"] * HOUR
        if (self.weekday + day) % 7 == centre.closed or closes <= centre.begin:
            return together([])
        if opens >= centre.end or day * DAY < centre.begin // DAY * DAY:
            return together([])
        age = day - centre.begin // DAY
        ramp = min(1.0, own["first_day"] + (1 - own["first_day"]) * age / own["ramp_days"])
        seats = int(np.clip(rng.binomial(centre.seats, 0.93) * ramp, 2, centre.seats))
        closes = min(closes, centre.end)
        parts = [self._advertise(day, rng)] if own["inbound"] else []
        if own["inbound"]:
            parts += self._taken(seats, opens, closes, rng)
        parts += self._seats(seats, opens, closes, rng)
        parts.append(self._close(opens, closes, rng))
        return together(parts)

    # first line

    def _times(
        self, seats: int, opens: float, closes: float, rng: Rng
    ) -> tuple[Ints, Ints, Floats, Floats]:
        """Seat, order, time and duration of calls, one after another at each seat."""
        own = self.centre.own
        a_call = 3600.0 / own["out_an_hour"]
        most = int((closes - opens) / a_call * 1.8) + 5
        lasts = talk(rng, seats * most, own["talk_s"], own["talk_sigma"]).reshape(seats, most)
        hooked = rng.random((seats, most)) < own["hooked"]
        long = talk(rng, seats * most, own["hooked_s"], 0.8).reshape(seats, most)
        lasts = np.where(hooked, long, lasts)
        lasts[rng.random((seats, most)) > own["answered"]] = 0.0
        mean = own["answered"] * (
            own["talk_s"] * 1.4 * (1 - own["hooked"]) + own["hooked_s"] * own["hooked"] * 1.4
        )
        gap = rng.gamma(1.3, max(a_call - mean, 8.0) / 1.3, (seats, most)) + 4.0
        pace = rng.lognormal(0, 0.2, (seats, 1))
        late = rng.exponential(420.0, (seats, 1))
        step = lasts + gap * pace
        t = opens + late + np.cumsum(step, 1) - step
        pause = opens + own["break_at"] * (closes - opens)
        pause_s = own["break_h"] * HOUR
        t = np.where(t >= pause, t + pause_s, t)
        seat, order = np.nonzero(t < closes)
        return seat.astype(np.int32), order.astype(np.int32), t[seat, order], lasts[seat, order]

    def _seats(self, seats: int, opens: float, closes: float, rng: Rng) -> list[Events]:
        centre, own = self.centre, self.centre.own
        seat, order, t, lasts = self._times(seats, opens, closes, rng)
        if own["most_calls"]:  # a seat stops when every card has had its few calls
            keep = order < own["most_calls"]
            seat, order, t, lasts = seat[keep], order[keep], t[keep], lasts[keep]
        assert centre.rotation is not None
        line, handset = centre.rotation.assign(seat, order, t)
        to, dead = self._whom(len(t), rng)
        written = rng.random(len(t)) < own["messages"]
        lasts = np.where(written, np.nan, lasts)
        made = events(t, lasts, NOBODY, to, a_line=line, a_set=handset, a_spot=centre.spot)
        made.b[dead], made.b_set[dead] = NOBODY, NONE
        made.b_line[dead] = self.dead[rng.integers(0, len(self.dead), int(dead.sum()))]
        made.lasts[dead & ~written] = 0.0
        self._leak(made, rng)
        missed = (made.lasts == 0.0) & ~dead
        self._missed = made.b[missed]
        bit = (made.lasts > own["hooked_s"] * 0.4) & (rng.random(len(made)) < own["bites"])
        self._bite(made.where(np.flatnonzero(bit)), rng)
        back = self._backs(made, missed, bit, opens, closes, rng)
        return [made, back]

    def _whom(self, n: int, rng: Rng) -> tuple[Ints, np.ndarray]:
        """Whom the seats call, and which of the calls go to numbers that nobody has."""
        own, people = self.centre.own, self.people
        if own["abroad"]:
            # lists of numbers abroad that were bought: most are called once
            return rng.choice(self.abroad, n).astype(np.int32), np.zeros(n, bool)
        if rng.random() < own["in_order"]:
            at = (self._next + np.arange(n)) % len(self._in_order)
            self._next = int(self._next + n) if self._next else int(rng.integers(people.persons))
            to = self._in_order[at]
        else:
            to = self._listed(n, rng)
        again = rng.random(n) < own["retry"]
        if len(self._missed):
            to[again] = rng.choice(self._missed, int(again.sum()))
        return to, rng.random(n) < own["dead"]

    def _leak(self, made: Events, rng: Rng) -> None:
        """Now and then a worker calls home from a card of the centre, in place."""
        team = self.centre.team
        at = np.flatnonzero((rng.random(len(made)) < self.centre.own["leak"]) & (made.b >= 0))
        worker = rng.choice(team, len(at)) if len(team) else np.empty(0, np.int32)
        made.b[at] = self.daily.circles.one_of(worker, rng.random(len(at)), 3.0)[: len(at)]

    def _listed(self, n: int, rng: Rng) -> Ints:
        """Persons of a list that was bought: many of one region."""
        own = self.centre.own
        region = own["focus"] % (int(self.people.region.max()) + 1)
        return self.daily.anybody(np.full(n, region, np.int32), rng, own["focus_share"])

    def _bite(self, bitten: Events, rng: Rng) -> None:
        """Who bites loses money, and is called by the second line unless it went to a messenger."""
        own = self.centre.own
        self.victims.add(self.centre, bitten, rng)
        follow = (rng.random(len(bitten)) > own["to_messenger"]) & (self.centre.closers is not None)
        times = 1 + rng.poisson(own["closer_calls"], int(follow.sum()))
        who = np.repeat(bitten.b[follow], times)
        when = np.repeat(bitten.t[follow], times)
        self._promised = np.concatenate([self._promised, who])
        self._promised_t = np.concatenate(
            [self._promised_t, when + rng.exponential(own["closer_after_h"] * HOUR, len(who))]
        )

    def _backs(
        self,
        made: Events,
        missed: np.ndarray,
        bit: np.ndarray,
        opens: float,
        closes: float,
        rng: Rng,
    ) -> Events:
        """People who call the number back; many find it off."""
        own = self.centre.own
        p = np.where(bit, own["bitten_back"], np.where(missed, own["missed_back"], 0.004))
        of = made.where(np.flatnonzero((rng.random(len(made)) < p) & (made.b >= 0)))
        t = of.t + np.nan_to_num(of.lasts) + rng.lognormal(6.8, 1.3, len(of))
        on = (
            (t > opens)
            & (t < closes)
            & (t - of.t < 4 * HOUR)
            & (rng.random(len(of)) < own["taken"])
        )
        lasts = np.where(on, talk(rng, len(of), 45.0, 1.0), 0.0)
        ringing = on | ((t < closes) & (rng.random(len(of)) < 0.4))
        return events(
            t, lasts, of.b, NOBODY, b_line=of.a_line,
            b_set=np.where(ringing, of.a_set, NONE), b_spot=of.a_spot,
        )  # fmt: skip

    # second line

    def _close(self, opens: float, closes: float, rng: Rng) -> Events:
        closers = self.centre.closers
        due = self._promised_t < closes
        who, t = self._promised[due], self._promised_t[due]
        self._promised, self._promised_t = self._promised[~due], self._promised_t[~due]
        if closers is None or not len(who):
            return together([])
        t = np.where(t < opens, opens + rng.random(len(t)) * (closes - opens) * 0.5, t)
        line, handset = self._second(closers, t, who)
        lasts = talk(rng, len(t), self.centre.own["closer_s"], 0.8) * (rng.random(len(t)) < 0.8)
        return events(t, lasts, NOBODY, who, a_line=line, a_set=handset, a_spot=self.centre.spot)

    def _second(self, closers: Rotation, t: Floats, who: Ints) -> tuple[Ints, Ints]:
        # a victim keeps the same closer
        seat = who.astype(np.int64) % len(closers.sets)
        return closers.assign(seat.astype(np.int32), np.zeros(len(t), np.int32), t)

    # those who are called

    def _advertise(self, day: int, rng: Rng) -> Events:
        """Messages that ask to call: from a sender's name, or from cards of its own."""
        own = self.centre.own
        n = rng.poisson(own["adverts"] * self.centre.seats)
        t = day * DAY + rng.uniform(own["opens"] - 1, own["opens"] + 5, n) * HOUR
        to = self._listed(n, rng)
        if own["own_sender"] < 0.5:
            return events(t, np.full(n, np.nan), NOBODY, to, a_line=self.sender, a_set=NONE)
        assert self.centre.rotation is not None
        seat = rng.integers(0, self.centre.seats, n).astype(np.int32)
        order = rng.integers(0, 60, n).astype(np.int32)
        line, handset = self.centre.rotation.assign(seat, order, t)
        return events(
            t, np.full(n, np.nan), NOBODY, to, a_line=line, a_set=handset, a_spot=self.centre.spot
        )

    def _taken(self, seats: int, opens: float, closes: float, rng: Rng) -> list[Events]:
        """Calls of people who were asked to call; the lines they are shown change."""
        centre, own = self.centre, self.centre.own
        n = rng.poisson(own["in_an_hour"] * seats * (closes - opens) / HOUR)
        t = np.sort(rng.uniform(opens, closes, n))
        seat = rng.integers(0, seats, n).astype(np.int32)
        assert centre.rotation is not None
        line, handset = centre.rotation.assign(seat, np.zeros(n, np.int32), t)
        who = self._listed(n, rng)
        lasts = talk(rng, n, own["in_s"], 0.9) * (rng.random(n) < own["taken"])
        made = events(t, lasts, who, NOBODY, b_line=line, b_set=handset, b_spot=centre.spot)
        again = made.where(np.flatnonzero(rng.random(n) < 0.25 + 0.4 * (lasts == 0)))
        more = events(
            again.t + rng.exponential(1500.0, len(again)), talk(rng, len(again), own["in_s"], 0.9),
            again.a, NOBODY, b_line=again.b_line, b_set=again.b_set, b_spot=again.b_spot,
        )  # fmt: skip
        bit = made.where(
            np.flatnonzero((made.lasts > own["in_s"]) & (rng.random(n) < own["bites"]))
        )
        turned = events(
            bit.t, bit.lasts, NOBODY, bit.a, a_line=bit.b_line, a_set=bit.b_set, a_spot=bit.b_spot
        )
        self._bite(turned, rng)
        return [made, more.where(np.flatnonzero(more.t < closes))]
