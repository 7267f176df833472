"""Pages of the measures, the days as JSON for their charts, and the week as PDF."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from cordon.kernel.access.model import Actor
from cordon.kernel.errors import BadInput
from cordon.kernel.pages import May, guarded_router, page
from cordon.operations.measures.desk import PRINT, VIEW, Measures, as_json
from cordon.operations.measures.model import Report, Step
from cordon.operations.measures.telling import duration

DRAWN = (Step.ACKNOWLEDGE, Step.WHOLE)
View = Annotated[Actor, May(VIEW)]


def measures_routes(desk: Measures) -> APIRouter:
    """The routes below `/measures`."""
    router = guarded_router()

    @router.get("/measures")
    def measures(
        request: Request, actor: View, since: str = "", until: str = "", turn: str = ""
    ) -> Response:
        """How long responses take, by sector, watch and detector, before and after a date."""
        typed = {"since": since, "until": until, "turn": turn}
        report: Report | None = None
        refused: BadInput | None = None
        try:
            report = _asked(desk, actor, since, until, turn)
        except BadInput as wrong:
            refused = wrong
        may_print = desk.kernel.gate.decide(actor, PRINT, desk.room()).allowed
        return page(
            request,
            "operations/measures.html",
            status=200 if refused is None else type(refused).status,
            title="Measures",
            report=report,
            typed=typed,
            refused=refused,
            drawn=DRAWN,
            told=duration,
            may_print=may_print,
        )

    @router.get("/measures/week.pdf")
    def week(actor: Annotated[Actor, May(PRINT)], week: str = "") -> Response:
        """The measures of a week, printed; of the last whole week where none is named."""
        name, made = desk.week_pdf(actor, desk.week(week))
        return Response(
            made,
            media_type="application/pdf",
            headers={
                "Content-Disposition": f'attachment; filename="{name}"',
                "Cache-Control": "no-store",
            },
        )

    @router.get("/api/operations/measures")
    def measures_json(
        actor: View, since: str = "", until: str = "", turn: str = ""
    ) -> dict[str, Any]:
        """The measures as values, and by day for the charts (minutes)."""
        report = _asked(desk, actor, since, until, turn)
        days = [day.day for day in report.days]
        at = None
        if report.turn is not None:
            turned = desk.day_of(report.turn)
            at = next((i for i, day in enumerate(days) if day >= turned), None)
        return {
            **as_json(report),
            "measures": [
                {
                    "measure": step.value,
                    "days": days,
                    "at": at,
                    "came": [_minutes(day.figures[step].median_s) for day in report.days],
                    "expected": [_minutes(day.figures[step].high_s) for day in report.days],
                }
                for step in DRAWN
            ],
        }

    return router


def _asked(desk: Measures, actor: Actor, since: str, until: str, turn: str) -> Report:
    moments: list[datetime | None] = [desk.moment(text) for text in (since, until, turn)]
    return desk.report(actor, *moments)


def _minutes(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds / 60, 2)
