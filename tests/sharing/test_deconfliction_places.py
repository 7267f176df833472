"""Places of planned acts: what they take, whether two meet, and that the index loses none."""

from __future__ import annotations

import random

import pytest

from cordon.kernel import geo
from cordon.kernel.errors import BadInput, WrongSetting
from cordon.sharing.deconfliction.kinds import BUILT_IN, read_kinds
from cordon.sharing.deconfliction.place import LARGE, MOST_REACH_M, Place, parse_degrees


def square(lat: float, lon: float, half: float, margin: float = 100) -> Place:
    """An area around a point, its half side in degrees."""
    corners = [(lat + a * half, lon + b * half) for a, b in ((-1, -1), (-1, 1), (1, 1), (1, -1))]
    wrapped = [(a, (o + 180) % 360 - 180) for a, o in corners]
    return Place.of_area(wrapped, margin)


@pytest.mark.parametrize(
    ("text", "axis", "degrees"),
    [
        ("25.104", "lat", 25.104), ("-25.104", "lat", -25.104), ("25.104 N", "lat", 25.104),
        ("25°06.24′N", "lat", 25.104), ("25 06.24 S", "lat", -25.104),
        ("62°19.5'E", "lon", 62.325), ("062 19.5W", "lon", -62.325), ("-0.5", "lon", -0.5),
        ("-0 30", "lat", -0.5), ("180", "lon", 180.0),
    ],
)  # fmt: skip
def test_coordinates_as_people_type_them(text, axis, degrees):
    assert parse_degrees(text, axis) == pytest.approx(degrees)


@pytest.mark.parametrize(
    ("text", "axis"),
    [
        ("", "lat"), ("north", "lat"), ("91", "lat"), ("181", "lon"), ("25 60.0N", "lat"),
        ("25E", "lat"), ("-25S", "lat"), ("nan", "lat"), ("1e2", "lon"), ("25,1", "lat"),
    ],
)  # fmt: skip
def test_what_is_no_coordinate_is_refused(text, axis):
    with pytest.raises(BadInput):
        parse_degrees(text, axis)


@pytest.mark.parametrize("lat", [0.0, 25.0, -60.0, 89.99, 90.0])
@pytest.mark.parametrize("lon", [0.0, 179.9999, -180.0])
def test_two_circles_meet_at_the_sum_of_their_radii(lat, lon):
    one = Place.circle(lat, lon, 1000)
    for course in (0, 90, 200):
        for away, meet in ((2990, True), (3010, False)):
            to = geo.destination(lat, lon, course, away)
            other = Place.circle(*to, 2000)
            assert one.meets(other) is other.meets(one) is meet, (course, away)


def test_areas_meet_over_the_date_line_and_at_the_pole():
    line = square(10, 180, 0.1)
    assert line.area[0][1] > 0 > line.area[1][1]
    assert line.meets(Place.circle(10, -179.95, 500))
    assert line.meets(Place.circle(10, 179.95, 500))
    assert not line.meets(Place.circle(10, 179.85, 500))
    cap = Place.of_area([(89.9, 0), (89.9, 90), (89.9, 180), (89.9, -90)], 100)
    assert cap.meets(Place.circle(90, 0, 10))
    assert cap.meets(Place.circle(89.95, 45, 10))
    assert not cap.meets(Place.circle(89.7, 45, 10))


def test_an_area_is_not_its_circle():
    lying = Place.of_area([(25.0, 62.0), (25.0, 62.4), (25.01, 62.4), (25.01, 62.0)], 50)
    assert not lying.meets(Place.circle(25.1, 62.2, 500))
    assert lying.meets(Place.circle(25.014, 62.2, 500))
    within = square(25.005, 62.2, 0.001)
    assert lying.meets(within), "one that lies wholly inside meets it"
    assert within.meets(lying)


@pytest.mark.parametrize(
    "corners",
    [
        [(0, 0), (1, 1)],
        [(0, 0), (0, 0.1), (0.1, 0), (0.1, 0.1)],  # crosses itself
        [(0, 0), (0, 1), (1, 1)],  # too large
        [(0, 0), (0, 0.1), (91, 0)],
        [(0, 0), (0, 120), (0, -120)],
        [(0, 0), (0, 0.1), (float("nan"), 0)],
        [(0.001 * n, 0.001 * n * n) for n in range(61)],
    ],
)
def test_what_is_no_area_is_refused(corners):
    with pytest.raises(BadInput):
        Place.of_area(corners, 100)


@pytest.mark.parametrize("radius", [0, -1, MOST_REACH_M + 1, float("nan"), float("inf")])
def test_what_is_no_radius_is_refused(radius):
    with pytest.raises(BadInput):
        Place.circle(0, 0, radius)


def test_the_index_loses_none_anywhere_on_the_earth():
    """Whatever meets a place is kept in a cell that is looked at for it."""
    chance = random.Random(7)
    met = 0
    for n in range(3000):
        lat = (90, -90, 89.9, -89.8, 0, None)[n % 6]
        lat = chance.uniform(-90, 90) if lat is None else lat
        lon = chance.choice((180.0, -180.0, 179.99, chance.uniform(-180, 180)))
        one = Place.circle(lat, lon, chance.choice((50, 4000, 50_000)))
        far = one.reach_m + 5000
        to = geo.destination(lat, lon, chance.uniform(0, 360), far * chance.uniform(0.8, 0.9999))
        other = Place.circle(*to, 5000)
        assert other.cell != LARGE
        if one.meets(other):
            met += 1
            assert other.cell in one.around(), (one, other)
        assert len(one.around()) < 1500
    assert met > 2000
    assert len(Place.circle(30, 70, 1000).around()) <= 5
    assert Place.circle(30, 70, 9000).cell == LARGE


def test_kinds_come_from_a_file(tmp_path):
    assert {"raid", "arrest", "surveillance", "controlled_delivery"} <= set(read_kinds())
    own = tmp_path / "kinds.yaml"
    own.write_text(
        "search: {title: Search, radius_m: 50, buffer_min: 5, subject_days: 1, hours: 1}"
    )
    assert read_kinds(own)["search"].radius_m == 50
    text = BUILT_IN.read_text("utf-8")
    for wrong in (
        "", "- raid", text.replace("radius_m: 1000", "radius_m: 0"), "raid: {title: Raid}",
        text.replace("hours: 3", "hours: three"), text.replace("raid:", "RAID:"), "a: [",
    ):  # fmt: skip
        own.write_text(wrong)
        with pytest.raises(WrongSetting):
            read_kinds(own)
    with pytest.raises(WrongSetting):
        read_kinds(tmp_path / "nothing.yaml")
