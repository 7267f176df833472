"""Cover as shapes: what of a sector was not seen, and how far sensors reach."""

# mypy: disable-error-code="no-untyped-call"
# Shapely has no types of its own.
from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from shapely.geometry import mapping
from shapely.geometry.base import BaseGeometry

from cordon.picture.cover.cover import SectorCover
from cordon.picture.zones import METRES_PER_DEGREE

_SEEN = 0.5  # a cell is drawn as seen from half of it on
_DIGITS = 5
_SIMPLER = 0.25  # of a cell


def uncovered_shape(sector: SectorCover, step: int) -> BaseGeometry:
    """The part of a sector that is not seen at a step; all of it where nothing is."""
    zone = sector.sector.zone.geometry
    seen = np.zeros(len(sector.cells))
    if sector.parts:
        seen = np.minimum.reduce([sector.seen_at(part, step) for part in sector.parts])
    dark = seen < _SEEN
    if dark.all() or sector.cells.on_line:
        return zone
    return _within(sector.cells.shape(dark), zone)


def shape_of(sector: SectorCover, chosen: np.ndarray) -> BaseGeometry | None:
    """Chosen cells as an area within the sector, or None for none."""
    if not chosen.any():
        return None
    if chosen.all() and not sector.cells.on_line:
        whole: BaseGeometry = sector.sector.zone.geometry
        return whole
    return _within(sector.cells.shape(chosen), sector.sector.zone.geometry)


def _within(shape: BaseGeometry, zone: BaseGeometry) -> BaseGeometry:
    met = shapely.intersection(shape, zone)
    parts = [p for p in getattr(met, "geoms", [met]) if p.geom_type in ("Polygon", "MultiPolygon")]
    whole: BaseGeometry = shapely.union_all(parts)
    return zone if whole.is_empty else whole


def rounded(shape: BaseGeometry, cell_m: float = 0.0) -> dict[str, Any]:
    """A shape as GeoJSON, to a metre, simplified to a quarter of a cell."""
    simple = shape
    if cell_m:
        simple = shapely.simplify(shape, _SIMPLER * cell_m / METRES_PER_DEGREE)
        simple = shape if simple.is_empty or not simple.is_valid else simple
    told: dict[str, Any] = _lists(mapping(shapely.set_precision(simple, 10.0**-_DIGITS)))
    return told


def _lists(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _lists(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_lists(one) for one in value]
    return round(value, _DIGITS) if isinstance(value, float) else value
