"""How far one sees over the curve of the earth, against published values."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cordon.picture.cover import horizon
from cordon.picture.cover.model import AT_SEA, ON_LAND, USUALLY_SEES, Sees, Sensor

FOOT = 0.3048
RADAR = Sensor("R", "radar", AT_SEA, lat=24.8, lon=66.8, height_m=100)


# Bowditch, American Practical Navigator: the radar horizon, 1.22 nm for the root of feet
@pytest.mark.parametrize(
    ("feet", "nm"), [(10, 3.9), (50, 8.6), (100, 12.2), (400, 24.4), (1000, 38.6)]
)
def test_the_radar_horizon_is_as_tables_have_it(feet, nm) -> None:
    assert horizon.radio_horizon_nm(feet * FOOT, 0) == pytest.approx(nm, rel=0.02)


def test_both_heights_count() -> None:
    # 4.12 km for the root of each height in metres: ITU-R P.310 with 4/3 of the earth's radius
    assert horizon.radio_horizon_m(100, 25) == pytest.approx(61_800, rel=0.002)
    assert horizon.radio_horizon_m(-5, 0) == 0


# Bowditch: the visible horizon, 1.17 nm for the root of feet
@pytest.mark.parametrize(("feet", "nm"), [(9, 3.5), (100, 11.7)])
def test_light_bends_less(feet, nm) -> None:
    assert horizon.optical_horizon_m(feet * FOOT, 0) / 1852 == pytest.approx(nm, rel=0.02)


def test_a_radar_reaches_no_farther_than_its_range_and_no_farther_than_the_horizon() -> None:
    low = horizon.range_m(RADAR, Sees.VESSEL_WITHOUT_AIS)
    assert low == pytest.approx(4_123 * (10 + 2**0.5))
    assert horizon.range_m(RADAR, Sees.VESSEL) > low
    near = replace(RADAR, range_m=9_000.0)
    assert horizon.range_m(near, Sees.VESSEL_WITHOUT_AIS) == 9_000
    far = replace(RADAR, range_m=500_000.0)
    assert horizon.range_m(far, Sees.VESSEL_WITHOUT_AIS) == low


def test_a_class_b_set_is_not_heard_at_the_horizon_of_a_high_station() -> None:
    station = Sensor(
        "A", "ais_receiver", USUALLY_SEES["ais_receiver"], lat=25, lon=63, height_m=400
    )
    assert horizon.range_m(station, Sees.VESSEL_CLASS_B) == horizon.CLASS_B_M
    assert horizon.range_m(station, Sees.VESSEL) > 90_000
    low = replace(station, height_m=4.0)
    assert horizon.range_m(low, Sees.VESSEL_CLASS_B) < 16_000


def test_who_has_neither_range_nor_height_reaches_nobody_knows_how_far() -> None:
    assert horizon.range_m(replace(RADAR, height_m=None), Sees.VESSEL) is None
    camera = Sensor("C", "camera", ON_LAND, lat=31, lon=66, height_m=20)
    assert horizon.range_m(camera, Sees.PERSON) is None, "a lens loses a walker before the horizon"
    assert horizon.range_m(replace(camera, range_m=3_000.0), Sees.PERSON) == 3_000
    by_night = replace(camera, range_m=3_000.0, night_range_m=400.0)
    assert horizon.range_m(by_night, Sees.PERSON, night=True) == 400
