"""A made-up city's payments, with hard innocents; patterns are planted into it by the tests."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa

from cordon.money import read_payments
from cordon.money.detectors.data import MoneyData

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
PEOPLE, SHOPS, AGENTS, DAYS = 700, 40, 10, 60


class City:
    """People who shop, earn, rent, save together, marry, lend, and get money from abroad."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.rows: list[tuple[datetime, str, str, int, str]] = []
        self._daily()
        self._wages_and_rents()
        self._together()
        self._abroad()
        self._causes()

    def pay(self, day: float, a: str, b: str, amount: float, channel: str = "transfer") -> None:
        self.rows.append((BEGIN + timedelta(days=day), a, b, round(amount), channel))

    def when(self, day: int) -> float:
        """A time of a day, in days."""
        return day + min(max(self.rng.gauss(14, 4), 0), 23.9) / 24

    def any_day(self) -> float:
        return self.when(self.rng.randrange(DAYS))

    def amount(self, middle: float) -> float:
        """Log-normal; round where it is large, as people pay."""
        made = middle * self.rng.lognormvariate(0, 1)
        return max(20, round(made / 100) * 100 if made > 1000 else made)

    def people(self, count: int) -> list[str]:
        return [f"p{n}" for n in self.rng.sample(range(PEOPLE), count)]

    def _daily(self) -> None:
        rng = self.rng
        for _ in range(PEOPLE * DAYS // 4):
            who = f"p{rng.randrange(PEOPLE)}"
            kind = rng.random()
            if kind < 0.6:
                shop = f"shop{int(SHOPS * rng.random() ** 2)}"
                at = self.any_day()
                self.pay(at, who, shop, self.amount(1200), "card")
                if rng.random() < 0.05:  # something was forgotten
                    self.pay(at + 0.01, who, shop, self.amount(600), "card")
            elif kind < 0.8:
                agent = f"agent{rng.randrange(AGENTS)}"
                amount = rng.choice([500, 1000, 2000, 5000, 10000])
                if rng.random() < 0.6:
                    self.pay(self.any_day(), who, agent, amount, "cash_out")
                else:
                    self.pay(self.any_day(), agent, who, amount, "cash_in")
            else:
                other = f"p{(int(who[1:]) + rng.randrange(1, 8)) % PEOPLE}"
                self.pay(self.any_day(), who, other, self.amount(2000))
        for n in range(SHOPS):  # shops buy and draw their takings
            for day in range(0, DAYS, 3):
                self.pay(self.when(day), f"shop{n}", f"wholesale{n % 4}", self.amount(20_000))
                self.pay(self.when(day), f"shop{n}", f"agent{n % AGENTS}", self.amount(5_000),
                         "cash_out")  # fmt: skip

    def _wages_and_rents(self) -> None:
        rng = self.rng
        rent = {n: rng.choice([12_000, 15_000, 18_000]) for n in range(PEOPLE)}
        for month in (1, 31):
            for n in range(PEOPLE):
                wage = 1000 * rng.randrange(25, 70)
                self.pay(month + 0.4, f"shop{n % SHOPS}", f"p{n}", wage)
                if n < 250:  # landlords of 25 tenants, who pay within days
                    self.pay(self.when(month + rng.randrange(4)), f"p{n}", f"landlord{n // 25}",
                             rent[n])  # fmt: skip
                elif n < 400:  # a school takes the same of all
                    self.pay(self.when(month + rng.randrange(5)), f"p{n}", f"school{n % 3}", 6_000)

    def _together(self) -> None:
        rng = self.rng
        for n in range(8):  # a committee: each month all pay one in, and one gets the pot
            members = self.people(12)
            for month, turn in ((5, 0), (35, 1)):
                for who in members[1:]:
                    self.pay(month + rng.random(), who, members[0], 5_000)
                self.pay(month + 1.5, members[0], members[1 + turn], 60_000)
            self.rows = [r for r in self.rows if r[1] != r[2]]
            couple, hall = f"p{rng.randrange(PEOPLE)}", f"hall{n % 2}"
            for who in self.people(40):  # a wedding; gifts are alike, and are spent on many
                if who != couple:
                    self.pay(20 + 2 * rng.random(), who, couple, rng.choice([2000, 3000, 5000]))
            self.pay(23, couple, hall, 30_000)
            for _ in range(6):
                self.pay(
                    23 + 5 * rng.random(), couple, f"shop{rng.randrange(SHOPS)}", 8_000, "card"
                )
        for _ in range(60):  # lent and paid back
            a, b = self.people(2)
            amount, at = self.amount(6000), rng.uniform(1, DAYS - 12)
            self.pay(at, a, b, amount)
            self.pay(at + rng.uniform(1, 10), b, a, amount)
        for _ in range(20):  # two who share their bills
            a, b = self.people(2)
            for _ in range(rng.randrange(5, 12)):
                self.pay(self.any_day(), *rng.choice([(a, b), (b, a)]), self.amount(900))

    def _abroad(self) -> None:
        for n, who in enumerate(self.people(60)):  # a son abroad sends, it is drawn
            for month in (6, 36):
                at = self.when(month)
                self.pay(at, f"abroad{n}", who, 30_000, "foreign")
                self.pay(at + 1, who, f"agent{n % AGENTS}", 25_000, "cash_out")

    def _causes(self) -> None:
        """Honest causes: many give, and what is given goes to many who sell or are helped."""
        for n in range(4):
            for who in self.people(120):
                self.pay(self.any_day(), who, f"cause{n}", self.rng.choice([100, 200, 500]))
            for _ in range(40):
                to = self.rng.choice([f"shop{self.rng.randrange(SHOPS)}", *self.people(1)])
                self.pay(self.any_day(), f"cause{n}", to, self.amount(700))

    def write(self, path: Path) -> Path:
        """The payments as a file of the format `payments`."""
        with path.open("w", newline="") as raw:
            out = csv.writer(raw)
            out.writerow(
                ("payment_id", "at", "from_account", "to_account", "amount", "currency", "channel")
            )
            for n, (at, a, b, amount, channel) in enumerate(sorted(self.rows)):
                out.writerow((f"P{n}", f"{at:%Y-%m-%dT%H:%M:%SZ}", a, b, amount, "PKR", channel))
        return path

    def data(self, folder: Path, extra: Iterable[tuple[str, str]] = ()) -> MoneyData:
        """What a detector is given: the payments, and which accounts are agents' by trade."""
        kinds = [(f"agent{n}", "agent") for n in range(AGENTS)] + list(extra)
        account, kind = zip(*kinds, strict=True)
        accounts = pa.table({"account": account, "kind": kind, "phone": [None] * len(account)})
        return MoneyData(read_payments([self.write(folder / "p.csv")]).payments, accounts)
