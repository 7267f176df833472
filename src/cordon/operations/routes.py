"""The room's pages and its JSON API."""

from __future__ import annotations

from fastapi import APIRouter

from cordon.kernel.pages import guarded_router
from cordon.operations.alert_routes import alert_routes
from cordon.operations.api_routes import api_routes
from cordon.operations.field.desk import FieldDesk
from cordon.operations.field.live import Live
from cordon.operations.field.routes import field_routes
from cordon.operations.handover.desk import HandoverDesk
from cordon.operations.handover.routes import handover_routes
from cordon.operations.measures.desk import Measures
from cordon.operations.measures.routes import measures_routes
from cordon.operations.service import Operations
from cordon.operations.tak.desk import TakDesk
from cordon.operations.tak.routes import tak_routes
from cordon.operations.tasking_routes import tasking_routes


def routes(
    room: Operations,
    tak: TakDesk | None = None,
    measures: Measures | None = None,
    handover: HandoverDesk | None = None,
    field: FieldDesk | None = None,
    live: Live | None = None,
) -> APIRouter:
    """Every route of the room.

    Args:
        tak: the TAK clients. measures: the measures. handover: the hand-overs. field: the phones,
            and live: what tells them of changes. None leaves their pages out.
    """
    router = guarded_router()
    if tak is not None:
        router.routes.extend(tak_routes(tak).routes)
    if handover is not None:
        router.routes.extend(handover_routes(handover).routes)
    if measures is not None:
        router.routes.extend(measures_routes(measures).routes)
    if field is not None and live is not None:
        router.routes.extend(field_routes(field, live).routes)
    for part in (alert_routes(room), tasking_routes(room), api_routes(room)):
        router.routes.extend(part.routes)
    return router
