"""Reports of radars, sensors, cameras and drones as JSON: whose they are, and what is refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cordon.kernel.errors import BadInput
from cordon.picture.feeds.readers import open_positions
from cordon.picture.feeds.reports import MOST_BYTES, ReportDecoder

AT = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
PLACE = {"at": "2026-03-06T12:00:00Z", "lat": 24.75, "lon": 66.5}


def read(*lines: object, received: float | None = None) -> tuple[ReportDecoder, list]:
    decoder = ReportDecoder("a" * 64, None, None)
    text = b"\n".join(x if isinstance(x, bytes) else orjson.dumps(x) for x in lines)
    decoder.feed_block(text, 1, received)
    return decoder, list(decoder.take().positions())


def reasons(decoder: ReportDecoder) -> list[tuple[int, str]]:
    return [(r.row, r.reason) for r in decoder.refusals]


@pytest.mark.parametrize(
    ("report", "subject", "source", "kind"),
    [
        ({"report": "radar", "source": "KHI-2", "id": 881}, "radar:KHI-2/881", "KHI-2", "unknown"),
        ({"report": "radar", "id": "9", "kind": "vessel"}, "radar:reports/9", "reports", "vessel"),
        ({"report": "sensor", "id": "g-7", "kind": "person"}, "sensor:g-7", "g-7", "person"),
        ({"report": "camera", "source": "cam-3", "id": 12}, "track:cam-3/12", "cam-3", "unknown"),
        ({"report": "drone", "id": "D4", "source": "rf-1"}, "drone:D4", "rf-1", "aircraft"),
        ({"subject": "unit:pb-07", "kind": "vessel"}, "unit:pb-07", "reports", "vessel"),
        ({"report": "radar", "id": 1, "subject": "radar:K/1"}, "radar:K/1", "reports", "unknown"),
    ],
)
def test_whose_report_it_is(report: dict, subject: str, source: str, kind: str) -> None:
    decoder, (p,) = read({**report, **PLACE})
    assert not decoder.refusals
    assert (p.subject, p.source, p.kind, p.at) == (subject, source, kind, AT)
    assert p.record.row == 1


def test_numbers_and_names_are_those_of_the_format() -> None:
    more = {"speed_kn": 12.5, "course_deg": 360, "heading_deg": "45", "accuracy_m": 30}
    _, (p,) = read({"subject": "mmsi:463000001", "name": "SEA STAR", **more, **PLACE})
    assert (p.speed_kn, p.course_deg, p.heading_deg, p.accuracy_m) == (12.5, 0.0, 45.0, 30.0)
    assert p.name == "SEA STAR"
    _, (p,) = read({"subject": "mmsi:463000001", "speed_kn": -1, "course_deg": 511, **PLACE})
    assert (p.speed_kn, p.course_deg) == (None, None)


def test_without_a_time_it_is_the_time_at_which_it_came() -> None:
    untimed = {"report": "sensor", "id": "g", "lat": 24.5, "lon": 66}
    _, (p,) = read(untimed, received=AT.timestamp())
    assert p.at == AT
    decoder, found = read(untimed)
    assert not found
    assert reasons(decoder) == [(1, "the report has no time")]


def test_several_on_a_line_and_points_of_geojson() -> None:
    feature = {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [66.5, 24.75, 3]},
        "properties": {"report": "drone", "id": "D4", "at": PLACE["at"]},
    }
    line = {**feature, "geometry": {"type": "LineString", "coordinates": [[1, 2], [3, 4]]}}
    decoder, found = read(
        [{"subject": "a:1", **PLACE}, {"subject": "a:2", **PLACE}],
        b"",
        b"# a comment",
        {"type": "FeatureCollection", "features": [feature, line, 7, None]},
        feature,
    )
    assert [p.subject for p in found] == ["a:1", "a:2", "drone:D4"]
    assert [p.record.row for p in found] == [1, 1, 4]
    assert decoder.counts.read == 7
    assert decoder.counts.repeated == 1
    assert [r for r, _ in reasons(decoder)] == [4, 4, 4]


@pytest.mark.parametrize(
    ("report", "reason"),
    [
        ({"subject": "a:1", "at": PLACE["at"], "lat": 24}, "lat or lon"),
        ({"subject": "a:1", **PLACE, "lat": 91}, "outside"),
        ({"subject": "a:1", **PLACE, "lat": "north"}, "lat is not a number"),
        ({"subject": "a:1", **PLACE, "lon": [1]}, "lon is not a number"),
        ({"subject": "a:1", **PLACE, "lon": True}, "lat or lon"),
        ({"subject": "a:1", **PLACE, "at": "2026-03-06T12:00:00"}, "RFC 3339"),
        ({"subject": "a:1", **PLACE, "at": 1772798400}, "RFC 3339"),
        ({"subject": "a:1", **PLACE, "at": "1971-01-01T00:00:00Z"}, "1980"),
        ({"subject": "boat", **PLACE}, "type:id"),
        ({"subject": "mmsi:4630000019", **PLACE}, "nine digits"),
        ({"subject": {"a": 1}, **PLACE}, "subject is not a text"),
        ({"report": "radar", **PLACE}, "no id"),
        ({"report": "sonar", "id": 1, **PLACE}, "not one of radar"),
        ({"report": "radar", "id": "x" * 200, **PLACE}, "more than 128"),
        ({"subject": "a:1", "kind": "spaceship", **PLACE}, "kind is not one of"),
        (PLACE, "neither subject"),
        ([[]], "not an object"),
        (7, "not an object"),
        (b'{"subject": "a:1"', "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 5_000, "not JSON"),
        (b'{"subject": "' + b"x" * MOST_BYTES, "more than 1 MB"),
    ],
)
def test_what_is_wrong_is_refused_and_the_next_is_read(report: object, reason: str) -> None:
    decoder, found = read(report, {"subject": "a:9", **PLACE})
    assert [p.subject for p in found] == ["a:9"]
    assert len(decoder.refusals) == 1
    assert reason in decoder.refusals[0].reason
    c = decoder.counts
    assert (c.read, c.kept, c.refused) == (2, 1, 1)


def test_files_of_lines_and_one_that_is_one_value(tmp_path: Path) -> None:
    some = [{"subject": f"a:{n}", **PLACE} for n in range(5)]
    lines = tmp_path / "lines.json"
    lines.write_bytes(b"\n".join(map(orjson.dumps, some)))
    whole = tmp_path / "whole.json"
    whole.write_text(json.dumps(some, indent=2))
    for path in (lines, whole):
        reader = open_positions(path)
        assert reader.form == "json"
        found = list(reader)
        assert [p.subject for p in found] == [s["subject"] for s in some]
        assert [p.record.row for p in found] == [1, 2, 3, 4, 5]
    broken = tmp_path / "broken.json"
    broken.write_text(json.dumps(some, indent=2)[:-9])
    with pytest.raises(BadInput, match="not JSON"):
        list(open_positions(broken))


keys = st.sampled_from(
    ["at", "lat", "lon", "subject", "report", "id", "source", "kind", "type", "features",
     "geometry", "properties", "coordinates", "speed_kn", "name", "x"]
)  # fmt: skip
json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=6),
    max_leaves=12,
)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.one_of(
            json_values.map(lambda v: json.dumps(v).encode()),
            st.dictionaries(keys, json_values, max_size=8).map(
                lambda d: json.dumps({**PLACE, "subject": "a:1", **d}).encode()
            ),
            st.binary(max_size=40),
        ),
        max_size=6,
    )
)
def test_no_line_stops_a_reader(lines: list[bytes]) -> None:
    decoder, found = read(*lines, received=AT.timestamp())
    c = decoder.counts
    assert c.read == c.kept + c.repeated + c.refused + c.passed_over
    assert len(found) == c.kept
