"""Under what am I reading? Recording legal authorities, and choosing the one in force."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, File, Form, Request, UploadFile
from starlette.responses import Response

from cordon.kernel.access.authorities import Draft
from cordon.kernel.access.model import Actor, Authority, AuthorityState, Scope, Thing
from cordon.kernel.clock import parse_time
from cordon.kernel.errors import CordonError
from cordon.kernel.pages import May, guarded_router, page, see_other

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
    "data_since": "",
    "data_until": "",
}


def routes(node: Node) -> APIRouter:
    """The authorities' page and what is done on it."""
    router = guarded_router()

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
        document: Annotated[UploadFile | None, File()] = None,
        legal_basis: Annotated[str, Form()] = "",
        reference: Annotated[str, Form()] = "",
        issuer: Annotated[str, Form()] = "",
        data: Annotated[str, Form()] = "",
        subjects: Annotated[str, Form()] = "",
        valid_from: Annotated[str, Form()] = "",
        valid_until: Annotated[str, Form()] = "",
        data_since: Annotated[str, Form()] = "",
        data_until: Annotated[str, Form()] = "",
    ) -> Response:
        """Record a legal authority, with its document where its legal basis asks for one."""
        given = {
            "legal_basis": legal_basis,
            "reference": reference,
            "issuer": issuer,
            "data": data,
            "subjects": subjects,
            "valid_from": valid_from,
            "valid_until": valid_until,
            "data_since": data_since,
            "data_until": data_until,
        }
        try:
            # a form whose file was not chosen sends one without a name
            file = document.file if document is not None and document.filename else None
            node.authorities.record(actor, _draft(given), file)
        except CordonError as wrong:
            if type(wrong).status not in (409, 413, 422):
                raise
            return drawn(request, actor, status=type(wrong).status, refused=str(wrong), given=given)
        return see_other(request, "/authorities")

    @router.get("/authorities/{authority}")
    def authority(
        request: Request, authority: str, actor: Annotated[Actor, May("access.authority.view")]
    ) -> Response:
        """One legal authority: what and whom it covers, and what was done with it."""
        found = node.authorities.get(actor, authority)
        names = {o.id: o.name for o in node.officers.known(actor)} if _person(actor) else {}
        return page(
            request,
            "authority.html",
            title=found.reference,
            a=_as_shown(node, actor, found),
            subjects=node.authorities.subjects(actor, authority),
            history=node.authorities.history(actor, authority),
            names=names,
            may_read_ledger=_may(node, actor, "oversight.ledger.view"),
        )

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


def _person(actor: Actor) -> bool:
    return actor.session is not None


def _draft(given: Mapping[str, str]) -> Draft:
    """What a form says of an authority; raises BadInput where a time is none."""
    named = frozenset(s.strip() for s in given["subjects"].splitlines() if s.strip())
    kinds = frozenset(d.strip() for d in given["data"].split(",") if d.strip())
    return Draft(
        basis=given["legal_basis"],
        reference=given["reference"],
        issuer=given["issuer"],
        scope=Scope(kinds, named or None, _maybe(given["data_since"]), _maybe(given["data_until"])),
        valid_from=parse_time(given["valid_from"]),
        valid_until=parse_time(given["valid_until"]),
    )


def _maybe(text: str) -> datetime | None:
    return parse_time(text) if text.strip() else None


def _shown(node: Node, actor: Actor) -> list[Shown]:
    readable = _readable(node, actor)
    return [_as_shown(node, actor, a, readable) for a in node.authorities.recorded(actor)]


def _readable(node: Node, actor: Actor) -> frozenset[str]:
    """Ids of the authorities that the actor may choose now."""
    if not _may(node, actor, "access.authority.choose"):
        return frozenset()
    return frozenset(a.id for a in node.authorities.active(actor))


def _as_shown(
    node: Node, actor: Actor, authority: Authority, readable: frozenset[str] | None = None
) -> Shown:
    """An authority with what the gate and its state let the actor do about it."""
    readable = _readable(node, actor) if readable is None else readable
    state = authority.state(node.kernel.clock.now())
    gate = node.kernel.gate
    thing = Thing(
        "authority",
        authority.id,
        authority.agency,
        authority.mark,
        members=frozenset({authority.recorded_by}),
    )
    return Shown(
        authority,
        state,
        actor.authority is not None and authority.id == actor.authority.id,
        may_choose=actor.session is not None and authority.id in readable,
        may_confirm=state is AuthorityState.UNCONFIRMED
        and gate.decide(actor, "access.authority.confirm", thing).allowed,
        may_withdraw=state
        in (AuthorityState.IN_FORCE, AuthorityState.UNCONFIRMED, AuthorityState.NOT_YET)
        and gate.decide(actor, "access.authority.withdraw", thing).allowed,
    )
