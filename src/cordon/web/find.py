"""The find field: a vessel, a case, an alert or a finding by its name or number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Request
from sqlalchemy import or_, select
from starlette.responses import Response

from cordon.kernel.access.model import Actor, Thing
from cordon.kernel.leads import list_findings
from cordon.kernel.leads.tables import LeadRow
from cordon.kernel.pages import May, guarded_router, page
from cordon.kernel.work import View, personal_data
from cordon.web.i18n import N_

if TYPE_CHECKING:
    from cordon.bootstrap import Node

MOST = 20
_PAGES = {"finding": "/findings/", "alert": "/alerts/"}
_VIEW = {
    "finding": "findings.finding.view",
    "alert": "operations.alert.view",
}
_WORDS = (N_("vessel"), N_("finding"), N_("alert"), N_("case"))


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing found: its type, what to call it, and its page."""

    type: str
    title: str
    href: str


def routes(node: Node) -> APIRouter:
    """The find field's page."""
    router = guarded_router()

    @router.get("/find")
    def find(request: Request, actor: Annotated[Actor, May("web.find")], q: str = "") -> Response:
        """Find vessels, leads and cases by words or ids; a number under an authority alone."""
        words = q.strip()[:100]
        hits = _hits(node, actor, words) if len(words) >= 2 else []
        return page(request, "find.html", q=words, hits=hits)

    return router


def _hits(node: Node, actor: Actor, words: str) -> list[Hit]:
    hits: list[Hit] = []
    with node.kernel.view(actor) as view:
        if view.may("picture.track.view", node.picture.thing()):
            hits += [
                Hit("vessel", p.name or p.subject, f"/picture/vessels/{p.subject}")
                for p in node.picture.find(words)[:MOST]
            ]
        hits += _leads(view, words)
        cases = view.may("cases.case.view", Thing.room("cases", node.kernel.agency))
        subject = _personal_subject(words, node.country.phone_region)
        if subject is not None:
            # asking for a number is reading personal data: only under an authority, and entered
            view.under_authority("calls.record.search", node.picture.thing(), "calls", subject)
            hits += [
                Hit("finding", k.title, f"/findings/{k.finding.id}")
                for k in list_findings(view, subject=subject, at_most=MOST)
            ]
    if cases:  # the room knows who is named on a case at TLP:RED; its lead does not
        hits += [
            Hit("case", f"{found.case.number} {found.case.title}", f"/cases/{found.case.id}")
            for found in node.cases.list(actor, text=words, at_most=MOST)
        ]
    return hits


def _leads(view: View, words: str) -> list[Hit]:
    pattern = "%" + words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    rows = view.session.scalars(
        select(LeadRow)
        .where(LeadRow.type.in_(_PAGES))
        .where(or_(LeadRow.title.ilike(pattern, escape="\\"), LeadRow.id == words.lower()))
        .order_by(LeadRow.created_at.desc())
        .limit(MOST * 3)
    )
    return [
        Hit(row.type, row.title, _PAGES[row.type] + row.id)
        for row in rows
        if row.type in _PAGES and view.may(_VIEW[row.type], row.thing())
    ][:MOST]


def _personal_subject(words: str, region: str) -> str | None:
    """The subject that a typed number names, or None where it looks like none."""
    import phonenumbers

    if not words.startswith(("+", "0")):
        return None  # nine digits alone are an MMSI
    try:
        parsed = phonenumbers.parse(words, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(parsed) or len(words) < 7:
        return None
    subject = "number:" + phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return subject if personal_data(subject) else None
