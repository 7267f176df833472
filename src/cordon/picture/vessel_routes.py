"""A vessel's or vehicle's page: its history, meetings and identities; and the watch list."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import JSONResponse, Response

from cordon.kernel.access.model import Actor
from cordon.kernel.clock import parse_time
from cordon.kernel.errors import BadInput, Conflict, CordonError, NotFound
from cordon.kernel.pages import May, guarded_router, page, see_other
from cordon.picture.desk import histories
from cordon.picture.desk.asked import read_hours, read_span
from cordon.picture.desk.exporting import Trail, feature
from cordon.picture.desk.stored import Span
from cordon.picture.map_routes import GEOJSON, taken
from cordon.picture.service import Picture, Vessel

Look = Annotated[Actor, May("picture.track.view")]
Listing = Annotated[Actor, May("picture.watchlist.change")]
Since = Annotated[str, Query(alias="from")]
Until = Annotated[str, Query(alias="to")]
WAYS = ("map", "time", "table")
SPANS = (6, 24, 72, 168, 744)  # hours
DEFAULT_H = 24.0
MOST_ROWS = 500
MOST_CRAFT = 3  # under one name that a page tells
WATCHED_FOR = (1, 7, 30, 90)  # days that the form offers


def routes(room: Picture) -> APIRouter:
    """The routes of a subject, and of the watch list."""
    router = guarded_router()
    desk, watchlist = room.desk, room.desk.watchlist

    def drawn(
        request: Request,
        actor: Actor,
        subject: str,
        *,
        show: str = "map",
        hours: str = "",
        until: str = "",
        refused: CordonError | None = None,
        typed: dict[str, str] | None = None,
    ) -> Response:
        length = read_hours(hours, DEFAULT_H, SPANS[-1])
        span = read_span("", until, room.kernel.clock.now(), length)
        found = _known(actor, subject)
        show = show if show in WAYS else "map"
        kept = desk.findings_of(actor, subject)
        watched = watchlist.of(actor, subject)
        return page(
            request,
            "picture/vessel.html",
            status=200 if refused is None else type(refused).status,
            title=found.title,
            vessel=found,
            crafts=room.crafts.of(subject)[:MOST_CRAFT],
            findings=kept,
            meetings=histories.meetings_of(subject, kept),
            named=[k for k in kept if k.finding.kind in histories.NAMED],
            watched=watched,
            names=watchlist.names(watched),
            now=room.kernel.clock.now(),
            span=span,
            hours=length.total_seconds() / 3600,
            spans=SPANS,
            until=until,
            show=show,
            way=desk.way(actor, subject, span) if show == "table" else None,
            most=MOST_ROWS,
            days=WATCHED_FOR,
            refused="" if refused is None else str(refused),
            typed=typed or {},
            may_list=room.may(actor, "picture.watchlist.change"),
            may_export=room.may(actor, "picture.track.export"),
        )

    def _known(actor: Actor, subject: str) -> Vessel:
        """What is known of it live, else what was stored of it in the last month."""
        try:
            return room.vessel(actor, subject)
        except NotFound:
            now = room.kernel.clock.now()
            fixes = desk.way(actor, subject, Span(now - histories.LONGEST, now)).fixes
            if not fixes and not watchlist.of(actor, subject):
                raise
            last = fixes[-1] if fixes else None
            title = next((p.name for p in reversed(fixes) if p.name), "") or subject
            return Vessel(subject, title, last, last is not None, (), ())

    @router.get("/picture/vessels/{subject:path}/way")
    def way(actor: Look, subject: str, since: Since = "", until: Until = "") -> Response:
        """Its way over a span, as GeoJSON with times and speeds; thinned where it is long."""
        told, trail = _way(actor, subject, since, until)
        line = feature(trail)
        line["properties"] = {
            **dict(line["properties"]),  # type: ignore[call-overload]
            "role": "subject",
            "speeds": [p.speed_kn for p in told.fixes],
            "courses": [p.course_deg for p in told.fixes],
            "sources": [p.source for p in told.fixes],
            "step": told.step,
            "total": told.total,
        }
        return JSONResponse({"type": "FeatureCollection", "features": [line]}, media_type=GEOJSON)

    @router.get("/picture/vessels/{subject:path}/way.{form}")
    def take_way(
        actor: Annotated[Actor, May("picture.track.export")],
        subject: str,
        form: str,
        since: Since = "",
        until: Until = "",
    ) -> Response:
        """Its way over a span as a file to take away."""
        _told, trail = _way(actor, subject, since, until)
        data = desk.exported(actor, [trail], form)
        name = "".join(c if c.isalnum() else "-" for c in subject)[:60]
        return taken(data, form, f"{name}.{form}")

    def _way(actor: Actor, subject: str, since: str, until: str) -> tuple[histories.Way, Trail]:
        now = room.kernel.clock.now()
        told = desk.way(actor, subject, read_span(since, until, now, timedelta(hours=DEFAULT_H)))
        name = next((p.name for p in reversed(told.fixes) if p.name), "")
        return told, Trail(subject, name, [(p.at, p.lat, p.lon) for p in told.fixes])

    @router.get("/picture/vessels/{subject:path}/identities")
    def identities(request: Request, subject: str, actor: Look) -> Response:
        """What it called itself in the last 30 days; a piece of its page."""
        return page(request, "picture/_identities.html", identities=desk.identities(actor, subject))

    @router.post("/picture/vessels/{subject:path}/watch")
    def put_on(
        request: Request,
        subject: str,
        actor: Listing,
        reason: Annotated[str, Form()] = "",
        days: Annotated[str, Form()] = "",
        until: Annotated[str, Form()] = "",
    ) -> Response:
        """Put it on the watch list, with a reason and until when."""
        try:
            now = room.kernel.clock.now()
            end = parse_time(until) if until.strip() else now + _days(days)
            watchlist.put(actor, subject, reason, end)
        except (BadInput, Conflict) as wrong:
            typed = {"reason": reason, "days": days, "until": until}
            return drawn(request, actor, subject, refused=wrong, typed=typed)
        return see_other(request, f"/picture/vessels/{quote(subject)}")

    @router.get("/picture/vessels/{subject:path}")
    def vessel(
        request: Request,
        subject: str,
        actor: Look,
        show: str = "map",
        hours: str = "",
        until: Until = "",
    ) -> Response:
        """What is known of a vessel or vehicle: where it was, whom it met, its names."""
        return drawn(request, actor, subject, show=show, hours=hours, until=until)

    @router.get("/picture/watchlist")
    def watch_list(
        request: Request, actor: Annotated[Actor, May("picture.watchlist.view")], ended: str = ""
    ) -> Response:
        """Who is watched, why and until when."""
        return _listed(request, actor, ended=bool(ended))

    @router.post("/picture/watchlist/{entry}/end")
    def take_off(
        request: Request, entry: str, actor: Listing, why: Annotated[str, Form()] = ""
    ) -> Response:
        """Take one off the watch list, saying why."""
        try:
            watchlist.end(actor, entry, why)
        except (BadInput, Conflict) as wrong:
            return _listed(request, actor, refused=wrong, entry=entry, why=why)
        return see_other(request, "/picture/watchlist")

    def _listed(
        request: Request,
        actor: Actor,
        *,
        ended: bool = False,
        refused: CordonError | None = None,
        entry: str = "",
        why: str = "",
    ) -> Response:
        entries = watchlist.entries(actor, ended=ended)
        return page(
            request,
            "picture/watchlist.html",
            status=200 if refused is None else type(refused).status,
            entries=entries,
            names=watchlist.names(entries),
            now=room.kernel.clock.now(),
            ended=ended,
            refused="" if refused is None else str(refused),
            entry=entry,
            why=why,
            may_change=room.may(actor, "picture.watchlist.change"),
        )

    return router


def _days(text: str) -> timedelta:
    if not text.isdigit() or int(text) not in WATCHED_FOR:
        raise BadInput("No length was chosen.", advice="Choose for how long it is watched.")
    return timedelta(days=int(text))
