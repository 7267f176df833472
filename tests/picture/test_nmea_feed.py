"""AIS logs as they come: counts equal to pyais's, times from where they stand, no crash."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyais import FileReaderStream, IterMessages
from pyais.exceptions import MissingPayloadException

from cordon.kernel.errors import BadInput
from cordon.picture.feeds.nmea import AisDecoder
from cordon.picture.feeds.readers import open_positions
from cordon.picture.feeds.sentences import checksum, pieces, stamp

FIX = b"!AIVDM,1,1,,B,10bb7q@P0lPGHlVMhbl0Qgw>2>`<,0*7F"
SECOND = 39  # the UTC second in that report
# Logs that pyais's own file reader passes over: leading times, two sentences on a line
OUT_OF_ITS_REACH = {
    "aistest.nmea",
    "go-ais-aistest.nmea",
    "gfw-bad-type5.nmea",
    "gfw-spire-test.nmea",
}
POSITION_TYPES = {1, 2, 3, 9, 18, 19, 27}


def theirs(path: Path) -> tuple[int, list[tuple[int, float, float]]]:
    """What pyais itself decodes of a log: messages, and available positions (mmsi, lat, lon).

    It takes neither leading times, nor several sentences on a line, nor anything after a
    checksum, so these are parted first.
    """
    lines = [p.sentence for line in path.read_bytes().split(b"\n") for p in pieces(line.strip())]
    count, positions = 0, []
    for message, valid in decoded(IterMessages(lines)):
        count += 1
        if message.msg_type not in POSITION_TYPES or not valid:
            continue
        if abs(message.lat) <= 90 and abs(message.lon) <= 180:
            positions.append((message.mmsi, message.lat, message.lon))
    return count, positions


def decoded(sentences):
    for sentence in sentences:
        try:
            yield sentence.decode(), sentence.is_valid
        except MissingPayloadException:
            continue


@pytest.mark.real_data
def test_every_real_log_gives_what_pyais_gives(real_data: Path) -> None:
    logs = sorted((real_data / "ais").iterdir())
    assert len(logs) > 15
    for path in logs:
        messages, positions = theirs(path)
        if path.name not in OUT_OF_ITS_REACH:
            assert messages == sum(1 for _ in decoded(FileReaderStream(path))), path.name
        reader = open_positions(path, base_time=datetime(2026, 1, 1, tzinfo=UTC))
        try:
            ours = list(reader)
        except BadInput:
            ours = []
        counts = reader.counts
        assert counts.messages == messages, path.name
        assert counts.read == (
            counts.kept + counts.repeated + counts.refused + counts.passed_over
        ), path.name
        # with a running clock the very same report may come twice within one second
        assert counts.kept + counts.repeated + _out_of_time(reader) == len(positions), path.name
        assert {(p.subject, p.lat, p.lon) for p in ours} <= {
            (f"mmsi:{m:09d}", lat, lon) for m, lat, lon in positions
        }, path.name


def _out_of_time(reader) -> int:
    return sum("time is not between" in r.reason for r in reader.refusals)


@pytest.mark.real_data
def test_nanosecond_times_and_names_of_the_real_log(real_data: Path) -> None:
    reader = open_positions(real_data / "ais" / "go-ais-aistest.nmea")
    ours = list(reader)
    assert ours[0].at == datetime(2019, 2, 16, 7, 52, 46, 167726, tzinfo=UTC)
    assert ours[0].subject == "mmsi:044730341"
    assert ours[0].record is not None
    assert ours[0].record.sha256 == reader.sha256
    assert ours[0].record.row == 1
    assert timedelta(0) < ours[-1].at - ours[0].at < timedelta(seconds=3)
    assert sum(bool(p.name) for p in ours) >= 3


def fed(*lines: bytes, **how) -> tuple[AisDecoder, list]:
    decoder = AisDecoder("f" * 64, **how)
    for row, line in enumerate(lines, 1):
        decoder.feed(row, line)
    decoder.end()
    return decoder, list(decoder.take().positions())


def tagged(fields: bytes, sentence: bytes = FIX) -> bytes:
    return b"\\" + fields + b"*%02X\\" % checksum(fields) + sentence


def test_times_stand_in_many_places() -> None:
    at = datetime(2019, 2, 16, 7, 52, 46, tzinfo=UTC)
    for line in (
        b"1550303566 " + FIX,
        b"1550303566000 " + FIX,
        b"1550303566000000000 " + FIX,
        b"2019-02-16T07:52:46Z," + FIX,
        tagged(b"s:tower,c:1550303566"),
        tagged(b"c:1550303566000,s:tower"),
        FIX + b",r003669945,1550303566",
    ):
        _, found = fed(line)
        assert [p.at for p in found] == [at], line
    _, found = fed(tagged(b"s:tower,c:1550303566"))
    assert found[0].source == "tower"
    _, found = fed(b"$PGHP,1,2019,2,16,7,52,46,0,338,2,,1,09*17", FIX)
    assert found[0].at == at


def test_a_group_has_its_time_once() -> None:
    first, second = b"g:1-2-77,s:66,c:1550303566", b"g:2-2-77"
    _, found = fed(tagged(first), tagged(second, FIX.replace(b",B,", b",A,")[:-2] + b"7C"))
    assert len({p.at for p in found}) == 1
    assert found[0].source == "66"


def test_a_group_id_that_comes_again_has_not_the_old_time() -> None:
    decoder, found = fed(tagged(b"g:1-2-77,c:1550303566"), tagged(b"g:1-2-77"))
    assert len(found) == 1
    assert "no time" in decoder.refusals[0].reason


def test_without_a_time_it_is_refused_unless_the_caller_gives_one() -> None:
    decoder, found = fed(FIX)
    assert not found
    assert "no time" in decoder.refusals[0].reason
    base = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
    _, found = fed(FIX, base_time=base.timestamp())
    assert abs((found[0].at - base).total_seconds()) <= 30
    assert found[0].at.second == SECOND


def test_a_base_station_sets_the_clock_of_a_log_without_times() -> None:
    station = b"!AIVDM,1,1,,A,402M??AvAPP000h0MJR07Ug02H0I,0*10"
    decoder, found = fed(station, FIX)
    assert not decoder.refusals
    assert found[0].at.second == SECOND
    assert found[0].at.year > 2000


def test_broken_lines_are_refused_with_their_row() -> None:
    decoder, found = fed(
        b"# a comment",
        b"",
        b"1550303566 " + FIX[:-2] + b"00",
        b"foobar",
        b"!AIVDM,1,1,,B,10bb7q",
        b"1550303566 " + FIX,
        b"!AIVDM,2,2,3,A,8880,0*1D",
        b"\xff\xfe!AIVDM,1,1,,B,\xff,0*00",
        b"!" * 70_000,
    )
    assert len(found) == 1
    assert [r.row for r in decoder.refusals] == [3, 4, 5, 7, 8, 9]
    assert "checksum" in decoder.refusals[0].reason
    assert decoder.counts.read == 7


def test_not_available_positions_are_refused_and_values_are_none() -> None:
    from pyais import encode_dict

    def line(**data) -> bytes:
        return b"1550303566 " + encode_dict(data, radio_channel="A")[0].encode()

    decoder, found = fed(
        line(type=1, mmsi=463000001, lat=91.0, lon=181.0, speed=5, course=10),
        line(type=1, mmsi=463000001, lat=24.5, lon=66.5, speed=102.3, course=360, heading=511),
        line(type=18, mmsi=463000002, lat=24.5, lon=66.6, speed=7.5, course=45.5, heading=46),
        line(type=27, mmsi=463000003, lat=24.5, lon=66.7, speed=63, course=511),
        line(type=9, mmsi=111463001, lat=24.5, lon=66.8, speed=150, course=90),
    )
    assert [r.row for r in decoder.refusals] == [1]
    assert [(p.speed_kn, p.course_deg, p.heading_deg) for p in found] == [
        (None, None, None),
        (7.5, 45.5, 46.0),
        (None, None, None),
        (150.0, 90.0, None),
    ]
    assert [p.kind for p in found] == ["vessel", "vessel", "vessel", "aircraft"]


def test_names_come_from_static_messages() -> None:
    from pyais import encode_dict

    name = encode_dict(
        {
            "type": 5,
            "mmsi": 463000001,
            "shipname": "SEA STAR",
            "imo": 9074729,
            "ship_type": 70,
            "callsign": "APAB",
        },
        seq_id=1,
    )
    fix = encode_dict({"type": 1, "mmsi": 463000001, "lat": 24.5, "lon": 66.5})
    lines = [b"1550303566 " + s.encode() for s in (*name, *fix)]
    decoder, found = fed(*lines)
    assert decoder.counts.refused == 0
    assert (found[0].name, found[0].imo, found[0].call_sign, found[0].ship_type) == (
        "SEA STAR",
        "9074729",
        "APAB",
        "70",
    )


def test_a_flood_of_first_halves_fills_nothing() -> None:
    decoder = AisDecoder()
    for n in range(5_000):
        talker = b"%c%c" % (65 + n % 26, 65 + n // 26 % 26)
        body = b"%sVDM,2,1,%d,A,53l3sj42A590" % (talker, n % 10)
        decoder.feed(n + 1, b"!" + body + b",0*%02X" % checksum(body + b",0"))
    assert len(decoder._pending) <= 512
    assert decoder.counts.refused == 5_000 - len(decoder._pending)
    decoder.end()
    assert decoder.counts.refused == 5_000


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=120),
            st.builds(
                lambda cut, junk: FIX[:cut] + junk + FIX[cut:],
                st.integers(0, len(FIX)),
                st.binary(max_size=6),
            ),
            st.builds(
                lambda a, b: b"\\" + a + b"\\" + FIX + b, st.binary(max_size=30), st.binary()
            ),
            st.builds(
                lambda c, n, s, p: b"!AIVDM,%d,%d,%d,A,%s,0*00" % (c, n, s, p),
                st.integers(0, 12),
                st.integers(0, 12),
                st.integers(0, 9),
                st.binary(max_size=30),
            ),
        ),
        max_size=12,
    )
)
def test_no_line_raises_and_every_line_is_counted(lines: list[bytes]) -> None:
    decoder, found = fed(*lines, base_time=1.7e9)
    c = decoder.counts
    assert c.read == c.kept + c.repeated + c.refused + c.passed_over
    assert len(found) == c.kept
    assert all(-90 <= p.lat <= 90 and -180 <= p.lon <= 180 for p in found)


@given(st.binary(max_size=200))
def test_the_folded_checksum_is_the_exclusive_or(body: bytes) -> None:
    plain = 0
    for byte in body:
        plain ^= byte
    assert checksum(body) == plain


def test_stamps_of_every_scale() -> None:
    assert stamp(b"1550303566.5") == 1550303566.5
    assert stamp(b"1550303566500") == 1550303566.5
    assert stamp(b"1550303566500000") == 1550303566.5
    assert stamp(b"1550303566500000000") == 1550303566.5
    assert stamp(b"2019-02-16T07:52:46") is None  # it names no zone
    assert stamp(b"soon") is None
