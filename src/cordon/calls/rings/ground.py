"""Where cells are: from a cells file, a mast and a sector; without one, cells are only names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from cordon.calls.survey.distinct import distinct

Floats = NDArray[np.float64]
_REACH_M = 2_000.0  # range of a cell of which the file gives none: between a city's and a plain's
_MIDDLE = 0.5  # of the range: the mean distance of a uniform sector is 2/3, phones sit nearer in


@dataclass(frozen=True, slots=True)
class Ground:
    """Cells in the order of `Near.cells`.

    Attributes:
        lat, lon: of the mast (degrees), NaN where the cells file does not have the cell.
        azimuth: radians clockwise from north, NaN where it sends all round. width: radians.
        reach: metres. network: a number for each operator's network.
    """

    lat: Floats
    lon: Floats
    azimuth: Floats
    width: Floats
    reach: Floats
    network: NDArray[np.int64]

    @property
    def known(self) -> NDArray[np.bool_]:
        """True where it is known where the cell is."""
        return ~np.isnan(self.lat)

    def plane(self, lat0: float, lon0: float) -> tuple[Floats, Floats]:
        """Masts as metres east and north of a point; right within some 100 km of it."""
        east = (self.lon - lon0) * METRES * np.cos(np.radians(lat0))
        return east, (self.lat - lat0) * METRES

    @property
    def middle(self) -> tuple[Floats, Floats]:
        """Latitude and longitude of each sector's middle."""
        round_ = np.isnan(self.azimuth)
        turned = np.where(round_, 0.0, self.azimuth)
        out = np.where(round_, 0.0, _MIDDLE * self.reach) / METRES
        return (
            self.lat + out * np.cos(turned),
            self.lon + out * np.sin(turned) / np.cos(np.radians(self.lat)),
        )


METRES = 111_195.0  # of a degree of latitude on the mean sphere


def networks(
    cells: Sequence[str], of: NDArray[np.int64], cell: NDArray[np.int64]
) -> NDArray[np.int64]:
    """The network of each cell: by country and network code (MCC-MNC) where all names begin with
    one, else by which cells the same SIMs use, for a SIM uses those of one network.

    Args:
        of, cell: SIM and cell of some calls; cells from 0, those below 0 are passed over.
    """
    named = by_code(cells)
    if named is not None:
        return named
    held = cell >= 0
    pairs = distinct(of[held] * len(cells) + cell[held])  # most calls are of a few cells each
    sim, used = pairs // max(len(cells), 1), pairs % max(len(cells), 1)
    size = len(cells) + int(sim.max(initial=-1)) + 1
    graph = sparse.coo_matrix((np.ones(len(sim)), (used, len(cells) + sim)), shape=(size, size))
    return np.asarray(connected_components(graph, directed=False)[1][: len(cells)], np.int64)


def by_code(cells: Sequence[str]) -> NDArray[np.int64] | None:
    """The network of each cell, where all names begin with country and network code."""
    codes = [_CODE.match(name) for name in cells]
    if not codes or not all(codes):
        return None
    found = [m.group(1) for m in codes if m]
    return np.asarray(np.unique(found, return_inverse=True)[1], np.int64)


_CODE = re.compile(r"^([0-9]{3}-?[0-9]{2,3})[-_:]")


def ground(
    cells: Sequence[str], table: pa.Table | None, network: NDArray[np.int64] | None = None
) -> Ground:
    """What is known of cells, by name.

    Args:
        table: `cell`, `lat`, `lon`, `azimuth_deg`, `beamwidth_deg`, `range_m`, or None.
        network: as `networks` tells; one network where absent.
    """
    size = len(cells)
    nan = np.full(size, np.nan)
    lat, lon, azimuth, width, reach = (nan.copy() for _ in range(5))
    if table is not None:
        at = {name: i for i, name in enumerate(cells)}
        for row in table.select(
            ["cell", "lat", "lon", "azimuth_deg", "beamwidth_deg", "range_m"]
        ).to_pylist():
            i = at.get(row["cell"], -1)
            if i < 0:
                continue
            lat[i], lon[i] = row["lat"], row["lon"]
            reach[i] = row["range_m"] or _REACH_M
            if row["azimuth_deg"] is not None and (row["beamwidth_deg"] or 120) < 300:
                azimuth[i] = np.radians(row["azimuth_deg"])
                width[i] = np.radians(row["beamwidth_deg"] or 120.0)
    if network is None:
        network = np.zeros(size, np.int64)
    return Ground(lat, lon, azimuth, width, reach, network)
