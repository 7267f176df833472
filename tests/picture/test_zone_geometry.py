"""Zones from GeoJSON: what is mended, what is refused and how, and who touches them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Polygon

from cordon.kernel.errors import BadInput
from cordon.kernel.geo import destination
from cordon.picture import zones
from cordon.picture.zones import read_zones, zones_of

SQUARE = [[66.0, 24.0], [67.0, 24.0], [67.0, 25.0], [66.0, 25.0], [66.0, 24.0]]


def collection(*rings, kind="restricted", type_="Polygon", **properties):
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "properties": {"id": "z", "name": "Z", "kind": kind, **properties},
                "geometry": {"type": type_, "coordinates": list(rings)},
            }
        ],
    }


def test_a_plain_zone_with_its_own_parameters() -> None:
    (zone,) = zones_of(collection(SQUARE, exit_margin_m=500))
    assert (zone.id, zone.name, zone.kind, zone.mended) == ("z", "Z", "restricted", "")
    assert zone.parameters == {"exit_margin_m": 500}
    assert zone.geometry.area == pytest.approx(1.0)


def test_an_open_ring_is_closed_and_said_so() -> None:
    (zone,) = zones_of(collection(SQUARE[:-1]))
    assert zone.geometry.area == pytest.approx(1.0)
    assert "closed" in zone.mended


def test_a_slip_of_the_pen_is_mended() -> None:
    ring = [*SQUARE[:3], [66.5, 25.0], [66.52, 25.01], [66.51, 25.0], [66.49, 25.003], *SQUARE[3:]]
    assert not Polygon(ring).is_valid
    (zone,) = zones_of(collection(ring))
    assert zone.geometry.is_valid
    assert zone.geometry.area == pytest.approx(1.0, rel=0.01)
    assert "crossed itself" in zone.mended


def test_a_figure_of_eight_is_refused_with_feature_and_vertex() -> None:
    eight = [[66, 24], [67, 25], [67, 24], [66, 25], [66, 24]]
    with pytest.raises(BadInput) as fault:
        zones_of(collection(eight), "zones.geojson")
    assert "zones.geojson, feature 1 (“z”), vertex 1" in str(fault.value)
    assert "crosses itself at 66.5, 24.5" in str(fault.value)


def test_a_hole_outside_the_outline_is_named_as_that() -> None:
    far = [[68, 26], [68, 27], [69, 27], [69, 26], [68, 26]]
    near = [[66.4, 24.4], [66.4, 24.6], [66.6, 24.6], [66.6, 24.4], [66.4, 24.4]]
    with pytest.raises(BadInput) as fault:
        zones_of(collection(SQUARE, near, far), "zones.geojson")
    assert "feature 1 (“z”), ring 3, vertex 1: this hole lies outside" in str(fault.value)
    assert "crosses itself" not in str(fault.value)
    assert "MultiPolygon" in (fault.value.advice or "")
    island = [[66.45, 24.45], [66.45, 24.55], [66.55, 24.55], [66.55, 24.45], [66.45, 24.45]]
    with pytest.raises(
        BadInput, match="ring 3, vertex 1: this hole lies within the hole of ring 2"
    ):
        zones_of(collection(SQUARE, near, island))


def test_an_outline_across_the_antimeridian_is_cut() -> None:
    ring = [[179, -1], [-179, -1], [-179, 1], [179, 1], [179, -1]]
    (zone,) = zones_of(collection(ring))
    assert "antimeridian" in zone.mended
    lat = np.array([0.0, 0.0, 0.0, 0.0])
    lon = np.array([179.5, -179.5, 0.0, 178.5])
    assert zones.inside(zone, lat, lon).tolist() == [True, True, False, False]
    assert zone.geometry.area == pytest.approx(4.0)
    away = zones.distance_to(zone, np.array([0.0]), np.array([-178.9]))
    assert away[0] == pytest.approx(0.1 * 111_195, rel=0.01)


def test_a_hole_is_no_part_of_the_zone() -> None:
    hole = [[66.4, 24.4], [66.4, 24.6], [66.6, 24.6], [66.6, 24.4], [66.4, 24.4]]
    (zone,) = zones_of(collection(SQUARE, hole))
    found = zones.inside(zone, np.array([24.5, 24.3]), np.array([66.5, 66.3]))
    assert found.tolist() == [False, True]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ([], "FeatureCollection"),
        ({"type": "FeatureCollection"}, "features"),
        (collection(SQUARE, kind="secret"), "kind 'secret'"),
        (collection(SQUARE, id=""), "no id"),
        (collection([[66, 24], [67, 24]]), "ring 1"),
        (collection([[66, 24], [67, 24], [67, 95], [66, 24]]), "ring 1, vertex 3"),
        (collection([[66, 24], [67, 24], ["x", 25], [66, 24]]), "vertex 3"),
        (collection([[66, 24], [67, 24], [66, 24], [66, 24]]), "fewer than three"),
        (collection([66, 24], [67, 25], type_="LineString"), "no area"),
        (collection(66, 24, type_="Point"), "radius_m"),
        (collection([[0, 80], [120, 80], [-120, 80], [0, 80]]), "pole"),
    ],
)
def test_what_cannot_be_meant_is_refused(data, words) -> None:
    with pytest.raises(BadInput, match=r"feature 1|expected|features") as fault:
        zones_of(data)
    assert words in str(fault.value)


def test_an_id_stands_once(tmp_path: Path) -> None:
    data = collection(SQUARE)
    data["features"] *= 2
    path = tmp_path / "z.geojson"
    path.write_text(json.dumps(data))
    with pytest.raises(BadInput, match="twice"):
        read_zones(path)
    path.write_text("{")
    with pytest.raises(BadInput, match="not JSON"):
        read_zones(path)


def test_a_point_with_a_radius_is_a_circle() -> None:
    (zone,) = zones_of(
        collection(66.0, 24.0, type_="Point", kind="official_crossing", radius_m=2000)
    )
    for course in range(0, 360, 30):
        for way, within in ((1950, True), (2050, False)):
            lat, lon = destination(24.0, 66.0, course, way)
            assert zones.inside(zone, np.array([lat]), np.array([lon]))[0] == within


json_like = st.recursive(
    st.none() | st.booleans() | st.floats(-400, 400) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=6)
        | st.dictionaries(st.sampled_from(["type", "coordinates", "id", "kind"]), inner, max_size=4)
    ),
    max_leaves=25,
)


@settings(max_examples=300, deadline=None)
@given(
    json_like,
    st.sampled_from(["Polygon", "MultiPolygon", "Point", "LineString", "GeometryCollection", None]),
    st.sampled_from(["restricted", "border", "port", "x"]),
    st.lists(st.lists(st.floats(-181, 181), min_size=2, max_size=2), max_size=9),
)
def test_no_geojson_raises_anything_but_bad_input(junk, type_, kind, ring) -> None:
    for coordinates in (junk, [ring], [[ring]], ring):
        data = collection(kind=kind)
        data["features"][0]["geometry"] = {"type": type_, "coordinates": coordinates}
        try:
            found = zones_of(data)
        except BadInput:
            continue
        assert all(z.geometry.is_valid and not z.geometry.is_empty for z in found)
        west, south, east, north = found[0].geometry.bounds
        assert -180.0001 <= west <= east <= 180.0001
        assert -90.01 <= south <= north <= 90.01
    with pytest.raises(BadInput):
        zones_of(junk)
