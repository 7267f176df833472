"""Where ways touch outlines, and how far places are spread: held to Shapely and NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import LineString, Point, Polygon

from cordon.kernel.geo import distance_m
from cordon.picture.model import Zone
from cordon.picture.shared.visitkernel import spread_m, touches
from cordon.picture.zonegrid import grid_of

# whole numbers, so that ways along edges and through corners are met often
_place = st.tuples(st.integers(0, 8), st.integers(0, 8))
_SQUARE = Polygon([(2, 2), (6, 2), (6, 6), (2, 6)])
_BENT = Polygon([(1, 1), (7, 1), (7, 7), (5, 7), (5, 3), (3, 3), (3, 7), (1, 7)])


def _touched(shape: Polygon, way: tuple[tuple[int, int], tuple[int, int]]) -> tuple[float, float]:
    (x0, y0), (x1, y1) = way
    shapes = grid_of([Zone("z", "Zone", "restricted", shape)]).shapes
    return touches(shapes, 0, float(x0), float(y0), float(x1), float(y1))


@settings(deadline=None)  # loops are compiled at the first call
@given(a=_place, b=_place, shape=st.sampled_from([_SQUARE, _BENT]))
def test_a_way_touches_where_shapely_says(a, b, shape) -> None:
    first, last = _touched(shape, (a, b))
    met = shapely.intersection(LineString([a, b]) if a != b else Point(a), shape.boundary)
    length = float(np.hypot(b[0] - a[0], b[1] - a[1]))
    if met.is_empty:
        assert np.isnan(first)
        assert np.isnan(last)
        return
    along = [
        float(np.hypot(x - a[0], y - a[1])) / length if length else 0.0
        for x, y in shapely.get_coordinates(met)
    ]
    assert (first, last) == pytest.approx((min(along), max(along)), abs=1e-12)


@settings(deadline=None)  # loops are compiled at the first call
@given(
    st.lists(
        st.tuples(st.floats(-80, 80), st.floats(-180, 180)).map(lambda p: (p[0], p[1])),
        min_size=1,
        max_size=30,
    ),
    st.sampled_from([0.0, 0.5, 0.9, 1.0]),
)
def test_a_spread_is_that_of_numpy(places, share) -> None:
    lat, lon = (np.array(v) for v in zip(*places, strict=True))
    east = (lon - lon[0] + 540.0) % 360.0 - 180.0
    middle = float(np.median(lat)), float(np.median(east))
    expected = float(np.quantile(distance_m(*middle, lat, east), share))
    assert spread_m(lat, lon, share) == pytest.approx(expected, rel=1e-9, abs=0.5)


def test_places_on_both_sides_of_the_antimeridian_are_near() -> None:
    lon = np.array([179.999, -179.999, 179.9995])
    assert spread_m(np.zeros(3), lon, 1.0) < 250
