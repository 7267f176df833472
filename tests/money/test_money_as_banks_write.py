"""Files as banks of Pakistan and Italy write them, made by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from cordon.kernel.errors import BadInput
from cordon.money import Read, read_payments
from cordon.money.layouts import all_layouts, parse
from cordon.money.layouts.choosing import Choice, file_of
from cordon.money.layouts.learning import learn

OWN, FAR = "PK36SCBL0000001123456702", "GB82WEST12345698765432"
ROSSI, MUELLER = "IT60X0542811101000000123456", "DE89370400440532013000"
KARACHI = f"""Example Bank Limited
Account Title:,MUHAMMAD EXAMPLE
Account No:,0042-7900123456-01
IBAN:,PK36 SCBL 0000 0011 2345 6702
Currency:,PKR

Date,Value Date,Particulars,Instrument No,Withdrawal,Deposit,Balance
01-MAR-26,01-MAR-26,OPENING BALANCE,,,,"12,500.00 Cr"
02-MAR-26,02-MAR-26,IBFT FROM {FAR} AHMED,000123,,"25,000.00","37,500.00 Cr"
02-MAR-26,02-MAR-26,ATM WDL KARACHI,,"20,000.00",,"17,500.00 Cr"
04-MAR-26,04-MAR-26,SMS CHARGES,,"Rs. 17,550.00",,"50.00 Dr"
05-MAR-26,05-MAR-26,CASH DEPOSIT,,,"1,000/-","950.00 Cr"
,,TOTAL,,"37,550.00","26,000.00",
"""
ROMA = f"""Banca Esempio;;;;;
Intestatario:;Società Rossi S.r.l.;;;;
IBAN:;IT60 X054 2811 1010 0000 0123 456;;;;
Divisa:;EUR;;;;
Data contabile;Data valuta;Descrizione;Dare;Avere;Saldo
28/02/2026;28/02/2026;Saldo iniziale;;;1.200,00
02/03/2026;02/03/2026;Bonifico a favore di {MUELLER} - Fattura nº 12;1.000,50;;199,50
03/03/2026;03/03/2026;Versamento contanti Città;;5.000,00;5.199,50
05/03/2026;05/03/2026;Prelievo Bancomat;250,00;;4.949,50
31/03/2026;31/03/2026;Saldo finale;;;4.949,50
"""


def put(folder: Path, text: str, encoding: str = "utf-8", name: str = "s.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def told(read: Read) -> list[tuple[str, str, str]]:
    p = read.payments
    return [
        (p.accounts[p.sender[k]].partition(":")[0], p.accounts[p.receiver[k]].partition(":")[0],
         f"{p.money(int(p.amount[k]), int(p.currency[k])):.2f}")
        for k in range(len(p))
    ]  # fmt: skip


def test_rupees_with_their_signs_under_the_iban_that_stands_beside_a_number(tmp_path: Path) -> None:
    read = read_payments([put(tmp_path, KARACHI, "utf-8-sig")])
    assert read.refusals == ()
    assert told(read) == [
        (FAR, OWN, "25000.00"), (OWN, "unnamed", "20000.00"), (OWN, "unnamed", "17550.00"),
        ("unnamed", OWN, "1000.00"),
    ]  # fmt: skip
    assert not any("a row is missing" in s for s in read.payments.left_out)


def test_a_day_of_a_statement_is_the_hour_of_another_banks_message(tmp_path: Path) -> None:
    """pacs.008 tells the same payment with its hour: it counts once."""
    message = put(
        tmp_path,
        "<Document><FIToFICstmrCdtTrf><GrpHdr><MsgId>M</MsgId></GrpHdr><CdtTrfTxInf><PmtId><TxId>T"
        '</TxId></PmtId><IntrBkSttlmAmt Ccy="PKR">25000</IntrBkSttlmAmt><AccptncDtTm>'
        f"2026-03-02T10:00:00+05:00</AccptncDtTm><DbtrAcct><Id><IBAN>{FAR}</IBAN></Id></DbtrAcct>"
        f"<CdtrAcct><Id><IBAN>{OWN}</IBAN></Id></CdtrAcct></CdtTrfTxInf></FIToFICstmrCdtTrf>"
        "</Document>",
        name="m.xml",
    )
    read = read_payments([put(tmp_path, KARACHI), message])
    assert read.counts.repeated == 1
    assert told(read).count((FAR, OWN, "25000.00")) == 1


def test_an_italian_statement_with_dare_and_avere(tmp_path: Path) -> None:
    read = read_payments([put(tmp_path, ROMA, "latin-1")])
    assert read.refusals == ()
    assert told(read) == [
        (ROSSI, MUELLER, "1000.50"), ("unnamed", ROSSI, "5000.00"), (ROSSI, "unnamed", "250.00"),
    ]  # fmt: skip
    assert not any("a row is missing" in s for s in read.payments.left_out)


def test_an_italian_list_with_one_signed_amount(tmp_path: Path) -> None:
    path = put(
        tmp_path,
        "Data Registrazione;Data valuta;Descrizione;Importo (EUR);\n"
        f"02.03.2026;02.03.2026;BONIFICO DA {ROSSI};1.000,50;\n"
        f"13.03.2026;13.03.2026;BONIFICO A {FAR};-700,25;\n",
    )
    given = {"account": MUELLER, "currency": "EUR"}
    file = file_of(path, "payments", Choice(given=given), "IT", path.name)
    assert file is not None
    ((table, _, refusals),) = list(file.parts())
    assert refusals == []
    assert table["from_account"].to_pylist() == [ROSSI, MUELLER]
    assert table["to_account"].to_pylist() == [MUELLER, FAR]
    assert table["amount"].to_pylist() == ["1000.50", "700.25"]


def test_dr_and_cr_beside_one_amount(tmp_path: Path) -> None:
    text = (
        "Account No:,0109000245678901\nCurrency:,PKR\nDate,Description,Amount,Dr/Cr,Balance\n"
        f'02-Mar-26,IBFT FROM {FAR},"25,000.00",CR,"37,500.00"\n'
        '03-Mar-26,ATM CASH,"20,000.00",DR,"17,500.00"\n'
    )
    read = read_payments([put(tmp_path, text)])
    assert told(read) == [
        (FAR, "0109000245678901", "25000.00"), ("0109000245678901", "unnamed", "20000.00")
    ]  # fmt: skip


def test_dr_and_cr_behind_an_amount_are_learned(tmp_path: Path) -> None:
    text = (
        "Account No:,0109000245678901\nCurrency:,PKR\nDate,Description,Amount,Balance\n"
        f'13-Mar-26,IBFT FROM {FAR},"Rs. 25,000.00 Cr","37,500.00 Cr"\n'
        '14-Mar-26,ATM CASH,"20,000.00 Dr","17,500.00 Cr"\n'
    )
    path = put(tmp_path, text)
    with pytest.raises(BadInput, match="has no known layout") as refused:
        read_payments([path])
    assert "cordon money layout learn" in str(refused.value)
    proposal = learn(
        path, name="own", zone="country", kind="payments", layouts=all_layouts(None, "payments")
    )
    own = proposal.as_yaml()
    assert yaml.safe_load(own)["directions"] == {"out": ["dr"], "in": ["cr"]}
    assert parse(own, "own").directions
    file = file_of(path, "payments", Choice(own=own), "PK", path.name)
    assert file is not None
    ((table, _, refusals),) = list(file.parts())
    assert refusals == []
    assert table["amount"].to_pylist() == ["25000.00", "20000.00"]
    assert table["to_account"].to_pylist()[0] == "0109000245678901"


def test_pages_with_totals_and_balances_carried_over(tmp_path: Path) -> None:
    head = "Date,Description,Debit,Credit,Balance\n"
    text = (
        f'Account No:,{OWN}\nCurrency:,PKR\n{head}13-Mar-26,IBFT,"1,000.00",,"9,000.00"\n'
        f'Page Total,,"1,000.00",,\nBalance c/f,,,,"9,000.00"\nPage 2 of 2\n{head}'
        'Balance b/f,,,,"9,000.00"\n14-Mar-26,IBFT,,500.00,"9,500.00"\n'
        '15-Mar-26,IBFT,,500.00,"10,000.00"\n'
    )
    read = read_payments([put(tmp_path, text)])
    assert read.refusals == ()
    assert [amount for _, _, amount in told(read)] == ["1000.00", "500.00", "500.00"]
    assert not any("a row is missing" in s for s in read.payments.left_out)


def test_a_wallets_rupees_and_brackets(tmp_path: Path) -> None:
    text = (
        "Mobile Number:,03001234567\nCurrency:,PKR\n"
        "Transaction ID,Date & Time,Transaction Type,Details,Paid In,Withdrawn,Balance,Status\n"
        '25001,02/03/2026 09:15:22 AM,Money Transfer,From 03451234567,"Rs. 5,000.00",,'
        '"Rs. 5,100.00",Completed\n'
        '25002,13/03/2026 09:40:10 PM,Cash Out,Agent,,"(Rs. 4,900.00)","Rs. 200.00",Completed\n'
    )
    read = read_payments([put(tmp_path, text)])
    assert read.refusals == ()
    assert [amount for _, _, amount in told(read)] == ["5000.00", "4900.00"]
