"""Files of calls as they really come: each trap is a file made here."""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cordon.calls import unpacking
from cordon.calls.model import Counts
from cordon.calls.reading import Reading, read_calls
from cordon.kernel.errors import BadInput

HEADER = "start,duration_s,kind,caller,callee,caller_imsi,caller_imei,caller_cell"
GOOD = "2026-01-17T08:30:00Z,35,voice,+923001234567,03217654321,410011234567890,352099001761481,K1"


def row(**given: str) -> str:
    values = dict(zip(HEADER.split(","), GOOD.split(","), strict=True)) | given
    return ",".join(values.values())


def csv_of(*rows: str, header: str = HEADER, end: str = "\n") -> bytes:
    return (end.join([header, *rows]) + end).encode()


@pytest.fixture
def put(tmp_path: Path) -> Callable[..., Path]:
    def write(data: bytes, name: str = "calls.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return write


def taken(path: Path) -> tuple[list[dict[str, object]], list[tuple[int, str]], Reading]:
    reading = read_calls(path)
    rows: list[dict[str, object]] = []
    refused: list[tuple[int, str]] = []
    for batch in reading:
        rows += batch.table.to_pylist()
        refused += [(r.row, r.reason) for r in batch.refusals]
        assert batch.read == len(batch.table) + len(batch.refusals)
    assert reading.counts.read == reading.counts.kept + reading.counts.refused
    return rows, refused, reading


def test_a_row_becomes_a_call(put: Callable[..., Path]) -> None:
    path = put(csv_of(GOOD, row(start="2026-01-17T13:30:00+05:00", kind="SMS", duration_s="")))
    rows, refused, reading = taken(path)
    assert not refused
    assert reading.counts == Counts(2, 2, 0, 0)
    assert rows[0]["caller"] == "+923001234567"
    assert rows[0]["callee"] == "+923217654321"
    assert rows[0]["row"] == 1
    assert rows[1]["row"] == 2
    assert rows[0]["sha256"] == reading.sha256 == rows[1]["sha256"]
    assert rows[0]["start"] == rows[1]["start"]
    assert rows[1]["kind"] == "sms"
    assert rows[1]["duration_s"] is None
    assert rows[0]["callee_imei"] is None


BAD = {
    "time without zone": (row(start="2026-01-17T08:30:00"), "RFC 3339"),
    "day that is none": (row(start="2026-02-30T08:30:00Z"), "RFC 3339"),
    "other order": (row(start="17/01/2026 08:30"), "RFC 3339"),
    "no time": (row(start=""), "start is missing"),
    "epoch": (row(start="1970-01-01T00:00:00Z"), "1990"),
    "no caller": (row(caller=""), "caller is missing"),
    "no callee": (row(callee=" "), "callee is missing"),
    "caller as a float": (row(caller="9.23001E+11"), "caller is in scientific notation"),
    "imei as a float": (row(caller_imei="3.52099E+14"), "caller_imei is in scientific notation"),
    "imsi as a float": (row(caller_imsi="4,1E+14".replace(",", ".")), "caller_imsi is in sci"),
    "imei cut": (row(caller_imei="35209900"), "14 to 16"),
    "a value at the end": (GOOD + ",x", "9 values where the header has 8"),
    "too few": ("2026-01-17T08:30:00Z,35", "2 values where the header has 8"),
    "negative": (row(duration_s="-5"), "negative"),
    "not finite": (row(duration_s="inf"), "no number"),
    "clock for seconds": (row(duration_s="00:01:30"), "no number"),
    "a month long": (row(duration_s="2600000"), "week"),
    "kind unknown": (row(kind="fax"), "neither voice nor sms"),
    "open quote": (row(caller_cell='"K1'), "quote"),
    "no number": (row(callee="#?!"), "no number"),
}


@pytest.mark.parametrize("trap", BAD)
def test_a_bad_row_is_refused_and_stops_no_other(trap: str, put: Callable[..., Path]) -> None:
    bad, reason = BAD[trap]
    rows, refused, reading = taken(put(csv_of(GOOD, bad, row(duration_s="7"))))
    assert [r["row"] for r in rows] == [1, 3]
    assert reading.counts == Counts(3, 2, 0, 1)
    assert refused[0][0] == 2
    assert reason in refused[0][1]
    # a refusal names the column and never what stood there: it reaches logs and reject files
    assert "92300" not in refused[0][1]
    assert "352099" not in refused[0][1]


def test_many_bad_rows_keep_their_numbers(put: Callable[..., Path]) -> None:
    rng = random.Random(5)
    lines, expected = [], {}
    for number in range(1, 4001):
        trap = rng.choice(list(BAD)) if rng.random() < 0.2 else None
        if trap == "open quote":
            trap = "a value at the end"
        lines.append(BAD[trap][0] if trap else row(duration_s=str(number)))
        expected[number] = BAD[trap][1] if trap else None
    rows, refused, _ = taken(put(csv_of(*lines)))
    assert {r["row"] for r in rows} == {n for n, why in expected.items() if why is None}
    assert all(r["duration_s"] == float(str(r["row"])) for r in rows)
    assert [n for n, _ in refused] == sorted(n for n, why in expected.items() if why)
    assert all(expected[n] in why for n, why in refused)


def test_rows_are_the_same_whatever_the_size_of_a_block(
    put: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [
        BAD["a value at the end"][0] if i % 7 == 3 else row(duration_s=str(i)) for i in range(900)
    ]
    path = put(csv_of(*lines))
    whole = taken(path)
    monkeypatch.setattr(unpacking, "BLOCK", 1000)
    monkeypatch.setattr(unpacking, "_CHUNK", 333)
    parts = taken(path)
    assert parts[:2] == whole[:2]
    assert parts[2].counts == whole[2].counts


ENCODINGS = {
    "latin-1": "latin-1",
    "utf-8 with its mark": "utf-8-sig",
    "utf-16": "utf-16",
    "utf-16 without its mark": "utf-16-le",
    "utf-16 big-endian": "utf-16-be",
    "utf-8": "utf-8",
}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_encodings(encoding: str, put: Callable[..., Path]) -> None:
    text = csv_of(
        GOOD, row(caller_cell="Qalʿat-é") if "latin" not in encoding else row(caller_cell="Café")
    ).decode()
    rows, refused, _ = taken(put(text.encode(ENCODINGS[encoding])))
    assert not refused
    assert len(rows) == 2
    assert rows[1]["caller_cell"] in ("Qalʿat-é", "Café")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends(end: str, put: Callable[..., Path]) -> None:
    rows, refused, _ = taken(put(csv_of(GOOD, GOOD, end=end)))
    assert (len(rows), refused) == (2, [])


def test_empty_lines_are_no_rows_but_count_as_lines(put: Callable[..., Path]) -> None:
    rows, refused, reading = taken(put(csv_of("", GOOD, "", "", row(duration_s="-1"), GOOD, "")))
    assert [r["row"] for r in rows] == [2, 6]
    assert [n for n, _ in refused] == [5]
    assert reading.counts.read == 3


def test_quotes_of_rfc_4180(put: Callable[..., Path]) -> None:
    two_lines = row(caller_cell='"K ""1"",\nnorth"')
    rows, refused, _ = taken(put(csv_of('"' + GOOD.replace(",", '","') + '"', two_lines, GOOD)))
    assert not refused
    assert [r["row"] for r in rows] == [1, 2, 3]
    assert rows[1]["caller_cell"] == 'K "1", north'


def test_identities_that_a_spreadsheet_touched(put: Callable[..., Path]) -> None:
    rows, refused, _ = taken(
        put(csv_of(row(caller_imei="352099001761481.0"), row(caller_imei="0"), GOOD))
    )
    assert not refused
    assert [r["caller_imei"] for r in rows] == ["352099001761481", None, "352099001761481"]


@pytest.mark.parametrize("others", ["352099001761481", ""])
def test_identities_that_a_spreadsheet_rounded_name_no_device(put, others: str) -> None:
    gone = ["352099000000000", "35209900000000", "3520990000000000", "352099000000000.0"]
    kept = ["352099010000000", "352099001761480"]
    zeros = "0" * 15
    path = put(csv_of(*(row(caller_imei=one) for one in (*gone, *kept, zeros, others))))
    rows, refused, _ = taken(path)
    assert refused == [(n, "caller_imei ends in zeros: its digits are gone") for n in (1, 2, 3, 4)]
    assert [r["caller_imei"] for r in rows] == [*kept, None, others or None]
    rows, refused, _ = taken(put(csv_of(row(caller_imsi="404450000000000"), row(caller_imsi="0"))))
    assert [why for _, why in refused] == ["caller_imsi ends in zeros: its digits are gone"]
    rows, _, _ = taken(put(csv_of(row(caller_imsi=zeros))))
    assert [r["caller_imsi"] for r in rows] == [None]


def test_one_identity_in_many_may_end_in_zeros(put) -> None:
    many = [f"35209900{n:06d}0" for n in range(11)]
    rows, refused, _ = taken(put(csv_of(*(row(caller_imei=one) for one in many))))
    assert [r["caller_imei"] for r in rows] == many
    assert not refused


def test_identities_with_a_switchs_filler_or_what_nobody_sees(put: Callable[..., Path]) -> None:
    imei, imsi = "352099001761481", "404450001386078"
    dirty = [f"{imei}F", f"{imei[:14]}F", f"\ufeff{imei}", f"{imei[:5]}\u200b{imei[5:]}\x00"]
    rows, refused, _ = taken(put(csv_of(*(row(caller_imei=one) for one in dirty))))
    assert refused == []
    assert [r["caller_imei"] for r in rows] == [imei, imei[:14], imei, imei]
    rows, refused, _ = taken(put(csv_of(row(caller_imsi=f"{imsi}F"), row(caller_imsi="40445F"))))
    assert [r["caller_imsi"] for r in rows] == [imsi]
    assert refused == [(2, "caller_imsi has not 14 to 15 digits")]


def test_handsets_as_they_are_printed(put: Callable[..., Path]) -> None:
    written = [
        "35-209900-176148-1", "352099 00 176148 1", "352099/00/176148/12", "35-209900-176148",
        "00-000000-000000-0", "35-209900-1761-1", "35-209900-x",
    ]  # fmt: skip
    rows, refused, _ = taken(put(csv_of(*(row(caller_imei=one) for one in written))))
    assert [r["caller_imei"] for r in rows] == [
        "352099001761481", "352099001761481", "3520990017614812", "35209900176148", None,
    ]  # fmt: skip
    assert refused == [(n, "caller_imei has not 14 to 16 digits") for n in (6, 7)]


@pytest.mark.parametrize("packed", ["gz", "zst"])
def test_packed_files(packed: str, put: Callable[..., Path]) -> None:
    data = csv_of(*[row(duration_s=str(i)) for i in range(500)])
    packed_data = (
        gzip.compress(data) if packed == "gz" else pa.compress(data, codec="zstd", asbytes=True)
    )
    rows, refused, reading = taken(put(packed_data, f"calls.csv.{packed}"))
    assert (len(rows), refused, reading.broken) == (500, [], None)


@pytest.mark.parametrize("packed", ["gz", "zst"])
def test_a_packed_file_that_breaks_off_gives_its_rows_up_to_there(
    packed: str, put: Callable[..., Path]
) -> None:
    rng = random.Random(3)
    data = csv_of(*[row(caller=f"+92300{rng.randrange(10**7):07d}") for i in range(40_000)])
    whole = gzip.compress(data) if packed == "gz" else pa.compress(data, codec="zstd", asbytes=True)
    rows, refused, reading = taken(put(whole[: len(whole) * 2 // 3]))
    assert 1000 < len(rows) < 40_000
    assert len(refused) <= 1
    assert reading.broken is not None
    assert "calls.csv" in reading.broken
    lines = data.splitlines()
    assert all(str(r["caller"]).encode() in lines[int(str(r["row"]))] for r in rows[-50:])


def test_a_damaged_packed_file_says_so(put: Callable[..., Path]) -> None:
    whole = bytearray(gzip.compress(csv_of(*[GOOD] * 100)))
    whole[-6] ^= 0xFF  # its check sum
    rows, _, reading = taken(put(bytes(whole)))
    assert len(rows) == 100
    assert reading.broken is not None
    assert "damaged" in reading.broken


NOTHING = {
    "empty": (b"", "empty"),
    "spreadsheet": (b"PK\x03\x04" + b"\0" * 50, "Excel"),
    "document": (b"%PDF-1.7\n", "PDF"),
    "semicolons": (csv_of(GOOD).replace(b",", b";"), "semicolons"),
    "json": (b'{"start": "2026-01-17T08:30:00Z"}\n', "JSON"),
    "no header": (csv_of(GOOD, header=GOOD), "values, not the names"),
    "other table": (b"account,bank\n1,2\n", "it has account, bank"),
    "every row shifted": (csv_of(GOOD + ",x", GOOD + ",x"), "9 values"),
    "parquet cut short": (b"PAR1" + b"\0" * 40, "Parquet"),
    "column twice": (csv_of(GOOD + ",x", header=HEADER + ",caller"), "caller twice"),
    "broken at once": (gzip.compress(csv_of(GOOD))[:12], "breaks off"),
}


@pytest.mark.parametrize("what", NOTHING)
def test_a_file_of_which_nothing_can_be_read(what: str, put: Callable[..., Path]) -> None:
    data, says = NOTHING[what]
    with pytest.raises(BadInput) as wrong:
        taken(put(data, "june.csv"))
    assert "june.csv" in wrong.value.message
    assert says in wrong.value.message
    assert "caller" in str(wrong.value)  # what was expected
    assert "92300" not in str(wrong.value)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"no file none\.csv"):
        read_calls(tmp_path / "none.csv")


def test_a_header_alone_is_a_file_without_calls(put: Callable[..., Path]) -> None:
    rows, refused, reading = taken(put(csv_of()))
    assert (rows, refused, reading.counts) == ([], [], Counts())


def test_columns_in_another_order_and_unknown_ones(put: Callable[..., Path]) -> None:
    data = csv_of(
        "x,03217654321,+923001234567,voice,2026-01-17T08:30:00Z,y",
        header="Note,Callee, caller,KIND,start,note",
    )
    rows, refused, _ = taken(put(data))
    assert not refused
    assert rows[0]["callee"] == "+923217654321"


def test_parquet_gives_the_same_calls(put: Callable[..., Path], tmp_path: Path) -> None:
    from_csv, _, _ = taken(put(csv_of(GOOD, row(callee="8171"))))
    moment = from_csv[0]["start"]
    path = tmp_path / "calls.parquet"
    pq.write_table(
        pa.table(
            {
                "start": pa.array([moment] * 3, pa.timestamp("ns", "Asia/Karachi")),
                "duration_s": pa.array([35, 35, -1]),
                "kind": ["voice"] * 3,
                "caller": pa.array([923001234567] * 3),
                "callee": ["03217654321", "8171", "8171"],
                "caller_imsi": pa.array([410011234567890.0] * 3),
                "caller_imei": pa.array([352099001761481] * 3),
                "caller_cell": ["K1"] * 3,
            }
        ),
        path,
    )
    rows, refused, _ = taken(path)
    assert refused == [(3, "duration_s is negative")]
    assert [{**r, "sha256": ""} for r in rows] == [{**r, "sha256": ""} for r in from_csv]


def test_progress_reaches_the_end(put: Callable[..., Path]) -> None:
    told: list[tuple[int, int]] = []
    path = put(csv_of(*[GOOD] * 100))
    for _ in read_calls(path, progress=lambda done, total: told.append((done, total))):
        pass
    assert told[-1] == (path.stat().st_size,) * 2


@settings(max_examples=150, deadline=None)
@given(data=st.binary(max_size=400), place=st.integers(0, 6))
def test_no_bytes_whatever_crash_the_reader(
    data: bytes, place: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("any") / "any.csv"
    lines = csv_of(*[GOOD] * 5).splitlines(keepends=True)
    lines.insert(place, data)
    path.write_bytes(b"".join(lines))
    try:
        _, _, reading = taken(path)
    except BadInput:
        return
    assert reading.counts.read >= reading.counts.kept
