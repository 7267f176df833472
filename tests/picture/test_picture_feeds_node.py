"""Feeds of a node: what is kept, refused and flagged, their pages, and reports of programs."""

from __future__ import annotations

import inspect
import json
import re
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from starlette.responses import HTMLResponse

from cordon.kernel.access.model import Actor, Mark, Role
from cordon.kernel.errors import BadInput, NotFound, Refused, TooLarge
from cordon.kernel.jobs import Jobs
from cordon.picture import columns, moments
from cordon.picture.feed_routes import routes
from cordon.picture.feedkeeping import LARGEST
from cordon.picture.feeds.health import FeedState
from cordon.picture.feeds.sentences import checksum
from cordon.picture.intake import Place
from cordon.picture.service import Picture
from cordon.picture.tables import FeedRow, PositionFileRow
from cordon.web import errors
from cordon.web.rendering import OfficerView, Page, Templates
from support.unasked import Unasked

EVENT = (
    '<event version="2.0" uid="PB-07" type="a-f-S" time="{at}" start="{at}" stale="{at}" how="m-g">'
    '<point lat="{lat}" lon="66.5" hae="0" ce="10" le="10"/></event>'
)


@pytest.fixture
def rows_url(sqlite_url):
    """Feeds are the same on both stores."""
    return sqlite_url


def picture(kernel) -> Picture:
    return Picture(
        kernel,
        Jobs(kernel, lambda _asked: kernel.node),
        view=SimpleNamespace(lat=24, lon=66, zoom=6),
        window=timedelta(hours=24),
        frame_hz=1,
        largest=1 << 30,
    )


@pytest.fixture
def room(kernel) -> Picture:
    return picture(kernel)


@pytest.fixture
def program(kernel) -> Actor:
    return Actor(
        "service:radar", "radar-khi", "pk-test", None, frozenset({Role.SERVICE}), Mark.AMBER,
        scopes=frozenset({"picture.report.send"}),
    )  # fmt: skip


def sentence(kernel, lat: str = "", **ahead) -> bytes:
    """One class A report with the node's time, or so much later."""
    at = int((kernel.clock.now() + timedelta(**ahead)).timestamp())
    head = f"c:{at}".encode()
    return b"\\%s*%02X\\!AIVDM,1,1,,B,10bb7q@P0lPGHlVMhbl0Qgw>2>`<,0*7F\n" % (head, checksum(head))


def taken(room: Picture, kernel, *data: bytes, form: str = "nmea", **how) -> FeedState:
    feed = FeedState("f", "f", "u", form=form)
    for part in data:
        room.intake.take(feed, part, kernel.clock.now().timestamp(), **how)
    return feed


def stored(room: Picture, kernel) -> int:
    room.intake.flush()
    now = kernel.clock.now()
    with kernel.view(kernel.node) as view:
        span = (now - timedelta(days=900), now + timedelta(days=900))
        return sum(map(len, columns.read(view, kernel.columns, *span)))


def test_times_of_the_future_and_of_a_year_ago_are_refused(room, kernel) -> None:
    feed = taken(
        room,
        kernel,
        sentence(kernel) + sentence(kernel, minutes=6) + sentence(kernel, days=-370),
        sentence(kernel, minutes=4) + sentence(kernel, hours=-30) + sentence(kernel),
    )
    assert (feed.kept, feed.repeated, feed.refused, feed.old) == (3, 1, 2, 1)
    assert feed.reasons == {
        "its time is more than five minutes ahead of the node's clock": 1,
        "its time is more than a year old": 1,
    }
    assert stored(room, kernel) == 3  # the old one too
    assert len(room.intake.positions_of("mmsi:044730341")) == 2


def test_reports_that_exclude_one_another_are_kept_and_counted(room, kernel) -> None:
    def event(lat: float, s: float) -> bytes:
        at = (kernel.clock.now() + timedelta(seconds=s)).isoformat()
        return EVENT.format(lat=lat, at=at).encode() + b"\n"

    feed = taken(
        room,
        kernel,
        event(24.5, 0) + event(24.5001, 5),
        event(24.6, 10),  # six miles in five seconds
        event(24.6, 20) + event(25.6, 20),  # at two places at once
        form="cot",
    )
    assert (feed.kept, feed.impossible) == (5, 2)


def test_the_clock_error_of_a_feed_is_seen(room, kernel) -> None:
    assert taken(room, kernel, sentence(kernel, seconds=-40)).clock_error == pytest.approx(-40)
    plain = b"!AIVDM,1,1,,B,10bb7q@P0lPGHlVMhbl0Qgw>2>`<,0*7F\n"
    feed = taken(picture(kernel), kernel, plain)
    # the report tells second 39; the node's clock stands at 0
    assert feed.clock_error in (None, pytest.approx(-21))


def test_a_sender_cannot_forge_when_its_lines_came(room, kernel) -> None:
    forged = moments.head(kernel.clock.now().timestamp() - 5_000, "x", "nmea")
    feed = taken(room, kernel, forged + b"!AIVDM,1,1,,B,10bb7q@P0lPGHlVMhbl0Qgw>2>`<,0*7F\n")
    assert feed.kept == 1
    (position,) = room.intake.positions_of("mmsi:044730341")
    assert position.at == kernel.clock.now()
    assert position.record.row == 3


def test_a_moment_of_each_form_is_read_back_after_a_crash(room, kernel) -> None:
    at = kernel.clock.now().isoformat()
    taken(room, kernel, sentence(kernel))
    taken(room, kernel, EVENT.format(lat=24.5, at=at).encode() + b"\n", form="cot")
    taken(room, kernel, b'{"report": "sensor", "id": "g", "lat": 24, "lon": 66}\n', form="reports")
    second = picture(kernel)
    second.intake.recover()
    assert {p.subject for p in second.picture.all()} == {"mmsi:044730341", "unit:PB-07", "sensor:g"}
    assert stored(second, kernel) == 3
    third = picture(kernel)
    third.intake.recover()
    said = sentence(kernel)
    kernel.clock.advance(timedelta(seconds=1))
    feed = taken(third, kernel, said)
    assert (feed.kept, feed.repeated) == (0, 1)
    assert stored(third, kernel) == 3


def test_moments_are_stored_together_and_each_position_leads_to_its_own(room, kernel) -> None:
    lines = []
    for n in range(5):
        lines.append({"subject": f"a:{n}", "lat": 24 + n, "lon": 66, "name": f"N {n}"})
        taken(room, kernel, json.dumps(lines[-1]).encode() + b"\n", form="reports")
        kernel.clock.advance(timedelta(seconds=1))
    room.intake.flush()
    now = kernel.clock.now()
    with kernel.view(kernel.node) as view:
        batches = list(columns.read(view, kernel.columns, now - timedelta(hours=1), now))
        files = {r.sha256 for r in view.session.query(PositionFileRow)}
    assert len(list(kernel.columns.root.rglob("*.parquet"))) == 1
    assert {b.sha256 for b in batches} == files
    for batch in batches:
        (p,) = batch.positions()
        data = b"".join(kernel.files.read(p.record.sha256)).split(b"\n")
        assert json.loads(data[p.record.row - 1])["subject"] == p.subject
        assert p.name == f"N {p.subject[2:]}"


def test_a_stream_is_taken_in_once(room, kernel, officers) -> None:
    id_ = room.connections._row("nats://h:1/s", "s", wanted=False).id
    line = b'{"subject": "a:1", "lat": 24, "lon": 66}\n'
    feed = FeedState(id_, "s", "nats://h:1/s", form="reports")
    at = kernel.clock.now().timestamp()
    for seq in (3, 3, 2, 4):
        room.intake.take(feed, line, at + seq, place=Place(id_, seq))
    assert feed.kept == 2
    again = picture(kernel)  # another process of the node
    again.intake.take(feed, line, at + 9, place=Place(id_, 4))
    again.intake.take(feed, line, at + 9, place=Place(id_, 5))
    assert feed.kept == 3
    with kernel.rows.read() as session:
        assert session.get_one(FeedRow, id_).seq == 5


# reports that programs send


def report(n: int, **more) -> dict:
    return {"report": "radar", "source": "KHI-2", "id": n, "lat": 24.5, "lon": 66.5, **more}


def test_a_program_sends_reports_and_hears_what_became_of_them(room, kernel, program) -> None:
    said = room.connections.report(program, json.dumps([report(1), report(2, lat=99)]).encode())
    assert (said["kept"], said["repeated"], said["refused"]) == (1, 0, 1)
    assert list(said["reasons"]) == [
        "the position is not available or outside ±90 and ±180 degrees"
    ]
    lines = b"\n".join(json.dumps(report(n)).encode() for n in (1, 3))
    assert room.connections.report(program, lines)["kept"] == 1  # one again, at the same time
    (feed,) = room._feeds.values()
    assert (feed.name, feed.state, feed.form) == ("radar-khi", "live", "reports")
    assert (feed.kept, feed.repeated, feed.refused) == (2, 1, 1)
    assert room.picture.latest("radar:KHI-2/3").at == kernel.clock.now()
    pretty = json.dumps({"type": "FeatureCollection", "features": []}, indent=1).encode()
    assert room.connections.report(program, pretty)["kept"] == 0
    # and after a restart it is the same feed
    room.connections.note()
    again = picture(kernel)
    again.connections.start([])
    (same,) = again._feeds.values()
    assert (same.id, same.kept, same.reasons) == (feed.id, 2, feed.reasons)
    again.connections.stop()


def test_who_may_not_send_is_refused(room, program, officers) -> None:
    for actor in (officers["field"], officers["overseer"], replace(program, scopes=frozenset())):
        with pytest.raises(Refused):
            room.connections.report(actor, json.dumps(report(1)).encode())
    with pytest.raises(TooLarge):
        room.connections.report(program, b" " * (LARGEST + 1))
    assert not room.picture.all()


@pytest.mark.parametrize("body", [b"", b"nonsense", b"[", b"\xff" * 50])
def test_what_is_no_json_at_all_is_refused_whole(room, program, body: bytes) -> None:
    with pytest.raises(BadInput, match="as JSON"):
        room.connections.report(program, body)


@pytest.mark.parametrize("body", [b"null", b"[1, 2]", b"{}"])
def test_what_is_no_report_is_refused_by_the_line(room, program, body: bytes) -> None:
    said = room.connections.report(program, body)
    assert said["kept"] == 0
    assert said["refused"] == sum(said["reasons"].values())


# pages


@pytest.fixture
def browse(kernel, room, officers, program):
    """A client of an officer, or of the program."""
    app, templates = FastAPI(), Templates(zone="Asia/Karachi")

    def draw(request: Request, template, status, context):
        context = dict(context)
        if template == "error.html":
            context["error"] = {
                "status": status, "title": "", "says": "", "advice": "", "reference": "",
            }  # fmt: skip
        lang = request.headers.get("accept-language", "en")
        shell = Page(
            title="Feeds", lang=lang, officer=OfficerView(request.state.actor.name), csrf="tok"
        )
        context.pop("title", None)
        return HTMLResponse(templates.render(template, lang, page=shell, **context), status)

    @app.middleware("http")
    async def who(request: Request, call_next):
        known = {**officers, "program": program}
        request.state.actor = known.get(request.headers.get("x-officer", ""))
        return await call_next(request)

    app.state.kernel, app.state.draw = kernel, draw
    errors.add_handlers(app)
    app.state.identity = Unasked()
    app.include_router(routes(room))

    def client(officer, **headers):
        return TestClient(app, headers={"x-officer": officer, **headers}, follow_redirects=False)

    return client


def test_the_pages_say_how_a_feed_does(browse, room, program) -> None:
    room.connections.report(program, json.dumps([report(1), report(2, lat=99), 5]).encode())
    (feed,) = room._feeds.values()
    feed.reasons["<b>"] = 3
    listed = browse("watch").get("/picture/feeds").text
    assert f'href="/picture/feeds/{feed.id}"' in listed
    assert 'action="/picture/feeds"' not in listed
    page = browse("watch").get(f"/picture/feeds/{feed.id}").text
    assert "a report is not an object" in page
    assert "&lt;b&gt;" in page
    assert re.search(r"<dt>Kept</dt><dd class=\"num\">1</dd>", page)
    assert "its reports carry no time" in page
    feed.clock_error, feed.state = -2.5, "late"
    feed.connected = True
    page = browse("watch").get(f"/picture/feeds/{feed.id}").text
    assert "run 2.5 s behind" in page
    assert browse("watch").get("/picture/feeds/none").status_code == 404
    assert browse("administrator").get(f"/picture/feeds/{feed.id}").status_code == 403
    told = browse("watch").get("/api/picture/feeds").json()["feeds"]
    assert told[0]["reasons"]["a report is not an object"] == 1


def test_a_supervisor_connects_and_disconnects(browse, room) -> None:
    client = browse("supervisor")
    typed = {"name": "north", "url": "tcp://x:1"}
    refused = client.post("/picture/feeds", data=typed)
    assert refused.status_code == 422
    assert 'value="north"' in refused.text
    assert 'value="tcp://x:1"' in refused.text
    url = "nmea+tcp://127.0.0.1:9"
    assert client.post("/picture/feeds", data={"name": "north", "url": url}).status_code == 303
    (feed,) = room._feeds.values()
    try:
        assert client.post(f"/picture/feeds/{feed.id}/stop").status_code == 303
        assert room._feeds[feed.id].state == "stopped"
        assert client.post(f"/picture/feeds/{feed.id}/connect").status_code == 303
        assert room._feeds[feed.id].state == "connecting"
        assert browse("watch").post(f"/picture/feeds/{feed.id}/stop").status_code == 403
    finally:
        room.connections.stop()
    with pytest.raises(NotFound):
        room.connections.one("none")


def test_reports_over_http(browse, room) -> None:
    said = browse("program").post("/api/picture/reports", json=[report(1), report(1, lat="x")])
    assert said.status_code == 200
    assert (said.json()["kept"], said.json()["refused"]) == (1, 1)
    assert browse("field").post("/api/picture/reports", json=report(1)).status_code == 403
    large = browse("program").post("/api/picture/reports", content=b" " * (LARGEST + 1))
    assert large.status_code == 413
    for nothing in (b"{broken", b"<event/>", b"[" * 100_000, b"a\nb"):
        said = browse("program").post("/api/picture/reports", content=nothing)
        assert said.status_code == 422
        assert "Send one report as an object" in said.text
    half = json.dumps(report(9)).encode() + b"\nbroken"
    said = browse("program").post("/api/picture/reports", content=half)
    assert said.status_code == 200
    assert said.json()["refused"] == 1
    assert inspect.iscoroutinefunction(
        next(r.endpoint for r in routes(room).routes if r.path == "/api/picture/reports")
    )
