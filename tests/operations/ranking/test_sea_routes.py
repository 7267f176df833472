"""Sea routes around land, and the order of units that follows from them."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from shapely.geometry import Polygon, box

from cordon.kernel import geo
from cordon.kernel.access.model import Mark
from cordon.operations.model import Position, Unit, UnitKind, UnitState, Way
from cordon.operations.ranking import intercept, rank, ranked
from cordon.operations.ranking.land import Land, land
from cordon.operations.ranking.sea import Sea, Seas

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
# a wall from the south up to 1° N, thinner than a step of the grid
WALL = box(-0.01, -20, 0.01, 1)


@pytest.fixture
def wall(monkeypatch):
    seas = Seas(Land([WALL, box(-4, -0.5, -3, 0.5)]))
    monkeypatch.setattr(rank, "seas", lambda: seas)
    return seas


def unit(code, lat, lon, *, kind=UnitKind.BOAT, speed=20.0, at=NOW):
    place = None if lat is None else Position(lat, lon)
    return Unit(code, "A", Mark.GREEN, code, code, kind, "Pasni", UnitState.READY, speed,
                "VHF 16", place, at)  # fmt: skip


def test_a_route_goes_around_land_and_is_straight_where_it_can_be(wall):
    sea = wall.about(0, 0.5)
    boats = np.array([[0.0, -0.5], [0.5, 0.9], [1.2, -0.5]])
    ways = sea.distances(0, 0.5, boats)
    around = sum(
        float(geo.distance_m(*a, *b))
        for a, b in [((0, 0.5), (1, 0.01)), ((1, 0.01), (1, -0.01)), ((1, -0.01), (0, -0.5))]
    )
    # 2.8 % of the 16 neighbours, and a step for the cape that lies between points
    assert around <= ways[0] <= around * 1.028 + sea.step * 111_195
    straight = geo.distance_m(boats[1:, 0], boats[1:, 1], 0, 0.5)
    assert ways[1] == pytest.approx(straight[0])
    assert ways[2] > straight[1] * 1.001


def test_there_is_no_route_into_a_closed_sea_and_none_is_made_up_past_the_grid(monkeypatch):
    ring = Polygon(box(-1, -1, 1, 1).exterior, [box(-0.8, -0.8, 0.8, 0.8).exterior.coords])
    seas = Seas(Land([ring]))
    monkeypatch.setattr(rank, "seas", lambda: seas)
    shut, far = unit("SHUT", 0, 2), unit("FAR", 0, 20)
    first, last = ranked([shut, far], Position(0, 0), now=NOW)
    assert (last.unit.code, last.cannot, last.reasons[0].name) == ("SHUT", True, "no_sea_route")
    assert (first.unit.code, first.way) == ("FAR", Way.LINE)


def test_routes_cross_the_date_line_and_survive_the_poles():
    sea = Sea(Land([box(-179.7, -1, -179.6, 1)]), 0, 180)
    way = sea.distances(0, 179.9, np.array([[0, -179.4], [0, 179.5]]))
    assert way[0] > 200_000 > float(geo.distance_m(0, 179.9, 0, -179.4)) * 2
    assert way[1] == pytest.approx(float(geo.distance_m(0, 179.9, 0, 179.5)))
    for lat in (90, -90):
        assert np.isfinite(
            Sea(Land([]), lat, 0).distances(lat, 0, np.array([[lat * 0.98, 9]]))
        ).all()


def test_who_is_near_across_land_comes_after_who_is_near_by_sea(wall):
    units = [unit("ACROSS", 0, -0.3), unit("ALONG", 0, 1.4), unit("LOST", None, None)]
    found = ranked(units, Position(0, 0.3), now=NOW)
    assert [c.unit.code for c in found] == ["ALONG", "ACROSS", "LOST"]
    assert found[1].way is Way.SEA
    assert found[1].takes.total_seconds() == pytest.approx(found[1].distance_m / (20 * 1852 / 3600))
    assert found[2].takes is None


def test_vehicles_do_not_go_to_sea_nor_boats_inland_and_each_says_why(wall):
    units = [unit("V", 0, -3.2, kind=UnitKind.VEHICLE), unit("B", 0, -2.9),
             unit("H", 0, -2, kind=UnitKind.AIRCRAFT)]  # fmt: skip
    at_sea = {c.unit.code: c for c in ranked(units, Position(0, -2.5), now=NOW)}
    assert at_sea["V"].cannot
    assert at_sea["V"].reasons[0].value == pytest.approx(55.6, abs=0.2)
    inland = ranked(units, Position(0, -3.5), now=NOW)
    assert [c.unit.code for c in inland if c.cannot] == ["B"]
    assert inland[-1].unit.code == "B"
    by_road = next(c for c in inland if c.unit.code == "V")
    assert by_road.distance_m == pytest.approx(1.4 * geo.distance_m(0, -3.2, 0, -3.5))


def test_an_old_position_and_bare_cover_mark_down_and_the_reasons_hold_the_numbers(wall):
    near, old = unit("NEAR", 3, 1), unit("OLD", 3, 0.99, at=NOW - timedelta(hours=3))
    place = Position(3, 1.5)
    assert [c.unit.code for c in ranked([near, old], place, now=NOW)] == ["NEAR", "OLD"]
    first, last = ranked([near, old], place, {"NEAR"}, now=NOW)
    assert (first.unit.code, last.declined) == ("OLD", True)
    age = next(r for r in first.reasons if r.name == "position_age")
    assert (age.value, age.unit, age.threshold) == (180, "min", 60)
    assert first.added == timedelta(minutes=20)
    # alone: nothing could take its place
    (alone,) = ranked([near], place, now=NOW)
    assert alone.added == timedelta(minutes=20)
    far = unit("FAR", 3, 0.0)
    choice = next(c for c in ranked([near, far], place, now=NOW) if c.unit is near)
    cover = next(r for r in choice.reasons if r.name == "cover_left")
    assert cover.value == round(float(geo.distance_m(3, 1, 3, 0)) / (20 * 1852 / 60))
    assert "FAR" in cover.says
    assert choice.added.total_seconds() / 60 == pytest.approx((cover.value - 60) * 0.1, rel=0.02)


def test_without_a_map_lines_are_straight_and_say_so(monkeypatch):
    monkeypatch.setattr(rank, "seas", lambda: None)
    (one,) = ranked([unit("B", 0, 1)], Position(0, 0), now=NOW)
    assert one.way is Way.LINE
    assert "land may lie in it" in one.reasons[0].says
    assert ranked([], Position(0, 0)) == []
    assert ranked([replace(one.unit, position=None)], None)[0].reasons == ()


@pytest.mark.skipif(land() is None, reason="the map was not built")
def test_the_nodes_map_leads_around_musandam():
    sea = Sea(land(), 26, 56)
    (way,) = sea.distances(25.6, 56.5, np.array([[25.6, 55.5]]))
    # up to the cape at 26.4° N and down again, against 100 km across the mountains
    assert 200_000 < way < 230_000
    assert sea.off_m(25.3, 56.0) < -20_000
    assert sea.off_m(25.6, 56.6) > 10_000


@pytest.mark.parametrize("course", [0, 45, 90, 135, 180, 270, 315])
def test_who_meets_a_moving_target_is_there_when_it_is(course):
    met = intercept((25, 63), 15.0, (25.5, 63.5), course, 7.0)
    at = geo.destination(25.5, 63.5, course, 7.0 * met.seconds)
    assert float(geo.distance_m(met.lat, met.lon, *at)) < 1
    assert float(geo.distance_m(25, 63, *at)) == pytest.approx(15.0 * met.seconds, abs=5)


def test_a_target_that_draws_away_cannot_be_met():
    assert intercept((25, 63), 5.0, (26, 63), 0.0, 10.0) is None
    assert intercept((25, 63), 10.0, (26, 63), 0.0, 10.0) is None
    assert intercept((25, 63), 0.0, (26, 63), 90.0, 1.0) is None
    towards = intercept((25, 63), 10.0, (26, 63), 180.0, 10.0)
    half = float(geo.distance_m(25, 63, 26, 63)) / 20
    assert towards.seconds == pytest.approx(half, rel=1e-3)
    assert intercept((25, 63), 0.0, (25, 63), 0.0, 1.0).seconds == 0.0
    assert not math.isnan(towards.course_deg)
