"""Overlays: what is drawn of GeoJSON, KML and GPX, what is refused, and whose they are."""

from __future__ import annotations

import orjson
import pytest

from cordon.kernel.errors import BadInput, Conflict, NotFound, Refused
from cordon.picture.desk import overlayfiles
from cordon.picture.desk.overlayfiles import read_overlay
from cordon.picture.desk.overlays import Overlays

KML = """<?xml version="1.0" encoding="UTF-8"?>
<kml xmlns="http://www.opengis.net/kml/2.2" xmlns:gx="http://www.google.com/kml/ext/2.2"><Document>
<name>not a feature's name</name>
<Placemark><name>Beach &amp; bay</name>
<description><![CDATA[<b>open</b> <script>x</script>]]></description>
<Polygon><outerBoundaryIs><LinearRing><coordinates>
66.2,24.2,0 66.5,24.2,0
66.5,24.4,0 66.2,24.2,0</coordinates></LinearRing></outerBoundaryIs>
<innerBoundaryIs><LinearRing><coordinates>66.3,24.22 66.4,24.22 66.4,24.3 66.3,24.22</coordinates>
</LinearRing></innerBoundaryIs></Polygon></Placemark>
<Folder><Placemark><MultiGeometry><Point><coordinates>65, 24.5, 3</coordinates></Point>
<LineString><coordinates>65,24 66,24</coordinates></LineString></MultiGeometry></Placemark></Folder>
<Placemark><name>way</name><gx:Track><gx:coord>65 24 0</gx:coord><gx:coord>65.1 24.1 0</gx:coord>
</gx:Track></Placemark>
<Placemark><name>nowhere</name><Point><coordinates>265,24.5</coordinates></Point></Placemark>
<NetworkLink><Link><href>http://elsewhere.example/x.kml</href></Link></NetworkLink>
</Document></kml>"""
GPX = """<?xml version="1.0"?><gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1">
<wpt lat="24.5" lon="65.5"><name>Buoy</name></wpt>
<rte><name>Patrol</name><rtept lat="24" lon="65"/><rtept lat="24.2" lon="65.2"/></rte>
<trk><name>Boat</name><desc>by night</desc><trkseg><trkpt lat="24" lon="65"><name>p</name></trkpt>
<trkpt lat="24.1" lon="65"/></trkseg>
<trkseg><trkpt lat="24.3" lon="65"/><trkpt lat="24.4" lon="65"/>
</trkseg></trk></gpx>"""


def test_kml_is_drawn_with_names_and_without_markup() -> None:
    drawn = read_overlay(KML.encode())
    assert drawn.format == "kml"
    told = [(f["properties"]["name"], f["geometry"]["type"]) for f in drawn.features]
    assert told == [
        ("Beach & bay", "Polygon"),
        ("", "GeometryCollection"),
        ("way", "LineString"),
    ]
    assert drawn.features[0]["properties"]["says"] == "open x"
    rings = drawn.features[0]["geometry"]["coordinates"]
    assert [len(r) for r in rings] == [4, 4]
    assert rings[0][0] == [66.2, 24.2]
    point, line = drawn.features[1]["geometry"]["geometries"]
    assert point["coordinates"] == [65.0, 24.5]
    assert line["coordinates"] == [[65.0, 24.0], [66.0, 24.0]]
    assert drawn.left_out == {
        "a vertex lies outside ±180 and ±90": 1,
        "it is a link to another file": 1,
    }


def test_gpx_is_drawn() -> None:
    drawn = read_overlay(GPX.encode())
    assert drawn.format == "gpx"
    assert [(f["properties"]["name"], f["geometry"]) for f in drawn.features[:2]] == [
        ("Buoy", {"type": "Point", "coordinates": [65.5, 24.5]}),
        ("Patrol", {"type": "LineString", "coordinates": [[65.0, 24.0], [65.2, 24.2]]}),
    ]
    boat = drawn.features[2]
    assert boat["properties"] == {"name": "Boat", "says": "by night"}
    assert boat["geometry"]["type"] == "MultiLineString"
    assert [len(part) for part in boat["geometry"]["coordinates"]] == [2, 2]
    assert drawn.vertices == 7


@pytest.mark.parametrize(
    "data",
    [
        KML.replace("UTF-8", "UTF-16").encode("utf-16"),
        b"\xef\xbb\xbf" + KML.encode(),
        b"  \n" + GPX.split("?>", 1)[1].encode(),
    ],
    ids=["utf-16", "mark", "blank"],
)
def test_xml_is_told_by_its_content(data: bytes) -> None:
    assert read_overlay(data).features


def test_geojson_keeps_names_alone() -> None:
    told = {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "properties": {"title": "A <i>line</i>", "desc": 7, "secret": "x", "onclick": "y"},
                "geometry": {"type": "LineString", "coordinates": [[65, 24, 9], [66, 24, 9]]},
            },
            {"type": "Feature", "properties": None, "geometry": None},
            {
                "type": "Feature",
                "properties": {},
                "geometry": {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [0, 0]]]},
            },
            {"type": "Feature", "geometry": {"type": "Point", "coordinates": [True, 1]}},
            {"type": "Feature", "geometry": {"type": "Curve", "coordinates": [0, 1]}},
            "not a feature",
        ],
    }
    drawn = read_overlay(orjson.dumps(told))
    assert drawn.features == [
        {
            "type": "Feature",
            "properties": {"name": "A line", "says": "7"},
            "geometry": {"type": "LineString", "coordinates": [[65.0, 24.0], [66.0, 24.0]]},
        }
    ]
    assert drawn.left_out == {
        "it has no geometry": 3,
        "it has too few vertices": 1,
        "a vertex is no pair of numbers": 1,
    }


BOMB = (
    '<!DOCTYPE kml [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY a{n} "{"&a" + str(n - 1) + ";" if n else "&a;"}">' for n in range(9))
    + "]>"
)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (BOMB + "<kml><Placemark><name>&a8;</name></Placemark></kml>", "document type"),
        ('<!DOCTYPE gpx SYSTEM "file:///etc/passwd"><gpx/>', "document type"),
        ("<kml><Placemark><name>&undeclared;</name></Placemark></kml>", "not well-formed"),
        ("<kml><Placemark>", "not well-formed"),
        ("<svg/>", "neither KML nor GPX"),
        ("<kml>" + "<Folder>" * 80 + "</Folder>" * 80 + "</kml>", "too deep"),
        ("<kml/>", "holds no feature"),
        ("{", "not JSON"),
        ("{}", "no GeoJSON"),
        ('{"type": "FeatureCollection", "features": {}}', "no list of features"),
        ("PK\x03\x04", "neither GeoJSON nor KML nor GPX"),
        ("", "neither GeoJSON nor KML nor GPX"),
        ('{"type": "Point", "coordinates": [1e400, 0]}', "infinity"),
        ('{"type": "Point", "coordinates": [65]}', "no pair of numbers"),
    ],
)
def test_hostile_and_broken_files_are_refused(data: str, why: str) -> None:
    with pytest.raises(BadInput, match=why):
        read_overlay(data.encode())


def test_of_several_parts_those_that_cannot_be_drawn_are_left_out_alone() -> None:
    short = GPX.replace('<trkpt lat="24.4" lon="65"/>', "")
    drawn = read_overlay(short.encode())
    (track,) = [f for f in drawn.features if f["properties"]["name"] == "Boat"]
    assert track["geometry"]["coordinates"] == [[[65.0, 24.0], [65.0, 24.1]]]
    assert drawn.left_out == {"it has too few vertices": 1}
    drawn = read_overlay(KML.replace("65,24 66,24", "65,24").encode())
    assert [g["type"] for g in drawn.features[1]["geometry"]["geometries"]] == ["Point"]
    assert drawn.left_out["it has too few vertices"] == 1
    alone = {"type": "MultiLineString", "coordinates": [[[1, 1]], [[2, 2]]]}
    with pytest.raises(BadInput, match="too few vertices"):
        read_overlay(orjson.dumps(alone))


@pytest.mark.parametrize(
    ("line", "cut"),
    [
        ([[179, 1], [-179, 2]], [[[179, 1], [180, 1.5]], [[-180, 1.5], [-179, 2]]]),
        ([[-179, 1], [179, 1]], [[[-179, 1], [-180, 1]], [[180, 1], [179, 1]]]),
        ([[180, 1], [-179, 1]], [[[-180, 1], [-179, 1]]]),
        ([[179, 1], [-180, 1], [-179, 2]], [[[179, 1], [180, 1]], [[-180, 1], [-179, 2]]]),
        ([[180, 1], [-180, 3]], [[[180, 1], [180, 3]]]),
    ],
)
def test_a_line_is_cut_at_the_antimeridian(line: list, cut: list) -> None:
    for told in (
        {"type": "LineString", "coordinates": line},
        {"type": "MultiLineString", "coordinates": [line]},
    ):
        (feature,) = read_overlay(orjson.dumps(told)).features
        assert feature["geometry"] == {"type": "MultiLineString", "coordinates": cut}


def test_a_file_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overlayfiles, "MOST_BYTES", 100)
    with pytest.raises(BadInput, match="more than 0 MB"):
        read_overlay(b"{" + b" " * 100)
    monkeypatch.setattr(overlayfiles, "MOST_BYTES", 1 << 20)
    monkeypatch.setattr(overlayfiles, "MOST_VERTICES", 10)
    line = {"type": "LineString", "coordinates": [[0, i] for i in range(11)]}
    with pytest.raises(BadInput, match="more than 10 vertices"):
        read_overlay(orjson.dumps(line))
    monkeypatch.setattr(overlayfiles, "MOST_FEATURES", 1)
    two = [{"type": "Feature", "geometry": {"type": "Point", "coordinates": [0, 0]}}] * 2
    with pytest.raises(BadInput, match="more than 1 features"):
        read_overlay(orjson.dumps({"type": "FeatureCollection", "features": two}))


def test_an_overlay_is_its_owners_until_it_is_shared(kernel, officers) -> None:
    overlays = Overlays(kernel)
    watch, other, chief = officers["watch"], officers["watch2"], officers["supervisor"]
    overlays.put(watch, GPX.encode(), "", "night.gpx", shared=False)
    overlays.put(watch, KML.encode(), "Beaches", "b.kml", shared=True)
    assert [(o.name, o.mine) for o in overlays.of(watch)] == [("Beaches", True), ("night", True)]
    assert [(o.name, o.mine) for o in overlays.of(other)] == [("Beaches", False)]
    beaches, night = overlays.of(watch)
    assert orjson.loads(overlays.drawn(other, beaches.id))["features"]
    assert b"".join(kernel.files.read(beaches.original)) == KML.encode()
    assert beaches.left_out["it is a link to another file"] == 1
    with pytest.raises(NotFound):
        overlays.drawn(other, night.id)
    with pytest.raises(NotFound):
        overlays.remove(chief, night.id)
    with pytest.raises(Refused):
        overlays.remove(other, beaches.id)
    overlays.remove(chief, beaches.id)
    overlays.remove(watch, night.id)
    assert overlays.of(watch) == []


def test_who_only_looks_brings_no_overlay_in(kernel, officers) -> None:
    overlays = Overlays(kernel)
    for name in ("overseer", "field"):
        with pytest.raises(Refused):
            overlays.put(officers[name], GPX.encode(), "x", "x.gpx", shared=False)


def test_an_officers_overlays_are_bounded(kernel, officers, monkeypatch) -> None:
    monkeypatch.setattr("cordon.picture.desk.overlays.MOST", 1)
    overlays = Overlays(kernel)
    overlays.put(officers["watch"], GPX.encode(), "a", "a.gpx", shared=False)
    with pytest.raises(Conflict):
        overlays.put(officers["watch"], GPX.encode(), "b", "b.gpx", shared=False)
    overlays.put(officers["watch2"], GPX.encode(), "b", "b.gpx", shared=False)
