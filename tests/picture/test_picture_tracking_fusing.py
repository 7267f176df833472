"""Tracks of subjects in, tracks of craft out; and the real logs with their identities taken off."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from cordon.kernel.findings import RecordRef
from cordon.kernel.geo import destination
from cordon.picture.model import Position
from cordon.picture.tracking import Fused, Sensor, fuse
from cordon.picture.tracking.fusing import resolution_of
from cordon.picture.tracks import Tracks

T0 = datetime(2026, 3, 6, 6, 0, tzinfo=UTC)


def sailed(
    subject: str,
    source: str,
    *,
    at: tuple[float, float] = (24.5, 66.5),
    course: float = 90.0,
    start: float = 0.0,
    seconds: float = 600.0,
    every: float = 10.0,
    error: float = 5.0,
    number: bool = False,
    name: str = "",
    speed: float = 6.0,
) -> list[Position]:
    """Reports of a straight way at 6 m/s; a plot's number is new each time where asked for."""
    rng, found = np.random.default_rng(len(subject) + int(start)), []
    for k in range(int(seconds / every)):
        t = start + every * k
        lat, lon = destination(*at, course, speed * t)
        lat, lon = destination(lat, lon, float(rng.uniform(0, 360)), abs(rng.normal(0, error)))
        who = f"{subject}{k}" if number else subject
        record = RecordRef("c" * 64, len(found) + 1 + 1000 * int(start))
        found.append(
            Position(
                T0 + timedelta(seconds=t),
                source,
                who,
                lat,
                lon,
                accuracy_m=error,
                kind="vessel",
                name=name,
                record=record,
            )
        )
    return found


def test_a_radars_plots_go_to_the_vessel_and_it_keeps_its_name() -> None:
    tracks = Tracks.build(
        sailed("mmsi:1", "rx", name="ALPHA")
        + sailed("radar:K/", "radar", every=3.0, error=20.0, number=True, start=1.0)
        + sailed("mmsi:2", "rx", at=(24.8, 66.9), course=10)
    )
    fused = fuse(tracks, [Sensor("radar", revisit_s=3.0, plots=True)])
    assert fused.tracks.subjects == ("mmsi:1", "mmsi:2")
    assert [s.name for s in fused.tracks.static] == ["ALPHA", ""]
    assert len(fused.tracks) == len(tracks)
    own = fused.tracks.of(0)
    assert {fused.tracks.sources[k] for k in fused.tracks.source[own]} == {"rx", "radar"}
    assert (np.diff(fused.tracks.t[own]) >= 0).all()
    # each fix still stands where it came from
    before = {(tracks.record(k), tracks.t[k], tracks.lat[k]) for k in range(len(tracks))}
    after = {
        (fused.tracks.record(k), fused.tracks.t[k], fused.tracks.lat[k])
        for k in range(len(fused.tracks))
    }
    assert before == after
    assert fused.names == ((("mmsi:1", 60),), (("mmsi:2", 60),))
    for k in range(len(tracks)):
        assert fused.tracks.subjects[fused.of[k]] in ("mmsi:1", "mmsi:2")


def test_numbers_that_never_come_again_are_plots() -> None:
    tracks = Tracks.build(sailed("radar:K/", "radar", every=3.0, error=20.0, number=True))
    fused = fuse(tracks)
    assert len(tracks.subjects) == 200
    assert len(fused.tracks.subjects) == 1
    assert fused.tracks.subjects[0].startswith("track:")


def test_clutter_is_left_out_and_told() -> None:
    rng = np.random.default_rng(1)
    noise = [
        Position(
            T0 + timedelta(seconds=3 * k),
            "radar",
            "plot:1",
            float(rng.uniform(24, 25)),
            float(rng.uniform(66, 67)),
            record=RecordRef("d" * 64, k + 1),
        )
        for k in range(200)
    ]
    fused = fuse(
        Tracks.build(sailed("plot:1", "radar", every=3.0, error=20.0) + noise),
        [Sensor("radar", revisit_s=3.0)],
    )
    assert len(fused.tracks.subjects) == 1
    assert 195 <= fused.left_out <= 200
    assert (fused.of == -1).sum() == fused.left_out


def test_the_second_hull_under_a_name_is_a_track_of_its_own() -> None:
    tracks = Tracks.build(
        sailed("mmsi:1", "rx", seconds=900)
        + sailed("mmsi:1", "rx", at=(25.5, 67.5), course=0, start=5.0)
    )
    fused = fuse(tracks)
    assert fused.tracks.subjects[0] == "mmsi:1"
    assert fused.tracks.subjects[1].startswith("track:")
    assert fused.names == ((("mmsi:1", 90),), (("mmsi:1", 60),))


def test_a_vessel_that_is_away_for_a_day_keeps_its_name() -> None:
    tracks = Tracks.build(
        sailed("mmsi:1", "rx") + sailed("mmsi:1", "rx", start=86_400.0, at=(20.0, 62.0))
    )
    assert fuse(tracks).tracks.subjects == ("mmsi:1",)


def test_a_change_of_name_is_one_craft_under_the_name_it_bore_longest() -> None:
    tracks = Tracks.build(
        sailed("mmsi:1", "rx", seconds=900) + sailed("mmsi:2", "rx", start=900.0, seconds=500)
    )
    fused = fuse(tracks)
    assert fused.tracks.subjects == ("mmsi:1",)
    assert fused.names == ((("mmsi:1", 90), ("mmsi:2", 50)),)


def test_the_same_fixes_give_the_same_tracks_in_whatever_files() -> None:
    reports = sailed("mmsi:1", "rx") + sailed("plot:1", "radar", every=3.0, error=20.0, start=1.0)
    one = fuse(Tracks.build(reports))
    other = fuse(Tracks.build(reports[::-1]))
    assert one.tracks.subjects == other.tracks.subjects
    assert (one.of == other.of).all()


def test_nothing_gives_nothing() -> None:
    fused = fuse(Tracks.build([]))
    assert len(fused.tracks) == len(fused.of) == 0


def test_how_coarsely_times_are_told_is_seen() -> None:
    assert resolution_of(np.array([60.0, 120.0, 600.0])) == 60.0
    assert resolution_of(np.array([60.0, 121.0])) == 1.0
    assert resolution_of(np.array([60.0, 121.25])) == 0.001


DATA = os.environ.get("CORDON_REAL_DATA", "")


def rows_of(name: str) -> Iterator[tuple[str, datetime, float, float]]:
    path = Path(DATA) / "tracks" / name
    if name.endswith(".csv"):
        for row in csv.DictReader(path.open()):
            t = row.get("BaseDateTime") or row["Time"]
            lat = row.get("LAT") or row["Latitude_degrees"]
            lon = row.get("LON") or row["Longitude_degrees"]
            yield row["MMSI"], datetime.fromisoformat(t), float(lat), float(lon)
        return
    for line in path.open():
        values = line.rstrip("\n").split(",")
        mmsis = (k for k in range(7, len(values)) if len(values[k]) == 9 and values[k].isdigit())
        first = next(mmsis)
        for k in range(first, len(values) - 3, 4):
            mmsi, t, lon, lat = values[k : k + 4]
            yield mmsi, datetime.fromisoformat(t), float(lat), float(lon)


def logged(name: str, *, named: bool) -> tuple[Tracks, list[str]]:
    """A real log, with its identities or without, and whose each row is."""
    found, whose = [], []
    for mmsi, at, lat, lon in rows_of(name):
        whose.append(mmsi)
        found.append(
            Position(
                at if at.tzinfo else at.replace(tzinfo=UTC),
                "rx",
                f"mmsi:{mmsi}" if named else "plot:rx",
                lat,
                lon,
                kind="vessel",
                record=RecordRef("e" * 64, len(whose)),
            )
        )
    return Tracks.build(found), whose


def shares(fused: Fused, tracks: Tracks, whose: list[str]) -> tuple[float, float]:
    """Purity: fixes that are of the vessel most of their track is of. Completeness: fixes of a
    vessel that are in the track with most of them."""
    vessel = np.unique([whose[row - 1] for row in tracks.row], return_inverse=True)[1]
    count = np.zeros((fused.of.max() + 1, vessel.max() + 1))
    kept = fused.of >= 0
    np.add.at(count, (fused.of[kept], vessel[kept]), 1)
    return float(count.max(axis=1).sum() / kept.sum()), float(count.max(axis=0).sum() / len(tracks))


@pytest.mark.real_data
@pytest.mark.skipif(not DATA, reason="CORDON_REAL_DATA is not set")
@pytest.mark.parametrize(
    "name", ["SolentAIS_20160112_130211.csv", "NYHarbor_2020_06_30_first_hour.csv"]
)
def test_real_logs_keep_one_track_for_each_name(name: str) -> None:
    tracks, whose = logged(name, named=True)
    fused = fuse(tracks)
    purity, completeness = shares(fused, tracks, whose)
    assert purity == 1.0
    assert completeness > 0.999
    assert len(fused.tracks) == len(tracks)


@pytest.mark.real_data
@pytest.mark.skipif(not DATA, reason="CORDON_REAL_DATA is not set")
def test_real_tracks_are_rebuilt_without_their_names() -> None:
    """Every ten seconds or so a report, in the Solent; docs/decisions/0013 has the other logs."""
    tracks, whose = logged("SolentAIS_20160112_130211.csv", named=False)
    fused = fuse(tracks, [Sensor("rx", "ais", accuracy_m=10.0)])
    purity, completeness = shares(fused, tracks, whose)
    assert purity > 0.85
    assert completeness > 0.75
    assert fused.left_out < 0.03 * len(tracks)
