"""The words of the picture as typed values: positions, zones, counts, refusals.

Degrees are WGS 84, speeds knots, courses degrees clockwise from true north, times aware UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from shapely.geometry.base import BaseGeometry

from cordon.kernel.errors import BadInput
from cordon.kernel.findings import RecordRef

KINDS = ("unknown", "vessel", "vehicle", "person", "aircraft")
"""What a subject may be; the order is the code in columns and frames, so only append."""

ZONE_KINDS = (
    "border",
    "official_crossing",
    "restricted",
    "port",
    "anchorage",
    "lane",
    "territorial_sea",
    "patrol_sector",
    "land",
    "fishing_ground",
    "pilotage",
)


@dataclass(frozen=True, slots=True)
class Static:
    """What a subject says of itself beside its position; each part may be empty.

    Attributes:
        ship_type: the ITU-R M.1371 code as text (`70`), or a word as a table wrote it.
        flag: the flag state as the source wrote it.
    """

    name: str = ""
    imo: str = ""
    call_sign: str = ""
    ship_type: str = ""
    flag: str = ""

    def over(self, older: Static) -> Static:
        """This, with the parts that are empty here taken from an older one."""
        return Static(
            self.name or older.name,
            self.imo or older.imo,
            self.call_sign or older.call_sign,
            self.ship_type or older.ship_type,
            self.flag or older.flag,
        )


@dataclass(frozen=True, slots=True)
class Position:
    """Where a subject was at a moment, as one record says.

    Attributes:
        at: aware UTC. source: the receiver or feed. subject: `type:id`, as `mmsi:463012345`.
        lat, lon: degrees. speed_kn, course_deg, heading_deg, accuracy_m: None where not told.
        kind: one of KINDS. name … flag: what the subject says of itself; may be empty.
        record: its file's SHA-256 and its row there, or None for one that came over no file.
    """

    at: datetime
    source: str
    subject: str
    lat: float
    lon: float
    speed_kn: float | None = None
    course_deg: float | None = None
    heading_deg: float | None = None
    accuracy_m: float | None = None
    kind: str = "unknown"
    name: str = ""
    imo: str = ""
    call_sign: str = ""
    ship_type: str = ""
    flag: str = ""
    record: RecordRef | None = None

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise BadInput("A position's time names no zone.", advice="Give an aware time.")
        if not (-90.0 <= self.lat <= 90.0 and -180.0 <= self.lon <= 180.0):
            raise BadInput("A position lies outside ±90 and ±180 degrees.")
        if ":" not in self.subject:
            raise BadInput("A position's subject is not written type:id, as mmsi:463012345.")


@dataclass(frozen=True, slots=True)
class Zone:
    """An area or line that means something.

    Attributes:
        id, name: as the file says. kind: one of ZONE_KINDS.
        geometry: Shapely geometry, longitude first, degrees, valid, within ±180.
        parameters: the feature's other properties: parameters of behaviours that the zone
            sets for itself, `watch` (true or false) and `allowed` (subjects that may enter).
        mended: what was mended in its outline when it was read; empty where nothing was.
    """

    id: str
    name: str
    kind: str
    geometry: BaseGeometry
    parameters: Mapping[str, Any] = field(default_factory=dict)
    mended: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that was not taken, and why.

    Attributes:
        row: line of a log (from 1), or data row of a table (from 1, its header not counted);
            0 where the reason speaks of the whole file.
        reason: one sentence without the row's content, because refusals reach logs.
    """

    row: int
    reason: str


@dataclass(slots=True)
class Counts:
    """What became of the rows read: read = kept + repeated + refused + passed_over.

    Attributes:
        read: rows of a table; lines of a log that are neither blank nor a comment.
        kept: new positions. repeated: same subject, time and place as one before.
        refused: rows with a Refusal. passed_over: rows that are sound but hold no moving
            subject's position (static data, other messages, first parts of messages).
        messages: AIS messages decoded, positions or not; 0 for tables.
    """

    read: int = 0
    kept: int = 0
    repeated: int = 0
    refused: int = 0
    passed_over: int = 0
    messages: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.read + other.read,
            self.kept + other.kept,
            self.repeated + other.repeated,
            self.refused + other.refused,
            self.passed_over + other.passed_over,
            self.messages + other.messages,
        )
