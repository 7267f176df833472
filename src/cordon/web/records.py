"""A record as it came in: where every number on a page can be followed to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Request
from starlette.responses import Response

from cordon.kernel.access.model import Actor, Thing
from cordon.kernel.errors import NotFound
from cordon.kernel.pages import May, guarded_router, page
from cordon.kernel.store.rowtext import row_text
from cordon.kernel.work import AuthorityDenied, View

if TYPE_CHECKING:
    from cordon.bootstrap import Node


PERSONAL = {"calls": "calls", "money": "payments"}
"""Rooms whose records are personal, and what an authority over them is called."""


@dataclass(frozen=True, slots=True)
class Record:
    """One row of a kept file. `data` names the room that brought it in."""

    sha256: str
    row: int
    data: str
    text: str


def read_record(node: Node, actor: Actor, sha256: str, row: int) -> Record:
    """A record, if the actor may read it; a personal one only under its own authority.

    Raises:
        AuthorityRefused: it is personal, and the authority chosen does not cover it or is not the
        one that its file came in under. NotFound: there is none.
    """
    kernel = node.kernel
    with kernel.view(actor) as view:
        view.permit("findings.record.view", Thing("record", sha256, kernel.agency))
        room = _room_of(node, view, sha256)
        if room is None:
            raise NotFound("This node keeps no file of that SHA-256.")
        if room in PERSONAL:
            _covered(node, room, view, sha256, row)
        path = kernel.files.path(sha256)
        if not path.is_file():
            raise NotFound("The file is not kept any more.", advice="Ask for the backup.")
        with path.open("rb") as file:
            head = file.read(1 << 16)
    is_log = b"VDM," in head or b"VDO," in head
    header = not is_log and (room != "money" or node.money.has_header(sha256))
    return Record(sha256, row, room, row_text(path, row, header=header))


def _room_of(node: Node, view: View, sha256: str) -> str | None:
    """The room that keeps a file; of two, the one that has it under the authority chosen."""
    rooms = [r for r in ("picture", *PERSONAL) if node.room(r).holds(view, sha256)]
    chosen = view.actor.authority
    if len(rooms) > 1 and chosen is not None:
        own = [
            r for r in rooms if r in PERSONAL and node.room(r).file_under(view, sha256, chosen.id)
        ]
        rooms = own or rooms
    return rooms[0] if rooms else None


def _covered(node: Node, name: str, view: View, sha256: str, row: int) -> None:
    """Let a row of calls or payments through that the authority covers, and enter the reading.

    The file must have come in under that authority, the import must have kept the row, and the
    record must lie in the span of the data. An authority over named subjects opens no raw row: who
    else stands in one cannot be known before it is read.
    """
    act, room, data = f"{name}.record.view", node.room(name), PERSONAL[name]
    asked = Thing("record", sha256, node.kernel.agency)
    view.permit(act, asked)
    chosen = view.actor.authority
    if chosen is None:
        view.under_authority(act, asked, data, None)  # refuses, and says so
        return
    file = room.file_under(view, sha256, chosen.id)
    if file is None:
        raise AuthorityDenied(
            f"This file did not come in under the authority {chosen.reference}.",
            "Choose the authority that it came in under.",
            act,
            asked,
        )
    thing = file.thing()
    view.permit("findings.record.view", thing)
    if file.kind != data:  # a register has no time, and may be a kind of data of its own
        view.under_authority(act, thing, data if name == "money" else file.kind, None)
        return
    start = room.start_of(view, file, row)
    if start is None:
        raise AuthorityDenied(
            f"The import kept no such row under the authority {chosen.reference}.",
            "Look at the import's report for what was refused, and why.",
            act,
            thing,
        )
    view.under_authority(act, thing, data, None, start)


def routes(node: Node) -> APIRouter:
    """One record."""
    router = guarded_router()

    @router.get("/records/{sha256}/{row}")
    def record(
        request: Request,
        sha256: str,
        row: int,
        actor: Annotated[Actor, May("findings.record.view")],
    ) -> Response:
        """The raw record behind a finding, back to its bytes."""
        found = read_record(node, actor, sha256, row)
        return page(request, "record.html", title=f"{sha256[:12]}… · {row}", record=found)

    return router
