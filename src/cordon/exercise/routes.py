"""The room's page: exercises played here, and how they scored."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from cordon.exercise.crews.desk import Crews
from cordon.exercise.crews.routes import crew_routes
from cordon.exercise.service import Exercise, Plan
from cordon.exercise.worlds import world as world_named
from cordon.exercise.worlds import worlds
from cordon.kernel.access.model import Actor
from cordon.kernel.errors import BadInput
from cordon.kernel.pages import May, guarded_router, page, see_other

MOST_DAYS, MOST_SCALE = 7.0, 5.0  # what a page may ask for; commands make larger worlds


def routes(room: Exercise, crews: Crews) -> APIRouter:
    """The room's routes."""
    router = guarded_router()
    router.routes.extend(crew_routes(crews).routes)

    def drawn(request: Request, actor: Actor, *, status: int = 200, refused: str = "") -> Response:
        return page(
            request,
            "exercise/exercise.html",
            status=status,
            runs=room.runs(actor),
            worlds=[(name, world.SAYS) for name, world in sorted(worlds().items())],
            may_start=room.may(actor, "exercise.run.start"),
            refused=refused,
        )

    @router.get("/exercise")
    def exercise(request: Request, actor: Annotated[Actor, May("exercise.run.view")]) -> Response:
        """Exercises that play or have played, and their scores."""
        return drawn(request, actor)

    @router.post("/exercise")
    def start(
        request: Request,
        actor: Annotated[Actor, May("exercise.run.start")],
        world: Annotated[str, Form()] = "watch",
        seed: Annotated[int, Form()] = 1,
        days: Annotated[float, Form()] = 1.0,
        scale: Annotated[float, Form()] = 1.0,
    ) -> Response:
        """Start an exercise."""
        try:
            if not (0 < days <= MOST_DAYS and 0 < scale <= MOST_SCALE):
                raise BadInput(
                    f"A page plays up to {MOST_DAYS:g} days at up to {MOST_SCALE:g} times the size."
                )
            most = getattr(world_named(world), "MOST_PLAYED", MOST_DAYS * MOST_SCALE)
            if days * scale > most:
                raise BadInput(
                    f"Of the world {world} a page plays up to {most:g} days at its own size.",
                    advice="Take fewer days, or a smaller size for more.",
                )
            room.start(actor, Plan(world=world, seed=seed, days=days, scale=scale))
        except BadInput as wrong:
            return drawn(request, actor, status=422, refused=str(wrong))
        return see_other(request, "/exercise")

    @router.post("/exercise/{run}/stop")
    def stop(
        request: Request, run: str, actor: Annotated[Actor, May("exercise.run.stop")]
    ) -> Response:
        """Stop an exercise."""
        room.stop_run(actor, run)
        return see_other(request, "/exercise")

    @router.get("/api/exercise/runs")
    def runs_json(actor: Annotated[Actor, May("exercise.run.view")]) -> dict[str, Any]:
        """Exercises and their scores."""
        return {
            "runs": [
                {
                    "id": r.id,
                    "world": r.world,
                    "seed": r.seed,
                    "state": r.state,
                    "planted": r.planted,
                    "due": r.due,
                    "score": r.score,
                }
                for r in room.runs(actor)
            ]
        }

    return router
