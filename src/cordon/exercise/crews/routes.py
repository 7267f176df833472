"""The page of crews: what is played, and how it was dispatched."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from cordon.exercise.crews.desk import PLAY, STOP, VIEW, Crews, PlayView
from cordon.exercise.crews.model import Rule
from cordon.kernel.access.model import Actor
from cordon.kernel.clock import format_time
from cordon.kernel.errors import BadInput, Conflict
from cordon.kernel.pages import May, guarded_router, page, see_other

PATH = "/exercise/crews"


def crew_routes(desk: Crews) -> APIRouter:
    """The routes."""
    router = guarded_router()

    def drawn(
        request: Request, actor: Actor, *, status: int = 200, refused: str = "",
        typed: dict[str, Any] | None = None,
    ) -> Response:  # fmt: skip
        return page(
            request,
            "exercise/crews.html",
            status=status,
            plays=desk.plays(actor),
            units=desk.known(actor),
            may_play=desk.may(actor, PLAY),
            may_stop=desk.may(actor, STOP),
            refused=refused,
            typed=typed or {"units": [], "seed": "1", "rule": Rule.PEOPLE.value},
        )

    @router.get(PATH)
    def crews(request: Request, actor: Annotated[Actor, May(VIEW)]) -> Response:
        """Plays of crews, and how they were dispatched."""
        return drawn(request, actor)

    @router.post(PATH)
    def start(
        request: Request,
        actor: Annotated[Actor, May(PLAY)],
        units: Annotated[list[str] | None, Form()] = None,
        seed: Annotated[str, Form()] = "1",
        rule: Annotated[str, Form()] = Rule.PEOPLE.value,
    ) -> Response:
        """Let the exercise play crews."""
        typed = {"units": units or [], "seed": seed, "rule": rule}
        try:
            desk.start(actor, units or [], seed=read_seed(seed), rule=read_rule(rule))
        except (BadInput, Conflict) as wrong:
            said = f"{wrong.message} {wrong.advice}".strip()
            return drawn(request, actor, status=type(wrong).status, refused=said, typed=typed)
        return see_other(request, PATH)

    @router.post(PATH + "/{play}/stop")
    def stop(request: Request, play: str, actor: Annotated[Actor, May(STOP)]) -> Response:
        """Let the crews say nothing more."""
        desk.stop(actor, play)
        return see_other(request, PATH)

    @router.post(PATH + "/{play}/go-on")
    def go_on(request: Request, play: str, actor: Annotated[Actor, May(PLAY)]) -> Response:
        """Let a stopped play go on."""
        try:
            desk.go_on(actor, play)
        except Conflict as wrong:
            return drawn(
                request, actor, status=type(wrong).status, refused=f"{wrong.message} {wrong.advice}"
            )
        return see_other(request, PATH)

    @router.get("/api" + PATH)
    def crews_json(actor: Annotated[Actor, May(VIEW)]) -> dict[str, Any]:
        """Plays of crews, with each answer and the score."""
        return {"plays": [play_json(p) for p in desk.plays(actor)]}

    return router


def play_json(play: PlayView) -> dict[str, Any]:
    """A play for answers in JSON; times in RFC 3339, lengths in seconds."""
    return {
        "id": play.id, "seed": play.seed, "rule": play.rule.value, "state": play.state,
        "begins": format_time(play.begins), "units": list(play.units),
        "score": {name: getattr(play.score, name) for name in play.score.__slots__},
        "answers": [
            a.to_dict() | {
                "opened_at": format_time(a.opened_at), "sent_at": format_time(a.sent_at)
            }
            for a in play.answers
        ],
    }  # fmt: skip


def read_rule(text: str) -> Rule:
    """A rule by its name, or BadInput."""
    try:
        return Rule(text)
    except ValueError:
        raise BadInput(
            f"“{text[:40]}” is nobody who sends units.",
            advice=f"Use one of {', '.join(r.value for r in Rule)}.",
        ) from None


def read_seed(text: str) -> int:
    """A seed as it was typed, or BadInput."""
    try:
        return int(text.strip())
    except ValueError:
        raise BadInput("That is no seed.", advice="Give a whole number like 1.") from None
