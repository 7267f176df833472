"""A return that names its payment gives back that one, whichever else would fit as well."""

from __future__ import annotations

from pathlib import Path

import pytest

from cordon.money import Payments, read_payments
from cordon.money.engines import engine_of
from cordon.money.reaching import Reach
from cordon.money.reading import read_with

OWN, FAR, OTHER = "GB82WEST12345698765432", "DE89370400440532013000", "FR1420041010050500013M02606"
UETR = "eb6305c9-1f7f-49de-aed0-16487c27b42d"


def sent(path: Path, *payments: tuple[str, str, str, str]) -> Path:
    """A pacs.008 of payments from OWN to FAR: references (`TxId=T1 EndToEndId=RENT`), moment, sum,
    who is paid."""
    said = "".join(
        f"<CdtTrfTxInf><PmtId>{_refs('', refs)}</PmtId>"
        f'<IntrBkSttlmAmt Ccy="EUR">{sum_}</IntrBkSttlmAmt><AccptncDtTm>{at}</AccptncDtTm>'
        f"<DbtrAcct><Id><IBAN>{OWN}</IBAN></Id></DbtrAcct><CdtrAcct><Id><IBAN>{to}</IBAN></Id>"
        "</CdtrAcct></CdtTrfTxInf>"
        for refs, at, sum_, to in payments
    )
    path.write_text(
        "<Document><FIToFICstmrCdtTrf><GrpHdr><MsgId>M1</MsgId></GrpHdr>"
        f"{said}</FIToFICstmrCdtTrf></Document>"
    )
    return path


def returned(path: Path, *returns: tuple[str, str, str]) -> Path:
    """A pacs.004 of returns by FAR: references of the original, moment, sum."""
    said = "".join(
        f"<TxInf><RtrId>R{n}</RtrId>{_refs('Orgnl', refs)}"
        f'<RtrdIntrBkSttlmAmt Ccy="EUR">{sum_}</RtrdIntrBkSttlmAmt>{_when(at)}'
        f"<OrgnlTxRef><DbtrAcct><Id><IBAN>{OWN}</IBAN></Id></DbtrAcct><CdtrAcct><Id>"
        f"<IBAN>{FAR}</IBAN></Id></CdtrAcct></OrgnlTxRef></TxInf>"
        for n, (refs, at, sum_) in enumerate(returns)
    )
    path.write_text(f"<Document><PmtRtr><GrpHdr></GrpHdr>{said}</PmtRtr></Document>")
    return path


def _refs(before: str, refs: str) -> str:
    pairs = (one.split("=") for one in refs.split())
    return "".join(f"<{before}{name}>{text}</{before}{name}>" for name, text in pairs)


def _when(at: str) -> str:
    if len(at) == 10:
        return f"<IntrBkSttlmDt>{at}</IntrBkSttlmDt>"
    return f"<SttlmTmIndctn><CdtDtTm>{at}</CdtDtTm></SttlmTmIndctn>"


def left(p: Payments) -> dict[str, str]:
    """Id and what is left of each payment that moves something still."""
    return {
        p.ids[k].as_py(): f"{p.money(int(p.amount[k]), int(p.currency[k])):.2f}"
        for k in range(len(p))
        if p.amount[k]
    }


TWO = (
    ("TxId=T1 EndToEndId=INV-1", "2026-03-01T09:00:00Z", "50.00", FAR),
    ("TxId=T2 EndToEndId=INV-2", "2026-03-02T09:00:00Z", "50.00", FAR),
)


@pytest.mark.parametrize("names", [("a.xml", "b.xml"), ("b.xml", "a.xml")])
@pytest.mark.parametrize(
    "refs", ["TxId=T1", "EndToEndId=INV-1", "EndToEndId=inv-1 TxId=else", "InstrId=x TxId=T1"]
)
def test_the_payment_that_is_named_is_given_back(
    refs: str, names: tuple[str, str], tmp_path: Path
) -> None:
    files = [
        sent(tmp_path / names[0], *TWO),
        returned(tmp_path / names[1], (refs, "2026-03-03T09:00:00Z", "50.00")),
    ]
    p = read_payments(files).payments
    assert left(p) == {"T2": "50.00"}  # by sum and time it would be the last one
    assert any("1 of them name the payment that they give back" in s for s in p.left_out)


@pytest.mark.parametrize(
    ("paid", "back", "moves"),
    [
        # a part, and a sum that another payment has
        (TWO, ("TxId=T1", "2026-03-03T09:00:00Z", "20.00"), {"T1": "30.00", "T2": "50.00"}),
        # more than 13 months later
        (TWO, ("TxId=T1", "2027-06-03T09:00:00Z", "50.00"), {"T2": "50.00"}),
        # a return that tells a day begins before what was paid on that day
        (TWO[:1], ("TxId=T1", "2026-03-01", "50.00"), {}),
        # with compensation: what is more than was paid is a payment
        (TWO, ("TxId=T1", "2026-03-03T09:00:00Z", "50.40"), {"T2": "50.00", "return/R0": "0.40"}),
        # one reference on each month's rent: the one of that sum, the last of these
        (
            (
                ("TxId=T1 EndToEndId=RENT", "2026-01-01T09:00:00Z", "50.00", FAR),
                ("TxId=T2 EndToEndId=RENT", "2026-02-01T09:00:00Z", "50.00", FAR),
                ("TxId=T3 EndToEndId=RENT", "2026-03-01T09:00:00Z", "55.00", FAR),
                ("TxId=T4 EndToEndId=RENT", "2026-04-01T09:00:00Z", "50.00", FAR),
            ),
            ("EndToEndId=RENT", "2026-03-03T09:00:00Z", "50.00"),
            {"T1": "50.00", "T3": "55.00", "T4": "50.00"},
        ),
        (
            (("TxId=T1 UETR=" + UETR, "2026-03-01T09:00:00Z", "50.00", FAR), *TWO[1:]),
            ("UETR=" + UETR.upper(), "2026-03-03T09:00:00Z", "50.00"),
            {"T2": "50.00"},
        ),
    ],
)
def test_how_much_and_which(
    paid: tuple[tuple[str, str, str, str], ...],
    back: tuple[str, str, str],
    moves: dict[str, str],
    tmp_path: Path,
) -> None:
    files = [sent(tmp_path / "a.xml", *paid), returned(tmp_path / "b.xml", back)]
    assert left(read_payments(files).payments) == moves


@pytest.mark.parametrize(
    ("paid", "refs"),
    [
        (TWO, "TxId=T9"),  # not among these
        ((("TxId=T9", "2026-03-01T08:00:00Z", "50.00", OTHER), *TWO), "TxId=T9"),  # to somebody
    ],
)
def test_a_reference_that_fits_nothing_leaves_it_to_sum_and_time(
    paid: tuple[tuple[str, str, str, str], ...], refs: str, tmp_path: Path
) -> None:
    back = returned(tmp_path / "b.xml", (refs, "2026-03-03T09:00:00Z", "50.00"))
    p = read_payments([sent(tmp_path / "a.xml", *paid), back]).payments
    assert "T1" in left(p)
    assert "T2" not in left(p)
    assert any("1 returns name a payment that is not among these" in s for s in p.left_out)


def test_what_is_given_back_is_given_back_once(tmp_path: Path) -> None:
    twice = [("TxId=T1", f"2026-03-0{day}T09:00:00Z", "50.00") for day in (3, 4)]
    files = [sent(tmp_path / "a.xml", *TWO), returned(tmp_path / "b.xml", *twice)]
    p = read_payments(files).payments
    assert left(p) == {"T2": "50.00", "return/R1": "50.00"}
    assert any("1 returns name a payment that was given back already" in s for s in p.left_out)


def test_an_id_of_a_plain_file_is_a_reference(tmp_path: Path) -> None:
    plain = tmp_path / "p.csv"
    plain.write_text(
        "payment_id,at,from_account,to_account,amount,currency\n"
        f"T1,2026-03-01T09:00:00Z,{OWN},{FAR},50,EUR\nT2,2026-03-02T09:00:00Z,{OWN},{FAR},50,EUR\n"
    )
    back = returned(tmp_path / "b.xml", ("TxId=T1", "2026-03-03T09:00:00Z", "50.00"))
    assert left(read_payments([plain, back]).payments) == {"T2": "50.00"}


def statement(path: Path, *entries: tuple[str, str, str, str, str]) -> Path:
    """A camt.053 of OWN: way, day, sum, references, what else stands in the part."""
    said = "".join(
        f'<Ntry><Amt Ccy="EUR">{sum_}</Amt><CdtDbtInd>{way}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>'
        f"<BookgDt><Dt>2026-03-{day}</Dt></BookgDt><NtryDtls><TxDtls><Refs>"
        f"<AcctSvcrRef>B{day}</AcctSvcrRef>{_refs('', refs)}</Refs>{more}</TxDtls>"
        "</NtryDtls></Ntry>"
        for way, day, sum_, refs, more in entries
    )
    path.write_text(
        f"<Document><BkToCstmrStmt><Stmt><Id>S1</Id><Acct><Id><IBAN>{OWN}</IBAN></Id></Acct>"
        f"{said}</Stmt></BkToCstmrStmt></Document>"
    )
    return path


TO_FAR = f"<RltdPties><CdtrAcct><Id><IBAN>{FAR}</IBAN></Id></CdtrAcct></RltdPties>"
RETURN = "<RtrInf><OrgnlBkTxCd><Prtry><Cd>X</Cd></Prtry></OrgnlBkTxCd></RtrInf>"


@pytest.mark.parametrize("parties", [TO_FAR, ""])
def test_a_statements_return_names_its_payment_also_where_it_names_no_account(
    parties: str, tmp_path: Path
) -> None:
    path = statement(
        tmp_path / "s.xml",
        ("DBIT", "01", "25.50", "EndToEndId=A", TO_FAR),
        ("DBIT", "02", "25.50", "EndToEndId=B", TO_FAR),
        ("CRDT", "03", "25.50", "EndToEndId=A", parties + RETURN),
    )
    p = read_payments([path]).payments
    assert left(p) == {f"{OWN}/B02/1": "25.50"}
    assert p.given_back.tolist() == [[0, 2, 255]]


def test_a_swift_statement_names_it_behind_eref(tmp_path: Path) -> None:
    path = tmp_path / "s.sta"
    path.write_text(
        f":20:S\n:25:{OWN}\n:28C:1/1\n:60F:C260301EUR90,00\n"
        f":61:2603010301D10,50NTRFNONREF\n:86:177?20EREF+INV7?31{FAR}\n"
        f":61:2603020302D10,50NTRFNONREF\n:86:177?20EREF+INV8?31{FAR}\n"
        f":61:2603030303RD10,50NTRFNONREF\n:86:177?20EREF+INV7?31{FAR}\n:62F:C260303EUR79,50\n"
    )
    p = read_payments([path]).payments
    assert p.amount.tolist() == [0, 105, 0]


def test_an_engine_outside_brings_what_a_return_names(tmp_path: Path) -> None:
    """Nobody else's money comes to OWN's payments, and the return names no other account."""
    paths = [
        statement(
            tmp_path / "s.xml",
            ("DBIT", "01", "25.50", "EndToEndId=A", TO_FAR),
            ("DBIT", "02", "25.50", "EndToEndId=B", TO_FAR),
            ("CRDT", "03", "25.50", "EndToEndId=A", RETURN),
        )
    ]
    plain = tmp_path / "p.csv"
    plain.write_text(
        "payment_id,at,from_account,to_account,amount,currency\n"
        "X,2026-03-01T09:00:00Z,someone,else,50,EUR\n"
    )
    with engine_of() as begun:
        some = read_with(begun, [*paths, plain], reach=Reach(("else",))).payments
    assert left(some) == {"X": "50.00"}
    assert any("1 of them name the payment" in s for s in some.left_out)
