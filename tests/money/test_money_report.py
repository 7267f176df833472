"""Suspicious-transaction reports: valid by the schema whatever the texts hold, and exact."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from decimal import Decimal
from importlib.resources import files

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from cordon.calls import ACCOUNTS, read_plain
from cordon.cli import run
from cordon.kernel.errors import BadInput
from cordon.kernel.findings import Finding, Reason, RecordRef, write_findings
from cordon.kernel.store.files import sha256_of
from cordon.money import read_payments
from cordon.money.reporting import Party, Report, Transaction, as_xml, report_of

SCHEMA = etree.XMLSchema(
    etree.fromstring(files("cordon.money.reporting").joinpath("str.xsd").read_bytes())
)
AT = datetime(2026, 3, 6, 12, tzinfo=UTC)
HOLDER = 'Ali & "Sons" <b>]]>&lol9;'


def checked(made: bytes):
    """The report as a tree, valid by the schema."""
    tree = etree.fromstring(made, etree.XMLParser(resolve_entities=False, no_network=True))
    SCHEMA.assertValid(tree)
    assert tree.getroottree().docinfo.doctype == ""
    return tree


@pytest.fixture
def told(tmp_path):
    """Payments, whose accounts are, and two findings about them; the paths."""
    rows = [
        ("P1", "2026-03-01T10:00:00Z", "A1", "M1", "1000.50", "PKR", "transfer"),
        ("P2", "2026-03-01T10:30:00Z", "M1", "OUT", "900.25", "PKR", "cash_out"),
        ("P3", "2026-03-02T09:00:00Z", "A2", "M2", "0.00000001", "BTC", "crypto"),
        ("P4", "2026-03-02T10:00:00Z", "A3", "B9", "77", "PKR", ""),
    ]
    payments = tmp_path / "payments.csv"
    with payments.open("w", newline="") as raw:
        out = csv.writer(raw)
        out.writerow(
            ("payment_id", "at", "from_account", "to_account", "amount", "currency", "channel")
        )
        out.writerows(rows)
    accounts = tmp_path / "accounts.csv"
    with accounts.open("w", newline="") as raw:
        out = csv.writer(raw)
        out.writerow(("account", "bank", "holder_name", "holder_id", "opened", "kind"))
        out.writerow(("M1", "Example Bank", HOLDER, "35202-1", "2026-01-05", "bank"))
    found = [
        Finding.make(
            kind="money.mule", subjects=["account:M1"], start=AT, end=AT, confidence=0.9,
            reasons=[Reason("through", 0.9, "1", 0.8, "90% of what M1 took in left <soon> & fast")],
            records=[RecordRef(sha256_of(payments), 1), RecordRef(sha256_of(payments), 2)],
            detector="money.mule", version="1",
        ),
        Finding.make(
            kind="money.call_then_pay", subjects=["account:M2"], start=AT, end=AT, confidence=0.8,
            reasons=[Reason("people", 3.0, "1", 2.0, "3 people paid M2")],
            records=[RecordRef("ab" * 32, 1)], detector="money.call_then_pay", version="1",
        ),
    ]  # fmt: skip
    findings = tmp_path / "findings.jsonl"
    findings.write_bytes(b"".join(write_findings(found)))
    return findings, payments, accounts, found


def test_a_report_from_files(told, tmp_path, capsys):
    findings, payments, accounts, _ = told
    out = tmp_path / "str.xml"
    code = run(["money", "report", str(findings), "--payments", str(payments), "--accounts",
                str(accounts), "--entity", "FIU-7", "--by", "B", "--out", str(out)])  # fmt: skip
    assert code == 0
    tree = checked(out.read_bytes())
    assert tree.findtext("rentity_id") == "FIU-7"
    # by its records where a finding has them here, else by the accounts that it names
    assert [t.findtext("transactionnumber") for t in tree.iter("transaction")] == ["P1", "P2", "P3"]
    assert [a.text for a in tree.iter("amount_local")] == ["1000.50", "900.25"]
    assert tree.findtext(".//foreign_amount") == "0.00000001"
    assert tree.findtext(".//to_account/signatory/t_person/last_name") == HOLDER
    assert [i.text for i in tree.iter("indicator")] == ["money.call_then_pay", "money.mule"]
    assert tree.findtext(".//internal_ref_number") == f"{sha256_of(payments)}/1"
    assert "<soon> & fast" in tree.findtext("reason")


def test_one_finding_and_one_that_is_not_there(told, tmp_path, capsys):
    findings, payments, _, found = told
    out = tmp_path / "str.xml"
    args = ["money", "report", str(findings), "--payments", str(payments), "--out", str(out)]
    assert run([*args, "--finding", found[1].id]) == 0
    assert len(list(checked(out.read_bytes()).iter("transaction"))) == 1
    assert run([*args, "--finding", "nobody"]) == 1
    assert "no finding" in capsys.readouterr().err
    assert run(["money", "report", str(findings)]) == 2


def test_a_report_from_a_trace(told, tmp_path):
    _, payments, _, _ = told
    trace, out = tmp_path / "trace.json", tmp_path / "str.xml"
    assert run(["money", "trace", "M1", "--payments", str(payments), "--out", str(trace)]) == 0
    args = ["money", "report", str(trace), "--payments", str(payments), "--out", str(out)]
    assert run(args) == 0
    tree = checked(out.read_bytes())
    assert {t.findtext("transactionnumber") for t in tree.iter("transaction")} == {"P1", "P2"}
    assert "1000.50 PKR" in tree.findtext("reason")
    trace.write_text(json.dumps({"methods": {}}))
    assert run(args) == 1


def test_lines_that_are_none_are_named(told, tmp_path, capsys):
    findings, payments, _, _ = told
    bad = tmp_path / "bad.jsonl"
    bad.write_bytes(findings.read_bytes() + b'{"id": 1}\n')
    assert run(["money", "report", str(bad), "--payments", str(payments)]) == 1
    assert "Line 3 of bad.jsonl" in capsys.readouterr().err
    empty = tmp_path / "empty.jsonl"
    empty.write_bytes(b"")
    assert run(["money", "report", str(empty), "--payments", str(payments)]) == 1


def test_what_may_not_be_shown_is_masked_with_its_holder(told):
    _, payments, accounts, found = told
    made = as_xml(report_of(
        found, read_payments([payments]).payments, read_plain(accounts, ACCOUNTS).table,
        entity="E", by="B", at=AT, currency="PKR", shown=lambda a: f"~{len(a)}masked",
    ))  # fmt: skip
    tree = checked(made)
    assert b"M1" not in made
    assert b"Sons" not in made
    assert b"35202" not in made
    assert {a.text for a in tree.iter("account")} == {"~2masked", "~3masked"}


def test_findings_that_speak_of_other_payments_are_refused(told):
    _, payments, _, found = told
    from dataclasses import replace

    other = replace(found[1], subjects=("account:NOBODY",))
    with pytest.raises(BadInput, match="None of the payments"):
        report_of([other], read_payments([payments]).payments, entity="E", by="B", at=AT,
                  currency="PKR")  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.text(min_size=1, max_size=400), st.text(min_size=1, max_size=50))
def test_no_text_breaks_the_xml(long, short):
    """Control signs, entities, CDATA ends, half surrogates are the only ones that are replaced."""
    side = Party(short, short, long, short)
    one = Transaction(short, AT, Decimal("1.00"), "PKR", "", side, side, "ab" * 32, 1, long)
    made = as_xml(Report(short, short, short, AT, "PKR", long, (one,), (short,)))
    tree = checked(made)
    assert b"<!DOCTYPE" not in made
    assert len(tree.findtext("reason")) == len(long.replace("\r\n", "\n").replace("\r", "\n")) or (
        "\r" in long
    )


def test_an_entity_bomb_stays_text():
    bomb = '<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><r>&b;</r>'
    side = Party("A")
    one = Transaction("1", AT, Decimal("1"), "PKR", "", side, side, "ab" * 32, 1, bomb)
    tree = checked(as_xml(Report("E", "R", "B", AT, "PKR", bomb, (one,), ("x",))))
    assert tree.findtext("reason") == bomb
