"""The page of matching: ask, hits, terms, and what others asked here."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from cordon.kernel.access.model import Actor
from cordon.kernel.errors import BadInput, CordonError
from cordon.kernel.pages import May, guarded_router, page, see_other
from cordon.sharing.match.answering import HAD
from cordon.sharing.match.asking import Outcome
from cordon.sharing.match.desk import PREPARE, RING, TERMS, VIEW, Match
from cordon.sharing.match.forms import RefusedValue
from cordon.sharing.match.model import LOOKS_A_DAY, Kind, Purpose, Terms
from cordon.sharing.match.standing.asking import ACT
from cordon.sharing.match.standing.routes import chosen, standing_routes

ASK = "sharing.match.ask"
NOTHING_TYPED: dict[str, str] = {}
_LONGEST_NUMBER = 7  # digits


def match_routes(desk: Match) -> APIRouter:
    """Every route of matching."""
    router = guarded_router()

    @router.get("/sharing/match")
    def shown(request: Request, actor: Annotated[Actor, May(VIEW)]) -> Response:
        """Questions, hits, terms, and what others asked."""
        return _drawn(desk, request, actor)

    @router.post("/sharing/match/ask")
    def ask(
        request: Request,
        actor: Annotated[Actor, May(ASK)],
        peer: Annotated[str, Form()] = "",
        kind: Annotated[str, Form()] = "",
        purpose: Annotated[str, Form()] = "",
        values: Annotated[str, Form()] = "",
        why: Annotated[str, Form()] = "",
    ) -> Response:
        """Ask another agency, under the authority chosen in the session."""
        typed = {"peer": peer, "kind": kind, "purpose": purpose, "values": values, "why": why}
        try:
            outcome = desk.asking.ask(
                actor, peer, chosen(Kind, kind), values.splitlines(), chosen(Purpose, purpose), why
            )
        except CordonError as refused:
            return _drawn(desk, request, actor, typed, refused)
        return _drawn(desk, request, actor, outcome=outcome)

    @router.post("/sharing/match/questions/{question}/fetch")
    def fetch(request: Request, question: str, actor: Annotated[Actor, May(ASK)]) -> Response:
        """Fetch the answer to a question that waits."""
        try:
            outcome = desk.asking.fetch(actor, question)
        except CordonError as refused:
            return _drawn(desk, request, actor, refused=refused)
        return _drawn(desk, request, actor, outcome=outcome)

    @router.post("/sharing/match/hits/{hit}/rung")
    def rung(
        request: Request,
        hit: str,
        actor: Annotated[Actor, May(RING)],
        note: Annotated[str, Form()] = "",
    ) -> Response:
        """Note that the other agency was rung, and what came of it."""
        try:
            desk.rung(actor, hit, note)
        except CordonError as refused:
            return _drawn(desk, request, actor, {"hit": hit, "note": note}, refused)
        return see_other(request, "/sharing/match")

    @router.post("/sharing/match/terms")
    def terms(
        request: Request,
        actor: Annotated[Actor, May(TERMS)],
        code: Annotated[str, Form()] = "",
        kinds: Annotated[list[str] | None, Form()] = None,
        purposes: Annotated[list[str] | None, Form()] = None,
        contact: Annotated[str, Form()] = "",
        batch: Annotated[str, Form()] = "",
        daily: Annotated[str, Form()] = "",
        delay_s: Annotated[str, Form()] = "",
        agreement: Annotated[str, Form()] = "",
        standing: Annotated[str, Form()] = "0",
        looks: Annotated[str, Form()] = str(LOOKS_A_DAY),
    ) -> Response:
        """Say what another agency may ask here."""
        typed = {
            "code": code, "kinds": " ".join(kinds or ()), "purposes": " ".join(purposes or ()),
            "contact": contact, "batch": batch, "daily": daily, "delay_s": delay_s,
            "agreement": agreement, "standing": standing, "looks": looks,
        }  # fmt: skip
        try:
            given = Terms(
                tuple(chosen(Kind, k) for k in kinds or ()),
                tuple(chosen(Purpose, p) for p in purposes or ()),
                contact.strip(), _number(batch), _number(daily), _number(delay_s),
                agreement.strip(), _number(standing), _number(looks),
            )  # fmt: skip
            desk.set_terms(actor, code.strip(), given)
        except CordonError as refused:
            return _drawn(desk, request, actor, typed, refused)
        return see_other(request, "/sharing/match")

    router.routes.extend(standing_routes(desk.standing, partial(_drawn, desk)).routes)
    return router


def _number(text: str) -> int:
    digits = text.strip()
    if not digits.isascii() or not digits.isdigit() or len(digits) > _LONGEST_NUMBER:
        raise BadInput("A limit is a whole number.", advice="Write it in digits.")
    return int(digits)


def _drawn(
    desk: Match,
    request: Request,
    actor: Actor,
    typed: dict[str, str] = NOTHING_TYPED,
    refused: CordonError | None = None,
    outcome: Outcome | None = None,
    stood: tuple[int, list[RefusedValue]] | None = None,
) -> Response:
    ours, came = desk.ready(actor)
    terms = desk.terms(actor)
    return page(
        request,
        "sharing/match.html",
        status=200 if refused is None else type(refused).status,
        hits=desk.hits(actor),
        questions=desk.questions(actor),
        asked=desk.asked(actor),
        terms=terms,
        standing=desk.standing.ours(actor),
        kept=desk.standing.theirs(actor),
        met=desk.standing.met(actor),
        lookouts=[p for p, way, t in terms if way == HAD and t.standing],
        may_stand=desk.may(actor, ACT),
        stood=stood,
        sizes={
            (r.peer, way, r.kind): r for way, rs in (("given", ours), ("had", came)) for r in rs
        },
        peers=desk.peers(actor),
        kinds=list(Kind),
        purposes=list(Purpose),
        may_ask=desk.may(actor, ASK),
        may_ring=desk.may(actor, RING),
        may_set=desk.may(actor, TERMS) and desk.may(actor, PREPARE),
        typed=typed,
        refused=refused,
        outcome=outcome,
    )
