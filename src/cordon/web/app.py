"""The node's web application: the shell, and the routes of every room inside it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from fastapi import FastAPI
from fastapi.routing import APIRoute, APIWebSocketRoute
from starlette.routing import BaseRoute

from cordon import __version__
from cordon.kernel.pages import GUARDS
from cordon.web import errors
from cordon.web.account import routes as account_routes
from cordon.web.assets import PREFIX, Assets
from cordon.web.authorities import routes as authority_routes
from cordon.web.drawing import Shell
from cordon.web.find import routes as find_routes
from cordon.web.findings import routes as finding_routes
from cordon.web.health import routes as health_routes
from cordon.web.identity import Identity
from cordon.web.jobs import routes as job_routes
from cordon.web.metrics import Metrics
from cordon.web.officers import routes as officer_routes
from cordon.web.records import routes as record_routes
from cordon.web.security import Guarded
from cordon.web.self_service import routes as self_routes

if TYPE_CHECKING:
    from cordon.bootstrap import Node


def create_app(node: Node) -> FastAPI:
    """Put the application of a node together; the node is started and stopped with it."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        node.start()
        try:
            yield
        finally:
            node.stop()

    identity = Identity(node)
    metrics = Metrics(node.kernel)
    shell = Shell(node)
    app = FastAPI(
        title="Cordon",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    app.state.node = node
    app.state.kernel = node.kernel
    app.state.draw = shell.draw
    app.state.shell = shell
    app.state.metrics = metrics
    app.state.identity = identity
    errors.add_handlers(app)
    for router in (
        health_routes(node),
        account_routes(node),
        authority_routes(node),
        self_routes(node),
        officer_routes(node),
        finding_routes(node),
        record_routes(node),
        find_routes(node),
        job_routes(node),
        *node.routers(),
    ):
        for route in router.routes:
            _guarded(route)
        app.router.routes.extend(router.routes)
    app.mount(PREFIX, Assets())
    app.add_middleware(
        Guarded,
        largest=node.settings.upload_max_mb << 20,
        secure=node.settings.secure,
        observe=metrics.observe,
        known=identity.knows,
    )
    return app


def _guarded(route: BaseRoute) -> None:
    """Refuse a route that would answer before it asked who it is."""
    if not isinstance(route, APIRoute | APIWebSocketRoute):
        raise TypeError(f"{route!r} is no route of a guarded router.")
    asked = [dependant.call for dependant in route.dependant.dependencies]
    if not set(GUARDS) <= set(asked):
        raise TypeError(f"{route.path} lacks the guards: make its router by guarded_router().")
