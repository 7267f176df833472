"""The room's pages and its JSON API."""

from __future__ import annotations

from fastapi import APIRouter

from cordon.operations.alert_routes import alert_routes
from cordon.operations.api_routes import api_routes
from cordon.operations.service import Operations
from cordon.operations.tasking_routes import tasking_routes


def routes(room: Operations) -> APIRouter:
    """Every route of the room."""
    router = APIRouter()
    for part in (alert_routes(room), tasking_routes(room), api_routes(room)):
        router.include_router(part)
    return router
