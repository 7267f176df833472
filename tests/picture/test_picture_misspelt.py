"""Properties of zones that are nearly a parameter are named; others are the zone's own affair."""

from __future__ import annotations

import json

import pytest

from cordon.cli import run
from cordon.picture import zones_of
from cordon.picture.misspelt import misspelt
from cordon.web.rendering import Page, Templates

ROW = "2026-01-17T08:30:00Z,rx,mmsi:463000001,24.5,66.5\n"


def collection(**properties):
    feature = {
        "type": "Feature",
        "properties": {"id": "Z-1", "kind": "restricted", "radius_m": 500, **properties},
        "geometry": {"type": "Point", "coordinates": [66.0, 24.0]},
    }
    return {"type": "FeatureCollection", "features": [feature]}


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("least_depth_metres", "least_depth_m"),
        ("dwell_minutes", "dwell_min"),
        ("dwellMin", "dwell_min"),
        ("Dwell-Min", "dwell_min"),
        ("dwel_min", "dwell_min"),
        ("exit_margin", "exit_margin_m"),
        ("alowed", "allowed"),
        ("watched", "watch"),
        ("max_uncovered_minutes", "max_uncovered_min"),
    ],
)
def test_a_slip_is_named_with_the_nearest_right_name(wrong: str, right: str) -> None:
    (slip,) = misspelt(zones_of(collection(**{wrong: 5})))
    assert (slip.zone, slip.wrong, slip.right) == ("Z-1", wrong, right)
    assert f"“{wrong}”" in str(slip)


def test_other_properties_are_passed_over() -> None:
    own = ("note", "name_en", "ISO_A3", "scalerank", "min_zoom", "featurecla", "fill",
           "stroke-opacity", "marker-color", "description", "area_km2", "length_km", "depth_m",
           "width_m", "height_m", "range_m", "owner", "created", "x" * 300)  # fmt: skip
    assert misspelt(zones_of(collection(**dict.fromkeys(own, 1)))) == []
    # what is set rightly too is no slip
    assert misspelt(zones_of(collection(dwell_min=60, dwell_mins=60))) == []


def test_detect_warns_by_zone_and_name(tmp_path, capfd) -> None:
    positions, zones = tmp_path / "p.csv", tmp_path / "zones.geojson"
    positions.write_text("at,source,subject,lat,lon\n" + ROW)
    zones.write_text(json.dumps(collection(dwell_minutes=60)))
    asked = ["picture", "detect", str(positions), "--zones", str(zones)]
    assert run([*asked, "--out", str(tmp_path / "f.jsonl")]) == 0
    assert "Z-1" in (said := capfd.readouterr().err)
    assert "did you mean “dwell_min”?" in said
    assert run([*asked, "--json", "--out", str(tmp_path / "f.jsonl")]) == 0
    told = capfd.readouterr()
    assert "dwell_min" in json.loads(told.out)["remarks"][0]
    assert "dwell_min" in told.err


def test_the_page_names_it_beside_its_zone_and_draws_others_without() -> None:
    slipped, right = zones_of(collection(id="Z-1", dwell_minutes=5)), zones_of(collection(id="Z-2"))
    zones = [*slipped, *right]
    html = Templates().render(
        "picture/zones.html", "en", page=Page(title="Zones", lang="en"), zones=zones,
        slips={"Z-1": misspelt(zones)}, refused="", form="", may_change=True,
    )  # fmt: skip
    one, other = html.split("Z-2", 1)
    assert "“dwell_minutes” is no parameter" in one
    assert "dwell_minutes" not in other
