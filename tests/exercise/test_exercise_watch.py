"""The world “watch”: the same seed gives the same bytes, and what it writes is plausible."""

from __future__ import annotations

import csv
import itertools
import json
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import pyais
import pytest
from shapely import LineString, Point
from shapely.geometry import shape

from cordon.calls import find, read_calls
from cordon.exercise import Inputs, read_truths, score, world, worlds
from cordon.exercise.playing import moved_rows, read_log
from cordon.exercise.worlds.radio import tag_time
from cordon.kernel.clock import parse_time
from cordon.kernel.errors import BadInput, NotFound
from cordon.kernel.geo import distance_m
from cordon.kernel.units import knots

PLANTED = {
    "picture.gap",
    "picture.zone_entry",
    "picture.impossible_move",
    "picture.shared_identity",
    "calls.out_fan",
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    return world("watch").generate(7, 2.0, 0.5, tmp_path_factory.mktemp("watch"))


@pytest.fixture(scope="module")
def tracks(made: Inputs) -> dict[str, list[tuple[datetime, float, float, float]]]:
    found = defaultdict(list)
    with made.files["positions"].open() as lines:
        for row in csv.DictReader(lines):
            found[row["subject"]].append(
                (
                    parse_time(row["at"]),
                    float(row["lat"]),
                    float(row["lon"]),
                    float(row["speed_kn"]),
                )
            )
    return dict(found)


def test_the_hook_finds_the_built_in_world() -> None:
    assert worlds()["watch"].NAME == "watch"
    assert worlds()["watch"].SAYS
    with pytest.raises(NotFound, match="watch"):
        world("atlantis")


def test_a_seed_gives_the_same_bytes_and_another_gives_others(tmp_path: Path) -> None:
    one, two, three = (
        world("watch").generate(seed, 0.15, 0.03, tmp_path / name)
        for seed, name in ((1, "a"), (1, "b"), (2, "c"))
    )
    for name in one.files:
        same = one.files[name].read_bytes() == two.files[name].read_bytes()
        assert same, name
    assert one.files["ais"].read_bytes() != three.files["ais"].read_bytes()
    assert one.files["calls"].read_bytes() != three.files["calls"].read_bytes()
    assert not list(tmp_path.rglob("*.partial"))


def test_another_start_moves_all_and_changes_no_track(tmp_path: Path) -> None:
    later = datetime(2027, 5, 1, tzinfo=UTC)
    one = world("watch").generate(1, 0.1, 0.03, tmp_path / "a")
    two = world("watch").generate(1, 0.1, 0.03, tmp_path / "b", start=later)
    lines = [
        p.read_text().splitlines()[1:] for p in (one.files["positions"], two.files["positions"])
    ]
    moved = later - one.start
    for a, b in zip(*lines, strict=True):
        (t1, _, rest1), (t2, _, rest2) = a.partition(","), b.partition(",")
        assert rest1 == rest2
        assert parse_time(t2) - parse_time(t1) == moved


@pytest.mark.parametrize(("days", "scale"), [(0, 1), (1, 0), (1e9, 1), (float("nan"), 1)])
def test_sizes_out_of_bounds_are_refused(days: float, scale: float, tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        world("watch").generate(1, days, scale, tmp_path)


def test_counts_are_those_of_the_files(made: Inputs) -> None:
    for name in ("positions", "calls", "subscribers"):
        assert len(made.files[name].read_text().splitlines()) - 1 == made.rows[name]
    for name in ("ais", "truth"):
        assert len(made.files[name].read_text().splitlines()) == made.rows[name]


def test_truth_lies_within_the_span_and_has_every_kind(made: Inputs) -> None:
    truths = list(read_truths(made.files["truth"]))
    assert {t.kind for t in truths} == PLANTED
    for truth in truths:
        assert made.start <= truth.start < truth.end <= made.end


def test_ais_sentences_decode_to_the_same_positions(made: Inputs, tracks: dict) -> None:
    by_mmsi: Counter[int] = Counter()
    told = {(s, p[0]): p for s, track in tracks.items() for p in track}
    names, broken, last, parts = {}, 0, 0, []
    lines = made.files["ais"].read_text("ascii").splitlines()
    for line in lines[:8_000]:
        stamp = tag_time(line)
        if stamp is None or line.count("\\") != 2:
            broken += 1
            continue
        assert stamp >= last
        last = stamp
        sentence = line.split("\\")[2]
        try:
            parts.append(sentence)
            total, number = (int(v) for v in sentence.split(",")[1:3])
            if number < total:
                continue
            message = pyais.decode(*parts, error_if_checksum_invalid=True)
        except Exception:
            broken += 1
            parts = []
            continue
        parts = []
        if message.msg_type in (1, 18):
            by_mmsi[message.mmsi] += 1
            there = told[f"mmsi:{message.mmsi}", datetime.fromtimestamp(stamp, UTC)]
            # 1/10 000 of a minute is what a message holds (ITU-R M.1371)
            assert abs(there[1] - message.lat) < 1e-5
            assert abs(there[2] - message.lon) < 1e-5
        elif message.msg_type == 5:
            names[message.mmsi] = message.shipname
    assert broken < 30
    assert len(by_mmsi) > 12
    assert all(names.values())
    assert names


def test_tag_blocks_have_their_check_sums(made: Inputs) -> None:
    right = 0
    for line in made.files["ais"].read_text("ascii").splitlines()[:2000]:
        if line.count("\\") == 2:
            tag, _, told = line.split("\\")[1].partition("*")
            total = 0
            for c in tag.encode():
                total ^= c
            right += f"{total:02X}" == told
    assert right > 1990


def test_vessels_move_as_vessels_do(made: Inputs, tracks: dict) -> None:
    odd = {
        s
        for t in read_truths(made.files["truth"])
        for s in t.subjects
        if t.kind in ("picture.impossible_move", "picture.shared_identity")
    }
    intervals = []
    for subject, track in tracks.items():
        for (t1, lat1, lon1, _), (t2, lat2, lon2, _) in itertools.pairwise(track):
            seconds = (t2 - t1).total_seconds()
            intervals.append(seconds)
            if subject not in odd and seconds >= 30:
                assert knots(float(distance_m(lat1, lon1, lat2, lon2)), seconds) < 40
    assert 40 <= median(intervals) <= 200


def test_only_what_was_planted_enters_a_restricted_zone(made: Inputs, tracks: dict) -> None:
    zones = json.loads(made.files["zones"].read_text())["features"]
    restricted = {
        z["id"]: shape(z["geometry"]) for z in zones if z["properties"]["kind"] == "restricted"
    }
    assert len(restricted) == 2
    entered = {
        (f"mmsi:{s.partition(':')[2]}", f"zone:{name}")
        for s, track in tracks.items()
        for name, zone in restricted.items()
        if any(zone.contains(Point(lon, lat)) for _, lat, lon, _ in track)
    }
    truths = [t for t in read_truths(made.files["truth"]) if t.kind == "picture.zone_entry"]
    planted = {tuple(t.subjects) for t in truths}
    assert entered <= planted
    # the crossing is between two reports: none lies inside, the line between them does
    crossings = [t for t in truths if "zone:R-TERMINAL" in t.subjects]
    assert crossings
    for truth in crossings:
        assert tuple(truth.subjects) not in entered
        track = tracks[truth.subjects[0]]
        line = LineString([(lon, lat) for _, lat, lon, _ in track])
        assert line.intersects(restricted["R-TERMINAL"])


def test_a_planted_gap_is_silent_while_others_are_heard(made: Inputs, tracks: dict) -> None:
    for truth in read_truths(made.files["truth"]):
        if truth.kind == "picture.gap":
            own = [p[0] for p in tracks[truth.subjects[0]]]
            assert not [t for t in own if truth.start < t < truth.end]
            assert truth.start in own or truth.end in own
            assert truth.end - truth.start > timedelta(hours=2)
            others = [
                t
                for s, track in tracks.items()
                if s != truth.subjects[0]
                for t, *_ in track
                if truth.start < t < truth.end
            ]
            assert len(others) > 200


def test_innocent_silences_are_there_too(made: Inputs, tracks: dict) -> None:
    """A receiver's outage and short drop-outs: silence alone is no truth."""
    planted = {s for t in read_truths(made.files["truth"]) for s in t.subjects}
    longest = {
        s: max((b[0] - a[0] for a, b in itertools.pairwise(track)), default=timedelta(0))
        for s, track in tracks.items()
        if s not in planted
    }
    assert sum(timedelta(minutes=6) < gap for gap in longest.values()) >= 3
    # and some leave the area for good
    assert sum(track[-1][0] < made.end - timedelta(hours=3) for track in tracks.values()) >= 2


def test_people_call_in_a_daily_rhythm_and_mostly_whom_they_know(made: Inputs) -> None:
    reading = read_calls(made.files["calls"])
    hours: Counter[int] = Counter()
    pairs: Counter[tuple[str, str]] = Counter()
    out: Counter[str] = Counter()
    for batch in reading:
        for row in batch.table.select(["start", "caller", "callee", "caller_imei"]).to_pylist():
            hours[(row["start"].hour + 5) % 24] += 1
            pairs[tuple(sorted((row["caller"], row["callee"])))] += 1
            out[row["caller"]] += 1
    assert reading.counts.refused == 0
    assert sum(hours[h] for h in (1, 2, 3, 4)) < 0.05 * sum(hours.values())
    assert median(out.values()) < 12
    assert sum(n > 1 for n in pairs.values()) > 0.15 * len(pairs)
    assert all(n.startswith("+92399") for n in out)


def test_numbers_belong_to_nobody_and_imeis_check(made: Inputs) -> None:
    with made.files["calls"].open() as lines:
        imeis = {row["caller_imei"] for row in itertools.islice(csv.DictReader(lines), 500)}
    for imei in imeis:
        digits = [int(d) for d in reversed(imei)]
        doubled = [d * 2 - 9 if d > 4 else d * 2 for d in digits[1::2]]
        assert (sum(digits[0::2]) + sum(doubled)) % 10 == 0


def test_the_fan_detector_can_be_scored_on_it(made: Inputs) -> None:
    """A check of the path, not of the detector: its own tests stand beside it."""
    found = find([made.files["calls"]], made.files["subscribers"])
    told = score(list(read_truths(made.files["truth"])), found.findings, days=2.0)
    (fans,) = [k for k in told.kinds if k.kind == "calls.out_fan"]
    assert fans.truths == 2
    assert fans.recall is not None
    assert any("registered call centre" in said for said in found.left_out)


def test_playing_gives_every_line_in_order(made: Inputs) -> None:
    played = list(read_log(made.files["ais"]))
    assert len(played) >= made.rows["ais"] - 1
    assert all(a[0] <= b[0] for a, b in itertools.pairwise(played))
    assert made.start <= played[0][0] <= played[-1][0] <= made.end + timedelta(minutes=1)


def test_a_broken_stamp_does_not_send_the_player_ahead(tmp_path) -> None:
    def line(seconds: int) -> str:
        body = f"c:{seconds}"
        checksum = 0
        for byte in body.encode():
            checksum ^= byte
        return f"\\{body}*{checksum:02X}\\!AIVDM,1,1,,A,x,0*00\n"

    log = tmp_path / "ais.nmea"
    log.write_text(line(1_700_000_000) + line(1_900_000_000) + line(1_700_000_060))
    assert [at.timestamp() for at, _ in read_log(log)] == [
        1_700_000_000, 1_700_000_000, 1_700_000_060,
    ]  # fmt: skip


def test_calls_are_moved_and_what_is_no_time_stays(tmp_path) -> None:
    path = tmp_path / "calls.csv"
    path.write_text("start,caller\n2026-01-17T00:00:00Z,a\nbroken,b\n")
    by = datetime(2026, 3, 1, tzinfo=UTC) - datetime(2026, 1, 17, tzinfo=UTC)
    assert moved_rows(path, ["start"], by).decode().splitlines() == [
        "start,caller", "2026-03-01T00:00:00Z,a", "broken,b",
    ]  # fmt: skip
    assert moved_rows(path, ["activated"], by) == path.read_bytes()
