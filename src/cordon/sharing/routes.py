"""The room's page, and the TAXII server below it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from cordon.kernel.access.model import Actor, Mark
from cordon.kernel.errors import BadInput, Conflict, CordonError, NotFound
from cordon.kernel.pages import May, guarded_router, page, see_other
from cordon.sharing.agreements.routes import agreement_routes
from cordon.sharing.deconfliction.routes import deconfliction_routes
from cordon.sharing.match.routes import match_routes
from cordon.sharing.model import NewAccount
from cordon.sharing.nodes.routes import node_routes
from cordon.sharing.releases.routes import release_routes
from cordon.sharing.requests.routes import request_routes
from cordon.sharing.service import Sharing
from cordon.sharing.taxii.routes import taxii_routes
from cordon.sharing.witness.routes import witness_routes

VIEW, ADD = "sharing.collection.view", "sharing.account.add"
GRANT, REVOKE = "sharing.account.grant", "sharing.account.revoke"
NOTHING_TYPED: dict[str, str] = {}


def routes(room: Sharing) -> APIRouter:
    """Every route of the room."""
    router = guarded_router()
    router.routes.extend(taxii_routes(room.server).routes)
    router.routes.extend(node_routes(room.nodes, room.may).routes)
    router.routes.extend(witness_routes(room.witnesses).routes)
    router.routes.extend(agreement_routes(room.agreements, room.cases).routes)
    router.routes.extend(release_routes(room.releases).routes)
    router.routes.extend(request_routes(room.requests).routes)
    router.routes.extend(deconfliction_routes(room.deconfliction).routes)
    router.routes.extend(match_routes(room.match).routes)

    @router.get("/sharing")
    def sharing(request: Request, actor: Annotated[Actor, May(VIEW)]) -> Response:
        """What is shared, with whom, and what came and went of late."""
        return _drawn(room, request, actor)

    @router.get("/sharing/collections/{id_}")
    def collection(
        request: Request, id_: str, actor: Annotated[Actor, May("sharing.object.view")]
    ) -> Response:
        """Cases that a collection tells of, each with its agency's grade."""
        return page(request, "sharing/collection.html", told=room.told(actor, id_))

    @router.post("/sharing/accounts")
    def add(
        request: Request,
        actor: Annotated[Actor, May(ADD)],
        name: Annotated[str, Form()] = "",
        cleared: Annotated[str, Form()] = "",
        collection: Annotated[str, Form()] = "",
        right: Annotated[str, Form()] = "",
    ) -> Response:
        """Make a service account; its password is shown this once."""
        typed = {"name": name, "cleared": cleared, "collection": collection, "right": right}
        try:
            rights = [(collection, *_rights(right))] if collection else []
            made = room.accounts.add(actor, name.strip(), _mark(cleared), rights)
        except (BadInput, Conflict, NotFound) as refused:
            return _drawn(room, request, actor, typed, refused)
        return _drawn(room, request, actor, handed=made)

    @router.post("/sharing/accounts/{account}/rights")
    def grant(
        request: Request,
        account: str,
        actor: Annotated[Actor, May(GRANT)],
        collection: Annotated[str, Form()] = "",
        right: Annotated[str, Form()] = "",
    ) -> Response:
        """Say what an account may do with a collection."""
        try:
            room.accounts.grant(actor, account, collection, *_rights(right))
        except (BadInput, NotFound) as refused:
            return _drawn(room, request, actor, refused=refused)
        return see_other(request, "/sharing")

    @router.post("/sharing/accounts/{account}/revoke")
    def revoke(
        request: Request,
        account: str,
        actor: Annotated[Actor, May(REVOKE)],
        why: Annotated[str, Form()] = "",
    ) -> Response:
        """Take an account away, with a reason."""
        try:
            room.accounts.revoke(actor, account, why)
        except (BadInput, NotFound) as refused:
            return _drawn(room, request, actor, {"revoke": account, "why": why}, refused)
        return see_other(request, "/sharing")

    return router


RIGHTS = {
    "read": (True, False),
    "write": (False, True),
    "both": (True, True),
    "none": (False, False),
}


def _rights(text: str) -> tuple[bool, bool]:
    try:
        return RIGHTS[text]
    except KeyError:
        raise BadInput(
            "No right was chosen.", advice="Choose what the account may do with the collection."
        ) from None


def _mark(text: str) -> Mark:
    try:
        return Mark(text)
    except ValueError:
        raise BadInput("No mark was chosen.", advice="Choose one of the list.") from None


def _drawn(
    room: Sharing,
    request: Request,
    actor: Actor,
    typed: dict[str, str] = NOTHING_TYPED,
    refused: CordonError | None = None,
    handed: NewAccount | None = None,
) -> Response:
    sees_accounts = room.may(actor, "sharing.account.view")
    sees_objects = room.may(actor, "sharing.object.view")
    held = room.held(actor)
    accounts = room.accounts.known(actor) if sees_accounts else []
    return page(
        request,
        "sharing/sharing.html",
        status=200 if refused is None else type(refused).status,
        held=held,
        accounts=accounts,
        titles={h.collection.id: f"{h.root.name}/{h.collection.title}" for h in held},
        collections={h.collection.thing().name: h.collection.title for h in held},
        names={f"service:{a.id}": a.name for a in accounts},
        recent=room.recent(actor) if sees_objects else [],
        marks=[m for m in Mark if m is not Mark.RED],
        may_add=room.may(actor, ADD),
        typed=typed,
        refused=refused,
        handed=handed,
    )
