"""The world “frontier”: it can be read, is the same for a seed, and its truth is there to see."""

from __future__ import annotations

import csv
import json
from collections import Counter, defaultdict
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from shapely.geometry import shape

from cordon.exercise import Inputs, Truth, read_truths, world
from cordon.exercise.worlds.seeing.sun import sun_height_deg
from cordon.kernel.clock import parse_time
from cordon.kernel.errors import BadInput
from cordon.kernel.geo import distance_m
from cordon.picture import open_positions, read_zones

EYES = ("radar", "track", "drone")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    return world("frontier").generate(8, 0.6, 0.15, tmp_path_factory.mktemp("frontier"))


@pytest.fixture(scope="module")
def truths(made: Inputs) -> list[Truth]:
    return list(read_truths(made.files["truth"]))


@pytest.fixture(scope="module")
def tracks(made: Inputs) -> dict[str, np.ndarray]:
    """Of each subject: seconds from the start, latitude, longitude, by time."""
    found: dict[str, list[tuple[float, float, float]]] = defaultdict(list)
    with made.files["positions"].open(newline="", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            try:
                at = (parse_time(row["at"]) - made.start).total_seconds()
            except BadInput:
                continue
            if abs(float(row["lat"])) <= 90 and abs(at) < 1e6:
                found[row["subject"]].append((at, float(row["lat"]), float(row["lon"])))
    return {subject: np.array(sorted(track)) for subject, track in found.items()}


@pytest.fixture(scope="module")
def kinds(made: Inputs) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = defaultdict(Counter)
    with made.files["positions"].open(newline="", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            found[row["subject"]][row["kind"]] += 1
    return found


@pytest.fixture(scope="module")
def zones(made: Inputs) -> dict[str, Any]:
    features = json.loads(made.files["zones"].read_text())["features"]
    return {f["id"]: (f["properties"], shape(f["geometry"])) for f in features}


def span(made: Inputs, truth: Truth) -> tuple[float, float]:
    a, b = ((t - made.start).total_seconds() for t in (truth.start, truth.end))
    return a, b


def within(track: np.ndarray, start: float, end: float) -> np.ndarray:
    return track[(track[:, 0] >= start) & (track[:, 0] <= end)]


def movers(truth: Truth) -> list[str]:
    return [s for s in truth.subjects if not s.startswith("zone:")]


def north_m(zones: dict[str, Any], track: np.ndarray) -> np.ndarray:
    """How far north of the line (m) each report lies; the line runs from west to east."""
    line = np.array(zones["B-LINE"][1].coords)
    return (track[:, 1] - np.interp(track[:, 2], line[:, 0], line[:, 1])) * 111_195.0


def of_kind(truths: list[Truth], kind: str) -> list[Truth]:
    found = [t for t in truths if t.kind == f"picture.{kind}"]
    assert found, kind
    return found


def test_a_seed_gives_the_same_bytes_and_another_gives_others(made: Inputs, tmp_path: Path) -> None:
    one, two = (world("frontier").generate(1, 0.05, 0.01, tmp_path / name) for name in "ab")
    for name in one.files:
        assert one.files[name].read_bytes() == two.files[name].read_bytes(), name
    assert one.files["sensors"].read_bytes() != made.files["sensors"].read_bytes()
    assert not list(tmp_path.rglob("*.partial"))


@pytest.mark.parametrize(("days", "scale"), [(0, 1), (1, 0), (1e9, 1), (float("nan"), 1)])
def test_sizes_out_of_bounds_are_refused(days: float, scale: float, tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        world("frontier").generate(1, days, scale, tmp_path)


def test_cordon_reads_it_and_refuses_next_to_nothing(made: Inputs) -> None:
    read = read_zones(made.files["zones"])
    assert {z.kind for z in read} == {
        "border", "official_crossing", "restricted", "lane", "patrol_sector",
    }  # fmt: skip
    reader = open_positions(made.files["positions"])
    for _ in reader.batches():
        pass
    assert reader.counts.read == made.rows["positions"]
    assert reader.counts.refused <= 20


def test_every_kind_of_subject_is_there(tracks: dict[str, np.ndarray]) -> None:
    types = Counter(s.partition(":")[0] for s in tracks)
    assert {"radar", "track", "unit", "vehicle", "sensor", "drone"} <= set(types)
    assert types["radar"] > 300
    assert types["unit"] > 40
    assert types["sensor"] > 20


def test_truth_has_every_kind_and_lies_within_the_span(made: Inputs, truths: list[Truth]) -> None:
    found = {t.kind.partition(".")[2] for t in truths}
    assert found >= {
        "border_crossing", "repeated_crossing", "drone_crossing", "convoy", "loitering",
        "sensor_trip", "zone_entry", "zone_exit", "uncovered",
    }  # fmt: skip
    for truth in truths:
        assert truth.start < truth.end
        assert truth.start >= made.start - timedelta(minutes=10)
        assert truth.end <= made.end + timedelta(minutes=15)


def test_who_crossed_is_reported_on_both_sides_away_from_every_gate(
    made: Inputs, truths: list[Truth], tracks: dict[str, np.ndarray], zones: dict[str, Any]
) -> None:
    gates = [g for p, g in zones.values() if p["kind"] == "official_crossing"]
    for truth in of_kind(truths, "border_crossing"):
        assert "zone:B-LINE" in truth.subjects
        a, b = span(made, truth)
        both = 0
        for subject in movers(truth):
            own = within(tracks[subject], a - 60, b + 60)
            off = north_m(zones, own)
            both += bool((off > 60).sum() >= 2 and (off < -60).sum() >= 2)
            spot = own[np.argmin(np.abs(off))]
            assert not any(shapely.contains_xy(g, spot[2], spot[1]) for g in gates)
        assert both >= 1


def test_crossings_again_at_one_place_are_crossings_too_and_by_night(
    made: Inputs, truths: list[Truth]
) -> None:
    single = {s for t in of_kind(truths, "border_crossing") for s in movers(t)}
    for truth in of_kind(truths, "repeated_crossing"):
        assert len(movers(truth)) >= 3
        assert set(movers(truth)) <= single
        for moment in span(made, truth):
            assert sun_height_deg(made.start, moment, 31.0, 67.5) < 0


def test_innocents_keep_to_the_gates_but_animals_do_not(
    truths: list[Truth],
    tracks: dict[str, np.ndarray],
    zones: dict[str, Any],
    kinds: dict[str, Counter[str]],
) -> None:
    planted = {s for t in truths for s in t.subjects}
    gates = shapely.union_all(
        [g.buffer(0.004) for p, g in zones.values() if p["kind"] == "official_crossing"]
    )
    through, elsewhere = 0, []
    for subject, track in tracks.items():
        if subject in planted or not subject.startswith(EYES):
            continue
        off = north_m(zones, track)
        spot = track[np.argmin(np.abs(off))]
        at_gate = shapely.contains_xy(gates, spot[2], spot[1])
        through += bool(at_gate and (off > 50).sum() >= 2 and (off < -50).sum() >= 2)
        # far enough on either side that no error of a radar puts it there
        over = (off > 250).sum() >= 3 and (off < -250).sum() >= 3
        if not at_gate and over and kinds[subject].most_common(1)[0][0] != "unknown":
            elsewhere.append(subject)
    assert through >= 2
    assert len(elsewhere) <= 1, elsewhere


def test_most_trips_of_sensors_are_nobody_s(
    made: Inputs, truths: list[Truth], tracks: dict[str, np.ndarray]
) -> None:
    planted = {(s, *span(made, t)) for t in of_kind(truths, "sensor_trip") for s in t.subjects}
    trips = [(s, p[0]) for s, t in tracks.items() if s.startswith("sensor:") for p in t]
    true = [
        (s, at) for s, at in trips if any(s == o and a - 2 <= at <= b + 2 for o, a, b in planted)
    ]
    assert true
    assert len(true) < 0.4 * len(trips)
    for subject, start, end in planted:
        assert any(s == subject and start - 2 <= at <= end + 2 for s, at in true)
    # a sensor stays where it is
    for subject, track in tracks.items():
        if subject.startswith("sensor:"):
            assert len(np.unique(track[:, 1:], axis=0)) == 1


def test_no_patrol_is_near_a_planted_trip(
    made: Inputs, truths: list[Truth], tracks: dict[str, np.ndarray]
) -> None:
    units = np.concatenate([t for s, t in tracks.items() if s.startswith("unit:")])
    for truth in of_kind(truths, "sensor_trip"):
        a, b = span(made, truth)
        (subject,) = truth.subjects
        at = tracks[subject][0]
        near = within(units, a - 880, b + 880)
        assert (np.asarray(distance_m(near[:, 1], near[:, 2], at[1], at[2])) > 1900).all()


def test_a_convoy_drives_in_column(
    made: Inputs, truths: list[Truth], tracks: dict[str, np.ndarray]
) -> None:
    for truth in of_kind(truths, "convoy"):
        a, b = span(made, truth)
        moment = (a + b) / 2
        at = []
        for subject in movers(truth):
            own = within(tracks[subject], moment - 300, moment + 300)
            if len(own) >= 2:
                at.append([np.interp(moment, own[:, 0], own[:, k]) for k in (1, 2)])
        assert len(at) >= 3
        assert all(float(distance_m(*p, *at[0])) < 1500 for p in at)


def test_scouts_stay_at_one_spot_behind_the_line(
    made: Inputs, truths: list[Truth], tracks: dict[str, np.ndarray], zones: dict[str, Any]
) -> None:
    for truth in of_kind(truths, "loitering"):
        a, b = span(made, truth)
        assert b - a > 2 * 3600
        own = np.concatenate([within(tracks[s], a, b) for s in movers(truth)])
        away = np.asarray(distance_m(own[:, 1], own[:, 2], *np.median(own[:, 1:], axis=0)))
        assert np.quantile(away, 0.9) < 300
        assert -1000 < np.median(north_m(zones, own)) < -100


def test_a_drone_comes_over_and_goes_back(
    made: Inputs, truths: list[Truth], tracks: dict[str, np.ndarray], zones: dict[str, Any]
) -> None:
    for truth in of_kind(truths, "drone_crossing"):
        (subject,) = movers(truth)
        assert subject.startswith("drone:")
        side = north_m(zones, tracks[subject]) > 0
        assert side[0]
        assert side[-1]
        assert not side.all()


def test_a_sector_is_uncovered_while_nothing_reports_from_it(
    made: Inputs, truths: list[Truth], tracks: dict[str, np.ndarray], zones: dict[str, Any]
) -> None:
    for truth in of_kind(truths, "uncovered"):
        a, b = span(made, truth)
        (subject,) = truth.subjects
        properties, area = zones[subject[5:]]
        assert (b - a) / 60 > properties["max_uncovered_min"]
        for name, track in tracks.items():
            if name.startswith(("unit:", "sensor:")):
                own = within(track, a + 60, b - 60)
                assert not shapely.contains_xy(area, own[:, 2], own[:, 1]).any(), name


def test_every_sector_has_a_patrol_at_all_other_times(
    made: Inputs, truths: list[Truth], tracks: dict[str, np.ndarray], zones: dict[str, Any]
) -> None:
    bare = [(t.subjects[0][5:], *span(made, t)) for t in of_kind(truths, "uncovered")]
    units = np.concatenate([t for s, t in tracks.items() if s.startswith("unit:")])
    for id_, (properties, area) in zones.items():
        if properties["kind"] == "patrol_sector":
            inside = units[shapely.contains_xy(area.buffer(0.002), units[:, 2], units[:, 1])]
            ends = (made.end - made.start).total_seconds()
            t = np.sort(np.concatenate([[0.0], inside[:, 0], [ends]]))
            for start, end in pairwise(t):
                if end - start > properties["max_uncovered_min"] * 60:
                    assert any(n == id_ and start < e and end > s for n, s, e in bare), id_
