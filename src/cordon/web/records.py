"""A record as it came in: where every number on a page can be followed to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Request
from starlette.responses import Response

from cordon.kernel.access.model import Actor, Thing
from cordon.kernel.errors import NotFound
from cordon.kernel.pages import May, page
from cordon.kernel.store.rowtext import row_text

if TYPE_CHECKING:
    from cordon.bootstrap import Node

_PERSONAL = {"calls": "calls"}
"""Rooms whose records are personal data, and the kind that an authority must cover."""


@dataclass(frozen=True, slots=True)
class Record:
    """One row of a kept file. `data` names the room that brought it in."""

    sha256: str
    row: int
    data: str
    text: str


def read_record(node: Node, actor: Actor, sha256: str, row: int) -> Record:
    """A record, if the actor may read it; a personal one only under an authority.

    An authority over named subjects does not open raw rows: who else stands in one cannot be
    known before it is read.

    Raises:
        AuthorityRefused: it is personal and no authority covers it. NotFound: there is none.
    """
    kernel = node.kernel
    act, thing = "findings.record.view", Thing("record", sha256, kernel.agency)
    with kernel.view(actor) as view:
        view.permit(act, thing)
        room = next((r for r in ("picture", "calls") if node.room(r).holds(view, sha256)), None)
        if room is None:
            raise NotFound("This node keeps no file of that SHA-256.")
        if room in _PERSONAL:
            view.under_authority("calls.record.view", thing, _PERSONAL[room], None)
        path = kernel.files.path(sha256)
        if not path.is_file():
            raise NotFound("The file is not kept any more.", advice="Ask for the backup.")
        with path.open("rb") as file:
            head = file.read(1 << 16)
    is_log = b"VDM," in head or b"VDO," in head
    return Record(sha256, row, room, row_text(path, row, header=not is_log))


def routes(node: Node) -> APIRouter:
    """One record."""
    router = APIRouter()

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
