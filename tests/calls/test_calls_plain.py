"""Cells, complaints, payments, accounts and sessions as they come: each trap is a file."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cordon.calls.forms import ACCOUNTS, CELLS, COMPLAINTS, FORMS, PAYMENTS, SESSIONS, format_of
from cordon.calls.model import Counts
from cordon.calls.plain import PlainReading, read_plain
from cordon.kernel.errors import BadInput

PAID = "payment_id,at,from_account,to_account,amount,currency,channel"


@pytest.fixture
def put(tmp_path: Path) -> Callable[..., Path]:
    def write(*lines: str, name: str = "given.csv", encoding: str = "utf-8") -> Path:
        path = tmp_path / name
        path.write_bytes(("\n".join(lines) + "\n").encode(encoding))
        return path

    return write


def reasons(plain) -> list[tuple[int, str]]:
    return [(r.row, r.reason) for r in plain.refusals]


def test_payments_are_exact_and_each_bad_row_has_its_reason(put) -> None:
    path = put(
        PAID,
        "p1,2026-01-17T08:30:00Z,A,B,0.1,PKR,transfer",
        'p2,2026-01-17T13:30:00+05:00,A,B,"1,00,000.25",PKR,Cash In',
        "p3,2026-01-17 08:30,A,B,5,PKR,transfer",
        "p4,2026-01-17T08:30:00Z,A,,5,PKR,transfer",
        "p5,2026-01-17T08:30:00Z,A,B,1.5E+06,PKR,transfer",
        "p6,2026-01-17T08:30:00Z,A,B,-5,PKR,transfer",
        "p7,2026-01-17T08:30:00Z,A,B,five,PKR,transfer",
        "p8,2026-01-17T08:30:00Z,A,B,5,PKR,pigeon",
        "p1,2026-01-17T09:30:00Z,A,C,7,PKR,",
        "p9,2026-01-17T08:30:00Z,A,B,0.000000000000000001,ETH,crypto",
    )
    plain = read_plain(path, PAYMENTS)
    assert plain.counts == Counts(10, 4, 0, 6)  # p1 again is another payment
    assert plain.table["row"].to_pylist() == [1, 2, 9, 10]
    assert plain.table.schema == PAYMENTS.schema
    one, two, _, nine = plain.table.to_pylist()
    assert one["amount"] == Decimal("0.1")
    assert two["amount"] == Decimal("100000.25")
    assert nine["amount"] == Decimal("1E-18")
    assert one["at"] == two["at"] == datetime(2026, 1, 17, 8, 30, tzinfo=UTC)
    assert two["channel"] == "cash_in"
    assert [(n, r.split(":")[0]) for n, r in reasons(plain)] == [
        (3, "at is no RFC 3339 time with its zone"),
        (4, "to_account is missing"),
        (5, "amount is in scientific notation"),
        (6, "amount is less than 0"),
        (7, "amount is no amount"),
        (8, f"channel is none of {', '.join(PAYMENTS.columns[6].choices)}"),
    ]


def test_a_row_named_again_in_a_later_batch_is_repeated(put, monkeypatch) -> None:
    monkeypatch.setattr("cordon.calls.unpacking.BLOCK", 400)
    monkeypatch.setattr("cordon.calls.unpacking._CHUNK", 200)
    lines = [f"p{i % 40},2026-01-17T08:30:00Z,A,B,{i % 40},PKR,wallet" for i in range(50)]
    reading = PlainReading(put(PAID, *lines), PAYMENTS)
    parts = list(reading.batches())
    assert len(parts) > 3
    assert [r for p in parts for r in p.table["row"].to_pylist()] == list(range(1, 41))
    assert reading.counts == Counts(50, 40, 10, 0)


def test_cells_within_their_bounds_and_in_any_notation(put) -> None:
    head = "cell,lat,lon,azimuth_deg,beamwidth_deg,range_m,owner"
    path = put(
        head,
        "K1,24.86,67.01,0,120,800,x",
        "K2,91,67,,,,x", "K3,24,181,,,,x", "K4,24,67,361,,,x", "K5,24,67,360,0,,x",
        "K6,24,67,,360,0,x", "K7,nan,67,,,,x", "K1,24,67,,,,x", "K8,24,67,,,,",
    )  # fmt: skip
    plain = read_plain(path, CELLS)
    assert plain.counts == Counts(9, 2, 1, 6)
    assert plain.table["cell"].to_pylist() == ["K1", "K8"]
    assert [r for _, r in reasons(plain)] == [
        "lat is more than 90", "lon is more than 180", "azimuth_deg is more than 360",
        "beamwidth_deg is not more than 0", "range_m is not more than 0", "lat is missing",
    ]  # fmt: skip
    hexadecimal = put("cell,lat,lon", "410-01-0011-1A2B,24,67", "410-01-0012-1234,24,67")
    assert read_plain(hexadecimal, CELLS).table["cell"].to_pylist() == [
        "410-01-17-6699", "410-01-18-4660",
    ]  # fmt: skip
    decimal = put("cell,lat,lon", "410-01-0011-1234,24,67", "410-01-SITE-A,24,67")
    assert read_plain(decimal, CELLS).table["cell"].to_pylist() == [
        "410-01-0011-1234", "410-01-SITE-A",
    ]  # fmt: skip


def test_what_people_fill_in_by_hand_costs_no_complaint(put) -> None:
    head = "complaint_id,received,occurred,victim_number,suspect_number,loss_amount,narrative"
    path = put(
        head,
        'c1,2026-01-17,last week,03217654321,0300-1234567,50000,"They said, ""police"""',
        "c2,2026-01-18T10:00:00Z,2026-01-17,,#,about 5000,",
        ",2026-01-18,,,,,",
        "c3,,,,,,",
    )
    plain = read_plain(path, COMPLAINTS)
    one, two = plain.table.to_pylist()
    assert (one["victim_number"], one["suspect_number"]) == ("+923217654321", "+923001234567")
    assert (one["received"], one["occurred"]) == (datetime(2026, 1, 17, tzinfo=UTC), None)
    assert one["narrative"] == 'They said, "police"'
    assert (two["suspect_number"], two["loss_amount"]) == (None, None)
    assert two["occurred"] == datetime(2026, 1, 17, tzinfo=UTC)
    assert plain.notes == {
        "occurred is no RFC 3339 time with its zone": 1,
        "suspect_number is no number, short code or sender's name": 1,
        "loss_amount is no amount": 1,
    }
    assert reasons(plain) == [(3, "complaint_id is missing"), (4, "received is missing")]


def test_sessions_and_accounts(put) -> None:
    head = "start,end,number,cell,public_ip,public_port,remote_ip,remote_port,bytes_up"
    path = put(
        head,
        "2026-01-17T08:30:00Z,2026-01-17T08:31:00Z,03001234567,K1,10.0.0.1,1,2001:DB8::0:1,443,10.0",
        "2026-01-17T08:30:00Z,2026-01-17T08:29:00Z,03001234567,K1,10.0.0.1,1,1.1.1.1,443,1",
        "2026-01-17T08:30:00Z,2026-01-17T08:31:00Z,03001234567,K1,10.0.0.256,1,1.1.1.1,443,1",
        "2026-01-17T08:30:00Z,2026-01-17T08:31:00Z,03001234567,K1,10.0.0.2,70000,1.1.1.1,443,1",
        "2026-01-17T08:30:00Z,2026-01-17T08:31:00Z,03001234567,K1,,,1.1.1.1,443,-1",
    )
    plain = read_plain(path, SESSIONS)
    (one,) = plain.table.to_pylist()
    assert (one["remote_ip"], one["bytes_up"]) == ("2001:db8::1", 10)
    assert [r for _, r in reasons(plain)] == [
        "end lies before start", "public_ip is no address", "public_port is more than 65535",
        "bytes_up is less than 0",
    ]  # fmt: skip
    path = put("account,bank,phone,opened,kind", "PK1,HBL,03001234567,2024-05-01,Wallet")
    (one,) = read_plain(path, ACCOUNTS).table.to_pylist()
    assert (one["phone"], one["kind"]) == ("+923001234567", "wallet")


def test_parquet_is_the_same(tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    at = datetime(2026, 1, 17, 8, 30)
    columns = {
        "payment_id": [1, 2, 3],
        "at": pa.array([at, at, None], pa.timestamp("ms")),
        "from_account": ["A", "A", "A"],
        "to_account": ["B", "B", "B"],
        "amount": [0.1, 1e22, 5.0],
        "currency": ["PKR", "PKR", "PKR"],
        "odd": [1, 2, 3],
    }
    pq.write_table(pa.table(columns), path)
    plain = read_plain(path, PAYMENTS)
    (one,) = plain.table.to_pylist()
    assert (one["payment_id"], one["amount"]) == ("1", Decimal("0.1"))
    assert one["at"] == at.replace(tzinfo=UTC)
    assert reasons(plain) == [(2, "amount is no amount"), (3, "at is missing")]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
def test_in_any_encoding_and_packing(put, encoding: str) -> None:
    path = put("account;bank;holder_name", "A;Crédit;Élan", encoding=encoding)
    assert read_plain(path, ACCOUNTS).table["holder_name"].to_pylist() == ["Élan"]
    packed = path.with_name("a.csv.gz")
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert read_plain(packed, ACCOUNTS).table["bank"].to_pylist() == ["Crédit"]


def test_a_file_that_breaks_off_gives_what_stands_before(put) -> None:
    lines = [f"A{i},B{i * 7919},C" for i in range(200_000)]
    data = gzip.compress(put("account,bank,holder_name", *lines).read_bytes())
    cut = put("x", name="cut.csv.gz")
    cut.write_bytes(data[: len(data) // 2])
    plain = read_plain(cut, ACCOUNTS)
    assert plain.broken is not None
    assert "cut short" in plain.broken
    assert 0 < plain.counts.kept < 200_000
    assert reasons(plain)[-1] == (plain.counts.read, "the file breaks off in this row")


def test_a_file_of_another_kind_says_what_it_is_and_what_was_expected(put) -> None:
    calls = put("start,kind,caller,callee", "2026-01-17T08:30:00Z,voice,1,2")
    with pytest.raises(BadInput, match=r"looks like the format “calls”.*payment_id.*“payments”"):
        read_plain(calls, PAYMENTS)
    with pytest.raises(BadInput, match="JSON"):
        read_plain(put('{"a": 1}'), CELLS)
    with pytest.raises(BadInput, match="is empty"):
        read_plain(put(""), CELLS)
    with pytest.raises(BadInput, match="the column lat twice"):
        read_plain(put("cell,lat,lon,lat", "K,1,2,3"), CELLS)
    with pytest.raises(BadInput, match="There is no file"):
        read_plain(Path("nowhere.csv"), CELLS)
    with pytest.raises(BadInput, match=r"None of the 2 rows.*lat is no number"):
        read_plain(put("cell,lat,lon", "K,x,2", "L,y,2"), CELLS)
    for form in FORMS:
        assert format_of(form.required) == form.name
