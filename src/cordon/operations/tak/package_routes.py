"""Routes of data packages: given to groups of TAK clients, taken out, taken away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, File, Form, Request, UploadFile
from starlette.responses import Response, StreamingResponse

from cordon.kernel.access.model import Actor
from cordon.kernel.errors import BadInput, CordonError, TooLarge
from cordon.kernel.pages import May, guarded_router, see_other
from cordon.operations.tak.base import GIVE, VIEW
from cordon.operations.tak.packages import DataPackages

Text = Annotated[str, Form()]
Drawn = Callable[[Request, Actor, dict[str, str], CordonError], Response]


def package_routes(kept: DataPackages, drawn: Drawn) -> APIRouter:
    """The routes below `/tak/packages`.

    Args:
        drawn: draws the page of TAK clients with what was typed and why it was refused.
    """
    router = guarded_router()

    @router.post("/tak/packages")
    def give(
        request: Request,
        actor: Annotated[Actor, May(GIVE)],
        file: Annotated[UploadFile, File()],
        groups: Text = "",
        mark: Text = "",
    ) -> Response:
        """Give a file to groups of clients."""
        try:
            kept.give(actor, file.file, name=file.filename or "", groups=groups, mark=mark)
        except (BadInput, TooLarge) as refused:
            typed = {"of": "package", "package_groups": groups, "mark": mark}
            return drawn(request, actor, typed, refused)
        return see_other(request, "/tak")

    @router.get("/tak/packages/{package}")
    def fetch(package: str, actor: Annotated[Actor, May(VIEW)]) -> Response:
        """A package as it was sent."""
        found, data = kept.read(actor, package)
        headers = {
            "content-disposition": f"attachment; filename*=UTF-8''{quote(found.name)}",
            "content-length": str(found.size), "cache-control": "no-store",
        }  # fmt: skip
        return StreamingResponse(data, 200, headers, "application/octet-stream")

    @router.post("/tak/packages/{package}/remove")
    def remove(
        request: Request, package: str, actor: Annotated[Actor, May(GIVE)], why: Text = ""
    ) -> Response:
        """Take a package away from the clients."""
        try:
            kept.remove(actor, package, why)
        except BadInput as refused:
            return drawn(request, actor, {"of": package, "why": why}, refused)
        return see_other(request, "/tak")

    return router
