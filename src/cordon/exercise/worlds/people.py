"""People who call: homes, families, work, trades, and the lines planted among them."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from cordon.kernel.clock import format_time
from cordon.kernel.store.files import written_whole

Data = dict[str, Any]
_DAY = 86400.0
_COLUMNS = (
    "start",
    "duration_s",
    "kind",
    "caller",
    "callee",
    "caller_imsi",
    "caller_imei",
    "caller_cell",
    "callee_imsi",
    "callee_imei",
    "callee_cell",
)


@dataclass(frozen=True, slots=True)
class Person:
    """A number and where its holder lives and works (cells)."""

    number: str
    imsi: str
    imei: str
    home: str
    work: str
    kind: str = "person"


@dataclass(slots=True)
class Towns:
    """Everybody, their calls, and the numbers that were planted.

    Attributes:
        calls: (seconds from the start, duration s or None, sms?, caller, callee, cell of the
            caller), by index of person; a short code as text. planted: number and its spans (s).
    """

    people: list[Person] = field(default_factory=list)
    calls: list[tuple[float, float | None, bool, int, int, str]] = field(default_factory=list)
    planted: list[tuple[str, float, float]] = field(default_factory=list)


class _Unused:
    """Whole numbers from 0, in no order and none of them twice.

    They come from below `block` until half of those are taken, then from the block above, so
    that one is found at once and nothing but what was taken is held.
    """

    def __init__(self, rng: np.random.Generator, block: int) -> None:
        self._rng, self._block = rng, block
        self._taken: set[int] = set()
        self._above = 0

    def take(self) -> int:
        """A number that was not taken before."""
        if len(self._taken) * 2 >= self._block:
            self._above += self._block
            self._taken.clear()
        while (n := int(self._rng.integers(self._block))) in self._taken:
            pass
        self._taken.add(n)
        return self._above + n


class Census:
    """Makes the people of a world and lets them call.

    Args:
        data: the part `people` of a world's YAML. span: seconds. local_s: seconds of the local
            day at the exercise's start.
    """

    def __init__(
        self, data: Data, rng: np.random.Generator, span: float, scale: float, local_s: float
    ) -> None:
        self.data, self.rng, self.span, self.scale, self.local = data, rng, span, scale, local_s
        self.towns = Towns()
        self._numbers, self._devices = _Unused(rng, 10_000_000), _Unused(rng, 1_000_000)
        rhythm = np.array(data["rhythm"], float)
        self._rhythm = rhythm / rhythm.sum()
        self._days = int(np.ceil((span + local_s) / _DAY))

    def build(self) -> Towns:
        """Everybody and all calls."""
        self.private = [
            self._person() for _ in range(max(50, round(self.data["count"] * self.scale)))
        ]
        circles = self._circles()
        for who in self.private:
            self._daily(who, circles[who])
        self._riders()
        self._called(self.data["shops"], "business")
        self._dispatch()
        self._schools()
        self._called(self.data["helplines"], "government", scaled=False)
        self._call_centre()
        self._planted()
        self.towns.calls.sort(key=lambda c: (c[0], c[3], c[4]))
        return self.towns

    # who there is

    def _person(self, kind: str = "person", town: int | None = None) -> int:
        towns = self.data["towns"]
        at = (
            town
            if town is not None
            else int(self.rng.choice(len(towns), p=[t["share"] for t in towns]))
        )
        cells = int(towns[at]["cells"])
        home, work = (f"{towns[at]['code']}-{int(self.rng.integers(cells)):03d}" for _ in "hw")
        serial = self._numbers.take()
        # a type of device holds a million serial numbers: the prefix is that of the first one
        imei = f"{int(self.data['imei_prefix']) * 10**6 + self._devices.take():014d}"
        self.towns.people.append(
            Person(
                f"{self.data['number_prefix']}{serial:07d}",
                f"{self.data['imsi_prefix']}{int(self.rng.integers(10**10)):010d}",
                imei + _luhn(imei),
                home,
                work,
                kind,
            )
        )
        return len(self.towns.people) - 1

    def _circles(self) -> dict[int, list[int]]:
        """Whom each calls: the household, and friends that know one another too."""
        rng, people = self.rng, self.private
        circles: dict[int, list[int]] = {p: [] for p in people}
        at = 0
        while at < len(people):
            size = int(rng.integers(*self.data["household"]))
            house = people[at : at + size]
            for p in house:
                circles[p] += [q for q in house if q != p]
            at += size
        for i, p in enumerate(people):
            for _ in range(int(rng.integers(*self.data["friends"])) // 2):
                # mostly from the neighbourhood, so that friends of friends are friends
                step = int(rng.geometric(0.02)) * int(rng.choice((-1, 1)))
                q = people[(i + step) % len(people)]
                if q != p:
                    circles[p].append(q)
                    circles[q].append(p)
        return circles

    # how they call

    def _daily(self, who: int, circle: Sequence[int]) -> None:
        mean = self.data["calls_a_day"] * float(self.rng.lognormal(0, self.data["calls_sigma"]))
        weights = 1.0 / np.arange(1, len(circle) + 1) if circle else np.array([])
        person = self.towns.people[who]
        for day in range(self._days):
            for _ in range(int(self.rng.poisson(mean))):
                if circle and self.rng.random() < 0.93:
                    whom = circle[int(self.rng.choice(len(circle), p=weights / weights.sum()))]
                else:
                    whom = self.private[int(self.rng.integers(len(self.private)))]
                hour = int(self.rng.choice(24, p=self._rhythm))
                cell = person.work if 9 <= hour < 17 and day % 7 < 5 else person.home
                sms = bool(self.rng.random() < self.data["sms_share"])
                self._call(
                    day,
                    hour + self.rng.random(),
                    who,
                    whom,
                    cell,
                    float(self.rng.lognormal(4.2, 1.1)),
                    sms=sms,
                )

    def _call(
        self, day: int, hour: float, a: int, b: int, cell: str, talk: float, *, sms: bool = False
    ) -> None:
        t = day * _DAY + hour * 3600.0 - self.local
        if a != b and 0 <= t < self.span:
            answered = bool(self.rng.random() < 0.82)
            lasts = None if sms else round(min(talk, 7200.0)) * 1.0 if answered else 0.0
            self.towns.calls.append((round(t), lasts, sms, a, b, cell))

    def _anybody(self) -> int:
        return self.private[int(self.rng.integers(len(self.private)))]

    def _count(self, group: Data, name: str = "count", *, scaled: bool = True) -> int:
        return max(1, round(float(group[name]) * (self.scale if scaled else 1.0)))

    def _between(self, bounds: Sequence[float]) -> int:
        return int(self.rng.integers(int(bounds[0]), int(bounds[1]) + 1))

    def _riders(self) -> None:
        """Riders: a new customer each time, from wherever they stand; some ring back."""
        group = self.data["riders"]
        for _ in range(self._count(group)):
            who = self._person()
            town = self.towns.people[who].home[:3]
            cells = next(t["cells"] for t in self.data["towns"] if t["code"] == town)
            for day in range(self._days):
                for _ in range(self._between(group["a_day"])):
                    hour, whom = self.rng.uniform(11, 23.5), self._anybody()
                    cell = f"{town}-{int(self.rng.integers(cells)):03d}"
                    self._call(
                        day, hour, who, whom, cell, self.rng.exponential(group["talk_s"]) + 5
                    )
                    if self.rng.random() < group["back"]:
                        self._call(
                            day,
                            hour + 0.05,
                            whom,
                            who,
                            self.towns.people[whom].home,
                            self.rng.exponential(25) + 5,
                        )

    def _called(self, group: Data, kind: str, *, scaled: bool = True) -> None:
        """Shops and helplines: they are called more than they call."""
        for _ in range(self._count(group, scaled=scaled)):
            who = self._person(kind)
            cell = self.towns.people[who].home
            for day in range(self._days):
                for _ in range(self._between(group["a_day"])):
                    self._call(
                        day,
                        self.rng.uniform(9, 21),
                        who,
                        self._anybody(),
                        cell,
                        float(self.rng.lognormal(4.0, 0.8)),
                    )
                for _ in range(self._between(group["incoming"])):
                    whom = self._anybody()
                    self._call(
                        day,
                        self.rng.uniform(8, 22),
                        whom,
                        who,
                        self.towns.people[whom].home,
                        float(self.rng.lognormal(4.6, 0.8)),
                    )

    def _dispatch(self) -> None:
        """Taxi dispatch: customers ring, it rings its drivers, and customers when they wait."""
        group = self.data["dispatch"]
        for _ in range(self._count(group)):
            who = self._person("business")
            drivers = [self._anybody() for _ in range(group["drivers"])]
            for day in range(self._days):
                for _ in range(self._between(group["a_day"])):
                    driver = self.rng.random() < 0.8
                    whom = (
                        drivers[int(self.rng.integers(len(drivers)))] if driver else self._anybody()
                    )
                    self._call(
                        day,
                        self.rng.uniform(6, 24),
                        who,
                        whom,
                        self.towns.people[who].home,
                        self.rng.exponential(30) + 6,
                    )
                for _ in range(self._between(group["incoming"])):
                    whom = self._anybody()
                    self._call(
                        day,
                        self.rng.uniform(6, 24),
                        whom,
                        who,
                        self.towns.people[whom].home,
                        self.rng.exponential(40) + 10,
                    )

    def _schools(self) -> None:
        """Schools: the same parents again and again, all in an hour or two."""
        group = self.data["schools"]
        for _ in range(self._count(group)):
            who = self._person("business")
            first = int(self.rng.integers(max(1, len(self.private) - group["parents"])))
            parents = self.private[first : first + group["parents"]]
            for day in range(self._days):
                for _ in range(self._between(group["a_day"])):
                    whom = parents[int(self.rng.integers(len(parents)))]
                    self._call(
                        day,
                        self.rng.uniform(7.5, 9.5),
                        who,
                        whom,
                        self.towns.people[who].home,
                        self.rng.exponential(45) + 8,
                    )

    def _call_centre(self) -> None:
        """A call centre that is registered: it looks like the planted ones, and may."""
        group = self.data["call_centre"]
        room = self.towns.people[self._person()].work
        for _ in range(group["lines"]):
            self._fan(self._person("registered_call_centre", 0), group, room, (9.0, 18.0), 0.02)

    def _planted(self) -> None:
        group = self.data["planted"]
        room = self.towns.people[self._person()].work
        for _ in range(self._count(group, "lines")):
            who = self._person(town=0)
            first, last = self._fan(
                who, group, room, tuple(group["hours"]), group["back"], victims=group["victims"]
            )
            if first < last:  # in a span too short for two calls nobody could tell it
                self.towns.planted.append((self.towns.people[who].number, first, last))

    def _fan(
        self,
        who: int,
        group: Data,
        room: str,
        hours: Sequence[float],
        back: float,
        *,
        victims: float = 0.0,
    ) -> tuple[float, float]:
        """One line's calls; returns its first and last moment (s), equal where it made none."""
        held: list[int] = []
        made: list[float] = []
        for day in range(self._days):
            for _ in range(self._between(group["a_day"])):
                again = bool(held) and self.rng.random() < victims
                whom = held[int(self.rng.integers(len(held)))] if again else self._anybody()
                hour = self.rng.uniform(hours[0], hours[1])
                talk = self.rng.exponential(group["talk_s"]) + 8
                before = len(self.towns.calls)
                self._call(day, hour, who, whom, room, talk * (3 if again else 1))
                made += [c[0] for c in self.towns.calls[before:]]
                if self.rng.random() < victims:
                    held.append(whom)
                if self.rng.random() < back:
                    self._call(day, hour + 0.3, whom, who, self.towns.people[whom].home, 40)
        return (min(made), max(made)) if made else (0.0, 0.0)


def write_calls(path: Path, towns: Towns, start: datetime) -> int:
    """Write `calls.csv`, by time; return its rows."""
    people = towns.people
    with written_whole(path) as partial, partial.open("w", newline="", encoding="utf-8") as out:
        rows = csv.writer(out, lineterminator="\n")
        rows.writerow(_COLUMNS)
        for t, lasts, sms, a, b, cell in towns.calls:
            caller, callee = people[a], people[b]
            rows.writerow(
                (
                    format_time(start + timedelta(seconds=t)),
                    "" if lasts is None else f"{lasts:g}",
                    "sms" if sms else "voice",
                    caller.number,
                    callee.number,
                    caller.imsi,
                    caller.imei,
                    cell,
                    callee.imsi,
                    callee.imei,
                    callee.home,
                )
            )
    return len(towns.calls)


def write_subscribers(path: Path, towns: Towns) -> int:
    """Write `subscribers.csv`; return its rows."""
    with written_whole(path) as partial, partial.open("w", newline="", encoding="utf-8") as out:
        rows = csv.writer(out, lineterminator="\n")
        rows.writerow(("number", "kind"))
        rows.writerows(sorted((p.number, p.kind) for p in towns.people))
    return len(towns.people)


def _luhn(digits: str) -> str:
    """Check digit of an IMEI (TS 23.003, annex B)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)
