"""The page of cover, its layer and its forms; and the commands that tell it from files."""

from __future__ import annotations

import inspect
import json
import re
from datetime import timedelta
from types import SimpleNamespace

import numpy as np
import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from shapely.geometry import shape
from starlette.responses import HTMLResponse
from typer.testing import CliRunner

from cordon.cli import application
from cordon.kernel.geo import destination
from cordon.kernel.jobs import Jobs
from cordon.picture.cover import desk, eyes, view, words
from cordon.picture.cover.layer import LAYERS
from cordon.picture.cover.model import KINDS, WORDS
from cordon.picture.cover_routes import routes
from cordon.picture.service import Picture
from cordon.picture.tracks import Batch
from cordon.web import errors
from cordon.web.i18n import read_catalogue
from cordon.web.rendering import OfficerView, Page, Templates
from support.unasked import Unasked

SQUARE = [[66.6, 24.5], [67.0, 24.5], [67.0, 24.75], [66.6, 24.75], [66.6, 24.5]]
FAR = [[x + 3, y] for x, y in SQUARE]
SENSORS = "id,kind,name,lat,lon,height_m,range_m,every_s\nR,radar,Mast,24.8,66.8,80,30000,60\n"


def zones() -> str:
    def feature(id_, ring):
        return {
            "type": "Feature",
            "properties": {
                "id": id_, "name": f"<Sector {id_}>", "kind": "patrol_sector",
                "max_uncovered_min": 60,
            },
            "geometry": {"type": "Polygon", "coordinates": [ring]},
        }  # fmt: skip

    features = [feature("S-1", SQUARE), feature("S-2", FAR)]
    return json.dumps({"type": "FeatureCollection", "features": features})


@pytest.fixture
def rows_url(sqlite_url):
    """Pages are the same on both stores."""
    return sqlite_url


@pytest.fixture
def room(kernel, officers) -> Picture:
    made = Picture(
        kernel,
        Jobs(kernel, lambda _asked: kernel.node),
        view=SimpleNamespace(lat=24, lon=66, zoom=6),
        window=timedelta(hours=24),
        frame_hz=1,
        largest=1 << 30,
    )
    made.put_zones(officers["supervisor"], zones().encode())
    made.cover.put_sensors(officers["supervisor"], SENSORS.encode())
    return made


@pytest.fixture
def browse(kernel, room, officers):
    """A client of an officer."""
    app, templates = FastAPI(), Templates(zone="Asia/Karachi")

    def draw(request: Request, template, status, context):
        lang = request.headers.get("accept-language", "en")
        context = dict(context)
        if template == "error.html":
            context["error"] = {
                "status": status, "title": "", "says": "", "advice": "", "reference": "",
            }  # fmt: skip
        shell = Page(
            title="Cover", lang=lang, officer=OfficerView(request.state.actor.name), csrf="tok"
        )
        body = templates.render(template, lang, page=shell, **context)
        return HTMLResponse(body, status_code=status)

    @app.middleware("http")
    async def who(request: Request, call_next):
        request.state.actor = officers.get(request.headers.get("x-officer", ""))
        return await call_next(request)

    app.state.kernel, app.state.draw = kernel, draw
    errors.add_handlers(app)
    app.state.identity = Unasked()
    app.include_router(routes(room))

    def client(officer, **headers):
        return TestClient(app, headers={"x-officer": officer, **headers}, follow_redirects=False)

    return client


def seen(room, kernel, minutes=120.0, silent=90.0) -> None:
    """The radar tells plots for a while, and then nothing."""
    t = kernel.clock.now().timestamp() + np.arange(0, minutes * 60, 30.0)
    n = len(t)
    lat, lon = destination(24.8, 66.8, 170.0, 20_000.0)
    none, zero = np.full(n, np.nan), np.zeros(n, np.int64)
    room.cover.take(
        Batch(
            "a" * 64, ["radar:R/1"], ["R"], zero, zero, t, np.full(n, lat), np.full(n, lon), none,
            none, none, none, zero + 1, np.arange(n),
        )
    )  # fmt: skip
    kernel.clock.advance(timedelta(minutes=minutes + silent))


def test_the_page_says_what_is_seen_and_since_when_not(browse, room, kernel) -> None:
    seen(room, kernel)
    body = browse("watch").get("/picture/cover").text
    assert "&lt;Sector S-1&gt;" in body
    assert "1 sector is uncovered for longer than its plan allows." in body
    assert "longer than planned" in body
    assert "vessel without AIS" in body
    assert "1 h 30" in body
    assert re.search(r"Mast</bdi>: it misses signs of life that are due", body)
    assert "Nothing is known that could see it." in body, "of the other sector nothing is known"
    assert 'action="/picture/cover/limits"' in body
    assert 'action="/picture/cover/sensors"' not in body, "a watch officer brings no sensors in"
    assert 'action="/picture/cover/sensors"' in browse("supervisor").get("/picture/cover").text
    assert "<form" not in browse("overseer").get("/picture/cover").text.split("<main")[1]
    for officer in ("field", "investigator", "administrator"):
        assert browse(officer).get("/picture/cover").status_code == 403
        assert browse(officer).get("/picture/cover.geojson").status_code == 403


def test_the_layer_parts_a_sector_into_what_is_seen_and_what_is_not(browse, room, kernel) -> None:
    seen(room, kernel, silent=1.0)
    answer = browse("watch").get("/picture/cover.geojson")
    assert answer.headers["content-type"] == "application/geo+json"
    features = answer.json()["features"]
    assert {f["properties"]["layer"] for f in features} <= set(LAYERS)
    mine = [f for f in features if f["properties"].get("zone") == "S-1"]
    areas = {f["properties"]["layer"]: shape(f["geometry"]).area for f in mine}
    assert sum(areas.values()) == pytest.approx(0.4 * 0.25, rel=0.02)
    # its range is 30 km, and the sector's corners lie 38 km away
    assert areas["seen"] == pytest.approx(0.79 * sum(areas.values()), rel=0.03)
    (point,) = [f for f in features if f["properties"]["layer"] == "sensor"]
    assert (point["properties"]["state"], point["properties"]["id"]) == ("working", "R")
    (reach,) = [f for f in features if f["properties"]["layer"] == "reach"]
    west, _, east, _ = shape(reach["geometry"]).bounds
    assert (east - west) * 111.2 * 0.908 == pytest.approx(2 * 30, rel=0.02)
    told = browse("watch").get("/api/picture/cover").json()["sectors"][0]
    assert (told["id"], told["covered"], told["late"]) == ("S-1", True, False)


def test_forms_come_back_as_they_were_typed(browse, room, kernel) -> None:
    watch = browse("watch")
    form = {"csrf": "tok", "sensor": "R", "start": "soon", "why": "<mast> 5% d"}
    answer = watch.post("/picture/cover/limits", data=form)
    assert answer.status_code == 422
    assert 'value="soon"' in answer.text
    assert "&lt;mast&gt; 5% d" in answer.text
    assert "is no time with a zone" in answer.text
    assert watch.post("/picture/cover/limits", data={**form, "sensor": "Q"}).status_code == 422
    start = kernel.clock.now().isoformat()
    answer = watch.post("/picture/cover/limits", data={**form, "start": start})
    assert (answer.status_code, answer.headers["location"]) == (303, "/picture/cover")
    kernel.clock.advance(timedelta(minutes=2))
    body = watch.get("/picture/cover").text
    assert body.count("&lt;mast&gt; 5% d") == 3, "by the entry, the sensor and its sector"
    (limit,) = re.findall(r'action="/picture/cover/limits/([^/"]+)/end"', body)
    assert watch.post(f"/picture/cover/limits/{limit}/end").status_code == 303
    later = (kernel.clock.now() + timedelta(hours=2)).isoformat()
    plan = {"unit": "unit:A", "sector": "S-1", "begin": start, "until": later}
    assert watch.post("/picture/cover/patrols", data={**plan, "unit": "A"}).status_code == 422
    assert watch.post("/picture/cover/patrols", data=plan).status_code == 303
    body = watch.get("/picture/cover").text
    (patrol,) = re.findall(r'action="/picture/cover/patrols/([^/"]+)/cancel"', body)
    assert watch.post(f"/picture/cover/patrols/{patrol}/cancel").status_code == 303
    supervisor = browse("supervisor")
    file = {"file": ("s.csv", b"id,kind\nX,sonar\n")}
    answer = supervisor.post("/picture/cover/sensors", files=file)
    assert answer.status_code == 422
    assert "s.csv, row 1" in answer.text
    assert watch.post("/picture/cover/sensors", files=file).status_code == 403
    gone = supervisor.post("/picture/cover/sensors/remove", data={"sensor": "R"})
    assert gone.status_code == 303


def test_the_page_speaks_urdu(browse, room, kernel) -> None:
    seen(room, kernel)
    body = browse("watch", **{"accept-language": "ur"}).get("/picture/cover").text
    assert "longer than planned" not in body
    assert "it misses signs" not in body


def test_every_word_that_the_page_shows_from_data_is_in_the_catalogue() -> None:
    said = {*words.LABELS.values(), *words.STATES, *words.WHY, *words.NOTES}
    assert {*WORDS, *KINDS} == set(words.LABELS)
    assert set(view.STATES) | set(desk.WHY.values()) <= said
    notes = {v for n, v in inspect.getmembers(eyes) if n.isupper() and isinstance(v, str)}
    assert notes
    assert notes <= said, "notes, and reasons that stand as constants"
    known = read_catalogue("ur")
    assert [w for w in said if not (known.get(w) and known.get(w).string)] == []


def run(*words_):
    return CliRunner().invoke(application(), [str(w) for w in words_])


def test_cover_is_told_from_files_without_a_node(tmp_path) -> None:
    table = ["at,source,subject,lat,lon,kind"]
    for minute in range(0, 600, 2):
        at = f"2026-03-06T{minute // 60:02d}:{minute % 60:02d}:00Z"
        if not 200 < minute < 400:
            table.append(f"{at},R,radar:R/1,24.6,66.8,vessel")
        table.append(f"{at},FLEET,unit:A,23.0,66.8,vessel")
    files = {"p.csv": "\n".join(table), "z.geojson": zones(), "s.csv": SENSORS}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    p, z, s = (tmp_path / name for name in files)
    out, found = tmp_path / "c.geojson", tmp_path / "f.jsonl"
    told = run("picture", "cover", p, "--zones", z, "--sensors", s, "--at", "2026-03-06T06:00:00Z",
               "--out", out, "--findings", found, "--json")  # fmt: skip
    assert told.exit_code == 0, told.output
    first, second = json.loads(told.stdout)["sectors"]
    assert (first["id"], first["share"], first["late"]) == ("S-1", 0.0, True)
    assert first["since"] == "2026-03-06T03:20:00Z"
    assert first["down"][0]["sensor"] == "Mast"
    assert second["since"] == "2026-03-06T00:00:00Z", "no unit was ever heard there"
    assert json.loads(out.read_bytes())["at"] == "2026-03-06T06:00:00Z"
    kinds = {json.loads(line)["kind"] for line in found.read_text().splitlines()}
    assert kinds == {"picture.uncovered"}
    # detect finds the same over the whole of it
    assert run("picture", "detect", p, "--zones", z, "--sensors", s, "--out", found).exit_code == 0
    spans = [
        (f["subjects"], f["start"], f["end"])
        for f in map(json.loads, found.read_text().splitlines())
        if f["kind"] == "picture.uncovered"
    ]
    assert (["zone:S-1"], "2026-03-06T03:20:00Z", "2026-03-06T06:40:00Z") in spans
    wrong = tmp_path / "w.csv"
    wrong.write_text("id,kind\nX,sonar\n")
    refused = run("picture", "cover", p, "--zones", z, "--sensors", wrong)
    assert refused.exit_code != 0
