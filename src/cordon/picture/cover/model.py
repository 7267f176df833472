"""The words of cover: sensors, what they can see, what limits them, and planned patrols."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntFlag

from shapely.geometry.base import BaseGeometry

KINDS = ("ais_receiver", "radar", "ground_sensor", "camera", "drone", "patrol")


class Sees(IntFlag):
    """Kinds of target that cover is reckoned for, each a bit.

    VESSEL carries an AIS set of class A, VESSEL_CLASS_B one of class B, VESSEL_WITHOUT_AIS none
    that is switched on.
    """

    PERSON = 1
    VEHICLE = 2
    VESSEL_WITHOUT_AIS = 4
    VESSEL_CLASS_B = 8
    VESSEL = 16
    AIRCRAFT = 32

    @property
    def word(self) -> str:
        """As files and zones write it."""
        return (self.name or "").lower()


ON_LAND = Sees.PERSON | Sees.VEHICLE
AT_SEA = Sees.VESSEL | Sees.VESSEL_CLASS_B | Sees.VESSEL_WITHOUT_AIS
WORDS = {one.word: one for one in Sees}
USUALLY_SEES = {
    "ais_receiver": Sees.VESSEL | Sees.VESSEL_CLASS_B,
    "radar": AT_SEA,
    "ground_sensor": ON_LAND,
    "camera": ON_LAND | AT_SEA,
    "drone": ON_LAND | AT_SEA,
    "patrol": ON_LAND | AT_SEA,
}
"""What a sensor sees where nobody says; a radar that sees persons says so."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A span in which a sensor sees less than usual: an outage that is known of, or weather.

    Attributes:
        start, end: aware UTC; `end` is None while nobody knows. reach: what is left of its
            range, 0 (out of order) to 1. why: a few words for the watch.
    """

    start: datetime
    end: datetime | None
    reach: float = 0.0
    why: str = ""


@dataclass(frozen=True, slots=True)
class Sensor:
    """Something that the agency sees with.

    Attributes:
        id, name: its own. kind: one of KINDS. source: as its reports name it in `source`; feed:
            the live feed that they come over, where that is called otherwise.
        lat, lon: where it stands (degrees), or None. unit: the unit (`unit:…`) that carries it.
        height_m: of its antenna or lens above sea or ground; range_m: beyond it sees nothing,
            night_range_m: by night. None where nobody says.
        azimuth_deg, beamwidth_deg: middle and width of the sector that it looks into; all round
            where None.
        sees: what it can see. every_s: longest time between two signs of life while it works
            (a turn of the antenna, a heartbeat); None: learned from what was heard of it.
        duty: spans of the day (minutes after midnight UTC) in which it is manned; always if empty.
        limits: outages and weather. shadows: areas (degrees, longitude first) it cannot look into.
    """

    id: str
    kind: str
    sees: Sees
    name: str = ""
    source: str = ""
    feed: str = ""
    lat: float | None = None
    lon: float | None = None
    unit: str = ""
    height_m: float | None = None
    range_m: float | None = None
    night_range_m: float | None = None
    azimuth_deg: float | None = None
    beamwidth_deg: float | None = None
    every_s: float | None = None
    duty: tuple[tuple[int, int], ...] = ()
    limits: tuple[Limit, ...] = ()
    shadows: tuple[BaseGeometry, ...] = ()

    @property
    def called(self) -> str:
        """Its name, or its id where it has none."""
        return self.name or self.id

    @property
    def stands(self) -> bool:
        """Whether it has a place of its own; else a unit carries it, or nobody knows."""
        return self.lat is not None and self.lon is not None


@dataclass(frozen=True, slots=True)
class PatrolPlan:
    """A patrol that is planned.

    Attributes:
        unit: `unit:…`. sector: id of the zone, or empty where `route` says where it goes.
        start, end: aware UTC.
    """

    unit: str
    sector: str
    start: datetime
    end: datetime
    route: BaseGeometry | None = None


@dataclass(frozen=True, slots=True)
class Means:
    """What the agency sees with: its sensors, and the patrols that it has planned."""

    sensors: tuple[Sensor, ...] = ()
    patrols: tuple[PatrolPlan, ...] = ()


@dataclass(frozen=True, slots=True)
class Fault:
    """A sensor that is known to give nothing, from somewhere else than its reports.

    Attributes:
        source: as its reports name it. since: s since the epoch, or None where it never gave
            anything. why: a few words, as “its feed is silent”.
    """

    source: str
    since: float | None
    why: str


def words_of(sees: Sees) -> list[str]:
    """The words of what is seen, in the order of `Sees`."""
    return [one.word for one in Sees if one & sees]
