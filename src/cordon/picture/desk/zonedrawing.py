"""Zones drawn on the map: one feature, held to every rule that a file of zones is held to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import select

from cordon.kernel.access.model import Actor
from cordon.kernel.errors import BadInput, Conflict, NotFound
from cordon.picture.tables import ZoneRow

if TYPE_CHECKING:
    from cordon.picture.service import Picture

MOST_BYTES = 4 << 20
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")
_PLACE = re.compile(r"(?:polygon (\d+), )?(?:ring (\d+), |line (\d+), )?vertex (\d+)")


@dataclass(frozen=True, slots=True)
class DrawnZone:
    """A zone as it is drawn: its feature, and the version that was drawn from (0 for a new one)."""

    feature: dict[str, Any]
    version: int


@dataclass(frozen=True, slots=True)
class Vertex:
    """Which vertex a refusal names; all from 1, and 1 where only one is possible."""

    part: int
    ring: int
    vertex: int


def drawn(room: Picture, actor: Actor, zone: str) -> DrawnZone:
    """A zone that is kept, to be drawn anew; NotFound where there is none."""
    with room.kernel.view(actor) as view:
        view.permit("picture.zone.view", room.thing())
        row = view.session.scalar(
            select(ZoneRow).where(ZoneRow.agency == room.kernel.agency, ZoneRow.zone == zone)
        )
        if row is None:
            raise NotFound("There is no zone of that id.")
        return DrawnZone(row.feature, row.version)


def save(room: Picture, actor: Actor, text: str, version: int) -> str:
    """Keep a drawn zone through the room's own door; return its id.

    Args:
        text: the feature as GeoJSON. version: of the zone that was drawn from, 0 for a new one.

    Raises:
        BadInput: a rule of zones is broken; the vertex is named where it is one.
        Conflict: a new zone's id is taken, or somebody changed the zone meanwhile.
    """
    feature = read(text)
    zone = str(feature["properties"]["id"])
    with room.kernel.view(actor) as view:
        view.permit("picture.zone.change", room.thing())
        now = view.session.scalar(
            select(ZoneRow.version).where(
                ZoneRow.agency == room.kernel.agency, ZoneRow.zone == zone
            )
        )
    if version == 0 and now is not None:
        raise Conflict(
            f"There is a zone “{zone}” already.", advice="Take another id, or draw that one anew."
        )
    if version and now != version:
        raise Conflict(
            "Somebody changed or took out this zone since you began.",
            advice="Copy your outline, open the zone again, and draw it there.",
        )
    room.put_zones(actor, orjson.dumps({"type": "FeatureCollection", "features": [feature]}))
    return zone


def read(text: str) -> dict[str, Any]:
    """A drawn feature; BadInput where it is none, or has no id that can stand in an address."""
    if len(text) > MOST_BYTES:
        raise BadInput("The drawing is larger than 4 MB.", advice="Bring it in as a file.")
    try:
        feature: Any = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise BadInput("The drawing cannot be read.", advice="Draw it again.") from None
    said = feature.get("properties") if isinstance(feature, dict) else None
    if not isinstance(said, dict) or feature.get("geometry") is None:
        raise BadInput("Nothing is drawn yet.", advice="Set at least three corners on the map.")
    if not _ID.fullmatch(str(said.get("id", ""))):
        raise BadInput(
            "The id has 1 to 60 letters, digits, dots, hyphens and underscores.",
            advice="Findings name the zone by it, like R-4.",
        )
    return dict(feature)


def refused_vertex(message: str) -> Vertex | None:
    """The vertex that a refusal names, or None where it names none."""
    found = _PLACE.search(message)
    if found is None:
        return None
    part, ring, line, vertex = (int(n) if n else 1 for n in found.groups())
    return Vertex(max(part, line), ring, vertex)
