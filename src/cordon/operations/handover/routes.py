"""Pages of hand-overs, and one printed."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from cordon.kernel.access.model import Actor
from cordon.kernel.clock import format_time
from cordon.kernel.errors import BadInput, Conflict, CordonError, Refused
from cordon.kernel.pages import May, guarded_router, page, see_other
from cordon.operations.handover.desk import ACCEPT, PRINT, VIEW, WRITE, Handover, HandoverDesk
from cordon.operations.people import TakenFirst

View = Annotated[Actor, May(VIEW)]
FRESH_S = 3600.0  # within an hour of the change it is the watch before that is handed over


def handover_routes(desk: HandoverDesk) -> APIRouter:
    """The routes below `/handover`."""
    router = guarded_router()

    @router.get("/handover")
    def handovers(request: Request, actor: View, watch: str = "") -> Response:
        """What stands at the change of watch, and the hand-overs that were written."""
        return _overview(desk, request, actor, {"watch": watch} if watch else {})

    @router.post("/handover")
    def write(
        request: Request,
        actor: Annotated[Actor, May(WRITE)],
        summary: Annotated[str, Form()] = "",
        watch: Annotated[str, Form()] = "",
        sector: Annotated[str, Form()] = "",
    ) -> Response:
        """Write a hand-over, of one sector alone where one is chosen."""
        try:
            made = desk.write(actor, summary, previous=watch == "previous", sector=sector)
        except (BadInput, Conflict) as refused:
            typed = {"summary": summary, "watch": watch, "sector": sector}
            return _overview(desk, request, actor, typed, refused)
        return see_other(request, f"/handover/{made.id}")

    @router.get("/handover/{handover}")
    def one(request: Request, handover: str, actor: View) -> Response:
        """One hand-over as it was written."""
        return _one(desk, request, actor, handover)

    @router.post("/handover/{handover}/accept")
    def accept(request: Request, handover: str, actor: Annotated[Actor, May(ACCEPT)]) -> Response:
        """Sign for a hand-over."""
        try:
            desk.accept(actor, handover)
        except (Conflict, Refused) as refused:
            return _one(desk, request, actor, handover, refused)
        return see_other(request, f"/handover/{handover}")

    @router.get("/handover/{handover}/handover.pdf")
    def printed(handover: str, actor: Annotated[Actor, May(PRINT)]) -> Response:
        """A hand-over, printed."""
        name, made = desk.pdf(actor, handover)
        return Response(
            made,
            media_type="application/pdf",
            headers={
                "Content-Disposition": f'attachment; filename="{name}"',
                "Cache-Control": "no-store",
            },
        )

    @router.get("/api/operations/handovers")
    def handovers_json(actor: View) -> dict[str, Any]:
        """The last hand-overs, the newest first."""
        return {"handovers": [handover_json(one) for one in desk.handovers(actor)]}

    return router


def _overview(
    desk: HandoverDesk,
    request: Request,
    actor: Actor,
    typed: dict[str, str],
    refused: CordonError | None = None,
) -> Response:
    present, before = desk.spans()
    now = desk.kernel.clock.now()
    fresh = (now - present.starts).total_seconds() < FRESH_S
    previous = typed["watch"] == "previous" if typed.get("watch") else fresh
    span = before if previous else present
    told = desk.now(actor, span.starts)
    listed = desk.handovers(actor)
    people = {h.outgoing for h in listed} | {h.incoming for h in listed}
    people |= {a.assignee for a in (*told.open, *told.closing)}
    return page(
        request,
        "operations/handover.html",
        status=200 if refused is None else type(refused).status,
        title="Hand-over",
        told=told.as_json(),
        span=span,
        spans={"present": present, "previous": before},
        previous=previous,
        sectors=[(name, name) for name in desk.offered(actor, span.watch)],
        listed=listed,
        names=desk.room.names(people),
        may_write=desk.may(actor, WRITE),
        typed=typed,
        refused=refused,
        now=now,
    )


def _one(
    desk: HandoverDesk,
    request: Request,
    actor: Actor,
    id_: str,
    refused: CordonError | None = None,
) -> Response:
    shown = desk.handover(actor, id_)
    people = {shown.outgoing, shown.incoming}
    people |= {a["assignee"] for a in (*shown.told["open"], *shown.told["closing"])}
    people |= {a["assignee"] for a in shown.passed["since"]}
    by = refused.by if isinstance(refused, TakenFirst) else None
    return page(
        request,
        "operations/handover_one.html",
        status=200 if refused is None else type(refused).status,
        title="Hand-over",
        shown=shown,
        told=shown.told,
        names=desk.room.names({*people, by}),
        may_accept=shown.waits
        and shown.outgoing != actor.id
        and desk.may(actor, ACCEPT, shown.thing()),
        may_print=desk.may(actor, PRINT, shown.thing()),
        refused=refused,
        taken_by=by,
    )


def handover_json(shown: Handover) -> dict[str, Any]:
    """A hand-over for programs."""
    return {
        "id": shown.id,
        "mark": shown.mark.value,
        "watch": shown.watch,
        "start": format_time(shown.starts),
        "end": format_time(shown.ends),
        "outgoing": shown.outgoing,
        "written_at": format_time(shown.written_at),
        "summary": shown.summary,
        "told": shown.told,
        "incoming": shown.incoming,
        "accepted_at": shown.accepted_at and format_time(shown.accepted_at),
        "passed": shown.passed,
        "replaced": shown.replaced,
    }
