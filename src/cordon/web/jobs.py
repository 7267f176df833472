"""The pages of long work: stage, rate, time left, cancel, retry, and the report it leaves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Request
from sqlalchemy import select
from starlette.responses import Response

from cordon.kernel.access.model import Actor
from cordon.kernel.errors import NotFound
from cordon.kernel.jobs import JobRow
from cordon.kernel.pages import May, guarded_router, is_fragment, page, see_other

if TYPE_CHECKING:
    from cordon.bootstrap import Node


@dataclass(frozen=True, slots=True)
class JobView:
    """A job as a page shows it. `rate` is units a second; `left` the time still to go."""

    id: str
    title: str
    kind: str
    state: str
    stage: str
    done: int
    total: int
    unit: str
    rate: float | None
    left: timedelta | None
    asked_at: datetime
    ended_at: datetime | None
    error: str | None
    report: dict[str, Any]

    @property
    def ended(self) -> bool:
        """True once it will do no more by itself."""
        return self.state in ("done", "failed", "cancelled")


def routes(node: Node) -> APIRouter:
    """The list of jobs and one job, for those whom the gate lets see it."""
    router = guarded_router()

    @router.get("/jobs")
    def jobs(request: Request, actor: Annotated[Actor, May("jobs.job.view")]) -> Response:
        """Long jobs and how far they are."""
        with node.kernel.view(actor) as view:
            rows = view.session.scalars(select(JobRow).order_by(JobRow.id.desc()).limit(100))
            shown = [_view(row, view.now) for row in rows if view.may("jobs.job.view", row.thing())]
        return page(request, "jobs.html", title="Jobs", jobs=shown)

    @router.get("/jobs/{job}")
    def job(request: Request, job: str, actor: Annotated[Actor, May("jobs.job.view")]) -> Response:
        """A long job and how far it is."""
        found = _one(node, actor, job)
        template = "job_state.html" if is_fragment(request) else "job.html"
        return page(request, template, title=found.title, job=found)

    @router.get("/api/jobs/{job}")
    def job_json(job: str, actor: Annotated[Actor, May("jobs.job.view")]) -> dict[str, Any]:
        """A long job and how far it is."""
        found = _one(node, actor, job)
        return {
            "id": found.id,
            "kind": found.kind,
            "state": found.state,
            "stage": found.stage,
            "done": found.done,
            "total": found.total,
            "unit": found.unit,
            "error": found.error,
            "report": found.report,
        }

    @router.post("/jobs/{job}/cancel")
    def cancel(
        request: Request, job: str, actor: Annotated[Actor, May("jobs.job.cancel")]
    ) -> Response:
        """Ask a job to end."""
        node.jobs.cancel(actor, job)
        return see_other(request, f"/jobs/{job}")

    @router.post("/jobs/{job}/retry")
    def retry(
        request: Request, job: str, actor: Annotated[Actor, May("jobs.job.cancel")]
    ) -> Response:
        """Run a job again that failed or was ended."""
        node.jobs.retry(actor, job)
        return see_other(request, f"/jobs/{job}")

    return router


def _one(node: Node, actor: Actor, job: str) -> JobView:
    with node.kernel.view(actor) as view:
        row = view.session.get(JobRow, job)
        if row is None:
            raise NotFound("There is no such job.")
        view.permit("jobs.job.view", row.thing())
        return _view(row, view.now)


def _view(row: JobRow, now: datetime) -> JobView:
    rate = left = None
    if row.started_at is not None and row.done:
        took = ((row.ended_at or now) - row.started_at).total_seconds()
        if took > 0:
            rate = row.done / took
            if row.total > row.done and row.state == "running":
                left = timedelta(seconds=(row.total - row.done) / rate)
    return JobView(
        row.id,
        row.title,
        row.kind,
        row.state,
        row.stage,
        row.done,
        row.total,
        row.unit,
        rate,
        left,
        row.created_at,
        row.ended_at,
        row.error,
        row.report,
    )
