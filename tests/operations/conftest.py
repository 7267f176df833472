"""Findings, officers who can be given alerts, units, and a room of operations to test with."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
from fastapi import FastAPI, Request
from starlette.responses import HTMLResponse

from cordon.cases import Cases
from cordon.kernel import geo, leads
from cordon.kernel.access.model import Mark
from cordon.kernel.access.tables import OfficerRow
from cordon.kernel.cards import Card
from cordon.kernel.findings import Finding, Reason, RecordRef
from cordon.kernel.leads import LeadRules
from cordon.operations import Operations, Position
from cordon.web import errors
from cordon.web.rendering import OfficerView, Page, Templates
from support.unasked import Unasked

PASNI = (25.05, 63.45)


def card_of(kind, seriousness="serious"):
    return Card(
        kind=kind, name=kind, version="1", title="Went silent", looks_for="Silence where it "
        "should be heard.", seriousness=seriousness, parameters={}, fooled_by=("Low power.",),
        takes=(),
    )  # fmt: skip


@pytest.fixture
def room(kernel, tmp_path, officers):
    """The room, subscribed; the officers stand in the node's tables too."""
    cases = Cases(kernel, LeadRules(), folder=tmp_path / "bundles", upload_max=1 << 20)
    made = Operations(kernel, LeadRules(), cases, {"picture.gap": card_of("picture.gap")})
    made.subscribe(kernel.dispatcher)
    with kernel.rows.write() as session:
        session.add_all(
            OfficerRow(
                id=o.id, agency=o.agency, mark=Mark.GREEN, created_at=kernel.clock.now(),
                login=o.name, name=f"Officer {o.name}", unit=o.unit,
                roles=sorted(str(r) for r in o.roles), cleared=o.cleared,
            )
            for o in officers.values()
        )  # fmt: skip
    return made


@pytest.fixture
def make(kernel, noon):
    """A finding, not yet kept."""

    def build(
        subjects=("mmsi:463012345",), *, kind="picture.gap", start=noon - timedelta(hours=1),
        end=noon, at=PASNI, value=46.0, says="Silent for 46 min.",
    ):  # fmt: skip
        return Finding.make(
            kind=kind, subjects=subjects, start=start, end=end, confidence=0.9,
            reasons=[Reason("silence", value, "min", 30.0, says)],
            records=[RecordRef(hashlib.sha256(b"log").hexdigest(), 1)], detector=f"{kind}.test",
            version="1", place=geo.point(*at) if at else None, radius_m=900.0,
        )  # fmt: skip

    return build


@pytest.fixture
def raised(kernel, room, make):
    """Keep findings and let the node hand them on; gives the id of the last one's alert."""

    def keep(*subjects, seriousness="serious", mark=Mark.AMBER, **rest):
        finding = make(subjects or ("mmsi:463012345",), **rest)
        with kernel.work(kernel.node) as work:
            leads.keep(work, [finding], {finding.kind: card_of(finding.kind, seriousness)},
                       mark=mark)  # fmt: skip
        kept = finding.id
        if any(s.startswith("number:") for s in finding.subjects):
            kept = kernel.masker.opaque_id(finding.id)  # as the node names it
        kernel.dispatcher.run_pending()
        assert kernel.dispatcher.failing() == []
        with kernel.view(kernel.node) as view:
            found = room.alert_of(view, kept)
        assert found is not None
        return found

    return keep


@pytest.fixture
def boat(room, officers):
    """The field officer's own boat, ready, ten miles east."""
    return room.add_unit(
        officers["supervisor"], code="pb-07", name="Patrol boat 7", kind="boat", sector="Pasni",
        speed_kn=20, contact="VHF 16", position=Position(PASNI[0], PASNI[1] + 0.18),
    )  # fmt: skip


@pytest.fixture
def served(kernel, officers):
    """Routes as a small application: real templates, and the officer whom a header names."""

    def serve(router):
        made, templates = FastAPI(), Templates(zone="Asia/Karachi")

        def draw(request: Request, template, status, context):
            lang = request.headers.get("accept-language", "en")
            context = dict(context)
            actor = request.state.actor
            shell = Page(title=str(context.pop("title", "Cordon")), lang=lang,
                         officer=OfficerView(actor.name), csrf="token-of-the-form")  # fmt: skip
            if template == "error.html":
                error = context["error"]
                context["error"] = {
                    "status": status, "title": "", "says": error.message, "advice": error.advice,
                    "reference": "",
                }  # fmt: skip
            body = templates.render(template, lang, page=shell, **context)
            return HTMLResponse(body, status_code=status)

        class Shell:
            def language(self, request):
                return request.headers.get("accept-language", "en")

            def piece(self, request, template, context):
                return templates.render(template, self.language(request), **context)

        @made.middleware("http")
        async def who(request: Request, call_next):
            request.state.actor = officers.get(request.headers.get("x-officer", ""))
            return await call_next(request)

        made.state.kernel, made.state.draw, made.state.shell = kernel, draw, Shell()
        errors.add_handlers(made)
        made.state.identity = Unasked()
        made.include_router(router)
        return made

    return serve
