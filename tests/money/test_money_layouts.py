"""Banks' and wallets' own files by their layouts: told, read row by row, refused, proposed."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from cordon.calls import ACCOUNTS, PAYMENTS, read_plain
from cordon.kernel.errors import BadInput, BadUsage
from cordon.money.layouts import all_layouts, own_text, parse
from cordon.money.layouts.choosing import Choice, file_of
from cordon.money.layouts.learning import learn
from cordon.money.reading import read_payments

IBAN, OTHER = "PK36SCBL0000001123456702", "GB82WEST12345698765432"
BANK = f"""Txn ID;Txn Date;Debit Account;Credit Account;Amount;Ccy;Channel;Narration;Status
T1;25/03/2026 14:05:09;{IBAN};{OTHER};1,00,000.50;PKR;IBFT;rent;Completed
T2;03/04/2026 09:00;{IBAN};0123-456;250;PKR;ATM;cash;Completed
T3;04/04/2026 10:00;{OTHER};{IBAN};75.25;PKR;Strange;;Completed
T4;05/04/2026 10:00;{OTHER};{IBAN};10;PKR;IBFT;;Failed
T5;45/04/2026 10:00;{OTHER};{IBAN};10;PKR;IBFT;;Completed
T6;06/04/2026 10:00;{OTHER};{IBAN};ten;PKR;IBFT;;Completed
Total;;;;1,00,345.75;;;;
"""
STATEMENT = f"""Example Bank
Statement of account
Account Number:,{IBAN}
Account Title:,Bashir Example
Currency:,PKR
Period: 01-03-2026 to 31-03-2026

Date,Particulars,Reference,Debit,Credit,Balance
01-03-2026,Opening Balance,,,,"10,000.00"
13-03-2026,IBFT to {OTHER},R1,"2,500.00",,"7,500.00"
13-03-2026,Service charge,R1,25.00,,"7,475.00"
14-03-2026,ATM withdrawal Main Road,,500.00,0.00,"6,975.00"
15-03-2026,Total Parco fuel,R2,100.00,,"6,875.00"
16-03-2026,Salary,R3,,"50,000.00","56,875.00"
17-03-2026,both,R4,1.00,2.00,"56,875.00"
18-03-2026,neither,R5,,,"56,875.00"
Total,,,"3,125.00","50,000.00",
Closing Balance,"56,875.00"
This is a computer generated statement
"""
WALLET = """MOBILE WALLET STATEMENT
Mobile Number:,03001234567
Currency:,PKR

Receipt No.,Completion Time,Details,Reason Type,Transaction Status,Paid In,Withdrawn,Balance
AB1,2026-03-01 10:00:00,Sent to 03217654321 Ali,Send Money,Completed,,-500.00,1500.00
AB1,2026-03-01 10:00:00,Charge,Send Money,Completed,,-10.00,1490.00
AB2,2026-03-02 11:30:00,Cash in at agent 12,Cash In,Completed,2000.00,,3490.00
AB3,2026-03-03 11:30:00,Sent to 03217654321,Send Money,Failed,,-70.00,3490.00
"""


def put(tmp_path, text, name="f.csv"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def read(path, kind="payments", **choice):
    """What a file says by its layout: rows by column, why rows were refused, and its notes."""
    file = file_of(path, kind, Choice(**choice), "PK", path.name)
    assert file is not None
    form = PAYMENTS if kind == "payments" else ACCOUNTS
    plain = read_plain(path, form, parts=file.parts())
    return (
        plain.table.to_pylist(),
        {r.row: r.reason for r in plain.refusals},
        dict(file.notes),
        file.layout.name,
    )


def own(**changed):
    """The text of a layout of one's own, for `when,who,whom,sum` and whatever is changed."""
    import yaml

    data = {
        "name": "own", "title": "Own", "known_by": ["date", "from_account", "to_account", "amount"],
        "columns": {"date": "When", "from_account": "Who", "to_account": "Whom", "amount": "Sum"},
        "always": {"currency": "PKR"},
    }  # fmt: skip
    return yaml.safe_dump({**data, **changed}, allow_unicode=True)


def test_a_banks_export_names_both_accounts(tmp_path):
    rows, refused, notes, name = read(put(tmp_path, BANK))
    assert name == "bank-transfers"
    assert [(r["payment_id"], r["amount"], r["channel"]) for r in rows] == [
        ("T1", Decimal("100000.50"), "transfer"),
        ("T2", Decimal(250), "cash_out"),
        ("T3", Decimal("75.25"), None),
    ]
    # the clock is the country's: five hours before UTC
    assert rows[0]["at"] == datetime(2026, 3, 25, 9, 5, 9, tzinfo=UTC)
    # 25/03 can only be day first, and so is 03/04
    assert rows[1]["at"] == datetime(2026, 4, 3, 4, 0, tzinfo=UTC)
    assert (rows[0]["from_account"], rows[0]["to_account"]) == (IBAN, OTHER)
    assert refused == {
        4: "its status is none of a payment that took place",
        5: "its date or time cannot be read",
        6: "its amount is no amount",
    }
    assert notes["rows of totals and balances were left out"] == 1
    assert notes["its channel is none that the layout knows; it was left empty"] == 1


def test_a_statement_has_debit_credit_and_a_preamble(tmp_path):
    rows, refused, notes, name = read(put(tmp_path, STATEMENT))
    assert name == "account-statement"
    told = [(r["from_account"], r["to_account"], r["amount"], r["channel"]) for r in rows]
    assert told == [
        (IBAN, OTHER, Decimal(2500), "transfer"),
        (IBAN, f"unnamed:payment:{IBAN}", Decimal(25), None),
        (IBAN, f"unnamed:cash_out:{IBAN}", Decimal(500), "cash_out"),
        # a shop by the name of Total is no line of totals
        (IBAN, f"unnamed:payment:{IBAN}", Decimal(100), None),
        (f"unnamed:payment:{IBAN}", IBAN, Decimal(50000), None),
    ]
    assert {r["currency"] for r in rows} == {"PKR"}
    # a charge has the reference of its payment and is another one; without any the row names it
    ids = [r["payment_id"] for r in rows]
    assert len(set(ids)) == 5
    assert ids[0].startswith("R1/")
    assert ids[1].startswith("R1/")
    assert ids[2].endswith("/11")
    assert refused == {
        14: "debit and credit both hold an amount",
        15: "neither debit nor credit holds an amount",
    }
    assert notes["rows of totals and balances were left out"] == 4
    assert notes["a day and no hour is told; its first moment was taken"] == 5
    assert notes["the other account is not named"] == 4


def test_a_wallets_list_tells_charges_and_what_failed(tmp_path):
    rows, refused, _, name = read(put(tmp_path, WALLET))
    assert name == "wallet-transactions"
    assert [(r["from_account"], r["to_account"], r["amount"], r["channel"]) for r in rows] == [
        ("03001234567", "03217654321", Decimal(500), "wallet"),
        ("03001234567", "unnamed:wallet:03001234567", Decimal(10), "wallet"),
        ("unnamed:cash_in:03001234567", "03001234567", Decimal(2000), "cash_in"),
    ]
    assert refused == {8: "its status is none of a payment that took place"}


def test_a_register_of_accounts(tmp_path):
    text = (
        "Account No,Account Title,CNIC,Mobile No,Account Type,Opening Date\n"
        f"{IBAN},Bashir Example,42101,0300-7654321,Savings,15/01/2020\n"
        "77,Other,42102,,Level 1,never\n"
    )
    rows, refused, notes, name = read(put(tmp_path, text), "accounts")
    assert name == "account-register"
    assert (rows[0]["kind"], rows[0]["phone"]) == ("bank", "+923007654321")
    assert rows[0]["opened"] == datetime(2020, 1, 15, tzinfo=UTC)
    assert (rows[1]["kind"], rows[1]["opened"]) == ("wallet", None)
    assert not refused
    assert notes == {"opened is no date; it was left empty": 1}


def test_auto_says_why_none_fits(tmp_path):
    with pytest.raises(BadInput) as wrong:
        read(put(tmp_path, "Txn ID;Txn Date;Debit Account;Amount;Ccy\nT1;01/02/2026;1;2;PKR\n"))
    assert "Nearest is bank-transfers, of which it lacks to_account (“credit account”" in str(
        wrong.value
    )
    assert "cordon money layout learn" in str(wrong.value)
    with pytest.raises(BadInput, match="does not fit the layout account-statement: it lacks"):
        read(put(tmp_path, BANK), layout="account-statement")
    with pytest.raises(BadInput, match="is of accounts, and the file is to hold payments"):
        read(put(tmp_path, BANK), layout="account-register")
    # the plain format stays what it is
    plain = "payment_id,at,from_account,to_account,amount,currency\n"
    assert file_of(put(tmp_path, plain), "payments", Choice(), "PK", "f") is None


def test_day_and_month_are_told_from_the_whole_file_or_refused(tmp_path):
    head = "When,Who,Whom,Sum\n"
    text = head + "03/04/2026,A1,B1,1\n04/25/2026,A1,B1,2\n"
    rows, _, _, _ = read(put(tmp_path, text), own=own(zone="UTC"))
    assert [r["at"].day for r in rows] == [4, 25]
    text = head + "03/04/2026,A1,B1,1\n"
    with pytest.raises(BadInput, match="day or month first: every one"):
        read(put(tmp_path, text), own=own())
    rows, _, _, _ = read(put(tmp_path, text), own=own(order="dmy", zone="UTC"))
    assert (rows[0]["at"].month, rows[0]["at"].day) == (4, 3)
    text = head + "13/04/2026,A1,B1,1\n04/25/2026,A1,B1,2\n"
    with pytest.raises(BadInput, match="1 of its dates can only be read day first and 1 only"):
        read(put(tmp_path, text), own=own(order="dmy"))
    # a moment with its zone is itself, an hour stands in a column of its own
    text = (
        "When,Hour,Who,Whom,Sum\n2026-03-01T10:00:00+01:00,,A1,B1,1\n2 Mar 2026,1:30 PM,A1,B1,1\n"
    )
    columns = {"date": "When", "time": "Hour", "from_account": "Who", "to_account": "Whom",
               "amount": "Sum"}  # fmt: skip
    rows, refused, _, _ = read(put(tmp_path, text), own=own(columns=columns, zone="Asia/Karachi"))
    assert not refused
    assert [r["at"].hour for r in rows] == [9, 8]


def test_amounts_are_written_as_the_layout_says(tmp_path):
    head = "When;Who;Whom;Sum\n"
    sums = ["1.000,50", "1.234.567,8", "1 000", "٣٫٥", "١٬٠٠٠", "12", "1,000.50"]
    text = head + "".join(f"2026-03-01;A{n};B1;{v}\n" for n, v in enumerate(sums))
    comma = own(amounts={"decimal": ",", "thousands": "."})
    rows, refused, _, _ = read(put(tmp_path, text), own=comma)
    assert [r["amount"] for r in rows] == [
        Decimal(v) for v in ("1000.50", "1234567.8", "1000", "3.5", "1000", "12")
    ]
    assert "decimal: '.'" in refused[7]
    rows, refused, _, _ = read(put(tmp_path, text), own=own())
    assert "decimal comma" in refused[1]
    assert [r["amount"] for r in rows][-1] == Decimal("1000.50")
    # beside such an amount 1.000 may be a thousand
    text = head + "2026-03-01;A;B;1.000\n2026-03-01;A;B;1.000,50\n2026-03-01;A;B;7\n"
    rows, refused, _, _ = read(put(tmp_path, text), own=own())
    assert [r["amount"] for r in rows] == [Decimal(7)]
    assert refused[1].startswith("its amount is one of two")
    # digits of the script in dates and accounts too, words around amounts where the layout says so
    text = head + "٢٠٢٦-٠٣-٠١;۱۲۳;B;Rs. 5\n"
    rows, _, _, _ = read(put(tmp_path, text), own=own(amounts={"around": ["Rs."]}, zone="UTC"))
    assert (rows[0]["at"].day, rows[0]["from_account"], rows[0]["amount"]) == (1, "123", 5)


def test_a_statement_by_sign_or_direction(tmp_path):
    columns = {"date": "When", "amount": "Sum", "other_account": "Other", "direction": "Way"}
    text = "When,Other,Sum,Way\n2026-03-01,B1,5,Dr\n2026-03-01,B1,7,CR\n2026-03-01,B1,9,?\n"
    by_way = own(
        columns=columns, known_by=["date", "amount"], directions={"out": ["dr"], "in": ["cr"]}
    )
    given = {"account": "A1"}
    rows, refused, _, _ = read(put(tmp_path, text), own=by_way, given=given)
    assert [(r["from_account"], r["to_account"]) for r in rows] == [("A1", "B1"), ("B1", "A1")]
    assert refused == {3: "its direction is none that the layout knows"}
    del columns["direction"]
    text = "When,Other,Sum\n2026-03-01,B1,-5\n2026-03-01,B1,7\n2026-03-01,B1,(9.00)\n"
    signed = own(columns=columns, known_by=["date", "amount"])
    rows, _, _, _ = read(put(tmp_path, text), own=signed, given=given)
    assert [(r["from_account"], r["amount"]) for r in rows] == [("A1", 5), ("B1", 7), ("A1", 9)]
    with pytest.raises(BadInput, match="nothing tells whose account"):
        read(put(tmp_path, text), own=signed)
    text = "When,Other,Sum\n2026-03-01,B1,5 DR\n2026-03-01,B1,1.50Cr\n"
    behind = own(
        columns=columns, known_by=["date", "amount"], directions={"out": ["dr"], "in": ["cr"]}
    )
    rows, _, _, _ = read(put(tmp_path, text), own=behind, given=given)
    assert [(r["from_account"], r["amount"]) for r in rows] == [("A1", 5), ("B1", Decimal("1.5"))]


def test_statements_of_two_accounts_in_one_file(tmp_path):
    second = STATEMENT.replace(IBAN, "DE89370400440532013000").replace("R1", "Q1")
    rows, _, _, _ = read(put(tmp_path, STATEMENT + "\n" + second))
    accounts = {r["from_account"] for r in rows if r["amount"] == 2500}
    assert accounts == {IBAN, "DE89370400440532013000"}
    with pytest.raises(BadInput, match="says itself whose account"):
        read(put(tmp_path, STATEMENT), given={"account": OTHER})


def test_a_file_that_breaks_off_gives_what_stands_before(tmp_path):
    many = BANK.splitlines()[:2] + [
        f"X{n};25/03/2026 14:05;{IBAN};{OTHER};{n}.5;PKR;IBFT;;Completed" for n in range(1, 20000)
    ]
    packed = gzip.compress("\n".join(many).encode())
    path = put(tmp_path, packed[: len(packed) // 2], "f.csv.gz")
    file = file_of(path, "payments", Choice(), "PK", path.name)
    plain = read_plain(path, PAYMENTS, parts=file.parts())
    assert 100 < len(plain.table) < 19_999
    assert "breaks off" in file.broken


def test_files_are_followed_without_a_node(tmp_path):
    found = read_payments([put(tmp_path, BANK), put(tmp_path, WALLET, "w.csv")])
    assert found.counts.kept == 6
    assert IBAN in found.payments.accounts
    assert read_payments([put(tmp_path, BANK)]).counts.kept == 3


def test_a_layout_that_is_none_is_refused_by_its_key(tmp_path):
    for changed, says in (
        ({"zone": "Mars/Base"}, "unknown zone"),
        ({"columns": {"when": "When"}}, "unknown field when in columns"),
        ({"order": "ddm"}, "has the order ddm"),
        ({"amounts": {"decimal": ",", "thousands": ","}}, "has the thousands"),
        ({"channels": {"bus": ["bus"]}}, "unknown field bus in channels"),
        ({"colour": "red"}, "unknown key colour"),
        ({"above": {"account": "(a)(b)"}}, "tells account in above"),
        ({"known_by": ["note"]}, "unknown field note in known_by"),
    ):
        with pytest.raises(BadInput, match=says):
            parse(own(**changed), "own.yaml")
    with pytest.raises(BadUsage, match="no layout file"):
        own_text(str(tmp_path / "none.yaml"))
    assert {one.kind for one in all_layouts()} == {"payments", "accounts"}


def test_a_layout_is_learned_corrected_and_used(tmp_path):
    text = (
        "Our Bank\nPosted On|Sender A/C|Receiver A/C|Txn Amount|Cur|Mode|Voucher\n"
        + "".join(f"{d}.03.2026|10020{d}|30040{d}|1.{d}0,50|EUR|SEPA|V{d}\n" for d in range(10, 28))
    )  # fmt: skip
    path = put(tmp_path, text)
    found = learn(
        path, name="ours", zone="UTC", kind="payments", layouts=all_layouts(None, "payments")
    )
    meant = {g.column: (g.meaning, g.confidence) for g in found.guesses}
    assert {c: m for c, (m, _) in meant.items() if m} == {
        "Sender A/C": "from_account", "Receiver A/C": "to_account", "Txn Amount": "amount",
        "Cur": "currency", "Mode": "channel", "Posted On": "date",
    }  # fmt: skip
    assert all(sure > 0.5 for m, sure in meant.values() if m)
    assert meant["Posted On"][1] < meant["Cur"][1]  # its values say so, and no word of it
    assert found.layout["order"] == "dmy"
    assert any("sepa" in says for says in found.lacks)
    assert found.layout["amounts"] == {"decimal": ",", "thousands": ["."]}
    said = {"voucher": "payment_id"}
    again = learn(
        path, name="ours", zone="UTC", kind="payments",
        layouts=all_layouts(None, "payments"), corrections=said,
    )  # fmt: skip
    assert again.layout["order"] == "dmy"
    rows, refused, _, name = read(path, own=again.as_yaml())
    assert (name, len(rows), refused) == ("ours", 18, {})
    assert (rows[0]["amount"], rows[0]["payment_id"]) == (Decimal("1100.50"), "V10")
    # what was said of it holds for the next file
    kept = parse(again.as_yaml(), "ours.yaml")
    third = learn(path, name="x", zone="UTC", kind="payments", layouts=[kept])
    assert "payment_id" in {g.meaning for g in third.guesses}
    with pytest.raises(BadUsage, match="no column"):
        learn(path, name="x", zone="UTC", kind="payments", layouts=[], corrections={"zz": "date"})
