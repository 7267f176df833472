"""Is the node alive, is it ready, and what does it measure of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Request
from sqlalchemy import text
from starlette.responses import JSONResponse, Response

from cordon.kernel.access.model import Actor
from cordon.kernel.errors import CordonError
from cordon.kernel.pages import May, guarded_router
from cordon.web.metrics import CONTENT_TYPE, Metrics

if TYPE_CHECKING:
    from cordon.bootstrap import Node


def routes(node: Node) -> APIRouter:
    """Health, readiness and metrics. The first two are open: they say nothing but yes or no."""
    router = guarded_router()

    @router.get("/health/live")
    def live() -> dict[str, bool]:
        """The process answers."""
        return {"live": True}

    @router.get("/health/ready")
    def ready() -> Response:
        """The database answers, the ledger's end agrees with its checkpoint, nothing fails."""
        checks = {"rows": True, "ledger": True, "events": not node.kernel.dispatcher.failing()}
        try:
            with node.kernel.rows.read() as session:
                session.execute(text("SELECT 1"))
        except CordonError:
            checks["rows"] = False
        try:
            node.kernel.ledger.check_head()
        except CordonError:
            checks["ledger"] = False
        fit = checks["rows"] and checks["ledger"]
        return JSONResponse({"ready": fit, "checks": checks}, status_code=200 if fit else 503)

    @router.get("/metrics")
    def metrics(request: Request, _actor: Annotated[Actor, May("web.metrics.view")]) -> Response:
        """Metrics in the Prometheus text format; read it with a token of that scope."""
        told: Metrics = request.app.state.metrics
        return Response(told.text(), media_type=CONTENT_TYPE)

    return router
