"""Payments on a node: in under an authority, looked over, followed, shown, and masked."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cordon.kernel.access.authorities import Draft
from cordon.kernel.access.model import Scope
from cordon.kernel.errors import AuthorityRefused, BadInput, NotFound
from cordon.money import keeping, tracebook, tracedesk
from cordon.money.reading import read_segments

VICTIMS = [f"PK36SCBL00000011234567{n:02d}" for n in range(10)]
MULE, SECOND = "GB82WEST12345698765432", "DE89370400440532013000"
PHONE, NAME = "+923007654321", "Bashir Example"
HEAD = "payment_id,at,from_account,to_account,amount,currency,channel\n"


def payments() -> bytes:
    """Ten people pay a mule 100.50 each, who passes half on to cash and half to a second one."""
    rows = [HEAD]
    for n, victim in enumerate(VICTIMS):
        rows.append(f"IN{n},2026-01-{n + 2:02d}T10:00:00Z,{victim},{MULE},100.50,PKR,transfer\n")
        rows.append(f"OUT{n},2026-01-{n + 2:02d}T12:00:00Z,{MULE},ATM-77,50.25,PKR,cash_out\n")
        rows.append(f"ON{n},2026-01-{n + 2:02d}T13:00:00Z,{MULE},{SECOND},50.25,PKR,transfer\n")
    return "".join(rows).encode()


ACCOUNTS = (
    f"account,bank,holder_name,phone,kind\n{MULE},A bank,{NAME},{PHONE},bank\n"
    f"{SECOND},A bank,,{PHONE},wallet\n"
).encode()
CAMT = """<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>
<GrpHdr><MsgId>M1</MsgId><CreDtTm>2026-03-02T06:00:00</CreDtTm></GrpHdr>
<Stmt><Id>S1</Id><Acct><Id><IBAN>GB82WEST12345698765432</IBAN></Id></Acct>
<Ntry><Amt Ccy="EUR">7.10</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>
<BookgDt><DtTm>2026-03-01T10:00:00+01:00</DtTm></BookgDt><AcctSvcrRef>R1</AcctSvcrRef>
<NtryDtls><TxDtls><Refs><UETR>u1</UETR></Refs><RltdPties>
<DbtrAcct><Id><IBAN>GB82WEST12345698765432</IBAN></Id></DbtrAcct>
<CdtrAcct><Id><IBAN>DE89370400440532013000</IBAN></Id></CdtrAcct>
</RltdPties></TxDtls></NtryDtls></Ntry></Stmt></BkToCstmrStmt></Document>"""


@pytest.fixture
def world(site, noon):
    """A node with an investigator, an overseer, and authorities over payments of several reach."""
    site.officer("inv", "investigator")
    site.officer("eye", "overseer")
    for reference, data, subjects, days in (
        ("WR-1", {"calls", "payments"}, None, 20),
        ("WR-2", {"payments"}, None, 1),
        ("WR-3", {"payments"}, {f"account:{MULE}"}, 20),
        ("WR-4", {"calls"}, None, 20),
        ("WR-5", {"payments", "persons"}, None, 20),
    ):
        draft = Draft(
            basis="peca_disclosure_warrant", reference=reference, issuer="A court",
            scope=Scope(frozenset(data), frozenset(subjects) if subjects else None),
            valid_from=noon, valid_until=noon + timedelta(days=days),
        )  # fmt: skip
        site.node.authorities.record(site.actor("inv"), draft, io.BytesIO(b"x"))
    return site


def under(site, reference="WR-1"):
    return site.node.authorities.under(site.actor("inv"), reference)


def chosen(site, reference="WR-1"):
    """A client signed in that has chosen an authority."""
    http = site.client("inv")
    one = site.node.authorities.find(site.console, reference).id
    assert http.post(f"/authorities/{one}/choose").status_code == 303
    return http


def work(site):
    while site.node.jobs.run_next():
        pass


def brought(site, data=None, *, kind="payments", reference="WR-1", name="p.csv", layout="auto"):
    room = site.node.money
    job = room.ask_import(
        under(site, reference), io.BytesIO(data or payments()), name, kind=kind, layout=layout
    )
    return site.node.run_job(job, lambda _done, _total: None)


def counts(ended):
    assert ended.state == "done", ended.error
    file = ended.report["files"][0]
    return tuple(file[n] for n in ("read", "kept", "repeated", "refused"))


def kept(site, reference="WR-1"):
    with site.node.kernel.view(under(site, reference)) as view:
        of = keeping.kept(view, under(site, reference).authority)
    return keeping.payments_of(site.node.kernel.columns, of)


def traced(site, reference="WR-1", **asked):
    id_, job = tracebook.ask_account(site.node.money, under(site, reference), MULE, **asked)
    ended = site.node.run_job(job, lambda _done, _total: None)
    assert ended.state == "done", ended.error
    return id_


def test_a_file_twice_adds_nothing_and_two_files_share_payments(world):
    assert counts(brought(world)) == (30, 30, 0, 0)
    assert counts(brought(world)) == (30, 0, 30, 0)
    more = payments() + f"N1,2026-01-20T10:00:00Z,{MULE},{SECOND},1,PKR,\n".encode()
    assert counts(brought(world, more)) == (31, 1, 30, 0)
    assert len(kept(world)) == 31
    # another authority's are its own
    assert counts(brought(world, reference="WR-2")) == (30, 30, 0, 0)
    assert len(kept(world, "WR-2")) == 30


def test_two_banks_that_count_from_one_share_no_payment(world):
    head = b"payment_id,at,from_account,to_account,amount,currency\n"
    one = head + b"1,2026-01-20T10:00:00Z,A,B,300,PKR\n1,2026-01-20T10:00:00Z,A,B,301,PKR\n"
    two = head + b"1,2026-01-20T10:00:00Z,C,D,300,PKR\n1,2026-01-20T11:00:00Z,A,B,300.0,PKR\n"
    assert counts(brought(world, one)) == (2, 2, 0, 0)
    assert counts(brought(world, two)) == (2, 1, 1, 0)
    found = kept(world)
    assert len(found) == 3
    assert any("carry the id of another" in s for s in found.left_out)


def test_a_return_gives_back_what_its_reference_names_whichever_came_first(world):
    entry = (
        '<Ntry><Amt Ccy="PKR">25.50</Amt><CdtDbtInd>{}</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>'
        "2026-01-{}</Dt></BookgDt>{}<NtryDtls><TxDtls><Refs><EndToEndId>{}</EndToEndId></Refs>"
        "</TxDtls></NtryDtls></Ntry>"
    )
    head = (
        f"<BkToCstmrStmt><Stmt><Acct><Id><IBAN>{MULE}</IBAN></Id></Acct>{{}}</Stmt></BkToCstmrStmt>"
    )
    back = entry.format("CRDT", "20", "<RvslInd>true</RvslInd>", "A")
    paid = entry.format("DBIT", "10", "", "A") + entry.format("DBIT", "11", "", "B")
    assert counts(brought(world, head.format(back).encode(), name="b.xml")) == (1, 1, 0, 0)
    assert counts(brought(world, head.format(paid).encode(), name="a.xml")) == (2, 2, 0, 0)
    assert kept(world).amount.tolist() == [0, 255, 0]


def test_what_is_kept_and_cannot_be_counted_is_left_out_by_file_and_row(tmp_path):
    """Also of columns that were kept before days were told from hours."""
    sums = ["999999999999999999", "0.000000000000000001", "90000.50", "70000.25"]
    at = datetime(2026, 1, 20, tzinfo=UTC)
    table = pa.table(
        {
            "sha256": ["ab" * 32] * 4, "row": pa.array([1, 2, 3, 4], pa.int64()),
            "payment_id": list("abcd"), "at": pa.array([at] * 4, pa.timestamp("us", "UTC")),
            "from_account": ["A"] * 4, "to_account": ["B"] * 4,
            "amount": pa.array([Decimal(s) for s in sums], pa.decimal128(38, 18)),
            "currency": ["PKR"] * 4, "channel": pa.array([None] * 4, pa.string()),
        }
    )  # fmt: skip
    pq.write_table(table, tmp_path / "old.parquet")
    more = table.slice(3).set_column(2, "payment_id", pa.array(["e"]))
    more = more.set_column(1, "row", pa.array([5], pa.int64()))
    more = more.append_column("precision", pa.array(["time"]))
    pq.write_table(more.append_column("told_by", pa.array(["to"])), tmp_path / "new.parquet")
    found = read_segments([tmp_path / "old.parquet", tmp_path / "new.parquet"])
    assert sorted(found.ids.to_pylist()) == ["c", "d", "e"]
    assert [("row 1" in s, "row 2" in s) for s in found.left_out] == [(True, False), (False, True)]


def test_bad_rows_are_refused_by_number_and_what_a_bank_sends_is_told_by_content(world):
    bad = payments() + b"X1,2026-01-20T10:00:00,A,B,1,PKR,\nX2,2026-01-20T10:00:00Z,A,B,-1,PKR,\n"
    ended = brought(world, bad)
    assert counts(ended) == (32, 30, 0, 2)
    assert [r["row"] for r in ended.report["refusals"]] == [31, 32]
    ended = brought(world, CAMT.encode(), name="s.xml")
    assert counts(ended) == (1, 1, 0, 0)
    assert ended.report["files"][0]["layout"] == "camt.053"
    assert "EUR" in kept(world).currencies
    wrong = brought(world, payments() + b"\n", layout="mt940")
    assert wrong.state == "failed"
    with pytest.raises(BadInput):
        brought(world, layout="/etc/passwd")


def test_only_what_the_authority_covers_comes_in(world):
    with pytest.raises(AuthorityRefused):
        brought(world, reference="WR-4")
    other = payments() + b"Z1,2026-01-20T10:00:00Z,A,B,1,PKR,\n"
    assert counts(brought(world, other, reference="WR-3")) == (31, 30, 0, 1)
    assert counts(brought(world, ACCOUNTS, kind="accounts", reference="WR-3")) == (2, 1, 0, 1)
    with pytest.raises(AuthorityRefused):  # complaints name others
        brought(world, b"complaint_id,received\nC,2026-01-02\n", kind="complaints",
                reference="WR-3")  # fmt: skip


def test_an_authority_that_ran_out_stops_the_next_file(world):
    brought(world, reference="WR-2")
    world.node.kernel.clock.advance(timedelta(days=2))
    with pytest.raises(AuthorityRefused, match="expired"):
        brought(world, payments() + b"\n", reference="WR-2")


def test_a_search_needs_an_authority_over_everybody_and_says_what_it_lacks(world):
    brought(world)
    room = world.node.money
    with pytest.raises(AuthorityRefused):
        room.ask_find(under(world, "WR-3"))
    ended = world.node.run_job(room.ask_find(under(world)), lambda _d, _t: None)
    assert ended.state == "done", ended.error
    assert any("No call was brought in" in s for s in ended.report["left_out"])
    brought(world, reference="WR-2")
    ended = world.node.run_job(room.ask_find(under(world, "WR-2")), lambda _d, _t: None)
    assert any("does not cover everybody's calls" in s for s in ended.report["left_out"])
    acts = [(e.act, e.outcome) for e in world.node.kernel.ledger.entries(limit=200)]
    assert acts.count(("money.record.search", "done")) >= 2
    assert ("money.record.search", "refused") in acts


def test_the_page_of_an_account_tells_what_it_is(world):
    brought(world)
    brought(world, ACCOUNTS, kind="accounts")
    http = chosen(world)
    answer = http.post("/money/accounts", data={"account": "gb82 west 1234 5698 7654 32"})
    assert answer.status_code == 303
    where = answer.headers["location"]
    assert MULE not in where
    text = http.get(where).text
    assert "1,005" in text  # came in
    assert "1,005.00" not in text
    assert SECOND in text
    assert PHONE in text  # calls are covered
    assert NAME not in text  # persons are not
    assert "A bank" in text
    assert text.count("/records/") == 30
    over_persons = chosen(world, "WR-5").get(where).text
    assert MULE not in over_persons or "No payment of it" in over_persons


def test_holders_stand_in_clear_where_persons_are_covered(world):
    brought(world, reference="WR-5")
    brought(world, ACCOUNTS, kind="accounts", reference="WR-5")
    http = chosen(world, "WR-5")
    where = http.post("/money/accounts", data={"account": MULE}).headers["location"]
    text = http.get(where).text
    assert NAME in text
    assert PHONE not in text  # calls are not


SECRETS = [*VICTIMS, MULE, SECOND, PHONE, NAME, "ATM-77"]


def leaks(text: str) -> list[str]:
    return [s for s in SECRETS if s in text or (len(s) > 20 and s[4:] in text)]


def test_nothing_uncovered_stands_on_a_page_in_an_error_or_in_the_log(world, caplog):
    brought(world)
    brought(world, ACCOUNTS, kind="accounts")
    room = world.node.money
    world.node.run_job(room.ask_find(under(world)), lambda _d, _t: None)
    forth, back = traced(world), traced(world, way="back")
    http = chosen(world)
    where = http.post("/money/accounts", data={"account": MULE}).headers["location"]
    eye, none = world.client("eye"), world.client("inv")
    calls, other = chosen(world, "WR-4"), chosen(world, "WR-2")
    with world.node.kernel.view(under(world)) as view:
        row = tracebook.row_of(view, forth)
        record = re.search(r"/records/[0-9a-f]{64}/\d+", http.get(f"/money/traces/{forth}").text)[0]
    pages = ["/money", where, f"/money/traces/{forth}", f"/money/traces/{back}", "/jobs",
             f"/jobs/{row.job}", "/findings", f"/money/traces/{forth}?method=poison",
             f"/api/money/traces/{forth}", "/api/money/findings", record]  # fmt: skip
    for path in pages:
        for reader in (eye, none, calls):
            assert leaks(reader.get(path).text) == [], path
        if "/traces/" in path or path == record:  # made under one authority, seen under another
            assert leaks(other.get(path).text) == [], path
    # of named subjects, those alone stand in clear
    id_ = None
    brought(world, reference="WR-3")
    id_ = traced(world, "WR-3")
    text = chosen(world, "WR-3").get(f"/money/traces/{id_}").text
    assert MULE in text
    assert not [s for s in VICTIMS if s in text]
    # errors of jobs name no account
    _, job = tracebook.ask_account(room, under(world), "NOBODY-HAS-THIS-ONE")
    ended = world.node.run_job(job, lambda _d, _t: None)
    assert ended.state == "failed"
    assert "NOBODY" not in ended.error
    entries = " ".join(str(e.detail) for e in world.node.kernel.ledger.entries(limit=500))
    assert leaks(entries) == []
    assert leaks(caplog.text) == []


def test_a_trace_says_where_it_went_to_the_last_unit(world):
    brought(world)
    id_ = traced(world)
    page = tracedesk.trace(world.node.money, under(world), id_, tracedesk.Asked())
    sums = {(line.what, line.channel): line.amounts for line in page.lines}
    for method in tracedesk.METHODS:
        assert sums[("came_in", "")][method] == Decimal("1005")
        assert sums[("left", "cash_out")][method] == Decimal("502.5")
        assert sums[("stays", "")][method] == Decimal("502.5")
    assert [h.account.text for h in page.held] == [SECOND]
    assert page.payers_in_all == 10
    assert sum((p.amounts["stays"] for p in page.payers), Decimal(0)) == Decimal("502.5")
    assert page.picture is not None
    assert {n.kind for n in page.picture.nodes} == {"account", "way"}
    # every figure leads to its payments
    left = tracedesk.Asked(ends="left", channel="cash_out")
    behind = tracedesk.trace(world.node.money, under(world), id_, left)
    assert behind.parts_in_all == 10
    assert sum((p.traced for p in behind.parts), Decimal(0)) == Decimal("502.5")
    assert all(p.of >= p.traced for p in behind.parts)
    back = traced(world, way="back")
    page = tracedesk.trace(world.node.money, under(world), back, tracedesk.Asked())
    sums = {(line.what, line.channel): line.amounts for line in page.lines}
    assert sums[("paid_out", "")]["fifo"] == Decimal("1005")
    with pytest.raises(NotFound):
        tracedesk.trace(world.node.money, under(world), "0" * 36, tracedesk.Asked())


def test_a_trace_is_asked_for_on_the_account_s_page(world):
    brought(world)
    http = chosen(world)
    where = http.post("/money/accounts", data={"account": MULE}).headers["location"]
    wrong = http.post(f"{where}/trace", data={"hops": "0", "since": "2026-01-04"})
    assert wrong.status_code == 422
    assert 'value="2026-01-04"' in wrong.text  # it keeps what was typed
    asked = http.post(f"{where}/trace", data={"since": "2026-01-04", "hops": "3"})
    assert asked.status_code == 303
    work(world)
    done = http.get(asked.headers["location"]).text
    link = re.search(r'href="(/money/traces/[^"]+)"', done)[1]
    text = http.get(link).text
    assert "804" in text  # eight of the ten payments
    assert "/money/traces/" in http.get(where).text
    none = world.client("inv").post(f"{where}/trace", data={"hops": "3"})
    assert none.status_code == 403


LAYOUT_FILE = (
    "Txn ID;Txn Date;Debit Account;Credit Account;Amount;Ccy\n"
    + "".join(f"X{n};{n + 13}/01/2026 10:00;{VICTIMS[n]};{MULE};{n}.50;PKR\n" for n in range(10))
    + f"X99;20/01/2026 10:00;{VICTIMS[0]};{SECOND};1.000,50;PKR\n"
).encode()


def test_a_banks_own_file_is_brought_in_by_a_layout(world):
    ended = brought(world, LAYOUT_FILE, name="own.csv")
    assert counts(ended) == (11, 10, 0, 1)
    file = ended.report["files"][0]
    assert file["layout"] == "bank-transfers"
    assert "decimal comma" in ended.report["refusals"][0]["reason"]
    assert counts(brought(world, LAYOUT_FILE, layout="bank-transfers")) == (11, 0, 10, 1)
    # a subject's authority lets its rows in alone
    assert counts(brought(world, LAYOUT_FILE, reference="WR-3")) == (11, 10, 0, 1)
    assert brought(world, ACCOUNTS, layout="bank-transfers").state == "failed"
    register = f"Account No,Account Title,Mobile No\n{MULE},{NAME},{PHONE}\n".encode()
    assert counts(brought(world, register, kind="accounts")) == (1, 1, 0, 0)


def test_what_is_told_with_a_file_and_a_layout_of_ones_own_stay_with_the_job(world):
    room, own = world.node.money, (
        "name: own\ntitle: Own\nknown_by: [date, amount]\n"
        "columns: {date: Day, amount: Sum, other_account: Other, payment_id: Id}\n"
    )  # fmt: skip
    data = f"Day,Sum,Other,Id\n2026-01-05,-7,{SECOND},A\n2026-01-06,8,{SECOND},B\n".encode()
    given = {"account": MULE, "currency": "PKR"}
    job = room.ask_import(
        under(world), io.BytesIO(data), "own.csv", layout="own.yaml", own=own, given=given
    )
    assert counts(world.node.run_job(job, lambda _done, _total: None)) == (2, 2, 0, 0)
    assert len(kept(world)) == 2


def test_the_form_offers_layouts_that_are_data_and_the_nodes_own(world):
    http = chosen(world)
    page = http.get("/money/import").text
    assert 'value="wallet-transactions"' in page
    folder = world.node.money.layouts
    folder.mkdir(parents=True)
    (folder / "ours.yaml").write_text(
        "name: ours\ntitle: Ours\nknown_by: [date, amount]\nalways: {currency: PKR}\n"
        "columns: {date: Tag, amount: Summe, from_account: Von, to_account: An}\n"
    )
    assert 'value="ours"' in http.get("/money/import").text
    data = f"Von,An,Summe,Tag\n{MULE},{SECOND},5,2026-01-05\n"
    answer = http.post(
        "/money/import",
        files={"file": ("ours.csv", data.encode())},
        data={"kind": "auto", "layout": "ours"},
        headers={"Accept": "application/json"},
    )
    assert answer.status_code in (200, 303), answer.text
    work(world)
    (found,) = world.node.money.brings.lately(under(world))[0].files
    assert (found.state, found.counts["kept"]) == ("done", 1), found


def test_every_file_of_accounts_and_of_complaints_counts_and_the_later_row_holds(world):
    head = b"account,bank,holder_name,holder_id,phone,opened,kind\n"
    one = head + f"{MULE},Old Bank,,,+923001111111,,bank\n{SECOND},Bank A,,,,,bank\n".encode()
    two = head + f"{MULE},New Bank,,,+923002222222,,bank\n".encode()
    for data in (one, two):
        assert counts(brought(world, data, kind="accounts"))[3] == 0
    said = b"complaint_id,received,occurred,suspect_number,suspect_account,amount,currency\n"
    for name in (b"C1", b"C2"):
        line = name + b",2026-01-20T10:00:00Z,2026-01-20T09:00:00Z,,X1,5,PKR\n"
        assert counts(brought(world, said + line, kind="complaints"))[3] == 0
    node = world.node
    with node.kernel.view(under(world)) as view:
        of = keeping.kept(view, under(world).authority)
    table = keeping.accounts_of(node.kernel.columns, of)
    assert dict(zip(table["account"].to_pylist(), table["bank"].to_pylist(), strict=True)) == {
        SECOND: "Bank A",
        MULE: "New Bank",
    }
    told = keeping.complaints_of(node.kernel, of.complaints, "PK", [])
    assert told["complaint_id"].to_pylist() == ["C1", "C2"]
