"""Mules and accounts paid after calls, in small made-up towns; and from the world, end to end."""

from __future__ import annotations

import csv
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from cordon.calls.contacts import CONTACTS
from cordon.exercise import read_truths, score, world
from cordon.kernel.findings import Finding
from cordon.money import find, read_payments
from cordon.money.detectors import call_then_pay, mule
from cordon.money.detectors.data import MoneyData

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
PEOPLE, SHOPS, DAYS = 600, 30, 30


class Town:
    """People who pay shops and one another; each person's account is bound to a number."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.rows: list[tuple[datetime, str, str, int, str]] = []
        self.contacts: list[dict[str, Any]] = []
        self.accounts = [(f"p{n}", f"+92300{n:07d}") for n in range(PEOPLE)]
        for _ in range(PEOPLE * DAYS // 2):
            who = self.rng.randrange(PEOPLE)
            shop = int(SHOPS * self.rng.random() ** 2)
            self.pay(self.day(), f"p{who}", f"shop{shop}", self.rng.randrange(50, 3000), "card")
        for _ in range(PEOPLE * 2):
            a, b = self.rng.sample(range(PEOPLE), 2)
            self.pay(self.day(), f"p{a}", f"p{b}", self.rng.randrange(100, 9000))
        for n in range(PEOPLE):
            self.pay(BEGIN + timedelta(days=1, hours=9), f"shop{n % SHOPS}", f"p{n}", 40_000)

    def day(self) -> datetime:
        hours = min(max(self.rng.gauss(14, 4), 0), 23.9)
        return BEGIN + timedelta(days=self.rng.randrange(DAYS), hours=hours)

    def pay(self, at: datetime, a: str, b: str, amount: int, channel: str = "transfer") -> None:
        self.rows.append((at, a, b, amount, channel))

    def call(self, at: datetime, who: int, suspect: str) -> None:
        self.contacts.append(
            {
                "us": int(at.timestamp() * 1e6),
                "number": self.accounts[who][1],
                "suspect": suspect,
                "made": True,
                "sha256": "ab" * 32,
                "row": len(self.contacts) + 1,
            }
        )

    def data(self, folder: Path, complaints: pa.Table | None = None) -> MoneyData:
        path = folder / "payments.csv"
        with path.open("w", newline="") as raw:
            out = csv.writer(raw)
            out.writerow(
                ("payment_id", "at", "from_account", "to_account", "amount", "currency", "channel")
            )
            for n, (at, a, b, amount, channel) in enumerate(sorted(self.rows)):
                out.writerow((f"P{n}", f"{at:%Y-%m-%dT%H:%M:%SZ}", a, b, amount, "PKR", channel))
        account, phone = zip(*self.accounts, strict=True)
        accounts = pa.table({"account": account, "phone": phone, "kind": ["bank"] * PEOPLE})
        contacts = pa.Table.from_pylist(sorted(self.contacts, key=lambda c: c["us"]), CONTACTS)
        return MoneyData(read_payments([path]).payments, accounts, complaints, contacts)


def accounts_of(found: list[Finding]) -> set[str]:
    return {s for f in found for s in f.subjects if s.startswith("account:")}


def robbed(town: Town, victims: int, account: str, *, passes_on: bool = True) -> None:
    """Victims are called, pay hours later, and the money goes on within the day."""
    for who in town.rng.sample(range(PEOPLE), victims):
        at = BEGIN + timedelta(days=town.rng.uniform(10, 16))
        town.call(at, who, "+923331112223")
        paid = at + timedelta(hours=town.rng.uniform(0.3, 6))
        town.pay(paid, f"p{who}", account, 20_000, "wallet")
        if passes_on:
            later = paid + timedelta(hours=town.rng.uniform(0.2, 5))
            town.pay(later, account, "agent9", 19_000, "cash_out")


def noise(town: Town, calls: int) -> None:
    """The same number calls many who never pay."""
    for _ in range(calls):
        town.call(town.day(), town.rng.randrange(PEOPLE), "+923331112223")


@pytest.mark.parametrize("seed", range(3))
def test_an_account_paid_after_calls_is_told_and_no_shop(tmp_path: Path, seed: int) -> None:
    town = Town(seed)
    robbed(town, 12, "mule")
    noise(town, 600)
    found = list(call_then_pay.find(town.data(tmp_path)))
    assert accounts_of(found) == {"account:mule"}
    (one,) = found
    values = {r.name: r.value for r in one.reasons}
    assert values["people"] == 12
    assert one.records[0].sha256 != "ab" * 32
    assert any(r.sha256 == "ab" * 32 for r in one.records)
    assert len(one.extra["payers"]) == 12


def test_contacts_with_others_do_not_hide_what_one_ring_does(tmp_path: Path) -> None:
    """A helpline that a complaint names by mistake is in touch with everybody."""
    town = Town(11)
    robbed(town, 5, "mule")
    for who in range(PEOPLE):
        for day in range(0, DAYS, 3):
            town.call(BEGIN + timedelta(days=day, hours=12), who, "+922111000000")
    data = town.data(tmp_path)
    assert not list(call_then_pay.find(data))
    data.rings = {"+923331112223": "R-1"}
    (found,) = call_then_pay.find(data)
    assert found.subjects == ("account:mule", "number:+923331112223")
    assert found.extra["ring"] == "R-1"
    assert {r.name: r.value for r in found.reasons}["people"] == 5
    assert any("one ring" in r.says for r in found.reasons)


@pytest.mark.parametrize("seed", range(3))
def test_fewer_payers_are_enough_where_the_money_goes_on(tmp_path: Path, seed: int) -> None:
    """Few accounts pass on what they take in, so that less of it is chance there."""
    told = {}
    for passes_on in (True, False):
        town = Town(60 + seed)
        noise(town, 600)
        robbed(town, 3, "account", passes_on=passes_on)
        told[passes_on] = list(call_then_pay.find(town.data(tmp_path)))
    assert not told[False]
    (found,) = told[True]
    assert found.subjects[0] == "account:account"
    assert any("as few accounts do" in r.says for r in found.reasons)


def test_payments_at_any_time_are_no_sign(tmp_path: Path) -> None:
    """A charity that the called pay too, but not after the calls."""
    town = Town(9)
    noise(town, 300)
    for who in range(0, PEOPLE, 5):
        town.pay(town.day(), f"p{who}", "charity", 500)
    assert not list(call_then_pay.find(town.data(tmp_path)))


def test_one_payer_is_enough_where_a_complaint_names_the_account(tmp_path: Path) -> None:
    town = Town(4)
    robbed(town, 1, "mule")
    complaint = pa.table({"complaint_id": ["C1"], "suspect_account": ["mule"]})
    assert not list(call_then_pay.find(town.data(tmp_path)))
    found = list(call_then_pay.find(town.data(tmp_path, complaint)))
    assert accounts_of(found) == {"account:mule"}


def test_without_calls_it_says_so(tmp_path: Path) -> None:
    data = Town(1).data(tmp_path)
    data.contacts = None
    assert not list(call_then_pay.find(data))
    assert any("No file of calls" in s for s in data.left_out)


@pytest.mark.parametrize("seed", range(3))
def test_a_mule_is_told_and_collectors_are_not(tmp_path: Path, seed: int) -> None:
    town = Town(20 + seed)
    robbed(town, 25, "mule")
    for month_day in range(3):  # a landlord, and a wedding to which many give
        for who in range(40):
            at = BEGIN + timedelta(days=month_day * 10, hours=10 + who % 8)
            town.pay(at, f"p{who}", "landlord", 15_000)
    for who in range(100, 160):
        town.pay(BEGIN + timedelta(days=20, hours=who % 12), f"p{who}", "p1", 2_000)
    assert accounts_of(list(mule.find(town.data(tmp_path)))) == {"account:mule"}


def collected(town: Town, account: str, *, one_by_one: bool) -> None:
    """Forty pay once within two days; within the day it goes on, by four sums or forty."""
    sums = [town.rng.randrange(50, 400) * 100 for _ in range(40)]
    for n, (who, units) in enumerate(zip(range(40), sums, strict=True)):
        at = BEGIN + timedelta(days=9, hours=n)
        town.pay(at, f"p{who}", account, units)
        if one_by_one:
            town.pay(at + timedelta(hours=5), account, "hall", units * 9 // 10)
        elif n % 10 == 9:
            gone = sum(sums[n - 9 : n + 1]) * 9 // 10
            town.pay(at + timedelta(hours=5), account, "hall", gone)


@pytest.mark.parametrize("seed", range(3))
def test_who_passes_on_one_by_one_is_told_and_who_gathers_is_not(tmp_path: Path, seed: int) -> None:
    town = Town(50 + seed)
    for n in range(60):  # those who pay a rent from what three pay them
        for hour in range(3):
            town.pay(BEGIN + timedelta(days=4 + n % 9, hours=9 + hour), f"p{n}", f"flat{n}", 9_000)
        town.pay(BEGIN + timedelta(days=5 + n % 9, hours=9), f"flat{n}", "landlord", 20_000)
    collected(town, "mule", one_by_one=True)
    collected(town, "wedding", one_by_one=False)
    (found,) = mule.find(town.data(tmp_path))
    assert found.subjects == ("account:mule",)
    (reason,) = (r for r in found.reasons if r.name == "apiece")
    assert reason.value > 35
    assert "of the 40 payments that it took in went on one by one" in reason.says


def test_who_keeps_the_money_is_no_mule(tmp_path: Path) -> None:
    town = Town(31)
    robbed(town, 25, "saver", passes_on=False)
    assert not list(mule.find(town.data(tmp_path)))


def test_from_files_to_findings(tmp_path: Path) -> None:
    """The world's victims pay mules; calls, accounts and complaints stand beside the payments."""
    made = world("callcentre").generate(5, 12.0, 0.02, tmp_path / "w")
    files = made.files
    result = find(
        [files["payments"]],
        accounts=files["accounts"],
        complaints=files["complaints"],
        calls=[files["calls"]],
        cells=files["cells"],
        subscribers=files["subscribers"],
    )
    truths = [t for t in read_truths(files["truth"]) if t.kind.startswith("money.")]
    told = {k.kind: k for k in score(truths, result.findings).kinds}
    assert truths
    assert result.counts.refused == 0
    one = told["money.call_then_pay"]
    assert one.found >= 0.5 * one.truths
    assert one.false <= 1
