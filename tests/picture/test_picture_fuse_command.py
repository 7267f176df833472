"""`cordon picture fuse`: reports of an AIS set and a radar in, one track for each craft out."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from cordon import cli
from cordon.kernel.geo import destination
from cordon.picture.cover.model import Sees
from cordon.picture.cover.model import Sensor as Described
from cordon.picture.feeds import open_positions
from cordon.picture.fuse_commands import sensors_of
from cordon.picture.tracking.writing import COLUMNS

T0 = datetime(2026, 3, 6, 6, 0, tzinfo=UTC)
HEAD = "at,source,subject,lat,lon,accuracy_m,kind,name\n"


def rows(
    subject: str, source: str, at: tuple[float, float], start: float, every: float, error: float
) -> list[str]:
    """Ten minutes eastward at 6 m/s, as rows of a table."""
    rng, found = np.random.default_rng(7), []
    for k in range(int(600 / every)):
        t = start + every * k
        lat, lon = destination(*at, 90.0, 6.0 * t)
        lat, lon = destination(lat, lon, rng.uniform(0, 360), abs(rng.normal(0, error)))
        when = (T0 + timedelta(seconds=t)).isoformat().replace("+00:00", "Z")
        name = "ALPHA, of Gwadar" if subject.startswith("mmsi") else ""
        found.append(f'{when},{source},{subject},{lat},{lon},{error},vessel,"{name}"\n')
    return found


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """A vessel by AIS; and, of a radar, the same vessel and another without AIS; and one echo."""
    ais, radar = tmp_path / "ais.csv", tmp_path / "radar.csv"
    ais.write_text(HEAD + "".join(rows("mmsi:463000001", "rx", (24.5, 66.5), 0, 10, 5)))
    plots = rows("radar:K/12", "K", (24.5, 66.5), 1, 3, 20)
    plots += rows("radar:K/13", "K", (24.7, 66.5), 1, 3, 20)
    plots += ["2026-03-06T06:03:00Z,K,radar:K/99,25.1,66.1,20,vessel,\n"]
    radar.write_text(HEAD + "".join(plots) + "2026-03-06T06:03:00Z,K,radar:K/1,95,66,20,vessel,\n")
    return [ais, radar]


@pytest.fixture
def run(capfd) -> Callable[..., tuple[int, str, str]]:
    """Runs the command; its exit code, standard output and standard error."""

    def command(*words: object) -> tuple[int, str, str]:
        code = cli.run(["picture", "fuse", *map(str, words)])
        told = capfd.readouterr()
        return code, told.out, told.err

    return command


def test_each_craft_is_one_track_and_each_fix_tells_where_it_came_from(
    run, files, tmp_path
) -> None:
    out = tmp_path / "tracks.csv"
    code, said, _ = run(*files, "--out", out, "--json")
    assert code == 0
    told = json.loads(said)
    assert {k: v for k, v in told.items() if k != "files"} == {
        "subjects": 4, "craft": 2, "fixes": 460, "of_several": 1, "left_out": 1, "refused": 0,
    }  # fmt: skip
    assert [(f["name"], f["kept"], f["refused"]) for f in told["files"]] == [
        ("ais.csv", 60, 0),
        ("radar.csv", 401, 1),
    ]
    with out.open(newline="") as file:
        got = list(csv.DictReader(file))
    assert tuple(got[0]) == COLUMNS
    named, other = sorted({row["subject"] for row in got})
    assert named == "mmsi:463000001"
    assert other.startswith("track:")
    assert {r["heard_as"] for r in got if r["subject"] == other} == {"radar:K/13"}
    own = [r for r in got if r["subject"] == "mmsi:463000001"]
    assert {r["heard_as"] for r in own} == {"mmsi:463000001", "radar:K/12"}
    assert {r["name"] for r in own} == {"ALPHA, of Gwadar"}
    assert [r["at"] for r in own] == sorted(r["at"] for r in own)
    # each row is the one that its file holds there
    given = {hashlib.sha256(f.read_bytes()).hexdigest(): f for f in files}
    for row in got[::37]:
        table = list(csv.DictReader(io.StringIO(given[row["sha256"]].read_text())))
        was = table[int(row["row"]) - 1]
        assert was["subject"] == row["heard_as"]
        assert (row["source"], row["kind"]) == (was["source"], was["kind"])
        assert float(row["lat"]) == pytest.approx(float(was["lat"]), abs=1e-7)
        assert row["at"] == was["at"]


def test_what_it_writes_is_read_again_as_positions(run, files, tmp_path) -> None:
    for name in ("tracks.csv", "tracks.parquet"):
        out = tmp_path / name
        assert run(*files, "--out", out)[0] == 0
        reader = open_positions(out)
        read = list(reader)
        assert len(read) == 460
        assert reader.counts.refused == 0
        assert {p.subject.partition(":")[0] for p in read} == {"mmsi", "track"}
    table = pq.read_table(tmp_path / "tracks.parquet")
    assert tuple(table.schema.names) == COLUMNS
    assert table.column("speed_kn").null_count == 460


def test_the_same_files_in_another_order_give_the_same_bytes(run, files, tmp_path) -> None:
    one, other = tmp_path / "1.csv", tmp_path / "2.csv"
    run(*files, "--out", one)
    run(*files[::-1], "--out", other)
    assert one.read_bytes() == other.read_bytes()


def test_without_out_the_tracks_stand_on_standard_output_alone(run, files) -> None:
    code, said, words = run(*files)
    assert code == 0
    assert said.splitlines()[0] == ",".join(COLUMNS)
    assert len(said.splitlines()) == 461
    assert "4 subjects are 2 craft, of which 1 heard as several" in words
    assert "1 left out" in words


def test_wrong_asks_leave_nothing_behind(run, files, tmp_path) -> None:
    out = tmp_path / "tracks.kml"
    code, _, said = run(*files, "--out", out)
    assert code == 2
    assert "tracks.kml" in said
    bad = tmp_path / "bad.csv"
    bad.write_text("this,is\nno,table\n")
    out = tmp_path / "tracks.csv"
    code, _, said = run(bad, "--out", out)
    assert code == 1
    assert "bad.csv" in said
    sensors = tmp_path / "sensors.csv"
    sensors.write_text("id,kind\nR,lighthouse\n")
    code, _, said = run(*files, "--sensors", sensors, "--out", out)
    assert code == 1
    assert "sensors.csv" in said
    assert not out.exists()


def test_refused_rows_are_written_beside_it(run, files, tmp_path) -> None:
    rejects = tmp_path / "rejects.csv"
    run(*files, "--out", tmp_path / "tracks.csv", "--rejects", rejects)
    assert [line.split(",")[:2] for line in rejects.read_text().splitlines()[1:]] == [
        ["radar.csv", "402"]
    ]


def test_a_described_radar_tells_its_place_and_its_turn() -> None:
    def one(id_: str, kind: str, **more: object) -> Described:
        return Described(id_, kind, Sees.VESSEL, lat=24.8, lon=66.9, **more)

    told = {
        s.source: s
        for s in sensors_of(
            [
                one("R", "radar", every_s=3.0),
                one("S", "radar", source="both", every_s=60.0),
                one("T", "radar", source="both"),
                one("A", "ais_receiver", source="rx", every_s=10.0),
                one("U", "patrol"),
            ]
        )
    }
    assert set(told) == {"R", "both", "rx"}
    assert (told["R"].lat, told["R"].revisit_s) == (24.8, 3.0)
    # two radars under one source: whose errors lie how cannot be told
    assert (told["both"].lat, told["both"].revisit_s) == (None, None)
    assert (told["rx"].kind, told["rx"].lat, told["rx"].revisit_s) == ("ais", None, None)


def test_what_cannot_be_tracked_is_counted_and_leaves_no_gap(run, files, tmp_path) -> None:
    pole = tmp_path / "pole.csv"
    pole.write_text(HEAD + "2026-03-06T06:03:00Z,rx,mmsi:7,89.99,66,5,vessel,\n")
    code, said, _ = run(*files, pole, "--out", tmp_path / "tracks.csv", "--json")
    assert code == 0
    told = json.loads(said)
    assert (told["fixes"], told["refused"]) == (460, 1)
