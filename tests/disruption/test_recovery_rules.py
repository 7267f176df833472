"""What may be returned: to the last paisa, to nobody more than is theirs."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cordon.money import read_payments
from cordon.money.disruption.recovering import shared, victims

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
UNITS = st.integers(0, 10**15)


def written(path, rows):
    with path.open("w", newline="") as raw:
        out = csv.writer(raw)
        out.writerow(
            ("payment_id", "at", "from_account", "to_account", "amount", "currency", "channel")
        )
        for n, (minute, a, b, amount, *more) in enumerate(rows):
            at = (BEGIN + timedelta(minutes=minute)).isoformat().replace("+00:00", "Z")
            out.writerow((f"P{n}", at, a, b, amount, more[1] if len(more) > 1 else "PKR",
                          more[0] if more else "transfer"))  # fmt: skip
    return read_payments([path]).payments


@settings(max_examples=400, deadline=None)
@given(UNITS, st.lists(UNITS, max_size=40))
def test_a_shared_sum_adds_up_to_the_last_unit(frozen, claims):
    units = shared(frozen, claims)
    assert sum(units) == min(frozen, sum(claims))
    assert all(0 <= u <= c for u, c in zip(units, claims, strict=True))
    total = sum(claims)
    for u, c in zip(units, claims, strict=True):
        if total > frozen:  # within one unit of the exact proportion
            assert abs(u * total - c * frozen) < total


@given(st.integers(0, 10**6), st.lists(st.integers(0, 10**6), max_size=12), st.randoms())
def test_the_order_of_claims_moves_nobody_by_more_than_a_unit(frozen, claims, rng):
    order = list(range(len(claims)))
    rng.shuffle(order)
    there = shared(frozen, claims)
    back = shared(frozen, [claims[i] for i in order])
    assert all(abs(there[i] - back[at]) <= 1 for at, i in enumerate(order))


def test_sums_below_nothing_are_refused():
    for frozen, claims in ((-1, [1]), (1, [-1])):
        with pytest.raises(ValueError, match="below 0"):
            shared(frozen, claims)


def test_who_lost_what_and_what_comes_back(tmp_path):
    """Two victims pay a mule; the first's money is drawn (first in, first out)."""
    p = written(
        tmp_path / "p.csv",
        [
            (0, "V1", "M1", "100.00"),
            (5, "V2", "M1", "50.00"),
            (9, "M1", "atm", "90.00", "cash_out"),
            (12, "M1", "M2", "30.00"),
            (20, "V3", "M2", "15.33"),
        ],
    )
    held = {("M1", "PKR"): Decimal("30.00"), ("M2", "PKR"): Decimal("20.00")}
    told = {v.account: v for v in victims(p, {"M1", "M2"}, held)}
    assert set(told) == {"V1", "V2", "V3"}  # M1 pays M2 from inside and is no victim
    assert told["V1"].lost == Decimal("100.00")
    assert told["V1"].left == Decimal("90.00")
    assert told["V1"].stays == Decimal("10.00")  # went on to M2 first
    assert told["V2"].stays == Decimal("50.00")
    # on M1 30 of V2 stay and 30 are frozen; on M2 10 of V1, 20 of V2, 15.33 of V3 share 20
    assert told["V2"].returned["M1"] == Decimal("30.00")
    on_m2 = [v.returned["M2"] for v in told.values()]
    assert sum(on_m2) == Decimal("20.00")
    assert told["V3"].returned["M2"] == Decimal("6.76")
    assert told["V2"].returned["M2"] == Decimal("8.83")


def test_paisas_are_frozen_where_all_paid_whole_rupees(tmp_path):
    p = written(tmp_path / "p.csv", [(0, "V1", "M1", "100"), (1, "V2", "M1", "200")])
    told = victims(p, {"M1"}, {("M1", "PKR"): Decimal("0.50")})
    assert {v.account: v.share for v in told} == {"V1": Decimal("0.17"), "V2": Decimal("0.33")}


def test_currencies_are_not_mixed(tmp_path):
    p = written(
        tmp_path / "p.csv",
        [(0, "V1", "M1", "100.00"), (1, "V1", "M1", "7.00", "transfer", "USD")],
    )
    told = victims(p, {"M1"}, {("M1", "USD"): Decimal("5.00"), ("M1", "EUR"): Decimal("9.00")})
    assert {(v.currency, v.lost, v.share) for v in told} == {
        ("PKR", Decimal("100.00"), Decimal(0)),
        ("USD", Decimal("7.00"), Decimal("5.00")),
    }


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_nobody_gets_more_than_stays_and_all_frozen_goes_to_claims(data, tmp_path_factory):
    names = ["V1", "V2", "V3", "M1", "M2", "M3", "OUT"]
    many = data.draw(st.integers(1, 25))
    rows = []
    for n in range(many):
        a, b = data.draw(st.sampled_from(names)), data.draw(st.sampled_from(names))
        amount = Decimal(data.draw(st.integers(1, 10**6))).scaleb(-2)
        channel = data.draw(st.sampled_from(["transfer", "wallet", "cash_out", "hawala"]))
        rows.append((n, a, b, str(amount), channel))
    p = written(tmp_path_factory.mktemp("p") / "p.csv", rows)
    frozen = {(m, "PKR"): Decimal(data.draw(st.integers(1, 10**6))).scaleb(-2)
              for m in ("M1", "M2")}  # fmt: skip
    told = victims(p, {"M1", "M2", "M3"}, frozen)
    paid = sum((Decimal(r[3]) for r in rows if r[2][0] == "M" and r[1][0] != "M"), Decimal(0))
    assert sum((v.lost for v in told), Decimal(0)) == paid
    for v in told:
        assert v.share <= v.stays <= v.lost
        assert v.stays + v.left <= v.lost
    for (account, _), amount in frozen.items():
        back = sum((v.returned.get(account, Decimal(0)) for v in told), Decimal(0))
        assert back <= amount
