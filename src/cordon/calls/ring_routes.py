"""Pages of rings: the list, and one of them as chart, map, timeline or table."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from cordon.calls import desk
from cordon.calls.ringdrawing import bars
from cordon.calls.service import Calls
from cordon.kernel.access.model import Actor
from cordon.kernel.pages import May, guarded_router, page

View = Annotated[Actor, May("calls.ring.view")]
Page = Annotated[str, Query(alias="page")]
WAYS = ("chart", "map", "time", "table")


def routes(room: Calls) -> APIRouter:
    """The routes of rings."""
    router = guarded_router()

    @router.get("/calls/rings")
    def rings(
        request: Request,
        actor: View,
        state: str = "",
        kind: str = "",
        sure: str = "",
        changed: str = "",
        page_: Page = "",
    ) -> Response:
        """Rings that searches found, the surest first; the filters stand in the address."""
        asked = _filters(state, kind, sure, changed, page_)
        return page(
            request,
            "calls/rings.html",
            title="Rings",
            listed=desk.rings(room, actor, asked),
            asked=asked,
            states=desk.STATES,
            kinds=desk.KINDS,
            may_search=room.may(actor, "calls.record.search"),
        )

    @router.get("/calls/rings/{ring}")
    def ring(request: Request, actor: View, ring: str, show: str = "chart") -> Response:
        """One ring: why, where, who, and what became of it."""
        found = desk.ring(room, actor, ring)
        way = show if show in WAYS else "chart"
        return page(
            request,
            "calls/ring.html",
            title=found.line.name,
            ring=found,
            way=way,
            ways=WAYS,
            place=_place(found),
            span=bars(found.members),
            records=found.finding.records[: desk.MOST_RECORDS],
        )

    @router.get("/api/calls/rings")
    def rings_json(
        actor: View, state: str = "", kind: str = "", page_: Page = ""
    ) -> dict[str, Any]:
        """Rings that searches found, without their numbers."""
        listed = desk.rings(room, actor, _filters(state, kind, "", "", page_))
        return {"rings": [_told(line) for line in listed.rings], "more": listed.more}

    @router.get("/api/calls/rings/{ring}")
    def ring_json(actor: View, ring: str) -> dict[str, Any]:
        """One ring with its finding, masked where no authority covers it, and its history."""
        found = desk.ring(room, actor, ring)
        return {
            **_told(found.line),
            "finding": found.finding.without_records().to_dict(),
            "history": [_change(c) for c in found.history],
        }

    return router


def _filters(state: str, kind: str, sure: str, changed: str, page_: str) -> desk.Filters:
    """The filters of an address; what is none of its words is passed over."""
    try:
        least = min(max(float(sure or 0), 0.0), 1.0)
    except ValueError:
        least = 0.0
    return desk.Filters(
        state if state in desk.STATES else "",
        kind if kind in desk.KINDS else "",
        least if math.isfinite(least) else 0.0,
        changed == "1",
        int(page_) if page_.isascii() and page_.isdigit() and len(page_) < 6 else 1,
    )


def _place(found: desk.RingPage) -> dict[str, Any] | None:
    """What the map shows: the two regions, and the point in them."""
    if found.line.lat is None or found.finding.place is None:
        return None
    regions: Mapping[str, Any] = found.finding.extra.get("regions") or {}
    shown = [regions[share] for share in ("90", "50") if share in regions]
    return {"type": "GeometryCollection", "geometries": [*shown, found.finding.place]}


def _told(line: desk.RingLine) -> dict[str, Any]:
    return {
        "id": line.id,
        "name": line.name,
        "kind": line.kind,
        "state": line.state,
        "confidence": line.confidence,
        "numbers": line.numbers,
        "handsets": line.handsets,
        "seats": line.seats,
        "start": line.starts,
        "end": line.ends,
        "changed": [_change(c) for c in line.changes],
    }


def _change(change: desk.Change) -> dict[str, Any]:
    return {
        "what": change.what,
        "counts": change.counts,
        "other": change.other[1] if change.other else None,
        "until": change.until,
    }
