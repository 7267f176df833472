"""Money that many give, settle or carry: what launderers and financiers do, and who looks like it.

Beside each plant stand honest people who do nearly the same: an appeal after a flood, a mosque, a
wedding, a committee that saves together, a landlord, a shop without a card terminal, families who
are sent money, an agent who pays fees abroad, traders who buy from one another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np

from cordon.exercise.model import Truth
from cordon.exercise.worlds.calling.accounts import ABROAD, Accounts
from cordon.exercise.worlds.calling.drawing import DAY, HOUR, Data, Floats, Ints, Rng, drawn
from cordon.exercise.worlds.calling.money import Flows

TRANSFER, WALLET, CARD, CASH_IN, CASH_OUT, HAWALA, CRYPTO, FOREIGN = range(8)
_LEAST_GIVERS, _LEAST_TIMES = 20, 4  # fewer than that in the span nobody could tell
NOTES = {
    "many_donors": "Many give little to its cause, and the money leaves.",
    "charity_front": "A charity's gifts end with the few who draw them.",
    "hawala_pair": "Two who pay out for one another, and settle.",
    "border_cash": "Cash crosses the border through it.",
}
"""What a truth says of each pattern that is planted."""


@dataclass(slots=True)
class Cause:
    """One account or more that do something together.

    Attributes:
        what: of `NOTES`, or the name of an innocent. accounts: those that a truth names.
        t: moments by which it is told; least: how many of them must lie in the span.
    """

    what: str
    accounts: tuple[int, ...]
    t: Floats
    least: int


@dataclass(slots=True)
class Moves:
    """Payments of causes, as columns."""

    t: list[Floats] = field(default_factory=list)
    one: list[Ints] = field(default_factory=list)
    two: list[Ints] = field(default_factory=list)
    amount: list[Floats] = field(default_factory=list)
    channel: list[Ints] = field(default_factory=list)

    def put(
        self, t: Floats, one: Ints | int, two: Ints | int, amount: Floats, channel: Ints | int
    ) -> None:
        """Add payments; those of nothing are none."""
        shape = t.shape
        some = amount >= 1.0
        self.t.append(t[some])
        self.one.append(np.broadcast_to(np.asarray(one, np.int32), shape)[some])
        self.two.append(np.broadcast_to(np.asarray(two, np.int32), shape)[some])
        self.amount.append(amount[some])
        self.channel.append(np.broadcast_to(np.asarray(channel, np.int64), shape)[some])


class Causes:
    """Plants and innocents of a world.

    Args:
        data: the part `causes` of the YAML, as it stands: each cause draws its own values.
        span: seconds.
    """

    def __init__(
        self, data: Data, accounts: Accounts, scale: float, span: tuple[float, float], rng: Rng
    ) -> None:
        self.accounts, self.moves = accounts, Moves()
        self.planted: list[Cause] = []
        self.innocent: list[Cause] = []
        self._rng, self._span = rng, span
        for what, group in data.items():
            build: Callable[[Data], Cause] = getattr(self, f"_{group['by']}")
            for _ in range(max(1, round(float(drawn(group["count"], rng)) * scale))):
                made = build(drawn(group, rng))
                made.what = what
                (self.planted if what in NOTES else self.innocent).append(made)

    def into(self, flows: Flows) -> None:
        """Add their payments to the world's."""
        m = self.moves
        for t, one, two, amount, channel in zip(
            m.t, m.one, m.two, m.amount, m.channel, strict=True
        ):
            flows.put(t, one, two, amount, channel)

    def truths(self, names: Sequence[str], midnight: datetime) -> list[Truth]:
        """One truth for each plant of which the span holds enough to see it."""
        told = []
        for cause in self.planted:
            t = cause.t[(cause.t >= self._span[0]) & (cause.t < self._span[1])]
            if len(t) >= cause.least:
                subjects = sorted(f"account:{names[a]}" for a in cause.accounts)
                told.append(
                    Truth(
                        "money.pattern",
                        tuple(subjects),
                        midnight + timedelta(seconds=int(t.min())),
                        midnight + timedelta(seconds=int(t.max())),
                        None,
                        NOTES[cause.what],
                    )
                )
        return told

    # what all of them do

    def _new(self, n: int = 1, kind: int = 0) -> Ints:
        age = self._rng.gamma(1.2, 300.0, n) + 10
        return self.accounts.opened_for(np.full(n, kind, np.int8), (-age).astype(np.int32))

    def _people(self, n: int) -> Ints:
        persons = self.accounts.persons
        return np.asarray(self._rng.choice(persons, min(n, len(persons)), replace=False), np.int32)

    def _times(self, n: int, days: float) -> Floats:
        """Moments by day in a while of so many days, somewhere in the span."""
        begin, end = self._span
        days = min(days, (end - begin) / DAY)
        first = self._rng.uniform(begin, max(begin, end - days * DAY))
        day = np.floor(self._rng.uniform(0, max(days, 1.0), n))
        return np.asarray(first + day * DAY + np.clip(self._rng.normal(14, 4, n), 0, 23.9) * HOUR)

    def _sums(self, n: int, middle: float, sigma: float, step: float) -> Floats:
        drawn_ = np.exp(self._rng.normal(np.log(middle), sigma, n))
        return np.maximum(step, np.round(drawn_ / step) * step)

    def _gifts(self, own: Data, to: int) -> tuple[Floats, Floats]:
        """Many give to one, some again, by transfer, wallet or cash; when, and how much."""
        rng = self._rng
        who = self._people(own["givers"])
        who = np.concatenate([who, who[rng.random(len(who)) < own["again"]]])
        t = self._times(len(who), own["days"])
        amount = self._sums(len(who), own["gift"], own["sigma"], own["step"])
        cash = rng.random(len(who)) < own["cash"]
        source = np.where(cash, rng.choice(self.accounts.agents, len(who)), who)
        wallet = np.where(self.accounts.kind[source] == 1, WALLET, TRANSFER)
        self.moves.put(t, source, to, amount, np.where(cash, CASH_IN, wallet))
        return t, amount

    def _paid_on(
        self, t: Floats, amount: Floats, one: int, two: Ints, channel: Ints | int, share: float,
        times: int,
    ) -> tuple[Floats, Floats]:  # fmt: skip
        """So much of what came in is paid on, a part of what is there at a time."""
        if not len(t):
            return t, amount
        when = np.sort(self._rng.uniform(t.min() + 6 * HOUR, t.max() + 3 * DAY, max(1, times)))
        when[-1] = max(when[-1], t.max() + 2 * HOUR)
        order = np.argsort(t, kind="stable")
        came = np.cumsum(amount[order])
        there = np.searchsorted(t[order], when, side="right")
        due = share * np.where(there > 0, came[np.maximum(there - 1, 0)], 0.0)
        parts = np.floor(np.diff(due, prepend=0.0))
        self.moves.put(when, one, np.resize(two, len(when)), parts, channel)
        return when, parts

    def _leave(self, t: Floats, amount: Floats, one: int, own: Data) -> None:
        """It leaves: by cash, hawala, coins or abroad, in the shares that are given."""
        accounts, rng, n = self.accounts, self._rng, own["draws"]
        ends = {
            CASH_OUT: rng.choice(accounts.agents, n), HAWALA: rng.choice(accounts.agents, n),
            CRYPTO: rng.choice(accounts.exchanges, n), FOREIGN: self._new(2, ABROAD),
        }  # fmt: skip
        ways = rng.choice(len(own["ways"]), n, p=np.array(own["ways"]) / sum(own["ways"]))
        channel = np.array([CASH_OUT, HAWALA, CRYPTO, FOREIGN])[ways]
        to = np.array([ends[int(c)][i % len(ends[int(c)])] for i, c in enumerate(channel)])
        self._paid_on(t, amount, one, to, channel, own["out"], n)

    # many give to one

    def _appeal(self, own: Data) -> Cause:
        """Many give; a part leaves; the rest buys from shops and helps people."""
        (to,) = self._new(1, int(own["wallet"])).tolist()
        t, amount = self._gifts(own, to)
        self._leave(t, amount, to, own)
        shops = self._rng.choice(self.accounts.shops, max(1, own["sellers"]))
        self._paid_on(t, amount, to, shops, TRANSFER, own["bought"], own["sellers"])
        if own["helped"]:
            helped = self._people(own["helped"])
            self._paid_on(t, amount, to, helped, TRANSFER, own["given"], len(helped))
        return Cause("", (to,), t, _LEAST_GIVERS)

    def _front(self, own: Data) -> Cause:
        """Many give, and a few draw nearly all of it."""
        (to,) = self._new().tolist()
        t, amount = self._gifts(own, to)
        few = self._new(own["few"])
        share = own["through"] / len(few)
        for trustee in few.tolist():
            when, parts = self._paid_on(t, amount, to, np.array([trustee]), TRANSFER, share,
                                        own["times"])  # fmt: skip
            self._leave(when, parts, trustee, own)
        shops = self._rng.choice(self.accounts.shops, max(1, own["sellers"]))
        self._paid_on(t, amount, to, shops, TRANSFER, own["bought"], own["sellers"])
        return Cause("", (to, *few.tolist()), t, _LEAST_GIVERS)

    def _committee(self, own: Data) -> Cause:
        """Members pay alike sums each round; each round one of them takes the pot."""
        who = self._people(own["members"])
        to, sum_ = int(who[0]), float(self._sums(1, own["sum"], 0.5, 500.0)[0])
        begin, end = self._span
        rounds = np.arange(begin + self._rng.uniform(0, 5) * DAY, end, own["every_days"] * DAY)
        all_ = [begin + np.empty(0)]
        for turn, first in enumerate(rounds):
            t = first + self._rng.uniform(0, 2.5 * DAY, len(who) - 1)
            self.moves.put(t, who[1:], to, np.full(len(t), sum_), TRANSFER)
            taker = int(who[(turn + 1) % len(who)])
            if taker != to:
                pot = np.array([sum_ * len(t)])
                self.moves.put(np.array([t.max() + HOUR]), to, taker, pot, TRANSFER)
            all_.append(t)
        return Cause("", (to,), np.concatenate(all_), _LEAST_GIVERS)

    # two who settle

    def _pair(self, own: Data) -> Cause:
        """Two with customers of their own, who pay one another so that it evens out, or nearly."""
        two = self._new(2)
        all_ = [np.empty(0)]
        for one in two.tolist():
            who = self._people(own["customers"])
            t = self._times(len(who), own["days"])
            self.moves.put(t, who, one, self._sums(len(who), own["sum"], 1.0, 100.0), TRANSFER)
            paid = self._people(own["paid"])
            self.moves.put(self._times(len(paid), own["days"]), one, paid,
                           self._sums(len(paid), own["sum"], 1.0, 100.0), TRANSFER)  # fmt: skip
        there = self._sums(own["settles"], own["settled"], 0.6, 1000.0)
        back = self._sums(own["settles"], own["settled"], 0.6, 1000.0)
        back = np.round(back * there.sum() / back.sum() * (1 + own["apart"]) / 100) * 100
        for one, other, sums in ((two[0], two[1], there), (two[1], two[0], back)):
            t = self._times(len(sums), own["days"])
            self.moves.put(t, int(one), int(other), sums, TRANSFER)
            all_.append(t)
        return Cause("", tuple(two.tolist()), np.concatenate(all_), 2 * 3)

    # over the border

    def _carrier(self, own: Data) -> Cause:
        """Cash in and money abroad soon, or money from abroad and cash soon, again and again."""
        rng, accounts = self._rng, self.accounts
        (account,) = self._new().tolist()
        far = self._new(own["far"], ABROAD)
        t = np.sort(self._times(own["times"], own["days"]))
        amount = self._sums(len(t), own["sum"], own["sigma"], 500.0)
        agent, end = rng.choice(accounts.agents, len(t)), far[np.arange(len(t)) % len(far)]
        after = t + rng.exponential(own["after_h"], len(t)) * HOUR
        kept = np.round(amount * (1 - own["kept"]))
        if own["outward"] >= 0.5:
            self.moves.put(t, agent, account, amount, CASH_IN)
            self.moves.put(after, account, end, kept, FOREIGN)
        else:
            self.moves.put(t, end, account, amount, FOREIGN)
            self.moves.put(after, account, agent, kept, CASH_OUT)
        n = own["shopping"]
        shops = rng.choice(accounts.shops, n)
        self.moves.put(self._times(n, own["days"]), account, shops,
                       self._sums(n, 1500.0, 0.8, 10.0), CARD)  # fmt: skip
        return Cause("", (account,), after, _LEAST_TIMES)
