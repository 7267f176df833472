"""Mules beside their sums: one phone behind several, long quiet and then busy, strangers' names."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from cordon.kernel.findings import Finding, Reason
from cordon.money.detectors import mule
from cordon.money.detectors.data import UNTOLD, MoneyData
from cordon.money.detectors.muling import life, shared
from support.city import City

DAY = 86_400_000_000
MULES = [f"m{n}" for n in range(6)]
OPENED = datetime(2024, 1, 1, tzinfo=UTC)


def planted(c: City, payers: int = 5) -> None:
    """Six accounts that take one small payment, lie quiet for 30 days, and are busy for one day."""
    for one in MULES:
        c.pay(3, "shop1", one, 900)
        for who in c.people(payers):
            at, units = 36 + 0.6 * c.rng.random(), c.amount(15_000)
            c.pay(at, who, one, units)
            c.pay(at + 0.1, one, "agent3", 0.95 * units, "cash_out")


def told(c: City, folder: Path, phone: str = "", holder: str = "") -> MoneyData:
    """The city with families of four that share a phone; the mules share this one, or none."""
    data = c.data(folder)
    rows = []
    for name in data.payments.accounts:
        mine = name in MULES
        family = f"+92300{int(name[1:]) // 4:07d}" if name[0] == "p" else ""
        rows.append(
            {
                "account": name,
                "phone": phone if mine else family,
                "holder_id": (holder or name) if mine else name,
                "holder_name": "Ali Khan",
                "opened": OPENED,
                "kind": "agent" if name.startswith("agent") else "bank",
            }
        )
    data.accounts = pa.Table.from_pylist(rows)
    return data


def reasons(found: list[Finding], account: str) -> dict[str, Reason]:
    (one,) = (f for f in found if f.subjects == (f"account:{account}",))
    return {r.name: r for r in one.reasons}


@pytest.mark.parametrize("link", ["phone", "holder"])
def test_one_phone_or_holder_behind_several_is_a_sign(tmp_path: Path, link: str) -> None:
    c = City(501)
    planted(c)
    alone = list(mule.find(told(c, tmp_path)))
    given = {"phone": "+923331112223"} if link == "phone" else {"holder": "9912345678901"}
    found = list(mule.find(told(c, tmp_path, **given)))
    assert {f"account:{m}" for m in MULES} <= {s for f in found for s in f.subjects}
    why = reasons(found, "m0")
    assert why[link].value == 5
    assert "5 other accounts that pass money on" in why[link].says
    assert "would by what is usual" in why[link].says
    before = reasons(alone, "m0") if alone else {}
    assert link not in before
    assert why["evidence"].value > (before["evidence"].value if before else 6) + 3


def test_the_days_and_the_quiet_are_told_as_they_are(tmp_path: Path) -> None:
    c = City(502)
    planted(c)
    found = list(mule.find(told(c, tmp_path, "+923331112223")))
    why = reasons(found, "m1")
    of = why.get("quiet") or why["busy"]
    assert "34 days" not in of.says.split(";")[0]
    if of.name == "quiet":
        assert 32 < of.value < 34
        assert of.unit == "d"
        assert "then 10 of 11 within 1 days" in of.says
    else:
        assert of.value <= 3


def test_honest_collectors_and_families_with_one_phone_are_left_alone(tmp_path: Path) -> None:
    for seed in (503, 504):
        assert not list(mule.find(told(City(seed), tmp_path)))


def test_payers_who_pay_one_another_speak_against(tmp_path: Path) -> None:
    c = City(505)
    planted(c, 12)
    before = reasons(list(mule.find(told(c, tmp_path, "+923331112223"))), "m0")
    payers = [a for _, a, to, _, _ in c.rows if to == "m0" and a[0] == "p"]
    for n, who in enumerate(payers):
        for other in payers[n + 1 :]:
            c.pay(c.any_day(), who, other, c.amount(900))
    after = [f for f in mule.find(told(c, tmp_path, "+923331112223")) if "m0" in f.subjects[0]]
    if after:
        why = reasons(after, "m0")
        assert why["strangers"].value > 60
        assert why["evidence"].value < before["evidence"].value - 5


def test_what_is_usual_grows_with_the_family(tmp_path: Path) -> None:
    """Of many who share one phone some pass on by chance; of two it is seldom."""
    c = City(506)
    c.rows = c.rows[:600]
    data = c.data(tmp_path)
    size = len(data.payments.accounts)
    names = data.payments.accounts
    passes = np.zeros(size, bool)
    passes[: size // 20] = True
    passes[size // 2] = True
    large = [names[n] for n in (0, 1, *range(size // 2 + 1, size // 2 + 40))]
    small = [names[2], names[size // 2]]
    phones = {**dict.fromkeys(large, "+923001"), **dict.fromkeys(small, "+923002")}
    data.accounts = pa.table(
        {
            "account": names,
            "phone": [phones.get(n, f"+9240{i}") for i, n in enumerate(names)],
            "kind": ["bank"] * size,
        }
    )
    by = shared(data, "phone", passes)
    assert by.passing[0] == by.passing[2] == 1
    assert by.nats[0] == 0
    assert by.nats[2] > 0.5
    assert not shared(data, "holder", passes).nats.any()  # nobody tells whose they are


def test_quiet_is_measured_on_its_own_gaps() -> None:
    times = np.array([0, 30, 30.1, 30.2, 30.3, 0, 10, 20, 30, 40, 35, 35.1, 35.2])
    account = np.array([0] * 5 + [1] * 5 + [2] * 3)
    at = (times * DAY).astype(np.int64)
    opened = np.array([UNTOLD, UNTOLD, 5 * DAY])
    found = life(account, at, opened)
    assert (found.quiet / DAY).round(1).tolist() == [30, 10, 30]
    assert found.after.tolist() == [4, 4, 3]
    assert found.days.tolist() == [2, 5, 1]
    assert found.nats[0] > 8
    assert found.nats[1] < 1
    assert found.nats[2] > 8
    unknown = life(account, at, np.full(3, UNTOLD))
    assert unknown.quiet[2] < DAY / 2
