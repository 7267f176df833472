"""Files in and findings out, the same each time; the live picture and the stream."""

from __future__ import annotations

import csv
import json
import statistics
import struct
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from cordon.kernel.errors import BadInput
from cordon.picture import LivePicture, StreamDetector, Tracks, detect_files, zones_of
from cordon.picture.live import HEADER, MAGIC
from cordon.picture.model import KINDS

HEAD = [
    "at",
    "source",
    "subject",
    "lat",
    "lon",
    "speed_kn",
    "course_deg",
    "kind",
    "name",
    "ship_type",
]
SQUARE = [[66.4, 24.4], [66.6, 24.4], [66.6, 24.6], [66.4, 24.6], [66.4, 24.4]]
ZONES = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {"id": "z", "name": "Z", "kind": "restricted"},
            "geometry": {"type": "Polygon", "coordinates": [SQUARE]},
        }
    ],
}


def write(path: Path, rows) -> Path:
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(HEAD)
        out.writerows(rows)
    return path


def row_of(p):
    at = p.at.isoformat().replace("+00:00", "Z")
    return at, p.source, p.subject, p.lat, p.lon, p.speed_kn, p.course_deg, p.kind, "", ""


@pytest.fixture
def dark(sail, crowd, t0):
    a, b = t0 + timedelta(minutes=90), t0 + timedelta(minutes=210)
    return crowd() + [
        p for p in sail("mmsi:463000001", 24.5, 66.2, 90, 10, 300) if not a < p.at < b
    ]


@pytest.fixture
def zones_file(tmp_path: Path) -> Path:
    path = tmp_path / "zones.geojson"
    path.write_text(json.dumps(ZONES))
    return path


def test_the_same_findings_whatever_the_files(tmp_path: Path, dark, zones_file: Path) -> None:
    rows = [row_of(p) for p in dark]
    whole = detect_files([write(tmp_path / "all.csv", rows)], zones_file)
    visited = {"picture.zone_entry", "picture.zone_dwell", "picture.zone_exit"}
    assert {f.kind for f in whole.findings} == {"picture.gap", *visited}
    again = detect_files([tmp_path / "all.csv"], zones_file)
    assert again.findings == whole.findings
    a = write(tmp_path / "b.csv", rows[::2])
    b = write(tmp_path / "a.csv", [*rows[1::2], *rows[:50]])
    # 25 of the fifty stand in their own file again, 25 in the other
    parts = detect_files([a, b], zones_file)
    assert [f.id for f in parts.findings] == [f.id for f in whole.findings]
    assert parts.counts.repeated == 50
    assert parts.counts.kept == whole.counts.kept == len(rows)
    assert detect_files([b, a], zones_file).findings == parts.findings


def test_every_record_leads_back_to_its_row(tmp_path: Path, dark, zones_file: Path) -> None:
    path = write(tmp_path / "p.csv", [row_of(p) for p in dark])
    rows = list(csv.DictReader(path.open()))
    for finding in detect_files([path], zones_file).findings:
        own = {s for s in finding.subjects if s.startswith("mmsi:")}
        assert finding.records
        assert {rows[r.row - 1]["subject"] for r in finding.records} == own


def test_wrong_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="No file"):
        detect_files([])
    (tmp_path / "odd.csv").write_text("x,y\n1,2\n")
    with pytest.raises(BadInput, match=r"odd\.csv"):
        detect_files([tmp_path / "odd.csv"])


# --- real tracks, put into our format here, because their layouts are no part of the product ---


def solent(folder: Path):
    for r in csv.DictReader((folder / "SolentAIS_20160112_130211.csv").open()):
        yield (
            r["Time"].replace(" ", "T") + "Z",
            "solent",
            f"mmsi:{r['MMSI']}",
            r["Latitude_degrees"],
            r["Longitude_degrees"],
            r["SOG_knots"],
            r["COG_degrees"],
            "vessel",
            "",
            "",
        )


def harbour(folder: Path):
    for r in csv.DictReader((folder / "NYHarbor_2020_06_30_first_hour.csv").open()):
        course = str(float(r["COG"]) % 360) if r["COG"] else ""
        yield (
            r["BaseDateTime"] + "Z",
            "ny",
            f"mmsi:{r['MMSI']}",
            r["LAT"],
            r["LON"],
            r["SOG"],
            course,
            "vessel",
            r["VesselName"],
            (r["VesselType"] or "").split(".")[0],
        )


def suez(folder: Path):
    for r in csv.DictReader((folder / "boat-positions.csv").open(encoding="utf-8-sig")):
        at = datetime.strptime(r["ais_pos_timestamp"], "%d/%m/%Y %H:%M").isoformat() + "Z"
        yield (
            at,
            "suez",
            f"track:{r['ID']}",
            r["latitude"],
            r["longitude"],
            "",
            "",
            "vessel",
            "",
            "",
        )


@pytest.mark.real_data
@pytest.mark.parametrize(("table", "rows"), [(solent, 18_623), (harbour, 8_689), (suez, 22_287)])
def test_real_traffic_raises_few_alarms(real_data: Path, tmp_path: Path, table, rows: int) -> None:
    path = write(tmp_path / "real.csv", table(real_data / "tracks"))
    result = detect_files([path])
    assert result.counts.read == rows
    assert result.counts.refused == 0
    kinds = [f.kind for f in result.findings]
    # An hour or so of harbour traffic holds no vessel that went dark or jumped, as far as
    # anyone can see; the Suez log is of sparse reports, with silences of hours by the hundred
    assert kinds.count("picture.impossible_move") == 0
    if table is not suez:
        assert kinds.count("picture.gap") <= 1
    else:
        # a few a day of 256 that report every eleven minutes
        assert kinds.count("picture.gap") <= 25
    assert all(0 < f.confidence < 1 for f in result.findings)


@pytest.mark.real_data
def test_a_jump_and_a_silence_planted_in_real_traffic_are_found(
    real_data: Path, tmp_path: Path
) -> None:
    rows = [list(r) for r in solent(real_data / "tracks")]
    by_subject: dict[str, list[list]] = {}
    for r in rows:
        by_subject.setdefault(r[2], []).append(r)
    moving = [
        s
        for s, some in by_subject.items()
        if len(some) > 250 and statistics.median(float(r[5] or 0) for r in some) > 5
    ]
    jumper, silent = moving[0], moving[1]
    for r in by_subject[jumper][150:]:
        r[3] = str(float(r[3]) + 1.0)
    some = by_subject[silent]
    middle = datetime.fromisoformat(some[len(some) // 2][0])
    hidden = [r for r in some if abs(datetime.fromisoformat(r[0]) - middle) < timedelta(minutes=19)]
    kept = [r for r in rows if r not in hidden]
    # the log lasts 85 minutes: too short for the usual hour
    path = write(tmp_path / "p.csv", kept)
    found = detect_files([path], values={"picture.gap": {"least_min": 30}}).findings
    assert [f.subjects for f in found if f.kind == "picture.impossible_move"] == [(jumper,)]
    assert (silent,) in [f.subjects for f in found if f.kind == "picture.gap"]


# --- tracks ---------------------------------------------------------------------------------


def test_tracks_are_sorted_and_free_of_repeats(sail) -> None:
    some = sail("mmsi:2", 24, 66, minutes=20) + sail("mmsi:1", 24, 66, minutes=20)
    tracks = Tracks.build([*reversed(some), *some[:5]])
    assert tracks.subjects == ("mmsi:1", "mmsi:2")
    assert len(tracks) == len(some)
    for i in range(2):
        assert (np.diff(tracks.t[tracks.of(i)]) > 0).all()
    assert len(Tracks.build([])) == 0


# --- live -----------------------------------------------------------------------------------


def unpack(frame: bytes):
    magic, version, size, n, seq, _, _, at = HEADER.unpack_from(frame)
    assert (magic, version, size) == (MAGIC, 1, 32)
    assert len(frame) == 32 + 28 * n
    columns, offset = {}, size
    for name, code in (
        ("lat", "d"),
        ("lon", "d"),
        ("index", "I"),
        ("course", "H"),
        ("speed", "H"),
        ("age", "H"),
        ("kind", "B"),
        ("flags", "B"),
    ):
        columns[name] = struct.unpack_from(f"<{n}{code}", frame, offset)
        offset += n * struct.calcsize(code)
    return n, seq, at, columns


def test_a_frame_holds_what_changed(sail, t0: datetime) -> None:
    picture = LivePicture()
    one = sail("mmsi:1", 24.5, 66.2, 90, 10, 10)
    picture.take(one)
    two = sail("mmsi:2", 25.5, 67.2, 359.96, 0.2, 10)
    seq = picture.take(two)
    now = one[-1].at + timedelta(seconds=30)
    n, got, at, c = unpack(picture.frame(now=now))
    assert (n, got, at) == (2, seq, now.timestamp())
    by_index = {c["index"][k]: k for k in range(2)}
    k = by_index[picture.index_of("mmsi:1")]
    assert (c["lat"][k], c["lon"][k]) == (one[-1].lat, one[-1].lon)
    assert (c["course"][k], c["speed"][k], c["age"][k]) == (900, 100, 30)
    assert KINDS[c["kind"][k]] == "vessel"
    still = by_index[picture.index_of("mmsi:2")]
    assert c["flags"][still] & 2
    assert c["course"][still] < 3600
    assert unpack(picture.frame(seq, now=now))[0] == 0
    assert unpack(picture.frame(box=(66, 24, 67, 25), now=now))[0] == 1
    assert unpack(picture.frame(box=(67, 24, 66, 26), now=now))[0] == 1
    picture.take(one[:3])  # older than what is known: nothing changes
    assert picture.seq == seq
    assert len(picture.trail("mmsi:1")) <= 50
    names = picture.names([0, 1, 99])
    assert names[0]["subject"] == "mmsi:1"
    assert 99 not in names


def test_what_is_not_told_is_marked_and_the_memory_is_bounded(sail, t0) -> None:
    picture = LivePicture(most=10)
    for i in range(30):
        picture.take(sail(f"mmsi:{i}", 24.5, 66.2, 90, 10, 0, told=False, start_min=i))
    n, _, _, c = unpack(picture.frame(now=t0))
    assert n == len(picture) == 10
    assert set(c["course"]) == set(c["speed"]) == {0xFFFF}
    assert picture.latest("mmsi:0") is None
    assert picture.subject_of(29) == "mmsi:29"


def test_readers_and_writers_at_once(sail) -> None:
    picture = LivePicture()
    tracks = [sail(f"mmsi:{i}", 24.5, 66.2, 90, 10, 60) for i in range(8)]
    faults = []

    def write_them(track) -> None:
        for p in track:
            picture.take([p])

    def read_them() -> None:
        try:
            since = 0
            for _ in range(200):
                n, since, _, c = unpack(picture.frame(since))
                assert len(set(c["index"])) == n
                picture.names(c["index"])
        except Exception as fault:
            faults.append(fault)

    threads = [threading.Thread(target=write_them, args=(t,)) for t in tracks]
    threads += [threading.Thread(target=read_them) for _ in range(2)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not faults
    assert len(picture) == 8


def test_the_stream_tells_what_detect_tells_and_each_once(dark, tmp_path: Path) -> None:
    zones = zones_of(ZONES)
    stream = StreamDetector(zones)
    told: dict[str, list] = {}
    dark = sorted(dark, key=lambda p: p.at)
    for k in range(0, len(dark), 150):
        stream.take(dark[k : k + 150])
        for f in stream.tick():
            told.setdefault(f.id, []).append(f)
    assert stream.tick() == []
    from cordon.picture import find

    batch = find(Tracks.build(dark), zones)
    assert {f.id for f in batch} <= set(told)
    assert max(map(len, told.values())) < 12  # of some thirty ticks: not at every one
    assert all(told[f.id][0].start == f.start for f in batch)


def test_a_visit_longer_than_the_window_keeps_its_finding(sail) -> None:
    stream = StreamDetector(zones_of(ZONES), window=timedelta(hours=2))
    track = sail("mmsi:1", 24.5, 66.39, 90, 0.7, 600)
    ids = set()
    for k in range(0, len(track), 20):
        stream.take(track[k : k + 20])
        ids |= {(f.kind, f.id) for f in stream.tick()}
    assert sorted(kind for kind, _ in ids) == ["picture.zone_dwell", "picture.zone_entry"]


def test_one_wrong_clock_does_not_empty_the_window(sail, t0: datetime) -> None:
    stream = StreamDetector(zones_of(ZONES))
    track = sail("mmsi:1", 24.5, 66.3, 90, 10, 120)
    late = sail("mmsi:2", 24.5, 66.3, 90, 10, 0, start_min=60 * 24 * 30)
    stream.take([*track, *late], now=t0 + timedelta(hours=2))
    assert {f.subjects for f in stream.tick()} == {("mmsi:1", "zone:z")}
    assert t0.tzinfo is UTC
