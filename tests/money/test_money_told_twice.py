"""What is one payment told again, and what are two of one name."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from cordon.money import read_payments, reading
from cordon.money.bank.told import reference
from support.samepaid import same_payments

HEAD = "payment_id,at,from_account,to_account,amount,currency,channel\n"
A, B = "PK36SCBL0000001123456702", "PK02HABB0000001123456703"
MT = """:20:{ref}
:25:{own}
:28C:{number}
:60F:C260301PKR0,
{lines}
:62F:C260301PKR0,
-
"""
DAY_AND_AMOUNT = ":61:{day}{day_}{way}{amount}NTRF{ref}\n:86:?20rent?31{far}"


def csv(folder: Path, *rows: str, name: str = "p.csv") -> Path:
    path = folder / name
    path.write_text(HEAD + "".join(f"{r},transfer\n" for r in rows))
    return path


def mt940(
    folder: Path, own: str, far: str, days: list[int], *, way: str = "D", name: str = "s.sta",
    ref: str = "KREF+", amount: str = "300,",
) -> Path:  # fmt: skip
    lines = [
        DAY_AND_AMOUNT.format(
            day=f"2603{d:02d}", day_=f"03{d:02d}", way=way, amount=amount, ref=ref, far=far
        )
        for d in days
    ]
    path = folder / name
    text = MT.format(ref="STARTUMSE", own=own, number="00001/001", lines="\n".join(lines))
    path.write_text(text)
    return path


def test_two_banks_that_count_from_one_tell_four_payments(tmp_path: Path) -> None:
    one = csv(tmp_path, "1,2026-03-01T10:00:00Z,A,B,300,PKR", "2,2026-03-01T11:00:00Z,A,B,5,PKR")
    two = csv(tmp_path, "1,2026-03-01T10:00:00Z,C,D,300,PKR", "2,2026-03-02T11:00:00Z,A,B,5,PKR",
              name="q.csv")  # fmt: skip
    read = read_payments([one, two])
    assert (read.counts.kept, read.counts.repeated) == (4, 0)
    assert any(s.startswith("2 payments carry the id of another") for s in read.payments.left_out)


ROWS = [
    "17,2026-03-01T10:00:00Z,A,B,300,PKR", "17,2026-03-01T10:00:00Z,A,B,301,PKR",
    "17,2026-03-01T23:00:00Z,A,B,300.00,pkr", f"u,2026-03-01T10:00:00Z,{A},B,7,PKR",
    f"u,2026-03-01T10:00:00Z,{A[4:]},B,7,PKR", "17,2026-03-02T10:00:00Z,A,B,300,PKR",
    "17,2026-03-01T10:00:00Z,A,B,300,USD",
]  # fmt: skip


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_the_quick_ways_keep_what_the_general_way_keeps(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = csv(tmp_path, *ROWS)
    if kind == "parquet":
        types = {n: pa.string() for n in HEAD.strip().split(",")}
        types |= {"at": pa.timestamp("us", "UTC"), "amount": pa.decimal128(18, 2)}
        table = pa_csv.read_csv(path, convert_options=pa_csv.ConvertOptions(column_types=types))
        upper = pa.compute.utf8_upper(table["currency"])
        table = table.set_column(5, "currency", upper)
        path = tmp_path / "p.parquet"
        pq.write_table(table, path)
    with monkeypatch.context() as patch:
        patch.setattr(reading, "each_once", lambda *_: pytest.fail("read the general way"))
        quick = read_payments([path])
    monkeypatch.setattr(reading, "_quickly", lambda *_: None)
    general = read_payments([path])
    assert (quick.counts.kept, quick.counts.repeated) == (5, 2)
    assert quick.counts == general.counts
    assert quick.payments.row.tolist() == [1, 2, 4, 7, 6]
    assert any(s.startswith("3 payments carry") for s in quick.payments.left_out)
    same_payments(quick.payments, general.payments)


@pytest.mark.parametrize("ref", ["KREF+", "EREF+", "MREF+", "NONREF", "KREF+NOTPROVIDED"])
def test_a_german_reference_twice_on_a_day_is_two_payments(ref: str, tmp_path: Path) -> None:
    path = mt940(tmp_path, A, B, [1, 1, 2], ref=ref)
    read = read_payments([path])
    assert (read.counts.kept, read.counts.repeated) == (3, 0)
    again = tmp_path / "again.sta"
    again.write_text(path.read_text() + "\n")
    read = read_payments([path, again])
    assert (read.counts.kept, read.counts.repeated) == (3, 3)


def test_what_is_a_reference() -> None:
    assert reference("NOTPROVIDED", " NONREF", "KREF+", "N/A", "000", "-", "EREF+R7") == "R7"


def test_a_day_and_an_hour_are_one_payment(tmp_path: Path) -> None:
    """One bank's statement has days, the other's hours: the same day, or the next."""
    days = mt940(tmp_path, A, B, [1, 2, 5])
    hours = csv(
        tmp_path,
        f"h1,2026-03-01T09:00:00Z,{A},{B},300,PKR",  # the first, by the clock of Karachi
        f"h2,2026-03-02T20:30:00Z,{A},{B},300,PKR",  # the second, one day later there
        f"h3,2026-03-07T09:00:00Z,{A},{B},300,PKR",  # another
        f"h4,2026-03-01T09:00:00Z,{A},{B},301,PKR",
    )
    read = read_payments([days, hours], "PK")
    assert (read.counts.kept, read.counts.repeated) == (5, 2)
    assert any(s.startswith("2 payments of which one file") for s in read.payments.left_out)


def test_two_days_of_one_account_s_statements_are_two_payments(tmp_path: Path) -> None:
    mine = [mt940(tmp_path, A, B, [d], name=f"{d}.sta") for d in (1, 2, 3)]
    assert read_payments(mine).counts.kept == 3
    theirs = mt940(tmp_path, B, A, [2, 3, 4], way="C", name="theirs.sta")
    read = read_payments([*mine, theirs])
    # the second and the third on their day; the first is none of theirs but the one of the fourth
    assert (read.counts.kept, read.counts.repeated) == (4, 2)


def test_one_row_of_many_places_changes_no_other_amount(tmp_path: Path) -> None:
    path = csv(
        tmp_path,
        "1,2026-03-01T10:00:00Z,A,B,179807,PKR",
        "2,2026-03-01T10:00:00Z,A,B,0.0000001,PKR",
        "3,2026-03-01T10:00:00Z,A,B,0,PKR",
    )
    p = read_payments([path]).payments
    assert [p.written(int(u), 0) for u in p.amount] == ["179807.00", "0.0000001", "0.00"]
    assert str(p.money(0, 0)) == "0.00"
    assert p.written(-15, 0) == "-0.0000015"


def test_codes_of_currencies(tmp_path: Path) -> None:
    path = csv(
        tmp_path,
        *(f"{n},2026-03-01T10:00:00Z,A,B,5,{c}" for n, c in
          enumerate(["PKR", "pkr", "Rs", "₨", "XYZW", "usdt"])),
    )  # fmt: skip
    read = read_payments([path])
    assert read.payments.currencies == ["PKR", "USDT", "XYZW"]
    assert [r.row for _, r in read.refusals] == [3, 4]
    assert any("XYZW" in s and "ISO 4217" in s for s in read.payments.left_out)


def test_the_end_of_an_account_is_the_one_iban_that_ends_so(tmp_path: Path) -> None:
    iban = "DE89370400440532013000"
    one = csv(tmp_path, f"1,2026-03-01T10:00:00Z,{A},{iban},5,PKR",
              "2,2026-03-02T10:00:00Z,1123456702,B,5,PKR",
              "3,2026-03-03T10:00:00Z,2345670,B,5,PKR")  # fmt: skip
    path = mt940(tmp_path, "37040044/0532013000PKR", A, [4], amount="7,")
    other = mt940(tmp_path, "50010517/0532013000", A, [4], amount="8,", name="t.sta")
    accounts = list(read_payments([one, path, other]).payments.accounts)
    assert accounts == sorted(["2345670", "50010517/0532013000", "B", iban, A])
    both = csv(tmp_path, f"9,2026-03-01T10:00:00Z,DE89370400441123456702,{A},5,PKR",
               "2,2026-03-02T10:00:00Z,1123456702,B,5,PKR", name="both.csv")  # fmt: skip
    assert "1123456702" in read_payments([both]).payments.accounts
