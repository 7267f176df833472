"""On a node: which names one craft is heard under now, on its page, in the table and as JSON."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import numpy as np
import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from starlette.responses import HTMLResponse

from cordon.kernel.geo import destination
from cordon.kernel.jobs import Jobs
from cordon.picture import crafts
from cordon.picture.crafts import Crafts
from cordon.picture.desk.filters import Filters
from cordon.picture.model import Position
from cordon.picture.routes import routes
from cordon.picture.service import Picture
from cordon.picture.tracks import Batch
from cordon.web import errors
from cordon.web.i18n import read_catalogue
from cordon.web.rendering import OfficerView, Page, Templates
from support.unasked import Unasked

SHIP, ECHO, OTHER = "mmsi:463000001", "radar:KHI/12", "radar:KHI/13"


def sailed(now, subject, source, *, every, at=(24.5, 66.5), seconds=300, error=10.0, seed=1):
    """Reports until now of a way eastward at 6 m/s."""
    rng, found = np.random.default_rng(seed), []
    for k in range(int(seconds / every)):
        ago = every * k + seed
        lat, lon = destination(*at, 270.0, 6.0 * ago)
        lat, lon = destination(lat, lon, float(rng.uniform(0, 360)), abs(rng.normal(0, error)))
        when = now - timedelta(seconds=ago)
        found.append(Position(when, source, subject, lat, lon, accuracy_m=error, kind="vessel"))
    return found[::-1]


def seen(now):
    """A vessel by its AIS set and by a radar; and another by the radar alone."""
    return [
        *sailed(now, SHIP, "rx", every=10),
        *sailed(now, ECHO, "KHI", every=6, error=20.0, seed=2),
        *sailed(now, OTHER, "KHI", every=6, error=20.0, seed=3, at=(24.8, 66.5)),
    ]


def told(now, positions, made=None):
    """The craft of these after two passes."""
    made = made or Crafts()
    made.warm()
    for batch in Batch.of(positions):
        made.take(batch)
    made.tick(now)
    made.tick(now + timedelta(seconds=crafts.EVERY_S + crafts.HOLD_S))
    return made


@pytest.fixture
def rows_url(sqlite_url):
    """Pages are the same on both stores."""
    return sqlite_url


@pytest.fixture
def now(kernel):
    return kernel.clock.now()


@pytest.fixture
def room(kernel, now) -> Picture:
    made = Picture(
        kernel,
        Jobs(kernel, lambda _asked: kernel.node),
        view=SimpleNamespace(lat=24, lon=66, zoom=6),
        window=timedelta(hours=24),
        frame_hz=1,
        largest=1 << 30,
    )
    for batch in Batch.of(seen(now)):
        made.intake._show(batch)
    return made


@pytest.fixture
def browse(kernel, room, officers):
    """A client of a watch officer."""
    app, templates = FastAPI(), Templates(zone="Asia/Karachi")

    def draw(request: Request, template, status, context):
        lang = request.headers.get("accept-language", "en")
        shell = Page(title="Picture", lang=lang, officer=OfficerView("Officer"), csrf="tok")
        body = templates.render(template, lang, page=shell, **dict(context))
        return HTMLResponse(body, status_code=status)

    @app.middleware("http")
    async def who(request: Request, call_next):
        request.state.actor = officers["watch"]
        return await call_next(request)

    app.state.kernel, app.state.draw = kernel, draw
    errors.add_handlers(app)
    app.state.identity = Unasked()
    app.include_router(routes(room))
    return TestClient(app)


def test_a_vessel_and_its_echo_are_one_craft_and_the_other_is_another(now) -> None:
    made = told(now, seen(now))
    (craft,) = made.of(SHIP)
    assert made.of(ECHO)[0].state.subject == craft.state.subject
    assert {e.subject for e in craft.names} == {SHIP, ECHO}
    assert all(e.odds > 100 for e in craft.names)
    assert craft.state.speed_kn == pytest.approx(6 * 3600 / 1852, rel=0.1)
    assert craft.state.course_deg == pytest.approx(90, abs=10)
    assert craft.accuracy_m < 20
    assert set(craft.state.sources) == {"rx", "KHI"}
    (other,) = made.of(OTHER)
    assert other.state.subject != craft.state.subject
    assert made.others() == {SHIP: (ECHO,), ECHO: (SHIP,)}
    assert [c.state.subject for c in made.of_several()] == [craft.state.subject]
    assert made.of("mmsi:1") == ()


def test_a_name_that_was_long_not_heard_is_none_of_now(now) -> None:
    later = now + crafts.NOW + timedelta(minutes=1)
    made = told(now, seen(now))
    made.tick(later)
    assert made.others() == {}


def test_reports_of_a_subject_are_thinned_and_those_that_name_nobody_are_not(now) -> None:
    made = Crafts()
    often = sailed(now, SHIP, "rx", every=0.5, seconds=50)
    plots = sailed(now, "plot:K", "K", every=0.5, seconds=50)
    kept = made._thinned(Batch.of(often + plots), 0.0, now.timestamp())
    each = dict.fromkeys((SHIP, "plot:K"), 0)
    for batch in kept:
        for code in batch.subject.tolist():
            each[batch.subjects[code]] += 1
    assert each["plot:K"] == 100
    assert 10 <= each[SHIP] <= 11
    # one after the other, as they come, they are no more
    other = Crafts()
    some = [other._thinned(Batch.of([p]), 0.0, now.timestamp()) for p in often]
    assert sum(len(b) for batches in some for b in batches) == each[SHIP]


def test_what_waits_and_what_a_pass_takes_is_bounded(now, monkeypatch) -> None:
    monkeypatch.setattr(crafts, "MOST_WAITING", 100)
    monkeypatch.setattr(crafts, "MOST_A_PASS", 30)
    made = Crafts()
    for batch in [Batch.of(sailed(now, "plot:K", "K", every=1, seconds=60))[0] for _ in range(5)]:
        made.take(batch)
    assert made._rows == 60
    assert made.left_out == 240
    kept = made._thinned([*made._waiting], 0.0, now.timestamp())
    assert sum(len(b) for b in kept) == 30
    assert made.left_out == 270


def test_old_reports_of_a_file_move_nothing(now) -> None:
    assert told(now, seen(now - timedelta(hours=2))).of(SHIP) == ()


def test_a_pass_that_fails_begins_anew(now, monkeypatch) -> None:
    made = told(now, seen(now))
    tracker = made._tracker
    monkeypatch.setattr(type(tracker), "tick", lambda *_: 1 / 0)
    later = now + timedelta(minutes=1)
    with pytest.raises(ZeroDivisionError):
        made.tick(later)
    assert made.of(SHIP) == ()
    assert made._tracker is not tracker
    monkeypatch.undo()
    told(later, seen(later), made)
    assert len(made.of(SHIP)) == 1


def test_states_stay_as_they_were_told(now) -> None:
    made = told(now, seen(now))
    before = made.of(SHIP)[0]
    states = made._now._states
    made._tracker._intake.compact_labels(np.empty(0, np.int64))
    made._tracker._intake.label("mmsi:9", "rx")
    assert [s for s in states if s.subject == before.state.subject] == [before.state]


def test_pages_and_json_tell_them_as_one(room, browse, officers, now) -> None:
    page = f"/picture/vessels/{SHIP}"
    assert "One craft, heard as" not in browse.get(page).text
    room.crafts.warm()
    room.crafts.tick(now)
    room.crafts.tick(now + timedelta(seconds=crafts.EVERY_S + crafts.HOLD_S))
    drawn = browse.get(page).text
    assert drawn.count("One craft, heard as") == 1
    section = drawn.split("One craft, heard as")[1].split("</section>")[0]
    assert "KHI/12" in section
    assert "KHI/13" not in section
    assert " : 1" in section
    assert "Known to within" in section
    listed = {t.subject: t.also for t in room.desk.table(officers["supervisor"], Filters()).lines}
    assert listed == {SHIP: (ECHO,), ECHO: (SHIP,), OTHER: ()}
    table = browse.get("/picture/tracks").text
    assert table.count(">also ") == 2
    answer = browse.get("/api/picture/tracks").json()
    assert {t["subject"]: t["also"] for t in answer["tracks"]} == {
        SHIP: [ECHO],
        ECHO: [SHIP],
        OTHER: [],
    }
    (craft,) = answer["crafts"]
    assert {h["subject"] for h in craft["heard_as"]} == {SHIP, ECHO}
    assert craft["accuracy_m"] < 20


def test_the_words_are_there_in_urdu(room, browse, now) -> None:
    room.crafts.warm()
    room.crafts.tick(now)
    room.crafts.tick(now + timedelta(seconds=crafts.EVERY_S + crafts.HOLD_S))
    drawn = browse.get(f"/picture/vessels/{SHIP}", headers={"accept-language": "ur"}).text
    known = read_catalogue("ur")
    for words in ("One craft, heard as …", "Known to within", "Heard by"):
        assert known[words].string in drawn
        assert words not in drawn
