"""Where a site is: a posterior over the ground from which cells served it.

A phone is served by the strongest sector with a spread (path loss with shadowing). A phone that
stands still meets one shadow from each mast and not a new one each call, so that a thousand
calls say no more than the few sectors they were served by: the likelihood is tempered by that.
Path loss after 3GPP TR 38.901 (urban macro, no line of sight: 39 dB a decade); sector pattern
after its table 7.3-1; shadowing 6 to 8 dB there.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from cordon.calls.rings.ground import METRES, Ground
from cordon.calls.rings.sites import weighted_median

Floats = NDArray[np.float64]
_DECADE_DB, _BACK_DB = 39.0, 25.0
_SPREAD_DB = 8.0  # of one sector's strength against another's at one spot
_FEWEST, _EACH = 0.9, 0.6  # worth of the first sector, and of each further one
_SIDE = 81  # points of the grid's side


@dataclass(frozen=True, slots=True)
class Region:
    """A posterior over the ground.

    Attributes:
        lat, lon: its middle. radius_50_m, radius_90_m: circles about it that hold so much.
        outlines: GeoJSON polygons (or multi-polygons) of the smallest regions with 50 and 90 %.
    """

    lat: float
    lon: float
    radius_50_m: float
    radius_90_m: float
    outlines: dict[str, dict[str, Any]]


def locate(cells: NDArray[np.int64], calls: Floats, ground: Ground) -> Region | None:
    """Where something that stands still is, from how many calls each cell served.

    None where it is not known where the cells are.
    """
    held = ground.known[cells]
    if not held.any():
        return None
    cells, share = cells[held], calls[held] / calls[held].sum()
    # a few calls from far away, or slots of a box at a second place, do not draw the middle
    lat0, lon0 = (weighted_median(m[cells], share) for m in ground.middle)
    east, north = ground.plane(lat0, lon0)
    reach = float(np.average(ground.reach[cells], weights=share))
    half = float(np.clip(1.5 * reach + 300, 800, 40_000))
    line = np.linspace(-half, half, _SIDE)
    gx, gy = np.meshgrid(line, line)
    around = np.flatnonzero(
        np.hypot(np.nan_to_num(east, nan=9e9), np.nan_to_num(north, nan=9e9)) < half + 3 * reach
    )
    logs = np.zeros_like(gx)
    inside = np.isin(cells, around)
    cells, share = cells[inside], share[inside] / share[inside].sum()
    for net in np.unique(ground.network[cells]):  # each phone is served by its own network alone
        own = around[ground.network[around] == net]
        strength = _strength(gx, gy, own, east, north, ground)
        # two sectors' shadows differ by the root of two times one's spread; as a soft maximum
        soft = strength * (np.pi / np.sqrt(6) / _SPREAD_DB)
        top = soft.max(axis=0)
        log_all = top + np.log(np.exp(soft - top).sum(axis=0))
        place = {c: i for i, c in enumerate(own.tolist())}
        for cell, weight in zip(cells.tolist(), share.tolist(), strict=True):
            if cell in place:
                logs += weight * (soft[place[cell]] - log_all)
    seen = np.exp(-(share * np.log(share)).sum())  # sectors that serve it, by their evenness
    worth = _FEWEST + _EACH * (seen - 1)
    mass = np.exp(worth * (logs - logs.max()))
    mass /= mass.sum()
    return _region(mass, gx, gy, lat0, lon0, line)


def _strength(
    gx: Floats, gy: Floats, cells: NDArray[np.int64], east: Floats, north: Floats, ground: Ground
) -> Floats:
    dx = gx[None] - east[cells][:, None, None]
    dy = gy[None] - north[cells][:, None, None]
    away = np.maximum(np.hypot(dx, dy), 35.0)
    # a cell of long reach sends with more power: compared by distance over its own reach
    loss = _DECADE_DB * np.log10(away / ground.reach[cells][:, None, None])
    azimuth = ground.azimuth[cells][:, None, None]
    turned = np.arctan2(dx, dy) - azimuth
    turned = np.abs((turned + np.pi) % (2 * np.pi) - np.pi)
    width = np.where(np.isnan(ground.width), 2.0, ground.width)[cells][:, None, None]
    pattern = np.minimum(12 * (turned / np.minimum(width, np.radians(80))) ** 2, _BACK_DB)
    return np.asarray(-loss - np.where(np.isnan(azimuth), 0.0, pattern))


def _region(mass: Floats, gx: Floats, gy: Floats, lat0: float, lon0: float, line: Floats) -> Region:
    x, y = float((mass * gx).sum()), float((mass * gy).sum())
    away = np.hypot(gx - x, gy - y).ravel()
    order = np.argsort(away, kind="stable")
    held = np.cumsum(mass.ravel()[order])
    step = float(line[1] - line[0])
    radius = {
        share: float(away[order][min(int(np.searchsorted(held, share)), len(held) - 1)] + step / 2)
        for share in (0.5, 0.9)
    }

    def degrees(px: Floats, py: Floats) -> NDArray[np.float64]:
        return np.stack(
            [lon0 + px / (METRES * np.cos(np.radians(lat0))), lat0 + py / METRES], axis=-1
        )

    lon, lat = degrees(np.array(x), np.array(y))
    outlines = {
        str(round(100 * share)): _outline(mass, share, gx, gy, step, degrees)
        for share in (0.5, 0.9)
    }
    return Region(float(lat), float(lon), radius[0.5], radius[0.9], outlines)


def _outline(
    mass: Floats, share: float, gx: Floats, gy: Floats, step: float, degrees: Any
) -> dict[str, Any]:
    """The smallest set of squares that holds the share, as GeoJSON."""
    flat = np.sort(mass.ravel())[::-1]
    least = flat[min(int(np.searchsorted(np.cumsum(flat), share)), len(flat) - 1)]
    inside = mass >= least
    squares = shapely.box(
        gx[inside] - step / 2, gy[inside] - step / 2, gx[inside] + step / 2, gy[inside] + step / 2
    )
    whole = shapely.simplify(shapely.union_all(squares), step * 0.6)
    turned = shapely.transform(whole, lambda xy: degrees(xy[:, 0], xy[:, 1]))
    rounded = shapely.set_precision(turned, 1e-6)  # type: ignore[no-untyped-call]
    return dict(json.loads(shapely.to_geojson(rounded)))  # type: ignore[no-untyped-call]
