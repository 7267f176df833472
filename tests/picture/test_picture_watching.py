"""`cordon picture watch`: what it tells of files, and that it takes back what late ones refute."""

from __future__ import annotations

import json
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from cordon.cli import application

ZONE = {
    "type": "Feature",
    "id": "watched",
    "properties": {"id": "watched", "name": "Watched", "kind": "restricted"},
    "geometry": {
        "type": "Polygon",
        "coordinates": [[[66.4, 24.4], [66.6, 24.4], [66.6, 24.6], [66.4, 24.6], [66.4, 24.4]]],
    },
}


def written(path: Path, positions: list) -> Path:
    rows = [
        f"{p.at.isoformat().replace('+00:00', 'Z')},rx,{p.subject},{p.lat},{p.lon},vessel"
        for p in positions
    ]
    path.write_text("\n".join(["at,source,subject,lat,lon,kind", *rows]))
    return path


def told(*words: object) -> list[dict]:
    run = CliRunner().invoke(application(), ["picture", "watch", *map(str, words)])
    assert run.exit_code == 0, run.output
    return [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]


def test_a_late_file_takes_back_what_the_first_said(sail, tmp_path: Path) -> None:
    who = "mmsi:463000001"
    zones = tmp_path / "zones.geojson"
    zones.write_bytes(orjson.dumps({"type": "FeatureCollection", "features": [ZONE]}))
    before = [p for p in sail(who, 24.5, 66.2, 90, 10, 55) if p.lon < 66.39]
    after = sail(who, 24.5, 66.70, 90, 10, 60, start_min=105)
    first = written(tmp_path / "a.csv", [*before, *after])
    late = written(tmp_path / "b.csv", sail(who, 24.64, 66.40, 90, 40, 15, start_min=75))
    lines = told(first, late, "--zones", zones, "--no-positions")
    entries = [x["finding"]["id"] for x in lines if x.get("finding", {}).get("kind", "")
               == "picture.zone_entry"]  # fmt: skip
    back = [x["withdrawn"]["id"] for x in lines if "withdrawn" in x]
    assert entries
    assert set(entries) <= set(back)


@pytest.mark.parametrize("as_json", [True, False])
def test_what_was_read_and_why_rows_were_refused_is_told(
    sail, tmp_path: Path, *, as_json: bool
) -> None:
    path = written(tmp_path / "a.csv", sail("mmsi:463000001", 24.5, 66.2, 90, 10, 5))
    with path.open("a") as file:
        file.write("\n2026-03-06T12:00:00Z,rx,mmsi:1,95,66,vessel" * 2)
        file.write("\n2026-03-06T12:00:00Z,rx,mmsi:1,25,north,vessel\n")
    words = ["picture", "watch", str(path), *(["--json"] if as_json else [])]
    run = CliRunner().invoke(application(), words)
    assert run.exit_code == 0
    if as_json:
        (file_,) = [x["file"] for x in map(json.loads, run.stdout.splitlines()) if "file" in x]
        assert (file_["name"], file_["refused"]) == ("a.csv", 3)
        assert sorted(file_["reasons"].values()) == [1, 2]
    else:
        assert "3 refused" in run.output
        assert "refused 2: " in run.output
        assert "refused 1: " in run.output
