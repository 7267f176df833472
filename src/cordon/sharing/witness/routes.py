"""The page of witnesses: who has seen our ledger, whose we have seen, and what does not fit."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from starlette.responses import Response

from cordon.kernel.access.model import Actor
from cordon.kernel.pages import May, guarded_router, page
from cordon.sharing.witness.desk import VIEW, Witnesses


def witness_routes(witnesses: Witnesses) -> APIRouter:
    """The overseer's page of witnesses."""
    router = guarded_router()

    @router.get("/sharing/witnesses")
    def known(request: Request, actor: Annotated[Actor, May(VIEW)]) -> Response:
        """Who witnesses our ledger, whose we witness, and what speaks against one."""
        return page(
            request,
            "sharing/witnesses.html",
            cosigned=witnesses.cosigned(actor),
            watched=witnesses.watched(actor),
            evidence=witnesses.evidence(actor),
            size=witnesses.ledger.size(),
            key=str(witnesses.cosigner),
        )

    return router
