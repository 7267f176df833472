"""Positions as tables: encodings, compression, faults, Parquet."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cordon.kernel.errors import BadInput
from cordon.picture.feeds.readers import open_positions
from cordon.picture.feeds.seen import Seen
from cordon.picture.model import Position
from cordon.picture.tracks import Batch

HEAD = "at,source,subject,lat,lon,speed_kn,course_deg,kind,name,colour\n"
ROW = "2026-01-17T08:30:{:02d}Z,rx,mmsi:463000001,24.5,66.{:03d},10.5,90,vessel,SEÑORA,red\n"
TEXT = HEAD + "".join(ROW.format(i % 60, i) for i in range(60))


def read(path: Path, data: bytes):
    path.write_bytes(data)
    reader = open_positions(path)
    return reader, list(reader)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("plain.csv", TEXT.encode()),
        ("mark.csv", b"\xef\xbb\xbf" + TEXT.encode()),
        ("latin.csv", TEXT.encode("latin-1")),
        ("wide.csv", TEXT.encode("utf-16")),
        ("gzip.bin", gzip.compress(TEXT.encode())),
        ("zst.bin", pa.compress(TEXT.encode(), codec="zstd", asbytes=True)),
        ("crlf.csv", TEXT.replace("\n", "\r\n").encode()),
    ],
)
def test_one_table_in_every_dress(tmp_path: Path, name: str, data: bytes) -> None:
    reader, found = read(tmp_path / name, data)
    assert reader.counts.kept == reader.counts.read == 60
    assert found[0] == Position(
        datetime(2026, 1, 17, 8, 30, tzinfo=UTC),
        "rx",
        "mmsi:463000001",
        24.5,
        66.0,
        10.5,
        90.0,
        kind="vessel",
        name="SEÑORA",
        record=found[0].record,
    )
    assert [p.record.row for p in found if p.record] == list(range(1, 61))


def test_rows_that_cannot_be_read_are_refused_one_by_one(tmp_path: Path) -> None:
    good = ROW.format(0, 1)
    rows = [
        (good, ""),
        (good.replace("Z,", ",", 1), "zone"),
        (good.replace("2026-01-17T08:30:00Z", "17/01/2026"), "RFC 3339"),
        (good.replace(",24.5,", ",95,"), "outside"),
        (good.replace(",24.5,", ",north,"), "lat is not a number"),
        (good.replace(",24.5,", ",,"), "lat is empty"),
        (good.replace("mmsi:463000001", "463000001"), "type:id"),
        (good.replace("mmsi:463000001", "mmsi:x"), "digits"),
        (good.replace(",10.5,", ",fast,"), "speed_kn"),
        (good.replace("vessel", "submarine"), "kind"),
        (good.replace("2026-", "1926-"), "between"),
        ("2026-01-17T08:30:00Z,rx\n", "fields"),
        (good, "repeat"),
        (ROW.format(1, 2), ""),
        ("2026-01-17T10:30:02+02:00,rx,mmsi:463000001,24.5,66.2,,,,,\n", ""),
    ]
    reader, found = read(tmp_path / "p.csv", (HEAD + "".join(r for r, _ in rows)).encode())
    assert [p.record.row for p in found if p.record] == [1, 14, 15]
    assert found[2].at == datetime(2026, 1, 17, 8, 30, 2, tzinfo=UTC)
    assert found[2].speed_kn is None
    assert found[2].kind == "unknown"
    assert reader.counts.repeated == 1
    refused = {r.row: r.reason for r in reader.refusals}
    for row, (_, word) in enumerate(rows, 1):
        if word and word != "repeat":
            assert word in refused[row], row
    assert len(refused) == reader.counts.refused == 11


def test_a_truncated_gzip_keeps_what_came_and_says_so(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    text = HEAD + "".join(
        f"2026-01-17T08:{i // 60 % 60:02d}:{i % 60:02d}Z,rx,mmsi:463000001,"
        f"{rng.uniform(20, 25):.6f},66,,,,,\n"
        for i in range(3600)
    )
    packed = gzip.compress(text.encode())
    reader, found = read(tmp_path / "p.csv.gz", packed[: len(packed) // 2])
    assert 500 < len(found) < 3600
    assert "breaks off" in reader.refusals[-1].reason


def test_a_header_without_required_columns_names_both(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as fault:
        read(tmp_path / "p.csv", b"Time,MMSI,Latitude,Longitude\n1,2,3,4\n")
    assert "Latitude".lower() in str(fault.value)
    assert "subject" in str(fault.value)


def test_what_is_no_table_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    for data in (
        b"",
        b"  \n",
        b"\x00\x01\x02" * 999,
        b"PAR1 but no more",
        HEAD.encode() + b"a,b\n",
    ):
        with pytest.raises(BadInput, match=r"odd\.bin"):
            read(tmp_path / "odd.bin", data)
    with pytest.raises(BadInput, match="gone"):
        open_positions(tmp_path / "gone.csv")


def test_parquet_is_read_alike(tmp_path: Path) -> None:
    at = [datetime(2026, 1, 17, 8, 30, i, tzinfo=UTC) for i in range(3)]
    columns = {
        "at": pa.array(at, pa.timestamp("us", tz="UTC")),
        "source": ["rx"] * 3,
        "subject": ["mmsi:463000001"] * 2 + ["bad"],
        "lat": [24.5] * 3,
        "lon": [66.5, 66.6, 66.7],
        "speed_kn": [10.0, None, 1.0],
        "odd": [1, 2, 3],
    }
    path = tmp_path / "positions"
    pq.write_table(pa.table(columns), path)
    reader = open_positions(path)
    found = list(reader)
    assert [(p.at, p.lon, p.speed_kn) for p in found] == [(at[0], 66.5, 10.0), (at[1], 66.6, None)]
    assert [r.row for r in reader.refusals] == [3]
    columns["at"] = pa.array([a.replace(tzinfo=None) for a in at], pa.timestamp("us"))
    pq.write_table(pa.table(columns), path)
    with pytest.raises(BadInput, match="zone"):
        list(open_positions(path))


def test_a_quote_that_never_closes_costs_its_rows_only(tmp_path: Path) -> None:
    lines = TEXT.splitlines(keepends=True)
    lines[3] = lines[3].replace("SEÑORA", '"SEÑORA')
    reader, found = read(tmp_path / "p.csv", "".join(lines).encode())
    assert [r.row for r in reader.refusals] == [3]
    assert len(found) == 59


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=400))
def test_no_bytes_after_a_header_raise_anything_but_bad_input(
    tmp_path_factory: pytest.TempPathFactory, junk: bytes
) -> None:
    path = tmp_path_factory.mktemp("t") / "p.csv"
    try:
        reader, found = read(path, HEAD.encode() + ROW.format(0, 0).encode() + junk)
    except BadInput:
        return
    c = reader.counts
    assert c.read == c.kept + c.repeated + c.refused + c.passed_over
    assert len(found) == c.kept


def _batch(n: int, seed: int) -> Batch:
    rng = np.random.default_rng(seed)
    whole = np.zeros(n, dtype=np.int64)
    nothing = np.full(n, np.nan)
    return Batch(
        "",
        ["mmsi:1"],
        ["rx"],
        whole,
        whole,
        rng.integers(0, 50, n) + 1e9,
        rng.integers(0, 5, n) * 1.0,
        rng.integers(0, 5, n) * 1.0,
        nothing,
        nothing,
        nothing,
        nothing,
        whole,
        np.arange(n),
    )


def test_repeats_are_known_as_a_set_would_know_them() -> None:
    seen, plain = Seen(), set()
    for seed in range(12):
        batch = _batch(100, seed)
        fresh = seen.new(batch)
        for i in range(100):
            key = (batch.t[i], batch.lat[i], batch.lon[i])
            assert fresh[i] == (key not in plain)
            plain.add(key)


def test_a_bounded_memory_forgets_the_oldest_only() -> None:
    seen = Seen(most=500)
    first = _batch(400, 1)
    seen.new(first)
    assert not seen.new(first).any()
    for seed in range(2, 6):
        b = _batch(400, seed)
        b.t += seed * 1e6
        seen.new(b)
        assert not seen.new(b).any()
    assert len(seen) <= 1000
    assert seen.new(first).any()


def test_a_long_memory_is_one_table_that_grows() -> None:
    seen, plain = Seen(most=10_000), set()
    for seed in range(40):
        batch = _batch(200, seed)
        fresh = seen.new(batch)
        for i in range(200):
            key = (batch.t[i], batch.lat[i], batch.lon[i])
            assert fresh[i] == (key not in plain)
            plain.add(key)
    assert len(seen) == len(plain)
