"""Under what am I reading? Recording legal authorities, and choosing the one in force."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, File, Form, Request, UploadFile
from starlette.responses import Response

from cordon.kernel.access.authorities import Draft
from cordon.kernel.access.model import Actor, Authority, AuthorityState, Scope, Thing
from cordon.kernel.clock import parse_time
from cordon.kernel.errors import BadInput, CordonError
from cordon.kernel.pages import May, page, see_other

if TYPE_CHECKING:
    from cordon.bootstrap import Node


@dataclass(frozen=True, slots=True)
class Shown:
    """An authority as a reader's page shows it, with what they may do about it."""

    authority: Authority
    state: AuthorityState
    chosen: bool
    may_choose: bool
    may_confirm: bool
    may_withdraw: bool


EMPTY = {
    "legal_basis": "",
    "reference": "",
    "issuer": "",
    "data": "calls",
    "subjects": "",
    "valid_from": "",
    "valid_until": "",
}


def routes(node: Node) -> APIRouter:
    """The authorities' page and what is done on it."""
    router = APIRouter()

    def drawn(
        request: Request,
        actor: Actor,
        *,
        status: int = 200,
        refused: str = "",
        given: dict[str, str] | None = None,
    ) -> Response:
        return page(
            request,
            "authorities.html",
            status=status,
            authorities=_shown(node, actor),
            may_record=_may(node, actor, "access.authority.record"),
            refused=refused,
            given=given or EMPTY,
            bases=[(b.id, f"{b.title} ({b.law})") for b in node.country.authorities],
        )

    @router.get("/authorities")
    def authorities(
        request: Request, actor: Annotated[Actor, May("access.authority.view")]
    ) -> Response:
        """The legal authorities, and the one chosen."""
        return drawn(request, actor)

    @router.get("/api/authorities")
    def authorities_json(actor: Annotated[Actor, May("access.authority.view")]) -> dict[str, Any]:
        """The legal authorities that are recorded."""
        return {
            "authorities": [
                {
                    "id": s.authority.id,
                    "reference": s.authority.reference,
                    "kind": s.authority.kind,
                    "state": s.state,
                    "data": sorted(s.authority.scope.data),
                    "valid_until": s.authority.valid_until,
                }
                for s in _shown(node, actor)
            ]
        }

    @router.post("/authorities")
    def record(
        request: Request,
        actor: Annotated[Actor, May("access.authority.record")],
        document: Annotated[UploadFile, File()],
        legal_basis: Annotated[str, Form()] = "",
        reference: Annotated[str, Form()] = "",
        issuer: Annotated[str, Form()] = "",
        data: Annotated[str, Form()] = "",
        subjects: Annotated[str, Form()] = "",
        valid_from: Annotated[str, Form()] = "",
        valid_until: Annotated[str, Form()] = "",
    ) -> Response:
        """Record a legal authority with its document."""
        given = {
            "legal_basis": legal_basis,
            "reference": reference,
            "issuer": issuer,
            "data": data,
            "subjects": subjects,
            "valid_from": valid_from,
            "valid_until": valid_until,
        }
        try:
            named = frozenset(s.strip() for s in subjects.splitlines() if s.strip())
            draft = Draft(
                basis=legal_basis,
                reference=reference,
                issuer=issuer,
                scope=Scope(
                    frozenset(d.strip() for d in data.split(",") if d.strip()), named or None
                ),
                valid_from=parse_time(valid_from),
                valid_until=parse_time(valid_until),
            )
            if not document.filename:
                raise BadInput("The document is missing.", advice="Choose its file.")
            node.authorities.record(actor, draft, document.file)
        except CordonError as wrong:
            if type(wrong).status not in (409, 413, 422):
                raise
            return drawn(request, actor, status=type(wrong).status, refused=str(wrong), given=given)
        return see_other(request, "/authorities")

    @router.post("/authorities/{authority}/choose")
    def choose(
        request: Request, authority: str, actor: Annotated[Actor, May("access.authority.choose")]
    ) -> Response:
        """Act under a legal authority from now on."""
        node.sessions.choose(actor, None if authority == "none" else authority)
        return see_other(request, "/authorities")

    @router.post("/authorities/{authority}/confirm")
    def confirm(
        request: Request, authority: str, actor: Annotated[Actor, May("access.authority.confirm")]
    ) -> Response:
        """Confirm another officer's emergency authority."""
        node.authorities.confirm(actor, authority)
        return see_other(request, "/authorities")

    @router.post("/authorities/{authority}/withdraw")
    def withdraw(
        request: Request,
        authority: str,
        actor: Annotated[Actor, May("access.authority.withdraw")],
        why: Annotated[str, Form()] = "",
    ) -> Response:
        """Withdraw an authority; nobody reads under it any more."""
        node.authorities.withdraw(actor, authority, why)
        return see_other(request, "/authorities")

    return router


def _may(node: Node, actor: Actor, act: str) -> bool:
    room = Thing.room(act.split(".", maxsplit=1)[0], node.kernel.agency)
    return node.kernel.gate.decide(actor, act, room).allowed


def _shown(node: Node, actor: Actor) -> list[Shown]:
    now = node.kernel.clock.now()
    readable = (
        {a.id for a in node.authorities.active(actor)}
        if _may(node, actor, "access.authority.choose")
        else set()
    )
    chosen = actor.authority.id if actor.authority else None
    shown = []
    for authority in node.authorities.recorded(actor):
        state = authority.state(now)
        thing = Thing(
            "authority",
            authority.id,
            authority.agency,
            authority.mark,
            members=frozenset({authority.recorded_by}),
        )
        gate = node.kernel.gate
        shown.append(
            Shown(
                authority,
                state,
                authority.id == chosen,
                may_choose=actor.session is not None and authority.id in readable,
                may_confirm=state is AuthorityState.UNCONFIRMED
                and gate.decide(actor, "access.authority.confirm", thing).allowed,
                may_withdraw=state
                in (AuthorityState.IN_FORCE, AuthorityState.UNCONFIRMED, AuthorityState.NOT_YET)
                and gate.decide(actor, "access.authority.withdraw", thing).allowed,
            )
        )
    return shown
