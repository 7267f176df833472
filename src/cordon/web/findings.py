"""A finding's page: why it was said, by numbers beside their thresholds, down to the records."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from cordon.kernel.access.model import Actor, Thing
from cordon.kernel.cards import card_for
from cordon.kernel.errors import BadInput, Conflict, CordonError
from cordon.kernel.leads import (
    KeptFinding,
    ask_to_close,
    close_reasons,
    countersign,
    decline,
    get_finding,
    list_findings,
    looked,
)
from cordon.kernel.pages import May, guarded_router, page, see_other
from cordon.kernel.work import View

if TYPE_CHECKING:
    from cordon.bootstrap import Node

SHOWN_RECORDS = 25
NOTHING_TYPED: dict[str, str] = {}


def seen(view: View, kept: KeptFinding) -> KeptFinding:
    """The finding as this reader may see it."""
    shown = view.seen("findings.finding.view", kept.thing(), kept.finding)
    return replace(kept, finding=shown)


def routes(node: Node) -> APIRouter:
    """Findings of every room: the list, one, its records, and closing it."""
    router = guarded_router()

    @router.get("/findings")
    def findings(
        request: Request,
        actor: Annotated[Actor, May("findings.finding.view")],
        kind: str = "",
        state: str = "",
        before: str = "",
    ) -> Response:
        """Findings, the newest first."""
        with node.kernel.view(actor) as view:
            found = list_findings(
                view, kind=kind or None, state=state or None, before=before or None
            )
            each = view.seen_all("findings.finding.view", [(k.thing(), k.finding) for k in found])
        shown = [replace(kept, finding=one) for kept, one in zip(found, each, strict=True)]
        return page(request, "findings.html", findings=shown, kind=kind, state=state)

    @router.get("/findings/{finding}")
    def finding(
        request: Request, finding: str, actor: Annotated[Actor, May("findings.finding.view")]
    ) -> Response:
        """A finding: why it was made, and on what."""
        return _drawn(node, request, actor, finding)

    @router.get("/api/findings/{finding}")
    def finding_json(
        finding: str, actor: Annotated[Actor, May("findings.finding.view")]
    ) -> dict[str, Any]:
        """A finding as detectors return it, with its state."""
        with node.kernel.view(actor) as view:
            kept = seen(view, get_finding(view, finding))
        looked(node.kernel, actor, finding)
        return {
            **kept.finding.to_dict(),
            "state": kept.state,
            "seriousness": kept.seriousness,
            "title": kept.title,
            "agency": kept.agency,
            "mark": kept.mark,
        }

    @router.post("/findings/{finding}/close")
    def close(
        request: Request,
        finding: str,
        actor: Annotated[Actor, May("findings.finding.close")],
        reason: Annotated[str, Form()] = "",
        note: Annotated[str, Form()] = "",
    ) -> Response:
        """Ask to close a finding, with a reason and a note."""
        try:
            with node.kernel.work(actor) as work:
                kept = get_finding(work, finding)
                ask_to_close(
                    work,
                    "findings.finding.close",
                    kept.thing(),
                    node.lead_rules,
                    reason=reason,
                    note=note,
                )
        except (BadInput, Conflict) as wrong:
            typed = {"reason": reason, "note": note}
            return _drawn(node, request, actor, finding, typed, wrong)
        return see_other(request, f"/findings/{finding}")

    @router.post("/findings/{finding}/countersign")
    def second(
        request: Request,
        finding: str,
        actor: Annotated[Actor, May("findings.finding.countersign")],
        agrees: Annotated[str, Form()] = "",
        note: Annotated[str, Form()] = "",
    ) -> Response:
        """Answer, as the second officer, a wish to close."""
        try:
            with node.kernel.work(actor) as work:
                thing = get_finding(work, finding).thing()
                if _agreed(agrees):
                    countersign(work, "findings.finding.countersign", thing)
                else:
                    decline(work, "findings.finding.countersign", thing, note=note)
        except (BadInput, Conflict) as wrong:
            typed = {"agrees": agrees, "note": note}
            return _drawn(node, request, actor, finding, typed, wrong)
        return see_other(request, f"/findings/{finding}")

    return router


def _agreed(text: str) -> bool:
    # a form field that is left empty counts as not sent: it must never count as a yes
    if text not in ("yes", "no"):
        raise BadInput("Neither yes nor no was chosen.", advice="Choose one.")
    return text == "yes"


def _drawn(
    node: Node,
    request: Request,
    actor: Actor,
    finding: str,
    typed: dict[str, str] = NOTHING_TYPED,
    refused: CordonError | None = None,
) -> Response:
    """A finding's page, with what was typed in a form of it where that was refused."""
    with node.kernel.view(actor) as view:
        kept = seen(view, get_finding(view, finding))
        thing = kept.thing()
        context = {
            "kept": kept,
            "finding": kept.finding,
            "records": kept.finding.records[:SHOWN_RECORDS],
            "may_read": view.may("findings.record.view", thing),
            "card": card_for(node.cards, kept.finding.detector, kept.finding.kind),
            "masked_some": any("~" in s for s in kept.finding.subjects),
            "place": _point(kept.finding.place),
            "around": f"/picture/around/{finding}" if _on_the_picture(view, kept) else "",
            "may_close": kept.state == "open" and view.may("findings.finding.close", thing),
            "may_second": kept.state == "closing"
            and view.may("findings.finding.countersign", thing),
            "reasons": [(r.id, r.title) for r in close_reasons()["finding"]],
            "typed": typed,
            "says": "" if refused is None else str(refused),
            "alert": node.operations.alert_of(view, finding),
            "ring": node.calls.ring_of(view, finding),
            "pages": node.money.pages_of(view, kept.finding.subjects),
        }
    # after the gate: a look stands for somebody who could see it
    looked(node.kernel, actor, finding)
    status = 200 if refused is None else type(refused).status
    return page(request, "finding.html", status=status, title=kept.title, **context)


def _on_the_picture(view: View, kept: KeptFinding) -> bool:
    """Whether a map of what stood around it can be drawn for this reader."""
    room = Thing.room("picture", view.kernel.agency)
    return kept.finding.kind.startswith("picture.") and view.may("picture.zone.view", room)


def _point(place: dict[str, Any] | None) -> dict[str, float] | None:
    """The first point of a place, for a line of text."""
    if place is None:
        return None
    at = place["coordinates"]
    while isinstance(at[0], list):
        at = at[0]
    return {"lat": float(at[1]), "lon": float(at[0])}
