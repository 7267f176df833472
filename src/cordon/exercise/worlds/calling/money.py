"""Payments: wages, shops, family, and the way of the victims' money."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cordon.exercise.model import Truth
from cordon.exercise.worlds.calling.accounts import Accounts
from cordon.exercise.worlds.calling.centres import Centre
from cordon.exercise.worlds.calling.circles import Circles
from cordon.exercise.worlds.calling.drawing import DAY, HOUR, Data, Floats, Ints, Longs, Rng
from cordon.exercise.worlds.calling.people import People
from cordon.exercise.worlds.calling.tables import csv_writer, times
from cordon.exercise.worlds.calling.victims import Victims

CHANNELS = ("transfer", "wallet", "card", "cash_in", "cash_out", "hawala", "crypto", "foreign")
_FEWEST_PAYERS, _FEWEST_USES = 2, 3  # victims and payments of a mule, to be planted
_TRANSFER, _WALLET, _CARD, _CASH_IN, _CASH_OUT, _HAWALA, _CRYPTO, _FOREIGN = range(8)
PAYMENTS = pa.schema(
    [
        (name, pa.string())
        for name in (
            "payment_id", "at", "from_account", "to_account", "amount", "currency", "channel",
            "from_bank", "to_bank", "note",
        )
    ]
)  # fmt: skip


class Flows:
    """Payments as columns, written day by day.

    Args:
        data: the part `money` of the YAML, drawn.
    """

    def __init__(
        self, data: Data, accounts: Accounts, people: People, circles: Circles, rng: Rng
    ) -> None:
        self.data, self.accounts, self.people, self.circles = data, accounts, people, circles
        self._rng = rng
        self._t: list[Floats] = []
        self._from: list[Ints] = []
        self._to: list[Ints] = []
        self._amount: list[Floats] = []
        self._channel: list[Longs] = []
        self._paid: list[tuple[Ints, Ints, Floats]] = []  # mule, who paid it (victim), when
        self._used: list[tuple[Ints, Floats]] = []  # mule that took or passed on, when

    def put(self, t: Floats, one: Ints, two: Ints, amount: Floats, channel: int | Ints) -> None:
        """Add payments."""
        self._t.append(t)
        self._from.append(one)
        self._to.append(two)
        self._amount.append(amount)
        self._channel.append(np.broadcast_to(np.asarray(channel, np.int64), len(t)))

    def fraud(self, victims: Victims, centres: list[Centre]) -> Ints:
        """Victims pay, mules pass on and cash out; returns the account each victim paid to.

        Shape: as `Victims.columns`; −1 where somebody abroad paid by other ways.
        """
        index, who, _, t, lost = victims.columns()
        paid = np.full(len(who), -1, np.int32)
        for centre in centres:
            of = np.flatnonzero((index == centre.index) & (who < self.people.persons))
            if not len(of) or not len(centre.mules):
                continue
            self._robbed(centre, of, who[of], t[of], lost[of], paid)
        return paid

    def _robbed(
        self, centre: Centre, of: Ints, who: Ints, t: Floats, lost: Floats, paid: Ints
    ) -> None:
        own, rng, accounts = centre.own, self._rng, self.accounts
        # mules take turns: each is used for some days
        turn = np.floor(t / DAY / own["mule_days"]).astype(np.int64)
        first = centre.mules[(turn * 3 + rng.integers(0, 3, len(of))) % len(centre.mules)]
        paid[of] = first
        source = accounts.of_person[who]
        agent = rng.choice(accounts.agents, len(of))
        delay = np.exp(rng.normal(np.log(own["pays_after_h"]), 1.4, len(of))) * HOUR
        when = t + np.maximum(delay, 120.0)
        parts = np.where(rng.random(len(of)) < 0.3, 2, 1)
        at = np.repeat(np.arange(len(of)), parts)
        amount = np.maximum(200.0, np.round(lost / parts / 50.0) * 50.0)[at]
        later = when[at] + (np.arange(len(at)) % 2) * rng.exponential(5 * HOUR, len(at))
        cash = source[at] < 0
        one = np.where(cash, agent[at], source[at])
        channel = np.where(cash, _CASH_IN, np.where(accounts.kind[first[at]] == 1, _WALLET, 0))
        self.put(later, one, first[at], amount, channel)
        self._paid.append((first[at], who[at], later))
        # on to others of the ring, and out
        second = rng.choice(centre.mules, len(at))
        pass_on = later + np.exp(rng.normal(np.log(own["passes_after_h"]), 1.0, len(at))) * HOUR
        kept = np.round(amount * rng.uniform(0.9, 0.99, len(at)))
        apart = second != first[at]
        self.put(pass_on[apart], first[at][apart], second[apart], kept[apart], _TRANSFER)
        out = pass_on + rng.exponential(8 * HOUR, len(at))
        how = rng.random(len(at))
        crypto, hawala = how < own["to_crypto"], how > 1 - own["to_hawala"]
        exit_ = np.where(
            crypto, rng.choice(accounts.exchanges, len(at)), rng.choice(accounts.agents, len(at))
        )
        channel = np.where(crypto, _CRYPTO, np.where(hawala, _HAWALA, _CASH_OUT))
        self.put(out, second, exit_, np.round(kept * 0.97), channel)
        self._used += [(first[at], later), (second[apart], pass_on[apart])]

    def day(self, day: int, weekday: int, month_day: int) -> None:
        """What everybody else pays on a day."""
        data, rng, accounts = self.data, self._rng, self.accounts
        n = rng.poisson(data["a_day"] * self.people.persons)
        who = rng.integers(0, self.people.persons, n).astype(np.int32)
        one = accounts.of_person[who]
        who, one = who[one >= 0], one[one >= 0]
        n = len(who)
        t = day * DAY + np.clip(rng.normal(14.5, 4.0, n), 0, 23.99) * HOUR
        kind = rng.random(n)
        friend = self.circles.one_of(who, rng.random(n), 1.6)
        to = np.where(friend < self.people.persons, friend, who)
        other = accounts.of_person[to]
        weight = rng.random(n) ** 2.5
        shop = accounts.shops[(weight * len(accounts.shops)).astype(np.int64)]
        agent = rng.choice(accounts.agents, n)
        family = (kind < data["family"]) & (other >= 0) & (other != one)
        cash = kind > 1 - data["cash"]
        taken = cash & (rng.random(n) < 0.6)
        amount = np.exp(rng.normal(np.log(data["amount"]), 1.1, n))
        amount = np.maximum(
            20.0, np.where(amount > 1000, np.round(amount / 100) * 100, np.round(amount))
        )
        target = np.where(family, other, np.where(cash, agent, shop))
        source = np.where(cash & ~taken, agent, one)
        target = np.where(cash & ~taken, one, target)
        channel = np.where(family, np.where(accounts.kind[one] == 1, _WALLET, 0), _CARD)
        channel = np.where(cash, np.where(taken, _CASH_OUT, _CASH_IN), channel)
        self.put(t, source, target, amount, channel)
        if month_day in (1, 2, 3, 28):
            self._wages(day)

    def _wages(self, day: int) -> None:
        rng, accounts, people = self._rng, self.accounts, self.people
        works = np.flatnonzero((people.workplace >= 0) & (accounts.of_person >= 0))
        paid = works[rng.random(len(works)) < 0.25]
        shop = accounts.shops[people.workplace[paid] % len(accounts.shops)]
        amount = np.round(np.exp(rng.normal(np.log(42_000), 0.6, len(paid))) / 500) * 500
        t = day * DAY + rng.uniform(9, 16, len(paid)) * HOUR
        self.put(t, shop, accounts.of_person[paid], amount, _TRANSFER)

    def truths(self, midnight: datetime, begin: float, end: float) -> list[Truth]:
        """One truth for each mule that victims paid, and one for each that passed money on.

        Only of payments that are written, and only where there are enough to see it.
        """
        names = self.accounts.names()
        told = []
        if self._paid:
            mule, victim, t = (np.concatenate(c) for c in zip(*self._paid, strict=True))
            told += [
                ("money.call_then_pay", one, t[(mule == one) & (t >= begin) & (t < end)],
                 len(np.unique(victim[(mule == one) & (t >= begin) & (t < end)])), _FEWEST_PAYERS,
                 "Victims of a call centre paid it.")
                for one in np.unique(mule)
            ]  # fmt: skip
            mule, t = (np.concatenate(c) for c in zip(*self._used, strict=True))
            for one in np.unique(mule):
                mine = t[(mule == one) & (t >= begin) & (t < end)]
                told.append(("money.mule", one, mine, len(mine), _FEWEST_USES,
                             "It passed a call centre's money on."))  # fmt: skip
        return [
            Truth(
                kind,
                (f"account:{names[int(one)].as_py()}",),
                midnight + timedelta(seconds=int(mine.min())),
                midnight + timedelta(seconds=int(mine.max())),
                None,
                note,
            )
            for kind, one, mine, many, least, note in told
            if many >= least
        ]

    def write(self, path: Path, midnight: datetime, begin: float, end: float) -> int:
        """Write `payments.csv` in order of time; return its rows."""
        t = np.concatenate(self._t)
        order = np.argsort(t, kind="stable")
        order = order[(t[order] >= begin) & (t[order] < end)]
        one, two, amount, channel = (
            np.concatenate(c) for c in (self._from, self._to, self._amount, self._channel)
        )
        names, banks = self.accounts.names(), self.accounts.banks()
        channels = pa.array(list(CHANNELS))
        with csv_writer(path, PAYMENTS) as put:
            for low in range(0, len(order), 1 << 18):
                at = order[low : low + (1 << 18)]
                serial = pa.array(100_000_001 + low + np.arange(len(at))).cast(pa.string())
                a, b = pa.array(one[at]), pa.array(two[at])
                columns = {
                    "payment_id": pc.binary_join_element_wise("P", serial, ""),
                    "at": times(midnight, t[at]),
                    "from_account": names.take(a),
                    "to_account": names.take(b),
                    "amount": pa.array(amount[at].astype(np.int64)).cast(pa.string()),
                    "currency": pa.array(["PKR"]).take(pa.array(np.zeros(len(at), np.int8))),
                    "channel": channels.take(pa.array(channel[at])),
                    "from_bank": banks.take(a),
                    "to_bank": banks.take(b),
                    "note": pa.nulls(len(at), pa.string()),
                }
                put(pa.table(columns))
        return len(order)
