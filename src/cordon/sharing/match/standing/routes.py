"""Standing questions on the page of matching."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, TypeVar

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from cordon.kernel.access.model import Actor
from cordon.kernel.errors import BadInput, CordonError
from cordon.kernel.pages import May, guarded_router, see_other
from cordon.sharing.match.forms import RefusedValue
from cordon.sharing.match.model import Kind, Purpose
from cordon.sharing.match.standing.asking import ACT, WITHDRAW
from cordon.sharing.match.standing.desk import RING, StandingDesk

Text = Annotated[str, Form()]
Word = TypeVar("Word", Kind, Purpose)
Drawn = Callable[..., Response]


def standing_routes(desk: StandingDesk, drawn: Drawn) -> APIRouter:
    """Every route of standing questions.

    Args:
        drawn: draws the page of matching, with what was typed and why it was refused.
    """
    router = guarded_router()

    @router.post("/sharing/match/standing")
    def stand(
        request: Request, actor: Annotated[Actor, May(ACT)], standing_peer: Text = "",
        standing_kind: Text = "", standing_purpose: Text = "", standing_values: Text = "",
        standing_why: Text = "", standing_contact: Text = "", standing_until: Text = "",
    ) -> Response:  # fmt: skip
        """Ask another agency to look out for values, under the authority of the session."""
        typed = {
            "standing_peer": standing_peer, "standing_kind": standing_kind,
            "standing_purpose": standing_purpose, "standing_values": standing_values,
            "standing_why": standing_why, "standing_contact": standing_contact,
            "standing_until": standing_until,
        }  # fmt: skip
        try:
            made, refused = desk.asking.stand(
                actor, standing_peer, chosen(Kind, standing_kind), standing_values.splitlines(),
                chosen(Purpose, standing_purpose), standing_why, _end(standing_until, actor),
                standing_contact,
            )  # fmt: skip
        except CordonError as wrong:
            return drawn(request, actor, typed, wrong)
        stood: tuple[int, list[RefusedValue]] = (len(made), refused)
        return drawn(request, actor, stood=stood)

    @router.post("/sharing/match/standing/{question}/withdraw")
    def withdraw(
        request: Request, question: str, actor: Annotated[Actor, May(WITHDRAW)], why: Text = ""
    ) -> Response:
        """Take a standing question back."""
        try:
            desk.asking.withdraw(actor, question, why)
        except CordonError as wrong:
            return drawn(request, actor, {"withdraw": question, "withdraw_why": why}, wrong)
        return see_other(request, "/sharing/match")

    @router.post("/sharing/match/met/{met}/rung")
    def rung(
        request: Request, met: str, actor: Annotated[Actor, May(RING)], note: Text = ""
    ) -> Response:
        """Note that the other agency was rung about what was met, and what came of it."""
        try:
            desk.rung(actor, met, note)
        except CordonError as wrong:
            return drawn(request, actor, {"hit": met, "note": note}, wrong)
        return see_other(request, "/sharing/match")

    return router


def chosen(which: type[Word], text: str) -> Word:
    """The word of a list that was chosen; BadInput."""
    try:
        return which(text)
    except ValueError:
        raise BadInput("A field has no choice.", advice="Choose one of each list.") from None


def _end(typed: str, actor: Actor) -> datetime:
    """The end of the day that was typed, or of the authority where it ends on that day."""
    try:
        day = date.fromisoformat(typed.strip())
    except ValueError:
        raise BadInput(
            "The last day of a standing question is no date.", advice="Write 2026-06-30."
        ) from None
    end = datetime.combine(day, time(), UTC) + timedelta(days=1)
    authority = actor.authority
    if authority is not None and authority.valid_until.date() == day:
        end = min(end, authority.valid_until)
    return end
