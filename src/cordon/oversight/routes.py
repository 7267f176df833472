"""Pages and JSON API of the room."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from cordon.kernel.access.model import Actor, Mark, Thing
from cordon.kernel.clock import parse_time
from cordon.kernel.errors import BadInput
from cordon.kernel.leads import close_reasons
from cordon.kernel.ledger.model import OUTCOMES, Entry
from cordon.kernel.pages import May, guarded_router, page
from cordon.oversight.answered import ANSWERED_FOR
from cordon.oversight.jsoning import entry_json, proof_json, report_json
from cordon.oversight.model import Notice, Span
from cordon.oversight.report import A_PAGE, LAPSED_FOR
from cordon.oversight.service import Oversight

PAGE = 100
FIELDS = ("actor", "act", "thing", "authority", "outcome", "unit", "since", "until")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")

Reader = Annotated[Actor, May("oversight.report.view")]
LedgerReader = Annotated[Actor, May("oversight.ledger.view")]


@dataclass(frozen=True, slots=True)
class Filters:
    """What stands in the address of a ledger page, as it was typed."""

    actor: str = ""
    act: str = ""
    thing: str = ""
    authority: str = ""
    outcome: str = ""
    unit: str = ""
    since: str = ""
    until: str = ""

    def typed(self) -> dict[str, str]:
        """Those that were given."""
        return {name: value for name in FIELDS if (value := getattr(self, name).strip())}

    def span(self) -> Span:
        """What they ask for; raises BadInput where a time or outcome is none."""
        typed: dict[str, Any] = self.typed()
        if typed.get("outcome") not in (None, *OUTCOMES):
            raise BadInput("That is no outcome.", advice="It is " + ", ".join(OUTCOMES) + ".")
        for name in ("since", "until"):
            if name in typed:
                day = _DAY.fullmatch(typed[name])
                typed[name] = parse_time(f"{typed[name]}T00:00:00Z" if day else typed[name])
        return Span(**typed)


Filtered = Annotated[Filters, Depends()]
Before = Annotated[int | None, Query(ge=0)]
Offset = Annotated[int, Query(ge=0, le=1 << 31)]
HREFS = {
    "finding": ("/findings/", "findings.finding.view"),
    "alert": ("/alerts/", "operations.alert.view"),
    "case": ("/cases/", "cases.case.view"),
    "tasking": ("/taskings/", "operations.tasking.view"),
    "authority": ("/authorities/", "access.authority.view"),
    "request": ("/sharing/requests#r-", "sharing.request.view"),
}
"""Where a thing of a type has its page, and the act that opens it."""


def routes(room: Oversight) -> APIRouter:
    """The overseer's report, and the ledger."""
    router = guarded_router()
    _report(router, room)
    _ledger(router, room)
    _api(router, room)
    return router


def _report(router: APIRouter, room: Oversight) -> None:
    @router.get("/oversight")
    def oversight(
        request: Request, actor: Reader, unit: str = "", part: str = "", offset: Offset = 0
    ) -> Response:
        """What an overseer looks at first."""
        report = room.report(actor, unit=unit or None, part=part, offset=offset)
        reasons = {r.id: r.title for those in close_reasons().values() for r in those}
        return page(
            request,
            "oversight/report.html",
            report=report,
            unit=unit,
            reasons=reasons,
            a_page=A_PAGE,
            days=ANSWERED_FOR.days,
            lapsed_days=LAPSED_FOR.days,
            hrefs={type_: href for type_, (href, _act) in HREFS.items()},
            notice=Notice(report.totals["emergencies"], report.totals["lapsed"]),
        )


def _ledger(router: APIRouter, room: Oversight) -> None:
    @router.get("/ledger")
    def ledger(
        request: Request, actor: LedgerReader, filters: Filtered, before: Before = None
    ) -> Response:
        """Entries of the ledger, the newest first."""
        return _drawn(room, request, actor, filters, before)

    @router.get("/ledger/checkpoint")
    def checkpoint(actor: LedgerReader) -> Response:
        """The signed checkpoint, to be kept elsewhere."""
        return PlainTextResponse(room.checkpoint(actor))

    @router.post("/ledger/verify")
    def verify(
        request: Request, actor: LedgerReader, against: Annotated[str, Form()] = ""
    ) -> Response:
        """Check that the whole ledger is unchanged."""
        # a note ends in a newline, which forms and people lose
        note = against.replace("\r\n", "\n").strip("\n")
        found = room.verify(actor, against=f"{note}\n" if note else None)
        return page(
            request,
            "oversight/verified.html",
            notice=room.notice(actor),
            title=room.kernel.ledger.origin,
            found=found,
            against=against,
            fingerprint=room.kernel.ledger.verifier.fingerprint,
        )

    @router.post("/ledger/export")
    def export(actor: LedgerReader, since: Annotated[int, Form(ge=0)] = 0) -> Response:
        """The ledger as a tar file that anybody can verify."""
        return StreamingResponse(
            room.export_tar(actor, since=since),
            media_type="application/x-tar",
            headers={
                "Content-Disposition": 'attachment; filename="ledger.tar"',
                "Cache-Control": "no-store",
            },
        )

    @router.get("/ledger/{index}")
    def entry(request: Request, index: int, actor: LedgerReader) -> Response:
        """One entry with its proof."""
        proof = room.prove(actor, index)
        return page(
            request,
            "oversight/entry.html",
            notice=room.notice(actor),
            title=f"{index} · {proof.entry.act}",
            proof=proof,
            entry=proof.entry,
            href=_href(room, actor, proof.entry),
        )


def _api(router: APIRouter, room: Oversight) -> None:
    @router.get("/api/oversight")
    def report_as_json(
        actor: Reader, unit: str = "", part: str = "", offset: Offset = 0
    ) -> dict[str, Any]:
        """What an overseer looks at first."""
        return report_json(room.report(actor, unit=unit or None, part=part, offset=offset))

    @router.get("/api/ledger")
    def entries_as_json(
        actor: LedgerReader,
        filters: Filtered,
        before: Before = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = PAGE,
    ) -> dict[str, Any]:
        """Entries of the ledger, the newest first."""
        found = room.entries(actor, filters.span(), before=before, at_most=limit)
        return {
            "entries": [entry_json(entry) for entry in found.entries],
            "size": found.size,
            "before": found.entries[-1].index if len(found.entries) == limit else None,
        }

    @router.get("/api/ledger/{index}")
    def proof_as_json(index: int, actor: LedgerReader) -> dict[str, Any]:
        """One entry with its inclusion proof."""
        return proof_json(room.prove(actor, index))

    @router.post("/api/ledger/verify")
    def verified_as_json(
        actor: LedgerReader, against: Annotated[str, Form()] = ""
    ) -> dict[str, Any]:
        """Check that the whole ledger is unchanged."""
        return room.verify(actor, against=against or None).to_dict()


def _drawn(
    room: Oversight, request: Request, actor: Actor, filters: Filters, before: int | None
) -> Response:
    typed = filters.typed()
    says, span = "", None
    try:
        span = filters.span()
    except BadInput as wrong:
        says = str(wrong)
    found = room.entries(actor, span, before=before, at_most=PAGE) if span is not None else None
    more = found is not None and len(found.entries) == PAGE
    return page(
        request,
        "oversight/ledger.html",
        notice=room.notice(actor),
        status=422 if says else 200,
        found=found,
        typed={name: typed.get(name, "") for name in FIELDS},
        narrowed=bool(typed),
        more={**typed, "before": found.entries[-1].index} if found is not None and more else None,
        outcomes=OUTCOMES,
        says=says,
    )


def _href(room: Oversight, actor: Actor, entry: Entry) -> str:
    """The page of what an entry is of; empty where it has none, or none for this reader."""
    type_, _, id_ = entry.thing.partition(":")
    if type_ not in HREFS:
        return ""
    href, act = HREFS[type_]
    allowed = room.may(actor, act, Thing(type_, id_, entry.agency, Mark(entry.mark)))
    return href + id_ if allowed else ""
