"""The room's pages: what was found, files, an account, a trace, and a ring's money."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from cordon.kernel.access.model import Actor
from cordon.kernel.bringing.routes import import_routes
from cordon.kernel.errors import AuthorityRefused, BadInput, NotFound
from cordon.kernel.pages import May, guarded_router, page, see_other, wants_json
from cordon.money import desk, tracebook, tracedesk
from cordon.money.service import Money
from cordon.money.tracing.forward import HOPS
from cordon.money.words import said

View = Annotated[Actor, May("money.finding.view")]
Look = Annotated[Actor, May("money.account.view")]
Trace = Annotated[Actor, May("money.trace.view")]
Make = Annotated[Actor, May("money.trace.make")]
Page = Annotated[str, Query(alias="page")]
Text = Annotated[str, Form()]
From = Annotated[str, Query(alias="from")]
NOTHING = {"since": "", "until": "", "hops": str(HOPS), "way": "forward"}


def routes(room: Money) -> APIRouter:
    """The room's routes."""
    router = guarded_router()
    router.routes.extend(import_routes(room.brings, said).routes)
    _lists(router, room)
    _accounts(router, room)
    _traces(router, room)
    return router


def _lists(router: APIRouter, room: Money) -> None:
    @router.get("/money")
    def money(request: Request, actor: View, kind: str = "", before: str = "") -> Response:
        """Findings over payments, and the files that were brought in."""
        findings, more = room.findings_in_short(actor, kind=kind, before=before[:36])
        return page(
            request,
            "money/money.html",
            findings=findings,
            more=more,
            kind=kind if kind in room.kinds else "",
            kinds=list(room.kinds.items()),
            first=not before,
            files=room.files(actor),
            may_search=room.may(actor, "money.record.search"),
        )

    @router.get("/money/files/{file}")
    def file_(request: Request, actor: View, file: str) -> Response:
        """A file that was brought in: what became of its rows."""
        found = room.file(actor, file)
        return page(request, "money/file.html", title="Files brought in", file=found)

    @router.post("/money/find")
    def find(request: Request, actor: Annotated[Actor, May("money.record.search")]) -> Response:
        """Search the payments that the chosen authority covers; a job does it."""
        return see_other(request, f"/jobs/{room.ask_find(actor)}")

    @router.get("/api/money/findings")
    def findings_json(actor: View) -> dict[str, Any]:
        """Findings over payments, without their records."""
        return {
            "findings": [
                {
                    **k.finding.without_records().to_dict(),
                    "state": k.state,
                    "seriousness": k.seriousness,
                }
                for k in room.findings(actor)
            ]
        }


def _accounts(router: APIRouter, room: Money) -> None:
    @router.get("/money/accounts")
    def ask(request: Request, _actor: Look) -> Response:
        """The form that leads to an account's page; what is typed is in no address."""
        return page(request, "money/look.html", title="Look up", typed="", refused=[])

    @router.post("/money/accounts")
    def find_account(request: Request, actor: Look, account: Text = "") -> Response:
        """Lead to the page of an account, under an authority that covers it."""
        try:
            return see_other(request, desk.find_account(room, actor, account))
        except (BadInput, AuthorityRefused) as wrong:
            if wants_json(request):
                raise
            return page(
                request,
                "money/look.html",
                status=type(wrong).status,
                title="Look up",
                typed=account[:100],
                refused=said(wrong),
            )

    @router.get("/money/accounts/{name}")
    def account(request: Request, actor: Look, name: str, page_: Page = "") -> Response:
        """What payments say of an account; masked without an authority that covers it."""
        return _drawn(request, actor, name, _number(page_, 1))

    @router.post("/money/accounts/{name}/trace")
    def trace_account(
        request: Request,
        actor: Make,
        name: str,
        way: Text = "forward",
        since: Text = "",
        until: Text = "",
        hops: Text = str(HOPS),
    ) -> Response:
        """Follow the money of an account; a job does it."""
        typed = {"since": since[:40], "until": until[:40], "hops": hops[:4], "way": way[:10]}
        try:
            if not (hops.isascii() and hops.isdigit() and len(hops) < 4):
                raise BadInput(f"A trace follows 1 to {tracebook.MOST_HOPS} payments.")
            _, job = tracebook.ask_account(
                room,
                actor,
                desk.account_of(room, actor, name),
                way=way,
                since=tracebook.moment(since),
                until=tracebook.moment(until),
                hops=int(hops),
            )
        except (BadInput, AuthorityRefused) as wrong:
            if wants_json(request):
                raise
            return _drawn(request, actor, name, 1, typed, wrong)
        return see_other(request, f"/jobs/{job}")

    def _drawn(
        request: Request,
        actor: Actor,
        name: str,
        page_: int,
        typed: dict[str, str] = NOTHING,
        wrong: BadInput | AuthorityRefused | None = None,
    ) -> Response:
        found = desk.account(room, actor, name, page_)
        # not the account: a title stands in the history of a browser
        return page(
            request,
            "money/account.html",
            status=200 if wrong is None else type(wrong).status,
            title="Account",
            account=found,
            typed=typed,
            refused=said(wrong),
            most_hops=tracebook.MOST_HOPS,
        )


def _traces(router: APIRouter, room: Money) -> None:
    @router.get("/money/traces/{id_}")
    def trace(
        request: Request,
        actor: Trace,
        id_: str,
        method: str = "fifo",
        currency: str = "",
        ends: str = "",
        channel: str = "",
        from_: From = "",
        to: str = "",
        hop: str = "",
        page_: Page = "",
    ) -> Response:
        """Where the money of an account went or came from, by three methods side by side."""
        asked = _asked(method, currency, ends, channel, from_, to, hop, page_)
        found = tracedesk.trace(room, actor, id_, asked)
        return page(
            request, "money/trace.html", title="Trace", trace=found, methods=tracedesk.METHODS
        )

    @router.get("/money/rings/{ring}")
    def ring(
        request: Request,
        actor: Trace,
        ring: str,
        method: str = "fifo",
        currency: str = "",
        ends: str = "",
        channel: str = "",
        from_: From = "",
        to: str = "",
        hop: str = "",
        page_: Page = "",
    ) -> Response:
        """What a ring's victims paid, and where it is."""
        asked = _asked(method, currency, ends, channel, from_, to, hop, page_)
        name, found, rows, tied = tracedesk.ring_traces(room, actor, ring, asked)
        return page(
            request,
            "money/ring.html",
            title="A ring's money",
            ring=name,
            trace=found,
            traces=rows,
            tied=tied,
            methods=tracedesk.METHODS,
        )

    @router.post("/money/rings/{ring}/trace")
    def trace_ring(request: Request, actor: Make, ring: str) -> Response:
        """Follow what a ring's victims paid; a job does it."""
        _, job = tracebook.ask_ring(room, actor, ring)
        return see_other(request, f"/jobs/{job}")

    @router.get("/api/money/traces/{id_}")
    def trace_json(actor: Trace, id_: str) -> dict[str, Any]:
        """The sums of a trace, by method and currency; no account is named."""
        found = tracedesk.trace(room, actor, id_, tracedesk.Asked())
        if found.row.state != "done":
            raise NotFound("The trace is not done.", advice="Look at its job.")
        return {
            "id": found.row.id,
            "way": found.row.way,
            "hops": found.row.hops,
            "count": found.count,
            "methods": {name: m["sums"] for name, m in found.row.detail.get("methods", {}).items()},
            "left_out": list(found.left_out),
        }


def _asked(
    method: str, currency: str, ends: str, channel: str, from_: str, to: str, hop: str, page_: str
) -> tracedesk.Asked:
    """What an address asks for; what is none of its words is passed over."""
    return tracedesk.Asked(
        method if method in tracedesk.METHODS else tracedesk.METHODS[0],
        currency[:20],
        ends if ends in tracedesk.ENDS else "",
        channel[:20],
        from_[:20],
        to[:20],
        _number(hop, -1),
        _number(page_, 1),
    )


def _number(text: str, otherwise: int) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else otherwise
