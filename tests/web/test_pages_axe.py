"""Every page, in both themes and languages: sound, accessible, of this host, and narrow too.

`make test-pages` looks at each page twice, so that each pair of page, theme and language is seen;
`make looks` sets TEST_LOOKS, looks at all four, and keeps pictures. See docs/pages.md.
"""

from __future__ import annotations

import itertools
import os
import re
import time
from contextlib import closing
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from support.agreeing import alone
from support.looks import LOOKS, chosen
from support.packaged import on_pages
from support.paid import with_payments
from support.planned import planned

pytestmark = pytest.mark.browser
# What a script writes where it was given nothing to write.
UNWRITTEN = re.compile(r"NaN|\bundefined\b|\[object ")

EVERY = bool(os.environ.get("TEST_LOOKS"))
NARROW = 360  # px, as WCAG 1.4.10 asks for 320 and small telephones have
# What a browser says by itself of pages that answer with an error, and of software rendering.
EXPECTED = (
    "Failed to load resource: the server responded with a status of 40",
    "GL Driver Message",
)


@pytest.fixture(scope="session")
def seeded(stand, tmp_path_factory):
    """A node with a played exercise, an answered alert, a sealed case; ids of its things."""
    from cordon.commands.demo import play
    from cordon.commands.demo_cast import ORDERS
    from cordon.exercise import Plan
    from cordon.kernel.leads import get_finding, list_findings

    tak = dict.fromkeys(("tak_server_port", "tak_enrol_port", "tak_package_port"), 0)
    with stand(tmp_path_factory.mktemp("seeded"), **tak) as standing:
        node, authority = standing.node, ORDERS[0].reference
        play(node, standing.actor, Plan(seed=7, days=2.0, scale=0.3, lead=timedelta(minutes=2)))
        end = time.monotonic() + 60
        found: dict[str, Any] = {}
        while (
            not {"picture.zone_entry", "picture.impossible_move", "calls.out_fan"} <= found.keys()
        ):
            assert time.monotonic() < end, f"only {sorted(found)} was found"
            time.sleep(0.5)
            with node.kernel.view(node.kernel.node) as view:
                found = {k.finding.kind: k.finding for k in list_findings(view)}
        with node.kernel.view(node.kernel.node) as view:
            entry = get_finding(view, found["picture.zone_entry"].id).finding
        fan = found["calls.out_fan"]
        url = "nmea+tcp://127.0.0.1:9"
        names = {
            "feed": node.picture.add_feed(standing.actor, "Quiet", url),
            "finding": entry.id,
            "fan": fan.id,
            "authority": node.authorities.find(standing.actor, authority).id,
            "vessel": next(s for s in entry.subjects if s.startswith("mmsi:")),
            "record": f"{entry.records[0].sha256}/{entry.records[0].row}",
        }
        names |= _rings(standing, authority, fan)
        names["collection"] = _shared(standing)
        names |= alone(node, tmp_path_factory.mktemp("peer"), entry.id)
        names["planned_act"] = planned(standing)
        names |= with_payments(
            standing, authority, names["ring"], fan.subjects[0].partition(":")[2]
        )
        names |= on_pages(node, authority, names["ring"])
        yield standing, names | _acted(standing, entry.id, found["picture.impossible_move"].id)


def _shared(standing: Any) -> str:
    """Collections, one of which tells of a case, an account in use and one that was revoked."""
    from pathlib import Path

    from cordon.kernel.access.model import Mark
    from cordon.sharing.agreements.grades import Grade
    from cordon.sharing.taxii.loading import read_file
    from support.matching import matched

    docs = Path(__file__).parents[2] / "docs" / "rooms"
    room = standing.node.sharing
    told = room.loader.load(standing.actor, read_file(docs / "sharing-example.yaml"), {})
    assert not told.refused
    gone = room.accounts.add(standing.actor, "left", Mark.GREEN).account
    room.accounts.revoke(standing.actor, gone.id, "Their agreement has ended.")
    matched(room, standing.actor)
    console = standing.node.console_actor(None)
    case = standing.node.cases.open(
        console, title="Boats by night", finding_ids=[], seriousness="serious", mark=Mark.GREEN
    )
    room.put(console, case, "vessels", Grade("B", "2"))
    return str(room.find(standing.actor, "vessels").collection.id)


def _rings(standing: Any, reference: str, fan: Any) -> dict[str, str]:
    """A ring that is kept, and files that were brought in; the parts of their addresses."""
    import io
    from dataclasses import replace

    from cordon.calls import bringing, names
    from cordon.calls.ringbook import keep_found
    from cordon.kernel.access.model import Mark

    node = standing.node
    actor = node.console_actor(reference)
    number, handset, cell = fan.subjects[0].partition(":")[2], "35000000000001", "410-01-7-9"
    found = replace(
        fan,
        kind="calls.call_centre",
        subjects=(f"cell:{cell}", f"imei:{handset}", f"number:{number}"),
        place={"type": "Point", "coordinates": [67.0, 24.9]},
        radius_m=420.0,
    )
    square = [[[66.99, 24.89], [67.01, 24.89], [67.01, 24.91], [66.99, 24.89]]]
    found.extra.update(
        seats={"estimate": 3, "least": 2, "most": 4},
        hours={"opens": 11.0, "closes": 22.5, "closed": [4]},
        regions={"50": {"type": "Polygon", "coordinates": square}},
        radius_50_m=180,
    )
    first, last = found.start.isoformat(), found.end.isoformat()
    seen = {
        "calls": 90, "made": 88, "people": 70, "complaints": 1,
        "members": [{"number": number, "calls": 90, "made": 88, "people": 70, "first": first,
                     "last": last, "handsets": 1}],
        "links": [{"number": number, "imei": handset, "calls": 90, "first": first, "last": last}],
        "cells": [{"cell": cell, "calls": 90, "numbers": 1, "lat": 24.9, "lon": 67.0}],
        "days": [{"day": "2026-01-05", "calls": 40, "numbers": 1},
                 {"day": "2026-01-06", "calls": 50, "numbers": 1}],
        "hours": [[3 if 11 <= h < 22 else 0 for h in range(24)] for _ in range(7)],
        "named": [{"type": "account", "value": "PK-ACC-77", "times": 1, "numbers": [number]}],
    }  # fmt: skip
    with node.kernel.work(node.kernel.node) as work:
        kept = keep_found(
            work, [found], node.calls.cards, None, authority=actor.authority.id,
            search="browser", until=found.end, mark=Mark.AMBER, details={found.id: seen},
        )  # fmt: skip
    files = [("cells.csv", io.BytesIO(b"cell,lat,lon\n410-1,31.5,74.3\n410-2,931.5,74.3\n")),
             ("odd.csv", io.BytesIO(b"a,b\n1,2\n"))]  # fmt: skip
    brought = bringing.bring(node.calls, actor, files, kind="cells")
    end = time.monotonic() + 30
    while not bringing.brought(node.calls, actor, brought).ended:
        assert time.monotonic() < end, "the files were not read"
        time.sleep(0.2)
    masker = node.kernel.masker
    return {
        "brought": brought,
        "calls_file": node.calls.files(actor)[0].id,
        "ring": next(iter(kept.rings.values())),
        "number": names.pseudonym(masker, f"number:{number}"),
        "handset": names.pseudonym(masker, f"imei:{handset}"),
        "cell": cell,
        "layout": "airtel",
    }


def _acted(standing: Any, finding: str, other: str) -> dict[str, str]:
    """What officers do about an alert, by the node's own forms; the ids of what came of it."""
    import httpx

    def as_(login: str) -> httpx.Client:
        http = httpx.Client(base_url=standing.address, timeout=30)
        http.cookies.set(standing.cookie_name, standing.cookie(login))
        page = http.get("/account").text
        http.headers["X-CSRF-Token"] = re.search(r'name="csrf" content="([^"]+)"', page)[1]
        return http

    def sent(http: httpx.Client, path: str, **data: str) -> str:
        answer = http.post(path, data=data)
        assert answer.status_code == 303, (path, answer.status_code, answer.text[:2000])
        return answer.headers["location"].rsplit("/", 1)[-1]

    ids = {}
    with closing(as_("watch")) as watch, closing(as_("investigator")) as investigator:
        for name, wanted in (("alert", finding), ("other", other)):
            end = time.monotonic() + 30
            while True:
                told = watch.get("/api/operations/alerts").json()["alerts"]
                ids[name] = next((a["id"] for a in told if a["finding"] == wanted), "")
                if ids[name]:
                    break
                assert time.monotonic() < end, f"no alert of {wanted}"
                time.sleep(0.3)
        form = watch.get(f"/alerts/{ids['alert']}/send").text
        unit = re.search(r'name="unit" value="([^"]+)"[^>]*>\s*<span><b[^>]*>PB-07', form)[1]
        ids["tasking"] = sent(
            watch, f"/alerts/{ids['alert']}/send", unit=unit, order="Go and look what it does."
        )
        sent(watch, f"/units/{unit}/say", crew="6", range_nm="180", acts="board")
        ids["unit"] = unit
        _tak(standing.node.tak, standing.node.officers.by_login(standing.actor, "supervisor"))
        ids["handover"] = sent(
            watch, "/handover", summary="One boat in the closed zone; PB-07 is looking."
        )
        ids["case"] = sent(watch, f"/alerts/{ids['alert']}/case", title="A closed zone by night")
        case = f"/cases/{ids['case']}"
        sent(investigator, f"{case}/exhibits/finding", finding=finding)
        ids["job"] = sent(investigator, f"{case}/seal")
        end = time.monotonic() + 30
        while investigator.get(f"/api/jobs/{ids['job']}").json()["state"] != "done":
            assert time.monotonic() < end, "the case was not sealed"
            time.sleep(0.2)
        sent(watch, f"/alerts/{ids['other']}/close", reason="explained",
             note="The receiver at Ormara was down, as its keeper told by telephone.")  # fmt: skip
        assert watch.get("/ledger").status_code == 403  # so that a refusal stands in the ledger
    return ids


def _tak(desk: Any, officer: Any) -> None:
    """A client that was thrown out, and a data package of the watch and one of a phone."""
    import io
    from dataclasses import replace

    who = officer.actor()
    gone = desk.enrol(who, name="Lent to the harbour master", groups="pasni").client
    data = io.BytesIO(b"PK" + bytes(70_000))
    desk.packages.give(
        who, data, name="Landing places.zip", groups="watch, pasni", mark="TLP:GREEN"
    )
    desk.packages.put(
        replace(gone, uid="ANDROID-1"), io.BytesIO(b"PK" + bytes(900)), name="photo.zip",
        sha256="", creator="ANDROID-1",
    )  # fmt: skip
    desk.revoke(who, gone.id, "The telephone was not given back.")


@pytest.fixture(scope="session")
def readers(seeded, chromium):
    """A browser context for each reader, theme and language, made once."""
    standing, names = seeded
    made: dict[tuple[str | None, str, str, bool], Any] = {}

    def reader(login: str | None, theme: str, lang: str, under: bool = False) -> Any:
        key = (login, theme, lang, under)
        if key not in made:
            context = (
                standing.signed_in(chromium, login)
                if login
                else chromium.new_context(viewport={"width": 1440, "height": 900})
            )
            context.set_default_timeout(20_000)
            context.add_cookies(
                [
                    {"name": "cordon_theme", "value": theme, "url": standing.address},
                    {"name": "cordon_lang", "value": lang, "url": standing.address},
                ]
            )
            made[key] = context.new_page()
            if under:
                _choose(standing, context, names["authority"])
        return made[key]

    yield reader
    for page in made.values():
        page.context.close()


def _choose(standing: Any, context: Any, authority: str) -> None:
    """Let the officer of a browser's session read under an authority."""
    import httpx

    session = next(c["value"] for c in context.cookies() if c["name"] == "cordon-pk-test")
    with httpx.Client(base_url=standing.address, timeout=30) as http:
        http.cookies.set("cordon-pk-test", session)
        page = http.get("/account").text
        token = re.search(r'name="csrf" content="([^"]+)"', page)[1]
        answer = http.post(f"/authorities/{authority}/choose", headers={"X-CSRF-Token": token})
        assert answer.status_code == 303, answer.text


def test_each_pair_of_page_theme_and_language_is_looked_at():
    few, every = chosen(False), chosen(True)
    assert len(few) * 2 == len(every) == len(set(every))
    for two in itertools.combinations(range(3), 2):
        assert {tuple(one[i] for i in two) for one in few} == {
            tuple(one[i] for i in two) for one in every
        }


@pytest.mark.parametrize(
    ("look", "theme", "lang"),
    [pytest.param(*one, id=f"{one[0].name}-{one[1]}-{one[2]}") for one in chosen(EVERY)],
)
def test_page(look, theme, lang, seeded, readers, axe, until, screenshots):
    standing, names = seeded
    page = readers(look.login, theme, lang, look.under)
    page.set_viewport_size({"width": 1440, "height": 900})
    wrong: list[str] = []
    host = urlsplit(standing.address).netloc

    def said(message: Any) -> None:
        if message.type in ("error", "warning") and not any(e in message.text for e in EXPECTED):
            wrong.append(f"console: {message.text}")

    def asked(request: Any) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.netloc != host:
            wrong.append(f"asked another host: {request.url}")

    def failed(error: Any) -> None:
        wrong.append(f"script: {error}")

    def answered(response: Any) -> None:
        if response.status >= 400 and urlsplit(response.url).path != urlsplit(path).path:
            wrong.append(f"{response.status} {response.url}")

    path = look.path.format(**names)
    heard = {"console": said, "request": asked, "pageerror": failed, "response": answered}
    for event, handler in heard.items():
        page.on(event, handler)
    try:
        answer = page.goto(standing.address + path)
        if look.button:
            for name, said_there in look.typed:
                page.fill(f"form:has(button[value={look.button}]) [name={name}]", said_there)
            with page.expect_navigation() as led:
                page.click(f"main button[value={look.button}]")
            answer = led.value
        assert answer.status == look.status
        assert page.evaluate("document.documentElement.lang") == lang
        assert page.evaluate("document.documentElement.dir") == ("rtl" if lang == "ur" else "ltr")
        assert page.evaluate("document.documentElement.dataset.theme") == theme
        assert page.title() not in ("", "Cordon", "Cordon · Cordon")
        assert page.eval_on_selector_all("h1", "all => all.length") == 1
        until(page, "document.fonts.status === 'loaded'")
        if look.name.startswith("picture"):
            until(page, "Number(document.querySelector('.map').dataset.frames ?? 0) > 0")
            until(page, "!document.querySelector('.queue:empty')")
        if look.name.startswith("calls-ring-map"):
            until(page, "'ready' in document.querySelector('.map').dataset")
        if look.name == "money-effect":
            until(page, "Number(document.querySelector('.speeds').dataset.points ?? 0) > 80")
        if look.name == "calls-ring-chart":
            until(page, "Number(document.querySelector('.linkchart').dataset.nodes ?? 0) > 2")
        if EVERY:
            page.screenshot(path=screenshots / f"{look.name}-{lang}-{theme}.png")
        drawn = page.inner_text("body")
        assert not UNWRITTEN.search(drawn), UNWRITTEN.search(drawn)
        axe(page)
        page.set_viewport_size({"width": NARROW, "height": 780})
        page.wait_for_timeout(60)
        wide = page.evaluate(
            "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
        )
        if EVERY and theme == "dark":  # the theme changes no size: once a language is enough
            page.screenshot(path=screenshots / f"{look.name}-{lang}-narrow.png", full_page=True)
        assert wide[0] <= wide[1], f"{wide[0]} px wide at {NARROW}: {overflowing(page)}"
    finally:
        for event, handler in heard.items():
            page.remove_listener(event, handler)
    assert not wrong, wrong


def overflowing(page: Any) -> list[str]:
    """What stands out to the side, for the message of a failure."""
    told: list[str] = page.evaluate(
        """() => [...document.querySelectorAll("main *, header *")].filter((e) => {
             const r = e.getBoundingClientRect();
             return r.width && (r.right > innerWidth + 1 || r.left < -1)
               && !e.closest(".scroll, .tabs, .hidden, .canvas");
           }).slice(0, 8).map((e) => e.tagName + "." + e.className + " "
             + e.textContent.trim().slice(0, 30))"""
    )
    return told


def test_every_page_that_is_a_page_was_looked_at(seeded):
    """A new GET route that draws a page must be added to `support.looks`, or be named here."""
    standing, _ = seeded
    from cordon.reference.gathering import routes
    from cordon.web.app import create_app

    drawn_elsewhere = {
        "/",  # leads on
        "/alerts/panel", "/alerts/new",  # pieces of the picture and of the queue
        "/calls/imports/{id_}/{place}",  # a piece of the page of files brought in
        "/calls/imports/{id_}/{place}/rejects.csv",  # a file
        "/money/imports/{id_}/{place}", "/money/imports/{id_}/{place}/rejects.csv",
        "/sign-in/oidc", "/sign-in/oidc/back",  # lead on
        "/picture/names", "/picture/trail", "/picture/zones.geojson",  # data of the map
        "/picture/cover.geojson", "/picture/marks", "/picture/trails", "/picture/trails.{form}",
        "/picture/findings.geojson", "/picture/around/{finding}", "/picture/tiles.pmtiles",
        "/picture/replay", "/picture/overlays/{overlay}", "/picture/vessels/{subject:path}/way",
        "/picture/vessels/{subject:path}/way.{form}",
        "/picture/vessels/{subject:path}/identities",  # a piece of the vessel's page
        "/money/packages/{package}/out.{ending}", "/money/packages/{package}/report.xml",  # files
        "/money/recovery/{package}/bank.pdf", "/money/recovery/{package}/victims/{place}.pdf",
        "/cases/{case}/bundles/{place}.tar", "/ledger/checkpoint",  # files
        "/measures/week.pdf", "/field/worker.js", "/tak/packages/{package}",
        "/taskings/{tasking}/photos/{photo}", "/handover/{handover}/handover.pdf",  # files
        "/health/live", "/health/ready", "/metrics",
    }  # fmt: skip
    looked = {re.sub(r"\?.*", "", look.path) for look in LOOKS}
    looked = {re.sub(r"\{\w+\}|/12$", "*", p.replace("/12", "/*")) for p in looked}
    found = [r for r in routes(create_app(standing.node)) if "GET" in r.methods]
    assert len(found) > len(looked)
    lacking = []
    for path in (r.path for r in found if not r.path.startswith(("/api/", "/taxii2/"))):
        plain = re.sub(r"\{[^}]+\}", "*", path)
        plain = plain.replace("/records/*/*", "/records/*")
        if path not in drawn_elsewhere and plain not in looked:
            lacking.append(path)
    assert lacking == []
