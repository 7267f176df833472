"""The zones that a node keeps: brought in, replaced, taken out."""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from cordon.kernel.access.model import Actor, Mark, Thing
from cordon.kernel.errors import BadInput, NotFound
from cordon.kernel.ids import new_id
from cordon.kernel.work import Kernel, Work
from cordon.picture.behaviours import fit_behaviours
from cordon.picture.model import Zone
from cordon.picture.tables import ZoneRow
from cordon.picture.zones import zones_of

MARK = Mark.GREEN


def stored(session: Session) -> list[Zone]:
    """The zones the node has, by id."""
    rows = session.scalars(select(ZoneRow).order_by(ZoneRow.zone))
    return zones_of({"type": "FeatureCollection", "features": [r.feature for r in rows]})


def put(kernel: Kernel, actor: Actor, data: bytes, *, unless_known: bool) -> tuple[int, bool]:
    """Bring zones in from GeoJSON; those of the same id are replaced.

    Returns:
        how many the file has, and whether anything changed.

    Raises:
        BadInput: it is not JSON, or a zone is wrong; the feature is named.
    """
    try:
        collection = orjson.loads(data.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as wrong:
        raise BadInput(f"The file is not JSON: {wrong}.") from None
    zones = zones_of(collection, "The file")
    fit_behaviours(zones, "The file")
    features = dict(zip((z.id for z in zones), collection["features"], strict=True))
    if unless_known:
        with kernel.rows.read() as session:
            rows = session.scalars(select(ZoneRow).where(ZoneRow.zone.in_(features)))
            if {row.zone: row.feature for row in rows} == features:
                return len(zones), False
    with kernel.work(actor) as work:
        for zone in zones:
            row = _row(work, zone.id) or _new_row(work, zone.id)
            row.name, row.kind, row.feature = zone.name, zone.kind, features[zone.id]
            row.version += 1
        work.act("picture.zone.change", _room(kernel), zones=len(zones))
    return len(zones), True


def remove(kernel: Kernel, actor: Actor, zone: str, why: str = "") -> None:
    """Take a zone out, saying why; findings that speak of it stay. NotFound where there is none."""
    with kernel.work(actor) as work:
        row = _row(work, zone)
        # asked before it is told whether there is one
        work.act("picture.zone.change", _room(kernel), removed=zone[:80], why=why[:200])
        if row is None:
            raise NotFound("There is no zone of that id.")
        work.session.delete(row)


def _row(work: Work, zone: str) -> ZoneRow | None:
    return work.session.scalar(
        select(ZoneRow).where(ZoneRow.agency == work.kernel.agency, ZoneRow.zone == zone)
    )


def _new_row(work: Work, zone: str) -> ZoneRow:
    row = ZoneRow(
        id=new_id(),
        agency=work.kernel.agency,
        mark=MARK,
        created_at=work.now,
        zone=zone,
        version=0,
    )
    work.session.add(row)
    return row


def _room(kernel: Kernel) -> Any:
    return Thing.room("picture", kernel.agency)
