"""Pages of the queue and of one alert, with the forms that answer it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlsplit

from fastapi import APIRouter, Form, Request
from starlette.responses import JSONResponse, Response

from cordon.kernel.access.model import Actor
from cordon.kernel.cards import SERIOUSNESS
from cordon.kernel.errors import BadInput, Conflict, CordonError
from cordon.kernel.leads import close_reasons
from cordon.kernel.pages import (
    May,
    guarded_router,
    is_fragment,
    language,
    page,
    piece,
    see_other,
)
from cordon.operations.base import one_of
from cordon.operations.model import UNANSWERED, Alert, AlertState
from cordon.operations.people import TakenFirst
from cordon.operations.queue import Filters
from cordon.operations.queue_rows import CUT, DrawnRows, Row
from cordon.operations.ranking.means import means
from cordon.operations.service import Operations
from cordon.operations.words import entry_words

VIEW, ACKNOWLEDGE = "operations.alert.view", "operations.alert.acknowledge"
ASSIGN, CLOSE = "operations.alert.assign", "operations.alert.close"
COUNTERSIGN, OPEN_CASE = "operations.alert.countersign", "operations.alert.open_case"
SEND, MERGE = "operations.tasking.send", "operations.alert.merge"
FORMS = {"close": CLOSE, "send": SEND, "assign": ASSIGN, "case": OPEN_CASE}
"""Forms of an alert's page, each with the act that it is for."""

KEYS = {"a": "assign", "s": "send", "c": "case", "e": "close"}
_BACK = re.compile(r"/(alerts|picture)?(\?[!-~]*)?")
NOTHING_TYPED: dict[str, Any] = {}
NOTHING_CHOSEN: list[str] = []


def _queue(
    room: Operations,
    rows: DrawnRows,
    request: Request,
    actor: Actor,
    after: str,
    *,
    back: str = "",
    chosen: Sequence[str] = (),
) -> dict[str, Any]:
    """What the queue's templates name, by the filters of the address.

    Args:
        rows: those that are drawn already.
        back: the address that the reader was at, where it is not the request's own.
        chosen: ids of the alerts that were chosen on it.
    """
    asked = dict(parse_qsl(urlsplit(back).query)) if back else request.query_params
    filters = Filters.read(asked)
    found = room.queue(actor, filters, after=after)
    at = back or _shown_at(request)
    names = room.names([filters.assignee, *(a.assignee for a in found.alerts)])
    # on the queue's own page alone: beside the map is no room for a choice
    picks = (
        urlsplit(at).path == "/alerts"
        and filters.state != AlertState.CLOSED
        and room.may(actor, MERGE)
    )
    lang = language(request)

    def drawn(alert: Alert) -> dict[str, Any]:
        row = _row(room, actor, alert, names, picks=picks, chosen=alert.id in chosen)
        return {
            "alert": alert,
            "subjects": room.masked_subjects(alert),
            "pieces": rows.pieces(
                lang, row, lambda: piece(request, "operations/_queue_row.html", row=row, cut=CUT)
            ),
        }

    return {
        "rows": [drawn(alert) for alert in found.alerts],
        "picks": picks,
        "names": names,
        "now": room.kernel.clock.now(),
        "newest": found.newest,
        "more": filters.query(after=found.after or "") if found.after else "",
        "filters": filters,
        "query": filters.query(),
        "back": at,
        "escalated": room.escalated_to(actor),
        "taken_back": room.taken_back(actor),
    }


def alert_routes(room: Operations) -> APIRouter:
    """The routes below `/alerts`."""
    router = guarded_router()
    rows = DrawnRows()

    @router.get("/alerts")
    def queue(request: Request, actor: Annotated[Actor, May(VIEW)], after: str = "") -> Response:
        """The queue of alerts, those with most points first."""
        if is_fragment(request):
            context = _queue(room, rows, request, actor, after)
            return page(request, "operations/_alert_row.html", **context)
        return _queue_page(room, rows, request, actor, after)

    @router.post("/alerts/merge")
    def merge(
        request: Request,
        actor: Annotated[Actor, May(MERGE)],
        alert: Annotated[list[str], Form()] = NOTHING_CHOSEN,
        back: Annotated[str, Form()] = "",
    ) -> Response:
        """Put the chosen alerts together; one comes back to where one was in the queue."""
        back = back if _BACK.fullmatch(back) else "/alerts"
        try:
            front = room.merge(actor, alert)
        except (BadInput, Conflict) as refused:
            return _queue_page(room, rows, request, actor, _after(back), back, alert, refused)
        return see_other(request, f"{back}#alert-{front.id}")

    @router.post("/alerts/{alert}/apart")
    def apart(request: Request, alert: str, actor: Annotated[Actor, May(MERGE)]) -> Response:
        """Take an alert out of its group."""
        try:
            room.apart(actor, alert)
        except Conflict as refused:
            return _drawn(room, request, actor, alert, refused=refused)
        return see_other(request, f"/alerts/{alert}")

    @router.get("/alerts/panel")
    def panel(request: Request, actor: Annotated[Actor, May(VIEW)]) -> Response:
        """The queue as a panel beside the map."""
        return page(request, "operations/panel.html", **_queue(room, rows, request, actor, ""))

    @router.get("/alerts/new")
    def new(request: Request, actor: Annotated[Actor, May(VIEW)], since: str = "") -> Response:
        """How many alerts came since a moment."""
        filters = Filters.read(request.query_params)
        return JSONResponse({"new": room.count_new(actor, filters, since=since)})

    @router.get("/alerts/{alert}")
    def alert_page(request: Request, alert: str, actor: Annotated[Actor, May(VIEW)]) -> Response:
        """An alert and the finding behind it."""
        return _drawn(room, request, actor, alert)

    @router.get("/alerts/{alert}/close")
    def close_form(request: Request, alert: str, actor: Annotated[Actor, May(CLOSE)]) -> Response:
        """The form to close an alert."""
        return _drawn(room, request, actor, alert, form="close")

    @router.get("/alerts/{alert}/send")
    def send_form(request: Request, alert: str, actor: Annotated[Actor, May(SEND)]) -> Response:
        """The form to send a unit."""
        return _drawn(room, request, actor, alert, form="send")

    @router.get("/alerts/{alert}/assign")
    def assign_form(request: Request, alert: str, actor: Annotated[Actor, May(ASSIGN)]) -> Response:
        """The form to hand an alert to an officer."""
        return _drawn(room, request, actor, alert, form="assign")

    @router.get("/alerts/{alert}/case")
    def case_form(
        request: Request, alert: str, actor: Annotated[Actor, May(OPEN_CASE)]
    ) -> Response:
        """The form to open a case from an alert."""
        return _drawn(room, request, actor, alert, form="case")

    @router.post("/alerts/{alert}/acknowledge")
    def acknowledge(
        request: Request,
        alert: str,
        actor: Annotated[Actor, May(ACKNOWLEDGE)],
        back: Annotated[str, Form()] = "",
    ) -> Response:
        """Say that somebody has seen the alert; from the queue one comes back to its row."""
        try:
            room.acknowledge(actor, alert)
        except Conflict as refused:
            return _drawn(room, request, actor, alert, refused=refused)
        return see_other(request, _where(back, alert))

    @router.post("/alerts/{alert}/assign")
    def assign(
        request: Request,
        alert: str,
        actor: Annotated[Actor, May(ASSIGN)],
        to: Annotated[str, Form()] = "",
        had_by: Annotated[str, Form()] = "",
        back: Annotated[str, Form()] = "",
    ) -> Response:
        """Hand an alert to an officer; told who has it, where another was quicker."""
        try:
            room.assign(actor, alert, to, had_by=had_by)
        except (BadInput, Conflict) as refused:
            typed = {"to": to, "back": back}
            return _drawn(room, request, actor, alert, "assign", typed, refused)
        return see_other(request, _where(back, alert))

    @router.post("/alerts/{alert}/send")
    def send(
        request: Request,
        alert: str,
        actor: Annotated[Actor, May(SEND)],
        unit: Annotated[str, Form()] = "",
        order: Annotated[str, Form()] = "",
    ) -> Response:
        """Send a unit."""
        try:
            tasking = room.send(actor, alert, unit, order)
        except (BadInput, Conflict) as refused:
            typed = {"unit": unit, "order": order}
            return _drawn(room, request, actor, alert, "send", typed, refused)
        return see_other(request, f"/taskings/{tasking.id}")

    @router.post("/alerts/{alert}/case")
    def case(
        request: Request,
        alert: str,
        actor: Annotated[Actor, May(OPEN_CASE)],
        title: Annotated[str, Form()] = "",
        alike: Annotated[bool, Form()] = False,
        back: Annotated[str, Form()] = "",
    ) -> Response:
        """Open a case from an alert; whoever came from the queue comes back to it."""
        try:
            opened = room.open_case(actor, alert, title, alike=alike)
        except (BadInput, Conflict) as refused:
            typed = {"title": title, "alike": alike, "back": back}
            return _drawn(room, request, actor, alert, "case", typed, refused)
        return see_other(
            request, _where(back, alert) if _BACK.fullmatch(back) else f"/cases/{opened}"
        )

    @router.post("/alerts/{alert}/close")
    def close(
        request: Request,
        alert: str,
        actor: Annotated[Actor, May(CLOSE)],
        reason: Annotated[str, Form()] = "",
        note: Annotated[str, Form()] = "",
        alike: Annotated[bool, Form()] = False,
        back: Annotated[str, Form()] = "",
    ) -> Response:
        """Ask to close an alert, with a reason and a note; one comes back to the next row."""
        try:
            room.close(actor, alert, reason, note, alike=alike)
        except (BadInput, Conflict) as refused:
            typed = {"reason": reason, "note": note, "alike": alike, "back": back}
            return _drawn(room, request, actor, alert, "close", typed, refused)
        if not _BACK.fullmatch(back):
            return see_other(request, f"/alerts/{alert}")
        filters = Filters.read(dict(parse_qsl(urlsplit(back).query)))
        below = room.queue(actor, filters, after=alert, at_most=1).alerts
        return see_other(request, _where(back, below[0].id if below else alert))

    @router.post("/alerts/{alert}/countersign")
    def countersign(
        request: Request,
        alert: str,
        actor: Annotated[Actor, May(COUNTERSIGN)],
        agrees: Annotated[str, Form()] = "",
        note: Annotated[str, Form()] = "",
        alike: Annotated[bool, Form()] = False,
    ) -> Response:
        """Answer, as the second officer, a wish to close."""
        try:
            if one_of(("yes", "no"), agrees, "answer") == "yes":
                room.countersign(actor, alert, alike=alike)
            else:
                room.decline(actor, alert, note)
        except (BadInput, Conflict) as refused:
            typed = {"agrees": agrees, "note": note, "alike": alike}
            return _drawn(room, request, actor, alert, "countersign", typed, refused)
        return see_other(request, f"/alerts/{alert}")

    return router


def _shown_at(request: Request) -> str:
    """Path and query of the page that the queue stands on; htmx says which, for a piece of one."""
    at = urlsplit(request.headers.get("hx-current-url") or str(request.url))
    return f"{at.path}?{at.query}" if at.query else at.path


def _after(back: str) -> str:
    """The page of the queue that an address names."""
    return dict(parse_qsl(urlsplit(back).query)).get("after", "")


def _where(back: str, alert: str) -> str:
    """A row of the page that the reader came from; the alert's own page where that is none."""
    return f"{back}#alert-{alert}" if _BACK.fullmatch(back) else f"/alerts/{alert}"


def _queue_page(
    room: Operations,
    rows: DrawnRows,
    request: Request,
    actor: Actor,
    after: str,
    back: str = "",
    chosen: Sequence[str] = (),
    refused: CordonError | None = None,
) -> Response:
    return page(
        request,
        "operations/queue.html",
        status=200 if refused is None else type(refused).status,
        title="Alerts",
        states=list(AlertState),
        levels=SERIOUSNESS,
        after=after,
        refused=refused,
        **_queue(room, rows, request, actor, after, back=back, chosen=chosen),
    )


def _row(
    room: Operations,
    actor: Actor,
    alert: Alert,
    names: Mapping[str, str],
    *,
    picks: bool,
    chosen: bool,
) -> Row:
    """An alert as the queue's rows show it, with the letters that act on it.

    Those of `acts` open a form, those of `posts` act at once.
    """
    thing, live = alert.thing(), alert.state not in (AlertState.CLOSING, AlertState.CLOSED)
    acts = tuple(
        (key, f"/alerts/{alert.id}/{form}")
        for key, form in KEYS.items()
        if live and not (form == "case" and alert.case) and room.may(actor, FORMS[form], thing)
    )
    seen = alert.state is not AlertState.OPEN or not room.may(actor, ACKNOWLEDGE, thing)
    posts = () if seen else (("x", f"/alerts/{alert.id}/acknowledge"),)
    assignee = names[alert.assignee] if alert.assignee else ""
    pick = picks and alert.state in UNANSWERED
    return Row.of(alert, assignee, acts, posts, pick=pick, chosen=chosen)


def _back_of(request: Request, typed: dict[str, Any]) -> str:
    """The queue's address that a form was opened from; empty where there is none."""
    back = str(typed.get("back") or request.query_params.get("back") or "")
    return back if _BACK.fullmatch(back) else ""


def _drawn(
    room: Operations,
    request: Request,
    actor: Actor,
    id_: str,
    form: str = "",
    typed: dict[str, Any] = NOTHING_TYPED,
    refused: CordonError | None = None,
) -> Response:
    """An alert's page, with a form open in it and what was typed where it was refused.

    Args:
        form: one of `FORMS`, or `countersign`; htmx gets the form alone.
    """
    shown = room.alert(actor, id_)
    history = room.history(actor, id_)
    people = {shown.alert.assignee, shown.alert.acknowledged_by}
    people |= {e.actor for e in history} | {t.sent_by for t in shown.taskings}
    if shown.waiting is not None:
        people.add(shown.waiting.asked_by)
    people |= {str(e.detail["to"]) for e in history if e.detail.get("to")}
    if isinstance(refused, TakenFirst):
        people.add(refused.by)
    ranking = room.ranking_of(actor, id_) if form == "send" else None
    context: dict[str, Any] = {
        "shown": shown,
        "alert": shown.alert,
        "history": [(entry, entry_words(entry)) for entry in history],
        "names": room.names(people),
        "now": room.kernel.clock.now(),
        "form": form,
        "typed": typed,
        "refused": refused,
        "back": _back_of(request, typed),
        "rule": room.triage.of(shown.alert.kind, shown.alert.seriousness),
        "levels": room.triage.levels,
        "taken_by": refused.by if isinstance(refused, TakenFirst) else None,
        "reasons": close_reasons()["alert"],
        "second": room.rules.needs_second(shown.alert.seriousness),
        "ranking": ranking,
        "choices": ranking.choices if ranking else (),
        "means": means(),
        "takers": room.takers(actor, id_) if form == "assign" else [],
    }
    status = 200 if refused is None else type(refused).status
    whole = refused is not None or not is_fragment(request) or form not in ("close", "send")
    template = "operations/alert.html" if whole else f"operations/_{form}_form.html"
    return page(request, template, status=status, title=shown.alert.title, **context)
