"""Balances of statements against their amounts: what is missing is told, what looks so is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from cordon.money import read_payments

OWN = "PK36SCBL0000001123456702"
HEAD = f"Account No: {OWN}\nCurrency: PKR\nDate,Description,Reference,Debit,Credit,Balance\n"
MONTH = (
    "01-Mar-26,Salary,R1,,\"90,000.00\",\"100,000.00\"",
    "02-Mar-26,ATM withdrawal,R2,\"20,000.00\",,\"80,000.00\"",
    "02-Mar-26,IBFT,R3,\"5,000.50\",,\"74,999.50\"",
    "03-Mar-26,IBFT,R4,\"4,999.50\",,\"70,000.00\"",
    "05-Mar-26,Raast,R5,,\"1,000.00\",\"71,000.00\"",
    "05-Mar-26,Raast,R6,,\"2,000.00\",\"73,000.00\"",
    "05-Mar-26,POS purchase,R7,\"3,000.00\",,\"70,000.00\"",
    "09-Mar-26,Fee,R8,25.00,,\"69,975.00\"",
)  # fmt: skip


def said(path: Path) -> list[str]:
    return [
        s
        for s in read_payments([path]).payments.left_out
        if "balance is" in s or "its balance" in s
    ]


def statement(folder: Path, *rows: str, head: str = HEAD) -> Path:
    path = folder / "s.csv"
    path.write_text(head + "\n".join(rows) + "\n")
    return path


def without(*gone: int) -> list[str]:
    return [row for n, row in enumerate(MONTH) if n not in gone]


@pytest.mark.parametrize(
    "rows",
    [
        MONTH,
        MONTH[::-1],
        # cut off at the end of a page, above or below
        MONTH[3:],
        MONTH[:5],
        # the newest day last, and of a day the newest row first
        (MONTH[0], MONTH[2], MONTH[1], MONTH[3], MONTH[6], MONTH[5], MONTH[4], MONTH[7]),
        (MONTH[7], MONTH[4], MONTH[5], MONTH[6], MONTH[3], MONTH[1], MONTH[2], MONTH[0]),
        # lines of totals and of balances carried over
        ("01-Mar-26,Opening balance,,,,\"10,000.00\"", *MONTH, "Total,,,1,2,3"),
        (*MONTH[:3], "Balance carried forward,,,,,\"74,999.50\"",
         "Balance brought forward,,,,,\"74,999.50\"", *MONTH[3:]),
        # a balance is told once a day
        (MONTH[0], MONTH[1].rsplit(",\"80", 1)[0] + ",", *MONTH[2:]),
        # a row that cannot be read tells nothing of its balance
        (*MONTH[:3], "03-Mar-26,IBFT,R4,4.999.50,,\"70,000.00\"", *MONTH[4:]),
        (MONTH[0],),
    ],
)  # fmt: skip
def test_real_statements_raise_no_false_alarm(rows: tuple[str, ...], tmp_path: Path) -> None:
    assert said(statement(tmp_path, *rows)) == []


@pytest.mark.parametrize(
    ("rows", "line", "says"),
    [
        (without(3), 6, ("71,000.00", "75,999.50")),
        (without(3)[::-1], 6, ("71,000.00", "75,999.50")),
        ((*MONTH[:3], MONTH[3].replace("4,999.50", "499.50"), *MONTH[4:]), 6,
         ("70,000.00", "74,500.00")),
        ((*MONTH[:3], MONTH[3].replace("70,000.00", "60,000.00"), *MONTH[4:]), 6,
         ("60,000.00", "70,000.00")),
        # of a day in reverse order a row is missing
        ((MONTH[0], MONTH[2], MONTH[1], *MONTH[4:]), None, ()),
    ],
)  # fmt: skip
def test_a_missing_or_altered_row_is_told_with_its_place(
    rows: list[str], line: int | None, says: tuple[str, ...], tmp_path: Path
) -> None:
    (sentence,) = said(statement(tmp_path, *rows))
    assert sentence.startswith("s.csv: Row ")
    if line is not None:
        assert f"Row {line}:" in sentence
    for amount in says:
        assert amount.replace(",", "") in sentence


def test_each_statement_of_a_file_begins_anew(tmp_path: Path) -> None:
    other = HEAD.replace(OWN, "PK70BAHL0000001123456711")
    rows = (*MONTH, "", *other.strip().split("\n"), *(r.replace("R", "Q") for r in MONTH[4:]))
    assert said(statement(tmp_path, *rows)) == []


def test_owed_money_is_below_nothing(tmp_path: Path) -> None:
    rows = (
        "01-Mar-26,a,R1,,100.00,50.00 Dr", "02-Mar-26,b,R2,,100.00,50.00 Cr",
        "03-Mar-26,c,R3,70.00,,(20.00)", "04-Mar-26,d,R4,10.00,,30.00-",
        "05-Mar-26,e,R5,,30.00,0.00",
    )  # fmt: skip
    assert said(statement(tmp_path, *rows)) == []
    (sentence,) = said(statement(tmp_path, *rows[:2], *rows[3:]))
    assert "Row 5: its balance is -30.00" in sentence


def test_a_column_that_does_not_run_is_said_to_be_unchecked(tmp_path: Path) -> None:
    rows = [f"0{n}-Mar-26,x,R{n},,{n}.00,{n * n * 7}.00" for n in range(1, 9)]
    (sentence,) = said(statement(tmp_path, *rows))
    assert "it was not checked" in sentence


def swift(*pages: str) -> str:
    return "".join(f":20:S\n:25:{OWN}\n:28C:7/{n}\n{page}" for n, page in enumerate(pages, 1))


LINE = ":61:2603010301{},50NTRFR{}\n"
P1 = (
    ":60F:C260301EUR100,\n"
    + LINE.format("D10", 1)
    + LINE.format("C20", 2)
    + ":62M:C260301EUR110,00\n"
)
P2 = (
    ":60M:C260301EUR110,00\n"
    + LINE.format("RD5", 3)
    + LINE.format("RC1", 4)
    + ":62F:C260301EUR114,00\n"
)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (swift(P1, P2), 0),
        (swift(P2), 0),
        (swift(P1[: P1.index(":62M")]), 0),
        (swift(P1.replace(":60F:C260301EUR100,", ":34F:EURD0,")), 0),
        (swift(P1, P2.replace("RD5", "RD6")), 14),
        (swift(P1.replace(LINE.format("D10", 1), ""), P2), 6),
        (swift(P1.replace("C260301EUR100,", "D260301EUR100,").replace("C260301EUR110,00",
                                                                      "D260301EUR90,00")), 0),
    ],
)  # fmt: skip
def test_pages_of_a_swift_statement_lead_to_their_closing_balance(
    text: str, line: int, tmp_path: Path
) -> None:
    path = tmp_path / "s.sta"
    path.write_text(text)
    found = said(path)
    assert len(found) == (1 if line else 0), found
    assert all(f"s.sta: Line {line}: the closing balance is" in s for s in found)


PAGE = "<StmtPgntn><PgNb>1</PgNb><LastPgInd>{}</LastPgInd></StmtPgntn>"


def camt(
    *, opening: str = "100.00", closing: str = "95.00", more: str = "", kind: str = "OPBD"
) -> str:
    def balance(code: str, amount: str) -> str:
        return (f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy=\"EUR\">{amount}"
                "</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-03-01</Dt></Dt></Bal>")  # fmt: skip

    entry = ("<Ntry><Amt Ccy=\"EUR\">{}</Amt><CdtDbtInd>{}</CdtDbtInd><Sts><Cd>{}</Cd></Sts>"
             "<BookgDt><Dt>2026-03-01</Dt></BookgDt></Ntry>")  # fmt: skip
    return (
        f"<Document><BkToCstmrStmt><Stmt><Id>S</Id>{more}<Acct><Id><IBAN>{OWN}</IBAN></Id></Acct>"
        + balance(kind, opening) + "\n" + balance("CLBD", closing) + balance("CLAV", "1")
        + entry.format("15.00", "DBIT", "BOOK") + entry.format("10.00", "CRDT", "BOOK")
        + entry.format("3.00", "CRDT", "PDNG") + "</Stmt></BkToCstmrStmt></Document>"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "is_said"),
    [
        (camt(), False),
        (camt(kind="PRCD"), False),
        (camt(kind="ITBD", closing="7.00"), False),
        (camt(closing="95.01"), True),
        (camt(closing="7.00", more=PAGE.format("false")),
         False),
        (camt(closing="7.00", more=PAGE.format("true")),
         True),
    ],
)  # fmt: skip
def test_a_statement_of_iso_20022_leads_to_its_closing_balance(
    text: str, is_said: bool, tmp_path: Path
) -> None:
    path = tmp_path / "s.xml"
    path.write_text(text)
    found = said(path)
    assert len(found) == is_said, found
    assert all("Line 2: the closing balance is" in s and "95.00" in s for s in found)
