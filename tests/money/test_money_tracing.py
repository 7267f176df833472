"""Traces: what goes in is what goes on and what stays, to the last unit, by each method."""

from __future__ import annotations

import csv
import random
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cordon.kernel.errors import BadInput
from cordon.money import forward, read_payments
from cordon.money.tracing import forward as forwarding
from cordon.money.tracing.telling import told

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
COLUMNS = ("payment_id", "at", "from_account", "to_account", "amount", "currency", "channel")


def written(path: Path, rows: Iterable[tuple[Any, ...]]) -> Path:
    """A file of payments: (minutes, from, to, amount[, channel[, currency]])."""
    with path.open("w", newline="") as raw:
        out = csv.writer(raw)
        out.writerow(COLUMNS)
        for n, (minute, a, b, amount, *more) in enumerate(rows):
            at = (BEGIN + timedelta(minutes=minute)).isoformat().replace("+00:00", "Z")
            channel = more[0] if more else "transfer"
            currency = more[1] if len(more) > 1 else "PKR"
            out.writerow((f"P{n}", at, a, b, amount, currency, channel))
    return path


def traced(path: Path, account: str, **more: Any) -> dict[str, Any]:
    """The trace of a file, each method's sums as decimals."""
    return told(forward(read_payments([path]).payments, account, **more))


def sums(trace: dict[str, Any], method: str, currency: str = "PKR") -> dict[str, Decimal]:
    (one,) = [s for s in trace["methods"][method]["sums"] if s["currency"] == currency]
    left = sum((Decimal(v) for v in one["left"].values()), Decimal(0))
    return {
        **{k: Decimal(one[k]) for k in ("came_in", "mixed_in", "beyond", "again", "stays")},
        "left": left,
    }


def test_the_three_methods_on_the_textbook_case(tmp_path: Path) -> None:
    """100 of the mule's own, 60 of a victim, then 80 on and 40 drawn."""
    path = written(
        tmp_path / "p.csv",
        [
            (0, "wage", "mule", 100),
            (10, "victim", "mule", 60),
            (20, "mule", "boss", 80),
            (30, "mule", "atm", 40, "cash_out"),
        ],
    )
    trace = traced(path, "mule", since=BEGIN + timedelta(minutes=5))
    fifo, haircut, poison = (sums(trace, m) for m in ("fifo", "haircut", "poison"))
    # first in first out: 80 are of the wage; of the 40 drawn 20 are of the wage, 20 the victim's
    assert (fifo["left"], fifo["stays"]) == (20, 40)
    # haircut: 60 of 160 of each: 30 on to the boss, 15 drawn, 15 left
    assert (haircut["left"], haircut["stays"]) == (15, 45)
    # poison: all 160 are tainted: 80 at the boss, 40 drawn, 40 left
    assert (poison["mixed_in"], poison["left"], poison["stays"]) == (100, 40, 120)
    stays = {s["account"]: s["amount"] for s in trace["methods"]["haircut"]["stays"]}
    assert stays == {"boss": "30", "mule": "15"}


def test_paisas_are_kept(tmp_path: Path) -> None:
    path = written(
        tmp_path / "p.csv",
        [(0, "v", "m", "0.10"), (1, "w", "m", "0.20"), (2, "m", "n", "0.07")],
    )
    one = sums(traced(path, "m"), "haircut")
    assert one["came_in"] == Decimal("0.30")
    assert one["left"] + one["beyond"] + one["stays"] == Decimal("0.30")


@pytest.mark.parametrize("seed", range(12))
def test_what_goes_in_is_what_goes_on_and_what_stays(tmp_path: Path, seed: int) -> None:
    """Random networks with cycles: for each method, each currency and each source."""
    rng = random.Random(seed)
    names = [f"a{n}" for n in range(12)]
    rows = []
    for n in range(400):
        a, b = rng.choice(names), rng.choice(names)
        channel = rng.choice(["transfer", "wallet", "cash_out", "crypto", "transfer"])
        amount = Decimal(rng.randrange(1, 100_000)) / 100
        rows.append((n, a, b, amount, channel, rng.choice(["PKR", "PKR", "USD"])))
    trace = traced(written(tmp_path / "p.csv", rows), "a0", hops=rng.randrange(1, 7))
    for method in ("fifo", "haircut", "poison"):
        for one in trace["methods"][method]["sums"]:
            s = sums(trace, method, one["currency"])
            ends = s["left"] + s["beyond"] + s["again"] + s["stays"]
            assert ends == s["came_in"] + s["mixed_in"]
            if method != "poison":
                assert s["mixed_in"] == 0
    for method in ("fifo", "haircut"):
        rows_of = trace["methods"][method]["sources"]
        assert len(rows_of) == trace["sources"]
        for r in rows_of:
            ends = sum(Decimal(r[k]) for k in ("left", "beyond", "again", "stays"))
            assert ends == Decimal(r["amount"])


def test_too_many_to_tell_apart_is_said_and_long_lists_are_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [(n, f"v{n}", "m", n + 1, "transfer") for n in range(6)]
    rows += [(10 + n, "m", f"x{n}", 2, "transfer") for n in range(3)]
    p = read_payments([written(tmp_path / "p.csv", rows)]).payments
    few = told(forward(p, "m"), most=2)
    for method in ("fifo", "haircut"):
        m = few["methods"][method]
        assert [s["amount"] for s in m["sources"]] == ["5", "6"]  # the largest, by time
        assert m["sources_in_all"] == 6
        assert len(m["stays"]) == 2
        assert m["stays_in_all"] == 4
    assert not any("told apart" in s for s in few["left_out"])
    monkeypatch.setattr(forwarding, "_DENSE", 1)
    dense = told(forward(p, "m"))
    assert dense["methods"]["haircut"]["sources"] == []
    assert any("By haircut it is not told apart" in s for s in dense["left_out"])


@pytest.mark.parametrize("seed", range(4))
def test_fifo_is_the_plain_rule(tmp_path: Path, seed: int) -> None:
    """Beside a loop over Python lists that nobody could misread."""
    rng = random.Random(100 + seed)
    names = [f"a{n}" for n in range(8)]
    rows = [
        (n, *rng.sample(names, 2), rng.randrange(1, 500), rng.choice(["transfer", "cash_out"]))
        for n in range(200)
    ]
    trace = traced(written(tmp_path / "p.csv", rows), "a0", hops=100)
    queues: dict[str, list[list[Any]]] = defaultdict(list)
    stays_of: dict[str, int] = defaultdict(int)
    for n, a, b, amount, channel in rows:
        moved, left = [], amount
        while left and queues[a]:
            lot = queues[a][0]
            used = min(left, lot[1])
            moved.append([lot[0], used])
            lot[1] -= used
            left -= used
            if not lot[1]:
                queues[a].pop(0)
        if left:
            moved.append([None, left])
        if b == "a0":  # a source: it begins anew, whatever it was before
            moved = [[n, amount]]
        elif channel == "cash_out":
            continue
        merged: list[list[Any]] = [m for m in moved if m[0] is not None]
        clean = sum(m[1] for m in moved if m[0] is None)
        queues[b] += merged + ([[None, clean]] if clean else [])
    for account, queue in queues.items():
        stays_of[account] = sum(units for source, units in queue if source is not None)
    found = {s["account"]: int(s["amount"]) for s in trace["methods"]["fifo"]["stays"]}
    assert found == {a: n for a, n in stays_of.items() if n}


def test_poison_reaches_what_payments_in_time_lead_to(tmp_path: Path) -> None:
    rng = random.Random(7)
    names = [f"a{n}" for n in range(40)]
    rows = [(n, *rng.sample(names, 2), 10) for n in range(200)]
    rows = [r for r in rows if r[2] != "a0"]
    rows.append((20.5, "victim", "a0", 50))
    trace = traced(written(tmp_path / "p.csv", sorted(rows)), "a0", hops=100)
    reached = {"a0"}
    for _, a, b, _ in (r for r in sorted(rows) if r[0] > 20.5):
        if a in reached:
            reached.add(b)
    ends = {p["to"] for p in trace["methods"]["poison"]["payments"]}
    assert {"a0"} < ends <= reached


def test_a_card_payment_is_the_end(tmp_path: Path) -> None:
    path = written(
        tmp_path / "p.csv",
        [(0, "v", "m", 50), (1, "m", "shop", 50, "card"), (2, "shop", "wholesaler", 50)],
    )
    one = trace_sums = sums(traced(path, "m"), "fifo")
    assert trace_sums["left"] == 50
    assert one["stays"] == 0


def test_hops_bound_a_cycle_of_a_thousand(tmp_path: Path) -> None:
    ring = [f"r{n}" for n in range(1000)]
    rows = [(0, "v", "r0", 100)]
    rows += [(1 + n, ring[n % 1000], ring[(n + 1) % 1000], 100) for n in range(2500)]
    trace = traced(written(tmp_path / "p.csv", rows), "r0", until=BEGIN + timedelta(minutes=1))
    one = sums(trace, "fifo")
    assert one["beyond"] == 100
    assert max(p["hop"] for p in trace["methods"]["fifo"]["payments"]) == 7


def test_an_account_is_found_however_it_is_written(tmp_path: Path) -> None:
    iban = "GB82 WEST 1234 5698 7654 32"
    path = written(
        tmp_path / "p.csv",
        [
            (0, "v", iban, 10),
            (1, "w", "WEST12345698765432", 5),
            (2, "x", "gb82west12345698765432", 1),
        ],
    )
    trace = traced(path, "GB82WEST12345698765432")
    assert trace["sources"] == 3
    assert sums(trace, "fifo")["came_in"] == 16
    assert traced(path, "WEST12345698765432")["account"] == "GB82WEST12345698765432"


def test_two_countries_accounts_are_not_joined(tmp_path: Path) -> None:
    path = written(
        tmp_path / "p.csv",
        [
            (0, "v", "GB82WEST12345698765432", 10),
            (1, "v", "PK36WEST12345698765432", 10),
            (2, "v", "WEST12345698765432", 10),
        ],
    )
    names = read_payments([path]).payments.accounts
    assert "WEST12345698765432" in names


def test_a_payment_told_by_both_banks_counts_once(tmp_path: Path) -> None:
    one = written(tmp_path / "one.csv", [(0, "v", "m", 10), (0.2, "v", "m", 10), (9, "v", "m", 7)])
    rows = [("Q0", 0.5, "v", "m", 10), ("Q1", 30, "v", "m", 7)]
    other = tmp_path / "other.csv"
    with other.open("w", newline="") as raw:
        out = csv.writer(raw)
        out.writerow(COLUMNS)
        for name, minute, a, b, amount in rows:
            at = (BEGIN + timedelta(minutes=minute)).isoformat().replace("+00:00", "Z")
            out.writerow((name, at, a, b, amount, "PKR", "transfer"))
    read = read_payments([one, other])
    assert (read.counts.kept, read.counts.repeated) == (4, 1)
    assert sorted(read.payments.ids.to_pylist()) == ["P0", "P1", "P2", "Q1"]


def test_bad_rows_are_refused_by_number(tmp_path: Path) -> None:
    path = written(
        tmp_path / "p.csv",
        [(0, "v", "m", 10), (1, "v", "m", -3), (2, "v", "m", "1E+05"), (3, "v", "m", 0)],
    )
    read = read_payments([path])
    assert [r.row for _, r in read.refusals] == [2, 3]
    assert read.counts.kept == 2


def test_an_absurd_amount_is_refused_by_its_row(tmp_path: Path) -> None:
    rows = [(0, "v", "m", "9" * 18), (1, "v", "m", "0.01"), (2, "v", "m", "0." + "0" * 18 + "1")]
    read = read_payments([written(tmp_path / "p.csv", rows)])
    assert [(r.row, r.reason) for _, r in read.refusals] == [
        (1, "amount is more than 1,000,000,000,000,000"),
        (3, "amount has more than 18 decimal places"),
    ]
    assert read.counts.kept == 1


def test_a_row_that_cannot_be_counted_with_the_rest_is_left_out_by_name(tmp_path: Path) -> None:
    tiny, rows = "0.000000000000000001", [(n, "v", "m", "90000.55") for n in range(9)]
    read = read_payments([written(tmp_path / "p.csv", [*rows, (10, "v", "m", tiny)])])
    assert (read.counts.kept, read.counts.refused) == (9, 1)
    assert [r.row for _, r in read.refusals] == [10]
    assert any("p.csv row 10" in s for s in read.payments.left_out)
    # and of sums that are too large the largest, so that the others are counted
    rows = [(n, "v", "m", str(10**15 - n)) for n in range(60)]
    read = read_payments([written(tmp_path / "q.csv", [*rows, (70, "v", "m", "0.05")])])
    assert [r.row for _, r in read.refusals] == list(range(1, 15))
    assert int(read.payments.amount.sum()) < 1 << 62


def test_who_is_not_there_is_said(tmp_path: Path) -> None:
    path = written(tmp_path / "p.csv", [(0, "v", "m", 10)])
    with pytest.raises(BadInput, match="names the account"):
        traced(path, "nobody")
    with pytest.raises(BadInput, match="came into"):
        traced(path, "v")


def test_parquet_and_csv_say_the_same(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.csv as pa_csv
    import pyarrow.parquet as pq

    rng = random.Random(3)
    rows = [
        (n, f"a{rng.randrange(9)}", f"b{rng.randrange(9)}", rng.randrange(1, 10**6) / 100)
        for n in range(300)
    ]
    path = written(tmp_path / "p.csv", rows)
    kinds = {"at": pa.timestamp("us", "UTC"), "amount": pa.float64()}
    table = pa_csv.read_csv(path, convert_options=pa_csv.ConvertOptions(column_types=kinds))
    pq.write_table(table, tmp_path / "p.parquet")
    one, two = (told(forward(read_payments([p]).payments, "b1")) for p in
                (path, tmp_path / "p.parquet"))  # fmt: skip
    for trace in (one, two):
        for method in trace["methods"].values():
            for p in method["payments"]:
                del p["record"]
    assert one == two


def test_a_time_without_a_zone_is_refused_by_its_row(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text(
        ",".join(COLUMNS) + "\nA,2026-03-01T10:00:00,v,m,5,PKR,transfer\n"
        "B,2026-03-01T10:00:00Z,v,m,5,PKR,transfer\n"
    )
    read = read_payments([path])
    assert [(r.row, "zone" in r.reason) for _, r in read.refusals] == [(1, True)]
    assert read.counts.kept == 1


def test_currencies_are_not_mixed(tmp_path: Path) -> None:
    """Rupees that came in do not go on as dollars."""
    path = written(
        tmp_path / "p.csv",
        [(0, "v", "m", 100, "transfer", "PKR"), (1, "m", "n", 100, "transfer", "USD")],
    )
    one = sums(traced(path, "m"), "fifo")
    assert (one["stays"], one["came_in"]) == (100, 100)


def test_an_account_with_very_many_payments_is_told_within_its_bounds(tmp_path: Path) -> None:
    """100,000 into one account and on, from columns: sums are whole, lists are cut and say so."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from cordon.money.tracing.telling import MOST

    many = 100_000
    at = [1_767_225_600_000_000 + 1_000_000 * n for n in range(2 * many)]
    ends = [(f"p{n % 999}", "hub") if n % 2 == 0 else ("hub", f"q{n % 997}")
            for n in range(2 * many)]  # fmt: skip
    table = pa.table(
        {
            "payment_id": [f"P{n}" for n in range(2 * many)],
            "at": pa.array(at, pa.timestamp("us", "UTC")),
            "from_account": [a for a, _ in ends],
            "to_account": [b for _, b in ends],
            "amount": [100] * (2 * many),
            "currency": ["PKR"] * (2 * many),
        }
    )
    pq.write_table(table, tmp_path / "p.parquet")
    trace = traced(tmp_path / "p.parquet", "hub")
    for method in ("fifo", "haircut"):
        one = sums(trace, method)
        assert one["left"] + one["beyond"] + one["again"] + one["stays"] == one["came_in"]
        assert one["came_in"] == 100 * many
    found = trace["methods"]["fifo"]
    assert len(found["payments"]) == MOST < found["payments_in_all"]
