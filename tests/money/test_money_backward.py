"""Back from an account: first in first out finds the same pairs from the end as from the start."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cordon.money import backward, read_payments
from cordon.money.tracing.telling import told_back

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)


def back(path: Path, account: str, **more: Any) -> dict[str, Any]:
    return told_back(backward(read_payments([path]).payments, account, **more))


def payments(path: Path, rows: Iterable[tuple[Any, ...]]) -> Path:
    """A file of payments: (minutes, from, to, amount[, channel])."""
    lines = ["payment_id,at,from_account,to_account,amount,currency,channel"]
    for n, (minute, a, b, amount, *more) in enumerate(rows):
        at = BEGIN + timedelta(minutes=minute)
        channel = more[0] if more else "transfer"
        lines.append(f"P{n},{at:%Y-%m-%dT%H:%M:%SZ},{a},{b},{amount},PKR,{channel}")
    path.write_text("\n".join(lines) + "\n")
    return path


def ends(method: dict[str, Any]) -> Decimal:
    (one,) = method["sums"]
    entered = sum((Decimal(v) for v in one["entered"].values()), Decimal(0))
    return entered + sum(Decimal(one[k]) for k in ("unknown", "beyond", "again"))


def test_the_textbook_case_turned_about(tmp_path: Path) -> None:
    """100 of wage in cash, 60 of a victim in cash; 80 go on: of whom are they?"""
    path = payments(
        tmp_path / "p.csv",
        [
            (0, "till", "wage", 100, "cash_in"),
            (1, "till", "victim", 60, "cash_in"),
            (2, "wage", "mule", 100),
            (3, "victim", "mule", 60),
            (4, "mule", "boss", 120),
        ],
    )
    trace = back(path, "mule")
    by = {m: {p["from"]: p["traced"] for p in t["payments"] if p["to"] == "mule"}
          for m, t in trace["methods"].items()}  # fmt: skip
    assert by["fifo"] == {"wage": "100", "victim": "20"}
    assert by["haircut"] == {"wage": "75", "victim": "45"}
    assert by["poison"] == {"wage": "100", "victim": "60"}
    for method in ("fifo", "haircut"):
        assert ends(trace["methods"][method]) == 120
        (one,) = trace["methods"][method]["sums"]
        assert one["entered"] == {"cash_in": "120"}


def test_what_nobody_told_of_is_said(tmp_path: Path) -> None:
    path = payments(tmp_path / "p.csv", [(0, "saver", "mule", 70), (1, "mule", "boss", 100)])
    for method in ("fifo", "haircut"):
        one = back(path, "mule")["methods"][method]
        assert {u["account"]: u["amount"] for u in one["unknown"]} == {"saver": "70", "mule": "30"}


@pytest.mark.parametrize("seed", range(8))
def test_all_that_was_paid_came_from_somewhere(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    names = [f"a{n}" for n in range(10)]
    kinds = ["transfer", "transfer", "wallet", "cash_in", "cash_out"]
    rows = [
        (n, *rng.sample(names, 2), rng.randrange(1, 900), rng.choice(kinds)) for n in range(300)
    ]
    trace = back(payments(tmp_path / "p.csv", rows), "a0", hops=100)
    (one,) = trace["methods"]["fifo"]["sums"]
    assert ends(trace["methods"]["fifo"]) == Decimal(one["paid_out"])


@pytest.mark.parametrize("seed", range(6))
def test_fifo_back_is_fifo_forward(tmp_path: Path, seed: int) -> None:
    """Which inflow paid for which outflow of one account, beside a loop over Python lists."""
    rng = random.Random(50 + seed)
    rows: list[tuple[Any, ...]] = []
    for n in range(80):
        if rng.random() < 0.5:
            rows.append((n, f"in{n}", "a", rng.randrange(1, 100)))
        else:
            rows.append((n, "a", f"out{n}", rng.randrange(1, 100)))
    asked = [r for r in rows if r[1] == "a"][-3:]
    since = BEGIN + timedelta(minutes=asked[0][0])
    queue: list[list[Any]] = []
    expected: dict[str, int] = defaultdict(int)
    for minute, a, b, amount in rows:
        if b == "a":
            queue.append([a, amount])
            continue
        left = amount
        while left and queue:
            used = min(left, queue[0][1])
            if minute >= asked[0][0]:
                expected[queue[0][0]] += used
            queue[0][1] -= used
            left -= used
            if not queue[0][1]:
                queue.pop(0)
        if left and minute >= asked[0][0]:
            expected["unknown"] += left
        assert b != "a"
    trace = back(payments(tmp_path / "p.csv", rows), "a", since=since)
    found: dict[str, int] = defaultdict(int)
    for p in trace["methods"]["fifo"]["payments"]:
        if p["to"] == "a":
            found[p["from"]] += int(p["traced"])
    for u in trace["methods"]["fifo"]["unknown"]:
        if u["account"] == "a":
            found["unknown"] += int(u["amount"])
    assert dict(found) == {k: v for k, v in expected.items() if v}
