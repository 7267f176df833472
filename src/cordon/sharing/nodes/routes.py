"""The page of other nodes: which there are, what waits for them, and whom to trust no more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from cordon.kernel.access.model import Actor
from cordon.kernel.errors import BadInput, Conflict, CordonError, DoesNotVerify, NotFound
from cordon.kernel.pages import May, guarded_router, page, see_other
from cordon.sharing.nodes.desk import Nodes
from cordon.sharing.nodes.words import MESSAGES

VIEW, ADD = "sharing.node.view", "sharing.node.add"
CUT_OFF, ANEW = "sharing.node.cut_off", "sharing.node.begin_anew"
NOTHING_TYPED: dict[str, str] = {}


def node_routes(nodes: Nodes, may: Callable[[Actor, str], bool]) -> APIRouter:
    """The pages of other nodes.

    Args:
        may: whether the gate would let an act of the room pass.
    """
    router = guarded_router()

    def drawn(
        request: Request,
        actor: Actor,
        typed: dict[str, str] = NOTHING_TYPED,
        refused: CordonError | None = None,
    ) -> Response:
        peers = nodes.known(actor)
        return page(
            request,
            "sharing/nodes.html",
            status=200 if refused is None else type(refused).status,
            peers=peers,
            received={p.code: nodes.received(actor, p.code) for p in peers},
            told=MESSAGES,
            failing=dict(nodes.failing),
            own=nodes.keys.fingerprint,
            next_at=nodes.keys.next_at(),
            may_add=may(actor, ADD),
            may_cut=may(actor, CUT_OFF),
            typed=typed,
            refused=refused,
        )

    @router.get("/sharing/nodes")
    def known(request: Request, actor: Annotated[Actor, May(VIEW)]) -> Response:
        """Every other node that is known, with what waits for it."""
        return drawn(request, actor)

    @router.post("/sharing/nodes")
    def add(
        request: Request, actor: Annotated[Actor, May(ADD)], card: Annotated[str, Form()] = ""
    ) -> Response:
        """Trust the node whose card was pasted."""
        try:
            nodes.add(actor, card)
        except (BadInput, Conflict, DoesNotVerify) as refused:
            return drawn(request, actor, {"card": card}, refused)
        return see_other(request, "/sharing/nodes")

    @router.post("/sharing/nodes/{code}/cut-off")
    def cut_off(
        request: Request,
        code: str,
        actor: Annotated[Actor, May(CUT_OFF)],
        why: Annotated[str, Form()] = "",
    ) -> Response:
        """Speak no more with a node."""
        try:
            nodes.cut_off(actor, code, why)
        except (BadInput, Conflict, NotFound) as refused:
            return drawn(request, actor, {"cut": code, "why": why}, refused)
        return see_other(request, "/sharing/nodes")

    @router.post("/sharing/nodes/{code}/begin-anew")
    def begin_anew(
        request: Request,
        code: str,
        actor: Annotated[Actor, May(ANEW)],
        why: Annotated[str, Form()] = "",
    ) -> Response:
        """Number messages with a node anew."""
        try:
            nodes.begin_anew(actor, code, why)
        except (BadInput, Conflict, NotFound) as refused:
            return drawn(request, actor, {"anew": code, "why": why}, refused)
        return see_other(request, "/sharing/nodes")

    return router
