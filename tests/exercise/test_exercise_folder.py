"""What stands in a world's folder: all of one world, and only what can be told of it."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cordon import cli
from cordon.exercise import Inputs, read_truths, world
from cordon.exercise.worlds import watch
from cordon.exercise.worlds.harbour import Planted, Vessel
from cordon.exercise.worlds.paths import Way
from cordon.exercise.worlds.people import _Unused
from cordon.exercise.worlds.radio import Heard
from cordon.exercise.worlds.telling import tellable
from cordon.kernel.clock import parse_time
from cordon.kernel.errors import BadInput
from cordon.kernel.geo import distance_m


def contents(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.iterdir()}


@pytest.mark.parametrize("step", ["write_ais", "write_subscribers", "write_truths"])
def test_ctrl_c_leaves_the_folder_as_it_was(
    step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "night"
    world("watch").generate(1, 0.1, 0.03, folder)
    before = contents(folder)

    def interrupted(*_: Any) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(watch, step, interrupted)
    for out in (folder, tmp_path / "new"):
        with pytest.raises(KeyboardInterrupt):
            world("watch").generate(2, 0.1, 0.03, out)
    assert contents(folder) == before
    assert not (tmp_path / "new").exists()


def test_a_move_that_breaks_off_leaves_no_truth_to_score(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world("watch").generate(1, 0.1, 0.03, tmp_path)
    others = {"notes.txt": b"mine"}
    (tmp_path / "notes.txt").write_bytes(others["notes.txt"])
    moved = Path.replace

    def breaks(path: Path, target: Path) -> Path:
        if path.parent.parent == tmp_path and path.name == "positions.csv":
            raise KeyboardInterrupt
        return moved(path, target)

    monkeypatch.setattr(Path, "replace", breaks)
    with pytest.raises(KeyboardInterrupt):
        world("watch").generate(2, 0.1, 0.03, tmp_path)
    assert not (tmp_path / "truth.jsonl").exists()
    assert (tmp_path / "notes.txt").read_bytes() == b"mine"
    assert not list(tmp_path.rglob("*.partial"))


def reports(made: Inputs) -> dict[str, list[tuple[datetime, float, float]]]:
    found = defaultdict(list)
    with made.files["positions"].open() as lines:
        for row in csv.DictReader(lines):
            place = (float(row["lat"]), float(row["lon"]))
            found[row["subject"]].append((parse_time(row["at"]), *place))
    return found


@pytest.mark.parametrize(
    ("seed", "days", "scale"),
    [
        (6, 1.0, 0.5), (8, 0.4, 0.5), (7, 0.1, 0.5),  # moved out of every receiver's range
        (4, 0.1, 0.05), (5, 0.1, 0.05), (8, 0.1, 0.05), (1, 0.05, 0.01),  # short
    ],
)  # fmt: skip
def test_what_is_asked_for_was_received(
    seed: int, days: float, scale: float, tmp_path: Path
) -> None:
    made = world("watch").generate(seed, days, scale, tmp_path)
    received = reports(made)
    truths = list(read_truths(made.files["truth"]))
    assert truths
    for truth in truths:
        assert made.start <= truth.start < truth.end <= made.end
        if truth.kind == "picture.impossible_move":
            within = [r for r in received[truth.subjects[0]] if truth.start <= r[0] <= truth.end]
            far = [distance_m(*within[0][1:], *r[1:]) > 40_000 for r in within]
            assert sum(far) >= 2
            assert sum(not there for there in far) >= 1
        if truth.kind == "calls.out_fan":
            number = truth.subjects[0].partition(":")[2]
            assert made.files["calls"].read_text().count(f",{number},") >= 2


def test_two_hulls_under_one_identity_have_a_span_however_short(tmp_path: Path) -> None:
    for seed in (4, 5, 8):
        made = world("watch").generate(seed, 0.1, 0.05, tmp_path / str(seed))
        (shared,) = [
            t for t in read_truths(made.files["truth"]) if t.kind == "picture.shared_identity"
        ]
        assert shared.end - shared.start == timedelta(hours=1.2)


def heard(vessel: Vessel, *reports: tuple[float, float]) -> Heard:
    """Reports (s, longitude) on the parallel of 24 degrees north."""
    t, lon = (np.array([r[i] for r in reports], float) for i in (0, 1))
    none = np.zeros(len(t))
    return Heard(vessel, t, none + 24, lon, none, none, none.astype(np.int64))


def test_what_too_few_reports_tell_is_neither_asked_for_nor_heard() -> None:
    way = Way(np.array([0.0, 1e5]), np.array([24.0, 24.0]), np.array([66.0, 66.0]))
    one = Vessel("1", "A", "", "", 70, "PK", False, way)
    jump = Planted("picture.impossible_move", "1", 100, 200, apart=True)
    entry = Planted("picture.zone_entry", "1", 100, 200, "Z")
    gap = Planted("picture.gap", "1", 100, 200, told_by="before")
    between = Planted("picture.zone_entry", "1", 100, 200, "Z", told_by="around")

    def told(event: Planted, *reports: tuple[float, float]) -> tuple[bool, list[float]]:
        events, (left,) = tellable([event], [heard(one, *reports)])
        return bool(events), left.t.tolist()

    assert told(jump, (60, 66), (120, 65), (180, 65)) == (True, [60, 120, 180])
    assert told(jump, (60, 66), (120, 65), (260, 66)) == (False, [60, 260])
    assert told(jump, (120, 65), (180, 65)) == (False, [])  # nothing that it came from
    assert told(jump, (60, 66), (120, 66), (180, 66)) == (False, [60])  # not apart
    assert told(entry, (120, 66), (180, 66)) == (True, [120, 180])
    assert told(entry, (60, 66), (120, 66)) == (False, [60])
    assert told(gap, (40, 66), (60, 66)) == (True, [40, 60])
    assert told(gap, (60, 66), (260, 66)) == (False, [60, 260])
    assert told(between, (60, 66), (260, 66)) == (True, [60, 260])
    assert told(between, (60, 66)) == (False, [60])
    assert told(replace(entry, end=100), (100, 66), (100, 66)) == (False, [])
    # of two hulls both must be heard, and the second is the one that is not
    twice = [heard(one, (60, 66), (120, 66), (180, 66)), heard(one, (150, 62))]
    events, (real, twin) = tellable([jump], twice)
    assert (events, real.t.tolist(), twin.t.tolist()) == ([], [60, 120, 180], [])


def test_devices_and_numbers_are_nobody_elses(tmp_path: Path) -> None:
    made = world("watch").generate(1, 0.2, 1.0, tmp_path)
    devices: dict[str, set[str]] = defaultdict(set)
    with made.files["calls"].open() as lines:
        for row in csv.DictReader(lines):
            for end in ("caller", "callee"):
                devices[row[f"{end}_imei"]].add(row[end])
    assert len(devices) > 1500
    assert all(len(numbers) == 1 for numbers in devices.values())


def test_no_number_is_taken_twice_and_a_block_never_runs_out() -> None:
    numbers = _Unused(np.random.default_rng(1), 100)
    taken = [numbers.take() for _ in range(1000)]
    assert len(set(taken)) == 1000
    assert max(taken) < 100 * 1000 / 50


def test_the_span_that_was_played_stands_beside_the_truth(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = world("watch").generate(3, 0.25, 0.03, tmp_path)
    assert json.loads(made.files["world"].read_text()) == {
        "name": "watch", "seed": 3, "days": 0.25, "scale": 0.03,
        "start": "2026-01-17T00:00:00Z", "end": "2026-01-17T06:00:00Z",
    }  # fmt: skip
    truth, findings = str(made.files["truth"]), tmp_path / "findings.jsonl"
    findings.write_bytes(b"")

    def days(*more: str) -> float:
        assert cli.run(["exercise", "score", truth, str(findings), "--json", *more]) == 0
        return float(json.loads(capsys.readouterr().out)["days"])

    assert days() == 0.25
    assert days("--days", "2") == 2.0
    made.files["world"].write_text("{}")
    assert cli.run(["exercise", "score", truth, str(findings)]) == 1
    assert "world.json" in capsys.readouterr().err
    assert days("--days", "3") == 3.0
    made.files["world"].unlink()
    assert days() == 1.0  # nothing says more: one day at least


@pytest.mark.parametrize(
    "wrong",
    [
        ("--seed", "-1"), ("--start", "yesterday"), ("--days", "900"), ("--scale", "nan"),
        ("--start", "9999-12-31T00:00:00Z"), ("--seed", str(2**70)),
    ],
)  # fmt: skip
def test_wrong_usage_ends_with_2(
    wrong: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    told = cli.run(["exercise", "generate", "watch", "--out", str(out), *wrong])
    assert told == 2
    assert "Traceback" not in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize("days", ["0", "-1", "nan", "inf"])
def test_a_length_that_is_none_is_wrong_usage(days: str, tmp_path: Path) -> None:
    truth = tmp_path / "truth.jsonl"
    truth.write_bytes(b"")
    assert cli.run(["exercise", "score", str(truth), str(truth), "--days", days]) == 2


def test_a_seed_below_nothing_is_refused_by_the_world(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="seed"):
        world("watch").generate(-1, 1.0, 0.1, tmp_path)
