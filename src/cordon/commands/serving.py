"""`cordon serve`: one node, its pages, feeds and jobs."""

from __future__ import annotations

import gc
from typing import Annotated

import typer
import uvicorn

from cordon.bootstrap import Node, open_node
from cordon.kernel import logs
from cordon.kernel.console import console
from cordon.kernel.errors import WrongSetting
from cordon.settings import Settings, load


def serve(
    ctx: typer.Context,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Say where it is in one line of JSON.")
    ] = False,
) -> None:
    """Start the node and serve its pages until it is stopped."""
    given = {k: v for k, v in {"host": host, "port": port}.items() if v is not None}
    settings = load(**given)
    if given and "public_url" not in settings.model_fields_set:
        # nobody said under what name it is reached: then where it listens
        settings = load(**given, public_url=f"http://{settings.host}:{settings.port}")
    logs.set_up(settings.log_level, settings.log_format)
    node = open_node(settings)
    console(ctx, json=json).answer(
        {
            "address": settings.public_url,
            "agency": settings.agency,
            "agency_name": settings.agency_name,
        },
        f"{settings.agency_name} ({settings.agency}) at {settings.public_url}",
    )
    try:
        run(node, settings)
    finally:
        node.close()


def run(node: Node, settings: Settings) -> None:
    """Serve a node's pages until the process is told to stop."""
    from cordon.web.app import create_app
    from cordon.web.clients import tls_options

    if (settings.tls_certificate is None) != (settings.tls_key is None):
        raise WrongSetting(
            "Of tls_certificate and tls_key only one is set.", advice="Set both, or neither."
        )
    if settings.tls_client_authorities is not None and settings.tls_certificate is None:
        raise WrongSetting(
            "tls_client_authorities is set, but the node has no certificate of its own.",
            advice="Set tls_certificate and tls_key too.",
        )
    app = create_app(node)
    # what a node is made of stays: looking it all through for garbage stopped every reader
    # for some tenths of a second
    gc.collect()
    gc.freeze()
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=True,
        forwarded_allow_ips=settings.trusted_proxies,
        ws_max_size=4096,
        # a frame of the map shrinks by a third, and every other page waits while it does
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=10,
        **tls_options(settings),
    )
