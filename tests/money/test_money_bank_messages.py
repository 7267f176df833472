"""camt.053, pacs.008 and MT940: payments as a bank tells them, and hostile files."""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cordon.kernel.errors import BadInput
from cordon.money import forward, read_payments
from cordon.money.reading import Read
from cordon.money.tracing.telling import told

OWN, FAR = "GB82WEST12345698765432", "DE89370400440532013000"
CAMT = """<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>
<GrpHdr><MsgId>M1</MsgId><CreDtTm>2026-03-02T06:00:00</CreDtTm></GrpHdr>
<Stmt><Id>S1</Id><Acct><Id><IBAN>{own}</IBAN></Id><Svcr><FinInstnId><BICFI>WESTGB22</BICFI>
</FinInstnId></Svcr></Acct>{entries}</Stmt></BkToCstmrStmt></Document>"""
ENTRY = """<Ntry><Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>{way}</CdtDbtInd>
<Sts><Cd>{status}</Cd></Sts>
<BookgDt>{booked}</BookgDt><AcctSvcrRef>R{n}</AcctSvcrRef>{more}</Ntry>"""
DETAIL = """<NtryDtls><TxDtls><Refs><UETR>u{n}</UETR></Refs><RltdPties>
<DbtrAcct><Id><IBAN>{debtor}</IBAN></Id></DbtrAcct><CdtrAcct><Id><IBAN>{creditor}</IBAN></Id></CdtrAcct>
</RltdPties><RmtInf><Ustrd>rent
 March</Ustrd></RmtInf></TxDtls></NtryDtls>"""
HOUR = "<DtTm>2026-03-01T10:00:00+01:00</DtTm>"


def entry(n: int, **more: Any) -> str:
    given = {"amount": "10.50", "way": "DBIT", "status": "BOOK", "booked": HOUR, "more": ""}
    return ENTRY.format(n=n, **{**given, **more})


def camt(folder: Path, *entries: str, name: str = "s.xml") -> Path:
    path = folder / name
    path.write_text(CAMT.format(own=OWN, entries="".join(entries)))
    return path


def rows(read: Read) -> list[tuple[Any, ...]]:
    p = read.payments
    return [
        (
            p.ids[k].as_py(), p.accounts[p.sender[k]], p.accounts[p.receiver[k]],
            str(p.money(int(p.amount[k]), int(p.currency[k]))), p.currencies[p.currency[k]],
            int(p.at[k]) // 1_000_000,
        )
        for k in range(len(p))
    ]  # fmt: skip


def test_a_statement_tells_who_paid_whom(tmp_path: Path) -> None:
    out = DETAIL.format(n=1, debtor=OWN, creditor=FAR)
    in_ = DETAIL.format(n=2, debtor=FAR, creditor=OWN)
    path = camt(
        tmp_path,
        entry(1, more=out),
        entry(2, way="CRDT", amount="7", more=in_),
        entry(3, status="PDNG"),
        entry(4, more="<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>CCRD</Cd><SubFmlyCd>CWDL</SubFmlyCd>"
              "</Fmly></Domn></BkTxCd>"),
    )  # fmt: skip
    read = read_payments([path])
    at = 1772355600  # 09:00 UTC
    assert rows(read) == [
        ("u1", OWN, FAR, "10.5", "EUR", at),
        ("u2", FAR, OWN, "7.0", "EUR", at),
        (f"{OWN}/R4/1", OWN, f"unnamed:cash_out:{OWN}", "10.5", "EUR", at),
    ]
    assert read.payments.exits.tolist() == [False, False, True]
    assert [r.reason for _, r in read.refusals] == ["it is not booked yet"]
    assert any("not named" in s for s in read.payments.left_out)


def test_both_banks_statements_are_one_payment(tmp_path: Path) -> None:
    mine = camt(tmp_path, entry(1, more=DETAIL.format(n=9, debtor=OWN, creditor=FAR)))
    theirs = tmp_path / "theirs.xml.gz"
    text = CAMT.format(
        own=FAR, entries=entry(5, way="CRDT", more=DETAIL.format(n=9, debtor=OWN, creditor=FAR))
    )
    theirs.write_bytes(gzip.compress(text.encode()))
    read = read_payments([mine, theirs])
    assert (read.counts.kept, read.counts.repeated) == (1, 1)


def test_a_day_without_an_hour_is_said(tmp_path: Path) -> None:
    path = camt(tmp_path, entry(1, booked="<Dt>2026-03-01</Dt>"))
    read = read_payments([path], region="PK")
    assert rows(read)[0][5] == 1772305200  # midnight in Karachi
    assert any("no hour" in s for s in read.payments.left_out)


def test_an_entry_of_several_payments(tmp_path: Path) -> None:
    batch = "".join(
        DETAIL.format(n=n, debtor=OWN, creditor=FAR).replace(
            "</Refs>", f'</Refs><Amt Ccy="EUR">{n}.25</Amt>'
        )
        for n in (1, 2, 3)
    )
    read = read_payments([camt(tmp_path, entry(1, amount="6.75", more=batch))])
    assert [r[3] for r in rows(read)] == ["1.25", "2.25", "3.25"]


def test_a_transfer_between_banks(tmp_path: Path) -> None:
    path = tmp_path / "p.xml"
    path.write_text(
        '<d:Document xmlns:d="urn:iso:std:iso:20022:tech:xsd:pacs.008.001.10"><d:FIToFICstmrCdtTrf>'
        "<d:GrpHdr><d:CreDtTm>2026-03-01T09:00:00Z</d:CreDtTm></d:GrpHdr><d:CdtTrfTxInf><d:PmtId>"
        "<d:EndToEndId>E</d:EndToEndId><d:UETR>abc</d:UETR></d:PmtId>"
        '<d:IntrBkSttlmAmt Ccy="EUR">99.90</d:IntrBkSttlmAmt>'
        f"<d:DbtrAcct><d:Id><d:IBAN>{OWN}</d:IBAN></d:Id></d:DbtrAcct>"
        f"<d:CdtrAcct><d:Id><d:IBAN>{FAR}</d:IBAN></d:Id></d:CdtrAcct></d:CdtTrfTxInf>"
        "<d:CdtTrfTxInf><d:PmtId><d:TxId>t</d:TxId></d:PmtId></d:CdtTrfTxInf>"
        "</d:FIToFICstmrCdtTrf></d:Document>"
    )
    read = read_payments([path])
    assert rows(read) == [("abc", OWN, FAR, "99.9", "EUR", 1772355600)]
    assert read.payments.exits.tolist() == [True]  # from one country to another
    assert len(read.refusals) == 1


def test_a_swift_statement(tmp_path: Path) -> None:
    path = tmp_path / "s.sta"
    path.write_text(
        "{1:F01}{4:\r\n:20:STARTUMS\r\n"
        f":25:WESTGB22/{OWN}\r\n:28C:1/1\r\n:60F:C260228EUR100,00\r\n"
        f":61:2603010301D10,5NTRFNONREF//B1\r\n:86:020?00TRANSFER?20RENT MARCH?30COBADEFF?31{FAR}"
        "\r\n?32LANDLORD\r\n"
        f":61:2603020302RD3,NTRFREF7\r\n:86:/IBAN/{FAR}/NAME/X\r\n"
        ":61:2603030303D40,00NATMNONREF\r\n:61:nonsense\r\n:62F:C260303EUR49,50\r\n-}\r\n"
    )
    read = read_payments([path])
    told = rows(read)
    assert [(r[1], r[2], r[3]) for r in told] == [
        (OWN, FAR, "7.5"),  # what RD takes back of it is no flow
        (FAR, OWN, "0.0"),
        (OWN, f"unnamed:cash_out:{OWN}", "40.0"),
    ]
    assert [r.reason for _, r in read.refusals] == ["its line 61 is none"]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ('<!DOCTYPE a [<!ENTITY b "c">]><Document><Stmt></Stmt></Document>', "document type"),
        ("<Document><Stmt>" + "<a>" * 100 + "</a>" * 100 + "</Stmt></Document>", "nests deeper"),
        ("<Document><Stmt><Ntry><Amt>1</Amt></Ntry>", "breaks off"),
        ("<Document><Stmt><Ntry><Amt>" + "9" * (1 << 21) + "</Amt></Ntry></Stmt></Document>",
         "more than"),
    ],
    ids=["entities", "depth", "cut", "long"],
)  # fmt: skip
def test_hostile_messages_are_refused(tmp_path: Path, body: str, says: str) -> None:
    path = tmp_path / "x.xml"
    path.write_text(body)
    with pytest.raises(BadInput, match=says):
        read_payments([path])


def test_a_message_without_payments_says_so(tmp_path: Path) -> None:
    path = camt(tmp_path, entry(1, status="PDNG"))
    with pytest.raises(BadInput, match="not booked"):
        read_payments([path])


@pytest.mark.parametrize("kind", ["camt", "swift"])
def test_what_a_statement_opens_with_is_clean_money_that_goes_first(
    tmp_path: Path, kind: str
) -> None:
    """100 were there, 60 came in, 120 went on: by first in first out 20 are of the 60."""
    if kind == "camt":
        balance = (
            '<Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">100.00</Amt>'
            "<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-03-01</Dt></Dt></Bal>"
        )
        path = camt(
            tmp_path,
            balance,
            entry(1, way="CRDT", amount="60", more=DETAIL.format(n=1, debtor=FAR, creditor=OWN)),
            entry(2, amount="120", booked="<DtTm>2026-03-02T10:00:00Z</DtTm>",
                  more=DETAIL.format(n=2, debtor=OWN, creditor=FAR)),
        )  # fmt: skip
    else:
        path = tmp_path / "s.sta"
        path.write_text(
            f":20:S\n:25:{OWN}\n:28C:1/1\n:60F:C260301EUR100,00\n"
            f":61:260301C60,NTRFR1\n:86:/IBAN/{FAR}\n:61:260302D120,NTRFR2\n:86:/IBAN/{FAR}\n"
        )
    payments = read_payments([path]).payments
    assert [str(payments.money(u, 0)) for u in payments.opening.values()] == [
        "100" if payments.digits == (0,) else "100.0" if payments.digits == (1,) else "100.00"
    ]
    trace = told(forward(payments, OWN))
    stays = {s["account"]: float(s["amount"]) for s in trace["methods"]["fifo"]["stays"]}
    assert stays == {OWN: 40.0, FAR: 20.0}
    assert any("1 accounts held" in s for s in trace["left_out"])
    without = told(forward(replace(payments, opening={}), OWN))
    assert {s["account"] for s in without["methods"]["fifo"]["stays"]} == {FAR}
    assert any("counts as nothing" in s for s in without["left_out"])


def test_an_opening_after_known_payments_is_passed_over(tmp_path: Path) -> None:
    statement = tmp_path / "s.sta"
    statement.write_text(
        f":20:S\n:25:{OWN}\n:28C:1/1\n:60F:C260301EUR100,00\n:61:260302D10,NTRFR2\n"
        f":86:/IBAN/{FAR}\n:62F:C260302EUR90,00\n"
    )
    before = tmp_path / "p.csv"
    before.write_text(
        "payment_id,at,from_account,to_account,amount,currency\n"
        f"B,2026-02-20T10:00:00Z,{FAR},{OWN},5,EUR\n"
    )
    payments = read_payments([statement, before]).payments
    assert not payments.opening
    assert any("passed over" in s for s in payments.left_out)


def test_what_its_parts_leave_of_an_entry_is_kept_and_said(tmp_path: Path) -> None:
    parts = "".join(
        DETAIL.format(n=n, debtor=OWN, creditor=FAR).replace(
            "</Refs>", f'</Refs><Amt Ccy="EUR">{amount}</Amt>'
        )
        for n, amount in ((1, 100), (2, 150))
    )
    read = read_payments([camt(tmp_path, entry(1, amount="300", more=parts))])
    assert [r[2:4] for r in rows(read)] == [
        (FAR, "100"), (FAR, "150"), (f"unnamed:payment:{OWN}", "50"),
    ]  # fmt: skip
    assert any("come to less" in s for s in read.payments.left_out)


def test_an_amount_in_the_entry_s_currency_goes_before_another(tmp_path: Path) -> None:
    part = DETAIL.format(n=1, debtor=OWN, creditor=FAR).replace(
        "</Refs>",
        '</Refs><Amt Ccy="USD">100</Amt>'
        '<AmtDtls><TxAmt><Amt Ccy="EUR">28000</Amt></TxAmt></AmtDtls>',
    )
    read = read_payments([camt(tmp_path, entry(1, amount="28000", more=part))])
    assert [r[3:5] for r in rows(read)] == [("28000", "EUR")]


def test_entries_without_a_reference_are_each_a_payment(tmp_path: Path) -> None:
    bare = entry(1).replace("<AcctSvcrRef>R1</AcctSvcrRef>", "<NtryRef>1</NtryRef>")
    one = camt(tmp_path, bare, bare, name="1.xml")  # all of it may stand in one line
    two = tmp_path / "2.xml"
    text = one.read_text().replace("2026-03-01T10", "2026-03-02T10").replace("<Id>S1", "<Id>S2")
    two.write_text(text.replace("\n", " "))
    read = read_payments([one, two])
    assert (read.counts.kept, read.counts.repeated) == (4, 0)
    assert len(set(read.payments.row[2:].tolist())) == 2


def test_what_a_payer_writes_names_no_payment(tmp_path: Path) -> None:
    one = (
        "<CdtTrfTxInf><PmtId><EndToEndId>NOTPROVIDED</EndToEndId></PmtId>"
        '<IntrBkSttlmAmt Ccy="EUR">5</IntrBkSttlmAmt>'
        f"<DbtrAcct><Id><IBAN>{OWN}</IBAN></Id></DbtrAcct>"
        f"<CdtrAcct><Id><IBAN>{FAR}</IBAN></Id></CdtrAcct></CdtTrfTxInf>"
    )
    path = tmp_path / "p.xml"
    path.write_text(
        "<Document><FIToFICstmrCdtTrf><GrpHdr><MsgId>M</MsgId><CreDtTm>2026-03-01T09:00:00Z"
        f"</CreDtTm></GrpHdr>{one}{one}</FIToFICstmrCdtTrf></Document>"
    )
    read = read_payments([path])
    assert (read.counts.kept, read.counts.repeated) == (2, 0)
