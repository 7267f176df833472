"""Which payments a complaint is about, when complaints err as people do."""

from __future__ import annotations

import csv
import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pyarrow as pa
import pytest

from cordon.money import read_payments
from cordon.money.disruption.complained import Complaint, Why, as_paid, tied, told

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
DAY = int(BEGIN.timestamp()) // 86_400
MULE, OTHER = "PK36SCBL0000001123456702", "MULE-00000077"
PHONES = {f"+92300000000{n}": {f"VICTIM-{n}"} for n in range(5)}
ROWS = [  # day, from, to, amount, currency
    (0, "VICTIM-0", MULE, "5000", "PKR"),
    (1, "VICTIM-1", MULE, "700.50", "PKR"),
    (2, "VICTIM-1", OTHER, "300", "PKR"),
    (3, "VICTIM-2", MULE, "40", "USD"),
    (4, "VICTIM-3", MULE, "5000", "PKR"),
    (4, "AGENT", MULE, "1200", "PKR"),
    (5, "VICTIM-4", "GROCER-00000001", "900", "PKR"),
    (6, MULE, OTHER, "4000", "PKR"),
]


@pytest.fixture(scope="module")
def payments(tmp_path_factory):
    path = tmp_path_factory.mktemp("p") / "p.csv"
    with path.open("w", newline="") as raw:
        out = csv.writer(raw)
        out.writerow(("payment_id", "at", "from_account", "to_account", "amount", "currency"))
        for n, (day, a, b, amount, currency) in enumerate(ROWS):
            at = f"{BEGIN + timedelta(days=day, hours=9):%Y-%m-%dT%H:%M:%SZ}"
            out.writerow((f"P{n}", at, a, b, amount, currency))
    return read_payments([path]).payments


def complaint(id_, day, victim, amount, *, account=MULE, currency="PKR", occurred=True, **more):
    return Complaint(
        id_, DAY + day + 2, DAY + day if occurred else None,
        None if victim is None else f"+92300000000{victim}", account,
        more.get("number"), None if amount is None else Decimal(amount), currency,
    )  # fmt: skip


def one(payments, *complaints, **more):
    return {
        t.complaint.id: t
        for t in tied(complaints, payments, {MULE, OTHER}, phones=PHONES, **more)
    }  # fmt: skip


def test_a_complaint_in_order_is_its_payment(payments):
    got = one(payments, complaint("C", 0, 0, "5000.00"))["C"]
    assert (got.account, got.payer, got.paid) == (MULE, "VICTIM-0", Decimal("5000"))
    assert got.why == (Why.PAYER, Why.SUM, Why.DAY)
    assert [payments.ids[k].as_py() for k in got.payments] == ["P0"]


@pytest.mark.parametrize(
    "account",
    ["pk36 scbl 0000 0011 2345 6702", "SCBL0000001123456702", "PK99SCBL0000001123456702"],
)
def test_an_account_however_it_is_written(payments, account):
    """Spaces and case, without country and check digits, with wrong check digits."""
    got = one(payments, complaint("C", 0, 0, "5000", account=account))["C"]
    assert (got.account, got.payer) == (MULE, "VICTIM-0")


@pytest.mark.parametrize("account", ["PK36SCBL0000001123456712", "PK36SCBL0000001123457602"])
def test_a_wrong_digit_is_seen_through_where_the_victim_paid(payments, account):
    got = one(
        payments,
        complaint("C", 0, 0, "5000", account=account),
        complaint("unknown", 4, None, "1200", account=account),
    )
    assert got["C"].payer == "VICTIM-0"
    assert Why.DIGIT in got["C"].why
    # without the payer a digit that differs may as well be somebody else's account
    assert got["unknown"].why == (Why.DIGIT, Why.NONE)


def test_two_digits_off_or_somebody_elses_account_is_not_about_the_ring(payments):
    got = one(
        payments,
        complaint("two", 0, 0, "5000", account="PK36SCBL0000001123456813"),
        complaint("grocer", 5, 4, "900", account="GROCER-00000001"),
        complaint("none", 0, 0, "5000", account=None),
    )
    assert got == {}


def test_a_wrong_sum_is_told_as_such(payments):
    got = one(payments, complaint("C", 0, 0, "50000"))["C"]
    assert got.why == (Why.PAYER, Why.DAY, Why.OTHER_SUM)
    assert got.paid == Decimal("5000")


def test_a_wrong_day_is_told_as_such_and_payer_alone_is_not_enough(payments):
    got = one(payments, complaint("C", 20, 0, "5000"))["C"]
    assert got.why == (Why.PAYER, Why.SUM, Why.OTHER_DAY)
    both = one(payments, complaint("C", 20, 0, "7777"))["C"]
    assert both.why == (Why.NONE,)
    assert both.payments == ()
    # before it was paid nobody can have complained of it, nor a season later
    assert one(payments, complaint("C", -9, 0, "5000"))["C"].why == (Why.NONE,)
    assert one(payments, complaint("C", 90, 0, "5000"))["C"].why == (Why.NONE,)


def test_another_currency_is_never_compared_in_sum(payments):
    got = one(payments, complaint("C", 3, 2, "40", currency="EUR"))["C"]
    assert got.why == (Why.PAYER, Why.DAY, Why.OTHER_CURRENCY)
    assert (got.paid, got.currency) == (Decimal("40"), "USD")
    # without the payer the sum alone would tie it
    nobody = one(payments, complaint("C", 4, None, "1200", currency="USD"))["C"]
    assert nobody.why == (Why.NONE,)


def test_a_doubled_complaint_is_counted_once(payments):
    got = one(
        payments,
        complaint("A", 0, 0, "5000"),
        complaint("B", 0, 0, "5000"),
        complaint("C", 30, 4, "123"),
        complaint("D", 30, 4, "123"),
    )
    assert (got["A"].payer, got["B"].payments, got["B"].again) == ("VICTIM-0", (), "A")
    assert Why.AGAIN in got["B"].why
    assert (got["C"].why, got["D"].again) == ((Why.NONE,), "C")


def test_a_doubled_complaint_takes_no_other_payment_of_its_victim(payments):
    """VICTIM-1 paid twice; who tells the first loss twice did not lose the second sum."""
    first = complaint("A", 1, 1, "700.50", account=None, number="+923019999999")
    again = complaint("B", 1, 1, "700.50", account=None, number="+923019999999")
    got = one(payments, first, again, numbers={"+923019999999"})
    assert (got["A"].paid, got["B"].again) == (Decimal("700.50"), "A")


def test_a_payment_is_one_complaints(payments):
    """Two victims tell the same: whose number the account is bound to comes first."""
    got = one(payments, complaint("A", 0, None, "5000"), complaint("B", 0, 0, "5000"))
    assert got["B"].payer == "VICTIM-0"
    assert got["A"].payments == ()
    assert got["A"].again == "B"  # nobody says that it is another's loss
    other = one(payments, complaint("A", 0, 4, "5000"), complaint("B", 0, 0, "5000"))
    assert other["A"].why == (Why.TAKEN,)


def test_several_payments_that_come_to_the_sum(payments):
    number = "+923019999999"
    got = one(
        payments,
        complaint("C", 2, 1, "1000.50", account=None, number=number),
        numbers={number},
    )["C"]
    assert got.why == (Why.PAYER, Why.SUMS, Why.DAY, Why.BY_NUMBER)
    assert [payments.ids[k].as_py() for k in got.payments] == ["P1", "P2"]
    assert got.account == MULE


def test_who_paid_at_an_agents_is_found_by_sum_and_day(payments):
    got = one(payments, complaint("C", 4, 4, "1200"))["C"]
    assert (got.payer, got.why) == ("AGENT", (Why.SUM, Why.DAY))


def test_alike_payments_of_two_people_stay_apart(tmp_path):
    path = tmp_path / "p.csv"
    path.write_text(
        "payment_id,at,from_account,to_account,amount,currency\n"
        f"P1,2026-03-01T09:00:00Z,A,{MULE},5000,PKR\nP2,2026-03-01T10:00:00Z,B,{MULE},5000,PKR\n"
    )
    p = read_payments([path]).payments
    (got,) = tied([complaint("C", 0, None, "5000")], p, {MULE})
    assert got.why == (Why.MANY,)
    (got,) = tied([complaint("C", 0, 1, "5000")], p, {MULE}, phones={"+923000000001": {"B"}})
    assert got.payer == "B"
    (got,) = tied([complaint("C", 0, 2, "5000")], p, {MULE}, phones={"+923000000001": {"B"}})
    assert got.why == (Why.SUM, Why.DAY)  # not from whose account it is known to be another's
    assert got.payer == "A"


def test_the_order_of_complaints_changes_nothing(payments):
    rng = random.Random(5)
    some = [
        complaint(f"C{n}", rng.randint(-2, 8), rng.choice([0, 1, 2, 3, 4, None]),
                  rng.choice(["5000", "700.50", "300", "1200", None]),
                  account=rng.choice([MULE, OTHER]), occurred=rng.random() < 0.7)
        for n in range(40)
    ]  # fmt: skip
    straight = one(payments, *some)
    for _ in range(5):
        rng.shuffle(some)
        assert one(payments, *some) == straight
    used = [k for t in straight.values() for k in t.payments]
    assert len(used) == len(set(used))
    assert len(straight) == 40


def test_complaints_are_read_as_the_format_gives_them():
    at = datetime(2026, 3, 1, 22, tzinfo=UTC)
    table = pa.table(
        {"complaint_id": ["A", "A"], "received": [at, at], "occurred": [None, at],
         "victim_number": ["+923000000000", None], "suspect_account": [MULE, MULE],
         "suspect_number": [None, None], "loss_amount": [Decimal("5000.000"), None],
         "currency": ["pkr", None]},
    )  # fmt: skip
    (got,) = told([table], timedelta(hours=5))
    assert got == Complaint("A", DAY + 1, None, "+923000000000", MULE, None, Decimal(5000), "PKR")
    assert str(got.amount) == "5000"


def test_accounts_as_the_payments_write_them(payments):
    names = {"SCBL0000001123456702", "victim-0", "VICTIM-0"}
    assert as_paid(payments, names) == {
        "SCBL0000001123456702": MULE, "victim-0": "victim-0", "VICTIM-0": "VICTIM-0",
    }  # fmt: skip
