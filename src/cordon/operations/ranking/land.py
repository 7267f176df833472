"""Land of the map that the node brings (Natural Earth at 1:10 million, public domain)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry

import cordon

_shapes: Any = shapely  # these functions of it have no types
LAND = Path(cordon.__file__).parent / "web" / "static" / "vendor" / "land.geojson"


class Land:
    """Polygons of land in degrees (longitude first); boxes may reach past 180°."""

    def __init__(self, polygons: Sequence[Polygon]) -> None:
        self._polygons = np.array(polygons, dtype=object)
        self._tree: Any = shapely.STRtree(self._polygons)

    def within(self, west: float, south: float, east: float, north: float) -> BaseGeometry:
        """Land inside a box (degrees), as one geometry; empty where there is none."""
        parts: list[BaseGeometry] = []
        for turn in (-360.0, 0.0, 360.0):
            box = shapely.box(west - turn, south, east - turn, north)
            for i in self._tree.query(box, predicate="intersects"):
                cut = _shapes.clip_by_rect(self._polygons[i], *box.bounds)
                parts.append(shapely.transform(cut, lambda xy, t=turn: xy + np.array([t, 0.0])))
        whole: BaseGeometry = shapely.union_all(parts)
        return whole


@cache
def land() -> Land | None:
    """The land of the node's map; None where the map was not built into it."""
    if not LAND.is_file():
        return None
    read = json.loads(LAND.read_bytes())
    polygons: list[Polygon] = []
    for feature in read["features"]:
        for part in shapely.get_parts(_shapes.geometry.shape(feature["geometry"])):
            polygons.append(part if part.is_valid else part.buffer(0))
    return Land([p for each in polygons for p in shapely.get_parts(each)])
