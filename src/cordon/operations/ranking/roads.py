"""Ways by road: how soon vehicles and people on foot can be at a place, and how far they go."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from cordon.kernel.errors import BadInput

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_COLUMNS = ("lat", "lon", "begin", "end", "metres", "seconds")
_KEPT = 8  # places around which roads are held ready
_EARTH_M = 6_371_008.8
_SPEEDS = 6  # kinds of unit for which the ways about a place are held ready
_ROUND = 1.0  # m/s: speeds this near to one another share a search


@dataclass(frozen=True, slots=True)
class RoadWords:
    """The values of `roads.yaml`."""

    speeds_kmh: Mapping[str, float]
    closed: frozenset[str]
    apart_m: float
    near_m: float
    within_deg: float
    longest_h: float


@cache
def road_words() -> RoadWords:
    """What the package says of roads."""
    data: dict[str, Any] = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text("utf-8"))
    return RoadWords(**{**data, "closed": frozenset(data["closed"])})


@dataclass(frozen=True, slots=True)
class RoadNet:
    """Points of roads and the ways between them.

    Attributes:
        lat, lon: of each point (degrees).
        begin, end: points of each way, which is driven from one to the other.
        metres: its length. seconds: at the usual speed of its kind of road.
    """

    lat: Floats
    lon: Floats
    begin: NDArray[np.int32]
    end: NDArray[np.int32]
    metres: NDArray[np.float32]
    seconds: NDArray[np.float32]

    def write(self, path: Path) -> None:
        """Write it, whole or not at all."""
        part = path.with_suffix(".part.npz")
        np.savez(part, **{name: getattr(self, name) for name in _COLUMNS})
        part.replace(path)

    @classmethod
    def read(cls, path: Path) -> RoadNet:
        """As `write` wrote it; BadInput."""
        try:
            with np.load(path, allow_pickle=False) as told:
                return cls(*(told[name] for name in _COLUMNS))
        except (OSError, ValueError, KeyError, EOFError) as broken:
            raise BadInput(
                f"{path.name} does not hold roads.",
                advice="Make it again: cordon operations roads EXTRACT.",
            ) from broken


class Roads:
    """Roads that are known (`net`), and those around places that were asked about last."""

    def __init__(self, net: RoadNet) -> None:
        self.net = net
        self._about: OrderedDict[tuple[int, int], _Around] = OrderedDict()

    def ways(
        self, lat: float, lon: float, at: Floats, speeds: Floats, foot: NDArray[np.bool_]
    ) -> tuple[Floats, Floats]:
        """How long it takes units to be at a place, and how far they go.

        On roads a unit goes at the speed of the road or at its own, whichever is less. To the
        nearest road, and from the last to the place, it goes straight at its own.

        Args:
            at: (lat, lon) of each unit. speeds: their own (m/s). foot: who goes on foot, and
                either way on every road.

        Returns:
            Seconds and metres; infinite where no road leads there, or none is near.
        """
        key = int(np.floor(lat)), int(np.floor(lon))
        if key not in self._about:
            self._about[key] = _Around(self.net, key)
            while len(self._about) > _KEPT:
                self._about.popitem(last=False)
        self._about.move_to_end(key)
        return self._about[key].ways(lat, lon, at, speeds, foot)


class _Around:
    """Roads in a square degree and so far about it."""

    def __init__(self, net: RoadNet, corner: tuple[int, int]) -> None:
        from scipy.spatial import cKDTree  # slow to load, and of use to who has roads alone

        width = road_words().within_deg
        lat, lon = corner
        wide = width / max(np.cos(np.radians(lat + 0.5)), 0.1)
        east = (net.lon - (lon + 0.5) + 180.0) % 360.0 - 180.0
        inside = (np.abs(net.lat - (lat + 0.5)) <= width + 0.5) & (np.abs(east) <= wide + 0.5)
        place = np.full(len(net.lat), -1, np.int64)
        place[inside] = np.arange(int(inside.sum()))
        self._at = _unit(net.lat[inside], net.lon[inside])
        self._tree = cKDTree(self._at) if len(self._at) else None
        begin, end = place[net.begin], place[net.end]
        of = (begin >= 0) & (end >= 0)
        self._begin, self._end = begin[of], end[of]
        self._metres = net.metres[of].astype(float)
        self._seconds = net.seconds[of].astype(float)
        self._ready: dict[tuple[float, bool], _Driven] = {}

    def ways(
        self, lat: float, lon: float, at: Floats, speeds: Floats, foot: NDArray[np.bool_]
    ) -> tuple[Floats, Floats]:
        words = road_words()
        seconds, metres = np.full(len(at), np.inf), np.full(len(at), np.inf)
        if self._tree is None or not len(at) or not len(self._begin):
            return seconds, metres
        off, joins = self._nearest(np.concatenate([[[lat, lon]], at]))
        near = off <= words.near_m
        if not near[0]:
            return seconds, metres
        # on foot the way is the same at every speed
        rounded = np.where(foot, 1.0, np.maximum(np.round(speeds / _ROUND), 1.0) * _ROUND)
        for on_foot, speed in sorted(set(zip(foot.tolist(), rounded.tolist(), strict=True))):
            mine = np.flatnonzero((foot == on_foot) & (rounded == speed) & near[1:])
            time, far = self._from(int(joins[0]), speed, on_foot, joins[1:][mine])
            straight = off[0] + off[1:][mine]
            metres[mine] = far + straight
            seconds[mine] = (far / speeds[mine] if on_foot else time) + straight / speeds[mine]
        seconds[seconds > words.longest_h * 3600] = np.inf
        return seconds, np.where(np.isfinite(seconds), metres, np.inf)

    def _nearest(self, at: Floats) -> tuple[Floats, Ints]:
        """How far (m) from a point of a road each place is, and from which."""
        assert self._tree is not None
        chord, joins = self._tree.query(_unit(at[:, 0], at[:, 1]))
        return 2 * _EARTH_M * np.arcsin(np.clip(chord / 2, 0, 1)), np.asarray(joins)

    def _from(self, place: int, speed: float, foot: bool, starts: Ints) -> tuple[Floats, Floats]:
        """Seconds and metres from each start to a place: one search, outwards from the place."""
        ways = self._driven(speed, foot)
        # on foot the search is in metres: nobody walks faster than 3 m/s for long
        limit = road_words().longest_h * 3600 * (3.0 if foot else 1.0)
        time, before = dijkstra(ways.graph, indices=place, limit=limit, return_predecessors=True)
        size, here = np.int64(len(self._at)), starts.copy()
        far = np.where(np.isfinite(time[starts]), 0.0, np.inf)
        going = np.flatnonzero(np.isfinite(far) & (here != place))
        while len(going):  # all of them at once, point by point
            onward = before[here[going]].astype(np.int64)
            far[going] += ways.metres[np.searchsorted(ways.keys, onward * size + here[going])]
            here[going] = onward
            going = going[onward != place]
        return np.asarray(time[starts]), far

    def _driven(self, speed: float, foot: bool) -> _Driven:
        if (speed, foot) not in self._ready:
            if len(self._ready) == _SPEEDS:
                self._ready.pop(next(iter(self._ready)))
            self._ready[speed, foot] = self._made(speed, foot)
        return self._ready[speed, foot]

    def _made(self, speed: float, foot: bool) -> _Driven:
        begin, end, metres = self._begin, self._end, self._metres
        own = np.maximum(self._seconds, metres / speed)
        if foot:
            own = np.concatenate([metres, metres]) / speed
            begin, end = np.concatenate([begin, end]), np.concatenate([end, begin])
            metres = np.concatenate([metres, metres])
        size = np.int64(len(self._at))
        # against the way it is driven; of two ways between the same points the sooner one
        keys = end * size + begin
        order = np.lexsort((own, keys))
        kept = order[np.concatenate([[True], keys[order][1:] != keys[order][:-1]])]
        graph = csr_array(
            (np.maximum(own[kept], 1e-3), (end[kept], begin[kept])), shape=(size, size)
        )
        return _Driven(graph, keys[kept], metres[kept])


@dataclass(frozen=True, slots=True)
class _Driven:
    """Ways as one kind of unit goes them.

    Attributes:
        graph: seconds, from the point that a way leads to to the one that it comes from.
        keys: the same two points as one number, ascending. metres: of each.
    """

    graph: csr_array
    keys: Ints
    metres: Floats


def _unit(lat: Floats, lon: Floats) -> Floats:
    """Points on a sphere of radius 1: straight distances there order as those on the earth do."""
    a, b = np.radians(lat), np.radians(lon)
    return np.stack([np.cos(a) * np.cos(b), np.cos(a) * np.sin(b), np.sin(a)], axis=1)


@cache
def _read(path: Path, changed: float) -> Roads:
    return Roads(RoadNet.read(path))


def roads_of(path: Path | None) -> Roads | None:
    """The roads that a node was given; None where it has none."""
    if path is None or not path.is_file():
        return None
    return _read(path, path.stat().st_mtime)
