"""Innocent trades that call many or are called by many: riders, doctors, schools, pollsters …

Every trade is data (the part `trades` of the YAML); each of its offices draws its own values
from the trade's ranges, so that no two offices are alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cordon.exercise.worlds.calling.drawing import (
    Data,
    Floats,
    Ints,
    Rng,
    drawn,
)
from cordon.exercise.worlds.calling.events import NONE, OWN
from cordon.exercise.worlds.calling.land import Land
from cordon.exercise.worlds.calling.lines import KINDS, UNLISTED, Handsets, Lines
from cordon.exercise.worlds.calling.people import People


@dataclass(slots=True)
class Trade:
    """Phones of one trade, all its offices together, as columns by phone.

    Attributes:
        name: as in the YAML. phone: index in `People`. office: index of the office.
        spot: of the office, or OWN where the phone is with its holder. moving: they go about.
        values: columns by name, as in the YAML: `from` and `to` (local hours), `first` and
            `last` (days), `out` and `in` (calls a day), `clients` (size of the fixed circle),
            `repeat` (share of calls to it), `talk_s` and `sigma`, `answered`, `back`, `dead`,
            `sms`, `near` (shares), `off` (bits of weekdays without work, from Monday).
    """

    name: str
    phone: Ints
    office: Ints
    spot: Ints
    moving: bool
    values: dict[str, Floats]


_VALUES = (
    "from", "to", "first", "last", "out", "in", "clients", "repeat", "talk_s", "sigma",
    "answered", "back", "dead", "sms", "near", "off",
)  # fmt: skip


class Trades:
    """Makes the trades and their calls of a day.

    Args:
        data: the part `trades` of the YAML, not drawn. daily: gives strangers to call.
    """

    def __init__(
        self, data: Data, people: People, lines: Lines, sets: Handsets, land: Land, scale: float,
        days: int, rng: Rng,
    ) -> None:  # fmt: skip
        self.people, self.lines, self.sets, self.land = people, lines, sets, land
        self.scale, self.days, self.rng = scale, days, rng
        self.trades = [self._trade(name, trade) for name, trade in data.items()]

    def named(self, name: str) -> Trade:
        """The trade of that name."""
        return next(t for t in self.trades if t.name == name)

    def _trade(self, name: str, data: Data) -> Trade:
        rng = self.rng
        offices = drawn(data["offices"], rng)
        # there are few of some: a small country still has its banks, and smaller ones
        fewer = np.sqrt(self.scale) if data.get("few") else self.scale
        offices = max(1, round(offices * fewer))
        phones, spots, of, kinds, shared = [], [], [], [], []
        values: dict[str, list[float]] = {v: [] for v in _VALUES}
        for office in range(offices):
            own = drawn(data, rng)
            n = int(own.get("lines", 1))
            shrink = float(np.clip(self.scale**0.35, 0.2, 1.0))
            if n > 5:
                n = max(3, round(n * shrink))
            first, last = self._span(own)
            own |= {"first": first, "last": last, "off": self._off(own)}
            spot = self._spot(own)
            region = int(self.land.region[spot])
            if own.get("persons"):
                phones.append(self._persons(region, n))
                spots.append(np.full(n, OWN))
            else:
                kinds.append((n, str(own["kind"]), float(own.get("listed", 1.0))))
                shared.append(float(own.get("handsets", 1.0)))
                phones.append(self._new(n, spot, region, own))
                spots.append(np.full(n, spot))
            of.append(np.full(n, office))
            differs = rng.lognormal(0, 0.3, n)
            for v in _VALUES:
                value = float(own.get(v, 0.0))
                column = value * differs if v in ("out", "in") else np.full(n, value)
                values[v] += column.tolist()
        phone, office_of, spot_of = (
            np.concatenate(c).astype(np.int32) for c in (phones, of, spots)
        )
        own = {v: np.array(c) for v, c in values.items()}
        return Trade(name, phone, office_of, spot_of, bool(data.get("moving")), own)

    def _span(self, own: Data) -> tuple[float, float]:
        """Days on which the office works: all, or a burst of some days."""
        if "burst_days" not in own:
            return 0.0, float(self.days)
        length = int(own["burst_days"])
        first = int(self.rng.integers(1 - length, max(2, self.days)))
        return float(first), float(first + length)

    def _off(self, own: Data) -> int:
        """Bits of weekdays on which it is closed."""
        bits = 0
        for weekday, share in enumerate(own.get("closed", [0, 0, 0, 0, 0, 0, 0])):
            bits |= int(self.rng.random() < share) << weekday
        return bits

    def _spot(self, own: Data) -> int:
        land, rng = self.land, self.rng
        region = int(rng.choice(len(land.share), p=land.share))
        if own.get("urban") and region not in land.urban:
            region = land.urban[int(rng.integers(len(land.urban)))]
        some = rng.integers(land.first[region], land.last[region], 4)
        return int(some[np.argmin(land.centrality[some])])

    def _persons(self, region: int, n: int) -> Ints:
        p = self.people
        live = np.flatnonzero((p.region[: p.persons] == region) & (p.rate[: p.persons] > 0.5))
        if len(live) < n:
            live = np.arange(p.persons)
        return np.asarray(self.rng.choice(live, n, replace=False), np.int32)

    def _new(self, n: int, spot: int, region: int, own: Data) -> Ints:
        """Phones of an office, which have no life beside it."""
        rng, lines = self.rng, self.lines
        kind = KINDS.index(own["kind"]) if own["kind"] in KINDS else UNLISTED
        if own.get("fixed_line") and rng.random() < own["fixed_line"]:
            line, handset = lines.fixed(n, kind), np.full(n, NONE)
        else:
            net = np.full(n, rng.integers(len(lines.networks)), np.int32)
            mixed = rng.random(n) < 0.25 * (rng.random() < 0.4)
            net[mixed] = rng.integers(0, len(lines.networks), int(mixed.sum()))
            line = lines.sims(net, kind=kind, runs=n >= 5, new="burst_days" in own)
            few = self.sets.make(
                max(1, round(n * own.get("handsets", 1.0))),
                int(rng.integers(30)) if n >= 5 and rng.random() < 0.7 else None,
            )
            handset = few[np.arange(n) % len(few)]
        missing = rng.random(n) >= own.get("listed", 1.0)
        lines.kind[line[missing]] = UNLISTED if rng.random() < 0.5 else 0
        return self.people.add(n, line=line, set=handset, home=spot, region=region)
