"""Cursor on Target: who and what an event tells, whatever comes with it, and however it is cut."""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cordon.kernel.errors import BadInput
from cordon.picture.feeds.cot import MOST_BYTES
from cordon.picture.feeds.cotreader import CotDecoder, kept_line
from cordon.picture.feeds.cotstream import CotStream, Piece
from cordon.picture.feeds.readers import open_positions
from support.traced import apart, cut_stream

AT = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)


def xml(
    uid: str = "PB-07",
    kind: str = "a-f-S-X",
    lat: object = 24.75,
    lon: object = 66.5,
    detail: str = '<contact callsign="PATROL 7"/><track speed="5.144444" course="271.5"/>',
    ce: object = 12.5,
    time: str = "2026-03-06T12:00:00.000Z",
) -> bytes:
    return (
        f'<event version="2.0" uid="{uid}" type="{kind}" time="{time}" start="{time}" '
        f'stale="2026-03-06T12:05:00Z" how="m-g">\n'
        f'  <point lat="{lat}" lon="{lon}" hae="0" ce="{ce}" le="9999999.0"/>\n'
        f"  <detail>{detail}</detail>\n</event>"
    ).encode()


def tagged(number: int, value: bytes | float | int) -> bytes:
    """One field of a message as proto3 writes it."""
    if isinstance(value, float):
        return varint(number << 3 | 1) + struct.pack("<d", value)
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def tak(uid: bytes = b"PB-07", kind: bytes = b"a-f-S-X", lat: float = 24.75, **more) -> bytes:
    contact = tagged(2, tagged(1, b"10.0.0.7:4242:tcp") + tagged(2, b"PATROL 7"))
    track = tagged(7, tagged(1, 5.144444) + tagged(2, 271.5))
    event = (
        tagged(1, kind)
        + tagged(5, uid)
        + tagged(6, int(AT.timestamp() * 1000))
        + tagged(9, b"m-g")
        + tagged(10, lat)
        + tagged(11, 66.5)
        + tagged(13, 12.5)
        + tagged(15, contact + track)
    )
    return tagged(1, tagged(1, 1)) + tagged(2, event)


def streamed(message: bytes) -> bytes:
    return b"\xbf" + varint(len(message)) + message


def taken(*pieces: Piece) -> tuple[CotDecoder, list]:
    decoder = CotDecoder("a" * 64, None, None)
    decoder.pieces(pieces)
    return decoder, list(decoder.take().positions())


def read(data: bytes, size: int = 1 << 20) -> tuple[CotDecoder, list]:
    stream = CotStream()
    pieces = []
    for at in range(0, len(data), size):
        pieces += stream.feed(data[at : at + size])
        assert stream.held <= 2 * MOST_BYTES
    return taken(*pieces, *stream.end())


def test_an_event_tells_who_where_and_when() -> None:
    for data in (xml(), streamed(tak())):
        decoder, (p,) = read(data)
        assert decoder.counts.refused == 0
        assert (p.at, p.subject, p.kind, p.name) == (AT, "unit:PB-07", "vessel", "PATROL 7")
        assert (p.lat, p.lon, p.accuracy_m, p.course_deg) == (24.75, 66.5, 12.5, 271.5)
        assert p.speed_kn == pytest.approx(10.0, abs=1e-5)
        assert p.record is not None


@pytest.mark.parametrize(
    ("uid", "kind", "subject", "what"),
    [
        ("PB-07", "a-f-S-X", "unit:PB-07", "vessel"),
        ("PB-07", "a-f-G-U-C", "unit:PB-07", "person"),
        ("T-1", "a-f-G-E-V", "unit:T-1", "vehicle"),
        ("H-1", "a-f-A-M-H", "unit:H-1", "aircraft"),
        ("own-uav", "a-f-A-M-H-Q", "unit:own-uav", "aircraft"),
        ("x9", "a-u-A-M-H-Q", "drone:x9", "aircraft"),
        ("x9", "a-h-A-M-F-Q-r", "drone:x9", "aircraft"),
        ("x9", "a-n-A-C-F", "track:x9", "aircraft"),
        ("c-4", "a-u-G-E-V-C", "track:c-4", "vehicle"),
        ("g-7", "a-u-G-E-S", "sensor:g-7", "unknown"),
        ("MMSI-366892000", "a-n-S-X-M", "mmsi:366892000", "vessel"),
        ("AIS.366892000", "a-u-S", "mmsi:366892000", "vessel"),
        ("ICAO-a1b2c3", "a-n-A-C", "icao:A1B2C3", "aircraft"),
        ("sub", "a-h-U", "track:sub", "vessel"),
        ("q", "a-u-G", "track:q", "unknown"),
    ],
)
def test_whose_report_it_is(uid: str, kind: str, subject: str, what: str) -> None:
    for data in (xml(uid, kind), streamed(tak(uid.encode(), kind.encode()))):
        _, (p,) = read(data)
        assert (p.subject, p.kind) == (subject, what)


def test_what_is_nowhere_is_passed_over() -> None:
    decoder, found = read(xml(kind="b-t-f") + xml(kind="t-x-takp-v") + streamed(tagged(1, b"")))
    assert not found
    assert (decoder.counts.read, decoder.counts.passed_over, decoder.counts.refused) == (3, 3, 0)


@pytest.mark.real_data
def test_real_events_are_sound(real_data: Path) -> None:
    files = sorted((real_data / "cot").rglob("*chat.xml")) + sorted(
        (real_data / "cot/geo").iterdir()
    )
    assert len(files) == 7
    for path in files:
        reader = open_positions(path)
        assert list(reader) == []
        assert (reader.counts.read, reader.counts.passed_over) == (1, 1)
    # and as atoms they would be where they say
    data = b"".join(f.read_bytes() for f in files).replace(b'type="b-t-f"', b'type="a-f-G-U-C"')
    _, found = read(data, 100)
    assert len(found) == 7
    assert {(p.lat, p.lon) for p in found} == {(0.0, 0.0), (10.0, 20.0)}


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 1 << 20])
def test_it_does_not_matter_how_a_stream_is_cut(size: int) -> None:
    data = (
        b"\xef\xbb\xbf<?xml version='1.0'?>\n"
        + xml("one")
        + b"\n\n<!-- an <event> in a comment -->"
        + streamed(tak(b"two"))
        + b"  "
        + xml("three", detail="<remarks><![CDATA[ </event> <event ]]></remarks>")
        + b"<event/>"
        + xml("four", detail="<!-- </event> -->")
        + streamed(tak(b"five"))
        + xml("six")
    )
    decoder, found = read(data, size)
    names = [p.subject for p in found]
    assert names == [f"unit:{n}" for n in ("one", "two", "three", "four", "five", "six")]
    assert [r.reason for r in decoder.refusals] == ["the event has no point"]
    assert found[2].record.row == 1 + data[: data.index(b'uid="three"')].count(b"\n")


BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 '
    b'"&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;"><!ENTITY lol3 "&lol2;&lol2;&lol2;&lol2;">]>'
)


def test_document_types_and_entities_are_refused_and_what_follows_is_read() -> None:
    wanted = b'<!DOCTYPE event SYSTEM "file:///etc/passwd">'
    for prolog in (BOMB, wanted, b"<!ENTITY x 'y'>"):
        data = prolog + xml("bad", detail="<remarks>&lol3;</remarks>") + xml("good")
        decoder, found = read(data, 50)
        assert [p.subject for p in found] == ["unit:good"]
        reasons = [r.reason for r in decoder.refusals]
        assert reasons[0] == "document types and entities are not taken"
        assert "entity" in reasons[-1]


OPEN = {
    "comment": b"<!-- note",
    "comment behind a dash": b"<!-- a -- note -",
    "document type": b"<!DOCTYPE a [ ",
    "document type without parts": b"<!DOCTYPE a ",
    "entity": b"<!ENTITY x '",
    "comment in the declaration": b'<?xml version="1.0" <!-- ?>',
}


@pytest.mark.parametrize("size", [1, 13, 1 << 20])
@pytest.mark.parametrize("name", OPEN)
def test_what_does_not_end_costs_one_refusal_and_never_the_feed(name: str, size: int) -> None:
    names = [f"unit:n{n}" for n in range(40)]
    good = [xml(n[5:], detail="<!-- a --><remarks/>") for n in names]
    for data in (OPEN[name] + b"".join(good), good[0] + OPEN[name] + b"\n".join(good[1:])):
        decoder, found = read(data, size)
        assert [p.subject for p in found] == names
        assert decoder.counts.refused == 1
        wrong = "comment that does not end" if "comment" in name else "document types"
        assert wrong in decoder.refusals[0].reason
    # inside an event that one is refused, and what follows is read
    inside = good[0].replace(b"<detail>", b"<detail>" + OPEN[name])
    decoder, found = read(inside + b"".join(good[1:]), size)
    assert [p.subject for p in found][-38:] == names[2:]
    assert 1 <= decoder.counts.refused <= 2


@pytest.mark.parametrize("name", OPEN)
def test_what_does_not_end_is_not_held_and_a_feed_goes_on_at_once(name: str) -> None:
    stream = CotStream()
    stream.feed(xml("a") + OPEN[name] + xml("b"))
    _, found = taken(*stream.feed(xml("c")))
    assert [p.subject for p in found] in (["unit:c"], ["unit:b", "unit:c"])
    stream.feed(OPEN[name])
    for _ in range(300):
        stream.feed(b"x" * 1000)
        assert stream.held <= 1100
    assert [p.subject for p in taken(*stream.feed(xml("d")))[1]] == ["unit:d"]


@pytest.mark.parametrize("size", [1, 5, 1 << 20])
def test_a_comment_may_name_an_event_and_one_that_holds_a_whole_one_is_refused(size: int) -> None:
    named = b"<!-- an <event> and <event/> -- here -->" + streamed(tak(b"one"))
    decoder, found = read(named + xml("two"), size)
    assert [p.subject for p in found] == ["unit:one", "unit:two"]
    assert decoder.counts.refused == 0
    for end in (xml("two"), b""):
        decoder, found = read(xml("one") + b"<!-- " + xml("quoted") + b" -->" + end, size)
        assert "unit:quoted" not in [p.subject for p in found]
        assert len(found) == 1 + bool(end)
        assert [r.reason[:10] for r in decoder.refusals] == ["a comment "]


@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_an_event_whose_comment_quotes_others_is_read(size: int) -> None:
    quotes = (
        "<!-- was " + xml("quoted").decode() + " -->",
        "<!-- " + "</event> " * 30 + "-->",
        "<remarks><![CDATA[" + xml("quoted").decode() * 2 + "]]></remarks>",
    )
    for quote in quotes:
        decoder, found = read(xml("one", detail=quote) + xml("two"), size)
        assert [p.subject for p in found] == ["unit:one", "unit:two"]
        assert decoder.counts.refused == 0
        # where the event itself is wrong, what it quotes is none
        decoder, found = read(xml("one", lat="north", detail=quote) + xml("two"), size)
        assert [p.subject for p in found] == ["unit:two"]
        assert ["lat" in r.reason for r in decoder.refusals] == [True]


@pytest.mark.parametrize("size", [1, 7, 1 << 20])
@pytest.mark.parametrize("opened", ["<!-- note", "<remarks><![CDATA[ note"])
def test_what_does_not_end_in_an_event_costs_that_one_alone(opened: str, size: int) -> None:
    good = [xml(f"n{n}") for n in range(9)]
    cut = xml("cut", detail=opened)
    for data, names in (
        (good[0] + cut + b"".join(good[1:]), range(9)),
        (good[0] + cut + good[1], (0, 1)),  # and the stream ends
    ):
        decoder, found = read(data, size)
        assert [p.subject for p in found] == [f"unit:n{n}" for n in names]
        assert [r.reason for r in decoder.refusals] == ["the event is cut short"]


@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_a_comment_that_does_not_end_takes_no_message_with_it(size: int) -> None:
    names = [b"m%d" % n for n in range(30)]
    for opened in (b"<!-- note", "<!-- نوٹ ؟ ¿qué? ".encode(), b"<!-- \xbfQue\xbf "):
        data = xml("one") + opened + b"".join(streamed(tak(n)) for n in names) + xml("two")
        decoder, found = read(data, size)
        wanted = ["one", *(n.decode() for n in names), "two"]
        assert [p.subject for p in found] == [f"unit:{n}" for n in wanted]
        assert [r.reason[:10] for r in decoder.refusals] == ["a comment "]
    # and one that ends is passed over as a whole
    decoder, found = read(b"<!-- \xbfQue\xbf? \xbf -->" + xml("one"), size)
    assert [p.subject for p in found] == ["unit:one"]
    assert decoder.counts.refused == 0


def test_a_file_that_ends_in_a_comment_says_so() -> None:
    decoder, found = read(xml("one") + b"<!-- note")
    assert len(found) == 1
    assert "comment that does not end" in decoder.refusals[0].reason


@pytest.mark.parametrize("space", [b"", b" "])
def test_an_event_that_is_too_large_ends_as_any(space: bytes) -> None:
    huge = xml("h", detail="x" * (2 << 20))[:-1] + space + b">"
    for size in (65_536, 1 << 22):
        _, found = read(huge + xml("two")[:-1] + space + b">" + xml("three"), size)
        assert [p.subject for p in found] == ["unit:two", "unit:three"]


def test_a_detail_of_ten_megabytes_is_refused_and_not_held() -> None:
    huge = xml("huge", detail="<remarks>" + "x" * (10 << 20) + "</remarks>")
    data = xml("before") + huge + xml("after") + streamed(tak(b"m")[:9] + bytes(2 << 20)) + xml("z")
    found, most, peak = apart(cut_stream, data, 65_536)
    decoder, positions = taken(*found)
    assert [p.subject for p in positions] == ["unit:before", "unit:after", "unit:z"]
    assert [r.reason for r in decoder.refusals] == ["the event has more than 1 MB"] * 2
    assert most <= MOST_BYTES + 65_536
    assert peak < 8 << 20
    # as one piece, too
    decoder, positions = taken(*CotStream().feed(data))
    assert len(positions) == 3


def test_a_deep_event_and_one_of_many_false_ends_are_given_up() -> None:
    deep = xml("deep", detail="<a>" * 40_000 + "</a>" * 40_000)
    ends = xml("ends", detail="<!--" + "</event>" * 20_000 + "-->")
    decoder, found = read(deep + ends + xml("good"))
    assert [p.subject for p in found][-1] == "unit:good"
    assert decoder.counts.refused >= 2
    assert "in one another" in decoder.refusals[0].reason


def test_a_sender_that_begins_anew_in_the_middle_loses_one() -> None:
    data = xml("one") + xml("cut")[:90] + xml("two") + xml("three") + xml("last")[:-9]
    decoder, found = read(data, 33)
    assert [p.subject for p in found] == ["unit:one", "unit:two", "unit:three"]
    assert [r.reason for r in decoder.refusals] == ["the event is cut short"] * 2


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (xml(lat="north"), "lat is not a number"),
        (xml(lat="91"), "outside"),
        (xml(lon="nan"), "outside"),
        (xml(time="2026-03-06T12:00:00"), "not RFC 3339"),
        (xml(time="1970-01-01T00:00:00Z"), "between 1980 and 2100"),
        (xml(uid=""), "uid"),
        (xml(uid="x" * 200), "uid"),
        (xml(kind="a-f-<"), "not well-formed"),
        (xml(kind=""), "type"),
        (xml().replace(b"<point", b"<spot"), "no point"),
        (xml().replace(b"</detail>", b""), "not well-formed"),
        (streamed(tak()[:-3]), "not TAK protocol"),
        (streamed(b"\xff\xff\xff"), "not TAK protocol"),
        (b"\xbf" + b"\xff" * 11, "not TAK protocol"),
    ],
)
def test_a_broken_event_is_refused_with_its_reason(event: bytes, reason: str) -> None:
    decoder, found = read(xml("first") + b"\n" + event + xml("last"))
    assert [p.subject for p in found] == ["unit:first", "unit:last"]
    assert len(decoder.refusals) == 1
    assert reason in decoder.refusals[0].reason


def test_datagrams_hold_one_event_each() -> None:
    stream = CotStream()
    mesh = b"\xbf" + varint(1) + b"\xbf" + tak(b"mesh")
    pieces = [*stream.datagram(xml("xml")), *stream.datagram(mesh), *stream.datagram(xml("c")[:40])]
    pieces += stream.datagram(b"") + stream.datagram(b"\xbf") + stream.datagram(xml("after"))
    decoder, found = taken(*pieces)
    assert [p.subject for p in found] == ["unit:xml", "unit:mesh", "unit:after"]
    assert decoder.counts.refused == 2


def test_a_kept_moment_reads_as_the_stream_did(tmp_path: Path) -> None:
    data = xml("one") + streamed(tak(b"two")) + xml("bad", lat="x") + xml("b-t", kind="b-t-f")
    pieces = CotStream().feed(data)
    moment = b"# cordon: received 2026-03-06T12:00:01Z from feed 7\n" + b"".join(
        map(kept_line, pieces)
    )
    decoder = CotDecoder("a" * 64, None, None)
    assert decoder.feed_block(moment) == 5
    streamed_, found = taken(*pieces)
    again = list(decoder.take().positions())
    assert [p.subject for p in again] == [p.subject for p in found] == ["unit:one", "unit:two"]
    assert decoder.counts == streamed_.counts
    assert [p.record.row for p in again] == [2, 3]
    path = tmp_path / "moment"
    path.write_bytes(moment)
    reader = open_positions(path)
    assert [p.subject for p in reader] == ["unit:one", "unit:two"]
    (tmp_path / "raw").write_bytes(data)
    assert [p.subject for p in open_positions(tmp_path / "raw")] == ["unit:one", "unit:two"]
    (tmp_path / "none.xml").write_bytes(b"<?xml version='1.0'?><types><cot/></types>")
    with pytest.raises(BadInput, match="no report"):
        list(open_positions(tmp_path / "none.xml"))


PIECES = st.one_of(
    st.binary(max_size=40),
    st.builds(lambda at: xml()[: at % 400], st.integers(0, 399)),
    st.builds(lambda at: streamed(tak())[:at], st.integers(0, 120)),
    st.builds(
        lambda at, junk: xml()[:at] + junk + xml()[at:], st.integers(0, 380), st.binary(max_size=9)
    ),
    st.builds(
        lambda at, junk: streamed(tak()[:at] + junk + tak()[at:]),
        st.integers(0, 130),
        st.binary(max_size=9),
    ),
    st.sampled_from(
        [
            *(xml(), streamed(tak()), b"<event>", b"</event>", b"<!--", b"-->", BOMB, b"\xbf"),
            *OPEN.values(),
        ]
    ),
    st.builds(xml, uid=st.text(max_size=9), detail=st.text("<>/ae!-[]", max_size=30)),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(PIECES, max_size=8), st.integers(1, 300))
def test_no_bytes_stop_a_reader_or_grow_it(some: list[bytes], size: int) -> None:
    data = b"".join(some)
    decoder, found = read(data, size)
    c = decoder.counts
    assert c.read == c.kept + c.repeated + c.refused + c.passed_over
    assert len(found) == c.kept
    # and however it is cut, the same comes out
    again, same = read(data)
    assert [(p.subject, p.lat, p.at) for p in same] == [(p.subject, p.lat, p.at) for p in found]
    assert again.counts == c


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_no_datagram_stops_a_reader(data: bytes) -> None:
    stream = CotStream()
    taken(*stream.datagram(data), *stream.datagram(b"\xbf\x01\xbf" + data))
    assert stream.held == 0
