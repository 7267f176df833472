"""Refunds, reversals and returns: in banks' forms and in plain words, and never as flow."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from cordon.money import Payments, forward, read_payments, reading
from cordon.money.detectors.data import MoneyData
from cordon.money.detectors.mule import traits
from cordon.money.tracing.backward import backward
from cordon.money.tracing.telling import told

OWN, FAR = "GB82WEST12345698765432", "DE89370400440532013000"
HEAD = "payment_id,at,from_account,to_account,amount,currency,channel,note\n"


def plain(folder: Path, *rows: str) -> Path:
    """Rows: hour, from, to, amount, channel, note."""
    path = folder / "p.csv"
    lines = []
    for n, row in enumerate(rows):
        hour, a, b, amount, channel, note = row.split(",")
        lines.append(f"P{n},2026-03-01T{hour}:00:00Z,{a},{b},{amount},PKR,{channel},{note}\n")
    path.write_text(HEAD + "".join(lines))
    return path


def moved(p: Payments) -> list[tuple[str, str, str]]:
    """What the payments come to that move something."""
    return [
        (p.accounts[p.sender[k]], p.accounts[p.receiver[k]],
         str(p.money(int(p.amount[k]), int(p.currency[k]))))
        for k in range(len(p)) if p.amount[k]
    ]  # fmt: skip


SHOP = (
    "08,victim,mule,60,transfer,invoice 7",
    "09,buyer,mule,100,transfer,order 12",
    "10,mule,buyer,100,transfer,Refund of order 12",
    "11,mule,boss,60,transfer,",
)


def test_what_was_given_back_does_not_go_through(tmp_path: Path) -> None:
    read = read_payments([plain(tmp_path, *SHOP)])
    assert moved(read.payments) == [("victim", "mule", "60"), ("mule", "boss", "60")]
    assert any("1 refunds and reversals were set against" in s for s in read.payments.left_out)
    trace = told(forward(read.payments, "mule"))
    for method in trace["methods"].values():
        assert [s["came_in"] for s in method["sums"]] == ["60"]
        assert {f["to"] for f in method["flows"] if f["amount"] != "0"} == {"mule", "boss"}
    assert [read.payments.accounts[read.payments.receiver[k]]
            for k in backward(read.payments, "mule").sinks] == ["boss"]  # fmt: skip


def test_patterns_see_no_payer_and_no_payment_on(tmp_path: Path) -> None:
    p = read_payments([plain(tmp_path, *SHOP)]).payments
    assert len(MoneyData(p).moves) == 2
    mule = p.accounts.index("mule")
    assert traits(p, 2 * 86_400_000_000, 0.2).payers[mule] == 1


@pytest.mark.parametrize(
    "note",
    [
        "REFUND",
        "order refunded",
        "Charge-back 4711",
        "reversal",
        "Returned payment",
        "واپسی",
    ],
)
@pytest.mark.parametrize("channel", ["", "transfer", "wallet", "card"])
def test_purposes_that_say_so(note: str, channel: str, tmp_path: Path) -> None:
    path = plain(tmp_path, "08,a,b,10,,", f"09,b,a,10,{channel},{note}")
    assert moved(read_payments([path]).payments) == []


@pytest.mark.parametrize(
    ("rows", "left"),
    [
        # the word alone gives nothing back: money goes on to somebody else
        (("08,a,b,10,,", "09,b,c,10,transfer,refund"), [("a", "b", "10"), ("b", "c", "10")]),
        # nor does more than was paid, or before it was
        (("08,a,b,10,,", "09,b,a,11,transfer,refund"), [("a", "b", "10"), ("b", "a", "11")]),
        (("09,b,a,10,transfer,refund", "10,a,b,10,,"), [("b", "a", "10"), ("a", "b", "10")]),
        # cash stays cash, and a word within another is none
        (("08,a,b,10,,", "09,b,a,10,cash_out,refund"), [("a", "b", "10"), ("b", "a", "10")]),
        (("08,a,b,10,,", "09,b,a,10,transfer,refundable"), [("a", "b", "10"), ("b", "a", "10")]),
        # a fee kept of it; not a part of it, whose purpose may speak of anything
        (("08,a,b,100,,", "09,b,a,95,,refund"), [("a", "b", "5")]),
        (
            ("08,a,b,10000,,", "09,b,a,400,transfer,chargeback fee included for goods"),
            [("a", "b", "10000"), ("b", "a", "400")],
        ),
        (("08,a,b,10,,", "09,b,a,4,,refund"), [("a", "b", "10"), ("b", "a", "4")]),
        # of two payments the one of that sum
        (("07,a,b,4,,", "08,a,b,10,,", "09,b,a,4,,refund"), [("a", "b", "10")]),
        # one payment is given back once
        (("08,a,b,10,,", "09,b,a,10,,refund", "10,b,a,10,,refund"), [("b", "a", "10")]),
        # an institution's own mark needs no words, and may give back in parts
        (("08,a,b,10,,", "09,b,a,3,refund,"), [("a", "b", "7")]),
        (("08,a,b,10,,", "09,b,a,3,refund,", "10,b,a,7,refund,"), []),
        (
            ("08,a,b,10,,", "09,b,a,3,refund,", "10,b,a,8,refund,"),
            [("a", "b", "7"), ("b", "a", "8")],
        ),
        (("07,a,b,4,,", "08,a,b,10,,", "09,b,a,4,refund,"), [("a", "b", "10")]),
        (
            ("07,a,b,10,,", "08,a,b,90,,", "09,b,a,9.5,refund,"),
            [("a", "b", "0.5"), ("a", "b", "90.0")],
        ),
        (("08,a,b,10,,", "09,b,a,10,refund,"), []),
    ],
)
def test_only_what_came_before_is_given_back(
    rows: tuple[str, ...], left: list[tuple[str, str, str]], tmp_path: Path
) -> None:
    read = read_payments([plain(tmp_path, *rows)])
    assert moved(read.payments) == left
    assert read.counts.kept == len(rows)  # each keeps its row


def test_a_word_months_later_gives_nothing_back_and_a_pair_is_told(tmp_path: Path) -> None:
    path = tmp_path / "far.csv"
    lines = [
        "L,2026-01-01T08:00:00Z,a,b,10000,PKR,transfer,\n",
        "M,2026-03-03T08:00:00Z,b,a,10000,PKR,transfer,refund of the loan\n",
        "N,2026-03-04T08:00:00Z,c,b,70,PKR,transfer,\n",
        "O,2026-03-05T08:00:00Z,b,c,70,PKR,transfer,refund\n",
    ]
    path.write_text(HEAD + "".join(lines))
    p = read_payments([path]).payments
    assert moved(p) == [("a", "b", "10000"), ("b", "a", "10000")]
    assert any("within 60 days" in s for s in p.left_out)
    said = told(forward(p, "b"))
    (pair,) = said["given_back"]
    assert (pair["payment_id"], pair["by"], pair["amount"]) == ("N", "O", "70")
    assert said["given_back_in_all"] == 1


@pytest.mark.parametrize(
    ("month", "left"), [("03", []), ("05", [("a", "b", "9"), ("b", "a", "9")])]
)
def test_a_mark_holds_for_thirteen_months(
    month: str, left: list[tuple[str, str, str]], tmp_path: Path
) -> None:
    """A bank may put a payment right long after a word in a purpose has lost its meaning."""
    path = tmp_path / "late.csv"
    path.write_text(
        f"{HEAD}L,2025-03-01T08:00:00Z,a,b,9,PKR,transfer,\n"
        f"M,2026-{month}-01T08:00:00Z,b,a,9,PKR,refund,\n"
    )
    assert moved(read_payments([path]).payments) == left


def test_every_way_of_reading_says_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    csv = plain(tmp_path, *SHOP)
    table = pa.csv.read_csv(csv)
    at = table["at"].cast(pa.timestamp("us", "UTC"))
    table = table.set_column(1, "at", at)
    pq.write_table(table, tmp_path / "p.parquet")
    quick = [read_payments([p]).payments for p in (csv, tmp_path / "p.parquet")]
    monkeypatch.setattr(reading, "_quickly", lambda *_: None)
    general = [read_payments([p]).payments for p in (csv, tmp_path / "p.parquet")]
    for p in (*quick, *general):
        assert moved(p) == [("victim", "mule", "60"), ("mule", "boss", "60")]
        assert p.channel.tolist() == quick[0].channel.tolist()


CAMT = """<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><Stmt>
<Acct><Id><IBAN>{own}</IBAN></Id></Acct>
<Ntry><Amt Ccy="EUR">25.50</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>
<BookgDt><DtTm>2026-03-01T10:00:00Z</DtTm></BookgDt><NtryDtls><TxDtls>{first}</TxDtls></NtryDtls></Ntry>
<Ntry><Amt Ccy="EUR">25.50</Amt><CdtDbtInd>CRDT</CdtDbtInd>{mark}<Sts><Cd>BOOK</Cd></Sts>
<BookgDt><DtTm>2026-03-02T10:00:00Z</DtTm></BookgDt>{code}<NtryDtls><TxDtls>{second}{information}
</TxDtls></NtryDtls></Ntry></Stmt></BkToCstmrStmt></Document>"""
ENDS = """<Refs><UETR>{n}</UETR></Refs><RltdPties>
<DbtrAcct><Id><IBAN>{debtor}</IBAN></Id></DbtrAcct>
<CdtrAcct><Id><IBAN>{creditor}</IBAN></Id></CdtrAcct></RltdPties>"""
INFORMATION = "<RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf>"
CODE = (
    "<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>ICDT</Cd><SubFmlyCd>RRTN</SubFmlyCd></Fmly></Domn>"
    "</BkTxCd>"
)


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("sign", ["mark", "information", "code", "none"])
def test_a_statement_that_takes_a_payment_back(sign: str, turned: bool, tmp_path: Path) -> None:
    """By its mark, its information or its code; its parties as before, or turned about."""
    ends = (FAR, OWN) if turned else (OWN, FAR)
    if sign == "none":
        ends = (FAR, OWN)
    path = tmp_path / "s.xml"
    path.write_text(
        CAMT.format(
            own=OWN,
            first=ENDS.format(n="u1", debtor=OWN, creditor=FAR),
            second=ENDS.format(n="u2", debtor=ends[0], creditor=ends[1]),
            mark="<RvslInd>true</RvslInd>" if sign == "mark" else "",
            information=INFORMATION if sign == "information" else "",
            code=CODE if sign == "code" else "",
        )
    )
    read = read_payments([path])
    assert read.refusals == ()
    back = [] if sign != "none" else [(OWN, FAR, "25.5"), (FAR, OWN, "25.5")]
    assert moved(read.payments) == back


def test_a_return_between_banks(tmp_path: Path) -> None:
    """pacs.008 and the pacs.004 that returns it, as two banks' systems wrote them."""
    sent, returned = tmp_path / "sent.xml", tmp_path / "returned.xml"
    sent.write_text(
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pacs.008.001.08"><FIToFICstmrCdtTrf>'
        "<GrpHdr><CreDtTm>2026-03-01T09:00:00Z</CreDtTm></GrpHdr><CdtTrfTxInf><PmtId><TxId>T1</TxId>"
        '</PmtId><IntrBkSttlmAmt Ccy="EUR">99.90</IntrBkSttlmAmt>'
        f"<DbtrAcct><Id><IBAN>{OWN}</IBAN></Id></DbtrAcct><CdtrAcct><Id><IBAN>{FAR}</IBAN></Id>"
        "</CdtrAcct></CdtTrfTxInf></FIToFICstmrCdtTrf></Document>"
    )
    one = (
        "<TxInf><RtrId>R1</RtrId><OrgnlTxId>T1</OrgnlTxId>"
        '<RtrdIntrBkSttlmAmt Ccy="EUR">99.90</RtrdIntrBkSttlmAmt>'
        "<RtrRsnInf><Rsn><Cd>AC04</Cd></Rsn></RtrRsnInf>"
        f"<OrgnlTxRef><DbtrAcct><Id><IBAN>{OWN}</IBAN></Id></DbtrAcct><CdtrAcct><Id>"
        f"<IBAN>{FAR}</IBAN></Id></CdtrAcct></OrgnlTxRef></TxInf>"
    )
    lacking = "<TxInf><RtrId>R2</RtrId></TxInf>"
    returned.write_text(
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pacs.004.001.09"><PmtRtr><GrpHdr>'
        f"<CreDtTm>2026-03-03T09:00:00Z</CreDtTm></GrpHdr>{one}{lacking}</PmtRtr></Document>"
    )
    read = read_payments([sent, returned])
    assert moved(read.payments) == []
    assert read.payments.ids.to_pylist() == ["T1", "return/R1"]
    assert [r.reason for _, r in read.refusals] == ["it does not name an amount"]


@pytest.mark.parametrize(("paid", "back"), [("D", "RD"), ("C", "RC")])
def test_a_swift_statement_that_takes_a_payment_back(paid: str, back: str, tmp_path: Path) -> None:
    path = tmp_path / "s.sta"
    path.write_text(
        f":20:S\n:25:{OWN}\n:28C:1/1\n:60F:D260301EUR0,00\n:61:2603010301{paid}10,50NTRFR1\n"
        f":86:/IBAN/{FAR}\n:61:2603020302{back}10,50NTRFR2\n:86:/IBAN/{FAR}\n:61:2603030303D4,NTRFR3\n"
        f":86:/IBAN/{FAR}\n:62F:D260303EUR4,00\n"
    )
    assert moved(read_payments([path]).payments) == [(OWN, FAR, "4.0")]
