"""The grid finds every track whose gate holds a plot, wherever on the globe."""

from __future__ import annotations

import numpy as np
import pytest

from cordon.picture.tracking import grid
from cordon.picture.tracking.intake import polar_covariance
from cordon.picture.tracking.layout import LEVELS
from cordon.picture.tracking.plane import moved


@pytest.mark.parametrize("level", range(LEVELS))
@pytest.mark.parametrize("lat", [0.0, 24.5, -59.9, 71.3, 85.0, -89.4])
def test_a_place_within_reach_lies_in_a_cell_that_is_looked_into(level: int, lat: float) -> None:
    rng = np.random.default_rng(level)
    cells = np.zeros(grid.MOST_CELLS, np.int64)
    size = grid.side(level)
    for lon in (0.0, 66.5, 179.9999, -180.0):
        for radius in (0.0, 100.0, 4_096.0):
            found = set(cells[: grid.around(level, lat, lon, radius, cells)].tolist())
            assert len(found) < grid.MOST_CELLS
            for _ in range(40):
                course, way = rng.uniform(0, 2 * np.pi), (size + radius) * rng.uniform(0.9, 1)
                y, x, _ = moved(lat, lon, way * np.sin(course), way * np.cos(course))
                assert grid.cell_of(level, y, x) in found


def test_cells_of_all_levels_and_places_have_numbers_of_their_own() -> None:
    rng = np.random.default_rng(1)
    places = np.stack((rng.uniform(-89, 89, 2000), rng.uniform(-180, 180, 2000)), axis=1)
    seen: dict[int, tuple[int, int, int]] = {}
    for level in range(LEVELS):
        for lat, lon in places:
            cell = grid.cell_of(level, lat, lon)
            size = grid.side(level)
            row = int((lat + 90) * grid.DEGREE_M / size)
            column = int((lon + 180) / 360 * grid.columns(row, size))
            assert seen.setdefault(cell, (level, row, column)) == (level, row, column)


def test_a_radars_error_lies_across_its_beam() -> None:
    """At 20 km and 1 degree some 350 m across, 30 m along, whichever way it looks."""
    for course in range(0, 360, 15):
        e, n = np.sin(np.radians(course)), np.cos(np.radians(course))
        lat, lon, _ = moved(24.0, 66.0, 20_000 * e, 20_000 * n)
        ee, en, nn = polar_covariance(24.0, 66.0, np.array([lat]), np.array([lon]), 30.0, 1.0)
        cov = np.array([[ee[0], en[0]], [en[0], nn[0]]])
        along, across = np.array([e, n]), np.array([n, -e])
        assert np.sqrt(along @ cov @ along) == pytest.approx(30, rel=0.02)
        assert np.sqrt(across @ cov @ across) == pytest.approx(349, rel=0.01)
