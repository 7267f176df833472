"""Pages and API of the room, drawn by the shell's templates, with the gate as it is."""

from __future__ import annotations

import io
import tarfile
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from starlette.responses import HTMLResponse, JSONResponse

from cordon.cases.routes import routes
from cordon.kernel import leads
from cordon.kernel.access.model import Mark, Thing
from cordon.kernel.errors import CordonError
from cordon.web.rendering import Page, Templates
from support.unasked import Unasked

NUMBER = "number:+923007654321"


@pytest.fixture
def site(cases, kernel):
    """A client whose actor is `site.actor`; draws pages as the shell does."""
    app = FastAPI()
    app.state.kernel = kernel
    templates = Templates()

    def draw(request, template, status, context):
        title = context.pop("title", "Cordon")
        page = Page(title=title, csrf="token", lang=app.state.lang)
        return HTMLResponse(
            templates.render(template, app.state.lang, page=page, **context), status
        )

    app.state.draw, app.state.lang = draw, "en"

    @app.middleware("http")
    async def signed_in(request: Request, call_next):
        request.state.actor = app.state.actor
        return await call_next(request)

    @app.exception_handler(CordonError)
    def told(_request, error):
        return JSONResponse({"code": error.code, "says": str(error)}, error.status)

    app.state.identity = Unasked()
    app.include_router(routes(cases))
    with TestClient(app, follow_redirects=False) as client:
        client.state = app.state
        yield client


class Ids(HTMLParser):
    """Ids of a page, to see that none stands twice, and its posting forms without a token."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.posting, self.tokens = [], 0, 0
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if "id" in attrs:
            self.ids.append(attrs["id"])
        self.posting += tag == "form" and attrs.get("method") == "post"
        self.tokens += tag == "input" and attrs.get("name") == "csrf"
        assert not [a for a in attrs if a == "style" or a.startswith("on")], attrs


def good_page(answer, status=200):
    assert answer.status_code == status, answer.text
    seen = Ids(answer.text)
    assert len(seen.ids) == len(set(seen.ids)), sorted(seen.ids)
    # the shell's own forms stand in the layout only where an officer is given, which none is here
    assert seen.posting == seen.tokens
    return answer.text


def test_a_case_through_its_pages(site, cases, keep, officers):
    site.state.actor = officers["investigator"]
    finding = keep()
    answer = site.post("/cases", data={"title": "A silent vessel", "seriousness": "serious",
                                       "mark": "TLP:AMBER", "finding": finding})  # fmt: skip
    assert answer.status_code == 303
    url = answer.headers["location"]
    text = good_page(site.get(url))
    assert "A silent vessel" in text
    assert "Silent for 46 min." in text
    assert "463012345" in text

    def exhibit(**over):
        data = {"kind": "photo", "from_kind": "officer", "from_name": "officer-field", **over}
        return site.post(f"{url}/exhibits", data=data, files={"file": ("deck.jpg", b"\xff\xd8x")})

    refused = exhibit(from_kind="nobody", source="the wheelhouse")
    assert "the wheelhouse" in good_page(refused, 422)  # what was typed stays
    assert exhibit().status_code == 303
    assert site.post(f"{url}/exhibits/finding", data={"finding": finding}).status_code == 303
    view = site.get(f"/api{url}").json()
    assert [e["label"] for e in view["exhibits"]] == ["E-1", "E-2"]
    photo = view["exhibits"][0]["id"]
    to_store = {"to_kind": "store", "to_name": "Store 2"}
    broken = site.post(f"{url}/exhibits/{photo}/custody", data={"act": "received", **to_store})
    assert "Store 2" in good_page(broken, 409)
    moved = site.post(f"{url}/exhibits/{photo}/custody", data={"act": "moved", **to_store})
    assert moved.status_code == 303
    assert site.get(f"/api{url}").json()["exhibits"][0]["holder"] == "store:Store 2"

    # who had it on a page that was drawn before the move has it no longer
    late = {"act": "moved", "to_kind": "court", "to_name": "Sindh", "note": "ordered",
            "held_by": "officer:officer-investigator"}  # fmt: skip
    assert "who had it in between" in good_page(
        site.post(f"{url}/exhibits/{photo}/custody", data=late), 409
    )
    assert '<input type="hidden" name="held_by" value="store:Store 2">' in site.get(url).text

    assert site.post(f"{url}/seal").status_code == 303
    assert "-01" in good_page(site.get(url))
    taken = site.get(f"{url}/bundles/1.tar")
    assert taken.headers["content-type"] == "application/x-tar"
    with tarfile.open(fileobj=io.BytesIO(taken.content)) as tar:
        assert any(name.endswith("/seal.json") for name in tar.getnames())

    short = site.post(f"{url}/close", data={"reason": "no_offence", "note": "no"})
    assert "no_offence" in good_page(short, 422)
    closing = {"reason": "no_offence", "note": "A licensed transfer at sea."}
    assert site.post(f"{url}/close", data=closing).status_code == 303
    assert "/countersign" not in good_page(site.get(url))  # not by the one who asked
    site.state.actor = officers["supervisor2"]
    assert "/countersign" in good_page(site.get(url))
    good_page(site.post(f"{url}/countersign", data={"agrees": ""}), 422)
    assert site.post(f"{url}/countersign", data={"agrees": "yes"}).status_code == 303
    assert site.get(f"/api{url}").json()["state"] == "closed"
    good_page(site.get(url))


def test_list_pages(site, cases, officers):
    site.state.actor = officers["investigator"]
    good_page(site.get("/cases"))
    site.state.lang = "ur"
    assert 'dir="rtl"' in good_page(site.get("/cases"))
    site.state.lang = "en"
    for n in range(52):
        cases.open(officers["investigator"], title=f"Case {n}")
    text = good_page(site.get("/cases"))
    assert "C-2026-0052" in text
    assert "C-2026-0002" not in text
    first = site.get("/api/cases").json()
    rest = site.get("/api/cases", params={"before": first["before"]}).json()
    assert [c["number"] for c in rest["cases"]] == ["C-2026-0002", "C-2026-0001"]
    assert rest["before"] is None
    wrong = site.post("/cases", data={"title": "Call +923001234567", "seriousness": "grave"})
    assert "Call +923001234567" in good_page(wrong, 422)


def test_pages_mask_people(site, cases, keep, officers, warrant):
    by = officers["investigator"]
    finding = keep(
        kind="calls.fan", subjects=(NUMBER,), data=b"x,y\n1,2\n", says="+923007654321 called many."
    )
    case = cases.open(by, title="A call centre", finding_ids=[finding])
    for who in (by, officers["overseer"], officers["custodian"], officers["watch"]):
        site.state.actor = who
        for url in (f"/cases/{case}", f"/api/cases/{case}"):
            assert "7654321" not in site.get(url).text
    site.state.actor = replace(by, authority=warrant())
    assert "+923007654321" in good_page(site.get(f"/cases/{case}"))
    site.state.actor = replace(by, authority=warrant(subjects=frozenset({"number:+923000000009"})))
    assert "7654321" not in site.get(f"/cases/{case}").text


def test_who_may_not(site, cases, keep, officers, kernel):
    case = cases.open(officers["investigator"], title="A silent vessel")
    site.state.actor = officers["administrator"]
    for url in ("/cases", f"/cases/{case}", "/api/cases", f"/cases/{case}/bundles/1.tar"):
        assert site.get(url).status_code == 403
    site.state.actor = officers["overseer"]
    assert '<form method="post"' not in good_page(site.get(f"/cases/{case}"))
    assert site.post(f"/cases/{case}/seal").status_code == 403
    assert site.post(f"/cases/{case}/take").status_code == 403
    assert len(kernel.ledger.entries(outcome="refused")) == 6
    assert site.get("/cases/C-2026-0099").status_code == 404


def test_breaks_are_declared_on_the_page(site, cases, officers, break_custody):
    site.state.actor = officers["custodian"]
    case = cases.open(officers["investigator"], title="A silent vessel")
    url = f"/cases/{case}"
    assert 'name="why"' not in good_page(site.get(url))
    photo = cases.add_file(officers["custodian"], case, io.BytesIO(b"x"), title="deck.jpg",
                           received_from="person:master")  # fmt: skip
    break_custody(photo.id)
    text = good_page(site.get(url))
    assert '<input type="hidden" name="broken" value="E-1:gap">' in text
    assert "E-1:gap" in good_page(site.post(f"{url}/seal"), 422)
    why = "Store 9 is the old name of the store"
    wrong = site.post(f"{url}/seal", data={"broken": ["E-1:gap", "E-9:gap"], "why": [why, "x"]})
    assert why in good_page(wrong, 422)  # what was typed stays
    good_page(site.post(f"{url}/seal", data={"broken": "E-1:gap", "why": " "}), 422)
    sealed = site.post(f"{url}/seal", data={"broken": ["E-1:gap"], "why": [why]})
    assert sealed.status_code == 303
    assert site.post(f"/api{url}/seal").status_code == 422
    assert site.post(f"/api{url}/seal", data={"declare": f"E-1:gap={why}"}).json()["place"] == 2
    site.state.actor = officers["watch"]
    assert 'name="why"' not in good_page(site.get(url))


def test_of_two_who_take_a_case_the_second_is_told(site, cases, officers):
    case = cases.open(officers["watch"], title="A silent vessel")
    form = {"led_by": "officer-watch"}
    site.state.actor = officers["investigator"]
    text = good_page(site.get(f"/cases/{case}"))
    assert '<input type="hidden" name="led_by" value="officer-watch">' in text
    assert site.post(f"/cases/{case}/take", data=form).status_code == 303
    assert site.post(f"/cases/{case}/take", data=form).status_code == 303  # clicked twice
    site.state.actor = officers["investigator2"]
    assert site.post(f"/cases/{case}/take", data=form).status_code == 409
    assert site.post(f"/cases/{case}/take").status_code == 409
    assert cases.view(officers["watch"], case).case.lead_officer == "officer-investigator"


def test_links_are_drawn_where_they_may_be_followed(site, cases, keep, officers, warrant, kernel):
    by = replace(officers["investigator"], authority=warrant())
    finding = keep(kind="calls.fan", subjects=(NUMBER,), data=b"x,y\n1,2\n")
    with kernel.work(kernel.node) as work:
        alert = Thing("alert", "0199aaaa-0000-7000-8000-00000000a1e7", kernel.agency, Mark.AMBER)
        leads.open_lead(work, alert, title="An alert", seriousness="serious", due=work.now)
    with kernel.work(by) as work:
        case = cases.open_case(work, title="A", finding_ids=[finding], alert_ids=[alert.id])
    cases.view(by, case)  # reads personal data under the authority
    ledger, authority = (
        f'href="/ledger?thing=case:{case}"',
        f'href="/authorities/{by.authority.id}"',
    )
    link = f'href="/alerts/{alert.id}"'

    def drawn(who):
        site.state.actor = officers[who]
        text = good_page(site.get(f"/cases/{case}"))
        assert "WR-118/2026" in text
        return [one in text for one in (ledger, authority, link)]

    assert drawn("investigator") == [False, True, True]
    assert drawn("custodian") == [False, True, False]
    assert drawn("overseer") == [True, True, True]
