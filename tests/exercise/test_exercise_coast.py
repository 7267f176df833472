"""The world “coast”: it can be read, is the same for a seed, and its truth is there to see."""

from __future__ import annotations

import csv
import json
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyais
import pytest
import shapely
import yaml
from shapely.geometry import shape

from cordon.exercise import Inputs, Truth, read_truths, world
from cordon.exercise.worlds import coast
from cordon.exercise.worlds.radio import tag_time
from cordon.exercise.worlds.sea.chart import _land
from cordon.exercise.worlds.sea.sentences import payloads
from cordon.exercise.worlds.seeing.rows import Rows
from cordon.exercise.worlds.seeing.streams import Streams
from cordon.exercise.worlds.seeing.sun import sun_height_deg
from cordon.kernel.clock import parse_time
from cordon.kernel.errors import BadInput
from cordon.kernel.geo import distance_m
from cordon.picture import open_positions, read_zones

Track = list[tuple[float, float, float]]
"""Seconds from the start, latitude, longitude, by time."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    return world("coast").generate(7, 0.55, 0.06, tmp_path_factory.mktemp("coast"))


@pytest.fixture(scope="module")
def truths(made: Inputs) -> list[Truth]:
    return list(read_truths(made.files["truth"]))


@pytest.fixture(scope="module")
def rows(made: Inputs) -> list[dict[str, str]]:
    with made.files["positions"].open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


@pytest.fixture(scope="module")
def tracks(made: Inputs, rows: list[dict[str, str]]) -> dict[str, Track]:
    found: dict[str, Track] = defaultdict(list)
    for row in rows:
        try:
            at = (parse_time(row["at"]) - made.start).total_seconds()
        except BadInput:
            continue
        if abs(float(row["lat"])) <= 90 and abs(at) < 1e6:
            found[row["subject"]].append((at, float(row["lat"]), float(row["lon"])))
    return {subject: sorted(track) for subject, track in found.items()}


@pytest.fixture(scope="module")
def zones(made: Inputs) -> dict[str, Any]:
    features = json.loads(made.files["zones"].read_text())["features"]
    return {f["id"]: (f["properties"], shape(f["geometry"])) for f in features}


def span(made: Inputs, truth: Truth) -> tuple[float, float]:
    a, b = ((t - made.start).total_seconds() for t in (truth.start, truth.end))
    return a, b


def within(track: Track, start: float, end: float) -> np.ndarray:
    return np.array([p for p in track if start <= p[0] <= end]).reshape(-1, 3)


def of_kind(truths: list[Truth], kind: str) -> list[Truth]:
    found = [t for t in truths if t.kind == f"picture.{kind}"]
    assert found, kind
    return found


# the files


def test_a_seed_gives_the_same_bytes_and_another_gives_others(made: Inputs, tmp_path: Path) -> None:
    one, two = (world("coast").generate(1, 0.05, 0.01, tmp_path / name) for name in "ab")
    for name in one.files:
        assert one.files[name].read_bytes() == two.files[name].read_bytes(), name
    # neither depends on days or scale, so another seed is what makes them differ
    for name in ("zones", "sensors"):
        assert one.files[name].read_bytes() != made.files[name].read_bytes(), name
    assert not list(tmp_path.rglob("*.partial"))


@pytest.mark.parametrize(("days", "scale"), [(0, 1), (1, 0), (1e9, 1), (float("nan"), 1)])
def test_sizes_out_of_bounds_are_refused(days: float, scale: float, tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        world("coast").generate(1, days, scale, tmp_path)


def test_cordon_reads_it_and_refuses_next_to_nothing(made: Inputs) -> None:
    read_zones(made.files["zones"])
    reader = open_positions(made.files["positions"])
    for _ in reader.batches():
        pass
    counts = reader.counts
    assert counts.read == made.rows["positions"]
    assert counts.refused <= 20
    assert 0 < counts.repeated < 0.12 * counts.read


def test_every_kind_of_subject_and_zone_is_there(
    tracks: dict[str, Track], zones: dict[str, Any]
) -> None:
    types = Counter(s.partition(":")[0] for s in tracks)
    assert types["mmsi"] > 40
    assert types["radar"] > 40
    assert types["unit"] == 8
    kinds = {p["kind"] for p, _ in zones.values()}
    assert kinds == {
        "land", "port", "anchorage", "pilotage", "fishing_ground", "restricted", "lane",
        "patrol_sector",
    }  # fmt: skip
    assert all(p["max_uncovered_min"] for p, _ in zones.values() if p["kind"] == "patrol_sector")


def test_sentences_decode_to_the_rows_of_the_table(
    made: Inputs, rows: list[dict[str, str]]
) -> None:
    told = {
        (r["subject"], r["at"], r["source"]): (float(r["lat"]), float(r["lon"]), r["name"])
        for r in rows
        if r["subject"].startswith("mmsi:")
    }
    checked, broken = 0, 0
    parts: list[str] = []
    names: dict[str, str] = {}
    for line in made.files["ais"].read_text("ascii").splitlines()[:6000]:
        stamp = tag_time(line)
        if stamp is None or line.count("\\") != 2:
            broken += 1
            continue
        tag, sentence = line.split("\\")[1:]
        parts.append(sentence)
        try:
            total, number = (int(v) for v in sentence.split(",")[1:3])
            if number < total:
                continue
            message = pyais.decode(*parts, error_if_checksum_invalid=True)
        except Exception:  # a line that was cut
            broken += 1
            parts = []
            continue
        parts = []
        at = datetime.fromtimestamp(stamp, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        source = tag.partition("s:")[2].partition(",")[0]
        subject = f"mmsi:{message.mmsi:09d}"
        if message.msg_type in (1, 18):
            lat, lon, _ = told[subject, at, source]
            assert (round(message.lat, 6), round(message.lon, 6)) == (lat, lon)
            checked += 1
        elif message.msg_type == 5:
            names[subject] = message.shipname
    assert checked > 4000
    assert broken < 20
    said = {s: {n for (subject, *_), (_, _, n) in told.items() if subject == s} for s in names}
    assert names
    assert all(name in said[subject] for subject, name in names.items())


def test_payloads_are_those_that_the_standard_lays_out() -> None:
    rng = np.random.default_rng(3)
    n = 200
    rows = Rows.of(
        np.arange(n),
        source=0,
        subject=0,
        lat=np.rint(rng.uniform(-89, 89, n) * 600_000) / 600_000,
        lon=np.rint(rng.uniform(-179, 179, n) * 600_000) / 600_000,
        speed=np.round(rng.uniform(0, 102, n), 1),
        course=np.round(rng.uniform(0, 359.9, n), 1),
        heading=np.where(rng.random(n) < 0.3, np.nan, np.round(rng.uniform(0, 359, n))),
        accuracy=np.where(rng.random(n) < 0.5, np.nan, 10.0),
        message=np.where(rng.random(n) < 0.5, 1, 18),
        status=rng.integers(0, 16, n),
    )
    mmsi = rng.integers(200_000_000, 800_000_000, n)
    second = np.arange(n) % 60
    for i, body in enumerate(payloads(rows, mmsi, second)):
        message = pyais.decode(f"!AIVDM,1,1,,A,{body},0*00")
        assert (message.msg_type, message.mmsi) == (rows.message[i], mmsi[i])
        assert abs(message.lat - rows.lat[i]) < 1e-6
        assert abs(message.lon - rows.lon[i]) < 1e-6
        assert (message.speed, message.course) == (rows.speed[i], rows.course[i])
        assert message.heading == (511 if np.isnan(rows.heading[i]) else rows.heading[i])
        assert bool(message.accuracy) == (not np.isnan(rows.accuracy[i]))
        assert message.second == second[i]
        if message.msg_type == 1:
            assert int(message.status) == rows.status[i]


# the faults of its feeds


def test_rows_come_late_and_out_of_order(made: Inputs, rows: list[dict[str, str]]) -> None:
    dated = [r for r in rows if r["at"].startswith("2026")]
    at = np.array([r["at"].rstrip("Z") for r in dated], dtype="datetime64[s]").astype(float)
    late = np.maximum.accumulate(at) - at
    assert 0.05 < (late > 0).mean() < 0.9
    assert (late > 1200).any()
    by_source = defaultdict(list)
    for moment, row in zip(late.tolist(), dated, strict=True):
        by_source[row["source"]].append(moment)
    slow = {s for s, some in by_source.items() if np.median(some) > 240}
    assert slow <= {f"SAT-{i}" for i in range(1, 9)} | {"JWN", "GWD", "PSN", "ORM", "SON", "KTB"}


def test_a_radar_gives_one_craft_several_numbers_and_leaves_out_what_has_ais(
    tracks: dict[str, Track],
) -> None:
    lasts = [t[-1][0] - t[0][0] for s, t in tracks.items() if s.startswith("radar:")]
    assert np.median(lasts) < 2 * 3600
    assert max(lasts) > 1800
    assert sum(len(t) for s, t in tracks.items() if s.startswith("radar:")) > 1000


def test_stations_pass_on_what_they_hear_at_their_own_pace(rows: list[dict[str, str]]) -> None:
    last: dict[tuple[str, str], datetime] = {}
    gaps = defaultdict(list)
    for row in sorted((r for r in rows if r["at"].startswith("2026")), key=lambda r: r["at"]):
        if row["subject"].startswith("mmsi:") and float(row["speed_kn"] or 0) > 5:
            key = row["source"], row["subject"]
            at = parse_time(row["at"])
            if key in last and at > last[key]:
                gaps[row["source"]].append((at - last[key]).total_seconds())
            last[key] = at
    assert 20 <= np.median(gaps["KHI"]) <= 80
    assert all(
        15 <= np.quantile(g, 0.1) <= 90 for s, g in gaps.items() if len(g) > 300 and "SAT" not in s
    )


# what is planted


def test_truth_has_every_kind_and_lies_within_the_span(made: Inputs, truths: list[Truth]) -> None:
    kinds = {t.kind.partition(".")[2] for t in truths}
    assert kinds >= {
        "gap", "encounter", "loitering", "zone_entry", "zone_exit", "zone_dwell",
        "shared_identity", "identity_change", "impossible_move", "false_position", "convoy",
        "shore_transfer", "landing",
    }  # fmt: skip
    for truth in truths:
        assert truth.start < truth.end
        assert truth.start >= made.start - timedelta(minutes=5)
        assert truth.end <= made.end + timedelta(minutes=35)


def test_every_subject_of_a_truth_is_reported_in_its_span(
    made: Inputs, truths: list[Truth], tracks: dict[str, Track]
) -> None:
    for truth in truths:
        a, b = span(made, truth)
        margin = 3600.0 if truth.kind == "picture.identity_change" else 200.0
        for subject in truth.subjects:
            if not subject.startswith("zone:"):
                assert len(within(tracks[subject], a - margin, b + margin)), (truth.kind, subject)


def test_a_gap_is_silent_while_others_are_heard(
    made: Inputs, truths: list[Truth], tracks: dict[str, Track]
) -> None:
    for truth in of_kind(truths, "gap"):
        a, b = span(made, truth)
        (subject,) = truth.subjects
        assert b - a > 1.2 * 3600
        assert not len(within(tracks[subject], a + 400, b - 400))
        assert len(within(tracks[subject], a - 7200, a + 1)) >= 8
        others = sum(len(within(t, a, b)) for s, t in tracks.items() if s != subject)
        assert others > 200


def test_those_who_meet_are_near_one_another_all_the_while(
    made: Inputs, truths: list[Truth], tracks: dict[str, Track]
) -> None:
    for truth in of_kind(truths, "encounter"):
        a, b = span(made, truth)
        some = [within(tracks[s], a, b) for s in truth.subjects]
        whole = np.concatenate(some)
        middle = np.median(whole[:, 1:], axis=0)
        t = np.linspace(a, b, 7)[1:-1]
        for moment in t:
            close = whole[np.abs(whole[:, 0] - moment) < 1100.0]
            assert len(close) >= 2
            away = distance_m(close[:, 1], close[:, 2], *np.median(close[:, 1:], axis=0))
            assert np.median(away) < 900
        assert len(middle) == 2


def test_a_convoy_keeps_together(
    made: Inputs, truths: list[Truth], tracks: dict[str, Track]
) -> None:
    for truth in of_kind(truths, "convoy"):
        a, b = span(made, truth)
        assert b - a > 3600
        for moment in np.linspace(a, b, 6)[1:-1]:
            at = []
            for subject in truth.subjects:
                own = within(tracks[subject], moment - 500, moment + 500)
                if len(own) >= 2:
                    at.append([np.interp(moment, own[:, 0], own[:, k]) for k in (1, 2)])
            assert len(at) >= 2
            for lat, lon in at:
                assert float(distance_m(lat, lon, *at[0])) < 6000


def test_identities_change_where_the_vessel_is(
    made: Inputs, truths: list[Truth], tracks: dict[str, Track]
) -> None:
    two = [t for t in of_kind(truths, "identity_change") if len(t.subjects) == 2]
    assert two
    for truth in two:
        first, second = sorted((tracks[s] for s in truth.subjects), key=lambda t: t[0][0])
        gap = second[0][0] - first[-1][0]
        assert -400 < gap < 3000
        way = float(distance_m(*first[-1][1:], *second[0][1:]))
        assert way < 18 * 0.5144 * (abs(gap) + 400) + 2000


def test_false_positions_are_in_circles_on_land_or_frozen(
    made: Inputs, truths: list[Truth], tracks: dict[str, Track], zones: dict[str, Any]
) -> None:
    land = zones["LAND"][1]
    seen = set()
    for truth in of_kind(truths, "false_position"):
        a, b = span(made, truth)
        own = within(tracks[truth.subjects[0]], a + 400, b - 400)
        if len(np.unique(own[:, 1:].round(6), axis=0)) <= max(3, 0.2 * len(own)):
            seen.add("frozen")
        elif shapely.contains_xy(land, own[:, 2], own[:, 1]).mean() > 0.9:
            seen.add("land")
        else:
            middle = own[:, 1:].mean(axis=0)
            away = np.asarray(distance_m(own[:, 1], own[:, 2], *middle))
            assert np.std(away) < 0.5 * np.mean(away) + 150
            seen.add("circle")
    assert seen == {"frozen", "land", "circle"}


def test_a_landing_is_at_the_water_s_edge_by_night(
    made: Inputs, truths: list[Truth], tracks: dict[str, Track], zones: dict[str, Any]
) -> None:
    land = zones["LAND"][1]
    ports = [g for p, g in zones.values() if p["kind"] == "port"]
    for truth in of_kind(truths, "landing"):
        a, b = span(made, truth)
        own = np.concatenate([within(tracks[s], a, b) for s in truth.subjects])
        off = shapely.distance(land, shapely.points(own[:, 2], own[:, 1])) * 111_195
        nearest = own[np.argmin(off)]
        assert off.min() < 600
        assert sun_height_deg(made.start, nearest[0], nearest[1], nearest[2]) < 0
        place = shapely.points(nearest[2], nearest[1])
        assert min(shapely.distance(port, place) for port in ports) > 0.02


def test_only_what_was_planted_is_in_a_closed_zone_for_long(
    truths: list[Truth], tracks: dict[str, Track], zones: dict[str, Any]
) -> None:
    planted = {s for t in truths for s in t.subjects}
    for id_, (properties, area) in zones.items():
        if properties["kind"] != "restricted":
            continue
        deep = area.buffer(-0.006)
        for subject, track in tracks.items():
            if subject in planted or subject in properties["allowed"] or "radar" in subject:
                continue
            points = np.array(track)
            inside = shapely.contains_xy(deep, points[:, 2], points[:, 1])
            # one wrong fix may lie anywhere, and so may a set that is jammed
            assert inside.sum() < 3 or id_ == "R-CABLE", (id_, subject)


def test_entries_have_exits_and_long_stays_are_told_too(
    truths: list[Truth], zones: dict[str, Any]
) -> None:
    entries = {t.subjects for t in of_kind(truths, "zone_entry")}
    assert entries == {t.subjects for t in of_kind(truths, "zone_exit")}
    for truth in of_kind(truths, "zone_dwell"):
        zone = next(s[5:] for s in truth.subjects if s.startswith("zone:"))
        limit = timedelta(minutes=zones[zone][0]["dwell_min"])
        assert truth.end - truth.start > limit


def test_innocents_meet_too(
    truths: list[Truth], tracks: dict[str, Track], zones: dict[str, Any]
) -> None:
    """Fishing boats lie near one another for long, and no truth says so."""
    planted = {s for t in truths for s in t.subjects}
    grounds = [g for p, g in zones.values() if p["kind"] == "fishing_ground"]
    boats = []
    for subject, track in tracks.items():
        if subject not in planted and subject.startswith(("mmsi:", "radar:")):
            points = np.array(track)
            on = np.zeros(len(points), bool)
            for ground in grounds:
                on |= shapely.contains_xy(ground, points[:, 2], points[:, 1])
            if on.sum() > 30:
                boats.append(points[on])
    assert len(boats) >= 4
    grid = np.arange(0, 50_000, 600.0)
    near = 0
    for i, one in enumerate(boats):
        for other in boats[:i]:
            t = grid[(grid > max(one[0, 0], other[0, 0])) & (grid < min(one[-1, 0], other[-1, 0]))]
            if len(t) > 3:
                a, b = ([np.interp(t, p[:, 0], p[:, k]) for k in (1, 2)] for p in (one, other))
                near += int((np.asarray(distance_m(*a, *b)) < 3000).sum())
    assert near > 10


def test_every_seed_draws_a_shore() -> None:
    """Where a drawn shore touches or crosses itself, the largest piece of land is the land."""
    data = yaml.safe_load(Path(coast.__file__).with_suffix(".yaml").read_text("utf-8"))
    for seed in [*range(40), *range(8001, 8011)]:
        land = _land(data["chart"], Streams(seed).of("chart"))
        assert land.geom_type == "Polygon"
        assert land.is_valid
        assert land.area > 5  # square degrees


def test_a_place_on_land_is_on_land(made: Inputs, truths: list[Truth]) -> None:
    features = json.loads(made.files["zones"].read_text("utf-8"))["features"]
    land = [shape(f["geometry"]) for f in features if f["properties"]["kind"] == "land"]
    told = [t for t in truths if t.note == "Its set told a place on land."]
    assert told
    for truth in told:
        assert truth.place is not None
        assert any(z.contains(shape(truth.place)) for z in land)
