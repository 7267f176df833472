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
from cordon.kernel.work import AuthorityDenied, View

if TYPE_CHECKING:
    from cordon.bootstrap import Node


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
        room = next((r for r in ("picture", "calls") if node.room(r).holds(view, sha256)), None)
        if room is None:
            raise NotFound("This node keeps no file of that SHA-256.")
        if room == "calls":
            _covered(node, view, sha256, row)
        path = kernel.files.path(sha256)
        if not path.is_file():
            raise NotFound("The file is not kept any more.", advice="Ask for the backup.")
        with path.open("rb") as file:
            head = file.read(1 << 16)
    is_log = b"VDM," in head or b"VDO," in head
    return Record(sha256, row, room, row_text(path, row, header=not is_log))


def _covered(node: Node, view: View, sha256: str, row: int) -> None:
    """Let a row of call records through that the authority chosen covers, and enter the reading.

    The file must have come in under that authority, the import must have kept the row, and the
    call must lie in the span of the data. An authority over named subjects opens no raw row: who
    else stands in one cannot be known before it is read.
    """
    act, calls = "calls.record.view", node.room("calls")
    asked = Thing("record", sha256, node.kernel.agency)
    view.permit(act, asked)
    chosen = view.actor.authority
    if chosen is None:
        view.under_authority(act, asked, "calls", None)  # refuses, and says so
        return
    file = calls.file_under(view, sha256, chosen.id)
    if file is None:
        raise AuthorityDenied(
            f"This file did not come in under the authority {chosen.reference}.",
            "Choose the authority that it came in under.",
            act,
            asked,
        )
    thing = file.thing()
    view.permit("findings.record.view", thing)
    if file.kind != "calls":  # a register has no time, and is a kind of data of its own
        view.under_authority(act, thing, file.kind, None)
        return
    start = calls.start_of(view, file, row)
    if start is None:
        raise AuthorityDenied(
            f"The import kept no such row under the authority {chosen.reference}.",
            "Look at the import's report for what was refused, and why.",
            act,
            thing,
        )
    view.under_authority(act, thing, "calls", None, start)


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
