"""Roads from an extract of OpenStreetMap: read once, kept as points and the ways between them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cordon.kernel import geo
from cordon.kernel.errors import BadInput, Unavailable
from cordon.operations.ranking.roads import RoadNet, RoadWords, road_words

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
_TOLD_EVERY = 100_000  # ways


def read_extract(path: Path, say: Callable[[int], None] = lambda _ways: None) -> RoadNet:
    """The roads of an extract (`.osm.pbf`, `.osm`, also packed).

    Args:
        say: told how many roads were read, now and then.

    Raises:
        BadInput: it cannot be read, or holds no road that may be driven.
        Unavailable: the library that reads it is not installed.
    """
    try:
        import osmium
    except ImportError:
        raise Unavailable(
            "Extracts of OpenStreetMap cannot be read here.",
            advice="Install Cordon with its extra `roads`.",
        ) from None
    words = road_words()
    roads = _Roads()
    try:
        if not path.is_file():
            raise BadInput(f"There is no file {path.name}.")
        for way in (
            osmium.FileProcessor(str(path), osmium.osm.NODE | osmium.osm.WAY)
            .with_locations()
            .with_filter(osmium.filter.EntityFilter(osmium.osm.WAY))
            .with_filter(osmium.filter.KeyFilter("highway"))
        ):
            if roads.take(way, words) and len(roads.speed) % _TOLD_EVERY == 0:
                say(len(roads.speed))
    except (RuntimeError, ValueError) as broken:  # the library's: none, or one that breaks off
        raise BadInput(
            f"{path.name} cannot be read as an extract of OpenStreetMap.",
            advice="Fetch it again; .osm.pbf, .osm and .osm.bz2 are read.",
        ) from broken
    if not roads.speed:
        raise BadInput(
            f"{path.name} holds no road that may be driven.", advice="Take one of the region."
        )
    say(len(roads.speed))
    return roads.net(words)


class _Roads:
    """Roads as they come: points of all of them behind one another."""

    def __init__(self) -> None:
        self.ids: list[Ints] = []
        self.lat: list[Floats] = []
        self.lon: list[Floats] = []
        self.speed: list[float] = []  # m/s
        self.ways: list[tuple[bool, bool]] = []  # may be driven as it is drawn, and the other way
        self._made = 0

    def take(self, way: Any, words: RoadWords) -> bool:
        """Take a way of the extract, if it may be driven; True where it was."""
        tags = way.tags
        kmh = words.speeds_kmh.get(tags.get("highway"))
        said = (tags.get("access"), tags.get("vehicle"), tags.get("motor_vehicle"))
        if kmh is None or any(s in words.closed for s in said):
            return False
        nodes = [(n.ref, n.lat, n.lon) for n in way.nodes if n.location.valid()]
        if len(nodes) < 2:
            return False
        told, lat, lon = zip(*nodes, strict=True)
        points = self._between(np.array(told, np.int64), np.array(lat), np.array(lon), words)
        self.ids.append(points[0])
        self.lat.append(points[1])
        self.lon.append(points[2])
        self.speed.append(min(kmh, _limit(tags.get("maxspeed"))) / 3.6)
        self.ways.append(_ways(tags))
        return True

    def _between(
        self, ids: Ints, lat: Floats, lon: Floats, words: RoadWords
    ) -> tuple[Any, Any, Any]:
        """The points of a road, with others where two are so far apart that nobody is near."""
        leg = geo.distance_m(lat[:-1], lon[:-1], lat[1:], lon[1:])
        parts = np.maximum(np.ceil(leg / words.apart_m), 1).astype(np.int64)
        if (parts == 1).all():
            return ids, lat, lon
        where = np.concatenate([[0], np.cumsum(parts)])
        every = np.arange(where[-1] + 1)
        between = -1 - self._made - every  # no point of an extract has such an id
        self._made += len(every)
        between[where] = ids
        return between, np.interp(every, where, lat), np.interp(every, where, lon)

    def net(self, words: RoadWords) -> RoadNet:
        """Cut where roads meet, and at least every so often, so that they can be joined there."""
        sizes = np.array([len(i) for i in self.ids])
        ids, lat, lon = (np.concatenate(parts) for parts in (self.ids, self.lat, self.lon))
        road = np.repeat(np.arange(len(sizes)), sizes)
        leg = np.zeros(len(ids))
        leg[1:] = geo.distance_m(lat[:-1], lon[:-1], lat[1:], lon[1:])
        begins = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        leg[begins] = 0.0
        along = np.cumsum(leg)
        along -= along[begins][road]
        _, which, often = np.unique(ids, return_inverse=True, return_counts=True)
        cut = often[which] > 1
        cut[begins] = cut[begins + sizes - 1] = True
        marks = np.floor(along / words.apart_m)
        cut[1:] |= (marks[1:] > marks[:-1]) & (road[1:] == road[:-1])
        at = np.flatnonzero(cut)
        points, place = np.unique(ids[at], return_inverse=True)
        found = np.full((2, len(points)), np.nan)
        found[0, place], found[1, place] = lat[at], lon[at]
        one, two = at[:-1], at[1:]
        same = road[one] == road[two]
        begin, end = place[:-1][same], place[1:][same]
        metres, of = (along[two] - along[one])[same], road[one[same]]
        seconds = metres / np.array(self.speed)[of]
        onward, back = np.array(self.ways, bool).reshape(-1, 2)[of].T
        return RoadNet(
            found[0], found[1],
            np.concatenate([begin[onward], end[back]]).astype(np.int32),
            np.concatenate([end[onward], begin[back]]).astype(np.int32),
            np.concatenate([metres[onward], metres[back]]).astype(np.float32),
            np.concatenate([seconds[onward], seconds[back]]).astype(np.float32),
        )  # fmt: skip


def _limit(said: str | None) -> float:
    """What `maxspeed` allows (km/h); without end where it says nothing that is a number."""
    if said is None:
        return float("inf")
    number, _, unit = said.partition(" ")
    try:
        told = float(number)
    except ValueError:
        return float("inf")
    kmh = told * 1.609344 if unit.strip() == "mph" else told
    return kmh if kmh >= 5 else float("inf")


def _ways(tags: Any) -> tuple[bool, bool]:
    """Whether a road may be driven as it is drawn, and the other way."""
    said = tags.get("oneway")
    if said in ("-1", "reverse"):
        return False, True
    if said in ("no", "false", "0"):
        return True, True
    circle = tags.get("junction") in ("roundabout", "circular")
    one = said in ("yes", "true", "1") or circle or tags.get("highway") == "motorway"
    return True, not one
