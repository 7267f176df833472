"""Supervisors, workers and couriers of centres on their own phones, which stay innocent."""

from __future__ import annotations

import numpy as np

from cordon.exercise.worlds.calling.centres import NO_DAY, Centre
from cordon.exercise.worlds.calling.drawing import DAY, HOUR, Data, Rng, talk
from cordon.exercise.worlds.calling.events import Events, events, together
from cordon.exercise.worlds.calling.people import People


class Staff:
    """What those who work in centres say to one another, from their own phones.

    A courier brings cards and takes cash for two centres; he is in no truth, for he calls nobody
    for them.

    Args:
        data: the part `staff` of the YAML, drawn. weekday: of the first day, 0 for Monday.
    """

    def __init__(
        self, data: Data, centres: list[Centre], people: People, weekday: int, rng: Rng
    ) -> None:
        self.data, self.centres, self.weekday = data, centres, weekday
        self.bosses = []
        for centre in centres:
            n = min(len(centre.team), max(1, round(centre.seats / data["seats_a_boss"])))
            self.bosses.append(rng.choice(centre.team, n, replace=False).astype(np.int32))
        first = [c for c in centres if c.earlier is None]
        self.couriers = [int(rng.integers(people.persons)) for _ in range((len(first) + 1) // 2)]
        # two centres share one; a place that opens after a raid keeps the one it had
        serves = {c.index: self.couriers[i // 2] for i, c in enumerate(first)}
        for centre in centres:
            if centre.earlier is not None:
                serves[centre.index] = serves[centre.earlier]
        self.serves = serves

    def day(self, day: int, rng: Rng) -> Events:
        """All of it on a day."""
        parts = []
        for centre, bosses in zip(self.centres, self.bosses, strict=True):
            closed = centre.closed != NO_DAY and (self.weekday + day) % 7 == centre.closed
            if closed or not centre.begin // DAY <= day < centre.end / DAY or not len(centre.team):
                continue
            parts += [self._led(centre, bosses, day, rng), self._brought(centre, bosses, day, rng)]
        return together(parts)

    def _led(self, centre: Centre, bosses: np.ndarray, day: int, rng: Rng) -> Events:
        """Supervisors ring workers: who is late, who comes tomorrow."""
        n = int(rng.poisson(self.data["calls_a_boss"] * len(bosses)))
        opens = day * DAY + centre.own["opens"] * HOUR
        t = opens + rng.normal(0.0, 1.6, n) * HOUR
        boss, worker = rng.choice(bosses, n), rng.choice(centre.team, n)
        lasts = talk(rng, n, 28.0, 0.8) * (rng.random(n) < 0.75)
        back = rng.random(n) < 0.35
        a, b = np.where(back, worker, boss), np.where(back, boss, worker)
        return events(t[a != b], lasts[a != b], a[a != b], b[a != b])

    def _brought(self, centre: Centre, bosses: np.ndarray, day: int, rng: Rng) -> Events:
        """The courier and the supervisor: on his way, at the door, and elsewhere."""
        n = int(rng.poisson(self.data["calls_a_courier"]))
        courier = self.serves[centre.index]
        t = day * DAY + (centre.own["opens"] + rng.random(n) * centre.own["hours"]) * HOUR
        lasts = talk(rng, n, 22.0, 0.7) * (rng.random(n) < 0.85)
        boss = rng.choice(bosses, n)
        calls = rng.random(n) < 0.6
        there = np.where(rng.random(n) < 0.5, centre.spot, -1)
        a, b = np.where(calls, courier, boss), np.where(calls, boss, courier)
        keep = a != b
        return events(
            t[keep], lasts[keep], a[keep], b[keep],
            a_spot=np.where(calls, there, -1)[keep], b_spot=np.where(calls, -1, there)[keep],
        )  # fmt: skip
