"""AIS in bulk gives to the last bit what the careful reader gives, on real logs and on junk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyais import encode_dict

from cordon.picture.feeds import aiskernel
from cordon.picture.feeds.bulk import BulkDecoder, static_of
from cordon.picture.feeds.nmea import AisDecoder
from cordon.picture.feeds.sentences import checksum
from cordon.picture.tracks import COLUMNS, Batch

assert aiskernel  # loaded first: small blocks go the careful way until it is
AT = 1_772_000_000.0


def told(decoder: AisDecoder, batch: Batch) -> dict:
    found = {c: getattr(batch, c) for c in COLUMNS if c not in ("subject", "source")}
    found["subject"] = [batch.subjects[i] for i in batch.subject]
    found["source"] = [batch.sources[i] for i in batch.source]
    found["counts"], found["refusals"] = decoder.counts, decoder.refusals
    found["static"], found["said"] = decoder.static, batch.said
    return found


def both(data: bytes, received: float | None = None, base: float | None = None, cut: int = 0):
    """What the careful reader and the bulk reader tell of the same lines."""
    careful = AisDecoder("a" * 64, base_time=base)
    lines = data.split(b"\n")
    for row, line in enumerate(lines, 1):
        careful.feed(row, line, received)
    careful.end()
    bulk = BulkDecoder("a" * 64, base_time=base)
    first = 1
    for block in (b"\n".join(lines[:cut]) + b"\n", b"\n".join(lines[cut:])) if cut else (data,):
        first += bulk.feed_block(block, first, received)
    bulk.end()
    return told(careful, careful.take()), told(bulk, bulk.take())


def same(one: dict, other: dict, name: str = "") -> None:
    for key, value in one.items():
        if isinstance(value, np.ndarray):
            assert value.dtype == other[key].dtype, (name, key)
            assert np.array_equal(value, other[key], equal_nan=value.dtype.kind == "f"), (name, key)
        else:
            assert value == other[key], (name, key)


@pytest.mark.real_data
def test_bulk_equals_care_on_every_real_log(real_data: Path) -> None:
    kept = 0
    for path in sorted((real_data / "ais").iterdir()):
        data = path.read_bytes()
        for received, base in ((None, None), (AT, None), (None, AT)):
            for cut in (0, data.count(b"\n") // 2):
                one, other = both(data, received, base, cut)
                same(one, other, path.name)
                kept += one["counts"].kept
    assert kept > 5_000


def sentence(**data) -> list[bytes]:
    how = {"radio_channel": data.pop("channel", "A"), "seq_id": data.pop("seq_id", 1)}
    return [s.encode() for s in encode_dict(data, **how)]


FIX = sentence(type=1, mmsi=463000001, lat=24.5, lon=66.5, speed=12.3, course=45.5, heading=46)
TYPES = [
    FIX,
    sentence(type=1, mmsi=463000001, lat=91.0, lon=181.0),
    sentence(type=3, mmsi=0, lat=-24.5, lon=-66.5, speed=102.3, course=360, heading=511),
    sentence(type=4, mmsi=4630001, year=2026, month=3, day=6, hour=12, minute=5, second=6),
    sentence(type=11, mmsi=4630001, year=0, month=0, day=0, hour=24, minute=60, second=60),
    sentence(
        type=5, mmsi=463000001, shipname="SEA  STAR", imo=9074729, ship_type=70, callsign="AP@B"
    ),
    sentence(type=5, mmsi=463000001, shipname="OTHER", imo=0, ship_type=26, callsign="X"),
    sentence(type=9, mmsi=111463001, lat=24.5, lon=66.8, speed=150, course=90),
    sentence(type=18, mmsi=463000002, lat=24.5, lon=66.6, speed=7.5, course=45.5, heading=46),
    sentence(type=19, mmsi=463000002, lat=24.5, lon=66.6, speed=7.5, shipname="LAUNCH"),
    sentence(type=21, mmsi=993000002, name="BUOY", lat=24.5, lon=66.6, aid_type=1),
    sentence(type=24, mmsi=463000002, partno=0, shipname="DHOW 7"),
    sentence(type=24, mmsi=463000002, partno=1, ship_type=36, callsign="AB1"),
    sentence(type=24, mmsi=982463000, partno=1, callsign="AB1", mothership_mmsi=463000001),
    sentence(type=27, mmsi=463000003, lat=24.5, lon=66.7, speed=63, course=511),
    sentence(type=8, mmsi=463000001, dac=1, fid=31, data=b"\x01\x02\x03\x04"),
    sentence(type=14, mmsi=463000001, text="SART TEST"),
]
WRAPPERS = [
    lambda s: s,
    lambda s: b"1550303566 " + s,
    lambda s: b"1550303566167726336 " + s,
    lambda s: b"1550303566.5 " + s,
    lambda s: b"  " + s + b" \r",
    lambda s: tagged(b"s:tower,c:1550303566", s),
    lambda s: tagged(b"c:1550303566123", s),
    lambda s: tagged(b"s:,n:5", s),
    lambda s: tagged(b"g:1-2-77,s:66,c:1550303566", s),
    lambda s: tagged(b"g:2-2-77", s),
    lambda s: b"\\s:x*00\\" + s,
    lambda s: b"$PGHP,1,2019,2,16,7,52,46,0,338,2,,1,09*17\n" + s,
    lambda s: s + b",r003669945,1550303566",
    lambda s: s[:-2] + b"00",
    lambda s: s.lower(),
    lambda s: s[:30] + s[31:],
    lambda s: s.replace(b"AIVDM", b"BSVDO"),
    lambda s: s + b" " + s,
]


def tagged(fields: bytes, s: bytes) -> bytes:
    return b"\\" + fields + b"*%02X\\" % checksum(fields) + s


def resummed(s: bytes) -> bytes:
    """A sentence that was changed, with the checksum that fits it now."""
    body = s[1:].partition(b"*")[0]
    return b"!" + body + b"*%02X" % checksum(body)


lines = st.builds(
    lambda some, wrap: b"\n".join(wrap(s) for s in some),
    st.sampled_from(TYPES),
    st.sampled_from(WRAPPERS),
)
mutated = st.builds(
    lambda s, at, byte: resummed(s[: at % len(s)] + bytes([byte]) + s[at % len(s) + 1 :]),
    st.sampled_from([s for some in TYPES for s in some]),
    st.integers(14, 80),
    st.integers(33, 126),
)
payloads = st.builds(
    lambda first, rest, fill: resummed(b"!AIVDM,1,1,,A,%s%s,%d*" % (first, rest.encode(), fill)),
    st.sampled_from([b"%c" % c for c in b"0123459:;ABEHILMKw"]),
    st.text("0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVW`abcdefghijklmnopqrstuvw", max_size=72),
    st.integers(0, 6),
)


@settings(max_examples=250, deadline=None)
@given(
    st.lists(st.one_of(lines, mutated, payloads, st.binary(max_size=60)), max_size=14),
    st.sampled_from([None, AT]),
    st.sampled_from([None, AT]),
    st.integers(0, 5),
)
def test_bulk_equals_care_on_made_lines(some, received, base, cut) -> None:
    same(*both(b"\n".join(some), received, base, cut))


def test_a_group_of_sentences_in_bulk() -> None:
    first, second = TYPES[5]
    data = b"\n".join(
        (
            tagged(b"g:1-2-9,s:tower,c:1550303566", first),
            tagged(b"g:2-2-9", second),
            tagged(b"s:tower,c:1550303567", FIX[0]),
        )
    )
    one, other = both(data)
    same(one, other)
    assert other["counts"].kept == 1
    assert other["static"]["mmsi:463000001"].name == "SEA STAR"
    assert other["source"] == ["tower"]


def test_the_same_names_are_read_once(monkeypatch) -> None:
    read = []
    monkeypatch.setattr(
        "cordon.picture.feeds.bulk.static_of",
        lambda payload, message: read.append(message) or static_of(payload, message),
    )
    names, other = b"\n".join(TYPES[5]) + b"\n", b"\n".join(TYPES[6]) + b"\n"
    bulk = BulkDecoder()
    bulk.feed_block(names * 50 + other + names, received=AT)
    assert len(read) == 3
    assert bulk.static["mmsi:463000001"].name == "SEA STAR"
    assert bulk.counts.messages == 52


def test_a_feed_without_end_remembers_so_many_subjects() -> None:
    bulk = BulkDecoder(most=100)
    for n in range(40):
        some = []
        for i in range(10):
            who = 463000000 + 10 * n + i
            some += sentence(type=1, mmsi=who, lat=24.5, lon=66.5 + i / 100)
            some += sentence(type=24, mmsi=who, partno=0, shipname=f"N {who}")
        bulk.feed_block(b"\n".join(some), received=AT + n)
        batch = bulk.take()
        assert len(batch) == 10
        assert {batch.subjects[i] for i in batch.subject} == {
            f"mmsi:{463000000 + 10 * n + i}" for i in range(10)
        }
    assert len(bulk.subjects) <= 110
    assert len(bulk.static) == 100
    assert bulk.static["mmsi:463000399"].name == "N 463000399"
