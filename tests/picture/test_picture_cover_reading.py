"""Lists of sensors and patrols: what is read, and what is refused by its row."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime

import pytest

from cordon.kernel.errors import BadInput
from cordon.picture.cover.keeping import body_of
from cordon.picture.cover.model import AT_SEA, Sees
from cordon.picture.cover.reading import read_means, read_patrols, read_sensors, sensor_of

HEAD = (
    "id,kind,lat,lon,unit,height_m,range_m,azimuth_deg,beamwidth_deg,sees,every_s,duty,off,colour\n"
)
GOOD = HEAD + (
    "KHI,radar,24.84,66.79,,80,,180,200,,30,,,grey\n"
    "CAM-1,camera,31.0,66.2,,20,3000,,,person,60,06:00-18:00;22:00-02:00,"
    "2026-03-06T08:00:00Z/2026-03-06T09:30:00Z lens; 2026-03-07T08:00:00Z/ mast,\n"
    "CG-101,patrol,,,unit:CG-101,,9000,,,,,,,\n"
)


def write(tmp_path, text, name="sensors.csv"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_list_is_read(tmp_path) -> None:
    radar, camera, patrol = read_sensors(write(tmp_path, "\ufeff" + GOOD)).sensors
    assert (radar.source, radar.sees, radar.height_m, radar.every_s) == ("KHI", AT_SEA, 80, 30)
    assert (radar.range_m, radar.azimuth_deg, radar.beamwidth_deg) == (None, 180, 200)
    assert camera.sees == Sees.PERSON | Sees.VEHICLE, "who sees a walker sees a vehicle"
    assert camera.duty == ((360, 1080), (1320, 120))
    first, second = camera.limits
    assert first.start == datetime(2026, 3, 6, 8, tzinfo=UTC)
    assert (first.why, first.reach, second.end) == ("lens", 0.0, None)
    assert patrol.unit == "unit:CG-101"
    assert not patrol.stands


def test_compressed_lists_are_read_as_they_are(tmp_path) -> None:
    path = write(tmp_path, gzip.compress(GOOD.encode()), "sensors.csv.gz")
    assert len(read_sensors(path).sensors) == 3
    cut = write(tmp_path, gzip.compress(GOOD.encode())[:60], "cut.csv.gz")
    with pytest.raises(BadInput, match="cut short"):
        read_sensors(cut)


def test_a_sensor_comes_back_from_what_is_kept_of_it(tmp_path) -> None:
    for sensor in read_sensors(write(tmp_path, GOOD)).sensors:
        assert sensor_of(json.loads(json.dumps(body_of(sensor)))) == sensor


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (",radar,24,66,,,,,,,,,", "it has no id"),
        ("A,sonar,24,66,,,,,,,,,", "kind 'sonar' is not known"),
        ("A,radar,91,66,,,,,,,,,", "lat takes a number from -90 to 90"),
        ("A,radar,24,nan,,,,,,,,,", "lon takes a number"),
        ("A,radar,24,1_0,,,,,,,,,", "lon takes a number"),
        ("A,radar,24,,,,,,,,,,", "only one of lat and lon"),
        ("A,radar,24,66,unit:B,,,,,,,,", "only one of them"),
        ("A,radar,24,66,boat,,,,,,,,", "not written unit:ID"),
        ("A,patrol,,,,,,,,,,,", "it has no unit"),
        ("A,radar,24,66,,-4,,,,,,,", "height_m takes"),
        ("A,radar,24,66,,,inf,,,,,,", "range_m takes"),
        ("A,radar,24,66,,,,400,,,,,", "azimuth_deg takes"),
        ("A,radar,24,66,,,,,,walkers,,,", "sees holds 'walkers'"),
        ("A,radar,24,66,,,,,,,0,,", "every_s takes"),
        ("A,radar,24,66,,,,,,,,25:00-26:00,", "not written HH:MM-HH:MM"),
        ("A,radar,24,66,,,,,,,,,tomorrow", "not written START/END"),
        ("A,radar,24,66,,,,,,,,,2026-03-06T08:00/x", "no time with a zone"),
        ("A,radar,24,66,,,,,,,,,2026-03-06T08:00:00Z/2026-03-06T07:00:00Z", "ends before"),
        ("A,radar,24,66,,,,,,,,,,,,", "more cells than the header"),
        ("KHI,radar,24,66,,,,,,,,,", "stands there twice"),
        ("A" * 81 + ",radar,24,66,,,,,,,,,", "longer than 80"),
    ],
)
def test_a_wrong_row_is_refused_by_its_number_and_name(tmp_path, row, says) -> None:
    with pytest.raises(BadInput, match=r"^sensors\.csv, row 4") as wrong:
        read_sensors(write(tmp_path, GOOD + row + "\n"))
    assert says in wrong.value.message


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "no header"),
        (b"\x00\x01\x02\xff\xfe" * 50, "UTF-8"),
        (GOOD.encode("utf-16"), "UTF-8"),
        (b"at,source,subject\n2026,x,y\n", "no header of sensors"),
        (HEAD.encode(), "holds no sensor"),
        (b'id,kind,lat\n"A,radar,24\n' * 3, "it is no CSV"),
        (b"id,id,kind\nA,B,radar\n", "twice"),
        (b"{", "not JSON"),
        (b"[" * 5000, "not JSON"),
        (b'{"type": "FeatureCollection"}', "FeatureCollection"),
        (b'{"features": [7]}', "row 1: expected a GeoJSON Feature"),
        (b"id,kind\n" + b"A,radar\n" * 20_001, "more than 20,000 rows"),
    ],
)
def test_what_is_no_list_is_refused(tmp_path, data, says) -> None:
    with pytest.raises(BadInput) as wrong:
        read_sensors(write(tmp_path, data))
    assert says in wrong.value.message
    assert wrong.value.message.startswith("sensors.csv")


def test_a_file_beyond_all_measure_is_refused_before_it_is_read_whole(tmp_path) -> None:
    bomb = gzip.compress(b"id,kind\n" + b"A,radar\n" * 3_000_000)
    with pytest.raises(BadInput, match="over 16 MB"):
        read_sensors(write(tmp_path, bomb, "bomb.csv.gz"))
    with pytest.raises(BadInput, match="cannot be read"):
        read_sensors(tmp_path / "none.csv")


def feature(geometry, **properties):
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def test_geojson_holds_shadows_and_planned_patrols_too(tmp_path) -> None:
    square = [[[66.9, 24.7], [67.0, 24.7], [67.0, 24.8], [66.9, 24.8], [66.9, 24.7]]]
    features = [
        feature({"type": "Point", "coordinates": [66.79, 24.84]}, id="R", kind="radar"),
        feature({"type": "Polygon", "coordinates": square}, kind="shadow", of="R"),
        feature(
            {"type": "LineString", "coordinates": [[66.5, 24.5], [66.6, 24.6]]},
            kind="patrol_plan",
            unit="unit:A",
            **{"from": "2026-03-06T08:00:00Z", "to": "2026-03-06T12:00:00Z"},
        ),
    ]

    def read(some):
        text = json.dumps({"type": "FeatureCollection", "features": some})
        return read_sensors(write(tmp_path, text, "s.geojson"))

    means = read(features)
    assert (means.sensors[0].lat, means.sensors[0].lon) == (24.84, 66.79)
    assert len(means.sensors[0].shadows) == 1
    assert means.patrols[0].unit == "unit:A"
    area = {"type": "Polygon", "coordinates": square}
    bad = {"type": "Polygon", "coordinates": [[[0, 0], [1, 95], [2, 2]]]}
    for n, wrong, says in (
        (1, feature(area, id="R", kind="radar"), "lat takes"),
        (2, feature(bad, kind="shadow", of="R"), "vertex 2"),
        (2, feature(area, kind="shadow", of="Q"), "no sensor"),
        (3, feature(None, kind="patrol_plan", unit="unit:A", sector="S"), "from is no time"),
    ):
        with pytest.raises(BadInput, match=rf"s\.geojson, row {n}") as refused:
            read([*features[: n - 1], wrong, *features[n:]])
        assert says in str(refused.value)


def test_planned_patrols_are_read_and_refused_by_row(tmp_path) -> None:
    good = "unit,sector,from,to\nunit:A,S-1,2026-03-06T08:00:00Z,2026-03-06T12:00:00Z\n"
    (plan,) = read_patrols(write(tmp_path, good, "p.csv"))
    assert (plan.unit, plan.sector, plan.end.hour) == ("unit:A", "S-1", 12)
    means = read_means(None, write(tmp_path, good, "p.csv"))
    assert means.patrols == (plan,)
    back = "unit:B,S-1,2026-03-06T12:00:00Z,2026-03-06T08:00:00Z\n"
    with pytest.raises(BadInput, match=r"p\.csv, row 2 \(“unit:B”\): it ends before it begins"):
        read_patrols(write(tmp_path, good + back, "p.csv"))
