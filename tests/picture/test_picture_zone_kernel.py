"""Points and ways against many zones: the answers of Shapely, to the last bit."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import LineString, MultiPolygon, Polygon, box
from shapely.geometry.polygon import orient

from cordon.kernel.geo import destination, distance_m
from cordon.picture import zones as geometry
from cordon.picture.model import Zone
from cordon.picture.ways import ways_between
from cordon.picture.zonegrid import grid_of


def as_zones(shapes):
    return [
        Zone(f"z{n}", f"Z{n}", "border" if g.geom_type.endswith("LineString") else "restricted", g)
        for n, g in enumerate(shapes)
    ]


def star(rng, lon, lat, radius, vertices):
    turn = np.sort(rng.uniform(0, 2 * np.pi, vertices))
    reach = radius * rng.uniform(0.3, 1.0, vertices)
    return Polygon(np.column_stack((lon + reach * np.cos(turn), lat + reach * np.sin(turn))))


def shapes_of(rng):
    """Zones of all sizes and kinds, on a lattice or not, so that much lies exactly on edges."""
    shapes = []
    for _ in range(rng.integers(1, 9)):
        lon, lat = rng.uniform(60, 64), rng.uniform(20, 24)
        outer = star(rng, lon, lat, 10 ** rng.uniform(-3, 0.5), int(rng.integers(3, 60)))
        shapes.append(outer)
    x, y = rng.integers(60, 63), rng.integers(20, 23)
    shapes.append(
        Polygon(
            box(x, y, x + 1, y + 1).exterior, [box(x + 0.25, y + 0.25, x + 0.5, y + 0.5).exterior]
        )
    )
    shapes.append(MultiPolygon([box(x, y, x + 0.5, y + 0.5), box(x + 0.5, y + 0.5, x + 1, y + 1)]))
    shapes.append(Polygon([(x, y), (x + 1, y), (x, y + 1)]))
    shapes = [s if s.is_valid else s.buffer(0) for s in shapes]
    return [s for s in shapes if not s.is_empty]


def points_of(rng, shapes, count):
    """Points anywhere, on a lattice of quarters, on vertices and as near to edges as can be."""
    corners = np.concatenate([shapely.get_coordinates(s) for s in shapes])
    some = corners[rng.integers(0, len(corners), count)]
    nudged = np.nextafter(some, some + rng.choice([-1.0, 0.0, 1.0], some.shape))
    middle = (corners[:-1] + corners[1:])[rng.integers(0, len(corners) - 1, count)] / 2
    lattice = rng.integers(0, 17, (count, 2)) / 4 + [60, 20]
    free = rng.uniform([59, 19], [65, 25], (count, 2))
    return np.concatenate((some, nudged, middle, lattice, free))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1 << 30))
def test_points_in_zones_are_shapelys(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shapes = shapes_of(rng)
    spots = points_of(rng, shapes, 150)
    zone, point = grid_of(as_zones(shapes)).points(spots[:, 1], spots[:, 0])
    found = shapely.intersects(np.array(shapes)[:, None], shapely.points(spots)[None, :])
    assert np.array_equal(np.stack((zone, point)), np.stack(np.nonzero(found)))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1 << 30))
def test_ways_that_meet_outlines_are_shapelys(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shapes = shapes_of(rng)
    shapes += [s.boundary for s in shapes[:2]]
    spots = points_of(rng, shapes, 60)
    a = rng.integers(0, len(spots), 400)
    b = np.where(rng.random(400) < 0.7, rng.integers(0, len(spots), 400), a)
    spots[b] = np.where(rng.random((400, 1)) < 0.3, spots[a] + 0.01, spots[b])
    step = np.abs(spots[a] - spots[b]).max(axis=1)
    good = (step > 0) & (step < 0.3)  # a line of no length is invalid, a longer one is bent
    a, b = a[good], b[good]
    zone, way = grid_of(as_zones(shapes)).meets(spots[:, 1], spots[:, 0], a, b)
    lines = shapely.linestrings(np.stack((spots[a], spots[b]), axis=1))
    edges = np.array([s.boundary if s.area else s for s in shapes])
    found = shapely.intersects(edges[:, None], lines[None, :])
    assert np.array_equal(np.stack((zone, way)), np.stack(np.nonzero(found)))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1 << 30))
def test_crossings_keep_count_of_the_side(seed: int) -> None:
    """Along a walk of any kind, the signs of crossings add up to whether it is inside."""
    rng = np.random.default_rng(seed)
    lattice = bool(rng.random() < 0.5)  # then it walks along edges and through vertices
    shape = star(rng, 60.5, 20.5, 0.4, int(rng.integers(3, 40)))
    if lattice:
        shape = Polygon([(60, 20), (61, 20), (61, 21), (60.5, 20.5), (60, 21)])
    if not shape.is_valid:
        return
    walk = rng.uniform([60, 20], [61, 21], (80, 2))
    if lattice:
        walk = rng.integers(-2, 7, (80, 2)) / 4.0 + [60, 20]
    # a thirty-second of all that, because long ways are bent: exact in binary numbers
    walk = np.concatenate(([[59.0, 19.0]], walk)) / 32
    shape = shapely.transform(shape, lambda c: c / 32)
    line = LineString(orient(shape, 1.0).exterior)  # counter-clockwise: its left is inside
    lat, lon = walk[:, 1].copy(), walk[:, 0].copy()
    steps = np.arange(len(walk) - 1)
    found = grid_of(as_zones([line])).crossings(lat, lon, steps, steps + 1)
    entered = np.zeros(len(walk), dtype=int)
    np.add.at(entered, found.way + 1, -found.sign)
    clear = shapely.distance(line, shapely.points(walk)) > 1e-9
    within = shapely.intersects_xy(shape, lon, lat)
    assert np.array_equal(np.cumsum(entered)[clear], within[clear].astype(int))


def test_a_crossing_tells_its_place_and_direction() -> None:
    line = LineString([(60, 20), (61, 20)])  # eastward: north is its left
    lat, lon = np.array([20.1, 19.9, 20.1]), np.array([60.5, 60.5, 60.6])
    found = grid_of(as_zones([line])).crossings(lat, lon, np.array([0, 1]), np.array([1, 2]))
    assert found.sign.tolist() == [1, -1]
    assert found.along == pytest.approx([0.5, 0.5])
    assert found.lat == pytest.approx([20, 20])
    assert found.lon == pytest.approx([60.5, 60.55])


def test_a_way_through_a_vertex_crosses_once() -> None:
    line = LineString([(60, 20), (60.5, 20.1), (61, 20)])
    lat, lon = np.array([20.4, 20.1, 19.8]), np.array([60.5, 60.5, 60.5])
    grid = grid_of(as_zones([line]))
    assert len(grid.crossings(lat, lon, np.array([0]), np.array([2])).way) == 1
    # and by a fix that lies on the vertex
    assert len(grid.crossings(lat, lon, np.array([0, 1]), np.array([1, 2])).way) == 1
    # touched from one side it is not crossed
    back = grid.crossings(np.array([20.4, 20.1, 20.4]), lon, np.array([0, 1]), np.array([1, 2]))
    assert back.sign.sum() == 0


def test_nothing_and_no_number_lie_in_no_zone() -> None:
    grid = grid_of(as_zones([box(0, 0, 1, 1)]))
    lat, lon = np.array([np.nan, 0.5, np.inf, 0.5]), np.array([0.5, np.nan, 0.5, 0.5])
    assert grid.points(lat, lon)[1].tolist() == [3]
    empty = np.empty(0)
    assert grid.points(empty, empty)[1].tolist() == []
    none = np.empty(0, dtype=np.int64)
    assert grid.meets(empty, empty, none, none)[1].tolist() == []
    assert grid.crossings(empty, empty, none, none).way.tolist() == []
    assert grid_of([]).points(lat, lon)[1].tolist() == []


def test_zones_of_all_sizes_stand_side_by_side() -> None:
    shapes = [box(-179, -80, 179, 80), box(10, 10, 10.0001, 10.0001), box(-180, 0, 180, 1e-7)]
    spots = np.array([(0.0, 0.0), (10.00005, 10.00005), (179.5, 5e-8), (179.5, 1.0)])
    zone, point = grid_of(as_zones(shapes)).points(spots[:, 1], spots[:, 0])
    assert list(zip(zone.tolist(), point.tolist(), strict=True)) == [
        (0, 0),
        (0, 1),
        (1, 1),
        (2, 0),
        (2, 2),
    ]


@settings(max_examples=80, deadline=None)
@given(st.floats(-70, 70), st.floats(-180, 180), st.floats(0, 360), st.floats(10, 40_000))
def test_distances_are_those_on_the_sphere(
    lat: float, lon: float, course: float, way: float
) -> None:
    wide, high = 0.02 / math.cos(math.radians(lat)), 0.02
    if abs(lon) + wide > 180:
        return
    (zone,) = as_zones([box(lon - wide, lat - high, lon + wide, lat + high)])
    y, x = destination(lat, lon, course, way + 4_000)
    found = geometry.distance_to(zone, np.array([y]), np.array([x]))[0]
    side = np.linspace(-1, 1, 401)
    edge_y = np.concatenate(
        (lat + high * side, lat + high * side, np.full(401, lat - high), np.full(401, lat + high))
    )
    edge_x = np.concatenate(
        (np.full(401, lon - wide), np.full(401, lon + wide), lon + wide * side, lon + wide * side)
    )
    assert found == pytest.approx(float(distance_m(y, x, edge_y, edge_x).min()), rel=0.02, abs=10)
    assert geometry.distance_to(zone, np.array([lat]), np.array([lon]))[0] == 0
    inner = geometry.distance_to_edge(zone, np.array([lat]), np.array([lon]))[0]
    assert inner == pytest.approx(0.02 * geometry.METRES_PER_DEGREE, rel=0.01)
    near = geometry.distance_to_edge(zone, np.array([y]), np.array([x]), enough_m=found + 1)[0]
    assert near <= found + 1
    assert (
        geometry.distance_to_edge(zone, np.array([y]), np.array([x]), enough_m=found * 0.9)[0]
        > found * 0.9
    )


def test_a_long_way_follows_the_great_circle() -> None:
    # Karachi to the mouth of the Gulf, and a way over the pole's side of 60 N
    ways = ways_between(
        np.array([60.0, 60.0]), np.array([-30.0, 30.0]), np.array([0]), np.array([1])
    )
    assert len(ways.owner) > 50
    assert (ways.owner == 0).all()
    assert ways.begin[0] == 0
    assert ways.end[-1] == 1
    assert ways.line[0, :2].tolist() == [-30, 60]
    assert ways.line[-1, 2:].tolist() == [30, 60]
    # the great circle's vertex: tan φ = tan 60° / cos 30°
    assert ways.line[:, 1].max() == pytest.approx(
        math.degrees(math.atan(math.tan(math.pi / 3) / math.cos(math.pi / 6))), abs=1e-3
    )
    assert np.array_equal(ways.line[1:, :2], ways.line[:-1, 2:])


def test_ways_across_the_antimeridian_meet_zones_on_both_sides() -> None:
    shapes = [box(179.9, -0.2, 179.95, 0.2), box(-179.95, -0.2, -179.9, 0.2), box(0, -1, 1, 1)]
    for lon in ([179.8, -179.8], [-179.8, 179.8]):
        zone, way = grid_of(as_zones(shapes)).meets(
            np.zeros(2), np.array(lon), np.array([0]), np.array([1])
        )
        assert zone.tolist() == [0, 1]
        assert way.tolist() == [0, 0]
