"""Overlays that a node keeps: an officer's own, or shared with the agency."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath
from typing import Any

import orjson
from sqlalchemy import func, or_, select

from cordon.kernel.access.model import Actor, Mark, Thing
from cordon.kernel.errors import BadInput, Conflict, NotFound, Refused
from cordon.kernel.ids import new_id
from cordon.kernel.work import Kernel, View
from cordon.picture.desk.overlayfiles import Drawn, read_overlay
from cordon.picture.desk.tables import OverlayRow

CHANGE = "picture.overlay.change"
MOST = 50  # of one officer
_LONGEST_NAME = 80


@dataclass(frozen=True, slots=True)
class Overlay:
    """An overlay as its list shows it; `mine` where the reader brought it in."""

    id: str
    name: str
    format: str
    features: int
    vertices: int
    left_out: dict[str, int]
    shared: bool
    mine: bool
    original: str
    at: datetime


class Overlays:
    """The overlays of a node."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    def of(self, actor: Actor) -> list[Overlay]:
        """The reader's own and those that are shared, by name."""
        with self._kernel.view(actor) as view:
            view.permit("picture.track.view", self._room())
            rows = view.session.scalars(
                select(OverlayRow)
                .where(or_(OverlayRow.owner == actor.id, OverlayRow.shared))
                .order_by(OverlayRow.name, OverlayRow.id)
            )
            return [_told(row, actor) for row in rows]

    def drawn(self, actor: Actor, overlay: str) -> bytes:
        """What is drawn of one, as GeoJSON."""
        with self._kernel.view(actor) as view:
            view.permit("picture.track.view", self._room())
            row = self._seen(view, overlay)
        return b"".join(self._kernel.files.read(row.drawn))

    def put(self, actor: Actor, data: bytes, name: str, file: str, *, shared: bool) -> Drawn:
        """Bring one in; it is kept as it came beside what is drawn of it.

        Args:
            name: what it is called; the file's name where it is empty.

        Raises:
            BadInput: see `read_overlay`. Conflict: the officer has too many already.
        """
        name = " ".join((name or PurePath(file).stem).split())[:_LONGEST_NAME]
        if not name:
            raise BadInput("The overlay has no name.", advice="Give it one.")
        with self._kernel.view(actor) as view:
            view.permit(CHANGE, self._room())  # before the file is read
        drawn = read_overlay(data)
        original = self._kernel.files.put([data])
        shown = self._kernel.files.put([orjson.dumps(drawn.collection())])
        with self._kernel.work(actor) as work:
            count = select(func.count()).where(OverlayRow.owner == actor.id)
            if (work.session.scalar(count) or 0) >= MOST:
                raise Conflict(f"You have {MOST} overlays.", advice="Take one out first.")
            row = OverlayRow(
                id=new_id(),
                agency=self._kernel.agency,
                mark=Mark.GREEN,
                created_at=work.now,
                name=name,
                owner=actor.id,
                shared=shared,
                format=drawn.format,
                original=original.sha256,
                drawn=shown.sha256,
                features=len(drawn.features),
                told={"vertices": drawn.vertices, "left_out": dict(drawn.left_out)},
            )
            work.session.add(row)
            work.act(CHANGE, row.thing(), sha256=original.sha256, shared=shared)
        return drawn

    def remove(self, actor: Actor, overlay: str) -> None:
        """Take one out: one's own, or as one who arranges the picture a shared one."""
        with self._kernel.work(actor) as work:
            row = self._seen(work, overlay)
            if row.owner != actor.id and not work.may("picture.zone.change", self._room()):
                raise Refused("It is another officer's.", advice="Ask them, or a supervisor.")
            work.act(CHANGE, row.thing(), removed=True)
            work.session.delete(row)

    def _seen(self, view: View, overlay: str) -> OverlayRow:
        row = view.session.get(OverlayRow, overlay)
        if row is None or not (row.shared or row.owner == view.actor.id):
            raise NotFound("There is no such overlay.")
        return row

    def _room(self) -> Thing:
        return Thing.room("picture", self._kernel.agency)


def _told(row: OverlayRow, actor: Actor) -> Overlay:
    told: dict[str, Any] = row.told
    return Overlay(
        row.id,
        row.name,
        row.format,
        row.features,
        int(told.get("vertices", 0)),
        dict(told.get("left_out", {})),
        row.shared,
        row.owner == actor.id,
        row.original,
        row.created_at,
    )
